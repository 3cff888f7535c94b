"""What a sweep tries, and how much: options, known before anything is imported."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from orrery.learning.options import (
    Flow,
    Learning,
    Networks,
    Training,
    check_members_shared,
)
from orrery.sweeps.space import Choice, Int, Log, SearchSpace
from orrery.sweeps.trial import FEWEST_COMPARED

Sought = Literal["information_gain", "width"]
LAST_WIDTH = 2  # of an ensemble's networks, whose layers narrow
TRIED_BATCHES = (128, 256, 512)  # that are tried

FLOW_SPACE = SearchSpace(
    {
        "kind": Choice(("maf", "nsf")),
        "transforms": Int(2, 8),
        "width": Int(16, 128, log=True),
        "depth": Int(1, 3),
        "training.learning_rate": Log(1e-3, 3e-2),
        "training.batch_size": Choice(TRIED_BATCHES),
    }
)
FLOW_SHAPE = ("transforms", "width", "depth")
ENSEMBLE_SPACE = SearchSpace(
    {
        "width": Int(4, 64, log=True),
        "depth": Int(1, 6),
        "learning.learning_rate": Log(3e-4, 1e-2),
    }
)
ENSEMBLE_SHAPE = ("width", "depth")


@dataclass(frozen=True)
class Effort:
    """How much is tried.

    Example:
        >>> Effort(trials=60).repeats
        5
    """

    trials: int = 24
    """How many architectures, or binnings, are tried."""
    concurrent: int = 2
    """Trials that run at the same time, each on a CPU of its own."""
    repeats: int = 5
    """Seeds from which one of them is trained, for comparison."""

    def __post_init__(self) -> None:
        if self.trials < FEWEST_COMPARED or self.concurrent < 1 or self.repeats < 2:
            raise ValueError(
                f"{self}: give 4 trials or more, 1 or more at a time, and 2 repeats or "
                "more, whose scatter is told"
            )


@dataclass(frozen=True)
class FlowArchitecture:
    """A flow whose layers are alike, and its training.

    Example:
        >>> FlowArchitecture(width=64, depth=3).flow.hidden
        (64, 64, 64)
    """

    kind: Literal["maf", "nsf"] = "maf"
    """Masked affine, or neural splines."""
    transforms: int = 5
    """The number of autoregressive transforms."""
    width: int = 50
    """The width of each hidden layer."""
    depth: int = 2
    """The hidden layers of each transform's network."""
    training: Training = field(
        default_factory=lambda: Training(max_epochs=30, patience=30)
    )
    """How it is trained."""
    training_seed: int = 1
    """Decides first weights, errors and the order of the pairs."""

    def __post_init__(self) -> None:
        _check_seed(self.training_seed)
        # refuses what no flow can be, before anything is simulated
        _ = self.flow

    @property
    def flow(self) -> Flow:
        """The flow."""
        return Flow(self.transforms, (self.width,) * self.depth, self.kind)


@dataclass(frozen=True)
class EnsembleArchitecture:
    """Networks whose layers narrow to two units, and their training.

    Example:
        >>> EnsembleArchitecture(width=10, depth=5).networks.hidden
        (10, 8, 6, 4, 2)
    """

    width: int = 10
    """The width of the first hidden layer."""
    depth: int = 5
    """The number of hidden layers."""
    members: int = 20
    """Networks of the ensemble."""
    learning: Learning = field(default_factory=Learning)
    """How they learn."""
    training_seed: int = 1
    """Decides first weights and the order of the pairs."""

    def __post_init__(self) -> None:
        _check_seed(self.training_seed)
        # refuses what no network can be, before anything is simulated
        check_members_shared(self.networks, self.learning)

    @property
    def networks(self) -> Networks:
        """The networks."""
        widths = np.linspace(self.width, LAST_WIDTH, self.depth).round().astype(int)
        return Networks(self.members, tuple(widths.tolist()))


def check_batches_shared(training: Training) -> None:
    """Raises ValueError if workers cannot share a batch of each size that is tried.

    Arguments:
        training: Of the architecture whose options a search of flows varies.

    Example:
        >>> check_batches_shared(Training(workers=2))
        >>> check_batches_shared(Training(batch_size=510, workers=3))
        Traceback (most recent call last):
        ...
        ValueError: workers 3: give a number that divides 128, the smallest batch that is tried
    """
    workers = max(training.workers, 1)
    if any(size % workers for size in TRIED_BATCHES):
        raise ValueError(
            f"workers {training.workers}: give a number that divides {min(TRIED_BATCHES)}, the "
            "smallest batch that is tried"
        )


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise ValueError(f"training_seed {seed}: give 0 or more")
