"""Scores of ensembles and posteriors are those that linear problems must have."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

from orrery.inference import ensembles
from orrery.pairs import Pairs, Splits

MEAN, WIDTH, NOISE = 12.0, 0.5, 0.4
EDGES = np.array([11.5, 12.0, 12.5])


@pytest.mark.parametrize("count", [5, 100, 200, 201])
def test_few_tests_are_scored_too(made, count):
    score = made(count).score
    assert np.isfinite([score.rmse, score.bias, score.log_probability]).all()


def test_next_to_no_tests_are_not_scored(made):
    with pytest.raises(ValueError, match="'made' has 4 tests, its score needs 5"):
        _ = made(4).score


def test_a_score_of_an_ensemble_is_the_log_density_of_its_error(made):
    random = np.random.default_rng(8)
    truth = random.normal(MEAN, WIDTH, 20_000)
    predicted = truth + NOISE * random.normal(size=len(truth))
    score = replace(made(), truth=truth, members=predicted[None]).score
    assert score.rmse == pytest.approx(NOISE, rel=0.03)
    assert score.bias == pytest.approx(0.0, abs=0.01)
    # normal errors of normal truths: given the prediction, the truth is normal again
    variance = (WIDTH * NOISE) ** 2 / (WIDTH**2 + NOISE**2)
    expected = -0.5 * np.log(2 * np.pi * np.e * variance)
    assert score.log_probability == pytest.approx(expected, abs=0.02)


@dataclass(frozen=True)
class Normal:
    """A posterior of one parameter that is known: x is its mean, `noise` its width."""

    noise: float

    def sample_each(self, x, count, seed):
        drawn = np.random.default_rng(seed).normal(size=(count, len(x), 1))
        return x[None, :, :1] + self.noise * drawn

    def log_prob(self, theta, x):
        return stats.norm.logpdf(theta[:, 0], x[:, 0], self.noise)


def exact(count=4000, noise=0.3):
    """Returns pairs whose posterior is that normal one under a flat prior."""
    random = np.random.default_rng(5)
    theta = random.normal(12, 5, (count, 1))
    test = Pairs(theta, theta + noise * random.normal(size=(count, 1)))
    other = Pairs(theta + 100, test.x)
    return Splits(
        other, other, test, ("m",), ("x",), ("dex(solMass)",), "binning", "data", 0
    )


def test_a_posteriors_score_is_the_analytic_one():
    splits, noise = exact(), 0.3
    score = ensembles.posterior_score(Normal(noise), splits, 1, draws=400)
    # the mean of n draws has an error of its own
    assert score.rmse == pytest.approx(noise * np.sqrt(1 + 1 / 400), rel=0.03)
    assert abs(score.bias) < 0.03
    entropy = 0.5 * np.log(2 * np.pi * np.e * noise**2)
    assert score.log_probability == pytest.approx(
        -entropy, abs=4 * score.standard_error
    )
    assert score.standard_error == pytest.approx(np.sqrt(0.5 / 4000), rel=0.1)


@pytest.mark.parametrize("wrong", [0.15, 0.6])
def test_a_posterior_of_another_width_scores_worse(wrong):
    right, other = (
        ensembles.posterior_score(Normal(w), exact(), 1) for w in (0.3, wrong)
    )
    assert right.log_probability > other.log_probability + 5 * other.standard_error
    assert right.rmse == pytest.approx(other.rmse, rel=0.01)


def test_an_ensemble_and_a_posterior_are_scored_alike():
    # the same means, normal errors: the scores must agree
    splits, noise = exact(20_000), 0.3
    of_flow = ensembles.posterior_score(Normal(noise), splits, 1)
    truth, means = splits.test.theta[:, 0], splits.test.x[:, 0]
    one = ensembles.EvaluatedEnsemble("made", None, truth, means[None], EDGES, 0.3)
    assert one.score.rmse == pytest.approx(of_flow.rmse, rel=0.01)
    assert one.score.log_probability == pytest.approx(of_flow.log_probability, abs=0.03)


def test_drawn_intervals_hold_their_share():
    draws = np.random.default_rng(0).normal(12.0, 0.2, (20_000, 1))
    found = ensembles.drawn_interval(draws)
    inside = (draws > found.lower) & (draws < found.upper)
    assert inside.mean() == pytest.approx(0.68, abs=1e-3)
    assert found.prediction == found.median == np.median(draws)
    assert (draws < found.lower).mean() == pytest.approx(
        (draws > found.upper).mean(), abs=1e-3
    )
