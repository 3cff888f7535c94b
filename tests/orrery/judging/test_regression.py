"""Errors that were put in are found."""

import numpy as np
import pytest
from scipy import stats

from orrery.judging import regression
from orrery.parameters import generator

EDGES = np.array([10.0, 11.0, 12.0, 13.0])


def judged(count=20_000, sigma=0.2, bias=0.0, seed=1):
    random = generator(seed)
    truth = random.uniform(10, 13, count)
    return truth, truth + bias + sigma * random.normal(size=count)


def test_known_noise_and_bias_are_found():
    truth, predicted = judged(sigma=0.2, bias=0.1)
    found = regression.binned(truth, predicted, EDGES)
    assert found.counts.sum() == len(truth)
    assert (np.abs(found.rmse - np.hypot(0.2, 0.1)) < 4 * found.rmse_error).all()
    assert (np.abs(found.bias - 0.1) < 4 * found.bias_error).all()
    np.testing.assert_array_equal(found.middles, [10.5, 11.5, 12.5])


def test_standard_errors_are_the_scatter_between_repetitions():
    found = [regression.binned(*judged(900, seed=seed), EDGES) for seed in range(200)]
    for field in ("rmse", "bias"):
        scatter = np.std([getattr(one, field) for one in found], axis=0)
        claimed = np.mean([getattr(one, f"{field}_error") for one in found], axis=0)
        np.testing.assert_allclose(claimed, scatter, rtol=0.25)


def test_bins_are_those_of_the_truth_and_contain_their_lower_edge():
    truth = np.array([9.9, 10.0, 10.0, 11.0, 11.5, 12.9, 13.0])
    residual = np.array([9, 1, 3, 2, 4, 5, 9.0])
    found = regression.binned(truth, truth + residual, EDGES)
    np.testing.assert_array_equal(found.counts, [2, 2, 1])
    np.testing.assert_allclose(found.bias, [2, 3, np.nan])
    np.testing.assert_allclose(found.rmse, [np.sqrt(5), np.sqrt(10), np.nan])


def test_the_order_of_tests_does_not_matter():
    truth, predicted = judged(500)
    order = generator(3).permutation(500)
    one = regression.binned(truth, predicted, EDGES)
    other = regression.binned(truth[order], predicted[order], EDGES)
    np.testing.assert_allclose(one.rmse, other.rmse)
    like = (
        regression.log_probability(truth, predicted),
        regression.log_probability(truth[order], predicted[order]),
    )
    np.testing.assert_allclose(like[0].each[order], like[1].each)


def test_members_are_binned_as_if_alone():
    truth, one = judged(500)
    two = one + 0.3
    both = regression.binned(truth, np.stack([one, two]), EDGES)
    assert both.rmse.shape == (2, 3)
    for row, alone in enumerate((one, two)):
        np.testing.assert_allclose(
            both.rmse[row], regression.binned(truth, alone, EDGES).rmse
        )
        np.testing.assert_allclose(
            both.bias[row], regression.binned(truth, alone, EDGES).bias
        )


def test_an_ensembles_mean_scatters_less_by_the_root_of_its_members():
    members = 12 + 0.05 * generator(1).normal(size=(100, 4000))
    found = regression.member_scatter(members)
    assert found.one == pytest.approx(0.05, rel=0.02)
    assert found.mean == pytest.approx(found.one / 10)
    assert members.mean(axis=0).std() == pytest.approx(found.mean, rel=0.1)
    assert found.each.shape == (4000,)


def test_an_interval_holds_the_truth_as_often_as_it_says():
    truth, predicted = judged(40_000, sigma=0.2)
    half = len(truth) // 2
    held = []
    for answer, right in zip(predicted[half : half + 1500], truth[half:], strict=False):
        if 10.6 < answer < 12.4:
            like = regression.prediction_interval(
                answer, truth[:half], predicted[:half], 0.05
            )
            held.append(like.lower <= right <= like.upper)
    assert np.mean(held) == pytest.approx(
        0.68, abs=4 * np.sqrt(0.68 * 0.32 / len(held))
    )


def test_an_interval_follows_bias_and_skewness_of_predictions_like_it():
    random = generator(2)
    truth = random.uniform(10, 13, 40_000)
    predicted = truth - 0.3 * random.exponential(size=40_000)
    found = regression.prediction_interval(11.5, truth, predicted, 0.1)
    expected = 11.5 + 0.3 * stats.expon.ppf([0.16, 0.5, 0.84])
    np.testing.assert_allclose(
        [found.lower, found.median, found.upper], expected, atol=0.02
    )
    assert found.tests == np.sum(np.abs(predicted - 11.5) <= 0.1)


def test_the_width_of_the_window_does_not_widen_the_interval():
    truth, predicted = judged(100_000)
    widths = [
        found.upper - found.lower
        for found in (
            regression.prediction_interval(11.5, truth, predicted, w)
            for w in (0.02, 0.5)
        )
    ]
    assert widths[0] == pytest.approx(widths[1], rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("level", "tests"), [(0.68, 50), (0.95, 400)])
def test_ends_of_an_interval_scatter_by_their_errors(level, tests):
    random = generator(7)
    predicted = np.full(tests, 12.0)
    found = [
        regression.prediction_interval(
            12.0, random.normal(12.0, 0.1, tests), predicted, 0.1, level, fewest=tests
        )
        for _ in range(1000)
    ]
    for ends in ([one.lower for one in found], [one.upper for one in found]):
        errors = np.mean([one.end_error for one in found])
        assert np.std(ends) == pytest.approx(errors, rel=0.1)


def test_an_interval_without_tests_like_it_is_refused():
    truth, predicted = judged(1000)
    with pytest.raises(
        ValueError, match=r"only \d+ tests are predicted within 0\.001 of 11\.5"
    ):
        regression.prediction_interval(11.5, truth, predicted, 0.001)
    with pytest.raises(ValueError, match="beyond what was simulated"):
        regression.prediction_interval(14.0, truth, predicted, 1.3, fewest=10)
    with pytest.raises(ValueError, match="level = 68"):
        regression.prediction_interval(11.5, truth, predicted, 1.0, level=68)


def test_the_log_probability_is_that_of_the_noise():
    truth, predicted = judged(20_000, sigma=0.2, bias=0.1)
    found = regression.log_probability(truth, predicted)
    inner = np.abs(predicted - 11.5) < 1
    exact = stats.norm.logpdf(truth, predicted - 0.1, 0.2)
    # estimated moments cost about one nat for each test among which they are estimated
    assert 0 < np.mean((exact - found.each)[inner]) < 3 / 200
    assert found.mean == pytest.approx(found.each.mean())
    assert found.standard_error == pytest.approx(
        found.each.std() / np.sqrt(20_000), rel=1e-3
    )


def test_the_log_probability_is_a_brute_force_loops():
    truth, predicted = judged(60)
    found = regression.log_probability(truth, predicted, like=10)
    order = np.argsort(predicted)
    residual = (truth - predicted)[order]
    for rank in range(60):
        start = min(max(rank - 5, 0), 49)
        others = [i for i in range(start, start + 11) if i != rank]
        expected = stats.norm.logpdf(
            residual[rank], residual[others].mean(), residual[others].std(ddof=1)
        )
        assert found.each[order[rank]] == pytest.approx(expected, rel=1e-8)


def test_no_test_tells_its_own_error():
    truth, predicted = judged(2000)
    truth[7] += (
        100  # far beyond the others: with itself among them it would seem likely
    )
    assert regression.log_probability(truth, predicted).each[7] < -1e4


def test_scatter_that_changes_is_followed():
    random = generator(5)
    truth = random.uniform(10, 13, 20_000)
    sigma = 0.05 + 0.2 * (truth - 10)
    predicted = truth + sigma * random.normal(size=20_000)
    varying = regression.log_probability(truth, predicted, like=200).mean
    assert (
        varying > regression.log_probability(truth, predicted, like=19_999).mean + 0.1
    )


@pytest.mark.slow
def test_twice_the_variance_is_found_within_its_error():
    truth, one = judged(5000, sigma=0.2)
    _, other = judged(5000, sigma=0.2)
    shifted = 3 + truth + np.sqrt(2) * (other - truth)
    found = regression.variance_ratio(truth, shifted, other, seed=0)
    assert found.ratio == pytest.approx(2)
    assert found.error < 1e-9
    independent = truth + np.sqrt(2) * 0.2 * generator(8).normal(size=5000)
    apart = regression.variance_ratio(truth, independent, one, seed=0)
    assert abs(apart.ratio - 2) < 4 * apart.error
    # of two independent sample variances of normal errors
    assert apart.error == pytest.approx(2 * np.sqrt(4 / 5000), rel=0.15)
    assert apart == regression.variance_ratio(truth, independent, one, seed=0)


def test_what_makes_no_sense_is_refused():
    truth, predicted = judged(100)
    with pytest.raises(ValueError, match=r"\(100,\) and predictions of shape \(99,\)"):
        regression.binned(truth, predicted[1:], EDGES)
    with pytest.raises(ValueError, match="must be finite"):
        regression.binned(truth, predicted * np.nan, EDGES)
    with pytest.raises(ValueError, match="must ascend"):
        regression.binned(truth, predicted, EDGES[::-1])
    with pytest.raises(ValueError, match="like=100 must be"):
        regression.log_probability(truth, predicted, like=100)
    with pytest.raises(ValueError, match="two or more members"):
        regression.member_scatter(predicted[np.newaxis])
    with pytest.raises(ValueError, match="no scatter"):
        regression.variance_ratio(truth, predicted, truth + 1, seed=0)
