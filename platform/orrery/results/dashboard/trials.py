"""Trials on Weights & Biases: one run for each, in the group of its sweep.

The process that keeps a sweep's ledger writes them, when they end; the processes in which
trials are computed write nothing. A sweep waits for none of it: a thread does the work.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from orrery.results.dashboard import connection
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.mirror import Heading, Mirror
from orrery.results.dashboard.uploads import Upload, is_sent
from orrery.sweeps.trial import Trial
from orrery.sweeps.watching import watched_by
from orrery.terminal import say

_Ended = tuple[str, Path, Trial]

_COPYING = 30.0  # [s] for copies, which are written here: no server delays them


@contextmanager
def mirrored_trials(patience: Patience | None = None) -> Iterator[None]:
    """Returns a context in which each trial that ends is copied for W&B and sent.

    At its end it waits until everything is copied, half a minute at most, and sent, a
    minute at most.

    Arguments:
        patience: How long the server may take; what the user's variables say when None.
    """
    if connection.asked_mode(os.environ) == "disabled":
        yield
        return
    mirror = _Trials(patience)
    try:
        with watched_by(mirror):
            yield
    finally:
        mirror.close()


class _Trials:
    """Copies trials, one after another, in a thread that begins with the first."""

    def __init__(self, patience: Patience | None) -> None:
        self._patience = patience or Patience.of(os.environ)
        self._ended: SimpleQueue[_Ended | None] = SimpleQueue()
        self._thread = Thread(target=self._work, daemon=True)
        self._count = 0
        self._copies: list[Path] = []
        self._upload: Upload | None = None
        self._problem = ""

    def trial(self, name: str, folder: Path, trial: Trial) -> None:
        if not self._thread.ident:
            self._thread.start()
        self._count += 1
        self._ended.put((name, folder, trial))

    def close(self) -> None:
        if not self._thread.ident:
            return
        self._ended.put(None)
        self._thread.join(_COPYING)
        if self._upload:
            self._finish(self._upload, time.monotonic() + self._patience.finish)
        missing = self._count - len(self._copies)
        if missing:
            say(f"{missing} of {self._count} trials have no copy for Weights & Biases")

    def _finish(self, upload: Upload, end: float) -> None:
        """Waits for what is being sent, sends what came after, and tells what is left."""
        upload.end(max(end - time.monotonic(), 0.0))
        if not self._waiting:
            return
        self._send()
        if self._upload:
            self._upload.end(max(end - time.monotonic(), 0.0))
        if self._waiting:
            say(
                f"Weights & Biases has not got {len(self._waiting)} of {self._count} "
                f"trials ({upload.reason}); `python -m orrery sync RUNS` sends them"
            )

    @property
    def _waiting(self) -> list[Path]:
        return [path for path in self._copies if not is_sent(path)]

    def _work(self) -> None:
        while found := self._ended.get():
            name, folder, trial = found
            try:
                self._copies.append(_copy(name, folder, trial))
                self._send()
            except Exception as problem:
                if not self._problem:
                    self._problem = f"{type(problem).__name__}: {problem}"
                    say(f"warning: Weights & Biases took no trial ({self._problem})")

    def _send(self) -> None:
        """Sends what is waiting, unless something is being sent."""
        busy = self._upload and self._upload.is_running
        if self._is_online and not busy:
            self._upload = Upload(self._waiting, self._patience)

    @cached_property
    def _is_online(self) -> bool:
        online = connection.asked_mode(os.environ) == "online"
        return online and connection.has_key(connection.loaded())


def _copy(name: str, folder: Path, trial: Trial) -> Path:
    """Returns the file of a trial's copy.

    Raises:
        Exception: Whatever wandb raises.
    """
    mirror = Mirror.begin(_heading(name, folder, trial))
    file = mirror.file
    for step, values in enumerate(trial.curve):
        mirror.row({"report": step, **values})
    mirror.metrics({**trial.objectives, "state": trial.state, "seconds": trial.seconds})
    if trial.reason:
        mirror.metrics({"reason": trial.reason})
    mirror.close(trial.state == "failed")
    return file


def _heading(name: str, folder: Path, trial: Trial) -> Heading:
    sweep = folder.name
    return Heading(
        folder=folder,
        identity=f"{sweep}-{trial.number:05d}-{uuid.uuid4().hex[:6]}",
        name=f"{name}-{trial.number:05d}",
        group=f"{name}-{sweep[:8]}",
        kind="trial",
        config=_config(trial),
        sweep=connection.trials_sweep(os.environ),
    )


def _config(trial: Trial) -> dict[str, Any]:
    """Returns a trial's options by path, and by the short names of the command line.

    A W&B sweep knows them by the latter, as experiments do.
    """
    paths = dict(trial.point)
    leaves = {path.rpartition(".")[2]: value for path, value in paths.items()}
    unique = leaves if len(leaves) == len(paths) else {}
    return {**unique, **paths, "trial": trial.number, "identity": trial.identity}
