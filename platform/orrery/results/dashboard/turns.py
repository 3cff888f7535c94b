"""The copies of a folder are sent by one process at a time.

Of two neither could tell whose mark a copy has, and whether everything of it was taken;
and what one of them makes again would be taken from under the other. So a turn begins
before anything is read, and is handed on to the process that sends: it lasts as long as
the sending, whoever is killed.
"""

import io
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from orrery.storage import files

_PLACE = "sending"
_TRIES = 4
_PAUSE = 0.05  # [s] between them


class Turns:
    """The folders in which nobody else sends copies, until this is closed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Turns() as turns:
        ...     turns.take(Path(folder))
        ...     sender(Path(folder)).startswith("it is being sent by process ")
        True
    """

    def __init__(self) -> None:
        self._locks: dict[Path, io.FileIO] = {}

    def __enter__(self) -> "Turns":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def take(self, place: Path) -> None:
        """Takes the turn in a folder, unless it is ours already.

        Arguments:
            place: The folder `wandb` of a run or sweep.

        Raises:
            BlockingIOError: If somebody else sends its copies; it names who.
            OSError: If the folder cannot be written.
        """
        if place in self._locks:
            return
        folder = files.ensure_writable(place / _PLACE)
        try:
            self._locks[place] = _lock(folder)
        except BlockingIOError as error:
            raise BlockingIOError(sender(place) or "it was being sent") from error

    @property
    def descriptors(self) -> Sequence[int]:
        """The open files by which another process holds the turns, too."""
        return [lock.fileno() for lock in self._locks.values()]

    def close(self) -> None:
        """Ends the turns, but for those who were given them."""
        while self._locks:
            self._locks.popitem()[1].close()


def _lock(folder: Path) -> io.FileIO:
    # whoever asks who sends holds the lock for a moment
    for _ in range(_TRIES - 1):
        try:
            return files.take_lock(folder)
        except BlockingIOError:
            time.sleep(_PAUSE)
    return files.take_lock(folder)


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
