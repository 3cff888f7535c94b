"""The manifest: what each shard of a dataset holds, and whether its file still is what it was.

It has a checksum of every shard, so that damage is found before anybody computes with
it, and the sums of the scalar columns, so that a card needs no shard to be read.
"""

import json
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from orrery.storage.files import checksum
from orrery.storage.shard_cache import local_copy
from orrery.storage.store import Address, Location, StoreError

SHARDS = "shards"
ALTERED = "was altered: its sha256 differs"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ManifestRow:
    """What the manifest says of one shard.

    Arguments:
        shard: The shard's number.
        file: The path inside the dataset's folder.
        first: The number of the first simulation.
        count: The number of simulations.
        particles: The number of particles of all simulations.
        bytes: The file's size.
        sha256: The file's checksum.
        sums: For each scalar column the sum of its finite values.
        missing: For each scalar column that has some, the number of values that are not
            finite.

    Example:
        >>> row = ManifestRow(
        ...     shard=0,
        ...     file="shards/shard-00000.arrow",
        ...     first=0,
        ...     count=8,
        ...     particles=0,
        ...     bytes=4096,
        ...     sha256="0f",
        ...     sums={"a": 12.0},
        ...     missing={"a": 2},
        ... )
        >>> mean("a", (row,))
        2.0
    """

    shard: int
    file: str
    first: int
    count: int
    particles: int
    bytes: int
    sha256: str
    sums: dict[str, float]
    missing: dict[str, int]


def read_manifest(folder: Location) -> list[ManifestRow]:
    """Returns the rows of a finished dataset's manifest, sorted by shard.

    Raises:
        ValueError: If there is no manifest, or it cannot be read.
        StoreError: If it lies in a bucket that cannot be used from here.
    """
    path = folder / MANIFEST
    try:
        return [ManifestRow(**row) for row in json.loads(path.read_text())["shards"]]
    except StoreError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder} is no finished dataset ({error}): run its generation again, "
            "which continues where it stopped"
        ) from error


def damaged_files(
    folder: Location, rows: tuple[ManifestRow, ...], full: bool
) -> dict[str, str]:
    """Returns what is wrong with each damaged shard, by its path inside the folder.

    Arguments:
        folder: The dataset's folder.
        rows: The manifest's rows of the shards that are looked at.
        full: Compare checksums too, not only sizes. Shards in a bucket are fetched.
    """
    # Reading releases Python's lock, so that threads keep a fast disk busy.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        reasons = list(threads.map(_look(folder, full), rows))
    return {
        row.file: reason for row, reason in zip(rows, reasons, strict=True) if reason
    }


def _look(folder: Location, full: bool) -> Callable[[ManifestRow], str | None]:
    """Returns a function that says what is wrong with a shard."""
    if not isinstance(folder, Address):
        return partial(_damage, folder, full)
    if full:
        return partial(_damage_fetched, folder)
    # One list instead of a question for each shard.
    return partial(_damage_listed, (folder / SHARDS).sizes())


def _damage(folder: Path, full: bool, row: ManifestRow) -> str | None:
    path = folder / row.file
    size = path.stat().st_size if path.is_file() else None
    reason = _wrong_size(size, row)
    if reason is None and full and checksum(path) != row.sha256:
        return ALTERED
    return reason


def _wrong_size(size: int | None, row: ManifestRow) -> str | None:
    if size is None:
        return "is missing"
    if size != row.bytes:
        return f"has {size} bytes instead of {row.bytes}"
    return None


def _damage_listed(sizes: dict[str, int], row: ManifestRow) -> str | None:
    return _wrong_size(sizes.get(row.file.removeprefix(f"{SHARDS}/")), row)


def _damage_fetched(folder: Address, row: ManifestRow) -> str | None:
    try:
        local_copy(folder / row.file, row.sha256)
    except FileNotFoundError:
        return "is missing"
    except ValueError:
        return ALTERED
    return None


def total(name: str, rows: tuple[ManifestRow, ...]) -> float:
    """Returns the sum of a scalar column's finite values."""
    return sum(row.sums[name] for row in rows)


def mean(name: str, rows: tuple[ManifestRow, ...]) -> float:
    """Returns the mean of a scalar column's finite values; NaN where there are none."""
    values = sum(row.count - row.missing.get(name, 0) for row in rows)
    # fsum rounds once, so that the order of the shards makes no difference.
    return math.fsum(row.sums[name] for row in rows) / values if values else math.nan
