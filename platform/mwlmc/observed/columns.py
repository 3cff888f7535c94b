"""Units, and the columns of a binned table: their names, units, and what may stand there."""

import numpy as np
from astropy import units
from astropy.table import Table

DEG = units.deg
KPC = units.kpc
KMS = units.km / units.s
MASYR = units.mas / units.yr
NONE = units.dimensionless_unscaled

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

_MOST_STARS = 1e9
_FASTEST = 20_000.0  # [km/s] errors of proper motions of distant stars included
_RANGES = {
    "r_lo": (0.0, 1000.0),
    "r_hi": (0.0, 1000.0),
    "count": (1, _MOST_STARS),
    "count_clipped": (1, _MOST_STARS),
    "mean": (-_FASTEST, _FASTEST),
    "mean_error": (0.0, _FASTEST),
    "dispersion": (0.0, _FASTEST),
    "dispersion_error": (0.0, _FASTEST),
    "mean_sin_b": (-1.0, 1.0),
}
"""What the numbers of a binned table can be, in its units."""

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
    _check_ranges(table, where, remedy)


def _check_ranges(table: Table, where: str, remedy: str) -> None:
    """Checks that all numbers of a binned table can be."""
    for name, (lower, upper) in _RANGES.items():
        values = np.asarray(table[name], dtype=np.float64)
        bad = ~((values >= lower) & (values <= upper))
        if bad.any():
            row = int(bad.argmax())
            raise ValueError(
                f"{where}: column {name} is {values[row]:g} in row {row}, not {lower:g} to "
                f"{upper:g}: {remedy}"
            )
    unordered = np.asarray(table["r_lo"] >= table["r_hi"])
    more = np.asarray(table["count_clipped"] > table["count"])
    for wrong, what in ((unordered, "r_lo >= r_hi"), (more, "count_clipped > count")):
        if wrong.any():
            raise ValueError(f"{where}: {what} in row {wrong.argmax()}: {remedy}")
    names = [tuple(row) for row in table["patch", "quantity", "r_lo", "r_hi"]]
    twice = [str(name) for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"{where}: the bin {twice[0]} is there twice: {remedy}")
