"""Whether W&B is reached is what the user asked for, and what wandb itself finds."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from orrery.results.dashboard import connection, uploader
from orrery.results.dashboard.connection import Patience
from orrery.storage import files

KEY = "0123456789" * 4


@pytest.mark.parametrize(
    ("asked", "mode"),
    [
        (None, "online"),
        ("online", "online"),
        ("run", "online"),
        ("offline", "offline"),
        ("dryrun", "offline"),
        ("disabled", "disabled"),
        ("nonsense", "offline"),
    ],
)
def test_the_mode_is_what_the_user_asks_for(asked, mode):
    environment = {} if asked is None else {"WANDB_MODE": asked}
    assert connection.asked_mode(environment) == mode


@pytest.mark.parametrize(
    ("environment", "sweep"),
    [
        ({}, None),
        ({"WANDB_SWEEP_ID": "ab12"}, "ab12"),
        ({"WANDB_SWEEP_ID": "me/orrery/ab12"}, "ab12"),
        # an agent's run is the sweep's, not the trials within it
        ({"WANDB_SWEEP_ID": "ab12", "WANDB_RUN_ID": "r1"}, None),
    ],
)
def test_trials_show_in_the_sweep_that_is_named(environment, sweep):
    assert connection.trials_sweep(environment) == sweep


def test_patience_is_what_wandbs_own_variables_say(capsys):
    patience = Patience.of({"WANDB_HTTP_TIMEOUT": "3", "WANDB_FINISH_TIMEOUT": "20"})
    assert patience == Patience(3.0, 20.0)
    assert Patience.of({}) == Patience()
    for wrong in ("soon", "nan", "inf"):
        assert Patience.of({"WANDB_FINISH_TIMEOUT": wrong}) == Patience()
        told = capsys.readouterr().err
        assert f"WANDB_FINISH_TIMEOUT is '{wrong}', no number" in told


def test_wandb_keeps_its_own_files_below_a_folder_unless_the_user_says(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("WANDB_DATA_DIR", raising=False)
    monkeypatch.setenv("WANDB_CACHE_DIR", "/elsewhere")
    with connection.kept_below(tmp_path):
        assert os.environ["WANDB_DATA_DIR"].startswith(str(tmp_path))
        assert os.environ["WANDB_CACHE_DIR"] == "/elsewhere"
    assert "WANDB_DATA_DIR" not in os.environ
    assert os.environ["WANDB_CACHE_DIR"] == "/elsewhere"


# Logs in as `wandb login` does, for two servers; what wandb itself has written is found,
# whatever host that was for.
LOGIN = """
import os, sys
import wandb
from wandb.sdk.lib import wbauth
from orrery.results.dashboard import connection, uploader

def forget():
    wandb.teardown()
    wbauth.unauthenticate_session(update_settings=False)

for server in sys.argv[2:]:
    os.environ.update({"WANDB_BASE_URL": server} if server else {})
    print(connection.has_key(connection.loaded()))
    wandb.login(key=sys.argv[1], verify=False)
    forget()
    print(connection.has_key(connection.loaded()))
    forget()
"""


@pytest.mark.slow
def test_a_login_is_found_whatever_host_it_is_for(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LOGIN, KEY, "", "https://wandb.example.org"],
        env={**os.environ, "HOME": str(tmp_path), "WANDB_MODE": "online"},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "True"] * 2
    hosts = (tmp_path / ".netrc").read_text().split("machine ")[1:]
    assert len(hosts) == 2
    assert all(KEY in host for host in hosts)
    assert not (tmp_path / "wandb").exists()


def test_a_key_that_cannot_be_one_is_told(monkeypatch, offline, capsys):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_API_KEY", "short")
    assert not connection.has_key(connection.loaded())
    assert "takes no such key" in capsys.readouterr().err


REFUSALS = {
    "unreachable": "http://127.0.0.1:1 cannot be reached: .*refused",
    "hanging": "http://127.0.0.1:[0-9]+ has not answered within 1 s",
    "refusing": "Failed to authenticate with http://127.0.0.1:[0-9]+: .*key",
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", REFUSALS)
def test_a_server_that_takes_nothing_is_told_for_what_it_is(
    fault, offline, server, monkeypatch
):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with server.serving(fault=fault) as (address, _):
        here = "http://127.0.0.1:1" if fault == "unreachable" else address
        monkeypatch.setenv("WANDB_BASE_URL", here)
        assert re.match(REFUSALS[fault], connection.refusal(1.0))


@pytest.mark.parametrize("mode", ["offline", "disabled"])
def test_a_folder_in_which_runs_stay_offline_can_be_sent_from(
    mode, offline, tmp_path, monkeypatch
):
    import wandb

    def login(**_):
        settings = wandb.setup().settings
        return not (settings._offline or settings._noop)

    monkeypatch.setattr(wandb, "login", login)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "settings").write_text(f"[default]\nmode = {mode}\n")
    assert connection.refusal(1.0) == ""


def test_a_server_that_drips_has_no_more_time_than_one_that_is_silent(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(uploader, "_STARTING", 0.1)
    monkeypatch.setattr(connection, "refusal", lambda seconds: over.wait(60.0))
    assert uploader._refusal(0.05) == "its server has not answered within 0.2 s"
    over.set()
    monkeypatch.setattr(connection, "refusal", lambda seconds: "no such key")
    assert uploader._refusal(0.05) == "no such key"


def test_a_full_disk_prints_nothing_of_wandbs_logs(offline, capsys):
    connection.loaded()
    from wandb.sdk.lib import wb_logging

    handler = wb_logging.add_file_handler("a", "/dev/full")
    try:
        handler.handle(logging.makeLogRecord({"msg": "what nobody reads", "name": "a"}))
        connection.loaded()
        assert wb_logging.add_file_handler.fails_in_silence
    finally:
        logging.getLogger("wandb").removeHandler(handler)
    assert capsys.readouterr().err == ""


LOADS = """
import os, signal, sys
from orrery.results.dashboard import connection
connection.loaded()
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_what_a_killed_process_leaves_of_wandbs_is_removed_by_the_next(tmp_path):
    def load(how):
        environment = {**os.environ, "TMPDIR": str(tmp_path), "WANDB_MODE": "offline"}
        command = [sys.executable, "-c", LOADS, how]
        return subprocess.run(command, env=environment, check=False).returncode

    assert load("killed") == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert {path.name[-9:] for path in left.glob("tmp*")} == {"artifacts", "ndb-media"}
    assert load("ended") == 0
    assert not [*tmp_path.iterdir()]


def test_what_a_process_holds_of_wandbs_is_left_to_it(tmp_path):
    held = tmp_path / "held"
    held.mkdir()
    with files.locked(held):
        connection._remove_unlocked(held)
        assert held.exists()
    link = tmp_path / "link"
    link.symlink_to(held)
    connection._remove_unlocked(link)
    assert held.exists()
    connection._remove_unlocked(held)
    assert not held.exists()
