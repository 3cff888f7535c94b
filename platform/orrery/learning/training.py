"""Training: a module learns to make its mean loss small, until unseen examples say stop.

The result is a function of (seed, examples, options): the order of the examples is
seeded by the epoch, the learning rate is a function of the step, and whoever runs the
training, in this process or on Ray workers, takes the same steps. So a killed training
continues from its last checkpoint to the very weights that it would have reached.

Small networks spend most of a step outside the arithmetic: a batch of 1000 examples
costs hardly more than one of 250. So batches are large, steps are few and long, and one
fused call moves all weights.
"""

import logging
import math
import shutil
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import lightning
import numpy as np
import ray
import torch
from lightning.pytorch.plugins.environments import ClusterEnvironment
from lightning.pytorch.strategies import Strategy
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.lightning import RayDDPStrategy, RayLightningEnvironment, prepare_trainer
from ray.train.torch import TorchTrainer, get_device
from ray.util.queue import Queue
from torch import Tensor, nn

from orrery import terminal
from orrery.branches import LEARNING, ORDER
from orrery.execution import cluster
from orrery.parameters import FloatArray, generator
from orrery.storage import files

Tensors = tuple[Tensor, ...]
OnEpoch = Callable[[int, Mapping[str, float]], None]

CHECKPOINT, RESULT = "last.ckpt", "trained.pt"
CHECKPOINT_EPOCHS = 10
READY = ()  # what a worker sends when it starts
RESTARTS = 3
STARTUP_TIMEOUT = 60.0  # [s] without any worker until the user is told why
VALIDATION_BATCH = 16384
WARM_UP = 0.1  # the share of the training in which the steps grow: long first steps may diverge


@dataclass(frozen=True)
class Training:
    """How a module is trained.

    Arguments:
        batch_size: Examples in one step, of all workers together.
        learning_rate: Adam's largest step size. It rises to that in the first tenth of
            the training and falls to zero along a half cosine (Smith & Topin 2017,
            arXiv:1708.07120).
        weight_decay: By how much a step of size 1 would shrink the weights towards zero
            (Loshchilov & Hutter 2017, arXiv:1711.05101).
        max_epochs: The last epoch, where the step size reaches zero.
        patience: Epochs without a better validation loss after which training stops.
        gradient_clip: The largest norm of a step's gradient; longer ones are shortened
            to it.
        workers: Processes of Ray Train that share each batch; 0 trains in this process.
    """

    batch_size: int = 512
    learning_rate: float = 1e-2
    weight_decay: float = 0.1
    max_epochs: int = 30
    patience: int = 30
    gradient_clip: float = 5.0
    workers: int = 0

    def __post_init__(self) -> None:
        for name in (
            "batch_size",
            "learning_rate",
            "max_epochs",
            "patience",
            "gradient_clip",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)} must be larger than 0")
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay={self.weight_decay} must be 0 or larger")
        if self.workers < 0 or self.batch_size % max(self.workers, 1):
            raise ValueError(
                f"{self.workers} workers cannot share a batch of {self.batch_size}: "
                "make batch_size a multiple of workers"
            )


class Examples(Protocol):
    """The training examples of an epoch, such as the same simulations with fresh noise.

    A call returns tensors `[N, ...]` and depends on the epoch only.
    """

    def __call__(self, epoch: int) -> Tensors: ...


@dataclass(frozen=True)
class Curve:
    """Mean losses, one entry for each epoch.

    Arguments:
        train: Over the steps of the epoch, while the weights moved.
        validation: Over the validation examples, after the epoch.
    """

    train: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()

    @property
    def best(self) -> int:
        """Returns the epoch with the smallest validation loss."""
        return self.validation.index(min(self.validation))


@dataclass(frozen=True)
class Trained:
    """The weights of the epoch with the smallest validation loss, and the way there."""

    weights: dict[str, Tensor]
    curve: Curve


@dataclass(frozen=True)
class Task:
    """All that decides the result of a training, and the folder that it is done in."""

    module: nn.Module
    examples: Examples
    validation: Tensors
    options: Training
    seed: int
    folder: Path


def train(
    module: nn.Module,
    examples: Examples,
    validation: Tensors,
    options: Training,
    seed: int,
    folder: Path,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Returns the weights that `module` learned; `module` itself may change.

    Arguments:
        module: Called with a batch of examples, returns the loss of each, with shape
            `[B]`. It must draw no random numbers.
        examples: The training examples of each epoch.
        validation: The validation examples `[V, ...]`, the same in every epoch.
        options: How to train.
        seed: Decides the order of the examples.
        folder: A folder for this training alone: name it after everything that decides
            the result. A training that was killed continues from it, a finished one is
            read from it. With workers on several machines it must be on storage that
            all of them see.
        on_epoch: Called after each epoch with its number and its losses. With workers
            it is called from a thread of this process; after a restart it may see an
            epoch twice.

    Raises:
        ValueError: If there are no examples, or fewer than workers.
        FloatingPointError: If a loss is not finite.
    """
    task = Task(module, examples, validation, options, seed, folder.absolute())
    _check(task)
    files.ensure_writable(folder)
    if not (folder / RESULT).exists():
        run = _train_on_ray if options.workers else _train_here
        run(task, on_epoch or ignore)
    document = torch.load(folder / RESULT, weights_only=True)
    return Trained(document["weights"], Curve(*map(tuple, document["curve"])))


def _check(task: Task) -> None:
    sizes = {len(tensor) for tensor in task.examples(0)} | {len(task.validation[0])}
    if min(sizes) < max(task.options.workers, 1):
        raise ValueError(
            f"{min(sizes)} examples are too few for {task.options.workers} workers: "
            "simulate more, or use fewer workers"
        )


def ignore(epoch: int, losses: Mapping[str, float]) -> None:
    """Does nothing, for whoever wants to hear of no epoch."""


def single_precision(values: FloatArray) -> Tensor:
    """Returns numbers as networks compute with them."""
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


@contextmanager
def quiet() -> Iterator[None]:
    """Returns a context in which Lightning says only what went wrong."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Lightning 2.6 asks torch 2.13 for a class that it is about to rename.
            warnings.filterwarnings(
                "ignore", "`isinstance.treespec, LeafSpec", FutureWarning
            )
            yield
    finally:
        logger.setLevel(level)


def _train_here(task: Task, on_epoch: OnEpoch) -> None:
    with cluster.one_thread(), quiet():
        _fit(task, _trainer(task, on_epoch, device_here()))


def device_here() -> torch.device:
    """Returns where this process computes: on its GPU, if it has one."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def _trainer(
    task: Task,
    on_epoch: OnEpoch,
    device: torch.device,
    strategy: str | Strategy = "auto",
    environment: ClusterEnvironment | None = None,
) -> lightning.Trainer:
    return bare_trainer(
        *(task.folder, task.options.max_epochs, device, strategy, environment),
        callbacks=[_Progress(task, on_epoch)],
        gradient_clip=task.options.gradient_clip,
    )


def bare_trainer(
    folder: Path,
    max_epochs: int,
    device: torch.device,
    strategy: str | Strategy = "auto",
    environment: ClusterEnvironment | None = None,
    callbacks: Sequence[lightning.Callback] = (),
    gradient_clip: float | None = None,
) -> lightning.Trainer:
    """Returns a Lightning trainer that writes, prints and checks nothing of its own accord.

    Arguments:
        folder: Where it may write.
        max_epochs: The number of epochs.
        device: Where it computes, unless an environment says.
        strategy: How it shares the work with other processes.
        environment: The cluster, as Lightning sees it.
        callbacks: What is done between epochs.
        gradient_clip: The largest norm of a step's gradient, if any.
    """
    return lightning.Trainer(
        accelerator=device.type,
        devices="auto"
        if environment
        else [device.index]
        if device.type == "cuda"
        else 1,
        strategy=strategy,
        plugins=environment,
        callbacks=[*callbacks],
        max_epochs=max_epochs,
        gradient_clip_val=gradient_clip,
        reload_dataloaders_every_n_epochs=1,
        default_root_dir=folder,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _fit(task: Task, trainer: lightning.Trainer) -> None:
    fit_from_checkpoint(trainer, _Lesson(task), task.folder)


def fit_from_checkpoint(
    trainer: lightning.Trainer, lesson: lightning.LightningModule, folder: Path
) -> None:
    """Trains, from the last checkpoint in the folder if there is one.

    Raises:
        KeyboardInterrupt: If the user wants no more.
    """
    checkpoint = folder / CHECKPOINT
    resume = str(checkpoint) if checkpoint.exists() else None
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(lesson, ckpt_path=resume, weights_only=True)
    except SystemExit as error:
        # Lightning turns Ctrl-C into an exit that looks like a failure, and ignores the
        # next one.
        signal.signal(signal.SIGINT, on_interrupt)
        raise KeyboardInterrupt from error


class _Batches:
    """The rows of tensors that are listed in each of `batches`, an index `[b]`."""

    def __init__(self, tensors: Tensors, batches: list[Tensor]) -> None:
        self.tensors, self.batches = tensors, batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Tensors]:
        return (
            tuple(tensor[batch] for tensor in self.tensors) for batch in self.batches
        )


def _shuffled(order: Tensor, size: int, rank: int, workers: int) -> list[Tensor]:
    # All workers draw the same order and take their share of every batch, so the
    # gradient is the same for any number of them. The rows left over by the last full
    # batch differ between epochs.
    size = min(size, len(order) - len(order) % workers)
    batches = order[: len(order) - len(order) % size].reshape(-1, size)
    return list(batches[:, rank::workers])


def _step_size(done: float) -> float:
    """Returns the step size after a share of the training, as a share of the largest one."""
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


class _Lesson(lightning.LightningModule):
    """The module with its examples and its optimiser, as Lightning asks for them."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.module, self.task = task.module, task
        self.losses: dict[str, list[Tensor]] = {"train": [], "validation": []}

    def train_dataloader(self) -> _Batches:
        epoch, workers = self.current_epoch, self.trainer.world_size
        examples = self._here(self.task.examples(epoch))
        order = torch.from_numpy(
            generator(self.task.seed, LEARNING, ORDER, epoch).permutation(
                len(examples[0])
            )
        )
        size = self.task.options.batch_size
        return _Batches(
            examples, _shuffled(order, size, self.trainer.global_rank, workers)
        )

    def val_dataloader(self) -> _Batches:
        rows = torch.arange(len(self.task.validation[0]))
        share = rows[self.trainer.global_rank :: self.trainer.world_size]
        return _Batches(
            self._here(self.task.validation), list(share.split(VALIDATION_BATCH))
        )

    def _here(self, tensors: Tensors) -> Tensors:
        return tuple(tensor.to(self.device) for tensor in tensors)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        options = self.task.options
        return torch.optim.AdamW(
            self.parameters(),
            options.learning_rate,
            weight_decay=options.weight_decay,
            fused=True,
        )

    def on_train_batch_start(self, batch: Tensors, batch_idx: int) -> None:
        epochs = (
            self.current_epoch + (batch_idx + 0.5) / self.trainer.num_training_batches
        )
        rate = self.task.options.learning_rate * _step_size(
            epochs / self.task.options.max_epochs
        )
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate

    def training_step(self, batch: Tensors, index: int) -> Tensor:
        loss = self.module(*batch)
        self.losses["train"].append(loss.detach())
        return loss.mean()

    def validation_step(self, batch: Tensors, index: int) -> None:
        self.losses["validation"].append(self.module(*batch))

    def means(self) -> dict[str, float]:
        """Returns the mean losses of the epoch over all workers, and forgets them."""
        means = {
            name: self._mean(torch.cat(losses)) for name, losses in self.losses.items()
        }
        self.losses = {name: [] for name in self.losses}
        return means

    def _mean(self, losses: Tensor) -> float:
        total = torch.stack(
            [losses.double().sum(), losses.new_tensor(len(losses)).double()]
        )
        total = self.trainer.strategy.reduce(total, reduce_op="sum")
        return float(total[0] / total[1])


class _Progress(lightning.Callback):
    """After each epoch: writes down the losses, keeps the best weights, saves, and stops in time.

    The same on every worker; the first one alone writes.
    """

    def __init__(self, task: Task, on_epoch: OnEpoch) -> None:
        self.task, self.on_epoch = task, on_epoch
        self.curve, self.weights = Curve(), dict[str, Tensor]()

    def state_dict(self) -> dict[str, Any]:
        curve = [list(self.curve.train), list(self.curve.validation)]
        return {"curve": curve, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.curve, self.weights = (
            Curve(*map(tuple, state_dict["curve"])),
            state_dict["weights"],
        )

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        losses = pl_module.means()
        self._record(losses, pl_module.module)
        last = len(self.curve.validation) - 1
        trainer.should_stop = last - self.curve.best >= self.task.options.patience
        # A training that continued from its end would take one step too many.
        if (last + 1) % CHECKPOINT_EPOCHS == 0 and not trainer.should_stop:
            save_checkpoint(trainer, self.task.folder)
        if trainer.is_global_zero:
            self.on_epoch(last, losses)

    def _record(self, losses: Mapping[str, float], module: nn.Module) -> None:
        epoch = len(self.curve.train)
        if not all(map(math.isfinite, losses.values())):
            raise FloatingPointError(
                f"epoch {epoch} has losses {dict(losses)}: make learning_rate smaller than "
                f"{self.task.options.learning_rate}, or look for extreme examples"
            )
        train, validation = self.curve.train, self.curve.validation
        self.curve = Curve(
            (*train, losses["train"]), (*validation, losses["validation"])
        )
        if self.curve.best == epoch:
            self.weights = {
                k: w.detach().cpu().clone() for k, w in module.state_dict().items()
            }

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        if trainer.is_global_zero:
            with files.replacing(self.task.folder / RESULT) as temporary:
                torch.save(self.state_dict(), temporary)


def save_checkpoint(trainer: lightning.Trainer, folder: Path) -> None:
    """Writes the folder's checkpoint, complete or not at all."""
    partly = folder / f".{CHECKPOINT}{files.TEMPORARY}"
    trainer.save_checkpoint(
        partly
    )  # takes every worker, and waits for the first one to write
    if trainer.is_global_zero:
        with files.replacing(folder / CHECKPOINT) as temporary:
            partly.rename(temporary)


@dataclass(frozen=True)
class Worker:
    """A process that trains.

    Arguments:
        rank: Its number.
        device: Where it computes.
        on_epoch: Tells the losses of an epoch to whoever waits for the training.
    """

    rank: int
    device: torch.device
    on_epoch: OnEpoch


def run_workers(
    work: Callable[[Worker], None], workers: int, folder: Path, on_epoch: OnEpoch
) -> None:
    """Runs a function on workers of Ray Train, again if one of them dies.

    Arguments:
        work: Called once on each worker. It keeps what it reaches in files.
        workers: How many; each has a GPU if the cluster has as many.
        folder: Where Ray may write for as long as they run.
        on_epoch: Called from a thread of this process with what workers tell.
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
        gpu = ray.cluster_resources().get("GPU", 0) >= workers
        # Ray Train's own use of Ray Data sets options that Ray Data deprecates.
        warnings.filterwarnings(
            "ignore", category=DeprecationWarning, module=r"ray\.data"
        )
        trainer = TorchTrainer(
            _as_worker,
            train_loop_config={"work": work, "epochs": epochs},
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpu),
            run_config=RunConfig(
                name=storage.name,
                storage_path=str(folder),
                failure_config=FailureConfig(max_failures=RESTARTS),
            ),
        )
        trainer.fit()
    shutil.rmtree(storage, ignore_errors=True)


def _as_worker(config: dict[str, Any]) -> None:
    rank = ray.train.get_context().get_world_rank()
    config["epochs"].put(READY)
    with cluster.one_thread(), quiet():
        config["work"](Worker(rank, get_device(), _Sender(config["epochs"])))


def _train_on_ray(task: Task, on_epoch: OnEpoch) -> None:
    run_workers(
        partial(_train_as_worker, task), task.options.workers, task.folder, on_epoch
    )


def _train_as_worker(task: Task, worker: Worker) -> None:
    gpu = worker.device.type == "cuda"
    strategy = RayDDPStrategy(process_group_backend="nccl" if gpu else "gloo")
    environment = RayLightningEnvironment()
    trainer = _trainer(task, worker.on_epoch, worker.device, strategy, environment)
    _fit(task, prepare_trainer(trainer))


@dataclass(frozen=True)
class _Sender:
    """Sends the losses of each epoch to the process that waits for the training."""

    epochs: Queue

    def __call__(self, epoch: int, losses: Mapping[str, float]) -> None:
        self.epochs.put((epoch, losses))


@contextmanager
def _listening(on_epoch: OnEpoch, workers: int) -> Iterator[Queue]:
    queue = Queue()
    alarm = threading.Timer(STARTUP_TIMEOUT, _say_why, [workers])
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
        queue.put(None)
        thread.join()
        queue.shutdown()


def _say_why(workers: int) -> None:
    cpus = ray.cluster_resources().get("CPU", 0)
    terminal.say(
        f"no worker has started yet: {workers} workers need a CPU each, and the cluster has "
        f"{cpus:g}; ask for fewer workers, or wait until it has grown or other work has ended"
    )


def _listen(queue: Queue, on_epoch: OnEpoch, alarm: threading.Timer) -> None:
    while (item := queue.get()) is not None:
        alarm.cancel()
        if item != READY:
            on_epoch(*item)
