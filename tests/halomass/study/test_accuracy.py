"""Laws of accuracy: a miss is called one, and nothing else is; published errors stand beside.

Estimators are made by hand here, so that what they find is known.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.study import (
    accuracy,
    literature,
)
from halomass.study.ensembles import (
    LEFT_OUT_FEATURES,
    label_noiseless,
    label_noisy,
    label_without,
)

# What estimators of known quality would find: nothing here is a miss.
GOOD = {
    label_noisy(25): 0.16,
    label_noisy(10): 0.20,
    label_noiseless(25): 0.12,
    label_noiseless(10): 0.165,
}


@dataclass(frozen=True)
class Made:
    """An estimator whose errors are known."""

    smallest: float = 0.16
    middle: tuple[float, ...] = (0.17, 0.16)
    bias: float = 0.03
    scatter: tuple[float, float] = (0.06, 0.006)

    def smallest_rmse(self):
        return self.smallest

    def rmse_between(self, low, high):
        assert (low, high) == accuracy.MIDDLE
        return np.array(self.middle)

    def largest_bias(self, low, high):
        assert (low, high) == accuracy.BIASED
        return self.bias


def ratios(**changes):
    usual = {"no satellites": (3.0, 0.3), "no r": (2.0, 0.2), "no v_t": (2.0, 0.2)}
    every = {**usual, "no v_r": (1.5, 0.1)} | changes
    return {label_without(what): value for what, value in every.items()}


def accuracy_tables(changes=None, found_ratios=None):
    found = {name: Made(smallest) for name, smallest in GOOD.items()} | (changes or {})
    return accuracy.accuracy_tables(found, found_ratios or ratios())


def misses(tables):
    return [
        miss.text for table in tables.values() for miss in table.meta.get("misses", [])
    ]


def test_what_is_as_published_is_no_miss():
    assert misses(accuracy_tables()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({label_noisy(25): Made(0.16, (0.25, 0.21))}, "25 neighbours: 0.210 dex at 10"),
        ({label_noisy(25): Made(0.16, (0.12, 0.19))}, "25 neighbours: 0.120 dex at 10"),
        (
            {label_noisy(25): Made(0.16, (np.nan, 0.21))},
            "25 neighbours: 0.210 dex at 10",
        ),
        (
            {label_noisy(25): Made(0.18), label_noisy(10): Made(0.18)},
            "25 neighbours should be better than 10 neighbours: 0.180",
        ),
        (
            {label_noiseless(25): Made(0.141), label_noisy(25): Made(0.141)},
            "25 neighbours, noiseless should be better than 25",
        ),
        (
            {label_noiseless(10): Made(0.197), label_noisy(10): Made(0.197)},
            "10 neighbours, noiseless should be better than 10",
        ),
        (
            {label_noisy(10): Made(0.24)},
            "10 neighbours: the smallest error is 0.240 dex, published",
        ),
        (
            {label_noiseless(25): Made(0.09)},
            "25 neighbours, noiseless: the smallest error is 0.090",
        ),
        (
            {label_noiseless(10): Made(0.165, bias=0.051)},
            "10 neighbours, noiseless: the largest median",
        ),
    ],
)
def test_one_error_that_is_wrong_is_one_miss(changes, message):
    (miss,) = misses(accuracy_tables(changes))
    assert miss.startswith(message)


@pytest.mark.parametrize(
    ("factor", "missed"), [(0.79, True), (0.81, False), (1.19, False), (1.21, True)]
)
@pytest.mark.parametrize("name", GOOD)
def test_smallest_errors_are_judged_by_published_ones_on_both_sides(
    name, factor, missed
):
    published = accuracy.published_rmse()[name]
    found = misses(accuracy_tables({name: Made(factor * published)}))
    told = [miss for miss in found if miss.startswith(f"{name}: the smallest error")]
    assert len(told) == missed
    assert all(
        f"{factor * published:.3f}" in m and f"{published:.3f}" in m for m in told
    )


def test_what_is_unknown_is_not_judged():
    unknown = Made(np.nan, (np.nan, np.nan), bias=np.nan, scatter=(np.nan, np.nan))
    nothing = ratios(**dict.fromkeys(LEFT_OUT_FEATURES, (np.nan, np.nan)))
    assert misses(accuracy_tables(dict.fromkeys(GOOD, unknown), nothing)) == []


def test_biases_and_scatter_stand_above_published_ones():
    one = Made(bias=0.02, scatter=(0.04, 0.004))
    others = {"VSMDPL/UM, 25 neighbours": Made(bias=0.9), label_noisy(25): one}
    tables = accuracy_tables(others)
    assert misses(tables) == [], "nothing is published of other ensembles"
    *rows, published = tables["Bias and scatter compared with published values"]
    found = {name: values for name, *values in rows}
    assert found.keys() == {*GOOD, *others}
    assert found[label_noisy(25)] == [0.02, 0.04, 0.004]
    assert [*published] == [literature.SOURCE, 0.05, 0.05, 0.005]


@pytest.mark.parametrize(
    ("best", "missed"), [(0.129, 1), (0.13, 0), (0.20, 0), (0.201, 1)]
)
def test_bounds_of_the_smallest_error_belong_to_what_is_good(best, missed):
    found = {label_noisy(25): Made(0.16, (0.5, best))}
    assert len(misses(accuracy_tables(found))) == missed


@pytest.mark.parametrize("what", LEFT_OUT_FEATURES)
@pytest.mark.parametrize(
    ("factor", "missed"), [(0.66, 1), (0.67, 0), (1.49, 0), (1.51, 1)]
)
def test_variances_are_judged_by_published_ones_on_both_sides(what, factor, missed):
    published = literature.VARIANCE_RATIOS[LEFT_OUT_FEATURES[what]]
    found = misses(
        accuracy_tables(found_ratios=ratios(**{what: (factor * published, 0.1)}))
    )
    assert len(found) == missed
    for miss in found:
        assert miss.startswith(
            f"{what}: the variance is {factor * published:.2f} times"
        )
        assert f"about {published:g} times" in miss
        reasons = {
            ("no satellites", True): "the prior",
            ("no r", False): "a property of the mock",
        }
        reason = reasons.get((what, factor > 1))
        assert (reason in miss) if reason else miss.endswith("times.")


def test_published_errors_are_compared_with_ours():
    others = {"VSMDPL/UM, 25 neighbours": Made(0.3)}
    table = accuracy_tables(others)["Errors compared with published values"]
    rows = {row["ensemble"]: row for row in table}
    assert rows.keys() == {*GOOD, *others}
    for count in NEIGHBOUR_COUNTS:
        assert rows[label_noisy(count)]["published"] == literature.RMSE[count]
        assert (
            rows[label_noiseless(count)]["published"]
            == literature.RMSE_WITHOUT_ERRORS[count]
        )
    assert all(rows[name]["smallest_rmse"] == GOOD[name] for name in GOOD)
    assert (
        rows[label_noisy(25)]["rmse_11_5_to_12"],
        rows[label_noisy(25)]["rmse_12_to_12_5"],
    ) == (
        0.17,
        0.16,
    )
    assert np.isnan(rows["VSMDPL/UM, 25 neighbours"]["published"])


def test_published_variances_are_compared_with_ours():
    table = accuracy_tables()["Variance without some features"]
    for row, (what, without) in zip(table, LEFT_OUT_FEATURES.items(), strict=True):
        assert row["left_out"] == what
        assert (row["variance_ratio"], row["error"]) == ratios()[label_without(what)]
        assert row["published"] == literature.VARIANCE_RATIOS[without]
