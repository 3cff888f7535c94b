"""What the columns of a table of satellites mean: each described once, with its many names."""

from collections.abc import Iterator

import numpy as np
from astropy import units
from astropy.table import Table

from halomass.observed.neighbour_columns import DEX, KMS, KPC
from halomass.observed.placeholders import file_numbers
from halomass.systems import FloatArray
from orrery.tables.columns import ColumnDescription, understand
from orrery.tables.titles import spellings

DEG = units.deg
MASYR = units.mas / units.yr

_PM_RA = ("pmra", "pm_ra", "pm_ra_cosdec", "pmra_cosdec", "mu_alpha_cosdec", "mu_ra")
_PM_DEC = ("pmdec", "pm_dec", "pmde", "mu_delta", "mu_dec")
_V_LOS = (
    *("vlos", "v_los", "radial_velocity", "rv", "hrv", "vhelio", "v_helio", "v_h"),
    *("vlos_systemic", "rv_systemic"),
)
_RA = ("ra", "raj2000", "ra_icrs", "ra_j2000")
_DEC = ("dec", "dej2000", "de_icrs", "dec_j2000", "dec_icrs")
# No satellite moves as fast, seen from the Sun: it would not be bound, nor beyond 5 kpc.
_FASTEST = 900.0  # [km/s]
_LARGEST_PROPER_MOTION = 50.0  # [mas/yr]
SMALLEST_LOG_STARS, LARGEST_LOG_STARS = 0.0, 13.0  # [dex(solMass)]

# Units of names that archives have defined; other columns must say theirs.
_ANGLES = (
    ColumnDescription(
        "ra",
        DEG,
        _RA,
        dict.fromkeys(_RA, DEG),
        lower=-360.0,
        upper=360.0,
        ties="none",
        sexagesimal="hours",
        frame="equatorial",
    ),
    ColumnDescription(
        "dec",
        DEG,
        _DEC,
        dict.fromkeys(_DEC, DEG),
        lower=-90.0,
        upper=90.0,
        ties="none",
        sexagesimal="degrees",
        frame="equatorial",
    ),
)
_VELOCITY = ColumnDescription(
    "v_los",
    KMS,
    _V_LOS,
    {"radial_velocity": KMS, "vlos_systemic": KMS, "rv_systemic": KMS},
    lower=-_FASTEST,
    upper=_FASTEST,
    ties="none",
)
_MOTIONS = (
    _VELOCITY,
    ColumnDescription(
        "pm_ra",
        MASYR,
        _PM_RA,
        {"pmra": MASYR},
        lower=-_LARGEST_PROPER_MOTION,
        upper=_LARGEST_PROPER_MOTION,
        ties="none",
        frame="equatorial",
    ),
    ColumnDescription(
        "pm_dec",
        MASYR,
        _PM_DEC,
        {"pmdec": MASYR, "pmde": MASYR},
        lower=-_LARGEST_PROPER_MOTION,
        upper=_LARGEST_PROPER_MOTION,
        ties="none",
        frame="equatorial",
    ),
)
_DISTANCE = ColumnDescription(
    "distance", KPC, ("dist", "distance", "d_sun"), lower=1e-3, upper=1e4, ties="none"
)
_MODULI = (
    *("distance_modulus", "dist_modulus", "distmod", "dist_mod", "dm", "dmod"),
    # what many call mu is a surface brightness in a table of galaxies
    *("mod", "(m_m)0", "(m_m)o", "m_m_0", "m_m"),
)
_DISTANCE_MODULUS = ColumnDescription(
    "distance_modulus",
    units.mag,
    _MODULI,
    dict.fromkeys(_MODULI, units.mag),
    # as far as distances in kpc are
    lower=0.0,
    upper=35.0,
    zero_is_none=True,
    ties="none",
)
# Two columns of one distance differ by more [mag] only where one of them is wrong.
_SAME_MODULUS = 0.3
_MOST_DIFFERENT = 0.2  # of the rows
# The first of them that is there is used: those before need less to be assumed.
BRIGHTNESS_COLUMNS = (
    ColumnDescription(
        "log_m_star",
        DEX,
        ("log10_mstar_ml1",),
        {"log10_mstar_ml1": DEX},
        lower=0.0,
        upper=LARGEST_LOG_STARS,
        zero_is_none=True,
    ),
    ColumnDescription(
        "m_v",
        units.mag,
        ("m_v", "mv"),
        {"m_v": units.mag, "mv": units.mag},
        lower=-30.0,
        upper=30.0,
        ties="none",
    ),
    ColumnDescription("v0", units.mag, ("v0",), lower=-30.0, upper=30.0),
)
SATELLITE_COLUMNS = (
    *_ANGLES,
    _DISTANCE,
    _DISTANCE_MODULUS,
    *_MOTIONS,
    *BRIGHTNESS_COLUMNS,
)
# Errors tell whether two rows are one satellite. Of predictions they are no part: networks
# learn from mock observations with errors of their own.
ERROR_COLUMNS = (
    *_DISTANCE.with_errors(1e3)[1:],
    *_DISTANCE_MODULUS.with_errors(10.0)[1:],
    *_VELOCITY.with_errors(300.0)[1:],
)
PLAIN_TITLES = {
    "ra": "ra_deg",
    "dec": "dec_deg",
    "distance": "dist_kpc",
    "v_los": "vlos_kms",
    "pm_ra": "pmra_masyr",
    "pm_dec": "pmdec_masyr",
}
PLAIN_DISTANCE = "dist_kpc or distance_modulus"
PLAIN_BRIGHTNESS = "log10_Mstar_ML1 or M_V or V0_mag"
MEASURED = tuple(PLAIN_TITLES)
"""What is measured of a satellite, in the order in which orbits are computed from it."""
SATELLITES_DIFFER_IN = frozenset(
    d.quantity for d in SATELLITE_COLUMNS if d.ties == "none"
)
"""Of what no two satellites have exactly the same, but for rounding."""


def not_needed(table: Table, file: str) -> dict[str, str]:
    """Returns which of distances and distance moduli are not used, and why, by quantity.

    Distances need less to be assumed than distance moduli, but a unit.

    Arguments:
        table: As it was read.
        file: Its name.

    Raises:
        ValueError: If two columns are distances.

    Example:
        >>> not_needed(Table({"dist_kpc": [90.0], "dm": [19.8]}), "a.csv")
        {'distance_modulus': 'dist_kpc is there'}
    """
    moduli = modulus_titles(table)
    found = [c for c in understand(table, [_DISTANCE], file) if c.used]
    if not found or not moduli:
        return {}
    if found[0].unit is None:
        return {"distance": f"nobody says its unit, and {moduli[0]} is there"}
    return {"distance_modulus": f"{found[0].title} is there"}


def measured(quantity: str) -> str:
    """Returns a quantity, or of which other one it is the errors.

    Example:
        >>> measured("distance_error_below"), measured("distance")
        ('distance', 'distance')
    """
    return quantity.partition("_error")[0]


def modulus_titles(table: Table) -> list[str]:
    """Returns the titles of columns that are called distance moduli.

    Example:
        >>> modulus_titles(Table({"dist_kpc": [90.0], "DM": [19.8], "m-M": [19.7]}))
        ['DM', 'm-M']
    """
    called = spellings(table.colnames).items()
    return [title for title, names in called if {*names} & {*_MODULI}]


def contradicting_moduli(
    table: Table, title: str, distance: FloatArray
) -> Iterator[str]:
    """Yields which columns of distance moduli contradict the distances.

    Arguments:
        table: As it was read.
        title: Of the column of distances.
        distance: What it says `[N]` [kpc]; NaN where there is no value.
    """
    expected = 5 * np.log10(distance) + 10
    for other in modulus_titles(table):
        if other == title or table[other].dtype.kind not in "fiu":
            continue
        numbers = file_numbers(table[other])
        numbers = np.where(np.abs(numbers) < _DISTANCE_MODULUS.upper, numbers, np.nan)
        known = np.isfinite(numbers + expected)
        apart = np.abs(numbers - expected)[known] > _SAME_MODULUS
        if apart.sum() > _MOST_DIFFERENT * len(apart):
            yield (
                f"{apart.sum()} of {len(apart)} distances of {other} are more than "
                f"{_SAME_MODULUS:g} mag from those of {title}, which are used: look up which are "
                "right"
            )
