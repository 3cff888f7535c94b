"""The terminal: messages to the user, and how far the work has come."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a tenth of a second, which `--help` does not wait for
    from rich.console import Console
    from rich.progress import Progress

MINUTE = 60.0  # [s] without a terminal, the longest time without a line on the progress


@cache
def console() -> "Console":
    """Returns the console on standard error, to which all messages go."""
    from rich.console import Console

    # A log file has no width of its own; tables need more than the 80 columns assumed for
    # it.
    width = None if sys.stderr.isatty() else 160
    return Console(
        stderr=True, highlight=False, markup=False, soft_wrap=True, width=width
    )


def say(message: str) -> None:
    """Prints a message on standard error, above any progress bar."""
    console().print(message)


def show_table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> None:
    """Prints a table on standard error.

    Arguments:
        title: What it is called.
        head: The columns' names.
        rows: The cells, row by row.
    """
    from rich.table import Table

    view = Table(title=title, title_justify="left")
    for name in head:
        view.add_column(name)
    for row in rows:
        view.add_row(*row)
    console().print(view)


class Advance(Protocol):
    """Moves a progress bar forward; `note` replaces the text behind it.

    Example:
        >>> with progress("simulating", total=10) as advance:
        ...     advance(4, note="no refused parameters")
        ...     advance(6)
    """

    def __call__(self, steps: int = 1, note: str = "") -> None: ...


@contextmanager
def progress(
    description: str, total: int, unit: str = "simulations", done: int = 0
) -> Iterator[Advance]:
    """Returns a function that moves a progress bar with rate and remaining time.

    Where there is no terminal, a plain line is printed for each tenth of the work, and
    at least once a minute.

    Arguments:
        description: What is going on, such as `simulating`.
        total: The number of steps.
        unit: What a step is, in the plural.
        done: The number of steps that an earlier run did; they do not count for the
            rate.
    """
    pace = _Pace(total, unit, done)
    if not console().is_terminal:
        lines = _Lines(description, pace)
        with lines.each_minute():
            yield lines
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    # The fields are read anew whenever the bar is drawn. Rich's own remaining time
    # would stay unknown where steps are more than 30 seconds apart.
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    live = (
        TextColumn("{task.fields[pace].speed}"),
        TextColumn("{task.fields[pace].left}"),
    )
    with Progress(
        *columns, *live, TextColumn("{task.fields[note]}"), console=console()
    ) as bars:
        yield _Bar(bars, pace, description)


def duration(seconds: float) -> str:
    """Returns a time as hours, minutes and seconds: 0:14:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


class _Pace:
    """The rate and the remaining time of some work."""

    def __init__(self, total: int, unit: str, done: int) -> None:
        self.total = total
        self.unit = unit
        self.first = done
        self.done = done
        self.began = time.monotonic()

    @property
    def rate(self) -> float:
        """The steps per second since this run began."""
        return (self.done - self.first) / max(time.monotonic() - self.began, 1e-9)

    @property
    def left(self) -> str:
        if self.done == self.first < self.total:
            return "time left unknown"
        rest = self.total - self.done
        return f"{duration(rest / self.rate if rest else 0.0)} left"

    @property
    def speed(self) -> str:
        return f"{self.rate:.3g} {self.unit}/s"


class _Bar:
    def __init__(self, bars: "Progress", pace: _Pace, description: str) -> None:
        self.bars = bars
        self.pace = pace
        self.task = bars.add_task(
            description, total=pace.total, completed=pace.done, pace=pace, note=""
        )

    def __call__(self, steps: int = 1, note: str = "") -> None:
        self.pace.done += steps
        self.bars.update(self.task, advance=steps, note=note)


class _Lines:
    def __init__(self, description: str, pace: _Pace) -> None:
        self.description = description
        self.pace = pace
        self.note = ""
        self.tenth = self._tenths()
        self.printed = time.monotonic()

    def __call__(self, steps: int = 1, note: str = "") -> None:
        self.pace.done += steps
        self.note = note
        if self._tenths() > self.tenth:
            self.tenth = self._tenths()
            self._print()

    @contextmanager
    def each_minute(self) -> Iterator[None]:
        """Returns a context in which another thread prints where no step does."""
        ended = threading.Event()
        thread = threading.Thread(target=self._repeat, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _repeat(self, ended: threading.Event) -> None:
        while not ended.wait(max(self.printed + MINUTE - time.monotonic(), 0.0)):
            if time.monotonic() - self.printed >= MINUTE:
                self._print()

    def _tenths(self) -> int:
        return 10 * self.pace.done // max(self.pace.total, 1)

    def _print(self) -> None:
        pace = self.pace
        self.printed = time.monotonic()
        share = 100 * pace.done // max(pace.total, 1)
        text = (
            f"{self.description}: {pace.done} of {pace.total} {pace.unit} ({share} %)"
        )
        rest = f", {pace.left}" if pace.done < pace.total else ""
        say(f"{text}, {pace.speed}{rest}{', ' if self.note else ''}{self.note}")
