import os
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.table import Table

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared():
    """The folder with star tables that are too large or not ours to keep in the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("ORRERY_SHARED", beside))
    if not (folder / "data").is_dir():
        pytest.skip("star tables not at hand: set ORRERY_SHARED to a folder with data/")
    return folder


@pytest.fixture(scope="session")
def run():
    """Starts an experiment as a user does, from the repository's root."""

    def start(experiment, *options, place=None):
        folders = (
            ("--datasets", place / "datasets", "--reports", place / "runs")
            if place
            else ()
        )
        command = [sys.executable, experiment, *options, *folders]
        return subprocess.run(
            [str(word) for word in command],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "WANDB_MODE": "disabled",
            },  # tried for real in the tests of reports
        )

    return start


@pytest.fixture(scope="session")
def page():
    """Returns the path of the report that an experiment has printed."""

    def found(result):
        assert result.returncode == 0, result.stderr
        return Path(result.stdout.splitlines()[-1])

    return found


@pytest.fixture(scope="session")
def shapes():
    """Returns the name and the number of rows of each table in a report's folder."""

    def counted(folder):
        tables = folder.glob("*.ecsv")
        return {p.name: len(Table.read(p, format="ascii.ecsv")) for p in tables}

    return counted


@pytest.fixture(scope="session")
def told(run):
    """Checks that an experiment's help tells of options."""

    def check(experiment, *options):
        result = run(experiment, "--help")
        assert result.returncode == 0
        for option in (*options, "--seed", "--datasets", "--reports"):
            assert option in result.stdout

    return check
