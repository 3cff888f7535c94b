"""What a node is: its disks, limits, settings and software, asked on the node itself."""

import math
import os
import resource
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from orrery.execution import certificates, tokens
from orrery.execution.processors import compiler, processor_model
from orrery.execution.readiness import COMPILER, MB
from orrery.execution.same_code import code_digest, own_packages
from orrery.storage.files import ensure_room, ensure_writable
from orrery.storage.store import Location
from orrery.versions import software, version

LEAST_FREE_CACHE = 100 * MB  # [bytes] for compiled steps of orbits and what makes them
# What else computes, or reads and writes; some need not be there.
_ALSO_COMPARED = ("scipy", "optuna", "astropy-healpix", "colossus", "agama")
# What decides how fast a node computes, and the last digits of what it computes.
_SETTINGS = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ATEN_CPU_CAPABILITY"),
    *("OPENBLAS_CORETYPE", "MKL_CBWR"),
)
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")
_STARTED = Path("/proc/sys/kernel/random/boot_id")  # other at each start of a machine


def node_facts(folders: Sequence[Location]) -> dict[str, Any]:
    """Returns what `readiness.NodeReport` tells of this node, by its arguments' names.

    Arguments:
        folders: Absolute folders whose free space is told, or addresses in a bucket.
    """
    disks = [f for f in folders if isinstance(f, Path) and f.exists()]
    return {
        "free": {str(f): float(shutil.disk_usage(f).free) for f in disks},
        "software": {
            **software(),
            **{name: version(name) for name in _ALSO_COMPARED},
            **{f"code of {name}": code_digest(name) for name in own_packages()},
            COMPILER: compiler(),
        },
        "settings": {name: os.environ.get(name) for name in _SETTINGS},
        "machine": machine(),
        "machine_cpus": os.cpu_count() or 1,
        "processor": processor_model(),
        "cache": cache_refusal(),
        "seen_gpus": _gpus(),
        "seen_cpus": usable_cpus(),
        **_shared_memory(),
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "token": os.environ.get("RAY_AUTH_MODE") == "token",
        "open_token": open_token(),
        "tls": certificates.is_wanted(),
    }


def machine() -> str:
    """Returns what only nodes of one machine, or of one container on it, have in common.

    Nothing where the system, other than Linux, does not tell machines of one name apart.
    """
    try:
        return f"{os.uname().nodename} {_STARTED.read_text().strip()}"
    except OSError:
        return ""


def cache_refusal() -> str:
    """Returns why compiled code cannot be kept here, and where; nothing where it can."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "orrery"
    try:
        ensure_writable(folder)
        free = shutil.disk_usage(folder).free
        if free < LEAST_FREE_CACHE:
            least = LEAST_FREE_CACHE / MB
            return f"{folder}: {free / MB:.0f} MB are free, not {least:.0f}"
        ensure_room(folder, int(LEAST_FREE_CACHE))
    except OSError as error:
        return f"{folder}: {os.strerror(error.errno) if error.errno else error}"
    return ""


def open_token() -> str:
    """Returns the file of this user's token if others may read or write it, or nothing."""
    file = tokens.token_file()
    if os.environ.get(tokens.TOKEN):  # Ray looks at no file
        return ""
    with suppress(OSError):  # none is there
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return str(file)
    return ""


def usable_cpus(groups: Path = _CONTROL_GROUPS) -> float:
    """Returns how many CPUs a process here may use, by affinity and by its control groups.

    Containers and batch systems limit by one or the other.

    Arguments:
        groups: Where control groups are mounted.
    """
    if sys.platform != "linux":
        return os.cpu_count() or 1
    return min([len(os.sched_getaffinity(0)), *_quotas(groups)])


def _quotas(groups: Path) -> Iterator[float]:
    """Yields the CPUs that each group of this process, and each above it, leaves it."""
    lines: list[str] = []
    with suppress(OSError):  # a kernel without control groups
        lines = _OWN_GROUPS.read_text().splitlines()
    for line in lines:
        _, controllers, name = line.split(":", 2)
        root = groups / "cpu" if "cpu" in controllers.split(",") else groups
        group = root / name.lstrip("/")
        # in a container its own group may be mounted as if it were the topmost
        for folder in (group, *group.parents):
            if folder.is_relative_to(root):
                yield from _quota(folder)


def _quota(folder: Path) -> Iterator[float]:
    with suppress(
        OSError, ValueError, ZeroDivisionError
    ):  # no limit: `max`, -1, or no file
        limit, period = (folder / "cpu.max").read_text().split()
        yield float(limit) / float(period)
    with suppress(OSError, ValueError, ZeroDivisionError):
        limit = (folder / "cpu.cfs_quota_us").read_text()
        if float(limit) > 0:
            yield float(limit) / float((folder / "cpu.cfs_period_us").read_text())


def _gpus() -> int:
    # Ray hides from an actor without GPUs those that are there.
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    import torch

    return int(torch.cuda.device_count())


def _shared_memory() -> dict[str, float]:
    if sys.platform != "linux":  # nothing of the kind limits Ray there
        return {"shared_memory": math.inf, "free_shared_memory": math.inf}
    disk = shutil.disk_usage("/dev/shm")
    return {
        "shared_memory": float(disk.total),
        "free_shared_memory": float(disk.free),
    }
