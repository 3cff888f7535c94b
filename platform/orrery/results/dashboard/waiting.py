"""What waits in the folder of a run or sweep to be sent.

A run without a whole copy, because it was killed or W&B failed, gets one from its document,
and so does a trial from its file, once it has ended. Where these are lost or damaged, a copy
that is whole is sent as it is.
"""

import shlex
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

from orrery.results.dashboard.absences import holdings, in_words
from orrery.results.dashboard.copies import COPY, Copy, can_be_kept, is_sent, whole_copy
from orrery.results.dashboard.deliveries import Delivery, Found, Waiting, unless_sent
from orrery.results.dashboard.reader import origin_of, replay
from orrery.results.dashboard.trial_copies import (
    copied,
    copied_numbers,
    is_of_number,
    note_name,
    trial_origin,
)
from orrery.results.dashboard.turns import Turns
from orrery.results.result import Result, readable
from orrery.storage import files
from orrery.storage.run import DOCUMENT
from orrery.sweeps.trial import (
    Trial,
    read_trial,
    settled,
    trial_path,
    trial_paths,
)

_LATER = "`orrery sync` later"


def _elsewhere(
    folder: Path, place: Path, turns: Turns, note: str = COPY
) -> Delivery | None:
    """Returns what becomes of a copy if it is not ours to send now, or not to be marked.

    Made again it would be taken from under whoever sends it; and one that cannot be marked
    would be sent for ever.

    Arguments:
        folder: Of the run or sweep.
        place: The run's folder, or the trial's file.
        turns: In which ours are sent.
        note: The name of the file that tells of the copy.
    """
    try:
        files.ensure_writable(folder / "wandb")
        turns.take(folder / "wandb")
        return None
    except BlockingIOError as problem:
        who, why = True, str(problem)
    except OSError as problem:
        said = str(problem.strerror or problem).partition(": ")[0]
        who, why = False, f"it could not be recorded that it was sent ({said})"
    copy = Copy.read(folder, note)
    if copy and is_sent(copy.path(folder)):
        return Waiting(place, folder, copy).outcome(before=True)
    if who:
        return Delivery(place, "being sent", why)
    remedy = "copy the run or sweep to where you may write, and sync it there"
    kept = copy and copy.whole
    return Delivery(place, "kept" if kept else "no copy", f"{why}: {remedy}")


def _as_it_is(folder: Path, place: Path, flaw: str, number: int | None = None) -> Found:
    """Returns a copy of which nothing is left but itself, if it is whole.

    Arguments:
        folder: Of the run or sweep.
        place: The run's folder, or the trial's file.
        flaw: What is wrong with that.
        number: The trial's.
    """
    note = COPY if number is None else note_name(number)
    copy = Copy.read(folder, note)
    if copy is None:
        return Delivery(place, "no copy", f"{flaw}{_left(folder, number)}")
    if number is not None and not is_of_number(copy, number):
        return Delivery(
            place, "no copy", f"{flaw}; {note} tells of another's, {copy.identity}"
        )
    if not (copy.whole and can_be_kept(copy, folder)):
        return Delivery(place, "no copy", f"{flaw}; and its copy is not whole")
    flaw = f"{flaw}: its copy alone is whole"
    return unless_sent(Waiting(place, folder, copy, None, note, flaw))


def _left(folder: Path, number: int | None) -> str:
    """Returns what can be done with copies of which no note tells, in words."""
    name = "run-*" if number is None else f"run-*-{number:05d}-*"
    left = sorted((folder / "wandb").glob(f"offline-run-*/{name}.wandb"))
    if not left:
        return ""
    words = shlex.join(["wandb", "sync", *map(str, left)])
    return f"; nothing tells whether its copy is whole: `{words}` sends it as it is"


# --- runs -------------------------------------------------------------------------------


def waiting_run(folder: Path, turns: Turns) -> Found:
    """Returns the copy of a run that is to be sent, or what became of it.

    Arguments:
        folder: Of the attempt.
        turns: Ours, of which one more is taken.
    """
    is_lost = not (folder / DOCUMENT).exists()
    result = readable(folder)
    # a run that has finished may be written still
    if result.status == "running" or files.is_locked(folder):
        return Delivery(folder, "still running", "its copy is being written")
    if elsewhere := _elsewhere(folder, folder, turns):
        return elsewhere
    if is_lost:
        return _as_it_is(folder, folder, f"its {DOCUMENT} is lost")
    if result.status == "damaged":
        return _as_it_is(folder, folder, result.document["reason"])
    return _copy_of(result)


def _copy_of(result: Result, fresh: bool = False) -> Found:
    folder = result.folder
    try:
        with files.locked(folder / "wandb", _LATER):
            copy = whole_run_copy(result, fresh)
    except BlockingIOError:
        return Delivery(folder, "still running", "its copy is being written")
    except Exception as problem:
        return Delivery(folder, "no copy", in_words(problem))
    if not copy.whole:
        # sent as it is, it would be marked as sent
        return Delivery(folder, "no copy", f"wandb took no {', '.join(copy.lost)}")
    again = partial(_copy_of, result, True)
    return unless_sent(Waiting(folder, folder, copy, again))


def whole_run_copy(result: Result, fresh: bool = False) -> Copy:
    """Returns a run's copy, made again unless it is whole.

    Arguments:
        result: The run.
        fresh: Whether one that is made again gets an identity that was never used.

    Raises:
        Exception: Whatever wandb raises.
    """
    origin = origin_of(result.document)
    held = cache(partial(holdings, result))

    def make(usual: str) -> Copy:
        return replay(result, origin.fresh_identity if fresh else usual, held())

    return whole_copy(result.folder, make, origin, gone=lambda: held().lacking)


# --- trials -----------------------------------------------------------------------------


def waiting_trials(sweep: Path, turns: Turns) -> Iterator[Found]:
    """Yields for each trial of a sweep the copy that is to be sent, or what became of it.

    Arguments:
        sweep: The sweep's folder.
        turns: Ours, of which one more is taken.
    """
    is_searched = files.is_locked(sweep)
    paths = {int(path.stem.rpartition("-")[2]): path for path in trial_paths(sweep)}
    for number in sorted({*paths, *copied_numbers(sweep)}):
        place = trial_path(sweep, number)
        found = _trial_in(paths.get(number), sweep)
        if is_searched and (isinstance(found, str) or not found.known):
            yield Delivery(place, "still running", "its sweep is being searched")
        elif isinstance(found, str):
            elsewhere = _elsewhere(sweep, place, turns, note_name(number))
            yield elsewhere or _as_it_is(sweep, place, found, number)
        elif found.known:
            elsewhere = _elsewhere(sweep, place, turns, note_name(number))
            yield elsewhere or _copy_of_trial(sweep, found, place)
        else:
            # a copy would show it as one that has ended
            yield Delivery(place, "unfinished", found.reason)


def _trial_in(path: Path | None, sweep: Path) -> Trial | str:
    """Returns the trial in a file, or what is wrong with that."""
    if path is None:
        return "its file is lost"
    try:
        return settled(read_trial(path), sweep)
    except (ValueError, OSError) as problem:
        return str(problem)


def _copy_of_trial(
    sweep: Path, trial: Trial, place: Path, fresh: bool = False
) -> Found:
    lost: list[str] = []

    def on_loss(item: str, problem: Exception) -> None:
        lost.append(f"wandb took no {item} ({in_words(problem)})")

    origin = trial_origin(sweep, trial)
    identity = origin.fresh_identity if fresh else None
    try:
        copy = copied(sweep, trial, on_loss, identity)
    except BlockingIOError:
        return Delivery(place, "still running", "its copy is being written")
    except Exception as problem:
        return Delivery(place, "no copy", in_words(problem))
    if not copy.whole:
        # sent as it is, it would be marked as sent
        return Delivery(place, "no copy", "; ".join(lost))
    again = partial(_copy_of_trial, sweep, trial, place, True)
    return unless_sent(Waiting(place, sweep, copy, again, origin.note))
