"""Parquet files that carry their own checksum, in their footer beside the schema.

Pages of Parquet have checksums, its footer has none: a flipped bit there hides a column.
So the sha256 of the whole file stands in the footer, computed with zeros in its place.
Any reader of Parquet passes it over.
"""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orrery.storage.contents import content_of
from orrery.storage.documents import digest_of
from orrery.storage.store import Location
from orrery.tables.arrow_bounds import check_parquet

_KEY = "orrery.sha256"
_ZEROS = b"0" * 64
# As Parquet's footer holds it: the field's type and the length stand between.
_ENTRY = re.compile(re.escape(_KEY.encode()) + rb"\x18\x40([0-9a-f]{64})")


def write_parquet(path: Path, table: pa.Table) -> None:
    """Writes a table with its checksum, which is not complete before this returns.

    Raises:
        OSError: If it cannot be written.
    """
    with pq.ParquetWriter(path, table.schema, write_page_checksum=True) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({_KEY: _ZEROS.decode()})
    content = content_of(path)
    path.write_bytes(_with_digest(content, digest_of(content).encode()))


def _with_digest(content: bytes, digest: bytes) -> bytes:
    found = _last_entry(content)
    if found is None:
        raise ValueError(f"the table has no entry {_KEY} for its checksum")
    return content[: found.start(1)] + digest + content[found.end(1) :]


def _last_entry(content: bytes) -> re.Match[bytes] | None:
    # The footer is the end of the file; what looks like it in the data comes before.
    start = content.rfind(_KEY.encode())
    return _ENTRY.match(content, start) if start >= 0 else None


def read_parquet(path: Location) -> pa.Table:
    """Returns the table in a file that `write_parquet` wrote.

    Raises:
        ValueError: If the file is damaged, has no checksum, or would become much larger
            than it is.
        OSError: If it cannot be read.
    """
    content = content_of(path)
    found = _last_entry(content)
    if found is None:
        raise ValueError("it has no checksum")
    if digest_of(_with_digest(content, _ZEROS)).encode() != found[1]:
        raise ValueError("its checksum differs")
    check_parquet(path.name, content, "remove the file, and compute its numbers again")
    # The threads of `pq.read_table` may hold the bytes until this process ends, and abort it
    # if they let them go once the interpreter is gone.
    return pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
