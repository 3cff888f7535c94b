"""The collated page of some runs and trials, in a headless Chromium."""

import json
import shutil
from dataclasses import dataclass

import numpy as np
import pytest

from orrery.judging.regression import binned
from orrery.results.collation.collate import collate
from orrery.results.recording import read_by, record
from orrery.results.sections import DrawsSection, FigureSection
from orrery.results.views import Predictions
from orrery.storage.documents import parsed
from orrery.sweeps.trial import Trial, write_trial

HOSTILE = "</script><img src=x onerror=alert(1)>"
GOALS = [
    {"name": "gain", "better": "larger"},
    {"name": "cost", "better": "smaller"},
]
NOISE = (0.1, -0.2, 0.05, 0.3, -0.1, 0.2, -0.15, 5.0)


@dataclass(frozen=True)
class Unit:
    """In which a run has its numbers."""

    unit: str


@dataclass(frozen=True)
class Repeated:
    """Options of a run that is started again."""

    level: int
    seed: int


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser(load_script, tmp_path_factory):
    """A browser with one tab."""
    if CHROMIUM is None:
        pytest.skip("no chromium: install it to test pages in a browser")
    devtools = load_script("browser/devtools")
    found = devtools.Browser(CHROMIUM, tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def runs(load_script, tmp_path_factory):
    """A folder of 30 runs, one of them failed and hostile, one damaged, and eight trials."""
    root = tmp_path_factory.mktemp("browser") / "runs"
    write_runs = load_script("benchmarks/synthetic_runs").write_runs
    folders = write_runs(30, root, recorded=2)
    for folder in folders[:2]:
        (folder / "report.html").write_text("<title>the page of a run</title>")
    hostile = {"status": "failed", "reason": HOSTILE, "host": HOSTILE}
    change(folders[3] / "run.json", hostile)
    (folders[4] / "run.json").write_text('{"status": ')
    sweep = make_sweep(root / "architectures" / "0123", GOALS)
    for number in range(8):
        write_toy_trial(sweep, number)
    return root


def change(path, fields):
    path.write_text(json.dumps(parsed(path.read_bytes()) | fields))


def make_sweep(folder, goals):
    (folder / "trials").mkdir(parents=True)
    (folder / "sweep.json").write_text(json.dumps({"goals": goals}))
    return folder


def write_toy_trial(sweep, number):
    transforms = 2 + number % 2
    gain = transforms + NOISE[number]
    point = {
        "inference.flow.transforms": transforms,
        "inference.flow.kind": ("maf", "nsf")[number // 2 % 2],
    }
    trial = Trial(
        number,
        point,
        state="pruned" if number == 7 else "finished",
        curve=tuple({"gain": gain * i / 3} for i in range(1, 4)),
        objectives={"gain": gain, "cost": (5.0, 9.0, 7.0, 4.0)[number % 4]},
        seconds=10.0,
    )
    write_trial(sweep, trial)


@pytest.fixture
def page_of_two_sweeps(tmp_path):
    """The address of a page of two sweeps without a measure that trials of both have."""
    for name, goals in (("one", ["gain"]), ("two", ["rmse", "leakage"])):
        better = [{"name": goal, "better": "larger"} for goal in goals]
        sweep = make_sweep(tmp_path / "sweeps" / name / "0123", better)
        for number in range(3):
            objectives = {goal: number + len(goal) for goal in goals}
            trial = Trial(number, {"seed": number}, "finished", objectives=objectives)
            write_trial(sweep, trial)
    return collate(tmp_path).page.as_uri()


@pytest.fixture
def page_of_opposite_sweeps(tmp_path):
    """The address of a page of two sweeps that seek more and less of `score`."""
    for name, better in (("most", "larger"), ("least", "smaller")):
        goals = [{"name": "score", "better": better}]
        sweep = make_sweep(tmp_path / "sweeps" / name / "0123", goals)
        for number in range(3):
            trial = Trial(
                number, {"seed": number}, "finished", objectives={"score": number / 2}
            )
            write_trial(sweep, trial)
    return collate(tmp_path).page.as_uri()


@pytest.fixture
def page_of_attempts(tmp_path):
    """Returns the address of a page of six runs whose gain is chance, after so many attempts."""

    def collated(attempts):
        root = tmp_path / f"{attempts}"
        for number, gain in enumerate((0.3, -0.7, 0.9, 0.1, -0.4, 0.6)):
            for _ in range(attempts):
                options = Repeated(level=number % 2, seed=number)
                with read_by(), record("repeated", options, root) as recording:
                    recording.metrics({"gain": gain})
        return collate(root).page.as_uri()

    return collated


@pytest.fixture
def page_of_large_integers(tmp_path):
    """The address of a page of a sweep whose score is an integer that a browser just knows."""
    sweep = make_sweep(
        tmp_path / "sweeps" / "large" / "0123", [{"name": "score", "better": "larger"}]
    )
    for number in range(3):
        objectives = {"score": 2**53 - 2 + number}
        write_trial(
            sweep, Trial(number, {"seed": number}, "finished", objectives=objectives)
        )
    return collate(tmp_path).page.as_uri()


@pytest.fixture
def page_of_two_units(tmp_path):
    """The address of a page of two runs that have numbers of one name in two units."""
    random = np.random.default_rng(1)
    draws = random.normal(size=(50, 1))
    truth = random.uniform(0, 2, 50)
    errors = binned(truth, truth + draws[:, 0], np.linspace(0, 2, 3))
    for unit in ("kpc", "Mpc"):
        view = Predictions({"all": (truth, truth)}, {"all": errors}, ("$d$", unit))
        with read_by(), record("units", Unit(unit), tmp_path) as recording:
            recording.add(
                DrawsSection("draws.d", "Draws", ("d",), (unit,), draws),
                FigureSection("predictions.d", "Errors", view, ""),
            )
    return collate(tmp_path).page.as_uri()


@pytest.fixture(scope="session")
def page(runs):
    """The address of the page of these runs."""
    return collate(runs).page.as_uri()


@pytest.fixture
def best_entry(browser):
    """Returns what asks the page that is open which entry it calls the best."""
    asked = "document.getElementById('best-entry')?.dataset.place ?? null"
    return lambda: browser.run(asked)
