"""Commands that packages add to `orrery`: experiments, and tools for people's own files.

A package names its commands, by name, as an entry point of the group `orrery.commands`. All
are listed before any study is imported, so that `orrery --help` takes no time.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pkgutil import resolve_name
from typing import Any, Protocol

from orrery.imports import lasting_imports
from orrery.table_kinds import ColumnsCommand

COMMAND_GROUP = "orrery.commands"


class Command(Protocol):
    """A command of `orrery`.

    Example:
        >>> one = StudyCommand("toy", "What is a toy?", "toys:study", "toys:Options")
        >>> one.name, one.summary
        ('toy', 'What is a toy?')
    """

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    @property
    def summary(self) -> str:
        """What it does or asks, in a line."""

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Runs it with what follows its name; with the rest of `sys.argv` when None.

        Raises:
            SystemExit: If it failed or was interrupted.
        """


@dataclass(frozen=True)
class StudyCommand:
    """A question, as a study that answers it and the options of that study.

    Arguments:
        name: What it is called on the command line.
        summary: The question, in a line.
        study: Where the function is that answers it, as `module:name`.
        options: Where the frozen dataclass of its options is, likewise.

    Example:
        >>> StudyCommand("toy", "What is a toy?", "toys:study", "toys:Options").options
        'toys:Options'
    """

    name: str
    summary: str
    study: str
    options: str

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Runs the study with the options of the command line: see `runs.main`.

        Raises:
            SystemExit: If it failed or was interrupted.
        """
        from orrery import runs

        # as `orrery` knows it, whether or not a script has begun it: its help is there
        program = f"orrery {self.name}"
        runs.main(
            self._import_and_answer, resolve_name(self.options), arguments, program
        )

    def answer(self, options: Any) -> Any:
        """Returns what the study finds with options, which are of the type `options`."""
        # not before the options are understood: it takes seconds, and `--help` waits
        return resolve_name(self.study)(options)

    def _import_and_answer(self, options: Any) -> Any:
        # only where the process is the study's: a notebook has other objects, which may go
        if self.study.partition(":")[0] not in sys.modules:
            with lasting_imports():
                resolve_name(self.study)
        return self.answer(options)


@dataclass(frozen=True)
class ToolCommand:
    """A command that computes no study, such as one that looks into people's files.

    Arguments:
        name: What it is called on the command line.
        summary: What it does, in a line.
        main: Where the function is that takes the arguments after its name and returns the
            exit status, as `module:name`.

    Example:
        >>> ToolCommand("columns", "says how columns are understood", "toys:main").name
        'columns'
    """

    name: str
    summary: str
    main: str

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Runs it.

        Raises:
            SystemExit: With the status that it returns.
        """
        main: Callable[[Sequence[str]], int] = resolve_name(self.main)
        sys.exit(main(sys.argv[1:] if arguments is None else arguments))


def installed_commands() -> dict[str, Command]:
    """Returns the commands of all installed packages, by name.

    `columns` knows the kinds of tables of all of them.

    Raises:
        ValueError: If two other commands, or two kinds of tables, have the same name.
    """
    found: dict[str, Command] = {}
    for package in metadata.entry_points(group=COMMAND_GROUP):
        for name, command in package.load().items():
            found[name] = _added(found.get(name), command, package.value)
    return found


def _added(there: Command | None, command: Command, package: str) -> Command:
    """Returns a command of a package, joined with one of the same name if that is possible."""
    if there is None:
        return command
    if isinstance(there, ColumnsCommand) and isinstance(command, ColumnsCommand):
        return there.joined(command)
    raise ValueError(
        f"two commands are called {command.name!r}, one of them in {package}: rename it"
    )
