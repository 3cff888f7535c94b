"""Each trial of a sweep is a run of its own, in the sweep's group, written by one process."""

import sys
from pathlib import Path

import pytest

from orrery.__main__ import main
from orrery.learning.training import Training
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.trials import mirrored_trials
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Int, Log, SearchSpace
from orrery.sweeps.trial import Goal

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


def test_a_wandb_that_fails_costs_no_trial(searched, failing, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", failing("init"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    _, trials = searched()
    assert len(trials) == TRIALS
    errors = capsys.readouterr().err
    assert errors.count("Weights & Biases took no trial") == 1
    assert f"{TRIALS} of {TRIALS} trials have no copy" in errors


@pytest.mark.slow
def test_trials_are_sent_and_what_is_kept_is_sent_later(
    server, offline, searched, monkeypatch, capsys
):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_API_KEY", server.KEY)
    with server.serving(fault="hanging") as (address, _):
        monkeypatch.setenv("WANDB_BASE_URL", address)
        folder, trials = searched(Patience(1.0, 2.0))
    assert len(trials) == TRIALS
    errors = capsys.readouterr().err
    assert f"has not got {TRIALS} of {TRIALS} trials" in errors
    assert "within 0 s" not in errors  # but how long it was waited for
    with server.serving() as (address, arrived):
        monkeypatch.setenv("WANDB_BASE_URL", address)
        assert main(["sync", str(Path(folder).parents[2])]) == 0
        assert len(arrived.runs) == TRIALS
        assert all("loss" in arrived.columns(run) for run in arrived.runs)
