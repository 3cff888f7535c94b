"""A server that takes nothing any more keeps no other copy from being sent."""

import itertools
from types import SimpleNamespace

import pytest

from orrery.results.dashboard import stalls, uploads
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.copies import is_sent
from orrery.results.dashboard.stalls import Watch, watch_wandb
from orrery.results.dashboard.uploads import Upload


@pytest.mark.parametrize(
    ("states", "pauses"),
    [
        (["1 byte"], 5),  # 1 s
        (["1 byte", "2 bytes", "3 bytes"], 2 + 4),
        (["1 byte", "2 bytes", "1 byte", "2 bytes"], 1 + 4),  # tried again
    ],
)
def test_a_server_has_its_time_after_each_new_state(monkeypatch, states, pauses):
    paused, given_up, left = [], [], iter(states)
    watch = Watch(1.0, lambda: given_up.append(len(paused)))
    watch._thread = SimpleNamespace(ident=1)  # what it does is done here
    watch.see(next(left))

    def pause(seconds):
        paused.append(seconds)
        for state in itertools.islice(left, 1):
            watch.see(state)

    monkeypatch.setattr(stalls, "time", SimpleNamespace(sleep=pause))
    watch._wait()
    assert given_up == [pauses]


def test_what_was_never_seen_is_not_given_up():
    given_up = []
    watch = Watch(0.0, lambda: given_up.append(True))
    assert not watch._thread.ident  # nobody waits yet
    watch.see(())
    watch._thread.join(60.0)
    assert given_up


def group(progress, error, seconds):
    """What wandb tells of one copy."""
    operation = SimpleNamespace(
        desc="uploading a", progress=progress, subtasks=[], error_status=error
    )
    operation.runtime_seconds = seconds
    return SimpleNamespace(label="run-a", operations=[operation], total_operations=1)


def test_what_wandb_tells_is_seen_but_for_errors_and_seconds(monkeypatch):
    from wandb.sdk.lib.progress import ProgressPrinter

    monkeypatch.setattr(ProgressPrinter, "update", ProgressPrinter.update)
    seen, told = [], []
    watch_wandb(SimpleNamespace(see=seen.append))
    printer = ProgressPrinter(SimpleNamespace(display=told.append), None, "")
    printer.update([group("0B/9B", "", 1.0)])
    printer.update([group("0B/9B", "retrying", 2.0)])
    printer.update([group("3B/9B", "retrying", 3.0)])
    assert seen.pop(0) == ()  # from its beginning
    assert seen[0] == seen[1] != seen[2]
    assert told == ["[run-a] uploading a"]  # as without a watch


@pytest.mark.slow
def test_a_copy_of_which_nothing_is_taken_is_given_up(serving, mirrored):
    file = next(mirrored("mwlmc").folder.glob("wandb/offline-run-*/*.wandb"))
    with serving(hangs_after=0):
        upload = Upload([file], Patience(probe=5.0, stall=2.0))
        upload.end(60.0)
    assert upload.is_stalled
    assert upload.reason.startswith("its server has taken nothing for 2 s")
    assert not is_sent(file)


def test_what_sends_has_a_process_of_wandbs_for_itself(tmp_path, monkeypatch):
    # another's would go on with what is given up here
    monkeypatch.setenv("WANDB_SERVICE", "3-1-unix-socket")
    copy = tmp_path / "wandb" / "offline-run-1" / "run-1.wandb"
    assert "WANDB_SERVICE" not in uploads._environment([copy])
