"""A run in the terminal: text, warnings and tables as they are found."""

from collections.abc import Mapping

from orrery import terminal
from orrery.results.recording import Number
from orrery.results.result import Result
from orrery.results.sections import (
    Caution,
    Headline,
    Section,
    TableSection,
    Text,
    shown,
    tabulated,
)
from orrery.storage.run import Run


class ConsoleReader:
    """Tells the user what a run finds.

    Example:
        >>> from orrery.results.sections import Text
        >>> ConsoleReader().section(Text("host", "Host", "The Milky Way."))
    """

    def opened(self, run: Run) -> None:
        """Says nothing."""

    def section(self, section: Section) -> None:
        """Prints text, warnings and tables; figures and draws are files."""
        if isinstance(section, Headline | Text):
            terminal.say(f"\n{section.title}\n{section.text}")
        elif isinstance(section, Caution):
            terminal.say(f"warning: {section.title}: {section.text}")
        elif isinstance(section, TableSection):
            _print(section)

    def metrics(self, numbers: Mapping[str, Number]) -> None:
        """Says nothing: the numbers stand in the tables."""

    def epoch(self, estimator: str, epoch: int, losses: Mapping[str, float]) -> None:
        """Says nothing: the progress bar shows the losses."""

    def closed(self, result: Result) -> None:
        """Says nothing: the page's path is the last line."""


def _print(section: TableSection) -> None:
    content = tabulated(section.table)
    columns = content["columns"]
    head = [f"{c['name']}\n[{c['unit']}]" if c["unit"] else c["name"] for c in columns]
    rows = [
        [shown(value, c["format"]) for value, c in zip(row, columns, strict=True)]
        for row in content["rows"]
    ]
    terminal.show_table(section.title, head, rows)
