"""`orrery doctor`: what this machine has, and what would not work on it.

A report of a fault is worth more with what is printed here; of keys only whether there is one.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from orrery.execution import cluster, joining
from orrery.execution.node_facts import node_facts
from orrery.execution.readiness import COMPILER, GB, NodeReport, Trouble, judge
from orrery.results.dashboard import connection
from orrery.versions import PACKAGES

_HERE = "this machine"
_PATIENCE = 60.0  # [s] for wandb to be imported, from a slow disk too, and to answer
_SHOWN = ("python", "commit", *PACKAGES, "optuna", "agama")


def machine_facts(folders: Sequence[Path]) -> dict[str, Any]:
    """Returns what `readiness.NodeReport` tells of this machine, by its arguments' names.

    Arguments:
        folders: Where datasets and runs are to be kept; they need not be there yet.
    """
    return node_facts([*dict.fromkeys(map(_nearest, folders))])


def describe_machine(
    facts: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """Yields lines on what this machine has, each of a subject and what is known of it.

    Arguments:
        facts: See `machine_facts`.
        environment: The variables that W&B's state depends on.
    """
    software = facts["software"]
    known = [f"{name} {software[name]}" for name in _SHOWN if software.get(name)]
    yield f"software: {', '.join(known)}"
    yield f"C++ compiler: {software[COMPILER] or 'none, or no headers of Python'}"
    yield f"processor: {facts['processor']}, {facts['seen_cpus']:g} CPUs to use"
    yield f"memory: {_memory()}"
    yield f"GPUs: {facts['seen_gpus'] or 'none that torch sees'}"
    for folder, free in facts["free"].items():
        yield f"disk: {free / GB:.0f} GB free in {folder}"
    yield f"Ray: {_ray()}"
    yield f"Weights & Biases: {_dashboard(environment)}"


def troubles(
    facts: Mapping[str, Any], folders: Sequence[Path], least_free: float = GB
) -> tuple[Trouble, ...]:
    """Returns what would not work here, each with what helps.

    Arguments:
        facts: See `machine_facts`.
        folders: Where datasets and runs are to be kept.
        least_free: The free space that each folder's disk must have [bytes].
    """
    refused = {
        str(folder): "not writable for this user"
        for folder in folders
        if not os.access(_nearest(folder), os.W_OK | os.X_OK)
    }
    # which a local run makes
    local = {**facts, "token": True, "tls": True}  # nosec B105
    report = NodeReport(
        node=_HERE, unseen=(), clock_offset=0.0, refused=refused, **local
    )
    return judge([report], least_free, alone=True)


def _nearest(folder: Path) -> Path:
    """Returns the folder, or the nearest one above it that is there."""
    folder = folder.absolute()
    return next(one for one in (folder, *folder.parents) if one.exists())


def _memory(said: Path = Path("/proc/meminfo")) -> str:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GB
    with suppress(
        OSError, StopIteration, ValueError, IndexError
    ):  # Linux alone says it
        lines = said.read_text().splitlines()
        line = next(one for one in lines if one.startswith("MemAvailable:"))
        # copies of files give way to programs: what is free is not all that can be used
        return (
            f"{whole:.0f} GB, {1024 * int(line.split()[1]) / GB:.0f} GB of it available"
        )
    return f"{whole:.0f} GB"


def _ray() -> str:
    if cluster.is_switched_off():
        return f"switched off by {cluster.RAY}: this process does all the work"
    address = joining.find_address()
    if address is None:
        return "no cluster is known: a run starts its own, for itself"
    return f"the cluster at {address} is joined; `orrery cluster check` looks at it"


def _dashboard(environment: Mapping[str, str]) -> str:
    mode = connection.asked_mode(environment)
    if mode == "disabled":
        return "switched off by WANDB_MODE"
    if mode == "offline":
        return "copies are kept in runs, as WANDB_MODE asks, for `orrery sync`"
    try:
        if connection.finds_key(_PATIENCE):
            return "a key is found: copies of runs are sent"
    except TimeoutError as problem:
        return (
            f"{problem}: copies are kept in runs, for `orrery sync`, if it does later"
        )
    return "no key is found: copies are kept in runs, for `orrery sync`"
