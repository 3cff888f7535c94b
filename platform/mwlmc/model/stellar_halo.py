"""Halo stars, evolved in the moving potential to today.

A star that cannot climb to the survey's inner edge is not integrated, only counted.
The others move in rows of one simulation each, every star with its own steps. Stars
that reached today leave, the others are packed into full rows, and the next
simulation's stars take the free rows: the work goes where orbits need it, and its
memory does not grow with the number of simulations.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mwlmc.model.compiled_step import stepper
from mwlmc.model.constants import BULGE_MASS, DISC_MASS, DISC_SCALE, G
from mwlmc.model.options import Accuracy
from mwlmc.model.orbits import MovingPotential, Stepper, stage_weights
from mwlmc.model.potentials import NFW
from mwlmc.model.step_libraries import WIDTH
from mwlmc.model.trajectories import LOOKBACK
from mwlmc.model.vectors import length, square

# Each accuracy's steps as a share of the shortest local time-scale.
STEP_SHARES: dict[Accuracy, float] = {"survey": 0.52, "orbit": 0.24}

# A star that cannot climb to this fraction of the inner edge before the LMC comes does
# not end beyond the edge: in the reference solutions none of those below 25 kpc ends
# beyond 30.
REACH = 25.0 / 30.0

# Stars in flight at a time: few enough for a processor's cache, many enough for a GPU.
_IN_FLIGHT = {"cpu": 2**17, "cuda": 2**22}
_FULL = 0.8  # rows are packed again when fewer of the rows' stars are still in flight


def reaches(
    position: Tensor, velocity: Tensor, milky_way: NFW, inner_edge: float
) -> Tensor:
    """Returns which stars `[B, N]` can climb to the inner edge before the LMC comes.

    A star inside a radius, whose energy there is less than its centrifugal barrier's,
    can never be outside.

    Arguments:
        position: 2.2 Gyr ago [kpc], with shape `[3, B, N]`.
        velocity: 2.2 Gyr ago [km/s], with shape `[3, B, N]`.
        milky_way: The dark halo of B simulations.
        inner_edge: Of the survey [kpc].
    """
    edge = REACH * inner_edge
    radius = length(position)
    energy = 0.5 * square(velocity) + _resting_potential(milky_way, radius)
    momentum2 = square(torch.linalg.cross(position, velocity, dim=0))
    at_edge = _resting_potential(milky_way, torch.full_like(energy[:, :1], edge))
    return (radius >= edge) | (energy >= at_edge + 0.5 * momentum2 / edge**2)


def _resting_potential(milky_way: NFW, radius: Tensor) -> Tensor:
    # the disc and bulge as their monopole far away: good enough to sort orbits, not to
    # move stars
    stars = -G * (BULGE_MASS + DISC_MASS) / torch.sqrt(radius**2 + DISC_SCALE**2)
    return milky_way.potential(radius) + stars


def evolve(
    position: Tensor,
    velocity: Tensor,
    potential: MovingPotential,
    inner_edge: float,
    share: float = STEP_SHARES["survey"],
    steps: Stepper | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns positions and velocities today `[3, B, N]`, and who was integrated `[B, N]`.

    Arguments:
        position: 2.2 Gyr ago [kpc].
        velocity: 2.2 Gyr ago [km/s].
        potential: The moving potential, in the stars' precision.
        inner_edge: Stars that cannot reach this radius today [kpc] stay as they were;
            with 0 all are integrated.
        share: The steps' share of the shortest local time-scale.
        steps: How a step is made; the compiled step where there is a compiler when
            None.
    """
    integrated = reaches(position, velocity, potential.milky_way, inner_edge)
    state = torch.cat([position, velocity]).flatten(1)
    today = state.clone()
    steps = steps or stepper(position.device.type)
    StarBatch(state, integrated, potential, share, steps).integrate(today)
    today = today.view(6, *integrated.shape)
    return today[:3], today[3:], integrated


@dataclass
class _Rows:
    """Stars in flight.

    Arguments:
        state: Positions and velocities, `[6, R, W]`.
        time: `[R, W]`; zero for a star that has reached today.
        star: Numbers among all stars, `[R, W]`; -1 where a row is filled up with a
            copy.
        simulation: Of each row, `[R]`, rising.
    """

    state: Tensor
    time: Tensor
    star: Tensor
    simulation: Tensor


class StarBatch:
    """All the stars to be integrated, of which some are in flight.

    Example:
        >>> from mwlmc.simulator import Simulator
        >>> potential = Simulator(stars=500).past(seed=1, indices=[0])[2].potential()
        >>> state = torch.tensor([[60.0], [0.0], [0.0], [0.0], [150.0], [0.0]])
        >>> batch = StarBatch(state, torch.ones(1, 1) > 0, potential, 0.5, Stepper())
        >>> today = state.clone()
        >>> batch.integrate(today)
        >>> bool(length(today[:3]) > 10.0)
        True
    """

    def __init__(
        self,
        state: Tensor,
        integrated: Tensor,
        potential: MovingPotential,
        share: float,
        steps: Stepper,
    ) -> None:
        self.state = state
        self.potential = potential
        self.steps = steps
        self.stars = integrated.shape[1]
        self.waiting = [
            row.nonzero()[:, 0] + number * self.stars
            for number, row in enumerate(integrated)
        ]
        self.share = torch.tensor(share, dtype=state.dtype, device=state.device)
        self.weights = stage_weights(state)
        self.room = _IN_FLIGHT[state.device.type]

    def integrate(self, today: Tensor) -> None:
        """Integrates all stars, and enters where they are today, `[6, B * N]`."""
        rows = self.refill(None)
        while rows is not None:
            field = self.potential.rows(rows.simulation)
            # tensors of their own, not views: to the compiler those are another case
            state = (rows.state[:3].clone(), rows.state[3:].clone(), rows.time)
            unknown = (torch.zeros_like(state[0]), torch.zeros_like(state[0]))
            fewest = self._fewest(rows.star.numel())
            in_flight = rows.star.numel()
            while in_flight > fewest:
                state = self.steps.advance(
                    state, field, self.share, self.weights, unknown
                )
                in_flight = int((state[2] < 0.0).sum())
            rows = _Rows(torch.cat(state[:2]), state[2], rows.star, rows.simulation)
            rows = self.refill(self.pop_finished(rows, today))

    def pop_finished(self, rows: _Rows, today: Tensor) -> _Rows:
        """Enters the stars that reached today; returns the others, not in rows: `[6, S]`, `[S]`."""
        state = rows.state.flatten(1)
        time = rows.time.flatten()
        star = rows.star.flatten()
        real = star >= 0
        finished = (real & ~(time < 0.0)).nonzero()[
            :, 0
        ]  # where time is not a number, it shows
        today[:, star[finished]] = state.index_select(1, finished)
        unfinished = (real & (time < 0.0)).nonzero()[:, 0]
        return _Rows(
            state.index_select(1, unfinished),
            time[unfinished],
            star[unfinished],
            rows.simulation,
        )

    def _fewest(self, places: int) -> int:
        # room for a whole simulation is used at once
        enough = int(_FULL * places)
        if self.waiting:
            enough = max(enough, self.room - len(self.waiting[0]))
        return enough

    def refill(self, left: _Rows | None) -> _Rows | None:
        """Returns rows of those still in flight and of as many waiting ones as there is room."""
        parts = [] if left is None else [left]
        count = 0 if left is None else len(left.star)
        while self.waiting and (not count or count + len(self.waiting[0]) <= self.room):
            star = self.waiting.pop(0)
            state = self.state.index_select(1, star)
            parts.append(_Rows(state, torch.full_like(state[0], -LOOKBACK), star, star))
            count += len(star)
        if not count:
            return None
        state = torch.cat([part.state for part in parts], dim=1)
        time, star = (
            torch.cat([getattr(p, name) for p in parts]) for name in ("time", "star")
        )
        return _full_rows(state, time, star, self.stars)


def _full_rows(state: Tensor, time: Tensor, star: Tensor, stars: int) -> _Rows:
    """Returns rows of stars `[6, S]`, `[S]`, `[S]`, ordered by simulation.

    A simulation's last row is filled up with copies of its last star, whose motion is
    thrown away.
    """
    simulation, count = torch.unique_consecutive(star // stars, return_counts=True)
    rows = (count + WIDTH - 1) // WIDTH
    rows[-1] += int(rows.sum()) == 1  # to the compiler, a single row is another case
    which = torch.repeat_interleave(torch.arange(len(rows), device=star.device), rows)
    number = (
        torch.arange(len(which), device=star.device) - (rows.cumsum(0) - rows)[which]
    )
    place = number[:, None] * WIDTH + torch.arange(WIDTH, device=star.device)
    size = count[which][:, None]
    source = (count.cumsum(0) - count)[which][:, None] + torch.minimum(place, size - 1)
    real = torch.where(place < size, star[source], -1)
    placed = state.index_select(1, source.flatten()).view(6, *source.shape)
    return _Rows(placed, time[source], real, simulation[which])
