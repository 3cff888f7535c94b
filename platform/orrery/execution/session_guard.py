"""Ends what a Ray session of our own leaves behind when its driver is killed.

Ray's agents take a minute to notice that their head is gone, meanwhile their ports are
open, and nobody removes the session's folder. So a small process waits for the driver's
end. It imports nothing but the standard library, since it starts with each session.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DRIVER_LOOK = 0.5  # [s] between two looks whether the driver lives
LONGEST = 20.0  # [s] from its end until the guard ends, whatever it has reached


@contextmanager
def guarded_session(folder: Path, mark: str, keep: bool) -> Iterator[None]:
    """Returns a context in which another process waits for the end of this one.

    If this process ends inside, the guard ends all of its user's processes whose
    environment has the mark, and removes the folder.

    Arguments:
        folder: The folder.
        mark: A word of an environment that no process but the session's has, such as
            `RAY_AUTH_TOKEN_PATH=/tmp/ray-1/auth_token`.
        keep: Whether the folder stays.
    """
    kept = "" if keep else str(folder)
    # a session of its own: it must outlive the signals that end a terminal's group
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(os.getpid()), mark, kept],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.kill()
        guard.wait()


def marked_processes(mark: str) -> list[int]:
    """Returns this user's processes whose environment has a word; none where it is not told.

    Arguments:
        mark: The word, a variable and its value.
    """
    wanted = os.fsencode(mark)
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        # it may end meanwhile, or be another user's
        with suppress(OSError):
            if wanted in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


def _end_session(mark: str, folder: str) -> None:
    deadline = time.monotonic() + LONGEST
    while (left := marked_processes(mark)) and time.monotonic() < deadline:
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.1)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def _guard(driver: int, mark: str, folder: str) -> None:
    while os.getppid() == driver:
        time.sleep(DRIVER_LOOK)
    _end_session(mark, folder)


if __name__ == "__main__":
    _guard(int(sys.argv[1]), sys.argv[2], sys.argv[3])
