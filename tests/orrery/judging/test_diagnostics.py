"""The judges are judged on a Gaussian problem whose posterior is known exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from orrery.judging import diagnostics

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


def verdicts(width, repeats):
    """Which of TARP, SBC and SBC's band reject at 5 %, with shape `[repeats, 3]`."""
    every = []
    for seed in range(repeats):
        draws, theta = exact(seed, width=width)
        coverage = diagnostics.tarp(draws, theta, seed)
        found = diagnostics.rejections(
            coverage, diagnostics.sbc_ranks(draws, theta, seed)
        )
        every.append((found.tarp, found.ranks, found.band))
    return np.array(every)


@pytest.mark.slow
def test_the_right_posterior_is_rejected_as_rarely_as_promised():
    rejected = verdicts(1.0, repeats=300)
    for count in rejected.sum(axis=0):
        assert stats.binomtest(int(count), len(rejected), 0.05).pvalue > 0.01


@pytest.mark.parametrize("width", [0.7, 1.3])
def test_a_wrong_width_is_rejected_by_every_test(width):
    assert np.all(verdicts(width, repeats=20).mean(axis=0) >= 0.9)


def gains(log_density, repeats=200):
    """Whether each of many posteriors of 500 tests is rejected for saying nothing."""
    rejected = []
    for seed in range(repeats):
        random = np.random.default_rng(seed)
        theta = random.normal(size=(TESTS, P))
        x = theta + NOISE * random.normal(size=theta.shape)
        reference = stats.norm.logpdf(theta).sum(axis=1)
        judged = diagnostics.expected_log_probability(
            log_density(theta, x, random), reference
        )
        rejected.append(not judged.informative)
    return np.mean(rejected)


def prior_found_by_a_flow(theta, x, random):
    # Each test's data move it a little, as a flow's do that learned nothing but noise.
    return stats.norm.logpdf(theta, 0.1 * random.normal(size=theta.shape)).sum(axis=1)


def right(theta, x, random):
    return stats.norm.logpdf(theta, mean(x), np.sqrt(variance())).sum(axis=1)


def test_a_posterior_that_equals_the_prior_is_rejected_and_the_right_one_is_not():
    assert gains(prior_found_by_a_flow) >= 0.9
    assert gains(lambda theta, x, random: stats.norm.logpdf(theta).sum(axis=1)) == 1
    assert gains(right) == 0


def test_a_verdict_names_the_tests_that_reject():
    draws, theta = exact(1, width=0.5)
    judged = diagnostics.tarp(draws, theta, 1), diagnostics.sbc_ranks(draws, theta, 1)
    nothing = diagnostics.expected_log_probability(np.zeros(9), np.zeros(9))
    assert diagnostics.rejections(*judged, nothing).names == (
        "TARP",
        "SBC",
        "SBC's band",
        "gain",
    )
    assert diagnostics.rejections(*judged).names == ("TARP", "SBC", "SBC's band")
    with pytest.raises(ValueError, match=r"level = 1\.5"):
        diagnostics.rejections(*judged, level=1.5)


def test_one_small_pvalue_among_six_is_no_rejection():
    # 0.009 for one of six parameters happens to one right posterior in twenty.
    pvalues = np.array([0.31, 0.009, 0.5, 0.7, 0.2, 0.04])
    corrected = diagnostics.holm(pvalues)
    np.testing.assert_allclose(corrected, [0.93, 0.054, 1.0, 1.0, 0.8, 0.2])


@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=12))
def test_correction_keeps_the_order_and_no_more_than_k_times(values):
    pvalues = np.array(values)
    corrected = diagnostics.holm(pvalues)
    assert np.all(
        (pvalues <= corrected) & (corrected <= np.minimum(1, len(pvalues) * pvalues))
    )
    assert np.all(np.diff(corrected[np.argsort(pvalues)]) >= 0)
    assert corrected.min() == pytest.approx(min(1, len(pvalues) * pvalues.min()))


def test_narrowed_draws_keep_their_medians_and_their_bounds():
    draws = np.random.default_rng(3).beta(0.5, 2.0, size=(400, 7, 2))
    narrow = diagnostics.narrowed(draws, 0.7)
    before, after = (
        diagnostics.posterior_summary(draws),
        diagnostics.posterior_summary(narrow),
    )
    np.testing.assert_allclose(after.median, before.median)
    np.testing.assert_allclose(
        after.upper - after.lower, 0.7 * (before.upper - before.lower)
    )
    assert narrow.min() >= 0
    assert narrow.max() <= 1
    with pytest.raises(ValueError, match=r"width = 1\.2"):
        diagnostics.narrowed(draws, 1.2)


def test_atc_is_positive_for_wide_and_negative_for_narrow_posteriors():
    right, wide, narrow = (
        np.mean([diagnostics.tarp(*exact(i, width=w), seed=i).atc for i in range(10)])
        for w in (1.0, 1.5, 0.6)
    )
    assert narrow < -0.01 < right < 0.01 < wide


def test_atc_is_the_integral_of_the_curve():
    curve = diagnostics.tarp(*exact(1, width=0.6), seed=0, levels=20001)
    upper = curve.levels >= 0.5
    excess = (curve.coverage - curve.levels)[upper]
    assert curve.atc == pytest.approx(
        np.trapezoid(excess, curve.levels[upper]), abs=1e-4
    )


def test_tarp_knows_no_units():
    draws, theta = exact(3)
    scale, shift = 10.0 ** np.arange(-3, 9, 2), np.linspace(-5e3, 5e3, P)
    other = diagnostics.tarp(draws * scale + shift, theta * scale + shift, seed=5)
    np.testing.assert_allclose(
        other.fractions, diagnostics.tarp(draws, theta, seed=5).fractions
    )


def test_coverage_rises_from_nought_to_one():
    curve = diagnostics.tarp(*exact(2), seed=0)
    assert (curve.coverage[0], curve.coverage[-1]) == (0.0, 1.0)
    assert np.all(np.diff(curve.coverage) >= 0)


def test_few_draws_do_not_make_the_tests_too_strict():
    # Eleven possible ranks are far from continuous, and the tests must not notice.
    curves = [
        diagnostics.tarp(*exact(i, tests=2000, draws=10), seed=i) for i in range(20)
    ]
    assert np.mean([curve.ks_pvalue < 0.05 for curve in curves]) < 0.2


def leaves(ranks):
    below, above = ranks.lower[:, None], ranks.upper[:, None]
    return np.any((ranks.difference < below) | (ranks.difference > above), axis=0)


def test_the_band_holds_95_percent_of_whole_curves():
    left = [
        leaves(diagnostics.sbc_ranks(*exact(i, 100, 99), seed=i)) for i in range(60)
    ]
    assert stats.binomtest(int(np.sum(left)), np.size(left), 0.05).pvalue > 0.01


def test_the_bands_pvalue_says_whether_the_curve_leaves_it():
    for seed in range(20):
        ranks = diagnostics.sbc_ranks(*exact(seed, 100, 99, width=0.9), seed=seed)
        np.testing.assert_array_equal(leaves(ranks), ranks.band_pvalue < 0.05)


def test_ranks_count_the_draws_below_the_truth():
    draws = np.arange(10.0).reshape(10, 1, 1)
    assert diagnostics.sbc_ranks(draws, np.array([[3.5]]), seed=0).ranks.tolist() == [
        [4]
    ]


def test_the_prior_covers_perfectly_and_gains_nothing():
    random = np.random.default_rng(4)
    theta = random.normal(size=(TESTS, P))
    prior = random.normal(size=(DRAWS, TESTS, P))
    assert diagnostics.tarp(prior, theta, seed=0).ks_pvalue > 0.05
    log_prob = stats.norm.logpdf(theta).sum(axis=1)
    judged = diagnostics.expected_log_probability(log_prob, log_prob)
    assert judged.gain == 0


def test_the_gain_is_the_information_in_the_data():
    random = np.random.default_rng(5)
    theta = random.normal(size=(20000, P))
    x = theta + NOISE * random.normal(size=theta.shape)
    log_prob = stats.norm.logpdf(theta, mean(x), np.sqrt(variance())).sum(axis=1)
    reference = stats.norm.logpdf(theta).sum(axis=1)
    judged = diagnostics.expected_log_probability(log_prob, reference)
    information = -0.5 * P * np.log(variance())
    assert abs(judged.gain - information) < 4 * judged.gain_standard_error < 0.1
    assert judged.gain == pytest.approx(judged.mean - judged.reference)


@pytest.mark.parametrize(("width", "held"), [(1.0, True), (0.7, False), (1.3, False)])
def test_central_intervals_hold_what_they_promise(width, held):
    table = diagnostics.coverage_table(*exact(6, tests=2000, draws=500, width=width))
    error = (
        np.abs(table.coverage - table.levels[:, None]) / table.standard_error[:, None]
    )
    assert table.coverage.shape == (3, P)
    assert np.all(error[:2] < 4) == held


def test_the_summary_of_a_normal_distribution():
    draws = np.random.default_rng(7).normal(3.0, 2.0, size=(200_000, 1))
    summary = diagnostics.posterior_summary(draws)
    half = 2.0 * stats.norm.ppf(0.84)
    found = [summary.lower[0], summary.median[0], summary.upper[0]]
    np.testing.assert_allclose(found, [3 - half, 3, 3 + half], atol=0.03)


@pytest.mark.parametrize(
    ("draws", "theta", "message"),
    [
        (np.zeros((10, 5, 2)), np.zeros((4, 2)), r"\(10, 5, 2\)"),
        (np.zeros((10, 5)), np.zeros((5,)), r"\[M, N, P\]"),
        (np.full((10, 5, 2), np.nan), np.zeros((5, 2)), "finite"),
    ],
)
def test_what_does_not_belong_together_is_refused(draws, theta, message):
    with pytest.raises(ValueError, match=message):
        diagnostics.tarp(draws, theta, seed=0)
    with pytest.raises(ValueError, match=message):
        diagnostics.sbc_ranks(draws, theta, seed=0)


def test_log_probabilities_of_other_tests_are_refused():
    with pytest.raises(ValueError, match=r"\(3,\) and \(4,\)"):
        diagnostics.expected_log_probability(np.zeros(3), np.zeros(4))


def test_leakage_counts_the_draws_beyond_all_truths():
    theta = np.array([[0.0, 0.0], [1.0, 2.0]])
    draws = np.array([[-1.0, 0.0], [1.0, 3.0], [0.5, 3.0], [-0.5, 2.5]])
    assert diagnostics.leakage(draws[:, None], theta).tolist() == [0.5, 0.75]
