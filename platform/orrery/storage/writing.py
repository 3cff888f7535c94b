"""Writing a dataset: shard after shard, and whatever is killed can be continued.

A shard is entered in a journal once its file is complete and synced; the journal
becomes the manifest when the dataset is finished.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from orrery.identity import JSON, canonical
from orrery.storage.card import CARD, card
from orrery.storage.completeness import read_whole_manifest
from orrery.storage.dataset import BEGUN_BY, DATASET_DOCUMENT, Dataset, read_metadata
from orrery.storage.documents import write_document
from orrery.storage.files import TEMPORARY, ensure_writable, locked, write_atomically
from orrery.storage.journal import (
    Journal,
    begin_journal,
    end_journal,
    has_journal,
    read_journal,
)
from orrery.storage.manifest import (
    CHECKSUM_LIST,
    MANIFEST,
    SHARDS,
    ManifestRow,
    checksums_text,
    manifest_text,
)
from orrery.storage.recovery import recover
from orrery.storage.shards import damaged_files
from orrery.storage.store import Address, Location
from orrery.storage.work_log import begin_session, sessions, write_sessions
from orrery.terminal import say
from orrery.versions import version

# [s] of work whose record a kill may cost; what was made is in the journal all the same
RECORD_EVERY = 1.0


class Writer:
    """A dataset that is being written: its rows so far, all durable once it has recorded them.

    Its `session` is the work that begins with it; a kill costs no more of it than a
    second's, or one shard's where that takes longer.

    Arguments:
        folder: The dataset's absolute folder.
        metadata: What `identify` returned.
        rows: The rows of the shards that are there and sound.
        listed: The number of shards that an earlier run reached.
        check_lock: Raises an error if another process may be writing here.

    Example:
        >>> from pathlib import Path
        >>> writer = Writer(Path("stars-01"), {"shard_size": 8}, rows={}, listed=0)
        >>> writer.pending(count=20)
        [0, 1, 2]
    """

    def __init__(
        self,
        folder: Location,
        metadata: JSON,
        rows: dict[int, ManifestRow],
        listed: int,
        check_lock: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = folder
        self.metadata = metadata
        self.rows = rows
        self.listed = listed
        self.check_lock = check_lock
        self.published = _manifest_version(folder)
        self.journal = Journal(folder)
        self.earlier = sessions(folder)
        self.session = begin_session()
        self.began = time.monotonic()
        self.recorded = -math.inf

    def pending(self, count: int) -> list[int]:
        """Returns the numbers of the shards still to be made for `count` simulations."""
        needed = math.ceil(count / self.metadata["shard_size"])
        # Damaged shards beyond them are mended too: the manifest never has holes.
        return sorted(set(range(max(needed, self.listed))) - set(self.rows))

    def enter(self, row: ManifestRow, processor: str | None = None) -> None:
        """Enters a written shard in the journal, without waiting for the disk.

        Arguments:
            row: The shard's row.
            processor: The kind of processor that made it, for the work log.

        Raises:
            OSError: If this or an earlier shard cannot be seen from here, or the journal
                or the record not be written.
        """
        self.journal.add(row)
        self.rows[row.shard] = row
        self.session.simulations += row.count
        if processor is not None:
            known = self.session.processors
            known[processor] = known.get(processor, 0) + row.count
        if time.monotonic() - self.recorded >= RECORD_EVERY:
            self.record()

    def record(self) -> None:
        """Keeps the session's work so far, once all its shards are in the journal.

        One in which nothing happened is not worth a line.

        Raises:
            OSError: If the journal or the record cannot be written; the old record
                stays. Or if another process has taken over.
        """
        self.check_lock()
        self.journal.wait()
        if self.session.simulations or self.session.deaths:
            # by their seconds sessions are told apart, of which two may take the same ms
            self.session.seconds = round(time.monotonic() - self.began, 6)
            write_sessions(self.folder, (*self.earlier, self.session))
        self.recorded = time.monotonic()

    def finish(self, count: int) -> Dataset:
        """Returns the finished dataset of `count` simulations, with its manifest and card."""
        self.record()
        rows = tuple(self.rows[shard] for shard in sorted(self.rows))
        text = card(self.folder.name, self.metadata, rows, sessions(self.folder))
        write_atomically(self.folder / CARD, text)
        write_atomically(self.folder / CHECKSUM_LIST, checksums_text(rows))
        text = manifest_text(self.metadata["fingerprint"], rows)
        # The manifest is what makes the dataset finished, so it comes last; a journal
        # that a kill leaves behind here only repeats it.
        if isinstance(self.folder, Address):
            (self.folder / MANIFEST).put_if(text.encode(), self.published)
        else:
            write_atomically(self.folder / MANIFEST, text)
        end_journal(self.folder)
        _remove_leftovers(self.folder)
        return Dataset.open(self.folder, count)


def _manifest_version(folder: Location) -> dict[str, str] | None:
    """Returns which manifest another writer must not have replaced, if it lies in a bucket."""
    if not isinstance(folder, Address):
        return None
    found = (folder / MANIFEST).read_versioned()
    return found.version if found else None


def find_finished(folder: Location, metadata: JSON, count: int) -> Dataset | None:
    """Returns the dataset if it is there, complete and unaltered, without writing anything."""
    try:
        dataset = Dataset.open(folder, count)
    except ValueError:
        return None
    same = dataset.fingerprint == metadata["fingerprint"]
    if not same or has_journal(dataset.folder):
        return None
    damaged = _damaged(folder, dataset.rows, dataset.fingerprint)
    return None if damaged else dataset


def _damaged(
    folder: Location, rows: tuple[ManifestRow, ...], fingerprint: str
) -> dict[str, str]:
    # A store keeps checksums of its own; to compare ours, all shards would be fetched.
    # Readers compare them.
    return damaged_files(
        folder, rows, fingerprint, full=not isinstance(folder, Address)
    )


@contextmanager
def open_writer(folder: Location, metadata: JSON) -> Iterator[Writer]:
    """Returns the writer of a dataset, which no other process can write meanwhile.

    Sound shards of an earlier run are found again; damaged ones are reported and
    forgotten.

    Arguments:
        folder: The dataset's folder; made if need be.
        metadata: What `identify` returned.

    Raises:
        OSError: If the folder cannot be written, or another process is writing it.
    """
    folder = ensure_writable(folder)
    ensure_writable(folder / SHARDS)
    with locked(folder, tell=say) as check_lock:
        _remove_leftovers(folder)
        if not _describes(folder, metadata):
            write_document(
                folder / DATASET_DOCUMENT, {**metadata, BEGUN_BY: version("orrery")}
            )
        listed = _listed(folder, metadata["fingerprint"])
        rows = _sound(folder, listed, metadata["fingerprint"])
        # Whatever was found again counts as done only once this run's journal says so.
        begin_journal(folder, rows.values())
        reached = max(listed, default=-1) + 1
        writer = Writer(folder, metadata, rows, reached, check_lock)
        try:
            yield writer
        except BaseException:
            # What ended the work is a better message than a full disk's.
            with suppress(OSError):
                writer.record()
            raise
        finally:
            writer.journal.close()


def _describes(folder: Location, metadata: JSON) -> bool:
    if not (folder / DATASET_DOCUMENT).exists():
        return False
    try:
        document = read_metadata(folder)
    except ValueError as error:
        say(f"{error}: {DATASET_DOCUMENT} is written anew")
        return False
    return canonical({**document, **metadata}) == canonical(document)


def _listed(folder: Location, fingerprint: str) -> dict[int, ManifestRow]:
    try:
        _, found = read_whole_manifest(folder)
        rows = {row.shard: row for row in found}
    except ValueError as error:
        lost = has_journal(folder) and not (folder / MANIFEST).exists()
        rows = {} if lost else _recovered(folder, fingerprint, error)
    return rows | read_journal(folder)


def _recovered(
    folder: Location, fingerprint: str, error: ValueError
) -> dict[int, ManifestRow]:
    """Returns the rows of a manifest that cannot be read, from the shards, and says so."""
    found = recover(folder, fingerprint)
    if found.rows or found.refused:
        reason = error.__cause__ or error
        proof = "" if found.proven else ", though no checksum is left to prove them"
        say(
            f"{folder / MANIFEST} is rebuilt from {len(found.rows)} sound shards{proof} "
            f"({reason})"
        )
    for file, refused in found.refused.items():
        say(f"{folder / file} {refused}: it is made anew")
    return found.rows


def _sound(
    folder: Location, rows: dict[int, ManifestRow], fingerprint: str
) -> dict[int, ManifestRow]:
    damaged = _damaged(folder, tuple(rows.values()), fingerprint)
    for file, reason in damaged.items():
        say(f"{file} {reason}: it is made anew")
    if damaged:
        say(f"{len(damaged)} of {len(rows)} shards were damaged")
    return {shard: row for shard, row in rows.items() if row.file not in damaged}


def _remove_leftovers(folder: Location) -> None:
    if isinstance(folder, Address):
        return  # what is half written lies on the writer's machine
    for parent in (folder, folder / SHARDS):
        for leftover in parent.glob(f".*{TEMPORARY}"):
            leftover.unlink(missing_ok=True)
