"""What figures say is in words, and their numbers are the document's."""

import base64
import json
from dataclasses import dataclass

import pytest

from orrery.parameters import Parameter
from orrery.results import page
from orrery.results.calibration_sections import record_calibration
from orrery.results.recording import record

PARAMETERS = (Parameter("v_x", "km / s", "$v_x$"), Parameter("v_z", "km / s", "$v_z$"))
CONTROL = "calibration.toy.negative_control.tarp.corrected_pvalue"


@dataclass(frozen=True)
class Choices:
    seed: int = 1


@pytest.fixture(scope="module")
def figure_texts(page_numbers, load_script):
    load_script("experiments/raw_names")
    return load_script("experiments/figure_texts")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, judge_sharp):
    """The page of a calibration, and its document."""
    judged = judge_sharp(PARAMETERS, tests=150)
    with record("toy", Choices(), tmp_path_factory.mktemp("toy")) as recording:
        record_calibration(recording, "toy", "Toy", judged, PARAMETERS)
    html = page.write(recording.result).read_text()
    return html, json.loads((recording.result.folder / "run.json").read_text())


@pytest.mark.slow
def test_legends_give_numbers_of_the_document(drawn, figure_texts):
    html, document = drawn
    legends = [text for text in figure_texts.texts(html) if "ATC" in text]
    assert any("negative control" in text for text in legends)
    assert figure_texts.unknown_numbers(html, document) == []


@pytest.mark.slow
def test_a_number_that_no_document_has_is_noticed(drawn, figure_texts):
    html, document = drawn
    metrics = {k: v for k, v in document["metrics"].items() if k != CONTROL}
    found = figure_texts.unknown_numbers(html, {**document, "metrics": metrics})
    assert found
    assert all("negative control" in text for text in found)


def test_figures_say_words(drawn, figure_texts):
    html, _ = drawn
    assert figure_texts.raw_names(html) == []


@pytest.mark.parametrize("place", ["picture", "alt", "pointer"])
def test_a_raw_name_in_a_figure_is_noticed(figure_texts, place):
    said = {"picture": "", "alt": "", "pointer": "", place: "the median_alike of v_x"}
    picture = base64.b64encode(f"<svg><!-- {said['picture']} --></svg>".encode())
    html = (
        f'<figure><img src="data:image/svg+xml;base64,{picture.decode()}" '
        f'alt="{said["alt"]}"><script type="application/json">'
        f"{json.dumps([{'curves': [{'name': said['pointer']}]}])}</script></figure>"
    )
    assert figure_texts.raw_names(html) == ["median_alike"]
