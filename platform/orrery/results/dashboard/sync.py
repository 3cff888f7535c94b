"""Sending what was kept: the copies of runs and trials below some folders, part by part."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.copies import COPY
from orrery.results.dashboard.deliveries import Delivery, Found
from orrery.results.dashboard.sending import delivered
from orrery.results.dashboard.turns import Turns
from orrery.results.dashboard.waiting import waiting_run, waiting_trials
from orrery.storage.run import DOCUMENT, attempt_folders
from orrery.sweeps.trial import sweep_folders

# Folders whose turns are held at once, each by an open file, of which a process has few.
_FOLDERS = 100
# Copies that are sent at once: what was sent is known after each part, and wandb reads all
# of a part before it begins.
_COPIES = 500

_Find = Callable[[Turns], Iterator[Found]]


def sync(places: Sequence[Path]) -> Iterator[Delivery]:
    """Yields what became of each copy, after sending those that were not sent before.

    Arguments:
        places: Folders of attempts, of runs, of sweeps, or of many of these.

    Raises:
        FileNotFoundError: If there is nothing in one of them.
        ConnectionError: If there is no key, or the server does not answer or refuses it.
    """
    patience = Patience.of(os.environ)
    finds = iter([find for place in places for find in _finds(place)])
    while some := list(islice(finds, _FOLDERS)):
        with Turns() as turns:
            found = (one for find in some for one in find(turns))
            while part := list(islice(found, _COPIES)):
                yield from delivered(part, patience, turns)


def _finds(place: Path) -> list[_Find]:
    """Returns what finds the copies of each run and sweep in a place.

    Raises:
        FileNotFoundError: If there is none.
    """
    runs = [partial(_run, folder) for folder in _runs(place)]
    sweeps = [partial(waiting_trials, folder) for folder in _sweeps(place.absolute())]
    if not runs and not sweeps:
        raise FileNotFoundError(
            f"no run in {place}: give the folder of a run, or of one of its attempts"
        )
    return [*runs, *sweeps]


def _run(folder: Path, turns: Turns) -> Iterator[Found]:
    yield waiting_run(folder, turns)


def _runs(place: Path) -> list[Path]:
    """Returns the folders of all attempts in a place that have a document, or a copy."""
    folder = place.parent if place.name == DOCUMENT else place
    if (folder / DOCUMENT).exists() or (folder / "wandb" / COPY).exists():
        return [folder.absolute()]
    return [one.absolute() for one in attempt_folders(folder) if _is_known(one)]


def _is_known(attempt: Path) -> bool:
    return (attempt / DOCUMENT).exists() or any((attempt / "wandb").glob("*/*.wandb"))


def _sweeps(root: Path) -> list[Path]:
    """Returns the folders of all sweeps in a place that have trials, or copies of some."""
    # as deep as sweeps with trials are sought
    patterns = (f"{above}wandb/copy-*.json" for above in ("", "*/", "*/*/", "*/*/*/"))
    noted = {note.parents[1] for pattern in patterns for note in root.glob(pattern)}
    return sorted({*sweep_folders(root), *noted})
