"""README, the pages of the documentation, and the files whose numbers they say."""

import json
import re
from functools import cache
from pathlib import Path

from astropy.table import Table

ROOT = Path(__file__).parents[2]
# README first; pages that lie elsewhere have tests of their own.
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
PROSE = " ".join(TEXT.split())
RESULTS = ROOT / "datasets" / "results"
MINUS = "\N{MINUS SIGN}"
NUMBER = r"([\d.,]*\d)"


@cache
def result(name):
    return Table.read(RESULTS / f"{name}.ecsv")


@cache
def measured(name):
    """Returns what a benchmark printed last."""
    return json.loads((RESULTS / f"benchmark_{name}.json").read_text())


def printed(number, form="%.1f"):
    text = (form % number).replace("-", MINUS)
    return text.removeprefix(MINUS) if not text.strip(f"{MINUS}0.") else text


def ends(values, form):
    """Returns the smallest and the largest value as README writes them."""
    return [printed(end(values), form) for end in (min, max)]


def with_errors(middle, plus, minus, form="%.1f"):
    return (
        f"{printed(middle, form)} +{printed(plus, form)}{MINUS}{printed(minus, form)}"
    )


def interval(line, form):
    """Returns a median with its 16-84 % interval as README writes it."""
    median = line["median"]
    return with_errors(median, line["upper"] - median, median - line["lower"], form)


def numbers_of(text):
    return re.findall(r"[\d.]*\d", text)


def searched(name):
    """Returns simulations, trials and members, if there are, of the command of a search."""
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    size = r"--simulations (\d+) --trials (\d+)(?: --members (\d+))?"
    command = re.search(rf"`python experiments/{name}\.py {size}`", text)
    return [number for number in command.groups() if number]
