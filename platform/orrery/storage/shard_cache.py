"""Copies on this machine of shards that lie in a bucket, each verified, within a limit.

A copy is named by its checksum, so that one cache serves all datasets, and a shard that
was made anew is another file. What was not used for longest is dropped first. The
folder is `ORRERY_CACHE`, or `~/.cache/orrery`; `ORRERY_CACHE_GB` says how large it may
grow, 20 GB where it says nothing.
"""

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path

from orrery.storage.files import is_unaltered
from orrery.storage.store import Address

LIMIT = 20.0  # [GB], unless the environment says otherwise
IN_USE = 60.0  # [s] after its last use in which a copy is not dropped
_PARTIAL = ".tmp"


def cache_folder() -> Path:
    """Returns the folder of this machine's copies."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("ORRERY_CACHE") or Path(home) / "orrery").absolute()


def cache_limit() -> int:
    """Returns how many bytes the copies may have together.

    Raises:
        ValueError: If `ORRERY_CACHE_GB` is no number.
    """
    text = os.environ.get("ORRERY_CACHE_GB") or str(LIMIT)
    try:
        return int(float(text) * 1e9)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"ORRERY_CACHE_GB is {text!r}: give the size of the cache in GB, such as 20"
        ) from error


def local_copy(address: Address, sha256: str) -> Path:
    """Returns a file with the content of an object, fetched unless it is here.

    Arguments:
        address: The object.
        sha256: Its checksum, as hexadecimal digits.

    Raises:
        FileNotFoundError: If there is no such object.
        ValueError: If its content has another checksum.
        OSError: If the store cannot be reached, or the copy not be written.
    """
    path = cache_folder() / "shards" / sha256[:2] / sha256
    if not _is_sound(path, sha256):
        _fetch(address, sha256, path)
        _make_room(path.parents[1])
    return path


def _is_sound(path: Path, sha256: str) -> bool:
    try:
        # Used now; the time of its content stays, by which a change of it is seen.
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        return is_unaltered(path, sha256)
    except OSError:  # not there, or another user's
        return False


def _fetch(address: Address, sha256: str, path: Path) -> None:
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            fetched = address.download(file)
        if fetched != sha256:
            raise ValueError(f"{address} was altered: its sha256 differs")
        partial.replace(path)
    except OSError as error:
        if error.errno is None:  # of the store, which has said what to do
            raise
        raise OSError(
            error.errno,
            f"cannot keep a copy of {address} in {path.parent} ({error.strerror or error}): "
            "free some space, or set ORRERY_CACHE to another folder and ORRERY_CACHE_GB to its "
            "size",
        ) from error
    finally:
        with suppress(
            OSError
        ):  # of a success, or where not even the folder could be made
            partial.unlink()


def _make_room(folder: Path) -> None:
    """Drops what was not used for longest until the copies are within the limit."""
    copies = sorted(_copies(folder))
    excess = sum(size for _, size, _ in copies) - cache_limit()
    for used, size, path in copies:
        if excess <= 0 or time.time() - used < IN_USE:
            break
        path.unlink(missing_ok=True)
        excess -= size


def _copies(folder: Path) -> list[tuple[float, int, Path]]:
    """Returns when each copy was used, its size and its path; partial ones of the dead too."""
    found = []
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):  # another process makes room as well
            status = path.stat()
            found.append((status.st_atime, status.st_size, path))
    return found
