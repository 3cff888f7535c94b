"""A run on Weights & Biases: copies of what it finds; the run never depends on them."""

import netrc
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from orrery.results.recording import Number
from orrery.results.result import Result
from orrery.results.sections import Section, TableSection, tabulated
from orrery.storage.run import Run
from orrery.terminal import say

Mode = Literal["online", "offline", "disabled"]
DASHBOARD = "https://api.wandb.ai"


class DashboardReader:
    """Copies of a run on Weights & Biases. Its first failure is told once and ends it.

    Example:
        >>> DashboardReader().metrics({"a": 1})  # nobody is connected: nothing is sent
    """

    def __init__(self) -> None:
        self._wandb: Any = None
        self._session: Any = None

    def opened(self, run: Run) -> None:
        """Begins a page there; the same options continue the same page."""
        mode = dashboard_mode(os.environ)
        if mode != "disabled":
            self._attempt(lambda: self._open(run, mode))

    def section(self, section: Section) -> None:
        """Sends a table; figures follow when they are drawn."""
        if isinstance(section, TableSection):
            self._table(section)

    def _open(self, run: Run, mode: Mode) -> None:
        import wandb  # takes seconds, and is not needed where it is switched off

        self._wandb = wandb
        self._session = wandb.init(
            project="orrery",
            group=run.experiment,
            name=f"{run.experiment}-{run.fingerprint[:8]}",
            id=run.fingerprint,
            resume="allow" if mode == "online" else None,
            config=run.options,
            dir=run.folder,
            mode=mode,
            settings=wandb.Settings(
                silent=True, console="off", init_timeout=30, finish_timeout=300
            ),
        )
        place = (
            self._session.url
            if mode == "online"
            else f"offline, in {run.folder / 'wandb'}"
        )
        say(f"Weights & Biases: {place}")

    def metrics(self, numbers: Mapping[str, Number]) -> None:
        """Sends numbers that sum the run up."""
        self._send(lambda session: session.summary.update(dict(numbers)))

    def epoch(self, estimator: str, epoch: int, losses: Mapping[str, float]) -> None:
        """Sends the losses of one epoch."""
        values = {f"{estimator}/{name}_loss": value for name, value in losses.items()}
        self._send(lambda session: session.log({f"{estimator}/epoch": epoch, **values}))

    def closed(self, result: Result) -> None:
        """Sends the figures, and waits some minutes at most until everything is sent."""
        for section in result.sections:
            picture = result.folder / f"{section['key']}.png"
            if section["kind"] == "figure" and picture.exists():
                self._image(section["key"], picture, section["text"])
        failed = result.status == "failed"
        self._send(lambda session: session.finish(exit_code=int(failed)))
        self._session = None

    def _table(self, section: TableSection) -> None:
        content = tabulated(section.table)
        names = [column["name"] for column in content["columns"]]

        def log(session: Any) -> None:
            session.log({section.key: self._wandb.Table(names, content["rows"])})

        self._send(log)

    def _image(self, name: str, path: Path, caption: str) -> None:
        def log(session: Any) -> None:
            session.log({name: self._wandb.Image(str(path), caption=caption)})

        self._send(log)

    def _send(self, action: Callable[[Any], Any]) -> None:
        if self._session is not None:
            self._attempt(lambda: action(self._session))

    def _attempt(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except Exception as problem:
            # whatever goes wrong over there, hours of computing do not depend on it
            self._session = None
            say(
                f"warning: Weights & Biases failed and is off for the rest of this run "
                f"({type(problem).__name__}: {problem}); local files are complete"
            )


def dashboard_mode(environment: Mapping[str, str]) -> Mode:
    """Returns `online` only where a key is at hand and `WANDB_MODE` does not say otherwise."""
    asked = environment.get("WANDB_MODE", "online")
    if asked == "disabled":
        return "disabled"
    return "online" if asked == "online" and _has_key(environment) else "offline"


def _has_key(environment: Mapping[str, str]) -> bool:
    if environment.get("WANDB_API_KEY"):
        return True
    host = urlsplit(environment.get("WANDB_BASE_URL", DASHBOARD)).hostname or ""
    try:
        path = Path(environment.get("NETRC", "~/.netrc")).expanduser()
        return netrc.netrc(path).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
