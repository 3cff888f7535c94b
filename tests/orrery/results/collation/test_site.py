"""The page holds the numbers of the documents, and nothing that a browser would run."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources

import pytest

from orrery.results.collation.entries import Entry
from orrery.results.collation.site import SCRIPTS, render_site

HOSTILE = "</script><img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def document(text, name="data"):
    (found,) = re.findall(rf'id="{name}">(.*?)</script>', text)
    return json.loads(found)


def unpacked(data):
    """Returns the columns of a page as the page's own script unpacks them."""
    columns = {}
    for column in data["columns"]:
        rows = data["sets"][column["set"]] if "set" in column else range(data["rows"])
        values = column.get("values", [column.get("value")] * len(rows))
        known = dict(zip(rows, values, strict=True))
        columns[column["name"]] = [known.get(row) for row in range(data["rows"])]
    return columns


@pytest.mark.slow
def test_the_page_has_the_numbers_of_the_documents_to_seven_digits(all_runs, entries):
    data = document(render_site(entries, "runs"))
    columns = unpacked(data)
    assert data["rows"] == 30
    for row, place in enumerate(columns["place"]):
        run = json.loads((all_runs / place / "run.json").read_text())
        for name, number in run["metrics"].items():
            found = columns[f"metric.{name}"][row]
            assert found == pytest.approx(number, rel=1e-6)
        assert columns["option.seed"][row] == run["options"]["seed"]


def test_what_repeats_itself_is_written_once():
    entries = [
        Entry("a", "run", "finished", {"option.a": 1, "option.b": 1, "metric.c": 1}),
        Entry("b", "run", "finished", {"option.a": 1, "option.b": True}),
        Entry("c", "run", "finished", {"option.a": 1, "option.b": 1}),
    ]
    data = document(render_site(entries, "runs"))
    columns = {column["name"]: column for column in data["columns"]}
    assert columns["option.a"] == {"name": "option.a", "value": 1}
    assert columns["option.b"]["values"] == [1, True, 1]
    assert unpacked(data)["metric.c"] == [1, None, None]


def test_the_page_needs_no_network(entries):
    text = render_site(entries, "runs")
    tags = Tags(text).tags
    assert {tag for tag, _ in tags}.isdisjoint({"img", "iframe", "object", "embed"})
    assert not [attrs for _, attrs in tags if "src" in attrs]
    links = [attrs["href"] for _, attrs in tags if "href" in attrs]
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "@import" not in text
    assert "url(" not in text


def test_hostile_text_stays_text():
    values = {"reason": HOSTILE, f"option.{HOSTILE}": HOSTILE, "host": HOSTILE}
    lineage = {"label": HOSTILE, "parameters": []}
    entry = Entry(
        HOSTILE,
        "run",
        HOSTILE,
        values,
        problems=(HOSTILE,),
        curves={"posteriors": {HOSTILE: lineage}},
    )
    text = render_site([entry], HOSTILE)
    plain = render_site([Entry("a", "run", "finished", {})], "runs")
    # not one element more than a page without it has
    assert [tag for tag, _ in Tags(text).tags] == [tag for tag, _ in Tags(plain).tags]
    assert "<img" not in text
    assert unpacked(document(text))["host"] == [HOSTILE]
    assert document(text, "row-0")["reason"] == HOSTILE


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("RuntimeError: CUDA error: out of memory\nCompile with", "RuntimeError: CUDA"),
        (
            "Traceback (most recent call last):\n  File\nValueError: no",
            "ValueError: no",
        ),
        ("", ""),
    ],
)
def test_of_a_long_reason_the_table_has_the_line_that_says_what_went_wrong(
    reason, line
):
    entry = Entry("a", "trial", "failed", {"reason": reason})
    text = render_site([entry], "runs")
    (shown,) = unpacked(document(text))["reason"]
    assert shown.startswith(line)
    assert bool(shown) == bool(line)
    assert document(text, "row-0")["reason"] == reason


def test_sweeps_that_seek_more_and_less_of_one_name_are_told_apart():
    ways = {"sweeps/a/01": "larger", "sweeps/b/02": "smaller", "": "smaller"}
    entries = [
        Entry(f"{sweep}/trials/trial-00000".strip("/"), "trial", "finished", {})
        for sweep in ways
    ]
    sought = [
        replace(entry, goals={"score": way})
        for entry, way in zip(entries, ways.values(), strict=True)
    ]
    data = document(render_site([*sought, Entry("a/b/c", "run", "x", {})], "runs"))
    assert data["goals"] == {sweep: {"score": way} for sweep, way in ways.items()}


def test_numbers_that_a_browser_lacks_are_text_and_what_is_not_known_is_none():
    values = {"metric.a": float("nan"), "option.seed": 2**60, "seconds": float("inf")}
    columns = unpacked(document(render_site([Entry("a", "run", "x", values)], "runs")))
    assert columns["metric.a"] == [None]
    assert columns["option.seed"] == [str(2**60)]
    assert columns["seconds"] == ["inf"]


def test_all_scripts_of_the_folder_are_in_the_page():
    folder = resources.files("orrery.results.collation")
    names = [path.name for path in folder.iterdir() if path.name.endswith(".js")]
    assert sorted(names) == sorted(SCRIPTS)
    # text becomes elements in one place, which makes no markup of it
    for name in names:
        source = folder.joinpath(name).read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(", source)
