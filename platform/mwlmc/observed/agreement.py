"""Whether columns that say the same of stars agree: places in two frames, and two distances.

One of them is used. Where the others contradict it, a column is in another unit than its
title says, or was sorted without the rest of its table.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from astropy.table import Table

from mwlmc.observed.star_columns import DESCRIPTIONS
from mwlmc.sky import frames
from orrery.parameters import BoolArray, FloatArray
from orrery.tables.cleaning import CleanedColumns, clean_columns

_COMPARED = ("l", "b", "distance_modulus")
_FAR_APART = 1.0  # [deg] more than rounding, or another equinox, moves a star
_FAR_OFF = 1.0  # [mag] more than two ways to measure a distance differ by
_MOST = 0.2  # of the stars
_FEWEST = 5  # stars


def contradictions(table: Table, found: CleanedColumns, where: str) -> Iterator[str]:
    """Yields which columns that are not used contradict those that are.

    Arguments:
        table: As read, with N rows.
        found: Its columns.
        where: The file's name, for messages.
    """
    unused = {c.quantity: c.title for c in found.understood if not c.used}
    others = _others(table, unused, where)
    used = found.values
    if {"ra", "dec"} <= set(used) and {"l", "b"} <= set(others):
        names = f"{unused['l']} and {unused['b']}"
        what = f"places of {names} are more than {_FAR_APART:g} deg from those of"
        yield from _said(_apart(used, others), what, found.title("ra"))
    if {"distance"} <= set(used) and "distance_modulus" in others:
        moduli = 5 * np.log10(used["distance"]) + 10
        off = np.abs(moduli - others["distance_modulus"])
        what = f"distances of {unused['distance_modulus']} are more than {_FAR_OFF:g} mag from"
        yield from _said(off / _FAR_OFF, f"{what} those of", found.title("distance"))


def _others(
    table: Table, unused: Mapping[str | None, str], where: str
) -> Mapping[str, FloatArray]:
    """Returns the numbers of unused columns by quantity; none if one has no numbers."""
    wanted = [
        d for d in DESCRIPTIONS if d.quantity in _COMPARED and d.quantity in unused
    ]
    try:
        return clean_columns(table, wanted, where).values
    except ValueError:  # of no use anyway
        return {}


def _apart(
    used: Mapping[str, FloatArray], others: Mapping[str, FloatArray]
) -> FloatArray:
    """Returns how far places of two frames are from each other `[N]`, in what is far."""
    ra = np.radians(used["ra"])
    dec = np.radians(used["dec"])
    longitude, latitude = frames.equatorial_to_galactic(ra, dec)
    place = frames.direction(longitude, latitude)
    other = frames.direction(np.radians(others["l"]), np.radians(others["b"]))
    chord = np.linalg.norm(place - other, axis=1)
    return np.asarray(chord / (2 * np.sin(np.radians(_FAR_APART) / 2)))


def _said(off: FloatArray, what: str, title: str) -> Iterator[str]:
    known: BoolArray = np.isfinite(off)
    count = int(np.count_nonzero(off[known] > 1))
    if count >= _FEWEST and count > _MOST * np.count_nonzero(known):
        yield (
            f"{count} of {np.count_nonzero(known)} {what} {title}: one of these columns is in "
            "another unit, or in another order; look them up, and leave the wrong ones out"
        )
