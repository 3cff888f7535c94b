"""Where the work runs: a Ray cluster if there is one, else the cores of this machine.

An experiment says `with cluster.connect():` and is the same program on a laptop and on
a cluster. Ray is imported by connecting, and by nothing else: without a connection
everything runs in this process.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from orrery.execution.joining import find_address, join
from orrery.execution.local_session import local_session
from orrery.execution.same_code import (
    InstalledCode,
    check_same_code,
    installed_code,
    packages_of,
)
from orrery.terminal import say

R = TypeVar("R")

# [s] without any actor or worker until the user learns why; clusters on demand take
# minutes, a wrong request waits for ever.
STARTUP_TIMEOUT = 60.0


RAY = "ORRERY_RAY"  # the variable with `off` for those who do without


@contextmanager
def connect() -> Iterator[int]:
    """Returns the number of CPUs, with Ray running as long as the context is open.

    A connection that is already open is used and left open. Otherwise the cluster named
    by `RAY_ADDRESS` or started with `ray start` on this machine is joined, and only
    where there is none is a local one started, which ends with the context and which
    nobody else reaches. Without Ray, or with `ORRERY_RAY=off`, this process is all there is.

    Raises:
        ConnectionError: If the cluster does not answer, or the local one does not start.
        PermissionError: If it asks for another token than the user has.
        ValueError: If `ORRERY_RAY` is neither on nor off.
    """
    missing = why_no_ray()
    if missing:
        say(
            f"{missing}: this process does all the work by itself, and trainings need "
            "0 workers"
        )
        yield 1
        return
    import ray

    if ray.is_initialized():
        yield cpus()
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with _session():
        yield cpus()


def why_no_ray() -> str:
    """Returns why nothing runs with Ray, in words; nothing where it does.

    Raises:
        ValueError: If `ORRERY_RAY` is neither on nor off.
    """
    if is_switched_off():
        return f"{RAY}=off"
    try:
        import ray  # noqa: F401
    except ImportError:
        return "Ray is not installed"
    return ""


def is_switched_off() -> bool:
    """Returns whether the user does without Ray. Asking imports no Ray.

    Raises:
        ValueError: If `ORRERY_RAY` is neither on nor off.
    """
    wanted = os.environ.get(RAY, "on")
    if wanted not in ("on", "off"):
        raise ValueError(f"{RAY}={wanted!r}: say off to do without Ray, or on")
    return wanted == "off"


def require_ray(workers: int) -> None:
    """Checks that there is a Ray to train with.

    Arguments:
        workers: How many of its processes are wanted.

    Raises:
        ValueError: If there is none; it says what to do.
    """
    missing = why_no_ray()
    if missing:
        raise ValueError(
            f"{workers} workers are processes of Ray, and {missing}: with `--workers 0` this "
            "process trains; what has been simulated is kept"
        )


@contextmanager
def _session() -> Iterator[None]:
    import ray

    # Errors of workers reach us as exceptions; their output only matters to who debugs
    # them.
    noisy = os.environ.get("ORRERY_DEBUG") == "1"
    address = find_address()
    if address is None:
        say("starting Ray on this machine")
        with local_session(noisy):
            yield
        return
    say(f"joining the Ray cluster at {address}")
    join(address, noisy)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def alone() -> Iterator[None]:
    """Returns a context in which this process does all of its work itself.

    For whoever holds a share of the cluster already, such as a trial: tasks of its own
    would wait for CPUs that trials hold.
    """
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


_alone: ContextVar[bool] = ContextVar("alone", default=False)


def connected() -> bool:
    """Returns whether a cluster shares this process's work. Asking imports no Ray."""
    if _alone.get() or is_switched_off():
        return False
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def map_batches(
    function: Callable[..., R], batches: Sequence[Any], arguments: Sequence[Any]
) -> Iterator[R]:
    """Returns `function(batch, *arguments)` for each batch, in order.

    Where a cluster is connected its tasks share the batches, and each makes sure that it
    has this process's code; otherwise this process does them all.

    Arguments:
        function: A function of a module, which the cluster's machines can import.
        batches: What each call is about.
        arguments: The same in every call; sent to each machine once.

    Raises:
        ValueError: If a machine has other code of what the function and its arguments
            are defined in.
        Exception: Whatever a call raised.
    """
    if not connected():
        for batch in batches:
            yield function(batch, *arguments)
        return
    import ray
    from ray.exceptions import RayTaskError

    code = ray.put(installed_code(packages_of([function, *arguments])))
    shared = [ray.put(argument) for argument in arguments]
    task: Any = ray.remote(_call_checked)
    # All are submitted at once: the scheduler, not this loop, keeps the CPUs busy.
    results = [task.remote(code, function, batch, *shared) for batch in batches]
    for result in results:
        try:
            yield ray.get(result)
        except RayTaskError as error:
            raise error.cause from error


def _call_checked(
    code: InstalledCode, function: Callable[..., R], batch: Any, *arguments: Any
) -> R:
    check_same_code(code)
    return function(batch, *arguments)


def cpus() -> int:
    """Returns the number of CPUs to use: those that the cluster has, or `ORRERY_CPUS`.

    A cluster that grows on demand may have none yet: there the variable says how many
    to request.

    Raises:
        ConnectionError: If the cluster has none and the variable is not set.
        ValueError: If the variable is not a whole number from 1 on.
    """
    wanted = os.environ.get("ORRERY_CPUS")
    if wanted is None:
        import ray

        found = int(ray.cluster_resources().get("CPU", 0))
        if not found:
            raise ConnectionError(
                "the cluster has no CPU for work yet: set ORRERY_CPUS to how many it may grow to"
            )
        return found
    if not wanted.isdecimal() or int(wanted) < 1:
        raise ValueError(f"ORRERY_CPUS={wanted!r} must be a whole number from 1 on")
    return int(wanted)


@contextmanager
def one_thread() -> Iterator[None]:
    """Returns a context in which torch computes on one thread.

    Threads that share small matrices, or cores on which other actors work, wait for
    each other, and their sums round differently. Without torch there is nothing to do,
    nor to import.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
