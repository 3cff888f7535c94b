"""W&B gets copies of a run; whatever happens there, the run and its files are whole."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orrery.results.dashboard import mirror
from orrery.results.dashboard.copies import Copy
from orrery.results.dashboard.reader import DashboardReader

pytestmark = pytest.mark.slow


def test_wandbs_own_reader_finds_everything_in_a_copy(mirrored, science, inspected):
    result = mirrored(science)
    found = inspected(result.folder)
    assert found.run["project"] == "orrery"
    assert found.run["run_group"] == "toy"
    assert found.config["flow"] == {"type": "Flow", "transforms": 5}
    assert found.config["about"]["lineage"] == result.document["lineage"]
    for key, value in result.metrics.items():
        assert found.summary[key.replace(".", "/")] == value
    assert found.summary["status"] == "finished"
    assert Copy.read(result.folder).whole
    check = {"mwlmc": check_posterior, "halomass": check_ensemble}[science]
    check(found, result)


def test_a_posterior_that_was_trained_before_has_its_losses_too(
    recorded, offline, inspected, monkeypatch
):
    from orrery.results.recording import Recording

    monkeypatch.setattr(Recording, "epoch", lambda *arguments: None)
    found = inspected(recorded("mwlmc", DashboardReader()).folder)
    assert found.series("training/desi/member_0/train") == [2.0, 1.0]
    assert found.summary["training/desi/best"] == 1.5


def check_posterior(found, result):
    assert found.series("training/DESI, member 1/train") == [2.0, 1.0]
    assert found.series("training/DESI, member 1/best") == [2.5, 1.5]
    assert found.summary["training/DESI, member 1/best"] == 1.5
    coverage = result.view(result.section("tarp.desi")).curves["posterior"].coverage
    assert found.series("tarp/desi/posterior/coverage") == list(coverage)
    # losses were told while they were learned, not once more
    assert not found.series("training/desi/member_0/train")
    columns, draws = found.sheet("draws/desi")
    assert columns == ["v_x [km / s]", "m_lmc"]
    assert len(draws) == 50
    assert all(isinstance(cell, float) for row in draws for cell in row)
    _, answers = found.sheet("answers")
    assert answers[0][-3:] == [1.0, 3.25, 6.0]
    # megabytes that nobody replaces are not copied; what may change is
    (summaries,) = found.artifacts["summaries-5555"]["manifest"]["contents"]
    assert summaries["local_path"].endswith("datasets/toy-0123/summaries/5555.parquet")
    cards = found.artifacts["dataset-0123"]["manifest"]["contents"]
    assert all(str(result.folder) in card["local_path"] for card in cards)
    metadata = found.metadata("posterior-77")
    assert [parent["kind"] for parent in metadata["parents"]] == ["summaries"]
    assert len(metadata["sha256"]) == 64


def check_ensemble(found, result):
    members = {name for row in found.rows for name in row if "member_" in name}
    assert len(members) == 100  # curves of one run
    assert len(found.series("rmse/25/member_042")) == 4
    columns, rows = found.sheet("errors/25")
    assert columns == ["mass", "rmse [dex]", "is"]
    assert isinstance(rows[0][1], float)
    assert rows[1][1] is None
    assert {one["type"] for one in found.artifacts.values()} >= {
        "dataset",
        "summaries",
        "ensemble",
        "result",
    }


def test_each_attempt_is_a_run_of_its_own(mirrored, inspected):
    folders = [mirrored("halomass").folder for _ in range(2)]
    identities = {inspected(folder).run["run_id"] for folder in folders}
    assert len(identities) == 2
    assert folders[0].parent == folders[1].parent


def test_a_copy_is_written_below_the_runs_folder_only(mirrored, elsewhere, capsys):
    home, work = elsewhere
    result = mirrored("mwlmc")
    assert not [*work.iterdir(), *home.rglob("*")]
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"Weights & Biases: offline, in {result.folder / 'wandb'}\n"


def test_a_run_under_an_agent_is_the_sweeps(mirrored, inspected, tmp_path, monkeypatch):
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text(json.dumps({"transforms": {"value": 3}}))
    monkeypatch.setenv("WANDB_SWEEP_ID", "ab12")
    monkeypatch.setenv("WANDB_RUN_ID", "run7")
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(parameters))
    folder = mirrored("halomass").folder
    found = inspected(folder)
    assert found.run["run_id"] == Copy.read(folder).identity == "run7"
    assert found.run["sweep_id"] == "ab12"
    assert found.run["project"] == "mine"
    assert found.config["transforms"] == 3


def test_a_sweep_that_trials_shall_show_in_has_no_other_runs(
    mirrored, inspected, monkeypatch
):
    monkeypatch.setenv("WANDB_SWEEP_ID", "ab12")
    found = inspected(mirrored("halomass").folder)
    assert "sweep_id" not in found.run
    assert found.run["project"] == "orrery"


# --- a wandb that fails ---------------------------------------------------------------


CALLS = ("define_metric", "log", "update", "Table", "Artifact", "add_file", "finish")


@pytest.mark.parametrize("broken", [*CALLS, "log_artifact", "setup", "init", "all"])
def test_what_fails_is_one_item(recorded, failing, monkeypatch, capsys, broken):
    wandb = failing(broken)
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.setenv("WANDB_MODE", "offline")
    result = recorded("mwlmc", DashboardReader())
    assert result.status == "finished"
    told = capsys.readouterr().err
    assert told.count("warning: Weights & Biases") == 1
    assert "is down" in told
    assert f"orrery sync {result.folder}" in told
    if broken in ("setup", "init", "all"):
        assert not Copy.read(result.folder)
    else:
        assert not Copy.read(result.folder).whole
        # everything else was tried, to the end
        assert {*CALLS, "log_artifact"} <= {*wandb.called, *_behind(broken)}


def test_a_login_that_would_end_python_fails_no_run(
    recorded, failing, monkeypatch, capsys
):
    def leave(name):
        raise SystemExit("wandb ends")

    monkeypatch.setitem(sys.modules, "wandb", failing("login", fail=leave))
    monkeypatch.setenv("WANDB_MODE", "online")
    assert recorded("mwlmc", DashboardReader()).status == "finished"
    assert "SystemExit: wandb ends" in capsys.readouterr().err


@pytest.mark.parametrize("hanging", ["setup", "login", "Artifact"])
def test_a_call_that_never_comes_back_delays_no_run(
    recorded, failing, monkeypatch, capsys, hanging
):
    over = threading.Event()
    wandb = failing(hanging, fail=lambda name: over.wait())
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.setattr(mirror, "START", 0.5)
    monkeypatch.setattr(mirror, "_LOADING", 0.5)
    monkeypatch.setenv("WANDB_MODE", "online")
    assert recorded("mwlmc", DashboardReader()).status == "finished"
    assert "has not answered within 0.5 s" in capsys.readouterr().err
    over.set()


def _behind(broken):
    """Calls that need another one's answer."""
    return {
        "Artifact": ("add_file", "log_artifact"),
        "add_file": ("log_artifact",),
    }.get(broken, ())


def test_missing_package_does_not_stop_a_run(recorded, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert recorded("mwlmc", DashboardReader()).status == "finished"
    assert "Weights & Biases failed" in capsys.readouterr().err


def test_a_copy_can_be_made_of_a_run_that_had_none(
    recorded, offline, inspected, monkeypatch
):
    from orrery.results.dashboard.absences import holdings
    from orrery.results.dashboard.reader import replay

    monkeypatch.setenv("WANDB_MODE", "disabled")
    result = recorded("halomass", DashboardReader())
    assert not (result.folder / "wandb").exists()
    assert replay(result, "x-001-ab", holdings(result)).whole
    assert inspected(result.folder).series("rmse/25/member_042")


def test_disabled_dashboard_is_not_even_imported(recorded, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)
    result = recorded("mwlmc", DashboardReader())
    assert "Weights & Biases" not in capsys.readouterr().err
    assert not (result.folder / "wandb").exists()


# --- processes ------------------------------------------------------------------------

SMOKE = """
import sys
from dataclasses import dataclass
from pathlib import Path
from orrery.results.dashboard.reader import DashboardReader
from orrery.results.recording import read_by, record

@dataclass(frozen=True)
class Choices:
    seed: int = 1

root = Path(sys.argv[1])
with read_by(DashboardReader()), record("toy", Choices(), root) as recording:
    recording.metrics({"v_travel": 20.0})
    recording.epoch("flow", 0, {"train": 1.0})
print(recording.run.folder)
"""


def test_real_dashboard_works_offline(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SMOKE, str(tmp_path)],
        env={**os.environ, "WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    folder = Path(done.stdout.splitlines()[-1])
    assert "Weights & Biases: offline" in done.stderr
    assert "failed" not in done.stderr
    assert len([*folder.glob("wandb/offline-run-*/*.wandb")]) == 1
    assert not (tmp_path / "wandb").exists()
