"""The page of all entries: one file that needs no network, and computes nothing.

It filters, sorts and draws in the browser, by scripts of this folder that are written
into it. What documents say is data there, never markup: names and reasons are whatever
somebody typed.
"""

import html
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from string import Template
from typing import Any

from orrery.identity import JSON
from orrery.results.collation.entries import Entry
from orrery.results.collation.run_table import TABLE, scalar_columns
from orrery.results.collation.scalars import Scalar, exact
from orrery.results.result import PAGE
from orrery.results.wording import worded

SITE = "index.html"
# In the order in which they use each other.
SCRIPTS = (
    *("rows.js", "statistics.js", "drawing.js", "overview.js", "curves.js"),
    *("lineage.js", "table.js", "best.js", "comparison.js", "opened.js", "site.js"),
)
_LARGEST = 2**53  # beyond which numbers of a browser leave out integers
_LONGEST = 300  # characters of a reason in the table


def render_site(entries: Sequence[Entry], title: str, above: str = "") -> str:
    """Returns the page as HTML, the same for the same entries.

    Arguments:
        entries: The rows.
        title: What is collated, such as the folder's name.
        above: The way from the page to the folder of all runs, ending in `/`; nothing
            when the page lies in it.
    """
    data = {
        "title": title,
        "table": TABLE,
        "page": PAGE,
        "above": above,
        "rows": len(entries),
        **_packed(scalar_columns(entries)),
        "goals": _goals(entries),
        "pages": [i for i, entry in enumerate(entries) if entry.has_page],
    }
    # read only when a run is chosen or opened
    more = (_script(f"row-{i}", _details(entry)) for i, entry in enumerate(entries))
    scripts = "\n".join(_source(name) for name in SCRIPTS)
    return Template(_source("site.html")).substitute(
        title=html.escape(title),
        style=_source("site.css"),
        data=_script("data", data),
        details="\n".join(more),
        script=scripts,
    )


def _goals(entries: Sequence[Entry]) -> dict[str, dict[str, str]]:
    """Returns whether larger or smaller is better, for each sweep and its objectives.

    Two sweeps may seek more and less of what has the same name. A sweep is named by its
    folder, as the places of its trials are.
    """
    # a trial's file lies in a folder of that of its sweep
    named = (("/".join(one.place.split("/")[:-2]), one.goals) for one in entries)
    return {sweep: goals for sweep, goals in named if goals}


def _source(name: str) -> str:
    folder = resources.files("orrery.results.collation")
    return folder.joinpath(name).read_text(encoding="utf-8")


def _script(name: str, document: JSON) -> str:
    """Returns a document as an element that a script reads and a browser never runs."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    # a string may hold `</script>`: JSON has other names for these characters
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _details(entry: Entry) -> JSON:
    """Returns what is shown of an entry only once it is opened or chosen."""
    return {
        "reason": entry.values.get("reason") or "",
        "answers": [worded(_finite(one), entry.words) for one in entry.answers],
        "lineage": [asdict(one) for one in entry.lineage],
        "curves": _finite(entry.curves),
    }


def _packed(named: Mapping[str, list[Scalar]]) -> JSON:
    """Returns columns without what repeats itself.

    A column has `value`, if that is the same wherever there is one, or else `values`.
    `set` is the number of the set of rows that have one, without which all do.
    """
    sets: dict[tuple[int, ...], int] = {}
    packed = []
    for name, column in named.items():
        known = tuple(i for i, value in enumerate(column) if not _is_absent(value))
        values = [_shown(name, column[i]) for i in known]
        entry: JSON = {"name": name}
        if len(known) < len(column):
            entry["set"] = sets.setdefault(known, len(sets))
        # 1 == True: a truth value is no number here
        if len({(type(value), value) for value in values}) == 1:
            entry["value"] = values[0]
        else:
            entry["values"] = values
        packed.append(entry)
    return {"columns": packed, "sets": [list(rows) for rows in sets]}


def _is_absent(value: Scalar) -> bool:
    """Returns whether there is no value: a number that is not known is none."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _shown(name: str, value: Scalar) -> Scalar:
    """Returns a value as the page has it: numbers to seven digits, reasons in a line."""
    if name == "reason":
        return _in_a_line(str(value))[:_LONGEST]
    if isinstance(value, float):
        number = exact(value)
        return str(value) if number is None else number
    if isinstance(value, int) and abs(value) > _LARGEST:
        return str(value)
    return value


def _in_a_line(reason: str) -> str:
    """Returns what a reason says first; a traceback says last what went wrong."""
    lines = reason.strip().splitlines() or [""]
    return lines[-1] if "Traceback" in lines[0] else lines[0]


def _finite(document: Any) -> Any:
    """Returns a document without the numbers that JSON lacks: they are None."""
    if isinstance(document, dict):
        return {str(name): _finite(value) for name, value in document.items()}
    if isinstance(document, list | tuple):
        return [_finite(value) for value in document]
    return exact(document) if isinstance(document, float) else document
