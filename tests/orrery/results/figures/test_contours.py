"""Contours hold the share of draws that they say, whatever else is on their axes."""

import numpy as np
import pytest
from matplotlib.contour import QuadContourSet
from matplotlib.path import Path

from orrery.parameters import Parameter
from orrery.results import figures
from orrery.results.figures.style import CONTOURS

TWO = tuple(Parameter(name, "km / s", name) for name in "ab")


def normal(seed, count=10_000, sigma=1.0):
    return sigma * np.random.default_rng(seed).normal(size=(count, 2))


def held(axes, number, draws):
    """Returns which share of draws is within the inner and the outer contour of one set."""
    lines = [one for one in axes.collections if isinstance(one, QuadContourSet)]
    outer, inner = [one for one in lines if not one.filled][number].get_paths()
    within = [
        np.sum([p.contains_points(draws) for p in map(Path, path.to_polygons())], 0) % 2
        for path in (inner, outer)
    ]
    return [float(one.mean()) for one in within]


def drawn(draws):
    return figures.corner({"one": draws}, TWO).axes[2]


@pytest.mark.slow
@pytest.mark.parametrize("wider", [3.0, 10.0, 30.0])
def test_contours_hold_their_shares_beside_a_wide_prior(wider):
    prior = normal(2, sigma=wider)
    axes = figures.corner({"one": normal(1)}, TWO, prior).axes[2]
    assert held(axes, 1, normal(1)) == pytest.approx(CONTOURS, abs=0.03)
    # that the axes end within the prior makes its contours no smaller
    assert held(axes, 0, prior) == pytest.approx(CONTOURS, abs=0.02)


@pytest.mark.slow
def test_contours_of_heavy_tails_and_of_several_places_hold_their_shares():
    random = np.random.default_rng(3)
    heavy = random.standard_t(1.5, size=(10_000, 2))
    apart = normal(4) + 20.0 * random.choice([-1, 1], size=(10_000, 1))
    tilted = normal(5) @ np.array([[1.0, 0.99], [0.0, 0.14]])
    for draws in (heavy, apart, tilted):
        found = held(drawn(draws), 0, draws)
        assert found == pytest.approx(CONTOURS, abs=0.05)


@pytest.mark.slow
def test_contours_of_few_draws_hold_as_many_of_others():
    fresh = normal(6)
    found = [held(drawn(normal(seed, 200)), 0, fresh) for seed in range(10)]
    assert np.mean(found, axis=0) == pytest.approx(CONTOURS, abs=0.04)


@pytest.mark.parametrize("count", [2, 50])
def test_draws_in_one_place_have_contours_around_it(count):
    axes = drawn(np.full((count, 2), 3.0))
    assert held(axes, 0, np.full((1, 2), 3.0)) == [1.0, 1.0]


def test_heights_of_marginals_are_densities_whatever_their_bins():
    figure = figures.corner({"one": normal(1)}, TWO, normal(2, sigma=8.0))
    wide, narrow = figure.axes[0].lines
    assert np.max(narrow.get_ydata()) / np.max(wide.get_ydata()) == pytest.approx(
        8.0, rel=0.1
    )
    for line in (wide, narrow):
        assert np.trapezoid(*line.get_data()[::-1]) == pytest.approx(1.0, abs=0.01)
