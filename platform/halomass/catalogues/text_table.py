"""A text file of numbers below a header that names its columns, read a range of bytes at a time.

Columns are found by name: their positions shift between versions of the programs that
write them. A line belongs to the range in which it begins, so that the ranges hold each
line once, whatever their size, and any of them can be read without those before it.
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from halomass.catalogues.headers import parse_header
from halomass.catalogues.packing import file_bytes, is_packed
from orrery.identity import JSON

LONGEST_LINE = 1 << 16  # [bytes] a file with longer lines is no text
LONGEST_HEADER = 1 << 20  # [bytes]
MEMORY_PER_BYTE = 10  # the most memory that a chunk takes, relative to its bytes
_INTEGERS = ("id", "descid", "upid", "flags")  # identities do not fit into a float


@dataclass(frozen=True)
class TextTable:
    r"""The lines of a text file, in chunks.

    Arguments:
        path: The file.
        chunk_bytes: The size of a chunk.
        width: The number of fields of a line.
        columns: The names of the columns to read, and their positions.

    Example:
        >>> table = TextTable(Path("hlist_1.00000.list"), 1000, 3, (("id", 0), ("m", 2)))
        >>> table.rows(0, b"7 0.1 1e12\n8 0.2 2e12\n")["m"]
        array([1.e+12, 2.e+12])
    """

    path: Path
    chunk_bytes: int
    width: int
    columns: tuple[tuple[str, int], ...]

    @property
    def chunks(self) -> int:
        """The number of chunks."""
        return -(-file_bytes(self.path).size // self.chunk_bytes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a row."""
        return np.dtype(
            [(n, "i8" if n in _INTEGERS else "f8") for n, _ in self.columns]
        )

    def describe(self) -> JSON:
        """Returns how the file is read, as plain JSON."""
        return {"chunk_bytes": self.chunk_bytes, "columns": dict(self.columns)}

    def content(self, chunk: int) -> bytes:
        """Returns the lines of a chunk; those of all chunks, one after the other, are the file."""
        file = file_bytes(self.path)
        begin = chunk * self.chunk_bytes
        # one byte early: a line that begins exactly at the chunk's first byte is not skipped
        early = min(begin, 1)
        text = file.read(begin - early, self.chunk_bytes + early)
        skipped = self._line_end(text, begin) if early else 0
        if skipped == len(text):
            return b""
        if not text.endswith(b"\n"):
            rest = file.read(begin + self.chunk_bytes, LONGEST_LINE)
            end = self._line_end(rest, begin + self.chunk_bytes)
            text = b"".join([memoryview(text)[skipped:], memoryview(rest)[:end]])
            skipped = 0
        if not text.endswith(b"\n"):
            raise _torn(self.path)
        return text[skipped:]

    def rows(self, chunk: int, content: bytes) -> NDArray[Any]:
        """Returns the rows of a chunk, a structured array.

        Arguments:
            chunk: The chunk's number.
            content: Its lines.

        Raises:
            ValueError: If a line has too few or too many fields, or one that is no
                number.
        """
        lines = _data_lines(content)
        if lines.longest > LONGEST_LINE:
            raise ValueError(
                f"{self.path.name}, line {self._number(chunk, lines.which)} has {lines.longest} "
                f"bytes, more than {LONGEST_LINE}: it is no line of numbers; fetch the file again"
            )
        self._check_later_header(chunk, content, lines.later)
        wrong = np.flatnonzero(lines.fields != self.width)
        if len(wrong):
            raise ValueError(
                f"{self.path.name}, line {self._number(chunk, lines.index[wrong[0]])} has "
                f"{lines.fields[wrong[0]]} fields instead of {self.width}: the file is torn or "
                "was edited; fetch it again"
            )
        return (
            self._parse(chunk, content) if len(lines.index) else np.empty(0, self.dtype)
        )

    def _check_later_header(
        self, chunk: int, content: bytes, later: tuple[int, ...]
    ) -> None:
        """Refuses lists of two snapshots in one file."""
        if not later:
            return
        text = content.split(b"\n")
        for index in later:
            scale = parse_header((_comment(text[index]),)).scale
            if (
                scale is not None
                and scale != parse_header(read_header(self.path)).scale
            ):
                raise ValueError(
                    f"{self.path.name}, line {self._number(chunk, index)} begins a list of the "
                    f"scale factor {scale:g}: these are two lists in one file; split it"
                )

    def place(self, chunk: int, row: int) -> str:
        """Returns where in the file a row of a chunk stands, for messages."""
        index = _data_lines(self.content(chunk)).index[row]
        return f"line {self._number(chunk, index)}"

    def _parse(self, chunk: int, content: bytes) -> NDArray[Any]:
        try:
            return self._numbers(content)
        except ValueError as error:
            index, reason = self._first_unreadable(content, error)
            where = f"{self.path.name}, line {self._number(chunk, index)}"
            remedy = "the file is damaged; fetch it again"
            if "int64" in reason:
                remedy = (
                    "write identities as whole numbers, without a point or exponent"
                )
            raise ValueError(f"{where} cannot be read ({reason}): {remedy}") from error

    def _numbers(self, content: bytes) -> NDArray[Any]:
        positions = [position for _, position in self.columns]
        return np.loadtxt(BytesIO(content), self.dtype, usecols=positions, ndmin=1)

    # line by line, which is slow: only once it is known that the file is refused
    def _first_unreadable(self, content: bytes, error: ValueError) -> tuple[int, str]:
        lines = content.split(b"\n")
        for index in _data_lines(content).index:
            try:
                self._numbers(lines[index])
            except ValueError as reason:
                return index, str(reason).partition(" at row")[0]
        return 0, str(error)

    def _number(self, chunk: int, index: int) -> int:
        """Returns the number in the file, from 1, of a line of a chunk."""
        before = sum(self.content(earlier).count(b"\n") for earlier in range(chunk))
        return before + int(index) + 1

    def _line_end(self, text: bytes, offset: int) -> int:
        """Returns how many of the bytes from an offset on belong to the line that began before."""
        end = text.find(b"\n", 0, LONGEST_LINE) + 1
        if not end and len(text) >= LONGEST_LINE:
            raise ValueError(
                f"{self.path.name} has no end of a line within {LONGEST_LINE} bytes after byte "
                f"{offset}: it is no text table; choose another kind"
            )
        return end or len(text)


@dataclass(frozen=True)
class _Lines:
    """The lines with data of a text: their indices among all lines, their numbers of fields.

    Of all lines it is known how many bytes the longest has, and which it is; and which
    comments stand below data.
    """

    index: NDArray[np.intp]
    fields: NDArray[np.intp]
    longest: int = 0
    which: int = 0
    later: tuple[int, ...] = ()  # lines of a comment below one with data


def _data_lines(content: bytes) -> _Lines:
    text = np.frombuffer(content, np.uint8)
    begins = np.concatenate([[0], np.flatnonzero(text == ord("\n"))[:-1] + 1])
    if not len(text):
        return _Lines(begins[:0], begins[:0])
    blank = (text == ord(" ")) | ((text >= ord("\t")) & (text <= ord("\r")))
    words = ~blank
    words[1:] &= blank[:-1]
    lengths = np.diff(begins, append=len(text))
    which = int(np.argmax(lengths))
    # Wider sums would be made of a wider copy of the text, the largest piece of memory. They
    # overflow only in lines that are too long.
    fields = np.add.reduceat(words.view(np.uint8), begins, dtype=np.uint16).astype(
        np.intp
    )
    comment = text[begins] == ord("#")
    index = np.flatnonzero((fields > 0) & ~comment)
    first = int(index[0]) if len(index) else len(begins)
    later = first + np.flatnonzero(comment[first:])
    return _Lines(index, fields[index], int(lengths[which]), which, tuple(later))


def read_header(path: Path) -> tuple[str, ...]:
    """Returns the lines at a file's beginning that start with `#`, without it.

    Raises:
        ValueError: If the file does not end with the end of a line, or the header does
            not end.
    """
    file = file_bytes(path)
    begin = file.read(0, len(BOM_UTF8))
    if begin.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise ValueError(
            f"{path.name} is in UTF-16: convert it, `iconv -f UTF-16 -t ASCII`"
        )
    # what is packed ends only once all of it was unpacked
    if not is_packed(path) and file.read(file.size - 1, 1) != b"\n":
        raise _torn(path)
    if begin == BOM_UTF8:
        raise ValueError(
            f"{path.name} begins with a byte-order mark: save it without one, as ASCII"
        )
    lines: list[str] = []
    place = 0
    while True:
        block = file.read(place, LONGEST_LINE)
        whole = block[: block.rfind(b"\n") + 1] or block
        for line in whole.removesuffix(b"\n").split(b"\n"):
            if not line.startswith(b"#"):
                return tuple(lines)
            lines.append(_comment(line))
        place += len(whole)
        if place > LONGEST_HEADER:
            raise ValueError(
                f"{path.name} begins with more than {LONGEST_HEADER} bytes of comments: it is "
                "no table of halos; choose another file"
            )


def _comment(line: bytes) -> str:
    return line.decode("latin1")[1:].strip()


def first_row(path: Path) -> list[str]:
    """Returns the fields of the first line of numbers; none where it is not near the beginning."""
    *lines, _ = file_bytes(path).read(0, LONGEST_HEADER).split(b"\n")
    rows = (line.split() for line in lines if not line.startswith(b"#"))
    return [field.decode("latin1") for field in next(filter(None, rows), [])]


def _torn(path: Path) -> ValueError:
    return ValueError(
        f"{path.name} ends in the middle of a line: the copy is incomplete, or this is no text "
        "table; fetch it again, or end the last line if it is whole"
    )


def column_names(
    lines: tuple[str, ...], wanted: Mapping[str, str]
) -> tuple[str, ...] | None:
    """Returns the names of all columns, in small letters; none if no line of a header has them.

    A header also explains the columns: its line with the names is the one with most of
    `wanted`.

    Arguments:
        lines: The header.
        wanted: The columns to read: our names, and those of the file.
    """
    sought = {name.lower() for name in wanted.values()}
    candidates = [
        tuple(_name(word) for word in re.split(r"[\s,;]+", line) if word)
        for line in lines
    ]
    best = max(
        candidates, key=lambda found: len(sought.intersection(found)), default=()
    )
    return best if 2 * len(sought.intersection(best)) >= len(sought) else None


def _name(word: str) -> str:
    # `mvir(10)`: the number is not always the column's
    return re.sub(r"[(\[]\d+[)\]]$", "", word).lower()


def open_named(
    path: Path,
    memory: float,
    wanted: Mapping[str, str],
    optional: Mapping[str, Sequence[str]],
    example: str,
) -> TextTable:
    """Returns the table of a file whose header must name its columns.

    Arguments:
        path: The file.
        memory: The most memory [MB] that reading a chunk may take.
        wanted: The columns to read: our names, and those of the file.
        optional: Those to read where the file has them: see `open_table`.
        example: What a column is called there.

    Raises:
        ValueError: If there is no such header, or a column is missing.
    """
    found = column_names(read_header(path), wanted)
    if found is None:
        raise ValueError(
            f"{path.name} has no header with the names of its columns, such as {example!r}: their "
            "positions differ between versions; use the file as it was released"
        )
    return open_table(path, memory, found, wanted, optional)


def open_table(
    path: Path,
    memory: float,
    found: tuple[str, ...],
    wanted: Mapping[str, str],
    optional: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> TextTable:
    """Returns the table of a file.

    Arguments:
        path: The file.
        memory: The most memory [MB] that reading a chunk may take.
        found: The names of the file's columns, in small letters.
        wanted: The columns to read: our names, and those of the file.
        optional: Those to read where the file has them: our names, and what they may be
            called, the first that is there.

    Raises:
        ValueError: If a column is missing.
    """
    names = dict.fromkeys(wanted.values())  # one may be read twice
    missing = [name for name in names if name.lower() not in found]
    if missing:
        raise ValueError(
            f"{path.name} has no column {', '.join(missing)}: its header names {len(found)} "
            "others; use the catalogue with all columns"
        )
    there = {
        ours: next(name for name in names if name.lower() in found)
        for ours, names in optional.items()
        if any(name.lower() in found for name in names)
    }
    read = [*names, *there.values()]
    twice = [name for name in read if found.count(name.lower()) > 1]
    if twice:
        raise ValueError(
            f"{path.name} has several columns {', '.join(twice)}: give each a name of its own"
        )
    columns = tuple(
        (ours, found.index(theirs.lower()))
        for ours, theirs in {**wanted, **there}.items()
    )
    return TextTable(path, int(1e6 * memory) // MEMORY_PER_BYTE, len(found), columns)
