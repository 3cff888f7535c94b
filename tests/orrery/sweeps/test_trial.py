"""A trial's file holds the trial, or says that it must be computed again."""

import math
from dataclasses import replace

import pytest

from orrery.storage.documents import write_document
from orrery.storage.files import locked
from orrery.sweeps.trial import (
    GONE,
    TRIALS,
    Goal,
    Trial,
    best,
    commonest_failure,
    pareto_front,
    read_trial,
    read_trials,
    trial_path,
    write_trial,
)

WHOLE = Trial(
    number=3,
    point={"flow.hidden": (64, 64), "flow.rate": 0.1 + 0.2, "flow.kind": "maf"},
    state="finished",
    curve=({"loss": 2.0}, {"loss": 1 / 3}),
    objectives={"loss": 1 / 3},
    seconds=1.5,
    identity={"dataset": "0f"},
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / TRIALS).mkdir()
    return tmp_path


def test_a_trial_comes_back_as_it_was(folder):
    write_trial(folder, WHOLE)
    assert read_trials(folder) == [WHOLE]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_torn_file_is_an_interrupted_trial(folder, share):
    write_trial(folder, replace(WHOLE, number=2))
    write_trial(folder, WHOLE)
    path = trial_path(folder, 3)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    whole, torn = read_trials(folder)
    assert whole == replace(WHOLE, number=2)
    assert (torn.number, torn.state, torn.point) == (3, "interrupted", {})
    assert str(path) in torn.reason


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("state", "done"),
        ("number", "3"),
        ("number", 4),
        ("seconds", None),
        ("objectives", {"loss": "low"}),
        ("curve", [1.0]),
        ("point", [1.0]),
    ],
)
def test_a_damaged_file_is_an_interrupted_trial(folder, key, value):
    write_document(trial_path(folder, 3), {**WHOLE.document, key: value})
    (found,) = read_trials(folder)
    assert (found.number, found.state, found.point) == (3, "interrupted", {})


def test_a_missing_key_is_told(folder):
    document = WHOLE.document
    del document["curve"]
    write_document(trial_path(folder, 3), document)
    with pytest.raises(ValueError, match=r"holds no trial \(KeyError"):
        read_trial(trial_path(folder, 3))


def test_a_running_trial_runs_only_while_its_sweep_does(folder):
    write_trial(folder, replace(WHOLE, state="running"))
    with locked(folder):
        assert read_trials(folder)[0].state == "running"
    (left,) = read_trials(folder)
    assert left == WHOLE.interrupted(GONE)
    assert (left.point, left.curve, left.objectives) == (WHOLE.point, (), {})


def test_other_files_are_no_trials(folder):
    write_trial(folder, WHOLE)
    (folder / TRIALS / "trial-copy.json").write_text("{}")
    assert read_trials(folder) == [WHOLE]


def test_what_lasts_has_no_times():
    again = replace(WHOLE, seconds=99.0)
    assert again.lasting == WHOLE.lasting
    assert again.document != WHOLE.document
    assert set(WHOLE.document) - set(WHOLE.lasting) == {"seconds"}


@pytest.mark.parametrize(
    ("state", "known"),
    [
        ("running", False),
        ("interrupted", False),
        ("finished", True),
        ("pruned", True),
        ("failed", True),
    ],
)
def test_what_has_ended_by_itself_is_known(state, known):
    assert replace(WHOLE, state=state).known is known


def trials(*losses, state="finished"):
    return [Trial(i, {}, state, objectives=one) for i, one in enumerate(losses)]


def test_the_best_is_by_the_goal():
    found = trials({"x": 2.0}, {"x": -1.0}, {"x": -1.0}, {"x": 5.0})
    assert best(found, Goal("x")).number == 1
    assert best(found, Goal("x", "larger")).number == 3


def test_only_finished_trials_can_be_best():
    with pytest.raises(ValueError, match="no trial has finished"):
        best(trials({"x": 1.0}, state="pruned"), Goal("x"))


def test_nothing_beats_the_front_and_all_else_is_beaten():
    pairs = [(0, 4), (1, 1), (1, 1), (2, 0), (2, 2), (0, 5)]
    found = trials(*({"x": float(x), "y": float(y)} for x, y in pairs))
    front = pareto_front(found, (Goal("x"), Goal("y")))
    assert [trial.number for trial in front] == [0, 1, 2, 3]


def test_a_goal_has_a_direction():
    with pytest.raises(ValueError, match="'larger', 'smaller'"):
        Goal("x", "best")
    assert not Goal("x").improves(math.nan, 1.0)


def test_the_commonest_failure_is_counted_and_no_other_reason():
    failed = [
        Trial(i, {}, "failed", reason=reason)
        for i, reason in enumerate(("a", "b", "b"))
    ]
    pruned = [Trial(i, {}, "pruned", reason="others were better") for i in range(3)]
    assert commonest_failure([*failed, *pruned]) == ("b", 2)
