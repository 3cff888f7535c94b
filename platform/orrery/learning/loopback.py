"""Workers of one machine meet through a file, where nobody else listens.

Torch's workers tell each other where they are through a store that listens on every
interface and asks for no token: while they train, whoever reaches the machine reads and
changes what is in it. Where all nodes of a cluster are on the loopback interface, a file
in the session's closed folder does the same, and what the workers send each other stays
on that interface.
"""

import os
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import ray
import torch.distributed
from ray.train.torch import TorchConfig
from ray.train.torch.config import _TorchBackend

# How gloo and NCCL are told the interface on which they listen.
_INTERFACE = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
_LOOPBACK = ("lo", "lo0")  # on Linux, and on a Mac


def torch_config() -> TorchConfig:
    """Returns how the workers of the cluster that is connected find each other."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    folder = closed_folder(nodes)
    return TorchConfig() if folder is None else LoopbackConfig(folder=str(folder))


def closed_folder(nodes: Sequence[dict[str, Any]]) -> Path | None:
    """Returns the session's folder where all nodes are on the loopback interface, else None.

    Arguments:
        nodes: As `ray.nodes` lists them.

    Example:
        >>> node = {"NodeManagerAddress": "127.0.0.1"}
        >>> node["ObjectStoreSocketName"] = "/tmp/ray-1/r/session_2/sockets/plasma_store"
        >>> closed_folder([node]).as_posix()
        '/tmp/ray-1/r/session_2'
        >>> closed_folder([node, {"NodeManagerAddress": "10.0.0.7"}])
    """
    for node in nodes:
        if not ip_address(node["NodeManagerAddress"]).is_loopback:
            return None
    return Path(nodes[0]["ObjectStoreSocketName"]).parents[1]


def group_backend(has_gpu: bool) -> str:
    """Returns by what workers exchange gradients: NCCL knows only GPUs, gloo is slow on them."""
    return "nccl" if has_gpu else "gloo"


@dataclass
class LoopbackConfig(TorchConfig):
    """Has workers meet through a file of its own for each time they begin.

    Arguments:
        folder: Where, which all of them see.

    Example:
        >>> LoopbackConfig(folder="/tmp/ray-1/r/session_2").backend_cls.__name__
        '_FileBackend'
    """

    folder: str = ""

    @property
    def backend_cls(self) -> type[_TorchBackend]:
        return _FileBackend


class _FileBackend(_TorchBackend):
    """The backend of torch, whose workers meet through a file."""

    def on_start(self, worker_group: Any, backend_config: Any) -> None:
        gpus = worker_group.get_resources_per_worker().get("GPU", 0)
        store = Path(backend_config.folder) / f"workers-{uuid.uuid4().hex}"
        worker_group.execute(
            _meet,
            store,
            group_backend(has_gpu=gpus > 0),
            timedelta(seconds=backend_config.timeout_s),
        )


def _meet(store: Path, backend: str, timeout: timedelta) -> None:
    interfaces = {name for _, name in socket.if_nameindex()}
    loopback = next(name for name in _LOOPBACK if name in interfaces)
    os.environ.update(dict.fromkeys(_INTERFACE, loopback))
    context = ray.train.get_context()
    # what libraries look for, as https://docs.pytorch.org/docs/stable/elastic/run.html says
    places = {
        "LOCAL_RANK": context.get_local_rank(),
        "LOCAL_WORLD_SIZE": context.get_local_world_size(),
        "NODE_RANK": context.get_node_rank(),
        "RANK": context.get_world_rank(),
        "WORLD_SIZE": context.get_world_size(),
    }
    os.environ.update({name: str(place) for name, place in places.items()})
    torch.distributed.init_process_group(
        backend,
        init_method=store.as_uri(),
        rank=context.get_world_rank(),
        world_size=context.get_world_size(),
        timeout=timeout,
    )
