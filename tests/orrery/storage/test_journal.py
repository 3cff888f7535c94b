"""Shards that arrive together are entered together, and never before they are there."""

import threading

import pytest

from orrery.storage import journal
from orrery.storage.journal import (
    JOURNAL,
    Journal,
    begin_journal,
    end_journal,
    has_journal,
    read_journal,
)
from orrery.storage.manifest import ManifestRow

COUNT = 20


def row(folder, shard, written=True, sha256="0f"):
    """Returns the row of a shard of seven bytes, which lies in the folder or not."""
    file = f"shard-{shard}.arrow"
    if written:
        (folder / file).write_bytes(b"8 stars")
    return ManifestRow(shard, file, 8 * shard, 8, 0, 7, sha256, {"a": 1.5}, {})


@pytest.fixture
def opened(tmp_path):
    one = Journal(tmp_path)
    yield one
    one.close()


class SlowDisk:
    """Appends when it is told to, and keeps what was appended at once."""

    def __init__(self, append):
        self.append = append
        self.busy = threading.Event()
        self.free = threading.Event()
        self.appended = []

    def __call__(self, path, text):
        self.busy.set()
        assert self.free.wait(60)
        self.appended.append(text.count("\n"))
        self.append(path, text)


def test_what_arrives_while_the_disk_is_busy_is_entered_at_once(
    tmp_path, opened, monkeypatch
):
    disk = SlowDisk(journal.append)
    monkeypatch.setattr(journal, "append", disk)
    rows = [row(tmp_path, shard) for shard in range(COUNT)]
    opened.add(rows[0])
    assert disk.busy.wait(60)
    for later in rows[1:]:
        opened.add(later)  # nobody waits for the disk
    assert read_journal(tmp_path) == {}
    disk.free.set()
    opened.wait()
    assert disk.appended == [1, COUNT - 1]
    assert [*read_journal(tmp_path).values()] == rows


def test_what_was_waited_for_is_there(tmp_path, opened):
    begin_journal(tmp_path, [row(tmp_path, 0)])
    for shard in range(1, COUNT):
        opened.add(row(tmp_path, shard))
        opened.wait()
        assert [*read_journal(tmp_path)] == [*range(shard + 1)]


def test_closing_enters_what_has_been_added(tmp_path):
    closed = Journal(tmp_path)
    for shard in range(COUNT):
        closed.add(row(tmp_path, shard))
    closed.close()
    assert [*read_journal(tmp_path)] == [*range(COUNT)]


def test_no_shard_is_entered_before_its_file_is_seen(tmp_path, opened, monkeypatch):
    slept = []

    def appear(seconds):
        slept.append(read_journal(tmp_path))
        row(tmp_path, 0)

    monkeypatch.setattr(journal.time, "sleep", appear)
    opened.add(row(tmp_path, 0, written=False))
    opened.wait()
    assert slept == [{}]
    assert [*read_journal(tmp_path)] == [0]


def test_a_file_that_is_never_seen_ends_the_work(tmp_path, opened, monkeypatch):
    monkeypatch.setattr(journal, "VISIBILITY_TIMEOUT", -1)
    opened.add(row(tmp_path, 0, written=False))
    with pytest.raises(FileNotFoundError, match="a file system that all nodes share"):
        opened.wait()
    with pytest.raises(FileNotFoundError, match=r"shard-0\.arrow was written"):
        opened.add(row(tmp_path, 1))
    assert read_journal(tmp_path) == {}


def test_nothing_is_entered_behind_a_torn_line(tmp_path, opened, monkeypatch):
    first, second, third = (row(tmp_path, shard) for shard in range(3))
    opened.add(first)
    opened.wait()
    append = journal.append

    def fills_up(path, text):
        append(path, text[:-9])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "append", fills_up)
    opened.add(second)
    with pytest.raises(OSError, match="No space"):
        opened.wait()
    monkeypatch.setattr(journal, "append", append)
    with pytest.raises(OSError, match="No space"):
        opened.add(third)
    assert read_journal(tmp_path) == {0: first}
    assert (tmp_path / JOURNAL).read_text().count("\n") == 1


@pytest.mark.slow
def test_a_journal_in_a_bucket_is_what_was_entered(bucket):
    rows = [row(bucket, shard, written=False) for shard in range(3)]
    begin_journal(bucket, rows[:1])
    opened = Journal(bucket)
    for later in rows[1:]:
        opened.add(later)
        opened.wait()
    opened.close()
    assert [*read_journal(bucket).values()] == rows
    begin_journal(bucket, rows[1:])
    assert [*read_journal(bucket).values()] == rows[1:]
    assert list((bucket / JOURNAL).sizes()) == ["begun.jsonl"]
    assert has_journal(bucket)
    end_journal(bucket)
    assert (has_journal(bucket), read_journal(bucket)) == (False, {})


def test_two_who_enter_the_same_shard_agree_or_one_is_told(bucket):
    mine, theirs = Journal(bucket), Journal(bucket)
    mine.add(row(bucket, 1, written=False))
    mine.wait()
    theirs.add(row(bucket, 1, written=False))
    theirs.wait()
    theirs.add(row(bucket, 1, written=False, sha256="1e"))
    with pytest.raises(FileExistsError, match="was written by another process"):
        theirs.wait()
    mine.close()
    theirs.close()
    assert [*read_journal(bucket).values()] == [row(bucket, 1, written=False)]
