"""Files of every format that this version writes, kept for all later versions to read.

python tests/released/release.py VERSION

makes the folder VERSION beside this file: a study in small with its dataset, summaries,
flows and run; an ensemble; trials of a sweep; a journal; a table of binned stars and a data
vector. What they hold goes into `holds.json`, with which the test compares what is read.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np

PLACE = Path(__file__).parent
TESTS = PLACE.parent
sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "fuzz")]
import readers  # noqa: E402
import table_files  # noqa: E402
import toy_study  # noqa: E402

del sys.path[:2]

from orrery import command_line  # noqa: E402
from orrery.execution import summaries  # noqa: E402
from orrery.learning import ensemble, mixture  # noqa: E402
from orrery.results.result import Result  # noqa: E402
from orrery.storage.dataset import Dataset  # noqa: E402
from orrery.storage.files import write_atomically  # noqa: E402
from orrery.storage.journal import read_journal  # noqa: E402
from orrery.storage.manifest import ManifestRow  # noqa: E402
from orrery.storage.work_log import sessions  # noqa: E402
from orrery.sweeps.trial import read_trials  # noqa: E402

HOLDS = "holds.json"
STUDY = toy_study.Toy(simulations=32, epochs=2)
AT = np.array([[11.0], [14.0]])  # masses at which densities are told
SEEN = np.array([[0.5, 11.5], [-0.5, 13.0]])  # of what data


# --- writing ---------------------------------------------------------------------------


def write(folder: Path) -> None:
    """Writes files of all formats into an empty folder, and nothing about this machine."""
    here, words = Path.cwd(), sys.argv
    folder.mkdir(parents=True)
    os.environ["WANDB_MODE"] = "disabled"
    try:
        os.chdir(folder)  # runs tell their command, and where they were started
        sys.argv = ["toy_study"]
        with patch("socket.gethostname", return_value="host"):
            toy_study.study(STUDY)
    finally:
        sys.argv = words
        os.chdir(here)
    for name, one in (
        ("ensemble", readers.write_ensemble),
        ("sweep", readers.write_trial),
        ("journal", readers.write_journal),
        ("tables", table_files.write_binned),
        ("tables", table_files.write_vector),
    ):
        (folder / name).mkdir(exist_ok=True)
        one(folder / name)
    _tidy(folder)


def _tidy(folder: Path) -> None:
    """Removes locks and pages, which are no formats, and empty folders."""
    for pattern in (".lock", "wandb", "report.html", "drawn.json"):
        for path in sorted(folder.rglob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


# --- reading ---------------------------------------------------------------------------


def read(folder: Path) -> dict[str, object]:
    """Returns what files hold, as JSON, read as people's are."""
    return {
        "dataset": _dataset(_only(folder / "toy" / "datasets")),
        "summaries": _summaries(_only(folder / "toy" / "datasets")),
        "flows": _flows(folder),
        "run": _run(folder),
        "ensemble": _rounded(ensemble.load(folder / "ensemble").predict(SEEN)),
        "trials": [one.document for one in read_trials(folder / "sweep")],
        "journal": [str(row.sha256) for row in _journal(folder / "journal")],
        "work": [
            one.simulations for one in sessions(_only(folder / "toy" / "datasets"))
        ],
        "binned": _binned(folder / "tables" / "binned.ecsv"),
        "vector": _vector(folder / "tables" / "vector.ecsv"),
    }


def _only(folder: Path) -> Path:
    (found,) = [path for path in folder.iterdir() if path.is_dir()]
    return found


def _journal(folder: Path) -> list[ManifestRow]:
    return list(read_journal(folder).values())


def _rounded(values: object) -> object:
    # builds of torch differ in the last digits
    return np.round(np.asarray(values, float), 4).tolist()


def _dataset(folder: Path) -> dict[str, object]:
    found = Dataset.open(folder)
    found.verify(full=True)
    records = [found.records(shard) for shard in found.shards]
    return {
        "mass": np.concatenate([one.scalars["mass"] for one in records]).tolist(),
        "v": _rounded([float(np.sum(one.particles["v"])) for one in records]),
    }


def _summaries(folder: Path) -> object:
    made = Dataset.open(folder)
    pairs = summaries.compute(
        toy_study.moments, made, toy_study.ENTRIES, (toy_study.MASS,)
    )
    return _rounded(pairs.train.x)


def _flows(folder: Path) -> object:
    (document,) = (folder / "toy" / "runs").rglob("mixture.json")
    return _rounded(mixture.load(document.parent).log_prob(AT, SEEN))


def _run(folder: Path) -> dict[str, object]:
    found = Result.open(_only(_only(folder / "toy" / "runs")))
    return {
        "status": found.status,
        "metrics": found.metrics,
        "sections": [one["key"] for one in found.sections],
        "options": repr(command_line.read(toy_study.Toy, found.folder / "run.json")),
    }


def _binned(path: Path) -> object:
    found = table_files.read_binned(path)
    return [found.name, np.asarray(found.moments.count).tolist()]


def _vector(path: Path) -> object:
    found = table_files.read_vector(path)
    return [found.value.tolist(), found.covariance.tolist()]


def main() -> None:
    """Writes the folder of a version, with what it holds."""
    folder = PLACE / sys.argv[1]
    write(folder)
    write_atomically(folder / HOLDS, json.dumps(read(folder), indent=1) + "\n")


if __name__ == "__main__":
    main()
