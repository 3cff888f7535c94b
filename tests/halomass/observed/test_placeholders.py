"""Laws of placeholders: decimals of the others give them away, and measured numbers stay."""

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.neighbour_columns import NEIGHBOUR_COLUMNS
from halomass.observed.placeholders import (
    file_numbers,
    placeholders,
    suspects,
    without_placeholders,
)
from orrery.tables.cleaning import clean_columns

PRECISE = np.random.default_rng(0).normal(0, 120, 40).round(3)


@pytest.mark.parametrize("number", [-99.0, 99.0, 99.9, -999.0, 9999.0, -99999.0])
def test_round_numbers_among_precise_ones_are_no_values(number):
    found = placeholders(np.append(PRECISE, number))
    assert found[-1]
    assert not found[:-1].any()


@pytest.mark.parametrize("number", [-99.0, 99.9])
def test_round_numbers_among_round_ones_are_suspects_alone(number):
    numbers = np.append(PRECISE.round(1), number)
    assert not placeholders(numbers).any()
    assert np.flatnonzero(suspects(numbers)).tolist() == [40]


def test_no_neighbour_moves_with_999():
    numbers = np.append(PRECISE.round(), [-999.0, 9999.0])
    assert placeholders(numbers).nonzero()[0].tolist() == [40, 41]
    assert not placeholders(numbers, velocities=False).any()


def test_of_few_numbers_none_is_told_by_its_decimals():
    assert not placeholders(np.array([99.0, 1.234, 5.678])).any()


def test_what_is_no_value_is_counted():
    table = Table({"v_r": np.append(PRECISE, -99.0), "m": np.full(41, 1e9)})
    cleaned = without_placeholders(
        clean_columns(table, NEIGHBOUR_COLUMNS, "a"), table, ("v_r",)
    )
    assert np.isnan(cleaned.values["v_r"]).tolist() == [False] * 40 + [True]
    (count,) = cleaned.counts
    assert (count.title, count.rows, count.of) == ("v_r", 1, 41)
    assert "-99" in count.rule


def test_words_are_no_numbers():
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    assert np.isnan(file_numbers(Table({"a": masked})["a"])).tolist() == [False, True]
    words = file_numbers(Table({"a": ["1.5", "--", "x"]})["a"])
    np.testing.assert_array_equal(words, [1.5, np.nan, np.nan])
