"""What a run tells of a comparison: every number that it says is held by name."""

import re

import pytest

from orrery.results.page import write
from orrery.results.recording import record
from orrery.results.sweep_sections import record_comparison
from orrery.sweeps.comparison import Comparison
from orrery.sweeps.options import Effort
from orrery.sweeps.space import Choice, Log, SearchSpace
from orrery.sweeps.trial import Goal, Trial

pytestmark = pytest.mark.slow

SPACE = SearchSpace({"kind": Choice(("maf", "nsf")), "rate": Log(1e-3, 0.1)})


def trial(number, rate, kind, score):
    point = {"kind": kind, "rate": rate}
    return Trial(number, point, "finished", objectives={"p": score}, seconds=2.0)


TRIALS = [
    trial(0, 0.01, "maf", 1.25),
    trial(1, 0.02, "nsf", 1.5),
    trial(2, 0.05, "maf", 1.0),
    trial(3, 0.002, "nsf", 1.125),
    Trial(4, {"kind": "maf", "rate": 0.1}, "failed", reason="loss is nan"),
]
SEEDS = [
    Trial(i, {"seed": i}, "finished", objectives={"p": p})
    for i, p in ((0, 1.0), (1, 1.5))
]


FAILED = [
    Trial(i, {"seed": i}, "failed", reason=reason)
    for i, reason in enumerate(("no\n\nroom", "loss is 3 nan", "loss is 3 nan"))
]


def told(trials, seeds, folder, test=1.375, validation_error=0.0625):
    shape = ("kind", "rate")
    goal = Goal("p", "larger")
    found = Comparison(
        goal, "nat", SPACE, trials, seeds, test, 0.0625, shape, validation_error
    )
    with record("toy", Effort(), folder) as recording:
        record_comparison(recording, "architectures", found)
    write(recording.result)
    return recording.result


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return told(TRIALS, SEEDS, tmp_path_factory.mktemp("told"))


def test_the_head_of_the_page_has_the_best_trial_and_its_score(result, section):
    head = section(result, "architectures.headline")
    assert head["text"] == (
        "Trial 1 of 5: kind nsf, rate 0.02. On the tests, which no trial has seen, its p "
        "is 1.3750 ± 0.0625 nat."
    )
    page = (result.folder / "report.html").read_text()
    above, _, below = page.partition("</header>")
    assert head["text"] in above
    assert head["text"] not in below


@pytest.mark.parametrize("seeds", [SEEDS, SEEDS[:1], FAILED])
@pytest.mark.parametrize("trials", [TRIALS, TRIALS[1:3]])
def test_whatever_is_known_has_a_page_whose_numbers_are_held_by_name(
    trials, seeds, tmp_path, page_numbers
):
    found = told(trials, seeds, tmp_path)
    assert page_numbers.unknown(found.folder) == []


def test_seeds_that_all_failed_are_told_with_their_commonest_reason(tmp_path, section):
    found = told(TRIALS, FAILED, tmp_path)
    text = section(found, "architectures.seeds.failure")["text"]
    assert text == (
        "All 3 trials that should tell it failed, 2 of them so: loss is 3 nan"
    )
    assert (
        "what the seed changes is not known" in section(found, "architectures")["text"]
    )


def test_the_winner_is_told_with_its_optimism(result, section):
    text = section(result, "architectures")["text"]
    assert "trial 1, has a p of 1.5000 nat on the validation pairs" in text
    assert "1.3750 ± 0.0625 nat on the tests" in text
    assert "there it is worse by 0.1250 ± 0.0884 nat than on the validation" in text
    assert "which is no more than other pairs may make." in text
    assert "optimis" not in text
    assert "(1 failed)" in text


@pytest.mark.parametrize(
    ("test", "error", "words"),
    [
        (
            1.25,
            0.0625,
            "worse by 0.2500 ± 0.0884 nat than on the validation pairs, by ",
        ),
        (
            1.75,
            0.0625,
            "better by 0.2500 ± 0.0884 nat than on the validation pairs, wh",
        ),
        (1.25, float("nan"), "worse by 0.2500 nat than on the validation pairs, with "),
    ],
)
def test_only_a_loss_beyond_its_error_is_called_optimism(
    test, error, words, tmp_path, section, page_numbers
):
    found = told(TRIALS, SEEDS, tmp_path, test, error)
    text = section(found, "architectures")["text"]
    assert f"there it is {words}" in text
    assert ("the choice was optimistic" in text) is (test < 1.5 and error < 1)
    assert page_numbers.unknown(found.folder) == []
    assert found.metrics["architectures.optimism"] == 1.5 - test


def test_layers_and_nodes_have_one_number_with_its_error(result, section):
    text = section(result, "architectures")["text"]
    assert "The number of layers and nodes (kind and rate) changes the score by" in text
    numbers = result.metrics
    assert numbers["architectures.shape_effect"] > 0
    assert numbers["architectures.shape_effect_by_chance"] > 0
    assert "would be found if they did not matter" in text
    rows = {row[0]: row[1:] for row in section(result, "architectures.changes")["rows"]}
    assert rows["layers and nodes, if they did not matter"] == [
        numbers["architectures.shape_effect_by_chance"],
        numbers["architectures.shape_effect_by_chance_scatter"],
    ]
    assert "architectures.shape_effect_error" in numbers


def test_four_trials_tell_no_error(tmp_path, section, page_numbers):
    found = told(TRIALS[:4], SEEDS, tmp_path)
    text = section(found, "architectures")["text"]
    assert "so few trials tell no error" in text
    assert "nan" not in text
    assert page_numbers.unknown(found.folder) == []


def test_every_number_of_the_summary_is_held_by_name(result, section):
    part = section(result, "architectures")
    text = part["text"].replace("68 %", "")
    told = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)}
    held = {round(float(result.metrics[key]), 4) for key in part["shows"]}
    assert told <= held


def test_options_and_trials_are_tables(result, section):
    options = section(result, "architectures.options")
    assert [row[0] for row in options["rows"]] == ["kind", "rate"]
    assert [row[1] for row in options["rows"]] == ["maf, nsf", "0.001 to 0.1"]
    assert [row[2] for row in options["rows"]] == ["nsf", "0.02"]
    trials = section(result, "architectures.trials")
    assert [row[1] for row in trials["rows"]] == ["finished"] * 4 + ["failed"]
    assert [row[2:4] for row in trials["rows"][:2]] == [["maf", 0.01], ["nsf", 0.02]]
    assert trials["rows"][4][4] is None
    assert [row[-1] for row in trials["rows"]] == [*[""] * 4, "loss is nan"]
