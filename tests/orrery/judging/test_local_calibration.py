"""A posterior that is wrong at one observation alone is told from one that is right there."""

import numpy as np
import pytest

from orrery.judging.diagnostics import sbc_ranks
from orrery.judging.local_calibration import local_calibration, nearest_simulations

NOISE = 0.5
SHRUNK = 1 / (1 + NOISE**2)  # how much of the data the posterior's mean follows


def simulated(random, count):
    theta = random.normal(size=(count, 1))
    return theta, theta + NOISE * random.normal(size=(count, 1))


def drawn(random, x, count, width=1.0):
    """Returns draws `[count, N, 1]` of the posterior, `width` times as wide."""
    spread = width * np.sqrt(SHRUNK) * NOISE
    return SHRUNK * x + spread * random.normal(size=(count, len(x), 1))


def judged(width, observed, seed=1, count=3000, trials=19):
    """Returns the judgement of posteriors of a width that may depend on the data."""
    random = np.random.default_rng(seed)
    theta, x = simulated(random, count)
    at = np.array([[observed]])
    return local_calibration(
        theta,
        x,
        drawn(random, x, 20, width(x)),
        drawn(random, at, 500, width(at))[:, 0],
        at[0],
        width=0.5,
        seed=seed,
        trials=trials,
    )


@pytest.mark.slow
def test_a_right_posterior_passes_and_its_control_fails():
    found = judged(np.ones_like, observed=0.8, count=1500)
    assert found.pvalue > 0.05
    assert found.control_pvalue == 1 / 20


@pytest.mark.slow
def test_a_posterior_that_is_too_narrow_on_one_side_fails_most_there():
    def width(x):
        return np.where(x > 0, 0.5, 1.0)

    there = judged(width, observed=1.2)
    elsewhere = judged(width, observed=-1.2, trials=1)  # its null is not looked at
    assert there.pvalue == 1 / 20
    # what a classifier learned of one side is not quite nought on the other
    assert there.statistic > 4 * elsewhere.statistic


@pytest.mark.slow
def test_the_same_seed_gives_the_same_answer():
    one, other, third = (
        judged(np.ones_like, 0.8, seed, count=300, trials=3) for seed in (1, 1, 2)
    )
    assert one.statistic == other.statistic
    assert np.array_equal(one.null, other.null)
    assert not np.array_equal(one.null, third.null)


def test_draws_of_one_number_are_of_one_member_and_each_simulation_lends_another(
    monkeypatch,
):
    lent = []

    def stop(theta, x, drawn, *_):
        lent.append(drawn[:, 0])
        raise StopIteration

    monkeypatch.setattr("orrery.judging.local_calibration._judge", stop)
    draws = np.arange(20.0)[:, np.newaxis, np.newaxis] * np.ones((20, 400, 1))
    zeros = np.zeros((400, 1))
    with pytest.raises(StopIteration):
        local_calibration(zeros, zeros, draws, zeros, zeros[0], 0.5, seed=1)
    assert np.unique(lent[0]).tolist() == [*range(20)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((4, 2))}, r"x is of shape \(4,\)"),
        ({"draws": np.zeros((9, 5, 2))}, "draws is of shape"),
        ({"here": np.zeros((9, 2))}, "here is of shape"),
        ({"observation": np.zeros(3)}, "observation is of shape"),
        ({"theta": np.full((5, 1), np.nan)}, "theta has numbers that are not finite"),
    ],
)
def test_what_does_not_belong_together_is_refused(change, message):
    arrays = {
        "theta": np.zeros((5, 1)),
        "x": np.zeros((5, 2)),
        "draws": np.zeros((9, 5, 1)),
        "here": np.zeros((9, 1)),
        "observation": np.zeros(2),
    }
    with pytest.raises(ValueError, match=message):
        local_calibration(**(arrays | change), width=0.5, seed=1)


def test_the_nearest_simulations_are_those_of_the_smallest_mahalanobis_distance():
    random = np.random.default_rng(2)
    mixed = np.array([[1.0, 0.0, 0.0], [3.0, 0.1, 0.0], [0.0, 0.0, 1e4]])
    x = random.normal(size=(300, 3)) @ mixed.T
    observation = np.array([1.0, 2.9, 2e3])
    found = nearest_simulations(x, observation, 300)
    difference = x - observation
    inverse = np.linalg.inv(np.cov(x, rowvar=False))
    distance = np.sqrt(np.sum(difference @ inverse * difference, axis=1))
    assert found.tolist() == np.argsort(distance).tolist()
    assert nearest_simulations(x, observation, 7).tolist() == found[:7].tolist()


def test_an_entry_that_never_varies_does_not_decide_which_are_near():
    random = np.random.default_rng(3)
    x = np.column_stack([random.normal(size=50), np.full(50, 0.1)])
    found = nearest_simulations(x, np.array([0.4, 0.3]), 50)
    assert found.tolist() == np.argsort(np.abs(x[:, 0] - 0.4)).tolist()


@pytest.mark.parametrize(
    ("x", "observation", "count", "message"),
    [
        (np.zeros((5, 2)), np.zeros(3), 2, r"shape \(3,\) .* \(5, 2\)"),
        (np.zeros((5, 2)), np.zeros(2), 6, "6 of 5 simulations"),
        (np.zeros((5, 2)), np.zeros(2), 0, "0 of 5 simulations"),
        (np.zeros((1, 2)), np.zeros(2), 1, "1 of 1 simulations"),
        (np.full((5, 2), np.nan), np.zeros(2), 2, "not finite"),
        (np.zeros((5, 2)), np.array([np.inf, 0.0]), 2, "not finite"),
    ],
)
def test_what_has_no_nearest_simulations_is_refused(x, observation, count, message):
    with pytest.raises(ValueError, match=message):
        nearest_simulations(x, observation, count)


@pytest.mark.slow
@pytest.mark.parametrize(("observed", "is_found"), [(1.5, True), (-1.5, False)])
def test_ranks_of_the_nearest_find_a_posterior_that_is_wrong_there_alone(
    observed, is_found
):
    random = np.random.default_rng(4)
    theta, x = simulated(random, 8000)
    draws = drawn(random, x, 100, np.where(x > 0, 0.8, 1.0))
    near = nearest_simulations(x, np.array([observed]), 800)
    found = sbc_ranks(draws[:, near], theta[near], seed=1)
    assert (found.band_pvalue[0] < 0.01) == is_found
