"""Networks: many small dense networks that differ in their first weights, computed as one.

A small network's time goes into calling the arithmetic, not into the arithmetic: a
hundred in one batched product cost hardly more than a few.

Rectified units may be off for every example. If a whole layer is, the output is
constant, no gradient reaches what lies below, and the member is collapsed. Of deep
narrow networks most first weights are; they are drawn again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from orrery.branches import LEARNING, MEMBERS
from orrery.parameters import generator

CONSTANT = 1e-3  # of the parameter's width: outputs that scatter less are constant
INITIALISATIONS = 100  # of a member, after which its layers are to blame
ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class Dense:
    """K dense networks as one.

    Arguments:
        weights: For each layer with shape `[K, out, in]`.
        biases: For each layer with shape `[K, out, 1]`.

    Example:
        >>> two = Dense([torch.tensor([[[1.0, 1.0]], [[2.0, 0.0]]])], [torch.zeros(2, 1, 1)])
        >>> two.predict(torch.tensor([[3.0, 4.0]]))
        tensor([[[7.]],
        <BLANKLINE>
                [[6.]]])
    """

    weights: list[Tensor]
    biases: list[Tensor]

    @property
    def tensors(self) -> list[Tensor]:
        """All weights and biases, each with the members first."""
        return [*self.weights, *self.biases]

    def predict(self, x: Tensor) -> Tensor:
        """Returns the outputs `[K, P, N]` for the rows of x `[N, S]`."""
        outputs = [self._layers(rows)[-1] for rows in x.split(ROWS_AT_ONCE)]
        return torch.cat(outputs, dim=-1)

    def _layers(self, x: Tensor) -> list[Tensor]:
        """Returns what leaves each layer, `[K, out, N]`."""
        first = self.weights[0]
        # The input is the same for all members, so that their first layers are one
        # matrix.
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
        for tensor in self.tensors:
            if tensor.grad is None:
                tensor.grad = torch.empty_like(tensor)
        layers = self._layers(x)
        error = layers.pop().sub_(y.T)
        loss = error.square().sum(dim=(1, 2))
        slope = error.mul_(2 / y.numel())
        # From the last layer down to the second; the first one has no layer below.
        upper = zip(self.weights[:0:-1], self.biases[:0:-1], layers[::-1], strict=True)
        for weight, bias, below in upper:
            torch.bmm(slope, below.mT, out=weight.grad)
            torch.sum(slope, 2, keepdim=True, out=bias.grad)
            # A rectified unit that was off passes no slope on.
            slope = torch.ops.aten.threshold_backward(weight.mT.bmm(slope), below, 0)
        first = self.weights[0]
        flat = first.grad.view(-1, first.shape[2])  # type: ignore[union-attr]
        torch.mm(slope.view(-1, len(x)), x, out=flat)
        torch.sum(slope, 2, keepdim=True, out=self.biases[0].grad)
        return loss


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
    # All that still wait are tried at once: most first weights of deep networks collapse.
    while waiting := [number for number in now if number not in found]:
        drawn = {k: _glorot(widths, seed, k, now[k]) for k in waiting}
        outputs = _stacked(list(drawn.values()), x.device).predict(x)
        constant = is_constant(outputs).tolist()
        for number, collapsed in zip(waiting, constant, strict=True):
            if collapsed:
                now[number] = next_attempt(number, now[number])
            else:
                found[number] = drawn[number]
    return _stacked([found[number] for number in now], x.device), list(now.values())


def next_attempt(number: int, attempt: int) -> int:
    """Returns the attempt after one that collapsed.

    Raises:
        ValueError: If there were too many.
    """
    if attempt + 1 >= INITIALISATIONS:
        raise ValueError(
            f"member {number} collapsed {INITIALISATIONS} times: make the hidden layers "
            "wider, or fewer"
        )
    return attempt + 1


def is_constant(outputs: Tensor) -> Tensor:
    """Returns which members' outputs `[K, P, N]` are the same for all examples, `[K]`."""
    return outputs.std(dim=-1).amax(dim=-1) < CONSTANT


def _glorot(widths: Sequence[int], seed: int, number: int, attempt: int) -> list[Any]:
    """Returns the weights `[out, in]` of each layer."""
    random = generator(seed, LEARNING, MEMBERS, number, attempt)
    weights = []
    for into, out in pairwise(widths):
        edge = np.sqrt(6 / (into + out))
        weights.append((random.uniform(-1, 1, (out, into)) * edge).astype(np.float32))
    return weights


def _stacked(
    members: Sequence[list[NDArray[np.float32]]], device: torch.device
) -> Dense:
    layers = zip(*members, strict=True)
    weights = [torch.from_numpy(np.stack(layer)).to(device) for layer in layers]
    biases = [weight.new_zeros(*weight.shape[:2], 1) for weight in weights]
    return Dense(weights, biases)
