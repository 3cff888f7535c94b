"""A plain table of neighbours, whose columns are found by what they mean.

What is no value is NaN here: blanks, numbers that stand for nothing, and those that no
neighbour can have. Whoever needs a value leaves the neighbour out, and says so.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.table import Table

from halomass.observed import neighbour_columns
from halomass.observed.chance_numbers import doubts_of
from halomass.observed.columns_of_one import check_lengths
from halomass.observed.errors import Orbits
from halomass.observed.host_metadata import check_environment, stated_number
from halomass.observed.neighbour_columns import (
    DESCRIBED,
    ENVIRONMENT_COLUMNS,
    MASS_COLUMNS,
    NAME,
)
from halomass.observed.placeholders import file_numbers, without_placeholders
from halomass.observed.shared_numbers import without_shared
from halomass.observed.spelling import row_names
from halomass.observed.unmeasured_columns import is_one_number
from halomass.observed.vector_columns import (
    check_projections,
    check_vectors,
    of_one_number,
)
from halomass.systems import RADIUS, FloatArray
from orrery.identity import JSON
from orrery.parameters import BoolArray
from orrery.tables.cleaning import CleanedColumns, clean_columns
from orrery.tables.columns import understand
from orrery.tables.missing import MissingCount
from orrery.tables.opening import OpenedFile
from orrery.tables.reading import read_table

_NEAR = 10.0  # [kpc] all neighbours of no host are as close
_SMALL_LOG_MASS = 5.0  # no table of subhalos ends below: these are other units, or logs
# No galaxy has so few stars in Msun, and none so many in their logarithm.
_SMALL_LOG_STARS = 1.2
_ALIKE = 5  # neighbours at one side of their host, which say nothing if they are fewer
_ASIDE = 5.0  # times as far from the host as from each other, which no neighbours are
_MANY = 8  # neighbours
_NAMED = 5  # in one sentence
# Of the rows, so few of which a subhalo cut by its circular velocity would leave hardly any.
_HARDLY_ANY = 0.2
_DRIFT = 1.5  # times their scatter, with which no neighbours move about a host
_VELOCITIES = tuple(d.quantity for d in neighbour_columns.VELOCITY_COLUMNS)
_CARTESIAN = ("vx", "vy", "vz")
_PLACE = ("x", "y", "z")
_SURROUNDINGS = {d.quantity: d for d in ENVIRONMENT_COLUMNS}


@dataclass(frozen=True, eq=False)
class PlainTable:
    """A table whose columns are found by what they mean.

    Arguments:
        table: The table, with N rows.
        file: Its name.
        columns: By what is known, the title of its column.
        cleaned: By what is known, numbers `[N]` in kpc, km/s, Msun or its logarithm; NaN
            where there is no value.

    Example:
        >>> plain = PlainTable.of(Table({"X_Mpc": [0.05], "Mpeak [Msun]": [1e10]}), "host.csv")
        >>> plain.values("x"), plain.log_masses("m_peak")
        (array([50.]), array([10.]))
    """

    table: Table
    file: str
    columns: Mapping[str, str]
    cleaned: CleanedColumns

    @classmethod
    def read(cls, file: OpenedFile | Path) -> "PlainTable":
        """Returns the table of a file: ECSV, CSV, FITS, text and others.

        Raises:
            ValueError: If it is none, damaged, has no rows or no titles, two titles say
                the same, or a column has no numbers in such a unit.
            OSError: If it cannot be read.
        """
        opened = file if isinstance(file, OpenedFile) else OpenedFile.read(file)
        return cls.of(read_table(opened), opened.name)

    @classmethod
    def of(cls, table: Table, file: str) -> "PlainTable":
        """Returns a table with what its columns mean.

        Raises:
            ValueError: If two titles say the same, or a column has no numbers in such a
                unit.
        """
        table = neighbour_columns.with_logarithms_in_msun(table)
        cleaned = clean_columns(
            table, neighbour_columns.NEIGHBOUR_COLUMNS, file, pairs=(("v_r", "v_t"),)
        )
        cleaned = without_placeholders(cleaned, table, _VELOCITIES)
        cleaned = without_shared(cleaned, table, neighbour_columns.NEIGHBOURS_DIFFER_IN)
        understood = (*cleaned.understood, *understand(table, [NAME], file))
        columns = {c.quantity: c.title for c in understood if c.quantity and c.used}
        return cls(table, file, columns, _without_rest(cleaned, columns))

    def first(self, *names: str) -> str | None:
        """Returns the first of some meanings that there is a column of; None if there is none."""
        return next((name for name in names if name in self.columns), None)

    def names(self) -> tuple[str, ...]:
        """Returns what the rows are called; those that have no name by their number."""
        if "name" not in self.columns:
            return tuple(f"row {i + 1}" for i in range(len(self.table)))
        return row_names(self.table[self.columns["name"]])

    def meta(self, key: str) -> JSON:
        """Returns an entry of the metadata that has entries itself; empty if there is none."""
        found = self.table.meta.get(key, {})
        return dict(found) if isinstance(found, Mapping) else {}

    def values(self, what: str) -> FloatArray:
        """Returns a column as numbers `[N]`, in kpc, km/s or Msun; NaN where there is none.

        Raises:
            ValueError: If there is no such column.
        """
        if what not in self.columns:
            raise ValueError(
                f"{self.file} has no column {' or '.join(DESCRIBED[what].names)}, only "
                f"{', '.join(self.table.colnames)}: rename the column, or add it"
            )
        return self.cleaned.values[what]

    def log_masses(self, what: str) -> FloatArray:
        """Returns a column of masses as log10 `[N]` [Msun]; NaN where there is none.

        Raises:
            ValueError: If all of them are in other units.
        """
        values = self.values(what)
        masses = values if what.startswith("log_") else np.log10(values)
        self._check_masses(what, masses)
        return masses

    def _check_masses(self, what: str, masses: FloatArray) -> None:
        known = masses[np.isfinite(masses)]
        least = {"m_star": _SMALL_LOG_STARS, "log_m_star": -np.inf}
        small = (known < least.get(what, _SMALL_LOG_MASS)).all()
        if len(known) and not small:
            return
        title = self.columns[what]
        unit = "log10 of Msun" if what.startswith("log_") else "Msun"
        row = int(np.nanargmax(masses)) if len(known) else 0
        raise ValueError(
            f"{self.file}: {title} of {self.names()[row]!r} is {self.table[title][row]}, and no "
            f"other is larger: no mass in {unit}; convert the column, or name it log_... if it "
            "holds logarithms"
        )

    def orbits(self) -> Orbits:
        """Returns distances [kpc] and velocities [km/s] relative to the host.

        Raises:
            ValueError: If columns are missing, distances are not in kpc, or positions
                are not relative to the host.
        """
        check_vectors(self.cleaned.values, self.columns, self.file)
        check_lengths(self.cleaned.values, self.columns, self.file)
        found = self._orbits()
        self._check_centre()
        known = found.r[np.isfinite(found.r)]
        if len(known) and (known < _NEAR).all():
            raise ValueError(
                f"{self.file}: all distances from the host are below {_NEAR:g} kpc, the largest is "
                f"{known.max():g}: are these Mpc? name the unit, as in x_Mpc"
            )
        return found

    def _orbits(self) -> Orbits:
        if not {"x", "y", "z"} <= set(self.columns):
            self._check_axes()
            return Orbits(self.values("r"), self.values("v_r"), self.values("v_t"))
        given = {"v_r", "v_t"} <= set(self.columns)
        vectors = set(_CARTESIAN) <= set(self.columns)
        projected = self._projected() if vectors or not given else None
        if not given:
            assert projected is not None
            return projected
        position = np.stack([self.values(axis) for axis in "xyz"])
        r = np.sqrt((position**2).sum(axis=0))
        said = Orbits(r, self.values("v_r"), self.values("v_t"))
        if projected is not None:
            titles = [self.columns[name] for name in ("v_r", "v_t")]
            check_projections(projected, said, titles, self.file)
        return said

    def _projected(self) -> Orbits:
        """Returns orbits from places and velocities along three axes."""
        position = np.stack([self.values(axis) for axis in "xyz"])
        r = np.sqrt((position**2).sum(axis=0))
        # at r = 0 there is no direction; such a row is refused later, by its name
        outward = position / np.where(r > 0, r, 1.0)
        velocity = np.stack([self.values(axis) for axis in _CARTESIAN])
        v_r = (velocity * outward).sum(axis=0)
        across = velocity - v_r * outward
        return Orbits(r, v_r, np.sqrt((across**2).sum(axis=0)))

    def _check_centre(self) -> None:
        if not {"x", "y", "z"} <= set(self.columns):
            return
        place = np.stack([self.values(axis) for axis in "xyz"])
        place = place[:, np.linalg.norm(place, axis=0) <= RADIUS]
        if place.shape[1] < _ALIKE:
            return
        centre = np.median(place, axis=1, keepdims=True)
        apart = float(np.median(np.linalg.norm(place - centre, axis=0)))
        if np.linalg.norm(centre) > _ASIDE * apart:
            words = ", ".join(f"{axis:.5g}" for axis in centre[:, 0])
            raise ValueError(
                f"{self.file}: half of its neighbours are within {apart:.3g} kpc of ({words}), all "
                "on one side of the host: are these places in a box, or Mpc? give them relative "
                "to the host, and name the unit, as in x_mpc"
            )

    def drift(self, rows: Sequence[int]) -> list[str]:
        """Returns a warning if some rows move together, as in a frame that is not the host's."""
        relative = {"v_r", "v_t"} <= set(self.columns)
        if relative or not set(_CARTESIAN) <= set(self.columns) or len(rows) < _MANY:
            return []
        velocity = np.stack([self.values(axis)[rows] for axis in _CARTESIAN])
        common = float(np.linalg.norm(velocity.mean(axis=1)))
        scatter = float(np.sqrt(velocity.var(axis=1).sum()))
        if common <= _DRIFT * scatter:
            return []
        return [
            f"all neighbours together move with {common:.0f} km/s and scatter by {scatter:.0f}: "
            f"are {', '.join(self.columns[axis] for axis in _CARTESIAN)} relative to the host?"
        ]

    def _check_axes(self) -> None:
        titled = ", ".join(self.table.colnames)
        if "r" not in self.columns:
            raise ValueError(
                f"{self.file} has columns {titled}: positions relative to the host must be there "
                "as x, y, z or as r [kpc]"
            )
        radial = {"v_r", "v_t"} <= set(self.columns)
        if not radial and set(_CARTESIAN) <= set(self.columns):
            raise ValueError(
                f"{self.file} has columns {titled}: r does not say where vx, vy, vz point to; add "
                "x, y, z [kpc], or give v_r and v_t [km/s] instead"
            )

    def without_mass(self) -> BoolArray:
        """Returns which rows `[N]` have a number for a mass that is none, such as 0."""
        wrong = np.zeros(len(self.table), np.bool_)
        for description in MASS_COLUMNS:
            if description.quantity in self.columns:
                title = self.columns[description.quantity]
                number = np.isfinite(file_numbers(self.table[title]))
                wrong |= number & np.isnan(self.values(description.quantity))
        return wrong

    def gaps(self, row: int, unneeded: Container[str] = ()) -> str:
        """Returns which columns have no value in a row, and what stands there instead.

        Arguments:
            row: Its number.
            unneeded: What it may lack.
        """
        found = [
            f"{self.columns[what]} = {self.table[self.columns[what]][row]}"
            for what, values in self.cleaned.values.items()
            if np.isnan(values[row]) and what not in unneeded
        ]
        return ", ".join(found)

    def doubtful(self, rows: Iterable[int]) -> list[str]:
        """Returns a warning of velocities that may stand for no value, if some rows have any."""
        titles = [self.columns[what] for what in _VELOCITIES if what in self.columns]
        return doubts_of(self.table, titles, self.names(), rows)

    @property
    def vmax_is_of_host(self) -> bool:
        """Whether a column `vmax` holds the host's one number, and not each neighbour's own.

        It is one number in all rows, or filled in for hardly any neighbour.
        """
        if "vmax" not in self.columns:
            return False
        values = self.values("vmax")
        few = np.isfinite(values).sum() <= _HARDLY_ANY * len(values)
        return bool(few) or is_one_number(values)

    def stated(self, name: str) -> float | None:
        """Returns what the metadata say of the host; None if they do not: see `around`."""
        around = self.meta("environment")
        units_said = self.meta("environment_units")
        for meta, said in ((around, units_said), (self.table.meta, {})):
            number = stated_number(meta, _SURROUNDINGS[name], self.file, said)
            if number is not None:
                return number
        return None

    def around(self, name: str, row: int) -> float | None:
        """Returns what the metadata say of the host, else a column; None if neither does.

        Arguments:
            name: `vmax` [km/s], or a distance [kpc].
            row: Where in the column.

        Raises:
            ValueError: If what is said is no number, or one that surrounds no host.
        """
        stated = self.stated(name)
        if stated is not None or name not in self.columns:
            return stated
        values = self.values(name)
        number = float(values[row])
        if is_one_number(values):  # of the host, whatever this row says
            number = float(np.nanmax(values))
        self._check_filled(name, row, number)
        title = self.columns[name]
        where = (
            f"{self.file}: {title} of {self.names()[row]!r} is {self.table[title][row]}"
        )
        check_environment(number, _SURROUNDINGS[name], where)
        return number

    def _check_filled(self, name: str, row: int, number: float) -> None:
        """Refuses a column whose number is another neighbour's than the one that counts."""
        filled = np.flatnonzero(np.isfinite(self.values(name))).tolist()
        if np.isfinite(number) or not filled or name != "vmax":
            return
        names = self.names()
        who = ", ".join(repr(names[one]) for one in filled[:_NAMED])
        raise ValueError(
            f"{self.file}: {self.columns[name]} is filled in for {who}, and not for "
            f"{names[row]!r}, the most massive satellite: give that one's, or the same in all rows"
        )


def _without_rest(
    cleaned: CleanedColumns, columns: Mapping[str, str]
) -> CleanedColumns:
    """Returns numbers without vectors that none has: of no velocity, or of one number.

    Who is at the origin is left in: it is the host itself, which is refused by its name.
    """
    for axes, what in ((_CARTESIAN, "velocity"), (_PLACE, "position")):
        if not set(axes) <= set(columns):
            continue
        vector = np.stack([cleaned.values[axis] for axis in axes])
        zero = (vector == 0).all(axis=0)
        found = {"exactly zero": zero, "one number": of_one_number(vector) & ~zero}
        if what == "position":
            del found["exactly zero"]
        for said, rows in found.items():
            rule = f"all three components are {said}"
            cleaned = _without_vectors(cleaned, columns, axes, (what, rule), rows)
    return cleaned


def _without_vectors(
    cleaned: CleanedColumns,
    columns: Mapping[str, str],
    axes: tuple[str, ...],
    why: tuple[str, str],
    rows: BoolArray,
) -> CleanedColumns:
    """Returns numbers without some vectors; `why` is what they are, and by which rule."""
    if not rows.any():
        return cleaned
    what, rule = why
    title = ", ".join(columns[axis] for axis in axes)
    count = MissingCount(title, what, rule, int(rows.sum()), len(rows), "value")
    values = {axis: np.where(rows, np.nan, cleaned.values[axis]) for axis in axes}
    return replace(
        cleaned, values={**cleaned.values, **values}, counts=(*cleaned.counts, count)
    )
