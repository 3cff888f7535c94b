"""What is chosen of networks and of a training: options, known before torch is imported."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # seconds, which only who builds a flow waits for
    from sbi.neural_nets.estimators import ConditionalDensityEstimator
    from torch import Tensor

    from orrery.learning.sets import SetLayout

_OF_MEMBERS = ("batch_size", "learning_rate", "max_epochs", "patience")  # positive
_POSITIVE = (*_OF_MEMBERS, "gradient_clip")


@dataclass(frozen=True)
class Flow:
    """An autoregressive flow.

    Arguments:
        transforms: The number of autoregressive transforms; every other one reverses
            the order.
        hidden: The widths of the hidden layers of each transform's network.
        kind: Masked affine (Papamakarios et al. 2017, arXiv:1705.07057), or neural
            splines (Durkan et al. 2019, arXiv:1906.04032). Of one parameter an affine
            flow can only learn a normal distribution, so that one needs splines.

    Raises:
        ValueError: If there is no transform or no hidden layer.

    Example:
        >>> import torch
        >>> flow = Flow(transforms=2, hidden=(16,)).build(torch.randn(9, 3), torch.randn(9, 5))
        >>> flow.sample(torch.Size([7]), torch.zeros(1, 5)).shape
        torch.Size([7, 1, 3])
    """

    transforms: int = 5
    hidden: tuple[int, ...] = (50, 50)
    kind: Literal["maf", "nsf"] = "maf"

    def __post_init__(self) -> None:
        if self.transforms < 1 or not self.hidden or min(self.hidden) < 1:
            raise ValueError(
                f"{self} needs at least one transform and one hidden layer"
            )

    def build(
        self, theta: "Tensor", x: "Tensor", layout: "SetLayout | None" = None
    ) -> "ConditionalDensityEstimator":
        """Returns an untrained flow.

        Arguments:
            theta: Parameters that standardise the flow, with shape `[N, P]`.
            x: Summaries likewise, with shape `[N, S]`.
            layout: How summaries hold a set, whose order must not matter; None if they
                do not.
        """
        from sbi.neural_nets import posterior_nn
        from torch import nn

        # sbi's default embedding is one module that all flows share.
        embedding = layout.build(x) if layout else nn.Identity()
        return posterior_nn(
            f"zuko_{self.kind}",
            z_score_theta="independent",
            # Standardising each place of a set alone would tell its places apart.
            z_score_x="none" if layout else "independent",
            num_transforms=self.transforms,
            hidden_features=list(self.hidden),
            embedding_net=embedding,
        )(theta, x)


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


@dataclass(frozen=True)
class Networks:
    """Dense networks with rectified units and a linear output.

    Arguments:
        members: How many.
        hidden: The widths of the hidden layers.
        first: The number of the first member. Members 20 to 29 are the same networks
            whether they are trained alone (`first=20, members=10`) or among a hundred.

    Raises:
        ValueError: If there is no member, or a layer without units.

    Example:
        >>> Networks(members=3, first=20).numbers
        range(20, 23)
    """

    members: int = 100
    hidden: tuple[int, ...] = (10, 8, 6, 4, 2)
    first: int = 0

    def __post_init__(self) -> None:
        if self.members < 1 or self.first < 0 or min(self.hidden, default=1) < 1:
            raise ValueError(
                f"{self} needs 1 member or more, counted from 0 or higher, and layers of 1 unit or "
                "more"
            )

    @property
    def numbers(self) -> range:
        """The members' numbers."""
        return range(self.first, self.first + self.members)


@dataclass(frozen=True)
class Learning:
    """How the members learn.

    Arguments:
        batch_size: Examples in one step.
        learning_rate: Adam's step size (Kingma & Ba 2014, arXiv:1412.6980).
        max_epochs: The last epoch.
        patience: Epochs without a better validation loss after which a member ends.
        workers: Processes of Ray Train that share the members; 0 trains in this
            process. They decide nothing but the time.

    Raises:
        ValueError: If an option is out of range.

    Example:
        >>> Learning(max_epochs=20).patience
        15
        >>> Learning(learning_rate=0.0)
        Traceback (most recent call last):
        ...
        ValueError: learning_rate=0.0 must be larger than 0
    """

    batch_size: int = 64
    learning_rate: float = 1e-3
    max_epochs: int = 100
    patience: int = 15
    workers: int = field(default=0, metadata={"place": True})

    def __post_init__(self) -> None:
        for name in _OF_MEMBERS:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)} must be larger than 0")
        if self.workers < 0:
            raise ValueError(f"workers={self.workers} must be 0 or larger")


def check_members_shared(networks: Networks, learning: Learning) -> None:
    """Raises ValueError if there are more workers than members that they could share.

    Arguments:
        networks: The members.
        learning: How they learn.

    Example:
        >>> check_members_shared(Networks(members=5), Learning(workers=5))
        >>> check_members_shared(Networks(members=5), Learning(workers=8))
        Traceback (most recent call last):
        ...
        ValueError: 8 workers cannot share 5 members: use 5 workers or fewer
    """
    if learning.workers > networks.members:
        raise ValueError(
            f"{learning.workers} workers cannot share {networks.members} members: use "
            f"{networks.members} workers or fewer"
        )
