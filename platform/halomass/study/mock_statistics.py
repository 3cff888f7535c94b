"""What the mock universe gives: numbers of its hosts, satellites and surroundings."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from halomass.cosmology import HUBBLE_PARAMETER
from halomass.mock import populations, structure, surroundings
from halomass.mock.mock_universe import BOXES, MockUniverse
from halomass.mock.populations import CatalogueLimits, Population
from halomass.mock.structure import NFWHosts
from halomass.observed.features import Features
from halomass.observed.mock_survey import observe_neighbours
from halomass.systems import FloatArray
from orrery.parameters import generator
from orrery.records import Records

_SMALLEST = 1e-4  # of the host's mass: the lightest subhalos that are counted


@dataclass(frozen=True)
class ResolvedUniverse(MockUniverse):
    """A mock universe whose halos are all found and followed, as in zoom simulations.

    Example:
        >>> ResolvedUniverse().limits.found(np.array([7.9, 8.1]), np.array([0.99, 0.99]))
        array([False,  True])
    """

    @property
    def limits(self) -> CatalogueLimits:
        """What the catalogue keeps."""
        return replace(super().limits, resolved=-np.inf)


def hosts_of_mass(log_mass: float, hosts: int, seed: int) -> NFWHosts:
    """Returns hosts of one mass [dex(solMass)] whose concentrations scatter."""
    normal = generator(seed, hosts).standard_normal(hosts)
    mass = np.full(hosts, log_mass)
    median = structure.median_log_concentration(mass)
    return NFWHosts(mass, 10 ** (median + structure.CONCENTRATION_SCATTER * normal))


def satellites_of(
    universe: MockUniverse,
    hosts: NFWHosts,
    seed: int,
    smallest_ratio: float | None = None,
) -> Population:
    """Returns the satellites of hosts down to a fraction of their masses, at any distance.

    Arguments:
        universe: Decides which satellites survive.
        hosts: B hosts.
        seed: The root seed.
        smallest_ratio: The fraction; 1e-4 when None.
    """
    count = len(hosts.log_mass)
    smallest = np.full(count, _SMALLEST if smallest_ratio is None else smallest_ratio)
    streams = [generator(seed, i, 1) for i in range(count)]
    normal = np.array([stream.standard_normal() for stream in streams])
    draws = populations.draw_population(
        streams, populations.expected_subhalos(smallest, normal)
    )
    return populations.surviving_satellites(hosts, smallest, draws, universe.limits)


def measured_anisotropy(found: Population) -> float:
    """Returns 1 - <v_t^2> / (2 <v_r^2>) of neighbours."""
    # v_t holds two components, of which beta compares one with the radial velocity
    return float(1 - np.mean(found.v_t**2) / (2 * np.mean(found.v_r**2)))


def detected_counts(records: Records, seed: int) -> NDArray[np.int64]:
    """Returns how many neighbours a survey finds of each host."""
    # true distances decide the detection: drawing errors would change nothing
    return observe_neighbours(records, Features(errors=False, seed=seed), 1).count


def mass_function_weights(universe: MockUniverse, records: Records) -> FloatArray:
    """Returns how many isolated halos of the simulated box each host stands for, `[B]`.

    Arguments:
        universe: The mock that drew the hosts.
        records: B hosts.
    """
    log_mass = np.asarray(records.scalars["log_m_vir"])
    grid = np.linspace(universe.lightest, universe.heaviest, 400)
    # the mock draws hosts evenly in log mass, and a real box holds few of the heavy ones
    drawn = universe.density(grid)
    drawn /= drawn.sum() * (grid[1] - grid[0])
    number = -np.gradient(surroundings.number_above(grid), grid)
    number = number * surroundings.isolated_fraction(universe.isolation, grid)
    side = BOXES[universe.catalogue.split("/")[0]] / HUBBLE_PARAMETER * 1e3  # [kpc]
    return np.interp(log_mass, grid, number / drawn) * side**3 / len(log_mass)


def weighted_median(values: FloatArray, weight: FloatArray) -> float:
    """Returns the value below which half of the weight lies; NaN of nothing."""
    if len(values) == 0:
        return float("nan")
    order = np.argsort(values)
    fraction = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][np.searchsorted(fraction, 0.5)])
