"""Cohorts: the members of an ensemble, shared among workers and trained until none learns any more.

Members whose weights turn out to be collapsed follow as a smaller cohort, with other
first weights. Each cohort and each share leaves its outcome in a file, so a training
that was killed continues with what is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor

from orrery.execution import cluster
from orrery.learning.members import Cohort, Outcome, joined
from orrery.learning.networks import initialise_members, next_attempt
from orrery.learning.options import Learning, Networks
from orrery.learning.tensor_files import is_sound, load_tensors, save_tensors
from orrery.learning.trainer import (
    CHECKPOINT_EPOCHS,
    RESULT,
    bare_trainer,
    fit_from_checkpoint,
    quiet,
    save_checkpoint,
)
from orrery.learning.training import OnEpoch, Worker, device_here, ignore_epoch
from orrery.storage import files


@dataclass(frozen=True)
class MembersTask:
    """All that decides what the members learn, and the folder that it is done in.

    Arguments:
        train: Summaries `[N, S]` and parameters `[N, P]`, standardised.
        validation: Likewise.
        networks: How many networks, of which shape.
        learning: How they learn.
        seed: Decides the first weights and the order of the examples.
        folder: The absolute folder.

    Example:
        >>> pair = (torch.zeros(8, 3), torch.zeros(8, 1))
        >>> networks, learning = Networks(members=5), Learning(workers=2)
        >>> MembersTask(pair, pair, networks, learning, 1, Path("training")).shares
        [[0, 1, 2], [3, 4]]
    """

    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    networks: Networks
    learning: Learning
    seed: int
    folder: Path

    @property
    def shares(self) -> list[list[int]]:
        """The members' numbers on each worker."""
        workers = max(self.learning.workers, 1)
        parts = np.array_split(np.array(self.networks.numbers), workers)
        return [part.tolist() for part in parts]

    def share_folder(self, share: list[int]) -> Path:
        """Returns the folder of a share."""
        return self.folder / f"members-{share[0]}-{share[-1]}"

    def cohort(self, attempts: dict[int, int], device: torch.device) -> Cohort:
        """Returns members with their first weights, from these attempts on."""
        # Moved once: every batch of every epoch is cut from these.
        train = _moved(self.train, device)
        validation = _moved(self.validation, device)
        widths = (train[0].shape[1], *self.networks.hidden, train[1].shape[1])
        network, needed = initialise_members(widths, self.seed, attempts, validation[0])
        return Cohort(
            numbers=list(attempts),
            attempts=needed,
            network=network,
            train=train,
            validation=validation,
            options=self.learning,
            seed=self.seed,
        )


def _moved(pair: tuple[Tensor, Tensor], device: torch.device) -> tuple[Tensor, Tensor]:
    x, theta = pair
    return x.to(device), theta.to(device)


class _CohortModule(lightning.LightningModule):
    """A cohort, as Lightning wants it.

    To Lightning an epoch is one batch: a step takes a millisecond, and its bookkeeping
    another.
    """

    def __init__(self, cohort: Cohort, folder: Path, on_epoch: OnEpoch) -> None:
        super().__init__()
        # The cohort takes its steps itself, many in one of Lightning's.
        self.automatic_optimization = False
        self.cohort = cohort
        self.folder = folder
        self.on_epoch = on_epoch

    def train_dataloader(self) -> list[int]:
        return [self.current_epoch]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.cohort.optimizer

    def training_step(self, epoch: int, index: int) -> None:
        self.losses = self.cohort.learn(epoch)

    def on_train_epoch_end(self) -> None:
        epochs = self.current_epoch + 1
        self.trainer.should_stop = self.cohort.ended
        if epochs % CHECKPOINT_EPOCHS == 0 and not self.cohort.ended:
            save_checkpoint(self.trainer, self.folder)
        self.on_epoch(self.current_epoch, self.losses)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["cohort"] = self.cohort.state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.cohort.restore(checkpoint["cohort"])

    def on_fit_end(self) -> None:
        save_tensors(self.folder / RESULT, vars(self.cohort.reached))


def _read(path: Path) -> Outcome:
    return Outcome(**load_tensors(path))


def _learn_share(task: MembersTask, worker: Worker) -> None:
    """Trains the members of one worker; collapsed ones follow as a smaller cohort."""
    share = task.shares[worker.rank]
    place = task.share_folder(share)
    if is_sound(place / RESULT):
        return
    kept = list[Outcome]()
    waiting = dict.fromkeys(share, 0)
    while waiting:
        # One curve is shown: the first worker's, until its first cohort has ended.
        shown = not kept and not worker.rank
        on_epoch = partial(worker.on_epoch, share[0]) if shown else ignore_epoch
        folder = place / f"cohort-{len(kept)}"
        outcome = _learn_cohort(task, waiting, folder, worker.device, on_epoch)
        sound = torch.nonzero(~outcome.constant).flatten().tolist()
        kept.append(outcome.take(sound))
        waiting = _collapsed(outcome)
    save_tensors(place / RESULT, vars(joined(kept)))


def _learn_cohort(
    task: MembersTask,
    attempts: dict[int, int],
    folder: Path,
    device: torch.device,
    on_epoch: OnEpoch,
) -> Outcome:
    files.ensure_writable(folder)
    if not is_sound(folder / RESULT):
        module = _CohortModule(task.cohort(attempts, device), folder, on_epoch)
        with quiet():
            trainer = bare_trainer(folder, task.learning.max_epochs, device)
            fit_from_checkpoint(trainer, module, folder)
    return _read(folder / RESULT)


def _collapsed(outcome: Outcome) -> dict[int, int]:
    """Returns the numbers of the collapsed members, and their next attempts."""
    collapsed = outcome.constant.tolist()
    every = zip(outcome.numbers, outcome.attempts, collapsed, strict=True)
    return {
        number: next_attempt(number, attempt)
        for number, attempt, constant in every
        if constant
    }


def train_members(task: MembersTask, on_epoch: OnEpoch) -> Outcome:
    """Returns what the members learned, in this process or on workers.

    Arguments:
        task: All that decides it.
        on_epoch: Called after each epoch with the mean losses of the first worker's
            members.

    Raises:
        ValueError: If a member stays collapsed.
        FloatingPointError: If a loss is not finite.
    """
    files.ensure_writable(task.folder)
    work = partial(_learn_share, task)

    def on_member(member: int, epoch: int, losses: Mapping[str, float]) -> None:
        on_epoch(epoch, losses)

    if task.learning.workers:
        cluster.require_ray(task.learning.workers)
        # Imported here, so that a machine without Ray can train without workers.
        from orrery.learning import workers

        workers.run_workers(work, task.learning.workers, task.folder, on_member)
    else:
        with cluster.one_thread():
            work(Worker(0, device_here(), on_member))
    return joined([_read(task.share_folder(share) / RESULT) for share in task.shares])
