"""A run's place on the disk: a folder for each set of options, in it one for each attempt.

The same options, with the same content of the files that they name, always find the same
folder. Every start makes a new attempt there, so that nothing an earlier one found is
ever replaced, whatever code it ran; trained networks lie beside the attempts, where the
next one finds them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from orrery.failures import LONGEST_NAME
from orrery.identity import JSON, describe, fingerprint
from orrery.option_types import check_types
from orrery.storage.files import ensure_writable
from orrery.storage.inputs import InputFile, input_files, unspelled
from orrery.storage.store import Address, locate

ATTEMPT = "attempt-"
DOCUMENT = "run.json"
EPOCHS = "epochs.jsonl"  # the losses of what it trains
DRAWN = "drawn.json"  # the checksums of what its page has drawn
NO_VERSIONS: Mapping[str, int] = MappingProxyType({})
_EXPERIMENT = re.compile(r"\w[\w .+-]*")
_WANDB = "wandb"  # whose folder is W&B's own, in which nobody looks for runs


@dataclass(frozen=True)
class RunIdentity:
    """What makes a run this one and no other.

    Arguments:
        experiment: The experiment's name.
        options: The options as plain JSON.
        inputs: The files that it reads.
        fingerprint: Of experiment, options, content of the files, and versions of the
            functions that summarise.

    Example:
        >>> RunIdentity("desi", {"seed": 1}, (), "0123").shared(Path("runs"))
        PosixPath('runs/desi/0123')
    """

    experiment: str
    options: JSON
    inputs: tuple[InputFile, ...]
    fingerprint: str

    def shared(self, root: Path) -> Path:
        """Returns the folder of all its attempts.

        Arguments:
            root: The folder of all runs.
        """
        return root / self.experiment / self.fingerprint


def identify_run(
    experiment: str,
    choices: Any,
    summaries: Mapping[str, int] = NO_VERSIONS,
    unread: Sequence[str] = (),
) -> RunIdentity:
    """Returns what makes a run this one and no other.

    Another table in the same place is another run, and so are summaries of another
    version: what was found with the one is no answer for the other. Where things are
    kept decides nothing: fields of a dataclass whose metadata has `"place": True` are
    not part of the fingerprint, nor are the names of files that are read.

    Arguments:
        experiment: The experiment's name, which is that of the folder of its runs.
        choices: The options, a dataclass.
        summaries: Versions of the functions that summarise, by their names.
        unread: The options, such as `stars`, whose file is not read with these choices.

    Raises:
        ValueError: If the name is none that a folder of runs can have, or an option has
            not the type that its annotation promises.
        OSError: If a file that an option names cannot be read.
    """
    _check_experiment(experiment)
    options = describe(choices)
    check_types(choices)
    inputs = input_files(choices, unread)
    decides = {
        "experiment": experiment,
        "options": unspelled(describe(choices, places=False), choices, unread),
        "inputs": {file.key: file.sha256 for file in inputs},
        "summaries": dict(summaries),
    }
    return RunIdentity(experiment, options, inputs, fingerprint(decides))


def _check_experiment(name: str) -> None:
    """Raises ValueError if commands would not find the runs of a name, or elsewhere."""
    plain = _EXPERIMENT.fullmatch(name) and len(name.encode()) <= LONGEST_NAME
    if not plain or name.startswith(ATTEMPT) or name == _WANDB:
        raise ValueError(
            f"the experiment {name!r} names the folder of its runs: use letters, digits, "
            f"underscores and hyphens, and neither {ATTEMPT!r} at its begin nor {_WANDB!r}"
        )


@dataclass(frozen=True)
class Run:
    """One attempt at an experiment.

    Arguments:
        experiment: The experiment's name.
        folder: Where everything that this attempt reports goes.
        fingerprint: Identifies the options; the same options always find the same
            folder of attempts.
        attempt: Its number, from 1.
        options: The options as plain JSON.
        inputs: The files that it reads.

    Example:
        >>> Run("desi", Path("runs/desi/0123/attempt-001"), "0123", 1, {}).shared
        PosixPath('runs/desi/0123')
    """

    experiment: str
    folder: Path
    fingerprint: str
    attempt: int
    options: JSON
    inputs: tuple[InputFile, ...] = ()

    @property
    def shared(self) -> Path:
        """The folder that all attempts with these options share."""
        return self.folder.parent


def make_shared(identity: RunIdentity, root: Path) -> Path:
    """Returns the folder of all attempts at a run, made if need be.

    Arguments:
        identity: The run.
        root: The folder of all runs.

    Raises:
        ValueError: If it is in a bucket.
        OSError: If the folder cannot be written.
    """
    if isinstance(locate(root), Address):
        raise ValueError(
            f"{root} is in a bucket, and runs grow line by line: keep them in a folder; only "
            "datasets may lie in a bucket"
        )
    return ensure_writable(identity.shared(root))


def start(identity: RunIdentity, root: Path = Path("runs")) -> Run:
    """Returns a new attempt at an experiment with the given options, its folder ready.

    The folder is `<root>/<experiment>/<fingerprint>/attempt-<number>`.

    Arguments:
        identity: The run.
        root: The folder of all runs.

    Raises:
        ValueError: If it is in a bucket.
        OSError: If the folder cannot be written.
    """
    shared = make_shared(identity, root)
    number, folder = _new_attempt(shared)
    return Run(
        identity.experiment,
        folder,
        identity.fingerprint,
        number,
        identity.options,
        identity.inputs,
    )


def _new_attempt(shared: Path) -> tuple[int, Path]:
    number = max([*map(attempt_number, attempts(shared)), 0])
    while True:
        number += 1
        folder = shared / f"{ATTEMPT}{number:03d}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue  # another process began at the same moment
        return number, folder


def attempts(shared: Path) -> list[Path]:
    """Returns the folders of all attempts with the same options, oldest first."""
    found = [path for path in shared.glob(f"{ATTEMPT}*") if _is_attempt(path)]
    return sorted(found, key=attempt_number)


def only_run(folder: Path, remedy: str) -> Path:
    """Returns the folder of the one run that an experiment's folder has.

    Arguments:
        folder: The experiment's, such as `runs/desi`.
        remedy: What to do where it has none.

    Raises:
        FileNotFoundError: If it has none, or more than one.
    """
    found = sorted({p.parents[1] for p in folder.glob(f"*/{ATTEMPT}*/{DOCUMENT}")})
    if not found:
        raise FileNotFoundError(f"no run in {folder}: {remedy}")
    if len(found) > 1:
        raise FileNotFoundError(
            f"{folder} holds {len(found)} runs: give one of them, such as {found[-1]}"
        )
    return found[0]


def _is_attempt(folder: Path) -> bool:
    """Returns whether a folder is an attempt's, and no copy that somebody put aside."""
    return folder.name.removeprefix(ATTEMPT).isdecimal()


def attempt_number(folder: Path) -> int:
    """Returns the number of an attempt's folder."""
    return int(folder.name.removeprefix(ATTEMPT))


def attempt_folders(root: Path) -> list[Path]:
    """Returns the folders of all attempts below a folder, by experiment, run and attempt.

    Arguments:
        root: The folder of all runs, of one experiment, or of one set of options.
    """
    # No deeper: trainings come and go below, and a walk would trip over them.
    depths = (f"{above}{ATTEMPT}*/" for above in ("", "*/", "*/*/"))
    found = [path for pattern in depths for path in root.glob(pattern)]
    return sorted(path for path in found if _is_attempt(path))


def documents(root: Path) -> list[Path]:
    """Returns the documents of all attempts below a folder that have one, in the same order.

    Arguments:
        root: The folder of all runs, of one experiment, or of one set of options.
    """
    places = [folder / DOCUMENT for folder in attempt_folders(root)]
    return [path for path in places if path.exists()]
