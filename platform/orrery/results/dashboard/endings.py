"""Whether the file of a copy has come to its end on disk.

wandb's own process writes it, and holds back what came last for some time after a run has
finished; with it a file of any trial is nearly empty.
"""

import struct
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

# The file has a header of 7 bytes, then blocks of 32 KiB as LevelDB writes its log: a
# record is one or several chunks, each a checksum (4 bytes), a length (2), a type (1) and
# its content; nothing begins in the last 6 bytes of a block.
# https://github.com/google/leveldb/blob/main/doc/log_format.md
_BLOCK = 32768
_HEADER = 7
_CHUNK = struct.Struct("<IHB")
_LAST = (1, 4)  # types of chunks with which a record ends: whole, and the last part
_PAUSE = 0.005  # [s]


def wait_for_end(file: Path, seconds: float) -> None:
    """Returns when the last record of a run, its exit, is on disk.

    Arguments:
        file: The copy.
        seconds: How long to wait.

    Raises:
        OSError: If it cannot be read.
        TimeoutError: If it has no end by then.
    """
    deadline = time.monotonic() + seconds
    while not has_ended(file):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{file} has not come to its end within {seconds:g} s")
        time.sleep(_PAUSE)


def has_ended(file: Path) -> bool:
    """Returns whether the last record of a copy is that of the run's exit.

    Arguments:
        file: The copy.

    Raises:
        OSError: If it cannot be read.
    """
    from google.protobuf.message import DecodeError
    from wandb.proto import wandb_internal_pb2

    record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]  # made at import
    try:
        record.ParseFromString(_last_record(file.read_bytes()))
    except DecodeError:
        return False
    return record.WhichOneof("record_type") == "exit"


def _last_record(content: bytes) -> bytes:
    """Returns the last record; nothing if the content ends within one."""
    (last,) = deque(records(content), maxlen=1) or [b""]
    return last


def records(content: bytes) -> Iterator[bytes]:
    """Yields each record of a copy; nothing for a last one that is not whole.

    Arguments:
        content: Of the file of the copy.

    Example:
        >>> list(records(b""))
        []
    """
    parts: list[bytes] = []
    for kind, part in _chunks(content):
        parts.append(part)
        if kind in _LAST:
            yield b"".join(parts)
            parts.clear()
    if parts:
        yield b""


def _chunks(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the type and the content of each chunk."""
    place = _HEADER
    while place + _CHUNK.size <= len(content):
        rest = _BLOCK - place % _BLOCK
        if rest < _CHUNK.size:
            place += rest
            continue
        _, length, kind = _CHUNK.unpack_from(content, place)
        place += _CHUNK.size + length
        yield kind, content[place - length : place]
