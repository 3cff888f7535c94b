"""Sending what was kept: the copies of runs and trials below some folders, one after another.

A run without a whole copy, because it was killed or W&B failed, gets one from its document,
and so does a trial from its file, once it has ended.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from orrery.results.dashboard.absences import absences, in_words, lacking
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.copies import COPY, Copy, is_sent, whole_copy
from orrery.results.dashboard.reader import new_identity, replay, tell_address
from orrery.results.dashboard.refusals import DELETED, check_earlier_marks
from orrery.results.dashboard.trial_copies import copied, note_of
from orrery.results.dashboard.turns import sender
from orrery.results.dashboard.uploads import Upload
from orrery.results.result import Result, readable
from orrery.storage import files
from orrery.storage.run import DOCUMENT, documents
from orrery.sweeps.trial import Trial, read_trials, sweep_folders, trial_path
from orrery.terminal import say

_Outcome = Literal[
    "sent",
    "sent before",
    "sent in part",
    "being sent",
    "unfinished",
    "still running",
    "no copy",
    "kept",
]


@dataclass(frozen=True)
class Delivery:
    """What became of a copy.

    Arguments:
        place: The run's folder, or a trial's file.
        outcome: Whether it was sent, and if not, whether it is kept.
        about: Why it was not sent, or where it can be seen.

    Example:
        >>> Delivery(Path("runs/x"), "kept", "no network").is_done
        False
    """

    place: Path
    outcome: _Outcome
    about: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to send."""
        return self.outcome in ("sent", "sent before", "unfinished")


def sync(places: Sequence[Path]) -> list[Delivery]:
    """Returns what became of each copy, after sending those that were not sent before.

    Arguments:
        places: Folders of attempts, of runs, of sweeps, or of many of these.

    Raises:
        FileNotFoundError: If there is nothing in one of them.
        ConnectionError: If there is no key, or the server does not answer or refuses it.
    """
    patience = Patience.of(os.environ)
    check_earlier_marks(folder / "wandb" for one in places for folder in _folders(one))
    found = [one for place in places for one in _prepared(place)]
    return _delivered(found, patience)


@dataclass(frozen=True)
class _Waiting:
    """A copy that is to be sent.

    Arguments:
        place: The run's folder, or the trial's file.
        folder: Of the run or sweep.
        copy: What is known of it.
        again: Makes it again, if need be.
        note: The name of the file that tells of it.
    """

    place: Path
    folder: Path
    copy: Copy
    again: Callable[[], "_Waiting | Delivery"]
    note: str = COPY

    @property
    def file(self) -> Path:
        return self.copy.path(self.folder)


_Found = _Waiting | Delivery


def _delivered(found: list[_Found], patience: Patience) -> list[Delivery]:
    """Returns what became of each copy, after sending those that wait for it.

    Raises:
        ConnectionError: If the server takes nothing from us.
    """
    reasons = _send(_files(found), patience)
    again = [
        _renewed(one)
        if isinstance(one, _Waiting) and reasons.get(one.file) == DELETED
        else one
        for one in found
    ]
    renewed = [new for new, old in zip(again, found, strict=True) if new is not old]
    reasons |= _send(_files(renewed), patience)
    return [
        one if isinstance(one, Delivery) else _outcome(one, reasons) for one in again
    ]


def _files(found: list[_Found]) -> list[Path]:
    return [one.file for one in found if isinstance(one, _Waiting)]


def _renewed(one: _Waiting) -> _Found:
    """Returns a copy with another identity, of a run that was deleted on the server."""
    say(
        f"Weights & Biases has deleted its run {one.copy.identity}, and takes none of that "
        f"identity any more: {one.place} is sent as a new run"
    )
    one.copy.remove(one.folder, one.note)
    return one.again()


def _prepared(place: Path) -> list[_Found]:
    """Returns for each run or trial the copy that is to be sent.

    Where there is none to be sent, what became of it stands instead.
    """
    runs = [_copy_of(readable(folder)) for folder in _runs(place)]
    sweeps = sweep_folders(place.absolute())
    trials = [one for sweep in sweeps for one in _copies_of_trials(sweep)]
    if not runs and not trials:
        raise FileNotFoundError(
            f"no run in {place}: give the folder of a run, or of one of its attempts"
        )
    return [*runs, *trials]


def _runs(place: Path) -> Iterator[Path]:
    """Yields the folders of all attempts in a place."""
    folder = place.parent if place.name == DOCUMENT else place
    if (folder / DOCUMENT).exists():
        yield folder.absolute()
    else:
        yield from (path.parent.absolute() for path in documents(folder))


def _folders(place: Path) -> list[Path]:
    """Returns the folders of all attempts and sweeps in a place."""
    return [*_runs(place), *sweep_folders(place.absolute())]


def _elsewhere(folder: Path, place: Path, note: str = COPY) -> Delivery | None:
    """Returns what becomes of a copy if it is not ours to send now, or not to be marked.

    Made again it would be taken from under whoever sends it; and one that cannot be marked
    would be sent for ever.

    Arguments:
        folder: Of the run or sweep.
        place: The run's folder, or the trial's file.
        note: The name of the file that tells of the copy.
    """
    who = sender(folder / "wandb")
    problem = who or _unwritable(folder / "wandb")
    if not problem:
        return None
    copy = Copy.read(folder, note)
    if copy and is_sent(copy.path(folder)):
        return _sent_before(place, copy)
    if who:
        return Delivery(place, "being sent", who)
    return Delivery(place, "kept" if copy and copy.whole else "no copy", problem)


def _unwritable(folder: Path) -> str:
    try:
        files.ensure_writable(folder)
    except OSError as problem:
        said = str(problem.strerror).partition(": ")[0]
        return (
            f"it could not be recorded that it was sent ({said}): copy the run or sweep to "
            "where you may write, and sync it there"
        )
    return ""


def _copy_of(result: Result) -> _Found:
    folder = result.folder
    if left := _left_alone(result):
        return left
    try:
        with files.locked(folder / "wandb", "`python -m orrery sync` later"):
            copy = _whole_copy(result)
    except BlockingIOError:
        return Delivery(folder, "still running", "its copy is being written")
    except Exception as problem:
        return Delivery(folder, "no copy", in_words(problem))
    if not copy.whole:
        # sent as it is, it would be marked as sent
        return Delivery(folder, "no copy", f"wandb took no {', '.join(copy.lost)}")
    again = partial(_copy_of, result)
    return _unless_sent(_Waiting(folder, folder, copy, again))


def _left_alone(result: Result) -> Delivery | None:
    """Returns what becomes of a run's copy if it is neither to be made nor to be sent."""
    folder = result.folder
    # a run that has finished may be written still
    if result.status == "running" or files.is_locked(folder):
        return Delivery(folder, "still running", "its copy is being written")
    if result.status == "damaged":
        return Delivery(folder, "no copy", result.document["reason"])
    return _elsewhere(folder, folder)


def _unless_sent(waiting: _Waiting) -> _Found:
    if is_sent(waiting.file):
        return _sent_before(waiting.place, waiting.copy)
    return waiting


def _sent_before(place: Path, copy: Copy) -> Delivery:
    return _in_part(place, copy.gone) or Delivery(place, "sent before")


def _in_part(place: Path, gone: tuple[str, ...]) -> Delivery | None:
    if not gone:
        return None
    return Delivery(place, "sent in part", f"without {', '.join(gone)}")


def _whole_copy(result: Result) -> Copy:
    """Returns a run's copy, made again unless it is whole.

    Raises:
        Exception: Whatever wandb raises.
    """
    document = result.document

    def make(identity: str | None) -> Copy:
        fresh = new_identity(document["run"], document["attempt"])
        return replay(result, identity or fresh)

    return whole_copy(result.folder, make, gone=lambda: lacking(absences(result)))


def _copies_of_trials(sweep: Path) -> Iterator[_Found]:
    """Yields for each trial of a sweep the copy that is to be sent."""
    is_searched = files.is_locked(sweep)
    for trial in read_trials(sweep):
        place = trial_path(sweep, trial.number)
        if trial.known:
            yield _copy_of_trial(sweep, trial, place)
        elif is_searched:
            yield Delivery(place, "still running", "its sweep is being searched")
        else:
            # a copy would show it as one that has ended
            yield Delivery(place, "unfinished", trial.reason)


def _copy_of_trial(sweep: Path, trial: Trial, place: Path) -> _Found:
    if elsewhere := _elsewhere(sweep, place, note_of(trial)):
        return elsewhere
    lost: list[str] = []

    def on_loss(item: str, problem: Exception) -> None:
        lost.append(f"wandb took no {item} ({in_words(problem)})")

    try:
        copy = copied(sweep, trial, on_loss)
    except BlockingIOError:
        return Delivery(place, "still running", "its copy is being written")
    except Exception as problem:
        return Delivery(place, "no copy", in_words(problem))
    if not copy.whole:
        # sent as it is, it would be marked as sent
        return Delivery(place, "no copy", "; ".join(lost))
    again = partial(_copy_of_trial, sweep, trial, place)
    return _unless_sent(_Waiting(place, sweep, copy, again, note_of(trial)))


def _send(copies: list[Path], patience: Patience) -> dict[Path, str]:
    """Returns why copies were not sent, of those that were not.

    Raises:
        ConnectionError: If the server takes nothing from us.
    """
    if not copies:
        return {}
    say(f"sending {len(copies)} copies to Weights & Biases")
    upload = _sent(copies, patience)
    if upload.is_refused:
        raise ConnectionError(
            f"Weights & Biases takes nothing ({upload.reason}): all is kept, and the same "
            "command sends it later"
        )
    deleted = dict.fromkeys(upload.deleted, DELETED)
    left = [file for file in copies if not is_sent(file) and file not in deleted]
    if len(copies) == 1:
        return deleted | dict.fromkeys(left, upload.reason)
    return deleted | _send_one_by_one(left, patience)


def _sent(copies: list[Path], patience: Patience) -> Upload:
    """Returns an upload that has ended."""
    upload = Upload(copies, patience, on_address=tell_address)
    upload.end(None)
    if upload.is_stalled:
        say(f"warning: Weights & Biases: {upload.reason}; what is not sent is kept")
    return upload


def _send_one_by_one(copies: list[Path], patience: Patience) -> dict[Path, str]:
    """Returns why copies were not sent: `wandb sync` leaves all where one is damaged.

    What somebody else is sending is left to them; and where the server takes nothing any
    more, none is tried after that.
    """
    reasons: dict[Path, str] = {}
    for file in copies:
        if is_sent(file):  # by somebody else, meanwhile
            continue
        if who := sender(file.parents[1]):
            reasons[file] = who
            continue
        upload = _sent([file], patience)
        if upload.deleted:
            reasons[file] = DELETED
            continue
        # each would cost the same wait again
        if upload.is_refused or upload.is_stalled:
            left = [one for one in copies if not is_sent(one)]
            return {**dict.fromkeys(left, upload.reason), **reasons}
        reasons[file] = upload.reason
    return reasons


def _outcome(one: _Waiting, reasons: dict[Path, str]) -> Delivery:
    if not is_sent(one.file):
        return Delivery(one.place, "kept", reasons[one.file])
    return _in_part(one.place, one.copy.gone) or Delivery(one.place, "sent")
