"""Numbers that stand in small tables where there is no value: -999, 99.0 and their kind.

In a table of a few dozen rows no number is frequent, so that what gives such a number
away are the decimals of the others: among numbers with four of them, no measurement ends
in four zeros and in 99 or 999 before these.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from astropy.table import Column, Table

from halomass.systems import FloatArray
from orrery.parameters import BoolArray
from orrery.tables.cleaning import CleanedColumns
from orrery.tables.missing import MissingCount
from orrery.tables.number_words import SENTINELS

FindNone = Callable[[str, FloatArray, BoolArray], Iterable[tuple[str, BoolArray]]]
"""Yields by which rule which of N numbers are none: of a quantity, as the file has them, and
which of these are still known."""

_FEWEST = 5  # others, whose decimals can say anything
_FEWEST_DIGITS = 3  # that are one: of 44 such numbers none is measured
_MOST_WHOLE = 0.3  # of the others, among which such a number is usual
_WORTH_SAYING = 0.005  # of all tables
_LARGE = 990.0  # [km/s] beyond which such a number is no neighbour's velocity


def placeholders(numbers: FloatArray, velocities: bool = True) -> BoolArray:
    """Returns which numbers `[N]` stand for no value.

    Arguments:
        numbers: As the file has them `[N]`.
        velocities: Whether they are velocities [km/s], of which no neighbour has 999.
            Where others have two decimals, none is exactly 0 either.

    Example:
        >>> placeholders(np.array([61.22, -140.51, 8.03, -99.0, 33.74, 12.97]))
        array([False, False, False,  True, False, False])
    """
    exact = suspects(numbers)
    if velocities:
        exact = exact | (numbers == 0)
    certain = exact & (np.abs(numbers) > _LARGE) if velocities else np.zeros_like(exact)
    return np.asarray(exact if _have_decimals(numbers[~exact]) else certain)


def suspects(numbers: FloatArray) -> BoolArray:
    """Returns which numbers `[N]` often stand for no value, though they may be measured.

    Example:
        >>> suspects(np.array([99.0, -999.0, 98.0]))
        array([ True,  True, False])
    """
    return np.isin(np.abs(numbers), SENTINELS)


def repeated_digits(numbers: FloatArray) -> BoolArray:
    """Returns which of N numbers are one digit again and again, where others have decimals.

    Example:
        >>> repeated_digits(np.array([61.22, -140.51, 8.03, -777.0, 33.74, 12.97]))
        array([False, False, False,  True, False, False])
    """
    alike = np.array([_is_one_digit(number) for number in numbers], dtype=bool)
    others = numbers[~alike & np.isfinite(numbers)]
    whole = len(others) < _FEWEST or np.mean(others == np.round(others)) > _MOST_WHOLE
    return np.zeros_like(alike) if whole else alike


def _is_one_digit(number: float) -> bool:
    digits = f"{abs(number):.10g}".replace(".", "")
    return len(digits) >= _FEWEST_DIGITS and len(set(digits)) == 1 and digits != "inf"


def _have_decimals(numbers: FloatArray) -> bool:
    """Returns whether most numbers have two decimals or more, so that round ones are rare."""
    known = numbers[np.isfinite(numbers)]
    if len(known) < _FEWEST:
        return False
    tenths = 10 * known
    return bool(np.mean(np.abs(tenths - np.round(tenths)) > 1e-6) > 0.5)


def without_placeholders(
    cleaned: CleanedColumns, table: Table, velocities: Container[str]
) -> CleanedColumns:
    """Returns the numbers of a table without those that stand for no value, which are counted.

    Arguments:
        cleaned: The numbers.
        table: The columns as they are in the file.
        velocities: Which quantities are velocities [km/s].
    """

    def find(
        quantity: str, raw: FloatArray, known: BoolArray
    ) -> Iterator[tuple[str, BoolArray]]:
        found = known & placeholders(raw, quantity in velocities)
        if found.any():
            yield f"{raw[found][0]:g} and its like", found

    return without_found(cleaned, table, find)


def without_found(
    cleaned: CleanedColumns, table: Table, find: FindNone
) -> CleanedColumns:
    """Returns the numbers of a table without those that are found to be none, which are counted.

    Arguments:
        cleaned: The numbers.
        table: The columns as they are in the file.
        find: Which numbers of a column are none.
    """
    values = dict(cleaned.values)
    counts = list(cleaned.counts)
    for column in cleaned.understood:
        quantity = column.quantity
        if quantity not in values or not column.used:
            continue
        raw = file_numbers(table[column.title])
        for rule, rows in find(quantity, raw, np.isfinite(values[quantity])):
            values[quantity] = np.where(rows, np.nan, values[quantity])
            count = int(rows.sum())
            counts.append(
                MissingCount(column.title, quantity, rule, count, len(raw), "value")
            )
    return replace(cleaned, values=values, counts=tuple(counts))


def look_up(found: Sequence[str], share: float = 0.0) -> list[str]:
    """Returns a warning of numbers that may stand for no value; nothing if there are none.

    Arguments:
        found: Which numbers, in words.
        share: Of such tables, that have such a number by chance.

    Example:
        >>> look_up(["vx of 'A' is 99"])
        ["vx of 'A' is 99: such numbers often stand for no value; look them up"]
        >>> look_up(["vx of 'A' is 99.9"], 0.08)[0][32:]
        'often stand for no value, though 8 % of such tables have one by chance; look them up'
    """
    by_chance = f", though {share:.0%} of such tables have one by chance"
    chance = by_chance.replace("%", " %") if share >= _WORTH_SAYING else ""
    numbers = f"such numbers often stand for no value{chance}; look them up"
    return [f"{', '.join(found)}: {numbers}"] if found else []


def file_numbers(column: Column) -> FloatArray:
    """Returns the numbers of a column as they are in the file `[N]`; NaN for what is none.

    Example:
        >>> file_numbers(Column(["12.5", "--"]))
        array([12.5,  nan])
    """
    try:
        return np.ma.filled(np.ma.asarray(column).astype(float), np.nan)
    except ValueError:
        return np.array([_float(word) for word in column])


def _float(word: object) -> float:
    try:
        return float(str(word))
    except ValueError:
        return np.nan
