"""A run in the terminal: text, warnings and tables as they are found."""

from collections.abc import Mapping

from orrery import terminal
from orrery.results.answers import answer_sentences
from orrery.results.recording import Number
from orrery.results.result import Result, run_document
from orrery.results.sections import (
    Caution,
    Headline,
    Section,
    TableSection,
    Text,
    shown,
    tabulated,
    with_errors_alone,
)
from orrery.results.wording import headed, page_words, worded, worded_document
from orrery.storage.run import DOCUMENT, Run


class ConsoleReader:
    """Tells the user what a run finds.

    Example:
        >>> from orrery.results.sections import Text
        >>> ConsoleReader().section(Text("host", "Host", "The Milky Way."))
    """

    def __init__(self) -> None:
        self._run: Run | None = None

    def opened(self, run: Run) -> None:
        """Says nothing, and keeps where the run's words are found."""
        self._run = run

    def _words(self) -> Mapping[str, str]:
        """Returns what words are called: a run may add some until it ends."""
        if self._run is None:
            return page_words({})
        return page_words(run_document(self._run.folder / DOCUMENT))

    def section(self, section: Section) -> None:
        """Prints text, warnings and tables; figures and draws are files."""
        if isinstance(section, TableSection):
            _print(section, self._words())
        elif isinstance(section, Headline | Text):
            said = worded(f"{section.title}\n{section.text}", self._words())
            terminal.say(f"\n{said}")
        elif isinstance(section, Caution):
            said = worded(f"{section.title}: {section.text}", self._words())
            terminal.say(f"warning: {said}")

    def metrics(self, numbers: Mapping[str, Number]) -> None:
        """Says nothing: the numbers stand in the tables."""

    def epoch(self, estimator: str, epoch: int, losses: Mapping[str, float]) -> None:
        """Says nothing: the progress bar shows the losses."""

    def closed(self, result: Result) -> None:
        """Prints the answer in sentences; the page's path is the last line."""
        document = worded_document(result.document)
        answers = document["answers"]
        if answers and result.status == "finished":
            said = "\n".join(answer_sentences(answers, document["verdicts"]))
            terminal.say(f"\nThe answer\n{said}")


def _print(section: TableSection, words: Mapping[str, str]) -> None:
    content = {"key": section.key, **tabulated(section.table)}
    content["rows"] = with_errors_alone(content)
    content = worded(headed(content, words), words)
    columns = content["columns"]
    head = [f"{c['name']}\n[{c['unit']}]" if c["unit"] else c["name"] for c in columns]
    rows = [
        [shown(value, c["format"]) for value, c in zip(row, columns, strict=True)]
        for row in content["rows"]
    ]
    terminal.show_table(worded(section.title, words), head, rows)
