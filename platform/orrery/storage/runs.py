"""A run: the options it was given, the folder it writes to, and what it tells the user."""

import dataclasses
import importlib.metadata
import math
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from orrery.records import JSON, fingerprint
from orrery.storage.files import ensure_writable, write_json

Options = TypeVar("Options")

PACKAGES = (
    "orrery", "numpy", "torch", "ray", "sbi", "zuko", "lightning", "pyarrow", "astropy",
)  # fmt: skip
MINUTE = 60.0  # [s] without a terminal, the longest time without a line on the progress

# A log file has no width of its own; tables need more than the 80 columns assumed for
# it.
console = Console(
    stderr=True,
    highlight=False,
    markup=False,
    soft_wrap=True,
    width=None if sys.stderr.isatty() else 160,
)


@dataclass(frozen=True)
class Run:
    """One execution of an experiment.

    Arguments:
        experiment: The experiment's name.
        folder: Where everything the run writes goes.
        fingerprint: Identifies the options; the same options always find the same
            folder.
        options: The options as plain JSON.
    """

    experiment: str
    folder: Path
    fingerprint: str
    options: JSON


def options(choices: type[Options], arguments: Sequence[str] | None = None) -> Options:
    """Returns the frozen dataclass `choices` with the values given on the command line.

    Arguments:
        choices: A frozen dataclass; the fields of nested ones are options like its own,
            shown in groups, so no name may stand twice. The docstrings become the help
            text.
        arguments: The command line without the program's name; `sys.argv[1:]` when
            None.

    Raises:
        SystemExit: With code 2 and a message, if an option is unknown or a value is
            refused.
    """
    return tyro.cli(choices, args=arguments, config=(tyro.conf.OmitArgPrefixes,))


def start(experiment: str, choices: Any, root: Path = Path("runs")) -> Run:
    """Returns the run of an experiment with the given options, its folder ready.

    The folder is `<root>/<experiment>/<fingerprint of the options>`. It receives
    `options.json` and `versions.json`. Where things are kept decides nothing: fields of
    a dataclass whose metadata has `"place": True` are not part of the fingerprint.

    Arguments:
        experiment: The experiment's name.
        choices: The options, a dataclass.
        root: The folder of all runs.

    Raises:
        OSError: If the folder cannot be written.
    """
    document = describe(choices)
    identity = fingerprint([experiment, describe(choices, places=False)])
    folder = ensure_writable(root / experiment / identity)
    write_json(folder / "options.json", {"experiment": experiment, "options": document})
    write_json(folder / "versions.json", versions())
    return Run(experiment, folder, identity, document)


def describe(value: Any, places: bool = True) -> Any:
    """Returns options as plain JSON; a nested dataclass also says its type.

    Arguments:
        value: The options.
        places: Whether to keep fields that only say where something is kept.

    Raises:
        ValueError: If a value has no plain JSON form.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            f.name: describe(getattr(value, f.name), places)
            for f in dataclasses.fields(value)
            if places or not f.metadata.get("place")
        }
        return {"type": type(value).__name__, **fields}
    if isinstance(value, dict):
        return {str(key): describe(item, places) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item, places) for item in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    raise ValueError(
        f"option value {value!r} of type {type(value).__name__} has no plain JSON form: "
        "use numbers, text, paths, tuples or frozen dataclasses"
    )


def versions() -> JSON:
    """Returns the versions of Python and of the packages that decide results, and the commit."""
    packages = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "commit": _commit(), **packages}


def version(package: str) -> str | None:
    """Returns the version of an installed package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(
            command,
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def say(message: str) -> None:
    """Tells the user something on standard error, beside any progress bar."""
    console.print(message)


class Advance(Protocol):
    """Moves a progress bar forward; `note` replaces the text behind it."""

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
    if not console.is_terminal:
        lines = _Lines(description, pace)
        with lines.each_minute():
            yield lines
        return
    # The fields are read anew whenever the bar is drawn. Rich's own remaining time
    # would stay unknown where steps are more than 30 seconds apart.
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    live = (
        TextColumn("{task.fields[pace].speed}"),
        TextColumn("{task.fields[pace].left}"),
    )
    with Progress(
        *columns, *live, TextColumn("{task.fields[note]}"), console=console
    ) as bars:
        yield _Bar(bars, pace, description)


def duration(seconds: float) -> str:
    """Returns a time as hours, minutes and seconds: 0:14:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


class _Pace:
    """The rate and the remaining time of some work."""

    def __init__(self, total: int, unit: str, done: int) -> None:
        self.total, self.unit, self.first, self.done = total, unit, done, done
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
    def __init__(self, bars: Progress, pace: _Pace, description: str) -> None:
        self.bars, self.pace = bars, pace
        self.task = bars.add_task(
            description, total=pace.total, completed=pace.done, pace=pace, note=""
        )

    def __call__(self, steps: int = 1, note: str = "") -> None:
        self.pace.done += steps
        self.bars.update(self.task, advance=steps, note=note)


class _Lines:
    def __init__(self, description: str, pace: _Pace) -> None:
        self.description, self.pace, self.note = description, pace, ""
        self.tenth, self.printed = self._tenths(), time.monotonic()

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
        pace, self.printed = self.pace, time.monotonic()
        share = 100 * pace.done // max(pace.total, 1)
        text = (
            f"{self.description}: {pace.done} of {pace.total} {pace.unit} ({share} %)"
        )
        rest = f", {pace.left}" if pace.done < pace.total else ""
        say(f"{text}, {pace.speed}{rest}{', ' if self.note else ''}{self.note}")


def main(
    function: Callable[[Options], None],
    choices: type[Options],
    arguments: Sequence[str] | None = None,
) -> None:
    """Runs an experiment from the command line.

    What the user can mend (a refused value, an unwritable folder, a training that
    diverges) ends with one line and exit code 1. Unexpected errors keep their
    traceback; with `ORRERY_DEBUG=1` all errors do.

    Arguments:
        function: The experiment, a function of its options.
        choices: The options' frozen dataclass.
        arguments: The command line without the program's name; `sys.argv[1:]` when
            None.

    Raises:
        SystemExit: If the experiment failed or was interrupted.
    """
    chosen = options(choices, arguments)
    try:
        function(chosen)
    except (ValueError, OSError, FloatingPointError) as error:
        if os.environ.get("ORRERY_DEBUG") == "1":
            raise
        say(f"error: {_message(error)}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted: the same command continues where this one stopped")
        sys.exit(130)


def _message(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.filename is None and error.strerror:
        text = error.strerror
    return " ".join([text, *(f"({note})" for note in getattr(error, "__notes__", ()))])
