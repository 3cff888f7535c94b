"""Numbers that several rows of a small table share, though measurements never meet so often.

Of velocities with two decimals no two are the same; of those to 10 km/s some are. How
many rounding gives is known from the numbers themselves: how dense they are around one,
and how many of them end where it ends. What more rows share was written, not measured.
"""

from collections.abc import Container, Iterator

import numpy as np
from astropy.table import Table
from scipy import special

from halomass.observed.placeholders import without_found
from halomass.systems import FloatArray
from orrery.parameters import BoolArray
from orrery.tables.cleaning import CleanedColumns

_FEWEST_SHARE = 3  # rows; two may be a pair
_FEWEST_OTHERS = 10  # whose density says anything
_AROUND = 8  # others that are nearest, and say how dense they are
_STEPS = np.outer(
    10.0 ** np.arange(3, -10, -1), [1.0, 0.5, 0.25, 0.2]
).ravel()  # of rounding
_EXACT = 1e-9
_USUAL = 1.0  # rows that meet: then numbers are too coarse to tell
_BY_CHANCE = 3e-5  # that as many rows share any number of a column


def shared_numbers(numbers: FloatArray) -> BoolArray:
    """Returns which numbers `[N]` more rows have than their rounding gives.

    Arguments:
        numbers: As the file has them `[N]`; NaN where it has none.

    Example:
        >>> v = np.random.default_rng(0).normal(0, 120, 40).round(1)
        >>> v[[3, 9, 15, 30]] = 50.0
        >>> np.flatnonzero(shared_numbers(v)).tolist()
        [3, 9, 15, 30]
        >>> shared_numbers(10 * np.round(v / 10)).any()
        np.False_
    """
    found = np.zeros(len(numbers), dtype=bool)
    known = np.isfinite(numbers)
    distinct, counts = np.unique(numbers[known], return_counts=True)
    for value in distinct[counts >= _FEWEST_SHARE]:
        rows = numbers == value
        others = numbers[known & ~rows]
        if len(others) < _FEWEST_OTHERS:
            continue
        # as if each of the numbers were the one that the others meet
        expected = _by_rounding(float(value), others)
        chance = special.pdtrc(rows.sum() - 2, expected)
        if expected < _USUAL and len(numbers) * chance < _BY_CHANCE:
            found |= rows
    return found


def _by_rounding(value: float, others: FloatArray) -> float:
    """Returns how many of others `[N]` are expected to be exactly a number, because of rounding."""
    nearest = np.sort(np.abs(others - value))[_AROUND - 1]
    density = _AROUND / max(2 * nearest, np.finfo(float).tiny)
    steps = _STEPS[_ends_at(value, _STEPS)]
    ending = _ends_at(others[:, None], steps).sum(axis=0)
    # one or two end at a large step by chance
    shares = np.where(ending >= _FEWEST_SHARE, ending, 0) / len(others)
    return float(np.max(shares * density * steps, initial=0.0))


def _ends_at(numbers: FloatArray | float, steps: FloatArray) -> BoolArray:
    times = np.abs(numbers / steps)
    off = np.abs(times - np.round(times))
    return np.asarray(off <= _EXACT * np.maximum(times, 1.0))


def without_shared(
    cleaned: CleanedColumns, table: Table, quantities: Container[str]
) -> CleanedColumns:
    """Returns the numbers of a table without those that too many rows share, which are counted.

    Arguments:
        cleaned: The numbers.
        table: The columns as they are in the file.
        quantities: Of which no two rows have the same, but for rounding.
    """

    def find(
        quantity: str, raw: FloatArray, known: BoolArray
    ) -> Iterator[tuple[str, BoolArray]]:
        if quantity not in quantities:
            return
        shared = shared_numbers(np.where(known, raw, np.nan))
        for value in np.unique(raw[shared]):
            rule = f"exactly {value + 0.0:g}, more often than rounding gives"
            yield rule, shared & (raw == value)

    return without_found(cleaned, table, find)
