"""DESI's catalogue of blue horizontal-branch stars: three tables of a FITS file, row by row."""

from collections.abc import Mapping
from functools import partial

from astropy import units
from astropy.table import Column, Table

from mwlmc.observed.columns import DEG, KMS, KPC, MASYR, NONE
from orrery.tables.binary_tables import fits_names, fits_table
from orrery.tables.opening import OpenedFile
from orrery.tables.reading import guarded

_COLUMNS: dict[str, dict[str, units.UnitBase]] = {
    "RVTAB": {"VRAD": KMS, "VRAD_ERR": KMS},
    "FIBERMAP": {"DIST": KPC},
    "GAIA": {
        "RA": DEG,
        "DEC": DEG,
        "PMRA": MASYR,
        "PMRA_ERROR": MASYR,
        "PMDEC": MASYR,
        "PMDEC_ERROR": MASYR,
        "PMRA_PMDEC_CORR": NONE,
    },
}
_DISTANCE_ERRORS = ("DIST_ERR", "DIST_ERROR", "DISTERR", "E_DIST")
# Where a star may stand twice.
_IDENTIFIERS = {"GAIA": "SOURCE_ID", "FIBERMAP": "TARGETID"}


def is_desi(file: OpenedFile) -> bool:
    """Returns whether a file is DESI's catalogue, going by its parts.

    Raises:
        ValueError: If it is a damaged FITS file.
    """
    if not file.content.startswith(b"SIMPLE"):
        return False
    return set(_COLUMNS) <= guarded(file, fits_names)


def desi_table(file: OpenedFile) -> tuple[Table, int]:
    """Returns the primary rows of the catalogue as one table, and the number of all rows.

    Raises:
        ValueError: If a column is missing, the tables have not the same rows, or one is
            damaged.
    """
    tables = {name: guarded(file, partial(fits_table, hdu=name)) for name in _COLUMNS}
    lengths = {name: len(table) for name, table in tables.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"{file.name}: tables should match row by row, but have {lengths} rows"
        )
    try:
        joined = _joined(tables)
        primary = _named(tables["RVTAB"], "PRIMARY", "RVTAB").astype(bool)
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from None
    return joined[primary], len(primary)


def _joined(tables: Mapping[str, Table]) -> Table:
    joined = Table()
    for name, wanted in _COLUMNS.items():
        for column, unit in wanted.items():
            joined[column] = _named(tables[name], column, name)
            joined[column].unit = joined[column].unit or unit
    for column in set(_DISTANCE_ERRORS) & set(tables["FIBERMAP"].colnames):
        joined["DIST_ERR"] = tables["FIBERMAP"][column]
        joined["DIST_ERR"].unit = joined["DIST_ERR"].unit or KPC
    for name, column in _IDENTIFIERS.items():
        if column in tables[name].colnames:
            joined[column] = tables[name][column]
    return joined


def _named(table: Table, column: str, where: str) -> Column:
    if column not in table.colnames:
        raise ValueError(
            f"{where} has no column {column}, only {', '.join(table.colnames)}"
        )
    return table[column]
