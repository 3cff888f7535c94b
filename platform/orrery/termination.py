"""SIGTERM: whoever ends a program by it, such as a batch system, gets an orderly end.

By itself it ends Python at once: nothing says why a run stopped, and its processes and
temporary files stay.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Terminated(KeyboardInterrupt):
    """The program was asked to end, by SIGTERM.

    It is an interruption as Ctrl-C is: what keeps finished work at the one keeps it at
    the other.

    Example:
        >>> isinstance(Terminated(), KeyboardInterrupt)
        True
    """


@contextmanager
def terminable() -> Iterator[None]:
    """Returns a context in which the first SIGTERM raises `Terminated`; others are ignored.

    Nothing changes where it cannot: in another thread than the main one.

    Example:
        >>> try:
        ...     with terminable():
        ...         signal.raise_signal(signal.SIGTERM)
        ... except Terminated:
        ...     print("an orderly end")
        an orderly end
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        # None: not set from Python
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _terminate(number: int, frame: Any) -> None:
    # A second one would interrupt the end itself.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated


@contextmanager
def kept_handler() -> Iterator[None]:
    """Returns a context after which SIGTERM still raises `Terminated`, if it did before.

    For libraries that take the signal for themselves, such as Ray when it starts.
    """
    main = threading.current_thread() is threading.main_thread()
    ours = main and signal.getsignal(signal.SIGTERM) is _terminate
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, _terminate)
