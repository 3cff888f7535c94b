"""Looks into people's tables: `python -m mwlmc columns FILE`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mwlmc.observed.star_reading import column_lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints how each column of a star table is understood; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        lines = column_lines(options.stars)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m mwlmc", description=__doc__)
    commands = parser.add_subparsers(required=True)
    columns = commands.add_parser(
        "columns", help="says how each column of a star table is understood"
    )
    columns.add_argument("stars", type=Path, help="the star table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
