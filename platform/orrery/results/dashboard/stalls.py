"""Giving up a server that takes nothing any more: wandb itself tries for ever, in silence."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

_PAUSE = 0.2  # [s] between looks


class Watch:
    """Calls something once nothing new has been seen for a while.

    Arguments:
        seconds: How long.
        give_up: Called then.

    Example:
        >>> over = threading.Event()
        >>> watch = Watch(0.0, over.set)
        >>> watch.see("1 of 2 bytes")
        >>> over.wait(10.0)
        True
    """

    def __init__(self, seconds: float, give_up: Callable[[], Any]) -> None:
        self._seconds = seconds
        self._give_up = give_up
        self._states: set[Hashable] = set()
        self._quiet = 0.0  # [s]
        self._thread = threading.Thread(target=self._wait, daemon=True)

    def see(self, state: Hashable) -> None:
        """Takes note of how far it has come; what was there before is nothing new.

        What is tried again and again comes to the same states.
        """
        if state not in self._states:
            self._states.add(state)
            self._quiet = 0.0
        if not self._thread.ident:
            self._thread.start()

    def _wait(self) -> None:
        # counted, not read from a clock: a process that is held up for a while would find
        # its time over before it can see anything new
        while self._quiet < self._seconds:
            time.sleep(_PAUSE)
            self._quiet += _PAUSE
        self._give_up()


def watch_wandb(watch: Watch) -> None:
    """Lets a watch see how far `wandb sync` has come, whenever wandb tells it.

    Arguments:
        watch: Sees nothing, and so never gives up, where a wandb tells it otherwise.
    """
    from wandb.sdk.lib import progress

    printer: Any = getattr(progress, "ProgressPrinter", None)
    update = getattr(printer, "update", None)
    if update is None:
        return

    def watched(self: Any, stats: Any) -> None:
        watch.see(_state(stats))
        update(self, stats)

    printer.update = watched
    watch.see(())  # from now on: it may be that wandb never comes to tell anything


def _state(groups: Any) -> Hashable:
    """Returns what is done and how much of it, without what went wrong and for how long."""
    return tuple((one.label, *map(_done, one.operations)) for one in groups)


def _done(operation: Any) -> Hashable:
    parts = tuple(map(_done, operation.subtasks))
    return operation.desc, operation.progress, parts
