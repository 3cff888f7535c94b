"""Of two that would send the same copies one does, and the other says who does."""

import os
import sys
from pathlib import Path

import pytest

from orrery.results.dashboard import sync, uploader
from orrery.results.dashboard.copies import is_sent, marker, record_sent
from orrery.results.dashboard.turns import sender, turn
from orrery.results.dashboard.uploads import BUSY
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
def deliver(monkeypatch):
    """Lets a process send copies; returns its exit code, and what wandb was given."""
    given = []

    def run(*arguments, **named):
        given.extend(Path(word) for word in sys.argv if word.endswith(".wandb"))

    def call(copies):
        given.clear()
        options = uploader._parser().parse_args([str(copy) for copy in copies])
        return uploader._deliver(options), list(given)

    monkeypatch.setattr(uploader.runpy, "run_module", run)
    monkeypatch.setattr(uploader.connection, "refusal", lambda seconds: "")
    monkeypatch.setattr(uploader, "watch_wandb", lambda watch: None)
    monkeypatch.setattr(sys, "argv", ["uploader"])
    return call


def test_who_sends_is_known_until_it_has_ended(copies):
    place = copies[0].parents[1]
    with turn(place):
        assert f"it is being sent by process {os.getpid()} on " in sender(place)
        with pytest.raises(BlockingIOError, match="it is being sent by"), turn(place):
            raise AssertionError("two had their turn at once")
        assert sender(copies[2].parents[1]) == ""
    assert sender(place) == ""


def test_what_another_sends_is_left_to_it(copies, deliver, capsys):
    assert deliver(copies) == (0, copies)
    for copy in copies:  # as if another had come so far
        marker(copy).touch()
    with turn(copies[0].parents[1]):
        assert deliver(copies) == (0, copies[2:])
        assert deliver(copies[:2]) == (BUSY, [])
    assert "it is being sent by process" in capsys.readouterr().out
    assert [marker(copy).exists() for copy in copies] == [True, True, False]


def test_what_another_has_sent_before_our_turn_is_not_sent_again(copies, deliver):
    marker(copies[0]).touch()
    record_sent(copies[0])
    assert deliver(copies) == (0, copies[1:])
    assert is_sent(copies[0])
    assert deliver(copies[:1]) == (0, [])


class NoUpload:
    """An upload that leaves all to others."""

    is_refused = False
    is_stalled = False
    deleted = frozenset()
    reason = "others do it"
    count = 0

    def __init__(self, paths, patience, on_address=None):
        type(self).count += 1

    def end(self, seconds):
        pass


def test_each_copy_that_another_sends_is_kept_with_its_name(copies, monkeypatch):
    monkeypatch.setattr(sync, "Upload", NoUpload)
    with turn(copies[0].parents[1]):
        reasons = sync._send(copies, None)
    assert NoUpload.count == 2  # of all, and of the one that nobody sends
    assert ["being sent" in reasons[copy] for copy in copies] == [True, True, False]


def test_a_copy_that_is_being_sent_is_not_made_again(recorded, offline, monkeypatch):
    folder = recorded("halomass").folder
    monkeypatch.setattr(sync, "_whole_copy", None)
    with turn(files.ensure_writable(folder / "wandb")):
        (found,) = sync.sync([folder])
    assert found.outcome == "being sent"
    assert str(os.getpid()) in found.about
    assert not found.is_done
