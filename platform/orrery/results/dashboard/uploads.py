"""An upload: another process that sends copies, and can be given up at any moment.

It ends when its standard input ends, so that it never outlives a run that was killed.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from orrery.results.dashboard.connection import (
    AGENTS_RUN,
    MODE,
    SERVICE,
    SWEEP_ID,
    Patience,
    places,
    temporary,
)
from orrery.results.dashboard.copies import is_sent
from orrery.results.dashboard.turns import Turns

REFUSED = 3  # exit code of a process whose server takes nothing
STALLED = 4  # of one whose server takes nothing any more
KEPT = "kept: "  # begins a line that says why a copy does not count as sent
_LINES = 20  # the last ones that are kept, to tell why it failed
_SENT = "Finished syncing"
_SIGN = " at http"  # wandb tells the run's address: `View run x at https://...`
# Variables that would change what is sent, or let the run's own process of wandb's send it:
# that would go on with it when this one is given up.
_OF_RUNS = (MODE, SWEEP_ID, AGENTS_RUN, SERVICE)
AROUND = 2.0  # [s] after which it ends by itself, where nobody was left to end it


class Upload:
    """A process that sends copies.

    Arguments:
        paths: The copies.
        patience: How long the server may take.
        live: Whether the one copy is still being written.
        on_address: Called with each address at which a run can be seen.
        turns: In which these copies are ours to send; taken for this upload when None.

    Example:
        >>> upload = Upload([], Patience(probe=1.0))
        >>> upload.end(30.0)
        >>> upload.reason
        'nothing to send'
    """

    def __init__(
        self,
        paths: Sequence[Path],
        patience: Patience,
        live: bool = False,
        on_address: Callable[[str], Any] = lambda address: None,
        turns: Turns | None = None,
    ) -> None:
        self._kept: dict[Path, str] = {}
        self._late = ""
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._on_address = on_address
        with ExitStack() as own:
            held = turns or own.enter_context(Turns())
            mine, self._others = _in_turn(paths, held)
            self._process = subprocess.Popen(
                _command(patience, live),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=_environment(paths),
                # can be ended with all that it started; and Ctrl-C is the run's
                start_new_session=True,
                pass_fds=held.descriptors,  # the turns last as long as it does
            )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        self._ending = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        # a thread of its own: a pipe holds few names of a process that does not read them
        self._writer = threading.Thread(target=self._name, args=(mine,), daemon=True)
        self._writer.start()

    def _name(self, copies: Sequence[Path]) -> None:
        """Tells the process what to send, and at last, by the input's end, that it has to end.

        A command line has no room for very many names.
        """
        assert self._process.stdin is not None
        # its last words say why it has ended, where it did before it has read all
        with contextlib.suppress(BrokenPipeError), self._process.stdin as names:
            names.write(json.dumps([*map(str, copies)]) + "\n")
            names.flush()
            self._ending.wait()

    def _read(self) -> None:
        for line in self._output:
            # whatever a line is, or becomes of telling it: a process whose output nobody
            # reads waits for ever; and rich ends Python where nobody reads the terminal
            with contextlib.suppress(Exception, SystemExit):
                self._take(line)

    def _take(self, line: str) -> None:
        if line.startswith(KEPT):
            path, reason = json.loads(line.removeprefix(KEPT))
            self._kept[Path(path)] = reason
            return
        self._lines.append(line.strip())
        if _SIGN in line:
            self._on_address("http" + line.partition(_SIGN)[2].strip())

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def is_refused(self) -> bool:
        """Whether the server was asked first, and takes nothing."""
        return self._process.returncode == REFUSED

    @property
    def is_stalled(self) -> bool:
        """Whether it was given up because the server took nothing any more."""
        return self._process.returncode == STALLED

    @property
    def kept(self) -> dict[Path, str]:
        """Why copies that were sent do not count as such, each for a reason of its own."""
        return dict(self._kept)

    @property
    def reason(self) -> str:
        """Why not everything was sent: it was late, was refused, or what it said last."""
        if self._late:
            return self._late
        if self._others:
            return self._others
        # what wandb says of a copy that it has sent is no reason why others were not
        lines = [line for line in self._lines if _SENT not in line]
        said = lines[-1].removeprefix("wandb: ") if lines else "no answer"
        refused = next(iter(self._kept.values()), "")
        if self.is_stalled and refused:
            return f"{said} ({refused})"
        return refused or said

    def end(self, seconds: float | None) -> None:
        """Waits until everything is sent, or gives it up.

        Arguments:
            seconds: How long to wait; None for as long as it takes.
        """
        if seconds is not None:
            self._ending.set()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._late = f"its server did not take everything within {seconds:g} s"
        finally:
            self._kill()
            self._ending.set()
            self._writer.join(AROUND)
            self._reader.join(AROUND)
            # whoever closes what another thread reads waits until that has read something:
            # for ever, where a process that nobody could end still holds the other end
            if not self._reader.is_alive():
                self._output.close()

    def _kill(self) -> None:
        """Ends what is left of it, wandb's own process included."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _in_turn(paths: Sequence[Path], turns: Turns) -> tuple[list[Path], str]:
    """Returns the copies that are ours to send, and why others are not."""
    refused: dict[Path, str] = {}
    for place in dict.fromkeys(copy.parents[1] for copy in paths):
        try:
            turns.take(place)
        except OSError as problem:
            refused[place] = str(problem)
    mine = [copy for copy in paths if copy.parents[1] not in refused]
    # another may have sent them before our turn
    return [copy for copy in mine if not is_sent(copy)], "; ".join(refused.values())


def _environment(paths: Sequence[Path]) -> dict[str, str]:
    """Returns variables with which nothing is written but beside the first copy."""
    kept = {name: v for name, v in os.environ.items() if name not in _OF_RUNS}
    if not paths:
        return kept
    folder = paths[0].parents[2]  # <folder>/wandb/offline-run-.../run-....wandb
    own = {**places(folder, kept), **temporary(folder, kept)}
    return {**kept, **own, "WANDB_DIR": str(folder)}


def _command(patience: Patience, live: bool) -> list[str]:
    return [
        *(sys.executable, "-m", "orrery.results.dashboard.uploader"),
        *("--probe", str(patience.probe), "--finish", str(patience.finish)),
        *("--stall", str(patience.stall)),
        *(["--live"] if live else []),
    ]
