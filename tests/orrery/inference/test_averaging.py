"""What a survey is expected to infer: the average posterior of its realisations."""

from types import SimpleNamespace

import numpy as np
import pytest

from orrery.inference import posteriors
from orrery.inference.averaging import average_posterior
from orrery.inference.options import Inference
from orrery.records import Observation

PERCENTILES = (16, 50, 84)


def gaussians(centres, covariance, number=4000):
    random = np.random.default_rng(5)
    draws = random.multivariate_normal(np.zeros(2), covariance, (number, len(centres)))
    return draws + centres


def test_the_average_is_as_wide_as_one_posterior_and_keeps_its_correlation():
    centres = np.random.default_rng(4).normal([1.0, -7.0], 3.0, size=(50, 2))
    covariance = np.array([[1.0, -0.8], [-0.8, 4.0]])
    average = average_posterior(gaussians(centres, covariance), 20_000, seed=1)
    assert average.mean(0) == pytest.approx(centres.mean(0), abs=0.05)
    assert average.std(0) == pytest.approx([1.0, 2.0], rel=0.02)
    assert np.corrcoef(average.T)[0, 1] == pytest.approx(-0.4, abs=0.02)


def test_medians_and_widths_are_the_mean_ones_within_the_bounds():
    random = np.random.default_rng(6)
    draws = random.beta([0.6, 5.0, 30.0], [3.0, 5.0, 2.0], size=(3000, 3))[..., None]
    average = average_posterior(draws, 9000, seed=1)
    mean = np.percentile(draws, PERCENTILES, axis=0).mean(axis=1)
    assert np.percentile(average, PERCENTILES, axis=0) == pytest.approx(mean, abs=1e-3)
    assert draws.min() <= average.min() < average.max() <= draws.max()


def test_one_posterior_is_its_own_average():
    draws = gaussians(np.zeros((1, 2)), np.eye(2), number=300)
    average = average_posterior(draws, 300, seed=9)
    assert np.array_equal(np.sort(average, axis=0), np.sort(draws[:, 0], axis=0))


def test_more_draws_than_there_are_are_refused():
    with pytest.raises(ValueError, match="7 draws of 2 posteriors with 3 draws each"):
        average_posterior(np.zeros((3, 2, 1)), 7, seed=1)


class ScaleOfNormals:
    """The exact posterior of a standard deviation, 1/sigma a priori, from normal data."""

    def sample_each(self, x, count, seed):
        entries = x.shape[1]
        random = np.random.default_rng(seed)
        chi2 = random.chisquare(entries, size=(count, len(x)))
        return np.sqrt((x**2).sum(1) / chi2)[..., None]

    def draws(self, observation, count, seed):
        return self.sample_each(observation.value[None], count, seed)[:, 0]


def test_a_scatter_that_expected_data_do_not_have_is_inferred_from_realisations():
    entries, truth = 30, 2.5
    simulated = np.random.default_rng(8).normal(0.0, truth, size=(200, entries))
    mock = Observation(
        "mock", tuple(f"v_{i}" for i in range(entries)), ("km / s",) * entries,
        simulated.mean(0), np.diag(np.full(entries, 1e-12)), "d", {}, simulated=simulated,
    )  # fmt: skip
    options = Inference(draws=4000)
    found = posteriors._draws(ScaleOfNormals(), mock, options, seed=1)
    assert found.shape == (4000, 1)
    assert np.median(found) == pytest.approx(truth, rel=0.03)
    assert found.std() == pytest.approx(truth / np.sqrt(2 * entries), rel=0.15)
    expected = SimpleNamespace(value=mock.value, simulated=None)
    low = posteriors._draws(ScaleOfNormals(), expected, options, seed=1)
    assert np.median(low) < truth / 5
