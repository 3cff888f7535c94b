"""The Milky Way's satellites as an observer at the Galactic centre would list them.

Sky positions, distances, velocities and proper motions become Galactocentric distances
and velocities, in a frame whose parameters stand here and not in a library's defaults.
The computed table is kept with its provenance, and an experiment reads that:

    python -m halomass.observed.milky_way satellites.csv milky_way_satellites.ecsv
"""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import astropy
import numpy as np
from astropy import coordinates, units
from numpy.typing import NDArray

from halomass.observed import neighbour_tables
from halomass.observed.across_sky import AcrossSky
from halomass.observed.errors import Orbits
from halomass.observed.escape import LineOfSight
from halomass.observed.host_neighbours import HostEnvironment, Neighbours, within_radius
from halomass.observed.left_out import LeftOut
from halomass.observed.neighbour_columns import KMS, KPC
from halomass.observed.satellite_columns import DEG, MASYR
from halomass.observed.satellite_table import SatelliteTable
from halomass.observed.speeds import Speeds
from halomass.systems import RADIUS, FloatArray
from orrery.identity import JSON
from orrery.tables.opening import OpenedFile
from orrery.tables.options import MOST_MISSING
from orrery.tables.outputs import check_output
from orrery.tables.reading import read_table

# M31: Li et al. (2021), ApJ 920, 84. The Virgo cluster: Firth et al. (2008), MNRAS 389,
# 1539. The LMC: Kallivayalil et al. (2013), ApJ 764, 161.
MILKY_WAY_ENVIRONMENT = HostEnvironment(
    vmax=91.7, distance_larger=761.0, distance_cluster=17_000.0
)

# What astropy calls v4.0. Centre: Reid & Brunthaler (2004), doi:10.1086/424960.
# Distance: GRAVITY (2018), doi:10.1051/0004-6361/201833718. Velocity: Drimmel & Poggio
# (2018), doi:10.3847/2515-5172/aaef8b. Height: Bennett & Bovy (2019),
# doi:10.1093/mnras/sty2813.
CENTRE = (266.4051, -28.936175)  # [deg], ICRS
CENTRE_DISTANCE = 8.122  # [kpc]
SUN_HEIGHT = 20.8  # [pc]
ASTROPY_SUN_VELOCITY = (12.9, 245.6, 7.78)  # [km/s]

BRIGHTEST = 25
_AWAY = 1e7  # [kpc]


def galactocentric_frame() -> coordinates.Galactocentric:
    """Returns the Galactocentric frame: x from the Sun to the centre, z to the north pole."""
    ra, dec = CENTRE * DEG
    v_x, v_y, v_z = ASTROPY_SUN_VELOCITY * KMS
    return coordinates.Galactocentric(
        galcen_coord=coordinates.ICRS(ra, dec),
        galcen_distance=CENTRE_DISTANCE * KPC,
        z_sun=SUN_HEIGHT * units.pc,
        galcen_v_sun=coordinates.CartesianDifferential(v_x, v_y, v_z),
        roll=0.0 * DEG,
    )


def galactocentric_orbits(
    ra: FloatArray,
    dec: FloatArray,
    distance: FloatArray,
    v_los: FloatArray,
    pm_ra_cosdec: FloatArray,
    pm_dec: FloatArray,
) -> Orbits:
    """Returns Galactocentric distances `[N]` [kpc] and velocities `[N]` [km/s].

    Arguments:
        ra: Right ascensions `[N]` [deg].
        dec: Declinations `[N]` [deg].
        distance: Distances from the Sun `[N]` [kpc].
        v_los: Heliocentric line-of-sight velocities `[N]` [km/s].
        pm_ra_cosdec: Proper motions along right ascension `[N]` [mas/yr].
        pm_dec: Proper motions along declination `[N]` [mas/yr].
    """
    if len(ra) == 0:  # astropy forgets that no satellites have velocities
        return Orbits(ra, ra, ra)
    seen = coordinates.ICRS(
        ra=ra * DEG,
        dec=dec * DEG,
        distance=distance * KPC,
        radial_velocity=v_los * KMS,
        pm_ra_cosdec=pm_ra_cosdec * MASYR,
        pm_dec=pm_dec * MASYR,
    )
    moved = seen.transform_to(galactocentric_frame()).cartesian
    position = moved.without_differentials().xyz.to_value(KPC)
    velocity = moved.differentials["s"].d_xyz.to_value(KMS)
    r = np.linalg.norm(position, axis=0)
    v_r = np.einsum("in,in->n", position, velocity) / r
    return Orbits(r, v_r, np.linalg.norm(velocity - v_r * position / r, axis=0))


def read_satellites(path: Path | str, most_missing: float = MOST_MISSING) -> Neighbours:
    """Returns the satellites of a table within 250 kpc, those with the most stars first.

    Stellar masses are for one solar mass per solar luminosity in V. Galaxies that are
    being torn apart, such as the Sagittarius dwarf spheroidal, should not be in the
    table: catalogues of simulated galaxies no longer have them.

    A satellite that lacks a value is left out and named in the warnings, unless it is
    beyond 250 kpc: where there is none, where -999 or another such number stands for it,
    where both proper motions are zero, where it can be none, where the speed is ten times
    that of the others, and where that along the line of sight would escape. Errors of
    distances and velocities tell whether two rows are one satellite, and nothing else.

    Arguments:
        path: A table with the columns `name`, `ra_deg`, `dec_deg`, `dist_kpc` or
            `distance_modulus` (without extinction),
            `vlos_kms`, `pmra_masyr` (times cos dec), `pmdec_masyr`, and
            `log10_Mstar_ML1`, `M_V` or `V0_mag`; a column `source` goes into the
            provenance. Other common names are known, in other units too.
        most_missing: The largest share of satellites that may be left out because they
            lack a value.

    Raises:
        ValueError: If columns or too many values are missing, or a satellite is there
            twice.
        OSError: If the file cannot be read.
    """
    file = OpenedFile.read(path)
    seen = SatelliteTable.of(read_table(file), file.name)
    distance = _distance_from_centre(seen.values)
    near = ~(distance > RADIUS)
    orbits = _orbits_of(seen.values, np.arange(len(seen.names)))
    speeds = Speeds.of(orbits, near & ~seen.incomplete)
    along = LineOfSight(seen.values["v_los"], _rest_frame(seen.values), distance)
    unbound = near & along.unbound
    incomplete = seen.incomplete | speeds.absurd | unbound

    def reason(row: int) -> str:
        if unbound[row]:
            return seen.gaps(row) or along.in_words(row)
        return seen.gaps(row) or speeds.in_words(row)

    left_out = LeftOut.among(near, incomplete, seen.names, reason)
    left_out.check(file.name, most_missing)
    counted = near & ~incomplete
    across = AcrossSky.of(seen.values, _sun_velocity(), counted)
    across.check(seen.columns, file.name)
    rows = np.flatnonzero(~incomplete)
    warnings = [
        *left_out.warnings,
        *_place_doubts(seen, distance, rows),
        *speeds.doubts(counted, seen.names),
        *along.doubts(np.flatnonzero(counted).tolist(), seen.names),
        *across.doubts(seen.columns),
    ]
    host = Neighbours(
        "Milky Way",
        tuple(seen.names[row] for row in rows),
        _orbits_of(seen.values, rows),
        seen.log_m_star[rows],
        MILKY_WAY_ENVIRONMENT,
        _provenance(file, seen, left_out, warnings),
    )
    return within_radius(host)


def _place_doubts(
    seen: SatelliteTable, distance: FloatArray, rows: NDArray[np.intp]
) -> list[str]:
    """Returns warnings of numbers of some rows that may stand for no value."""
    near = distance[rows] <= RADIUS
    return [*seen.doubts(rows[near].tolist()), *seen.far_doubts(rows[~near])]


def _sun_velocity() -> FloatArray:
    """Returns the Sun's velocity along the axes of ICRS `[3]` [km/s]."""
    zero = np.zeros(3)
    ra, dec = np.array([0.0, 90.0, 0.0]), np.array([0.0, 0.0, 90.0])
    # what is at rest towards the Sun moves with it
    return galactocentric_orbits(ra, dec, zero + _AWAY, zero, zero, zero).v_r


def _provenance(
    file: OpenedFile, seen: SatelliteTable, left_out: LeftOut, warnings: list[str]
) -> JSON:
    notes: JSON = {
        "warnings": warnings,
        "left_out": dict(left_out.gaps),
        "missing": seen.cleaned.entries,
        "not_used": seen.not_used,
        "selection": left_out.counts,
    }
    return {
        "source": {
            "file": file.name,
            "sha256": file.sha256,
            "stellar_mass": f"from {seen.brightness}, one solar mass per solar luminosity in V",
            "references": seen.references,
        },
        "frame": _frame_parameters(),
        "versions": {
            "astropy": astropy.__version__,
            "observed_hosts": neighbour_tables.VERSION,
        },
        **{key: value for key, value in notes.items() if value},
    }


def _distance_from_centre(values: Mapping[str, FloatArray]) -> FloatArray:
    """Returns the distance from the Galactic centre `[N]` [kpc]; NaN where a place is unknown."""
    place = np.stack([values[name] for name in ("ra", "dec", "distance")])
    known = np.flatnonzero(np.isfinite(place).all(axis=0))
    still = {name: np.zeros(place.shape[1]) for name in ("v_los", "pm_ra", "pm_dec")}
    distance = np.full(place.shape[1], np.nan)
    distance[known] = _orbits_of({**values, **still}, known).r
    return distance


def _rest_frame(values: Mapping[str, FloatArray]) -> FloatArray:
    """Returns velocities along the line of sight without the Sun's motion `[N]` [km/s]."""
    still = np.zeros(len(values["ra"]))
    # from so far away the Sun and the centre are at one place
    away = {**values, "distance": still + _AWAY, "pm_ra": still, "pm_dec": still}
    known = np.flatnonzero(np.isfinite(values["ra"] + values["dec"] + values["v_los"]))
    found = np.full(len(still), np.nan)
    found[known] = _orbits_of(away, known).v_r
    return found


def _orbits_of(values: Mapping[str, FloatArray], rows: NDArray[np.intp]) -> Orbits:
    return galactocentric_orbits(
        ra=values["ra"][rows],
        dec=values["dec"][rows],
        distance=values["distance"][rows],
        v_los=values["v_los"][rows],
        pm_ra_cosdec=values["pm_ra"][rows],
        pm_dec=values["pm_dec"][rows],
    )


def _frame_parameters() -> JSON:
    return {
        "name": "Galactocentric, astropy v4.0",
        "centre_icrs_deg": list(CENTRE),
        "centre_distance_kpc": CENTRE_DISTANCE,
        "sun_height_pc": SUN_HEIGHT,
        "sun_velocity_kms": list(ASTROPY_SUN_VELOCITY),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Computes the satellites' orbits and writes them as ECSV; returns the exit status."""
    parser = argparse.ArgumentParser(
        "python -m halomass.observed.milky_way", description=main.__doc__
    )
    parser.add_argument(
        "table", type=Path, help="satellites as seen from the Sun, such as a CSV file"
    )
    parser.add_argument(
        "out", type=Path, help="where the computed table goes, an ECSV file"
    )
    parser.add_argument(
        "--most-missing",
        type=float,
        default=MOST_MISSING,
        help="the largest share of satellites that may be left out for want of a value",
    )
    options = parser.parse_args(arguments)
    try:
        check_output(options.out, options.table)
        found = read_satellites(options.table, options.most_missing)
        names = shlex.join([options.table.name, options.out.name])
        command = f"python -m halomass.observed.milky_way {names}"
        about = {**found.provenance, "command": command}
        neighbour_tables.write_neighbours(replace(found, provenance=about), options.out)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for warning in found.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for entry in found.provenance.get("missing", ()):
        what = f"{entry['rows']} rows have no {entry['quantity']} ({entry['rule']})"
        print(f"{entry['column']}: {what}", file=sys.stderr)
    if unused := found.provenance.get("not_used"):
        print(f"not used: {', '.join(unused)}", file=sys.stderr)
    print(
        f"{len(found)} satellites; the brightest: {' '.join(found.names[:BRIGHTEST])}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
