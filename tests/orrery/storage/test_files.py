import os
import threading
from pathlib import Path

import pytest

from orrery.storage import files


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    files.write_atomically(path, "1")
    with pytest.raises(TypeError), files.replacing(path) as temporary:
        temporary.write_bytes("half")
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "1"


def test_a_full_disk_is_named_with_a_remedy(tmp_path):
    refused = pytest.raises(OSError, match=r"cannot write .*a \(No space left")
    with refused, files.replacing(tmp_path / "a"):
        Path("/dev/full").write_text("a")
    assert list(tmp_path.iterdir()) == []


def test_a_probe_that_another_writer_tidies_away_is_no_fault(tmp_path):
    done = threading.Event()

    def tidy():
        while not done.is_set():
            for probe in tmp_path.glob(f".writable.*{files.TEMPORARY}"):
                probe.unlink(missing_ok=True)

    other = threading.Thread(target=tidy)
    other.start()
    try:
        for _ in range(200):
            files.ensure_writable(tmp_path)
    finally:
        done.set()
        other.join()


def test_appending_keeps_what_is_there(tmp_path):
    files.append(tmp_path / "a", "one\n")
    files.append(tmp_path / "a", "two\n")
    assert (tmp_path / "a").read_text() == "one\ntwo\n"
    with pytest.raises(
        OSError, match=r"cannot write /dev/full \(No space left.*free some space"
    ):
        files.append(Path("/dev/full"), "three")


def test_text_is_written_as_it_is(tmp_path):
    files.write_atomically(tmp_path / "a", "é\n")
    assert (tmp_path / "a").read_bytes() == "é\n".encode()


def test_a_locked_folder_is_refused_until_it_is_released(tmp_path):
    refused = (
        r"is being written by process \d+ on .* since \d{4}-\d\d-\d\d "
        r"\d\d:\d\d:\d\d\+00:00: wait until it has finished, or stop it, and give the "
        "same command again, or choose a palace"
    )
    with files.locked(tmp_path):
        with (
            pytest.raises(BlockingIOError, match=refused),
            files.locked(tmp_path, "a palace"),
        ):
            pass
        with (
            pytest.raises(BlockingIOError, match=refused),
            files.locked(tmp_path, "a palace"),
        ):
            pass  # a refusal does not release what another holds
    with pytest.raises(KeyError), files.locked(tmp_path):
        raise KeyError
    with files.locked(tmp_path):
        pass


@pytest.fixture
def events(monkeypatch):
    """What happens to files, in order: syncing, by file and size, and naming."""
    seen = []
    replace = os.replace

    def sync(descriptor):
        status = os.fstat(descriptor)
        seen.append((status.st_ino, status.st_size))

    def name(before, after):
        seen.append("named")
        replace(before, after)

    monkeypatch.setattr(files.os, "fsync", sync)
    monkeypatch.setattr(files.os, "replace", name)
    return seen


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, events):
    path = tmp_path / "file"
    files.write_atomically(path, "text")
    content, named, (folder, _) = events
    assert (content, named) == ((path.stat().st_ino, 4), "named")
    assert folder == tmp_path.stat().st_ino


def test_an_appended_line_is_on_the_disk(tmp_path, events):
    path = tmp_path / "log"
    files.append(path, "line\n")
    assert events == [(path.stat().st_ino, 5)]
