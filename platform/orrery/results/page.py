"""The page of a run: one file that needs nothing but itself, drawn from its document.

It begins with the answer, then the verdicts; numbers of the training are folded away.
Nothing here computes: the same document gives the same page, today or in a year.
"""

import base64
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from orrery.identity import JSON
from orrery.results import figures
from orrery.results.ancestry import lineage_rows
from orrery.results.answers import (
    decimals,
    doubt,
    has_interval,
    is_unknown,
    known_prior,
    outcome_of_tests,
    recommended,
)
from orrery.results.recording import Number
from orrery.results.result import OTHER_VERSION, PAGE, Result, other_format
from orrery.results.sections import Section, shown, with_errors_alone
from orrery.results.wording import (
    OUTCOMES,
    UNTESTED,
    unit_in_words,
    worded_document,
)
from orrery.storage import files
from orrery.storage.documents import own_file, write_document
from orrery.storage.run import DOCUMENT, DRAWN, Run
from orrery.terminal import progress

# Where a metric's name begins like this, it is an answer, which stands at the head.
_ANSWERED = "posterior."
# Figures have their final boxes before what is too wide is looked for.
_SCRIPTS = ("report.js", "keys.js", "pictures.js", "wide.js")
_FEW_ROWS = 30  # of a table that is not folded
_WORD = re.compile(r"(\w+(?:[.-]\w+)*)")
# one letter with a subscript, such as v_x
_SYMBOL = re.compile(r"[^\W\d_]_[^\W_]+")


class PageReader:
    """Writes the page when a run ends, and prints its path on the last line.

    Example:
        >>> PageReader().metrics({"a": 1})  # the page is written when the run ends
    """

    def opened(self, run: Run) -> None:
        """Waits."""

    def section(self, section: Section) -> None:
        """Waits."""

    def metrics(self, numbers: Mapping[str, Number]) -> None:
        """Waits."""

    def epoch(self, estimator: str, epoch: int, losses: Mapping[str, float]) -> None:
        """Waits."""

    def missed(self, result: Result) -> bool:
        """Returns whether a run has no page."""
        return not result.has_page

    def closed(self, result: Result) -> None:
        """Writes the page."""
        path = write(result)
        sys.stdout.write(f"{path}\n")
        sys.stdout.flush()


def write(result: Result) -> Path:
    """Returns the path of a run's page, written with its figures.

    Arguments:
        result: The run, finished or not.

    Raises:
        OSError: If a file cannot be written, or the arrays of a figure be read.
        ValueError: If the document or the arrays of a figure are damaged, or of another
            version: a page that is there stays as it is.
    """
    if result.status == "damaged":
        raise ValueError(result.document["reason"])
    if said := other_format(result.document):
        raise ValueError(f"{result.folder / DOCUMENT}: {said}: {OTHER_VERSION}")
    try:
        written = Result(result.folder, worded_document(result.document))
        sections = _sections(written, result.sections)
        text = render(written, sections)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{result.folder} has a damaged document ({type(error).__name__}: {error}): "
            "run the experiment again"
        ) from error
    path = result.folder / PAGE
    files.write_atomically(path, text)
    drawn = [PAGE, *(name for one in sections for name in _pictures(one))]
    sums = {name: files.checksum(result.folder / name) for name in drawn}
    # a page of another run, with its list, would lie here unseen
    of_what = {name: result.document[name] for name in ("run", "attempt", "status")}
    write_document(result.folder / DRAWN, {**of_what, "drawn": sums})
    return path


def _pictures(section: JSON) -> list[str]:
    """Returns the files into which a part is drawn."""
    if section["kind"] != "figure":
        return []
    return [f"{section['key']}.png", f"{section['key']}.pdf"]


def render(result: Result, sections: list[JSON]) -> str:
    """Returns the page as HTML.

    Arguments:
        result: The run.
        sections: Its parts, tables as text and figures with their picture.
    """
    document = result.document
    metrics = result.metrics.items()
    answered = {name for name, _ in metrics if name.startswith(_ANSWERED)}
    return _template().render(
        run=document,
        answers=_answers(document["answers"], result.metrics, document["verdicts"]),
        verdicts=_verdicts(document["verdicts"], sections),
        outcomes=OUTCOMES,
        untested=UNTESTED,
        numbers={n: _dashed(value) for n, value in metrics if n not in answered},
        headlines=[one for one in sections if one["kind"] == "headline"],
        sections=[one for one in sections if one["kind"] != "headline"],
        lineage=lineage_rows(document["lineage"]),
        options=_flat(document["options"]),
        versions=document["versions"],
        script="".join(map(_source, _SCRIPTS)),
    )


def _sections(result: Result, named: list[JSON]) -> list[JSON]:
    """Returns the parts of a run as the page shows them, after drawing the figures.

    Arguments:
        result: The run, in words.
        named: Its parts as files have them.
    """
    count = sum(section["kind"] == "figure" for section in result.sections)
    with progress("drawing", count, "figures") as advance:
        sections = []
        for section, plain in zip(result.sections, named, strict=True):
            sections.append(_shown(result, section, plain))
            advance(int(section["kind"] == "figure"))
    return sections


def _shown(result: Result, section: JSON, named: JSON) -> JSON:
    anchor = section["key"].replace(".", "-")
    if section["kind"] == "table":
        folded = len(section["rows"]) > _FEW_ROWS
        text = _text(section, named)
        return {**section, "anchor": anchor, "folded": folded, **text}
    if section["kind"] == "figure":
        return {**section, "anchor": anchor, **_drawn(result, section)}
    return {**section, "anchor": anchor}


def _text(section: JSON, named: JSON) -> JSON:
    """Returns head and rows of a table as text, each with its name in files if it has one."""
    columns = section["columns"]
    formats = [column["format"] for column in columns]
    rows = [
        [
            (shown(value, form), "" if value == name or " " in name else name)
            for value, name, form in zip(row, names, formats, strict=True)
        ]
        for row, names in zip(
            with_errors_alone(section), with_errors_alone(named), strict=True
        )
    ]
    head = [
        (column["name"], column["unit"], plain["name"])
        for column, plain in zip(columns, named["columns"], strict=True)
    ]
    return {"head": head, "cells": rows}


def _drawn(result: Result, section: JSON) -> JSON:
    """Returns a figure's picture and its axes, after writing it as PNG and PDF.

    The picture is an SVG, whose text stays sharp at any size, in base64.
    """
    figure = figures.draw(result.view(section))
    box = figures.settle(figure)
    for kind in ("png", "pdf"):
        content = figures.file_content(figure, kind, box=box)
        files.write_atomically(
            own_file(result.folder, f"{section['key']}.{kind}"), content
        )
    svg = figures.file_content(figure, "svg", box=box)
    return {
        "picture": base64.b64encode(svg).decode(),
        "axes": figures.axes_in_picture(figure, box),
    }


def _answers(answers: list[JSON], metrics: JSON, verdicts: list[JSON]) -> JSON:
    """Returns answers as a table: a row for each data, a column for each quantity."""
    quantities = dict.fromkeys((one["quantity"], one["unit"]) for one in answers)
    cells = {
        (one["data"], one["quantity"], one["unit"]): _answer(
            one, metrics, decimals(answers, one["quantity"], one["unit"])
        )
        for one in answers
    }
    rows = [
        (data, [cells.get((data, *column)) for column in quantities])
        for data in dict.fromkeys(one["data"] for one in answers)
    ]
    # what was asked for first stands in a sentence, of each data that is recommended
    asked = recommended(answers)
    first = [cells[one["data"], one["quantity"], one["unit"]] for one in asked]
    said = [
        {**one, "doubt": doubt(one, verdicts)}
        for one in first
        if one["plus"] or one["alone"]
    ]
    tested = {one["data"]: outcome_of_tests(one, verdicts) for one in reversed(answers)}
    meanings = [one.get("meaning") for one in asked]
    return {
        "quantities": list(quantities),
        "rows": rows,
        "asked": asked[0]["quantity"] if asked else "",
        "tested": tested if any(tested.values()) else {},
        "meanings": [*dict.fromkeys(filter(None, meanings))],
        "said": said,
        "have_priors": any(one["before"] for one in cells.values()),
    }


def _answer(answer: JSON, metrics: JSON, digits: int) -> JSON:
    """Returns an answer with its numbers as text."""
    if not has_interval(answer):
        return _without_interval(answer, digits)
    median = answer["median"]
    key = answer["key"]
    # older documents hold the ends alone
    above = metrics.get(f"{key}.upper_error", answer["upper"] - median)
    below = metrics.get(f"{key}.lower_error", median - answer["lower"])
    return {
        "source": "",
        **answer,
        "value": _signed(median, digits),
        "plus": f"{above:.{digits}f}",
        "minus": f"{below:.{digits}f}",
        "before": [_signed(end, digits) for end in known_prior(answer)],
        "alone": False,
    }


def _without_interval(answer: JSON, digits: int) -> JSON:
    """Returns an answer that has no interval, with the mean that was predicted if one was."""
    unknown = {
        "source": "",
        **answer,
        "plus": "",
        "minus": "",
        "before": [],
        "alone": False,
    }
    mean = answer.get("predicted_mean")
    if not isinstance(mean, float):
        return {**unknown, "value": _dashed(answer["median"])}
    before = [_signed(end, digits) for end in known_prior(answer)]
    return {
        **unknown,
        "value": _signed(mean, digits),
        "before": before,
        "alone": True,
    }


def _dashed(value: Any) -> str:
    # documents write a number that is not known as text
    return shown(None if is_unknown(value) else value)


def _signed(number: float, digits: int) -> str:
    # nothing has no sign
    rounded = round(number, digits) + 0.0
    return f"{rounded:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _verdicts(verdicts: list[JSON], sections: list[JSON]) -> list[JSON]:
    """Returns verdicts; those that did not pass with the warnings that say what to do."""
    doubts = [one for one in sections if one["kind"] == "warning"]
    quoted = {key for verdict in verdicts for key in verdict["shows"]}

    def about(verdict: JSON) -> list[JSON]:
        same = [one for one in doubts if {*one["shows"]} & {*verdict["shows"]}]
        # one that quotes no verdict's numbers is of all tests of these data
        place = verdict["key"].rpartition(".")[0] + "."
        general = [
            one
            for one in doubts
            if not {*one["shows"]} & quoted
            and any(key.startswith(place) for key in one["shows"])
        ]
        return same or general

    return [{**one, "doubts": [] if one["passed"] else about(one)} for one in verdicts]


def _flat(options: Any, prefix: str = "") -> dict[str, str]:
    """Returns nested options as one level: `training.epochs` and its value."""
    if not isinstance(options, dict):
        return {prefix: "none" if options is None else str(options)}
    parts = [
        (f"{prefix}.{name}" if prefix else name, value)
        for name, value in options.items()
        if name != "type"
    ]
    return {
        name: text for key, item in parts for name, text in _flat(item, key).items()
    }


@cache
def _template() -> jinja2.Template:
    page = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    page.filters |= {"unit": unit_in_words, "breakable": _breakable, "coded": _coded}
    return page.from_string(_source("report.html"))


def _source(name: str) -> str:
    return resources.files("orrery.results").joinpath(name).read_text(encoding="utf-8")


def _coded(text: str) -> Markup:
    """Returns text in which names of files and programs are marked as code."""
    return Markup("").join(map(_marked, _WORD.split(text)))


def _marked(word: str) -> Markup:
    is_name = "_" in word and not _SYMBOL.fullmatch(word)
    return Markup("<code>{}</code>").format(word) if is_name else escape(word)


def _breakable(name: str) -> Markup:
    """Returns a name that a narrow box breaks between its words."""
    # what is joined is escaped
    return Markup("<wbr>").join(re.split(r"(?<=[._])", name))
