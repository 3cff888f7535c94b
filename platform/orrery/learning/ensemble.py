"""An ensemble: the mean of many small networks that predict the parameters from summaries.

A network that minimises the squared error predicts the mean of what the parameters may
be. One network's answer depends on its first weights; that of a hundred scatters ten
times less, and their scatter tells how much. What the answer's error is, examples that
were never trained on tell: see `regression`.

Summaries and parameters are standardised by the mean and the width of the training
pairs alone.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from astropy.table import Table
from torch import Tensor

from orrery import data_vector, identity
from orrery.execution import cluster
from orrery.identity import JSON, fingerprint
from orrery.learning import training
from orrery.learning.artefacts import ArtifactStore, origin
from orrery.learning.members import (
    Cohort,
    Dense,
    Learning,
    Networks,
    Outcome,
    initialise_members,
    joined,
    next_attempt,
)
from orrery.learning.training import (
    CHECKPOINT_EPOCHS,
    RESULT,
    Curve,
    OnEpoch,
    Worker,
    single_precision,
)
from orrery.pairs import Pairs, Splits
from orrery.parameters import FloatArray, Parameter, names
from orrery.records import Observation
from orrery.storage import files

VERSION = 1  # of ensembles and their training; raised whenever their numbers change
KIND = "ensemble"


@dataclass(frozen=True)
class Scaling:
    """Mean and width of the columns of training examples.

    Arguments:
        mean: With shape `[S]`.
        width: Their standard deviations, with shape `[S]`.
    """

    mean: FloatArray
    width: FloatArray

    def standardised(self, values: FloatArray) -> FloatArray:
        """Returns values `[..., S]` with the mean nought and the width 1."""
        return (values - self.mean) / self.width

    def restored(self, values: FloatArray) -> FloatArray:
        """Returns what was standardised."""
        return values * self.width + self.mean


def scaling(
    values: FloatArray, groups: Sequence[Hashable], columns: Sequence[str]
) -> Scaling:
    """Returns the scaling of training examples.

    Arguments:
        values: The examples, with shape `[N, S]`.
        groups: For each column its group; the columns of a group share mean and width.
        columns: The columns' names.

    Raises:
        ValueError: If a group is the same number throughout.
    """
    mean, width = np.empty(values.shape[1]), np.empty(values.shape[1])
    for group in dict.fromkeys(groups):
        chosen = [i for i, other in enumerate(groups) if other == group]
        pooled = values[:, chosen]
        mean[chosen], width[chosen] = pooled.mean(), pooled.std()
        if np.ptp(pooled) == 0:
            raise ValueError(
                f"{[columns[i] for i in chosen]} is {pooled.flat[0]:g} in all training pairs: "
                "leave it out"
            )
    return Scaling(mean, width)


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble:
    """Trained networks that know what they are. Two with the same document are the same.

    Arguments:
        parameters: The P parameters.
        names: The names of the S summaries.
        units: Their units.
        definition: Fingerprint of the summaries' definition.
        dataset: Fingerprint of the simulations.
        curve: The losses while they were trained, the mean over the members; one that
            has ended counts with its last losses. In units of the standardised
            parameters' variance.
        reseeded: How many first weights were collapsed and drawn again.
        document: All that decided the result, as plain JSON: options, seed, pairs,
            versions.
        scalings: Of the summaries and of the parameters.
        network: The K networks.
    """

    parameters: tuple[Parameter, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    definition: str
    dataset: str
    curve: Curve
    reseeded: int
    document: JSON
    scalings: tuple[Scaling, Scaling] = field(repr=False)
    network: Dense = field(repr=False)

    def predict(self, x: FloatArray) -> FloatArray:
        """Returns the prediction of each member for each row, with shape `[K, N, P]`.

        Arguments:
            x: Summaries with their errors, with shape `[N, S]`.

        Raises:
            ValueError: If the summaries have another shape or are not finite.
        """
        of_x, of_theta = self.scalings
        standardised = of_x.standardised(data_vector.rows(x, len(self.names)))
        with cluster.one_thread(), torch.no_grad():
            outputs = self.network.predict(single_precision(standardised))
        return of_theta.restored(outputs.mT.double().numpy())

    def mean(self, x: FloatArray) -> FloatArray:
        """Returns the members' mean prediction for each row, with shape `[N, P]`.

        Arguments and errors are those of `predict`.
        """
        mean: FloatArray = self.predict(x).mean(axis=0)
        return mean

    def predict_observation(self, observation: Observation | Table) -> FloatArray:
        """Returns the prediction of each member for an observation, with shape `[K, P]`.

        Arguments:
            observation: What was observed, or a table of it: see
                `data_vector.from_table`.

        Raises:
            ValueError: If the observation's summaries are not those that the networks
                learned.
        """
        learned = self.definition, self.names, self.units
        conformed = data_vector.conform_to(observation, *learned, KIND)
        return self.predict(conformed.value[np.newaxis])[:, 0]

    def __repr__(self) -> str:
        best = ", ".join(
            f"{loss:.3f}" for loss in np.quantile(self.document["loss"], (0, 0.5, 1))
        )
        return (
            f"Ensemble {self.document['fingerprint']}: {len(self.document['loss'])} members, "
            f"{self.reseeded} reseeded, predict {', '.join(names(self.parameters))} from "
            f"{len(self.names)} summaries; smallest, median and largest validation loss {best}"
        )


@dataclass(frozen=True)
class _Task:
    """All that decides what the members learn, and the folder that it is done in."""

    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    networks: Networks
    learning: Learning
    seed: int
    folder: Path

    @property
    def shares(self) -> list[list[int]]:
        """The members' numbers on each worker."""
        parts = np.array_split(
            np.array(self.networks.numbers), max(self.learning.workers, 1)
        )
        return [part.tolist() for part in parts]

    def place(self, share: list[int]) -> Path:
        """Returns the folder of a share."""
        return self.folder / f"members-{share[0]}-{share[-1]}"

    def cohort(self, attempts: dict[int, int], device: torch.device) -> Cohort:
        """Returns members with their first weights, from these attempts on."""
        train, validation = (
            (x.to(device), theta.to(device))
            for x, theta in (self.train, self.validation)
        )
        widths = (train[0].shape[1], *self.networks.hidden, train[1].shape[1])
        network, needed = initialise_members(widths, self.seed, attempts, validation[0])
        return Cohort(
            *([*attempts], needed, network, train, validation, self.learning, self.seed)
        )


class _Lesson(lightning.LightningModule):
    """A cohort, as Lightning asks for it.

    To Lightning an epoch is one batch: a step takes a millisecond, and its bookkeeping
    another.
    """

    def __init__(self, cohort: Cohort, folder: Path, on_epoch: OnEpoch) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.cohort, self.folder, self.on_epoch = cohort, folder, on_epoch

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
            training.save_checkpoint(self.trainer, self.folder)
        self.on_epoch(self.current_epoch, self.losses)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["cohort"] = self.cohort.state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.cohort.restore(checkpoint["cohort"])

    def on_fit_end(self) -> None:
        _save(self.cohort.reached, self.folder / RESULT)


def _save(outcome: Outcome, path: Path) -> None:
    with files.replacing(path) as temporary:
        torch.save(vars(outcome), temporary)


def _read(path: Path) -> Outcome:
    return Outcome(**torch.load(path, weights_only=True))


def _learn_share(task: _Task, worker: Worker) -> None:
    """Trains the members of one worker; those that died follow as a smaller cohort."""
    share = task.shares[worker.rank]
    place = task.place(share)
    if (place / RESULT).exists():
        return
    kept, waiting = list[Outcome](), dict.fromkeys(share, 0)
    while waiting:
        on_epoch = training.ignore if kept or worker.rank else worker.on_epoch
        outcome = _learn_cohort(
            task, waiting, place / f"cohort-{len(kept)}", worker.device, on_epoch
        )
        kept.append(outcome.take(torch.nonzero(~outcome.constant).flatten().tolist()))
        waiting = _collapsed(outcome)
    _save(joined(kept), place / RESULT)


def _learn_cohort(
    task: _Task,
    attempts: dict[int, int],
    folder: Path,
    device: torch.device,
    on_epoch: OnEpoch,
) -> Outcome:
    files.ensure_writable(folder)
    if not (folder / RESULT).exists():
        lesson = _Lesson(task.cohort(attempts, device), folder, on_epoch)
        trainer = training.bare_trainer(folder, task.learning.max_epochs, device)
        training.fit_from_checkpoint(trainer, lesson, folder)
    return _read(folder / RESULT)


def _collapsed(outcome: Outcome) -> dict[int, int]:
    """Returns the numbers of the members that died, and their next attempts."""
    every = zip(
        outcome.numbers, outcome.attempts, outcome.constant.tolist(), strict=True
    )
    return {
        number: next_attempt(number, attempt)
        for number, attempt, collapsed in every
        if collapsed
    }


def _learn(task: _Task, on_epoch: OnEpoch) -> Outcome:
    files.ensure_writable(task.folder)
    work = partial(_learn_share, task)
    if task.learning.workers:
        training.run_workers(work, task.learning.workers, task.folder, on_epoch)
    else:
        with cluster.one_thread(), training.quiet():
            work(Worker(0, training.device_here(), on_epoch))
    return joined([_read(task.place(share) / RESULT) for share in task.shares])


@dataclass(frozen=True)
class _Plan:
    """All that decides an ensemble."""

    splits: Splits
    parameters: tuple[Parameter, ...]
    networks: Networks
    learning: Learning
    seed: int
    groups: tuple[Hashable, ...]

    def describe(self) -> JSON:
        """Returns the plan as plain JSON, with checksums in the place of pairs."""
        return {
            **origin(self.splits, self.parameters),
            "groups": [str(group) for group in self.groups],
            "networks": identity.describe(self.networks),
            "learning": identity.describe(self.learning, places=False),
            "seed": self.seed,
            "version": VERSION,
        }

    def check(self) -> None:
        """Raises ValueError if the arguments do not belong together."""
        splits = self.splits
        splits.check_parameters(self.parameters)
        if len(self.groups) != len(splits.names):
            raise ValueError(
                f"{len(self.groups)} groups for {len(splits.names)} summaries: name the group of "
                "each summary"
            )
        if self.learning.workers > self.networks.members:
            raise ValueError(
                f"{self.learning.workers} workers cannot share {self.networks.members} members: "
                "use fewer workers"
            )
        for what, pairs in (
            ("training", splits.train),
            ("validation", splits.validation),
        ):
            _check_pairs(what, pairs)

    @cached_property
    def scalings(self) -> tuple[Scaling, Scaling]:
        """The scalings of the summaries and of the parameters."""
        pairs, own = self.splits.train, names(self.parameters)
        return scaling(pairs.x, self.groups, self.splits.names), scaling(
            pairs.theta, own, own
        )

    def learn(self, folder: Path, on_epoch: OnEpoch | None) -> Outcome:
        """Returns what the members learned."""
        train, validation = map(
            self._examples, (self.splits.train, self.splits.validation)
        )
        decided = (self.networks, self.learning, self.seed)
        return _learn(
            _Task(train, validation, *decided, folder.absolute()),
            on_epoch or training.ignore,
        )

    def _examples(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        of_x, of_theta = self.scalings
        x, theta = of_x.standardised(pairs.x), of_theta.standardised(pairs.theta)
        return single_precision(x), single_precision(theta)


def _check_pairs(what: str, pairs: Pairs) -> None:
    if len(pairs) < 2:
        raise ValueError(f"{len(pairs)} {what} pairs are too few: simulate more")
    if not (np.isfinite(pairs.x).all() and np.isfinite(pairs.theta).all()):
        raise ValueError(
            f"the {what} pairs must be finite: leave out those that are not"
        )


def fit(
    splits: Splits,
    parameters: tuple[Parameter, ...],
    networks: Networks,
    learning: Learning,
    seed: int,
    folder: Path,
    groups: Sequence[Hashable] | None = None,
    on_epoch: OnEpoch | None = None,
) -> Ensemble:
    """Returns the ensemble that learned simulated pairs.

    Called again with the same arguments it opens the ensemble in `folder`; a call that
    was killed is continued. An ensemble with other arguments in the same folder is
    replaced.

    Arguments:
        splits: The pairs. Their summaries have measurement errors already.
        parameters: The P parameters, in the order of the pairs' columns.
        networks: How many networks, of which shape.
        learning: How they learn.
        seed: Decides the first weights and the order of the pairs.
        folder: Where the ensemble is kept.
        groups: For each of the S summaries the name or number of its group; those of
            one group, such as the distances of all neighbours, are standardised by
            their common mean and width. Each alone when None.
        on_epoch: Called after each epoch with its number and the mean losses of the
            members that still learn; with workers, of the first worker's.

    Raises:
        ValueError: If the arguments do not belong together, a group is constant, a
            member stays collapsed, or the ensemble in the folder is damaged.
        FloatingPointError: If a loss is not finite.
        BlockingIOError: If another process is training in the folder.
    """
    own = tuple(splits.names if groups is None else groups)
    plan = _Plan(splits, parameters, networks, learning, seed, own)
    plan.check()
    description = plan.describe()
    store = ArtifactStore(folder, KIND)

    def learn(unfinished: Path) -> tuple[JSON, dict[str, Tensor]]:
        outcome = plan.learn(unfinished, on_epoch)
        return {**description, **_known(outcome, plan.scalings)}, _named(
            outcome.network
        )

    store.get_or_train(fingerprint(description), learn)
    return load(folder)


def _known(outcome: Outcome, scalings: tuple[Scaling, Scaling]) -> JSON:
    """Returns what the training found out, as plain JSON."""
    attempts = zip(outcome.numbers, outcome.attempts, strict=True)
    return {
        "scalings": [
            {"mean": s.mean.tolist(), "width": s.width.tolist()} for s in scalings
        ],
        "curve": {
            "train": _curve(outcome.train),
            "validation": _curve(outcome.validation),
        },
        "loss": outcome.loss.tolist(),
        "epoch": outcome.epoch.tolist(),
        "reseeded": {str(number): attempt for number, attempt in attempts if attempt},
    }


def _curve(losses: Tensor) -> list[float]:
    """Returns the mean of `[E, K]` over the members; those that ended count with their last."""
    rows = losses.double().clone()
    for before, row in pairwise(rows):
        row[row.isnan()] = before[row.isnan()]
    return rows.mean(dim=1).tolist()


def _named(network: Dense) -> dict[str, Tensor]:
    kinds = {"weight": network.weights, "bias": network.biases}
    return {
        f"{kind}.{i}": t
        for kind, tensors in kinds.items()
        for i, t in enumerate(tensors)
    }


def load(folder: Path | str) -> Ensemble:
    """Returns the ensemble in a folder, without its training pairs.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If its files are damaged.
    """
    return ArtifactStore(Path(folder), KIND).open(_restore)


def _restore(document: JSON, weights: dict[str, Tensor]) -> Ensemble:
    summaries, curve = document["summaries"], document["curve"]
    layers = range(len(document["networks"]["hidden"]) + 1)
    of_x, of_theta = (
        Scaling(np.array(entry["mean"]), np.array(entry["width"]))
        for entry in document["scalings"]
    )
    return Ensemble(
        parameters=tuple(Parameter(**entry) for entry in document["parameters"]),
        names=tuple(summaries["names"]),
        units=tuple(summaries["units"]),
        definition=document["definition"],
        dataset=document["dataset"],
        curve=Curve(tuple(curve["train"]), tuple(curve["validation"])),
        reseeded=sum(document["reseeded"].values()),
        document=document,
        scalings=(of_x, of_theta),
        network=Dense(
            *([weights[f"{kind}.{i}"] for i in layers] for kind in ("weight", "bias"))
        ),
    )
