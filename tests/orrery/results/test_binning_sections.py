"""What a run tells of binnings: its numbers are held by name, and worths have their errors."""

import re
from dataclasses import replace

import numpy as np
import pytest

from orrery.judging.calibration import calibrate
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter
from orrery.results.binning_sections import (
    WidthQuantity,
    _worth_table,
    record_binnings,
)
from orrery.results.page import write
from orrery.results.recording import record
from orrery.sweeps.binning_comparison import BinningComparison, Kept
from orrery.sweeps.binnings import GOALS, BinningScore
from orrery.sweeps.comparison import Comparison
from orrery.sweeps.options import Effort
from orrery.sweeps.space import Choice, Int, SearchSpace
from orrery.sweeps.trial import Trial
from orrery.sweeps.worth import Contrast, Worth

SPACE = SearchSpace({"survey.bins": Int(1, 9), "survey.kind": Choice(("a", "b"))})
RATES = ("rebinned", "rebinned_per_second", "rebinned_per_cpu_second")
READ = dict.fromkeys(RATES, 0.0)
BINNED = dict(zip(RATES, (64.0, 512.0, 640.0), strict=True))


class Right:
    """A posterior that is right."""

    covariance = np.zeros((1, 1))

    def sample_each(self, x, count, seed):
        return x + 0.1 * np.random.default_rng(seed).normal(size=(count, *x.shape))

    def log_prob(self, theta, x):
        return -0.5 * ((theta - x)[:, 0] / 0.1) ** 2 - np.log(0.1)


def trial(number, bins, kind, gain, first=BINNED):
    found = {"information_gain": gain, "width": 8.0 - gain}
    point = {"survey.bins": bins, "survey.kind": kind}
    return Trial(number, point, "finished", (first,), found, seconds=2.0)


TRIALS = [
    trial(0, 7, "a", 1.25),
    trial(1, 5, "b", 1.5),
    trial(2, 3, "a", 1.0, READ),
    trial(3, 2, "b", 1.125),
    Trial(
        4,
        {"survey.bins": 9, "survey.kind": "a"},
        "failed",
        (BINNED,),
        reason="UncalibratedError: TARP",
    ),
]
BIN = Contrast("distance_bin", "one more bin", {}, {})
WHICH = "expected stars at 30-100 kpc"
MASS = (Parameter("a", "", "$a$"),)
PATCHES = Contrast("patches.healpix", "twelve patches", {}, {}, count=11)


def worth(contrast, gains):
    gains = np.array(gains)
    return Worth(contrast, {"information_gain": gains, "width": -2 * gains})


def kept(point):
    """Returns that half of the bins is left out, and ten stars are in each that is kept."""
    bins = point["survey.bins"]
    return Kept(bins, bins, 10.0 * bins, 100.0, "v bins", WHICH)


@pytest.fixture(scope="module")
def score():
    random = np.random.default_rng(2)
    theta = random.normal(size=(60, 1))
    pairs = Pairs(theta, theta + 0.1 * random.normal(size=theta.shape))
    splits = Splits(pairs, pairs, pairs, ("a",), ("v",), ("",), "binning", "0f", 0)
    judged = calibrate(Right(), splits, seed=1, draws=50)
    return BinningScore(judged, np.full(60, 6.5), splits, judged.coverage, judged.ranks)


@pytest.fixture(scope="module")
def result(score, tmp_path_factory):
    goal = GOALS["information_gain"]
    sweep = Comparison(goal, "nat", SPACE, TRIALS, TRIALS[:2], score.gain, 0.0625)
    worths = [worth(BIN, [0.25, 0.75]), worth(PATCHES, [1.1]), worth(PATCHES, [])]
    worths[2] = worth(Contrast("v_tb", "proper motions", {}, {}), [])
    found = BinningComparison(sweep, TRIALS[0], score, worths, TRIALS[:3], 60, kept)
    told = WidthQuantity("v_travel", "km / s")
    with record("toy", Effort(), tmp_path_factory.mktemp("run")) as recording:
        record_binnings(recording, "binnings.desi", "DESI-like", found, told, MASS)
    return recording.result


@pytest.mark.slow
def test_the_winner_is_told_beside_the_usual_binning(result, section):
    text = section(result, "binnings.desi")["text"]
    assert "Of 5 binnings (1 failed, 1 of them because a test of calibration" in text
    assert "trial 1, has an information gain over the prior of 1.500 nat" in text
    assert "the usual binning has 1.250 nat and 6.750 km / s there" in text
    assert "In what was sought it is there " in text
    assert " nat than on the validation pairs, " in text
    kept = "keeps 5 of 10 v bins, with 50 of 100 expected stars at 30-100 kpc."
    assert f"The best one {kept}" in text
    assert "there, and keeps 7 of 14 v bins, with 70 of 100 expected" in text
    assert (
        f" It {kept} On the tests" in section(result, "binnings.desi.headline")["text"]
    )


def test_every_number_of_the_summary_is_held_by_name(result, section):
    part = section(result, "binnings.desi")
    text = part["text"].replace("68 %", "").replace(WHICH, "")
    told = {float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)}
    values = [result.metrics[key] for key in part["shows"]]
    held = {round(float(value), 3) for value in values if value != WHICH}
    assert told <= held


def test_the_head_of_the_page_has_the_best_binning_and_what_it_tells(result, section):
    text = section(result, "binnings.desi.headline")["text"]
    numbers = result.metrics
    gain, width = (numbers[f"binnings.desi.{name}"] for name in ("gain", "width"))
    assert text.startswith("Trial 1 of 5: bins 5, kind b. It keeps 5 of 10 v bins")
    assert ". On the tests, which no trial" in text
    assert f"an information gain of {gain:.3f} ± " in text
    assert f"an expected width of v_travel of {width:.3f} ± " in text


@pytest.mark.slow
def test_worths_that_no_trial_tells_are_told_with_their_commonest_reason(
    score, tmp_path, section, page_numbers
):
    goal = GOALS["information_gain"]
    sweep = Comparison(goal, "nat", SPACE, TRIALS, [], score.gain, 0.0625)
    behind = [replace(TRIALS[4], number=i, seconds=i) for i in range(3)]
    found = BinningComparison(sweep, TRIALS[0], score, [], behind, 60)
    with record("toy", Effort(), tmp_path) as recording:
        told = WidthQuantity("v_travel", "km / s")
        record_binnings(recording, "binnings.desi", "DESI-like", found, told, MASS)
    failure = section(recording.result, "binnings.desi.worth.failure")
    assert failure["text"] == (
        "All 3 trials that should tell it failed, 3 of them so: UncalibratedError: TARP"
    )
    keys = [part["key"] for part in recording.result.sections]
    assert not {"binnings.desi.worth", "binnings.desi.worth_gain"} & {*keys}
    write(recording.result)
    assert page_numbers.unknown(recording.result.folder) == []


def test_trials_that_read_summaries_are_told_from_those_that_binned(result, section):
    numbers = result.metrics
    # of the sweep and of the worth, whose first three trials are the same here
    assert numbers["binnings.desi.rebinned"] == 4 + 2
    assert numbers["binnings.desi.read"] == 1 + 1
    assert numbers["binnings.desi.rebinned_per_second"] == 512
    assert numbers["binnings.desi.rebinned_per_cpu_second"] == 640
    table = section(result, "binnings.desi.trials")
    names = [column["name"] for column in table["columns"]]
    assert [row[names.index("rebinned")] for row in table["rows"]] == [
        64,
        64,
        0,
        64,
        64,
    ]
    reasons = [row[names.index("reason")] for row in table["rows"]]
    assert reasons == [*[""] * 4, "UncalibratedError: TARP"]


@pytest.mark.slow
def test_rates_that_no_clock_could_tell_are_not_told(
    score, tmp_path, section, page_numbers
):
    untimed, worths = {"rebinned": 64.0}, [worth(BIN, [0.25, 0.75])]
    for rates, words in (
        (untimed, "8 binned the stored stars anew, and 0 read"),
        (BINNED | untimed, "anew, 512 simulations a second in the median (640 in a"),
    ):
        found = [trial(i, i + 1, "a", 1.0, rates) for i in range(3)]
        found.append(trial(3, 5, "a", 1.5, untimed))
        sweep = Comparison(GOALS["width"], "km / s", SPACE, found, found, 1.0, 0.1)
        compared = BinningComparison(sweep, found[0], score, worths, found, 60)
        with record("toy", Effort(), tmp_path / f"{len(rates)}") as recording:
            told = WidthQuantity("v_travel", "km / s")
            record_binnings(recording, "binnings", "DESI-like", compared, told, MASS)
        write(recording.result)
        texts = [part.get("text", "") for part in recording.result.sections]
        assert any(words in text for text in texts)
        assert page_numbers.unknown(recording.result.folder) == []


def test_a_worth_has_its_error_by_the_scatter_over_seeds(result, section):
    numbers = result.metrics
    place = "binnings.desi.worth.distance_bin"
    assert numbers[f"{place}.gain"] == 0.5
    assert numbers[f"{place}.gain_error"] == 0.25
    assert numbers[f"{place}.width"] == -1.0
    assert numbers[f"{place}.seeds"] == 2
    rows = section(result, "binnings.desi.worth")["rows"]
    assert rows[1][4] == pytest.approx(0.1)  # for each of eleven patches
    assert rows[1][3] is None  # one seed tells no error
    assert rows[2][2] is None


def test_a_caption_says_whether_errors_know_of_other_pairs():
    alone = worth(BIN, [0.25, 0.75])
    parts = {name: np.zeros((2, 10)) for name in alone.differences}
    for one, words in (
        (alone, "over seeds alone (other validation pairs would move them by more);"),
        (replace(alone, parts=parts), "over seeds and over parts of the validation "),
    ):
        # what has no error says nothing of errors
        table = _worth_table(
            "worth", [one, worth(PATCHES, [1.1])], WidthQuantity("v", "km / s")
        )
        assert words in table.meta["caption"]


def test_a_figure_shows_what_has_an_error(result, section):
    for short in ("gain", "width"):
        view = section(result, f"binnings.desi.worth_{short}")["view"]
        assert [row["label"] for row in view["rows"]] == ["one more bin"]
        assert view["ours"] == "mean and its error"


@pytest.mark.parametrize("table", ["trials", "worth_trials"])
def test_every_trial_tells_what_its_binning_keeps(result, section, table):
    part = section(result, f"binnings.desi.{table}")
    names = [column["name"] for column in part["columns"]]
    places = [names.index(name) for name in KEPT]
    bins = names.index("survey.bins")
    for row in part["rows"]:
        assert [row[i] for i in places] == [row[bins], row[bins], 10.0 * row[bins]]
    assert WHICH in part["text"]
    assert part["shows"] == ["binnings.desi.kept.which"]


KEPT = ("bins_kept", "bins_left_out", "stars_used")


@pytest.mark.slow
def test_a_page_of_what_is_kept_has_no_number_without_a_name(result, page_numbers):
    write(result)
    assert page_numbers.unknown(result.folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("gains", [[], [0.25]])
def test_no_figure_is_drawn_where_no_choice_has_an_error(
    score, tmp_path, section, page_numbers, gains
):
    sweep = Comparison(GOALS["width"], "km / s", SPACE, TRIALS, [], 6.5, 0.1)
    worths = [worth(BIN, gains), worth(PATCHES, gains)]
    found = BinningComparison(sweep, TRIALS[0], score, worths, TRIALS[:3], 60)
    with record("toy", Effort(), tmp_path) as recording:
        told = WidthQuantity("v_travel", "km / s")
        record_binnings(recording, "binnings", "H3-like", found, told, MASS)
    keys = {part["key"] for part in recording.result.sections}
    assert not {"binnings.worth_gain", "binnings.worth_width"} & keys
    assert {"binnings.trials", "binnings.worth_trials"} <= keys
    caption = section(recording.result, "binnings.worth")["text"]
    assert "fewer than two seeds have finished" in caption
    write(recording.result)
    assert page_numbers.unknown(recording.result.folder) == []


def test_the_best_binning_is_found_by_key(result):
    assert result.metrics["binnings.desi.best.bins"] == 5
    assert result.metrics["binnings.desi.best.kind"] == "b"
    assert result.metrics["calibration.binnings.desi.tests"] == 60


def test_few_trials_tell_no_importance(score, tmp_path):
    goal = GOALS["information_gain"]
    sweep = Comparison(goal, "nat", SPACE, TRIALS[:3], [], score.gain, 0.1)
    found = BinningComparison(sweep, TRIALS[0], score, [], TRIALS[:1], 60)
    with record("toy", Effort(), tmp_path) as recording:
        record_binnings(
            recording, "binnings", "H3-like", found, WidthQuantity("v_x", ""), MASS
        )
    keys = [part["key"] for part in recording.result.sections]
    assert "binnings.options" not in keys
    assert "binnings.trials" in keys
