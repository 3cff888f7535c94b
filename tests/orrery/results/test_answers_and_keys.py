"""Answers are in order, keys are keys, and none of them is told two things."""

from dataclasses import replace

import numpy as np
import pytest

from orrery.results import recording as recording_module
from orrery.results.recording import read_by, record
from orrery.results.result import KILLED, NEVER_WRITTEN, Result
from orrery.results.sections import Answer, DrawsSection, Verdict

SPEED = Answer("posterior.toy.v", "toy", "v", "km / s", -2.0, -3.5, 4.0, (-9.0, 9.0))
PASSED = Verdict("calibration.toy.tarp", "TARP", True, "p = 0.3")


@pytest.mark.parametrize(
    "changes",
    [
        {"median": 4.5},
        {"median": -np.inf},
        {"lower": np.inf},
        {"lower": -1.5},
        {"upper": -2.5},
        {"median": np.nan, "lower": 5.0},
        {"prior": (9.0, -9.0)},
    ],
)
def test_an_answer_out_of_order_is_refused(changes):
    with pytest.raises(ValueError, match=r"'posterior.toy.v' has the median .*in this"):
        replace(SPEED, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"median": np.nan, "lower": np.nan, "upper": np.nan, "predicted_mean": 2.0},
        {"lower": -np.inf, "upper": np.inf},
        {"lower": np.nan},
        {"lower": -2.0, "upper": -2.0},
        {"prior": None},
    ],
)
def test_what_is_not_known_or_not_bounded_is_in_order(changes):
    assert replace(SPEED, **changes).key == SPEED.key


@pytest.mark.parametrize("key", ["Posterior.v", "a b", "a/b", "../v", "v\n", "v.", ""])
def test_each_key_is_one(tmp_path, choices, key):
    with record("toy", choices(), tmp_path) as recording:
        for tell in (
            lambda: recording.metrics({key: 1.5}),
            lambda: recording.answers([replace(SPEED, key=key)]),
            lambda: recording.verdicts([replace(PASSED, key=key)]),
        ):
            with pytest.raises(ValueError, match="names files and numbers: use lower"):
                tell()
    found = recording.result.document
    assert not any((found["metrics"], found["answers"], found["verdicts"]))


def test_a_known_key_with_something_else_is_refused(tmp_path, choices):
    unknown = dict.fromkeys(("median", "lower", "upper"), np.nan)
    with record("toy", choices(), tmp_path) as recording:
        recording.answers([SPEED])
        recording.verdicts([PASSED])
        for other in ({"unit": "m / s"}, {"data": "DESI"}, unknown):
            with pytest.raises(
                ValueError, match=r"'posterior.toy.v' among its answers"
            ):
                recording.answers([replace(SPEED, **other)])
        with pytest.raises(
            ValueError, match=r"'calibration.toy.tarp' among its verdicts"
        ):
            recording.verdicts([replace(PASSED, passed=False)])
    assert recording.result.document["answers"] == [SPEED.document]


def test_what_is_told_twice_is_there_once(tmp_path, choices):
    with record("toy", choices(), tmp_path) as recording:
        for _ in range(2):
            recording.answers([SPEED])
            recording.verdicts([PASSED])
    found = recording.result.document
    assert [len(found[kind]) for kind in ("answers", "verdicts")] == [1, 1]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_draws_that_are_not_finite_are_refused(wrong):
    values = np.arange(8.0).reshape(4, 2)
    values[1:3, 1] = wrong
    with pytest.raises(ValueError, match="'Draws' have 4 rows, 2 of them not finite"):
        DrawsSection("draws", "Draws", ("a", "b"), ("", ""), values)


def test_draws_need_a_row():
    with pytest.raises(ValueError, match="'Draws' have 0 rows: give samples"):
        DrawsSection("draws", "Draws", ("a",), ("",), np.zeros((0, 1)))


def test_columns_of_draws_have_names_of_their_own_and_units():
    for names, units, wrong in (
        (("a", "a"), ("", ""), "'draws' has two columns 'a'"),
        (("a", "b"), ("kpc", "leagues"), "'b' has the unit 'leagues'"),
    ):
        with pytest.raises(ValueError, match=wrong):
            DrawsSection("draws", "Draws", names, units, np.zeros((3, 2)))


def test_a_whole_answer_that_cannot_be_written_is_a_failure(
    tmp_path, choices, monkeypatch
):
    def full(attempt, sections):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recording_module, "inventory", full)
    with (
        pytest.raises(OSError, match="No space left"),
        record("toy", choices(), tmp_path) as recording,
    ):
        recording.answers([SPEED])
    document = Result.open(recording.run.folder).document
    assert document["status"] == "failed"
    assert "No space left on device" in document["reason"]
    assert document["answers"] == [SPEED.document]


def test_a_reader_that_fails_leaves_an_answer_whole(tmp_path, choices):
    class Broken:
        def __getattr__(self, name):
            return lambda *anything: None

        def closed(self, result):
            raise OSError("no page")

    with (
        pytest.raises(OSError, match="no page"),
        read_by(Broken()),
        record("toy", choices(), tmp_path) as recording,
    ):
        recording.answers([SPEED])
    assert Result.open(recording.run.folder).status == "finished"


def test_a_process_that_ended_without_a_word_may_have_had_a_full_disk():
    for said in (KILLED, NEVER_WRITTEN):
        assert "or its disk was full" in said
