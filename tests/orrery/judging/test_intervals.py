"""Laws of central intervals: what they span, and how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from orrery.judging import intervals


@pytest.mark.parametrize(("width", "held"), [(1.0, True), (0.7, False), (1.3, False)])
def test_central_intervals_hold_what_they_promise(width, held):
    random = np.random.default_rng(6)
    mean, theta = random.normal(size=(2, 2000, 3))
    draws = mean + width * random.normal(size=(500, 2000, 3))
    table = intervals.coverage_table(draws, mean + theta)
    error = (
        np.abs(table.coverage - table.levels[:, None]) / table.standard_error[:, None]
    )
    assert table.coverage.shape == (3, 3)
    assert np.all(error[:2] < 4) == held


def test_the_summary_of_a_normal_distribution():
    draws = np.random.default_rng(7).normal(3.0, 2.0, size=(200_000, 1))
    summary = intervals.posterior_summary(draws)
    half = 2.0 * stats.norm.ppf(0.84)
    found = [summary.lower[0], summary.median[0], summary.upper[0]]
    np.testing.assert_allclose(found, [3 - half, 3, 3 + half], atol=0.03)


def test_draws_and_truths_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(10, 5, 2\)"):
        intervals.coverage_table(np.zeros((10, 5, 2)), np.zeros((4, 2)))
