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
_POSITIVE = ("batch_size", "learning_rate", "max_epochs", "patience", "gradient_clip")


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

    Raises:
        ValueError: If an option is out of range.

    Example:
        >>> Training(batch_size=256, workers=4).max_epochs
        30
        >>> Training(batch_size=100, workers=3)
        Traceback (most recent call last):
        ...
        ValueError: 3 workers cannot share a batch of 100: make batch_size a multiple of workers
    """

    batch_size: int = 512
    learning_rate: float = 1e-2
    weight_decay: float = 0.1
    max_epochs: int = 30
    patience: int = 30
    gradient_clip: float = 5.0
    workers: int = 0

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            # `not >`, because every comparison with NaN is false.
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)} must be larger than 0")
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay={self.weight_decay} must be 0 or larger")
        if self.workers < 0 or self.batch_size % max(self.workers, 1):
            raise ValueError(
                f"{self.workers} workers cannot share a batch of {self.batch_size}: "
                "make batch_size a multiple of workers"
            )


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


def single_precision(values: FloatArray) -> Tensor:
    """Returns numbers as networks compute with them."""
    # Contiguous: a transposed view would slow every batch that is cut from it.
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def device_here() -> torch.device:
    """Returns where this process computes: on its GPU, if it has one."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


@dataclass(frozen=True)
class Worker:
    """A process that trains.

    Arguments:
        rank: Its number.
        device: Where it computes.
        on_epoch: Sends the losses of an epoch to the process that waits for the training.

    Example:
        >>> Worker(rank=0, device=torch.device("cpu"), on_epoch=ignore_epoch).rank
        0
    """

    rank: int
    device: torch.device
    on_epoch: OnEpoch
