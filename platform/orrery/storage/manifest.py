"""The manifest: what each shard of a dataset holds, and whether its file still is what it was.

It has a checksum of every shard, so that damage is found before anybody computes with
it, and the sums of the scalar columns, so that a card needs no shard to be read.
"""

import hashlib
import json
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

SHARDS = "shards"
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


def read_manifest(folder: Path) -> list[ManifestRow]:
    """Returns the rows of a finished dataset's manifest, sorted by shard.

    Raises:
        ValueError: If there is no manifest, or it cannot be read.
    """
    path = folder / MANIFEST
    try:
        return [ManifestRow(**row) for row in json.loads(path.read_text())["shards"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder} is no finished dataset ({error}): run its generation again, "
            "which continues where it stopped"
        ) from error


def damaged_files(
    folder: Path, rows: tuple[ManifestRow, ...], full: bool
) -> dict[str, str]:
    """Returns what is wrong with each damaged shard, by its path inside the folder.

    Arguments:
        folder: The dataset's folder.
        rows: The manifest's rows of the shards that are looked at.
        full: Compare checksums too, not only sizes.
    """
    # Reading releases Python's lock, so that threads keep a fast disk busy.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        reasons = list(threads.map(partial(_damage, folder, full), rows))
    return {
        row.file: reason for row, reason in zip(rows, reasons, strict=True) if reason
    }


def _damage(folder: Path, full: bool, row: ManifestRow) -> str | None:
    path = folder / row.file
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != row.bytes:
        return f"has {size} bytes instead of {row.bytes}"
    if full and checksum(path) != row.sha256:
        return "was altered: its sha256 differs"
    return None


def checksum(path: Path) -> str:
    """Returns a file's sha256 as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def total(name: str, rows: tuple[ManifestRow, ...]) -> float:
    """Returns the sum of a scalar column's finite values."""
    return sum(row.sums[name] for row in rows)


def mean(name: str, rows: tuple[ManifestRow, ...]) -> float:
    """Returns the mean of a scalar column's finite values; NaN where there are none."""
    values = sum(row.count - row.missing.get(name, 0) for row in rows)
    # fsum rounds once, so that the order of the shards makes no difference.
    return math.fsum(row.sums[name] for row in rows) / values if values else math.nan
