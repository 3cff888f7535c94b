"""The process that sends copies: it asks the server first, then is `wandb sync` itself.

The first line of its input names the copies, as a list in JSON:

    echo '["COPY.wandb"]' | python -m orrery.results.dashboard.uploader
"""

import argparse
import json
import logging
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from orrery.results.dashboard import connection
from orrery.results.dashboard.calls import Calls, limit_teardown
from orrery.results.dashboard.copies import forget_mark
from orrery.results.dashboard.receipts import Receipts, wandbs_question
from orrery.results.dashboard.refusals import check_marks, sync_logs
from orrery.results.dashboard.stalls import Watch, watch_wandb
from orrery.results.dashboard.uploads import AROUND, KEPT, REFUSED, STALLED

_STARTING = 30.0  # [s] for wandb's own process


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code after sending copies.

    Arguments:
        arguments: The command line without the program's name.
    """
    options = _parser().parse_args(arguments)
    copies = _named()
    # a group of our own: nobody else's processes would be ended
    if os.getpgid(0) == os.getpid():
        waiting = threading.Thread(target=_end_with_input, args=(options.finish,))
        waiting.daemon = True
        waiting.start()
    if not copies:
        return _last_words("nothing to send", 0)
    return _deliver(options, copies)


def _named() -> list[Path]:
    """Returns the copies that the first line of the input names."""
    line = sys.stdin.readline()
    if not line.endswith("\n"):  # whoever was to write it was killed
        return []
    return [Path(name) for name in json.loads(line)]


def _deliver(options: argparse.Namespace, copies: list[Path]) -> int:
    """Returns the exit code after sending copies."""
    problem = _refusal(options.probe)
    if problem:
        return _last_words(problem, REFUSED)
    # the command that can send a run while it is being written is a preview, `beta`
    command = (
        ["beta", "sync", "--live"] if options.live else ["sync", "--include-online"]
    )
    watch = Watch(options.stall, partial(_give_up, options.stall))
    if not options.live:  # in which nothing new may come for hours
        watch_wandb(watch)
    # as long as all of it may take at a run's end: what was sent would count as kept
    question = partial(wandbs_question, options.finish)
    on_asked = (lambda copy: None) if options.live else watch.see
    _be_wandb(command, copies, Receipts(question, on_asked))
    return 0


def _refusal(seconds: float) -> str:
    """Returns why the server does not take what we have; nothing if it does.

    One that sends a byte now and then is never late for whoever waits for the next one.

    Arguments:
        seconds: How long it may take to answer.
    """
    with connection.temporary_home():
        import wandb  # noqa: F401  # takes its time, which is not the server's

    limit_teardown()
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


def _be_wandb(command: list[str], copies: list[Path], receipts: Receipts) -> None:
    sys.argv = ["wandb", *command, *map(str, copies)]
    # what wandb cannot write into its log would be the last that is said here
    logging.raiseExceptions = False
    before = sync_logs(copies)
    for copy in copies:
        with suppress(OSError):  # wandb skips it then, and tells so
            forget_mark(copy)  # which nobody has checked
    try:
        runpy.run_module("wandb", run_name="__main__", alter_sys=True)
    finally:
        # here too: whoever started this process may be gone
        for copy, why in check_marks(copies, before, receipts.lacking).items():
            with suppress(OSError):
                forget_mark(copy)  # plain `wandb sync` would skip it
            sys.stdout.write(f"\n{KEPT}{json.dumps([str(copy), why])}\n")
        sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probe", type=float, default=connection.Patience.probe)
    parser.add_argument("--finish", type=float, default=connection.Patience.finish)
    parser.add_argument("--stall", type=float, default=connection.Patience.stall)
    parser.add_argument("--live", action="store_true")
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
