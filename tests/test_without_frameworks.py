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
    "orrery.learning.loopback",
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
for stage in sys.argv[1:]:
    missing, names = (words.split() for words in stage.split(":"))
    for tool in [tool for tool, module in sys.modules.items() if module is None]:
        del sys.modules[tool]
    sys.modules.update(dict.fromkeys(missing))  # as where they are not installed
    for name in names:
        importlib.import_module(name)
    print("without", *missing)
print("loaded", *sys.modules)
"""


def modules(folder):
    """Returns the names of all modules below a folder of the platform that are no scripts."""
    paths = sorted(path for path in folder.rglob("*.py") if path.stem != "__main__")
    parts = [path.relative_to(PLATFORM).with_suffix("").parts for path in paths]
    return [".".join(part for part in names if part != "__init__") for names in parts]


def imported(*stages):
    """Imports modules where some tools are missing, then others where others are."""
    words = [f"{' '.join(missing)}:{' '.join(names)}" for missing, names in stages]
    return subprocess.run(
        [sys.executable, "-c", IMPORTING, *words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PLATFORM)},
    )


@pytest.fixture(scope="module")
def tools(load_script):
    """All that the sciences do without."""
    return sorted(load_script("test_architecture").TOOLS)


@pytest.fixture(scope="module")
def everything(tools):
    """What became of importing all modules."""
    machinery = {*modules(PLATFORM / "orrery")}
    assert machinery > NEED_RAY | NEED_LIGHTNING
    of_sciences = [n for s in ("halomass", "mwlmc") for n in modules(PLATFORM / s)]
    studies = [name for name in of_sciences if name.split(".")[1:2] == ["study"]]
    assert len(studies) > 10
    return imported(
        (tools, sorted({*of_sciences} - {*studies})),
        (("lightning", "ray"), sorted(machinery - NEED_RAY - NEED_LIGHTNING)),
        (("ray",), [*sorted(NEED_LIGHTNING), *studies]),
        ((), sorted(NEED_RAY)),
    )


@pytest.mark.slow
def test_science_runs_without_the_tools(everything, tools):
    """A borrowed GPU has torch and little else."""
    said = everything.stdout.splitlines()
    assert f"without {' '.join(tools)}" in said, everything.stderr


@pytest.mark.slow
def test_only_training_needs_lightning(everything):
    assert "without lightning ray" in everything.stdout.splitlines(), everything.stderr


@pytest.mark.slow
def test_studies_and_training_need_no_ray(everything):
    assert "without ray" in everything.stdout.splitlines(), everything.stderr


@pytest.mark.slow
def test_nothing_imports_an_export_by_itself_or_by_its_libraries(everything):
    assert everything.returncode == 0, everything.stderr
    loaded = everything.stdout.splitlines()[-1].split()[1:]
    assert {"ray", "lightning", "torch"} <= {*loaded}
    assert not EXPORTS & {*loaded}


def test_a_missing_framework_is_noticed():
    for tool, name in (("ray", "execution.actors"), ("lightning", "learning.loop")):
        assert (
            f"import of {tool} halted" in imported(([tool], [f"orrery.{name}"])).stderr
        )
