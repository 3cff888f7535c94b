"""`orrery columns FILE`: how each column of somebody's table is understood.

A package says which kinds of tables it knows, and what tells each from the others. The kind
of a table follows from what is in it, unless `--as` says it.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from orrery.failures import error_line
from orrery.tables.reports import ColumnReport


@dataclass(frozen=True)
class TableKind:
    """A kind of table that a package reads.

    Arguments:
        name: What it is called after `--as`.
        holds: What is in such a table, in words.
        report: Where the function is that takes a table's path and returns how its columns
            are understood, a `ColumnReport`, as `module:name`.
        recognises: Where the function is that says whether a table, as read, is of this
            kind, likewise; empty for the kind of those that no other kind recognises.

    Example:
        >>> TableKind("stars", "stars of the halo", "stars:report").recognises
        ''
    """

    name: str
    holds: str
    report: str
    recognises: str = ""

    def is_of(self, table: Any) -> bool:
        """Returns whether a table, as read, is of this kind."""
        return bool(self.recognises and resolve_name(self.recognises)(table))


@dataclass(frozen=True)
class ColumnsCommand:
    """The command that says how columns are understood; packages add kinds of tables to it.

    Arguments:
        kinds: Of tables that are known.

    Example:
        >>> stars = TableKind("stars", "stars of the halo", "stars:report")
        >>> hosts = TableKind("hosts", "a host's neighbours", "hosts:report", "hosts:is_host")
        >>> both = ColumnsCommand((stars,)).joined(ColumnsCommand((hosts,)))
        >>> [kind.name for kind in both.kinds]
        ['stars', 'hosts']
    """

    kinds: tuple[TableKind, ...]
    name: str = "columns"
    summary: str = "says how each column of a table is understood"

    def joined(self, other: "ColumnsCommand") -> "ColumnsCommand":
        """Returns the command that knows the kinds of both.

        Raises:
            ValueError: If both have a kind of the same name.
        """
        own = {kind.name for kind in self.kinds}
        for kind in other.kinds:
            if kind.name in own:
                raise ValueError(
                    f"two kinds of tables are called {kind.name!r}, one of them in "
                    f"{kind.report}: rename it"
                )
        return replace(self, kinds=(*self.kinds, *other.kinds))

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Adds the table and the kind to the arguments of a parser."""
        parser.add_argument("table", type=Path, help="the table")
        holds = "; ".join(f"{kind.name}: {kind.holds}" for kind in self.kinds)
        parser.add_argument(
            "--as",
            dest="kind",
            choices=[kind.name for kind in self.kinds],
            help=f"what it is a table of, instead of what its columns look like ({holds})",
        )

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Prints how each column of a table is understood.

        Raises:
            SystemExit: With 0, or 1 if the table cannot be read or used.
        """
        parser = argparse.ArgumentParser(
            f"orrery {self.name}", description=self.summary
        )
        self.add_options(parser)
        given = parser.parse_args(arguments)
        try:
            report = self.report(given.table, given.kind)
        except (ValueError, OSError) as error:
            print(f"error: {error_line(error)}", file=sys.stderr)
            sys.exit(1)
        print(report)
        sys.exit(report.status)

    def report(self, path: Path, kind: str | None = None) -> ColumnReport:
        """Returns how each column of a table is understood, and if it can be used.

        Arguments:
            path: The table.
            kind: The name of its kind; None if its columns say it.

        Raises:
            ValueError: If it is damaged, two columns say the same, or no kind is known by
                this name or recognises it.
            OSError: If it cannot be read.
        """
        if kind is not None:
            return _report_by(self._called(kind), path)
        found = self._recognised(path)
        others = [f"`--as {one.name}`" for one in self.kinds if one is not found]
        otherwise = f"; {' or '.join(others)} reads it otherwise" if others else ""
        taken = f"read as a table of {found.name} ({found.holds}){otherwise}"
        report = _report_by(found, path)
        return replace(report, found=(taken, *report.found))

    def _called(self, name: str) -> TableKind:
        for kind in self.kinds:
            if kind.name == name:
                return kind
        known = ", ".join(kind.name for kind in self.kinds)
        raise ValueError(f"no kind of table is called {name!r}: choose from {known}")

    def _recognised(self, path: Path) -> TableKind:
        """Returns the first kind that recognises a table, else that of all others."""
        # astropy takes seconds: not before the arguments are understood
        from orrery.tables.opening import OpenedFile
        from orrery.tables.reading import read_table

        file = OpenedFile.read(path)
        others = [kind for kind in self.kinds if not kind.recognises]
        try:
            table = read_table(file)
        except ValueError:
            # some layouts only their own reader knows, or it says what is wrong
            if others:
                return others[0]
            raise
        for kind in self.kinds:
            if kind.is_of(table):
                return kind
        if others:
            return others[0]
        names = ", ".join(kind.name for kind in self.kinds)
        raise ValueError(
            f"{file.name} looks like no kind of table that is known: say which it is, `--as` "
            f"with one of {names}"
        )


def _report_by(kind: TableKind, path: Path) -> ColumnReport:
    report: Callable[[Path], ColumnReport] = resolve_name(kind.report)
    return report(path)
