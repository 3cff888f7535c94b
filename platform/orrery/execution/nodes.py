"""Asks each node of a connected cluster: what it is, and which folders it sees.

Imported only where a cluster is connected; one of the few files that import Ray.
"""

import math
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orrery.execution.node_facts import node_facts
from orrery.execution.readiness import MB, NodeReport, Trouble, silence
from orrery.storage.files import (
    TEMPORARY,
    ensure_room,
    ensure_writable,
    write_atomically,
)
from orrery.storage.store import Location

# [bytes] in a shared folder, whatever the disk has: a quota may have less
ROOM = int(100 * MB)
PATIENCE = 60.0  # [s] until a node must have answered
VISIBILITY = (
    10.0  # [s] until a file must be seen; network file systems remember for some
)
ROUND_TRIP = 0.2  # [s] short enough for a clock to be read by
CLOCK_ROUNDS = 5  # in search of such a short one
_HEAD = "node:__internal_head__"  # a resource that Ray gives the head alone


class _Witness:
    """Says what a node is; one runs on each."""

    def write(self, probes: Sequence[Location], room: int = 0) -> dict[str, str]:
        return write_probes(probes, room)

    def unseen(self, probes: Sequence[Location]) -> tuple[str, ...]:
        return unseen(probes)

    def remove(self, probes: Sequence[Location]) -> None:
        for probe in probes:
            with suppress(OSError):  # on a disk that is only read here
                probe.unlink(missing_ok=True)

    def clock(self) -> float:
        return time.time()

    def facts(self, folders: Sequence[Location]) -> dict[str, Any]:
        return node_facts(folders)


def write_probes(probes: Sequence[Location], room: int = 0) -> dict[str, str]:
    """Returns why files could not be written, by their folder; makes folders if need be.

    Arguments:
        probes: The files.
        room: What a folder must have room for [bytes].
    """
    refused = {}
    for probe in probes:
        try:
            ensure_writable(probe.parent)
            if isinstance(probe, Path) and room:
                ensure_room(probe.parent, room)
            write_atomically(probe, b"")
        except OSError as error:
            known = isinstance(probe, Path) and error.errno
            refused[str(probe.parent)] = os.strerror(known) if known else str(error)
    return refused


def unseen(probes: Sequence[Location]) -> tuple[str, ...]:
    """Returns the folders of those files that do not appear here within ten seconds."""
    deadline = time.monotonic() + VISIBILITY
    while missing := [probe for probe in probes if not probe.exists()]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    return tuple(sorted({str(probe.parent) for probe in missing}))


class _Witnesses:
    """A witness on each node; one that fails is asked no more.

    Arguments:
        nodes: What Ray says of each node.
    """

    def __init__(self, nodes: Sequence[dict[str, Any]]) -> None:
        self.answering = {node["NodeID"]: _on(node, _Witness) for node in nodes}
        self.failures: dict[str, str] = {}

    def ask(
        self, call: Callable[[str, Any], Any], of: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """Returns the answers to a call of each node's witness, by the node's id.

        Arguments:
            call: What to ask of a node's id and its witness.
            of: The nodes; all when None.
        """
        chosen = self.answering if of is None else self.answering.keys() & of
        asked = {node: call(node, self.answering[node]) for node in chosen}
        deadline = time.monotonic() + PATIENCE
        answers = {}
        for node, ref in asked.items():
            try:
                left = max(deadline - time.monotonic(), 0.0)
                answers[node] = ray.get(ref, timeout=left)
            except (RayError, RuntimeError) as error:
                self.failures[node] = _reason(error)
                del self.answering[node]
        return answers


def _reason(error: Exception) -> str:
    if isinstance(error, GetTimeoutError):
        return f"it took more than {PATIENCE:.0f} s"
    # Of a traceback from there the last line says what it was.
    return str(error).strip().splitlines()[-1].strip()


def ask_nodes(
    folders: Sequence[Location],
) -> tuple[tuple[NodeReport, ...], tuple[Trouble, ...]]:
    """Returns what each node of the connected cluster says of itself, and who says nothing.

    Each writes a file into each folder, which all others look for, and which is removed.
    Nodes that are silent for a minute are asked no more.

    Arguments:
        folders: Absolute folders that all nodes must share, made if need be; or addresses
            in a bucket.
    """
    nodes = _head_first(node for node in ray.nodes() if node["Alive"])
    witnesses = _Witnesses(nodes)
    probes = {node["NodeID"]: [_probe(folder) for folder in folders] for node in nodes}
    refused, missing = _look(witnesses, probes)
    facts = witnesses.ask(lambda _, witness: witness.facts.remote(folders))
    offsets = {node: _clock_offset(witnesses, node) for node in facts}
    reports = tuple(
        NodeReport(
            node=_name(node),
            unseen=missing[node["NodeID"]],
            refused=refused[node["NodeID"]],
            clock_offset=offsets[node["NodeID"]],
            promised_gpus=int(node["Resources"].get("GPU", 0)),
            cpus=int(node["Resources"].get("CPU", 0)),
            **facts[node["NodeID"]],
        )
        for node in nodes
        if node["NodeID"] in witnesses.answering
    )
    silent = [node for node in nodes if node["NodeID"] in witnesses.failures]
    troubles = (silence(_name(n), witnesses.failures[n["NodeID"]]) for n in silent)
    return reports, tuple(troubles)


def lost_nodes() -> tuple[str, ...]:
    """Returns the nodes that were in the connected cluster and are not, under any address."""
    nodes = ray.nodes()
    here = {node["NodeManagerAddress"] for node in nodes if node["Alive"]}
    gone = {_name(node) for node in nodes if node["NodeManagerAddress"] not in here}
    return tuple(sorted(gone))


def _head_first(nodes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    # Where two differ and no majority decides, the first is taken for the sound one.
    return sorted(nodes, key=lambda node: _HEAD not in node["Resources"])


def _look(
    witnesses: _Witnesses, probes: dict[str, list[Location]]
) -> tuple[dict[str, dict[str, str]], dict[str, tuple[str, ...]]]:
    """Returns which folders nodes cannot write, and in which they miss others' files."""
    # of one quota that all share, all at once would ask for as many times the room
    (first, *_) = probes
    refused = witnesses.ask(
        lambda node, witness: witness.write.remote(
            probes[node], ROOM if node == first else 0
        )
    )
    written = [
        probe
        for node, folders in refused.items()
        for probe in probes[node]
        if str(probe.parent) not in folders
    ]
    missing = witnesses.ask(lambda _, witness: witness.unseen.remote(written))
    everywhere = [probe for of_node in probes.values() for probe in of_node]
    witnesses.ask(lambda _, witness: witness.remove.remote(everywhere))
    return refused, missing


def _name(node: dict[str, Any]) -> str:
    return f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"


def check_seen(folder: Path) -> None:
    """Raises FileNotFoundError if a working node does not see a folder of this process.

    Arguments:
        folder: An absolute folder that is there.
    """
    blind = blind_nodes(folder)
    if blind:
        raise FileNotFoundError(
            f"{folder} is a folder that workers cannot see, on {', '.join(blind)}: choose one "
            "on a file system that all nodes share, at the same path; `orrery "
            "cluster check` tells what else is wrong"
        )


def check_seen_here(files: Sequence[Path]) -> None:
    """Raises FileNotFoundError if this node does not see files that another one wrote.

    Arguments:
        files: They are waited for, ten seconds.
    """
    hidden = unseen(files)
    if hidden:
        raise FileNotFoundError(
            f"{socket.gethostname()} does not see all files in {', '.join(hidden)}: mount "
            "there the file system that the other nodes share, at the same path; where they "
            "are missing on all nodes, run the generation again"
        )


def blind_nodes(folder: Path) -> tuple[str, ...]:
    """Returns the addresses of the working nodes that do not see a folder of this process.

    A node that dies meanwhile is not one of them.

    Arguments:
        folder: An absolute folder that is there.

    Raises:
        OSError: If a node sees it and cannot write there.
    """
    nodes = [n for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")]
    if len(nodes) < 2:
        return ()
    probe = _probe(folder)
    write_atomically(probe, b"")
    task: Any = ray.remote(num_cpus=0)(_try_folder)
    try:
        asked = {
            task.options(scheduling_strategy=_place(node)).remote(probe): node
            for node in nodes
        }
        answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=PATIENCE)
        blind = [asked[ref]["NodeManagerAddress"] for ref in answered if _is_blind(ref)]
    finally:
        probe.unlink(missing_ok=True)
    return tuple(sorted(blind))


def _try_folder(probe: Path) -> bool:
    """Returns whether a file is not seen here; where it is, its folder is written to."""
    if unseen([probe]):
        return True
    try:
        ensure_writable(probe.parent)
    except OSError as error:
        raise OSError(error.errno, f"{socket.gethostname()} {error.strerror}") from None
    return False


def _is_blind(ref: Any) -> bool:
    try:
        return bool(ray.get(ref))
    except RayTaskError as error:
        if isinstance(error.cause, OSError):
            raise error.cause from error
        return False
    except RayError:
        return False


def _probe(folder: Location) -> Location:
    return folder / f".probe.{uuid.uuid4().hex}{TEMPORARY}"


def _place(node: dict[str, Any]) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)


def _on(node: dict[str, Any], kind: type) -> Any:
    remote: Any = ray.remote(num_cpus=0)(kind)
    return remote.options(scheduling_strategy=_place(node)).remote()


def _clock_offset(witnesses: _Witnesses, node: str) -> float:
    """Returns a node's time minus this process's [s], as if answers took no time back.

    Of some answers the fastest counts: on a busy machine one may take seconds. NaN if
    there is none.
    """
    fastest, offset = math.inf, math.nan
    for _ in range(CLOCK_ROUNDS):
        began = time.time()
        answers = witnesses.ask(lambda _, witness: witness.clock.remote(), [node])
        took = time.time() - began
        if node in answers and took < fastest:
            fastest, offset = took, answers[node] - (began + took / 2)
        if fastest < ROUND_TRIP:
            break
    return offset
