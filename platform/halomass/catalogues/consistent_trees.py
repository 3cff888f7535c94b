"""Halo lists of Consistent-Trees: all halos of one snapshot, with their histories in numbers.

Behroozi et al. (2013), doi:10.1088/0004-637X/763/1/18. An hlist knows halos and no
galaxies: stars are painted on them later. Masses are in Msun/h, positions in comoving
Mpc/h, velocities physical.
"""

from pathlib import Path

import numpy as np

from halomass.catalogues import text_table
from halomass.catalogues.text_table import TextTable
from halomass.systems import FloatArray
from orrery.parameters import BoolArray

HLIST_COLUMNS = {
    "id": "id", "descid": "desc_id", "upid": "upid",
    "x": "x", "y": "y", "z": "z", "vx": "vx", "vy": "vy", "vz": "vz",
    "mp": "Mpeak", "m": "mvir", "v": "vmax",
}  # fmt: skip
# Velocities in the past tell remnants. Not all versions write all of them.
HLIST_OPTIONAL = {
    "v_infall": ("Vmax@Mpeak", "Vacc", "First_Acc_Vmax"),
    "v_peak": ("Vpeak",),
    "r": ("rvir",),
    "scale": ("scale",),
}
SAME_SCALE = 0.003  # relative difference: snapshots are as near to each other as 0.01
TWO_SNAPSHOTS = "lists of two snapshots are in one file; split it"

_LATEST = 1.1  # larger numbers, like 0, are no scale factors


def scale_of(path: Path) -> float | None:
    """Returns the scale factor that the first row of an hlist says; None if it says none.

    Arguments:
        path: A file `hlist_<a>.list`, whatever it is called.
    """
    found = text_table.column_names(text_table.read_header(path), HLIST_COLUMNS) or ()
    row = dict(zip(found, text_table.first_row(path), strict=False))
    try:
        scale = float(row.get("scale", "none"))
    except ValueError:  # a damaged row is refused, by its number, when all are read
        return None
    return scale if 0 < scale <= _LATEST else None


def of_another_snapshot(scale: FloatArray, snapshot: float) -> BoolArray:
    """Returns which rows `[N]` say the scale factor of another snapshot.

    What is no scale factor, such as 0, says nothing.

    Arguments:
        scale: What the rows say `[N]`.
        snapshot: The catalogue's scale factor.

    Example:
        >>> of_another_snapshot(np.array([1.0, 0.9, 0.0, 1.0003]), 1.0)
        array([False,  True, False, False])
    """
    known = (scale > 0) & (scale <= _LATEST)
    return np.asarray(known & (np.abs(scale / snapshot - 1) > SAME_SCALE))


def open_hlist(path: Path, memory: float) -> TextTable:
    """Returns the table of an hlist.

    Arguments:
        path: A file `hlist_<a>.list`.
        memory: The most memory [MB] that reading a chunk may take.

    Raises:
        ValueError: If a column is missing.
    """
    return text_table.open_named(
        path, memory, HLIST_COLUMNS, HLIST_OPTIONAL, "mvir(10)"
    )
