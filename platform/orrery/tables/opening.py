"""Files of tables as bytes, with a bound on what a compressed file may become.

Whoever sends a file decides its size, but a kilobyte may unpack to gigabytes. What a
file becomes is bounded by its own size, before anything of it is kept in memory.
"""

import bz2
import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from orrery.failures import LONGEST_NAME
from orrery.option_types import shortened
from orrery.tables.bundled import find_table

# What data may become when it is unpacked: so much of its own size, and so much more.
MOST_RATIO = 30
ALLOWANCE = 20_000_000  # [bytes]

MOST_COLUMNS = 5000  # thousands more take minutes, and no survey has them
# Of more lines than this, those of a table have more characters than that.
_MANY_LINES, _SHORT_LINE = 1_000_000, 8

_COMPRESSED = {b"\x1f\x8b": ("gzip", ".gz"), b"BZh": ("bzip2", ".bz2")}
_UNPACK_FIRST = {b"PK\x03\x04": "unzip", b"\xfd7zXZ\x00": "unxz", b"7z\xbc\xaf": "7z x"}


_ANEW = "write the table anew, as CSV, ECSV or FITS"


def check_expansion(
    name: str, size: int, expanded: int, what: str, remedy: str = ""
) -> None:
    """Checks that a file becomes nothing much larger than it is.

    Arguments:
        name: The file's name.
        size: Its size [bytes].
        expanded: What it becomes in memory [bytes].
        what: What becomes so large.
        remedy: What to do about it.

    Raises:
        ValueError: If it becomes more than `MOST_RATIO` times as large, and `ALLOWANCE`.

    Example:
        >>> check_expansion("stars.csv.gz", 1_000_000, 4_000_000, "its text")
    """
    most = MOST_RATIO * size + ALLOWANCE
    if expanded > most:
        raise ValueError(
            f"{name}: {what} would take {expanded:.3g} bytes, more than the {most:.3g} that a "
            f"file of {size} bytes may become: {remedy or _ANEW}"
        )


def check_columns(name: str, count: int) -> None:
    """Checks that a table has not more columns than any survey's.

    Arguments:
        name: The file's name.
        count: How many it has.

    Raises:
        ValueError: If it has more than `MOST_COLUMNS`.
    """
    if count > MOST_COLUMNS:
        raise ValueError(
            f"{name}: {count} columns, more than {MOST_COLUMNS}: leave out what is not needed"
        )


def check_line_lengths(name: str, text: str) -> None:
    """Checks that the lines of a table are not so many that hardly anything is in each.

    Arguments:
        name: The file's name.
        text: Its text.

    Raises:
        ValueError: If they are.
    """
    count = max(text.count("\n"), text.count("\r"))
    if count > _MANY_LINES and len(text) < _SHORT_LINE * count:
        raise ValueError(
            f"{name}: {count} lines with {len(text) / count:.1f} characters each are no table: "
            "leave out those that are empty, or fetch the file again"
        )


@dataclass(frozen=True)
class OpenedFile:
    """The bytes of a table's file.

    Arguments:
        name: The file's name, without folders.
        stored: Its bytes, as they are on the disk.

    Example:
        >>> file = OpenedFile("stars.csv.gz", gzip.compress(b"ra_deg,dec_deg"))
        >>> file.ending, file.content
        ('.csv', b'ra_deg,dec_deg')
    """

    name: str
    stored: bytes

    @classmethod
    def read(cls, path: Path | str) -> "OpenedFile":
        """Returns the bytes of a file.

        Arguments:
            path: Where it is; or the name of a table that is bundled with a package.

        Raises:
            OSError: If there is no such file, or it cannot be read.
        """
        path = find_table(Path(path))
        if max(map(len, path.parts), default=0) > LONGEST_NAME:
            raise FileNotFoundError(
                f"no file {shortened(str(path))}, whose name is longer than a file's can be: "
                "say where the table is"
            )
        if not path.exists():
            raise FileNotFoundError(f"no file {path}: say where the table is")
        if not path.is_file():
            raise IsADirectoryError(f"{path} is no file: name the table's own file")
        return cls(path.name, path.read_bytes())

    @property
    def ending(self) -> str:
        """How its name ends, in small letters and without that of a compression."""
        name = self.name.lower()
        for _, ending in _COMPRESSED.values():
            name = name.removesuffix(ending)
        return Path(name).suffix

    @cached_property
    def sha256(self) -> str:
        """The checksum of its bytes on the disk, 64 hexadecimal digits."""
        return hashlib.sha256(self.stored).hexdigest()

    @cached_property
    def content(self) -> bytes:
        """Its bytes, unpacked.

        Raises:
            ValueError: If they are damaged, or become too large.
        """
        for magic, program in _UNPACK_FIRST.items():
            if self.stored.startswith(magic):
                raise ValueError(f"{self.name} is packed: unpack it first, `{program}`")
        for magic, (packing, _) in _COMPRESSED.items():
            if self.stored.startswith(magic):
                return self._unpacked(packing)
        return self.stored

    def _unpacked(self, packing: str) -> bytes:
        packed = io.BytesIO(self.stored)
        most = MOST_RATIO * len(self.stored) + ALLOWANCE
        try:
            with gzip.open(packed) if packing == "gzip" else bz2.open(packed) as stream:
                content = stream.read(most + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(
                f"{self.name}: damaged {packing} data ({error}): fetch the file again"
            ) from error
        check_expansion(self.name, len(self.stored), len(content), "what it unpacks to")
        return content
