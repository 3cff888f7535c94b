"""Slopes of truths on posterior means: one of right posteriors, whatever their widths."""

import numpy as np
import pytest

from orrery.judging.slopes import calibration_slopes
from orrery.judging.verdicts import astray

P = 2


def posterior(tests, seed, share=1.0, width=1.0, noise=0.0, count=40):
    """Truths, and draws of posteriors of them: the right ones, unless something is changed.

    Arguments:
        share: How far means follow the data, in units of the right ones'.
        width: In units of the right one.
        noise: Standard deviation of what is added to means for no reason.
    """
    random = np.random.default_rng(seed)
    truth = random.normal(size=(tests, P))
    mean = 0.5 * (truth + random.normal(size=truth.shape))
    mean = 3.0 + share * mean + noise * random.normal(size=truth.shape)
    scatter = 0.5**0.5 * random.normal(size=(count, tests, P))
    return mean + width * scatter, truth + 3.0


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0, 1.25])
@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_the_slope_is_by_how_much_more_truths_follow_the_data(share, width):
    found = calibration_slopes(*posterior(20_000, 1, share, width))
    np.testing.assert_allclose(found.slope, 1 / share, atol=0.05 / share)
    assert np.all(np.abs(found.slope - 1 / share) < 4 * found.error)
    assert np.all(found.pvalue > 0.01) == (share == 1.0)


@pytest.mark.parametrize("share", [0.7, 1.5])
@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_the_displacement_is_of_posteriors_one_standard_deviation_of_means_away(
    share, width
):
    found = calibration_slopes(*posterior(20_000, 4, share, width))
    # right means scatter by as much as truths about them
    np.testing.assert_allclose(found.displacement, 1 - share, atol=0.03)
    assert found.notable.all()


def test_slopes_that_displace_posteriors_by_little_are_not_notable():
    random = np.random.default_rng(10)
    error = 0.05  # of data, in units of the prior's width
    truth = random.normal(size=(20_000, P))
    data = truth + error * random.normal(size=truth.shape)
    scatter = error * random.normal(size=(40, *truth.shape))
    # right means are data over 1 + error^2
    found = calibration_slopes(0.996 / (1 + error**2) * data + scatter, truth)
    assert (found.pvalue < 1e-6).all()
    assert not found.notable.any()
    assert not astray(found, level=0.05).any()
    wrong = calibration_slopes(0.98 * data + scatter, truth)
    assert astray(wrong, level=0.01).all()


def test_means_that_follow_noise_have_a_slope_below_one():
    found = calibration_slopes(*posterior(20_000, 2, noise=0.5))
    # the right means have a variance of 0.5, to which the noise adds 0.25
    np.testing.assert_allclose(found.slope, 0.5 / 0.75, atol=0.03)
    assert found.pvalue.max() < 1e-6


@pytest.mark.parametrize("count", [2, 3, 10])
def test_the_scatter_of_few_draws_makes_no_slope_smaller(count):
    found = calibration_slopes(*posterior(40_000, 3, count=count))
    assert np.all(np.abs(found.z) < 3.5)
    np.testing.assert_allclose(found.slope, 1.0, atol=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("tests", [20, 100, 1000])
def test_right_posteriors_are_rejected_as_often_as_promised(tests):
    pvalues = [
        calibration_slopes(*posterior(tests, seed)).pvalue for seed in range(1500)
    ]
    # of few tests it is on the safe side
    assert (0.03 if tests > 20 else 0.01) < np.mean(np.array(pvalues) < 0.05) < 0.07
    assert (0.003 if tests > 20 else 0.0) < np.mean(np.array(pvalues) < 0.01) < 0.018


def test_a_posterior_that_ignores_the_data_has_no_slope_to_be_rejected_for():
    random = np.random.default_rng(5)
    found = [
        calibration_slopes(
            random.normal(size=(50, 200, 1)), random.normal(size=(200, 1))
        ).pvalue
        for _ in range(200)
    ]
    assert np.mean(np.array(found) < 0.05) < 0.1


@pytest.mark.parametrize("number", [0.0, 2.0, 0.1, -1.1e11])
def test_where_nothing_varies_there_is_no_slope_and_no_rejection(number):
    draws, truth = posterior(50, 6)
    truth[:, 1] = draws[..., 1] = number
    found = calibration_slopes(draws, truth)
    assert np.isfinite(found.slope[0])
    assert np.isnan(found.slope[1])
    assert found.pvalue[1] == 1.0


@pytest.mark.parametrize(("count", "tests"), [(1, 50), (9, 1)])
def test_one_draw_and_one_test_say_nothing(count, tests):
    found = calibration_slopes(*posterior(tests, 7, count=count))
    assert np.isnan(found.slope).all()
    assert (found.pvalue == 1.0).all()


def test_units_do_not_matter():
    draws, truth = posterior(300, 8, share=0.8)
    found = calibration_slopes(draws, truth)
    other = calibration_slopes(1e11 * draws + 5e11, 1e11 * truth + 5e11)
    np.testing.assert_allclose(found.slope, other.slope, rtol=1e-6)
    np.testing.assert_allclose(found.pvalue, other.pvalue, rtol=1e-5)


@pytest.mark.parametrize("count", [2, 5, 100])
def test_a_posterior_that_follows_the_data_less_can_be_asked_for(count):
    draws, truth = posterior(20_000, 9, count=count)
    right = calibration_slopes(draws, truth)
    slow = calibration_slopes(draws, truth, share=0.7)
    np.testing.assert_allclose(slow.slope, right.slope / 0.7)
    assert slow.notable.all()


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0, 1.5])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_error_is_by_how_much_slopes_scatter(share, noise):
    found = [
        calibration_slopes(*posterior(300, seed, share, noise=noise, count=8))
        for seed in range(300)
    ]
    scatter = np.std([one.slope for one in found], axis=0)
    usual = np.mean([one.error for one in found], axis=0)
    np.testing.assert_allclose(usual, scatter, rtol=0.15)


def test_the_order_of_draws_decides_nothing():
    draws, truth = posterior(300, 10, count=10)
    found = calibration_slopes(draws, truth)
    other = calibration_slopes(np.sort(draws, axis=0), truth)
    np.testing.assert_allclose(found.slope, other.slope, rtol=1e-9)
    np.testing.assert_allclose(found.pvalue, other.pvalue, rtol=1e-6)


@pytest.mark.parametrize("tests", [2, 3, 20, 99])
def test_few_tests_reject_nothing(tests):
    found = calibration_slopes(*posterior(tests, 11, share=0.3))
    assert not astray(found, level=0.99).any()


@pytest.mark.slow
@pytest.mark.parametrize("tests", [100, 400])
def test_right_posteriors_between_bounds_are_hardly_ever_rejected(tests):
    rejected = []
    for seed in range(600):
        random = np.random.default_rng(seed)
        chance = random.random((tests, 6))
        seen = random.binomial(3, chance)
        draws = random.beta(1 + seen, 4 - seen, size=(40, tests, 6))
        rejected.append(astray(calibration_slopes(draws, chance), level=0.01).any())
    assert np.mean(rejected) < 0.025
