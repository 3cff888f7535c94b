"""The page of a run fits a phone, whatever its parts are called."""

from dataclasses import dataclass

import numpy as np
import pytest
from astropy.table import Table

from orrery.results.page import write
from orrery.results.panels import LossCurve
from orrery.results.recording import record
from orrery.results.sections import (
    Answer,
    FigureSection,
    Headline,
    TableSection,
    Verdict,
)
from orrery.results.views import TrainingCurves

LONG = "binnings.desi.worth_of_each_choice"


@dataclass(frozen=True)
class Choices:
    seed: int = 1


@pytest.mark.slow
def test_nothing_is_wider_than_a_phone_but_what_scrolls(browser, tmp_path):
    table = Table({f"a_column_{i}": [0.123456] for i in range(9)})
    with record("toy", Choices(), tmp_path) as recording:
        recording.add(
            Headline("best", "The best", f"Trial 1 of 5: {LONG} {LONG}."),
            TableSection(f"{LONG}.{'and_more' * 4}", "Worth", table, "Worth."),
        )
    page = write(recording.result)
    browser.look(390, 900)
    browser.open(page.as_uri())
    assert browser.run("document.documentElement.scrollWidth") <= 390


def test_what_is_no_number_stands_last_upwards_and_downwards(browser, tmp_path):
    table = Table({"seen": ["2", "none", "10", "all"], "name": list("abcd")})
    with record("toy", Choices(), tmp_path) as recording:
        recording.add(TableSection("seen", "Seen", table, "Seen."))
    browser.open(write(recording.result).as_uri())
    orders = []
    for _ in range(2):
        browser.run("document.querySelector('table[data-name=seen] th button').click()")
        cells = (
            "document.querySelectorAll('table[data-name=seen] tbody td:first-child')"
        )
        orders.append(
            browser.run(f"[...{cells}].map((cell) => cell.textContent.trim())")
        )
    assert orders == [["2", "10", "all", "none"], ["10", "2", "none", "all"]]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of a run with eight answers, a verdict, a figure and a narrow table."""
    curve = LossCurve(np.array([2.0, 1.0]), np.array([2.1, 1.2]))
    answers = [
        Answer(f"posterior.toy.m{i}", "toy", f"M_{i},halo(<50 kpc)", "km / s", 3, 1, 5)
        for i in range(8)
    ]
    narrow = TableSection("few", "Few", Table({"a": [1.0]}), "One.")
    with record("toy", Choices(), tmp_path_factory.mktemp("wide")) as recording:
        recording.answers(answers)
        recording.verdicts([Verdict("a", "One", True, "p = 0.3.")])
        view = TrainingCurves({"flow": curve})
        recording.add(FigureSection("training", "Training", view, "Losses."), narrow)
    return write(recording.result).as_uri()


WIDE = "document.querySelector('main .wide[aria-label*={}]')"
PAINTED = (
    "new Promise(done => requestAnimationFrame(() => requestAnimationFrame("
    "() => setTimeout(done, 50))))"
)
SEEN = (
    "(() => {{const wide = {}; return [wide.classList.contains('more-left'),"
    " wide.classList.contains('more-right'), !wide.nextElementSibling.hidden]}})()"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "what", "cut"),
    [
        (390, "Training", True),
        (390, "answer", True),
        (390, "Few", False),
        (1280, "Training", False),
        (1280, "answer", True),
        (1280, "Few", False),
    ],
)
def test_what_is_cut_at_an_edge_says_so(browser, report, width, what, cut):
    browser.look(width, 900)
    browser.open(report)
    browser.run(PAINTED)
    wide = WIDE.format(what)
    assert browser.run(f"{wide}.nextElementSibling.className") == "sideways"
    assert browser.run(SEEN.format(wide)) == [False, cut, cut]
    if cut:
        browser.run(f"{wide}.scrollLeft = 1e6")
        browser.run(PAINTED)
        assert browser.run(SEEN.format(wide)) == [True, False, True]


@pytest.mark.slow
def test_what_is_cut_is_seen_anew_when_the_window_changes(browser, report):
    browser.look(1280, 900)
    browser.open(report)
    wide = WIDE.format("Training")
    for width, cut in ((390, True), (1280, False)):
        browser.look(width, 900)
        assert browser.run(SEEN.format(wide)) == [False, cut, cut]


@pytest.mark.slow
def test_what_has_the_keyboard_does_not_fade(browser, report):
    browser.look(390, 900)
    browser.open(report)
    browser.run(PAINTED)
    wide = WIDE.format("Training")
    mask = f"getComputedStyle({wide}).maskImage"
    assert browser.run(mask).startswith("linear-gradient")
    browser.run(f"{wide}.focus()")
    browser.press("Tab")
    assert browser.run("document.activeElement.className") == "reader"
    assert browser.run(mask) == "none"


def test_only_a_figure_is_enlarged(browser, report):
    browser.open(report)
    said = [
        browser.run(f"{WIDE.format(what)}.nextElementSibling.textContent")
        for what in ("Training", "answer")
    ]
    assert ["Enlarge" in one for one in said] == [True, False]


def test_a_sort_button_has_a_blank_between_name_and_unit(browser, report):
    browser.open(report)
    button = "document.querySelectorAll('table.answers th button')[1]"
    assert browser.run(f"{button}.textContent") == "M_0,halo(<50 kpc) km/s"
    browser.ask("Accessibility.enable")
    found = browser.ask("Runtime.evaluate", expression=button)["result"]["objectId"]
    (node, *_) = browser.ask(
        "Accessibility.getPartialAXTree", objectId=found, fetchRelatives=False
    )["nodes"]
    assert node["name"]["value"] == "M_0,halo(<50 kpc) km/s"


def test_the_contents_begin_with_the_answer_and_its_trust(browser, report):
    browser.open(report)
    links = "[...document.querySelectorAll('nav a')].slice(0, 3)"
    assert browser.run(f"{links}.map((one) => one.textContent)") == [
        "The answer",
        "Can it be trusted?",
        "Training",
    ]
    there = f"{links}.map((one) => document.querySelector(one.hash).textContent)"
    answer, trust, _ = browser.run(there)
    assert "Medians, 16 and 84 %" in answer
    assert trust == "Can it be trusted?"
