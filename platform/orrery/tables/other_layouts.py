"""Layouts of text tables that are not read, each known by what stands in it alone.

Journals, archives and databases write tables whose columns begin at fixed places. Cut at
blanks or commas they have other fields than their authors meant, so they are named before
anyone counts fields, with the library's reader that makes one of ours of them.
"""

import re
from dataclasses import dataclass

_HEAD = 20_000  # [characters] in which a layout shows itself
# Looked ahead for first and in one way alone: a long line takes no time that grows faster.
_COLUMN_RULE = re.compile(r"(?= *[-=+|:]*?[-=]{3})[-=+|: ]*$")


@dataclass(frozen=True)
class _Layout:
    """A layout, and the name that astropy's reader of it has."""

    name: str
    reader: str
    pattern: re.Pattern[str]


_LAYOUTS = (
    _Layout(
        "a machine-readable table of a journal or of CDS",
        "ascii.mrt",
        re.compile(
            r"^Byte-by-byte Description of file:?", re.IGNORECASE | re.MULTILINE
        ),
    ),
    _Layout(
        "an IPAC table",
        "ascii.ipac",
        # titles between bars from the first column on, and below them the types
        re.compile(
            r"^\|[^\n]*\|[ \t]*\n\|(?:[ \t]*(?:double|float|int|long|char|real|date|[dfilrc])"
            r"[ \t]*\|)+[ \t]*$",
            re.MULTILINE,
        ),
    ),
)


def check_layout(name: str, text: str) -> None:
    r"""Checks that a text is no table in a layout that is not read.

    Arguments:
        name: The file's name.
        text: Its text.

    Raises:
        ValueError: If it is; the remedy is named.

    Example:
        >>> check_layout("stars.csv", "ra_deg,dec_deg\n1.0,2.0\n")
    """
    head = text[:_HEAD]
    for layout in _LAYOUTS:
        if layout.pattern.search(head):
            raise ValueError(
                f"{name} is {layout.name}, which is not read as it is: "
                f"{_remedy(name, layout.reader)}"
            )
    if _has_bars(head):
        raise ValueError(
            f"{name} has bars between its fields, which are not read as they are: convert it, "
            f"`tr '|' ',' < {name} > table.csv`, and leave out lines that are no rows, such as "
            "those of + and -, or a count of rows"
        )


def _remedy(name: str, reader: str) -> str:
    return (
        f"convert it, `astropy.table.Table.read({name!r}, format={reader!r})"
        ".write('table.ecsv')`"
    )


def _has_bars(head: str) -> bool:
    """Returns whether bars stand between the fields of the first lines, and nothing else does."""
    lines = [line for line in head.splitlines() if line.strip()][:10]
    written = [
        line
        for line in lines
        if not line.startswith("#") and not _COLUMN_RULE.match(line)
    ][:5]
    counts = {line.count("|") for line in written}
    if len(written) < 2 or len(counts) != 1 or counts == {0}:
        return False
    if any(set(",;\t") & set(line) for line in written):
        return False
    # of fields that blanks separate, and that have bars in them, there are more than of bars
    words = len(written[0].replace("|", " ").split())
    return words <= counts.pop() + 1
