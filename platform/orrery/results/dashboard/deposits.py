"""What a run rests on, as files with checksums: dataset, summaries, posteriors, ensembles.

Each names the checksums of its parents, so that the lineage can be followed without a
server: from a result to its posteriors, their summaries, and the simulations.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from orrery.identity import JSON
from orrery.results.ancestry import ORDER, parents
from orrery.results.result import Result
from orrery.storage.documents import own_file, read_document
from orrery.storage.files import checksum
from orrery.storage.run import DOCUMENT
from orrery.storage.walking import below

_DATASET = ("README.md", "dataset.json", "manifest.json")
_SHARDS = "shards"  # of a dataset: thousands of files, none of which is wanted


@dataclass(frozen=True)
class Deposit:
    """Files that belong together, and what they are.

    Arguments:
        kind: `input`, `dataset`, `summaries`, `posterior`, `ensemble` or `result`.
        fingerprint: Identifies them.
        sha256: The checksum of what decides them: a dataset's manifest, which has those
            of its shards; summaries; weights; a result's document.
        files: Their absolute paths.
        parents: What they were made from.
        key: What the run calls them.

    Example:
        >>> card = Deposit("dataset", "0123", "aa", ())
        >>> Deposit("summaries", "4567", "bb", (), (card,)).metadata["parents"]
        [{'kind': 'dataset', 'fingerprint': '0123', 'sha256': 'aa'}]
    """

    kind: str
    fingerprint: str
    sha256: str
    files: tuple[Path, ...]
    parents: tuple["Deposit", ...] = ()
    key: str = ""

    @property
    def name(self) -> str:
        """What a dashboard calls it."""
        return f"{self.kind}-{self.fingerprint}"

    @property
    def metadata(self) -> JSON:
        """What it is and what it was made from."""
        return {
            **self._identity,
            "key": self.key,
            "parents": [parent._identity for parent in self.parents],
        }

    @property
    def _identity(self) -> JSON:
        return {
            "kind": self.kind,
            "fingerprint": self.fingerprint,
            "sha256": self.sha256,
        }


OnAbsence = Callable[[str, Exception], Any]


def _tell_nobody(name: str, problem: Exception) -> None:
    """Leaves out what is gone or damaged."""


def deposits(result: Result, on_absence: OnAbsence = _tell_nobody) -> list[Deposit]:
    """Returns what a run rests on, parents first, and its document last.

    What is not on the disk, or damaged, is left out and told; of files that the run has
    read there are checksums alone.

    Arguments:
        result: The run.
        on_absence: Called with what is gone, there in part or damaged, and what is wrong.
    """
    lineage = result.document["lineage"]
    places = _Places(result.folder, lineage.get("datasets", []))
    found: dict[str, Deposit] = {}
    for group in ORDER:
        for entry in lineage.get(group, []):
            above = tuple(found[name] for name in parents(entry) if name in found)
            try:
                one = _readable(_MAKERS[group](places, entry, above))
            except Exception as problem:  # whatever stands in a damaged document
                on_absence(f"{group}.{entry['key']}", problem)
                continue
            if one is None:
                gone = FileNotFoundError(f"{entry['fingerprint']} is not on this disk")
                on_absence(f"{group}.{entry['key']}", gone)
                continue
            found[one.fingerprint] = one
    return [*found.values(), _document(result, tuple(found.values()))]


def _readable(deposit: Deposit | None) -> Deposit | None:
    """Returns a deposit of which each file can be read.

    Raises:
        OSError: If one cannot.
    """
    for path in deposit.files if deposit else ():
        path.open("rb").close()
    return deposit


class _Places:
    """Where what a run rests on is kept.

    Arguments:
        folder: The run's.
        datasets: The entries of its lineage.
    """

    def __init__(self, folder: Path, datasets: list[JSON]) -> None:
        self.folder = folder
        self.datasets = {
            entry["fingerprint"]: place
            for entry in datasets
            if (place := (folder / entry["folder"]).resolve()).is_dir()
        }

    def documents(self, kind: str) -> Iterator[Path]:
        """Yields the documents of everything of a kind that was learned."""
        for place in (self.folder.parent, *self.datasets.values()):
            for inner in sorted(place.iterdir()):
                if inner.name != _SHARDS and inner.is_dir():
                    found = (one for one in below(inner) if one.name == f"{kind}.json")
                    yield from sorted(found)


_Above = tuple[Deposit, ...]


def _input(places: _Places, entry: JSON, above: _Above) -> Deposit | None:
    return Deposit("input", entry["fingerprint"], entry["sha256"], (), key=entry["key"])


def _dataset(places: _Places, entry: JSON, above: _Above) -> Deposit | None:
    folder = places.datasets.get(entry["fingerprint"])
    if folder is None:
        return None
    names = [name for name in _DATASET if (folder / name).exists()]
    files = tuple(own_file(folder, name) for name in names)
    digest = checksum(own_file(folder, "manifest.json"))
    return Deposit("dataset", entry["fingerprint"], digest, files, above, entry["key"])


def _summaries(places: _Places, entry: JSON, above: _Above) -> Deposit | None:
    folder = places.datasets.get(entry["dataset"], places.folder)
    path = own_file(folder, f"summaries/{entry['fingerprint']}.parquet")
    if not path.exists():
        return None
    digest = checksum(path)
    name = entry["fingerprint"]
    return Deposit("summaries", name, digest, (path,), above, entry["key"])


def _learned(kind: str, places: _Places, entry: JSON, above: _Above) -> Deposit | None:
    name = entry["fingerprint"]
    damaged: ValueError | None = None
    for document in places.documents(kind):
        try:
            own_file(document.parent, document.name)
            content = read_document(document, "train again")
        except ValueError as problem:  # it may be another's
            damaged = problem
            continue
        if content.get("fingerprint") == name:
            weights = content["weights"]
            files = (document, own_file(document.parent, weights["file"]))
            return Deposit(kind, name, weights["sha256"], files, above, entry["key"])
    if damaged:
        raise damaged
    return None


_MAKERS: dict[str, Callable[[_Places, JSON, _Above], Deposit | None]] = {
    "inputs": _input,
    "datasets": _dataset,
    "summaries": _summaries,
    "posteriors": partial(_learned, "posterior"),
    "ensembles": partial(_learned, "ensemble"),
}


def _document(result: Result, found: tuple[Deposit, ...]) -> Deposit:
    """Returns the run's own document, which rests on what nothing else rests on."""
    used = {parent.fingerprint for one in found for parent in one.parents}
    last = tuple(one for one in found if one.fingerprint not in used)
    path = result.folder / DOCUMENT
    name = f"{result.document['run']}-{result.document['attempt']:03d}"
    return Deposit("result", name, checksum(path), (path,), last)
