"""What computes, reads or shows is imported where neither Ray nor Lightning is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import orrery

PLATFORM = Path(orrery.__file__).parents[1]
NEED_RAY = {
    "orrery.execution.actors",
    "orrery.execution.deaths",
    "orrery.execution.nodes",
    "orrery.learning.workers",
    "orrery.sweeps.tuning",
}
NEED_LIGHTNING = {
    "orrery.learning.cohorts",
    "orrery.learning.loop",
    "orrery.learning.trainer",
}
EXPORTS = {"arviz", "getdist"}  # imported only where an export is asked for
# Stage after stage in one process, since each of the libraries takes seconds.
IMPORTING = """
import importlib, sys
neither, without_ray, with_both = (words.split() for words in sys.argv[1:])
sys.modules["lightning"] = sys.modules["ray"] = None  # as where they are not installed
for name in neither:
    importlib.import_module(name)
print("neither")
del sys.modules["lightning"]
for name in without_ray:
    importlib.import_module(name)
print("without ray")
del sys.modules["ray"]
for name in with_both:
    importlib.import_module(name)
print("with both", *sys.modules)
"""


def modules(folder):
    """Returns the names of all modules below a folder of the platform that are no scripts."""
    paths = sorted(path for path in folder.rglob("*.py") if path.stem != "__main__")
    parts = [path.relative_to(PLATFORM).with_suffix("").parts for path in paths]
    return [".".join(part for part in names if part != "__init__") for names in parts]


def imported(neither, without_ray=(), with_both=()):
    """Imports modules without Ray and Lightning, then others without Ray, then with both."""
    stages = (" ".join(names) for names in (neither, without_ray, with_both))
    return subprocess.run(
        [sys.executable, "-c", IMPORTING, *stages],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PLATFORM)},
    )


@pytest.fixture(scope="module")
def everything():
    """What became of importing all modules, and their names."""
    machinery = {*modules(PLATFORM / "orrery")}
    assert machinery > NEED_RAY | NEED_LIGHTNING
    studies = [
        name
        for science in ("halomass", "mwlmc")
        for name in modules(PLATFORM / science / "study")
    ]
    assert len(studies) > 10
    return imported(
        sorted(machinery - NEED_RAY - NEED_LIGHTNING),
        [*sorted(NEED_LIGHTNING), *studies],
        sorted(NEED_RAY),
    )


@pytest.mark.slow
def test_only_training_needs_lightning(everything):
    assert "neither" in everything.stdout.splitlines(), everything.stderr


@pytest.mark.slow
def test_studies_and_training_need_no_ray(everything):
    assert "without ray" in everything.stdout.splitlines(), everything.stderr


@pytest.mark.slow
def test_nothing_imports_an_export_by_itself_or_by_its_libraries(everything):
    assert everything.returncode == 0, everything.stderr
    loaded = everything.stdout.splitlines()[-1].split()
    assert {"ray", "lightning", "torch"} <= {*loaded}
    assert not EXPORTS & {*loaded}


def test_a_missing_framework_is_noticed():
    assert "import of ray halted" in imported(["orrery.execution.actors"]).stderr
    assert "import of lightning halted" in imported(["orrery.learning.loop"]).stderr
