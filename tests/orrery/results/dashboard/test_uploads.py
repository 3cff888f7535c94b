"""An upload is read to its end, and given up, whatever the process that sends does."""

import io
import os
import signal
import subprocess
import sys

from orrery.results.dashboard import uploads
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.uploads import Upload


class Endless:
    """A process that ends only if it is killed, and whose clock is played."""

    pid = 77

    def __init__(self, command, **named):
        self.stdin, self.stdout = io.StringIO(), io.StringIO()
        self.events = []

    def wait(self, seconds=None):
        if "killed" in self.events:
            return -signal.SIGKILL
        assert seconds is not None, "it would be waited for without an end"
        self.events.append(seconds)
        raise subprocess.TimeoutExpired("upload", seconds)


def test_an_upload_that_does_not_end_is_killed_when_its_time_is_over(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(subprocess, "Popen", Endless)
    upload = Upload([tmp_path / "wandb" / "run-1" / "run-1.wandb"], Patience())
    events = upload._process.events
    killed = []

    def kill(group, sent):
        killed.append((group, sent))
        events.append("killed")

    monkeypatch.setattr(os, "killpg", kill)
    upload.end(2.5)
    assert events == [2.5, "killed"]
    assert killed == [(Endless.pid, signal.SIGKILL)]
    assert upload.reason == "its server did not take everything within 2.5 s"


# What it leaves behind holds its output, and is in no group that could be ended with it.
LEAVING = """
import subprocess
left = subprocess.Popen(["sleep", "3600"], start_new_session=True)
print("left", left.pid, flush=True)
"""


def test_an_upload_ends_although_what_it_started_goes_on(tmp_path, monkeypatch):
    command = [sys.executable, "-c", LEAVING]
    monkeypatch.setattr(uploads, "_command", lambda patience, live: command)
    monkeypatch.setattr(uploads, "AROUND", 0.1)
    upload = Upload([tmp_path / "wandb" / "run-1" / "run-1.wandb"], Patience())
    upload.end(None)
    left, process = upload.reason.split()
    os.kill(int(process), signal.SIGKILL)
    assert left == "left"


def test_a_process_that_reads_no_names_is_not_waited_for(tmp_path, monkeypatch):
    """It is given up when its time is over, however many names there are."""
    command = [sys.executable, "-c", "import time; time.sleep(20.0)"]
    monkeypatch.setattr(uploads, "_command", lambda patience, live: command)
    paths = [tmp_path / "wandb" / f"run-{n}" / f"run-{n}.wandb" for n in range(5_000)]
    assert sum(len(str(path)) for path in paths) > 131_072  # more than a pipe holds
    upload = Upload(paths, Patience())
    assert upload.is_running
    upload.end(0.1)
    assert upload.reason == "its server did not take everything within 0.1 s"


# More than a pipe holds, after lines that cannot be understood or told of.
TALKING = """
print("kept: [torn")
print("View run x at http://127.0.0.1/x")
print(*range(50_000), sep="\\n")
print("the end")
"""


def test_an_upload_is_read_to_its_end_whatever_it_says(tmp_path, monkeypatch):
    command = [sys.executable, "-c", TALKING]
    monkeypatch.setattr(uploads, "_command", lambda patience, live: command)
    copy = tmp_path / "wandb" / "run-1" / "run-1.wandb"
    # as where nobody reads the terminal any more
    upload = Upload([copy], Patience(), on_address=sys.exit)
    upload.end(20.0)
    assert upload.reason == "the end"
