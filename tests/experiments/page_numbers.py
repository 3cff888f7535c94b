"""Every number that stands on a page, and whether the run's document holds it."""

import ast
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

PLATFORM = Path(__file__).parents[2] / "platform"
NUMBER = re.compile(
    r"(?<![\w.#:/-])[+\-\N{MINUS SIGN}]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w:/-])"
)
DURATION = re.compile(r"\b(\d+):(\d\d):(\d\d)\b")
SILENT = ("style", "script", "nav", "a", "pre", "title")


class Prose(HTMLParser):
    """The text of a page: of its head, sections, tables and captions; not its options."""

    def __init__(self, text):
        super().__init__()
        self.parts, self.depth = [], 0
        self.feed(text.split('id="options-of-this-run"')[0])

    def handle_starttag(self, tag, attrs):
        self.depth += tag in SILENT

    def handle_endtag(self, tag):
        self.depth -= tag in SILENT

    def handle_data(self, data):
        if not self.depth and data.strip():
            self.parts.append(data)


def numbers(text):
    """Returns the numbers in a text, as they are written."""
    return [found.replace(",", "") for found in NUMBER.findall(text)]


@cache
def constant():
    """Returns the numbers in the code's own sentences: they say nothing of a run."""
    found = set()
    for path in PLATFORM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {number.lstrip("+-") for number in numbers(node.value)}
    return frozenset(found)


def held(value):
    """Returns all numbers of a JSON document, those in its text included."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int | float):
        return [float(value)]
    if isinstance(value, str):
        return [
            float(number) for number in numbers(value.replace("\N{MINUS SIGN}", "-"))
        ]
    if isinstance(value, dict):
        return [n for k, v in value.items() for n in (*held(k), *held(v))]
    return [n for item in value for n in held(item)]


def known(document):
    """Returns the numbers under stable keys: metrics, answers, tables, options, lineage."""
    tables = [
        {"rows": section["rows"], "columns": section["columns"]}
        for section in document["sections"]
        if section["kind"] == "table"
    ]
    keys = ("metrics", "answers", "options", "lineage", "attempt", "began")
    return held([document[key] for key in keys]) + held(tables)


def is_known(text, values):
    """Returns whether one of the values is shown as this text: rounded, or in per cent."""
    shown = text.replace("\N{MINUS SIGN}", "-")
    if shown.lstrip("+-") in constant():
        return True
    number = float(shown)
    mantissa = shown.partition("e")[0]
    digits = len(mantissa.partition(".")[2])
    significant = len(re.sub(r"\D", "", mantissa).lstrip("0")) or 1
    for value in values:
        for scaled in (value, 100 * value, abs(value)):
            if (
                round(scaled, digits) == number
                or _rounded(scaled, significant) == number
            ):
                return True
    return False


def _rounded(value, significant):
    return float(f"{value:.{significant}g}")


def unknown(folder):
    """Returns the numbers on a run's page that its document does not hold, with their text."""
    document = json.loads((folder / "run.json").read_text())
    values = set(known(document))
    # an answer's interval is shown by the distances of its ends from the median
    for answer in document["answers"]:
        ends = [answer[name] for name in ("lower", "median", "upper")]
        if all(isinstance(end, int | float) for end in ends):
            values |= {ends[1] - ends[0], ends[0] - ends[1], ends[2] - ends[1]}
    missing = []
    for part in Prose((folder / "report.html").read_text()).parts:
        for hours, minutes, seconds in DURATION.findall(part):
            took = 3600 * int(hours) + 60 * int(minutes) + int(seconds)
            if took not in {round(value) for value in values}:
                missing.append((f"{hours}:{minutes}:{seconds}", part))
        for number in numbers(DURATION.sub("", part)):
            if not is_known(number, values):
                missing.append((number, part.strip()[:160]))
    return missing
