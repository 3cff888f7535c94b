"""Members: networks of an ensemble that learn together, and what each of them reaches.

All members see the same examples in the same order, which the epoch seeds, so a batch of
examples is read once for all. They share nothing else: each has its own first weights,
its own best epoch and its own end, and one that has ended leaves the products. So a
member alone becomes the same network as among a hundred, up to rounding.

Most collapsed members have been so from the first weights on, and are drawn again before
they learn; a few collapse in the first epochs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from orrery.branches import LEARNING, ORDER
from orrery.learning.networks import Dense, is_constant
from orrery.learning.options import Learning
from orrery.parameters import generator

# Epochs after which a member whose best weights are constant counts as collapsed.
WARMUP_EPOCHS = 5

TensorPair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Outcome:
    """What K members have learned.

    Arguments:
        numbers: Their numbers.
        attempts: How many first weights of each were collapsed.
        weights: Of the best epochs: a list like `Dense.tensors`.
        loss: The mean squared validation error of these weights, with shape `[K]`.
        epoch: The best epochs, with shape `[K]`.
        constant: Which are collapsed, with shape `[K]`.
        train: Mean squared errors of each epoch over its steps, with shape `[E, K]`;
            NaN after the member's end.
        validation: Likewise over the validation examples, after the epoch.

    Example:
        >>> outcome = Outcome(
        ...     numbers=[20, 21],
        ...     attempts=[0, 2],
        ...     weights=[torch.zeros(2, 1, 3), torch.zeros(2, 1, 1)],
        ...     loss=torch.tensor([0.5, 0.4]),
        ...     epoch=torch.tensor([7, 9]),
        ...     constant=torch.tensor([False, False]),
        ...     train=torch.zeros(10, 2),
        ...     validation=torch.zeros(10, 2),
        ... )
        >>> outcome.take([1]).numbers
        [21]
    """

    numbers: list[int]
    attempts: list[int]
    weights: list[Tensor]
    loss: Tensor
    epoch: Tensor
    constant: Tensor
    train: Tensor
    validation: Tensor

    @property
    def network(self) -> Dense:
        """The networks."""
        layers = len(self.weights) // 2
        return Dense(self.weights[:layers], self.weights[layers:])

    def take(self, members: list[int]) -> "Outcome":
        """Returns the members at these places."""
        return Outcome(
            numbers=[self.numbers[i] for i in members],
            attempts=[self.attempts[i] for i in members],
            weights=[tensor[members] for tensor in self.weights],
            loss=self.loss[members],
            epoch=self.epoch[members],
            constant=self.constant[members],
            train=self.train[:, members],
            validation=self.validation[:, members],
        )


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Returns the members of all parts, sorted by their numbers."""
    epochs = max(len(part.train) for part in parts)
    weights = [part.weights for part in parts]
    whole = Outcome(
        numbers=[number for part in parts for number in part.numbers],
        attempts=[attempt for part in parts for attempt in part.attempts],
        weights=[torch.cat(layer) for layer in zip(*weights, strict=True)],
        loss=torch.cat([part.loss for part in parts]),
        epoch=torch.cat([part.epoch for part in parts]),
        constant=torch.cat([part.constant for part in parts]),
        train=_side_by_side([part.train for part in parts], epochs),
        validation=_side_by_side([part.validation for part in parts], epochs),
    )
    return whole.take(sorted(range(len(whole.numbers)), key=whole.numbers.__getitem__))


def _side_by_side(losses: Sequence[Tensor], epochs: int) -> Tensor:
    """Returns losses `[E, K]` of all parts' members; parts that ended earlier get NaN."""
    return torch.cat([_padded(part, epochs) for part in losses], dim=1)


def _padded(losses: Tensor, epochs: int) -> Tensor:
    missing = losses.new_full((epochs - len(losses), losses.shape[1]), torch.nan)
    return torch.cat([losses, missing])


class Cohort:
    """Members that learn together until each has passed its best.

    Arguments:
        numbers: The members' numbers.
        attempts: How many first weights of each were collapsed.
        network: The first weights; they change.
        train: Inputs `[N, S]` and outputs `[N, P]`, standardised, where the network is.
        validation: Likewise.
        options: How to learn.
        seed: Decides the order of the examples.

    Example:
        >>> network = Dense([torch.zeros(2, 1, 3)], [torch.zeros(2, 1, 1)])
        >>> pair = (torch.ones(8, 3), torch.ones(8, 1))
        >>> cohort = Cohort([0, 1], [0, 0], network, pair, pair, Learning(), seed=1)
        >>> cohort.learn(epoch=0)["train"]
        1.0
    """

    def __init__(
        self,
        numbers: list[int],
        attempts: list[int],
        network: Dense,
        train: TensorPair,
        validation: TensorPair,
        options: Learning,
        seed: int,
    ) -> None:
        self.network = network
        self.train = train
        self.validation = validation
        self.options = options
        self.seed = seed
        self.active = torch.arange(len(numbers))
        self.optimizer = torch.optim.Adam(
            network.tensors, options.learning_rate, fused=True
        )
        nothing = torch.full((len(numbers),), torch.nan)
        self.reached = Outcome(
            numbers=numbers,
            attempts=attempts,
            weights=[tensor.cpu().clone() for tensor in network.tensors],
            loss=torch.full_like(nothing, torch.inf),
            epoch=torch.zeros(len(numbers), dtype=torch.int64),
            constant=torch.ones(len(numbers), dtype=torch.bool),
            train=nothing[:0].view(0, len(numbers)),
            validation=nothing[:0].view(0, len(numbers)),
        )

    @property
    def ended(self) -> bool:
        """Whether no member learns any more."""
        return not len(self.active)

    @torch.no_grad()
    def learn(self, epoch: int) -> dict[str, float]:
        """Returns the mean losses of those members that learned in this epoch.

        Raises:
            FloatingPointError: If one is not finite.
        """
        train = self._steps(epoch)
        # Of all validation examples together, so that no batch decides the best epoch.
        outputs = self.network.predict(self.validation[0])
        validation = (outputs - self.validation[1].T).square().mean(dim=(1, 2)).cpu()
        if not torch.isfinite(train + validation).all():
            raise FloatingPointError(
                f"epoch {epoch} has a loss that is not finite: make learning_rate smaller than "
                f"{self.options.learning_rate}, or look for extreme examples"
            )
        self._keep(epoch, train, validation, is_constant(outputs).cpu())
        self._release(epoch)
        return {"train": float(train.mean()), "validation": float(validation.mean())}

    def _steps(self, epoch: int) -> Tensor:
        x, y = self.train
        random = generator(self.seed, LEARNING, ORDER, epoch)
        # The order is drawn where processors agree, not on the device.
        order = torch.from_numpy(random.permutation(len(x))).to(x.device)
        total = x.new_zeros(len(self.active))
        for batch in order.split(self.options.batch_size):
            total += self.network.descend(x[batch], y[batch])
            self.optimizer.step()
        return (total / y.numel()).cpu()

    def _keep(
        self, epoch: int, train: Tensor, validation: Tensor, constant: Tensor
    ) -> None:
        """Writes the losses down, and keeps the weights of members that were never better."""
        reached = self.reached
        better = validation < reached.loss[self.active]
        where = self.active[better]
        reached.loss[where] = validation[better]
        reached.epoch[where] = epoch
        reached.constant[where] = constant[better]
        for kept, tensor in zip(reached.weights, self.network.tensors, strict=True):
            kept[where] = tensor[better.to(tensor.device)].cpu()
        rows = torch.full((2, len(reached.numbers)), torch.nan)
        rows[:, self.active] = torch.stack([train, validation])
        self.reached = replace(
            reached,
            train=torch.cat([reached.train, rows[:1]]),
            validation=torch.cat([reached.validation, rows[1:]]),
        )

    def _release(self, epoch: int) -> None:
        """Takes the members that have ended out of the products."""
        reached = self.reached
        # A collapsed member gets no gradient: it would only spend its patience.
        late = epoch - reached.epoch >= self.options.patience
        collapsed = reached.constant & (epoch + 1 >= WARMUP_EPOCHS)
        going = ~(late | collapsed)[self.active]
        if not going.all():
            self._take(going)

    def _take(self, going: Tensor) -> None:
        self.active = self.active[going]
        for tensor in self.network.tensors:
            # Adam's memory of each member moves with the member.
            state = self.optimizer.state[tensor]
            chosen = going.to(tensor.device)
            for name in ("exp_avg", "exp_avg_sq"):
                state[name] = state[name][chosen]
            _replace_values(tensor, tensor.data[chosen])

    def state(self) -> dict[str, Any]:
        """Returns all that changes, except for the optimiser's state, as plain tensors."""
        return {
            "active": self.active,
            "now": [tensor.clone() for tensor in self.network.tensors],
            "reached": vars(self.reached),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes back to a state."""
        self.active = state["active"]
        self.reached = Outcome(**state["reached"])
        for tensor, values in zip(self.network.tensors, state["now"], strict=True):
            _replace_values(tensor, values.to(tensor.device))


def _replace_values(tensor: Tensor, values: Tensor) -> None:
    # In place: the optimiser knows its tensors by their identity.
    tensor.data = values
    tensor.grad = None
