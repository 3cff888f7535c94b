"""A copy that is being written, offline, item by item: what fails is one item, not the copy."""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orrery.identity import JSON
from orrery.results.dashboard import connection, endings
from orrery.results.dashboard.absences import in_words
from orrery.results.dashboard.calls import Beginnings, Calls, forget_dead_service
from orrery.results.dashboard.contents import Series, Sheet
from orrery.results.dashboard.copies import COPY, Copy
from orrery.results.dashboard.deposits import Deposit
from orrery.terminal import say

START = 30.0  # [s] for each answer of wandb's own process: it waits for no server
_LOADING = 60.0  # [s] for wandb to be imported, from a slow disk too
_SLOWEST = 10e6  # [byte / s] at which files are read
_BEGINNINGS = Beginnings()  # of this process

OnLoss = Callable[[str, Exception], None]


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
        note: The file that tells whether the copy is whole, below the folder `wandb`.
        source: The fingerprint of what is copied, if that may come to change.

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
    note: str = COPY
    source: str = ""


def tell_loss(item: str, problem: BaseException) -> None:
    """Tells of the first item that could not be written."""
    say(
        f"warning: Weights & Biases took no {item} ({in_words(problem)}); local files "
        "are complete"
    )


@dataclass
class Mirror:
    """A copy that is being written.

    Arguments:
        heading: What it is called.
        wandb: The module.
        session: The run as wandb knows it.
        file: The copy.
        on_loss: Called with the first item that could not be written, and why.
        lost: Items that could not be written.
        gone: What there is nothing to be written of any more, and why.

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
    on_loss: OnLoss = tell_loss
    lost: list[str] = field(default_factory=list)
    gone: tuple[str, ...] = ()
    _calls: Calls = field(default_factory=Calls)
    _places: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def begin(cls, heading: Heading, on_loss: OnLoss = tell_loss) -> "Mirror":
        """Returns a copy that has just begun.

        Arguments:
            heading: What it is called.
            on_loss: Called with the first item that could not be written, and why.

        Raises:
            Exception: Whatever wandb raises.
        """
        calls = Calls()
        forget_dead_service()
        with ExitStack() as places, _BEGINNINGS.one():
            places.enter_context(connection.kept_below(heading.folder))
            # of a copy that does not begin, too
            places.callback(forget_dead_service)
            places.callback(calls.end)
            wandb = calls.ask(connection.loaded, _LOADING)
            arguments = calls.ask(lambda: _arguments(heading, wandb), START)
            session = calls.ask(lambda: wandb.init(**arguments), START)
            file = Path(session.settings.sync_file).resolve()
            known = replace(heading, identity=session.id)  # an agent has given its own
            begun = cls(known, wandb, session, file, on_loss, _calls=calls)
            begun._places = places.pop_all()
            begun._note(closed=False)
            return begun

    def has_key(self) -> bool:
        """Returns whether wandb finds a key.

        Raises:
            Exception: Whatever wandb raises; TimeoutError if it does not answer.
        """
        found: bool = self._calls.ask(lambda: connection.has_key(self.wandb), START)
        return found

    def _known(self, closed: bool) -> Copy:
        file = self.file.relative_to((self.heading.folder / "wandb").resolve())
        lost = tuple(dict.fromkeys(self.lost))
        heading = self.heading
        known = Copy(heading.identity, str(file), closed, lost, heading.source)
        return replace(known, gone=self.gone)

    def _note(self, closed: bool) -> None:
        self._known(closed).write(self.heading.folder, self.heading.note)

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
                self.on_loss(item, problem)
            self.lost.append(item)

    def _send(self, item: str, call: Callable[[], Any]) -> None:
        """Makes one call of wandb's, which may fail, or never come back."""
        self.keep(item, lambda: self._calls.ask(call, START))

    def config(self, item: str, values: Mapping[str, Any]) -> None:
        """Writes what a run is, beside what was chosen.

        Arguments:
            item: What it is.
            values: By name.
        """
        self._send(item, lambda: self.session.config.update(dict(values)))

    def metrics(self, numbers: Mapping[str, Any]) -> None:
        """Writes numbers that sum the run up."""
        self._send("metrics", lambda: self.session.summary.update(dict(numbers)))

    def row(self, values: Mapping[str, float]) -> None:
        """Writes numbers of one moment."""
        self._send("numbers", lambda: self.session.log(dict(values)))

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

        self._send(name, define)

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

        self._send(sheet.name, log)

    def picture(self, name: str, path: Path, caption: str) -> None:
        """Writes a figure as a picture."""

        def log() -> None:
            self.session.log({name: self.wandb.Image(str(path), caption=caption)})

        self._send(name, log)

    def deposit(self, deposit: Deposit) -> None:
        """Writes files with what they are and rest on."""

        def made() -> Any:
            artifact = self.wandb.Artifact(
                deposit.name, deposit.kind, metadata=deposit.metadata
            )
            for path in deposit.files:
                # what is named by its fingerprint is never replaced: megabytes that need
                # not be copied
                lasting = deposit.fingerprint in path.name
                policy = "immutable" if lasting else "mutable"
                artifact.add_file(str(path), policy=policy)
            return artifact

        def log() -> None:
            size = sum(path.stat().st_size for path in deposit.files)
            artifact = self._calls.ask(made, START + size / _SLOWEST)
            self._calls.ask(lambda: self.session.log_artifact(artifact), START)

        self.keep(deposit.name, log)

    def close(self, failed: bool) -> None:
        """Ends the copy.

        Arguments:
            failed: Whether the run failed.
        """
        self.keep("end", lambda: self._finish(failed))
        self.keep("note", self._seal)
        self._places.close()

    def _finish(self, failed: bool) -> None:
        self._calls.ask(lambda: self.session.finish(exit_code=int(failed)), START)
        endings.wait_for_end(self.file, START)

    def _seal(self) -> None:
        """Writes the note of a copy that has come to its end."""
        known = self._known(closed=True)
        # of one that lacks something nobody asks whether it is intact
        sealed = known.sealed(self.heading.folder) if known.whole else known
        sealed.write(self.heading.folder, self.heading.note)


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
