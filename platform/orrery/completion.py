"""`orrery completion`: a shell completes commands, options, and what options can be."""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Literal, get_args, get_origin, get_type_hints

import shtab

from orrery.storage.store import locate

_FILES = shtab.FILE


def add(commands: Any, whole: Callable[[], argparse.ArgumentParser]) -> None:
    """Adds the command and what it does to those of `orrery`.

    Arguments:
        commands: Where it is added.
        whole: Makes the parser of all commands, with the options of each.
    """
    completion = commands.add_parser(
        "completion",
        help="prints a script by which a shell completes commands and options",
    )
    completion.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)
    completion.set_defaults(command=partial(_print_script, whole))


def _print_script(
    whole: Callable[[], argparse.ArgumentParser], options: argparse.Namespace
) -> None:
    # experiments are imported for their options, which takes seconds
    parser = whole()
    _complete_files(parser)
    sys.stdout.write(f"{shtab.complete(parser, options.shell)}\n")


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Lets files complete whatever a parser, or one of its commands, takes for a path."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                _complete_files(one)
        elif action.type in (Path, locate):
            action.complete = _FILES  # type: ignore[attr-defined]


def add_options_of(command: Any, parser: argparse.ArgumentParser) -> None:
    """Adds the options of a package's command to a parser.

    Arguments:
        command: A `StudyCommand`, or a command that adds its options itself; of another
            one nothing is known.
        parser: To which they are added.
    """
    if hasattr(command, "add_options"):
        command.add_options(parser)
    elif hasattr(command, "options"):
        add_options(parser, resolve_name(command.options))


def add_options(parser: argparse.ArgumentParser, choices: type) -> None:
    """Adds the options of an experiment, with what each can be, so that they are completed.

    Arguments:
        parser: To which they are added; it parses no value as `command_line.parse` does.
        choices: The frozen dataclass of the options.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Toy:
        ...     kind: Literal["maf", "nsf"] = "maf"
        >>> parser = argparse.ArgumentParser()
        >>> add_options(parser, Toy)
        >>> parser.parse_args(["--kind", "nsf"]).kind
        'nsf'
    """
    from orrery.command_line import names  # a third of a second, which `--help` has not

    parser.add_argument("--options", metavar="RUN_JSON").complete = _FILES  # type: ignore[attr-defined]
    for place, name in names(choices).items():
        flag = f"--{name.replace('_', '-')}"
        kind = _kind(choices, place)
        if kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction)
            continue
        several = "*" if get_origin(kind) is tuple else None
        option = parser.add_argument(flag, choices=_values(kind), nargs=several)
        if Path in (kind, *get_args(kind)):
            option.complete = _FILES  # type: ignore[attr-defined]


def _kind(choices: type, place: tuple[str, ...]) -> Any:
    """Returns the type of the option at a place, below nested dataclasses."""
    kind: Any = choices
    for name in place:
        kind = get_type_hints(kind)[name]
    return kind


def _values(kind: Any) -> tuple[str, ...] | None:
    """Returns the words that an option can be, of one or of each; None if it is no choice."""
    for one in (kind, *get_args(kind)):
        if get_origin(one) is Literal:
            return get_args(one)
    return None
