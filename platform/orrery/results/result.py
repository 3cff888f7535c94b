"""What a run found: a document on the disk, `run.json`, with tables and arrays beside it.

The document is written whole or not at all each time that it grows, so that whatever
happens to the process, what it had found can be read. Pages, terminal and dashboards
only read it. The format is described in `datasets/README.md`.
"""

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from orrery.identity import JSON, is_fingerprint
from orrery.results import encoding
from orrery.results.views import View
from orrery.results.wording import figure_words, worded, words_of
from orrery.storage import documents, files
from orrery.storage.contents import content_of
from orrery.storage.documents import digest_of, own_file, write_document
from orrery.storage.run import (
    ATTEMPT,
    DOCUMENT,
    attempt_folders,
    attempt_number,
    attempts,
    only_run,
)
from orrery.terminal import say

Status = Literal["running", "finished", "failed", "damaged"]
STATUSES = get_args(Status)
FORMAT = 1
# What a document holds in any case, and of which type.
_FIELDS: dict[str, Any] = {
    **dict.fromkeys(("experiment", "run", "status", "reason", "began", "host"), str),
    **dict.fromkeys(("versions", "options", "lineage", "metrics"), dict),
    **dict.fromkeys(("answers", "verdicts", "sections", "command"), list),
    **dict.fromkeys(("attempt", "process"), int),
    "seconds": float | int,
}
NEVER_WRITTEN = (
    "the process ended before its first document: it was killed, its machine went down, "
    "or its disk was full; the same command begins again"
)
PAGE = "report.html"
OTHER_VERSION = "read it with the version that wrote it"
_AGAIN = "run the experiment again"
_NAME = re.compile(rf"{ATTEMPT}(\d+)")
KILLED = (
    "the process ended without a word: it was killed, its machine went down, or its disk was "
    "full; the same command continues where it stopped"
)


@dataclass(frozen=True)
class Result:
    """What one attempt of a run found, as its document says it.

    Arguments:
        folder: The attempt's folder.
        document: The content of its `run.json`.

    Example:
        >>> Result(Path("runs/x"), {"status": "finished", "metrics": {"a": 1}}).metrics
        {'a': 1}
    """

    folder: Path
    document: JSON

    @classmethod
    def open(cls, place: Path | str) -> "Result":
        """Returns the result in a place.

        A run that says it is running, but whose process is gone, is entered as failed
        first.

        Arguments:
            place: A `run.json`, an attempt's folder, or the folder of all attempts with
                the same options, whose answer is that of the newest finished one.

        Of newer attempts whose document is damaged a line tells, since their answer would
        have been another.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If the document is damaged or another run's, or those of all attempts
                are.
        """
        path = Path(place)
        if path.name == DOCUMENT:
            path = path.parent
        if not (path / DOCUMENT).exists():
            return _answer(path)
        path = path.absolute()
        return cls(path, _settled(path))

    @classmethod
    def damaged(cls, folder: Path, reason: str) -> "Result":
        """Returns the result of an attempt of which nothing else is known.

        Arguments:
            folder: The attempt's.
            reason: What is wrong with its document.
        """
        nothing = {name: _nothing(kind) for name, kind in _FIELDS.items()}
        lost = {"status": "damaged", "reason": reason, "run": folder.parent.name}
        return cls(folder.absolute(), {**nothing, **lost})

    @classmethod
    def unwritten(cls, folder: Path) -> "Result":
        """Returns the result of an attempt that has no document yet, or never had one.

        Arguments:
            folder: The attempt's.
        """
        begun = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
        is_at_work = files.is_locked(folder)
        known = {
            "status": "running" if is_at_work else "failed",
            "reason": "" if is_at_work else NEVER_WRITTEN,
            "experiment": folder.parent.parent.name,
            "attempt": attempt_number(folder),
            "began": begun.isoformat(timespec="seconds"),
            "format": FORMAT,
            "ended": None,
        }
        document = cls.damaged(folder, "").document
        return cls(folder.absolute(), {**document, **known})

    @property
    def status(self) -> Status:
        """Whether it is running, finished or failed, or its document is damaged."""
        return self.document["status"]

    @property
    def has_page(self) -> bool:
        """Whether its page is beside its document."""
        return (self.folder / PAGE).is_file()

    @property
    def options(self) -> JSON:
        """The options, which can be given back: `--options run.json`."""
        return self.document["options"]

    @property
    def metrics(self) -> JSON:
        """Numbers by stable key, such as `posterior.desi.v_gsr.v_travel.median`."""
        return self.document["metrics"]

    @property
    def sections(self) -> list[JSON]:
        """The parts, in their order; each has `kind`, `key`, `title` and `text`."""
        return self.document["sections"]

    def section(self, key: str) -> JSON:
        """Returns the part with a key.

        Raises:
            KeyError: If there is none; it lists those there are.
        """
        for section in self.sections:
            if section["key"] == key:
                return section
        raise KeyError(
            f"no part {key!r}: there are {[s['key'] for s in self.sections]}"
        )

    def view(self, section: JSON) -> View:
        """Returns everything that a figure shows, as people write it.

        Arguments:
            section: One of the sections with the kind `figure`.

        Raises:
            ValueError: If the file of its arrays is damaged.
            OSError: If it cannot be read.
        """
        content = self.content(section, section["data"])
        try:
            arrays = encoding.from_parquet(content)
            view = encoding.decode_view(section["view"], arrays)
            return worded(view, figure_words(self.document))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self.folder / section['data']}: {error}") from error

    def content(self, section: JSON, file: str) -> bytes:
        """Returns the content of a section's file, which is what the run wrote.

        Arguments:
            section: One of the sections.
            file: The file's name in the attempt's folder.

        Raises:
            ValueError: If the file is damaged, or not in this folder.
            OSError: If it cannot be read.
        """
        try:
            place = own_file(self.folder, file)
        except ValueError as error:
            raise ValueError(f"{self.folder / DOCUMENT}: {error}: {_AGAIN}") from error
        content: bytes = content_of(place)
        # Older documents have no checksums of their files.
        if digest_of(content) != section.get("sha256", {}).get(
            file, digest_of(content)
        ):
            raise ValueError(f"{place} is damaged (its checksum differs): {_AGAIN}")
        return content


def _answer(shared: Path) -> Result:
    found = newest(shared)
    if found.status == "damaged":
        raise ValueError(found.document["reason"])
    kind = "finished" if found.status == "finished" else "whole"
    for one in newer(found):
        if one.status == "damaged":
            say(
                f"warning: {one.folder.name} is damaged ({one.document['reason']}): the answer "
                f"is that of {found.folder.name}, the newest {kind} attempt"
            )
    return found


def newest(shared: Path) -> Result:
    """Returns the answer of a run: its newest finished attempt, or else its newest one.

    A damaged attempt never hides a whole one.

    Raises:
        FileNotFoundError: If there is no attempt.
    """
    kept = [path for path in attempts(shared) if (path / DOCUMENT).exists()]
    found = [readable(path) for path in kept]
    if not found:
        return newest(only_run(shared, "give the folder of a run, or of an attempt"))
    finished = [result for result in found if result.status == "finished"]
    whole = [result for result in found if result.status != "damaged"]
    return (finished or whole or found)[-1]


def newer(answer: Result) -> list[Result]:
    """Returns the attempts with the same options that are newer than one of them.

    Where it is the answer of their folder, none of these has finished whole.
    """
    own = attempt_number(answer.folder)
    later = [p for p in attempts(answer.folder.parent) if attempt_number(p) > own]
    return [readable(path) for path in later]


def all_results(root: Path) -> list[Result]:
    """Returns the results of all attempts below a folder, by experiment, run and attempt.

    Those with a damaged document are `damaged`, and why; those without one run or failed.

    Raises:
        FileNotFoundError: If the folder is not there.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is not there: name the folder of the runs")
    return [readable(folder) for folder in attempt_folders(root)]


def readable(folder: Path) -> Result:
    """Returns an attempt's result, or one that says what is wrong with its document.

    An attempt that was killed before its first document has failed.

    Arguments:
        folder: The attempt's.
    """
    try:
        if not (folder / DOCUMENT).exists():
            return Result.unwritten(folder.absolute())
        return Result.open(folder)
    except (ValueError, OSError) as error:
        return Result.damaged(folder, str(error))


def run_document(path: Path) -> JSON:
    """Returns the content of a `run.json`.

    Raises:
        ValueError: If it is damaged.
        OSError: If it cannot be read.
    """
    document = documents.read_document(path, _AGAIN)
    try:
        _check(document)
        return document
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no document of a run, or damaged ({error}): {_AGAIN}"
        ) from error


def foreign(folder: Path, document: JSON) -> Iterator[str]:
    """Yields that a document is that of another attempt, or of another run, than its folder is.

    Arguments:
        folder: The attempt's; one with a name that runs do not give is anybody's.
        document: The content of its `run.json`.

    Example:
        >>> folder = Path("runs/desi/0f1e2d3c4b5a6978/attempt-001")
        >>> [*foreign(folder, {"run": "0f1e2d3c4b5a6978", "attempt": 2})]
        ['is that of attempt 2']
    """
    number = _NAME.fullmatch(folder.name)
    if number is None:
        return
    if document.get("attempt") != int(number[1]):
        yield f"is that of attempt {document.get('attempt')}"
    run = folder.parent.name
    if is_fingerprint(run) and document.get("run") != run:
        yield f"is that of the run {document.get('run')}"


def other_format(document: JSON) -> str:
    """Returns that a document has the format of another version; nothing if it has ours.

    Its metrics can be collated as far as they are understood; its page would not be the
    one that was meant, and nobody here can tell whether it is whole.

    Arguments:
        document: The content of a `run.json`.
    """
    found = document.get("format")
    if found == FORMAT:
        return ""
    return f"its format is {found!r}, of another version: this one reads {FORMAT}"


def _nothing(kind: Any) -> Any:
    return 0.0 if kind == float | int else kind()


def _check(document: Any) -> None:
    """Raises ValueError, KeyError or TypeError if a document is none that we write.

    Its parts are looked at by whoever shows them: one that is damaged hides no other.
    """
    for name, kind in _FIELDS.items():
        if not isinstance(document[name], kind) or document[name] is True:
            raise TypeError(f"{name} is {document[name]!r}")
    if document["status"] not in STATUSES:
        raise ValueError(f"its status is {document['status']!r}")
    words_of(document)
    # no float holds each whole number
    if not abs(document["seconds"]) <= sys.float_info.max:
        raise ValueError(f"it took {document['seconds']} s")


def _settled(folder: Path) -> JSON:
    """Returns an attempt's own document, failed if it says running but nobody is at work."""
    document = run_document(folder / DOCUMENT)
    # before anything is written here: another run's is not ours to settle
    for said in foreign(folder, document):
        raise ValueError(f"{folder / DOCUMENT} {said}: put it back, or {_AGAIN}")
    if document["status"] != "running" or _is_at_work(document, folder):
        return document
    if other_format(document):  # by which it may be at work in another way
        return document
    document = run_document(folder / DOCUMENT)  # it may have ended in between
    if document["status"] != "running":
        return document
    document |= {"status": "failed", "reason": KILLED}
    with suppress(OSError):  # a disk that is only read is told, not mended
        write_document(folder / DOCUMENT, document)
    return document


def _is_at_work(document: JSON, folder: Path) -> bool:
    """Returns whether a run may still be going on: what cannot be seen from here may."""
    if files.is_locked(folder) or document["host"] != socket.gethostname():
        return True
    # A lock ends with its process. The process's number says less: another may have it
    # by now, and one that nobody waited for keeps it.
    return not files.was_locked(folder) and _is_alive(document["process"])


def _is_alive(process: int) -> bool:
    """Returns whether there may be a process with this number, other than this one."""
    if process <= 0:
        return False  # a group of processes to the system
    try:
        os.kill(process, 0)  # signal 0 only asks whether it is there
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return process != os.getpid()
