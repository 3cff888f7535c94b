"""A picture on a run's page says what a pointer is at, and can be enlarged by hand or keys."""

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


def test_the_picture_is_an_svg(report):
    text = report.read_text()
    assert text.count("data:image/svg+xml;base64,") == 1
    assert "image/png" not in text
