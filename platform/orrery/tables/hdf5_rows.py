"""The rows of an HDF5 file, read by a process of its own.

HDF5's library writes beyond its memory when it reads some damaged files.
"""

import importlib.util
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orrery.identity import JSON
from orrery.tables.opening import OpenedFile, check_expansion
from orrery.tables.separate_process import read_separately

_HEADER = "__table_column_meta__"  # where astropy keeps its own header
_DEEPEST = 50  # group: each name is made of all those above it
_DAMAGED = "it is damaged: fetch it again, or give the table as FITS, Parquet or CSV"


@dataclass(frozen=True)
class StoredRows:
    """The only table of an HDF5 file.

    Arguments:
        rows: A structured array, with a field for each column.
        header: The lines of the YAML in which astropy has described them; none without it.

    Example:
        >>> StoredRows(np.zeros(3, [("x", float)]), ()).rows.dtype.names
        ('x',)
    """

    rows: NDArray[Any]
    header: tuple[str, ...]


def stored_rows(file: OpenedFile) -> StoredRows:
    """Returns the rows of an HDF5 file with one table.

    Raises:
        ValueError: If h5py is not installed, if there is not exactly one table, it is damaged,
            or its rows are in other files or far more than its size.
    """
    if importlib.util.find_spec("h5py") is None:
        raise ValueError(
            f"{file.name}: HDF5 is read by h5py, which is not installed: `pip install h5py`, or "
            "give the table as FITS, Parquet or CSV"
        )
    about, rows = read_separately(__name__, file, "HDF5's library", _DAMAGED)
    return StoredRows(
        np.load(io.BytesIO(rows), allow_pickle=False), tuple(about["header"])
    )


def read_alone(file: OpenedFile) -> tuple[JSON, bytes]:
    """Returns astropy's header and the rows, in numpy's format.

    Raises:
        ValueError: If there is not exactly one table, or its rows are in other files or far
            more than the size of this one.
    """
    found = _read(file)
    rows = io.BytesIO()
    np.save(rows, found.rows, allow_pickle=False)
    return {"header": list(found.header)}, rows.getvalue()


def _read(file: OpenedFile) -> StoredRows:
    import h5py

    with h5py.File(io.BytesIO(file.content), "r") as opened:
        tables: list[Any] = []
        opened.visititems(_collect(tables))
        if len(tables) != 1:
            names = ", ".join(t.name for t in tables) or "none"
            raise ValueError(
                f"{file.name}: one table with named columns is wanted, found {names}: write one "
                "with `table.write(path, path='stars')`"
            )
        rows = _with_fixed_words(_own_rows(tables[0], file), file)
        header = f"{tables[0].name}.{_HEADER}"
        lines: list[str] = []
        if isinstance(opened.get(header, getlink=True), h5py.HardLink):
            lines = [line.decode() for line in _own_rows(opened[header], file)]
    return StoredRows(rows, tuple(lines))


def _own_rows(dataset: Any, file: OpenedFile) -> Any:
    """Returns the rows of an HDF5 dataset that lie in this file, and are no more than it says."""
    if dataset.external or dataset.is_virtual:
        raise ValueError(
            f"{file.name}: the rows of {dataset.name} lie in other files, which are not opened: "
            "write the table with its rows in it"
        )
    # a chunk is unpacked as a whole, however few of its rows there are
    chunks = dataset.chunks or dataset.shape
    counts = map(max, dataset.shape, chunks)
    size = math.prod(map(int, counts)) * dataset.dtype.itemsize
    check_expansion(file.name, len(file.content), size, "its rows")
    return dataset[:]


def _collect(tables: list[Any]) -> Callable[[str, Any], None]:
    """Returns what looks at each part of an HDF5 file, and keeps its tables."""

    def visit(place: str, item: Any) -> None:
        if place.count("/") > _DEEPEST:
            raise ValueError(f"its groups are nested deeper than {_DEEPEST} levels")
        if getattr(getattr(item, "dtype", None), "names", None):
            tables.append(item)

    return visit


def _with_fixed_words(rows: NDArray[Any], file: OpenedFile) -> NDArray[Any]:
    """Returns rows whose words of any length have all the longest one's."""
    names = rows.dtype.names or ()
    words = {}
    for name in names:
        if rows.dtype[name].kind != "O":
            continue
        found = [
            str(v).encode() if isinstance(v, str) else v for v in rows[name].ravel()
        ]
        if not all(isinstance(value, bytes) for value in found):
            raise ValueError(
                f"{file.name}: {name} has arrays of several lengths: leave it out"
            )
        longest = max(map(len, found), default=1) or 1
        size = longest * len(found)
        check_expansion(file.name, len(file.content), size, "its longest words")
        words[name] = np.array(found, dtype=f"S{longest}").reshape(rows[name].shape)
    if not words:
        return rows
    kinds = [
        (name, words[name].dtype if name in words else rows.dtype[name])
        for name in names
    ]
    fixed = np.empty(rows.shape, dtype=kinds)
    for name in names:
        fixed[name] = words.get(name, rows[name])
    return fixed
