"""Reads and writes one host's neighbours as a table, in many formats and by many names.

Tables name their columns and units in many ways, but say the same few things: how many
stars a neighbour has, where it is and how it moves relative to the host, and what
surrounds the host.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from halomass import cosmology
from halomass.hosts.options import Criterion
from halomass.observed import host_itself, host_metadata, survival, velocity_errors
from halomass.observed.errors import Orbits
from halomass.observed.host_metadata import (
    check_environment,
    check_lacks_expansion,
    exchanged_distances,
    with_typical,
)
from halomass.observed.host_neighbours import HostEnvironment, Neighbours, within_radius
from halomass.observed.left_out import LeftOut
from halomass.observed.neighbour_columns import ENVIRONMENT_COLUMNS, KMS, KPC
from halomass.observed.placeholders import look_up, suspects
from halomass.observed.plain_table import PlainTable
from halomass.observed.speeds import Speeds
from halomass.systems import LOG_M_PEAK, RADIUS, FloatArray
from orrery.identity import JSON
from orrery.parameters import BoolArray
from orrery.storage import files
from orrery.tables.duplicates import equal_rows
from orrery.tables.opening import OpenedFile
from orrery.tables.options import MOST_MISSING

VERSION = 21  # of observed hosts; raised whenever what is read from a table changes

# What surrounds most hosts of the mock universe [kpc], where nothing is said of it:
# with 25 neighbours these move the mass by less than 0.03 dex.
TYPICAL_ENVIRONMENT = {"distance_larger": 2600.0, "distance_cluster": 17_900.0}

# What two neighbours have never in common.
_PLACE = ("x", "y", "z")
_VELOCITY = ("vx", "vy", "vz")
_MOTION = (*_VELOCITY, "log_m_star", "m_star", "log_m_peak", "m_peak", "log_m", "m")
# So many of a host's halos are heavier than a tenth of the least that hold galaxies.
_HEAVIEST = 10
# By these neighbours are ranked, and not by the masses that are left today.
_RANKED_FIRST = (
    *("m_star", "log_m_star", "m_peak", "log_m_peak"),
    *("v_peak", "v_infall"),
)

_SAME_NUMBER = 0.05  # of it

# What nobody observes.
_OF_HALOS = ("m_peak", "log_m_peak", "m", "log_m", "v_peak", "v_infall")

EXPANSION_ADDED = (
    "the expansion of space was added to its radial velocities, and a table without masses of "
    "halos is an observer's: measured velocities have it; leave --peculiar out"
)

_DECIMALS = 5  # of written kpc, km/s and dex
_COLUMNS = {
    "name": (None, "neighbour"),
    "r": ("kpc", "distance from the host's centre"),
    "v_r": ("km / s", "radial velocity relative to the host, expansion included"),
    "v_t": ("km / s", "tangential velocity relative to the host"),
    "log_m_star": ("dex(solMass)", "log10 of the stellar mass"),
}


def read_neighbours(
    path: Path | str,
    name: str | None = None,
    peculiar: bool = False,
    vmax: float | None = None,
    distance_larger: float | None = None,
    distance_cluster: float | None = None,
    threshold: float = survival.THRESHOLD,
    criterion: Criterion | None = None,
    most_missing: float = MOST_MISSING,
) -> Neighbours:
    """Returns the neighbours within 250 kpc of a host from a plain table: ECSV, CSV, FITS, text.

    There must be a mass: stellar (`log_m_star`, `m_star`), or else of the halo, its
    peak mass (`log_m_peak`, `m_peak`, or `v_peak` in its place) or its present one
    (`log_m`, `m`), which then gets the median stellar mass of such halos; positions
    `x`, `y`, `z` with velocities `vx`, `vy`, `vz`, or else `r`, `v_r` and `v_t`,
    relative to the host. Without a unit in the title, such as `_mpc` or `[km/s]`,
    numbers are in kpc, km/s, Msun. Other common names are known.

    Subhalos that tides have stripped are left out, as in the catalogues that networks
    learn from, wherever columns identify them: `vmax` with `v_infall`, its value at
    infall or at peak mass, or else with `v_peak`, or with a peak mass, or a present with
    a peak mass. So are those whose peak mass is not above 1e8 Msun.

    A neighbour that lacks a value is left out and named in the warnings: where there is
    none, where -9999 or another such number stands for it, where all components of the
    velocity are zero, where it can be none, and where the speed is ten times that of the
    others. Those beyond 250 kpc lack nothing.

    The environment is searched for in the arguments, then in the table's metadata, then
    in columns `vmax` (that of the neighbour with the most stars; one number in all rows
    is the host's, and identifies nobody whom tides have stripped), `distance_larger` and
    `distance_cluster`; where nothing is said of distances, those of typical hosts are
    taken (`TYPICAL_ENVIRONMENT`).

    Arguments:
        path: The table.
        name: The host's; else the metadata's `name`, or the file's.
        peculiar: Whether velocities lack the expansion, which is then added to radial
            ones (today).
        vmax: The largest circular velocity of the most massive satellite [km/s].
        distance_larger: The distance to the nearest halo of larger mass [kpc].
        distance_cluster: The distance to the nearest halo above 1e14 Msun [kpc].
        threshold: V_max over its value at infall, below which a subhalo is left out;
            with 0 none is. Of other criteria it is the equivalent.
        criterion: By what a subhalo is left out; the best that columns allow when None.
        most_missing: The largest share of neighbours that may be left out because they
            lack a value.

    Raises:
        ValueError: If columns or too many values are missing, in other units, a
            neighbour is there twice, or velocities have the expansion that is to be added;
            it says what to do.
        OSError: If the file cannot be read.
    """
    file = OpenedFile.read(path)
    table = _each_once(PlainTable.read(file))
    found = survival.select_satellites(table, threshold, criterion)
    orbits = table.orbits()
    if peculiar:
        orbits = _with_expansion(table, orbits)
    chosen = _Chosen.of(table, found, orbits, most_missing)
    host_itself.check_no_host(table, orbits, found.log_m_star, chosen.counted)
    given = {
        "vmax": vmax,
        "distance_larger": distance_larger,
        "distance_cluster": distance_cluster,
    }
    largest = int(np.argmax(np.where(chosen.counted, found.log_m_star, -np.inf)))
    around, assumed = _environment(table, given, largest)
    warnings = [*found.warnings, *chosen.warnings(table, orbits, found.log_m_star)]
    warnings += [*_said_twice(table, given, largest), *_uncertain(around, given)]
    if peculiar and not set(_OF_HALOS) & set(table.columns):
        warnings.append(EXPANSION_ADDED)
    provenance = {
        **_origin(table, file, peculiar),
        "mass": found.mass,
        "selection": {**found.selection, **chosen.left_out.counts},
        **_notes(table, chosen.left_out, assumed, warnings),
    }
    host = name or str(table.table.meta.get("name", Path(file.name).stem))
    rows = chosen.rows
    names = tuple(table.names()[row] for row in rows)
    kept = orbits.apply(lambda column: column[rows])
    stars = found.log_m_star[rows]
    return within_radius(Neighbours(host, names, kept, stars, around, provenance))


def _with_expansion(table: PlainTable, orbits: Orbits) -> Orbits:
    """Returns orbits with the expansion of space in their radial velocities.

    Raises:
        ValueError: If the table says that it is in them already.
    """
    check_lacks_expansion(table.meta("provenance"), table.file)
    return orbits._replace(v_r=orbits.v_r + cosmology.hubble() * orbits.r)


def _origin(table: PlainTable, file: OpenedFile, peculiar: bool) -> dict[str, object]:
    """Returns what is known of where a table is from, and of what was done to it."""
    before = _provenance_before(table)
    return {
        **before,
        "file": file.name,
        "sha256": file.sha256,
        "expansion_added": peculiar or bool(before.get("expansion_added")),
    }


@dataclass(frozen=True, eq=False)
class _Chosen:
    """Which rows `[N]` of a table count as neighbours, and who lacks a value.

    Arguments:
        rows: Those that are kept, also beyond the largest distance.
        counted: Those of them that are near enough `[N]`.
        speeds: How fast all move.
        left_out: Who lacks a value.
    """

    rows: NDArray[np.intp]
    counted: BoolArray
    speeds: Speeds
    left_out: LeftOut

    @classmethod
    def of(
        cls,
        table: PlainTable,
        found: survival.SatelliteSelection,
        orbits: Orbits,
        most_missing: float,
    ) -> "_Chosen":
        incomplete = np.asarray(found.unknown | np.isnan(orbits).any(axis=0))
        candidates = found.kept & ~(orbits.r > RADIUS)
        speeds = Speeds.of(orbits, candidates & ~incomplete)
        speeds.check_units(table.file)
        incomplete = incomplete | speeds.absurd
        gaps = partial(_gap, table, speeds, found.unknown)
        left_out = LeftOut.among(candidates, incomplete, table.names(), gaps)
        left_out.check(table.file, most_missing)
        rows = np.flatnonzero(found.kept & ~incomplete)
        return cls(rows, candidates & ~incomplete, speeds, left_out)

    def warnings(
        self, table: PlainTable, orbits: Orbits, log_m_star: FloatArray
    ) -> list[str]:
        rows = np.flatnonzero(self.counted).tolist()
        return [
            *self.left_out.warnings,
            *_doubts(table, self.counted),
            *host_itself.near_each_other(table, orbits, log_m_star, rows),
            *velocity_errors.too_large(table.table, log_m_star, rows),
            *self.speeds.doubts(self.counted, table.names()),
        ]


def _each_once(table: PlainTable) -> PlainTable:
    """Returns a table in which no two rows have one velocity and mass, or place, to the last digit.

    Raises:
        ValueError: If there are; it names them.
    """
    for quantities, least, said in (
        (_MOTION, len(_VELOCITY) + 1, "have one velocity and mass"),
        (_PLACE, len(_PLACE), "are at one place"),
    ):
        columns = [
            table.cleaned.values[name] for name in quantities if name in table.columns
        ]
        if len(columns) < least:
            continue
        again = np.flatnonzero(equal_rows(columns))
        if not len(again):
            continue
        second = int(again[0])
        earlier = [column[:second] == column[second] for column in columns]
        first = int(np.all(earlier, axis=0).argmax())
        names = table.names()
        raise ValueError(
            f"{table.file}: {names[first]!r} is there twice, once as {names[second]!r}: both "
            f"{said}, to the last digit; leave one of them out"
        )
    return table


def _gap(table: PlainTable, speeds: Speeds, unknown: BoolArray, row: int) -> str:
    # of who has orbit and mass, what surrounds the host is not asked
    of_host = table.vmax_is_of_host or not unknown[row]
    needless = {d.quantity for d in ENVIRONMENT_COLUMNS} if of_host else ()
    return table.gaps(row, needless) or speeds.in_words(row)


def _notes(
    table: PlainTable, left_out: LeftOut, assumed: list[str], warnings: list[str]
) -> JSON:
    """Returns what a user must know, without what there is nothing to say of."""
    notes: JSON = {
        "environment_assumed": assumed,
        "halo_columns": [table.columns[n] for n in _OF_HALOS if n in table.columns],
        "warnings": warnings,
        "left_out": dict(left_out.gaps),
        "missing": table.cleaned.entries,
    }
    return {key: value for key, value in notes.items() if value}


def _provenance_before(table: PlainTable) -> JSON:
    """Returns what a table says of where it is from, without what is found anew."""
    before = table.meta("provenance")
    return {key: value for key, value in before.items() if key != "environment_assumed"}


def _doubts(table: PlainTable, counted: BoolArray) -> list[str]:
    """Returns warnings of velocities that may stand for no value, or are of another frame."""
    rows = np.flatnonzero(counted).tolist()
    return [
        *table.doubtful(rows),
        *table.drift(rows),
        *host_metadata.doubtful_metadata(table.table),
        *_light(table, counted),
        *survival.mismatched_peaks(table, rows),
    ]


def _light(table: PlainTable, counted: BoolArray) -> list[str]:
    """Returns a warning of masses of halos that may be those of stars: halos have more."""
    if set(_RANKED_FIRST) & set(table.columns):
        return []
    what = next((name for name in ("m", "log_m") if name in table.columns), None)
    if what is None:
        return []
    masses = table.log_masses(what)[counted]
    heaviest = np.sort(masses[np.isfinite(masses)])[::-1][:_HEAVIEST]
    if len(heaviest) < _HEAVIEST or heaviest[-1] >= LOG_M_PEAK - 1:
        return []
    return [
        f"{table.columns[what]} is read as masses of halos, and only {_HEAVIEST - 1} of them "
        f"are above 10^{heaviest[-1]:.1f} Msun: call the column m_star if they are of stars"
    ]


def _environment(
    table: PlainTable, given: Mapping[str, float | None], largest: int
) -> tuple[HostEnvironment, list[str]]:
    """Returns the environment, each number from where it is found first, and what was assumed."""
    found = {
        name: table.around(name, largest) if value is None else value
        for name, value in given.items()
    }
    if found["vmax"] is None:
        raise ValueError(
            f"{table.file} does not say vmax, the largest circular velocity [km/s] of the most "
            "massive satellite: give it in the table's metadata, or as a column"
        )
    before = table.meta("provenance").get("environment_assumed", ())
    unsaid = (name for name in TYPICAL_ENVIRONMENT if given[name] is None)
    assumed = [name for name in unsaid if found[name] is None or name in before]
    for described in ENVIRONMENT_COLUMNS:
        name = described.quantity
        if (value := found[name]) is not None:
            where = f"{table.file}: environment: {name} is {value}"
            check_environment(value, described, where)
    distances = with_typical(found, TYPICAL_ENVIRONMENT)
    return HostEnvironment(found["vmax"], **distances), assumed


def _said_twice(
    table: PlainTable, given: Mapping[str, float | None], largest: int
) -> list[str]:
    """Returns warnings of what metadata say of the host, and a column says otherwise."""
    found = []
    for name in (one for one in given if given[one] is None and one in table.columns):
        stated, number = table.stated(name), float(table.values(name)[largest])
        if stated is None or not np.abs(number / stated - 1) > _SAME_NUMBER:
            continue
        found.append(
            f"{name} is {stated:g} in the metadata, which counts, and {number:g} in column "
            f"{table.columns[name]} of {table.names()[largest]!r}: look up which is right"
        )
    return found


def _uncertain(around: HostEnvironment, given: Mapping[str, float | None]) -> list[str]:
    """Returns warnings of what surrounds the host, if it may stand for no value, or cannot be."""
    found = [
        f"{name} is {value:g}"
        for name, value in vars(around).items()
        if given[name] is None and suspects(np.array([value]))[0]
    ]
    exchanged = exchanged_distances(around.distance_larger, around.distance_cluster)
    return [*look_up(found), *exchanged]


def write_neighbours(table: Neighbours, path: Path | str) -> None:
    """Writes a table as ECSV that `read_neighbours` reads; the file appears whole or not at all.

    Arguments:
        table: The neighbours.
        path: Where; an older file of this name is replaced.
    """
    numbers = (*table.orbits, table.log_m_star)
    # Digits beyond any error would differ between machines.
    columns = [list(table.names), *(np.round(column, _DECIMALS) for column in numbers)]
    meta = {
        "name": table.name,
        "environment": asdict(table.environment),
        "environment_units": {
            f.name: _around_unit(f.name) for f in fields(HostEnvironment)
        },
        "provenance": table.provenance,
    }
    ecsv = Table(columns, names=list(_COLUMNS), meta=meta)
    for name, (unit, description) in _COLUMNS.items():
        ecsv[name].unit = unit
        ecsv[name].description = description
    files.write_ecsv(Path(path), ecsv)


def _around_unit(name: str) -> str:
    return str(KMS if name == "vmax" else KPC)
