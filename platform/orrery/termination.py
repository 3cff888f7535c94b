"""SIGINT and SIGTERM: whoever ends a program by them gets an orderly end, whatever is at work.

By itself SIGTERM, which a batch system sends, ends Python at once: nothing says why a run
stopped, and its processes and temporary files stay. And an interruption may arrive where a
library makes another error of it, such as one that says it cannot be imported.
"""

import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

_arrived: list[type[KeyboardInterrupt]] = []  # since `terminable` began
_AGAIN = 0.05  # [s] until a signal whose interruption was lost comes again


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
    """Returns a context that signals end as interruptions, and as nothing else.

    The first SIGTERM raises `Terminated`, others are ignored; SIGINT raises
    KeyboardInterrupt, unless it is ignored, as in what a script starts in the background.
    Whatever other error leaves the context after one of them was made of it, and becomes
    an interruption again; so does the plain KeyboardInterrupt that Ray makes of SIGTERM
    while it waits for a result. An interruption that Python cannot raise, since it came in
    a finalizer or in a callback of a library, comes again a moment later. Nothing changes
    where it cannot: in another thread than the main one.

    Raises:
        KeyboardInterrupt: If one of the signals has come.

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
    _arrived.clear()
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, _terminate)}
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, _interrupt)
    hook = sys.unraisablehook
    sys.unraisablehook = partial(_on_unraisable, hook)
    try:
        yield
    except BaseException as error:
        if _arrived and not isinstance(error, _arrived[-1]):
            raise _arrived[-1] from error
        raise
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            # None: not set from Python
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


@contextmanager
def orderly_end() -> Iterator[None]:
    """Returns a context that an interruption ends with the program, in a line.

    Its imports belong inside of it: those of an experiment take seconds, in which Ctrl-C
    would print where each library was.

    Raises:
        SystemExit: If SIGINT or SIGTERM has come, with 130 or 143, as a shell tells of
            the signal: 128 and its number.

    Example:
        >>> try:
        ...     with orderly_end():
        ...         signal.raise_signal(signal.SIGINT)
        ... except SystemExit as ended:
        ...     print(ended.code)
        130
    """
    try:
        with terminable():
            yield
    except KeyboardInterrupt as ended:
        is_terminated = isinstance(ended, Terminated)
        how = "terminated" if is_terminated else "interrupted"
        # Told here: for a context around this one nothing has arrived.
        _arrived.clear()
        message = f"{how}: the same command continues where this one stopped"
        print(message, file=sys.stderr)
        sys.exit(143 if is_terminated else 130)


@contextmanager
def readers_may_leave() -> Iterator[None]:
    """Returns a context that ends the program where nobody reads on what it prints, as by `head`.

    Raises:
        SystemExit: If nobody does, with 1.

    Example:
        >>> with readers_may_leave():
        ...     print("a line")
        a line
    """
    escape_unwritable()
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # What is left is flushed when Python ends, which would print a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def escape_unwritable() -> None:
    """Lets standard output escape what its encoding has not, as standard error does.

    An ASCII locale knows no accents, and a path is told all the same.
    """
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and out.errors == "strict":
        out.reconfigure(errors="backslashreplace")


def told(error: BaseException) -> str:
    """Returns an error and where it was raised, with the SIGTERM that it was made of, if any.

    Example:
        >>> print(told(ValueError("no mass")), end="")
        ValueError: no mass
    """
    text = "".join(traceback.format_exception(error))
    # Ray's own, see `terminable`; other errors say themselves what they are
    if type(error) is KeyboardInterrupt and Terminated in _arrived:
        text += "".join(traceback.format_exception_only(Terminated("by SIGTERM")))
    return text


def _terminate(number: int, frame: Any) -> None:
    # A second one would interrupt the end itself.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _arrived.append(Terminated)
    raise Terminated


def _interrupt(number: int, frame: Any) -> None:
    _arrived.append(KeyboardInterrupt)
    raise KeyboardInterrupt


def _on_unraisable(
    hook: Callable[[Any], Any], unraisable: "sys.UnraisableHookArgs"
) -> None:
    if not _arrived or not issubclass(unraisable.exc_type, KeyboardInterrupt):
        hook(unraisable)
        return
    number, handler = signal.SIGINT, _interrupt
    if _arrived[-1] is Terminated:
        number, handler = signal.SIGTERM, _terminate
        signal.signal(signal.SIGTERM, _terminate)  # which the first one has ignored
    again = threading.Timer(_AGAIN, _send, (number, handler))
    again.daemon = True
    again.start()


def _send(number: int, handler: Callable[[int, FrameType | None], None]) -> None:
    # the program may have come to its end, where the signal would kill it
    if signal.getsignal(number) is handler:
        os.kill(os.getpid(), number)


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


@contextmanager
def kept_interrupt() -> Iterator[None]:
    """Returns a context in which Ctrl-C interrupts, and after which it does what it did.

    For libraries that make an exit of it. Lightning's looks like a failure, and ignores the
    next one; that of Ray Train 2.60 may look like a success, and its handler stays: after
    the training it would swallow Ctrl-C.

    Raises:
        KeyboardInterrupt: In the place of such an exit; one that had become the exit may
            say more, such as that it was SIGTERM.
    """
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        cause = error.__context__
        if isinstance(cause, KeyboardInterrupt):
            raise cause from None
        raise KeyboardInterrupt from error
    finally:
        # elsewhere, as in a trial, neither libraries nor we may choose what signals do
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, on_interrupt)
