"""The flow: the network that a posterior is made of, and the numbers that it learns.

Parameters with two finite bounds are learned as the normal quantile of their place
between the bounds: a uniform prior becomes a normal one, and no draw can leave.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special
from torch import Tensor, nn

from orrery.parameters import FloatArray, Parameter

if TYPE_CHECKING:  # half a second, which only who builds a flow waits for
    from sbi.neural_nets.estimators import ConditionalDensityEstimator

# The nearest that a parameter comes to its bounds, as a fraction of their distance: at
# a bound itself the normal quantile would be infinite.
EDGE = 1e-9


@dataclass(frozen=True)
class Space:
    """The map between parameters and the unbounded numbers that the flow learns.

    Arguments:
        parameters: The P parameters.

    Example:
        >>> space = Space((Parameter("scale", "", "scale", lower=0.0, upper=2.0),))
        >>> space.unbounded(np.array([[1.0]]))
        array([[0.]])
        >>> space.bounded(np.array([[-40.0], [0.0], [40.0]])).ravel()
        array([0., 1., 2.])
    """

    parameters: tuple[Parameter, ...]

    @property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """The lower and upper bounds `[P]`."""
        return (
            np.array([p.lower for p in self.parameters]),
            np.array([p.upper for p in self.parameters]),
        )

    def outside(self, theta: FloatArray) -> NDArray[np.bool_]:
        """Returns which of `theta` `[..., P]` are beyond their bounds."""
        lower, upper = self.bounds
        return (theta < lower) | (theta > upper)

    @property
    def _mapped(self) -> tuple[list[int], FloatArray, FloatArray]:
        lower, upper = self.bounds
        mapped = np.flatnonzero(np.isfinite(upper - lower))
        return mapped.tolist(), lower[mapped], (upper - lower)[mapped]

    def unbounded(self, theta: FloatArray) -> FloatArray:
        """Returns what the flow learns, with the shape `[..., P]` of theta."""
        columns, lower, width = self._mapped
        # A copy: parameters without two finite bounds stay as they are.
        free = np.array(theta, dtype=np.float64)
        place = (free[..., columns] - lower) / width
        free[..., columns] = special.ndtri(np.clip(place, EDGE, 1 - EDGE))
        return free

    def bounded(self, free: FloatArray) -> FloatArray:
        """Returns theta, with the shape `[..., P]` of what the flow learned."""
        columns, lower, width = self._mapped
        theta = np.array(free, dtype=np.float64)
        theta[..., columns] = lower + width * special.ndtr(theta[..., columns])
        return theta

    def log_stretch(self, free: FloatArray) -> FloatArray:
        """Returns log |d unbounded / d theta| `[...]` at the unbounded `[..., P]`."""
        columns, _, width = self._mapped
        z = free[..., columns]
        return np.sum(0.5 * z**2 + 0.5 * np.log(2 * np.pi) - np.log(width), axis=-1)


class FlowLoss(nn.Module):
    """The negative log-probability of each pair, as a module's forward: all that DDP sees.

    Arguments:
        estimator: The flow.

    Example:
        >>> from orrery.learning.options import Flow
        >>> import torch
        >>> theta, x = torch.randn(9, 3), torch.randn(9, 5)
        >>> FlowLoss(Flow(transforms=2).build(theta, x))(theta, x).shape
        torch.Size([9])
    """

    def __init__(self, estimator: "ConditionalDensityEstimator") -> None:
        super().__init__()
        self.estimator = estimator

    def forward(self, theta: Tensor, x: Tensor) -> Tensor:
        """Returns the loss `[B]` of parameters `[B, P]` given summaries `[B, S]`."""
        return self.estimator.loss(theta, x)
