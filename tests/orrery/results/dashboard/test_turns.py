"""Of two that would send the same copies one does, and the other says who does."""

import contextlib
import os
import subprocess
import sys

import pytest

from orrery.__main__ import main
from orrery.results.dashboard import sync, uploads, waiting
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.copies import is_sent, marker, record_sent
from orrery.results.dashboard.turns import Turns, sender
from orrery.results.dashboard.uploads import Upload
from orrery.storage import files


@pytest.fixture
def copies(tmp_path):
    """Three copies, of two runs."""
    names = ("one/wandb/a", "one/wandb/b", "two/wandb/c")
    found = [tmp_path / f"{name}/run-x.wandb" for name in names]
    for copy in found:
        copy.parent.mkdir(parents=True)
        copy.write_bytes(b"records")
    return found


@pytest.fixture
def deliver(monkeypatch, tmp_path):
    """Has copies sent by a process that only tells what it was given; returns that."""
    given = tmp_path / "given"
    script = f"read copies; echo $copies > {given}; echo told"
    monkeypatch.setattr(uploads, "_command", lambda *asked: ["sh", "-c", script])

    def call(copies):
        upload = Upload(copies, Patience())
        upload.end(None)
        return [
            copy for copy in copies if str(copy) in given.read_text()
        ], upload.reason

    return call


def test_who_sends_is_known_until_it_has_ended(copies):
    place = copies[0].parents[1]
    with Turns() as turns:
        turns.take(place)
        turns.take(place)  # it is ours
        assert f"it is being sent by process {os.getpid()} on " in sender(place)
        with pytest.raises(BlockingIOError, match="it is being sent by"):
            Turns().take(place)
        assert sender(copies[2].parents[1]) == ""
    assert sender(place) == ""


def test_a_turn_lasts_as_long_as_the_process_that_sends(copies):
    place = copies[0].parents[1]
    with Turns() as turns:
        turns.take(place)
        waiting_for = subprocess.PIPE
        process = subprocess.Popen(
            ["cat"], stdin=waiting_for, pass_fds=turns.descriptors
        )
    assert sender(place)
    process.communicate()
    assert sender(place) == ""


def test_what_another_sends_is_left_to_it(copies, deliver):
    assert deliver(copies) == (copies, "told")
    with Turns() as turns:
        turns.take(copies[0].parents[1])
        sent, reason = deliver(copies)
        assert sent == copies[2:]
        assert "it is being sent by process" in reason


def test_what_another_has_sent_before_our_turn_is_not_sent_again(copies, deliver):
    marker(copies[0]).touch()
    record_sent(copies[0])
    assert deliver(copies) == (copies[1:], "told")
    assert is_sent(copies[0])


def test_a_copy_that_is_being_sent_is_not_made_again(recorded, offline, monkeypatch):
    folder = recorded("halomass").folder
    monkeypatch.setattr(waiting, "whole_run_copy", None)
    with Turns() as turns:
        turns.take(files.ensure_writable(folder / "wandb"))
        (found,) = sync.sync([folder])
    assert found.outcome == "being sent"
    assert str(os.getpid()) in found.about
    assert not found.is_done


@pytest.mark.slow
def test_a_second_sync_reads_nothing_of_what_a_first_is_about_to_send(
    mirrored, reached, monkeypatch, capsys
):
    """The first has looked at a copy and not begun to send it; a part of it is gone then."""
    folder = mirrored("mwlmc").folder
    before = sorted(folder.glob("wandb/offline-run-*"))
    send = sync.delivered
    told = []

    def late(found, patience, turns):
        # the real thing, with a file lost, for which it would be made again
        with contextlib.suppress(StopIteration):
            next(folder.glob("wandb/offline-run-*/files/media/table/*.json")).unlink()
        command = [sys.executable, "-m", "orrery", "sync", str(folder)]
        told.append(
            subprocess.run(command, capture_output=True, text=True, check=False)
        )
        return send(found, patience, turns)

    monkeypatch.setattr(sync, "delivered", late)
    main(["sync", str(folder)])
    assert told[0].stdout.startswith(
        f"being sent: {folder} it is being sent by process"
    )
    assert told[0].returncode == 1
    assert sorted(folder.glob("wandb/offline-run-*")) == before
