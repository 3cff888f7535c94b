"""What tests of experiments share: toy size, a place to run, simulations made once."""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from toy_sizes import SIMULATIONS, STARS, words

COUNTS = {
    "simulations",
    "tests",
}  # names of numbers of which none exceeds what was made


@pytest.fixture(scope="session")
def experiments():
    """The experiments by their names."""
    folder = Path(__file__).parents[2] / "experiments"
    return {path.stem: path for path in sorted(folder.glob("*.py"))}


@pytest.fixture(scope="session")
def toy():
    """The options by which an experiment with simulated stars takes seconds."""
    return words(STARS)


@pytest.fixture(scope="session")
def toy_halos():
    """The simulations of toy size: one worker makes them, others wait."""
    from mwlmc.study.options import SimulationCampaign
    from orrery.execution import simulation

    folder = Path(os.environ["XDG_CACHE_HOME"], "toy-datasets")
    campaign = SimulationCampaign(simulations=SIMULATIONS)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return simulation.generate(
            campaign.simulator,
            SIMULATIONS,
            campaign.seed,
            folder,
            name="mwlmc",
            actors=0,
        )


@pytest.fixture(scope="session")
def toy_datasets(toy_halos):
    """Their folder, where other tests put their own beside them."""
    return toy_halos.folder.parent


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of toy size for what a test simulates for itself: of whole ones it uses half.

    What all experiments share has whole ones: processes of their own find no others.
    """
    from mwlmc.study.options import SimulationCampaign
    from orrery.execution import simulation

    usual = SimulationCampaign(simulations=SIMULATIONS).simulator
    generate = simulation.generate

    def made(simulator, *arguments, **named):
        size = {} if simulator == usual else {"shard_size": SIMULATIONS}
        return generate(simulator, *arguments, **named, **size)

    monkeypatch.setattr(simulation, "generate", made)


@pytest.fixture
def brief_forecasts(monkeypatch):
    """Forecasts that average two simulations, not as many as make their scatter small."""
    from mwlmc.study import forecast

    monkeypatch.setattr(forecast, "SIMULATIONS", 2)


@pytest.fixture(scope="module")
def place(toy_datasets, tmp_path_factory):
    """A folder whose datasets are those of all experiments, and whose reports are its own."""
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "datasets").symlink_to(toy_datasets)
    return folder


@pytest.fixture(scope="session")
def write_stars():
    """Writes a table of stars as a user has them, with other or without some columns."""
    from astropy.table import Table

    def write(path, **columns):
        random = np.random.default_rng(0)
        usual = {
            "ra_deg": random.uniform(130, 250, 400),
            "dec_deg": random.uniform(0, 60, 400),
            "distance_kpc": random.uniform(32, 98, 400),
            "vlos_kms": random.normal(0, 100, 400),
        }
        given = {k: v for k, v in (usual | columns).items() if v is not None}
        Table(given).write(path)
        return path

    return write


@dataclass(frozen=True)
class Sharp:
    """A posterior of some parameters that is too sure."""

    parameters: int

    covariance = np.zeros((1, 1))

    def sample_each(self, x, count, seed):
        random = np.random.default_rng(seed)
        return 0.8 * random.normal(size=(count, len(x), self.parameters))

    def log_prob(self, theta, x):
        return -0.5 * (theta**2).sum(axis=1)


@pytest.fixture(scope="session")
def judge_sharp():
    """Returns what calibration finds of a posterior of some parameters that is too sure."""
    # only those who ask for it load torch
    from orrery.judging import calibration
    from orrery.pairs import Pairs, Splits

    def judged(parameters, tests):
        theta = np.random.default_rng(2).normal(size=(tests, len(parameters)))
        pairs = Pairs(theta, np.zeros((tests, 1)))
        names = tuple(parameter.name for parameter in parameters)
        splits = Splits(pairs, pairs, pairs, names, ("v",), ("",), "binning", "data", 0)
        return calibration.calibrate(Sharp(len(names)), splits, seed=1, draws=60)

    return judged


# Names of the experiments whose pages the test at work has walked.
WALKED = []


@pytest.fixture(scope="session")
def raw_names(page_numbers, load_script):
    """What names stand on a page as if they were words."""
    return load_script("experiments/raw_names")


@pytest.fixture(scope="session")
def unknown_numbers(page_numbers, raw_names, load_script):
    """Returns the numbers on a run's page that its `run.json` does not hold by name.

    On the same page, wrong numbers must be noticed, or that there are none says nothing.
    Where it has words, no name of a file or a column may stand. What its figures say has to
    be in words, and the numbers in that the document's.
    """
    figure_texts = load_script("experiments/figure_texts")

    def found(folder):
        html = (folder / "report.html").read_text(encoding="utf-8")
        assert raw_names.raw_names(html) == []
        strength = page_numbers.accepted_mutations(folder)
        print(f"wrong numbers that pass, of how many, {folder}: {strength}")
        assert [accepted for accepted, _ in strength.values()] == [0, 0, 0]
        assert sum(tried for _, tried in strength.values())
        document = json.loads((folder / "run.json").read_text())
        assert _counted_too_often(document) == []
        assert sorted({*figure_texts.raw_names(html)}) == []
        assert figure_texts.unknown_numbers(html, document) == []
        WALKED.append(document["experiment"])
        return page_numbers.unknown(folder)

    return found


def _counted_too_often(document):
    """Returns what counts more simulations, or tests on them, than were made.

    A page and its `run.json` can agree on such a number: each survey of one simulation
    counted as one would be on both.
    """
    metrics = document["metrics"]
    made = metrics.get("simulations.count", float("inf"))
    counts = [
        (name, value)
        for name, value in metrics.items()
        if name.rpartition(".")[2] in COUNTS
    ]
    tables = [one for one in document["sections"] if one["kind"] == "table"]
    for table in tables:
        names = [column["name"] for column in table["columns"]]
        # rows are of different simulations
        counts += [
            (
                f"{table['key']}.{name}",
                sum(row[names.index(name)] for row in table["rows"]),
            )
            for name in COUNTS & {*names}
        ]
    return [(name, value) for name, value in counts if value > made]


@pytest.fixture(autouse=True)
def _walks_what_it_says(request):
    """Fails a test that walks other experiments' pages than its mark says.

    So `test_page_numbers.py` can tell from the marks alone that no experiment is left out.
    """
    WALKED.clear()
    yield
    mark = request.node.get_closest_marker("walks")
    assert {*WALKED} == {*(mark.args if mark else ())}
