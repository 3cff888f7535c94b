"""What stands in the figures of a page: their texts, and what is read out of them.

Pictures are drawings of glyphs, beside which the text stands as a comment.
"""

import base64
import json
import re
from collections.abc import Iterator

from page_parts import Tree, is_number, is_rounded
from raw_names import NAME, SYMBOL

COMMENT = re.compile(r"<!--\s*(.*?)\s*-->", re.DOTALL)
PICTURE = "data:image/svg+xml;base64,"
FORMULA = re.compile(r"\$[^$]*\$")
# a number that a legend or a title gives for something: `p = 0.3`, `ATC +0.01`
GIVEN = re.compile(r"(?:=|\bATC) ([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?!\w)")


def texts(page: str) -> Iterator[str]:
    """Yields what a page's figures say: in pictures, in place of them, and at the pointer."""
    for figure in Tree(page).root.all("figure"):
        for image in figure.all("img"):
            yield image.attributes["alt"]
            picture = image.attributes["src"].removeprefix(PICTURE)
            yield from COMMENT.findall(base64.b64decode(picture).decode())
        for script in figure.all("script"):
            yield from _strings(json.loads(script.text))


def _strings(value: object) -> Iterator[str]:
    """Yields the texts of plain JSON; keys of mappings are the page's own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def raw_names(page: str) -> list[str]:
    """Returns names of columns and files that figures show; formulas have none."""
    words = (w for text in texts(page) for w in NAME.findall(FORMULA.sub(" ", text)))
    # of M_☉ the sign of the Sun is no letter
    return [
        w
        for w in words
        if "_" in w and not SYMBOL.fullmatch(w) and not re.fullmatch(r"[^\W\d_]_", w)
    ]


def unknown_numbers(page: str, document: dict) -> list[str]:
    """Returns what figures give a number for that no metric and no cell of a table has."""
    tables = [one for one in document["sections"] if "rows" in one]
    cells = [cell for one in tables for row in one["rows"] for cell in row]
    values = [v for v in (*document["metrics"].values(), *cells) if is_number(v)]
    return [
        text
        for text in texts(page)
        for number in GIVEN.findall(text)
        if not any(is_rounded(number, value) for value in values)
    ]
