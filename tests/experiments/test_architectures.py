"""Architectures at toy size: trials are kept, and an experiment that is repeated reads them."""

import json

import pytest
from astropy.table import Table

from orrery.sweeps.trial import read_trials

EFFORT = ("--trials", "5", "--repeats", "2", "--concurrent", "1")
FLOWS = (*("--simulations", "32", "--max-epochs", "2"), *EFFORT)
ENSEMBLES = (
    *("--question", "halomass", "--hosts", "400", "--members", "2"),
    *("--max-epochs", "3", *EFFORT),
)

pytestmark = pytest.mark.slow


def trials(place, name):
    """Returns the trials of a sweep by their numbers."""
    (folder,) = (place / "runs" / "sweeps" / name).iterdir()
    return read_trials(folder)


@pytest.mark.parametrize(
    ("options", "name", "goal"),
    [(FLOWS, "mwlmc", "log_probability"), (ENSEMBLES, "halomass", "rmse")],
)
@pytest.mark.walks("architectures")
def test_architectures_are_compared_and_the_best_is_tested(
    options, name, goal, experiments, place, run, page, metrics, unknown_numbers
):
    result = run(experiments["architectures"], *options, place=place, sketched=True)
    folder = page(result).parent
    found = trials(place, f"{name}_architectures")
    assert {trial.state for trial in found} == {"finished"}
    scores = [trial.objectives[goal] for trial in found]
    numbers = metrics(folder)
    better = max if goal == "log_probability" else min
    assert numbers["architectures.validation"] == better(scores)
    assert numbers["architectures.optimism"] != 0
    assert len(trials(place, f"{name}_seeds")) == 2
    table = Table.read(folder / "architectures.trials.ecsv")
    assert list(table[goal]) == scores
    options = Table.read(folder / "architectures.options.ecsv")
    assert set(options["option"]) == set(found[0].point)
    assert sum(options["share"]) == pytest.approx(1)
    assert unknown_numbers(folder) == []

    same = options_of(folder)
    again = run(experiments["architectures"], *same, place=place, sketched=True)
    assert metrics(page(again).parent) == numbers
    assert trials(place, f"{name}_architectures") == found  # read, not computed again
    assert "sweep" not in again.stderr


def options_of(folder):
    """Returns the command line that repeats a run."""
    document = json.loads((folder / "run.json").read_text())
    halo = document["options"]["type"] == "EnsembleArchitectures"
    question = ("--question", "halomass" if halo else "mwlmc")
    return (*question, "--options", folder / "run.json")
