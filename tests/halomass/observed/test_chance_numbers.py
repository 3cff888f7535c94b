"""Laws of numbers such as 99.9: told where a table seldom has them by chance, and how seldom."""

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.chance_numbers import (
    doubtful_numbers,
    doubts_of,
    share_of_tables,
)

TABLES = 400


def velocities(generator, decimals, n=40, spread=120.0):
    return [*generator.normal(0.0, spread, (3, n)).round(decimals)]


def told(columns):
    return any(doubted.any() for doubted in doubtful_numbers(columns))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decimals", "most"), [(0, 0.06), (1, 0.16), (2, 0.04), (3, 0.015)]
)
def test_few_honest_tables_are_told_of_and_as_many_as_is_said(decimals, most):
    generator = np.random.default_rng(decimals)
    tables = [velocities(generator, decimals) for _ in range(TABLES)]
    found = np.mean([told(columns) for columns in tables])
    said = np.mean([share_of_tables(columns) for columns in tables])
    assert found < most
    # of whole numbers only those are told that are there again, or far from all others
    assert abs(found - said) < 3 * np.sqrt(said / TABLES) + 0.01 or decimals == 0


@pytest.mark.parametrize("decimals", [1, 2, 3])
@pytest.mark.parametrize("value", [99.0, -99.0, 99.9, -99.9, -999.0, 9999.0])
def test_one_among_numbers_with_decimals_is_told(decimals, value):
    columns = velocities(np.random.default_rng(decimals), decimals)
    columns[1][7] = value
    doubted = doubtful_numbers(columns)
    assert doubted[1].nonzero()[0].tolist() == [7]


def test_whole_numbers_are_told_of_where_there_are_several():
    columns = velocities(np.random.default_rng(4), 0)
    for column in columns:
        column[np.abs(column) == 99.0] += 2
    columns[0][3] = -99.0
    assert not told(columns)
    columns[1][3] = -99.0
    assert [doubted[3] for doubted in doubtful_numbers(columns)] == [True, True, False]
    columns[1][3] = 12.0
    columns[0][[9, 21]] = -99.0
    assert doubtful_numbers(columns)[0].sum() == 3
    columns[0][[3, 9, 21]] = [12.0, 40.0, -999.0]
    assert doubtful_numbers(columns)[0].nonzero()[0].tolist() == [21]


def test_what_is_far_from_all_others_is_told_whatever_their_decimals():
    proper_motions = np.random.default_rng(5).normal(0.0, 0.2, 40).round(3)
    proper_motions[11] = 9.999
    assert doubtful_numbers([proper_motions])[0].nonzero()[0].tolist() == [11]


def test_few_or_equal_numbers_say_nothing_of_chance():
    assert doubtful_numbers([]) == []
    for column in ([99.0], [99.0, np.nan], [99.0, 5.0], [99.0, 5.0, 5.0]):
        (doubted,) = doubtful_numbers([np.array(column)])
        assert doubted.tolist() == [number == 99.0 for number in column]


def test_the_warning_says_in_how_many_tables_it_would_be_by_chance():
    columns = velocities(np.random.default_rng(6), 1)
    columns[2][0] = 99.9
    table = Table(dict(zip(("vx", "vy", "vz"), columns, strict=True)))
    names = [f"row {i}" for i in range(40)]
    (warning,) = doubts_of(table, table.colnames, names, range(40))
    share = share_of_tables(columns)
    assert "vz of 'row 0' is 99.9: " in warning
    assert f"though {100 * share:.0f} % of such tables have one by chance" in warning
    assert doubts_of(table, table.colnames, names, range(1, 40)) == []
    columns[2][0] = 0.0
    assert (
        doubts_of(Table(dict(zip("abc", columns, strict=True))), "abc", names, [0])
        == []
    )
