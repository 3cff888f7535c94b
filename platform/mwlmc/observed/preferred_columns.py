"""Which of columns that say the same of stars are used: those that have errors, before others.

People add columns that they have computed, such as proper motions along other axes, and
leave their errors out. Without this the errors that were measured would be dropped with
the columns that they belong to.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from mwlmc.observed.star_columns import (
    DESCRIPTIONS,
    PAIRS,
    SUPERSEDED,
    UNUSED,
    WITH_ERRORS,
)
from orrery.parameters import BoolArray, FloatArray
from orrery.tables.cleaning import clean_columns
from orrery.tables.columns import understand
from orrery.tables.error_columns import both_sides

_Rule = tuple[tuple[str, ...], tuple[str, ...]]

_EQUATORIAL, _GALACTIC = PAIRS[2], PAIRS[3]
_FAR_FEWER = 0.5  # times as many stars that have errors
_ABOUT_ALL = 0.9  # of the stars that have a proper motion along other axes


@dataclass(frozen=True, eq=False)
class _Columns:
    """A table's columns, read quantity by quantity.

    Arguments:
        table: As read, with N rows.
        where: The file's name, for messages.
        missing: By a column's title, the numbers that stand for no value there.
    """

    table: Table
    where: str
    missing: Mapping[str, Sequence[float]]

    def quantities(self) -> set[str | None]:
        """Returns what the table has."""
        found = understand(self.table, DESCRIPTIONS, self.where, UNUSED)
        return {column.quantity for column in found if column.used}

    def read(self, quantities: Collection[str]) -> Mapping[str, FloatArray]:
        """Returns the numbers `[N]` of some; none at all if one has no numbers."""
        wanted = [d for d in DESCRIPTIONS if d.quantity in quantities]
        try:
            return clean_columns(
                self.table, wanted, self.where, most_missing=1, missing=self.missing
            ).values
        except ValueError:  # refused by name if it is used
            return {}

    def with_errors(self, quantity: str) -> BoolArray:
        """Returns which rows `[N]` have an error of a quantity, in any form."""
        forms = ("", "_below", "_above", "_ivar", "_variance")
        columns = self.read([f"{quantity}_error{form}" for form in forms])
        found = both_sides(columns, quantity)
        if found is None:
            return np.zeros(len(self.table), dtype=bool)
        return np.isfinite(found)

    def without_squares(self, quantity: str) -> bool:
        """Returns whether there are errors of a quantity that are no squares of them."""
        forms = ("", "_below", "_above")
        columns = self.read([f"{quantity}_error{form}" for form in forms])
        return both_sides(columns, quantity) is not None


def preferred(
    table: Table, where: str, missing: Mapping[str, Sequence[float]] | None = None
) -> tuple[_Rule, ...]:
    """Returns the quantities of a table that are not used where others are there.

    These are `SUPERSEDED`, but no column with errors gives way to one without.

    Arguments:
        table: As read.
        where: The file's name, for messages.
        missing: By a column's title, the numbers that stand for no value there.

    Raises:
        ValueError: If two columns say the same.

    Example:
        >>> table = Table({"distance_kpc": [30.0], "dm": [17.4], "dm_err_mag": [0.1]})
        >>> (("distance",), ("distance_modulus", "parallax")) in SUPERSEDED
        True
        >>> (("distance",), ("parallax",)) in preferred(table, "stars.csv")
        True
    """
    columns = _Columns(table, where, missing or {})
    there = columns.quantities()
    changed = dict(_changes(columns, there))
    rules = [changed.get(better, (better, others)) for better, others in SUPERSEDED]
    return (*rules, *_squares(columns, there))


def _changes(
    columns: _Columns, there: set[str | None]
) -> Iterator[tuple[tuple[str, ...], _Rule]]:
    """Yields the rules that change, by the quantities that are preferred without them."""
    if {*_EQUATORIAL, *_GALACTIC} <= there and _only_equatorial_errors(columns):
        yield _GALACTIC, (_EQUATORIAL, (*_GALACTIC, "pm_l_b_corr"))
    if "distance" not in there:
        return
    if "distance_error" in there and not columns.without_squares("distance"):
        bounds = ("distance", "distance_error")
        yield bounds, (("distance_low", "distance_high"), ("distance_error",))
    no_errors = not columns.with_errors("distance").any()
    bounded = {"distance_low", "distance_high"} <= there
    if no_errors and not bounded and columns.with_errors("distance_modulus").any():
        yield ("distance",), (("distance",), ("parallax",))


def _only_equatorial_errors(columns: _Columns) -> bool:
    values = columns.read((*_EQUATORIAL, *_GALACTIC))
    if not {*_EQUATORIAL, *_GALACTIC} <= set(values):
        return False
    equatorial, galactic = (
        np.isfinite(values[first] + values[second])
        for first, second in (_EQUATORIAL, _GALACTIC)
    )
    if equatorial.sum() < _ABOUT_ALL * galactic.sum():
        return False
    measured = equatorial.copy()
    for quantity in _EQUATORIAL:
        measured &= columns.with_errors(quantity)
    # that of the longitude's motion is of no use
    derived = galactic & columns.with_errors(_GALACTIC[1])
    return bool(derived.sum() < _FAR_FEWER * measured.sum())


def _squares(columns: _Columns, there: set[str | None]) -> Iterator[_Rule]:
    """Yields the squares of errors that are not used, because these themselves are there."""
    for quantity in WITH_ERRORS:
        error = f"{quantity}_error"
        squares = (f"{error}_ivar", f"{error}_variance")
        if not {*squares} & there or not columns.without_squares(quantity):
            continue
        best = error if error in there else f"{error}_below"
        yield (best,), squares
