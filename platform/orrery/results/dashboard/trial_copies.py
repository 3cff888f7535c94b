"""The copy of one trial, made from its file whenever it is wanted: a run in its sweep's group."""

import os
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from orrery.identity import fingerprint
from orrery.results.dashboard import connection
from orrery.results.dashboard.copies import Copy, whole_copy
from orrery.results.dashboard.mirror import Heading, Mirror, OnLoss, tell_loss
from orrery.storage import files
from orrery.sweeps.trial import Trial


def note_of(trial: Trial) -> str:
    """Returns the name of the file that tells of a trial's copy."""
    return f"copy-{trial.number:05d}.json"


def copied(folder: Path, trial: Trial, on_loss: OnLoss = tell_loss) -> Copy:
    """Returns a trial's copy, made again unless there is a whole one of it.

    Arguments:
        folder: Of its sweep.
        trial: One that has ended.
        on_loss: Called with the first item that could not be written, and why.

    Raises:
        BlockingIOError: If another process is copying trials of the sweep.
        Exception: Whatever wandb raises.
    """
    note = note_of(trial)
    # the same number has another point where its file was lost, and it was tried again
    source = fingerprint(trial.document)

    def make(identity: str | None) -> Copy:
        heading = _heading(folder, trial, identity or _new_identity(folder, trial))
        named = replace(heading, note=note, source=source)
        _write(Mirror.begin(named, on_loss), trial)
        copy = Copy.read(folder, note)
        if copy is None:
            raise OSError(f"{folder / 'wandb' / note} could not be written")
        return copy

    place = files.ensure_writable(folder / "wandb")
    with files.locked(place, "`python -m orrery sync` later"):
        return whole_copy(folder, make, note, source)


def _new_identity(folder: Path, trial: Trial) -> str:
    return f"{folder.name}-{trial.number:05d}-{uuid.uuid4().hex[:6]}"


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
