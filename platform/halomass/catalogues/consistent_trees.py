"""Halo lists of Consistent-Trees: all halos of one snapshot, with their histories in numbers.

Behroozi et al. (2013), doi:10.1088/0004-637X/763/1/18. An hlist knows halos and no
galaxies: stars are painted on them later. Masses are in Msun/h, positions in comoving
Mpc/h, velocities physical.
"""

import re
from pathlib import Path

from halomass.catalogues import text_table
from halomass.catalogues.text_table import TextTable
from halomass.cosmology import HUBBLE_PARAMETER

HLIST_COLUMNS = {
    "id": "id", "descid": "desc_id", "upid": "upid",
    "x": "x", "y": "y", "z": "z", "vx": "vx", "vy": "vy", "vz": "vz",
    "mp": "Mpeak", "m": "mvir", "v": "vmax",
}  # fmt: skip
_NUMBER = r"(\d+\.?\d*)"
_SAME = 0.01  # relative difference of numbers that were rounded to be written


def open_hlist(path: Path, memory: float, box: float) -> TextTable:
    """Returns the table of an hlist.

    Arguments:
        path: A file `hlist_<a>.list`.
        memory: The most memory [MB] that reading a chunk may take.
        box: The side of the box [comoving Mpc/h].

    Raises:
        ValueError: If a column is missing, or the header names another box or
            another h.
    """
    lines = text_table.read_header(path)
    found = text_table.column_names(lines, HLIST_COLUMNS)
    if found is None:
        raise ValueError(
            f"{path.name} has no header with the names of its columns, such as 'mvir(10)': "
            "their positions differ between versions; use the hlist as it was released"
        )
    _check_header(path, lines, rf"Full box size = {_NUMBER}", "a box of [Mpc/h]", box)
    _check_header(path, lines, rf"h0 = {_NUMBER}", "h =", HUBBLE_PARAMETER)
    return text_table.open_table(path, memory, found, HLIST_COLUMNS)


def _check_header(
    path: Path, lines: tuple[str, ...], pattern: str, what: str, expected: float
) -> None:
    # halos of another box or another h look like any others: only the header knows
    found = re.search(pattern, "\n".join(lines))
    if found and abs(float(found[1]) / expected - 1) > _SAME:
        raise ValueError(
            f"{path.name} is of another simulation: its header says {what} {found[1]}, not "
            f"{expected:g}; use the catalogue that belongs to it"
        )
