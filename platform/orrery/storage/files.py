"""Files and folders: written whole or not at all, and by one process at a time.

A file appears under its name complete and synced, or not at all, so that whatever is
killed can be started again with the same command. In a bucket the same promises are
kept by other means: an object is put as a whole, and a lease stands for a lock.
"""

import fcntl
import hashlib
import io
import os
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, overload

from orrery.storage.contents import check_file
from orrery.storage.lease import leased
from orrery.storage.store import Address, Location
from orrery.tables.sealed_text import ecsv_name, sealed

if TYPE_CHECKING:  # half a second of everyone who reads a document
    from astropy.table import Table

TEMPORARY = ".tmp"  # ending of files that are being written
LOCK = ".lock"
PROBE = 65_536  # [bytes]; some file systems keep less beside a name
# [s] after its writing in which a file may change again and keep its time
_TIME_STEP = 2.0
# Of files whose content this process has compared: checksum and state.
_compared: dict[Path, tuple[str, int, int, int]] = {}


@contextmanager
def replacing(path: Location) -> Iterator[Path]:
    """Returns a temporary path in the same folder; on success it becomes `path`, synced.

    What shall lie in a bucket is written on this machine, and put there on success.

    Raises:
        OSError: If the file cannot be written; nothing is left behind.
    """
    chosen = _uploading(path) if isinstance(path, Address) else _renaming(path)
    with chosen as temporary:
        yield temporary


@contextmanager
def _uploading(address: Address) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="orrery-") as folder:
        local = Path(folder) / address.name
        try:
            yield local
        except OSError as error:
            raise _unwritable(local, error) from error
        address.put(local)


@contextmanager
def _renaming(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{TEMPORARY}")
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        # The name is in the folder: without this a power failure could lose the rename.
        _sync(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        # Of a failure; after a success nothing is left under this name.
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> OSError:
    return OSError(
        error.errno or 0,
        f"cannot write {path} ({error.strerror or error}): "
        "free some space, or choose a folder that you may write to",
    )


def write_atomically(path: Location, content: bytes | str) -> None:
    """Writes a file that is either complete or not there.

    Raises:
        OSError: If it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    if isinstance(path, Address):
        path.put(data)
        return
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def checksum(path: Path) -> str:
    """Returns a file's sha256 as 64 hexadecimal digits.

    Raises:
        ValueError: If it is a pipe or a device.
        OSError: If it cannot be read.
    """
    check_file(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_unaltered(path: Path, sha256: str) -> bool:
    """Returns whether a file has a checksum, computed once for each state of the file.

    Its state is inode, size and time. A file that was written a moment ago may change
    again and keep its time, so that it is looked at each time.

    Arguments:
        path: The file.
        sha256: Its checksum as 64 hexadecimal digits.

    Raises:
        OSError: If it cannot be read.
    """
    status = path.stat()
    state = (sha256, status.st_ino, status.st_size, status.st_mtime_ns)
    if _compared.get(path) == state:
        return True
    if checksum(path) != sha256:
        return False
    if time.time() - status.st_mtime > _TIME_STEP:
        _compared[path] = state
    return True


def ecsv(table: "Table") -> str:
    """Returns a table as text with names, units and metadata."""
    with io.StringIO() as text:
        table.write(text, format="ascii.ecsv")
        return text.getvalue()


def check_ecsv_name(path: Path) -> None:
    """Raises ValueError unless a file's name says that it is an ECSV.

    Readers go by it: under another name what is written could not be read.

    Example:
        >>> check_ecsv_name(Path("binned.ecsv"))
        >>> check_ecsv_name(Path("binned.csv"))
        Traceback (most recent call last):
        ...
        ValueError: an ECSV is written, which binned.csv does not say: call it binned.ecsv
    """
    better = ecsv_name(path)
    if path != better:
        raise ValueError(
            f"an ECSV is written, which {path.name} does not say: call it {better.name}"
        )


def write_ecsv(path: Path, table: "Table") -> None:
    """Writes a table as text with names, units, metadata and a checksum, whole or not at all.

    Raises:
        ValueError: If the file's name does not end in `.ecsv`.
        OSError: If it cannot be written.
    """
    check_ecsv_name(path)
    write_atomically(path, sealed(ecsv(table)))


def append(path: Path, text: str) -> None:
    """Appends text to a file and waits until it is on the disk.

    Raises:
        OSError: If it cannot be written.
    """
    try:
        with path.open("a") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(path, error) from error


@overload
def ensure_writable(folder: Path) -> Path: ...
@overload
def ensure_writable(folder: Location) -> Location: ...
def ensure_writable(folder: Location) -> Location:
    """Returns the absolute folder, made if need be, after a test that it can be written.

    Raises:
        OSError: If it cannot; hours of computing would end here.
    """
    if isinstance(folder, Address):
        _probe_bucket(folder / _probe_name())
        return folder
    return _made(folder.absolute())


def _probe_name() -> str:
    return f".writable.{uuid.uuid4().hex}{TEMPORARY}"


def _probe_bucket(probe: Address) -> None:
    try:
        probe.put(os.urandom(PROBE))
        probe.unlink()
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"there is no bucket {probe.scheme}://{probe.bucket}: make it, or name another"
        ) from error


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    # an empty file can be made on a full disk, and by whoever has used up a quota
    with _probe(folder) as file:
        file.write(os.urandom(PROBE))
    return folder


@contextmanager
def _probe(folder: Path) -> Iterator[BinaryIO]:
    """Returns a new file in a folder, which must be kept at its end and is nowhere then.

    Open, it needs no name: who is killed leaves nothing, and another writer, who tidies
    up, has nothing to remove.
    """
    path = folder / _probe_name()
    try:
        try:
            with path.open("wb") as file:
                path.unlink(missing_ok=True)
                yield file
                # some file systems tell of a quota only when what was written is to be kept
                file.flush()
                os.fsync(file.fileno())
        finally:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def ensure_room(folder: Path, size: int) -> None:
    """Raises OSError if a file of `size` bytes finds no room in a folder; none is left.

    What is left of an account's quota no free space of the disk tells. Where neither
    system nor file system can reserve, nothing is said, or the C library writes.

    Raises:
        OSError: If there is no room.
    """
    reserve = getattr(os, "posix_fallocate", None)  # not on a Mac
    if reserve is None:
        return
    with _probe(folder) as file:
        reserve(file.fileno(), 0, size)


def _silent(sentence: str) -> None:
    """Tells nobody."""


def _always() -> None:
    """Holds: the lock of a file system ends with its process, and is not lost before."""


@contextmanager
def locked(
    folder: Location,
    instead: str = "another folder",
    tell: Callable[[str], None] = _silent,
) -> Iterator[Callable[[], None]]:
    """Returns a context in which a folder is locked; a second lock is refused, it does not wait.

    The context's value is a function that raises BlockingIOError if the lock was lost,
    which happens in a bucket alone: see `lease`.

    Arguments:
        folder: The folder, which must exist.
        instead: What who is refused may choose.
        tell: Is told that it takes a while to see whether a bucket's lock is held.

    Raises:
        BlockingIOError: If it is locked already; it names the process, its machine and
            when it began.
        OSError: If the folder cannot be written.
    """
    if isinstance(folder, Address):
        with leased(folder, LOCK, instead, tell) as lease:
            yield lease.check
    else:
        with _file_locked(folder, instead):
            yield _always


@contextmanager
def _file_locked(folder: Path, instead: str) -> Iterator[None]:
    with take_lock(folder, instead) as lock:
        try:
            yield
        finally:
            lock.truncate(0)


def take_lock(folder: Path, instead: str = "another folder") -> io.FileIO:
    """Returns the file of a folder's lock, which holds until it is closed.

    A process that was given it holds the lock, too, for as long as it lives.

    Arguments:
        folder: The folder, which must exist.
        instead: What who is refused may choose.

    Raises:
        BlockingIOError: If it is locked already; it names the process, its machine and
            when it began.
        OSError: If the folder cannot be written.
    """
    # Without a buffer: what a full disk refuses must not be tried again at the end.
    lock = (folder / LOCK).open("a+b", buffering=0)
    try:
        # The system forgets the lock with its process, however that ends.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _sign(lock, folder / LOCK)
    except BlockingIOError as error:
        with lock:
            lock.seek(0)
            holder = lock.read().decode(errors="replace") or "another process"
        raise BlockingIOError(
            f"{folder} is being written by {holder}: "
            "wait until it has finished, or stop it, and give the same command "
            f"again, or choose {instead}"
        ) from error
    except BaseException:
        lock.close()
        raise
    return lock


def _sign(lock: io.FileIO, path: Path) -> None:
    """Writes into a lock's file who holds it, since when."""
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    holder = f"process {os.getpid()} on {socket.gethostname()} since {since}"
    try:
        lock.truncate(0)
        lock.write(holder.encode())
    except OSError as error:
        raise _unwritable(path, error) from error


def was_locked(folder: Path) -> bool:
    """Returns whether a folder has a lock's file, held or not."""
    return (folder / LOCK).exists()


def is_locked(folder: Path) -> bool:
    """Returns whether a process holds the lock of a folder; the lock ends with its process."""
    try:
        lock = (folder / LOCK).open("r")  # on a disk that is only read, too
    except FileNotFoundError:
        return False
    except OSError:
        return True  # whoever may not look must not decide that nobody is there
    with lock:
        try:
            # shared, which needs no right to write: the writer's excludes it
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
