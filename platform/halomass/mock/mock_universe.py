"""A mock universe, for when no catalogue is at hand. It is no simulation of structure formation.

Hosts are drawn one by one from what simulations have taught: how concentrated they are,
how many subhalos they have, how these fell in, alone or in groups; then each subhalo is
followed on its orbit to today. Smaller halos beyond the virial radius are drawn around
it. Mergers, filaments, planes of satellites and all halos that are not round are left
out.

`python -m halomass.study.acceptance` compares what the mock gives with the numbers that
it imitates.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from halomass import cosmology, systems
from halomass.mock import populations, surroundings
from halomass.mock.options import CATALOGUES, THRESHOLDS, CatalogueName
from halomass.mock.populations import CatalogueLimits, Population
from halomass.mock.structure import (
    CONCENTRATION_SCATTER,
    NFWHosts,
    median_log_concentration,
)
from halomass.systems import TEST, TRAIN, VALIDATION, FloatArray
from orrery.identity import JSON
from orrery.parameters import generator
from orrery.records import Records, Schema

VERSION = 2  # of the mock universe; raised whenever its numbers change

Velocities = Literal["orbits", "jeans"]

PARTICLE_MASSES = {"ESMDPL": 3.3e5, "VSMDPL": 6.2e6}  # [Msun/h]
BOXES = {"ESMDPL": 64.0, "VSMDPL": 160.0}  # sides [Mpc/h]

# Of halos with so many particles at their peak, half are found and followed.
_PARTICLES = 100.0
_PARTICLES_SCATTER = 0.15  # [dex]
# Log masses are uniform up to the first, and fall exponentially beyond, by the second.
_FLAT = 13.8  # [dex(solMass)]
_FALL = 0.25  # [dex]
_STEEPEST = 0.5  # with more, satellites close in would lose all at once


@dataclass(frozen=True)
class MockUniverse:
    """Draws hosts with their neighbours.

    Example:
        >>> universe = MockUniverse(heaviest=11.5)
        >>> records = universe.records(1, range(3))
        >>> len(records), sorted(records.particles)[:3]
        (3, ['log_m_peak', 'log_m_star', 'r'])
        >>> records.scalars["x"][2] == universe.records(1, [2]).scalars["x"][0]
        np.True_
    """

    catalogue: CatalogueName = "ESMDPL/UM-SAGA"
    """Which catalogue is imitated: the simulation's resolution and the model's satellites."""
    velocities: Velocities = "orbits"
    """Whether satellites are followed on orbits, or drawn from equilibrium by Jeans' equation."""
    lightest: float = 10.5
    """log10 of the smallest virial mass of hosts [dex(solMass)]."""
    heaviest: float = 14.5
    """log10 of their largest virial mass. Log masses are uniform up to 13.8, then ever fewer."""
    closest: float = 5.0
    """The smallest distance of a neighbour [kpc]."""
    isolation: float = systems.ISOLATION
    """The smallest distance of a halo that is larger than the host [kpc]."""
    neighbours_kept: int = 100
    """How many neighbours of a host are kept, those with the most stars."""
    train: float = 0.65
    """Hosts below this fraction of the box along x are for training."""
    test: float = 0.75
    """Hosts from this fraction of the box on are for tests; those in between are for validation."""
    steeper_tides: float = 0.0
    """By how much faster than usual mass loss falls with the pericentre: the power's change."""

    def __post_init__(self) -> None:
        if self.catalogue not in CATALOGUES:
            raise ValueError(
                f"no catalogue {self.catalogue!r}: choose one of {CATALOGUES}"
            )
        if self.velocities not in ("orbits", "jeans"):
            raise ValueError(
                f"no velocities {self.velocities!r}: choose 'orbits' or 'jeans'"
            )
        if not 10.0 <= self.lightest < self.heaviest <= 15.0:
            raise ValueError(
                f"lightest {self.lightest} and heaviest {self.heaviest} must rise in this order, "
                "from 10 to 15 dex(solMass)"
            )
        if not 0.0 < self.closest < systems.RADIUS <= self.isolation:
            raise ValueError(
                f"closest {self.closest} kpc must be above 0 and below {systems.RADIUS:g}, and "
                f"isolation {self.isolation} kpc not below"
            )
        if self.neighbours_kept < 1:
            raise ValueError(
                f"neighbours_kept {self.neighbours_kept} must be 1 or more"
            )
        if not 0.0 < self.train <= self.test < 1.0:
            raise ValueError(
                f"train {self.train} and test {self.test} must rise in this order between 0 and 1"
            )
        if not abs(self.steeper_tides) <= _STEEPEST:
            raise ValueError(
                f"steeper_tides {self.steeper_tides} must be from -{_STEEPEST:g} to {_STEEPEST:g}"
            )

    @property
    def limits(self) -> CatalogueLimits:
        """What the catalogue keeps."""
        simulation, model = self.catalogue.split("/")
        particle = PARTICLE_MASSES[simulation] / cosmology.HUBBLE_PARAMETER
        return CatalogueLimits(
            radius=systems.RADIUS,
            log_m_peak=systems.LOG_M_PEAK,
            threshold=THRESHOLDS[model],
            resolved=float(np.log10(_PARTICLES * particle)),
            resolved_scatter=_PARTICLES_SCATTER,
            equilibrium=self.velocities == "jeans",
            steeper_tides=self.steeper_tides,
        )

    @property
    def schema(self) -> Schema:
        """The columns of the records."""
        return systems.SCHEMA

    @property
    def gpus(self) -> float:
        """The fraction of a GPU that it needs."""
        return 0.0

    @property
    def versions(self) -> dict[str, int]:
        """The version of the code that decides the records."""
        return {"mock": VERSION}

    def describe(self) -> JSON:
        """Returns all that decides the records, as plain JSON."""
        options = asdict(self)
        if not self.steeper_tides:
            # hosts of usual tides are known as they were before there was a choice
            del options["steeper_tides"]
        return {
            "options": options,
            "units": {"length": "kpc", "velocity": "km / s", "mass": "dex(solMass)"},
            "versions": self.versions,
            "about": {
                "model": f"MOCK universe in the manner of {self.catalogue}: not a simulation"
            },
        }

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        """Returns the systems with the given numbers.

        Arguments:
            seed: The root seed.
            indices: The systems' numbers; each depends on `seed` and on its number
                alone.
        """
        drawn = self._draw(seed, indices)
        kept, offsets = self._ranked(self._around(drawn), len(indices))
        names = (column.name for column in systems.SCHEMA.particles)
        particles = {name: getattr(kept, name) for name in names}
        return Records(self._scalars(drawn, indices), particles, offsets)

    def neighbours(
        self, seed: int, indices: Sequence[int]
    ) -> tuple[NFWHosts, Population]:
        """Returns hosts and all halos around them that the mock knows, at any distance.

        Arguments:
            seed: The root seed.
            indices: The systems' numbers.
        """
        drawn = self._draw(seed, indices)
        return drawn.hosts, self._around(drawn)

    def log_mass(self, probability: FloatArray) -> FloatArray:
        """Returns log10 of the masses [Msun] below which the given fractions of hosts lie."""
        low = self.lightest
        high = self.heaviest
        bend = float(np.clip(_FLAT, low, high))
        tail = _FALL * -np.expm1((bend - high) / _FALL)
        place = probability * (bend - low + tail)
        # log1p(-1) is infinite: rounding must not reach the end of the tail
        beyond = np.clip((place - (bend - low)) / _FALL, 0.0, 1 - 1e-12)
        return np.where(
            place < bend - low, low + place, bend - _FALL * np.log1p(-beyond)
        )

    def density(self, log_mass: FloatArray) -> FloatArray:
        """Returns how many hosts are drawn at masses [dex(solMass)], without normalisation."""
        inside = (log_mass >= self.lightest) & (log_mass <= self.heaviest)
        return inside * np.exp(-np.maximum(log_mass - _FLAT, 0.0) / _FALL)

    # --- the stages ------------------------------------------------------------------------

    def _draw(self, seed: int, indices: Sequence[int]) -> "_Drawn":
        # in this order for ever: a new draw goes to the end, or all hosts change
        streams = [generator(seed, int(index)) for index in indices]
        uniform = np.stack([stream.random(2) for stream in streams], axis=1)
        exponential = np.stack(
            [stream.standard_exponential(2) for stream in streams], axis=1
        )
        normal = np.stack([stream.standard_normal(3) for stream in streams], axis=1)
        log_mass = self.log_mass(uniform[0])
        log_concentration = (
            median_log_concentration(log_mass) + CONCENTRATION_SCATTER * normal[0]
        )
        hosts = NFWHosts(log_mass, 10.0**log_concentration)
        return _Drawn(streams, hosts, uniform[1], exponential, normal[1:])

    def _around(self, drawn: "_Drawn") -> Population:
        hosts = drawn.hosts
        limits = self.limits
        smallest = populations.smallest_ratio(hosts, limits)
        fallen = populations.expected_subhalos(smallest, drawn.normal[0])
        falling = populations.expected_infalling(hosts, limits, drawn.normal[1])
        inside = populations.draw_population(drawn.streams, fallen)
        outside = populations.draw_population(drawn.streams, falling)
        satellites = populations.surviving_satellites(hosts, smallest, inside, limits)
        return satellites + populations.infalling(hosts, outside, limits)

    def _ranked(
        self, found: Population, hosts: int
    ) -> tuple[Population, NDArray[np.int32]]:
        """Returns the neighbours that are kept, host after host, and where each host's begin."""
        found = found[(found.r >= self.closest) & (found.r <= systems.RADIUS)]
        found = found[np.lexsort((-found.log_m_star, found.host))]
        first = np.searchsorted(found.host, np.arange(hosts))
        kept = found[
            np.arange(len(found.host)) - first[found.host] < self.neighbours_kept
        ]
        return kept, np.searchsorted(kept.host, np.arange(hosts + 1)).astype(np.int32)

    def _scalars(
        self, drawn: "_Drawn", indices: Sequence[int]
    ) -> dict[str, NDArray[np.generic]]:
        log_mass = drawn.hosts.log_mass
        number = np.asarray(indices, np.int64)
        around = surroundings.nearest_larger_halos(
            log_mass, self.isolation, drawn.exponential
        )
        middle = np.where(drawn.x < self.train, TRAIN, VALIDATION)
        return {
            "index": number,
            "log_m_vir": log_mass,
            "id": number,
            "scale": np.ones(len(number)),
            "x": drawn.x,
            "split": np.where(drawn.x < self.test, middle, TEST).astype(np.int8),
            "distance_larger": around.distance_larger,
            "distance_cluster": around.distance_cluster,
        }


@dataclass(frozen=True)
class _Drawn:
    """B hosts, with what else was drawn for them.

    Arguments:
        streams: The generators of what is drawn next, one for each host.
        hosts: The hosts.
        x: Their place in the box, with shape `[B]`.
        exponential: For the nearest larger halo and the nearest cluster, with shape
            `[2, B]`.
        normal: For the abundance of satellites and of infalling halos, with shape `[2,
            B]`.
    """

    streams: list[np.random.Generator]
    hosts: NFWHosts
    x: FloatArray
    exponential: FloatArray
    normal: FloatArray
