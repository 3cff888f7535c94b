"""One simulation, from prior to stars today.

Parameters are drawn, both galaxies are rewound, a stellar halo in equilibrium is sampled 2.2 Gyr
ago and carried to today, and the reflex motion is fitted to its outer stars. What a survey would
make of the stars is left to the summaries, so that a new binning needs no new simulation.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import orrery.parameters
from mwlmc import (
    distribution,
    frames,
    parameters,
    potentials,
    reflex,
    stellar_halo,
    trajectories,
)
from orrery.parameters import FloatArray, generator
from orrery.records import JSON, Column, Records, Schema, code_fingerprint

_PARAMETERS_DRAW, _STARS_DRAW = 0, 1  # the two random streams of a simulation
_TOGETHER = 8  # simulations whose stars are carried in one go
_MOST_DRAWS = 100
FEWEST_STARS = 500
_CLIPPED = 1e-3  # of the tracer: a smaller share is rounding of the inversion

PHASE_SPACE = ("x", "y", "z", "vx", "vy", "vz")

_DERIVED = (
    Column("c200", "", "concentration of the Milky Way's NFW halo"),
    Column("a_lmc", "kpc", "Hernquist scale radius of the LMC"),
    Column("log10_m_mw_50", "dex(solMass)", "Milky Way mass within 50 kpc, stars included"),
    Column("log10_m_lmc_50", "dex(solMass)", "LMC mass within 50 kpc of its centre"),
    Column("df_clipped_share", "", "share of the stars that a non-negative f cannot make"),
    Column("df_clipped", "", "1 if that share is above 0.001", "int32"),
    Column("runaways", "", "draws before this one whose rewind ran away", "int32"),
    Column("carried", "", "stars that could reach the survey and were integrated", "int32"),
)
_LMC = tuple(
    Column(f"lmc_{name}", "km / s" if name.startswith("v") else "kpc", "LMC today, Galactocentric")
    for name in PHASE_SPACE
)
_REFLEX = tuple(
    Column(name, "km / s", "reflex motion, Petersen & Penarrubia (2021)")
    for name in reflex.Reflex.__dataclass_fields__
)
_PARTICLES = tuple(
    Column(name, "km / s" if name.startswith("v") else "kpc", "star, Galactocentric", "float16")
    for name in PHASE_SPACE
)


@dataclass(frozen=True)
class Simulator:
    """The rigid Milky Way - LMC model of Brooks et al. (2025b).

    Arguments:
        proposal: How the LMC's sky coordinates are drawn: `table1` or `observed`.
        stars: Halo stars of a simulation.
        inner_edge: Only stars beyond this are kept [kpc].
        outer_edge: Only stars within this are kept [kpc].
        equilibrium: The potential of the halo before the LMC: `halo` (NFW alone) or `total`.
        circular_velocity: At 8.3 kpc, which fixes the concentration [km/s].
        reflex_shell: Distances of the stars that define the travel velocity [kpc].
    """

    proposal: parameters.Proposal = "observed"
    stars: int = 20_000
    inner_edge: float = 30.0
    outer_edge: float = 500.0
    equilibrium: distribution.Equilibrium = "halo"
    circular_velocity: float = potentials.CIRCULAR_VELOCITY
    reflex_shell: tuple[float, float] = (50.0, 100.0)

    def __post_init__(self) -> None:
        parameters.prior(self.proposal)
        if self.stars < FEWEST_STARS:
            raise ValueError(
                f"stars = {self.stars} must be {FEWEST_STARS} or more: fewer do not fix the reflex"
            )
        inner, outer = self.reflex_shell
        # stars that cannot reach the inner edge are not carried, so the shell must not need them
        if not 0.0 < self.inner_edge <= inner < outer <= self.outer_edge:
            raise ValueError(
                f"inner_edge {self.inner_edge}, reflex_shell {self.reflex_shell} and outer_edge "
                f"{self.outer_edge} kpc must rise in this order"
            )
        distribution.spherical_potential(1e12, 20.0, self.equilibrium)
        potentials.concentration(np.array([parameters.LIGHTEST_MILKY_WAY]), self.circular_velocity)

    @property
    def schema(self) -> Schema:
        """The columns of the records."""
        drawn = tuple(
            Column(p.name, p.unit, "model parameter")
            for p in parameters.prior(self.proposal).parameters
        )
        index = Column("index", "", "number of the simulation", "int64")
        return Schema((index, *drawn, *_DERIVED, *_LMC, *_REFLEX), _PARTICLES)

    def describe(self) -> JSON:
        """Returns all that decides the records, as plain JSON."""
        code = (
            *(parameters, frames, potentials, trajectories, distribution, stellar_halo, reflex),
            *(orrery.parameters, sys.modules[__name__]),
        )
        return {
            "model": "rigid Milky Way - LMC, Brooks et al. (2025b)",
            "options": asdict(self),
            "prior": parameters.prior(self.proposal).describe(),
            "frame": "Galactocentric, right-handed, Sun at (-8.3, 0, 0.02) kpc",
            "units": {"length": "kpc", "velocity": "km / s", "mass": "solMass"},
            # Compiled sums round differently: such shards must not stand beside others.
            "compiled": stellar_halo.can_compile(),
            "code": code_fingerprint(*code),
        }

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        """Returns the records of the simulations with the given numbers.

        Arguments:
            seed: The root seed.
            indices: The simulations' numbers; each one's parameters and stars depend on `seed` and
                on its number alone.
        """
        theta, runaways = self.draw(seed, indices)
        streams = [generator(seed, index, _STARS_DRAW) for index in indices]
        records = self.simulate(theta, streams)
        numbers: dict[str, NDArray[Any]] = {
            "index": np.asarray(indices, np.int64),
            "runaways": runaways,
        }
        return Records({**records.scalars, **numbers}, records.particles, records.offsets)

    def draw(self, seed: int, indices: Sequence[int]) -> tuple[FloatArray, NDArray[np.int32]]:
        """Returns parameters `[B, P]` whose rewinds are bound, and the runaways before each `[B]`.

        Raises:
            ValueError: If a hundred draws of one simulation all ran away.
        """
        prior = parameters.prior(self.proposal)
        streams = [generator(seed, index, _PARAMETERS_DRAW) for index in indices]
        theta = np.concatenate([prior.draw(stream) for stream in streams])
        runaways = np.zeros(len(indices), dtype=np.int32)
        for _ in range(_MOST_DRAWS):
            lost = np.flatnonzero(self._runaway(theta))
            if not len(lost):
                return theta, runaways
            theta[lost] = np.concatenate([prior.draw(streams[i]) for i in lost])
            runaways[lost] += 1
        raise ValueError(
            f"simulation {indices[int(lost[0])]}: {_MOST_DRAWS} rewinds in a row ran away: narrow "
            "the prior of log10_lambda_df"
        )

    def _runaway(self, theta: FloatArray) -> NDArray[np.bool_]:
        named = parameters.columns(theta, parameters.prior(self.proposal).names)
        return self._rewind(named)[1].runaway.numpy()

    def _rewind(
        self, named: dict[str, NDArray[Any]]
    ) -> tuple[trajectories.Galaxies, trajectories.Trajectories]:
        mass = named["m200_mw"]
        galaxies = trajectories.Galaxies(
            potentials.milky_way_halo(mass, potentials.concentration(mass, self.circular_velocity)),
            potentials.lmc_halo(named["m_lmc"]),
            torch.as_tensor(10.0 ** named["log10_lambda_df"])[:, None],
        )
        position, velocity = lmc_today(named)
        start = torch.as_tensor(position.T), torch.as_tensor(velocity.T)
        return galaxies, trajectories.rewind(*start, galaxies)

    def simulate(self, theta: FloatArray, streams: Sequence[np.random.Generator]) -> Records:
        """Returns the records of parameters `theta [B, P]`, without index and runaways.

        Arguments:
            theta: The prior's eleven parameters, in its order.
            streams: One random generator for each simulation's stars.
        """
        named = parameters.columns(theta, parameters.prior(self.proposal).names)
        galaxies, paths = self._rewind(named)
        position, velocity, clipped = self._sample(galaxies, named, streams)
        today = []
        for first in range(0, len(theta), _TOGETHER):
            some = slice(first, first + _TOGETHER)
            potential = stellar_halo.MovingPotential(
                galaxies.milky_way, potentials.stellar_table(), galaxies.lmc, paths
            ).take(some)
            today.append(
                stellar_halo.carry(position[:, some], velocity[:, some], potential, self.inner_edge)
            )
        x, v, carried = (torch.cat(part, dim=-2) for part in zip(*today, strict=True))
        scalars = {
            **named,
            **self._derived(galaxies, named),
            **_phase_space_today(named),
            **self._reflex(x.numpy(), v.numpy()),
            "df_clipped_share": clipped,
            "df_clipped": (clipped > _CLIPPED).astype(np.int32),
            "carried": carried.sum(1).numpy().astype(np.int32),
        }
        return Records(scalars, *self._kept(x.numpy(), v.numpy()))

    def _sample(
        self,
        galaxies: trajectories.Galaxies,
        named: dict[str, NDArray[Any]],
        streams: Sequence[np.random.Generator],
    ) -> tuple[torch.Tensor, torch.Tensor, FloatArray]:
        """Returns stars 2.2 Gyr ago, twice `[3, B, N]`, and the clipped shares `[B]`."""
        halo = galaxies.milky_way
        positions, velocities, clipped = [], [], []
        for b, random in enumerate(streams):
            potential = distribution.spherical_potential(
                float(halo.amplitude[b]), float(halo.scale[b]), self.equilibrium
            )
            f = distribution.distribution_function(
                potential, float(named["beta0"][b]), float(named["r_dehnen"][b])
            )
            position, velocity = f.sample(self.stars, random)
            positions.append(position.astype(np.float32))
            velocities.append(velocity.astype(np.float32))
            clipped.append(f.clipped)
        stars = [torch.as_tensor(np.stack(part, axis=1)) for part in (positions, velocities)]
        return stars[0], stars[1], np.array(clipped)

    def _derived(
        self, galaxies: trajectories.Galaxies, named: dict[str, NDArray[Any]]
    ) -> dict[str, NDArray[Any]]:
        edge = torch.full((len(named["m_lmc"]), 1), 50.0, dtype=torch.float64)
        halo = galaxies.milky_way.enclosed_mass(edge)[:, 0].numpy()
        stars = potentials.stellar_mass_within(50.0)
        lmc = galaxies.lmc.enclosed_mass(edge)[:, 0].numpy()
        return {
            "c200": potentials.concentration(named["m200_mw"], self.circular_velocity),
            "a_lmc": galaxies.lmc.scale[:, 0].numpy(),
            "log10_m_mw_50": np.log10(halo + stars),
            "log10_m_lmc_50": np.log10(lmc),
        }

    def _reflex(self, x: FloatArray, v: FloatArray) -> dict[str, NDArray[Any]]:
        fits = []
        for position, velocity in zip(x.transpose(1, 2, 0), v.transpose(1, 2, 0), strict=True):
            chosen = reflex.shell(position, *self.reflex_shell)
            fits.append(asdict(reflex.fit_error_free(position[chosen], velocity[chosen])))
        return {name: np.array([fit[name] for fit in fits]) for name in fits[0]}

    def _kept(
        self, x: FloatArray, v: FloatArray
    ) -> tuple[dict[str, NDArray[Any]], NDArray[np.int32]]:
        """Returns the particle columns of the stars within the edges, and their offsets."""
        radius2 = (x.astype(np.float64) ** 2).sum(0)
        kept = (radius2 >= self.inner_edge**2) & (radius2 < self.outer_edge**2)
        offsets = np.concatenate([[0], np.cumsum(kept.sum(1))]).astype(np.int32)
        state = np.concatenate([x, v])
        return {n: state[i][kept].astype(np.float16) for i, n in enumerate(PHASE_SPACE)}, offsets


def lmc_today(named: dict[str, NDArray[Any]]) -> tuple[FloatArray, FloatArray]:
    """Returns the LMC's Galactocentric position [kpc] and velocity [km/s] today, each `[B, 3]`."""
    return frames.sky_to_galactocentric(
        np.radians(named["ra_lmc"]),
        np.radians(named["dec_lmc"]),
        named["d_lmc"],
        named["vlos_lmc"],
        named["pmra_lmc"],
        named["pmdec_lmc"],
    )


def _phase_space_today(named: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    state = np.concatenate(lmc_today(named), axis=1)
    return {f"lmc_{name}": state[:, i] for i, name in enumerate(PHASE_SPACE)}
