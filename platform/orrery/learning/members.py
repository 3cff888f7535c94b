"""Members: many small networks that differ in their first weights, trained as one.

A small network's time goes into calling the arithmetic, not into the arithmetic: a
hundred in one batched product cost hardly more than a few. All members see the same
examples in the same order, which the epoch seeds, so a batch of examples is read once
for all. They share nothing else: each has its own first weights, its own best epoch and
its own end, and one that has ended leaves the products. So a member alone becomes the
same network as among a hundred, up to rounding.

Rectified units may be off for every example. If a whole layer is, the output is
constant, no gradient reaches what lies below, and the member is collapsed. Most are
born so; a few die soon.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from orrery.branches import LEARNING, MEMBERS, ORDER
from orrery.parameters import generator

CONSTANT = 1e-3  # of the parameter's width: outputs that scatter less are constant
WARMUP_EPOCHS = (
    5  # epochs after which a member whose best weights are constant counts as collapsed
)
ATTEMPTS = 100
ROWS_AT_ONCE = 8192

Examples = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Networks:
    """Dense networks with rectified units and a linear output.

    Arguments:
        members: How many.
        hidden: The widths of the hidden layers.
        first: The number of the first member. Members 20 to 29 are the same networks
            whether they are trained alone (`first=20, members=10`) or among a hundred.
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
    """

    batch_size: int = 64
    learning_rate: float = 1e-3
    max_epochs: int = 100
    patience: int = 15
    workers: int = field(default=0, metadata={"place": True})

    def __post_init__(self) -> None:
        for name in ("batch_size", "learning_rate", "max_epochs", "patience"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)} must be larger than 0")
        if self.workers < 0:
            raise ValueError(f"workers={self.workers} must be 0 or larger")


@dataclass(frozen=True)
class Dense:
    """K dense networks as one.

    Arguments:
        weights: For each layer with shape `[K, out, in]`.
        biases: For each layer with shape `[K, out, 1]`.
    """

    weights: list[Tensor]
    biases: list[Tensor]

    @property
    def tensors(self) -> list[Tensor]:
        """All weights and biases, each with the members first."""
        return [*self.weights, *self.biases]

    def predict(self, x: Tensor) -> Tensor:
        """Returns the outputs `[K, P, N]` for the rows of x `[N, S]`."""
        return torch.cat(
            [self._layers(rows)[-1] for rows in x.split(ROWS_AT_ONCE)], dim=-1
        )

    def _layers(self, x: Tensor) -> list[Tensor]:
        """Returns what leaves each layer, `[K, out, N]`."""
        first = self.weights[0]
        # the input is the same for all members, so that their first layers are one
        # matrix
        flat = first.view(-1, first.shape[2]).mm(x.T)
        layers = [flat.view(*first.shape[:2], len(x)).add_(self.biases[0])]
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            layers.append(torch.baddbmm(bias, weight, layers[-1].relu_()))
        return layers

    def descend(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns each member's sum of squared errors `[K]`; gradients of its mean go to `grad`.

        The chain rule is written out: autograd's bookkeeping takes longer than these
        products.

        Arguments:
            x: Inputs, with shape `[B, S]`.
            y: What the outputs should be, with shape `[B, P]`.
        """
        layers = self._layers(x)
        error = layers.pop().sub_(y.T)
        loss = error.square().sum(dim=(1, 2))
        slope = error.mul_(2 / y.numel())
        for weight, bias, below in zip(
            self.weights[:0:-1], self.biases[:0:-1], layers[::-1], strict=True
        ):
            torch.bmm(slope, below.mT, out=weight.grad)
            torch.sum(slope, 2, keepdim=True, out=bias.grad)
            slope = torch.ops.aten.threshold_backward(weight.mT.bmm(slope), below, 0)
        first, grad = self.weights[0], _gradient(self.weights[0])
        torch.mm(slope.view(-1, len(x)), x, out=grad.view(-1, first.shape[2]))
        torch.sum(slope, 2, keepdim=True, out=self.biases[0].grad)
        return loss


def _gradient(tensor: Tensor) -> Tensor:
    if tensor.grad is None:
        tensor.grad = torch.empty_like(tensor)
    return tensor.grad


def initialise_members(
    widths: Sequence[int], seed: int, attempts: dict[int, int], x: Tensor
) -> tuple[Dense, list[int]]:
    """Returns networks that did not collapse, and how many first weights each needed.

    Weights are uniform with the variance of Glorot & Bengio (2010), biases nought. A
    member whose output is constant is drawn again.

    Arguments:
        widths: Of the input, the hidden layers and the output.
        seed: Decides the weights, together with the member's number and attempt.
        attempts: For each member's number the attempt to begin with.
        x: Inputs on which the outputs must differ, with shape `[N, S]`.

    Raises:
        ValueError: If a member stays collapsed.
    """
    found = dict[int, list[NDArray[np.float32]]]()
    now = dict(attempts)
    while waiting := [number for number in now if number not in found]:
        drawn = {k: _glorot(widths, seed, k, now[k]) for k in waiting}
        constant = is_constant(
            _stacked([*drawn.values()], x.device).predict(x)
        ).tolist()
        for number, collapsed in zip(waiting, constant, strict=True):
            if collapsed:
                now[number] = next_attempt(number, now[number])
            else:
                found[number] = drawn[number]
    return _stacked([found[number] for number in now], x.device), [*now.values()]


def next_attempt(number: int, attempt: int) -> int:
    """Returns the attempt after one that died.

    Raises:
        ValueError: If there were too many.
    """
    if attempt + 1 >= ATTEMPTS:
        raise ValueError(
            f"member {number} died {ATTEMPTS} times: make the hidden layers wider, or fewer"
        )
    return attempt + 1


def is_constant(outputs: Tensor) -> Tensor:
    """Returns which members' outputs `[K, P, N]` are the same for all examples, `[K]`."""
    return outputs.std(dim=-1).amax(dim=-1) < CONSTANT


def _glorot(widths: Sequence[int], seed: int, number: int, attempt: int) -> list[Any]:
    """Returns the weights `[out, in]` of each layer."""
    random = generator(seed, LEARNING, MEMBERS, number, attempt)
    return [
        (random.uniform(-1, 1, (out, into)) * np.sqrt(6 / (into + out))).astype(
            np.float32
        )
        for into, out in pairwise(widths)
    ]


def _stacked(
    members: Sequence[list[NDArray[np.float32]]], device: torch.device
) -> Dense:
    weights = [
        torch.from_numpy(np.stack(layer)).to(device)
        for layer in zip(*members, strict=True)
    ]
    return Dense(
        weights, [weight.new_zeros(*weight.shape[:2], 1) for weight in weights]
    )


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
            **{
                name: getattr(self, name)[members]
                for name in ("loss", "epoch", "constant")
            },
            train=self.train[:, members],
            validation=self.validation[:, members],
        )


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Returns the members of all parts, sorted by their numbers."""
    epochs = max(len(part.train) for part in parts)
    whole = Outcome(
        numbers=[number for part in parts for number in part.numbers],
        attempts=[attempt for part in parts for attempt in part.attempts],
        weights=[
            torch.cat(tensors)
            for tensors in zip(*(p.weights for p in parts), strict=True)
        ],
        loss=torch.cat([part.loss for part in parts]),
        epoch=torch.cat([part.epoch for part in parts]),
        constant=torch.cat([part.constant for part in parts]),
        train=torch.cat([_padded(part.train, epochs) for part in parts], dim=1),
        validation=torch.cat(
            [_padded(part.validation, epochs) for part in parts], dim=1
        ),
    )
    return whole.take(sorted(range(len(whole.numbers)), key=whole.numbers.__getitem__))


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
    """

    def __init__(
        self,
        numbers: list[int],
        attempts: list[int],
        network: Dense,
        train: Examples,
        validation: Examples,
        options: Learning,
        seed: int,
    ) -> None:
        self.network, self.train, self.validation = network, train, validation
        self.options, self.seed = options, seed
        self.active = torch.arange(len(numbers))
        for tensor in network.tensors:
            _gradient(tensor)
        self.optimizer = torch.optim.Adam(
            network.tensors, options.learning_rate, fused=True
        )
        nothing = torch.full((len(numbers),), torch.nan)
        self.reached = Outcome(
            *(numbers, attempts, [tensor.cpu().clone() for tensor in network.tensors]),
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
        reached.loss[where], reached.epoch[where] = validation[better], epoch
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
        late = epoch - reached.epoch >= self.options.patience
        collapsed = reached.constant & (epoch + 1 >= WARMUP_EPOCHS)
        going = ~(late | collapsed)[self.active]
        if not going.all():
            self._take(going)

    def _take(self, going: Tensor) -> None:
        self.active = self.active[going]
        for tensor in self.network.tensors:
            state, chosen = self.optimizer.state[tensor], going.to(tensor.device)
            for name in ("exp_avg", "exp_avg_sq"):
                state[name] = state[name][chosen]
            tensor.data, tensor.grad = tensor.data[chosen], None
            _gradient(tensor)

    def state(self) -> dict[str, Any]:
        """Returns all that changes, except for the optimiser's state, as plain tensors."""
        return {
            "active": self.active,
            "now": [tensor.clone() for tensor in self.network.tensors],
            "reached": vars(self.reached),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes back to a state."""
        self.active, self.reached = state["active"], Outcome(**state["reached"])
        for tensor, values in zip(self.network.tensors, state["now"], strict=True):
            tensor.data, tensor.grad = values.to(tensor.device), None
            _gradient(tensor)
