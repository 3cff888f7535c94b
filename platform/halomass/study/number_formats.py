"""How numbers are printed in the tables of a report."""

from astropy.table import Table


def format_floats(table: Table, form: str) -> None:
    """Sets how the real numbers of a table are printed; the numbers stay as they are.

    Arguments:
        table: The table.
        form: A printf format, such as `%.2f`.
    """
    for name in table.colnames:
        if table[name].dtype.kind == "f":
            table[name].info.format = form
