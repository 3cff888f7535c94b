"""Laws of likeness: a vector among its own kind is found as unusual as often as is said."""

import numpy as np
import pytest
import scipy

from orrery.judging import likeness
from orrery.judging.likeness import RARE
from orrery.judging.predictive import DOUBTFUL

NAMES = tuple("abcdefgh")
GROUPS = ("one",) * 3 + ("two",) * 4 + ("three",)


def vectors(count, seed):
    """Returns correlated vectors with lopsided, heavy and bounded entries."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, len(NAMES))) + random.normal(size=(count, 1))
    x[:, 1] = np.exp(x[:, 1])
    x[:, 2] = np.abs(x[:, 2])
    x[:, 4] = random.standard_t(4, count)
    x[:, 7] = random.uniform(0, 1, count)
    return x


def compare(value, others):
    return likeness.compare_with_others(value, others, NAMES, GROUPS)


@pytest.fixture(scope="module")
def own_kind():
    """Vectors among others of their kind, each among its own."""
    return [compare(x[0], x[1:]) for x in (vectors(300, seed) for seed in range(1500))]


@pytest.mark.slow
def test_among_its_own_kind_a_vector_is_unusual_as_often_as_is_said(own_kind):
    pvalues = np.array([found.pvalue for found in own_kind])
    assert scipy.stats.kstest(pvalues, "uniform").pvalue > 1e-3
    for level in (DOUBTFUL, RARE, 0.3):
        share = np.mean(pvalues < level)
        error = np.sqrt(level * (1 - level) / len(pvalues))
        assert abs(share - level) < 3.5 * error


@pytest.mark.slow
def test_something_stands_out_no_more_often_than_that(own_kind):
    named = [bool(found.outlying or found.outlying_groups) for found in own_kind]
    assert np.mean(named) <= RARE + 3.5 * np.sqrt(RARE / len(named))
    rare = [found.rare for found in own_kind]
    assert all(r or not n for r, n in zip(rare, named, strict=True))


@pytest.mark.parametrize("entry", range(len(NAMES)))
def test_an_entry_that_is_far_out_is_named(entry):
    others = vectors(400, 1)
    value = np.median(others, axis=0)
    low, high = np.quantile(others[:, entry], (0.025, 0.975))
    value[entry] = high + 10 * (high - low)
    found = compare(value, others)
    assert found.passed is False
    assert found.outlying == [entry]


def test_a_group_that_is_out_together_is_named_though_each_entry_is_ordinary():
    others = vectors(1000, 2)
    value = np.median(others, axis=0)
    high = np.quantile(others, 0.97, axis=0)
    # they go up and down together, and these do not
    for entry, sign in ((3, 1), (5, -1), (6, 1)):
        middle = value[entry]
        value[entry] = middle + sign * (high[entry] - middle)
    found = compare(value, others)
    assert found.unusual
    assert found.outlying == []
    assert found.outlying_groups == ("two",)


def test_units_and_order_decide_nothing():
    others = vectors(200, 3)
    value = vectors(1, 4)[0] + 1.5
    random = np.random.default_rng(5)
    scale, shift = random.uniform(0.1, 50, len(NAMES)), random.normal(0, 9, len(NAMES))
    one = compare(value, others)
    other = compare(scale * value + shift, scale * others[::-1] + shift)
    assert one.pvalue == other.pvalue
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-9)
    np.testing.assert_array_equal(one.entry_pvalues, other.entry_pvalues)


def test_scores_of_normal_numbers_are_these():
    normal = np.random.default_rng(6).normal(size=(100_000, 1))
    scores = likeness.normal_scores(normal)
    np.testing.assert_allclose(scores, normal, atol=0.1)
    # beyond all others, too
    far = likeness.normal_scores(np.vstack([normal, [[9.0]]]))[-1]
    np.testing.assert_allclose(far, 9.0, atol=0.5)


def test_an_entry_that_never_varies_says_nothing():
    others = vectors(100, 7)
    others[:, 0] = 3.0
    value = np.median(others, axis=0)
    found = compare(value, others)
    assert np.isfinite(found.scores).all()
    assert found.outlying == []


def test_few_others_say_nothing():
    others = vectors(60, 8)
    far = others.max(axis=0) * 1e3
    assert compare(far, others).passed is None
    assert compare(far, vectors(600, 8)).passed is False
    assert compare(far, others).pvalue <= compare(far, others).smallest_possible


def test_what_does_not_belong_together_is_refused():
    others = vectors(50, 9)
    with pytest.raises(ValueError, match=r"must be \[S\] and \[n, S\]"):
        compare(others[0, :3], others)
    with pytest.raises(ValueError, match="names"):
        likeness.compare_with_others(others[0], others, NAMES[1:], GROUPS)
    with pytest.raises(ValueError, match="too few to compare with"):
        compare(others[0], others[:19])
    others[3, 3] = np.nan
    with pytest.raises(ValueError, match="finite"):
        compare(others[0], others)


def test_groups_and_wholes_of_more_entries_than_others_can_tell_are_untested():
    random = np.random.default_rng(31)
    value, others = random.normal(size=30), random.normal(size=(40, 30))
    names = tuple(f"v{i}" for i in range(30))
    groups = ("wide",) * 25 + ("narrow",) * 5
    found = likeness.compare_with_others(value, others, names, groups)
    assert np.isnan(found.joint_pvalue)
    assert np.isnan(found.group_pvalues).tolist() == [True, False]
    assert found.smallest_possible == 2 / 41
    assert np.isfinite(found.pvalue)
    # what cannot be told changes no other p-value: not by its rounding errors either
    turned = np.linalg.qr(random.normal(size=(30, 30)))[0]
    assert np.isnan(likeness._squared_distance(others @ turned)).all()
    alone = likeness.compare_with_others(value, others, names, ("one",) * 30)
    assert np.isnan(alone.group_pvalues).all()
    assert alone.smallest_possible == 1 / 41
    far = likeness.compare_with_others(value + 30.0, others, names, groups)
    assert far.pvalue == pytest.approx(1 / 41)
