"""The halos around hosts: satellites that have fallen in, and smaller halos that still do.

Each host has a stream of random numbers of its own, and all of them are drawn before
anything is computed for many hosts at once. The same numbers are drawn for every
catalogue, so that catalogues differ by which halos they keep and by nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import special

from halomass.mock import (
    groups,
    history,
    jeans,
    stellar_mass,
    subhalo_orbits,
    surroundings,
    tides,
)
from halomass.mock.structure import NFWHosts
from halomass.mock.subhalo_orbits import Infall, PhaseSpacePositions
from halomass.systems import FloatArray

# Of N(> psi) subhalos that fall in as many survive as simulations have, halfway between
# the models.
ABUNDANCE = 0.165
ABUNDANCE_SLOPE = 0.87
ABUNDANCE_SCATTER = 0.10
_SURVIVING = 29.2 * 1e-3**ABUNDANCE_SLOPE  # within R_vir
_LARGEST_RATIO = 0.5  # of a subhalo's mass over its host's at infall
_EARLIEST_FRACTION = 1e-3  # of today's mass: what fell in before that is not counted
# Within it the fewer subhalos are left the closer they are.
_CORE = 0.12  # [virial radii]
_INSIDE = 0.77  # of the survivors on orbits are within the virial radius
_WANTED = 130.0  # survivors within the radius: lighter ones are not followed
_SMALLEST_FRACTION = 0.09  # of a host's survivors that is taken to be within the radius

# log10 V_peak [km/s] of 1e10 Msun, its slope with log mass, its scatter: the recipe of
# this mock, from no publication.
V_PEAK = 1.679
V_PEAK_SLOPE = 0.293
V_PEAK_SCATTER = 0.052
# V_peak over V_max at infall. A merger concentrates a halo for a while, and the largest
# velocity is reached then (Behroozi et al. 2014, doi:10.1088/0004-637X/787/2/156). The
# value is that with which thresholds on either lose the satellites of 48 zoom hosts alike:
# `python -m halomass.study.survival_calibration`. NFW halos of 1e10 to 1e12 Msun, as
# concentrated as by Diemer & Joyce (2019), have 1.02 to 1.20 if they fall in at redshift
# 1 to 0.5, and 1.14 to 1.23 at 0.2.
PEAK_OVER_INFALL = 1.16

# Scatter of the logarithm of how many halos fall in around a host: a choice of this
# mock.
_CROWDING = 0.6


@dataclass(frozen=True)
class CatalogueLimits:
    """What a catalogue keeps.

    Arguments:
        radius: The largest distance that neighbours matter at [kpc].
        log_m_peak: log10 of the smallest peak mass [Msun].
        threshold: V_max / V_infall below which satellites are lost.
        resolved: log10 of the peak mass [Msun] at which half of all halos are found.
        resolved_scatter: How fast that changes with mass [dex].
        equilibrium: Whether satellites obey Jeans' equation instead of having a past.
        steeper_tides: By how much faster mass loss falls with the pericentre than usual.

    Example:
        >>> limits = CatalogueLimits(250.0, 8.0, 0.7, 7.7, 0.15, equilibrium=False)
        >>> limits.found(np.array([7.9, 8.1]), np.array([0.5, 0.5]))
        array([False,  True])
    """

    radius: float
    log_m_peak: float
    threshold: float
    resolved: float
    resolved_scatter: float
    equilibrium: bool
    steeper_tides: float = 0.0

    def found(self, log_m_peak: FloatArray, uniform: FloatArray) -> NDArray[np.bool_]:
        """Returns which halos a simulation's halo finder follows."""
        # resolution sets in gradually: a halo of the limit's mass is found half the time
        chance = special.ndtr((log_m_peak - self.resolved) / self.resolved_scatter)
        return (log_m_peak > self.log_m_peak) & (uniform < chance)


@dataclass(frozen=True)
class Population:
    """Halos around B hosts, in no order.

    Arguments:
        host: Which of the B hosts each belongs to, with shape `[K]`.
        r: Distance [kpc].
        v_r: Radial velocity [km/s].
        v_t: Tangential velocity [km/s].
        log_m_peak: log10 of the largest mass in their past [Msun].
        v_peak: Largest circular velocity in their past [km/s].
        vmax: The same today [km/s].
        log_m_star: log10 of their stellar mass [Msun].
        infall_speed: In units of the host's circular velocity then; NaN of halos
            without a past.

    Example:
        >>> column = np.arange(2.0)
        >>> found = Population(np.array([0, 1]), *[column] * 8)
        >>> (found + found).r, found[np.array([1])].host
        (array([0., 1., 0., 1.]), array([1]))
    """

    host: NDArray[np.int64]
    r: FloatArray
    v_r: FloatArray
    v_t: FloatArray
    log_m_peak: FloatArray
    v_peak: FloatArray
    vmax: FloatArray
    log_m_star: FloatArray
    infall_speed: FloatArray

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Population":
        return Population(
            **{f.name: getattr(self, f.name)[which] for f in fields(self)}
        )

    def __add__(self, other: "Population") -> "Population":
        names = [f.name for f in fields(self)]
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in names}
        return Population(**{n: np.concatenate(pair) for n, pair in pairs.items()})


@dataclass(frozen=True)
class RandomNumbers:
    """Random numbers of K halos.

    Arguments:
        host: Which host each belongs to, with shape `[K]`.
        uniform: Between 0 and 1, with shape `[6, K]`.
        normal: Standard normal, with shape `[7, K]`.

    Example:
        >>> streams = [np.random.default_rng(i) for i in range(2)]
        >>> draws = draw_population(streams, np.array([3.0, 0.0]))
        >>> bool((draws.host == 0).all()), draws.uniform.shape == (6, len(draws.host))
        (True, True)
    """

    host: NDArray[np.int64]
    uniform: FloatArray
    normal: FloatArray

    def __getitem__(self, which: NDArray[np.int64]) -> "RandomNumbers":
        return RandomNumbers(
            self.host[which], self.uniform[:, which], self.normal[:, which]
        )


def draw_population(
    streams: Sequence[np.random.Generator], mean: FloatArray
) -> RandomNumbers:
    """Returns random numbers for as many halos around each host as chance has it.

    Arguments:
        streams: One random generator for each of B hosts.
        mean: The mean numbers of halos, with shape `[B]`.
    """
    # host by host, so that a host's numbers do not depend on which others are drawn
    counts = [int(stream.poisson(n)) for stream, n in zip(streams, mean, strict=True)]
    pairs = list(zip(streams, counts, strict=True))
    uniform = [stream.random((n, 6)) for stream, n in pairs]
    normal = [stream.standard_normal((n, 7)) for stream, n in pairs]
    host = np.repeat(np.arange(len(counts)), counts)
    return RandomNumbers(
        host, np.concatenate(uniform).T.copy(), np.concatenate(normal).T.copy()
    )


# --- satellites -----------------------------------------------------------------------------


def smallest_ratio(hosts: NFWHosts, limits: CatalogueLimits) -> FloatArray:
    """Returns the smallest mass, over the host's, of subhalos worth following, with shape `[B]`.

    Arguments:
        hosts: B hosts.
        limits: What the catalogue keeps.
    """
    fraction = np.maximum(
        jeans.tracer_fraction(limits.radius / hosts.radius), _SMALLEST_FRACTION
    )
    enough = (_SURVIVING * fraction / _WANTED) ** (1 / ABUNDANCE_SLOPE)
    return np.maximum(enough, 10.0 ** (limits.log_m_peak - hosts.log_mass))


def expected_subhalos(smallest: FloatArray, normal: FloatArray) -> FloatArray:
    """Returns the mean number of subhalos that ever fell into each host, with shape `[B]`.

    Arguments:
        smallest: Smallest mass over the host's, with shape `[B]`.
        normal: Standard normal draws: hosts scatter more than by chance, with shape
            `[B]`.
    """
    scatter = np.maximum(1 + ABUNDANCE_SCATTER * normal, 0.5)
    return ABUNDANCE * smallest**-ABUNDANCE_SLOPE * scatter


def surviving_satellites(
    hosts: NFWHosts, smallest: FloatArray, draws: RandomNumbers, limits: CatalogueLimits
) -> Population:
    """Returns the subhalos that have survived, where they are today.

    Arguments:
        hosts: B hosts.
        smallest: Smallest mass over the host's of those that were drawn, with shape
            `[B]`.
        draws: Of all subhalos that ever fell in.
        limits: What the catalogue keeps.
    """
    ratio = smallest[draws.host] * draws.uniform[0] ** (-1 / ABUNDANCE_SLOPE)
    mass_fraction = _EARLIEST_FRACTION + (1 - _EARLIEST_FRACTION) * draws.uniform[1]
    minor = ratio < _LARGEST_RATIO * mass_fraction
    leader = groups.assign_leaders(draws.host, ratio, minor, draws.uniform[5])
    log_m_peak = hosts.log_mass[draws.host] + np.log10(ratio)
    each = hosts[draws.host]
    fallen = _Fallen(ratio, mass_fraction[leader], leader)
    start = None if limits.equilibrium else _infall(each, fallen, draws)
    bound = _bound(each, fallen, start, draws.normal[0], limits.steeper_tides)
    slower = tides.velocity_fraction(bound)
    found = limits.found(log_m_peak, draws.uniform[4])
    # orbits are the expensive part: only of those that survive
    here = np.flatnonzero(minor & found & (slower > limits.threshold))
    place = (
        jeans.equilibrium_positions(
            each[here], draws.uniform[2][here], draws.normal[:, here][[1, 4, 5]]
        )
        if start is None
        else subhalo_orbits.present_positions(
            each[here], start[here], ratio[here], bound[here]
        )
    )
    speed = subhalo_orbits.infall_speed(draws.normal[1][leader[here]])
    survivors = _described(draws[here], place, log_m_peak[here], slower[here], speed)
    return survivors[_left(hosts, survivors, draws.uniform[3][here], limits)]


@dataclass(frozen=True)
class _Fallen:
    """K subhalos that ever fell in, and with whom.

    Arguments:
        ratio: Masses over the host's of today, with shape `[K]`.
        mass_fraction: The host's mass at their infall over today's.
        leader: Who leads them; their own numbers if nobody does.
    """

    ratio: FloatArray
    mass_fraction: FloatArray
    leader: NDArray[np.int64]


def _infall(hosts: NFWHosts, fallen: _Fallen, draws: RandomNumbers) -> Infall:
    """Returns how each subhalo crossed its host's virial radius."""
    leading = fallen.ratio[fallen.leader]
    start = subhalo_orbits.infall(
        hosts,
        fallen.mass_fraction,
        leading,
        draws.normal[1][fallen.leader],
        draws.uniform[2][fallen.leader],
    )
    return groups.infall_with_leaders(
        start,
        fallen.leader == np.arange(len(fallen.leader)),
        leading / fallen.mass_fraction,
        draws.normal[[1, 4, 5, 6]],
    )


def _bound(
    hosts: NFWHosts,
    fallen: _Fallen,
    start: Infall | None,
    normal: FloatArray,
    steeper: float,
) -> FloatArray:
    """Returns the fraction of its mass that each subhalo still has; as usual, without orbits."""
    redshift = history.infall_redshift(fallen.mass_fraction, hosts.concentration)
    times = history.dynamical_times(history.lookback_time(redshift))
    rate = (
        np.full_like(times, tides.LOSS_RATE)
        if start is None
        else tides.loss_rate(start.pericentre / hosts.concentration, steeper)
    )
    return tides.bound_fraction(
        times, fallen.ratio, rate * 10 ** (tides.LOSS_SCATTER * normal)
    )


def _left(
    hosts: NFWHosts, found: Population, uniform: FloatArray, limits: CatalogueLimits
) -> NDArray[np.bool_]:
    """Returns which survivors are left where halo finders lose them, close to the centre."""
    if limits.equilibrium:
        # all were put within the virial radius, and where they are found
        return uniform < _INSIDE
    return uniform * _CORE * hosts.radius[found.host] < found.r


def _described(
    draws: RandomNumbers,
    place: PhaseSpacePositions,
    log_m_peak: FloatArray,
    slower: FloatArray,
    speed: FloatArray,
) -> Population:
    log_v_peak = (
        V_PEAK + V_PEAK_SLOPE * (log_m_peak - 10) + V_PEAK_SCATTER * draws.normal[2]
    )
    log_m_star = stellar_mass.log_stellar_mass_with_scatter(log_m_peak, draws.normal[3])
    v_peak = 10.0**log_v_peak
    v_infall = v_peak / PEAK_OVER_INFALL
    return Population(
        host=draws.host,
        r=place.r,
        v_r=place.v_r,
        v_t=place.v_t,
        log_m_peak=log_m_peak,
        v_peak=v_peak,
        vmax=v_infall * slower,
        log_m_star=log_m_star,
        infall_speed=speed,
    )


# --- halos falling in -----------------------------------------------------------------------


def expected_infalling(
    hosts: NFWHosts, limits: CatalogueLimits, normal: FloatArray
) -> FloatArray:
    """Returns the mean number of halos on their first way in around each host, with shape `[B]`.

    Arguments:
        hosts: B hosts.
        limits: What the catalogue keeps.
        normal: Standard normal draws: some hosts live in crowds, with shape `[B]`.
    """
    # log-normal with mean 1: crowding scatters the numbers and does not raise them
    crowd = np.exp(_CROWDING * normal - 0.5 * _CROWDING**2)
    return crowd * surroundings.expected_neighbours(
        hosts, limits.radius, limits.log_m_peak
    )


def infalling(
    hosts: NFWHosts, draws: RandomNumbers, limits: CatalogueLimits
) -> Population:
    """Returns halos on their first way in, between the virial radius and the largest distance.

    Arguments:
        hosts: B hosts.
        draws: Of all those halos.
        limits: What the catalogue keeps.
    """
    each = hosts[draws.host]
    log_m_peak = surroundings.neighbour_masses(
        each, limits.log_m_peak, draws.uniform[0]
    )
    place = surroundings.first_infall_positions(
        each, limits.radius, draws.uniform[1:3], draws.normal[[1, 4, 5]]
    )
    past = np.full(len(log_m_peak), np.nan)
    found = _described(draws, place, log_m_peak, np.ones_like(log_m_peak), past)
    return found[limits.found(log_m_peak, draws.uniform[4])]
