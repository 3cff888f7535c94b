"""Looks into star tables: `python -m mwlmc columns FILE`; `orrery columns` knows others too."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_COLUMNS = "says how each column of a star table is understood"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints how each column of a star table is understood; returns the exit status."""
    parser = argparse.ArgumentParser("python -m mwlmc", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_table(commands.add_parser("columns", help=_COLUMNS))
    return _print_columns(parser.parse_args(arguments).stars)


def _add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stars", type=Path, help="the star table")


def _print_columns(stars: Path) -> int:
    # astropy takes seconds: not before the arguments are understood
    from mwlmc.observed.star_reading import star_report

    try:
        report = star_report(stars)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(report)
    return report.status


if __name__ == "__main__":
    sys.exit(main())
