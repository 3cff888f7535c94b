"""Many synthetic runs, some trials, and runs that are damaged or of another version."""

import json
import shutil

import pytest

from orrery.results.collation.entries import all_entries
from orrery.storage.documents import parsed

RUNS = 3


@pytest.fixture(scope="session")
def synthetic_runs(load_script):
    """The module that writes synthetic runs."""
    return load_script("benchmarks/synthetic_runs")


@pytest.fixture(scope="session")
def written(synthetic_runs, tmp_path_factory):
    """The folders of 30 runs, in a folder that no test changes."""
    root = tmp_path_factory.mktemp("synthetic") / "runs"
    return synthetic_runs.write_runs(30, root, recorded=3)


@pytest.fixture(scope="session")
def all_runs(written):
    """The folder of all 30 runs, which no test changes."""
    return written[0].parents[2]


@pytest.fixture(scope="session")
def entries(all_runs):
    """The entries of all 30 runs."""
    return list(all_entries(all_runs))


@pytest.fixture
def runs(written, all_runs, tmp_path):
    """A folder of three of these runs, of one's own."""
    root = tmp_path / "runs"
    for folder in written[:RUNS]:
        shutil.copytree(folder, root / folder.relative_to(all_runs))
    return root


@pytest.fixture
def change():
    """Changes fields of a run's document."""

    def changed(folder, **fields):
        path = folder / "run.json"
        path.write_text(json.dumps(parsed(path.read_bytes()) | fields))

    return changed


@pytest.fixture
def write_trial():
    """Writes the file of a trial."""

    def written(sweep, number, **fields):
        document = {
            "number": number,
            "point": {"inference.flow.transforms": 2 + number, "kind": "maf"},
            "state": "finished",
            "curve": [{"log_probability": 0.1 * i} for i in range(3)],
            "objectives": {"log_probability": 1.0 + number, "seconds": 5.0 + number},
            "seconds": 5.5,
            "reason": "",
            "identity": {"dataset": "4793ef685cba50ab", "version": 1},
        }
        folder = sweep / "trials"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"trial-{number:05d}.json"
        path.write_text(json.dumps(document | fields))
        return path

    return written
