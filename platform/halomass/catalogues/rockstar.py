"""Halo lists of Rockstar itself: the halos of one snapshot, without their histories.

Behroozi, Wechsler & Wu (2013), doi:10.1088/0004-637X/762/1/109. Such a list knows no peak
masses: those of today stand for them, so that satellites which tides have stripped are
taken for smaller ones. Nor does it know which halos lie in others, unless Rockstar's
`find_parents` has written it (`PID`). Masses are in Msun/h, positions in comoving Mpc/h,
velocities physical.
"""

from pathlib import Path

from halomass.catalogues import text_table
from halomass.catalogues.text_table import TextTable

OUT_COLUMNS = {
    "id": "ID", "descid": "DescID",
    "x": "X", "y": "Y", "z": "Z", "vx": "VX", "vy": "VY", "vz": "VZ",
    "mp": "Mvir", "m": "Mvir", "v": "Vmax",
}  # fmt: skip
OUT_OPTIONAL = {"upid": ("PID",), "r": ("Rvir",)}


def open_out(path: Path, memory: float) -> TextTable:
    """Returns the table of a halo list.

    Arguments:
        path: A file `out_<number>.list`, or what `find_parents` made of it.
        memory: The most memory [MB] that reading a chunk may take.

    Raises:
        ValueError: If a column is missing.
    """
    return text_table.open_named(path, memory, OUT_COLUMNS, OUT_OPTIONAL, "Mvir")
