"""A run in progress: what a study finds is on the disk at once, and readers are told.

A study computes and records; it does not know who reads. Readers, such as the page, the
terminal and a dashboard, are chosen by whoever starts the study.
"""

import socket
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from os import getpid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from orrery import versions
from orrery.identity import JSON, describe
from orrery.results.inventory import INVENTORY, inventory
from orrery.results.keys import (
    new_entries,
    new_numbers,
    new_section,
    plain_number,
)
from orrery.results.late_readers import notify_late_readers
from orrery.results.result import FORMAT, Result
from orrery.results.section_files import write_section
from orrery.results.sections import Answer, Section, Verdict, table_sections
from orrery.results.wording import WORDING
from orrery.storage import files
from orrery.storage.documents import line_of, write_document, written_out
from orrery.storage.run import (
    DOCUMENT,
    EPOCHS,
    NO_VERSIONS,
    Run,
    identify_run,
    make_shared,
    start,
)
from orrery.termination import told

if TYPE_CHECKING:  # only a study that has tables imports them
    from astropy.table import Table

Number = float | int | str


class Reader(Protocol):
    """Somebody who is told what a run finds, as it finds it.

    Example:
        >>> import tempfile
        >>> from dataclasses import make_dataclass
        >>> choices = make_dataclass("Choices", [("seed", int, 1)], frozen=True)
        >>> class Printer:
        ...     def opened(self, run): print("began", run.experiment)
        ...     def section(self, section): print("found", section.key)
        ...     def metrics(self, numbers): print("found", *numbers)
        ...     def epoch(self, estimator, epoch, losses): print("learned", epoch)
        ...     def closed(self, result): print(result.status)
        >>> with tempfile.TemporaryDirectory() as folder, read_by(Printer()):
        ...     with record("toy", choices(), Path(folder)) as recording:
        ...         recording.metrics({"rmse.25.minimum": 0.128})
        began toy
        found rmse.25.minimum
        finished
    """

    def opened(self, run: Run) -> None:
        """A run began."""

    def section(self, section: Section) -> None:
        """A part was found."""

    def metrics(self, numbers: Mapping[str, Number]) -> None:
        """Numbers were found."""

    def epoch(self, estimator: str, epoch: int, losses: Mapping[str, float]) -> None:
        """An estimator learned for another epoch."""

    def closed(self, result: Result) -> None:
        """The run finished or failed; its document is on the disk."""


_readers: ContextVar[tuple[Reader, ...]] = ContextVar("readers", default=())


@contextmanager
def read_by(*readers: Reader) -> Iterator[None]:
    """Returns a context in which runs are told to readers, in this order."""
    token = _readers.set(readers)
    try:
        yield
    finally:
        _readers.reset(token)


class Recording:
    """What a run has found so far.

    Arguments:
        run: The attempt.
        readers: Who is told.
        components: Versions of what decides its answers, by name.

    Example:
        >>> import tempfile
        >>> from dataclasses import make_dataclass
        >>> choices = make_dataclass("Choices", [("seed", int, 1)], frozen=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with record("toy", choices(), Path(folder)) as recording:
        ...         recording.metrics({"rmse.25.minimum": 0.128})
        >>> recording.result.metrics
        {'rmse.25.minimum': 0.128}
    """

    def __init__(
        self,
        run: Run,
        readers: Sequence[Reader] = (),
        components: Mapping[str, int] = NO_VERSIONS,
    ) -> None:
        self.run = run
        self._readers = readers
        self._began = time.monotonic()
        self._document: JSON = {
            "format": FORMAT,
            "experiment": run.experiment,
            "run": run.fingerprint,
            "attempt": run.attempt,
            "status": "running",
            "reason": "",
            "began": _now(),
            "ended": None,
            "seconds": 0.0,
            "host": socket.gethostname(),
            "process": getpid(),
            "command": [written_out(word) for word in sys.argv],
            "versions": {**versions.software(), **components},
            "options": run.options,
            "lineage": {"inputs": [f.entry for f in run.inputs]} if run.inputs else {},
            "answers": [],
            "verdicts": [],
            "metrics": {},
            "sections": [],
        }
        self._write(self._document)

    def open(self) -> None:
        """Tells the readers that the run has begun."""
        for reader in self._readers:
            reader.opened(self.run)

    @property
    def result(self) -> Result:
        """What was found so far."""
        return Result(self.run.folder, self._document)

    def add(self, *sections: Section) -> None:
        """Adds parts; each is written, with its files, before readers are told.

        Raises:
            ValueError: If its key is none, or a part with the same key is there already.
            OSError: If a file cannot be written.
        """
        for section in sections:
            new_section(self._document["sections"], section.key)
            entry = write_section(section, self.run)
            self._write({"sections": [*self._document["sections"], entry]})
            for reader in self._readers:
                reader.section(section)

    def tables(self, tables: "Mapping[str, Table]") -> None:
        """Adds tables that carry what belongs to them in their metadata.

        Arguments:
            tables: By title; `meta["key"]` is the stable key, `meta["caption"]` says
                what the columns are, and each `Sentence` of `meta["misses"]`, if any,
                is something that the reader must not miss, by default called misses
                (`meta["misses_are"]`). `meta["metrics"]`, if any, are further numbers in
                these sentences, by stable key, `meta["shows"]` the keys in the caption.
        """
        for title, table in tables.items():
            numbers = table.meta.get("metrics", {})
            if numbers:
                self.metrics(numbers)
            self.add(*table_sections(title, table))

    def metrics(self, numbers: Mapping[str, Number]) -> None:
        """Adds numbers by stable key; those that are not finite are kept as text.

        Raises:
            ValueError: If one is no key, or is there already with another value.
        """
        plain = new_numbers(self._document["metrics"], numbers)
        self._write({"metrics": {**self._document["metrics"], **plain}})
        self._tell(plain)

    def answers(self, answers: Iterable[Answer]) -> None:
        """Adds what was asked for, and its numbers to the metrics.

        Raises:
            ValueError: If one of these keys is no key, or is there already with something
                else.
        """
        for answer in answers:
            known, metrics = self._document["answers"], self._document["metrics"]
            more = new_entries(known, "answers", answer.document)
            plain = new_numbers(metrics, answer.metrics)
            changes = {"answers": [*known, *more], "metrics": {**metrics, **plain}}
            self._write(changes)
            self._tell(plain)

    def verdicts(self, verdicts: Iterable[Verdict]) -> None:
        """Adds which tests were passed.

        Raises:
            ValueError: If one of their keys is no key, or is there already with something
                else.
        """
        for verdict in verdicts:
            known = self._document["verdicts"]
            more = new_entries(known, "verdicts", describe(verdict))
            self._write({"verdicts": [*known, *more]})

    def words(self, words: Mapping[str, str]) -> None:
        """Adds to what pages and figures call the words of its tables; see `wording`."""
        self._write({WORDING: {**self._document.get(WORDING, {}), **words}})

    def lineage(self, kind: str, entry: JSON) -> None:
        """Adds what the result rests on: a dataset, summaries, a posterior, another run.

        Arguments:
            kind: In the plural, such as `datasets`.
            entry: Plain JSON with a `fingerprint`.
        """
        lineage = self._document["lineage"]
        entries = [*lineage.get(kind, []), describe(entry)]
        self._write({"lineage": {**lineage, kind: entries}})

    def epoch(self, estimator: str, epoch: int, losses: Mapping[str, float]) -> None:
        """Adds the losses of one epoch of an estimator, one line of `epochs.jsonl`."""
        line = {"estimator": estimator, "epoch": epoch, **_finite(losses)}
        files.append(self.run.folder / EPOCHS, line_of(line))
        for reader in self._readers:
            reader.epoch(estimator, epoch, losses)

    def close(self, status: str, reason: str = "") -> None:
        """Ends the run; readers are told last, each of them whatever others do.

        `finished` says that the answer is whole. It is written before a page is drawn or
        anything sent: a run that is killed there has lost no result, only its reader.

        Raises:
            OSError: If the end cannot be written; then that it failed, if that can be.
            Exception: What went wrong with the first reader that failed.
        """
        end: JSON = {"status": status, "reason": written_out(reason), "ended": _now()}
        if status == "finished":
            self._finish(end)
        else:
            self._write(end)
        # as whoever reads the document later will find it
        result = Result.open(self.run.folder)
        problems = [p for r in self._readers if (p := _problem(r, result)) is not None]
        if problems:
            first, *others = problems
            for other in others:
                first.add_note(_note(other))
            raise first

    def _finish(self, end: JSON) -> None:
        """Writes that the answer is whole, or why that cannot be written."""
        try:
            sections = self._document["sections"]
            self._write({**end, INVENTORY: inventory(self.run.folder, sections)})
        except Exception as error:
            _close_failed(self, error)
            raise

    def _tell(self, numbers: Mapping[str, Number]) -> None:
        for reader in self._readers:
            reader.metrics(numbers)

    def _write(self, changes: JSON) -> None:
        """Writes the document with changes; one that cannot be written changes nothing."""
        seconds = round(time.monotonic() - self._began, 3)
        document = {**self._document, **changes, "seconds": seconds}
        write_document(self.run.folder / DOCUMENT, document)
        self._document = document


@contextmanager
def record(
    experiment: str,
    options: Any,
    root: Path = Path("runs"),
    components: Mapping[str, int] = NO_VERSIONS,
    summaries: Mapping[str, int] = NO_VERSIONS,
    unread: Sequence[str] = (),
) -> Iterator[Recording]:
    """Returns a new attempt at an experiment, whose findings are kept as they come.

    If the body fails, the document says so and why, keeps what there was, and the
    exception goes on. Meanwhile no other process can begin the same run: both would
    train the same networks in the same place.

    Arguments:
        experiment: The experiment's name.
        options: Its choices, a frozen dataclass.
        root: The folder of all runs.
        components: Versions of what decides its answers, by name. They make no other
            run of it: each attempt has its own.
        summaries: Versions of the functions that summarise, by their names. They make
            another run of it: what they see of the data is what is asked.
        unread: The options, such as `stars`, whose file is not read with these options.

    Raises:
        FinishedEarlier: If the same code had finished this run, and a reader of today,
            such as the page, had not been told: it has been now.
        ValueError: If an option has not the type that its annotation promises.
        BlockingIOError: If another process is at the same run.
        OSError: If the run's folder cannot be written, or a file that an option names
            not be read.

    Example:
        >>> import tempfile
        >>> from dataclasses import make_dataclass
        >>> choices = make_dataclass("Choices", [("springs", int, 3000)], frozen=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with record("spring", choices(), Path(folder)) as recording:
        ...         recording.metrics({"stiffness.median": 8.4})
        ...     Result.open(recording.result.folder).metrics
        {'stiffness.median': 8.4}
    """
    identity = identify_run(experiment, options, summaries, unread)
    decides = {**components, **summaries}
    readers = _readers.get()
    notify_late_readers(identity.shared(root), decides, readers)
    with files.locked(make_shared(identity, root), "another folder of reports"):
        run = start(identity, root)
        with _recorded(run, readers, decides) as recording:
            yield recording


@contextmanager
def _recorded(
    run: Run, readers: Sequence[Reader], decides: Mapping[str, int]
) -> Iterator[Recording]:
    with files.locked(run.folder):
        recording = Recording(run, readers, decides)
        try:
            recording.open()
            yield recording
        except BaseException as error:
            _close_failed(recording, error)
            raise
        recording.close("finished")


def _problem(reader: Reader, result: Result) -> Exception | None:
    """Tells a reader of a run's end; returns what went wrong, which others must not feel."""
    try:
        reader.closed(result)
    except Exception as problem:
        return problem
    return None


def _close_failed(recording: Recording, error: BaseException) -> None:
    """Ends a run that failed; what goes wrong in that hides no error, but is noted at it."""
    try:
        recording.close("failed", told(error))
    except Exception as problem:
        error.add_note(_note(problem))


def _note(problem: Exception) -> str:
    return f"and its end could not be told: {type(problem).__name__}: {problem}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _finite(losses: Mapping[str, float]) -> JSON:
    return {name: plain_number(float(loss)) for name, loss in losses.items()}
