"""Laws of missing values: what stands for nothing is found, and no measurement is."""

from dataclasses import replace

import numpy as np
import pytest

from orrery.tables.columns import ColumnDescription
from orrery.tables.missing import missing_values, zero_pairs
from orrery.tables.number_words import SENTINELS
from orrery.tables.titles import KM_S

SPEED = ColumnDescription("v", KM_S, ("v",), lower=-1500.0, upper=1500.0)
ERROR = replace(SPEED, lower=0.0, upper=500.0)
ANGLE = replace(SPEED, lower=-180.0, upper=360.0, wraps=True)


def _speeds(count=50, seed=3):
    return np.random.default_rng(seed).normal(0.0, 150.0, count)


def _found(numbers, description=SPEED):
    numbers = np.asarray(numbers, dtype=float)
    rules = missing_values(numbers, numbers, description)
    return {rule: np.flatnonzero(rows).tolist() for rule, rows in rules}


@pytest.mark.parametrize("sentinel", [*SENTINELS, *(-s for s in SENTINELS)])
@pytest.mark.parametrize("rows", [[4], [4, 9, 17]])
def test_sentinels_are_found_once_or_often(sentinel, rows):
    speeds = _speeds()
    speeds[rows] = sentinel
    found = _found(speeds)
    if abs(sentinel) < 100 and len(rows) == 1:
        # one star may well have just this velocity
        assert found == {}
    else:
        assert found == {f"the sentinel {sentinel:g}": rows}


MEASURED = replace(SPEED, ties="none")  # of which no two are the same


@pytest.mark.parametrize("value", [0.0, -0.0, 99.0, -99.9])
@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_one_exact_number_among_unrounded_measurements_is_none(value, precision):
    speeds = _speeds(2000).astype(precision)
    speeds[7] = value
    ((rule, rows),) = _found(speeds, MEASURED).items()
    assert rows == [7]
    assert f"{abs(value):g}" in rule


@pytest.mark.parametrize("value", [0.0, 99.0])
def test_one_exact_number_among_rounded_measurements_is_one(value):
    one_decimal = np.round(_speeds(2000), 1)
    of_two_surveys = _speeds(2000)
    of_two_surveys[:40] = np.round(of_two_surveys[:40])
    few = _speeds(12)
    for speeds in (one_decimal, of_two_surveys, few):
        speeds[7] = value
        assert _found(speeds, MEASURED) == {}


def test_sentinels_in_single_precision_are_found():
    speeds = _speeds().astype(np.float32)
    speeds[[3, 5]] = np.float32(-999.99)
    assert _found(speeds) == {"the sentinel -999.99": [3, 5]}


def test_an_error_of_a_sentinel_is_none():
    errors = np.full(40, 4.0)
    errors[[1, 2]] = -9999.0, 999.0
    assert _found(errors, ERROR) == {"the sentinel -9999": [1], "the sentinel 999": [2]}
    assert _found(np.full(9, 9999.0)) == {"the sentinel 9999": [*range(9)]}


def test_no_measurement_is_taken_for_a_sentinel():
    # rounded numbers meet often, at 99 as at 98
    rounded = np.round(_speeds(4000))
    assert {-99.0, 99.0} <= set(rounded)
    assert _found(rounded) == {}
    assert _found(np.round(_speeds(3000), 1)) == {}
    # a satellite at 99 kpc among others, and errors that all are the same
    distances = replace(SPEED, lower=1e-3, upper=1000.0)
    assert _found([20.0, 25.0, 30.0, 33.0, 40.0, 99.0], distances) == {}
    assert _found(np.full(9, 4.0), ERROR) == {}
    assert _found([999.0], replace(SPEED, upper=5000.0)) == {}


def test_what_cannot_be_is_counted_by_its_rule():
    speeds = _speeds()
    speeds[:5] = np.nan, np.inf, -np.inf, 1e34, -1600.0
    assert _found(speeds) == {
        "no value": [0],
        "infinite": [1, 2],
        "not -1500 to 1500 km / s": [3, 4],
    }


def test_angles_go_around_in_one_way():
    assert _found([-10.0, 20.0, 170.0], ANGLE) == {}
    assert _found([10.0, 20.0, 350.0], ANGLE) == {}
    assert list(_found([-10.0, 20.0, 350.0], ANGLE).values()) == [[0]]
    assert list(_found([10.0, 20.0, 400.0], ANGLE).values()) == [[2]]


def test_only_both_zeros_are_no_value():
    first, second = np.array([0.0, 0.0, 1.0]), np.array([0.0, 2.0, 0.0])
    assert zero_pairs(first, second).tolist() == [True, False, False]


@pytest.mark.parametrize("usual", [np.full(200, 0.05), np.repeat([0.05, 0.06], 100)])
@pytest.mark.parametrize("sentinel", [99.0, 999.0])
def test_a_sentinel_among_equal_errors_stands_for_nothing(usual, sentinel):
    errors = usual.copy()
    errors[::17] = sentinel
    described = ColumnDescription("pm_error", None, ("pm_err",), lower=0, upper=1000)
    ((rule, rows),) = missing_values(errors, errors, described)
    assert rule == f"the sentinel {sentinel:g}"
    assert (rows == (errors == sentinel)).all()


@pytest.mark.parametrize("sentinel", [99.0, -99.0, 999.0])
@pytest.mark.parametrize("share", [0.02, 0.06])
def test_a_sentinel_among_integers_is_found_by_its_surroundings(sentinel, share):
    speeds = np.round(_speeds(3000))
    speeds[:2] = -1300.0, 1300.0  # no sentinel lies apart from these
    rows = 2 + np.arange(int(3000 * share))
    speeds[rows] = sentinel
    ((rule, found),) = missing_values(speeds, speeds, SPEED)
    assert rule == f"the sentinel {sentinel:g}"
    assert found[rows].all()


def test_an_error_of_zero_is_none_unless_all_are_zero():
    described = replace(ERROR, ties="errors")
    errors = np.full(30, 2.0)
    errors[[4, 7]] = 0.0
    assert _found(errors, described) == {"exactly 0, which stands for none": [4, 7]}
    assert _found(np.zeros(30), described) == {}


def test_who_knows_what_stands_for_nothing_is_believed():
    speeds = _speeds(300)
    speeds[:30] = 0.0
    speeds[30:60] = -99.0
    described = replace(SPEED, ties="none")
    assert len(_found(speeds, described)) == 2

    def stated(*numbers):
        return [rule for rule, _ in missing_values(speeds, speeds, described, numbers)]

    assert stated() == []
    assert stated(0.0, 5.5) == ["said to be none: 0"]
