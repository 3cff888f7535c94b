"""A Ray of our own on this machine, which nobody else reaches.

It listens on the loopback interface alone, asks everybody for a token of its own, and
keeps all its files in a folder of its own: several users and several runs share a
machine without a word to each other.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from orrery.execution import certificates, tokens
from orrery.execution.session_guard import guarded_session
from orrery.termination import kept_handler

# Particles never pass through the object store, and a laptop's memory is better used
# elsewhere.
OBJECT_STORE = 256 * 1024**2  # [bytes]
LONGEST_SOCKET = 107  # bytes of a socket's path: what Linux and Ray allow
# What Ray and we add to the folder in which a session lies, at its longest.
ADDED = len(
    "/ray-12345678/r/session_2025-03-01_12-00-00_123456_4194304/sockets/plasma_store"
)


@contextmanager
def local_session(noisy: bool) -> Iterator[None]:
    """Returns a context with a Ray session of all of this machine's CPUs and GPUs.

    Its folder goes with it, unless its processes are wanted to be noisy.

    Arguments:
        noisy: Show what the processes print, and keep their logs.

    Raises:
        ConnectionError: If Ray does not start in time.
        ValueError: If `RAY_TMPDIR` is too long for sockets.
    """
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir=parent_folder()))
    token = tokens.own_token(tokens.make_token(folder))
    # nobody else hears what is said on the loopback interface
    settings = {**token, **certificates.NO_TLS}
    mark = f"{tokens.TOKEN_PATH}={settings[tokens.TOKEN_PATH]}"
    with guarded_session(folder, mark, keep=noisy):
        try:
            _start(folder, settings, noisy)
            yield
        finally:
            _end()
            if not noisy:
                shutil.rmtree(folder, ignore_errors=True)


def parent_folder() -> str:
    """Returns where the folders of sessions lie: `RAY_TMPDIR`, `TMPDIR` or `/tmp`.

    A `RAY_TMPDIR` that is not there is made, for this account alone.

    Raises:
        ValueError: If `RAY_TMPDIR` is too long for sockets.
        PermissionError: If it is another account's, which could exchange what is in it.
        OSError: If it cannot be made.
    """
    longest = LONGEST_SOCKET - ADDED
    chosen = os.environ.get("RAY_TMPDIR")
    if chosen and len(os.fsencode(chosen)) > longest:
        raise ValueError(
            f"RAY_TMPDIR={chosen} is too long for the paths of Ray's sockets: choose a folder of "
            f"{longest} characters at most"
        )
    if chosen:
        _make_own(Path(chosen))
    given = chosen or tempfile.gettempdir()
    return given if len(os.fsencode(given)) <= longest else "/tmp"


def _make_own(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid not in (0, os.geteuid()):
        raise PermissionError(
            f"RAY_TMPDIR={folder} belongs to another account, which could exchange what Ray keeps "
            "there: name another folder, or have it removed"
        )


def _start(folder: Path, settings: Mapping[str, str | None], noisy: bool) -> None:
    import ray

    with tokens.environment(settings), loopback_kept(), kept_handler():
        tokens.forget()
        _call(
            ray.init,
            address="local",
            include_dashboard=False,
            object_store_memory=OBJECT_STORE,
            logging_level=logging.ERROR,
            log_to_driver=noisy,
            # Ray lets everybody write its folder: it lies inside ours, which is closed
            _temp_dir=str(folder / "r"),
        )


def _call(start: Callable[..., object], **settings: object) -> None:
    """Raises an error with a remedy where Ray's processes do not start in time."""
    from ray.exceptions import RaySystemError

    try:
        start(**settings)
    except Exception as error:
        # these three themselves, and no kind of them, are what Ray raises then
        if type(error) not in (Exception, RuntimeError, RaySystemError):
            raise
        first, *_ = str(error).split(". ")
        raise ConnectionError(
            f"Ray did not start on this machine ({first}), as when other programs keep it "
            "busy: run the same command again when fewer do, or do without Ray by ORRERY_RAY=off "
            "and 0 workers; with ORRERY_DEBUG=1 Ray's logs are kept"
        ) from error


def _end() -> None:
    import ray

    ray.shutdown()
    tokens.forget()


@contextmanager
def loopback_kept() -> Iterator[None]:
    """Returns a context in which Ray takes a loopback address for what it is.

    Elsewhere it turns one into an address that others reach, unless it believes that it
    never shares a cluster, as on a Mac. Its processes listen where it says that their
    node is, and whoever joins looks for them there.
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
