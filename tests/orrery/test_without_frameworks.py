"""What computes, reads or shows is imported where neither Ray nor Lightning is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import orrery

ROOT = Path(orrery.__file__).parent
NEED_RAY = {
    "orrery.execution.actors",
    "orrery.learning.workers",
    "orrery.sweeps.tuning",
}
NEED_LIGHTNING = {
    "orrery.learning.cohorts",
    "orrery.learning.loop",
    "orrery.learning.trainer",
}
IMPORTING = """
import importlib, sys
names, training = (words.split() for words in sys.argv[1:])
sys.modules["lightning"] = sys.modules["ray"] = None  # as where they are not installed
for name in names:
    importlib.import_module(name)
del sys.modules["lightning"]
for name in training:
    importlib.import_module(name)
"""


def modules():
    """Returns the names of all modules of the machinery that are no scripts."""
    paths = sorted(path for path in ROOT.rglob("*.py") if path.stem != "__main__")
    parts = [path.relative_to(ROOT.parent).with_suffix("").parts for path in paths]
    return [".".join(part for part in names if part != "__init__") for names in parts]


def imported(names, training=()):
    """Imports modules without Ray and Lightning, and then others without Ray alone."""
    return subprocess.run(
        [sys.executable, "-c", IMPORTING, " ".join(names), " ".join(training)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT.parent)},
    )


@pytest.mark.slow
def test_only_training_needs_lightning_and_only_actors_and_workers_ray():
    every = set(modules())
    assert every > NEED_RAY | NEED_LIGHTNING
    done = imported(sorted(every - NEED_RAY - NEED_LIGHTNING), sorted(NEED_LIGHTNING))
    assert done.returncode == 0, done.stderr


def test_a_missing_framework_is_noticed():
    assert "import of ray halted" in imported(["orrery.execution.actors"]).stderr
    assert "import of lightning halted" in imported(["orrery.learning.loop"]).stderr
