"""One simulation, from prior to stars today.

Parameters are drawn, both galaxies are rewound, a stellar halo in equilibrium is
sampled 2.2 Gyr ago and evolved to today, and the reflex motion is fitted to its outer
stars. What a survey would make of the stars is left to the summaries, so that a new
binning needs no new simulation.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mwlmc import parameters, record_schema
from mwlmc.model import (
    agama_engine,
    disc_and_bulge,
    distribution,
    engines,
    lmc,
    potentials,
    reflex,
    stellar_halo,
    trajectories,
)
from mwlmc.model.constants import CIRCULAR_VELOCITY
from mwlmc.model.options import Accuracy, Device, Engine, Equilibrium
from mwlmc.model.past import Past
from mwlmc.model.vectors import length
from orrery.identity import JSON
from orrery.parameters import FloatArray, Prior, generator
from orrery.records import Records, Schema

VERSION = 2  # of the engine; raised whenever its numbers change

# The two random streams of a simulation: its parameters do not depend on its stars.
_PARAMETERS_STREAM = 0
STARS_STREAM = 1
_MOST_DRAWS = 100
FEWEST_STARS = 500
_SHARE_OF_A_GPU = 1 / 16
CLIPPED_SHARE = 1e-3  # of the tracer: a smaller share is rounding of the inversion


@dataclass(frozen=True)
class StarParticles:
    """The stars of B simulations.

    Arguments:
        position: Galactocentric [kpc], float32, with shape `[3, B, N]`.
        velocity: [km/s], float32, with shape `[3, B, N]`.
        clipped: The shares of the stars that a non-negative f cannot make, with shape
            `[B]`.
        integrated: How many could reach the survey and were integrated, with shape `[B]`.

    Example:
        >>> stars = StarParticles(
        ...     position=torch.zeros(3, 2, 500),
        ...     velocity=torch.zeros(3, 2, 500),
        ...     clipped=np.zeros(2),
        ...     integrated=np.zeros(2, np.int32),
        ... )
        >>> stars.position.shape[1]
        2
    """

    position: torch.Tensor
    velocity: torch.Tensor
    clipped: FloatArray
    integrated: NDArray[np.int32]


@dataclass(frozen=True)
class Simulator:
    """The rigid Milky Way - LMC model of Brooks et al. (2025b).

    Arguments:
        proposal: How the LMC's sky coordinates are drawn: `table1` or `observed`.
        lmc_mass: How the LMC's mass is drawn: `table1` or `wide`; with `none` there is no
            LMC, and its columns are those of a point without mass.
        stars: Halo stars of a simulation.
        inner_edge: Only stars beyond this are kept [kpc].
        outer_edge: Only stars within this are kept [kpc].
        equilibrium: The potential of the halo before the LMC: `halo` (NFW alone) or
            `total`.
        circular_velocity: At 8.3 kpc, which fixes the concentration [km/s].
        reflex_shell: Distances of the stars that define the travel velocity [kpc].
        accuracy: How finely the embedded engine follows orbits: `survey`, whose errors
            move no binned mean or dispersion, or `orbit`, whose single stars are right.
        engine: What integrates the stars' orbits: `torch`, embedded, or `agama`, where it is
            installed.
        device: Where the embedded engine does: `cpu`, or `cuda`, a GPU.
        tracer: The density of the halo stars: `dehnen`, or `double-power-law`, whose outer
            slope is drawn too.

    Example:
        >>> simulator = Simulator(stars=500)
        >>> simulator.prior.names[:3]
        ('m200_mw', 'm_lmc', 'log10_lambda_df')
        >>> "log10_m_mw_halo_50" in [column.name for column in simulator.schema.scalars]
        True
    """

    proposal: parameters.Proposal = "observed"
    lmc_mass: parameters.AnyLMCMass = "table1"
    stars: int = 20_000
    inner_edge: float = 30.0
    outer_edge: float = 500.0
    equilibrium: Equilibrium = "halo"
    circular_velocity: float = CIRCULAR_VELOCITY
    reflex_shell: tuple[float, float] = (50.0, 100.0)
    accuracy: Accuracy = "survey"
    engine: Engine = "torch"
    device: Device = "cpu"
    tracer: parameters.Tracer = "dehnen"

    def __post_init__(self) -> None:
        parameters.prior(self.proposal, self.lmc_mass, self.tracer)
        if self.stars < FEWEST_STARS:
            raise ValueError(
                f"stars = {self.stars} must be {FEWEST_STARS} or more: fewer do not fix the reflex"
            )
        inner, outer = self.reflex_shell
        # stars that cannot reach the inner edge are not integrated: no shell may need them
        if not 0.0 < self.inner_edge <= inner < outer <= self.outer_edge:
            raise ValueError(
                f"inner_edge {self.inner_edge}, reflex_shell {self.reflex_shell} and outer_edge "
                f"{self.outer_edge} kpc must rise in this order"
            )
        if self.lmc_mass == "none" and self.engine == "agama":
            raise ValueError(
                "agama simulates no Milky Way without an LMC: choose the engine torch"
            )
        engines.check_engine(self.engine, self.device, self.accuracy, self.tracer)
        distribution.spherical_potential(1e12, 20.0, self.equilibrium)
        potentials.concentration(
            np.array([parameters.LIGHTEST_MILKY_WAY]), self.circular_velocity
        )

    @property
    def prior(self) -> Prior:
        """The prior of the model's parameters."""
        return parameters.prior(self.proposal, self.lmc_mass, self.tracer)

    @property
    def schema(self) -> Schema:
        """The columns of the records."""
        return record_schema.schema(self.prior.parameters)

    @property
    def gpus(self) -> float:
        """The share of a GPU that a process needs: several fill one while others draw and write."""
        return _SHARE_OF_A_GPU if self.device == "cuda" else 0.0

    @property
    def first_use(self) -> str:
        """What this machine has still to do before its first simulation, for the user."""
        return engines.first_use(self.engine, self.device)

    @property
    def versions(self) -> dict[str, int]:
        """The versions of the code that decides the records."""
        versions = {"engine": VERSION, "distribution": distribution.VERSION}
        if self.engine == "agama":
            versions["agama_engine"] = agama_engine.VERSION
        return versions

    @property
    def rounding(self) -> str:
        """What decides the last bits of stars here, next to processor and torch."""
        return engines.rounding(self.engine, self.device)

    def describe(self) -> JSON:
        """Returns all that decides the records, as plain JSON."""
        options = asdict(self)
        if self.tracer == "dehnen":
            del options["tracer"]  # datasets of before there was a choice are the same
        return {
            "options": options,
            "prior": self.prior.describe(),
            "units": {"length": "kpc", "velocity": "km / s", "mass": "solMass"},
            "agama": agama_engine.agama_version() if self.engine == "agama" else None,
            "versions": self.versions,
            "about": {
                "model": "rigid Milky Way - LMC, Brooks et al. (2025b)",
                "frame": "Galactocentric, right-handed, Sun at (-8.3, 0, 0.02) kpc",
            },
        }

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        """Returns the records of the simulations with the given numbers.

        Arguments:
            seed: The root seed.
            indices: The simulations' numbers; each one's parameters and stars depend on
                `seed` and on its number alone.
        """
        _, runaways, past = self.past(seed, indices)
        # one stream for each index: results do not depend on the batch or the actor
        streams = [generator(seed, index, STARS_STREAM) for index in indices]
        records = self._records(past, streams)
        numbers: dict[str, NDArray[Any]] = {
            "index": np.asarray(indices, np.int64),
            "runaways": runaways,
        }
        return Records(
            {**records.scalars, **numbers}, records.particles, records.offsets
        )

    def simulate(
        self, theta: FloatArray, streams: Sequence[np.random.Generator]
    ) -> Records:
        """Returns the records of parameters `theta [B, P]`, without index and runaways.

        Arguments:
            theta: The prior's parameters, in its order.
            streams: One random generator for each simulation's stars.
        """
        return self._records(self.rewind(theta), streams)

    def _records(self, past: Past, streams: Sequence[np.random.Generator]) -> Records:
        stars = self.stars_today(past, streams)
        scalars = {
            **past.named,
            **self._derived(past),
            **_phase_space_today(past.named),
            **self.reflex_motion(stars),
            "df_clipped_share": stars.clipped,
            "df_clipped": (stars.clipped > CLIPPED_SHARE).astype(np.int32),
            "integrated": stars.integrated,
        }
        particles, offsets = self.particles(stars)
        return Records(scalars, particles, offsets)

    # --- the stages of a simulation ----------------------------------------------------------

    def past(
        self, seed: int, indices: Sequence[int]
    ) -> tuple[FloatArray, NDArray[np.int32], Past]:
        """Returns parameters `[B, P]` with bound rewinds, the runaways before each, the rewinds.

        Arguments:
            seed: The root seed.
            indices: The numbers of B simulations.

        Raises:
            ValueError: If a hundred draws of one simulation all ran away.
        """
        prior = self.prior
        streams = [generator(seed, index, _PARAMETERS_STREAM) for index in indices]
        theta = np.concatenate([prior.draw(stream) for stream in streams])
        runaways = np.zeros(len(indices), dtype=np.int32)
        for _ in range(_MOST_DRAWS):
            past = self.rewind(theta)
            lost = np.flatnonzero(past.trajectories.runaway.numpy())
            if not len(lost):
                return theta, runaways, past
            # A runaway has no history within the model; the parameters are drawn again,
            # and the count of such draws is kept in the record.
            theta[lost] = np.concatenate([prior.draw(streams[i]) for i in lost])
            runaways[lost] += 1
        raise ValueError(
            f"simulation {indices[int(lost[0])]}: {_MOST_DRAWS} rewinds in a row ran away: narrow "
            "the prior of log10_lambda_df"
        )

    def rewind(self, theta: FloatArray) -> Past:
        """Returns the pasts of parameters `[B, P]`; those that ran away are marked."""
        named = parameters.columns(theta, self.prior.names)
        mass = named["m200_mw"]
        galaxies = trajectories.Galaxies(
            potentials.milky_way_halo(
                mass, potentials.concentration(mass, self.circular_velocity)
            ),
            potentials.lmc_halo(named["m_lmc"]),
            torch.as_tensor(10.0 ** named["log10_lambda_df"])[:, None],
        )
        position, velocity = lmc.lmc_today(named)
        rewound = trajectories.rewind(
            torch.as_tensor(position.T), torch.as_tensor(velocity.T), galaxies
        )
        return Past(named, galaxies, rewound)

    def stars_today(
        self, past: Past, streams: Sequence[np.random.Generator]
    ) -> StarParticles:
        """Returns the stars today, by whichever engine.

        Arguments:
            past: Of B simulations.
            streams: One random generator for each simulation's stars.
        """
        if self.engine == "torch":
            return self.evolved(past, self.initial_stars(past, streams))
        seeds = [int(stream.integers(1, 2**31 - 1)) for stream in streams]
        halo = agama_engine.simulate(
            past.named,
            self.stars,
            seeds,
            equilibrium=self.equilibrium,
            circular_velocity=self.circular_velocity,
        )
        # agama integrates all stars, also those that cannot reach the survey
        everyone = np.full(len(seeds), self.stars, dtype=np.int32)
        return StarParticles(halo.position, halo.velocity, halo.clipped, everyone)

    def initial_stars(
        self, past: Past, streams: Sequence[np.random.Generator]
    ) -> StarParticles:
        """Returns the stars 2.2 Gyr ago, none of them evolved yet."""
        halo = past.galaxies.milky_way
        named = past.named
        slopes = named.get("outer_slope", [distribution.DEHNEN_SLOPE] * len(streams))
        stars = np.empty((2, 3, len(streams), self.stars), np.float32)
        clipped = np.empty(len(streams))
        for b, random in enumerate(streams):
            potential = distribution.spherical_potential(
                float(halo.amplitude[b]), float(halo.scale[b]), self.equilibrium
            )
            f = distribution.distribution_function(
                potential,
                float(named["beta0"][b]),
                float(named["r_dehnen"][b]),
                float(slopes[b]),
            )
            stars[:, :, b] = f.sample(self.stars, random)
            clipped[b] = f.clipped
        position, velocity = torch.as_tensor(stars)
        return StarParticles(
            position, velocity, clipped, np.zeros(len(streams), np.int32)
        )

    def evolved(self, past: Past, stars: StarParticles) -> StarParticles:
        """Returns the stars today, by the embedded engine."""
        potential = past.potential(self.device)
        x, v, integrated = stellar_halo.evolve(
            stars.position.to(self.device),
            stars.velocity.to(self.device),
            potential,
            self.inner_edge,
            stellar_halo.STEP_SHARES[self.accuracy],
        )
        count = integrated.sum(1).cpu().numpy().astype(np.int32)
        return StarParticles(x.cpu(), v.cpu(), stars.clipped, count)

    def reflex_motion(self, stars: StarParticles) -> dict[str, NDArray[Any]]:
        """Returns the reflex columns, each `[B]`: fits to the stars of the shell."""
        fits = []
        inner, outer = self.reflex_shell
        x = stars.position.numpy()
        v = stars.velocity.numpy()
        for position, velocity in zip(
            x.transpose(1, 2, 0), v.transpose(1, 2, 0), strict=True
        ):
            chosen = reflex.shell(position, inner, outer)
            fit = reflex.fit_error_free(position[chosen], velocity[chosen])
            fits.append(asdict(fit))
        return {name: np.array([fit[name] for fit in fits]) for name in fits[0]}

    def particles(
        self, stars: StarParticles
    ) -> tuple[dict[str, NDArray[Any]], NDArray[np.int32]]:
        """Returns the particle columns of the stars within the edges, and their offsets."""
        radius = length(stars.position.double())
        kept = ((radius >= self.inner_edge) & (radius < self.outer_edge)).numpy()
        offsets = np.concatenate([[0], np.cumsum(kept.sum(1))]).astype(np.int32)
        state = torch.cat([stars.position, stars.velocity]).numpy()
        return {
            # rounding: 0.03 kpc at 100 kpc, 0.06 km/s at 200 km/s, far below a bin's error
            n: state[i][kept].astype(np.float16)
            for i, n in enumerate(record_schema.PHASE_SPACE)
        }, offsets

    def _derived(self, past: Past) -> dict[str, NDArray[Any]]:
        galaxies = past.galaxies
        mass = past.named["m200_mw"]
        edge = torch.full((len(mass), 1), 50.0, dtype=torch.float64)
        halo = galaxies.milky_way.enclosed_mass(edge)[:, 0].numpy()
        stars = disc_and_bulge.stellar_mass_within(50.0)
        lmc_mass = galaxies.lmc.enclosed_mass(edge)[:, 0].numpy()
        # of no mass it is minus infinity, which nobody can infer
        with np.errstate(divide="ignore"):
            log_lmc_mass = np.log10(lmc_mass)
        return {
            "c200": potentials.concentration(mass, self.circular_velocity),
            "a_lmc": galaxies.lmc.scale[:, 0].numpy(),
            "log10_m_mw_halo_50": np.log10(halo),
            "log10_m_mw_total_50": np.log10(halo + stars),
            "log10_m_lmc_50": log_lmc_mass,
        }


def _phase_space_today(named: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    state = np.concatenate(lmc.lmc_today(named), axis=1)
    return {
        f"lmc_{name}": state[:, i] for i, name in enumerate(record_schema.PHASE_SPACE)
    }
