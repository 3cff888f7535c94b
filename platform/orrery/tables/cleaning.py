"""From columns as they are in a file to numbers in our units, with what is no value counted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy import units
from astropy.table import Column, Table

from orrery.identity import JSON
from orrery.parameters import BoolArray, FloatArray
from orrery.tables import angles, titles
from orrery.tables.columns import (
    ColumnDescription,
    UnderstoodColumn,
    understand,
)
from orrery.tables.coordinate_systems import (
    declared_frame,
    declared_system,
    system_in_words,
)
from orrery.tables.missing import MissingCount, missing_values, zero_pairs
from orrery.tables.number_words import SENTINELS, as_number, plain_word
from orrery.tables.options import MOST_MISSING
from orrery.tables.repeated_values import judged_values
from orrery.tables.titles import unit_remedy


@dataclass(frozen=True, eq=False)
class CleanedColumns:
    """The numbers of a table's columns.

    Arguments:
        values: By quantity, `[N]` in its unit; NaN where there is no value.
        counts: Of values that are none, by column and rule.
        understood: How each column of the table was understood.
        words: Words and identifiers by quantity, N each; masked where there is none.
        doubts: Of numbers that may stand for no value, in words.

    Example:
        >>> rv = ColumnDescription("v_los", units.km / units.s, ("rv",), lower=-1500)
        >>> found = clean_columns(Table({"rv_kms": [1.0, -9999.0]}), [rv], "a.csv")
        >>> found.values["v_los"], found.counts[0].rule
        (array([ 1., nan]), 'the sentinel -9999')
    """

    values: Mapping[str, FloatArray]
    counts: tuple[MissingCount, ...]
    understood: tuple[UnderstoodColumn, ...]
    words: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def title(self, quantity: str) -> str:
        """Returns the title of the column that a quantity was read from."""
        return next(
            one.title
            for one in self.understood
            if one.quantity == quantity and one.used
        )

    @property
    def entries(self) -> list[JSON]:
        """The counts as plain JSON."""
        return [count.entry for count in self.counts]


@dataclass
class _Cleaning:
    """What is gathered while one column after another is read."""

    where: str
    length: int
    stated: Mapping[str, Sequence[float]]
    doubts: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    values: dict[str, FloatArray] = field(default_factory=dict)
    counts: list[MissingCount] = field(default_factory=list)

    def drop(self, description: ColumnDescription, rule: str, rows: BoolArray) -> None:
        """Takes the values of some rows `[N]`, and counts them."""
        quantity = description.quantity
        self.values[quantity] = np.where(rows, np.nan, self.values[quantity])
        found = MissingCount(
            self.titles[quantity],
            quantity,
            rule,
            int(rows.sum()),
            self.length,
            description.consequence,
        )
        if description.consequence == "table":
            raise ValueError(
                f"{self.where}: column {found.title!r} has no {quantity} in row "
                f"{int(rows.argmax()) + 1} ({rule}): mend or leave out the row"
            )
        self.counts.append(found)


def clean_columns(
    table: Table,
    descriptions: Sequence[ColumnDescription],
    where: str,
    *,
    pairs: Sequence[tuple[str, str]] = (),
    unused: Mapping[str, str] | None = None,
    superseded: Sequence[tuple[Sequence[str], Sequence[str]]] = (),
    most_missing: float = MOST_MISSING,
    remedy: str = "mend the table",
    missing: Mapping[str, Sequence[float]] | None = None,
) -> CleanedColumns:
    """Returns the numbers of the columns that are understood, in the units of their descriptions.

    Arguments:
        table: As read, with N rows.
        descriptions: Of the columns that it may have.
        where: The file's name, for messages.
        pairs: Quantities that have no value where both are exactly zero.
        unused: Names that are recognised and of no use, with the reason.
        superseded: See `columns.understand`.
        most_missing: The largest share of rows without a value in a needed column.
        remedy: What to do where there are more.
        missing: By a column's title, the numbers that stand for no value there; none of
            its others is taken for one then.

    Raises:
        ValueError: If two columns say the same, one has no unit, another physical unit,
            or no numbers, or is in a coordinate system that is not read, or too many
            values are missing in a needed one.
    """
    stated = missing or {}
    _check_titles(stated, table, where)
    understood = understand(table, descriptions, where, unused, superseded)
    by_quantity = {d.quantity: d for d in descriptions}
    cleaning = _Cleaning(where, len(table), stated)
    words: dict[str, tuple[object, ...]] = {}
    used = [
        (column, by_quantity[column.quantity])
        for column in understood
        if column.used and column.quantity is not None
    ]
    _check_units(table, used, where)
    _check_systems(table, used, where)
    for column, description in used:
        if description.words:
            words[description.quantity] = tuple(table[column.title])
        else:
            _read(cleaning, table, column, description)
    for first, second in pairs:
        if {first, second} <= set(cleaning.values):
            _drop_zeros(cleaning, by_quantity[first], by_quantity[second])
    for description in descriptions:
        if description.needed and description.quantity in cleaning.values:
            _check_share(cleaning, description, most_missing, remedy)
    return CleanedColumns(
        cleaning.values,
        tuple(cleaning.counts),
        understood,
        words,
        tuple(cleaning.doubts),
    )


def _check_titles(
    stated: Mapping[str, Sequence[float]], table: Table, where: str
) -> None:
    unknown = [title for title in stated if title not in table.colnames]
    if unknown:
        raise ValueError(
            f"{where} has no column {', '.join(unknown)} in which numbers could stand for no "
            f"value, only {', '.join(table.colnames)}"
        )


def _check_units(
    table: Table,
    used: Sequence[tuple[UnderstoodColumn, ColumnDescription]],
    where: str,
) -> None:
    """Raises ValueError where nobody says a unit: one for all such columns, not one by one."""
    lacking = [
        f"column {column.title!r} has no unit; wanted {description.unit}: "
        f"{unit_remedy(column.title, description.unit)}"
        for column, description in used
        if column.unit is None and _needs_unit(table[column.title], description, where)
    ]
    if lacking:
        raise ValueError(
            f"{where}: {'; '.join(lacking)}; or give units in the file, as ECSV, FITS and "
            "VOTable can"
        )


def _check_systems(
    table: Table,
    used: Sequence[tuple[UnderstoodColumn, ColumnDescription]],
    where: str,
) -> None:
    """Raises ValueError where a file says that angles are in another system than is read."""
    for column, description in used:
        system = declared_system(table, column.title)
        # Galactic coordinates of old positions are those of new ones
        if description.frame == "equatorial":
            system = system or system_in_words(table, column.title)
        if system and description.frame is not None:
            raise ValueError(
                f"{where}: column {column.title!r} is in {system}, as the file says; read are "
                "ICRS, FK5 at J2000 and Galactic coordinates: turn positions and proper motions "
                "into ICRS, as astropy's SkyCoord(...).icrs does, and write the table anew"
            )
        frame = declared_frame(table, column.title)
        if None not in (frame, description.frame) and frame != description.frame:
            raise ValueError(
                f"{where}: column {column.title!r} is understood as {description.frame}, but "
                f"refers to {frame} coordinates in the file: mend its name or its reference"
            )


def _needs_unit(column: Column, description: ColumnDescription, where: str) -> bool:
    # what holds no numbers is refused for that, and three parts of an angle say their unit
    if column.ndim != 1 or column.dtype.kind in "bmM":
        return False
    return _three_parts(column, description, where) is None


def _three_parts(
    column: Column, description: ColumnDescription, where: str
) -> FloatArray | None:
    """Returns angles `[N]` that are written as `12:34:56`; None where they are not."""
    if column.dtype.kind not in "OUS" or not description.sexagesimal:
        return None
    try:
        return angles.sexagesimal(_as_text(column))
    except ValueError as error:
        raise ValueError(f"{where}: column {column.name!r}: {error}") from None


def _as_text(column: Column) -> list[str]:
    return [str(word) for word in np.ma.filled(column, "")]


def _read(
    cleaning: _Cleaning,
    table: Table,
    column: UnderstoodColumn,
    description: ColumnDescription,
) -> None:
    numbers, unit = _numbers(table[column.title], column, description, cleaning.where)
    sign = _sign(numbers, description)
    raw = sign * numbers
    wanted = description.unit
    try:
        physical = np.asarray(raw * units.Unit(unit).to(wanted))
    except (units.UnitsError, TypeError, ValueError) as error:
        raise ValueError(
            f"{cleaning.where}: column {column.title!r} [{unit}, {table[column.title].dtype}] "
            f"cannot be read as numbers in {wanted}: this is no unit of them; if they are in "
            f"{wanted}, {unit_remedy(titles.divided(column.title)[0], wanted)}"
        ) from error
    cleaning.titles[description.quantity] = column.title
    cleaning.values[description.quantity] = physical
    stated = cleaning.stated.get(column.title)
    if stated is not None:
        stated = [sign * number for number in stated]
    for rule, rows in missing_values(raw, physical, description, stated):
        cleaning.drop(description, rule, rows)
    if stated is None:
        known = np.isfinite(cleaning.values[description.quantity])
        cleaning.doubts += _doubts(column.title, raw[known], description)


def _sign(numbers: FloatArray, description: ColumnDescription) -> int:
    """Returns -1 if what can have either sign is written as negative numbers, else 1."""
    measured = numbers[np.isfinite(numbers) & ~np.isin(np.abs(numbers), SENTINELS)]
    negative = description.either_sign and 2 * np.sum(measured < 0) > len(measured)
    return -1 if negative else 1


def _doubts(
    title: str, numbers: FloatArray, description: ColumnDescription
) -> Iterator[str]:
    for one in judged_values(numbers, description.ties):
        if not one.is_certain:
            found = one.repeated
            number = f"{found.value:.10g}"
            yield (
                f"{title}: {found.rows} of {found.of} rows have exactly {number}, which stands "
                f"out of all others: if it stands for no value, say `--missing {title}={number}`; "
                f"if not, `--missing {title}=none`"
            )


def _numbers(
    column: Column, understood: UnderstoodColumn, wanted: ColumnDescription, where: str
) -> tuple[FloatArray, Any]:
    """Returns a column's numbers `[N]`, NaN where masked, and their unit."""
    if column.ndim != 1:
        raise ValueError(
            f"{where}: column {column.name!r} has {column.shape[1:]} values in each row: give one"
        )
    if column.dtype.kind in "bmM":
        raise ValueError(
            f"{where}: column {column.name!r} holds {column.dtype.name}, which is no number in "
            f"{wanted.unit}: give numbers, or call the column otherwise"
        )
    angle = _three_parts(column, wanted, where)
    if angle is not None:
        if wanted.sexagesimal != "hours":
            return angle, units.deg
        degrees = understood.is_said and understood.unit == units.deg
        try:
            return angle, angles.unit_of_parts(_as_text(column), angle, degrees)
        except ValueError as error:
            name = titles.divided(str(column.name))[0]
            raise ValueError(
                f"{where}: column {column.name!r}: {error}, call it '{name}_deg'"
            ) from None
    hours = wanted.sexagesimal == "hours" and angles.in_hours(understood.unit)
    unit = angles.HOURS if hours else understood.unit
    words = column.dtype.kind in "OUS"
    numbers = _words(column, unit, wanted, where) if words else column
    return np.ma.filled(np.ma.asarray(numbers).astype(float), np.nan), unit


def _words(
    column: Column, unit: Any, wanted: ColumnDescription, where: str
) -> FloatArray:
    """Returns numbers `[N]` that stand among words such as `--`, which are NaN."""
    masked = np.ma.getmaskarray(column)
    found = np.full(len(column), np.nan)
    for row in np.flatnonzero(~masked):
        number = as_number(plain_word(column[row]))
        if number is None:
            form = ", or parts such as 12:34:56.7" if wanted.sexagesimal else ""
            raise ValueError(
                f"{where}: column {column.name!r} [{unit}, {column.dtype}] cannot be read as "
                f"numbers in {wanted.unit}: row {row + 1} has {str(column[row]).strip()[:40]!r}: "
                f"write a plain number{form}, or leave it empty"
            )
        found[row] = number
    return found


def _drop_zeros(
    cleaning: _Cleaning, first: ColumnDescription, second: ColumnDescription
) -> None:
    zeros = zero_pairs(
        cleaning.values[first.quantity], cleaning.values[second.quantity]
    )
    if not zeros.any():
        return
    for description in (first, second):
        cleaning.drop(
            description,
            f"both {first.quantity} and {second.quantity} are exactly zero",
            zeros,
        )


def _check_share(
    cleaning: _Cleaning, description: ColumnDescription, most: float, remedy: str
) -> None:
    quantity = description.quantity
    unknown = np.isnan(cleaning.values[quantity])
    own = [count for count in cleaning.counts if count.quantity == quantity]
    rules = ", ".join(f"{count.rows} {count.rule}" for count in own)
    where = f"{cleaning.where}: column {cleaning.titles[quantity]!r}"
    check_share(where, f"no {quantity} ({rules})", unknown, most, remedy)


def check_share(
    where: str, what: str, rows: BoolArray, most: float, remedy: str
) -> None:
    """Checks that not too many rows of a table have no value.

    Arguments:
        where: The file and the column, for messages.
        what: What these rows have, in words.
        rows: Which rows have none `[N]`.
        most: The largest share of them.
        remedy: What to do where there are more.

    Raises:
        ValueError: If there are more.
    """
    missing = int(rows.sum())
    if missing > most * len(rows):
        raise ValueError(
            f"{where} has {what} in {missing} of {len(rows)} rows, more than {100 * most:g} %: "
            f"{remedy}"
        )
