"""The manifest: what each shard of a dataset holds, and whether its file still is what it was.

It has a checksum of every shard, so that damage is found before anybody computes with
it, and the sums of the scalar columns, so that a card needs no shard to be read.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orrery.identity import JSON, canonical
from orrery.option_types import check_value, shortened
from orrery.storage.documents import own_file, read_document, with_checksum
from orrery.storage.store import Location, StoreError

SHARDS = "shards"
MANIFEST = "manifest.json"
# The shards' checksums once more, as `sha256sum --check` takes them: if the manifest is
# lost, they tell which shards are sound.
CHECKSUM_LIST = "shards.sha256"


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

    @classmethod
    def read(cls, entry: JSON) -> "ManifestRow":
        """Returns the row in a document.

        Raises:
            TypeError: If a field is missing, or there are others.
            ValueError: If a field is of another type.
        """
        row = cls(**entry)
        for name, kind in _KINDS.items():
            check_value(name, getattr(row, name), kind)
        _check_numbers("sums", row.sums, (int, float))
        _check_numbers("missing", row.missing, (int,))
        return row


# The types of a row's fields, without the numbers of its columns.
_KINDS = {
    "shard": int,
    "file": str,
    "first": int,
    "count": int,
    "particles": int,
    "bytes": int,
    "sha256": str,
}


def _check_numbers(name: str, values: Any, kinds: tuple[type, ...]) -> None:
    """Raises ValueError if there is not a number for each column, however large."""
    # bool is a subclass of int
    known = isinstance(values, dict) and all(type(v) in kinds for v in values.values())
    if not known:
        raise ValueError(f"{name} is {shortened(values)}, not a number for each column")


def shard_file(shard: int) -> str:
    """Returns a shard's path inside the folder of its dataset.

    Example:
        >>> shard_file(12)
        'shards/shard-00012.arrow'
    """
    return f"{SHARDS}/shard-{shard:05d}.arrow"


def read_manifest(folder: Location) -> tuple[str, list[ManifestRow]]:
    """Returns the fingerprint and the rows of a finished dataset's manifest, by shard.

    Raises:
        ValueError: If there is no manifest, or it is damaged.
        StoreError: If it lies in a bucket that cannot be used from here.
    """
    path = folder / MANIFEST
    remedy = f"it can be rebuilt from the shards, by `orrery dataset repair {folder}`"
    try:
        document = read_document(path, remedy)
        rows = [ManifestRow.read(row) for row in document["shards"]]
        for number, row in enumerate(rows):
            _check_row(folder, number, row)
        return document["fingerprint"], rows
    except StoreError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder} is no finished dataset ({error}): run its generation again, "
            "which continues where it stopped"
        ) from error


def _check_row(folder: Location, number: int, row: ManifestRow) -> None:
    """Raises ValueError if a row is none of a manifest, whose rows have no holes."""
    own_file(folder, row.file)
    follows = row.shard == number and row.file == shard_file(number)
    if not follows or row.first != number * row.count or not row.count > 0:
        raise ValueError(
            f"{MANIFEST} lists shard {row.shard!r} with {row.count!r} simulations from "
            f"{row.first!r} on in {row.file!r}, as number {number}"
        )


def manifest_text(fingerprint: str, rows: Sequence[ManifestRow]) -> str:
    """Returns a manifest as it is written: a line for each shard, and its own checksum."""
    lines = ",\n".join(canonical(dataclasses.asdict(row)) for row in rows)
    return with_checksum(f'{{"fingerprint":"{fingerprint}","shards":[\n{lines}\n]}}\n')


def checksums_text(rows: Sequence[ManifestRow]) -> str:
    """Returns the shards' checksums as `sha256sum --check` takes them."""
    return "".join(f"{row.sha256}  {row.file}\n" for row in rows)


def total(name: str, rows: tuple[ManifestRow, ...]) -> float:
    """Returns the sum of a scalar column's finite values."""
    return sum(row.sums[name] for row in rows)


def mean(name: str, rows: tuple[ManifestRow, ...]) -> float:
    """Returns the mean of a scalar column's finite values; NaN where there are none."""
    values = sum(row.count - row.missing.get(name, 0) for row in rows)
    # fsum rounds once, so that the order of the shards makes no difference.
    return math.fsum(row.sums[name] for row in rows) / values if values else math.nan
