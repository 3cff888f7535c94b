"""What is refused before anything is trained, and what a report of an inference says."""

import dataclasses
import json
from dataclasses import replace

import numpy as np
import pytest

from orrery.inference import posteriors
from orrery.inference.posteriors import Inference
from orrery.learning.flow import Flow
from orrery.learning.training import Training
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter
from orrery.records import Observation
from orrery.results import reports

A = (Parameter("a", "kpc", "$a$"),)
COVARIANCE = 0.25 * np.eye(2)


def splits(count, informative=True):
    random = np.random.default_rng(1)

    def pairs(size):
        theta = random.normal(size=(size, 1))
        other = theta if informative else random.normal(size=(size, 1))
        return Pairs(theta, np.hstack([other, -other]))

    sizes = (8 * count // 10, count // 10, count // 10)
    parts = map(pairs, sizes)
    return Splits(*parts, ("a",), ("u", "v"), ("kpc",) * 2, "binning", "halos", 0)


def observation(u=0.5, v=-0.4):
    value = np.array([u, v])
    return Observation(
        "stars", ("u", "v"), ("kpc",) * 2, value, COVARIANCE, "binning", {}
    )


OPTIONS = Inference(
    flow=Flow(transforms=2, hidden=(16,)),
    training=Training(workers=0, max_epochs=10, batch_size=128, learning_rate=5e-3),
    draws=500,
    calibration_draws=200,
)


@dataclasses.dataclass(frozen=True)
class Choices:
    seed: int = 1


def infer(folder, pairs, seen, options=OPTIONS):
    with reports.open_run("toy", Choices(), folder) as report:
        found = posteriors.infer(report, "it", pairs, A, seen, options, 1)
    return found, report


def warnings(report):
    found = [part for part in report.sections if part.kind == "warning"]
    return {part.title.split(",")[0]: part.text for part in found}


@pytest.fixture(autouse=True)
def _no_dashboard(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")


@pytest.fixture(scope="module")
def plenty():
    return splits(6000)


def test_dropped_simulations_are_told_in_words_for_any_summaries(tmp_path):
    with reports.open_run("toy", Choices(), tmp_path) as report:
        posteriors._show_data(
            report, "it", replace(splits(100), dropped=3), observation(), ()
        )
    told = warnings(report)["Dropped simulations"]
    assert told == (
        "3 simulations have summaries that are not finite (an empty bin, or too few neighbours) "
        "and were left out."
    )


@pytest.mark.slow
def test_an_observation_that_the_simulator_makes_is_inferred_without_a_warning(
    tmp_path, plenty
):
    found, report = infer(tmp_path, plenty, observation())
    assert found.draws.shape == (500, 1)
    assert np.all(found.posterior.draws(observation(), 500, 1) == found.draws)
    assert found.misspecification.pvalue > 0.01
    assert found.calibration.verdict.names == ()
    assert warnings(report) == {}
    titles = [part.title for part in report.sections]
    assert titles[0] == "Prior predictive check, it"  # before the training
    numbers = json.loads((report.folder / "metrics.json").read_text())
    assert numbers["it.control_tarp_ks_pvalue"] < 0.01 < numbers["it.tarp_ks_pvalue"]
    assert numbers["it.control_sbc_smallest_ks_pvalue"] < 0.01
    assert numbers["it.misspecification_pvalue"] == found.misspecification.pvalue


def test_an_observation_that_no_simulation_makes_is_told_before_training(
    tmp_path, plenty, monkeypatch
):
    # Each entry alone is ordinary, but simulations have v = -u up to their errors.
    def stop(*arguments):
        raise RuntimeError("training begins")

    monkeypatch.setattr(posteriors.posterior, "fit", stop)
    with pytest.raises(RuntimeError, match="training begins"):
        infer(tmp_path, plenty, observation(1.6, 1.6))
    page = next(tmp_path.rglob("report.html")).read_text()
    assert "The simulator cannot make this observation" in page
    assert "Each entry alone is ordinary" in page


@pytest.mark.slow
def test_a_posterior_that_learned_nothing_and_few_tests_are_told(tmp_path):
    brief = replace(OPTIONS, training=Training(workers=0, max_epochs=1))
    _, report = infer(tmp_path, splits(250, informative=False), observation(), brief)
    told = warnings(report)
    assert "no significant gain" in told["No significant information gain"]
    assert "25 tests" in told["Calibration untested"]
    assert "use more" in told["Unchecked observation"]


def test_an_observation_of_another_binning_is_refused_before_training():
    pairs = Pairs(np.zeros((4, 1)), np.zeros((4, 1)))
    splits = Splits(pairs, pairs, pairs, ("a",), ("x",), ("",), "this", "dataset", 0)
    seen = Observation("stars", ("x",), ("",), np.zeros(1), np.eye(1), "that", {})
    with pytest.raises(ValueError, match="another binning"):
        posteriors.infer(
            None, "it", splits, (Parameter("a", "", "a"),), seen, Inference(), 1
        )


@pytest.mark.parametrize(
    "name", [field.name for field in dataclasses.fields(Inference)][2:]
)
def test_counts_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} = 0"):
        Inference(**{name: 0})


def test_several_members_are_one_posterior(tmp_path, plenty):
    found, report = infer(tmp_path, plenty, observation(), replace(OPTIONS, members=2))
    members = found.posterior.members
    assert len(members) == 2
    assert found.posterior.weights.sum() == pytest.approx(1)
    alone, _ = infer(tmp_path, plenty, observation())
    # the first member is what one alone would be
    np.testing.assert_array_equal(
        members[0].sample_each(np.zeros((1, 2)), 50, 3),
        alone.posterior.sample_each(np.zeros((1, 2)), 50, 3),
    )
    assert found.draws.shape == alone.draws.shape
    assert not warnings(report)
