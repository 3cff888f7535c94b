"""Laws of amplitudes: they are what numbers were multiplied by, whatever was added."""

import numpy as np
import pytest

from orrery.tables.amplitudes import Amplitude

COUNT = 700


@pytest.fixture(scope="module")
def numbers():
    random = np.random.default_rng(41)
    expected = random.uniform(-200, 200, COUNT)
    return expected, expected + random.normal(0, 90, COUNT)


def _of(expected, measured, fewest=30, leverage=10.0):
    return Amplitude.of(expected, measured, fewest, leverage)


@pytest.mark.parametrize("factor", [-1.3, 0.02, 2.4])
def test_an_amplitude_is_what_numbers_were_multiplied_by(numbers, factor):
    expected, measured = numbers
    once = _of(expected, measured)
    changed = _of(expected, factor * measured + 55.0)
    assert abs(once.value - 1) < 4 * once.error < 0.2
    assert changed.value == pytest.approx(factor * once.value)
    assert changed.error == pytest.approx(abs(factor) * once.error)
    assert changed.is_outside(0.7, 1.4, 3)
    assert not once.is_outside(0.7, 1.4, 3)


def test_outliers_and_what_is_unknown_decide_nothing(numbers):
    expected, measured = (column.copy() for column in numbers)
    once = _of(expected, measured)
    measured[:9] = 8e4
    measured[9:20] = np.nan
    expected[20:30] = np.nan
    assert abs(_of(expected, measured).value - once.value) < once.error


def test_what_cannot_tell_is_none(numbers):
    expected, measured = numbers
    assert _of(expected, measured, fewest=COUNT + 1) is None
    assert _of(expected / 100, measured) is None
    assert _of(expected, np.full(COUNT, np.nan)) is None
