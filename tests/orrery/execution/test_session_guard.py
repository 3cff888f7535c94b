"""What a killed driver leaves of its session is ended, and what is not its own lives."""

import os
import signal
import subprocess
import sys
import time

import pytest

from orrery.execution import session_guard

DRIVER = """
import os, subprocess, sys, time
from pathlib import Path
from orrery.execution.session_guard import guarded_session
folder, mark = Path(sys.argv[1]), sys.argv[2]
name, _, value = mark.partition("=")
with guarded_session(folder, mark, keep=False):
    agent = subprocess.Popen(
        ["sleep", "60"], env={**os.environ, name: value}, start_new_session=True
    )
    print(agent.pid, flush=True)
    time.sleep(60 if sys.argv[3] == "killed" else 0)
    agent.kill()
"""
LONGEST = 30.0  # [s]


def _wait(holds, otherwise):
    deadline = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells whose processes live")
def test_a_killed_driver_takes_its_agents_and_its_folder_with_it(tmp_path):
    folder = tmp_path / "session"
    folder.mkdir()
    mark = f"ORRERY_TEST_TOKEN={folder}/token"
    stranger = subprocess.Popen(
        ["sleep", "60"], env={**os.environ, "ORRERY_TEST_TOKEN": f"{folder}/tokens"}
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, folder, mark, "killed"], stdout=subprocess.PIPE
    )
    try:
        agent = int(driver.stdout.readline())
        # a program that is just being started has no environment for a moment
        _wait(lambda: session_guard.marked_processes(mark) == [agent], "no mark")
        driver.send_signal(signal.SIGKILL)
        _wait(lambda: not folder.exists(), "nobody has removed the folder")
        assert session_guard.marked_processes(mark) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
        driver.kill()
        driver.communicate()


def test_a_driver_that_ends_takes_its_guard_along(tmp_path):
    with session_guard.guarded_session(tmp_path, "ORRERY_TEST=1", keep=False):
        children = subprocess.run(
            ["ps", "-ww", "-o", "args=", "--ppid", str(os.getpid())],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert "session_guard.py" in children
    assert tmp_path.is_dir()
    children = subprocess.run(
        ["ps", "-ww", "-o", "args=", "--ppid", str(os.getpid())],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "session_guard.py" not in children
