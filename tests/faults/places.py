"""Where and how a study's process is started: environments that starve, crowd or confuse it.

Starved by others at work it takes as long as they let it, which says nothing of it: a
process hangs only where it does nothing for long though it could (`Patience`).
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

TOY = Path(__file__).with_name("toy_study.py")
FAKETIME = "libfaketime.so.1"
LONGEST = 600.0  # [s] that a toy has of the processors, or leaves them idle
MOST = 10  # times as long, whatever it waits for
# [s] between two looks at who waits, which read what the system tells of all
LOOK = 1.0
GLANCE = 0.02  # [s] between two looks for a moment
HUNG = 124  # what `finish` returns for the status of one that hangs, as `timeout` does


def environment(**more):
    """Returns the environment of a toy: on its own, without a dashboard."""
    chosen = {
        "WANDB_MODE": "disabled",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONFAULTHANDLER": "1",  # SIGABRT shows where one hangs
    }
    return {**os.environ, **chosen, **more}


def command(folder, *options):
    words = [sys.executable, TOY, "--folder", folder, *options]
    return [str(word) for word in words]


def heed_interrupts():
    """Lets toys heed Ctrl-C, which whatever a script starts in the background ignores."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Toys:
    """All toys that were started, which end with whoever started them."""

    def __init__(self):
        self.started = []
        self.are_over = False

    def add(self, process):
        """Enters one that has begun, or ends it at once where all have ended."""
        self.started.append(process)
        if self.are_over:
            self.end()

    def end(self):
        """Kills all of them, and whichever begins later."""
        self.are_over = True
        for process in self.started:
            if process.returncode is not None:
                continue  # its number may be another's
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


TOYS = Toys()


@contextmanager
def toys_that_end():
    """Returns a context that ends all toys if it is left by an exception, as if interrupted."""
    try:
        yield
    except BaseException:
        TOYS.end()
        raise


def start(folder, *options, before=(), **more):
    """Starts a toy in a process group of its own.

    Arguments:
        folder: Of its datasets and runs.
        options: Others of the toy.
        before: Words before the command, such as those of `unshare`.
        more: Variables of its environment.
    """
    process = subprocess.Popen(
        [*map(str, before), *command(folder, *options)],
        env=environment(**more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    TOYS.add(process)
    return process


class Patience:
    """How long a process may take, without the time in which it could not go on.

    Arguments:
        process: The process.
        longest: What it may take, without waiting for a processor [s].
    """

    def __init__(self, process, longest=LONGEST):
        self.process = process
        self.longest = longest
        self.began = self.looked = time.monotonic()
        self.waited = waited(process.pid)
        self.spent = 0.0

    @property
    def is_over(self):
        """Whether it has taken too long; asked for each `LOOK` at least."""
        now = time.monotonic()
        waiting = waited(self.process.pid)
        # where this process did not look for longer, both were stopped
        passed = min(now - self.looked, 2 * LOOK)
        # whoever waits is entered when it goes on; what has ended takes its waiting with it
        more = max(waiting - self.waited, 0.0)
        self.spent = max(self.spent + passed - more, 0.0)
        self.looked, self.waited = now, waiting
        return self.spent > self.longest or now - self.began > MOST * self.longest


def waited(process):
    """Returns how long a process, and all that it has started, waited for processors [s]."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            after = (place / "stat").read_text().rpartition(")")[2]
            parents.setdefault(int(after.split()[1]), []).append(int(place.name))
        except OSError:
            continue  # it has just ended
    found = [process]
    for one in found:
        found += parents.get(one, [])
    return sum(map(_waited, found))


def _waited(process):
    total = 0.0
    for place in listed(Path(f"/proc/{process}/task")):
        try:
            total += int((place / "schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            continue  # it has just ended, or this system does not tell
    return total


def listed(folder):
    """Returns what is in a folder; nothing of a process that has just ended."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def await_moment(process, has_come, longest=LONGEST):
    """Waits until a moment has come, or the process has ended, or hangs."""
    patience = Patience(process, longest)
    while not patience.is_over:
        until = time.monotonic() + LOOK
        while time.monotonic() < until:
            if has_come() or process.poll() is not None:
                return
            time.sleep(GLANCE)


def finish(process, longest=LONGEST):
    """Returns the exit status and what was told, when a process has ended.

    The status of one that hangs is `HUNG`; where it does is told last.
    """
    patience = Patience(process, longest)
    while not patience.is_over:
        try:
            told = process.communicate(timeout=LOOK)[1]
            return process.returncode, told
        except subprocess.TimeoutExpired:
            continue
    return HUNG, _shown(process, patience)


def _shown(process, patience):
    """Ends a process that hangs, and returns what it told and where it was."""
    process.send_signal(signal.SIGABRT)
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=10 * LOOK)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    told = process.communicate()[1]
    stack = [line.strip() for line in told.splitlines() if line.startswith("  File ")]
    seconds = time.monotonic() - patience.began
    where = " < ".join(stack[:3]) or "nobody knows where"
    return f"{told}\nhung: {patience.spent:.0f} of {seconds:.0f} s without an end, in {where}"


def run(folder, *options, before=(), **more):
    return finish(start(folder, *options, before=before, **more))


def run_with_ray(folder, *options):
    """Returns the same of a toy whose Ray has a folder of its own."""
    with short_folder() as sockets:
        return run(folder, *options, RAY_TMPDIR=str(sockets))


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


@contextmanager
def sessions_of_its_own():
    """Keeps what Ray's test clusters write in a folder of this program's own, then removes it.

    They leave their address where every program of this user would find and join them, to
    die with the nodes that are lost here.
    """
    # what Ray has started may still write while the folder is removed
    with tempfile.TemporaryDirectory(prefix="n", ignore_cleanup_errors=True) as own:
        os.environ["RAY_TMPDIR"] = own
        yield


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
