"""How a flow becomes a posterior: all that decides it, and its training on noisy pairs.

The flow sees summaries as an observer would, with the measurement errors added anew in
every epoch, so it has them built in.
"""

import dataclasses
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from orrery import identity
from orrery.branches import LEARNING, TRAIN_NOISE, VALIDATION_NOISE
from orrery.identity import JSON, fingerprint
from orrery.learning.artefacts import ELSEWHERE, ArtifactStore, origin
from orrery.learning.flow import FlowLoss, Space
from orrery.learning.options import Flow, Training
from orrery.learning.reach import Reach, reach_of
from orrery.learning.sets import SetLayout
from orrery.learning.training import OnEpoch, OnMember, Trained, single_precision
from orrery.option_types import check_types
from orrery.pairs import Pairs, Splits, check_error_covariance, convolve
from orrery.parameters import FloatArray, Parameter, generator
from orrery.storage import files

if TYPE_CHECKING:
    from orrery.learning.loop import TrainingTask

VERSION = 1  # of flows and their training; raised whenever their numbers change

# Flows learn in single precision, which rounds to this fraction of a number.
_ROUNDING = float(np.finfo(np.float32).eps) / 2
_SHARPNESS = 0.01  # by how much of their scatter numbers may be rounded
_CONSTANT = 1e-12  # of numbers: a scatter that is the rounding of double precision
# sbi scales what varies by less than this to no width of one: parameters, and summaries.
_NARROWEST, _NARROWEST_SUMMARY = 1e-13, 1e-7
_LARGEST = 1e34  # sums of larger numbers overflow


@dataclass(frozen=True)
class _NoisyPairs:
    """Pairs with measurement errors that are drawn anew in every epoch."""

    pairs: Pairs
    covariance: FloatArray
    seed: int

    def __call__(self, epoch: int) -> tuple[Tensor, Tensor]:
        random = generator(self.seed, LEARNING, TRAIN_NOISE, epoch)
        return _tensors(convolve(self.pairs, self.covariance, random))


def _tensors(pairs: Pairs) -> tuple[Tensor, Tensor]:
    return single_precision(pairs.theta), single_precision(pairs.x)


@dataclass(frozen=True)
class FlowPlan:
    """All that decides a posterior.

    Arguments:
        splits: The pairs, without measurement errors.
        parameters: The P parameters, in the order of the pairs' columns.
        covariance: The measurement covariance, with shape `[S, S]`.
        flow: The flow's options.
        options: The training's options.
        seed: Decides the first weights, the errors and the order of the pairs.

    Example:
        >>> pairs = Pairs(np.linspace(-1, 1, 8).reshape(8, 1), np.ones((8, 2)))
        >>> names = ("count", "spread")
        >>> splits = Splits(
        ...     pairs, pairs, pairs, ("mass",), names, ("", "km / s"), "by hand", "toy", 0
        ... )
        >>> mass = Parameter("mass", "dex(solMass)", "$m$", lower=-2.0, upper=2.0)
        >>> FlowPlan(splits, (mass,), np.eye(2), Flow(), Training(), seed=1).check()
        >>> FlowPlan(splits, (mass,), np.eye(3), Flow(), Training(), seed=1).check()
        Traceback (most recent call last):
        ...
        ValueError: a covariance of shape (3, 3) does not belong to 2 summaries: use that \
of an observation with the same binning
    """

    splits: Splits
    parameters: tuple[Parameter, ...]
    covariance: FloatArray
    flow: Flow
    options: Training
    seed: int

    @cached_property
    def description(self) -> JSON:
        """The plan as plain JSON, with checksums in the place of pairs, and without words."""
        return {
            **self.problem,
            "flow": identity.describe(self.flow),
            "training": identity.describe(self.options),
            "seed": self.seed,
        }

    @cached_property
    def problem(self) -> JSON:
        """What is learned, whatever the flow, its training and its seed, as plain JSON."""
        return {
            **origin(self.splits, self.parameters),
            "covariance": np.asarray(self.covariance, dtype=np.float64).tolist(),
            "layout": self.splits.layout,
            "version": VERSION,
        }

    @cached_property
    def fingerprint(self) -> str:
        """The digits of all that decides the posterior."""
        return fingerprint(self.description)

    def with_seed(self, seed: int) -> "FlowPlan":
        """Returns the plan of a flow that learns the same from another seed."""
        # itself where it can, whose checksums may be known already
        return self if seed == self.seed else dataclasses.replace(self, seed=seed)

    def check(self) -> None:
        """Raises ValueError if options, parameters, covariance and pairs do not fit together."""
        check_types(self.flow, "flow")
        check_types(self.options, "training")
        splits = self.splits
        size = len(splits.names)
        splits.check_parameters(self.parameters)
        if not self.parameters:
            raise ValueError("a flow learns one parameter or more: give some")
        if self.covariance.shape != (size, size):
            raise ValueError(
                f"a covariance of shape {self.covariance.shape} does not belong to {size} "
                "summaries: use that of an observation with the same binning"
            )
        check_error_covariance(self.covariance, splits.train.x, splits.names)
        for pairs in (splits.train, splits.validation):
            self._check_theta(pairs.theta)
        self._check_precision()

    def _check_precision(self) -> None:
        splits = self.splits
        theta = _free(splits.train, self.parameters).theta
        _check_scatter(splits.parameters, theta, np.zeros(theta.shape[1]), _NARROWEST)
        # sets are not scaled by sbi
        narrowest = _NARROWEST if splits.layout else _NARROWEST_SUMMARY
        errors = self.covariance.diagonal()
        _check_scatter(splits.names, splits.train.x, errors, narrowest)

    def _check_theta(self, theta: FloatArray) -> None:
        outside = Space(self.parameters).outside(theta).any(axis=0)
        if outside.any():
            parameter = self.parameters[int(np.argmax(outside))]
            column = theta[:, int(np.argmax(outside))]
            raise ValueError(
                f"{parameter.name} reaches from {column.min():g} to {column.max():g}, beyond its "
                f"bounds {parameter.lower:g} and {parameter.upper:g}: widen the bounds"
            )

    @property
    def reach(self) -> Reach | None:
        """How far the training pairs reach, with their errors; None if they are too few."""
        noise = generator(self.seed, LEARNING, VALIDATION_NOISE)
        noisy = convolve(self.splits.train, self.covariance, noise)
        return reach_of(noisy.x, is_set=bool(self.splits.layout))

    def task(self, folder: Path) -> "TrainingTask":
        """Returns the training of a flow that is standardised by noisy pairs, in a folder."""
        # Imported here, so that reading a posterior needs no Lightning.
        from orrery.learning.loop import TrainingTask

        pairs = _free(self.splits.train, self.parameters)
        examples = _NoisyPairs(pairs, self.covariance, self.seed)
        theta, x = examples(0)
        return TrainingTask(
            self._untrained(theta, x),
            examples,
            self._validation(),
            self.options,
            self.seed,
            folder.absolute(),
        )

    def train(self, folder: Path, on_epoch: OnEpoch | None) -> Trained:
        """Returns the trained weights of a flow that is standardised by noisy pairs."""
        from orrery.learning import loop

        return loop.trained(self.task(folder), on_epoch)

    def _validation(self) -> tuple[Tensor, Tensor]:
        # The same errors in every epoch: else the curve's noise would choose the best.
        noise = generator(self.seed, LEARNING, VALIDATION_NOISE)
        pairs = _free(self.splits.validation, self.parameters)
        return _tensors(convolve(pairs, self.covariance, noise))

    def _untrained(self, theta: Tensor, x: Tensor) -> nn.Module:
        # zuko and sbi draw first weights from the global generator, which is put back.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return FlowLoss(self.flow.build(theta, x, set_layout(self.splits.layout)))


def _check_scatter(
    names: Sequence[str], values: FloatArray, variances: FloatArray, narrowest: float
) -> None:
    """Raises ValueError if a column varies by too little or too much for single precision.

    A flow would learn nothing of it, and answer all the same. What is always the same
    says nothing in any precision, and passes.

    Arguments:
        names: Of the columns.
        values: Numbers that a flow learns, with shape `[N, D]`.
        variances: Of the errors that are added to them, `[D]`.
        narrowest: The smallest standard deviation that is learned.
    """
    scatter = np.sqrt(values.var(axis=0) + np.maximum(variances, 0))
    size = np.abs(values).max(axis=0, initial=0)
    rounded = scatter * _SHARPNESS < size * _ROUNDING
    lost = rounded | (scatter < narrowest) | (size > _LARGEST)
    for i in np.flatnonzero(lost & (scatter > size * _CONSTANT)).tolist():
        raise ValueError(
            f"{names[i]!r} varies by {scatter[i]:.2g} about {values[:, i].mean():.6g}, which "
            "flows cannot learn in single precision: give it in a unit in which it varies by "
            "about 1, and less a constant that is near its mean"
        )


def set_layout(numbers: Sequence[int] | None) -> SetLayout | None:
    """Returns how rows of summaries hold a set, from `Splits.layout`; None if they do not."""
    if not numbers:
        return None
    places, each, context = numbers
    return SetLayout(places, each, context)


def _free(pairs: Pairs, parameters: tuple[Parameter, ...]) -> Pairs:
    return dataclasses.replace(pairs, theta=Space(parameters).unbounded(pairs.theta))


def train_together(
    plans: Sequence[FlowPlan], stores: Sequence[ArtifactStore], on_epoch: OnMember
) -> None:
    """Trains the flows that are missing, on the same workers, and leaves them unfinished.

    What else a store needs is left to who asks it for the flow, which then finds the
    training done.

    Arguments:
        plans: Of the flows.
        stores: Where each is kept.
        on_epoch: Called after each epoch with the flow's number, the epoch and its
            losses.

    Raises:
        ValueError: As in `FlowPlan.check`.
        BlockingIOError: If another process is training one of them.
    """
    # Imported here, so that reading a posterior needs no Lightning.
    from orrery.learning import loop

    with ExitStack() as locks:
        tasks = {}
        for number, (plan, store) in enumerate(zip(plans, stores, strict=True)):
            if store.holds(plan.fingerprint):
                continue
            plan.check()
            folder = files.ensure_writable(store.folder)
            locks.enter_context(files.locked(folder, ELSEWHERE))
            tasks[number] = plan.task(store.unfinished(plan.fingerprint))
        numbers = list(tasks)
        loop.train_each(
            list(tasks.values()),
            lambda place, epoch, losses: on_epoch(numbers[place], epoch, losses),
        )
