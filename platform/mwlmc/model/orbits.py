"""Orbits of test particles in the moving potential, each with its own steps.

The frame moves with the Milky Way's centre, so three things accelerate the stars: the
Milky Way at rest, the LMC on its path, and minus the acceleration of the frame.

A step is one of Nystroem's method of fifth order, four evaluations of the force. Its
length follows the star: a share of the shortest of the local time-scales, chosen anew
at each step. Stars lie in rows, all of a row in one simulation, so that what a
simulation's stars share is read once a row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mwlmc.model.disc_and_bulge import TABLE_SIZE, StellarTable
from mwlmc.model.potentials import NFW, Hernquist
from mwlmc.model.trajectories import LOOKBACK, Trajectories, hermite
from mwlmc.model.vectors import Vector, length, square

# Hairer, Norsett & Wanner (1993), section II.14: Nystroem's method of order 5. A row:
# the time of a stage, and the weights of the earlier stages' accelerations in its
# position.
_STAGES = (
    (0.0, 0.0, 0.0, 0.0),
    (1 / 5, 1 / 50, 0.0, 0.0),
    (2 / 3, -1 / 27, 7 / 27, 0.0),
    (1.0, 3 / 10, -2 / 35, 9 / 35),
)
_POSITION = (
    14 / 336,
    100 / 336,
    54 / 336,
)  # the fourth acceleration has no weight here
_VELOCITY = (14 / 336, 125 / 336, 162 / 336, 35 / 336)

# Time-scales that bound a step: crossing the centre, falling, crossing the disc's
# plane, crossing the LMC, and the LMC's own motion. The weights are those of least
# error at equal cost, in positions beyond 30 kpc and in energies of all stars, found by
# a random search with three of the reference sets.
_CENTRE_SOFTENING = 0.8  # [kpc]
_DISC = 0.5
_DISC_RADIUS = 8.0  # [kpc], over which the disc's weight fades outward
_DISC_HEIGHT = 1.5  # [kpc], which softens the crossing of its plane
_CROSSING_LMC = 2.4
_LONGEST = 0.30  # [kpc/(km/s)], before it is multiplied by the share

# Between nodes 1.1 Myr apart the LMC's path is straight to 3e-4 kpc, on the prior's
# closest orbits to 6e-4.
_PATH_NODES = 2049


@dataclass(frozen=True)
class MovingPotential:
    """The potential of B simulations in the frame of the Milky Way's centre.

    Arguments:
        milky_way: The dark halo.
        stars: Disc and bulge.
        lmc: The LMC.
        path: The LMC's positions from the Milky Way's centre at equal times from -2.2
            Gyr to today [kpc], one simulation after the other, with shape `[3, B *
            2049]`.

    Example:
        >>> from mwlmc.simulator import Simulator
        >>> potential = Simulator(stars=500).past(seed=1, indices=[0])[2].potential()
        >>> potential.path.shape
        torch.Size([3, 2049])
    """

    milky_way: NFW
    stars: StellarTable
    lmc: Hernquist
    path: Tensor

    def rows(self, simulation: Tensor) -> "Field":
        """Returns the potential of rows of stars, given each row's simulation `[R]`."""
        halo = self.milky_way
        lmc = self.lmc
        return Field(
            NFW(halo.amplitude[simulation], halo.scale[simulation]),
            self.stars,
            Hernquist(lmc.mass[simulation], lmc.scale[simulation]),
            self.path,
            (simulation * _PATH_NODES).to(torch.int32)[:, None],
        )


def moving_potential(
    milky_way: NFW,
    stars: StellarTable,
    lmc: Hernquist,
    trajectories: Trajectories,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> MovingPotential:
    """Returns the moving potential of B simulations in the precision and place of their stars."""
    times = torch.linspace(-LOOKBACK, 0.0, _PATH_NODES, dtype=torch.float64)
    relative = trajectories.relative()
    lmc_path = hermite(
        trajectories.times, relative[:, :3], relative[:, 3:], times
    )  # [T, 3, B]

    def moved(values: Tensor) -> Tensor:
        return values.to(device=device, dtype=dtype)

    return MovingPotential(
        NFW(moved(milky_way.amplitude), moved(milky_way.scale)),
        StellarTable(moved(stars.plane), moved(stars.across)),
        Hernquist(moved(lmc.mass), moved(lmc.scale)),
        moved(lmc_path.permute(1, 2, 0).reshape(3, -1).contiguous()),
    )


@dataclass(frozen=True)
class Field:
    """The potential of rows of stars: each row's own halo, LMC and path.

    Arguments:
        milky_way: The dark halos of R rows.
        stars: Disc and bulge.
        lmc: The rows' LMCs.
        path: All simulations' paths, `[3, B * 2049]`.
        first: Where a row's path begins, with shape `[R, 1]`.

    Example:
        >>> from mwlmc.simulator import Simulator
        >>> potential = Simulator(stars=500).past(seed=1, indices=[0])[2].potential()
        >>> potential.rows(torch.tensor([0, 0])).first.shape
        torch.Size([2, 1])
    """

    milky_way: NFW
    stars: StellarTable
    lmc: Hernquist
    path: Tensor
    first: Tensor

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All its tensors, in the order in which a step takes them."""
        halo = self.milky_way
        stars = self.stars
        lmc = self.lmc
        dark = (halo.amplitude, halo.scale)
        return (
            *dark,
            stars.plane,
            stars.across,
            lmc.mass,
            lmc.scale,
            self.path,
            self.first,
        )

    def lmc_position(self, time: Tensor) -> Vector:
        """Returns the LMC's position [kpc], three times `[R, W]`, at times `[R, W]`."""
        place = (time / LOOKBACK + 1.0) * (_PATH_NODES - 1)
        node = place.to(torch.int32).clamp(0, _PATH_NODES - 2)
        part = place - node
        low = node + self.first

        def along(path: Tensor) -> Tensor:
            here = path[low]
            return here + part * (path[low + 1] - here)

        return along(self.path[0]), along(self.path[1]), along(self.path[2])

    def acceleration(self, x: Vector, lmc: Vector) -> Vector:
        """Returns the acceleration [(km/s)^2/kpc] of stars, three times `[R, W]`.

        Arguments:
            x: The stars' positions [kpc].
            lmc: The LMC's positions at their times [kpc].
        """
        sphere = self.milky_way.pull(length(x))
        plane, across = self.stars.pulls(x)
        plane = plane + sphere
        across = across + sphere
        offset = (x[0] - lmc[0], x[1] - lmc[1], x[2] - lmc[2])
        pull = self.lmc.pull(length(offset))
        frame = self.lmc.pull(length(lmc))
        return (
            -plane * x[0] - pull * offset[0] - frame * lmc[0],
            -plane * x[1] - pull * offset[1] - frame * lmc[1],
            -across * x[2] - pull * offset[2] - frame * lmc[2],
        )


# --- one step --------------------------------------------------------------------------------

# Everything below is written by components: so the compiler makes one loop of a whole
# force, in which nothing but the result leaves the processor's registers.


# Their arguments are tensors alone: a call with nested ones costs as much as 5,000
# stars. What is asserted of their shapes tells the compiler what never changes: it
# makes a step a fifth faster and compiles half as much.
_Tensors = tuple[Tensor, ...]


def begin_step(
    x: Tensor, v: Tensor, time: Tensor, share: Tensor, *field: Tensor
) -> _Tensors:
    """Returns the accelerations at the start of a step, and the steps [kpc/(km/s)], `[R, W]`."""
    felt = _field(field)
    place = _components(x)
    lmc = felt.lmc_position(time)
    force = felt.acceleration(place, lmc)
    speed2 = square(v)
    centre2 = square(place) + _CENTRE_SOFTENING**2
    lmc2 = (
        square((place[0] - lmc[0], place[1] - lmc[1], place[2] - lmc[2]))
        + felt.lmc.scale**2
    )
    disc2 = _DISC * torch.exp(-(x[0] * x[0] + x[1] * x[1]).sqrt() / _DISC_RADIUS)
    rate2 = (
        speed2 / centre2
        + (square(force) / centre2).sqrt()
        + disc2 * v[2] * v[2] / (x[2] * x[2] + _DISC_HEIGHT**2)
        + _CROSSING_LMC * speed2 / lmc2
        + _LONGEST**-2
    )
    # the remaining time is divided evenly, so that the last step is not a splinter
    remaining = -time
    step = remaining / torch.ceil(remaining * rate2.sqrt() / share).clamp(min=1.0)
    return torch.stack(force), step


def evaluate_stage(
    x: Tensor,
    v: Tensor,
    time: Tensor,
    step: Tensor,
    first: Tensor,
    second: Tensor,
    third: Tensor,
    weights: Tensor,
    *field: Tensor,
) -> Tensor:
    """Returns the accelerations at a later stage of the step; see `_STAGES` for the weights."""
    assert weights.shape[0] == len(_STAGES)
    felt = _field(field)
    drift = weights[0] * step
    step2 = step * step

    def place(axis: int) -> Tensor:
        kick = (
            weights[1] * first[axis]
            + weights[2] * second[axis]
            + weights[3] * third[axis]
        )
        return x[axis] + drift * v[axis] + step2 * kick

    lmc = felt.lmc_position(time + drift)
    return torch.stack(felt.acceleration((place(0), place(1), place(2)), lmc))


def finish_step(
    x: Tensor, v: Tensor, time: Tensor, step: Tensor, *forces: Tensor
) -> _Tensors:
    """Returns positions, velocities and times at the end of the step."""
    along = sum(w * a for w, a in zip(_POSITION, forces[:3], strict=True))
    kick = sum(w * a for w, a in zip(_VELOCITY, forces, strict=True))
    return x + step * (v + step * along), v + step * kick, time + step


def _field(tensors: _Tensors) -> Field:
    halo_amplitude, halo_scale, plane, across, lmc_mass, lmc_scale, path, first = (
        tensors
    )
    assert path.shape[0] == 3
    assert plane.shape[0] == across.shape[0] == TABLE_SIZE
    halo = NFW(halo_amplitude, halo_scale)
    lmc = Hernquist(lmc_mass, lmc_scale)
    return Field(halo, StellarTable(plane, across), lmc, path, first)


def _components(vectors: Tensor) -> Vector:
    return vectors[0], vectors[1], vectors[2]


@dataclass(frozen=True)
class Stepper:
    """The three parts of a step, compiled or as they are.

    Arguments:
        begin: The first force and the step's length.
        stage: A later force.
        finish: Where the step ends.
        width: The only number of stars in a row that it is made for; None for any.

    Example:
        >>> Stepper().width is None
        True
    """

    begin: Callable[..., Any] = begin_step
    stage: Callable[..., Any] = evaluate_stage
    finish: Callable[..., Any] = finish_step
    width: int | None = None

    def advance(
        self,
        start: tuple[Tensor, Tensor, Tensor],
        field: Field,
        share: Tensor,
        weights: tuple[Tensor, ...],
        unknown: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Returns positions, velocities and times after one step of each star.

        Arguments:
            start: Positions [kpc] and velocities [km/s], `[3, R, W]`, and times
                [kpc/(km/s)], `[R, W]`. A star whose time is 0 stays where it is.
            field: The rows' potential.
            share: The steps' share of the shortest time-scale, one number.
            weights: What `stage_weights` returned.
            unknown: Two tensors of zeros, `[3, R, W]`, for accelerations that are not
                known yet. They have no weight; tensors of their own keep the compiler
                from making further versions for arguments that are the same tensor.

        Raises:
            ValueError: If the rows are not of the step's width.
        """
        if self.width not in (None, start[2].shape[1]):
            raise ValueError(
                f"rows of {start[2].shape[1]} stars: the compiled step is for {self.width}"
            )
        x, v, time = start
        no_second, no_third = unknown
        felt = field.tensors
        first, step = self.begin(x, v, time, share, *felt)
        # Nystroem's stages: each later one is evaluated where the earlier ones lead
        second = self.stage(
            x, v, time, step, first, no_second, no_third, weights[1], *felt
        )
        third = self.stage(x, v, time, step, first, second, no_third, weights[2], *felt)
        last = self.stage(x, v, time, step, first, second, third, weights[3], *felt)
        end: tuple[Tensor, Tensor, Tensor] = self.finish(
            x, v, time, step, first, second, third, last
        )
        return end


def stage_weights(like: Tensor) -> tuple[Tensor, ...]:
    """Returns the weights of the method's four stages, in the precision and place of a tensor."""
    return tuple(
        torch.tensor(row, dtype=like.dtype, device=like.device) for row in _STAGES
    )
