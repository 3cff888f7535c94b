"""Positions in six or seven columns, `RAh RAm RAs DE- DEd DEm DEs`, as journals print them."""

from collections.abc import Sequence

import numpy as np
from astropy import units
from astropy.table import Column, MaskedColumn, Table

from orrery.parameters import FloatArray
from orrery.tables.coordinate_systems import keep_system
from orrery.tables.number_words import as_number, plain_word

_RA = ("RAh", "RAm", "RAs")
_DEC = ("DE-", "DEd", "DEm", "DEs")
_SEXAGESIMAL = 60.0


def joined_angles(table: Table, where: str) -> Table:
    """Returns a table whose angles in parts are one column each, called as all parts together.

    Seconds may be left out, of both. Other tables are returned as they are, and so are
    declinations without a column for the sign, which that of -0 degrees would lack.

    Arguments:
        table: As read.
        where: The file's name, for messages.

    Raises:
        ValueError: If a part is no number, or a minute or second is not below 60.

    Example:
        >>> table = Table({"DE-": ["-"], "DEd": [0], "DEm": [30], "DEs": [36.0]})
        >>> joined = joined_angles(table, "t.csv")
        >>> joined.colnames, joined["DE- DEd DEm DEs"][0]
        (['DE- DEd DEm DEs'], np.float64(-0.51))
    """
    for names, unit in ((_RA, units.hourangle), (_DEC, units.deg)):
        parts = [name for name in names if name in table.colnames]
        if parts not in ([*names], [*names[:-1]]):
            continue
        sign = _signs(table[parts[0]], where) if parts[0] == "DE-" else 1.0
        numbers = [_numbers(table[name], where) for name in parts if name != "DE-"]
        joined = Column(
            sign * _whole(numbers, parts, where), " ".join(parts), unit=unit
        )
        keep_system(table, parts[0], joined)
        place = table.colnames.index(parts[0])
        table = table.copy(copy_data=False)
        table.remove_columns(parts)
        table.add_column(joined, index=min(place, len(table.colnames)))
    return table


def _cells(column: Column) -> list[str]:
    masked = np.ma.getmaskarray(column)
    cells = zip(column, masked, strict=True)
    return ["" if is_masked else plain_word(cell) for cell, is_masked in cells]


def _signs(column: Column | MaskedColumn, where: str) -> FloatArray:
    signs = {"-": -1.0, "+": 1.0, "": 1.0}
    cells = _cells(column)
    wrong = next((i for i, cell in enumerate(cells) if cell not in signs), None)
    if wrong is not None:
        raise ValueError(
            f"{where}: column {column.name!r}: row {wrong + 1} has {cells[wrong][:40]!r}, which "
            "is no sign: write + or -"
        )
    return np.array([signs[cell] for cell in cells])


def _numbers(column: Column | MaskedColumn, where: str) -> FloatArray:
    found = np.full(len(column), np.nan)
    for row, cell in enumerate(_cells(column)):
        number = as_number(cell)
        if number is None:
            raise ValueError(
                f"{where}: column {column.name!r}: row {row + 1} has {cell[:40]!r}, which is no "
                "number: mend it, or leave it empty"
            )
        found[row] = number
    return found


def _whole(
    numbers: Sequence[FloatArray], parts: Sequence[str], where: str
) -> FloatArray:
    """Returns angles `[N]` from their parts, each `[N]`, in the unit of the first."""
    found = numbers[0].copy()
    for place, part in enumerate(numbers[1:], start=1):
        # rounding makes seconds of 60
        wrong = (part < 0) | (part > _SEXAGESIMAL)
        if wrong.any():
            row = int(wrong.argmax())
            name = parts[len(parts) - len(numbers) + place]
            raise ValueError(
                f"{where}: column {name!r}: row {row + 1} has {part[row]:g}, not 0 to 60: mend it"
            )
        found = found + part / _SEXAGESIMAL**place
    return found
