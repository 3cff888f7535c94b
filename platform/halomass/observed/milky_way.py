"""The Milky Way's satellites as an observer at the Galactic centre would list them.

Sky positions, distances, velocities and proper motions become Galactocentric distances
and velocities, in a frame whose parameters stand here and not in a library's defaults.
The computed table is kept with its provenance, and an experiment reads that:

    python -m halomass.observed.milky_way satellites.csv datasets/observed/milky_way_satellites.ecsv
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import astropy
import numpy as np
from astropy import coordinates, units
from astropy.table import Table

from halomass.observed import neighbour_tables
from halomass.observed.column_titles import KMS, KPC
from halomass.observed.errors import Orbits
from halomass.observed.host_neighbours import HostEnvironment, Neighbours, within_radius
from halomass.systems import FloatArray
from orrery.identity import JSON

DEG = units.deg
MASYR = units.mas / units.yr

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

SUN_MAGNITUDE = 4.83  # absolute, in V
BRIGHTEST = 25


class _Allowed(NamedTuple):
    """The unit of a column, and the smallest and largest value that can be meant."""

    unit: units.UnitBase
    lower: float
    upper: float


_REQUIRED = {
    "ra_deg": _Allowed(DEG, -360.0, 360.0),
    "dec_deg": _Allowed(DEG, -90.0, 90.0),
    "dist_kpc": _Allowed(KPC, 1e-3, 1e4),
    "vlos_kms": _Allowed(KMS, -2e3, 2e3),
    "pmra_masyr": _Allowed(MASYR, -1e3, 1e3),
    "pmdec_masyr": _Allowed(MASYR, -1e3, 1e3),
}
# The first of them that is there is used: those before need less to be assumed.
_BRIGHTNESS = ("log10_Mstar_ML1", "M_V", "V0_mag")


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


def read_satellites(path: Path | str) -> Neighbours:
    """Returns the satellites of a table within 250 kpc, those with the most stars first.

    Stellar masses are for one solar mass per solar luminosity in V. Galaxies that are
    being torn apart, such as the Sagittarius dwarf spheroidal, should not be in the
    table: catalogues of simulated galaxies no longer have them.

    Arguments:
        path: A CSV file with the columns `name`, `ra_deg`, `dec_deg`, `dist_kpc`,
            `vlos_kms`, `pmra_masyr` (times cos dec), `pmdec_masyr`, and
            `log10_Mstar_ML1`, `M_V` or `V0_mag`; a column `source` goes into the
            provenance.

    Raises:
        ValueError: If a column is missing, or a value is missing or impossible.
        OSError: If the file cannot be read.
    """
    path = Path(path)
    table = Table.read(path, format="ascii.csv")
    _check_titles(table, path.name)
    measured = {
        title: _column(table, title, allowed) for title, allowed in _REQUIRED.items()
    }
    found = galactocentric_orbits(
        ra=measured["ra_deg"],
        dec=measured["dec_deg"],
        distance=measured["dist_kpc"],
        v_los=measured["vlos_kms"],
        pm_ra_cosdec=measured["pmra_masyr"],
        pm_dec=measured["pmdec_masyr"],
    )
    log_m_star, brightness = _log_m_star(table)
    provenance = {
        "source": {
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "stellar_mass": f"from {brightness}, one solar mass per solar luminosity in V",
            "references": _references(table),
        },
        "frame": _frame_parameters(),
        "versions": {
            "astropy": astropy.__version__,
            "observed_hosts": neighbour_tables.VERSION,
        },
    }
    names = tuple(str(name) for name in table["name"])
    host = Neighbours(
        "Milky Way", names, found, log_m_star, MILKY_WAY_ENVIRONMENT, provenance
    )
    return within_radius(host)


def _check_titles(table: Table, file: str) -> None:
    missing = [name for name in ("name", *_REQUIRED) if name not in table.colnames]
    if not any(name in table.colnames for name in _BRIGHTNESS):
        missing.append(" or ".join(_BRIGHTNESS))
    if missing or len(table) == 0:
        raise ValueError(
            f"{file}: no {', '.join(missing) or 'rows'} in this table of satellites: add "
            "what is missing; the unit is a part of the title"
        )


def _column(table: Table, title: str, allowed: _Allowed) -> FloatArray:
    try:
        values = np.ma.filled(np.ma.asarray(table[title]).astype(float), np.nan)
    except ValueError as error:
        raise ValueError(
            f"column {title} must hold numbers in {allowed.unit} ({error})"
        ) from None
    # written so that NaN, where a cell is empty, is outside, too
    inside = (values >= allowed.lower) & (values <= allowed.upper)
    wrong = np.flatnonzero(~inside)
    if len(wrong):
        raise ValueError(
            f"satellite {str(table['name'][wrong[0]])!r} has {title} = {values[wrong[0]]}: give a "
            f"value from {allowed.lower:g} to {allowed.upper:g} {allowed.unit}, or leave the "
            "satellite out"
        )
    return np.asarray(values, dtype=np.float64)


def _log_m_star(table: Table) -> tuple[FloatArray, str]:
    """Returns log10 of the stellar masses `[N]` [Msun], and the column they are from."""
    title = next(name for name in _BRIGHTNESS if name in table.colnames)
    if title == "log10_Mstar_ML1":
        return _column(table, title, _Allowed(units.dex(units.Msun), 0.0, 13.0)), title
    magnitude = _column(table, title, _Allowed(units.mag, -30.0, 30.0))
    if title == "V0_mag":
        distance = _column(table, "dist_kpc", _REQUIRED["dist_kpc"])
        magnitude -= 5 * np.log10(distance) + 10
    return (SUN_MAGNITUDE - magnitude) / 2.5, title


def _references(table: Table) -> list[str]:
    return (
        sorted({str(s) for s in table["source"]}) if "source" in table.colnames else []
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
        "table", type=Path, help="satellites as seen from the Sun, a CSV file"
    )
    parser.add_argument(
        "out", type=Path, help="where the computed table goes, an ECSV file"
    )
    options = parser.parse_args(arguments)
    try:
        found = read_satellites(options.table)
        command = f"python -m halomass.observed.milky_way {options.table.name} {options.out.name}"
        about = {**found.provenance, "command": command}
        neighbour_tables.write_neighbours(replace(found, provenance=about), options.out)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"{len(found)} satellites; the brightest: {' '.join(found.names[:BRIGHTEST])}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
