"""Experiments from the command line: options become arguments, errors one line."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import tyro

from orrery.terminal import say

Options = TypeVar("Options")


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
