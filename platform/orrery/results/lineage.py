"""What a result rests on: datasets, their summaries, and what was learned from these.

Each entry has a fingerprint, and those of what it was made from: so a report leads back
to its posterior, this to its summaries, and these to their dataset. The files that a run
reads are entered when it begins.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from orrery.pairs import Splits
from orrery.results.recording import Recording
from orrery.storage.dataset import Dataset
from orrery.storage.store import Address, Location

# Of the document of what was learned.
_LEARNED = ("fingerprint", "dataset", "definition", "seed")


def record_dataset_lineage(recording: Recording, key: str, dataset: Dataset) -> None:
    """Records that a result rests on a dataset.

    Arguments:
        recording: Where it goes.
        key: What the run calls it, such as `simulations`.
        dataset: The simulations.
    """
    entry = {
        "key": key,
        "fingerprint": dataset.fingerprint,
        "name": dataset.folder.name,
        "folder": _place(dataset.folder, recording.run.folder),
        "count": len(dataset),
        "seed": dataset.metadata["seed"],
    }
    recording.lineage("datasets", entry)


def _place(folder: Location, run: Path) -> str:
    # relative: runs and datasets may be moved together
    return str(folder) if isinstance(folder, Address) else os.path.relpath(folder, run)


def record_summary_lineage(recording: Recording, key: str, pairs: Splits) -> None:
    """Records which summaries of which dataset a result rests on.

    Arguments:
        recording: Where it goes.
        key: Of the data, such as `desi.v_gsr`.
        pairs: The pairs; pooled ones are of several summaries.
    """
    for origin in pairs.origins:
        entry = {
            "key": key,
            "fingerprint": origin.fingerprint,
            "function": origin.function,
            "version": origin.version,
            "definition": origin.definition,
            "dataset": origin.dataset,
        }
        recording.lineage("summaries", entry)


def record_learned_lineage(
    recording: Recording,
    kind: str,
    key: str,
    document: Mapping[str, object],
    pairs: Splits,
) -> None:
    """Records that a result rests on a posterior or an ensemble.

    Arguments:
        recording: Where it goes.
        kind: `posteriors` or `ensembles`.
        key: Of the data or the ensemble, such as `desi.v_gsr`.
        document: Of what was learned.
        pairs: What it was learned from.
    """
    learned = {name: document[name] for name in _LEARNED}
    summaries = [origin.fingerprint for origin in pairs.origins]
    recording.lineage(kind, {"key": key, **learned, "summaries": summaries})
