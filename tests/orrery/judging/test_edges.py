"""Judgements at their edges: ties, few tests, constants, outliers, numbers far from nought."""

import numpy as np
import pytest
from scipy import stats

from orrery.judging import diagnostics, predictive, verdicts
from orrery.judging.diagnostics import FEWEST_TARP_TESTS
from orrery.judging.predictive import tail_probabilities
from orrery.records import Observation

TESTS, DRAWS, P = 400, 100, 2


def right(seed, tests=TESTS, draws=DRAWS, parameters=P):
    """Draws `[M, N, P]` of a right posterior, and truths `[N, P]`."""
    random = np.random.default_rng(seed)
    centre = random.normal(size=(tests, parameters))
    theta = centre + random.normal(size=(tests, parameters))
    return centre + random.normal(size=(draws, tests, parameters)), theta


def judged(draws, theta, seed=1):
    """The smallest p-value of all tests."""
    ranks = diagnostics.sbc_ranks(draws, theta, seed, simulations=200)
    tarp = diagnostics.tarp(draws, theta, seed).ks_pvalue
    return min(tarp, ranks.ks_pvalue.min(), ranks.band_pvalue.min())


@pytest.mark.parametrize("step", [0.3, 1.0, 3.0, 100.0])
def test_a_right_posterior_of_rounded_values_is_not_rejected(step):
    """With steps of 3 most draws equal the truth, with steps of 100 all of them do."""
    smallest = [
        judged(np.round(draws / step), np.round(theta / step))
        for draws, theta in map(right, range(5))
    ]
    assert min(smallest) > 0.001


@pytest.mark.parametrize("step", [0.3, 1.0])
def test_a_narrow_posterior_of_rounded_values_is_rejected(step):
    draws, theta = right(1)
    narrow = diagnostics.narrowed(draws, 0.6)
    assert judged(np.round(narrow / step), np.round(theta / step)) < 0.005


def test_ties_are_ranked_by_the_seed_and_evenly():
    draws = np.zeros((4, 5000, 1))
    theta = np.zeros((5000, 1))
    ranks = [diagnostics.sbc_ranks(draws, theta, s, 5, 20).ranks for s in (7, 7, 8)]
    np.testing.assert_array_equal(ranks[0], ranks[1])
    assert (ranks[0] != ranks[2]).any()
    counts = np.bincount(ranks[0].ravel(), minlength=5)
    assert stats.chisquare(counts).pvalue > 0.001


def test_a_tied_truth_is_among_its_ties():
    draws = np.array([1.0, 2.0, 2.0, 2.0, 5.0]).reshape(5, 1, 1)
    theta = np.array([[2.0]])
    found = {
        int(diagnostics.sbc_ranks(draws, theta, seed, 5, 20).ranks[0, 0])
        for seed in range(60)
    }
    assert found == {1, 2, 3, 4}


@pytest.mark.slow
@pytest.mark.parametrize("parameters", [1, 4])
def test_tarp_holds_each_of_few_truths_as_often_as_it_should(parameters):
    """References that lie in the box of all truths lie too near to the outermost ones."""
    random = np.random.default_rng(8)
    areas = []
    for seed in range(1500):
        theta = random.normal(size=(4, parameters))
        draws = random.normal(size=(200, 4, parameters))
        areas.append(diagnostics.tarp(draws, theta, seed, references=2).atc)
    error = np.std(areas) / np.sqrt(len(areas))
    assert abs(np.mean(areas)) < 3.5 * error


def test_the_error_of_an_area_is_itself_uncertain():
    """Student's t, which a normal number of the same tests exceeds less often."""
    found = diagnostics.tarp(*right(2, tests=20, draws=50), seed=1, references=4)
    assert found.area_pvalue == pytest.approx(2 * stats.t.sf(abs(found.area_z), 19))
    assert found.area_pvalue > 2 * stats.norm.sf(abs(found.area_z))


def rejected_by_tarp(tests, parameters, repeats):
    """Returns how many right posteriors a Kolmogorov-Smirnov test of TARP rejects at 5 %."""
    rejected = 0
    for seed in range(repeats):
        random = np.random.default_rng(seed)
        # nothing is learned of the parameters: the worst case
        theta = random.normal(size=(tests, parameters))
        draws = random.normal(size=(30, tests, parameters))
        rejected += diagnostics.tarp(draws, theta, seed).ks_pvalue < 0.05
    return int(rejected)


@pytest.mark.slow
@pytest.mark.parametrize("parameters", [1, 6])
def test_tarp_keeps_its_level_from_the_fewest_tests_on(parameters):
    count = rejected_by_tarp(FEWEST_TARP_TESTS, parameters, repeats=150)
    assert stats.binomtest(count, 150, 0.05).pvalue > 0.01


@pytest.mark.slow
def test_the_curve_of_tarp_keeps_its_level_with_ten_tests():
    """No reference knows its own truth; with references in the box of all, half are rejected."""
    assert rejected_by_tarp(10, parameters=6, repeats=150) < 20


@pytest.mark.parametrize(
    ("tests", "rejects"), [(1, False), (3, False), (99, False), (100, True)]
)
def test_tarp_of_too_few_tests_rejects_nothing(tests, rejects):
    draws, theta = right(5, tests)
    narrow = 0.01 * draws + 20
    coverage = diagnostics.tarp(narrow, theta, 1)
    ranks = diagnostics.sbc_ranks(narrow, theta, 1, simulations=50)
    assert coverage.enough == rejects
    assert verdicts.rejections(coverage, ranks).tarp == rejects


@pytest.mark.parametrize("offset", [1e6, -1e6])
def test_numbers_far_from_nought_are_judged_alike(offset):
    draws, theta = right(2)
    moved = diagnostics.tarp(draws + offset, theta + offset, 3)
    plain = diagnostics.tarp(draws, theta, 3)
    np.testing.assert_allclose(moved.fractions, plain.fractions, atol=0.02)
    ranks = [diagnostics.sbc_ranks(draws + x, theta + x, 3).ranks for x in (0, offset)]
    assert np.abs(ranks[0] - ranks[1]).max() <= 1


def test_one_giant_truth_is_one_test():
    """It stretches the box of TARP's references, and the posterior misses this truth alone."""
    draws, theta = right(4)
    theta[7, 0] = 1e12
    ranks = diagnostics.sbc_ranks(draws, theta, 3)
    plain = diagnostics.sbc_ranks(*right(4), 3)
    others = np.delete(np.arange(TESTS), 7)
    np.testing.assert_array_equal(ranks.ranks[others], plain.ranks[others])
    assert ranks.ranks[7, 0] == DRAWS
    np.testing.assert_allclose(ranks.ks_pvalue, plain.ks_pvalue, atol=0.1)
    assert 0 <= diagnostics.tarp(draws, theta, 3).ks_pvalue <= 1


def observation(value):
    names = tuple(f"x{i}" for i in range(len(value)))
    units = ("km / s",) * len(value)
    none = np.zeros((len(value), len(value)))
    return Observation("sky", names, units, np.array(value), none, "binning", {})


def checked(predicted, value):
    found = predictive.check(predicted, observation(value), 1)
    return np.array([*found.tails, found.worst_entry, found.whole_vector])


# 7 is exact in binary, so that the mean of equal ones is; others' means are rounded
@pytest.mark.parametrize("same", [7.0, 0.1, 1 / 3, -123.456, 1e-9])
def test_constant_summaries_say_nothing(same):
    predicted = np.random.default_rng(4).normal(size=(200, 3))
    value = [0.3, -1.2, 0.8]
    constant = np.column_stack([predicted, np.full(200, same)])
    found = checked(constant, [*value, same])
    np.testing.assert_array_equal(found[[0, 1, 2, 4, 5]], checked(predicted, value))
    assert found[3] == 1.0
    far = checked(constant, [*value, same + 1.0])
    assert max(far[3], far[4], far[5]) <= 0.011


@pytest.mark.parametrize("same", [0.5, 0.1, 1 / 3, -123.456])
def test_a_parameter_that_was_held_decides_nothing_of_tarp(same):
    draws, theta = right(6)
    held = np.full_like(draws[..., :1], same)
    jitter = 1e-9 * np.random.default_rng(7).normal(size=held.shape)
    truth = np.column_stack([theta, held[0]])
    fractions = [
        diagnostics.tarp(np.concatenate([draws, one], axis=-1), truth, 1).fractions
        for one in (held, held + jitter)
    ]
    np.testing.assert_allclose(fractions[0], fractions[1], atol=0.02)
    assert stats.kstest(fractions[1], "uniform").pvalue > 0.01


def test_tarp_without_references_is_refused():
    with pytest.raises(ValueError, match="0 sets of references: give 1 or more"):
        diagnostics.tarp(*right(1), 1, references=0)


def test_an_outlier_among_the_predictions_is_one_of_them():
    predicted = np.random.default_rng(5).normal(size=(200, 3))
    value = np.array([0.3, -1.2, 0.8])
    spoiled = predicted.copy()
    spoiled[3, 1] = 1e12
    before = tail_probabilities(predicted, value)
    np.testing.assert_allclose(tail_probabilities(spoiled, value), before, atol=0.011)
    assert np.isfinite(checked(spoiled, value)).all()


def test_predictions_far_from_nought_are_checked_alike():
    predicted = np.random.default_rng(6).normal(size=(200, 3))
    value = np.array([0.3, -2.9, 0.8])
    np.testing.assert_allclose(
        checked(predicted + 1e6, value + 1e6), checked(predicted, value), atol=0.006
    )
