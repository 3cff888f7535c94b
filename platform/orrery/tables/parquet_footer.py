"""The footer of a Parquet file of others, looked at by a process of its own.

Parquet's library ends the process, and says nothing to Python, when the statistics of a
column are not those of its kind. Once the footer was read whole nothing of it does.
"""

from orrery.identity import JSON
from orrery.tables.arrow_bounds import check_parquet
from orrery.tables.opening import OpenedFile
from orrery.tables.separate_process import read_separately

_DAMAGED = "it is damaged: fetch it again, or give the table as FITS or CSV"


def check_footer(file: OpenedFile) -> None:
    """Checks that the footer of a Parquet file can be read, and how large the file becomes.

    Raises:
        ValueError: If it is damaged, or would become much larger than it is.
    """
    read_separately(__name__, file, "Parquet's library", _DAMAGED)


def read_alone(file: OpenedFile) -> tuple[JSON, bytes]:
    """Returns nothing; reads the footer of a Parquet file to its last column.

    Raises:
        ValueError: If it would become much larger than it is.
        pyarrow.ArrowException: If it is damaged.
    """
    check_parquet(file.name, file.content)
    return {}, b""
