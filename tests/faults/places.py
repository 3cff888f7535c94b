"""Where and how a study's process is started: environments that starve, crowd or confuse it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

TOY = Path(__file__).with_name("toy_study.py")
FAKETIME = "libfaketime.so.1"
LONGEST = 600.0  # [s] until any toy must have ended


def environment(**more):
    """Returns the environment of a toy: on its own, without a dashboard."""
    chosen = {
        "WANDB_MODE": "disabled",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    return {**os.environ, **chosen, **more}


def command(folder, *options):
    words = [sys.executable, TOY, "--folder", folder, *options]
    return [str(word) for word in words]


def start(folder, *options, before=(), **more):
    """Starts a toy in a process group of its own.

    Arguments:
        folder: Of its datasets and runs.
        options: Others of the toy.
        before: Words before the command, such as those of `unshare`.
        more: Variables of its environment.
    """
    # whatever a script starts in the background would ignore Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [*map(str, before), *command(folder, *options)],
        env=environment(**more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process):
    """Returns the exit status and what was told, when a process has ended."""
    try:
        told = process.communicate(timeout=LONGEST)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return 124, process.communicate()[1]
    return process.returncode, told


def run(folder, *options, before=(), **more):
    return finish(start(folder, *options, before=before, **more))


def can_mount():
    """Returns whether this user may mount a disk of its own, seen by nobody else."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0


def can_lay_cables():
    """Returns whether this user may make networks of its own."""
    if not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        return False
    made = "ip link add here type veth peer name there"
    found = subprocess.run(
        ["unshare", "-n", "sh", "-c", made], capture_output=True, check=False
    )
    return found.returncode == 0


def mounted(kind, place, *words):
    """Returns the words before a command that runs with something mounted in a place."""
    script = f'mount {kind} "{place}" && exec "$@"'
    return ("unshare", "-m", "sh", "-c", script, "sh", *words)


def faketime():
    """Returns the library that sets a process's clock, or None where it is not installed."""
    given = os.environ.get("ORRERY_FAKETIME")
    found = (
        [Path(given)]
        if given
        else sorted(Path("/usr/lib").glob(f"*/faketime/{FAKETIME}"))
    )
    return next((path for path in found if path.exists()), None)


@contextmanager
def short_folder():
    """Returns a new folder with a short path, as Ray's sockets need it."""
    folder = Path(tempfile.mkdtemp(prefix="of-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def processes(sockets, name=b""):
    """Returns the processes of the Ray session below a folder, by the start of their name."""
    mark = os.fsencode(f"RAY_AUTH_TOKEN_PATH={sockets}/")
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "environ").read_bytes() and (
                place / "cmdline"
            ).read_bytes().startswith(name):
                found.append(int(place.name))
        except OSError:
            continue  # it has just ended
    return found


def ended(sockets, seconds):
    """Returns which processes of a session, and files, are left after some time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        left = [*processes(sockets), *map(str, sockets.iterdir())]
        if not left:
            return []
        time.sleep(0.1)
    return left
