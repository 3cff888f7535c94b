"""Experiments, what lies on the disk, the cluster, and licences.

`orrery EXPERIMENT --help` lists its options; `python -m orrery` is the same program.
"""

import argparse
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from orrery import cluster_commands, completion, figure_commands
from orrery.commands import Command, installed_commands
from orrery.failures import error_line
from orrery.storage import files
from orrery.storage.store import locate
from orrery.terminal import duration, say
from orrery.termination import orderly_end, readers_may_leave

if TYPE_CHECKING:  # reading results takes a second that --help must not
    from orrery.results.result import Result
    from orrery.storage.findings import Finding
    from orrery.storage.store import Location

_MOST_WARNINGS = 10  # of entries that could not be read


@readers_may_leave()
def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status of a command on runs or on the cluster.

    Raises:
        SystemExit: If the command line is not understood, or by an experiment that failed.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        added = installed_commands()
        if not given:
            _parser(added.values()).print_help()
            return 0
        chosen = added.get(given[0])
        if chosen is None:
            options = _parser(added.values()).parse_args(given)
            options.command(options)
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        say(f"error: {error_line(error)}")
        return 1
    except KeyboardInterrupt:
        say("interrupted: what is done stays done, and the same command does the rest")
        return 130
    if chosen is not None:
        with orderly_end():  # which tells of its errors itself
            chosen.run(given[1:])
    return 0


class _CommandParser(argparse.ArgumentParser):
    """Names the nearest commands where one is not known, instead of all of them."""

    def error(self, message: str) -> NoReturn:
        wrong, _, choices = message.partition(" (choose from ")
        if "invalid choice: " in wrong and choices:
            given = wrong.rpartition(": ")[2].strip("'")
            near = get_close_matches(given, re.findall(r"[\w-]+", choices))
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            message = f"no command {given!r}: {hint}`orrery --help` lists all"
        super().error(message)


def _parser(
    added: Collection[Command], with_options: bool = False
) -> argparse.ArgumentParser:
    """Returns the parser of all commands.

    Arguments:
        added: Commands of packages.
        with_options: Whether these are listed with their options, which are imported.
    """
    parser = _CommandParser("orrery", description=__doc__)
    commands = parser.add_subparsers(
        required=True, metavar="COMMAND", parser_class=argparse.ArgumentParser
    )
    for one in added:  # which `main` has looked for: here they are only listed
        listed = commands.add_parser(one.name, help=one.summary)
        if with_options:
            completion.add_options_of(one, listed)
    runs = commands.add_parser("runs", help="lists runs and how they ended")
    runs.add_argument("folder", type=Path, nargs="?", default=Path("runs"))
    runs.add_argument(
        "--lineage", action="store_true", help="also lists what each of them rests on"
    )
    runs.set_defaults(command=_list)
    report = commands.add_parser("report", help="draws a run's page again")
    report.add_argument(
        "run", type=Path, help="its folder, an attempt's, or its run.json"
    )
    report.set_defaults(command=_report)
    figure_commands.add(commands)
    collate = commands.add_parser(
        "collate", help="makes one table and one page of all runs and trials"
    )
    collate.add_argument("folder", type=Path, nargs="?", default=Path("runs"))
    collate.add_argument(
        "--into", type=Path, help="the folder of both, instead of the runs' own"
    )
    collate.set_defaults(command=_collate)
    sync = commands.add_parser("sync", help="sends what was kept to Weights & Biases")
    sync.add_argument(
        "runs", type=Path, nargs="+", help="folders of attempts, runs, sweeps, or above"
    )
    sync.set_defaults(command=_sync)
    _add_dataset(commands)
    _add_verify(commands)
    cluster_commands.add(commands)
    _add_doctor(commands)
    _add_licences(commands)
    completion.add(commands, partial(_parser, added, with_options=True))
    return parser


def _add_verify(commands: Any) -> None:
    verify = commands.add_parser("verify", help="looks for damage in runs' files")
    verify.add_argument(
        "runs",
        type=Path,
        nargs="+",
        help="folders of runs, attempts, sweeps, trainings",
    )
    verify.add_argument(
        "--repair", action="store_true", help="also makes again what can be made again"
    )
    verify.set_defaults(command=_verify)


def _add_dataset(commands: Any) -> None:
    dataset = commands.add_parser("dataset", help="looks after datasets")
    dataset.add_argument(
        "action",
        choices=("verify", "repair", "card"),
        help="verify looks for damage, repair makes again what is damaged and nothing "
        "else, card prints what the dataset is",
    )
    dataset.add_argument(
        "folders",
        type=locate,
        nargs="+",
        help="their folders, or addresses in a bucket",
    )
    dataset.set_defaults(command=_dataset)


def _add_licences(commands: Any) -> None:
    licences = commands.add_parser(
        "licences", help="lists the licences of the packages that we build on"
    )
    licences.add_argument(
        "constraints", type=Path, nargs="?", default=Path("constraints.txt")
    )
    licences.add_argument(
        "--vulnerabilities",
        action="store_true",
        help="asks a server, by pip-audit, what is known of these versions",
    )
    licences.set_defaults(command=_list_licences)


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor", help="says what this machine has, and what would not work on it"
    )
    doctor.add_argument(
        "--folders",
        type=Path,
        nargs="+",
        default=[Path("datasets"), Path("runs")],
        help="where datasets and runs are to be kept",
    )
    doctor.set_defaults(command=_diagnose)


def _diagnose(options: argparse.Namespace) -> None:
    """Prints what there is and what would not work, and fails if something would not."""
    from orrery import doctor

    facts = doctor.machine_facts(options.folders)
    for line in doctor.describe_machine(facts):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    found = doctor.troubles(facts, options.folders)
    for one in found:
        sys.stdout.write(f"would not work: {one.what}: {one.remedy}\n")
    if found:
        raise ValueError(f"{len(found)} troubles, which the lines above explain")


def _list_licences(options: argparse.Namespace) -> None:
    """Prints a line for each package of the constraints, then what is known of them."""
    from orrery import licences

    rows = [
        (one.package, one.version, one.licence)
        for one in licences.licences(options.constraints)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        _print(row, widths)
    if not options.vulnerabilities:
        say("known vulnerabilities: --vulnerabilities asks for them, over the network")
        return
    for line in licences.known_vulnerabilities(options.constraints):
        sys.stdout.write(f"{line}\n")


def _list(options: argparse.Namespace) -> None:
    """Prints a line for each attempt; those whose process is gone are entered as failed.

    Lines are never cut: a folder is there to be copied, as `report` takes it.
    """
    from orrery.results import result

    found = result.all_results(options.folder)
    if not found:
        say(f"no run in {options.folder}: start an experiment, or name another folder")
        return
    head = ("status", "began", "took", "folder", "why")
    rows = [_row(one, options.folder) for one in found]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    _print(head, widths)
    for one, row in zip(found, rows, strict=True):
        _print(row, widths)
        if options.lineage:
            _print_lineage(one)


def _print(row: Sequence[str], widths: Sequence[int]) -> None:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
    sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _print_lineage(result: "Result") -> None:
    """Prints a line for each thing that a run rests on, after what it was made from."""
    from orrery.results.ancestry import lineage_rows

    try:
        rows = lineage_rows(result.document["lineage"])
    except (AttributeError, KeyError, TypeError) as error:
        sys.stdout.write(f"    its lineage is damaged: {error!r}\n")
        return
    for one in rows:
        origin = f" from {one['made_from']}" if one["made_from"] else ""
        sys.stdout.write(
            f"    {one['kind']} {one['key']}: {one['fingerprint']}{origin}\n"
        )


def _row(result: "Result", root: Path) -> tuple[str, ...]:
    """Returns how a run ended, when it began, what it took, where it is, and what it lacks."""
    document = result.document
    place = root / result.folder.relative_to(root.absolute())
    return (
        document["status"],
        document["began"],
        _took(result),
        str(place),
        _why(result, place),
    )


def _took(result: "Result") -> str:
    """Returns how long a run took; of one that has not ended what its last document says."""
    took = duration(result.document["seconds"])
    ended = result.status == "damaged" or result.document.get("ended")
    return took if ended else f"at least {took}"


def _why(result: "Result", place: Path) -> str:
    """Returns why a run failed, or that nobody has drawn what it found."""
    reason = str(result.document["reason"] or "").strip().splitlines()
    if reason:
        return _last_error(reason)
    if result.status != "finished" or result.has_page:
        return ""
    if files.is_locked(result.folder):
        return "its page is being drawn"
    return f"its page is missing: `orrery report {place}` draws it"


def _last_error(traceback: list[str]) -> str:
    """Returns the error in which a traceback ends; notes and other lines may follow it."""
    frames = [i for i, line in enumerate(traceback) if line.startswith("  File ")]
    after = traceback[frames[-1] :] if frames else []
    return next((line for line in after if not line.startswith(" ")), traceback[-1])


def _report(options: argparse.Namespace) -> None:
    """Draws the page, without computing, and prints its path."""
    from orrery.results import page
    from orrery.results.result import Result

    found = Result.open(options.run)
    if found.folder not in (options.run.absolute(), options.run.absolute().parent):
        _tell_newer(found)
    path = page.write(found)
    sys.stdout.write(f"{path}\n")


def _tell_newer(answer: "Result") -> None:
    """Says why newer attempts are not what a run answers with; of damaged ones was told."""
    from orrery.results.result import newer

    kind = "finished" if answer.status == "finished" else "whole"
    for one in (result for result in newer(answer) if result.status != "damaged"):
        why = _why(one, one.folder)
        say(
            f"warning: {one.folder.name} is {one.status}{f' ({why})' if why else ''}: "
            f"this page is of {answer.folder.name}, the newest {kind} attempt"
        )


def _collate(options: argparse.Namespace) -> None:
    """Writes table and page of all runs, and prints the page's path on the last line."""
    from orrery.results.collation.collate import collate

    collated = collate(options.folder, options.into)
    for place, problems in list(collated.problems.items())[:_MOST_WARNINGS]:
        say(f"warning: {place}: {problems[0]}")
    if len(collated.problems) > _MOST_WARNINGS:
        say(f"warning: {len(collated.problems)} in all, which the page lists")
    say(f"{collated.runs} runs and {collated.trials} trials are in {collated.table}")
    sys.stdout.write(f"{collated.page}\n")


def _sync(options: argparse.Namespace) -> None:
    """Sends copies, prints a line for each, and fails if one could not be sent."""
    from orrery.results.dashboard.sync import sync

    kept = 0
    for one in sync(options.runs):
        sys.stdout.write(f"{one.outcome}: {one.place} {one.about}".rstrip() + "\n")
        sys.stdout.flush()
        kept += not one.is_done
    if kept:
        raise ConnectionError(
            f"{kept} copies were not sent, or not all of them: the lines above say why"
        )


def _dataset(options: argparse.Namespace) -> None:
    """Prints datasets' cards, or what is wrong with them, and fails if something is."""
    folders = [folder.absolute() for folder in options.folders]
    if options.action == "card":
        from orrery.storage.card import current_card

        for folder in folders:
            sys.stdout.write(current_card(folder))
        return
    if options.action == "repair":
        from orrery.repair import repair_dataset

        _judge({folder: repair_dataset(folder) for folder in folders})
        return
    from orrery.verification import verify

    _judge({folder: verify(folder) for folder in folders})


def _verify(options: argparse.Namespace) -> None:
    """Prints a line for each damaged file of runs, and fails if there is one."""
    folders = [folder.absolute() for folder in options.runs]
    if options.repair:
        from orrery.repair import repair_run

        _judge({folder: repair_run(folder) for folder in folders})
        return
    from orrery.verification import verify

    _judge({folder: verify(folder) for folder in folders})


def _judge(found: "Mapping[Location, Sequence[Finding]]") -> None:
    """Prints a line for each finding; raises ValueError if there is one."""
    for folder, findings in found.items():
        sys.stdout.writelines(f"{folder}/{finding}\n" for finding in findings)
        if not any(finding.is_damage for finding in findings):
            seen = ", as far as can be seen" if findings else ""
            sys.stdout.write(f"{folder} is sound{seen}\n")
    damaged = sum(one.is_damage for findings in found.values() for one in findings)
    if damaged:
        raise ValueError(
            f"{damaged} files are not what was written: the lines above say what helps"
        )


if __name__ == "__main__":
    sys.exit(main())
