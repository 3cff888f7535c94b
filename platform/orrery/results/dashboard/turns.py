"""The copies of a folder are sent by one process at a time.

Of two neither could tell whose mark a copy has, and whether everything of it was taken.
The process that sends holds the lock, not the one that started it: so it lasts as long as
the sending, whoever is killed.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from orrery.storage import files

_PLACE = "sending"
_TRIES = 4
_PAUSE = 0.05  # [s] between them


@contextmanager
def turn(place: Path) -> Iterator[None]:
    """Returns a context in which nobody else sends the copies in a folder.

    Arguments:
        place: The folder `wandb` of a run or sweep.

    Raises:
        BlockingIOError: If somebody else sends them; it names who.
        OSError: If the folder cannot be written.
    """
    folder = files.ensure_writable(place / _PLACE)
    with ExitStack() as held:
        try:
            _lock(folder, held)
        except BlockingIOError as error:
            raise BlockingIOError(sender(place) or "it was being sent") from error
        yield


def _lock(folder: Path, held: ExitStack) -> None:
    # whoever asks who sends holds the lock for a moment
    for _ in range(_TRIES - 1):
        with suppress(BlockingIOError):
            held.enter_context(files.locked(folder))
            return
        time.sleep(_PAUSE)
    held.enter_context(files.locked(folder))


def sender(place: Path) -> str:
    """Returns who sends the copies in a folder, in words; nothing if nobody does.

    Arguments:
        place: The folder `wandb` of a run or sweep.

    Example:
        >>> sender(Path("nowhere/wandb"))
        ''
    """
    folder = place / _PLACE
    if not files.is_locked(folder):
        return ""
    try:
        said = (folder / files.LOCK).read_text(errors="replace")
    except OSError:
        said = ""
    return f"it is being sent by {said or 'another process'}"
