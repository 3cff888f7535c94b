"""Workers: processes of Ray Train that train together, on one machine or many.

Imported only when workers are wanted, because it imports Ray.
Workers keep what they reach in files and send their losses through a queue on the node of
the process that waits for them; when a worker dies, all begin again and continue from
those files. Losses are only told: without the queue the training goes on, unseen.
"""

import shutil
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import torch
from ray.exceptions import RayActorError
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer, get_device
from ray.util.queue import Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orrery.execution import cluster
from orrery.execution.cluster import STARTUP_TIMEOUT
from orrery.execution.same_code import check_same_code, installed_code, own_packages
from orrery.imports import lasting_imports
from orrery.learning import loopback
from orrery.learning.training import OnMember, Worker
from orrery.terminal import say
from orrery.termination import kept_interrupt

READY = ()  # what a worker sends when it starts
RESTARTS = 3


def run_workers(
    work: Callable[[Worker], None],
    workers: int,
    folder: Path,
    on_epoch: OnMember,
    least: int | None = None,
    restarts: int = RESTARTS,
) -> None:
    """Runs a function on workers of Ray Train, again if one of them dies.

    Where there is room for fewer, these go on, and those that come later join them: each
    time all begin again, from what they keep in files.

    Arguments:
        work: Called once on each worker. It keeps what it reaches in files.
        workers: How many; each has a GPU if the cluster has as many.
        folder: Where Ray may write for as long as they run.
        on_epoch: Called from a thread of this process with each epoch of a member that the
            workers have done.
        least: The fewest workers that can do it; all of them when None.
        restarts: How often they may begin again.

    Raises:
        KeyboardInterrupt: If the user wants no more.
    """
    storage = folder / "ray"
    # Ray would continue a run of this name; ours continue from their own checkpoint
    # instead.
    shutil.rmtree(storage, ignore_errors=True)
    with (
        cluster.connect(),
        _listening(on_epoch, workers) as epochs,
        warnings.catch_warnings(),
    ):
        # Ray's declared types know no range, its code does.
        number: Any = workers if least in (None, workers) else (least, workers)
        gpu = ray.cluster_resources().get("GPU", 0) >= workers
        # Ray Train's own use of Ray Data sets options that Ray Data deprecates.
        warnings.filterwarnings(
            "ignore", category=DeprecationWarning, module=r"ray\.data"
        )
        trainer = TorchTrainer(
            _as_worker,
            train_loop_config={
                # opened by the workers alone: Ray's controller, which would open it too,
                # needs seconds for what it imports
                "work": ray.cloudpickle.dumps(work),
                "epochs": epochs,
                "code": installed_code(own_packages()),
            },
            torch_config=loopback.torch_config(),
            scaling_config=ScalingConfig(num_workers=number, use_gpu=gpu),
            run_config=RunConfig(
                name=storage.name,
                storage_path=str(folder),
                failure_config=FailureConfig(max_failures=restarts),
            ),
        )
        with kept_interrupt():
            trainer.fit()
    shutil.rmtree(storage, ignore_errors=True)


def _as_worker(config: dict[str, Any]) -> None:
    check_same_code(config["code"])
    rank = ray.train.get_context().get_world_rank()
    _send(config["epochs"], READY)
    sender = _Sender(config["epochs"])
    with cluster.one_thread():
        with lasting_imports():
            work = ray.cloudpickle.loads(config["work"])
        work(Worker(rank, get_device(), sender))


def distributed(make_trainer: Callable[[Any, Any], Any], device: torch.device) -> Any:
    """Returns a Lightning trainer that shares each batch with the other workers.

    Arguments:
        make_trainer: Called with Lightning's strategy and cluster environment.
        device: Where each worker computes.
    """
    from ray.train.lightning import (
        RayDDPStrategy,
        RayLightningEnvironment,
        prepare_trainer,
    )

    backend = loopback.group_backend(has_gpu=device.type == "cuda")
    strategy = RayDDPStrategy(process_group_backend=backend)
    return prepare_trainer(make_trainer(strategy, RayLightningEnvironment()))


@dataclass(frozen=True)
class _Sender:
    """Sends the losses of each epoch to the process that waits for the training."""

    epochs: Queue

    def __call__(self, member: int, epoch: int, losses: Mapping[str, float]) -> None:
        _send(self.epochs, (member, epoch, losses))


def _send(epochs: Queue, item: object) -> None:
    # Who listens has said that the queue is gone; a worker has better to do than to die.
    with suppress(RayActorError):
        epochs.put(item)


def _queue_here() -> Queue:
    # Elsewhere it would end with its node, and all restarts of the workers be in vain.
    # Without a CPU, since a head's node may have none to give.
    here = ray.get_runtime_context().get_node_id()
    place = NodeAffinitySchedulingStrategy(here, soft=False)
    return Queue(actor_options={"num_cpus": 0, "scheduling_strategy": place})


@contextmanager
def _listening(on_epoch: OnMember, workers: int) -> Iterator[Queue]:
    queue = _queue_here()
    alarm = threading.Timer(STARTUP_TIMEOUT, _explain_wait, [workers])
    thread = threading.Thread(
        target=_listen, args=(queue, on_epoch, alarm), daemon=True
    )
    alarm.daemon = True
    alarm.start()
    thread.start()
    try:
        yield queue
    finally:
        alarm.cancel()
        # What the workers sent before is read first, so no epoch is lost.
        _send(queue, None)
        thread.join()
        queue.shutdown()


def _explain_wait(workers: int) -> None:
    cpus = ray.cluster_resources().get("CPU", 0)
    say(
        f"no worker has started yet: {workers} workers need a CPU each, and the cluster has "
        f"{cpus:g}; ask for fewer workers, or wait until it has grown or other work has ended"
    )


def _listen(queue: Queue, on_epoch: OnMember, alarm: threading.Timer) -> None:
    while (item := _received(queue)) is not None:
        alarm.cancel()
        if item != READY:
            member, epoch, losses = item
            on_epoch(member, epoch, losses)


def _received(queue: Queue) -> Any:
    """Returns what comes next; None where nothing can come any more."""
    try:
        return queue.get()
    except RayActorError as error:
        reason = str(error).strip().splitlines()[0]
        say(f"the training goes on, but tells no more of its epochs ({reason})")
        return None
