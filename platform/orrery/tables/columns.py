"""What columns of a table mean: each is described once, and recognised by its many names.

A description is data: a quantity, its unit, the numbers that it can have, what people
call it, and what follows where there is no number. Whoever brings a table is told of
each column how it was understood.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from astropy import units
from astropy.table import Table

from orrery.tables import titles
from orrery.tables.coordinate_systems import Frame
from orrery.tables.duplicates import are_identifiers
from orrery.tables.repeated_values import Ties
from orrery.tables.unit_names import understood_unit

# Who may say the unit of a column, besides the survey that has defined it.
_FILE, _TITLE = "the file", "its title"

Consequence = Literal["row", "value", "table"]
_FORMS = {"ivar": "inverse variance", "variance": "variance"}


@dataclass(frozen=True)
class ColumnDescription:
    """A column that a table may have.

    Arguments:
        quantity: What it holds, in the science's words, such as `v_los`.
        unit: In which the numbers are wanted.
        names: What people call it, in small letters and without units.
        documented: The units of those names whose survey has defined it, for files that
            do not say it.
        lower: The smallest number that can be, in `unit`.
        upper: The largest.
        ordered: Whether several such columns say the same, and the first name counts.
        fallbacks: Names among them that count only where no other is there.
        words: Whether it holds words or identifiers, which are no numbers.
        identifies: Whether these tell rows apart, and `integers` if they are integers;
            a column that does not is another one, whatever its title says.
        wraps: Whether it is an angle around a circle, in degrees.
        sexagesimal: Whether it may be written as `12:34:56`: in hours or degrees.
        frame: Of which coordinates it is one, if it is a position or a proper motion.
        consequence: What follows where a row has no number: the row is dropped, only
            this value is unknown, or the table is refused.
        needed: Whether a table with too many rows without a number is refused.
        either_sign: Whether all numbers may be negative instead, as lower errors are written.
        zero_is_none: Whether exactly zero stands for nothing, as among logarithms of masses.
        ties: Which exactly equal numbers it has, see `repeated_values`.
        meaning: In words, for people.

    Example:
        >>> rv = ColumnDescription("v_los", titles.KM_S, ("rv", "vlos"), upper=1500.0)
        >>> rv.range
        'up to 1500 km / s'
    """

    quantity: str
    unit: units.UnitBase
    names: tuple[str, ...]
    documented: Mapping[str, units.UnitBase] = field(default_factory=dict)
    lower: float = -np.inf
    upper: float = np.inf
    ordered: bool = False
    fallbacks: tuple[str, ...] = ()
    words: bool = False
    identifies: Literal["integers", "words"] | None = None
    wraps: bool = False
    sexagesimal: Literal["hours", "degrees"] | None = None
    frame: Frame | None = None
    consequence: Consequence = "value"
    needed: bool = False
    either_sign: bool = False
    zero_is_none: bool = False
    ties: Ties = "many"
    meaning: str = ""

    @property
    def range(self) -> str:
        """The numbers that can be, in words."""
        # that of a plain number is called nothing
        unit = f" {self.unit}".rstrip() if self.unit else ""
        if np.isfinite(self.lower) and np.isfinite(self.upper):
            return f"{self.lower:g} to {self.upper:g}{unit}"
        if np.isfinite(self.upper):
            return f"up to {self.upper:g}{unit}"
        return f"from {self.lower:g}{unit}"

    def with_errors(
        self, upper: float, others: Mapping[str, units.UnitBase] | None = None
    ) -> tuple["ColumnDescription", ...]:
        """Returns this description, and those of its errors: one for both sides, or two.

        Their quantities end in `_error`, `_error_below` and `_error_above`.

        Arguments:
            upper: The largest error that can be, in `unit`.
            others: Names of errors for both sides that follow from no name of the quantity,
                and the units that their survey has defined.
        """
        return (
            self,
            self._errors("_error", "both", upper, others or {}),
            self._errors("_error_below", "below", upper, {}),
            self._errors("_error_above", "above", upper, {}),
        )

    def squared_errors(self, upper: float) -> tuple["ColumnDescription", ...]:
        """Returns the descriptions of errors as inverse variances, and as variances.

        Their quantities end in `_error_ivar` and `_error_variance`; columns that do not
        say their unit have that of the quantity.

        Arguments:
            upper: The largest error that can be, in `unit`.

        Example:
            >>> rv = ColumnDescription("v_los", titles.KM_S, ("rv",))
            >>> ivar, variance = rv.squared_errors(500.0)
            >>> variance.range, "rv_ivar" in ivar.names
            ('0 to 250000 km2 / s2', True)
        """
        # zero, with which surveys say that nothing is known, is below the least
        return (
            self._squares("ivar", -2, upper**-2, np.inf),
            self._squares("variance", 2, 0.0, upper**2),
        )

    def _squares(
        self, form: str, power: int, lower: float, upper: float
    ) -> "ColumnDescription":
        names = titles.error_names(self.names, form)
        unit = self.unit**power
        return ColumnDescription(
            f"{self.quantity}_error_{form}",
            unit,
            names,
            # no title could say the unit: it is that of the quantity
            dict.fromkeys(names, unit),
            lower=lower,
            upper=upper,
            ties="errors",
            meaning=f"{_FORMS[form]} of the {self.meaning}" if self.meaning else "",
        )

    def _errors(
        self,
        ending: str,
        side: str,
        upper: float,
        others: Mapping[str, units.UnitBase],
    ) -> "ColumnDescription":
        return ColumnDescription(
            f"{self.quantity}{ending}",
            self.unit,
            (*titles.error_names(self.names, side), *others),
            {**self._documented_errors(side), **others},
            lower=0.0,
            upper=upper,
            fallbacks=titles.error_names(self.fallbacks, side),
            ties="errors",
            either_sign=side == "below",
            meaning=f"error of the {self.meaning}" if self.meaning else "",
        )

    def _documented_errors(self, side: str) -> dict[str, units.UnitBase]:
        return {
            error: unit
            for name, unit in self.documented.items()
            for error in titles.error_names([name], side)
        }


@dataclass(frozen=True)
class UnderstoodColumn:
    """How one column of a table was understood.

    Arguments:
        title: Its title in the file.
        quantity: What it holds; None if that is not known.
        unit: In which its numbers are; None if nothing says so.
        unit_source: Who says so.
        note: Why it is not used; empty if it is.

    Example:
        >>> print(UnderstoodColumn("RV", "v_los", titles.KM_S, "the file"))
        RV: v_los [km / s, says the file]
        >>> print(UnderstoodColumn("teff", None, None, "", "not understood"))
        teff: not understood
    """

    title: str
    quantity: str | None
    unit: Any
    unit_source: str
    note: str = ""

    @property
    def used(self) -> bool:
        """Whether its numbers are used."""
        return self.quantity is not None and not self.note

    @property
    def is_said(self) -> bool:
        """Whether this table itself says the unit."""
        return self.unit_source in (_FILE, _TITLE)

    def __str__(self) -> str:
        if self.quantity is None:
            return f"{self.title}: {self.note}"
        if self.unit is None:
            unit = "no unit"
        elif self.unit == units.dimensionless_unscaled:
            unit = "no unit wanted"
        else:
            unit = f"{self.unit}, says {self.unit_source}"
        note = f"; {self.note}" if self.note else ""
        return f"{self.title}: {self.quantity} [{unit}]{note}"

    def line(self, meaning: str) -> str:
        """Returns its line in a report of columns.

        Arguments:
            meaning: What such a column holds, in words; empty if nobody says.

        Example:
            >>> column = UnderstoodColumn("RV", "v_los", titles.KM_S, "the file")
            >>> column.line("velocity")
            '  RV: v_los [km / s, says the file] (velocity)'
        """
        return f"  {self}" + (f" ({meaning})" if meaning else "")


def understand(
    table: Table,
    descriptions: Sequence[ColumnDescription],
    where: str,
    unused: Mapping[str, str] | None = None,
    superseded: Sequence[tuple[Sequence[str], Sequence[str]]] = (),
) -> tuple[UnderstoodColumn, ...]:
    """Returns how each column of a table is understood, in the table's order.

    Arguments:
        table: As read.
        descriptions: Of the columns that it may have.
        where: The file's name, for messages.
        unused: Names that are recognised and of no use, with the reason.
        superseded: Where all of the first quantities are there, the second ones and their
            errors are not used; an error may itself be such a one.

    Raises:
        ValueError: If two columns say the same.

    Example:
        >>> rv = ColumnDescription("v_los", titles.KM_S, ("rv", "vlos"))
        >>> table = Table({"rv_kms": [1.0], "teff": [5000.0]})
        >>> [str(one) for one in understand(table, [rv], "stars.csv")]
        ['rv_kms: v_los [km / s, says its title]', 'teff: not understood']
    """
    spelled = titles.spellings(table.colnames)
    named = {name: d for d in descriptions for name in d.names}
    others = _no_identifiers(table, spelled, named)
    chosen: dict[str, tuple[tuple[int, int], str]] = {}
    for title, names in spelled.items():
        place, description = _match(names, named)
        if description is None or title in others:
            continue
        rank = (place, _order(names[place], description))
        best = chosen.get(description.quantity)
        if best is not None and best[0] == rank:
            raise ValueError(
                f"{where}: columns {[best[1], title]} all give {description.quantity}: keep one"
            )
        if best is None or rank < best[0]:
            chosen[description.quantity] = (rank, title)
    found = (
        _understood(table, title, names, named, chosen, unused or {})
        if title not in others
        else UnderstoodColumn(title, None, None, "", others[title])
        for title, names in spelled.items()
    )
    better = _superseded(chosen, superseded)
    return tuple(_second_choice(column, better) for column in found)


def _no_identifiers(
    table: Table,
    spelled: Mapping[str, Sequence[str]],
    named: Mapping[str, ColumnDescription],
) -> dict[str, str]:
    """Returns the columns that are called as identifiers and are none, and why, by title."""
    found = {}
    for title, names in spelled.items():
        description = _match(names, named)[1]
        if description is None or description.identifies is None:
            continue
        if not are_identifiers(table[title], description.identifies == "integers"):
            found[title] = f"not used: its values are no {description.meaning}"
    return found


def _superseded(
    chosen: Mapping[str, tuple[tuple[int, int], str]],
    rules: Sequence[tuple[Sequence[str], Sequence[str]]],
) -> dict[str, str]:
    """Returns for each quantity that is not used the title of a better one."""
    return {
        quantity: chosen[better[0]][1]
        for better, others in rules
        if set(better) <= set(chosen)
        for quantity in chosen
        if {quantity, quantity.partition("_error")[0]} & {*others}
    }


def _second_choice(
    column: UnderstoodColumn, better: Mapping[str, str]
) -> UnderstoodColumn:
    if not column.used or column.quantity is None or column.quantity not in better:
        return column
    return replace(column, note=f"not used, because {better[column.quantity]} is there")


def _match(
    names: Sequence[str], known: Mapping[str, ColumnDescription]
) -> tuple[int, ColumnDescription | None]:
    """Returns the plainest name that is known, by its place among the names."""
    for place, name in enumerate(names):
        if name in known:
            return place, known[name]
    return len(names), None


def _order(name: str, description: ColumnDescription) -> int:
    if description.ordered:
        return description.names.index(name)
    return int(name in description.fallbacks)


def _understood(
    table: Table,
    title: str,
    names: Sequence[str],
    known: Mapping[str, ColumnDescription],
    chosen: Mapping[str, tuple[tuple[int, int], str]],
    unused: Mapping[str, str],
) -> UnderstoodColumn:
    place, description = _match(names, known)
    if description is None:
        reason = next((unused[name] for name in names if name in unused), None)
        note = "not understood" if reason is None else f"recognised, not used: {reason}"
        return UnderstoodColumn(title, None, None, "", note)
    unit, source = _unit(table[title].unit, title, names[place], description)
    other = chosen[description.quantity][1]
    note = "" if other == title else f"not used, because {other} gives it"
    return UnderstoodColumn(title, description.quantity, unit, source, note)


def _squared_unit(said: Any, description: ColumnDescription) -> Any:
    """Returns the unit that is said of errors, where a column has their squares."""
    # in brackets, as it is; what nobody knows has no squares
    if isinstance(said, str | units.UnrecognizedUnit):
        return said
    powers = (said**power for power in (2, -2))
    return next((p for p in powers if p.is_equivalent(description.unit)), said)


def _unit(
    given: Any, title: str, name: str, description: ColumnDescription
) -> tuple[Any, str]:
    """Returns the unit of a column's numbers, and who says so; None if nobody does."""
    if description.words:
        return units.dimensionless_unscaled, ""
    titled = titles.divided(title)[1]
    for said, source in ((given, _FILE), (titled, _TITLE)):
        if said is not None:
            found = understood_unit(said, description.unit)
            # one that is not understood is told of where its numbers are read
            return found or _squared_unit(said, description), source
    if name in description.documented:
        return description.documented[name], "its name, as surveys use it"
    if description.unit == units.dimensionless_unscaled:
        return description.unit, ""
    return None, ""
