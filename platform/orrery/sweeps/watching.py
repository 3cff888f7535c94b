"""Who is told of trials as they end, such as a dashboard: chosen by whoever starts a study."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Protocol

from orrery.sweeps.trial import Trial


class Watcher(Protocol):
    """Somebody who is told of each trial that has ended; its file is on the disk.

    Example:
        >>> class Printer:
        ...     def trial(self, name, folder, trial): print(name, trial.number)
        >>> with watched_by(Printer()):
        ...     for watcher in watchers():
        ...         watcher.trial("flows", Path("runs/sweeps/flows/0123"), Trial(3, {}))
        flows 3
    """

    def trial(self, name: str, folder: Path, trial: Trial) -> None:
        """A trial ended, in a sweep with this name and folder."""


_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("watchers", default=())


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Returns a context in which somebody is told of trials."""
    token = _watchers.set((*_watchers.get(), watcher))
    try:
        yield
    finally:
        _watchers.reset(token)


def watchers() -> tuple[Watcher, ...]:
    """Returns those who are told of trials."""
    return _watchers.get()
