"""Where the work runs: a Ray cluster if there is one, else the cores of this machine.

An experiment says `with cluster.connect():` and is the same program on a laptop and on
a cluster. Ray is imported by connecting, and by nothing else: without a connection
everything runs in this process.
"""

import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from orrery.terminal import say

R = TypeVar("R")

# Particles never pass through the object store, and a laptop's memory is better used
# elsewhere.
OBJECT_STORE = 256 * 1024**2  # [bytes]
# [s] without any actor or worker until the user learns why; clusters on demand take
# minutes, a wrong request waits for ever.
STARTUP_TIMEOUT = 60.0


@contextmanager
def connect() -> Iterator[int]:
    """Returns the number of CPUs, with Ray running as long as the context is open.

    A connection that is already open is used and left open. Otherwise the cluster named
    by `RAY_ADDRESS` or started with `ray start` on this machine is joined, and only
    where there is none is a local one started, which ends with the context. Without
    Ray this process is all there is.

    Raises:
        ConnectionError: If the cluster does not answer.
    """
    try:
        import ray
    except ImportError:
        say("Ray is not installed: this process does all the work by itself")
        yield 1
        return
    if ray.is_initialized():
        yield cpus()
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    _initialise()
    try:
        yield cpus()
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
    if _alone.get():
        return False
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def map_batches(
    function: Callable[..., R], batches: Sequence[Any], arguments: Sequence[Any]
) -> Iterator[R]:
    """Returns `function(batch, *arguments)` for each batch, in order.

    Where a cluster is connected its tasks share the batches; otherwise this process
    does them all.

    Arguments:
        function: A function of a module, which the cluster's machines can import.
        batches: What each call is about.
        arguments: The same in every call; sent to each machine once.

    Raises:
        Exception: Whatever a call raised.
    """
    if not connected():
        for batch in batches:
            yield function(batch, *arguments)
        return
    import ray
    from ray.exceptions import RayTaskError

    shared = [ray.put(argument) for argument in arguments]
    task: Any = ray.remote(function)
    # All are submitted at once: the scheduler, not this loop, keeps the CPUs busy.
    results = [task.remote(batch, *shared) for batch in batches]
    for result in results:
        try:
            yield ray.get(result)
        except RayTaskError as error:
            raise error.cause from error


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


def _initialise() -> None:
    import ray

    # Errors of workers reach us as exceptions; their output only matters to who debugs
    # them.
    noisy = os.environ.get("ORRERY_DEBUG") == "1"
    address = _address()
    if address is not None:
        say(f"joining the Ray cluster at {address}")
        _join(address, noisy)
        return
    say("starting Ray on this machine")
    ray.init(
        address="local",
        include_dashboard=False,
        object_store_memory=OBJECT_STORE,
        logging_level=logging.ERROR,
        log_to_driver=noisy,
    )


def _join(address: str, noisy: bool) -> None:
    import ray

    if not _listening(address):
        raise ConnectionError(
            f"no Ray cluster answers at {address}: start it, correct RAY_ADDRESS, or run "
            "`ray stop` to forget one that has ended"
        )
    ray.init(address=address, logging_level=logging.WARNING, log_to_driver=noisy)


def _listening(address: str) -> bool:
    # Ray itself takes minutes to find out.
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return True  # a word such as `auto` or `local`, which Ray knows
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError:
        return False
    return True


def _address() -> str | None:
    # `ray start` leaves its address in this file. "auto" would also join the private
    # clusters that other programs on this machine started for themselves.
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    file = Path(folder, "ray", "ray_current_cluster")
    found = os.environ.get("RAY_ADDRESS") or (
        file.read_text().strip() if file.is_file() else ""
    )
    return found or None
