"""Training: how something is trained, on what, and what comes of it.

Options, examples and results know neither Lightning nor Ray, so that what was trained
can be read, used and drawn where there is only torch. The training itself is `loop`'s.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from orrery.identity import JSON
from orrery.parameters import FloatArray
from orrery.storage.documents import read_numbers

Tensors = tuple[Tensor, ...]
OnEpoch = Callable[[int, Mapping[str, float]], None]
# Called with a member's number, its epoch and its losses.
OnMember = Callable[[int, int, Mapping[str, float]], None]


class EpochExamples(Protocol):
    """The training examples of an epoch, such as the same simulations with fresh noise.

    A call returns tensors `[N, ...]` and depends on the epoch only: workers make them
    each on their own, and a training that was killed makes them again.

    Example:
        >>> class Alternating:
        ...     def __call__(self, epoch):
        ...         return (torch.full((3, 1), float(epoch % 2)),)
        >>> examples: EpochExamples = Alternating()
        >>> [examples(epoch)[0].mean().item() for epoch in range(3)]
        [0.0, 1.0, 0.0]
    """

    def __call__(self, epoch: int) -> Tensors: ...


@dataclass(frozen=True)
class Curve:
    """Mean losses, one entry for each epoch.

    Arguments:
        train: Over the steps of the epoch, while the weights moved.
        validation: Over the validation examples, after the epoch.

    Example:
        >>> Curve(train=(3.0, 2.0, 1.0), validation=(3.1, 2.5, 2.6)).best
        1
    """

    train: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()

    @classmethod
    def read(cls, document: JSON) -> "Curve":
        """Returns the curve in a document that holds the two lists of losses.

        Raises:
            ValueError: If there are none, or not as many of both.
        """
        epochs = len(document["train"])
        if not epochs:
            raise ValueError("it has losses of no epoch")
        train = read_numbers(document["train"], (epochs,))
        validation = read_numbers(document["validation"], (epochs,))
        return cls(tuple(train.tolist()), tuple(validation.tolist()))

    @property
    def best(self) -> int:
        """Returns the epoch with the smallest validation loss."""
        return self.validation.index(min(self.validation))


@dataclass(frozen=True)
class Trained:
    """The weights of the epoch with the smallest validation loss, and the way there.

    Arguments:
        weights: The module's state.
        curve: The losses.

    Example:
        >>> Trained({"shift": torch.zeros(1)}, Curve((1.0,), (1.5,))).curve.validation
        (1.5,)
    """

    weights: dict[str, Tensor]
    curve: Curve


def ignore_epoch(epoch: int, losses: Mapping[str, float]) -> None:
    """Does nothing: the callback where nobody follows the epochs."""


def ignore_member(member: int, epoch: int, losses: Mapping[str, float]) -> None:
    """Does nothing, where nobody follows the members' epochs."""


def single_precision(values: FloatArray) -> Tensor:
    """Returns numbers as networks compute with them.

    Raises:
        ValueError: If one is too large for that.
    """
    try:
        # Contiguous: a transposed view would slow every batch that is cut from it.
        with np.errstate(over="raise"):
            single = np.ascontiguousarray(values, dtype=np.float32)
    except FloatingPointError as error:
        raise ValueError(
            f"the numbers reach from {np.nanmin(values):.2g} to {np.nanmax(values):.2g}, too "
            "far for single precision: give them in a larger unit"
        ) from error
    return torch.from_numpy(single)


def device_here() -> torch.device:
    """Returns where this process computes: on its GPU, if it has one."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


@dataclass(frozen=True)
class Worker:
    """A process that trains.

    Arguments:
        rank: Its number.
        device: Where it computes.
        on_epoch: Sends a member's number, an epoch and its losses to the process that waits
            for the training.

    Example:
        >>> Worker(rank=0, device=torch.device("cpu"), on_epoch=ignore_member).rank
        0
    """

    rank: int
    device: torch.device
    on_epoch: OnMember
