"""The comparison of a page with its document notices what it is there to notice."""

import ast
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from halomass.observed.features import Features, HostProperties, NeighbourSet
from halomass.study import accuracy
from halomass.study.ensembles import LEFT_OUT_FEATURES, label_without
from halomass.study.wording import host_words
from mwlmc.parameters import INFERRED
from mwlmc.sky.binning import DESI_FOOTPRINT
from mwlmc.study import comparison, quantities
from mwlmc.study.data_rows import DataRow, star_source
from mwlmc.study.wording import table_words
from orrery.execution.simulation import generate
from orrery.judging import predictive
from orrery.judging.misspecification import Misspecification
from orrery.records import Column, Observation, Records, Schema
from orrery.results import page
from orrery.results.calibration_sections import record_calibration
from orrery.results.dataset_sections import record_dataset
from orrery.results.posterior_sections import check_logger
from orrery.results.recording import record
from orrery.results.sections import Text
from orrery.storage import work_log

ROW = "DESI, with v_tb"
MEAN = np.array([11.6, 11.0, 3.0, -1.0, -20.0, 0.1])
WIDTH = np.array([0.1, 0.15, 2.5, 2.5, 6.0, 0.6])


SEEN = Observation(
    "stars",
    ("v_north_30_50", "v_south_30_50"),
    ("km / s",) * 2,
    np.array([4.4, -0.3]),
    np.eye(2),
    "binning",
    {},
)


@dataclass(frozen=True)
class Choices:
    seed: int = 1


@dataclass(frozen=True)
class Ensemble:
    """An ensemble whose errors are made up."""

    seed: int

    def smallest_rmse(self):
        return 0.1 + 0.01 * self.seed

    def rmse_between(self, low, high):
        return np.array([0.111, 0.123]) + 0.0371 * self.seed

    def largest_bias(self, low, high):
        return 0.0457 + 0.013 * self.seed

    @property
    def scatter(self):
        return 0.04321 + 0.001 * self.seed, 0.004567


def outside():
    random = np.random.default_rng(3)
    among = predictive.check(random.normal(size=(1231, 2)), SEEN, seed=1)
    return Misspecification(among, 0.0017, 499, 1231)


def ratios():
    values = np.linspace(1.13, 4.57, len(LEFT_OUT_FEATURES))
    every = zip(map(label_without, LEFT_OUT_FEATURES), values, strict=True)
    return {name: (value, 0.1 * value) for name, value in every}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, judge_sharp):
    """A run with sentences, tables and misses of both sciences, and no figures drawn."""
    random = np.random.default_rng(4)
    draws = MEAN + WIDTH * random.normal(size=(400, 6))
    prior = MEAN + 2 * WIDTH * random.normal(size=(400, 6))
    names = list(accuracy.published_rmse())
    ensembles = {name: Ensemble(i) for i, name in enumerate(names)}
    ensembles |= {label_without(what): Ensemble(7) for what in LEFT_OUT_FEATURES}
    with record("toy", Choices(), tmp_path_factory.mktemp("toy")) as recording:
        recording.words({**table_words(), **host_words()})
        key = quantities.row_key(ROW)
        source, numbers = star_source(
            DataRow(ROW, key, ROW, DESI_FOOTPRINT, replace(SEEN, name="Toy 7"), 856)
        )
        recording.metrics({**numbers, f"data_vector.{key}.name": "Toy 7"})
        recording.answers(quantities.answers(key, ROW, draws, prior, source))
        check_logger(recording, key, ROW)(outside())
        judged = judge_sharp(INFERRED, tests=70)
        record_calibration(recording, key, ROW, judged, INFERRED)
        recording.tables(comparison.compare_with_published(draws, ROW, prior))
        recording.tables(comparison.prior_tables(prior))
        recording.tables(accuracy.accuracy_tables(ensembles, ratios()))
        recording.metrics({"host.name": "NGC 7"})
        recording.add(Text("host", "Host", "NGC 7 is no number.", ("host.name",)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page.figures, "draw", lambda view: None)
        patch.setattr(page.figures, "settle", lambda figure: None)
        patch.setattr(page.figures, "file_content", lambda figure, kind, box: b"")
        patch.setattr(page.figures, "axes_in_picture", lambda figure, box: [])
        page.write(recording.result)
    return recording.result.folder


def marked(tree):
    """Returns the experiments whose pages tests say that they walk, by their marks."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    for mark in (one for function in functions for one in function.decorator_list):
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.walks":
            yield from (ast.literal_eval(name) for name in mark.args)


def test_the_page_of_each_experiment_is_walked(experiments):
    """That a test walks what its mark says is seen where it runs, in `conftest.py`."""
    tests = Path(__file__).parent.glob("test_*.py")
    walked = {name for test in tests for name in marked(ast.parse(test.read_text()))}
    assert walked == {*experiments}, "walk its page at toy size by `unknown_numbers`"


@pytest.mark.slow
def test_a_page_shows_nothing_that_its_document_does_not_hold_by_name(
    folder, page_numbers
):
    kinds = {
        s["kind"] for s in json.loads((folder / "run.json").read_text())["sections"]
    }
    assert kinds == {"table", "figure", "warning", "text"}
    assert page_numbers.unknown(folder) == []


@pytest.mark.slow
def test_a_page_says_words_where_files_have_names(folder, raw_names):
    html = (folder / "report.html").read_text()
    assert raw_names.raw_names(html) == []
    # what nobody has words for is shown as code: here nothing but the toy's entries
    assert {*raw_names.names_as_code(html)} <= {"v_north_30_50", "v_south_30_50"}
    assert "p-value of the rank" in html
    # units and powers of ten are written in one way
    assert "km / s" not in html
    assert "solMass" not in html
    assert not re.search(r"\de\+\d", html)
    assert 'data-column="rank_pvalue"' in html


@pytest.mark.parametrize(
    "binning",
    [
        Features(25),
        Features(3, radial="asinh"),
        NeighbourSet(60),
        NeighbourSet(50, radial="asinh"),
        HostProperties(25),
    ],
)
def test_each_number_of_a_host_has_words(binning):
    names = dict.fromkeys(binning.names)
    words = host_words(60)
    assert [name for name in names if name not in words] == []
    assert len({words[name] for name in names}) == len(names)
    for name in names:
        assert re.sub(r"\D", "", words[name]) == re.sub(r"\D", "", name)


@pytest.mark.parametrize("place", ["<td>", "<h2>", "<p>", "<figcaption>"])
def test_a_raw_name_in_words_is_noticed(raw_names, place):
    html = f"<main>{place}the median_alike of v_x</{place[1:]}</main>"
    assert raw_names.raw_names(html) == ["median_alike"]
    assert (
        raw_names.raw_names(html.replace("median_alike", "<code>median_alike</code>"))
        == []
    )


def test_wrong_numbers_are_noticed(folder, page_numbers):
    found = page_numbers.accepted_mutations(folder)
    fewest = {"cells": 250, "sentences": 250, "swaps": 50}
    for kind, (accepted, every) in found.items():
        print(f"of {every} wrong numbers in {kind}, {every - accepted} are noticed")
        assert every > fewest[kind]
        assert accepted == 0, kind


@pytest.mark.parametrize("mark", ["<td>", "<sup>", "<sub>", "<dd>"])
def test_a_wrong_number_on_the_page_alone_is_named(
    folder, page_numbers, mark, tmp_path
):
    html = (folder / "report.html").read_text()
    found = [*re.finditer(rf"{mark}(?:\+|&minus;)?([\d.]*[1-9])(?=<)", html)]
    assert found
    for one in found[::29]:
        wrong = page_numbers.other_numbers(one[1])[0]
        changed = html[: one.start(1)] + wrong + html[one.end(1) :]
        copied(folder, tmp_path, changed)
        named = page_numbers.unknown(tmp_path)
        assert len(named) == 1, (one[0], named)
        assert wrong in named[0][1]


@pytest.mark.parametrize("place", ["</main>", "</header>", "</section>", "<h2>"])
def test_a_number_outside_of_all_parts_is_noticed(
    folder, page_numbers, place, tmp_path
):
    assert not page_numbers.elsewhere(folder)
    html = (folder / "report.html").read_text()
    assert place in html
    copied(folder, tmp_path, html.replace(place, f"<p>It is 7.31.</p>{place}", 1))
    assert page_numbers.elsewhere(tmp_path) == {"7": 1, "3": 1, "1": 1}


@pytest.mark.slow
def test_a_number_in_a_sentence_that_has_no_name_is_named(
    folder, page_numbers, tmp_path
):
    html = (folder / "report.html").read_text()
    text = json.loads((folder / "run.json").read_text())
    for before, wrong, after in (
        ("", "71", " held-out"),
        ("among ", "1281", " sim"),
        ("", "17", "-84 %"),
        ("beyond ", "0.14", " to"),
        ("NGC ", "8", " is no"),
    ):
        told = re.search(rf"{before}[\d.]+{re.escape(after)}", html)[0]
        untrue = f"{before}{wrong}{after}"
        document = json.dumps(text).replace(told, untrue)
        copied(folder, tmp_path, html.replace(told, untrue), document)
        named = page_numbers.unknown(tmp_path)
        assert any(f"[{wrong}]" in sentence for _, sentence in named), untrue


def test_a_part_that_is_missing_on_the_page_is_no_match(folder, page_numbers, tmp_path):
    html = (folder / "report.html").read_text()
    start = html.index('<section class="table"')
    end = html.index("</section>", start) + len("</section>")
    copied(folder, tmp_path, html[:start] + html[end:])
    with pytest.raises(ValueError, match="other parts"):
        page_numbers.unknown(tmp_path)


@pytest.mark.parametrize("actors", [0, 1, 2])
def test_what_a_card_says_has_keys_whoever_made_the_simulations(
    tmp_path, page_numbers, actors
):
    made = generate(Toy(), 5, 1, tmp_path / "datasets", actors=0)
    work = work_log.Session("2026-01-01T00:00:00+00:00", 5, 30.0, actors=actors)
    work_log.write_sessions(made.folder, (work,))
    with record("toy", Choices(), tmp_path / "runs") as recording:
        record_dataset(recording, "simulations", "Simulations", made)
    (part,) = page_numbers.parts(recording.result.document)
    assert part.problems(part.numbers) == []
    assert ("simulations.actors" in dict(part.values)) == (actors > 0)


class Toy:
    """Simulates numbers, and counts some of them."""

    schema = Schema((Column("index", "", "", "int64"), Column("odd", "", "", "int32")))

    def describe(self):
        return {"what": "toy"}

    def records(self, seed, indices):
        index = np.array(indices)
        return Records({"index": index, "odd": index % 2})


def copied(folder, place, html, document=None):
    (place / "report.html").write_text(html)
    kept = document or (folder / "run.json").read_text()
    (place / "run.json").write_text(kept)
