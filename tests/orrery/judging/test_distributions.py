"""Laws of what is drawn: densities hold all draws, bands and quantiles are those of the values."""

import numpy as np
import pytest
from scipy import stats

from orrery.judging.distributions import (
    ENOUGH,
    binned_quantiles,
    coverage_band,
    densities,
    outline,
    quantile_bands,
    running_quantiles,
)


def test_a_density_is_that_of_a_normal_distribution():
    draws = np.random.default_rng(1).normal(3.0, 2.0, size=(50_000, 1))
    places, heights = densities(draws)
    expected = stats.norm(3.0, 2.0).pdf(places)
    # Silverman's width flattens the peak by 1 %; the rest is the scatter of the draws
    assert abs(heights - expected).max() < 0.04 * expected.max()


def test_a_density_does_not_leak_beyond_a_bound():
    draws = np.random.default_rng(1).uniform(0.0, 1.0, size=(20_000, 1))
    places, heights = densities(draws)
    assert places.min() > 0
    assert places.max() < 1
    assert abs(heights - 1.0).max() < 0.1


@pytest.mark.parametrize("count", [20, 50, 100, 200, 400])
def test_few_draws_without_a_bound_are_not_cut_off(count):
    draws = np.random.default_rng(1).normal(size=(count, 100))
    places, _ = densities(draws)
    assert (places[0] < draws.min(axis=0)).mean() > 0.97
    assert (places[-1] > draws.max(axis=0)).mean() > 0.97


def test_a_bound_is_seen_with_two_hundred_draws():
    draws = np.abs(np.random.default_rng(1).normal(size=(200, 100)))
    places, _ = densities(draws)
    assert (places[0] > draws.min(axis=0)).mean() > 0.97


def test_densities_hold_all_draws_whatever_the_unit():
    draws = np.random.default_rng(1).normal(size=(500, 1)) * np.array([1e-9, 1.0, 1e12])
    places, heights = densities(draws)
    step = places[1] - places[0]
    assert np.allclose(heights.sum(axis=0) * step, 1.0)
    # the same draws in other units have the same density
    assert np.allclose(heights * step, (heights * step)[:, [0]])


@pytest.mark.parametrize("held", [2.0, 0.1, 1 / 3])
def test_a_parameter_that_was_held_has_a_density(held):
    places, heights = densities(np.full((10, 1), held))
    assert np.isfinite(heights).all()
    assert places.min() < held < places.max()


@pytest.mark.parametrize("draws", [np.zeros((0, 2)), np.array([[np.nan]])])
def test_what_has_no_density_is_refused(draws):
    with pytest.raises(ValueError, match="no density"):
        densities(draws)


def test_a_band_leaves_out_bins_that_all_simulations_leave_empty():
    x = np.random.default_rng(1).normal(size=(100, 3))
    x[:, 1] = np.nan
    x[:50, 2] = np.nan
    bands = quantile_bands(x)
    assert np.isnan(bands[:, 1]).all()
    np.testing.assert_allclose(bands[2, 2], np.median(x[50:, 2]))


def test_an_outline_is_that_of_a_normal_distribution():
    values = np.random.default_rng(1).normal(3.0, 2.0, 20_000)
    shape = outline(values)
    normal = stats.norm(3.0, 2.0)
    np.testing.assert_allclose(
        normal.cdf(shape.levels), (0.005, 0.16, 0.5, 0.84, 0.995), atol=0.01
    )
    assert shape.density.max() == 1.0
    expected = normal.pdf(shape.places) / normal.pdf(3.0)
    np.testing.assert_allclose(shape.density, expected, atol=0.05)
    assert not len(outline(np.full(5, 2.0)).places)


def test_an_outline_with_heavy_tails_is_as_narrow_as_most_of_its_values():
    values = np.random.default_rng(1).normal(size=1000)
    values[:4] *= 300.0
    shape = outline(values)
    normal = stats.norm(0.0, 1.0)
    expected = normal.pdf(shape.places) / normal.pdf(0.0)
    np.testing.assert_allclose(shape.density, expected, atol=0.12)


def test_quantiles_in_bins_are_those_of_their_values():
    truth = np.repeat([0.5, 1.5, 2.5], (ENOUGH, ENOUGH - 1, 200))
    predicted = truth + np.random.default_rng(1).normal(size=len(truth))
    middles, *levels = binned_quantiles(truth, predicted, np.arange(4.0))
    assert middles.tolist() == [0.5, 2.5]  # the second has too few
    expected = np.quantile(predicted[truth == 2.5], (0.16, 0.5, 0.84))
    assert np.array(levels)[:, 1].tolist() == expected.tolist()
    assert binned_quantiles(truth, predicted, np.array([9.0, 10.0])).shape == (4, 0)


def test_running_quantiles_have_equally_full_bins():
    x = np.random.default_rng(1).permutation(101.0 * np.ones(101)).cumsum()
    middle, low, median, high = running_quantiles(x, 2 * x, bins=5)
    np.testing.assert_allclose(median, 2 * middle)
    assert (low < median).all()
    assert (median < high).all()
    assert running_quantiles(x[:3], x[:3], bins=5).shape == (4, 3)


def test_the_band_around_coverage_holds_a_calibrated_posterior():
    level, low, high = coverage_band(500, (0.025, 0.975))
    inside = np.random.default_rng(1).random((2000, 500))
    held = (inside[:, :, None] < level[[20, 50, 80]]).mean(axis=1)
    within = (held >= low[[20, 50, 80]]) & (held <= high[[20, 50, 80]])
    assert within.mean(axis=0) == pytest.approx(0.95, abs=0.02)
