"""Today's code gives the numbers that are kept, wherever it runs."""

import numpy as np
import pytest

from .components import COMPONENTS
from .lock import check
from .quantities import differences, lost, quantity, read, write

# A cold start compiles the engine; the others take seconds. The lock, which is not slow,
# sees every change.
SLOW = ("engine", "replay", "masses", "travel_profiles", "effects", "live_orbits")


@pytest.mark.parametrize(
    "component",
    [
        pytest.param(c, id=c.name, marks=[pytest.mark.slow] * (c.name in SLOW))
        for c in COMPONENTS
    ],
)
def test_numbers_are_those_of_the_record(component):
    check(component)


def test_a_record_is_kept_in_single_precision(tmp_path):
    record = {
        "x": quantity([[0.1, np.nan], [1e-30, -2.5e9]]),
        "n": quantity([2**40, 3]),
        "one": quantity(0.3),
    }
    write(record, tmp_path / "kept" / "x.json")
    kept = read(tmp_path / "kept" / "x.json")
    assert not differences(record, kept)
    assert "0.1,NaN" in (tmp_path / "kept" / "x.json").read_text()
    assert kept["n"].dtype == np.int64


@pytest.mark.parametrize(
    ("now", "word"),
    [
        ([1.0, 2.0, 3.1], "differ in 1 of 3: 3.1 instead of 3, where 4.4e-06 is"),
        ([1.0, 2.0, np.nan], "differ in 1 of 3: nan instead of 3"),
        ([1.0, 2.0], "shape"),
    ],
)
def test_what_differs_is_named(now, word):
    kept = {"x": np.array([1.0, 2.0, 3.0])}
    assert word in differences({"x": quantity(now)}, kept)["x"]
    assert (
        "not in the kept"
        in differences({"y": quantity(now)} | {"x": quantity(now)}, kept)["y"]
    )
    assert "not there" in differences({}, kept)["x"]


def test_a_few_may_be_off_where_orbits_are_chaotic():
    kept, now = np.zeros(100), np.zeros(100)
    now[:5] = 9.0
    assert quantity(now, outliers=0.05).difference(kept) is None
    now[5] = 9.0
    assert "in 6 of 100" in quantity(now, outliers=0.05).difference(kept)


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ({"x": [1.0, 2.0], "new": [9.0]}, {}),
        ({"renamed": [1.0, 2.0]}, {}),
        ({"renamed": [1.01, 2.02]}, {"x": "are not there today"}),
        ({}, {"x": "are not there today"}),
    ],
)
def test_numbers_of_a_record_stay_whatever_their_name(now, found):
    record = {name: quantity(values) for name, values in now.items()}
    assert lost(record, {"x": np.array([1.0, 2.0])}) == found


def test_numbers_may_not_take_another_name_that_is_there():
    kept = {"x": np.array([1.0]), "y": np.array([2.0])}
    found = lost({"x": quantity([2.0]), "y": quantity([2.0])}, kept)
    assert found["x"].startswith("differ in 1 of 1: 2 instead of 1")
