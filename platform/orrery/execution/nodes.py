"""Asks each node of a connected cluster: what it is, and which folders it sees.

Imported only where a cluster is connected; one of the few files that import Ray.
"""

import math
import os
import resource
import shutil
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orrery.execution.processors import processor_model
from orrery.execution.readiness import NodeReport
from orrery.storage.files import TEMPORARY, ensure_writable, write_atomically
from orrery.storage.store import Location
from orrery.versions import software

PATIENCE = 60.0  # [s] until a node has answered
VISIBILITY = (
    10.0  # [s] until a file must be seen; network file systems remember for some
)
_DECIDING = ("python", "ray", "orrery", "commit")


class _Witness:
    """Says what a node is; one runs on each."""

    def write(self, probes: Sequence[Location]) -> None:
        for probe in probes:
            ensure_writable(probe.parent)
            write_atomically(probe, b"")

    def unseen(self, probes: Sequence[Location]) -> tuple[str, ...]:
        return unseen(probes)

    def remove(self, probes: Sequence[Location]) -> None:
        for probe in probes:
            probe.unlink(missing_ok=True)

    def clock(self) -> float:
        return time.time()

    def facts(self, folders: Sequence[Location]) -> dict[str, Any]:
        found = software()
        disks = [folder for folder in folders if isinstance(folder, Path)]
        return {
            "free": {str(f): float(shutil.disk_usage(f).free) for f in disks},
            "software": {name: found[name] for name in _DECIDING},
            "processor": processor_model(),
            "seen_gpus": _gpus(),
            "shared_memory": _shared_memory(),
            "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            "token": os.environ.get("RAY_AUTH_MODE") == "token",
        }


def unseen(probes: Sequence[Location]) -> tuple[str, ...]:
    """Returns the folders of those files that do not appear here within ten seconds."""
    deadline = time.monotonic() + VISIBILITY
    while missing := [probe for probe in probes if not probe.exists()]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    return tuple(sorted({str(probe.parent) for probe in missing}))


def _gpus() -> int:
    # Ray hides from an actor without GPUs those that are there.
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    import torch

    return int(torch.cuda.device_count())


def _shared_memory() -> float:
    if sys.platform != "linux":
        return math.inf  # nothing of the kind limits Ray there
    return float(shutil.disk_usage("/dev/shm").total)


def ask_nodes(folders: Sequence[Location]) -> tuple[NodeReport, ...]:
    """Returns what each node of the connected cluster says of itself.

    Each writes a file into each folder, which all others look for, and which is removed.

    Arguments:
        folders: Absolute folders that all nodes must share, made if need be; or addresses
            in a bucket.

    Raises:
        ConnectionError: If a node does not answer.
        OSError: If a node cannot write into a folder.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    witnesses = [_on(node, _Witness) for node in nodes]
    written = [[_probe(folder) for folder in folders] for _ in nodes]
    every = [probe for probes in written for probe in probes]
    try:
        _answers([w.write.remote(p) for w, p in zip(witnesses, written, strict=True)])
        missing = _answers([witness.unseen.remote(every) for witness in witnesses])
    finally:
        removed = [witness.remove.remote(every) for witness in witnesses]
        ray.wait(removed, num_returns=len(removed), timeout=PATIENCE)
    facts = _answers([witness.facts.remote(folders) for witness in witnesses])
    offsets = [_clock_offset(witness) for witness in witnesses]
    return tuple(
        NodeReport(
            node=f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})",
            unseen=blind,
            clock_offset=offset,
            promised_gpus=int(node["Resources"].get("GPU", 0)),
            **fact,
        )
        for node, blind, offset, fact in zip(
            nodes, missing, offsets, facts, strict=True
        )
    )


def blind_nodes(folder: Path) -> tuple[str, ...]:
    """Returns the addresses of the working nodes that do not see a folder of this process.

    A node that dies meanwhile is not one of them.

    Arguments:
        folder: An absolute folder that is there.
    """
    nodes = [n for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")]
    if len(nodes) < 2:
        return ()
    probe = _probe(folder)
    write_atomically(probe, b"")
    task = ray.remote(num_cpus=0)(unseen)
    try:
        asked = {
            task.options(scheduling_strategy=_place(node)).remote([probe]): node
            for node in nodes
        }
        answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=PATIENCE)
        blind = [asked[ref]["NodeManagerAddress"] for ref in answered if _answer(ref)]
    finally:
        probe.unlink(missing_ok=True)
    return tuple(sorted(blind))


def _answer(ref: Any) -> Any:
    try:
        return ray.get(ref)
    except RayError:
        return None


def _probe(folder: Location) -> Location:
    return folder / f".probe.{uuid.uuid4().hex}{TEMPORARY}"


def _place(node: dict[str, Any]) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)


def _on(node: dict[str, Any], kind: type) -> Any:
    remote: Any = ray.remote(num_cpus=0)(kind)
    return remote.options(scheduling_strategy=_place(node)).remote()


def _answers(asked: Sequence[Any]) -> list[Any]:
    try:
        return list(ray.get(list(asked), timeout=PATIENCE))
    except RayTaskError as error:
        raise error.cause from error
    except RayError as error:
        raise ConnectionError(
            f"a node of the cluster did not answer ({str(error).splitlines()[0]}): look at "
            "`ray status`, and take it out of the cluster or start it again"
        ) from error


def _clock_offset(witness: Any) -> float:
    """Returns a node's time minus this process's [s], as if the answer took no time back."""
    began = time.time()
    there = ray.get(witness.clock.remote(), timeout=PATIENCE)
    return float(there - (began + time.time()) / 2)
