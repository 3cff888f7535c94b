"""Halo stars, carried through the moving potential to today.

The frame moves with the Milky Way's centre, so the stars feel three things: the Milky Way at rest,
the LMC on its path, and minus the acceleration of the frame. They are test particles.

Steps follow the orbit. A star that cannot come closer to the centre than some radius needs no
shorter step than the orbits there, and a star that cannot climb to the survey's inner edge is not
carried at all, only counted. Both are decided once, from energy and angular momentum at the start.
"""

import os
import shutil
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from mwlmc.potentials import (
    BULGE_MASS,
    DISC_MASS,
    DISC_SCALE,
    NFW,
    G,
    Hernquist,
    StellarTable,
    length,
)
from mwlmc.trajectories import LOOKBACK, Trajectories, hermite


@dataclass(frozen=True)
class StepClass:
    """Stars that stay outside `radius` [kpc] take `steps` equal steps in 2.2 Gyr."""

    radius: float
    steps: int


# Against the reference solutions, positions today beyond 30 kpc are off by 0.02 kpc in the median
# and, where beta0 is below 0.65, by 0.1 to 0.5 kpc at 90 % (tested). Stars that plunge within about
# 1 kpc of the centre lose their phase along the orbit, which moves no mean, and gain a little
# energy: up to 0.6 % more stars end beyond 30 kpc.
STEP_CLASSES = (StepClass(0.0, 1100), StepClass(10.0, 550), StepClass(25.0, 275))

# A star that cannot climb to this fraction of the inner edge before the LMC comes does not end
# beyond the edge: in the reference solutions none of those below 25 kpc ends beyond 30.
REACH = 25.0 / 30.0


@dataclass(frozen=True)
class MovingPotential:
    """The potential that the stars of B simulations feel, in the Milky Way's frame.

    Arguments:
        milky_way: The dark halo.
        stars: Disc and bulge.
        lmc: The LMC.
        trajectories: Both centres' paths.
    """

    milky_way: NFW
    stars: StellarTable
    lmc: Hernquist
    trajectories: Trajectories

    def take(self, some: slice, dtype: torch.dtype = torch.float32) -> "MovingPotential":
        """Returns the potential of some of the simulations, in the precision of their stars."""
        halo, lmc, path = self.milky_way, self.lmc, self.trajectories
        return MovingPotential(
            NFW(halo.amplitude[some].to(dtype), halo.scale[some].to(dtype)),
            StellarTable(self.stars.plane.to(dtype), self.stars.across.to(dtype)),
            Hernquist(lmc.mass[some].to(dtype), lmc.scale[some].to(dtype)),
            Trajectories(
                path.times,
                path.milky_way[..., some],
                path.lmc[..., some],
                path.milky_way_acceleration[..., some],
                path.runaway[some],
            ),
        )

    def energy(self, position: Tensor, velocity: Tensor) -> Tensor:
        """Returns the energy [(km/s)^2] in the Milky Way at rest of `[3, B, N]`: `[B, N]`."""
        return 0.5 * (velocity * velocity).sum(0) + _resting_potential(self, length(position))


def _resting_potential(potential: MovingPotential, radius: Tensor) -> Tensor:
    # the disc and bulge as their monopole far away: good enough to sort orbits, not to move stars
    stars = -G * (BULGE_MASS + DISC_MASS) / torch.sqrt(radius**2 + DISC_SCALE**2)
    return potential.milky_way.potential(radius) + stars


def _acceleration(
    x: Tensor, halo: NFW, stars: StellarTable, lmc: Hernquist, lmc_now: Tensor, frame: Tensor
) -> Tensor:
    """Returns the acceleration [(km/s)^2/kpc] of stars in the Milky Way's frame, `[3, B, N]`.

    Arguments:
        x: Stars [kpc], with shape `[3, B, N]`.
        halo: The dark halo.
        stars: Disc and bulge.
        lmc: The LMC.
        lmc_now: The LMC's position [kpc], with shape `[3, B, 1]`.
        frame: The Milky Way centre's own acceleration, with shape `[3, B, 1]`.
    """
    sphere = halo.pull(length(x))
    plane, across = stars.pulls(x)
    offset = x - lmc_now
    pull = lmc.pull(length(offset))
    plane, across = plane + sphere, across + sphere
    return torch.stack(
        [
            -plane * x[0] - pull * offset[0] - frame[0],
            -plane * x[1] - pull * offset[1] - frame[1],
            -across * x[2] - pull * offset[2] - frame[2],
        ]
    )


def _step(
    x: Tensor,
    v: Tensor,
    galaxies: tuple[NFW, StellarTable, Hernquist],
    now: tuple[Tensor, Tensor],
    kick: Tensor,
    drift: Tensor,
) -> tuple[Tensor, Tensor]:
    """Returns positions and velocities after a kick and a drift."""
    v = v + kick * _acceleration(x, *galaxies, *now)
    return x + drift * v, v


def can_compile() -> bool:
    """Returns whether this machine has a C++ compiler and Python's headers."""
    headers = Path(sysconfig.get_path("include"), "Python.h")
    return headers.is_file() and shutil.which(os.environ.get("CXX", "g++")) is not None


@cache
def _compiled_step() -> Callable[..., tuple[Tensor, Tensor]]:
    """Returns the step as one compiled loop over stars, or as it is where that is not possible."""
    return torch.compile(_step, dynamic=True) if can_compile() else _step


def integrate(
    position: Tensor, velocity: Tensor, potential: MovingPotential, steps: int
) -> tuple[Tensor, Tensor]:
    """Returns stars' positions and velocities today, after equal leapfrog steps (kick-drift-kick).

    Arguments:
        position: 2.2 Gyr ago [kpc], with shape `[3, B, N]`.
        velocity: 2.2 Gyr ago [km/s], with shape `[3, B, N]`.
        potential: The moving potential, in the stars' precision.
        steps: How many steps.
    """
    lmc, frame = _path(potential, steps, position.dtype)
    galaxies = (potential.milky_way, potential.stars, potential.lmc)
    step = torch.tensor(LOOKBACK / steps, dtype=position.dtype)
    advance = _compiled_step()
    x, v = advance(position, velocity, galaxies, (lmc[0], frame[0]), 0.5 * step, step)
    for k in range(1, steps):
        x, v = advance(x, v, galaxies, (lmc[k], frame[k]), step, step.clone())
    return advance(x, v, galaxies, (lmc[steps], frame[steps]), 0.5 * step, 0.0 * step)


def _path(potential: MovingPotential, steps: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Returns the LMC's positions and the frame's accelerations, each `[steps + 1, 3, B, 1]`."""
    path = potential.trajectories
    times = torch.linspace(-LOOKBACK, 0.0, steps + 1, dtype=torch.float64)
    relative = path.relative()
    lmc = hermite(path.times, relative[:, :3], relative[:, 3:], times)
    lmc64 = Hernquist(potential.lmc.mass.double(), potential.lmc.scale.double())
    pull = lmc64.pull(lmc.norm(dim=1)[:, :, None])[..., 0]  # [steps + 1, B]
    return lmc[..., None].to(dtype), (lmc * pull[:, None])[..., None].to(dtype)


def sort_orbits(
    position: Tensor,
    velocity: Tensor,
    potential: MovingPotential,
    inner_edge: float,
    classes: Sequence[StepClass] = STEP_CLASSES,
) -> Tensor:
    """Returns the step class of each star, `[B, N]`; -1 for those that stay below the edge.

    A star outside a radius, whose energy there is less than its centrifugal barrier's, can never
    be inside; a star inside it can never be outside.
    """
    radius = length(position)
    energy = potential.energy(position, velocity)
    momentum2 = torch.linalg.cross(position, velocity, dim=0).square().sum(0)

    def forbidden(edge: float) -> Tensor:
        barrier = _resting_potential(potential, torch.full_like(energy[:, :1], edge))
        return energy < barrier + 0.5 * momentum2 / edge**2

    chosen = torch.zeros_like(radius, dtype=torch.long)
    for number, step_class in enumerate(classes[1:], start=1):
        outside = (radius > step_class.radius) & forbidden(step_class.radius)
        chosen = torch.where(outside, number, chosen)
    reach = REACH * inner_edge
    return torch.where((radius < reach) & forbidden(reach), -1, chosen)


def carry(
    position: Tensor,
    velocity: Tensor,
    potential: MovingPotential,
    inner_edge: float,
    classes: Sequence[StepClass] = STEP_CLASSES,
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns positions and velocities today of `[3, B, N]` stars, and the carried ones, `[B, N]`.

    Arguments:
        position: 2.2 Gyr ago [kpc].
        velocity: 2.2 Gyr ago [km/s].
        potential: The moving potential, in the stars' precision.
        inner_edge: Stars that cannot reach this radius today [kpc] stay as they were.
        classes: Step classes, by rising radius.
    """
    chosen = sort_orbits(position, velocity, potential, inner_edge, classes)
    x, v = position.clone(), velocity.clone()
    for number, step_class in enumerate(classes):
        rows, filled = _packed(chosen == number)
        if rows.shape[1]:
            index = rows.expand(3, *rows.shape)
            stars = x.gather(2, index), v.gather(2, index)
            moved = integrate(*stars, potential, step_class.steps)
            x[:, *_places(rows, filled)] = moved[0][:, filled]
            v[:, *_places(rows, filled)] = moved[1][:, filled]
    return x, v, chosen >= 0


def _packed(member: Tensor) -> tuple[Tensor, Tensor]:
    """Returns each simulation's members' numbers, and which entries are members, each `[B, M]`.

    Simulations with fewer than M members are filled up with other stars, whose motion is thrown
    away: stars move independently.
    """
    count = member.sum(1)
    order = torch.argsort(member.to(torch.int8), dim=1, descending=True, stable=True)
    rows = order[:, : int(count.max())]
    return rows, torch.arange(rows.shape[1]) < count[:, None]


def _places(rows: Tensor, filled: Tensor) -> tuple[Tensor, Tensor]:
    return torch.nonzero(filled)[:, 0], rows[filled]
