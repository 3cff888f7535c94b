"""Reading a lineage: which kinds there are, and what each entry was made from."""

from collections.abc import Sequence

from orrery.identity import JSON

# In the order in which one is made from another.
ORDER = ("inputs", "datasets", "summaries", "posteriors", "ensembles")


def parents(entry: JSON) -> Sequence[str]:
    """Returns the fingerprints of what something was made from, the nearest that it names.

    Arguments:
        entry: Of a run's lineage.

    Example:
        >>> parents({"fingerprint": "2c", "dataset": "0a", "summaries": ["1b"]})
        ['1b']
        >>> parents({"fingerprint": "1b", "dataset": "0a"})
        ['0a']
        >>> parents({"fingerprint": "0a"})
        []
    """
    dataset = entry.get("dataset")
    return entry.get("summaries") or ([dataset] if dataset else [])
