"""Pages can be read by everybody: axe-core finds nothing serious, by day or night, on a phone."""

from dataclasses import dataclass
from importlib import resources

import numpy as np
import pytest
from astropy.table import Table

from orrery.results.page import write
from orrery.results.panels import LossCurve
from orrery.results.recording import record
from orrery.results.sections import (
    Answer,
    Caution,
    FigureSection,
    Headline,
    TableSection,
    Text,
    Verdict,
)
from orrery.results.views import TrainingCurves

pytestmark = pytest.mark.slow

WAYS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
FOUND = (
    "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations"
    ".filter(one => ['serious', 'critical'].includes(one.impact))"
    ".map(one => one.id + ': ' + one.nodes[0].html.slice(0, 200)))"
)


@dataclass(frozen=True)
class Choices:
    seed: int = 1


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of a run that has all that pages have."""
    folder = tmp_path_factory.mktemp("accessible")
    table = Table({f"column_{i}": [0.123456, 2.0] for i in range(14)})
    curves = TrainingCurves(
        {"flow": LossCurve(np.array([2.0, 1.0]), np.array([2.1, 1.2]))}
    )
    answer = ("posterior.toy", "toy", "speed", "km / s", 30.7, 21.8, 40.6)
    with record("toy", Choices(), folder) as recording:
        recording.answers([Answer(*answer)])
        recording.verdicts(
            [
                Verdict(f"one.{passed}".lower(), "One", passed, "p = 0.3.")
                for passed in (True, False, None)
            ]
        )
        recording.metrics({"loss": 0.5})
        recording.add(
            Headline("best", "The best", "Trial 1 of 5."),
            Text("what", "What this is", "A toy."),
            Caution("few", "Too few", "Use more."),
            TableSection("rows", "Rows", table, "Its numbers."),
            FigureSection("training", "Training", curves, "The losses."),
        )
    return write(recording.result).as_uri()


@pytest.fixture
def serious(browser):
    """Returns what axe-core finds on a page that is serious or worse."""
    script = (resources.files("axe_playwright_python") / "axe.min.js").read_text()

    def found(address, width=1280, scheme="light"):
        browser.look(width, 900, scheme)
        browser.open(address)
        browser.run(f"{script};0")
        return browser.run(FOUND)

    return found


@pytest.mark.parametrize(("width", "scheme"), WAYS)
def test_the_page_of_a_run_can_be_read_by_everybody(serious, report, width, scheme):
    assert serious(report, width, scheme) == []


@pytest.mark.parametrize(("width", "scheme"), WAYS)
def test_the_collated_page_can_be_read_by_everybody(serious, page, width, scheme):
    assert serious(page, width, scheme) == []


def test_what_some_cannot_read_is_found(serious, tmp_path):
    path = tmp_path / "page.html"
    pale = "<p style='color: #bbb; background: #fff'>Who can read this?</p>"
    head = "<!doctype html><html lang=en><title>Toy</title>"
    path.write_text(f"{head}<main><h1>Toy</h1><img src='a.png'>{pale}</main>")
    found = {line.split(":")[0] for line in serious(path.as_uri())}
    assert found == {"color-contrast", "image-alt"}
