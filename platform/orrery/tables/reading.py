"""The one door through which people's tables come in: bounded, and in words when it stays shut.

Only two exceptions leave it, and both name the file: astropy's readers raise some thirty
others where a file is damaged.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from astropy import units
from astropy.io.fits.verify import VerifyWarning
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning

from orrery.tables import binary_tables
from orrery.tables.opening import OpenedFile
from orrery.tables.text_tables import TEXT_ENDINGS, ecsv_table, text_table

R = TypeVar("R")

_READERS: dict[str, Callable[[OpenedFile], Table]] = {
    ".ecsv": ecsv_table,
    **dict.fromkeys(TEXT_ENDINGS, text_table),
    **binary_tables.READERS,
}
ENDINGS = tuple(_READERS)
"""How names of files end that can be read, with .gz or .bz2 after it or not."""


def read_table(file: OpenedFile | Path | str) -> Table:
    """Returns the table of a file, with units where the file has them.

    Arguments:
        file: The file, or its path. Its ending says what it is: CSV, TSV, text with
            spaces, ECSV, FITS, VOTable, Parquet or HDF5, which may be packed by gzip or
            bzip2.

    Raises:
        ValueError: If it is no such table, damaged, torn, much larger than its file, or
            has no rows.
        OSError: If it cannot be read.
    """
    opened = file if isinstance(file, OpenedFile) else OpenedFile.read(file)
    reader = _READERS.get(opened.ending)
    if reader is None:
        raise ValueError(
            f"{opened.name}: cannot read {opened.ending!r} files, only {', '.join(ENDINGS)}"
        )
    if not opened.stored:
        raise ValueError(f"{opened.name} is empty: give a table with rows")
    table = guarded(opened, reader)
    if len(table) == 0:
        raise ValueError(f"{opened.name} has no rows: give a table with rows")
    return table


def guarded(file: OpenedFile, read: Callable[[OpenedFile], R]) -> R:
    """Returns what a reader reads of a file, and makes one kind of all its exceptions.

    Arguments:
        file: The file.
        read: Returns its table, or a part of it.

    Raises:
        ValueError: If it cannot be read; the file is named.
    """
    try:
        with warnings.catch_warnings():
            # An unknown unit is an error where its column is wanted, and of no interest
            # elsewhere; so is what a file breaks of its standard.
            warnings.simplefilter("ignore", units.UnitsWarning)
            warnings.simplefilter("ignore", AstropyWarning)
            warnings.simplefilter("ignore", VerifyWarning)
            return read(file)
    except Exception as error:
        # readers of damaged files raise whatever they meet, down to KeyError and YAMLError
        text = " ".join(str(error).split())
        if file.name in text:
            raise ValueError(text) from error
        # what a library says is often one word of the file
        said = f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
        raise ValueError(
            f"{file.name} cannot be read as {file.ending} ({said}): fetch it again if it is "
            "damaged, or give it the ending of what it is"
        ) from error
