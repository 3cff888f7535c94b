"""The journal of a dataset that is being written: a line for each shard that is on the disk.

A disk takes as long to keep a hundred lines as one. So a thread enters together all
shards that arrived while it was waiting for the disk, and whoever brings them does not
wait: what one fsync takes bounds no campaign.

Objects in a bucket do not grow. There the journal is a folder, and what was entered
together is an object in it, created where there was none.
"""

import dataclasses
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from orrery.storage.contents import content_of
from orrery.storage.documents import line_of, own_file, parsed
from orrery.storage.files import append, write_atomically
from orrery.storage.manifest import ManifestRow
from orrery.storage.store import Address, Location

JOURNAL = "manifest.jsonl"
_BEGUN = "begun.jsonl"  # of the objects of a journal the one with which it began
# [s] until a file written on another node must be visible on a shared file system
VISIBILITY_TIMEOUT = 60
_READERS = 16  # threads that read the objects of a journal


class Journal:
    """The journal of a dataset's folder, open for more shards.

    Arguments:
        folder: The dataset's absolute folder.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> journal = Journal(folder)
        >>> _ = (folder / "0.arrow").write_bytes(b"8 stars")
        >>> journal.add(ManifestRow(0, "0.arrow", 0, 8, 0, 7, "0f", {}, {}))
        >>> journal.close()
        >>> list(read_journal(folder))
        [0]
    """

    def __init__(self, folder: Location) -> None:
        self.folder = folder
        self._arrived: deque[ManifestRow] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._latest: Future[None] | None = None
        self._failure: Exception | None = None

    def add(self, row: ManifestRow) -> None:
        """Enters a written shard soon; `wait` says when.

        Raises:
            OSError: If an earlier one could not be seen from here, or not be entered.
        """
        self._raise_failure()
        self._arrived.append(row)
        self._latest = self._thread.submit(self._enter)

    def wait(self) -> None:
        """Returns when all shards that were added are entered, on the disk.

        Raises:
            OSError: If one cannot be seen from here, or the journal not be written.
        """
        if self._latest is not None:
            self._latest.result()
        self._raise_failure()

    def close(self) -> None:
        """Enters what has been added, and ends the thread; a failure is not raised again."""
        self._thread.shutdown()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _enter(self) -> None:
        # After a failure a line may be torn: one behind it could not be read.
        if self._failure is not None:
            return
        try:
            self._enter_arrived()
        except Exception as error:
            self._failure = error

    def _enter_arrived(self) -> None:
        rows = [self._arrived.popleft() for _ in range(len(self._arrived))]
        if rows:
            _enter_together(self.folder, rows)


def _enter_together(folder: Location, rows: list[ManifestRow]) -> None:
    if isinstance(folder, Address):
        # Named by its first shard: another writer of this shard would be noticed. The
        # store shows at once what an actor has put there.
        entry = folder / JOURNAL / f"shard-{rows[0].shard:05d}.jsonl"
        entry.put_if(_lines(rows).encode(), version=None)
        return
    for row in rows:
        # A network file system may show another node's file only seconds later.
        _await(folder / row.file, row.bytes)
    append(folder / JOURNAL, _lines(rows))


def begin_journal(folder: Location, rows: Iterable[ManifestRow]) -> None:
    """Writes the journal anew, with the shards that are there and sound.

    Raises:
        OSError: If it cannot be written; the old one stays.
    """
    place = folder / JOURNAL
    if isinstance(place, Address):
        earlier = [name for name in place.sizes() if name != _BEGUN]
        (place / _BEGUN).put(_lines(rows).encode())
        place.remove(earlier)
    else:
        write_atomically(place, _lines(rows))


def end_journal(folder: Location) -> None:
    """Removes the journal: the manifest has its shards."""
    place = folder / JOURNAL
    if isinstance(place, Address):
        place.remove([*place.sizes()])
    else:
        place.unlink(missing_ok=True)


def has_journal(folder: Location) -> bool:
    """Returns whether a dataset is being written, or its writing was interrupted."""
    place = folder / JOURNAL
    return bool(place.sizes()) if isinstance(place, Address) else place.exists()


def read_journal(folder: Location) -> dict[int, ManifestRow]:
    """Returns the rows of a folder's journal, by shard; none where there is no journal."""
    rows = {}
    for line in journal_text(folder).splitlines():
        # The last lines may be cut off: their run was killed while writing them. What
        # is damaged costs its shard: it is made anew.
        with suppress(ValueError, TypeError):
            row = ManifestRow.read(parsed(line.encode()))
            own_file(folder, row.file)
            rows[row.shard] = row
    return rows


def journal_text(folder: Location) -> str:
    """Returns all lines of a folder's journal; none where there is no journal."""
    place = folder / JOURNAL
    if not isinstance(place, Address):
        return content_of(place).decode(errors="replace") if place.exists() else ""
    entries = [place / name for name in place.sizes()]
    # Each takes the time of one answer.
    with ThreadPoolExecutor(_READERS) as threads:
        return "".join(threads.map(Address.read_text, entries))


def _lines(rows: Iterable[ManifestRow]) -> str:
    return "".join(line_of(dataclasses.asdict(row)) for row in rows)


def _await(path: Path, size: int) -> None:
    deadline = time.monotonic() + VISIBILITY_TIMEOUT
    while not path.is_file() or path.stat().st_size != size:
        if time.monotonic() > deadline:
            raise FileNotFoundError(
                f"{path} was written by an actor but cannot be seen here: "
                "choose a folder on a file system that all nodes share"
            )
        time.sleep(1.0)
