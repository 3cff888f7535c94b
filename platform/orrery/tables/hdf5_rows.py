"""The rows of an HDF5 file, read by a process of its own.

HDF5's library writes beyond its memory when it reads some damaged files. What it breaks there
ends the process at any later moment, or changes what others have in it. A process that does
nothing else takes nobody with it.
"""

import importlib.util
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orrery.tables.opening import ALLOWANCE, MOST_RATIO, OpenedFile, check_expansion

_HEADER = "__table_column_meta__"  # where astropy keeps its own header
_DEEPEST = 50  # group: each name is made of all those above it
_LONGEST = 600.0  # [s]: who takes longer goes in circles
_OWN_MEMORY = 4 * 2**30  # bytes of addresses that numpy and h5py take without a file
_DAMAGED = "it is damaged: fetch it again, or give the table as FITS, Parquet or CSV"
_PROGRAM = (
    "import sys; sys.path[:] = {path!r}; from orrery.tables import hdf5_rows; "
    "hdf5_rows.tell({name!r})"
)


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
    program = _PROGRAM.format(path=sys.path, name=file.name)
    # many threads would take many addresses, of which it has no more than it needs
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=file.content,
            capture_output=True,
            env=alone,
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(
            f"{file.name} takes longer than {_LONGEST:.0f} s: {_DAMAGED}"
        ) from None
    said, _, rows = done.stdout.partition(b"\n")
    # one that broke at its end had broken its memory before
    if done.returncode or not said:
        raise ValueError(
            f"{file.name}: HDF5's library ended with status {done.returncode}: {_DAMAGED}"
        )
    answer = json.loads(said)
    if "error" in answer:
        raise ValueError(answer["error"])
    return StoredRows(
        np.load(io.BytesIO(rows), allow_pickle=False), tuple(answer["header"])
    )


def tell(name: str) -> None:
    """Writes the rows of the HDF5 file on standard input to standard output.

    A line of JSON has astropy's header, or the error, and what follows is numpy's.

    Arguments:
        name: The file's name.
    """
    file = OpenedFile(name, sys.stdin.buffer.read())
    _limit_memory(len(file.content))
    rows = io.BytesIO()
    try:
        found = _read(file)
        np.save(rows, found.rows, allow_pickle=False)
        said: dict[str, Any] = {"header": found.header}
    except Exception as error:  # whatever h5py meets in a damaged file
        said = {"error": f"{error or type(error).__name__}"}
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + rows.getvalue())
    sys.stdout.buffer.flush()


def _limit_memory(size: int) -> None:
    """Has this process take no more memory than a file of this size may become, a few times."""
    with suppress(ImportError, ValueError, OSError):  # where there are no limits
        import resource

        most = _OWN_MEMORY + 4 * (MOST_RATIO * size + ALLOWANCE)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


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
