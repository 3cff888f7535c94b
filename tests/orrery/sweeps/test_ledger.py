"""The ledger: every change is on the disk, and what is to be computed follows from it."""

import pytest

from orrery.sweeps.evaluation import Evaluated
from orrery.sweeps.halving import Halving
from orrery.sweeps.ledger import Ledger
from orrery.sweeps.trial import LOST, Goal, read_trials, trial_path

LOSS = (Goal("loss"),)


def reopened(folder):
    return Ledger.open(folder, LOSS, {"dataset": "0f"})


@pytest.fixture
def ledger(tmp_path):
    return reopened(tmp_path)


def finish(ledger, number):
    ledger.begin(number, {"rate": number / 10})
    ledger.end(number, Evaluated({"loss": 1.0}, 2.0))


def test_a_trial_is_on_the_disk_at_each_step(ledger):
    def on_disk():
        (trial,) = read_trials(ledger.folder)
        return trial

    ledger.begin(0, {"rate": 0.5})
    assert (on_disk().point, on_disk().identity) == ({"rate": 0.5}, {"dataset": "0f"})
    assert ledger.trials[0].state == "running"
    assert ledger.report(0, 1, {"loss": 3.0})
    assert '"loss": 3.0' in trial_path(ledger.folder, 0).read_text()
    ledger.end(0, Evaluated({"loss": 1.0}, 2.0))
    assert on_disk() == ledger.trials[0]
    assert (on_disk().state, on_disk().seconds) == ("finished", 2.0)
    assert on_disk().curve == ({"loss": 3.0},)


def test_a_trial_that_begins_again_has_one_curve(ledger):
    ledger.begin(0, {"rate": 0.5})
    for step in (1, 2, 3, 1, 2):
        ledger.report(0, step, {"loss": float(step)})
    assert [one["loss"] for one in ledger.trials[0].curve] == [1.0, 2.0]


def test_a_reason_is_a_failure_and_the_first_end_counts(ledger):
    ledger.begin(0, {"rate": 0.5})
    ledger.end(0, Evaluated({}, 1.0, "ValueError: no"))
    ledger.end(0, Evaluated({"loss": 1.0}, 2.0))
    assert (ledger.trials[0].state, ledger.trials[0].reason) == (
        "failed",
        "ValueError: no",
    )


def test_an_end_that_says_nothing_of_the_point_is_computed_again(ledger):
    ended = []
    ledger.on_end = ended.append
    finish(ledger, 0)
    ledger.begin(1, {"rate": 0.5})
    ledger.report(1, 1, {"loss": 3.0})
    ledger.end(1, Evaluated({}, 0.0, "another code", says_nothing=True))
    assert [trial.number for trial in ended] == [0]
    for opened in (ledger, reopened(ledger.folder)):
        (trial,) = opened.interrupted()
        assert (trial.number, trial.curve, trial.reason) == (1, (), "another code")
        assert trial.point == {"rate": 0.5}
        assert opened.missing(3) == [1, 2]


def test_ends_without_an_answer_are_those_of_this_start_but_for_lost_processes(ledger):
    for number, reason in ((0, "OSError: no room"), (1, LOST), (2, "")):
        ledger.begin(number, {"rate": number / 10})
        ledger.end(number, Evaluated({"loss": 1.0}, 0.0, reason, bool(reason)))
    assert [trial.number for trial in ledger.unanswered()] == [0]
    assert reopened(ledger.folder).unanswered() == []
    finish(ledger, 0)
    assert ledger.unanswered() == []


def test_what_is_missing_begins_with_what_was_interrupted(ledger):
    for number in (0, 1, 3):
        finish(ledger, number)
    ledger.begin(2, {"rate": 0.2})
    ledger.begin(4, {"rate": 0.4})
    again = reopened(ledger.folder)
    assert [t.number for t in again.known()] == [0, 1, 3]
    assert [(t.number, t.point["rate"]) for t in again.interrupted()] == [
        (2, 0.2),
        (4, 0.4),
    ]
    assert again.missing(8) == [2, 4, 5, 6, 7]
    assert again.missing(5) == [2, 4]
    assert again.missing(4) == [2]
    # more known ones beyond do not make up for it
    assert again.missing(3) == [2]
    assert again.missing(2) == again.missing(1) == []
    assert [t.number for t in again.known(3)] == [0, 1]
    assert [t.number for t in again.interrupted(4)] == [2]


def test_a_damaged_trial_is_told_and_its_number_free(ledger, capsys):
    for number in range(3):
        finish(ledger, number)
    path = trial_path(ledger.folder, 2)
    path.write_bytes(path.read_bytes()[:40])
    again = reopened(ledger.folder)
    told = " ".join(capsys.readouterr().err.split())
    assert "trial 2 is computed again" in told
    assert str(path) in told
    assert again.interrupted() == []
    assert again.missing(5) == [2, 3, 4]


def test_interrupting_leaves_what_has_ended(ledger):
    finish(ledger, 0)
    ledger.begin(1, {"rate": 0.1})
    ledger.report(1, 1, {"loss": 1.0})
    ledger.interrupt("enough")
    assert [trial.state for trial in read_trials(ledger.folder)] == [
        "finished",
        "interrupted",
    ]
    assert ledger.trials[1].curve == ()


def test_whoever_is_told_hears_each_end_once(ledger):
    heard = []
    ledger.on_end = lambda trial: heard.append((trial.number, trial.state))
    ledger.halving = Halving(first=1, factor=2)
    finish(ledger, 0)
    ledger.begin(1, {"rate": 0.1})
    assert ledger.report(1, 1, {"loss": 1.0})
    ledger.begin(2, {"rate": 0.1})
    assert not ledger.report(2, 1, {"loss": 2.0})
    ledger.end(2, Evaluated({"loss": 0.0}, 1.0))
    ledger.end(1, Evaluated({"loss": 0.0}, 1.0))
    assert heard == [(0, "finished"), (2, "pruned"), (1, "finished")]
    assert ledger.trials[2].objectives == {"loss": 2.0}
    assert "after 1 reports" in ledger.trials[2].reason
