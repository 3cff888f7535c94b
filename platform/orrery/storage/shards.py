"""Shards: the Arrow files of a dataset, written here, and looked at before they are mapped.

Arrow believes what a file says of itself: a flipped bit in an offset sends a reader
beyond the file, and the process dies. So no shard is mapped whose checksum this process
has not compared, once for each state of the file, and whose content is not what the
manifest says of it. To hash takes 0.7 ms of CPU for each MB, once; later readings map at
13 GB/s as they would without.
"""

import dataclasses
import json
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orrery.identity import JSON, without_words
from orrery.records import Records, Schema
from orrery.storage.contents import content_of
from orrery.storage.documents import digest_of
from orrery.storage.files import checksum, is_unaltered, replacing
from orrery.storage.manifest import SHARDS, ManifestRow, shard_file
from orrery.storage.store import Address, Location
from orrery.tables.arrow_bounds import check_arrow

INDEX = "index"  # the column with the simulation's number
ALTERED = "was altered: its sha256 differs"


def write_shard(
    folder: Location, shard: int, records: Records, schema: Schema, metadata: JSON
) -> ManifestRow:
    """Writes the records of one shard and returns its manifest row.

    Arguments:
        folder: The dataset's absolute folder.
        shard: The shard's number.
        records: The shard's `shard_size` simulations.
        schema: Their columns.
        metadata: What `identify` returned.

    Raises:
        OSError: If the file cannot be written; nothing is left behind.
    """
    with replacing(folder / shard_file(shard)) as temporary:
        # without words, on which no byte of a shard may depend
        table = records.table(schema, without_words(metadata))
        _write_arrow(temporary, table)
        size = temporary.stat().st_size
        # Of what is on the disk, not of what was sent there.
        sha256 = checksum(temporary)
    first = shard * metadata["shard_size"]
    names = [column.name for column in schema.scalars]
    # As they are kept, in the schema's types: what readers compare the manifest with.
    kept = Records.from_table(table)
    return _row(shard, first, size, sha256, kept, names)


def _row(
    shard: int, first: int, size: int, sha256: str, records: Records, names: list[str]
) -> ManifestRow:
    values = {name: records.scalars[name] for name in names if name != INDEX}
    missing = {name: int((~np.isfinite(value)).sum()) for name, value in values.items()}
    return ManifestRow(
        shard=shard,
        file=shard_file(shard),
        first=first,
        count=len(records),
        particles=int(records.offsets[-1]),
        bytes=size,
        sha256=sha256,
        sums={name: _sum(value) for name, value in values.items()},
        missing={name: count for name, count in missing.items() if count},
    )


def _write_arrow(path: Path, table: pa.Table) -> None:
    # One batch: its columns can then be mapped as they are, without putting pieces
    # together.
    (batch,) = table.combine_chunks().to_batches()
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_batch(batch)


def _sum(values: NDArray[Any]) -> float:
    # fsum is rounded once, so that the manifest is the same on every processor.
    total = math.fsum(values[np.isfinite(values)].tolist())
    return int(total) if np.issubdtype(values.dtype, np.integer) else total


def map_shard(path: Path, row: ManifestRow, fingerprint: str) -> Records:
    """Returns the records of a shard, memory-mapped, which are what the manifest says.

    Arguments:
        path: The shard's file, or a copy of it.
        row: What the manifest says of it.
        fingerprint: Of its dataset.

    Raises:
        ValueError: If the file was altered, or is another's; it does not name the file.
        OSError: If it cannot be read.
    """
    if not is_unaltered(path, row.sha256):
        raise ValueError(ALTERED)
    with pa.memory_map(str(path)) as source:
        check_arrow(source.read_buffer())
        table = pa.ipc.open_file(source).read_all()
    # whoever wrote the checksum may have written offsets that end this process
    table.validate(full=True)
    records = Records.from_table(table)
    reason = _another(table, records, row, fingerprint)
    if reason:
        raise ValueError(reason)
    return records


def _another(
    table: pa.Table, records: Records, row: ManifestRow, fingerprint: str
) -> str | None:
    """Returns in what a shard is not the one that the manifest describes, if it is not."""
    own = json.loads(table.schema.metadata[b"orrery"])["fingerprint"]
    if own != fingerprint:
        return f"is a shard of the dataset {own}, not of {fingerprint}"
    index = records.scalars.get(INDEX)
    found = {
        "first": row.first if index is None else int(index[0]),
        "count": len(records),
        "particles": int(records.offsets[-1]),
    }
    return _difference(found, row)


def _difference(found: JSON, row: ManifestRow) -> str | None:
    for name, value in found.items():
        said = getattr(row, name)
        if value != said:
            return f"has {name} {value}, but the manifest says {said}"
    return None


def row_of(content: bytes, shard: int, fingerprint: str) -> ManifestRow:
    """Returns the manifest row of a shard, from its content alone.

    Nothing is mapped, and every offset is looked at, so that damage kills no process.

    Arguments:
        content: All bytes of the file.
        shard: The shard's number.
        fingerprint: Of its dataset.

    Raises:
        ValueError: If this is no such shard; it says why.
    """
    try:
        check_arrow(content)
        table = pa.ipc.open_file(pa.BufferReader(content)).read_all()
        table.validate(full=True)
        records = Records.from_table(table)
        metadata = json.loads(table.schema.metadata[b"orrery"])
        names = [c["name"] for c in metadata["columns"]["scalars"]]
        first = shard * metadata["shard_size"]
        row = _row(shard, first, len(content), digest_of(content), records, names)
        reason = _another(table, records, row, fingerprint)
    except (pa.ArrowException, KeyError, TypeError, IndexError, OSError) as error:
        raise ValueError(f"is no shard ({error})") from error
    if reason or row.count != metadata["shard_size"]:
        raise ValueError(reason or f"has {row.count} simulations")
    return row


def metadata_of(content: bytes) -> JSON:
    """Returns what a shard says of its dataset: `dataset.json` without words.

    Raises:
        ValueError: If it is no shard.
    """
    try:
        schema = pa.ipc.open_file(pa.BufferReader(content)).schema
        found: JSON = json.loads(schema.metadata[b"orrery"])
    except (pa.ArrowException, KeyError, TypeError, OSError) as error:
        raise ValueError(f"is no shard ({error})") from error
    return found


def damaged_files(
    folder: Location, rows: tuple[ManifestRow, ...], fingerprint: str, full: bool
) -> dict[str, str]:
    """Returns what is wrong with each damaged shard, by its path inside the folder.

    Arguments:
        folder: The dataset's folder.
        rows: The manifest's rows of the shards that are looked at.
        fingerprint: Of the dataset.
        full: Compare checksums and rows too, not only sizes. Shards in a bucket are
            fetched.
    """
    # Reading releases Python's lock, so that threads keep a fast disk busy.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        reasons = list(threads.map(_look(folder, fingerprint, full), rows))
    return {
        row.file: reason for row, reason in zip(rows, reasons, strict=True) if reason
    }


def _look(
    folder: Location, fingerprint: str, full: bool
) -> Callable[[ManifestRow], str | None]:
    """Returns a function that says what is wrong with a shard."""
    if not isinstance(folder, Address):
        return partial(_damage, folder, fingerprint, full)
    if full:
        return partial(_damage_fetched, folder, fingerprint)
    # One list instead of a question for each shard.
    return partial(_damage_listed, (folder / SHARDS).sizes())


def _damage(folder: Path, fingerprint: str, full: bool, row: ManifestRow) -> str | None:
    path = folder / row.file
    size = path.stat().st_size if path.is_file() else None
    reason = _wrong_size(size, row)
    return _look_inside(path, row, fingerprint) if full and not reason else reason


def _wrong_size(size: int | None, row: ManifestRow) -> str | None:
    if size is None:
        return "is missing"
    if size != row.bytes:
        return f"has {size} bytes instead of {row.bytes}"
    return None


def _look_inside(path: Path, row: ManifestRow, fingerprint: str) -> str | None:
    if checksum(path) != row.sha256:
        return ALTERED
    try:
        records = map_shard(path, row, fingerprint)
    except (pa.ArrowException, ValueError, KeyError) as error:
        return str(error)
    found = _row(
        row.shard, row.first, row.bytes, row.sha256, records, [*records.scalars]
    )
    return _difference(dataclasses.asdict(found), row)


def _damage_listed(sizes: dict[str, int], row: ManifestRow) -> str | None:
    return _wrong_size(sizes.get(row.file.removeprefix(f"{SHARDS}/")), row)


def _damage_fetched(folder: Address, fingerprint: str, row: ManifestRow) -> str | None:
    # What lies in the bucket, not a copy of it that is here.
    try:
        content = content_of(folder / row.file)
    except FileNotFoundError:
        return "is missing"
    if digest_of(content) != row.sha256:
        return ALTERED
    try:
        found = row_of(content, row.shard, fingerprint)
    except ValueError as error:
        return str(error)
    return _difference(dataclasses.asdict(found), row)
