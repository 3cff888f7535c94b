"""Keys read from a picture what the run's files hold, and whoever hears the page is told."""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
import pytest

from orrery.judging import diagnostics
from orrery.results.page import write
from orrery.results.panels import LossCurve
from orrery.results.recording import record
from orrery.results.sections import FigureSection
from orrery.results.views import CoverageCurves, RadialBands, TrainingCurves

NUMBER = r"\N{MINUS SIGN}?[\d.]+"


@dataclass(frozen=True)
class Choices:
    seed: int = 1


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A run with two figures: the losses of 30 epochs, and boxes in three bins."""
    random = np.random.default_rng(3)
    losses = np.sort(random.uniform(1, 9, (2, 30)))[:, ::-1]
    ends = np.sort(random.uniform(-90, 90, (3, 3)), axis=0)
    boxes = RadialBands(
        np.array([30.0, 50.0, 80.0, 120.0]),
        {"desi": ends},
        "v [km/s]",
        prior=ends + 10.0,
        legend={"desi": "DESI"},
    )
    view = TrainingCurves({"flow": LossCurve(losses[0], losses[1])})
    with record("toy", Choices(), tmp_path_factory.mktemp("keys")) as recording:
        recording.add(
            FigureSection("training", "Training", view, "Losses."),
            FigureSection("bands", "Speeds", boxes, "Boxes."),
        )
    write(recording.result)
    return recording.result


@pytest.fixture
def press(browser, result):
    """Returns a function of keys: presses them, and returns what the page then says."""
    browser.look(1280, 900)
    browser.open((result.folder / "report.html").as_uri())

    def pressed(*keys, inside="figure"):
        for key in keys:
            browser.press(key)
        return browser.run(f"document.querySelector('{inside} .at').textContent")

    return pressed


@pytest.fixture
def stored(result):
    """Returns a function of a figure and a column: its numbers, from the run's Parquet file."""

    def found(figure, column):
        table = pq.read_table(result.folder / f"{figure}.parquet")
        return np.asarray(table[column][0].as_py(), dtype=float)

    return found


def focus(browser, place="#training"):
    """Goes to what reads a picture as people do, by Tab from the one before."""
    figure = f"document.querySelector('{place}').parentElement"
    browser.run(f"{figure}.querySelector('.wide').focus()")
    browser.press("Tab")


def numbers(text):
    found = re.findall(NUMBER, text.replace("-84 %", ""))
    return [float(one.replace("\N{MINUS SIGN}", "-")) for one in found]


@pytest.mark.slow
def test_tab_reaches_what_reads_a_picture_and_its_ring_is_seen(browser, press):
    asked = "document.activeElement.className"
    browser.run("document.querySelector('[aria-label=\"Figure, Training\"]').focus()")
    browser.press("Tab")
    assert browser.run(asked) == "reader"
    style = "getComputedStyle(document.activeElement)"
    assert browser.run(f"{style}.outlineStyle") == "solid"
    assert float(browser.run(f"{style}.outlineWidth").removesuffix("px")) >= 2
    name = "document.activeElement.getAttribute('aria-label')"
    assert browser.run(name) == "Values of Training, by arrow keys"
    browser.press("Tab")
    assert browser.run("document.activeElement.textContent") == "Enlarge"


@pytest.mark.slow
def test_arrows_read_a_curve_as_the_file_has_it(browser, press, stored):
    focus(browser)
    assert "next value" in press()
    for epoch, loss in enumerate(stored("training", "curves.flow.train")[:4]):
        said = press("ArrowRight").split(" · ")
        assert said[0] == f"epoch = {epoch}"
        assert said[1].startswith("flow, training: ")
        assert numbers(said[1]) == [pytest.approx(loss, rel=1e-3)]


def test_up_and_down_change_the_curve_and_not_the_place(browser, press, stored):
    focus(browser)
    press("ArrowRight", "ArrowRight", "ArrowRight")
    here, first, second, best = press("ArrowDown").split(" · ")
    assert here == "epoch = 2"
    assert first.startswith("flow, validation: ")
    validation = stored("training", "curves.flow.validation")
    assert numbers(first) == [pytest.approx(validation[2], rel=1e-3)]
    assert second.startswith("flow, training: ")
    assert best.startswith(f"best epoch at {np.argmin(validation)}: ")
    assert press("ArrowUp").split(" · ")[1] == second


def test_home_and_end_are_the_ends_and_nothing_is_beyond(browser, press, stored):
    focus(browser)
    last = press("End")
    assert last.startswith("epoch = 29 · ")
    assert numbers(last)[1] == pytest.approx(
        stored("training", "curves.flow.train")[-1], rel=1e-3
    )
    assert press("ArrowRight") == last
    assert press("Home").startswith("epoch = 0 · ")
    assert press("Home") == press("ArrowLeft")


def test_boxes_are_read_with_their_medians_and_ends(browser, press, stored):
    focus(browser, "#bands")
    for column in ("prior", "bands.desi"):
        low, median, high = stored("bands", column).reshape(3, -1)
        for i in range(3):
            key = "ArrowRight" if i or column == "prior" else "Home"
            found = press(key, inside="section:has(#bands)").split(" · ")[1]
            expected = [median[i], low[i], high[i]]
            assert numbers(found.split(": ")[1]) == pytest.approx(expected, abs=0.06)
        press("ArrowDown")


@pytest.mark.slow
def test_what_is_read_is_told_and_moves_nothing(browser, press):
    live = "document.querySelector('figure .at').getAttribute('aria-live')"
    assert browser.run(live) == "polite"
    place = "document.querySelector('#bands').getBoundingClientRect().top + scrollY"
    for width in (1280, 390):
        browser.look(width, 900)
        focus(browser)
        before = browser.run(place)
        for key in ("ArrowRight", "End", "ArrowDown"):
            assert press(key)
            assert browser.run(place) == before
        press("Escape", "Escape")


def test_escape_leaves_and_so_does_tab(browser, press):
    focus(browser)
    assert press("ArrowRight").startswith("epoch")
    assert "next value" in press("Escape")
    assert press("ArrowRight").startswith("epoch")
    assert press("Tab") == ""
    shown = "[...document.querySelectorAll('.cross, .dot')]"
    hidden = "getComputedStyle(one).display === 'none'"
    assert browser.run(f"{shown}.every(one => {hidden})")


@pytest.mark.slow
def test_keys_read_an_enlarged_picture_and_escape_closes_it_last(browser, press):
    browser.run(
        "[...document.querySelectorAll('button')]"
        ".find(one => one.textContent === 'Enlarge').click()"
    )
    browser.run("document.querySelector('dialog .reader').focus()")
    assert press("End", inside="dialog").startswith("epoch = 29 · ")
    assert "next value" in press("Escape", inside="dialog")
    browser.press("Escape")
    assert browser.run("document.querySelectorAll('dialog[open]').length") == 0


def test_the_mark_is_where_the_point_was_drawn(browser, press, stored):
    focus(browser)
    press("End")
    mark = browser.run(
        "(() => {const dot = document.querySelector('.dot').style;"
        " return [dot.left, dot.top].map(parseFloat)})()"
    )
    axes = "JSON.parse(document.querySelector('figure script').textContent)[0]"
    one = browser.run(axes)
    left, top, width, height = one["box"]
    loss = stored("training", "curves.flow.train")[-1]
    sides = ((29.0, one["x"]), (loss, one["y"]))
    right, up = (
        (value - side["low"]) / (side["high"] - side["low"]) for value, side in sides
    )
    place = [100 * (left + right * width), 100 * (top + (1 - up) * height)]
    assert mark == pytest.approx(place, abs=0.05)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ("{y: 3, low: 1, high: 4}", "a: 3 (1 to 4)"),
        ("{y: 3, low: 3, high: 3}", "a: 3"),
        ("{low: 3, high: 3}", "a: 3"),
        ("{low: 1, high: 4}", "a: 1 to 4"),
        ("{y: null, low: null, high: null}", None),
    ],
)
def test_an_interval_of_no_length_is_its_middle(browser, press, numbers, words):
    """Where a survey's noise is in the simulations, its points have no errors of their own."""
    side = "{low: 0, high: 10, log: false}"
    assert browser.run(f"said('a', {numbers}, {side})") == words


@pytest.mark.slow
def test_keys_step_along_the_judged_posterior_before_the_diagonal(browser, tmp_path):
    random = np.random.default_rng(4)
    truth = random.normal(size=(40, 2))
    judged = diagnostics.tarp(random.normal(size=(50, 40, 2)), truth, seed=1)
    narrow = diagnostics.tarp(0.5 * random.normal(size=(50, 40, 2)), truth, seed=1)
    curves = {"posterior": judged, "negative_control": narrow}
    called = {"posterior": "toy", "negative_control": "negative control"}
    with record("toy", Choices(), tmp_path) as recording:
        view = CoverageCurves(curves, called)
        recording.add(FigureSection("tarp", "TARP", view, "Coverage."))
    browser.open(write(recording.result).as_uri())
    focus(browser, "#tarp")
    for level, covered in list(zip(judged.levels, judged.coverage, strict=True))[:3]:
        browser.press("ArrowRight")
        said = browser.run("document.querySelector('figure .at').textContent")
        here, first, second, *_ = said.split(" · ")
        assert numbers(here) == [pytest.approx(level, abs=1e-3)]
        assert first.startswith("toy: ATC")
        assert numbers(first)[-1] == pytest.approx(covered, abs=1e-3)
        assert second.startswith("negative control: ATC")
