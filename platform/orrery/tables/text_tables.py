"""Tables as text: comma-, semicolon-, tab- and space-separated, from many programs.

Astropy's reader fills a short row with blanks, and takes the second half of a file that
is gone for no news at all. So encoding, delimiter and the fields of each row are looked
at first; the numbers are astropy's. A line of dashes below the titles, as in VizieR's
files, rules them off, and a line between has units.
"""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy import units
from astropy.table import Table
from astropy.table import meta as table_header

from orrery.tables import opening
from orrery.tables.coordinate_systems import mark_header
from orrery.tables.opening import OpenedFile, check_expansion
from orrery.tables.other_layouts import check_layout
from orrery.tables.sealed_text import check_seal
from orrery.tables.yaml_headers import check_header

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".dat")

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_SPACES = " "  # stands for any number of blanks and tabs
# Rows by which a last field is judged: if they are alike, if they are not, and at most.
_FEW_ROWS, _MANY_ROWS, _COMPARED_ROWS = 10, 100, 1000
_LONG_LINE = 1000  # [characters] few tables have longer ones
# [bytes] in memory, of a word's letter and of a list's entry
_CHARACTER, _ENTRY = 4, 32
# The beginning of a number; digits are given back to nobody, however many there are.
_BEGUN = re.compile(r"[-+]\.?|\.|[-+]?(\d++\.?\d*+|\.\d++)[eE][-+]?")
_RULE = set("- \t,;")  # what a line of dashes is made of


def decoded(file: OpenedFile) -> str:
    """Returns a file's text, without a byte-order mark.

    Raises:
        ValueError: If it is no UTF-8; the remedy is named.
    """
    content = file.content
    if content.startswith(_UTF_16) or content[:200].count(b"\0") > 20:
        code = (
            "UTF-32"
            if 2 * content[:200].count(b"\0") > len(content[:200])
            else "UTF-16"
        )
        raise ValueError(
            f"{file.name} is in {code}, not UTF-8: convert it, `iconv -f {code} -t UTF-8`"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{file.name}, line {line}: byte {content[error.start]:#04x} is no UTF-8; if the text "
            "is in Latin-1, convert it, `iconv -f LATIN1 -t UTF-8`"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(
            f"{file.name}, line {line}: a zero byte, which no text has: fetch the file again"
        )
    return text


def text_table(file: OpenedFile) -> Table:
    """Returns a table whose titles are in its first line, or in a comment above the numbers.

    Raises:
        ValueError: If its encoding, its layout, its delimiter, its titles or a row is wrong.
    """
    text = decoded(file)
    check_layout(file.name, text)
    rows = _Rows.of(text, file.name)
    titles = rows.titles()
    rows.check(len(titles))
    lines = rows.below_the_titles
    if not lines:
        return Table(names=titles)
    table = Table.read(
        list(lines),
        format="ascii.no_header",
        names=titles,
        delimiter=r"\s" if rows.delimiter == _SPACES else rows.delimiter,
        comment=None,
        guess=False,
    )
    for title, unit in zip(titles, rows.units, strict=False):
        table[title].unit = units.Unit(unit, parse_strict="silent") if unit else None
    return table


def ecsv_table(file: OpenedFile) -> Table:
    """Returns a table of astropy's own text format.

    Raises:
        ValueError: If its encoding, its checksum, its header or a row is wrong.
    """
    text = decoded(file)
    check_seal(text, file.name)
    lines = (line.lstrip() for line in _NEWLINE.split(text))
    comments = [line[1:].removeprefix(" ") for line in lines if line[:1] == "#"]
    # the first names the format, as a directive that YAML does not know
    header = [line for line in comments if not line.startswith("%")]
    check_header("\n".join(header), file.name)
    rows = _Rows.of(text, file.name)
    titles = rows.words(0) if rows.lines else []
    rows.check_titles(titles)
    rows.check(len(titles))
    for column in table_header.get_header_from_yaml(header)["datatype"]:
        size = len(rows.lines) * _entry_size(column)
        what = f"column {column['name']!r}"
        check_expansion(file.name, len(text), size, what)
    table = Table.read(text, format="ascii.ecsv")
    # what was a FITS table once has its header still
    mark_header(table)
    return table


def _entry_size(column: Mapping[str, Any]) -> int:
    """Returns how many bytes one row of a column takes whose header promises its shape."""
    size, shape = 0, ""
    for key in ("datatype", "subtype"):
        name, _, inner = str(column.get(key) or "").partition("[")
        shape = inner or shape
        # how many letters each word has, as in U1000
        size = max([size, *(int(n) for n in re.findall(r"[USV](\d+)", name))])
    counts = [int(n) for n in re.findall(r"\d+", shape)]
    return (_ENTRY + _CHARACTER * size) * math.prod(counts)


# --- rows ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rows:
    """The lines of a table without comments and blanks.

    Arguments:
        name: The file's name.
        lines: Its lines.
        numbers: Where each of them stands in the file, from 1 on.
        comments: Those above the first line.
        delimiter: What stands between two fields.
        ends: Whether the file ends with the end of a line.
        units: The columns' units, if a line has them.
    """

    name: str
    lines: tuple[str, ...]
    numbers: tuple[int, ...]
    comments: tuple[str, ...]
    delimiter: str
    ends: bool
    units: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, name: str) -> "_Rows":
        opening.check_line_lengths(name, text)
        every = _NEWLINE.split(text)
        kept = [i for i, line in enumerate(every) if line.strip() and not _said(line)]
        lines = tuple(every[i] for i in kept)
        delimiter = _delimiter(lines, name)
        if lines and delimiter != _SPACES:
            # counted before they are looked at one by one
            opening.check_columns(name, lines[0].count(delimiter) + 1)
        rows = cls(
            name,
            lines,
            tuple(i + 1 for i in kept),
            tuple(line for line in every[: min(kept, default=None)] if _said(line)),
            delimiter,
            ends=not every[-1].strip(),
        )
        return rows._without_rule()

    def _without_rule(self) -> "_Rows":
        """Returns the lines without a line of dashes below the titles, and the one between."""
        place = next((i for i in (1, 2) if _is_rule(self.lines[i : i + 1])), None)
        if place is None:
            return self
        words = self.words(1) if place == 2 else []
        return replace(
            self,
            lines=self.lines[:1] + self.lines[place + 1 :],
            numbers=self.numbers[:1] + self.numbers[place + 1 :],
            units=tuple(word.strip().strip('"') for word in words),
        )

    def words(self, line: int) -> list[str]:
        """Returns the fields of a line."""
        return next(self._fields([self.lines[line]]), [])

    def _fields(self, lines: Sequence[str]) -> Iterator[list[str]]:
        if self.delimiter == _SPACES and not any('"' in line for line in lines):
            yield from (line.split() for line in lines)
        else:
            yield from self._reader(lines)

    def _reader(self, lines: Sequence[str]) -> Any:
        if self.delimiter != _SPACES:
            return csv.reader(lines, delimiter=self.delimiter)
        tidy = (line.strip().replace("\t", " ") for line in lines)
        return csv.reader(tidy, delimiter=" ", skipinitialspace=True)

    @property
    def has_titles(self) -> bool:
        """Whether the first line has no number in it."""
        return bool(self.lines) and not any(map(_is_number, self.words(0)))

    @property
    def below_the_titles(self) -> tuple[str, ...]:
        """The lines of numbers."""
        return self.lines[1:] if self.has_titles else self.lines

    def titles(self) -> list[str]:
        """Returns the columns' titles; one that is empty is called by its place."""
        if not self.lines:
            raise ValueError(f"{self.name} is empty: give a table with rows")
        found = (
            self.words(0) if self.has_titles else self._commented(len(self.words(0)))
        )
        opening.check_columns(self.name, len(found))
        titles = [title.strip() or f"column {i + 1}" for i, title in enumerate(found)]
        self.check_titles(titles)
        return titles

    def check_titles(self, titles: Sequence[str]) -> None:
        """Checks that no two columns have one title.

        Raises:
            ValueError: If two have.
        """
        twice = sorted(title for title, count in Counter(titles).items() if count > 1)
        if twice:
            raise ValueError(
                f"{self.name}: two columns are called {', '.join(twice[:5])}: rename one of them"
            )

    def _commented(self, count: int) -> list[str]:
        """Returns as many titles as there are columns, from the last comment that has as many."""
        lines = [
            # a unit in brackets belongs to the title before it
            re.sub(r"\s+(?=[\[(])", "", line.lstrip("# \t"))
            for line in self.comments
        ]
        found = [w for w in self._fields(lines) if len(w) == count]
        spaced = [line.replace(",", " ").split() for line in lines]
        found += [words for words in spaced if len(words) == count]
        if not found:
            raise ValueError(
                f"{self.name}: no line above the numbers has titles for {count} columns: add a "
                "line with their names"
            )
        return found[-1]

    def check(self, count: int) -> None:
        """Checks that each row has as many fields as there are titles.

        Raises:
            ValueError: If one has not; a last one was torn.
        """
        last = len(self.lines) - 1
        widths = np.zeros(count, np.int64)
        long = max(map(len, self.lines), default=0) > _LONG_LINE
        for i, words in self._numbered(count):
            if len(words) < count and i == last:
                raise ValueError(
                    f"{self.name}, line {self.numbers[i]}: the last line is torn, it has "
                    f"{len(words)} of {count} fields; rows after it may be gone: fetch the file "
                    "again"
                )
            if len(words) != count:
                raise ValueError(
                    f"{self.name}, line {self.numbers[i]}: {len(words)} fields, where the "
                    f"titles are {count}: mend the line, or leave it out"
                )
            if long:
                widths = np.maximum(widths, [len(word) for word in words])
        # a reader makes room for the longest word of a column in all its rows
        size = _CHARACTER * len(self.lines) * int(widths.sum())
        check_expansion(self.name, sum(map(len, self.lines)), size, "its longest words")
        self._check_end()

    def _numbered(self, count: int) -> Iterator[tuple[int, list[str]]]:
        """Yields each row's fields, with the index of its last line; no row holds others."""
        if self.delimiter == _SPACES and not any('"' in line for line in self.lines):
            yield from enumerate(self._fields(self.lines))
            return
        begin = 0
        reader = self._reader(self.lines)
        for words in reader:
            end = reader.line_num
            for i in range(begin + 1, end):
                inner = self.words(i)
                # a line of a longer text has no numbers in so many fields
                if len(inner) == count and any(map(_is_number, inner)):
                    raise ValueError(
                        f"{self.name}, line {self.numbers[begin]}: a quotation mark opens a "
                        f"field that ends in line {self.numbers[end - 1]}, with whole rows in "
                        "it: close it in its own line, or leave it out"
                    )
            yield end - 1, words
            begin = end

    def _check_end(self) -> None:
        # an end of line after the last field says that it is whole
        if self.ends or len(self.lines) < 3:
            return
        last = self.words(-1)[-1].strip()
        rows = self._fields(self.lines[1:-1][-_COMPARED_ROWS:])
        before = [words[-1].strip() for words in rows]
        if (not last and before[-1]) or _is_cut(last, before):
            found = f"is {last!r}, shorter than all others" if last else "is empty"
            raise ValueError(
                f"{self.name}, line {self.numbers[-1]}: the last line is torn, its last field "
                f"{found}; rows after it may be gone: fetch the file again"
            )


def _is_cut(last: str, before: Sequence[str]) -> bool:
    """Returns whether a number has fewer digits than all those before it would make likely."""
    if len(before) < _FEW_ROWS:
        return False
    if not _is_number(last):
        # a sign alone, or what an exponent is missing of: the beginning of a number
        begun = _BEGUN.fullmatch(last) is not None and last not in before
        return begun and sum(map(_is_number, before)) > len(before) / 2
    fractions = "." in "".join(before)
    counts = [_digits(word, fractions) for word in before if _is_number(word)]
    if not counts or _digits(last, fractions) >= min(counts):
        return False
    # of so many, only one in a hundred is the shortest by chance
    return len(counts) >= _MANY_ROWS or min(counts) == max(counts)


def _digits(word: str, fraction: bool) -> int:
    """Returns how many digits a number has after its point, or at all."""
    digits = word.partition(".")[2] if fraction else word
    return sum(c.isdigit() for c in digits)


def _is_rule(lines: Sequence[str]) -> bool:
    return any("---" in line and set(line) <= _RULE for line in lines)


def _said(line: str) -> bool:
    return line.lstrip()[:1] == "#"


def _delimiter(lines: Sequence[str], name: str) -> str:
    head = lines[0] if lines else ""
    for delimiter in (",", ";", "\t"):
        if delimiter in head:
            break
    else:
        return _SPACES
    if delimiter == ";" and any("," in line for line in lines):
        raise ValueError(
            f"{name}: semicolons between fields and commas in numbers: convert it, "
            "`tr ',;' '.,'`"
        )
    return delimiter


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
