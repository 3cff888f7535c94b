"""Where a command that turns one table into another may write: checked before it reads."""

from pathlib import Path

from orrery.tables.bundled import find_table
from orrery.tables.sealed_text import ecsv_name


def check_output(out: Path, source: Path) -> None:
    """Refuses a place for a table that would lose another one, or not be read again.

    Arguments:
        out: Where an ECSV table shall be written.
        source: The table that it is made from, a file or a bundled table's name.

    Raises:
        ValueError: If `out` is a folder, does not end with .ecsv, or is the source.

    Example:
        >>> check_output(Path("satellites.csv"), Path("seen.csv"))
        Traceback (most recent call last):
        ValueError: satellites.csv: an ECSV table is written, which nobody could read under this \
name: call it satellites.ecsv
    """
    if out.is_dir():
        raise ValueError(
            f"{out} is a folder: name the table to write, such as {out / 'result.ecsv'}"
        )
    if out != ecsv_name(out):
        raise ValueError(
            f"{out}: an ECSV table is written, which nobody could read under this name: call it "
            f"{ecsv_name(out)}"
        )
    read = find_table(source)
    if out.exists() and read.exists() and out.samefile(read):
        raise ValueError(
            f"{out} is the table that is read, and would be lost: name another file to write"
        )
