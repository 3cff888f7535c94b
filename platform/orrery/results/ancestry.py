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


def lineage_rows(lineage: JSON) -> list[JSON]:
    """Returns what a run rests on, each after what it was made from.

    Arguments:
        lineage: Of a run's document.

    Returns:
        Rows with `kind`, `key`, `fingerprint` and `made_from`.

    Example:
        >>> learned = {"key": "a", "fingerprint": "8d", "summaries": ["1b"]}
        >>> summaries = {"key": "a", "fingerprint": "1b", "dataset": "4e"}
        >>> rows = lineage_rows({"posteriors": [learned], "summaries": [summaries]})
        >>> [(row["fingerprint"], row["made_from"]) for row in rows]
        [('1b', '4e'), ('8d', '1b')]
    """
    first = {kind: place for place, kind in enumerate(ORDER)}
    kinds = sorted(lineage, key=lambda kind: (first.get(kind, len(ORDER)), kind))
    return [
        {
            "kind": kind,
            "key": one["key"],
            "fingerprint": one["fingerprint"],
            "made_from": ", ".join(parents(one)),
        }
        for kind in kinds
        for one in lineage[kind]
    ]
