"""Which numbers that often stand for no value a table seldom has by chance.

Among 24 velocities with one decimal, that scatter by 120 km/s, one is 99.9 in one column of
180, and nothing is wrong with it. How often a column has such a number by chance follows
from how many others are near it and from their decimals: N f s times, of N numbers with the
density f and steps of s.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from math import exp, factorial

import numpy as np
from astropy.table import Table

from halomass.observed.placeholders import file_numbers, look_up
from halomass.systems import FloatArray
from orrery.parameters import BoolArray
from orrery.tables.number_words import SENTINELS

_SELDOM = 0.03  # columns that have a number so often by chance; fewer deserve a word
_FEWEST = 2  # others, that say how numbers are spread
_MOST_DECIMALS = 8
_TOLERANCE = 1e-6  # of a step, by which a number may miss one


def doubts_of(
    table: Table, titles: Sequence[str], names: Sequence[str], rows: Iterable[int]
) -> list[str]:
    """Returns a warning of numbers of some rows that may stand for no value, if there are any.

    Arguments:
        table: As it was read.
        titles: Of the columns.
        names: Whose each row is.
        rows: Which are used.

    Example:
        >>> doubts_of(Table({"vx": [42.31, -7.59, 99.0]}), ["vx"], "ABC", [0, 2])
        ["vx of 'C' is 99.0: such numbers often stand for no value; look them up"]
    """
    numbers = [file_numbers(table[title]) for title in titles]
    doubtful = doubtful_numbers(numbers)
    found = [
        f"{title} of {names[row]!r} is {table[title][row]}"
        for row in rows
        for title, doubted in zip(titles, doubtful, strict=True)
        if doubted[row]
    ]
    return look_up(found, share_of_tables(numbers)) if found else []


def doubtful_numbers(columns: Sequence[FloatArray]) -> list[BoolArray]:
    """Returns which numbers of a table may stand for no value.

    These are numbers such as 99.9 and -999 that a column seldom has by chance, or seldom so
    often, and rows with several of them.

    Arguments:
        columns: Of a table, each `[N]`, as the file has them; NaN where there is no value.

    Example:
        >>> speeds = np.arange(-230.0, 240.0, 20.0)
        >>> columns = [np.append(speeds, one) for one in (99.0, -999.0)]
        >>> [bool(doubtful_numbers([column])[0].any()) for column in columns]
        [False, True]
    """
    expected = [_expected(numbers) for numbers in columns]
    found = [
        _seldom(numbers, by_chance)
        for numbers, by_chance in zip(columns, expected, strict=True)
    ]
    among = np.array([np.isin(np.abs(numbers), SENTINELS) for numbers in columns])
    for row in np.flatnonzero(among.sum(axis=0) > 1):
        together = np.flatnonzero(among[:, row]).tolist()
        # of N rows each has so many in a column
        rates = [sum(expected[i].values()) / len(columns[i]) for i in together]
        if len(columns[0]) * np.prod(rates) < _SELDOM:
            for i in together:
                found[i][row] = True
    return found


def share_of_tables(columns: Sequence[FloatArray]) -> float:
    """Returns the share of such tables that have such numbers, one or more, by chance alone.

    Arguments:
        columns: Of a table, each `[N]`, as the file has them; NaN where there is no value.

    Example:
        >>> speeds = np.random.default_rng(2).normal(0.0, 120.0, 24)
        >>> [round(share_of_tables([speeds.round(n)] * 3), 2) for n in (1, 2, 3)]
        [0.05, 0.01, 0.0]
    """
    times = sum(
        number
        for column in columns
        for number in _expected(column).values()
        if number < _SELDOM
    )
    return 1 - exp(-times)


def _seldom(numbers: FloatArray, expected: dict[float, float]) -> BoolArray:
    """Returns which numbers `[N]` few columns have by chance so often as this one."""
    found = np.zeros(len(numbers), dtype=bool)
    for value, by_chance in expected.items():
        same = numbers == value
        times = int(same.sum())
        if times and by_chance**times / factorial(times) < _SELDOM:
            found |= same
    return found


def _expected(numbers: FloatArray) -> dict[float, float]:
    """Returns how often a column has each number that often stands for no value, by chance."""
    values = [sign * one for one in SENTINELS for sign in (1.0, -1.0)]
    known = numbers[np.isfinite(numbers)]
    others = known[~np.isin(np.abs(known), SENTINELS)]
    if len(others) < _FEWEST:
        return dict.fromkeys(values, 0.0)
    own_steps = _own_steps(tuple(values))
    shares = _shares(_steps(others), own_steps)
    found = zip(values, _densities(others, values), own_steps, strict=True)
    return {value: len(known) * density * shares[own] for value, density, own in found}


def _densities(others: FloatArray, values: Sequence[float]) -> list[float]:
    """Returns the share of numbers per unit at each value: of a normal curve, or of those near."""
    width = float(others.std()) or 1.0
    mean = float(others.mean())
    away = np.abs(others - np.array(values)[:, np.newaxis])
    near = np.mean(away <= width / 4, axis=1) / (width / 2)
    normal = [
        np.exp(-0.5 * ((value - mean) / width) ** 2) / (np.sqrt(2 * np.pi) * width)
        for value in values
    ]
    return np.maximum(normal, near).tolist()


def _steps(numbers: FloatArray) -> FloatArray:
    """Returns the step `[N]` of which each number is a multiple: 1, 0.1, 0.01 and so on."""
    steps = np.full(len(numbers), 10.0**-_MOST_DECIMALS)
    for decimals in range(_MOST_DECIMALS, -1, -1):
        scaled = numbers * 10.0**decimals
        steps[np.abs(scaled - np.round(scaled)) < _TOLERANCE] = 10.0**-decimals
    return steps


@cache
def _own_steps(values: tuple[float, ...]) -> list[float]:
    """Returns the step of which each value is a multiple: they are the same for all columns."""
    return _steps(np.array(values)).tolist()


def _shares(steps: FloatArray, own_steps: Iterable[float]) -> dict[float, float]:
    """Returns the mean length of number line that is rounded to a value, by the value's step.

    A tenth of all numbers has a decimal less than was measured, and a tenth of these.
    """
    finest = -np.log10(steps.min())
    return {
        own: float(steps[steps <= own * 1.5].sum() / len(steps) / (0.9 * finest + 1))
        for own in set(own_steps)
    }
