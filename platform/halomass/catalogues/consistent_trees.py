"""Halo lists of Consistent-Trees: all halos of one snapshot, with their histories in numbers.

Behroozi et al. (2013), doi:10.1088/0004-637X/763/1/18. An hlist knows halos and no
galaxies: stars are painted on them later. Masses are in Msun/h, positions in comoving
Mpc/h, velocities physical.
"""

from pathlib import Path

from halomass.catalogues import text_table
from halomass.catalogues.text_table import TextTable

HLIST_COLUMNS = {
    "id": "id", "descid": "desc_id", "upid": "upid",
    "x": "x", "y": "y", "z": "z", "vx": "vx", "vy": "vy", "vz": "vz",
    "mp": "Mpeak", "m": "mvir", "v": "vmax",
}  # fmt: skip
HLIST_OPTIONAL = {"r": "rvir"}
# Velocities in the past tell remnants. Not all versions write all of them: the first counts.
PAST_COLUMNS = {
    "v_infall": ("Vmax@Mpeak", "Vacc", "First_Acc_Vmax"),
    "v_peak": ("Vpeak",),
}


def open_hlist(path: Path, memory: float) -> TextTable:
    """Returns the table of an hlist.

    Arguments:
        path: A file `hlist_<a>.list`.
        memory: The most memory [MB] that reading a chunk may take.

    Raises:
        ValueError: If a column is missing.
    """
    found = text_table.column_names(text_table.read_header(path), HLIST_COLUMNS)
    if found is None:
        raise ValueError(
            f"{path.name} has no header with the names of its columns, such as 'mvir(10)': "
            "their positions differ between versions; use the hlist as it was released"
        )
    wanted = {**HLIST_COLUMNS, **_past_columns(found)}
    return text_table.open_table(path, memory, found, wanted, HLIST_OPTIONAL)


def _past_columns(found: tuple[str, ...]) -> dict[str, str]:
    return {
        ours: next(name for name in names if name.lower() in found)
        for ours, names in PAST_COLUMNS.items()
        if any(name.lower() in found for name in names)
    }
