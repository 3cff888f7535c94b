"""Each trial of a sweep is a run of its own, in the sweep's group, written by one process."""

import contextlib
import json
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from orrery.__main__ import main
from orrery.learning.options import Training
from orrery.results.dashboard import trials as module
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.copies import Copy, marker, record_sent
from orrery.results.dashboard.mirror import Mirror
from orrery.results.dashboard.trial_copies import copied
from orrery.results.dashboard.trials import mirrored_trials
from orrery.storage import files
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Int, Log, SearchSpace
from orrery.sweeps.trial import Goal, trial_path, write_trial

SPACE = SearchSpace({"learning_rate": Log(1e-4, 1e-1), "batch_size": Int(8, 64)})
TRIALS = 3


def loss(options, report):
    for step in range(2):
        report({"loss": 2.0 - step})
    if options.learning_rate > 0.05:
        raise ValueError("too fast")
    return {"loss": options.learning_rate}


@pytest.fixture
def searched(tmp_path, monkeypatch):
    """Runs a toy sweep, copied for W&B; returns its folder and trials."""
    monkeypatch.setitem(sys.modules, "ray", None)

    def run(patience=None):
        sweep = Sweep("rates", SPACE, Training(), loss, (Goal("loss"),), seed=4)
        root = tmp_path / "runs" / "sweeps"
        with mirrored_trials(patience):
            found = search(sweep, TRIALS, root)
        return sweep.folder(root), found

    return run


def copies(folder):
    return sorted(folder.glob("wandb/offline-run-*/*.wandb"))


def inspect_all(folder, inspected):
    runs = [inspected(file) for file in copies(folder)]
    return {run.config["trial"]: run for run in runs}


@pytest.mark.slow
def test_trials_are_runs_in_the_group_of_their_sweep(
    offline, searched, inspected, monkeypatch
):
    monkeypatch.setenv("WANDB_SWEEP_ID", "me/orrery/ab12")
    folder, trials = searched()
    found = inspect_all(folder, inspected)
    assert sorted(found) == [trial.number for trial in trials]
    for trial in trials:
        run = found[trial.number]
        assert run.run["run_group"].startswith("rates-")
        assert run.run["job_type"] == "trial"
        assert run.run["sweep_id"] == "ab12"
        assert run.config["learning_rate"] == trial.point["learning_rate"]
        assert run.series("loss") == [2.0, 1.0]
        assert run.summary["state"] == trial.state
        assert run.summary["loss"] == trial.objectives.get("loss", 1.0)
        (end,) = run.records["exit"]
        assert end.get("exit_code", 0) == (trial.state == "failed")
    assert len({run.run["run_id"] for run in found.values()}) == TRIALS


def test_nothing_is_copied_where_it_is_switched_off(searched, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    folder, _ = searched()
    assert not copies(folder)


@pytest.mark.parametrize("broken", [("all",), ("init",), ("log", "finish")])
def test_a_wandb_that_fails_costs_no_trial(
    searched, failing, monkeypatch, capsys, broken
):
    monkeypatch.setitem(sys.modules, "wandb", failing(*broken))
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder, trials = searched()
    assert len(trials) == TRIALS
    errors = capsys.readouterr().err
    assert errors.count("Weights & Biases took no") == 1  # however many it takes not
    missing = f"{TRIALS} of {TRIALS} trials have no whole copy"
    assert f"{missing} for Weights & Biases; `orrery sync {folder}`" in errors


def test_a_copy_that_takes_too_long_leaves_no_service_behind(
    searched, monkeypatch, capsys
):
    over, ended = threading.Event(), []
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setattr(module, "_COPYING", 0.05)
    monkeypatch.setattr(module, "copied", lambda *given: over.wait(60.0))
    monkeypatch.setattr(module, "end_service", lambda: ended.append(True))
    searched()
    assert ended
    assert f"{TRIALS} of {TRIALS} trials have no whole copy" in capsys.readouterr().err
    over.set()


@pytest.mark.parametrize("broken", ["login", "setup"])
def test_a_login_that_would_end_python_ends_no_thread(
    failing, monkeypatch, capsys, broken
):
    def leave(name):
        raise SystemExit("wandb ends")

    monkeypatch.setitem(sys.modules, "wandb", failing(broken, fail=leave))
    monkeypatch.setenv("WANDB_MODE", "online")
    assert not module._Trials(Patience())._is_online
    assert "SystemExit: wandb ends" in capsys.readouterr().err


@pytest.mark.slow
def test_trials_are_sent_and_what_is_kept_is_sent_later(
    serving, searched, monkeypatch, capsys
):
    monkeypatch.setenv("WANDB_MODE", "online")
    with serving(fault="hanging"):
        folder, trials = searched(Patience(1.0, 2.0))
    assert len(trials) == TRIALS
    errors = capsys.readouterr().err
    assert f"has not got {TRIALS} of {TRIALS} trials" in errors
    assert "within 0 s" not in errors  # but how long it was waited for
    with serving() as arrived:
        assert main(["sync", str(Path(folder).parents[2])]) == 0
        assert len(arrived.runs) == TRIALS
        assert all("loss" in arrived.columns(run) for run in arrived.runs)


# --- what wandb took not is made from the trials' files ---------------------------------


@contextlib.contextmanager
def raising_in_every_call(failing):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "wandb", failing("all"))
        yield


@contextlib.contextmanager
def raising_in_log_and_finish(failing):
    from wandb.sdk.wandb_run import Run

    def refuse(*arguments, **named):
        raise ConnectionError("it is down")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "log", refuse)
        patch.setattr(Run, "finish", refuse)
        yield


@contextlib.contextmanager
def killed_service(failing):
    """Kills wandb's own process in the middle of the second trial's copy."""
    row = Mirror.row

    def killing(mirror, values):
        if mirror.heading.config["trial"] == 1:
            kill_service()
        row(mirror, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Mirror, "row", killing)
        yield


def kill_service():
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # a process that has just ended
            words = place.read_bytes().split(b"\0")
            if words[0].endswith(b"wandb-core") and b"%d" % os.getpid() in words:
                os.kill(int(place.parent.name), signal.SIGKILL)


def end_service():
    """Ends what the end of a process would have ended."""
    import wandb

    with contextlib.suppress(OSError):  # it was killed
        wandb.teardown()


FAULTS = {
    raising_in_every_call: [0, 1, 2],
    raising_in_log_and_finish: [0, 1, 2],
    killed_service: [1],  # the next copy has another process
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_trials_without_a_whole_copy_are_sent_from_their_files(
    fault, reached, searched, failing, monkeypatch, capsys
):
    with fault(failing):
        folder, trials = searched()
    end_service()
    missing = len(FAULTS[fault])
    assert f"{missing} of {TRIALS} trials have no whole copy" in capsys.readouterr().err
    for file in copies(folder):
        # as if they had been sent as they were
        marker(file).touch()
        record_sent(file)
    assert main(["sync", str(folder)]) == 0
    told = capsys.readouterr().out
    assert told.count("\nsent: ") + told.startswith("sent: ") == missing
    check_arrived(reached, [trials[number] for number in FAULTS[fault]])
    requests = reached.requests.copy()
    assert main(["sync", str(folder)]) == 0
    assert capsys.readouterr().out.count("sent before: ") == TRIALS
    assert reached.requests == requests  # what is whole is not sent twice


def check_arrived(arrived, trials):
    """Compares what has arrived with the trials that should have, and no others."""
    found = {}
    for run, announced in arrived.runs.items():
        config = json.loads(announced["config"])
        assert announced["groupName"].startswith("rates-")
        found[config["trial"]["value"]] = run
    assert sorted(found) == [trial.number for trial in trials]
    for trial in trials:
        run = found[trial.number]
        losses = [row["loss"] for row in arrived.history[run] if "loss" in row]
        assert losses == [2.0, 1.0]
        summary = json.loads(arrived.files[run, "wandb-summary.json"])
        assert summary["state"] == trial.state
        assert summary["loss"] == trial.objectives.get("loss", 1.0)


@pytest.mark.slow
def test_a_trial_that_has_not_ended_is_not_sent(reached, searched, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    folder, trials = searched()
    write_trial(folder, replace(trials[0], state="running", objectives={}))
    monkeypatch.setenv("WANDB_MODE", "online")
    with files.locked(folder):
        assert main(["sync", str(folder)]) == 1
        assert "still running: " in capsys.readouterr().out
    assert main(["sync", str(folder)]) == 0  # nobody computes it: it is interrupted
    told = capsys.readouterr().out
    assert told.count("sent before: ") == TRIALS - 1
    assert f"unfinished: {trial_path(folder, trials[0].number)}" in told
    check_arrived(reached, trials[1:])


@pytest.mark.slow
def test_another_trial_of_the_same_number_gets_a_copy_of_its_own(
    offline, searched, inspected, capsys
):
    folder, trials = searched()
    one = replace(trials[0], point={"learning_rate": 0.5, "batch_size": 9})
    assert copied(folder, trials[0]) == copied(folder, trials[0])  # kept as it is
    before = Copy.read(folder, "copy-00000.json")
    made = copied(folder, one)
    assert made.identity != before.identity  # what was sent of the other stays there
    assert f"another run or trial, {before.identity}" in capsys.readouterr().err
    assert inspect_all(folder, inspected)[0].config["batch_size"] == 9
    assert not before.path(folder).exists()
