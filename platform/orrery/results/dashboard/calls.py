"""Calls of wandb's that may never come back, made where nobody has to wait for them.

wandb has its own process, and waits for its answers without a limit, at the exit of Python
too: one that is frozen would keep a run that has finished from ending.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from subprocess import Popen, TimeoutExpired
from threading import Thread
from typing import Any

_ENDING = 5.0  # [s] for wandb to forget a process that was ended
_LEAVING = 10.0  # [s] for wandb's own process to end once it was told to

_Asked = tuple[Callable[[], Any], Future[Any]]


class Beginnings:
    """What begins with wandb's first answers: where it gives none, no more is begun.

    Each would cost its whole time again. One that was late once, on a busy machine, is
    asked once more.

    Example:
        >>> beginnings = Beginnings(most=1)
        >>> with suppress(TimeoutError), beginnings.one():
        ...     raise TimeoutError("wandb has not answered within 30 s")
        >>> with beginnings.one():
        ...     pass
        Traceback (most recent call last):
            ...
        TimeoutError: wandb has not answered within 30 s
    """

    def __init__(self, most: int = 2) -> None:
        self._most = most
        self._late: list[str] = []  # why, of each in a row

    @contextmanager
    def one(self) -> Iterator[None]:
        """Returns a context in which something begins.

        Raises:
            TimeoutError: At once, if as many in a row as are waited for had no answer.
        """
        if len(self._late) >= self._most:
            raise TimeoutError(self._late[-1])
        try:
            yield
        except TimeoutError as problem:
            self._late.append(str(problem))
            raise
        self._late.clear()


class Calls:
    """Calls, one after another, in a thread that ends with Python whatever they do.

    Once one has not come back, none is made any more.

    Example:
        >>> calls = Calls()
        >>> calls.ask(lambda: 6 * 7, 1.0)
        42
        >>> calls.end()
    """

    def __init__(self) -> None:
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._thread = Thread(target=self._work, daemon=True)
        self._silence = ""

    def ask(self, call: Callable[[], Any], seconds: float) -> Any:
        """Returns what a call returns.

        Arguments:
            call: The call.
            seconds: How long it may take.

        Raises:
            TimeoutError: If it has not come back by then, or one before has not.
            RuntimeError: If it would have ended Python.
            BaseException: Whatever else the call raises.
        """
        if self._silence:
            raise TimeoutError(self._silence)
        if not self._thread.ident:
            self._thread.start()
        answer: Future[Any] = Future()
        self._asked.put((call, answer))
        try:
            is_answered = wait([answer], seconds).done
        except BaseException:  # such as Ctrl-C, because it has been frozen for long
            self._give_up("nobody waits for wandb any more")
            raise
        if not is_answered:
            self._give_up(f"wandb has not answered within {seconds:.3g} s")
            raise TimeoutError(self._silence)
        return _result(answer)

    def _give_up(self, why: str) -> None:
        self._silence = why
        end_service()

    def end(self) -> None:
        """Ends the thread, after the calls that were asked for."""
        self._asked.put(None)

    def _work(self) -> None:
        while asked := self._asked.get():
            call, answer = asked
            try:
                answer.set_result(call())
            except BaseException as problem:
                answer.set_exception(problem)  # raised where it was asked for


def _result(answer: "Future[Any]") -> Any:
    problem = answer.exception()
    if problem is None or isinstance(problem, Exception | KeyboardInterrupt):
        return answer.result()
    # wandb's, in that thread: what ends the run itself is raised in the run's own
    said = f"{type(problem).__name__}: {problem}"
    raise RuntimeError(said) from problem


def end_service() -> None:
    """Ends wandb's own process, if this one has started it; the next copy starts another.

    Otherwise wandb would wait for it at the exit of Python.
    """
    service = _service()
    if service:
        service.kill()
        _forget_service()


def limit_teardown() -> None:
    """Lets wandb wait for the end of its own process for a while only, which is then killed.

    wandb tells it to end and hangs up at once. Where an answer was still on its way, the
    other side loses what it was told, and wandb would wait for ever, mostly at the exit
    of Python; and so it would for one that takes nothing any more. By then what runs have
    to send is sent: each waits for that when it ends.
    """
    try:
        from wandb.sdk.lib.service import service_connection

        connections: Any = service_connection.ServiceConnection
        teardown = connections.teardown
    except (ImportError, AttributeError):  # of a wandb that ends it otherwise
        return
    if not isinstance(teardown, _Limited):
        connections.teardown = _Limited(teardown)


class _Limited:
    """A teardown of wandb's that ends, if need be with its process."""

    def __init__(self, teardown: Callable[[Any, int], int | None]) -> None:
        self._teardown = teardown
        self._leaving: SimpleQueue[Popen[bytes]] = SimpleQueue()
        # started here: while Python ends, later versions of it start none
        Thread(target=self._kill_late, daemon=True).start()

    def __get__(self, connection: Any, owner: type | None = None) -> Any:
        return self if connection is None else partial(self, connection)

    def __call__(self, connection: Any, exit_code: int) -> int | None:
        """Returns the exit code of wandb's own process; None if it is another's."""
        process = _process_of(connection)
        if process is None:
            return self._teardown(connection, exit_code)
        self._leaving.put(process)
        try:
            return self._teardown(connection, exit_code)
        except OSError:  # of a connection whose other end was killed
            if process.poll() is None:
                raise
            return process.returncode

    def _kill_late(self) -> None:
        while True:
            process = self._leaving.get()
            try:
                process.wait(_LEAVING)
            except TimeoutExpired:
                process.kill()


def forget_dead_service() -> None:
    """Lets the next copy start another process of wandb's, if the one there was has died.

    Otherwise each call fails from then on, and the exit of Python with a traceback.
    """
    service = _service()
    if service and service.poll() is not None:
        _forget_service()


def _service() -> "Popen[bytes] | None":
    """Returns wandb's own process, if this one has started it."""
    setup = sys.modules.get("wandb.sdk.wandb_setup")
    return _process_of(getattr(getattr(setup, "_singleton", None), "_connection", None))


def _process_of(connection: Any) -> "Popen[bytes] | None":
    return getattr(getattr(connection, "_proc", None), "_process", None)


def _forget_service() -> None:
    forgetting = Thread(target=_teardown, daemon=True)
    forgetting.start()
    forgetting.join(_ENDING)


def _teardown() -> None:
    import wandb

    with suppress(BaseException):  # that it has lost its process
        wandb.teardown()
