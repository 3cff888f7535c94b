"""Where the files of a session of our own lie, and what a user reads if it does not start."""

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
import ray
from ray._common.utils import try_to_create_directory
from ray.exceptions import RaySystemError

from orrery.execution import local_session


@pytest.mark.parametrize("variable", ["RAY_TMPDIR", "TMPDIR"])
def test_the_users_folder_is_taken(monkeypatch, variable):
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)  # asks the environment again
    with tempfile.TemporaryDirectory(prefix="o", dir="/tmp") as folder:
        monkeypatch.setenv(variable, folder)
        assert local_session.parent_folder() == folder


def test_sockets_fit_or_the_user_learns_the_limit(monkeypatch, tmp_path):
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert local_session.parent_folder() == "/tmp"
    monkeypatch.setenv("RAY_TMPDIR", str(long))
    limit = local_session.LONGEST_SOCKET - local_session.ADDED
    with pytest.raises(ValueError, match=f"too long .* {limit} characters at most"):
        local_session.parent_folder()


def test_the_longest_path_of_a_socket_is_one_that_the_system_takes(tmp_path):
    path = Path("/tmp", "x" * (local_session.LONGEST_SOCKET - len("/tmp/")))
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    path.unlink()
    with socket.socket(socket.AF_UNIX) as one, pytest.raises(OSError, match="too long"):
        one.bind(f"{path}x")


def test_nobody_else_enters_the_folder_that_ray_opens_to_everybody(monkeypatch):
    shared = []

    def init(_temp_dir, **options):
        try_to_create_directory(_temp_dir)  # as Ray makes it: everybody may write in it
        assert "RAY_USE_TLS" not in os.environ  # nobody else hears it
        token = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
        shared.extend([Path(_temp_dir), token.parent])

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with (
        tempfile.TemporaryDirectory(prefix="o", dir="/tmp") as parent,
        monkeypatch.context() as chosen,
    ):
        chosen.setenv("RAY_TMPDIR", parent)
        chosen.setenv("RAY_USE_TLS", "1")
        with local_session.local_session(noisy=False):
            opened, closed = shared
            assert closed in opened.parents
            assert stat.S_IMODE(opened.stat().st_mode) & 0o002
            assert stat.S_IMODE(closed.stat().st_mode) == 0o700
            session = opened / "session_2025-03-01_12-00-00_123456_4194304"
            longest = str(session / "sockets" / "plasma_store")
            assert len(longest) == len(parent) + local_session.ADDED


# as Ray 2.60 writes them
SLOW = (
    "The current node timed out during startup. This could happen because some of the"
)
SILENT = "Failed to start GCS.  Last 0 lines of error files:\n\n.Please check"
LATE = "Failed to connect to GCS. Please check if the GCS server is running and if"


@pytest.mark.parametrize(
    "error", [Exception(SLOW), RuntimeError(SILENT), RaySystemError(LATE)]
)
def test_a_session_that_does_not_start_says_what_to_do(monkeypatch, tmp_path, error):
    with pytest.raises(ConnectionError, match="run the same command again") as told:
        start(monkeypatch, tmp_path, error)
    assert f"({str(error).partition('.')[0]})" in str(told.value)


def test_other_errors_stay_as_they_are(monkeypatch, tmp_path):
    with pytest.raises(TypeError, match=r"^no such argument$"):
        start(monkeypatch, tmp_path, TypeError("no such argument"))


def start(monkeypatch, folder, error):
    def fail(**options):
        raise error

    monkeypatch.setattr(ray, "init", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    with local_session.local_session(noisy=False):
        raise AssertionError("it has started")


def test_a_folder_for_sessions_that_is_not_there_is_made_for_this_account(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="o", dir="/tmp") as place:
        wanted = Path(place, "a", "b")
        monkeypatch.setenv("RAY_TMPDIR", str(wanted))
        assert local_session.parent_folder() == str(wanted)
        assert wanted.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder to another account")
def test_a_folder_of_another_account_is_refused(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="o", dir="/tmp") as place:
        os.chown(place, 1501, 1501)
        monkeypatch.setenv("RAY_TMPDIR", place)
        with pytest.raises(PermissionError, match="belongs to another account"):
            local_session.parent_folder()
