"""Flips single bits of all that a dataset, a training, a run and a sweep leave on the disk,
and of a table of what was observed.

Each flip is looked at three times: does `verify` name the file; does who reads the file get
the right answer, an error or, which must never be, another answer; and does `repair` bring
the same bytes back. Prints a table, a row for each kind of file:

    python tests/faults/flip_bits.py --flips 20000
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from astropy.table import Table

from orrery.execution import simulators
from orrery.execution.simulation import generate
from orrery.execution.summaries import Entries, compute
from orrery.identity import fingerprint
from orrery.learning.artefacts import ArtifactStore
from orrery.learning.tensor_files import load_tensors, save_tensors
from orrery.parameters import Parameter, generator
from orrery.records import Column, Records, Schema
from orrery.repair import repair_dataset, repair_run
from orrery.results.recording import record
from orrery.results.result import Result
from orrery.results.sections import DrawsSection, FigureSection, Text
from orrery.results.views import Relation
from orrery.storage.dataset import DATASET_DOCUMENT, Dataset
from orrery.storage.files import write_ecsv
from orrery.storage.journal import begin_journal, read_journal
from orrery.storage.work_log import sessions
from orrery.sweeps.trial import Trial, read_trial, write_trial
from orrery.tables.reading import read_table
from orrery.verification import verify

VERSION = 1  # of `seen`
SIMULATIONS = 24
SHARD_SIZE = 8
CENTRE = (Parameter("a", "kpc", "$a$"),)
MEAN = Entries(("mean",), ("kpc",))


@dataclass(frozen=True)
class Stars:
    """Simulates stars around a centre `a`; simulation i has i mod 4 of them."""

    scale: float = 1.0

    @property
    def schema(self) -> Schema:
        index = Column("index", "", "the simulation's number", "int64")
        centre = Column("a", "kpc", "the centre")
        return Schema((index, centre), (Column("x", "kpc", "positions", "float16"),))

    def describe(self) -> dict[str, Any]:
        return {"options": {"scale": self.scale}, "about": {"model": "stars of tests"}}

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        randoms = [generator(seed, i) for i in indices]
        centre = np.array([self.scale * random.normal() for random in randoms])
        stars = [r.normal(size=i % 4) for i, r in zip(indices, randoms, strict=True)]
        offsets = np.cumsum([0, *map(len, stars)]).astype(np.int32)
        scalars = {"index": np.array(indices), "a": centre}
        return Records(scalars, {"x": np.concatenate(stars)}, offsets)


class _Entry:
    """Stands for an entry point, which an installation has."""

    def load(self) -> type[Stars]:
        return Stars


def seen(records: Records, binning: Entries) -> np.ndarray:
    """Returns the number of stars of each simulation, as its only summary."""
    return np.diff(records.offsets).astype(np.float64)[:, np.newaxis]


@dataclass(frozen=True)
class Choices:
    """Options of the run."""

    seed: int = 1


@dataclass(frozen=True)
class Kind:
    """Files of one kind, and how they are read.

    Arguments:
        files: The files.
        folder: What is verified and repaired.
        read: Returns the answer that a reader gets.
        repair: Makes again what is damaged.
        comes_back: Whether it brings the same bytes back; else it tells what helps.
    """

    files: tuple[Path, ...]
    folder: Path
    read: Callable[[Path], Any]
    repair: Callable[[Path], Any] = repair_run
    comes_back: bool = True


@dataclass
class Tally:
    """What became of the flips of one kind."""

    counts: Counter[str] = field(default_factory=Counter)
    silent: list[str] = field(default_factory=list)


def plant(root: Path) -> dict[str, Kind]:
    """Returns the kinds of files that are made below an empty folder."""
    return {
        **_of_dataset(root),
        **_of_training(root),
        **_of_run(root),
        **_of_sweep(root),
        **_of_observed(root),
    }


def _of_dataset(root: Path) -> dict[str, Kind]:
    dataset = generate(Stars(), SIMULATIONS, 3, root, actors=0, shard_size=SHARD_SIZE)
    pairs = partial(_pairs, dataset)
    pairs(root)
    folder = dataset.folder
    one = partial(Kind, folder=folder, repair=repair_dataset)
    unfinished = root / "unfinished"
    unfinished.mkdir()
    # of a dataset: a file of this name in another folder is not ours
    shutil.copy2(folder / DATASET_DOCUMENT, unfinished)
    begin_journal(unfinished, dataset.rows)
    journal = (unfinished / "manifest.jsonl",)
    summaries = tuple((folder / "summaries").iterdir())
    return {
        "manifest.json": one((folder / "manifest.json",), read=_rows),
        "dataset.json": one((folder / "dataset.json",), read=_metadata),
        "shards": one(dataset.files, read=partial(_records, dataset)),
        "shards.sha256": one((folder / "shards.sha256",), read=_rows),
        "card": one((folder / "README.md",), read=_rows),
        "summaries": one(summaries, read=pairs, comes_back=False),
        "work log": one((folder / "work.jsonl",), read=_work, comes_back=True),
        "journal": Kind(journal, unfinished, _journal),
    }


def _rows(path: Path) -> Any:
    return Dataset.open(path.parent).rows


def _metadata(path: Path) -> Any:
    return Dataset.open(path.parent).metadata


def _records(dataset: Dataset, path: Path) -> Any:
    records = dataset.records(dataset.files.index(path))
    arrays = (*records.scalars.values(), *records.particles.values(), records.offsets)
    return [array.tobytes() for array in arrays]


def _pairs(dataset: Dataset, path: Path) -> Any:
    found = compute(seen, dataset, MEAN, CENTRE)
    return [found.train.theta.tobytes(), found.train.x.tobytes(), found.units]


def _work(path: Path) -> Any:
    return sessions(path.parent)


def _journal(path: Path) -> Any:
    return read_journal(path.parent)


def _of_training(root: Path) -> dict[str, Kind]:
    folder = root / "trained"
    decided = {"seed": 1, "flow": {"hidden": [8, 8]}, "covariance": [[1.0, 0.25]]}
    document = {"fingerprint": fingerprint(decided), **decided, "curve": [2.5, 1.25]}
    weights = {"layer": torch.linspace(-1, 1, 40).reshape(5, 8)}
    folder.mkdir()
    store = ArtifactStore(folder, "posterior")
    store.write(document, weights)
    unfinished = store.unfinished("0123")
    unfinished.mkdir()
    state = {"epoch": 10, "weights": weights, "optimizer": [0.5] * 20}
    for name in ("last.ckpt", "trained.pt"):
        save_tensors(unfinished / name, state)
    one = partial(Kind, folder=folder)
    learned = partial(_learned, store)
    tensors = tuple(unfinished.iterdir())
    return {
        "posterior.json": one((store.document,), read=learned),
        "weights": one(tuple(folder.glob("*.pt")), read=learned, comes_back=False),
        "checkpoints": one(tensors, read=load_tensors_plainly, comes_back=False),
    }


def _learned(store: ArtifactStore, path: Path) -> Any:
    return store.open(lambda document, weights: (document, _plain(weights)))


def load_tensors_plainly(path: Path) -> Any:
    """Returns what is in a file of tensors, as numbers that can be compared."""
    return _plain(load_tensors(path))


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value


def _of_run(root: Path) -> dict[str, Kind]:
    with record("toy", Choices(), root / "runs") as recording:
        recording.epoch("flow", 0, {"train": 2.0, "validation": 2.5})
        recording.metrics({"rmse": 0.125})
        recording.add(
            Text("text", "Text", "Five."),
            FigureSection(
                "line", "Line", Relation(np.arange(9.0), np.ones(9), ("x", "y")), ""
            ),
            DrawsSection("draws", "Draws", ("v",), ("km / s",), np.ones((5, 1))),
        )
    folder = recording.run.folder
    one = partial(Kind, folder=folder)
    arrays = (folder / "line.parquet", folder / "draws.parquet")
    return {
        "run.json": one((folder / "run.json",), read=_result),
        "arrays of a run": one(arrays, read=_content, comes_back=False),
        "epochs.jsonl": one((folder / "epochs.jsonl",), read=_epochs),
    }


def _result(path: Path) -> Any:
    return Result.open(path).document


def _content(path: Path) -> Any:
    result = Result.open(path.parent)
    return result.content(result.section(path.stem), path.name)


def _epochs(path: Path) -> Any:
    from orrery.results.dashboard.reader import _epochs

    return [*_epochs(path)]


def _of_sweep(root: Path) -> dict[str, Kind]:
    folder = root / "sweep"
    (folder / "trials").mkdir(parents=True)
    point = {"rate": 0.125, "kind": "maf"}
    found = Trial(0, point, "finished", ({"loss": 2.5},), {"loss": 1.5}, 3.25)
    for number in range(3):
        write_trial(folder, replace(found, number=number))
    return {"trials": Kind(tuple((folder / "trials").iterdir()), folder, read_trial)}


def _of_observed(root: Path) -> dict[str, Kind]:
    folder = root / "observed"
    folder.mkdir()
    table = Table({"patch": ["q1", "q2"], "mean": [-1.5, 12.25]}, meta={"seed": 1})
    write_ecsv(folder / "stars.ecsv", table)
    files = tuple(folder.iterdir())
    return {"tables": Kind(files, folder, _observed, comes_back=False)}


def _observed(path: Path) -> Any:
    table = read_table(path)
    return [table.colnames, *map(list, table.columns.values()), dict(table.meta)]


def flip_all(root: Path, flips: int, seed: int, repairs: int) -> dict[str, Tally]:
    """Returns what became of flips that are shared by all kinds of files.

    Arguments:
        root: An empty folder.
        flips: How many.
        seed: Of what is flipped.
        repairs: Each so many-th flip is repaired by the commands, too.
    """
    random = np.random.default_rng(seed)
    entries = patch.object(simulators, "entry_points", lambda group: [_Entry()])
    with entries, patch("orrery.repair.say"), patch("orrery.storage.writing.say"):
        kinds = plant(root)
        answers = {p: kind.read(p) for kind in kinds.values() for p in kind.files}
        found = {name: Tally() for name in kinds}
        for number in range(flips):
            name = [*kinds][number % len(kinds)]
            kind = kinds[name]
            path = kind.files[int(random.integers(len(kind.files)))]
            repaired = number // len(kinds) % repairs == 0
            # Who makes shards again is entered in the work log, which grows.
            answer = _work(path) if kind.read is _work else answers[path]
            _flip_once(kind, path, answer, random, found[name], repaired)
    return found


def _flip_once(
    kind: Kind,
    path: Path,
    answer: Any,
    random: np.random.Generator,
    tally: Tally,
    repaired: bool,
) -> None:
    content = path.read_bytes()
    bit = int(random.integers(8 * len(content)))
    flipped = bytearray(content)
    flipped[bit // 8] ^= 1 << bit % 8
    path.write_bytes(flipped)
    tally.counts["flips"] += 1
    named = [finding.file for finding in verify(kind.folder)]
    tally.counts["named"] += path.relative_to(kind.folder).as_posix() in named
    if repaired:
        kind.repair(kind.folder)
        tally.counts["repairs"] += 1
        back = path.exists() and path.read_bytes() == content
        tally.counts["same bytes"] += back
        path.write_bytes(flipped)
    tally.counts[_outcome(kind, path, answer, tally, bit)] += 1
    path.write_bytes(content)


def _outcome(kind: Kind, path: Path, answer: Any, tally: Tally, bit: int) -> str:
    """Returns what a reader of a flipped file gets."""
    try:
        got = kind.read(path)
    except (ValueError, OSError) as error:
        if path.name not in str(error):
            tally.silent.append(f"{path.name}, bit {bit}: no file is named in: {error}")
        return "refused"
    if got == answer:
        return "right"
    if kind.read in (_work, _journal, _epochs) and len(got) < len(answer):
        return "line left out"
    tally.silent.append(f"{path.name}, bit {bit}: another answer")
    return "another"


HEAD = ("flips", "named", "refused", "right", "line left out", "another", "repairs")


def table(found: dict[str, Tally]) -> str:
    """Returns what became of the flips, a line for each kind of file."""
    head = (*HEAD, "same bytes")
    lines = [f"{'file':18}" + "".join(f"{name:>14}" for name in head)]
    for kind, tally in found.items():
        numbers = "".join(f"{tally.counts[name]:>14}" for name in head)
        lines.append(f"{kind:18}{numbers}")
    return "\n".join(lines)


def main() -> int:
    """Flips bits, prints the table, and returns 1 if one changed an answer in silence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repairs", type=int, default=10)
    options = parser.parse_args()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="flips-"))
    try:
        found = flip_all(folder, options.flips, options.seed, options.repairs)
    finally:
        shutil.rmtree(folder)
    print(table(found))
    silent = [one for tally in found.values() for one in tally.silent]
    unnamed = sum(t.counts["flips"] - t.counts["named"] for t in found.values())
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"silent": len(silent), "unnamed": unnamed, "seconds": seconds}))
    print("\n".join(silent[:20]))
    return int(bool(silent) or bool(unnamed))


if __name__ == "__main__":
    sys.exit(main())
