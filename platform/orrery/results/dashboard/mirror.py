"""The copy of one run, written offline, item by item: what fails is one item, not the copy.

A file beside it, `copy.json`, says whether it is whole: one that is not is written again
from the run's document before it is sent.
"""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orrery.identity import JSON
from orrery.results.dashboard import connection
from orrery.results.dashboard.contents import Series, Sheet
from orrery.results.dashboard.deposits import Deposit
from orrery.storage import files
from orrery.terminal import say

COPY = "copy.json"
START = 30  # [s] for wandb's own process, which has no server to wait for


@dataclass(frozen=True)
class Heading:
    """What W&B calls a run.

    Arguments:
        folder: The run's or the sweep's; everything is written below it.
        identity: No other run's, ever.
        name: As people read it.
        group: Of runs that belong together.
        kind: `run` or `trial`.
        config: What was chosen.
        sweep: The W&B sweep that it shows in, if any.

    Example:
        >>> Heading(Path("runs/x"), "0123-001-ab", "desi", "desi", "run", {}).sweep is None
        True
    """

    folder: Path
    identity: str
    name: str
    group: str
    kind: str
    config: Mapping[str, Any]
    sweep: str | None = None


@dataclass(frozen=True)
class Copy:
    """What is known of a run's copy.

    Arguments:
        identity: Of the W&B run.
        file: Its file, below the folder `wandb`.
        closed: Whether it came to its end.
        lost: What it lacks, because a call failed.

    Example:
        >>> Copy("0123-001-ab", "run-0123.wandb", True, ("answers",)).whole
        False
    """

    identity: str
    file: str
    closed: bool = False
    lost: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it holds everything that the run's document does."""
        return self.closed and not self.lost

    @classmethod
    def read(cls, folder: Path) -> "Copy | None":
        """Returns what is known of the copy in a run's folder; None if there is none."""
        try:
            found = json.loads((folder / "wandb" / COPY).read_text(encoding="utf-8"))
            lost = tuple(found["lost"])
            return cls(found["identity"], found["file"], found["closed"], lost)
        except (OSError, ValueError, KeyError, TypeError):
            return None  # as if it were not there: it can be made again

    def write(self, folder: Path) -> None:
        """Writes it into a run's folder.

        Raises:
            OSError: If it cannot be written.
        """
        document = {
            "identity": self.identity,
            "file": self.file,
            "closed": self.closed,
            "lost": list(self.lost),
        }
        files.write_json(folder / "wandb" / COPY, document)

    def path(self, folder: Path) -> Path:
        """Returns its file in a run's folder."""
        return folder / "wandb" / self.file


@dataclass
class Mirror:
    """A run's copy that is being written.

    Arguments:
        heading: What it is called.
        wandb: The module.
        session: The run as wandb knows it.
        file: The copy.
        lost: Items that could not be written.

    Example:
        >>> mirror = Mirror(Heading(Path(), "a", "a", "a", "run", {}), None, None, Path())
        >>> mirror.metrics({"a": 1})  # the session is none: the item is lost, nothing else
        >>> mirror.lost
        ['metrics']
    """

    heading: Heading
    wandb: Any
    session: Any
    file: Path
    lost: list[str] = field(default_factory=list)
    _places: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def begin(cls, heading: Heading) -> "Mirror":
        """Returns a copy that has just begun.

        Raises:
            Exception: Whatever wandb raises.
        """
        with ExitStack() as places:
            places.enter_context(connection.kept_below(heading.folder))
            wandb = connection.loaded()
            session = wandb.init(**_arguments(heading, wandb))
            file = Path(session.settings.sync_file).resolve()
            known = replace(heading, identity=session.id)  # an agent has given its own
            begun = cls(known, wandb, session, file, _places=places.pop_all())
            begun._note(closed=False)
            return begun

    def _note(self, closed: bool) -> None:
        folder = self.heading.folder
        if self.heading.kind == "run":
            file = self.file.relative_to((folder / "wandb").resolve())
            lost = tuple(dict.fromkeys(self.lost))
            Copy(self.heading.identity, str(file), closed, lost).write(folder)

    def keep(self, item: str, write: Callable[[], Any]) -> None:
        """Writes an item; whatever goes wrong there is told, and nothing else.

        Arguments:
            item: What it is.
            write: Writes it.
        """
        try:
            write()
        except Exception as problem:
            # whatever goes wrong over there, hours of computing do not depend on it
            if not self.lost:
                say(
                    f"warning: Weights & Biases took no {item} "
                    f"({type(problem).__name__}: {problem}); local files are complete"
                )
            self.lost.append(item)

    def metrics(self, numbers: Mapping[str, Any]) -> None:
        """Writes numbers that sum the run up."""
        self.keep("metrics", lambda: self.session.summary.update(dict(numbers)))

    def row(self, values: Mapping[str, float]) -> None:
        """Writes numbers of one moment."""
        self.keep("numbers", lambda: self.session.log(dict(values)))

    def axis(self, name: str, step: str, summary: str | None = None) -> None:
        """Says over what the curves of a name are drawn.

        Arguments:
            name: What all of them belong to.
            step: The name of the places.
            summary: `none` if no value sums a curve up; its last one does when None.
        """

        def define() -> None:
            place = f"{name}/{step}"
            self.session.define_metric(place, hidden=True, summary="none")
            self.session.define_metric(f"{name}/*", step_metric=place, summary=summary)

        self.keep(name, define)

    def series(self, series: Series) -> None:
        """Writes curves, row by row."""
        self.axis(series.name, series.step, summary="none")
        for row in series.rows:
            self.row(row)

    def sheet(self, sheet: Sheet) -> None:
        """Writes a table."""

        def log() -> None:
            rows = [list(row) for row in sheet.rows]
            table = self.wandb.Table(
                columns=list(sheet.columns), data=rows, allow_mixed_types=True
            )
            self.session.log({sheet.name: table})

        self.keep(sheet.name, log)

    def picture(self, name: str, path: Path, caption: str) -> None:
        """Writes a figure as a picture."""

        def log() -> None:
            self.session.log({name: self.wandb.Image(str(path), caption=caption)})

        self.keep(name, log)

    def deposit(self, deposit: Deposit) -> None:
        """Writes files with what they are and rest on."""

        def log() -> None:
            artifact = self.wandb.Artifact(
                deposit.name, deposit.kind, metadata=deposit.metadata
            )
            for path in deposit.files:
                # what is named by its fingerprint is never replaced: megabytes that need
                # not be copied
                lasting = deposit.fingerprint in path.name
                policy = "immutable" if lasting else "mutable"
                artifact.add_file(str(path), policy=policy)
            self.session.log_artifact(artifact)

        self.keep(deposit.name, log)

    def close(self, failed: bool) -> None:
        """Ends the copy.

        Arguments:
            failed: Whether the run failed.
        """
        self.keep("end", lambda: self.session.finish(exit_code=int(failed)))
        self.keep("note", lambda: self._note(closed=True))
        self._places.close()


def _arguments(heading: Heading, wandb: Any) -> JSON:
    settings = wandb.Settings(
        silent=True,
        console="off",
        init_timeout=START,
        finish_timeout=START,
        sweep_id=heading.sweep,
    )
    described = {
        "group": heading.group,
        "name": heading.name,
        "job_type": heading.kind,
        "config": dict(heading.config),
        "dir": str(heading.folder),
        "mode": "offline",
        "reinit": "create_new",
        "settings": settings,
    }
    if heading.kind == "run" and connection.under_agent(os.environ):
        return described  # identity and project are the agent's
    project = os.environ.get("WANDB_PROJECT", connection.PROJECT)
    return {**described, "id": heading.identity, "project": project}
