"""Whether and where W&B is to be reached: what the user asked for, and what wandb itself finds.

Keys and servers are wandb's own matter: which host a login belongs to has changed before.
"""

import atexit
import math
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Literal
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from orrery.results.dashboard.calls import Calls, limit_teardown
from orrery.storage import files
from orrery.terminal import say

Mode = Literal["online", "offline", "disabled"]

MODE = "WANDB_MODE"
SWEEP_ID = "WANDB_SWEEP_ID"
SERVICE = "WANDB_SERVICE"  # says where a process of wandb's own listens
AGENTS_RUN = "WANDB_RUN_ID"  # set by `wandb agent`: the run belongs to its sweep
PROJECT = "orrery"
_HOME = "orrery-wandb-"  # begins the names of folders of wandb's temporary folders
# Where wandb would put copies and logs of its own, in the user's home.
_PLACES = ("WANDB_DATA_DIR", "WANDB_CACHE_DIR")
NO_KEY = "no key was found: `wandb login` asks for one, or set WANDB_API_KEY"


@dataclass(frozen=True)
class Patience:
    """How long W&B may take [s].

    Arguments:
        probe: For the first answer of its server.
        finish: At a run's end, for everything to be sent.
        stall: For anything more to be taken of what is sent later.

    Example:
        >>> Patience.of({"WANDB_FINISH_TIMEOUT": "20"}).finish
        20.0
    """

    probe: float = 5.0
    finish: float = 60.0
    stall: float = 120.0

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Patience":
        """Returns what the user set by wandb's own variables; what is no number is told."""
        return cls(
            _seconds("WANDB_HTTP_TIMEOUT", environment, cls.probe),
            _seconds("WANDB_FINISH_TIMEOUT", environment, cls.finish),
        )


def _seconds(name: str, environment: Mapping[str, str], usual: float) -> float:
    try:
        seconds = float(environment.get(name, usual))
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds):
        return seconds
    say(f"warning: {name} is {environment[name]!r}, no number: it is {usual:g} s")
    return usual


def asked_mode(environment: Mapping[str, str]) -> Mode:
    """Returns what `WANDB_MODE` asks for; online where it says nothing.

    Example:
        >>> asked_mode({"WANDB_MODE": "dryrun"}), asked_mode({})
        ('offline', 'online')
    """
    asked = environment.get(MODE, "online")
    if asked == "disabled":
        return "disabled"
    return "online" if asked in ("online", "run") else "offline"


def under_agent(environment: Mapping[str, str]) -> bool:
    """Returns whether `wandb agent` started this process, as a run of its sweep."""
    return bool(environment.get(SWEEP_ID) and environment.get(AGENTS_RUN))


def trials_sweep(environment: Mapping[str, str]) -> str | None:
    """Returns the W&B sweep that trials of ours shall show in, if the user names one.

    A sweep's path, `entity/project/sweep`, is understood, too.

    Example:
        >>> trials_sweep({"WANDB_SWEEP_ID": "me/orrery/ab12"})
        'ab12'
    """
    if under_agent(environment):
        return None  # the run itself is the sweep's
    return environment.get(SWEEP_ID, "").rpartition("/")[2] or None


def loaded() -> Any:
    """Returns the module `wandb`, silent, and with no sweep unless an agent started us.

    A sweep's identifier in the environment would make each run one of the sweep's.

    Raises:
        ImportError: If it is not installed.
    """
    with _without(() if under_agent(os.environ) else (SWEEP_ID,)), temporary_home():
        import wandb  # takes a second, and is not needed where it is switched off

        _let_logs_fail()
        limit_teardown()
        wandb.setup(wandb.Settings(silent=True))
    return wandb


# What keeps this process's folder of wandb's temporary folders locked, until it ends.
_home = ExitStack()


@contextmanager
def temporary_home() -> Iterator[None]:
    """Returns a context in which wandb, at its import, makes its temporary folders in ours.

    wandb removes them when Python ends. A process that is killed leaves them, and the next
    one that imports wandb removes what nobody holds any more.
    """
    if "wandb" in sys.modules:
        yield
        return
    above = Path(tempfile.gettempdir())
    for left in above.glob(f"{_HOME}*"):
        _remove_unlocked(left)
    before = tempfile.tempdir
    atexit.register(_home.close)  # after what wandb registers, which may need them
    # where folders cannot be locked they are where wandb would make them
    with suppress(OSError):
        home = _home.enter_context(tempfile.TemporaryDirectory(prefix=_HOME))
        _home.enter_context(files.locked(Path(home)))
        tempfile.tempdir = home
    try:
        yield
    finally:
        tempfile.tempdir = before


def _remove_unlocked(folder: Path) -> None:
    """Removes a folder of this account that no process holds."""
    # locked by another, another's, or gone meanwhile: whoever holds it removes it
    with suppress(OSError):
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
            with files.locked(folder):
                shutil.rmtree(folder)


def _let_logs_fail() -> None:
    """Lets wandb's own logs fail in silence, as on a full disk.

    Python would print each line that it cannot write, with a traceback. That a copy is not
    whole is told without it.
    """
    try:
        from wandb.sdk.lib import wb_logging

        logs: Any = wb_logging
        add = logs.add_file_handler
    except (ImportError, AttributeError):  # of a wandb that logs otherwise
        return
    if getattr(add, "fails_in_silence", False):
        return

    def added(run_id: str, filepath: Path) -> Any:
        handler = add(run_id, filepath)
        handler.handleError = _pass_over
        return handler

    added.fails_in_silence = True  # type: ignore[attr-defined]
    logs.add_file_handler = added


def _pass_over(record: object) -> None:
    """Tells nobody of a line that could not be written."""


def has_key(wandb: Any) -> bool:
    """Returns whether wandb itself finds a key or token; asks nobody, and sends nothing.

    Arguments:
        wandb: The module.
    """
    try:
        return bool(wandb.login(prompt=False, verify=False))
    except Exception as error:  # such as a key that cannot be one
        say(f"warning: Weights & Biases takes no such key ({error}): it stays offline")
        return False


def finds_key(seconds: float) -> bool:
    """Returns whether wandb finds a key, after loading it where it is not.

    Arguments:
        seconds: How long that may take: a wandb whose own process cannot start never
            answers.

    Raises:
        TimeoutError: If it has not answered by then.
        Exception: Whatever wandb raises.
    """
    calls = Calls()
    try:
        found: bool = calls.ask(lambda: has_key(loaded()), seconds)
        return found
    finally:
        calls.end()


def refusal(seconds: float) -> str:
    """Returns why W&B's server does not take what we have; nothing if it does.

    Arguments:
        seconds: How long it may take to answer.
    """
    import wandb

    timeout = str(max(round(seconds), 1))
    # `wandb offline` in this folder is for runs: `wandb sync` sends all the same
    with _with({MODE: "online", "WANDB_HTTP_TIMEOUT": timeout}):
        try:
            return "" if wandb.login(prompt=False, verify=True) else NO_KEY
        except Exception as error:
            # of a server that is not there wandb says that its own process is busy
            server = str(wandb.setup().settings.base_url)
            return _silence(server, seconds) or str(error)


def _silence(server: str, seconds: float) -> str:
    """Returns why nothing comes from a server; nothing if it answers, whatever it says."""
    try:
        # wandb's settings take addresses of http and https alone
        with urlopen(f"{server}/graphql", timeout=seconds):  # nosec B310
            return ""
    except HTTPError:
        return ""
    except TimeoutError:
        return f"{server} has not answered within {seconds:g} s"
    except URLError as error:
        return f"{server} cannot be reached: {error.reason}"
    except (OSError, ValueError, HTTPException) as error:
        return f"{server} cannot be reached: {error}"


def places(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Returns variables that let wandb keep files of its own below a folder.

    What the user has chosen stays.

    Arguments:
        folder: A run's or a sweep's.
        environment: With what the user has chosen.

    Example:
        >>> places(Path("runs/x"), {"WANDB_CACHE_DIR": "there"})
        {'WANDB_DATA_DIR': 'runs/x/wandb/own'}
    """
    missing = [name for name in _PLACES if name not in environment]
    return {name: str(folder / "wandb" / "own") for name in missing}


def temporary(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Returns variables that let wandb find a folder for temporary files.

    It trusts `TMPDIR`, there or not.

    Arguments:
        folder: The run's or sweep's, below which they are where nothing else will do.
        environment: With what the user has chosen.

    Raises:
        OSError: If they cannot be there either.
    """
    try:
        found = tempfile.gettempdir()  # which tries each that there is
    except FileNotFoundError:
        found = str(files.ensure_writable(folder / "wandb" / "own"))
    usual = environment.get("TMPDIR", "/tmp")  # nosec B108  # as wandb has it
    return {} if found == usual else {"TMPDIR": found}


@contextmanager
def kept_below(folder: Path) -> Iterator[None]:
    """Returns a context in which wandb keeps files of its own below a folder."""
    own = places(folder, os.environ)
    with _with({**own, **temporary(folder, os.environ)}):
        yield


@contextmanager
def _with(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    taken = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)
