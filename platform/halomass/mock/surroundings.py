"""What lies around a host beyond its virial radius: small halos falling in, larger ones far away.

Small halos follow the matter's outer profile and stream towards the host while space
expands. Larger ones follow the mass function and cluster around the host. Filaments are
left out.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from colossus.lss import bias, mass_function

from halomass.cosmology import HUBBLE_PARAMETER, OMEGA_MATTER, G, colossus, hubble
from halomass.mock.structure import NFWHosts, enclosed_mass
from halomass.mock.subhalo_orbits import PhaseSpacePositions
from halomass.systems import FloatArray

CLUSTER = 14.0  # [dex(solMass)] what a nearest cluster must have

_MEAN_DENSITY = (
    OMEGA_MATTER * 3 * (0.1 * HUBBLE_PARAMETER) ** 2 / (8 * np.pi * G)
)  # [Msun/kpc^3]
# Diemer & Kravtsov (2014), doi:10.1088/0004-637X/789/1/1: rho_m [b (r / 5 R_200m)^-1.5
# + 1].
_OUTER = 1.5
_OUTER_SLOPE = 1.5
# Towards the host, at one and two virial radii.
_STREAM = (0.6, 0.3)  # [virial velocities]
_RADIAL_SCATTER = 0.6  # [virial velocities]
_TANGENTIAL_SCATTER = 0.5  # [virial velocities]

_MASSES = np.linspace(7.5, 15.8, 167)  # [dex(solMass)]
_FUNCTION = "despali16"
_BIAS = "tinker10"
_CORRELATION_LENGTH = (
    5e3 / HUBBLE_PARAMETER
)  # [kpc] of matter today, whose xi = (r / r_0)^-1.8
_CORRELATION_SLOPE = 1.8
# Galaxies come in groups: the chance of none is (1 + c N)^(-1/c), a negative
# binomial's. Its c is a choice of this mock; with 1, numbers scatter by their mean at
# least.
_CLUMPING = 1.0
_DISTANCES = np.geomspace(1.0, 1e6, 1201)  # [kpc]


# --- how many halos there are ---------------------------------------------------------------


@cache
def _mass_function() -> tuple[FloatArray, FloatArray]:
    """Returns the number [1/kpc^3] of halos above each mass, and the mean bias of those."""
    colossus()
    mass = 10**_MASSES * HUBBLE_PARAMETER
    log = np.log(10) * _MASSES
    density = mass_function.massFunction(
        mass, 0.0, mdef="vir", model=_FUNCTION, q_out="dndlnM"
    )
    number = density * (HUBBLE_PARAMETER * 1e-3) ** 3
    biased = number * bias.haloBias(mass, 0.0, "vir", model=_BIAS)
    above = _from_above(number, log)
    biased_above = _from_above(biased, log)
    return above, biased_above / above


def _from_above(values: FloatArray, log_mass: FloatArray) -> FloatArray:
    pieces = np.diff(log_mass) * (values[1:] + values[:-1]) / 2
    # the steep end beyond the last mass
    return np.cumsum(np.append(pieces, values[-1] * 0.2)[::-1])[::-1]


def number_above(log_mass: FloatArray) -> FloatArray:
    """Returns the number [1/kpc^3] of halos above masses [dex(solMass)] today."""
    return np.exp(np.interp(log_mass, _MASSES, np.log(_mass_function()[0])))


def bias_above(log_mass: FloatArray) -> FloatArray:
    """Returns the mean bias of halos above masses [dex(solMass)] today."""
    return np.interp(log_mass, _MASSES, _mass_function()[1])


@cache
def _bias() -> FloatArray:
    # colossus keeps one cosmology for the process: ours must be set before it is asked
    colossus()
    return bias.haloBias(10**_MASSES * HUBBLE_PARAMETER, 0.0, "vir", model=_BIAS)


# --- larger halos ---------------------------------------------------------------------------


def expected_number(
    distance: FloatArray,
    log_mass: FloatArray,
    above: FloatArray,
    below: FloatArray | None = None,
) -> FloatArray:
    """Returns the mean number of halos within distances of hosts, beyond their own neighbourhood.

    Arguments:
        distance: [kpc], broadcast against the masses.
        log_mass: log10 of the hosts' masses [Msun].
        above: log10 of the smallest mass counted [Msun].
        below: log10 of the largest mass counted [Msun]; none when None.
    """
    volume = 4 / 3 * np.pi * distance**3
    power = 3 - _CORRELATION_SLOPE
    clustered = (
        4 * np.pi * _CORRELATION_LENGTH**_CORRELATION_SLOPE * distance**power / power
    )
    own = np.interp(log_mass, _MASSES, _bias())
    count = number_above(above) * (volume + own * bias_above(above) * clustered)
    return (
        count if below is None else count - expected_number(distance, log_mass, below)
    )


def isolated_fraction(distance: float, log_mass: FloatArray) -> FloatArray:
    """Returns the fraction of halos without a larger one within a distance [kpc], with shape `[B]`.

    Arguments:
        distance: [kpc].
        log_mass: log10 of the masses [Msun], with shape `[B]`.
    """
    mean = expected_number(np.asarray(distance), log_mass, log_mass)
    return (1 + _CLUMPING * mean) ** (-1 / _CLUMPING)


def nearest_distance(
    closest: float,
    exponential: FloatArray,
    log_mass: FloatArray,
    above: FloatArray,
    below: FloatArray | None = None,
) -> FloatArray:
    """Returns the distance [kpc] of the nearest halo of some masses beyond a smallest distance.

    Arguments:
        closest: The smallest distance [kpc].
        exponential: Standard exponential draws, with shape `[B]`.
        log_mass: log10 of the hosts' masses [Msun], with shape `[B]`.
        above: log10 of the smallest mass [Msun], with shape `[B]`.
        below: log10 of the largest mass [Msun], with shape `[B]`; none when None, and
            then they are scattered at random about the mean, else they come in groups.
    """
    limit = None if below is None else below[:, None]
    grid = expected_number(_DISTANCES, log_mass[:, None], above[:, None], limit)
    # counting begins at the smallest distance: nothing may lie nearer
    start = expected_number(np.asarray(closest), log_mass, above, below)
    wanted = start + exponential
    if below is not None:
        wanted = (
            (1 + _CLUMPING * start) * np.exp(_CLUMPING * exponential) - 1
        ) / _CLUMPING
    rows = zip(wanted, grid, strict=True)
    return np.array([np.interp(count, row, _DISTANCES) for count, row in rows])


@dataclass(frozen=True)
class NearestLargerHalos:
    """The nearest halo of larger mass, and the nearest cluster, of B hosts.

    Arguments:
        distance_larger: [kpc], with shape `[B]`.
        distance_cluster: [kpc], with shape `[B]`.

    Example:
        >>> draws = np.ones((2, 1))
        >>> one = nearest_larger_halos(np.array([12.0]), 500.0, draws)
        >>> bool(500 < one.distance_larger[0] <= one.distance_cluster[0])
        True
    """

    distance_larger: FloatArray
    distance_cluster: FloatArray


def nearest_larger_halos(
    log_mass: FloatArray, isolation: float, exponential: FloatArray
) -> NearestLargerHalos:
    """Returns how far larger halos and clusters are.

    Arguments:
        log_mass: log10 of the hosts' masses [Msun], with shape `[B]`.
        isolation: The smallest distance [kpc] of a larger halo.
        exponential: Standard exponential draws, with shape `[2, B]`.
    """
    light = np.minimum(log_mass, CLUSTER)
    heavy = np.maximum(log_mass, CLUSTER)
    # of the halos that are larger or clusters, those that are only one of both, and
    # those that are both; a host that is a cluster may have smaller clusters close by
    one = nearest_distance(isolation, exponential[0], log_mass, light, heavy)
    both = nearest_distance(isolation, exponential[1], log_mass, heavy)
    cluster = log_mass >= CLUSTER
    nearer = np.minimum(one, both)
    return NearestLargerHalos(
        np.where(cluster, both, nearer), np.where(cluster, nearer, both)
    )


# --- smaller halos falling in ---------------------------------------------------------------


def _matter(hosts: NFWHosts, radius: float) -> tuple[FloatArray, FloatArray]:
    """Returns the volumes [kpc^3] of mean matter from R_vir to a radius: infalling and smooth."""
    inner = np.minimum(hosts.radius, radius)
    power = 3 - _OUTER_SLOPE
    falling = (
        4 * np.pi * _OUTER * (5 * mean_density_radius(hosts)) ** _OUTER_SLOPE / power
    )
    return falling * (radius**power - inner**power), 4 / 3 * np.pi * (
        radius**3 - inner**3
    )


@cache
def _mean_densities() -> tuple[FloatArray, FloatArray]:
    x = np.geomspace(0.1, 300, 2001)
    return np.log(enclosed_mass(x) / x**3)[::-1], np.log(x)[::-1]


def mean_density_radius(hosts: NFWHosts) -> FloatArray:
    """Returns R_200m [kpc]: the radius within which hosts have 200 times the mean density."""
    unit = hosts.scale_mass / (4 / 3 * np.pi * hosts.scale_radius**3)
    contrast = 200 * _MEAN_DENSITY / unit
    return hosts.scale_radius * np.exp(np.interp(np.log(contrast), *_mean_densities()))


def expected_neighbours(
    hosts: NFWHosts, radius: float, log_m_peak: float
) -> FloatArray:
    """Returns the mean number of halos on their first infall between R_vir and a radius, `[B]`.

    Arguments:
        hosts: B hosts.
        radius: The largest distance [kpc].
        log_m_peak: log10 of the smallest mass [Msun]; the largest is the host's.
    """
    number = number_above(np.asarray(log_m_peak)) - number_above(hosts.log_mass)
    return np.maximum(number, 0) * np.sum(_matter(hosts, radius), axis=0)


def neighbour_masses(
    hosts: NFWHosts, log_m_peak: float, uniform: FloatArray
) -> FloatArray:
    """Returns log10 of the masses [Msun] of neighbours, from the smallest to their hosts'.

    Arguments:
        hosts: The host of each of K neighbours.
        log_m_peak: log10 of the smallest mass [Msun].
        uniform: Random numbers between 0 and 1, with shape `[K]`.
    """
    most = number_above(np.asarray(log_m_peak))
    least = number_above(hosts.log_mass)
    above = np.log(_mass_function()[0])
    return np.interp(-np.log(least + uniform * (most - least)), -above, _MASSES)


def first_infall_positions(
    hosts: NFWHosts, radius: float, uniform: FloatArray, normal: FloatArray
) -> PhaseSpacePositions:
    """Returns where neighbours on their first infall are.

    Arguments:
        hosts: The host of each of K neighbours; its virial radius is below the radius.
        radius: The largest distance [kpc].
        uniform: Random numbers between 0 and 1, with shape `[2, K]`.
        normal: Standard normal draws, with shape `[3, K]`.
    """
    # two power laws of the density: draw which one a halo belongs to, then invert it
    falling, smooth = _matter(hosts, radius)
    power = np.where(uniform[0] * (falling + smooth) < falling, 3 - _OUTER_SLOPE, 3.0)
    inner = hosts.radius**power
    r = (inner + uniform[1] * (radius**power - inner)) ** (1 / power)
    x = r / hosts.radius
    unit = hosts.velocity
    # the stream fades beyond the second radius, where interpolation would hold it
    stream = -np.interp(x, (1.0, 2.0), _STREAM) * np.minimum(1.0, 2.0 / x)
    v_r = unit * (stream + _RADIAL_SCATTER * normal[0]) + hubble() * r
    return PhaseSpacePositions(
        r, v_r, unit * _TANGENTIAL_SCATTER * np.hypot(*normal[1:])
    )
