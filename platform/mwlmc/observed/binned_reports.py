"""How the columns of a table of binned velocities are understood, in words."""

from pathlib import Path

from astropy.table import Table

from mwlmc.observed.binned_table import BinnedTable, read_binned, selection_lines
from mwlmc.observed.columns import BINNED, NONE, SAMPLED
from orrery.tables.columns import UnderstoodColumn
from orrery.tables.opening import OpenedFile
from orrery.tables.reading import read_table
from orrery.tables.reports import ColumnReport

_KNOWN = {**BINNED, **SAMPLED}
# No star has these: they are of bins.
_BIN = {"patch", "quantity", "r_lo", "r_hi"}
# What the metadata say of where bins are from, and of how they were made.
_ORIGIN = ("source", "steps", "bootstrap_seed")


def is_binned_table(table: Table) -> bool:
    """Returns whether a table, as read, is one of binned velocities, whole or not.

    Example:
        >>> bins = {"patch": ["north"], "quantity": ["v_gsr"], "r_lo": [30], "r_hi": [40]}
        >>> is_binned_table(Table(bins)), is_binned_table(Table({"r_lo": [30]}))
        (True, False)
    """
    return set(table.colnames) >= _BIN


def binned_report(path: Path | str) -> ColumnReport:
    """Returns how each column of a table of binned velocities is understood, and if it is of use.

    Raises:
        ValueError: If the file is damaged.
        OSError: If it cannot be read.
    """
    file = OpenedFile.read(path)
    table = read_table(file)
    head = f"{file.name}: binned velocities, {len(table)} bins"
    lines = (head, *(_line(table, title) for title in table.colnames))
    try:
        _check_origin(table, file)
        found = read_binned(path)
    except ValueError as error:
        return ColumnReport(lines, str(error))
    usable = f"{len(found.bins)} of {len(table)} bins can be used"
    return ColumnReport((*lines, *_about(found), usable))


def _line(table: Table, title: str) -> str:
    if title not in _KNOWN:
        return UnderstoodColumn(title, None, None, "", "not understood").line("")
    unit, meaning = _KNOWN[title]
    # without a unit in the file the reader refuses those that must have one
    given = table[title].unit or (None if unit else NONE)
    return UnderstoodColumn(title, title, given, "the file").line(meaning)


def _check_origin(table: Table, file: OpenedFile) -> None:
    """Checks that studies know a table for one of bins, which they do by who has made it.

    Raises:
        ValueError: If they do not.
    """
    missing = [key for key in _ORIGIN if key not in table.meta]
    if not file.name.endswith(".ecsv"):
        missing.append("ending .ecsv")
    if missing:
        raise ValueError(
            f"{file.name} has no {', '.join(missing)}, by which a table of bins is known: make "
            "it with `python -m mwlmc.observed.binned_table`, or give the stars themselves"
        )


def _about(found: BinnedTable) -> list[str]:
    """Returns what was observed, and which of its stars were kept."""
    source = found.provenance["source"]["file"]
    return [f"{found.name}, binned from {source}:", *selection_lines(found)]
