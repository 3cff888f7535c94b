"""Runs that are on the disk: `python -m orrery runs [FOLDER]`, `python -m orrery report RUN`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from orrery.terminal import duration, say, show_table


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status of a command on runs."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (ValueError, OSError) as error:
        say(f"error: {error}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m orrery", description=__doc__)
    commands = parser.add_subparsers(required=True)
    runs = commands.add_parser("runs", help="lists runs and how they ended")
    runs.add_argument("folder", type=Path, nargs="?", default=Path("runs"))
    runs.set_defaults(command=_list)
    report = commands.add_parser("report", help="draws a run's page again")
    report.add_argument(
        "run", type=Path, help="its folder, an attempt's, or its run.json"
    )
    report.set_defaults(command=_report)
    return parser


def _list(options: argparse.Namespace) -> None:
    """Prints a line for each attempt; those whose process is gone are entered as failed."""
    from orrery.results import result

    head = ["experiment", "run", "attempt", "status", "began", "took", "why"]
    found = result.every(options.folder)
    if not found:
        say(f"no run in {options.folder}: start an experiment, or name another folder")
        return
    rows = [_row(one.document) for one in found]
    show_table(f"Runs in {options.folder}", head, rows, answer=True)


def _row(document: dict[str, object]) -> list[str]:
    reason = str(document["reason"] or "").strip().splitlines()
    names = ("experiment", "run", "attempt", "status", "began")
    took = duration(float(str(document["seconds"])))
    return [*(str(document[name]) for name in names), took, *(reason[-1:] or [""])]


def _report(options: argparse.Namespace) -> None:
    """Draws the page, without computing, and prints its path."""
    from orrery.results import page
    from orrery.results.result import Result

    path = page.write(Result.open(options.run))
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    sys.exit(main())
