"""The training loop: a module learns to make its mean loss small, until unseen examples say stop.

The result is a function of (seed, examples, options): the order of the examples is
seeded by the epoch, the learning rate is a function of the step, and whoever runs the
training, in this process or on Ray workers, takes the same steps. So a killed training
continues from its last checkpoint to the very weights that it would have reached.

Small networks spend most of a step outside the arithmetic: a batch of 1000 examples
costs hardly more than one of 250. So batches are large, steps are few and long, and one
fused call moves all weights.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.plugins.environments import ClusterEnvironment
from lightning.pytorch.strategies import Strategy
from torch import Tensor, nn

from orrery.branches import LEARNING, ORDER
from orrery.execution import cluster
from orrery.learning.options import Training
from orrery.learning.tensor_files import is_sound, load_tensors, save_tensors
from orrery.learning.trainer import (
    CHECKPOINT_EPOCHS,
    RESULT,
    bare_trainer,
    fit_from_checkpoint,
    quiet,
    save_checkpoint,
)
from orrery.learning.training import (
    Curve,
    EpochExamples,
    OnEpoch,
    OnMember,
    Tensors,
    Trained,
    Worker,
    device_here,
    ignore_epoch,
)
from orrery.parameters import generator
from orrery.storage import files

# Validation keeps no gradients, so that its batches may be larger than those of a step.
VALIDATION_BATCH = 16384
# The share of the training in which the steps grow: long first steps may diverge.
WARM_UP = 0.1


@dataclass(frozen=True)
class TrainingTask:
    """All that decides the result of a training, and the folder that it is done in.

    Arguments:
        module: Called with a batch of examples, returns the loss of each, with shape
            `[B]`. It must draw no random numbers, and may change.
        examples: The training examples of each epoch.
        validation: The validation examples `[V, ...]`, the same in every epoch.
        options: How to train.
        seed: Decides the order of the examples.
        folder: An absolute folder for this training alone: name it after everything that
            decides the result. A training that was killed continues from it, a finished
            one is read from it. With workers on several machines it must be on storage
            that all of them see.

    Example:
        >>> pair, options = (torch.zeros(8, 2), torch.zeros(8, 1)), Training(max_epochs=3)
        >>> module, folder = nn.Bilinear(2, 1, 1), Path("/tmp")
        >>> task = TrainingTask(module, lambda epoch: pair, pair, options, 1, folder)
        >>> task.options.max_epochs
        3
    """

    module: nn.Module
    examples: EpochExamples
    validation: Tensors
    options: Training
    seed: int
    folder: Path


def trained(task: TrainingTask, on_epoch: OnEpoch | None = None) -> Trained:
    """Returns the weights that a task's module learned.

    Arguments:
        task: What is trained.
        on_epoch: Called after each epoch with its number and its losses. With workers
            it is called from a thread of this process; after a restart it may see an
            epoch twice.

    Raises:
        ValueError: If there are no examples, or fewer than workers.
        FloatingPointError: If a loss is not finite.
    """
    follow = on_epoch or ignore_epoch
    train_each([task], lambda number, epoch, losses: follow(epoch, losses))
    document = load_tensors(task.folder / RESULT)
    return Trained(document["weights"], _curve(document))


def train_each(tasks: Sequence[TrainingTask], on_epoch: OnMember) -> None:
    """Trains modules one after another, on the same workers, and leaves each in its folder.

    Ray's workers take longer to start than small networks to learn. `trained`
    then reads what is in the folders.

    Arguments:
        tasks: What is trained, by as many workers each.
        on_epoch: Called after each epoch with the task's number, the epoch and its
            losses, as that of `trained` is.

    Raises:
        ValueError: If they have different numbers of workers, or as in `trained`.
        FloatingPointError: If a loss is not finite.
    """
    for task in tasks:
        _check(task)
        files.ensure_writable(task.folder)
    counts = {task.options.workers for task in tasks}
    if len(counts) > 1:
        raise ValueError(
            f"trainings with {sorted(counts)} workers cannot share them: give all the same"
        )
    waiting = {k: task for k, task in enumerate(tasks) if not _is_trained(task)}
    if waiting:
        run = _train_on_ray if any(counts) else _train_here
        run(waiting, on_epoch)


def _is_trained(task: TrainingTask) -> bool:
    return is_sound(task.folder / RESULT)


def _curve(document: dict[str, Any]) -> Curve:
    train, validation = document["curve"]
    return Curve(tuple(train), tuple(validation))


def _check(task: TrainingTask) -> None:
    sizes = {len(tensor) for tensor in task.examples(0)} | {len(task.validation[0])}
    if min(sizes) < max(task.options.workers, 1):
        raise ValueError(
            f"{min(sizes)} examples are too few for {task.options.workers} workers: "
            "simulate more, or use fewer workers"
        )


def _train_here(tasks: Mapping[int, TrainingTask], on_epoch: OnMember) -> None:
    with cluster.one_thread(), quiet():
        for number, task in tasks.items():
            _fit(task, _trainer(task, partial(on_epoch, number), device_here()))


def _train_on_ray(tasks: Mapping[int, TrainingTask], on_epoch: OnMember) -> None:
    first = next(iter(tasks.values()))
    count = first.options.workers
    cluster.require_ray(count)
    # Imported here, so that a machine without Ray can train without workers.
    from orrery.learning import workers

    workers.run_workers(
        partial(_train_as_worker, tasks),
        count,
        first.folder,
        on_epoch,
        least=1,
        restarts=workers.RESTARTS * len(tasks),
    )


def _train_as_worker(tasks: Mapping[int, TrainingTask], worker: Worker) -> None:
    from orrery.learning.workers import distributed

    for number, task in tasks.items():
        # by workers that have died since
        if _is_trained(task):
            continue
        on_epoch = partial(worker.on_epoch, number)
        make_trainer = partial(_trainer, task, on_epoch, worker.device)
        with quiet():
            _fit(task, distributed(make_trainer, worker.device))


def _trainer(
    task: TrainingTask,
    on_epoch: OnEpoch,
    device: torch.device,
    strategy: str | Strategy = "auto",
    environment: ClusterEnvironment | None = None,
) -> lightning.Trainer:
    return bare_trainer(
        task.folder,
        task.options.max_epochs,
        device,
        strategy,
        environment,
        callbacks=[_Progress(task, on_epoch)],
        gradient_clip=task.options.gradient_clip,
    )


def _fit(task: TrainingTask, trainer: lightning.Trainer) -> None:
    fit_from_checkpoint(trainer, _TrainedModule(task), task.folder)


class _Batches:
    """The rows of tensors that are listed in each of `batches`, an index `[b]`."""

    def __init__(self, tensors: Tensors, batches: list[Tensor]) -> None:
        self.tensors = tensors
        self.batches = batches

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
    size = min(size, len(order))
    batches = order[: len(order) - len(order) % size].reshape(-1, size)
    return list(batches[:, rank::workers])


def _step_size(done: float) -> float:
    """Returns the step size after a share of the training, as a share of the largest one."""
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


class _TrainedModule(lightning.LightningModule):
    """The module with its examples and its optimiser, as Lightning wants them."""

    def __init__(self, task: TrainingTask) -> None:
        super().__init__()
        self.module = task.module
        self.task = task
        self.losses: dict[str, list[Tensor]] = {"train": [], "validation": []}
        self.examples = 0  # of this epoch

    def train_dataloader(self) -> _Batches:
        epoch = self.current_epoch
        examples = self._here(self.task.examples(epoch))
        random = generator(self.task.seed, LEARNING, ORDER, epoch)
        self.examples = len(examples[0])
        order = torch.from_numpy(random.permutation(self.examples))
        size = self.task.options.batch_size
        rank = self.trainer.global_rank
        return _Batches(examples, _shuffled(order, size, rank, self.trainer.world_size))

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
        # The middle of the step: the first one is not of size zero, nor the last.
        part = (batch_idx + 0.5) / self.trainer.num_training_batches
        done = (self.current_epoch + part) / self.task.options.max_epochs
        rate = self.task.options.learning_rate * _step_size(done)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate

    def training_step(self, batch: Tensors, index: int) -> Tensor:
        loss = self.module(*batch)
        self.losses["train"].append(loss.detach())
        rows = min(self.task.options.batch_size, self.examples)
        # Gradients are averaged over workers. When some are lost, the others' shares of
        # a batch may differ by one.
        weight = len(loss) * self.trainer.world_size / rows
        return loss.mean() if weight == 1 else weight * loss.mean()

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
        # Sum and number, not the mean: workers may have shares of unequal size.
        count = losses.new_tensor(len(losses)).double()
        total = torch.stack([losses.double().sum(), count])
        total = self.trainer.strategy.reduce(total, reduce_op="sum")
        return float(total[0] / total[1])


class _Progress(lightning.Callback):
    """After each epoch: writes down the losses, keeps the best weights, saves, and stops in time.

    The same on every worker; the first one alone writes.
    """

    def __init__(self, task: TrainingTask, on_epoch: OnEpoch) -> None:
        self.task = task
        self.on_epoch = on_epoch
        self.curve = Curve()
        self.weights = dict[str, Tensor]()

    def state_dict(self) -> dict[str, Any]:
        curve = [list(self.curve.train), list(self.curve.validation)]
        return {"curve": curve, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.curve = _curve(state_dict)
        self.weights = state_dict["weights"]

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
        train = (*self.curve.train, losses["train"])
        validation = (*self.curve.validation, losses["validation"])
        self.curve = Curve(train, validation)
        if self.curve.best == epoch:
            # A copy: the optimiser goes on changing the weights in place.
            self.weights = {
                k: w.detach().cpu().clone() for k, w in module.state_dict().items()
            }

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        if trainer.is_global_zero:
            save_tensors(self.task.folder / RESULT, self.state_dict())
