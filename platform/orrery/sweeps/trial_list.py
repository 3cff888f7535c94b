"""The list of a sweep's trials: written when the sweep ends, so that none of them is lost unseen.

It has a fingerprint of each trial that has come to an end: of all that is the same whenever
the trial is computed again. A sweep that goes on writes it anew at its next end.
"""

from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from orrery.identity import fingerprint, is_fingerprint
from orrery.storage.documents import write_document
from orrery.storage.findings import Finding, sound_document
from orrery.sweeps.trial import (
    SWEEP,
    TRIAL_REMEDY,
    TRIALS,
    Trial,
    read_trial,
    trial_path,
    trial_paths,
)

TRIAL_LIST = "trials.json"
SWEEP_REMEDY = "the sweep's command writes it again"


def write_trial_list(folder: Path, trials: Sequence[Trial]) -> None:
    """Writes the list of trials, complete or not at all.

    Arguments:
        folder: Of the sweep.
        trials: Those that have come to an end.

    Raises:
        OSError: If it cannot be written.
    """
    listed = {str(trial.number): fingerprint(trial.lasting) for trial in trials}
    write_document(folder / TRIAL_LIST, {"trials": listed})


def sweep_findings(folder: Path, inside: Set[str]) -> Iterator[Finding]:
    """Yields what is wrong in the folder of a sweep, the bytes of its documents aside.

    Arguments:
        folder: The folder.
        inside: What lies in it, without what is hidden.
    """
    if not inside & {SWEEP, TRIAL_LIST, TRIALS}:
        return
    yield from _searched(folder)
    found = dict(_trials(folder))
    listed = _listed(folder)
    for number in range(max([*found, *map(int, listed)], default=-1) + 1):
        trial = found.get(number, "is missing")
        reason = trial if isinstance(trial, str) else _exchanged(trial, listed)
        if reason is not None:
            name = trial_path(folder, number).relative_to(folder).as_posix()
            yield Finding(name, reason, TRIAL_REMEDY)


def _searched(folder: Path) -> Iterator[Finding]:
    """Yields what is wrong with the document of what was searched, and with the list."""
    if not (folder / SWEEP).exists():
        yield Finding(SWEEP, "is missing", SWEEP_REMEDY)
    elif is_fingerprint(folder.name):
        document = sound_document(folder / SWEEP)
        if document is not None and fingerprint(document) != folder.name:
            yield Finding(SWEEP, f"is that of {fingerprint(document)}", SWEEP_REMEDY)
    if not (folder / TRIAL_LIST).exists():
        said = "is missing: the sweep has not ended, or did before there was one"
        yield Finding(TRIAL_LIST, said, SWEEP_REMEDY, is_damage=False)


def _trials(folder: Path) -> Iterator[tuple[int, Trial | str]]:
    """Yields what is in each trial's file, or what is wrong with it, by the file's number."""
    for path in trial_paths(folder):
        number = int(path.stem.removeprefix("trial-"))
        try:
            yield number, read_trial(path)
        except ValueError as error:
            said = str(error).removeprefix(f"{path} ").partition(": the sweep's")
            yield number, said[0]


def _listed(folder: Path) -> dict[str, str]:
    """Returns the fingerprints of the list, by number as text; none if it is damaged.

    Raises:
        KeyError: If it is another document.
    """
    path = folder / TRIAL_LIST
    document = sound_document(path) if path.exists() else None
    listed = {} if document is None else document["trials"]
    return {number: own for number, own in listed.items() if number.isdecimal()}


def _exchanged(trial: Trial, listed: dict[str, str]) -> str | None:
    """Returns that a trial is not the listed one, if it is not."""
    own = fingerprint(trial.lasting)
    # One that was damaged is computed again, and listed at the sweep's end.
    differs = listed.get(str(trial.number), own) != own
    return f"is not what {TRIAL_LIST} lists" if trial.known and differs else None
