"""Architectures as trials: judged alike, on pairs none of which are tests."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from orrery.learning.options import Learning, Training
from orrery.pairs import Pairs, Splits, pooled
from orrery.parameters import Parameter
from orrery.sweeps.architectures import EnsembleTask, FlowTask
from orrery.sweeps.options import (
    ENSEMBLE_SPACE,
    FLOW_SPACE,
    Effort,
    EnsembleArchitecture,
    FlowArchitecture,
)

MASS = Parameter("mass", "dex(solMass)", "$m$", lower=-6.0, upper=6.0)
NOISE = 0.5
QUICK = FlowArchitecture(
    transforms=1,
    width=8,
    depth=1,
    training=Training(128, learning_rate=3e-2, max_epochs=12),
)


def pairs(count, seed):
    random = np.random.default_rng(seed)
    theta = random.normal(size=(count, 1))
    return Pairs(theta, np.hstack([theta, random.normal(size=(count, 1))]))


@pytest.fixture(scope="module")
def splits():
    return Splits(
        train=pairs(1024, 1),
        validation=pairs(512, 2),
        test=pairs(512, 3),
        parameters=("mass",),
        names=("seen", "noise"),
        units=("", ""),
        definition="by hand",
        dataset="toy",
        dropped=0,
    )


@pytest.fixture(scope="module")
def of_flows(splits):
    return FlowTask(splits, (MASS,), np.eye(2) * NOISE**2, seed=4)


@pytest.fixture(scope="module")
def of_ensembles(splits):
    noisy = Pairs(
        splits.train.theta,
        splits.train.x + NOISE * np.random.default_rng(9).normal(size=(1024, 2)),
    )
    return EnsembleTask(
        Splits(**{**vars(splits), "train": noisy}), MASS, ("seen", "noise")
    )


def test_spaces_are_of_their_architectures():
    FLOW_SPACE.check(FlowArchitecture())
    ENSEMBLE_SPACE.check(EnsembleArchitecture())


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (FlowArchitecture, {"transforms": 0}),
        (FlowArchitecture, {"width": 0}),
        (FlowArchitecture, {"width": -3}),
        (FlowArchitecture, {"depth": 0}),
        (FlowArchitecture, {"training_seed": -1}),
        (EnsembleArchitecture, {"members": 0}),
        (EnsembleArchitecture, {"width": 0}),
        (EnsembleArchitecture, {"depth": -1}),
        (EnsembleArchitecture, {"training_seed": -1}),
    ],
)
def test_what_no_network_can_be_is_refused_before_anything_runs(kind, wrong):
    with pytest.raises(
        ValueError, match=r"at least one|1 member or more|give 0|negative"
    ):
        kind(**wrong)


def test_layers_of_an_ensemble_narrow_to_two():
    for depth in range(2, 7):
        for width in (4, 10, 64):
            hidden = EnsembleArchitecture(width=width, depth=depth).networks.hidden
            assert (len(hidden), hidden[0], hidden[-1]) == (depth, width, 2)
            assert list(hidden) == sorted(hidden, reverse=True)
    assert EnsembleArchitecture(width=7, depth=1).networks.hidden == (7,)


def test_no_test_is_sent(of_flows, of_ensembles, splits):
    for task in (of_flows, of_ensembles):
        assert len(pickle.loads(pickle.dumps(task)).splits.test) == 0
        assert len(task.splits.validation) == len(splits.validation)


@pytest.mark.slow
def test_a_flow_is_judged_by_its_log_probability(of_flows, splits):
    """Of a normal parameter seen with normal errors, the best there is is known."""
    seen = []
    score = of_flows(QUICK, seen.append)["log_probability"]
    assert len(seen) == 12
    assert set(seen[0]) == {"epoch", "train", "validation"}
    variance = NOISE**2 / (1 + NOISE**2)
    best = -0.5 * np.log(2 * np.pi * np.e * variance)
    prior = -0.5 * np.log(2 * np.pi * np.e)
    assert (prior + best) / 2 < score < best + 0.1
    tested = of_flows.score(QUICK, splits.test)
    assert 0.01 < tested.error < 0.1
    assert abs(tested.score - score) < 5 * tested.error
    # as many pairs on either side, of the same network
    assert tested.validation_error == pytest.approx(tested.error, rel=0.2)
    fewer = Pairs(splits.test.theta[:128], splits.test.x[:128])
    again = of_flows.score(QUICK, fewer)
    assert again.error > 1.5 * tested.error
    assert again.validation_error == tested.validation_error


@pytest.mark.slow
def test_a_score_depends_on_nothing_but_architecture_and_seed(of_flows):
    def score(options):
        return of_flows(options, lambda values: None)["log_probability"]

    first = score(QUICK)
    assert score(QUICK) == first
    other = FlowArchitecture(**{**vars(QUICK), "training_seed": 2})
    assert score(other) != first
    assert abs(score(other) - first) < 0.3


def test_an_ensemble_is_judged_by_its_error(of_ensembles, splits):
    options = EnsembleArchitecture(
        8, 2, members=3, learning=Learning(learning_rate=1e-2, max_epochs=15)
    )
    noise = NOISE * np.random.default_rng(8).normal(size=(512, 2))
    noisy = Pairs(splits.test.theta, splits.test.x + noise)
    tested = of_ensembles.score(options, noisy)
    rmse, error = tested.score, tested.error
    best = np.sqrt(NOISE**2 / (1 + NOISE**2))
    assert 0.9 * best < rmse < 1.2 * best
    # of a normal error the relative scatter of a root mean square is 1 / sqrt(2 N)
    assert error == pytest.approx(rmse / np.sqrt(2 * 512), rel=0.3)
    assert of_ensembles.unit == "dex"
    fewer = of_ensembles.score(options, Pairs(noisy.theta[:128], noisy.x[:128]))
    assert fewer.error > 1.4 * error
    # of the same network on the same pairs
    assert fewer.validation_error == tested.validation_error > 0


@pytest.mark.slow
def test_draws_of_one_simulation_do_not_make_its_score_surer(splits):
    """Four times the same pairs are as sure as once; as if each were of its own, by half."""
    several = pooled([splits] * 4)
    options = EnsembleArchitecture(8, 2, members=3, learning=Learning(max_epochs=4))
    exact = np.eye(2) * 1e-6
    for task, how in (
        (lambda pairs: FlowTask(pairs, (MASS,), exact, seed=4), QUICK),
        (lambda pairs: EnsembleTask(pairs, MASS, splits.names), options),
    ):
        found, alone = (
            task(pairs).score(how, splits.test)
            for pairs in (several, replace(several, draws=1))
        )
        assert found.score == alone.score
        assert found.validation_error == pytest.approx(
            2 * alone.validation_error, rel=0.01
        )


def test_the_identity_holds_what_is_learned(of_flows, splits):
    other = FlowTask(splits, (MASS,), np.eye(2), seed=4)
    assert other.identity != of_flows.identity
    assert of_flows.identity["dataset"] == "toy"


@pytest.mark.parametrize("wrong", [{"trials": 3}, {"concurrent": 0}, {"repeats": 1}])
def test_an_effort_that_tells_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="2 repeats or more"):
        Effort(**wrong)
