"""A comparison: the winner by validation is tested once, beside what seeds change."""

import sys
from dataclasses import dataclass

import numpy as np
import pytest

from orrery.pairs import Pairs
from orrery.sweeps.architectures import Scored
from orrery.sweeps.comparison import Comparison, compare
from orrery.sweeps.options import Effort
from orrery.sweeps.space import Choice, Int, SearchSpace
from orrery.sweeps.trial import Goal, Trial

TEST = Pairs(np.zeros((3, 1)), np.zeros((3, 1)))
SPACE = SearchSpace({"depth": Int(1, 9), "kind": Choice(("a", "b"))})
EFFORT = Effort(trials=16, concurrent=1, repeats=4)


@dataclass(frozen=True)
class Options:
    depth: int = 5
    kind: str = "a"
    training_seed: int = 1


class Task:
    """Its score is known: the depth decides, the kind does not, the seed a little."""

    goal = Goal("score", "larger")
    unit = "nat"

    def __init__(self):
        self.identity = {"dataset": "0f"}
        self.tested = []
        self.computed = 0
        self.refuses_seeds = False

    def __call__(self, options, report):
        self.computed += 1
        if self.refuses_seeds and options.training_seed > 1:
            raise ValueError("another seed")
        return {"score": -abs(options.depth - 4) + 1e-9 * options.training_seed}

    def score(self, options, pairs):
        assert pairs is TEST
        self.tested.append(options)
        return Scored(self(options, None)["score"] - 0.25, 0.06, 0.08)


@pytest.fixture
def task():
    return Task()


@pytest.fixture
def found(task, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)

    def start():
        return compare("toy", task, SPACE, Options(), TEST, EFFORT, tmp_path, seed=1)

    return start(), start


def test_the_winner_is_tested_once_and_its_optimism_told(found, task):
    comparison, _ = found
    assert [options.depth for options in task.tested] == [
        comparison.winner.point["depth"]
    ]
    assert comparison.validation == max(comparison.scores)
    assert comparison.optimism == pytest.approx(0.25)
    assert comparison.optimism_error == pytest.approx(0.1)
    assert comparison.is_optimistic


@pytest.mark.parametrize("better", ["larger", "smaller"])
@pytest.mark.parametrize(
    ("lost", "errors", "optimistic"),
    [
        (0.3, (0.1, 0.1), True),
        (0.25, (0.1, 0.1), False),
        (-0.3, (0.1, 0.1), False),
        (0.3, (0.1, np.nan), None),
    ],
)
def test_a_loss_is_optimism_where_it_is_more_than_its_error(
    better, lost, errors, optimistic
):
    goal = Goal("score", better)
    trials = [Trial(0, {"depth": 1}, "finished", objectives={"score": 2.0})]
    test = 2.0 - lost if better == "larger" else 2.0 + lost
    one = Comparison(goal, "nat", SPACE, trials, [], test, errors[0], (), errors[1])
    assert one.optimism == pytest.approx(lost)
    assert one.is_optimistic is optimistic


@pytest.mark.slow
def test_what_is_known_is_not_computed_again(found, task):
    comparison, start = found
    before = task.computed
    again = start()
    assert again.trials == comparison.trials
    assert task.computed == before + 1  # the winner's test


def test_seeds_are_of_the_given_architecture(found):
    comparison, _ = found
    assert len({trial.point["training_seed"] for trial in comparison.repeats}) == 4
    assert comparison.seeds == pytest.approx(-1.0, abs=3)
    assert 0 < comparison.scatter < 3


@pytest.mark.slow
def test_a_search_has_its_winner_though_no_seed_tells_a_scatter(
    task, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    task.refuses_seeds = True
    one = compare("toy", task, SPACE, Options(), TEST, EFFORT, tmp_path, seed=1)
    assert one.validation == max(one.scores)
    assert [trial.reason for trial in one.repeats] == ["ValueError: another seed"] * 4
    assert np.isnan([one.given, one.scatter, one.scatter_error]).all()


@pytest.mark.slow
def test_what_decides_the_score_matters_most():
    points = [{"depth": d, "kind": k} for d in range(1, 10) for k in "abab"]
    scores = [-float(abs(point["depth"] - 4)) for point in points]
    trials = [
        Trial(i, point, "finished", objectives={"score": score})
        for i, (point, score) in enumerate(zip(points, scores, strict=True))
    ]
    one = Comparison(Task.goal, "nat", SPACE, trials, trials, 0.0, 0.1)
    assert one.shares["depth"] > 0.9
    assert one.effects["depth"] == pytest.approx(np.std(scores), rel=0.15)
    assert one.effects["kind"] < 0.1 * one.effects["depth"]


def test_failed_trials_have_no_score():
    trials = [
        Trial(0, {"depth": 1}, "finished", objectives={"score": 1.0}),
        Trial(1, {"depth": 2}, "failed", reason="no"),
        Trial(2, {"depth": 3}, "finished", objectives={"score": 3.0}),
    ]
    one = Comparison(Task.goal, "nat", SPACE, trials, trials, 2.5, 0.1)
    assert list(one.scores) == [1.0, 3.0]
    assert one.optimism == pytest.approx(0.5)
    assert one.spread == pytest.approx(0.68)
