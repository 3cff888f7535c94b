"""The process that sends copies: it asks the server first, then is `wandb sync` itself.

python -m orrery.results.dashboard.uploader [--live] COPY.wandb...
"""

import argparse
import logging
import os
import resource
import runpy
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from orrery.results.dashboard import connection
from orrery.results.dashboard.calls import Calls
from orrery.results.dashboard.copies import forget_mark, is_sent
from orrery.results.dashboard.refusals import check_marks, sync_logs
from orrery.results.dashboard.stalls import Watch, watch_wandb
from orrery.results.dashboard.turns import turn
from orrery.results.dashboard.uploads import AROUND, BUSY, REFUSED, STALLED

_STARTING = 30.0  # [s] for wandb's own process


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code after sending copies.

    Arguments:
        arguments: The command line without the program's name.
    """
    options = _parser().parse_args(arguments)
    # a group of our own: nobody else's processes would be ended
    if os.getpgid(0) == os.getpid():
        waiting = threading.Thread(target=_end_with_input, args=(options.finish,))
        waiting.daemon = True
        waiting.start()
    if not options.copies:
        return _last_words("nothing to send", 0)
    return _deliver(options)


def _deliver(options: argparse.Namespace) -> int:
    """Returns the exit code after sending the copies that nobody else sends."""
    with ExitStack() as turns:
        mine, others = _take_turns(options.copies, turns)
        if not mine:
            return _last_words(
                others or "all was sent meanwhile", BUSY if others else 0
            )
        problem = _refusal(options.probe)
        if problem:
            return _last_words(problem, REFUSED)
        # the command that can send a run while it is being written is a preview, `beta`
        command = (
            ["beta", "sync", "--live"] if options.live else ["sync", "--include-online"]
        )
        if not options.live:  # in which nothing new may come for hours
            watch_wandb(Watch(options.stall, partial(_give_up, options.stall)))
        _be_wandb(command, mine, options.copies)
        return 0


def _refusal(seconds: float) -> str:
    """Returns why the server does not take what we have; nothing if it does.

    One that sends a byte now and then is never late for whoever waits for the next one.

    Arguments:
        seconds: How long it may take to answer.
    """
    import wandb  # noqa: F401  # takes its time, which is not the server's

    calls = Calls()
    # it is asked twice where its first answer says nothing
    limit = 2 * seconds + _STARTING
    try:
        found: str = calls.ask(lambda: connection.refusal(seconds), limit)
        return found
    except TimeoutError:
        return f"its server has not answered within {limit:g} s"
    finally:
        calls.end()


def _take_turns(copies: list[Path], turns: ExitStack) -> tuple[list[Path], str]:
    """Returns the copies that are ours to send, and why others are not.

    Arguments:
        copies: What shall be sent.
        turns: Ends our turn in each of their folders.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a lock is an open file
    refused: dict[Path, str] = {}
    for place in dict.fromkeys(copy.parents[1] for copy in copies):
        try:
            turns.enter_context(turn(place))
        except OSError as problem:
            refused[place] = str(problem)
    mine = [copy for copy in copies if copy.parents[1] not in refused]
    # another may have sent them before our turn
    return [copy for copy in mine if not is_sent(copy)], "; ".join(refused.values())


def _be_wandb(command: list[str], mine: list[Path], copies: list[Path]) -> None:
    sys.argv = ["wandb", *command, *map(str, mine)]
    # what wandb cannot write into its log would be the last that is said here
    logging.raiseExceptions = False
    before = sync_logs(copies)
    for copy in mine:
        with suppress(OSError):  # wandb skips it then, and tells so
            forget_mark(copy)  # which nobody has checked
    try:
        runpy.run_module("wandb", run_name="__main__", alter_sys=True)
    finally:
        # here too: whoever started this process may be gone
        reasons = check_marks(copies, before)
        for copy in mine:
            if copy in reasons:
                with suppress(OSError):
                    forget_mark(copy)  # plain `wandb sync` would skip it


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probe", type=float, default=connection.Patience.probe)
    parser.add_argument("--finish", type=float, default=connection.Patience.finish)
    parser.add_argument("--stall", type=float, default=connection.Patience.stall)
    parser.add_argument("--live", action="store_true")
    parser.add_argument("copies", type=Path, nargs="*")
    return parser


def _give_up(seconds: float) -> None:
    # from a thread: the others wait for what does not come
    os._exit(_last_words(f"its server has taken nothing for {seconds:g} s", STALLED))


def _last_words(message: str, code: int) -> int:
    sys.stdout.write(message.replace("\n", " ") + "\n")
    sys.stdout.flush()
    return code


def _end_with_input(seconds: float) -> None:
    """Ends this process and all that it started some seconds after its input has ended.

    Whoever started it ends it; where that was killed, nobody else would.
    """
    while os.read(sys.stdin.fileno(), 1):
        pass
    time.sleep(seconds + AROUND)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
