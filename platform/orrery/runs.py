"""Experiments from the command line: a study runs, and page, terminal and W&B read it."""

import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from orrery.command_line import parse
from orrery.failures import error_line
from orrery.terminal import say
from orrery.termination import escape_unwritable, orderly_end, terminable

if TYPE_CHECKING:  # a tenth of a second, which `--help` does not wait for
    from orrery.results.result import Result

Options = TypeVar("Options")


def main(
    study: Callable[[Options], Any],
    choices: type[Options],
    arguments: Sequence[str] | None = None,
    program: str | None = None,
) -> None:
    """Runs a study with the options of the command line, and tells what it finds.

    The path of the run's page is the last line of standard output. What the user can
    mend (a refused value, an unwritable folder, a training that diverges) ends with one
    line and exit code 1. Unexpected errors keep their traceback; with `ORRERY_DEBUG=1`
    all errors do.

    Arguments:
        study: A function of its options, which records a run.
        choices: The options' frozen dataclass.
        arguments: The command line without the program's name; `sys.argv[1:]` when
            None.
        program: What the user called, such as `orrery desi`; the script's name when
            None.

    Raises:
        SystemExit: If the study failed or was interrupted.
    """
    escape_unwritable()
    with orderly_end():
        try:
            # Here too: what a library has made of a signal is no error of the study's.
            with terminable():
                given = sys.argv[1:] if arguments is None else arguments
                run_study(study, parse(choices, given, program))
        except (ValueError, OSError, FloatingPointError) as error:
            if os.environ.get("ORRERY_DEBUG") == "1":
                raise
            say(f"error: {error_line(error)}")
            sys.exit(1)


def run_study(study: Callable[[Options], Any], chosen: Options) -> "Result":
    """Returns what a study finds, after terminal, page and Weights & Biases were told.

    The path of the run's page is printed on standard output.

    Arguments:
        study: A function of its options, which records a run and returns its result.
        chosen: The options.

    Raises:
        ValueError: If the study refuses a value, or trains by Ray's processes where the user
            does without: before hours of simulations, not after them.
        OSError: If a file cannot be read or written.
        FloatingPointError: If a training diverges.
    """
    if workers := _most_workers(chosen):
        from orrery.execution import cluster

        if cluster.is_switched_off():
            cluster.require_ray(workers)
    # matplotlib, jinja2 and wandb take seconds: not before options have been understood
    from orrery.results.console import ConsoleReader
    from orrery.results.dashboard.reader import DashboardReader
    from orrery.results.dashboard.trials import mirrored_trials
    from orrery.results.late_readers import FinishedEarlier
    from orrery.results.page import PageReader
    from orrery.results.recording import read_by

    # the page before the dashboard, which sends its pictures
    readers = read_by(ConsoleReader(), PageReader(), DashboardReader())
    with mirrored_trials(), readers:
        try:
            found: Result = study(chosen)
            return found
        except FinishedEarlier as earlier:
            say(str(earlier))
            return earlier.result


def _most_workers(options: Any) -> int:
    """Returns how many processes of Ray train, by options that may hold others."""
    if not dataclasses.is_dataclass(options):
        return 0
    counts = [
        getattr(options, one.name)
        if one.name == "workers"
        else _most_workers(getattr(options, one.name))
        for one in dataclasses.fields(options)
    ]
    return max(counts, default=0)
