"""How the columns of people's tables of satellites and of neighbours are understood, in words.

Which columns are used follows from the same functions that read the tables, and what they
warn of and refuse is said as they say it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy import units
from astropy.table import Table

from halomass.observed.host_neighbours import Neighbours
from halomass.observed.milky_way import read_satellites
from halomass.observed.neighbour_columns import (
    ENVIRONMENT_COLUMNS,
    KPC,
    MASS_COLUMNS,
    NAME,
    NEIGHBOUR_COLUMNS,
    with_logarithms_in_msun,
)
from halomass.observed.neighbour_counts import check_neighbour_count, neighbour_need
from halomass.observed.neighbour_tables import read_neighbours
from halomass.observed.placeholders import file_numbers
from halomass.observed.plain_table import PlainTable
from halomass.observed.satellite_columns import (
    BRIGHTNESS_COLUMNS,
    ERROR_COLUMNS,
    SATELLITE_COLUMNS,
    measured,
    not_needed,
)
from halomass.observed.satellite_table import SUN_MAGNITUDE
from halomass.observed.survival import SatelliteSelection, select_satellites
from halomass.observed.velocity_errors import error_columns
from halomass.systems import RADIUS, FloatArray
from orrery.tables.columns import UnderstoodColumn, understand
from orrery.tables.opening import OpenedFile
from orrery.tables.reading import read_table
from orrery.tables.reports import ColumnReport
from orrery.tables.titles import divided, spellings

# No star has so many Msun, nor is as bright: most galaxies have more, but for the faintest.
_STARS_END = 3.5  # [dex(solMass)]
_LARGEST = 15.0  # [dex(solMass)] of any halo
_FEW = 0.05  # of a table's rows, which may have such a number for no value
_GALACTIC = {
    "l": ("l", "glon", "gal_l", "l_gal"),
    "b": ("b", "glat", "gal_b", "b_gal"),
}
# Any of these is of what is seen from the Sun, whatever its places are called.
_FROM_THE_SUN = ({"ra", "dec"}, {"l", "b"}, {"v_los"}, {"pm_ra"}, {"pm_dec"})
_PLACE = ({"x", "y", "z"}, {"r"})
_VELOCITY = ({"vx", "vy", "vz"}, {"v_r", "v_t"})

_COMPARED = "only tells whether two rows are one satellite"
_LEARNED = "only tells whether networks have learned as large ones"
_SATELLITE_MEANINGS = {
    "name": "what it is called",
    "ra": "right ascension",
    "dec": "declination",
    "distance": "distance from the Sun",
    "distance_modulus": "distance modulus without extinction",
    "v_los": "heliocentric line-of-sight velocity",
    "pm_ra": "proper motion along right ascension, times cos(dec)",
    "pm_dec": "proper motion along declination",
    "log_m_star": "log10 of the stellar mass",
    "m_v": "absolute magnitude in V, from which the stellar mass is",
    "v0": "apparent magnitude in V without extinction: with the distance, the stellar mass",
}
_NEIGHBOUR_MEANINGS = {
    "name": "what it is called",
    "log_m_star": "log10 of the stellar mass",
    "m_star": "stellar mass",
    "log_m_peak": "log10 of the largest mass that its halo had",
    "m_peak": "largest mass that its halo had",
    "log_m": "log10 of its halo's mass",
    "m": "mass of its halo",
    "r": "distance from the host's centre",
    **dict.fromkeys("xyz", "place relative to the host"),
    "v_r": "radial velocity relative to the host",
    "v_t": "tangential velocity relative to the host",
    **dict.fromkeys(("vx", "vy", "vz"), "velocity relative to the host"),
    "vmax": "largest circular velocity",
    "v_peak": "largest one that it ever had",
    "v_infall": "largest circular velocity when it fell in",
    "distance_larger": "distance of the nearest larger halo",
    "distance_cluster": "distance of the nearest cluster",
}
_CRITERIA: Mapping[str, set[str]] = {
    "infall": {"vmax", "v_infall"},
    "peak_velocity": {"vmax", "v_peak"},
    "peak_mass": {"vmax", "log_m_peak", "m_peak"},
    "bound_mass": {"log_m", "m", "log_m_peak", "m_peak"},
}
"""The columns by which a subhalo counts as stripped, by the criterion."""


def is_satellite_table(table: Table) -> bool:
    """Returns whether a table, as read, is one of galaxies as seen from the Sun.

    They have places on the sky, and more stars in them than a star: those in the columns
    of stellar masses or magnitudes.

    Example:
        >>> seen = {"ra_deg": [10.0], "dec_deg": [-40.0], "vlos_kms": [-120.5]}
        >>> is_satellite_table(Table(seen | {"M_V": [-8.0]}))
        True
        >>> is_satellite_table(Table(seen | {"M_V": [0.6]}))
        False
    """
    names = _quantities(table)
    if not {"ra", "dec"} <= set(names) or not _has_galaxies(table):
        return False
    return "v_los" in names or not _has_orbits(names)


def is_neighbour_table(table: Table) -> bool:
    """Returns whether a table, as read, is one of what is around a host, relative to it.

    Example:
        >>> is_neighbour_table(Table({"x": [50.0], "y": [9.0], "z": [1.0], "m_star": [1e7]}))
        True
        >>> is_neighbour_table(Table({"ra": [10.0], "dec": [9.0], "z": [1.0], "vx": [1.0]}))
        False
    """
    names = set(_quantities(table))
    if any(seen <= names for seen in _FROM_THE_SUN):
        return _has_orbits(names) and "v_los" not in names and _has_galaxies(table)
    if any(one <= names for one in ({"x", "y", "z"}, *_VELOCITY)):
        return True
    return _has_galaxies(table)


def satellite_report(path: Path | str) -> ColumnReport:
    """Returns how each column of a satellites' table is understood, and if it can be used.

    Raises:
        ValueError: If the file is damaged, or two columns say the same.
        OSError: If it cannot be read.
    """
    file = OpenedFile.read(path)
    table = with_logarithms_in_msun(read_table(file))
    lines = [f"{file.name}: satellites as seen from the Sun, {len(table)} rows"]
    for column in _satellite_columns(table, file.name):
        meaning = _SATELLITE_MEANINGS.get(measured(column.quantity or ""), "")
        if "_error" in (column.quantity or ""):
            meaning = f"error of the {meaning}: {_COMPARED}"
        lines.append(column.line(meaning))
    try:
        found = read_satellites(path)
    except ValueError as error:
        return ColumnReport(tuple(lines), str(error))
    counts = found.counts
    beyond = len(table) - int(counts.get("missing", 0)) - len(found)
    far = f"; beyond {RADIUS:g} kpc: {beyond}" if beyond else ""
    usable = f"{len(found)} of {len(table)} rows can be used{far}"
    return _with_need((*lines, *_found_lines(found), usable), found)


def neighbour_report(path: Path | str) -> ColumnReport:
    """Returns how each column of a neighbours' table is understood, and if it can be used.

    Raises:
        ValueError: If the file is damaged, or two columns say the same.
        OSError: If it cannot be read.
    """
    file = OpenedFile.read(path)
    table = read_table(file)
    columns = _neighbour_columns(table, file.name)
    head = f"{file.name}: neighbours of a host, {len(table)} rows"
    try:
        needless = _reasons(PlainTable.of(table, file.name))
        found = read_neighbours(path)
    except ValueError as error:
        lines = [_neighbour_line(column, {}) for column in columns]
        return ColumnReport((head, *lines), str(error))
    lines = [_neighbour_line(column, needless) for column in columns]
    about = (*_found_lines(found), *_host_lines(found))
    usable = f"{len(found)} of {len(table)} rows can be used"
    return _with_need((head, *lines, *about, usable), found)


def _host_lines(found: Neighbours) -> Iterator[str]:
    """Yields what the host is, and whether its values are a simulation's."""
    if found.of_simulation:
        yield (
            "with masses of halos it is taken for a simulation's true values: "
            "`orrery halo-mass --values observed` takes it for observed ones"
        )
    # warnings have lines of their own
    rest = {key: value for key, value in found.provenance.items() if key != "warnings"}
    yield replace(found, provenance=rest).summary


def _neighbour_line(column: UnderstoodColumn, needless: Mapping[str, str]) -> str:
    quantity = column.quantity or ""
    if column.used and quantity in needless:
        column = replace(column, note=f"not used, {needless[quantity]}")
    meaning = _NEIGHBOUR_MEANINGS.get(measured(quantity), "")
    if "_error" in quantity:
        meaning = f"error of the {meaning}: {_LEARNED}"
    return column.line(meaning)


def _with_need(lines: tuple[str, ...], found: Neighbours) -> ColumnReport:
    """Returns the report of what a reader has found, which may be too few neighbours."""
    try:
        check_neighbour_count(len(found), found.table)
    except ValueError as error:
        return ColumnReport(lines, str(error))
    return ColumnReport((*lines, neighbour_need(len(found))))


def _found_lines(found: Neighbours) -> Iterator[str]:
    """Yields what was found to be no value, and what the reader warns of."""
    for entry in found.provenance.get("missing", ()):
        none = f"{entry['rows']} rows have no {entry['quantity']} ({entry['rule']})"
        yield f"{entry['column']}: {none}"
    yield from (f"warning: {warning}" for warning in found.warnings)


def _satellite_columns(table: Table, file: str) -> list[UnderstoodColumn]:
    # the first brightness that is there is used
    first, second, third = (d.quantity for d in BRIGHTNESS_COLUMNS)
    needless = not_needed(table, file)
    described = [
        (d, measured(d.quantity)) for d in (*SATELLITE_COLUMNS, *ERROR_COLUMNS)
    ]
    words = {"source": "its words are kept as references"}
    for description, what in described:
        if what in needless:
            words |= dict.fromkeys(description.names, needless[what])
    understood = understand(
        table,
        (*(d for d, what in described if what not in needless), NAME),
        file,
        words,
        (((first,), (second, third)), ((second,), (third,))),
    )
    errors = {d.quantity for d in ERROR_COLUMNS}
    return [
        replace(column, note="not used, because nobody says its unit")
        if column.used and column.unit is None and column.quantity in errors
        else column
        for column in understood
    ]


def _neighbour_columns(table: Table, file: str) -> list[UnderstoodColumn]:
    described = (*NEIGHBOUR_COLUMNS, *error_columns(table), NAME)
    # what descriptions have as documented is here assumed where nobody says a unit
    return [
        replace(column, unit_source="nobody: assumed")
        if column.unit_source and not column.is_said
        else column
        for column in understand(with_logarithms_in_msun(table), described, file)
    ]


def _reasons(plain: PlainTable) -> dict[str, str]:
    """Returns why columns that are understood are of no use, by what they hold."""
    names = set(plain.columns)
    found = _needless_orbits(names)
    try:
        chosen = select_satellites(plain)
    except ValueError:
        return found  # the reader says it itself
    return found | _needless_masses(plain, chosen) | _said_elsewhere(plain, chosen)


def _needless_orbits(names: set[str]) -> dict[str, str]:
    placed, radial = {"x", "y", "z"} <= names, {"v_r", "v_t"} <= names
    found: dict[str, str] = {}
    if placed:
        found["r"] = "because x, y, z are there"
    if radial:
        why = "but compared with v_r and v_t, which are there"
        alone = "because v_r and v_t are there"
        found |= dict.fromkeys(("vx", "vy", "vz"), why if placed else alone)
    elif placed:
        found |= dict.fromkeys(("v_r", "v_t"), "because the other of both is not there")
    if not placed and "r" in names:
        found |= dict.fromkeys("xyz", "because not all three are there")
    return found


def _needless_masses(plain: PlainTable, chosen: SatelliteSelection) -> dict[str, str]:
    """Returns why columns of masses and velocities of halos neither rank nor cut neighbours."""
    ranks = chosen.mass.removeprefix("peak mass of ").rpartition(": median stellar")
    ranking = ranks[0] or chosen.mass
    used = {name for name, title in plain.columns.items() if title == ranking}
    used |= _CRITERIA.get(chosen.selection.get("criterion", ""), set())
    peak = plain.first("log_m_peak", "m_peak")
    used |= {peak} if peak else set()  # those with small ones are left out
    found = {}
    for better, other in (
        ("log_m_star", "m_star"),
        ("log_m_peak", "m_peak"),
        ("log_m", "m"),
    ):
        if better in plain.columns:
            found[other] = f"because {plain.columns[better]} is there"
    others = [d.quantity for d in MASS_COLUMNS] + ["v_peak", "v_infall"]
    cut = chosen.selection.get("survival")
    by = f", and stripped ones are known by {cut}" if cut else ""
    why = f"because neighbours are ranked by {ranking}{by}"
    return {name: why for name in others if name not in used} | found


def _said_elsewhere(plain: PlainTable, chosen: SatelliteSelection) -> dict[str, str]:
    """Returns which columns of surroundings are of no use, since the metadata say them."""
    criterion = _CRITERIA.get(chosen.selection.get("criterion", ""), set())
    keys = {*plain.table.meta, *plain.meta("environment")}
    said = {name for names in spellings([*map(str, keys)]).values() for name in names}
    return {
        described.quantity: "because the table's metadata say it"
        for described in ENVIRONMENT_COLUMNS
        if said & {*described.names} and described.quantity not in criterion
    }


def _quantities(table: Table) -> dict[str, str]:
    """Returns the titles of columns by what their names say that they hold."""
    # a name of both, such as `distance`, is that of a satellite's
    described = (*NEIGHBOUR_COLUMNS, *SATELLITE_COLUMNS)
    named = {name: d.quantity for d in described for name in d.names}
    named |= {name: axis for axis, names in _GALACTIC.items() for name in names}
    found: dict[str, str] = {}
    for title, names in spellings(table.colnames).items():
        known = next((named[name] for name in names if name in named), None)
        if known is not None:
            found.setdefault(known, title)
    return found


def _has_orbits(names: Collection[str]) -> bool:
    """Returns whether there are places and velocities relative to a host."""
    return all(
        any(one <= set(names) for one in several) for several in (_PLACE, _VELOCITY)
    )


def _has_galaxies(table: Table) -> bool:
    """Returns whether some rows have more mass, or are brighter, than any star."""
    for masses in _log_masses(table):
        known = masses[(masses >= 0) & (masses <= _LARGEST)]
        if np.count_nonzero(known > _STARS_END) > _FEW * len(known):
            return True
    return False


def _log_masses(table: Table) -> Iterator[FloatArray]:
    """Yields log10 of masses `[N]` [Msun] by each column that says them; NaN where it does not."""
    titles = _quantities(table)
    numbers = {name: file_numbers(table[title]) for name, title in titles.items()}
    for description in MASS_COLUMNS:
        name = description.quantity
        if name in titles:
            logs = name.startswith("log_")
            # none below zero has a logarithm
            positive = np.where(numbers[name] > 0, numbers[name], np.nan)
            yield numbers[name] if logs else np.log10(positive)
    if "m_v" in titles:
        yield (SUN_MAGNITUDE - numbers["m_v"]) / 2.5
    modulus = numbers.get("distance_modulus")
    if "distance" in titles:
        distance = _in_kpc(table, titles["distance"], numbers["distance"])
        modulus = 5 * np.log10(np.where(distance > 0, distance, np.nan)) + 10
    if "v0" in titles and modulus is not None:
        yield (SUN_MAGNITUDE - numbers["v0"] + modulus) / 2.5


def _in_kpc(table: Table, title: str, numbers: FloatArray) -> FloatArray:
    """Returns distances `[N]` [kpc]; NaN if nothing says their unit, or it is none."""
    said = table[title].unit or divided(title)[1]
    try:
        return np.asarray(numbers * units.Unit(said).to(KPC))
    except (TypeError, ValueError, units.UnitsError):
        return np.full(len(numbers), np.nan)
