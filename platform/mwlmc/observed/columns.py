"""Names and units of columns: those that a star table may have, and those of a binned table."""

from collections.abc import Mapping, Sequence

import numpy as np
from astropy import units
from astropy.table import Column, Table

from orrery.parameters import FloatArray

DEG = units.deg
KPC = units.kpc
KMS = units.km / units.s
MASYR = units.mas / units.yr
NONE = units.dimensionless_unscaled

# What a table may hold: unit, and the names that its column may have, in small letters.
_COLUMNS: dict[str, tuple[units.UnitBase, tuple[str, ...]]] = {
    "ra": (DEG, ("ra",)),
    "dec": (DEG, ("dec",)),
    "l": (DEG, ("l",)),
    "b": (DEG, ("b",)),
    "distance": (KPC, ("distance", "dist")),
    "v_los": (KMS, ("v_los", "vlos", "vrad", "rv", "radial_velocity")),
    "pm_ra": (MASYR, ("pmra", "pm_ra_cosdec", "pmra_cosdec")),
    "pm_dec": (MASYR, ("pmdec", "pm_dec")),
    "pm_l": (MASYR, ("pml_cosb", "pm_l_cosb")),
    "pm_b": (MASYR, ("pmb", "pm_b")),
    "pm_corr": (NONE, ("pm_corr", "pmra_pmdec_corr")),
}
_COLUMNS |= {
    f"{name}_error": (
        unit,
        tuple(f"{n}{end}" for n in spellings for end in ("_err", "_error")),
    )
    for name, (unit, spellings) in _COLUMNS.items()
    if name not in ("ra", "dec", "l", "b", "pm_corr")
}

# Units by the ending of a column's name, for files that hold none, such as CSV.
_SUFFIXES = {
    "deg": units.deg,
    "rad": units.rad,
    "pc": units.pc,
    "kpc": units.kpc,
    "mpc": units.Mpc,
    "kms": KMS,
    "masyr": MASYR,
    "uasyr": units.uas / units.yr,
}


def physical_columns(table: Table, where: str) -> dict[str, FloatArray]:
    """Returns the known columns of a star table, in degrees, kpc, km/s and mas/yr, by quantity.

    Arguments:
        table: N stars, in any units.
        where: The file's name, for messages.

    Raises:
        ValueError: If a column is missing, is there twice, has another physical unit,
            or holds no numbers.
    """
    found: dict[str, FloatArray] = {}
    spelled = {name.lower(): name for name in table.colnames}
    for quantity, (unit, spellings) in _COLUMNS.items():
        columns = [spelled[s] for s in _spellings(spellings) if s in spelled]
        if len(columns) > 1:
            raise ValueError(
                f"{where}: columns {columns} all give {quantity}: keep one"
            )
        if columns:
            found[quantity] = _values(table[columns[0]], unit, where)
    _check_complete(found, table, where)
    return found


def _spellings(names: Sequence[str]) -> list[str]:
    return [*names, *(f"{name}_{suffix}" for name in names for suffix in _SUFFIXES)]


def _values(column: Column, wanted: units.UnitBase, where: str) -> FloatArray:
    suffix = column.name.lower().rsplit("_", 1)[-1]
    unit = column.unit or _SUFFIXES.get(suffix) or (NONE if wanted == NONE else None)
    if unit is None:
        raise ValueError(
            f"{where}: column {column.name!r} has no unit; wanted {wanted}: give the column one, "
            f"or a name with one of the endings {', '.join('_' + s for s in _SUFFIXES)}"
        )
    try:
        # masked entries become NaN, which the selection drops and counts
        numbers = np.ma.filled(np.ma.asarray(column.data).astype(float), np.nan)
        return np.asarray(numbers * units.Unit(unit).to(wanted))
    except (units.UnitsError, TypeError, ValueError) as error:
        raise ValueError(
            f"{where}: column {column.name!r} [{unit}, {column.dtype}] cannot be read as numbers "
            f"in {wanted}: {error}"
        ) from error


def _check_complete(found: Mapping[str, FloatArray], table: Table, where: str) -> None:
    missing = [name for name in ("distance", "v_los") if name not in found]
    if not ({"ra", "dec"} <= set(found) or {"l", "b"} <= set(found)):
        missing.append("ra and dec, or l and b")
    if missing:
        raise ValueError(
            f"{where}: no column for {'; '.join(missing)} among {', '.join(table.colnames)}. "
            "Wanted: ra_deg and dec_deg (or l_deg and b_deg), distance_kpc, vlos_kms, and possibly "
            "pmra_masyr and pmdec_masyr (or pml_cosb_masyr and pmb_masyr)"
        )


BINNED = {
    "patch": (None, "piece of sky"),
    "quantity": (None, "velocity in the Galactic rest frame"),
    "r_lo": ("kpc", "smallest Galactocentric distance"),
    "r_hi": ("kpc", "largest Galactocentric distance, exclusive"),
    "count": (None, "stars"),
    "count_clipped": (None, "stars left after clipping"),
    "mean": ("km / s", "mean velocity after clipping"),
    "mean_error": ("km / s", "standard error of the mean"),
    "dispersion": (
        "km / s",
        "standard deviation after clipping, errors of measurement included",
    ),
    "dispersion_error": ("km / s", "standard error of the dispersion"),
    "mean_sin_b": (None, "mean sine of the stars' Galactic latitudes"),
}

# Lists of different lengths: where a bin's stars are on the sky, and how well they are
# measured.
SAMPLED = {
    "cells": (None, "HEALPix cells with stars: nested order, Galactic axes"),
    "cell_counts": (None, "stars in each of these cells"),
    "errors": (
        "km / s",
        "root-mean-square errors of velocity, best to worst stars, 0 if unknown",
    ),
}


def check_binned(table: Table, where: str) -> None:
    """Checks the columns of a binned table that was read from a file.

    Arguments:
        table: As read.
        where: The file's name, for messages.

    Raises:
        ValueError: If a column is missing, empty, not finite, or in another unit.
    """
    remedy = "make it again with `python -m mwlmc.observed.binned_table`"
    columns = {*BINNED, *SAMPLED}
    about = {"name", "definition", "sample"}
    missing = [*(columns - set(table.colnames)), *(about - set(table.meta))]
    if missing or len(table) == 0:
        raise ValueError(
            f"{where}: no {', '.join(missing) or 'rows'} in this binned table: {remedy}"
        )
    for name, (unit, _) in BINNED.items():
        given = table[name].unit
        if given != (units.Unit(unit) if unit else None):
            raise ValueError(
                f"{where}: column {name} is in {given}, not {unit}: {remedy}"
            )
        bad = np.ma.getmaskarray(table[name])
        if unit:
            bad = bad | ~np.isfinite(np.ma.filled(table[name], np.nan))
        if bad.any():
            raise ValueError(
                f"{where}: column {name} has no value in row {bad.argmax()}: {remedy}"
            )
