"""Pages, figures and notebooks say words as people do; files and keys keep their own."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from orrery.parameters import Parameter
from orrery.results import page
from orrery.results.collation.entries import run_entry
from orrery.results.collation.site import render_site
from orrery.results.console import ConsoleReader
from orrery.results.notebook import NotebookResult
from orrery.results.recording import record
from orrery.results.sections import Answer, FigureSection, TableSection, Verdict
from orrery.results.views import Corner
from orrery.results.wording import UNTESTED, worded, worded_document
from orrery.storage.documents import write_document

WORDS = {"with v_tb": "with <v_t,b>", "v_tb": "v_t,b"}
ROW = "DESI, with v_tb"
SAID = "DESI, with <v_t,b>"


@dataclass(frozen=True)
class Choices:
    seed: int = 1


def answers_of(page):
    """Returns the answers of the first row of a page of all runs."""
    (found,) = re.findall(r'<script[^>]* id="row-0">(.*?)</script>', page)
    return json.loads(found)["answers"]


@pytest.fixture
def result(tmp_path):
    one = Parameter("v_tb", "km / s", "$v_{t,b}$")
    table = Table({"data": [ROW], "v_tb": [1.0]})
    draws = {"desi.v_tb": np.random.default_rng(1).normal(size=(50, 1))}
    with record("toy", Choices(), tmp_path) as recording:
        recording.words(WORDS)
        recording.answers([Answer("posterior.desi.v_tb", ROW, "v", "", 2.0, 1.0, 3.0)])
        recording.verdicts([Verdict("calibration.v_tb", f"TARP, {ROW}", True, "Fine.")])
        view = Corner(draws, (one,), legend={"desi.v_tb": ROW})
        recording.add(
            TableSection("rows", "Rows", table, f"Of {ROW}."),
            FigureSection("posterior.desi.v_tb", f"Posterior, {ROW}", view, ROW),
        )
    return recording.result


@pytest.mark.slow
def test_page_says_words_and_files_keep_theirs(result):
    text = page.write(result).read_text()
    assert "with v_tb" not in text
    assert text.count("DESI, with &lt;v_t,b&gt;") >= 5
    assert Table.read(result.folder / "rows.ecsv")["data"][0] == ROW
    assert result.document["answers"][0]["data"] == ROW
    assert 'id="posterior-desi-v_tb"' in text


def test_figures_are_found_by_their_keys_and_called_in_words(result):
    view = result.view(result.section("posterior.desi.v_tb"))
    assert dict(view.legend) == {"desi.v_tb": SAID}
    assert list(view.draws) == ["desi.v_tb"]
    assert view.draws["desi.v_tb"].shape == (50, 1)


def test_notebooks_and_collations_say_words(result, tmp_path):
    shown = NotebookResult.open(result.folder)
    assert "DESI, with &lt;v_t,b&gt;" in shown._repr_html_()
    assert shown.plot.draw("posterior.desi.v_tb").caption == SAID
    entry = run_entry(result.folder, tmp_path)
    # a table of all runs is data, its page is read
    assert [one["data"] for one in entry.answers] == [ROW]
    (shown_answer,) = answers_of(render_site([entry], "all"))
    assert shown_answer["data"] == SAID
    assert entry.values["verdict.calibration.v_tb"] == "passed"


def test_words_are_replaced_only_where_they_stand_alone():
    kept = ["mean_v_tb_30", "desi.v_tb", "v_tb.30", "v_gsr+v_tb", "--v_tb", "xv_tb"]
    assert worded(kept, WORDS) == kept
    replaced = worded("Bins of v_tb. Others, with v_tb: (v_tb)", WORDS)
    assert replaced == "Bins of v_t,b. Others, with <v_t,b>: (v_t,b)"
    assert worded({"v_tb": "v_tb", ROW: 1}, WORDS) == {"v_tb": "v_t,b", SAID: 1}


def test_documents_without_words_say_what_they_said():
    document = {"sections": [{"key": "a", "title": ROW}], "answers": [], "verdicts": []}
    assert worded_document(document) == document


def test_what_keyboards_lack_is_a_sign_in_every_document():
    verdict = {"key": "gain", "text": "0.91 +- 0.35 dex(solMass), a+-b, log_msun"}
    (found,) = worded_document({"verdicts": [verdict]})["verdicts"]
    assert (
        found["text"] == "0.91 \N{PLUS-MINUS SIGN} 0.35 dex(M\N{SUN}), a+-b, log_msun"
    )


@pytest.mark.parametrize("words", [["v_tb"], {"v_tb": 3}, "v_tb"])
def test_words_that_are_none_are_refused(result, words):
    path = result.folder / "run.json"
    write_document(path, {**result.document, "words": words})
    with pytest.raises(ValueError, match=r"run\.json is no document of a run.*words"):
        NotebookResult.open(result.folder)


def test_units_of_figures_stay_what_their_labels_are_made_of(tmp_path):
    mass = Parameter("log10_m", "dex(solMass)", r"$\log_{10} M$")
    view = Corner({"a": np.random.default_rng(1).normal(size=(50, 1))}, (mass,))
    with record("toy", Choices(), tmp_path) as recording:
        recording.words(WORDS)
        recording.add(FigureSection("posterior.a", "Posterior", view, "Of a."))
    shown = recording.result.view(recording.result.section("posterior.a"))
    assert shown.parameters[0].unit == "dex(solMass)"


def test_what_untested_means_is_said_alike_wherever_a_test_is(tmp_path):
    with record("toy", Choices(), tmp_path) as recording:
        recording.verdicts([Verdict("calibration.a.tarp", "TARP", None, "p = 0.3.")])
    shown = NotebookResult.open(recording.result.folder)
    docs = Path(__file__).parents[3] / "docs" / "calibration.md"
    for text in (
        page.write(recording.result).read_text(),
        shown._repr_html_(),
        " ".join(docs.read_text().replace("*", "").split()),
    ):
        assert UNTESTED in text
        assert "not tested" not in text
    assert "TARP: untested." in shown._repr_html_()
    assert list(shown.calibration["passed"]) == ["untested"]
    entry = run_entry(recording.result.folder, tmp_path)
    assert entry.values["verdict.calibration.a.tarp"] == "untested"


def test_what_untested_means_is_said_only_where_a_test_is(tmp_path):
    with record("toy", Choices(), tmp_path) as recording:
        recording.verdicts([Verdict("calibration.a.tarp", "TARP", True, "p = 0.3.")])
    assert UNTESTED not in page.write(recording.result).read_text()
    assert UNTESTED not in NotebookResult.open(recording.result.folder)._repr_html_()


HEADS = {"bins.count": "stars", "patch=all": "whole sky", "tests.count": "simulations"}


def test_a_head_says_what_its_own_table_has_there(tmp_path, capsys):
    column = Table({"patch": ["all"], "unit": ["1e+10 solMass"], "count": [3]})
    column["lower"] = [1.5]
    column["lower"].unit = "km / s"
    with record("toy", Choices(), tmp_path) as recording:
        recording.words(HEADS)
        reader = ConsoleReader()
        reader.opened(recording.run)
        for key in ("bins", "tests.a", "others"):
            part = TableSection(key, key, column, "Of all, lower.")
            recording.add(part)
            reader.section(part)
    text = page.write(recording.result).read_text()
    heads = re.findall(r'data-column="count">(\w+)', text)
    assert heads == ["stars", "simulations", "count"]
    assert text.count("lower end <small>km/s</small>") == 3
    assert text.count(">whole sky<") == text.count(">1e10 M\N{SUN}<") == 3
    assert "Of all, lower." in text
    printed = capsys.readouterr().err
    assert printed.count("whole sky") == printed.count("[km/s]") == 3
    assert recording.result.section("bins")["rows"][0][0] == "all"


def test_an_answer_says_what_it_is_and_of_which_data(tmp_path, capsys):
    one = Answer(
        "posterior.a.v_x",
        "A survey",
        "v_x",
        "km / s",
        3.0,
        1.0,
        5.0,
        meaning="the speed of it all",
        source="giants: 856 of them at 30 to 100 kpc",
        shows=("stars.count", "stars.inner", "stars.outer"),
    )
    with record("toy", Choices(), tmp_path) as recording:
        recording.metrics({"stars.count": 856, "stars.inner": 30, "stars.outer": 100})
        recording.answers([one, replace(one, key="posterior.b.v_x", data="B survey")])
    text = page.write(recording.result).read_text()
    # defined once, before it is used
    assert text.count("v_x: the speed of it all.") == 1
    assert text.index("the speed of it all") < text.index("v_x = <b>")
    assert f"km/s, from A survey ({one.source})" in text
    answer = NotebookResult.open(recording.result.folder).answer
    assert list(answer["source"]) == [one.source] * 2
    assert list(answer["meaning"]) == [one.meaning] * 2
    reader = ConsoleReader()
    reader.opened(recording.run)
    reader.closed(recording.result)
    printed = " ".join(capsys.readouterr().err.split())
    assert (
        "v_x: the speed of it all. v_x = 3.0 +2.0 -2.0 km/s, from A survey" in printed
    )


def masses(recording):
    """Records the answer of an ensemble, and those of two flows, of which one fails."""
    told = ("log M", "", 12.0, 11.8, 12.2)
    recording.answers(
        [
            Answer("posterior.mass.25", "ensemble", *told, tests=("similar.25",)),
            Answer(
                "posterior.mass.flow",
                "flow",
                *told,
                alternative=True,
                tests=("calibration.flow",),
            ),
            Answer(
                "posterior.mass.other",
                "other flow",
                *told,
                alternative=True,
                tests=("calibration.flow_of_a_set",),
            ),
        ]
    )
    recording.verdicts(
        [
            Verdict("similar.25", "Similar", True, "p = 0.3."),
            Verdict("calibration.flow.tarp", "TARP", True, "p = 0.3."),
            Verdict("calibration.flow.sbc", "SBC", False, "p = 0.001."),
            Verdict("calibration.flow_of_a_set.tarp", "TARP", None, "p = 0.3."),
        ]
    )


def test_one_answer_is_recommended_and_others_stand_beside_their_tests(tmp_path):
    with record("toy", Choices(), tmp_path) as recording:
        masses(recording)
    text = page.write(recording.result).read_text()
    (said,) = re.findall(r'<p class="answer">(.*?)</p>', text, re.DOTALL)
    assert "from ensemble" in said
    assert "doubt" not in said
    tests = re.findall(r'<td class="outcome">(.*?)</td>', text)
    assert tests == ["passed", "failed, not to be used", "untested"]
    shown = NotebookResult.open(recording.result.folder)
    assert list(shown.answer["tests"]) == tests
    assert "<td>failed, not to be used</td>" in shown._repr_html_()


@pytest.mark.parametrize(
    ("failed", "sentence"),
    [
        (["calibration"], "It failed a test of its calibration: not to be used."),
        (["prior_predictive"], "It failed the prior predictive check: not to be used."),
        (
            ["calibration", "prior_predictive", "predictive"],
            "the prior predictive check and a test of its calibration: not to be used.",
        ),
        (["predictive"], "It failed a test: Bins."),
        (
            ["information_gain"],
            "It failed the test of its information gain: not to be used.",
        ),
    ],
)
def test_an_answer_says_which_of_its_tests_failed(tmp_path, failed, sentence):
    keys = {"information_gain": "calibration.a.v.information_gain"}
    outcome = ("Bins, A", False, "p = 0.")
    with record("toy", Choices(), tmp_path) as recording:
        recording.answers([Answer("posterior.a.v.x", "A", "x", "", 3.0, 1.0, 5.0)])
        recording.verdicts(
            [Verdict(keys.get(kind, f"{kind}.a.v.one"), *outcome) for kind in failed]
        )
    text = page.write(recording.result).read_text()
    (said,) = re.findall(r'<p class="answer">(.*?)</p>', text, re.DOTALL)
    assert sentence in said
