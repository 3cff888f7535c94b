"""What a server has of a copy, as it says itself once the copy was sent.

wandb takes any answer with a good status for one that everything was taken: the login page
of whatever stands between, an empty answer, none to what had to be confirmed. So the
server is asked for it: for the number of a run's rows, by which wandb itself goes on with
a run, for the checksums of its files, and for what was committed of its artifacts.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

from orrery.identity import JSON
from orrery.results.dashboard.absences import in_words
from orrery.results.dashboard.endings import records

# It may take a moment to know what it has just been given: of all copies together, for of
# one that has lost each of them each would cost the same wait.
_PAUSES = 4
_PAUSE = 1.0  # [s] each
_MOST_FILES = 50  # of one answer, as wandb itself asks for them
_MOST_VERSIONS = 100  # of an artifact
_NOT_THERE = ("0", "", None)  # as checksum: announced, and never stored
_NOT_UNDERSTOOD = (400, 422)  # HTTP
_COMMITTED = "COMMITTED"

# The questions in which wandb's own client asks for the same: `RunResumeStatus`,
# `RunFiles` and `ProjectArtifacts` of wandb 0.31.
_RUN = """
query SentRun(
    $entity: String, $project: String, $run: String!, $names: [String], $most: Int
) {
    model(name: $project, entityName: $entity) {
        bucket(name: $run, missingOk: true) {
            historyLineCount
            files(names: $names, first: $most) { edges { node { name md5 } } }
        }
    }
}
"""
_ARTIFACT = """
query SentArtifact(
    $entity: String, $project: String, $type: String!, $name: String!, $most: Int
) {
    model(name: $project, entityName: $entity) {
        artifactType(name: $type) {
            artifactCollection(name: $name) {
                artifacts(first: $most) { edges { node { digest state } } }
            }
        }
    }
}
"""

# Returns the data of the answer to a question with variables.
Ask = Callable[[str, Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Shipment:
    """What a server should have of a copy.

    Arguments:
        entity: Whose run it is; None for the one that belongs to the key.
        project: Its project.
        run: Its identity.
        rows: How many rows of numbers.
        files: Their names.
        artifacts: Type, name and digest of each.

    Example:
        >>> Shipment(None, "orrery", "0123-001-ab", 2).rows
        2
    """

    entity: str | None
    project: str
    run: str
    rows: int = 0
    files: tuple[str, ...] = ()
    artifacts: tuple[tuple[str, str, str], ...] = ()

    @property
    def place(self) -> JSON:
        """Where the server keeps it, as variables of a question."""
        return {"entity": self.entity, "project": self.project}


def shipment(file: Path) -> Shipment:
    """Returns what a server should have of a copy.

    Arguments:
        file: The copy.

    Raises:
        OSError: If it cannot be read.
        google.protobuf.message.DecodeError: If it is damaged.
    """
    from wandb.proto import wandb_internal_pb2

    record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]  # made at import
    run = wandb_internal_pb2.RunRecord()  # type: ignore[attr-defined]
    rows = 0
    files: dict[str, None] = {}
    artifacts = []
    for one in records(file.read_bytes()):
        record.ParseFromString(one)
        kind = record.WhichOneof("record_type")
        rows += kind == "history"
        if kind == "run":
            run.CopyFrom(record.run)
        elif kind == "files":
            files |= dict.fromkeys(found.path for found in record.files.files)
        elif kind == "artifact":
            found = record.artifact
            artifacts.append((found.type, found.name, found.digest))
    return Shipment(
        entity=run.entity or None,
        project=run.project,
        run=run.run_id,
        rows=rows,
        files=tuple(files),
        artifacts=tuple(artifacts),
    )


def missing(
    sent: Shipment,
    ask: Ask,
    ignored: tuple[str, ...] = (),
    pause: Callable[[], bool] = lambda: False,
) -> str:
    """Returns what a server says that it has not; nothing if it has everything.

    What it does not understand says nothing: then wandb's own word counts.

    Arguments:
        sent: What it should have.
        ask: Asks it.
        ignored: Patterns of names of files that wandb was told to leave out.
        pause: Waits a moment before it is asked once more; returns whether it may be.

    Raises:
        ConnectionError: If it cannot be asked.
    """
    why = ""
    may_ask = True
    while may_ask:
        try:
            why = next(_lacking(sent, ask, ignored), "")
        except Exception as problem:  # whatever wandb or a server makes of a question
            if _is_not_understood(problem):
                return ""
            raise ConnectionError(
                f"its server could not be asked what it has ({in_words(problem)})"
            ) from problem
        may_ask = bool(why) and pause()
    return f"not everything was taken: its server has {why}" if why else ""


class Receipts:
    """Says of each copy what its server has not; asks no more once that cannot be asked.

    Arguments:
        begin: Returns how the server is asked, and what wandb was told to leave out.
        on_asked: Called before each copy.

    Example:
        >>> Receipts(lambda: (None, ())).lacking(Path("nowhere.wandb")).partition(":")[0]
        'its server could not be asked what it has (FileNotFoundError'
    """

    def __init__(
        self,
        begin: Callable[[], tuple[Ask, tuple[str, ...]]],
        on_asked: Callable[[Path], Any] = lambda file: None,
    ) -> None:
        self._begin = begin
        self._on_asked = on_asked
        self._silence = ""
        self._pauses = _PAUSES

    def lacking(self, file: Path) -> str:
        """Returns what the server has not of a copy, in words; nothing if it has everything.

        Arguments:
            file: The copy.
        """
        if self._silence:
            return self._silence
        self._on_asked(file)
        try:
            sent = shipment(file)
            ask, ignored = self._question
            return missing(sent, ask, ignored, self._pause)
        except ConnectionError as problem:
            self._silence = str(problem)
            return self._silence
        except (
            Exception
        ) as problem:  # of a damaged copy, or a wandb that asks otherwise
            return f"its server could not be asked what it has ({in_words(problem)})"

    def _pause(self) -> bool:
        if not self._pauses:
            return False
        self._pauses -= 1
        time.sleep(_PAUSE)
        return True

    @cached_property
    def _question(self) -> tuple[Ask, tuple[str, ...]]:
        return self._begin()


def _is_not_understood(problem: Exception) -> bool:
    answer = getattr(problem, "response", None)
    return getattr(answer, "http_status", None) in _NOT_UNDERSTOOD


def _lacking(sent: Shipment, ask: Ask, ignored: tuple[str, ...]) -> Iterator[str]:
    """Yields what a server says that it has not."""
    files = [
        name for name in sent.files if not any(fnmatch(name, one) for one in ignored)
    ]
    for begin in range(0, max(len(files), 1), _MOST_FILES):
        yield from _lacking_of_run(sent, ask, files[begin : begin + _MOST_FILES])
    for kind, name, digest in sent.artifacts:
        asked = {**sent.place, "type": kind, "name": name, "most": _MOST_VERSIONS}
        answer = ask(_ARTIFACT, asked)
        if not _is_answer(answer):
            return
        place = _within(answer, "model.artifactType.artifactCollection")
        found = [(one["digest"], one["state"]) for one in _nodes(place, "artifacts")]
        if (digest, _COMMITTED) not in found:
            yield f"not committed {name}"


def _lacking_of_run(sent: Shipment, ask: Ask, names: list[str]) -> Iterator[str]:
    asked = {**sent.place, "run": sent.run, "names": names, "most": _MOST_FILES}
    answer = ask(_RUN, asked)
    if not _is_answer(answer):
        return
    run = _within(answer, "model.bucket")
    if run is None:
        yield "no such run"
        return
    rows = run.get("historyLineCount") or 0
    if rows < sent.rows:
        yield f"{rows} of {sent.rows} rows of numbers"
    stored = {
        one["name"] for one in _nodes(run, "files") if one["md5"] not in _NOT_THERE
    }
    yield from (f"no {name}" for name in names if name not in stored)


def _is_answer(answer: Any) -> bool:
    """Returns whether a server has answered: one that does not know the question may not."""
    return isinstance(answer, dict) and "model" in answer


def _within(answer: Any, path: str) -> Any:
    for name in path.split("."):
        answer = (answer or {}).get(name)
    return answer


def _nodes(place: Any, name: str) -> list[JSON]:
    edges = _within(place, f"{name}.edges") or []
    return [edge["node"] for edge in edges]


def wandbs_question(seconds: float) -> tuple[Ask, tuple[str, ...]]:
    """Returns how wandb asks the server that it is logged in to, and what it leaves out.

    Arguments:
        seconds: How long each answer may take.
    """
    from wandb.apis.public.service_api import ServiceApi
    from wandb.sdk import wandb_setup

    settings = wandb_setup.singleton().settings
    api = ServiceApi(settings, timeout=seconds)
    return api.execute_graphql, tuple(settings.ignore_globs)
