"""W&B gets copies of a run; whatever happens there, the run and its files are whole."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from orrery.results import dashboard
from orrery.results.dashboard import DashboardReader
from orrery.results.page import PageReader
from orrery.results.recording import read_by


@pytest.fixture
def mirrored(tmp_path, write):
    """Records a run that the dashboard reads; returns its folder."""

    def made(**arguments):
        with read_by(PageReader(), DashboardReader()):
            return write(tmp_path, **arguments).folder

    return made


class FakeSession:
    """Records what it is sent; fails in the call it is told to."""

    url = "https://example.org/run"

    def __init__(self, broken):
        self.broken, self.sent, self.summary = broken, [], self

    def _call(self, name, *content):
        self.sent.append((name, *content))
        if name == self.broken:
            raise ConnectionError(f"{name} is down")

    def log(self, values):
        self._call("log", values)

    def update(self, values):
        self._call("update", values)

    def finish(self, exit_code):
        self._call("finish", exit_code)


def fake_wandb(monkeypatch, broken=None):
    session, module = FakeSession(broken), ModuleType("wandb")

    def call(name, answer):
        def function(*args, **kwargs):
            session._call(name, args, kwargs)
            return answer

        return function

    module.init, module.Settings = call("init", session), call("Settings", None)
    module.Image, module.Table = call("Image", "image"), call("Table", "table")
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.setenv("WANDB_MODE", "offline")
    return session


@pytest.mark.parametrize(
    "broken", ["Settings", "init", "log", "update", "Image", "Table", "finish"]
)
def test_dashboard_failure_never_stops_a_run(mirrored, monkeypatch, capsys, broken):
    session = fake_wandb(monkeypatch, broken)
    folder = mirrored()
    assert 'class="badge finished"' in (folder / "report.html").read_text()
    told = capsys.readouterr().err
    assert told.count("Weights & Biases failed") == 1
    assert f"{broken} is down" in told
    assert session.sent[-1][0] == broken  # silent after the first failure


def test_missing_dashboard_package_does_not_stop_a_run(mirrored, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setenv("WANDB_MODE", "offline")
    mirrored()
    assert "Weights & Biases failed" in capsys.readouterr().err


def test_disabled_dashboard_is_not_even_imported(mirrored, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)
    mirrored()
    assert "Weights & Biases" not in capsys.readouterr().err


def test_dashboard_receives_what_the_run_keeps(mirrored, monkeypatch):
    session = fake_wandb(monkeypatch)
    folder = mirrored()
    logged = [content[0] for name, *content in session.sent if name == "log"]
    assert {
        "flow/epoch": 0,
        "flow/train_loss": 2.0,
        "flow/validation_loss": 2.5,
    } in logged
    assert {"profile": "table"} in logged
    assert {"speed": "image"} in logged
    assert ("update", {"v_travel": 20.5, "simulations": 100}) in session.sent
    assert session.sent[-1] == ("finish", 0)
    settings = next(content[1] for name, *content in session.sent if name == "init")
    assert settings["id"] == folder.parent.name
    assert settings["dir"] == folder
    assert settings["project"] == "orrery"


def test_dashboard_learns_of_a_failure(mirrored, monkeypatch):
    session = fake_wandb(monkeypatch)

    def body(recording):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        mirrored(body=body)
    assert session.sent[-1] == ("finish", 1)


@pytest.mark.parametrize(
    ("environment", "mode"),
    [
        ({}, "offline"),
        ({"WANDB_API_KEY": "k"}, "online"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, "offline"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "dryrun"}, "offline"),
        ({"WANDB_MODE": "online"}, "offline"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "disabled"}, "disabled"),
        ({"NETRC": "api.wandb.ai"}, "online"),
        (
            {"NETRC": "api.wandb.ai", "WANDB_BASE_URL": "https://w.example.org"},
            "offline",
        ),
        (
            {"NETRC": "w.example.org", "WANDB_BASE_URL": "https://w.example.org"},
            "online",
        ),
        ({"NETRC": ""}, "offline"),
    ],
)
def test_dashboard_is_online_only_with_a_key(tmp_path, environment, mode):
    host = environment.get("NETRC")
    if host is not None:
        text = (
            f"machine {host} login user password key"
            if host
            else "machine broken login"
        )
        (tmp_path / "netrc").write_text(text)
    environment = {**environment, "NETRC": str(tmp_path / "netrc")}
    assert dashboard.dashboard_mode(environment) == mode


SMOKE = """
import sys
from dataclasses import dataclass
from pathlib import Path
from orrery.results.dashboard import DashboardReader
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


@pytest.mark.slow
def test_real_dashboard_works_offline(tmp_path):
    environment = {
        **os.environ,
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
    }
    command = [sys.executable, "-c", SMOKE, str(tmp_path)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    folder = Path(done.stdout.splitlines()[-1])
    assert "Weights & Biases: offline" in done.stderr
    assert "failed" not in done.stderr
    assert len([*folder.glob("wandb/offline-run-*/*.wandb")]) == 1
