"""How a posterior is learned and sampled: options, known before anything is imported."""

from dataclasses import dataclass, field

from orrery.learning.options import (
    Flow,
    Learning,
    Networks,
    Training,
    check_members_shared,
)


@dataclass(frozen=True)
class Inference:
    """How a posterior is learned and sampled.

    Arguments:
        flow: The flow.
        training: How it is trained. Where the weights decay by 0.5, a flow of some
            26,000 pairs is as wide as tests want it: with a fifth of that it learns its
            pairs by heart and is 4 % too narrow. Of 52,000 pairs a fifth is enough: with
            0.5 it follows the data too little.
        members: Flows that differ in their seeds, weighted to one posterior.
        draws: Draws from the posterior of the observation.
        calibration_draws: Draws for each held-out simulation.
        calibration_tests: Held-out simulations at most.

    Example:
        >>> Inference(members=3).members
        3
    """

    flow: Flow = field(default_factory=Flow)
    training: Training = field(
        default_factory=lambda: Training(
            weight_decay=0.5, max_epochs=60, patience=60, workers=1
        )
    )
    members: int = 1
    draws: int = 10_000
    calibration_draws: int = 1000
    calibration_tests: int = 2000

    def __post_init__(self) -> None:
        for name in ("members", "draws", "calibration_draws", "calibration_tests"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} must be 1 or larger")


@dataclass(frozen=True)
class Prediction:
    """How an ensemble is trained and judged.

    Arguments:
        networks: The members.
        learning: How they are trained.
        window: How far the prediction of a test may be from the one that it lends its
            error to, in units of the parameter.

    Raises:
        ValueError: If the window is not positive, or there are more workers than members.

    Example:
        >>> Prediction(window=0.2).window
        0.2
    """

    networks: Networks = field(default_factory=Networks)
    learning: Learning = field(default_factory=Learning)
    window: float = 0.15

    def __post_init__(self) -> None:
        if not self.window > 0:
            raise ValueError(f"window {self.window} must be larger than 0")
        check_members_shared(self.networks, self.learning)
