"""The bytes of a file by their offset, whether it is packed by gzip or not.

A packed file can only be unpacked from its beginning. So it is read onwards: each process
remembers where it is, and begins anew only for what lies before. Nothing is unpacked onto
the disk, and no more is held than what is asked for.
"""

import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

_GZIP = b"\x1f\x8b"
# Other programs, by the first bytes of what they write.
_OTHERS = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
_BLOCK = 1 << 16  # [bytes] that are read, or skipped, at once
_WITH_HEADER = 31  # zlib's number for gzip's header and checksum
_KEPT = 1 << 17  # [bytes] before the place reached that can be read again


class FileBytes(Protocol):
    """The bytes of a file, unpacked.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a.list"
        ...     _ = path.write_bytes(b"0123456789")
        ...     some: FileBytes = file_bytes(path)
        ...     some.size, some.read(3, 4), some.read(8, 4)
        (10, b'3456', b'89')
    """

    @property
    def size(self) -> int: ...

    def read(self, begin: int, count: int) -> bytes: ...


@dataclass(frozen=True)
class PlainBytes:
    """The bytes of a file that is not packed.

    Example:
        >>> PlainBytes(Path("hlist_1.00000.list")).path.suffix
        '.list'
    """

    path: Path

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.path.stat().st_size

    def read(self, begin: int, count: int) -> bytes:
        """Returns `count` bytes from `begin` on; fewer at the end."""
        with self.path.open("rb") as file:
            file.seek(begin)
            return file.read(count)


@dataclass
class GzipBytes:
    """The bytes in a file that gzip packed, read onwards.

    Example:
        >>> import gzip
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a.list.gz"
        ...     _ = path.write_bytes(gzip.compress(b"0123456789"))
        ...     GzipBytes(path).read(3, 4)
        b'3456'
    """

    path: Path
    _onwards: "_Inflation" = field(init=False, repr=False)
    _kept: bytes = field(default=b"", init=False, repr=False)  # the last ones
    _reached: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        self._onwards = _Inflation(self.path)

    @property
    def size(self) -> int:
        """The number of bytes, for which all are unpacked once in each process.

        Raises:
            ValueError: If the file is torn or damaged.
        """
        file = self.path.stat()
        return _unpacked_size(self.path, file.st_size, file.st_mtime_ns)

    def read(self, begin: int, count: int) -> bytes:
        """Returns `count` bytes from `begin` on; fewer at the end.

        Raises:
            ValueError: If the file is torn or damaged.
        """
        if begin < self._reached - len(self._kept):
            self._onwards = _Inflation(self.path)
            self._kept = b""
            self._reached = 0
        while self._reached < begin and self._advance(begin - self._reached):
            pass
        again = self._reached - begin
        parts = [self._kept[-again:][:count]] if again > 0 else []
        missing = count - sum(map(len, parts))
        while missing > 0 and (more := self._advance(missing)):
            parts.append(more)
            missing -= len(more)
        return b"".join(parts)

    def _advance(self, most: int) -> bytes:
        more = self._onwards.following(min(most, _BLOCK))
        self._reached += len(more)
        self._kept = (self._kept + more)[-_KEPT:]
        return more


class _Inflation:
    """Unpacks a file from its beginning; it may consist of several packed parts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0
        self._waiting = b""
        self._part: Any = None  # zlib has no name for the type

    def following(self, most: int) -> bytes:
        """Returns at most so many of the following bytes; none at the end."""
        while True:
            packed = self._waiting or self._read()
            if self._part is None:
                packed = packed.lstrip(b"\0")  # tapes are filled up with zeros
                if not packed and not (packed := self._read()):
                    return b""
                self._part = zlib.decompressobj(_WITH_HEADER)
            more = self._inflate(packed, most)
            if more:
                return more
            if not packed and self._part is not None:
                raise ValueError(
                    f"{self._path.name} ends within what gzip packed: the copy is incomplete; "
                    "fetch it again"
                )

    def _inflate(self, packed: bytes, most: int) -> bytes:
        try:
            more: bytes = self._part.decompress(packed, most)
        except zlib.error as error:
            raise ValueError(
                f"{self._path.name} cannot be unpacked ({error}): fetch it again"
            ) from error
        whole = self._part.eof
        self._waiting = self._part.unused_data if whole else self._part.unconsumed_tail
        if whole:
            self._part = None
        return more

    def _read(self) -> bytes:
        # opened each time: whoever remembers where it is holds no open file
        with self._path.open("rb") as file:
            file.seek(self._place)
            packed = file.read(_BLOCK)
        self._place += len(packed)
        return packed


def is_packed(path: Path) -> bool:
    """Returns whether a file is packed by gzip, by its first bytes.

    Raises:
        ValueError: If another program has packed it.
    """
    with path.open("rb") as file:
        first = file.read(8)
    for magic, program in _OTHERS.items():
        if first.startswith(magic):
            raise ValueError(
                f"{path.name} is packed by {program}: unpack it, or pack it by gzip"
            )
    return first.startswith(_GZIP)


def file_bytes(path: Path) -> FileBytes:
    """Returns the bytes of a file, unpacked.

    Raises:
        ValueError: If another program than gzip has packed it.
    """
    if not is_packed(path):
        return PlainBytes(path)
    file = path.stat()
    return _remembered(path, file.st_size, file.st_mtime_ns)


# A process reads one file, or a few one after the other; a changed one is read anew.
@lru_cache(maxsize=2)
def _remembered(path: Path, size: int, modified: int) -> GzipBytes:
    return GzipBytes(path)


@lru_cache(maxsize=64)
def _unpacked_size(path: Path, size: int, modified: int) -> int:
    file = _Inflation(path)
    count = 0
    while more := file.following(_BLOCK):
        count += len(more)
    return count
