"""A table of the Milky Way's satellites as seen from the Sun, with what is no value taken out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from astropy import units
from astropy.table import Table

from halomass.observed import neighbour_columns
from halomass.observed.chance_numbers import doubts_of
from halomass.observed.neighbour_columns import KMS, KPC, NAME
from halomass.observed.placeholders import look_up, suspects, without_placeholders
from halomass.observed.satellite_columns import (
    BRIGHTNESS_COLUMNS,
    ERROR_COLUMNS,
    LARGEST_LOG_STARS,
    MASYR,
    MEASURED,
    PLAIN_BRIGHTNESS,
    PLAIN_DISTANCE,
    PLAIN_TITLES,
    SATELLITE_COLUMNS,
    SATELLITES_DIFFER_IN,
    SMALLEST_LOG_STARS,
    contradicting_moduli,
    measured,
    not_needed,
)
from halomass.observed.shared_numbers import without_shared
from halomass.observed.spelling import row_names
from halomass.observed.unmeasured_columns import (
    LEAVE_OUT,
    check_copies,
    check_differs,
)
from halomass.systems import FloatArray
from orrery.parameters import BoolArray
from orrery.tables.angles import looks_like_hours, looks_like_radians
from orrery.tables.cleaning import CleanedColumns, clean_columns
from orrery.tables.columns import ColumnDescription, understand
from orrery.tables.duplicates import ComparedValues, repeated_places
from orrery.tables.error_columns import both_sides

SUN_MAGNITUDE = 4.83  # absolute, in V

# Below these all satellites together are not: numbers are in another unit.
_NEAREST = 10.0  # [kpc]
_SLOWEST = 5.0  # [km/s] seen from the Sun, which itself moves faster across the halo
_KMS_AT_KPC = float((MASYR * KPC).to(KMS, equivalencies=units.dimensionless_angles()))
_FEWEST = 3  # satellites that say it
# So many are spread over the sky, and some are further away [kpc] than distance moduli are.
_SEVERAL = 5
_MODULI = (14.0, 27.0)
_CLOSEST = 3.0  # [kpc] and no single one is: all that are known are beyond 10

_CALLED = {
    "ra": "right ascensions",
    "dec": "declinations",
    "distance": "distances",
    "v_los": "velocities along the line of sight",
    "pm_ra": "proper motions",
    "pm_dec": "proper motions",
}

# Two rows that are one satellite, whatever they are called: so near each other on the sky,
# and as far and fast but for what two papers differ by.
_SAME_PLACE = 0.1  # [deg]
_NEAR_PLACE = (
    0.3  # [deg] within which centres differ where one is of few stars: a doubt
)
_SAME_DISTANCE = 0.1  # of it
_SAME_VELOCITY = 15.0  # [km/s]


@dataclass(frozen=True, eq=False)
class SatelliteTable:
    """The satellites of a table.

    Arguments:
        names: What the N satellites are called.
        values: By `MEASURED`, numbers `[N]` [deg, deg, kpc, km/s, mas/yr, mas/yr]; NaN
            where there is no value.
        log_m_star: log10 of their stellar masses `[N]` [Msun]; NaN where unknown.
        brightness: The title of the column that these are from.
        cleaned: What was found in the columns.
        table: As it was read.
        columns: By what is known, the title of its column.

    Example:
        >>> row = {"name": ["A"], "ra_deg": [1.0], "dec_deg": [2.0], "dist_kpc": [90.0]}
        >>> row |= {"vlos_kms": [-999.0], "pmra_masyr": [0.1], "pmdec_masyr": [0.0]}
        >>> seen = SatelliteTable.of(Table(row | {"M_V": [-8.0]}), "a.csv")
        >>> seen.incomplete, seen.gaps(0)
        (array([ True]), 'vlos_kms = -999.0')
    """

    names: tuple[str, ...]
    values: dict[str, FloatArray]
    log_m_star: FloatArray
    brightness: str
    cleaned: CleanedColumns
    table: Table
    columns: dict[str, str]

    @classmethod
    def of(cls, table: Table, file: str) -> "SatelliteTable":
        """Returns the satellites of a table.

        Arguments:
            table: As it was read.
            file: Its name.

        Raises:
            ValueError: If columns are missing or in other units, positions are in hours or
                radians, or a satellite is there twice.
        """
        table = neighbour_columns.with_logarithms_in_msun(table)
        cleaned = clean_columns(
            table,
            _described(table, file),
            file,
            pairs=(("ra", "dec"), ("pm_ra", "pm_dec")),
        )
        cleaned = without_placeholders(cleaned, table, ("v_los",))
        cleaned = without_shared(cleaned, table, SATELLITES_DIFFER_IN)
        understood = (*understand(table, [NAME], file), *cleaned.understood)
        columns = {c.quantity: c.title for c in understood if c.quantity and c.used}
        if "distance_modulus" in columns:
            cleaned = _with_distances(cleaned)
            columns["distance"] = columns["distance_modulus"]
        _check_columns(columns, file)
        values = {name: cleaned.values[name] for name in MEASURED}
        names = row_names(table[columns["name"]])
        log_m_star, brightness = _log_m_star(cleaned, columns)
        found = cls(names, values, log_m_star, brightness, cleaned, table, columns)
        found._check_measured(file)
        found._check_angles(file)
        found._check_units(file)
        found._check_repetition(file)
        # only now: where all are as near, a unit is wrong
        near = values["distance"] < _CLOSEST
        values = {**values, "distance": np.where(near, np.nan, values["distance"])}
        return replace(found, values=values)

    @property
    def incomplete(self) -> BoolArray:
        """Which satellites `[N]` lack a value."""
        numbers = np.stack([*self.values.values(), self.log_m_star])
        return np.asarray(np.isnan(numbers).any(axis=0))

    @property
    def not_used(self) -> list[str]:
        """The titles of columns of which nothing is used."""
        errors = (description.quantity for description in ERROR_COLUMNS)
        used = {self.columns.get(name) for name in ("name", *MEASURED, *errors)}
        used |= {self.brightness, "source"}
        return [title for title in self.table.colnames if title not in used]

    @property
    def references(self) -> list[str]:
        """What the column `source` says, each once."""
        if "source" not in self.table.colnames:
            return []
        return sorted({str(source) for source in self.table["source"]})

    def gaps(self, row: int) -> str:
        """Returns which columns have no value in a row, and what stands there instead."""
        titles = [
            self.columns[name] for name in MEASURED if np.isnan(self.values[name][row])
        ]
        if np.isnan(self.log_m_star[row]):
            titles.append(self.brightness)
        return ", ".join(f"{title} = {self.table[title][row]}" for title in titles)

    def doubts(self, rows: Sequence[int]) -> list[str]:
        """Returns a warning of numbers that may stand for no value, if some rows have any."""
        titles = [self.columns[name] for name in MEASURED[2:]]
        doubts = doubts_of(self.table, titles, self.names, rows)
        title, distance = self.columns["distance"], self.values["distance"]
        return [
            *doubts,
            *look_up(self._without_light(rows)),
            *self._one_place(),
            *contradicting_moduli(self.table, title, distance),
        ]

    def _without_light(self, rows: Sequence[int]) -> list[str]:
        """Returns whose magnitude is exactly zero, as it hardly ever is."""
        used = next(
            d.quantity for d in BRIGHTNESS_COLUMNS if d.quantity in self.columns
        )
        zero = self.cleaned.values[used] == 0
        return [
            f"{self.brightness} of {self.names[row]!r} is 0"
            for row in rows
            if zero[row]
        ]

    def far_doubts(self, rows: Iterable[int]) -> list[str]:
        """Returns a warning of distances of far satellites that may stand for no value."""
        distance = self.values["distance"]
        title = self.columns["distance"]
        return look_up(
            [
                f"{title} of {self.names[row]!r} is {distance[row]:g}"
                for row in rows
                if suspects(distance[row])
            ]
        )

    def _one_place(self) -> list[str]:
        """Returns a warning of satellites that are at one place, if there are any."""
        one = self._pairs((), _SAME_PLACE)
        near = [
            pair
            for pair in self._pairs(self._compared(), _NEAR_PLACE)
            if pair not in one
        ]
        said = {
            "at one place on the sky": one,
            f"within {_NEAR_PLACE:g} deg of each other, at one distance and velocity": near,
        }
        return [
            f"{', '.join(pairs)} are {where}: if they are one satellite, leave one of them out"
            for where, pairs in said.items()
            if pairs
        ]

    def _pairs(self, compared: Sequence[ComparedValues], radius: float) -> list[str]:
        """Returns which satellites are near an earlier one on the sky, and agree with it."""
        ra, dec = (np.radians(self.values[name]) for name in ("ra", "dec"))
        again = repeated_places(ra, dec, compared, radius=radius)
        return [
            f"{self.names[_nearest(ra, dec, row)]} and {self.names[row]}"
            for row in np.flatnonzero(again).tolist()
        ]

    def _compared(self) -> tuple[ComparedValues, ...]:
        distance = self.values["distance"]
        relative = self._errors("distance") / distance
        return (
            ComparedValues(np.log(distance), relative, _SAME_DISTANCE),
            ComparedValues(self.values["v_los"], self._errors("v_los"), _SAME_VELOCITY),
        )

    def _check_measured(self, file: str) -> None:
        """Refuses what all satellites have in common, and copies of columns."""
        written = {**self.values}
        if "distance_modulus" in self.columns:
            written["distance"] = self.cleaned.values["distance_modulus"]
        for name, called in _CALLED.items():
            without = f"give its values: a table without {called} cannot be used"
            check_differs(written[name], self.columns[name], file, without)
        light = next(d for d in BRIGHTNESS_COLUMNS if d.quantity in self.columns)
        remedy = f"{LEAVE_OUT}, if another says the light"
        numbers = self.cleaned.values[light.quantity]
        check_differs(numbers, self.brightness, file, remedy)
        check_copies(self.values, self.columns, MEASURED, file)

    def _check_angles(self, file: str) -> None:
        ra = self.values["ra"]
        dec = self.values["dec"]
        titles = self.columns["ra"], self.columns["dec"]
        known = dec[np.isfinite(dec)]
        if len(known) >= _SEVERAL and (np.abs(known) <= np.pi / 2).all():
            raise ValueError(
                f"{file}: all declinations in {titles[1]} are within {np.pi / 2:.3f} of 0: are "
                "these radians? call the column dec_rad"
            )
        if looks_like_radians(ra, dec):
            raise ValueError(
                f"{file}: all positions in {titles[0]} and {titles[1]} are within 6.3 times 3.2: "
                "are these radians? call the columns ra_rad and dec_rad"
            )
        if looks_like_hours(ra, dec):
            raise ValueError(
                f"{file}: all {len(ra)} right ascensions of column {titles[0]} are below 24, the "
                f"largest is {np.nanmax(ra):g}: are these hours? call the column ra_hours"
            )

    def _check_units(self, file: str) -> None:
        """Refuses what all satellites have in common with numbers in another unit."""
        distance = self.values["distance"]
        self._check_moduli(file, distance[np.isfinite(distance)])
        across = np.hypot(self.values["pm_ra"], self.values["pm_dec"])
        for name, sizes, least, what in (
            ("distance", distance, _NEAREST, "kpc: are these Mpc?"),
            (
                "v_los",
                np.abs(self.values["v_los"]),
                _SLOWEST,
                "km/s: are they redshifts?",
            ),
            (
                "pm_ra",
                _KMS_AT_KPC * distance * across,
                _SLOWEST,
                "km/s across the sky: are proper motions in arcsec/yr?",
            ),
        ):
            known = sizes[np.isfinite(sizes)]
            if len(known) >= _FEWEST and np.max(known) < least:
                raise ValueError(
                    f"{file}: {self.columns[name]} says that no satellite has more than "
                    f"{np.max(known):.3g} {what} name the unit, as in {PLAIN_TITLES[name]}"
                )

    def _check_moduli(self, file: str, known: FloatArray) -> None:
        lower, upper = _MODULI
        inside = (known > lower) & (known < upper)
        given = "distance_modulus" in self.columns
        if len(known) >= _SEVERAL and inside.all() and not given:
            raise ValueError(
                f"{file}: {self.columns['distance']} says that all satellites are within "
                f"{known.min():.3g} to {known.max():.3g} kpc: are these distance moduli? call "
                "the column distance_modulus_mag"
            )

    def _check_repetition(self, file: str) -> None:
        ra, dec = (np.radians(self.values[name]) for name in ("ra", "dec"))
        repeated = repeated_places(ra, dec, self._compared(), radius=_SAME_PLACE)
        if not repeated.any():
            return
        row = int(repeated.argmax())
        earlier = _nearest(ra, dec, row)
        raise ValueError(
            f"{file}: {self.names[earlier]!r} is there twice, once as {self.names[row]!r}: they "
            "have the same place, distance and velocity; leave one of them out"
        )

    def _errors(self, quantity: str) -> FloatArray:
        """Returns errors `[N]`; NaN where they are unknown."""
        found = both_sides(self.cleaned.values, quantity)
        return np.full(len(self.names), np.nan) if found is None else found


def _nearest(ra: FloatArray, dec: FloatArray, row: int) -> int:
    """Returns the row before another one that is nearest to it on the sky."""
    apart = np.hypot((ra[:row] - ra[row]) * np.cos(dec[row]), dec[:row] - dec[row])
    return int(np.nanargmin(apart))


def _described(table: Table, file: str) -> tuple[ColumnDescription, ...]:
    """Returns what a table may have: errors without a unit are as if not there."""
    needless = not_needed(table, file)
    columns, errors = (
        [d for d in several if measured(d.quantity) not in needless]
        for several in (SATELLITE_COLUMNS, ERROR_COLUMNS)
    )
    understood = understand(table, (*columns, *errors), file)
    known = {c.quantity for c in understood if c.used and c.unit is not None}
    return (*columns, *(d for d in errors if d.quantity in known))


def _with_distances(cleaned: CleanedColumns) -> CleanedColumns:
    """Returns columns with distances [kpc], and their errors, from distance moduli."""
    distance = 10 ** (cleaned.values["distance_modulus"] / 5 - 2)
    found = {**cleaned.values, "distance": distance}
    errors = both_sides(cleaned.values, "distance_modulus")
    if errors is not None:
        found["distance_error"] = np.log(10) / 5 * distance * errors
    return replace(cleaned, values=found)


def _check_columns(columns: dict[str, str], file: str) -> None:
    titles = {"name": "name", **PLAIN_TITLES, "distance": PLAIN_DISTANCE}
    missing = [title for name, title in titles.items() if name not in columns]
    if not any(description.quantity in columns for description in BRIGHTNESS_COLUMNS):
        missing.append(PLAIN_BRIGHTNESS)
    if missing:
        raise ValueError(
            f"{file}: no {', '.join(missing)} in this table of satellites: add what is missing; "
            "the unit is a part of the title"
        )


def _log_m_star(
    cleaned: CleanedColumns, columns: dict[str, str]
) -> tuple[FloatArray, str]:
    """Returns log10 of the stellar masses `[N]` [Msun], and the column they are from."""
    what = next(d.quantity for d in BRIGHTNESS_COLUMNS if d.quantity in columns)
    if what == "log_m_star":
        return cleaned.values[what], columns[what]
    magnitude = cleaned.values[what]
    if what == "v0":
        magnitude = magnitude - (5 * np.log10(cleaned.values["distance"]) + 10)
    log_m_star = (SUN_MAGNITUDE - magnitude) / 2.5
    # a magnitude without its sign, or an absolute one that was taken for an apparent one
    possible = (log_m_star >= SMALLEST_LOG_STARS) & (log_m_star <= LARGEST_LOG_STARS)
    return np.where(possible, log_m_star, np.nan), columns[what]
