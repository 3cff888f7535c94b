"""Both galaxies' centres, rewound from where the LMC is today.

Each centre moves in the other galaxy's rigid potential; on the LMC acts Chandrasekhar's
friction against the Milky Way's stars and dark matter (Brooks et al. 2025b, Eq. 1).
Rewound, friction feeds the orbit, and where it is strong some orbits run away: they are
marked, never hidden.

What the model leaves out: the deformation of either galaxy, and the mass that the LMC
has lost.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mwlmc.model.centres import Force, equations_of_motion, pull_of_lmc
from mwlmc.model.constants import GYR
from mwlmc.model.disc_and_bulge import stellar_table
from mwlmc.model.potentials import NFW, Hernquist
from orrery.parameters import FloatArray

LOOKBACK = 2.2 * GYR  # [kpc/(km/s)]

# A rewound LMC this far away, or this fast, was pumped by friction and has no such
# history. The fastest of 8,000 draws of the prior came from 1,100 kpc, at 640 km/s.
FARTHEST = 2000.0  # [kpc]
FASTEST = 2000.0  # [km/s]


@dataclass(frozen=True)
class Galaxies:
    """The Milky Way's and the LMC's halos, and the strength of friction, of B simulations.

    Arguments:
        milky_way: The Milky Way's dark halo; disc and bulge are the same for all.
        lmc: The LMC.
        friction: lambda_DF, with shape `[B, 1]`.

    Example:
        >>> from mwlmc.model.potentials import lmc_halo, milky_way_halo
        >>> milky_way = milky_way_halo(np.array([1e12]), np.array([10.0]))
        >>> lmc = lmc_halo(np.array([1.5e11]))
        >>> Galaxies(milky_way, lmc, friction=torch.ones(1, 1)).friction.shape
        torch.Size([1, 1])
    """

    milky_way: NFW
    lmc: Hernquist
    friction: Tensor


@dataclass(frozen=True)
class Trajectories:
    """Where both centres were, in the inertial frame in which the Milky Way rests today.

    Arguments:
        times: Ascending, from -2.2 Gyr to 0 [kpc/(km/s)], with shape `[T]`.
        milky_way: Position [kpc] and velocity [km/s], with shape `[T, 6, B]`.
        lmc: The same of the LMC.
        milky_way_acceleration: [(km/s)^2/kpc], with shape `[T, 3, B]`.
        runaway: Which rewinds ran away, with shape `[B]`.

    Example:
        >>> from mwlmc.model.potentials import lmc_halo, milky_way_halo
        >>> milky_way = milky_way_halo(np.array([1e12]), np.array([10.0]))
        >>> galaxies = Galaxies(milky_way, lmc_halo(np.array([1.5e11])), torch.ones(1, 1))
        >>> x = torch.tensor([[-0.6], [-41.3], [-27.1]], dtype=torch.float64)
        >>> v = torch.tensor([[-63.9], [-213.8], [206.6]], dtype=torch.float64)
        >>> paths = rewind(x, v, galaxies, steps=50)
        >>> paths.relative().shape, bool(paths.runaway[0])
        (torch.Size([51, 6, 1]), False)
    """

    times: Tensor
    milky_way: Tensor
    lmc: Tensor
    milky_way_acceleration: Tensor
    runaway: Tensor

    def relative(self) -> Tensor:
        """Returns the LMC's position and velocity from the Milky Way's centre, `[T, 6, B]`."""
        return self.lmc - self.milky_way


def rewind(
    position: Tensor, velocity: Tensor, galaxies: Galaxies, steps: int = 275
) -> Trajectories:
    """Returns the trajectories of both centres over the last 2.2 Gyr.

    Twelve coupled equations, integrated backwards with the classical Runge-Kutta method
    in double precision; 275 steps are converged to 1e-4 kpc near the observed LMC
    (tested), and to 0.01 kpc for 99 % of the paper's wide prior.

    Arguments:
        position: The LMC's Galactocentric position today [kpc], with shape `[3, B]`.
        velocity: The LMC's Galactocentric velocity today [km/s], with shape `[3, B]`.
        galaxies: Potentials and friction of the B simulations.
        steps: How many steps the rewind takes.
    """
    state = torch.cat(
        [torch.zeros_like(position), torch.zeros_like(velocity), position, velocity]
    )
    derivative = equations_of_motion(
        galaxies.milky_way,
        galaxies.lmc,
        galaxies.friction[:, 0].numpy(),
        stellar_table(),
    )
    path = np.empty((steps + 1, *state.shape))  # [T, 12, B], double
    path[-1] = state.numpy()
    with np.errstate(all="ignore"):  # what runs away is marked afterwards
        for n in range(steps, 0, -1):
            path[n - 1] = _runge_kutta(path[n], -LOOKBACK / steps, derivative)
        return _trajectories(path, galaxies)


def _runge_kutta(state: FloatArray, step: float, derivative: Force) -> FloatArray:
    k1 = derivative(state)
    k2 = derivative(state + 0.5 * step * k1)
    k3 = derivative(state + 0.5 * step * k2)
    k4 = derivative(state + step * k3)
    return state + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def _trajectories(path: FloatArray, galaxies: Galaxies) -> Trajectories:
    separation = np.linalg.norm(path[:, 6:9] - path[:, 0:3], axis=1)  # [T, B]
    speed = np.linalg.norm(path[:, 9:12] - path[:, 3:6], axis=1)
    bound = (separation < FARTHEST) & (speed < FASTEST)  # False also for NaN
    pull_at = pull_of_lmc(galaxies.lmc)
    pull = np.stack([pull_at(state[6:9] - state[0:3]) for state in path])
    states = torch.as_tensor(path)
    return Trajectories(
        torch.linspace(-LOOKBACK, 0.0, len(path), dtype=torch.float64),
        states[:, :6],
        states[:, 6:],
        torch.as_tensor(pull),
        torch.as_tensor(~bound.all(axis=0)),
    )


def hermite(
    times: Tensor, position: Tensor, velocity: Tensor, wanted: Tensor
) -> Tensor:
    """Returns positions interpolated by cubics that match positions and velocities.

    Arguments:
        times: Equally spaced, with shape `[T]`.
        position: With shape `[T, 3, B]`.
        velocity: With shape `[T, 3, B]`.
        wanted: Times within those, with shape `[W]`.

    Returns:
        Positions with shape `[W, 3, B]`.
    """
    step = times[1] - times[0]
    place = (wanted - times[0]) / step
    left = place.long().clamp(0, len(times) - 2)
    s = (place - left)[:, None, None]
    a = position[left]
    b = position[left + 1]
    da = velocity[left] * step
    db = velocity[left + 1] * step
    cubic = (2.0 * (a - b) + da + db) * s + (3.0 * (b - a) - 2.0 * da - db)
    return a + s * (da + s * cubic)
