"""A picture on a run's page says what a pointer is at, and can be enlarged by hand or keys."""

import json
import re
from dataclasses import dataclass

import numpy as np
import pytest

from orrery.results.page import write
from orrery.results.panels import LossCurve
from orrery.results.recording import record
from orrery.results.sections import FigureSection
from orrery.results.views import TrainingCurves

BOX = (
    "(() => {{const box = document.querySelector('{}').getBoundingClientRect();"
    " return [box.left, box.top, box.width, box.height]}})()"
)
PRESS = "[...document.querySelectorAll('button')].find(one => one.textContent === '{}').click()"


@dataclass(frozen=True)
class Choices:
    seed: int = 1


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of a run with one figure: losses of five epochs."""
    curve = LossCurve(np.array([9.0, 7.0, 5.0, 3.0, 1.0]), np.full(5, 2.0))
    view = TrainingCurves({"flow": curve})
    with record("toy", Choices(), tmp_path_factory.mktemp("pictures")) as recording:
        recording.add(FigureSection("training", "Training", view, "Losses."))
    return write(recording.result)


@pytest.fixture
def point(browser, report):
    """Returns a function of fractions of axes' sides: moves there on a picture."""
    browser.look(1280, 900)
    browser.open(report.as_uri())

    def moved(right, up, image="figure img"):
        left, top, width, height = browser.run(BOX.format(image))
        axes = "JSON.parse(document.querySelector('figure script').textContent)[0].box"
        x, y, wide, high = browser.run(axes)
        place = {
            "x": left + (x + right * wide) * width,
            "y": top + (y + (1 - up) * high) * height,
        }
        browser.ask("Input.dispatchMouseEvent", type="mouseMoved", **place)

    return moved


@pytest.mark.slow
def test_a_pointer_reads_axes_and_curves(browser, point):
    browser.run("document.querySelector('figure').scrollIntoView()")
    point(0.5, 0.5)
    said = browser.run("document.querySelector('figure .at').textContent")
    # epoch 2 is in the middle, where the training's loss is between 7 and 3
    epoch = re.match(r"epoch = ([\d.]+), ", said)
    assert float(epoch[1]) == pytest.approx(2.0, abs=0.05)
    values = dict(part.rsplit(": ", 1) for part in said.split(" · ")[1:])
    assert float(values["flow, training"]) == pytest.approx(5.0, abs=0.1)
    assert float(values["flow, validation"]) == 2.0


@pytest.mark.slow
def test_beside_the_axes_nothing_is_said(browser, point):
    browser.run("document.querySelector('figure').scrollIntoView()")
    point(0.5, 0.5)
    point(0.5, -0.15)
    assert browser.run("document.querySelector('figure .at').textContent") == ""


def test_a_figure_is_enlarged_and_put_away(browser, point):
    browser.run(PRESS.format("Enlarge"))
    first = browser.run(BOX.format("dialog img"))[2]
    # all of it is seen at first
    assert browser.run("document.querySelector('dialog .wide').scrollHeight") <= 900
    browser.run(PRESS.format("Larger"))
    assert browser.run(BOX.format("dialog img"))[2] == pytest.approx(
        1.5 * first, rel=0.02
    )
    point(0.25, 0.5, "dialog img")
    said = browser.run("document.querySelector('dialog .at').textContent")
    assert "flow, training: 7" in said
    browser.run(PRESS.format("Close"))
    assert browser.run("document.querySelectorAll('dialog[open]').length") == 0


@pytest.mark.slow
def test_what_a_finger_touched_stays_to_be_read(browser, report):
    browser.look(390, 900)
    browser.open(report.as_uri())
    browser.run("document.querySelector('figure').scrollIntoView()")
    left, top, width, height = browser.run(BOX.format("figure img"))
    place = {"x": left + 0.4 * width, "y": top + 0.4 * height}
    browser.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[place])
    browser.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    said = browser.run("document.querySelector('figure .at').textContent")
    assert said.startswith("epoch = ")


STEPS = {"name": "s", "x": [0, 1, 1, 2], "y": [5, 5, 7, 7], "joined": True}
DECADES = {"name": "d", "x": [0, 2], "y": [1, 10_000], "joined": True}
POINTS = {"name": "p", "x": [0.0, 1.0], "y": [11.5, 11.7], "joined": False}


@pytest.mark.parametrize(
    ("curve", "side", "at", "said"),
    [
        (STEPS, {"low": 0, "high": 10, "log": False}, (0.45, 0.5), "s: 5"),
        # a line is straight where its axis counts in decades, so half way is at 100
        (DECADES, {"low": 1, "high": 10_000, "log": True}, (0.5, 0.5), "d: 100"),
        (POINTS, {"low": 11.4, "high": 11.9, "log": False}, (0.1, 0.5), "p at 0: 11.5"),
    ],
)
def test_a_curve_is_read_as_it_is_drawn(browser, point, curve, side, at, said):
    one = {
        "x": {"name": "", "low": 0, "high": 2, "log": False},
        "y": {"name": "", **side},
    }
    right, up = at
    place = json.dumps({"one": {**one, "curves": [curve]}, "right": right, "up": up})
    assert browser.run(f"reading({place})").strip(" ·") == said


def test_a_value_has_as_many_digits_as_can_be_told_apart(browser, point):
    side = "{{low: {}, high: {}, log: false}}"
    for low, high, value, said in (
        (11.4, 11.9, 11.66449, "11.664"),
        (-70.0, 6.0, -20.3449, "\N{MINUS SIGN}20.3"),
        (58849.0, 58850.0, 58849.1234, "58849.123"),
        (-1.0, 1.0, 1.8e-15, "0"),
    ):
        assert browser.run(f"written({value}, {side.format(low, high)})") == said


def test_a_row_is_read_by_its_words(browser, point):
    rows = [[0, "first"], [1, "second"]]
    curve = {"name": "ours", "x": [0, 1], "y": [22.0, 24.5], "joined": False}
    one = {
        "x": {"name": "v", "low": 20, "high": 30, "log": False},
        "y": {"name": "", "low": 1.6, "high": -0.6, "log": False, "rows": rows},
        "curves": [curve],
    }
    place = json.dumps({"one": one, "right": 0.5, "up": 0.2})
    assert browser.run(f"reading({place})") == "v = 25 · second · ours: 24.5"


def test_the_picture_is_an_svg(report):
    text = report.read_text()
    assert text.count("data:image/svg+xml;base64,") == 1
    assert "image/png" not in text
