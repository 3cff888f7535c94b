"""Catalogues of the UniverseMachine: halos with the galaxies painted on them, binary or as text.

The binary form is a flat array of structs of 128 bytes, the text form has the same
columns. Both are those of the data release that goes with Behroozi et al. (2019),
doi:10.1093/mnras/stz1182. The binary form has halo masses in Msun/h, the text form in
Msun.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from halomass.catalogues import text_table
from halomass.catalogues.packing import file_bytes, is_packed
from halomass.catalogues.text_table import TextTable
from orrery.identity import JSON

IGNORED = 16  # the flag of halos that do not count

# Written by C: little-endian, 4 bytes of padding at the end. Positions and velocities
# are one array of six floats there, which are the same bytes.
STRUCT = np.dtype(
    [
        ("id", "<i8"),
        ("descid", "<i8"),
        ("upid", "<i8"),
        ("flags", "<i4"),
        ("uparent_dist", "<f4"),
    ]
    + [(name, "<f4") for name in ("x", "y", "z", "vx", "vy", "vz")]
    + [(name, "<f4") for name in ("vmp", "lvmp", "mp", "m", "v", "r")]
    + [(name, "<f4") for name in ("rank1", "rank2", "ra", "rarank", "a_uv")]
    + [
        (name, "<f4")
        for name in ("sm", "icl", "sfr", "obs_sm", "obs_sfr", "obs_uv", "empty")
    ]
)
SFR_CATALOG_COLUMNS = (
    "id",
    "descid",
    "upid",
    "flags",
    "x",
    "y",
    "z",
    "vx",
    "vy",
    "vz",
    "mp",
    "m",
    "v",
    "sm",
)
# The columns of the text form in the order of the first data release, for files without
# a header.
TEXT_ORDER = (
    "id", "descid", "upid", "flags", "uparent_dist", "x", "y", "z", "vx", "vy", "vz", "m", "v",
    "mp", "vmp", "r", "rank1", "rank2", "ra", "rarank", "sm", "icl", "sfr", "obs_sm", "obs_sfr",
    "ssfr", "sm/hm", "obs_uv",
)  # fmt: skip
# The most memory that a halo takes: its struct, the columns, and their copies.
MEMORY_PER_HALO = 512  # [bytes]
_CHECKED_ROWS = 1000  # structs by which the order of bytes is recognised


@dataclass(frozen=True)
class StructFile:
    """The structs of a binary file, in chunks.

    Arguments:
        path: The file.
        chunk_rows: The number of structs in a chunk.

    Example:
        >>> file = StructFile(Path("sfr_catalog_1.000000.bin"), chunk_rows=1000)
        >>> file.place(chunk=2, row=5)
        'row 2005'
    """

    path: Path
    chunk_rows: int

    @property
    def chunks(self) -> int:
        """The number of chunks."""
        return -(-file_bytes(self.path).size // (self.chunk_rows * STRUCT.itemsize))

    def describe(self) -> JSON:
        """Returns how the file is read, as plain JSON."""
        offsets = (
            {name: STRUCT.fields[name][1] for name in SFR_CATALOG_COLUMNS}
            if STRUCT.fields
            else {}
        )
        return {"chunk_bytes": self.chunk_rows * STRUCT.itemsize, "columns": offsets}

    def content(self, chunk: int) -> bytes:
        """Returns the bytes of a chunk; those of all chunks, one after the other, are the file."""
        size = self.chunk_rows * STRUCT.itemsize
        return file_bytes(self.path).read(chunk * size, size)

    def rows(self, chunk: int, content: bytes) -> NDArray[Any]:
        """Returns the rows of a chunk, a structured array.

        Arguments:
            chunk: The chunk's number.
            content: Its bytes.

        Raises:
            ValueError: If the last struct is not whole.
        """
        if len(content) % STRUCT.itemsize:
            raise _torn(
                self.path, chunk * self.chunk_rows * STRUCT.itemsize + len(content)
            )
        return np.frombuffer(content, STRUCT)

    def place(self, chunk: int, row: int) -> str:
        """Returns where in the file a row of a chunk stands, for messages."""
        return f"row {chunk * self.chunk_rows + row}"


def open_structs(path: Path, memory: float) -> StructFile:
    """Returns the structs of a binary catalogue.

    Arguments:
        path: A file `sfr_catalog_<a>.bin`.
        memory: The most memory [MB] that reading a chunk may take.

    Raises:
        ValueError: If the size is no multiple of 128 bytes, or the first rows are
            byte-swapped or no such structs.
    """
    file = file_bytes(path)
    # what is packed has a size only once all of it was unpacked
    if not is_packed(path) and file.size % STRUCT.itemsize:
        raise _torn(path, file.size)
    first = file.read(0, _CHECKED_ROWS * STRUCT.itemsize)
    if len(first) < STRUCT.itemsize:
        raise _torn(path, len(first))
    whole = len(first) // STRUCT.itemsize
    _check_first_rows(path, np.frombuffer(first, STRUCT, whole))
    return StructFile(path, int(1e6 * memory) // MEMORY_PER_HALO)


def _torn(path: Path, size: int) -> ValueError:
    return ValueError(
        f"{path.name} has {size} bytes, {size % STRUCT.itemsize} more than whole structs of "
        f"{STRUCT.itemsize} bytes: the copy is incomplete, or this is no UniverseMachine "
        "catalogue; fetch it again"
    )


def _check_first_rows(path: Path, rows: NDArray[Any]) -> None:
    native = _plausible(rows)
    swapped = _plausible(rows.view(STRUCT.newbyteorder()))
    # few must make sense: halos that do not count may hold anything
    if max(native, swapped) < 0.1:
        raise ValueError(
            f"{path.name} is no UniverseMachine catalogue: the flags and masses of its first "
            f"{len(rows)} rows make no sense (flags {rows['flags'][0]}, mass {rows['m'][0]:g}, "
            f"peak mass {rows['mp'][0]:g} in row 0); choose another kind, or fetch it again; "
            "masses are in Msun, not their logarithms"
        )
    if swapped > native:
        raise ValueError(
            f"{path.name} is big-endian: the flags and masses of its first {len(rows)} rows make "
            "sense only with swapped bytes; write it again in little-endian order"
        )


def _plausible(rows: NDArray[Any]) -> float:
    """Returns the fraction of rows whose flags are few and whose masses are those of halos."""
    few = (rows["flags"] >= 0) & (rows["flags"] < 1 << 24)
    masses = [(rows[name] > 1e2) & (rows[name] < 1e18) for name in ("m", "mp")]
    return float(np.mean(few & masses[0] & masses[1]))


def open_text(path: Path, memory: float) -> TextTable:
    """Returns the table of a catalogue in text form.

    Arguments:
        path: A file `sfr_catalog_<a>.txt`. Without a header its columns are those of
            the first data release.
        memory: The most memory [MB] that reading a chunk may take.

    Raises:
        ValueError: If a column is missing.
    """
    wanted = {name: name for name in SFR_CATALOG_COLUMNS}
    found = text_table.column_names(text_table.read_header(path), wanted)
    return text_table.open_table(
        path, memory, found or TEXT_ORDER, wanted, {"r": ("r",)}
    )
