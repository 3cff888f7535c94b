"""Trials on Weights & Biases: one run for each, in the group of its sweep.

The process that keeps a sweep's ledger writes them, when they end; the processes in which
trials are computed write nothing. A sweep waits for none of it: a thread does the work.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from orrery.results.dashboard import connection
from orrery.results.dashboard.calls import end_service
from orrery.results.dashboard.connection import Patience
from orrery.results.dashboard.copies import is_sent, later
from orrery.results.dashboard.mirror import START, tell_loss
from orrery.results.dashboard.trial_copies import copied
from orrery.results.dashboard.uploads import Upload
from orrery.sweeps.trial import Trial
from orrery.sweeps.watching import watched_by
from orrery.terminal import say

_Ended = tuple[Path, Trial]  # the folder of a sweep, and what has ended there

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
        self._sweeps: list[Path] = []
        self._copies: list[Path] = []
        self._upload: Upload | None = None
        self._has_warned = False
        self._is_over = False

    def trial(self, name: str, folder: Path, trial: Trial) -> None:
        if not self._thread.ident:
            self._thread.start()
        self._count += 1
        if folder not in self._sweeps:
            self._sweeps.append(folder)
        self._ended.put((folder, trial))

    def close(self) -> None:
        if not self._thread.ident:
            return
        self._ended.put(None)
        self._thread.join(_COPYING)
        self._is_over = True
        if self._thread.is_alive():
            end_service()  # which wandb would wait for
        if self._upload:
            self._finish(self._upload, time.monotonic() + self._patience.finish)
        missing = self._count - len(self._copies)
        if missing:
            say(
                f"{missing} of {self._count} trials have no whole copy for Weights & "
                f"Biases; {later(self._sweeps)} copies and sends them"
            )

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
                f"trials ({upload.reason}); {later(self._sweeps)} sends them"
            )

    @property
    def _waiting(self) -> list[Path]:
        return [path for path in self._copies if not is_sent(path)]

    def _work(self) -> None:
        while (found := self._ended.get()) and not self._is_over:
            folder, trial = found
            try:
                copy = copied(folder, trial, self._warn)
                # one that lacks something would be marked as sent
                if copy.whole:
                    self._copies.append(copy.path(folder))
                    self._send()
            # SystemExit, too, which would end the thread in silence
            except BaseException as problem:
                self._warn("trial", problem)

    def _warn(self, item: str, problem: BaseException) -> None:
        """Tells of the first thing that went wrong; at the end it is told how many did."""
        if not self._has_warned:
            self._has_warned = True
            tell_loss(item, problem)

    def _send(self) -> None:
        """Sends what is waiting, unless something is being sent."""
        busy = self._upload and self._upload.is_running
        if self._is_online and not busy:
            self._upload = Upload(self._waiting, self._patience)

    @cached_property
    def _is_online(self) -> bool:
        if connection.asked_mode(os.environ) != "online":
            return False
        try:
            return connection.finds_key(START)
        except Exception as problem:
            self._warn("key", problem)
            return False
