"""Raw names of columns and files that stand on a page as if they were words."""

import re

from page_parts import Element, Tree

# one letter with a subscript is a symbol, as people write it
SYMBOL = re.compile(r"[^\W\d_]_[^\W_]+")
NAME = re.compile(r"\w+(?:[.-]\w+)*")
HIDDEN = ("script", "style", "pre")


def raw_names(page: str) -> list[str]:
    """Returns the names in the visible text of a page that are not marked as code."""
    return _names(Tree(page).root, (*HIDDEN, "code"))


def names_as_code(page: str) -> list[str]:
    """Returns the names that a page marks as code in heads, rows, captions and texts."""
    found = []
    for part in Tree(page).root.all("section"):
        tables = [
            table for table in part.all("table") if "data-name" in table.attributes
        ]
        captions = [
            *part.all("figcaption"),
            *part.all("p", **{"class": "caption"}),
        ]
        for one in (*tables, *captions):
            found += [code.text for code in one.all("code")]
    return found


def _names(element: Element, left_out: tuple[str, ...]) -> list[str]:
    found = []
    for one in element.inside:
        if isinstance(one, str):
            words = NAME.findall(one)
            found += [w for w in words if "_" in w and not SYMBOL.fullmatch(w)]
        elif one.tag not in left_out:
            found += _names(one, left_out)
    return found
