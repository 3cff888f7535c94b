"""A result in a notebook: what it shows is what its run has found, and every text is escaped."""

import math
from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np
import pytest
from astropy.table import Table

from orrery.parameters import Parameter
from orrery.results.notebook import NotebookResult
from orrery.results.notebook_html import result_html
from orrery.results.recording import record
from orrery.results.sections import (
    Answer,
    DrawsSection,
    FigureSection,
    TableSection,
    Verdict,
)
from orrery.results.views import Corner

MASS = Parameter("mass", "dex(solMass)", "$m$", lower=10.0, upper=15.0)
SPEED = Parameter("speed", "km / s", "$v$")
LABELS = {"a.v": "<stars>, A", "b.v": "B & C"}


@dataclass(frozen=True)
class Choices:
    seed: int = 1


def posterior_parts(key, label, random):
    draws = random.normal([12.0, 30.0], [0.1, 5.0], (400, 2))
    prior = random.normal([12.0, 30.0], [0.5, 20.0], (400, 2))
    names, units = ("mass", "speed"), (MASS.unit, SPEED.unit)
    vector = Table({"summary": ["v"], "unit": ["km / s"], "value": [1.5], "error": [1]})
    vector.meta["definition"] = "binning"
    corner = Corner({"posterior": draws}, (MASS, SPEED), prior)
    return draws, (
        TableSection(f"data_vector.{key}", f"Data, {label}", vector, "Data."),
        DrawsSection(f"draws.{key}", f"Draws, {label}", names, units, draws),
        FigureSection(f"posterior.{key}", f"Posterior, {label}", corner, "Marginals."),
    )


PRIOR = (-71.25, 64.5)  # [km/s]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    random = np.random.default_rng(1)
    with record("toy", Choices(), tmp_path_factory.mktemp("runs")) as recording:
        for key, label in LABELS.items():
            draws, parts = posterior_parts(key, label, random)
            recording.add(*parts)
            low, median, high = np.percentile(draws[:, 1], [16, 50, 84]).tolist()
            place = f"posterior.{key}.speed"
            ends = median, low, high
            one = Answer(place, label, "speed", "km / s", *ends, PRIOR)
            recording.answers([one])
        recording.verdicts(
            [
                Verdict("prior_predictive.a.v", "Prior", True, "p = 0.4"),
                Verdict("calibration.a.v.tarp", "TARP, <A>", True, "p = 0.3"),
                Verdict("calibration.a.v.sbc", "SBC, <A>", False, "p < 0.01"),
                Verdict("calibration.b.v.tarp", "TARP, B", None, "too few"),
            ]
        )
    return NotebookResult.open(recording.run.folder)


def test_the_answer_is_that_of_the_document(result):
    answer = result.answer
    assert list(answer["data"]) == list(LABELS.values())
    for row, one in zip(answer, result.document["answers"], strict=True):
        assert (row["lower"], row["median"]) == (one["lower"], one["median"])


def test_what_is_not_known_is_masked_and_shown_as_a_dash(tmp_path):
    unknown = [math.nan] * 3
    with record("toy", Choices(), tmp_path) as recording:
        for name, mean in (("a", 11.801), ("b", None)):
            key, of = f"posterior.{name}.m", (name, "log M", "dex")
            recording.answers([Answer(key, *of, *unknown, (11.28, 13.62), mean)])
    found = NotebookResult.open(recording.run.folder)
    assert list(found.answer["predicted_mean"].filled(-1)) == [11.801, -1]
    assert list(found.answer["median"].mask) == [True, True]
    shown = found._repr_html_()
    assert "nan" not in shown
    assert "11.80, predicted mean</td><td>no interval</td><td>11.28 to 13.62" in shown
    assert "<td>\N{EN DASH}</td>" in shown


def test_calibration_has_its_tests_alone_and_none_that_could_not_fail_passes(result):
    found = result.calibration
    assert list(found["passed"]) == ["yes", "no", "untested"]
    assert list(found["numbers"]) == ["p = 0.3", "p < 0.01", "too few"]


def test_posteriors_are_found_by_their_keys_and_the_first_is_the_posterior(result):
    assert list(result.posteriors) == list(LABELS)
    assert result.posterior == result.posteriors["a.v"]
    answer = result.answer
    for row, posterior in zip(answer, result.posteriors.values(), strict=True):
        draws = posterior.draws
        assert draws.colnames == ["mass", "speed"]
        assert draws["speed"].unit == "km / s"
        assert np.median(draws["speed"].value) == pytest.approx(row["median"])
        assert draws["mass"].physical.unit == "solMass"
        low, high = posterior.prior_intervals["speed"]
        assert low < row["lower"] < row["upper"] < high
        assert posterior.observation["value"][0] == 1.5
        assert posterior.observation.meta["definition"] == "binning"


def test_tables_are_found_by_their_keys(result):
    assert result.tables == ("data_vector.a.v", "data_vector.b.v")
    assert list(result.table("data_vector.b.v")["unit"]) == ["km / s"]
    with pytest.raises(ValueError, match=r"no table 'a\.v': there are \['data_vector"):
        result.table("a.v")


def learned_as(result, fingerprint):
    """Returns the result of a run that says which posterior its first data have learned."""
    learned = [{"key": "a.v", "fingerprint": fingerprint}]
    lineage = {**result.document["lineage"], "posteriors": learned}
    return NotebookResult(result.folder, {**result.document, "lineage": lineage})


def test_a_posterior_that_is_gone_is_told_with_its_place(result):
    without = learned_as(result, "0123456789abcdef")
    with pytest.raises(FileNotFoundError, match=r"a\.v/0123456789abcdef"):
        without.posterior.sample(10)


def test_a_run_does_not_decide_where_its_posterior_is(result):
    elsewhere = learned_as(result, "../../../elsewhere")
    with pytest.raises(ValueError, match="no file inside of"):
        elsewhere.posterior.sample(10)


def test_a_run_that_does_not_say_what_it_learned_is_told_to_be_run_again(result):
    with pytest.raises(
        ValueError, match=r"which posterior of a\.v .*run the study again"
    ):
        result.posterior.sample(10)


def test_a_missing_figure_hides_no_answer(result):
    others = [s for s in result.sections if s["kind"] != "figure"]
    without = NotebookResult(result.folder, {**result.document, "sections": others})
    text = " ".join(Seen(without._repr_html_()).texts)
    assert f"{result.answer['median'][0]:.1f}" in text


def test_a_run_without_a_posterior_says_what_it_has(result):
    document = {**result.document, "sections": result.sections[:1]}
    with pytest.raises(ValueError, match=r"no posterior, only \['data_vector\.a\.v'\]"):
        _ = NotebookResult(result.folder, document).posterior


def test_a_posterior_shows_its_intervals_beside_the_priors(result):
    posterior = result.posteriors["a.v"]
    seen = Seen(posterior._repr_html_())
    speed = posterior.draws["speed"].value
    low, median, high = np.percentile(speed, [16, 50, 84])
    before = posterior.prior_intervals["speed"]
    assert "Posterior, a.v" in seen.texts
    for words in (
        f"{median:.1f}",
        f"{low:.1f} to {high:.1f}",
        f"{before[0]:.1f} to {before[1]:.1f}",
        "km/s",
    ):
        assert words in seen.texts


@pytest.mark.slow
def test_figures_are_drawn_and_saved_by_what_they_show(result, tmp_path):
    assert result.plot.keys == ("posterior.a.v", "posterior.b.v")
    picture = result.plot.corner("b.v")
    assert picture.caption == "Marginals."
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert picture.save(tmp_path / "b.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match=r"b\.jpg ends in none of .*\.svg"):
        picture.save(tmp_path / "b.jpg")
    with pytest.raises(ValueError, match=r"no figure 'tarp\.a\.v': .*posterior\.a\.v"):
        result.plot.coverage()


class Seen(HTMLParser):
    """The texts and the tags of a piece of HTML."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_a_notebook_shows_the_answer_first_with_its_prior_then_what_failed(result):
    seen = Seen(result._repr_html_())
    text = " ".join(seen.texts)
    assert "stars" not in seen.tags
    median, lower = result.answer["median"][0], result.answer["lower"][0]
    low, high = PRIOR
    for number in (f"{median:.1f}", f"{lower:.1f} to", f"{low:.1f} to {high:.1f}"):
        assert number in seen.texts or any(number in one for one in seen.texts)
    assert text.index(f"{median:.1f}") < text.index("2 of 4 tests were passed")
    assert "SBC, <A>: failed." in text
    assert "TARP, B: untested." in text
    assert "TARP, <A>" not in text
    assert repr(result).startswith("Result of toy: finished, ")


def test_a_failed_run_says_why_and_invents_no_answer(result):
    failed = {"answers": [], "verdicts": [], "status": "failed", "reason": "<script>"}
    html = result_html({**result.document, **failed}, None)
    seen = Seen(html)
    assert "script" not in seen.tags
    assert "<script>" in seen.texts
    assert "table" not in seen.tags
    assert "Nothing was tested." in seen.texts


def test_a_median_that_is_not_known_is_a_dash(result):
    one = {**result.document["answers"][0], "median": "nan", "lower": "nan"}
    html = result_html({**result.document, "answers": [one]}, None)
    assert "<td>\N{EN DASH}</td><td></td>" in html


@pytest.mark.parametrize("prior", [None, ["nan", 3.0]])
def test_a_prior_that_is_not_known_is_left_out(result, prior):
    one = {**result.document["answers"][0], "prior": prior}
    html = result_html({**result.document, "answers": [one]}, None)
    assert "<td></td><td>km/s</td>" in html
