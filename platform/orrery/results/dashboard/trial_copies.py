"""The copy of one trial, made from its file whenever it is wanted: a run in its sweep's group."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from orrery.identity import fingerprint
from orrery.results.dashboard import connection
from orrery.results.dashboard.copies import Copy, Origin, whole_copy
from orrery.results.dashboard.mirror import Heading, Mirror, OnLoss, tell_loss
from orrery.storage import files
from orrery.sweeps.trial import Trial


def note_name(number: int) -> str:
    """Returns the name of the file that tells of a trial's copy."""
    return f"copy-{number:05d}.json"


def copied_numbers(folder: Path) -> set[int]:
    """Returns the numbers of the trials of which there are copies, or notes of copies.

    Arguments:
        folder: Of their sweep.
    """
    notes = (folder / "wandb").glob("copy-*.json")
    copies = (folder / "wandb").glob("offline-run-*/run-*.wandb")
    digits = [note.stem.rpartition("-")[2] for note in notes]
    digits += [copy.stem.rpartition("-")[0].rpartition("-")[2] for copy in copies]
    return {int(number) for number in digits if number.isdecimal()}


def is_of_number(copy: Copy, number: int) -> bool:
    """Returns whether a copy is that of a trial of a number, as its identity says."""
    return f"-{number:05d}-" in copy.identity


def copied(
    folder: Path, trial: Trial, on_loss: OnLoss = tell_loss, identity: str | None = None
) -> Copy:
    """Returns a trial's copy, made again unless there is a whole one of it.

    Arguments:
        folder: Of its sweep.
        trial: One that has ended.
        on_loss: Called with the first item that could not be written, and why.
        identity: Of one that is made again; its own when None.

    Raises:
        BlockingIOError: If another process is copying trials of the sweep.
        Exception: Whatever wandb raises.
    """
    origin = trial_origin(folder, trial)

    def make(usual: str) -> Copy:
        heading = _heading(folder, trial, identity or usual)
        named = replace(heading, note=origin.note, source=origin.source)
        _write(Mirror.begin(named, on_loss), trial)
        copy = Copy.read(folder, origin.note)
        if copy is None:
            raise OSError(f"{folder / 'wandb' / origin.note} could not be written")
        return copy

    place = files.ensure_writable(folder / "wandb")
    with files.locked(place, "`orrery sync` later"):
        return whole_copy(folder, make, origin)


def trial_origin(folder: Path, trial: Trial) -> Origin:
    """Returns what a trial's copy is of.

    The same number has another point where its file was lost, and it was tried again.

    Arguments:
        folder: Of its sweep.
        trial: The trial.
    """
    name = f"{folder.name}-{trial.number:05d}"
    return Origin(name, fingerprint(trial.document), note_name(trial.number))


def _write(mirror: Mirror, trial: Trial) -> None:
    for step, values in enumerate(trial.curve):
        mirror.row({"report": step, **values})
    mirror.metrics({**trial.objectives, "state": trial.state, "seconds": trial.seconds})
    if trial.reason:
        mirror.metrics({"reason": trial.reason})
    mirror.close(trial.state == "failed")


def _heading(folder: Path, trial: Trial, identity: str) -> Heading:
    name = folder.parent.name  # a sweep's folder lies in one with its name
    return Heading(
        folder=folder,
        identity=identity,
        name=f"{name}-{trial.number:05d}",
        group=f"{name}-{folder.name[:8]}",
        kind="trial",
        config=_config(trial),
        sweep=connection.trials_sweep(os.environ),
    )


def _config(trial: Trial) -> dict[str, Any]:
    """Returns a trial's options by path, and by the short names of the command line.

    A W&B sweep knows them by the latter, as experiments do.
    """
    paths = dict(trial.point)
    leaves = {path.rpartition(".")[2]: value for path, value in paths.items()}
    unique = leaves if len(leaves) == len(paths) else {}
    return {**unique, **paths, "trial": trial.number, "identity": trial.identity}
