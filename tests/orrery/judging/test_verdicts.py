"""What a verdict rejects, and what it must not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from orrery.judging import diagnostics, verdicts
from orrery.judging.slopes import calibration_slopes

TESTS, DRAWS, P = 500, 200, 6
NOISE = 0.8  # standard deviation of x about theta, whose prior is the standard normal


# Scales and correlations like those of masses and velocities: no test may depend on
# them.
MIX = np.linalg.qr(np.random.default_rng(0).normal(size=(P, P)))[0] * np.linspace(
    0.3, 3.0, P
)


def exact(seed, tests=TESTS, draws=DRAWS, width=1.0):
    """Draws [M, N, P] of a posterior `width` times as wide as it should be, and truths [N, P]."""
    random = np.random.default_rng(seed)
    theta = random.normal(size=(tests, P))
    x = theta + NOISE * random.normal(size=theta.shape)
    scatter = random.normal(size=(draws, tests, P))
    return (mean(x) + width * np.sqrt(variance()) * scatter) @ MIX, theta @ MIX


def mean(x):
    return x / (1 + NOISE**2)


def variance():
    return NOISE**2 / (1 + NOISE**2)


def rejected_by(width, repeats, tests=TESTS, draws=DRAWS, simulations=2000):
    """Which of TARP, SBC and SBC's band reject at 5 %, with shape `[repeats, 3]`."""
    every = []
    for seed in range(repeats):
        drawn, theta = exact(seed, tests, draws, width)
        coverage = diagnostics.tarp(drawn, theta, seed)
        ranks = diagnostics.sbc_ranks(drawn, theta, seed, simulations=simulations)
        found = verdicts.rejections(coverage, ranks)
        every.append((found.tarp, found.ranks, found.band))
    return np.array(every)


@pytest.mark.slow
def test_the_right_posterior_is_rejected_as_rarely_as_promised():
    # three quarters of the time went into what decides the band
    rejected = rejected_by(1.0, repeats=300, tests=200, draws=100, simulations=500)
    for count in rejected.sum(axis=0):
        assert stats.binomtest(int(count), len(rejected), 0.05).pvalue > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("width", [0.7, 1.3])
def test_a_wrong_width_is_rejected_by_every_test(width):
    assert np.all(rejected_by(width, repeats=20).mean(axis=0) >= 0.9)


def gains(log_density, repeats=200):
    """Whether each of many posteriors of 500 tests is rejected for saying nothing."""
    rejected = []
    for seed in range(repeats):
        random = np.random.default_rng(seed)
        theta = random.normal(size=(TESTS, P))
        x = theta + NOISE * random.normal(size=theta.shape)
        reference = stats.norm.logpdf(theta).sum(axis=1)
        judged = verdicts.expected_log_probability(
            log_density(theta, x, random), reference
        )
        rejected.append(not judged.informative)
    return np.mean(rejected)


def prior_found_by_a_flow(theta, x, random):
    # Each test's data move it a little, as a flow's do that learned nothing but noise.
    return stats.norm.logpdf(theta, 0.1 * random.normal(size=theta.shape)).sum(axis=1)


def right(theta, x, random):
    return stats.norm.logpdf(theta, mean(x), np.sqrt(variance())).sum(axis=1)


@pytest.mark.slow
def test_a_posterior_that_equals_the_prior_is_rejected_and_the_right_one_is_not():
    assert gains(prior_found_by_a_flow) >= 0.9
    assert gains(lambda theta, x, random: stats.norm.logpdf(theta).sum(axis=1)) == 1
    assert gains(right) == 0


def few(count, seed, learned):
    """The gain by a few tests: of the right posterior, or of a flow that learned noise."""
    random = np.random.default_rng(seed)
    theta = random.normal(size=(count, P))
    x = theta + NOISE * random.normal(size=theta.shape)
    density = right if learned else prior_found_by_a_flow
    reference = stats.norm.logpdf(theta).sum(axis=1)
    return verdicts.expected_log_probability(density(theta, x, random), reference)


@pytest.mark.parametrize("count", [2, 3, 5, 10, 50, 99])
def test_few_tests_reject_no_right_posterior_and_pass_none_that_learned_nothing(count):
    found = [few(count, seed, learned=True) for seed in range(200)]
    assert sum(one.uninformative for one in found) <= 2
    nothing = [few(count, seed, learned=False) for seed in range(200)]
    assert sum(one.informative for one in nothing) <= 2


def test_a_gain_that_is_surely_none_is_told_by_any_number_of_tests():
    log_prob = np.random.default_rng(3).normal(size=4)
    assert verdicts.expected_log_probability(log_prob, log_prob).uninformative
    lost = verdicts.expected_log_probability(log_prob - 1.0, log_prob)
    assert lost.uninformative
    assert not lost.informative


def test_a_verdict_names_the_tests_that_reject():
    draws, theta = exact(1, width=0.5)
    judged = diagnostics.tarp(draws, theta, 1), diagnostics.sbc_ranks(draws, theta, 1)
    nothing = verdicts.expected_log_probability(np.zeros(9), np.zeros(9))
    assert verdicts.rejections(*judged, nothing).names == (
        "TARP",
        "SBC",
        "SBC's band",
        "gain",
    )
    assert verdicts.rejections(*judged).names == ("TARP", "SBC", "SBC's band")
    random = np.random.default_rng(2)
    follows = calibration_slopes(draws + 0.5 * random.normal(size=theta.shape), theta)
    found = verdicts.rejections(*judged, slopes=follows)
    assert found.names == ("TARP", "SBC", "SBC's band", "slopes")
    with pytest.raises(ValueError, match=r"level = 1\.5"):
        verdicts.rejections(*judged, level=1.5)


def test_one_small_pvalue_among_six_is_no_rejection():
    # 0.009 for one of six parameters happens to one right posterior in twenty.
    pvalues = np.array([0.31, 0.009, 0.5, 0.7, 0.2, 0.04])
    corrected = verdicts.holm(pvalues)
    np.testing.assert_allclose(corrected, [0.93, 0.054, 1.0, 1.0, 0.8, 0.2])


@pytest.mark.slow
@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=12))
def test_correction_keeps_the_order_and_no_more_than_k_times(values):
    pvalues = np.array(values)
    corrected = verdicts.holm(pvalues)
    assert np.all(
        (pvalues <= corrected) & (corrected <= np.minimum(1, len(pvalues) * pvalues))
    )
    assert np.all(np.diff(corrected[np.argsort(pvalues)]) >= 0)
    assert corrected.min() == pytest.approx(min(1, len(pvalues) * pvalues.min()))


def test_the_prior_covers_perfectly_and_gains_nothing():
    random = np.random.default_rng(4)
    theta = random.normal(size=(TESTS, P))
    prior = random.normal(size=(DRAWS, TESTS, P))
    assert diagnostics.tarp(prior, theta, seed=0).ks_pvalue > 0.05
    log_prob = stats.norm.logpdf(theta).sum(axis=1)
    judged = verdicts.expected_log_probability(log_prob, log_prob)
    assert judged.gain == 0


def test_the_gain_is_the_information_in_the_data():
    random = np.random.default_rng(5)
    theta = random.normal(size=(20000, P))
    x = theta + NOISE * random.normal(size=theta.shape)
    log_prob = stats.norm.logpdf(theta, mean(x), np.sqrt(variance())).sum(axis=1)
    reference = stats.norm.logpdf(theta).sum(axis=1)
    judged = verdicts.expected_log_probability(log_prob, reference)
    information = -0.5 * P * np.log(variance())
    assert abs(judged.gain - information) < 4 * judged.gain_standard_error < 0.1
    assert judged.gain == pytest.approx(judged.mean - judged.reference)


def test_log_probabilities_of_other_tests_are_refused():
    with pytest.raises(ValueError, match=r"\(3,\) and \(4,\)"):
        verdicts.expected_log_probability(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="1 tests have no scatter"):
        verdicts.expected_log_probability(np.zeros(1), np.zeros(1))


@pytest.mark.parametrize("number", [np.nan, -np.inf, np.inf])
def test_log_probabilities_that_are_not_finite_are_refused_with_whose_they_are(number):
    finite, other = np.zeros(3), np.array([0.0, number, 0.0])
    with pytest.raises(ValueError, match="1 of 3 log-densities of truths are not"):
        verdicts.expected_log_probability(other, finite)
    with pytest.raises(ValueError, match="truths without their data are not finite"):
        verdicts.expected_log_probability(finite, other)
