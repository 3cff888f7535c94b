"""Parquet and Arrow files, looked at before they are unpacked: a few bytes may mean gigabytes.

What a file becomes stands in its footer. A checksum says who wrote it, and not that it was
well meant; so files with one are bounded like any other.
"""

import struct
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orrery.tables.opening import check_expansion

_END = b"ARROW1"
_BLOCK = struct.Struct("<qi4xq")  # where a message is, its length, and its body's
_DICTIONARIES, _BATCHES = 2, 3  # fields of the footer
_HEADER_TYPE, _HEADER = 1, 2  # fields of a message
_DICTIONARY_TYPE, _DICTIONARY_DATA = 2, 1
_COMPRESSION = 3  # field of a batch


def check_parquet(name: str, content: bytes, remedy: str = "") -> pq.FileMetaData:
    """Returns what the footer of a Parquet file says, after looking at how large it becomes.

    Arguments:
        name: The file's name, for messages.
        content: All its bytes.
        remedy: What to do if it becomes too large.

    Raises:
        ValueError: If it would become much larger than it is.
        pyarrow.ArrowException: If it is damaged.
    """
    about = pq.read_metadata(pa.BufferReader(content))
    size = 0
    for group in map(about.row_group, range(about.num_row_groups)):
        for i in range(about.num_columns):
            column = group.column(i)
            width = max(about.schema.column(i).length, 8)
            # lists have many numbers in a row
            size = size + column.num_values * width + column.total_uncompressed_size
    check_expansion(name, len(content), int(size), "its rows", remedy)
    return about


def check_arrow(content: Any) -> None:
    """Checks that an Arrow file unpacks to nothing, because none of its columns are packed.

    Arguments:
        content: All its bytes, which may be mapped.

    Raises:
        ValueError: If its columns are compressed, or it names more bytes than it has.

    Example:
        >>> sink = pa.BufferOutputStream()
        >>> table = pa.table({"v": [0.0] * 1000})
        >>> packed = pa.ipc.IpcWriteOptions(compression="lz4")
        >>> with pa.ipc.new_file(sink, table.schema, options=packed) as writer:
        ...     writer.write_table(table)
        >>> check_arrow(sink.getvalue())
        Traceback (most recent call last):
        ValueError: its columns are compressed, and may unpack to anything: write them as they are
    """
    view = memoryview(content)
    try:
        named = 0
        for place, _, length in _blocks(view):
            named += length
            if _is_compressed(view, place):
                raise ValueError(
                    "its columns are compressed, and may unpack to anything: write them as "
                    "they are"
                )
    except (struct.error, IndexError) as error:
        raise ValueError(f"its footer cannot be read ({error})") from error
    if named > len(view):
        raise ValueError(
            f"it names {named} bytes of columns, and has {len(view)}: one is there many times"
        )


def _blocks(view: memoryview) -> Iterator[tuple[int, int, int]]:
    """Yields where the messages with columns are, as the footer says."""
    if len(view) < 10 or bytes(view[-6:]) != _END:
        raise IndexError("it does not end as an Arrow file")
    (length,) = struct.unpack_from("<i", view, len(view) - 10)
    start = len(view) - 10 - length
    if length < 8 or start < 0:
        raise IndexError(f"a length of {length}")
    footer = start + _number("<I", view, start)
    for field in (_DICTIONARIES, _BATCHES):
        found = _field(view, footer, field)
        if not found:
            continue
        vector = found + _number("<I", view, found)
        count = _number("<I", view, vector)
        for i in range(count):
            yield _BLOCK.unpack_from(view, vector + 4 + i * _BLOCK.size)


def _is_compressed(view: memoryview, place: int) -> bool:
    # files of before Arrow 0.15 have no mark before the length
    place += 8 if _number("<i", view, place) == -1 else 4
    message = place + _number("<I", view, place)
    header = _field(view, message, _HEADER)
    if not header:
        return False
    batch = header + _number("<I", view, header)
    kind = _field(view, message, _HEADER_TYPE)
    if kind and view[kind] == _DICTIONARY_TYPE:
        data = _field(view, batch, _DICTIONARY_DATA)
        batch = data + _number("<I", view, data)
    return bool(_field(view, batch, _COMPRESSION))


def _field(view: memoryview, table: int, field: int) -> int:
    """Returns where a field of a FlatBuffers' table is; 0 if it has none.

    https://flatbuffers.dev/internals
    """
    fields = table - _number("<i", view, table)
    entry = 4 + 2 * field
    if entry >= _number("<H", view, fields):
        return 0
    place = _number("<H", view, fields + entry)
    return table + place if place else 0


def _number(form: str, view: memoryview, place: int) -> int:
    if place < 0:
        raise IndexError(f"a place of {place}")
    (found,) = struct.unpack_from(form, view, place)
    return int(found)
