"""Subhalos that fall in together: small ones come as satellites of larger ones.

A companion crosses the virial radius with its leader, at the same time and with its
leader's velocity, plus its own motion around the leader; afterwards each goes its own
way. So the orbits of neighbours are fewer independent facts about a host than there are
neighbours.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from halomass.mock.subhalo_orbits import Infall
from halomass.systems import FloatArray

# Wetzel et al. (2015), doi:10.1088/0004-637X/807/1/49: of dwarfs, within a leader at
# infall.
GROUP_FRACTION = 0.35
_LIGHTER = 5.0  # times, that a companion is at least lighter than its leader
# Of a leader's circular velocity: dispersion around it in each direction, a choice of
# this mock.
_MOTION = 0.6
_UNIT = 1e9  # masses are counted in so many parts of the host's
_EXTENT = 0.5  # of a leader's virial radius: scatter of the companions' distances


def assign_leaders(
    host: NDArray[np.int64],
    ratio: FloatArray,
    may_lead: NDArray[np.bool_],
    uniform: FloatArray,
) -> NDArray[np.int64]:
    """Returns whom each subhalo falls in with: the number of its leader, or its own, `[K]`.

    Leaders have companions in proportion to their mass.

    Arguments:
        host: The host of each subhalo, in rising order, with shape `[K]`.
        ratio: Masses in units of the host's, with shape `[K]`.
        may_lead: Who can be a leader, with shape `[K]`.
        uniform: Random numbers between 0 and 1, with shape `[K]`.
    """
    own = np.arange(len(host))
    if not len(own):
        return own
    # whole numbers: sums must not depend on the hosts before
    reach = np.cumsum(np.where(may_lead, ratio * _UNIT, 0).astype(np.int64))
    first = np.searchsorted(host, np.arange(host[-1] + 2))
    before = np.append(0, reach)[first]
    low = before[host]
    total = np.diff(before)[host]
    place = np.minimum(uniform / GROUP_FRACTION, 1.0) * total
    chosen = np.searchsorted(reach, low + place.astype(np.int64), side="right")
    # a draw at the very end of a host's interval must not name the next host's subhalo
    chosen = np.clip(chosen, first[host], first[host + 1] - 1)
    follows = (
        (uniform < GROUP_FRACTION)
        & may_lead[chosen]
        & (ratio[chosen] > _LIGHTER * ratio)
    )
    return np.where(follows, chosen, own)


def infall_with_leaders(
    start: Infall, leads: NDArray[np.bool_], ratio: FloatArray, normal: FloatArray
) -> Infall:
    """Returns how subhalos fell in, where companions have been given their leaders' infall.

    Arguments:
        start: The leaders' infall, for each of K subhalos.
        leads: Which of them are their own leaders, with shape `[K]`.
        ratio: The leaders' masses over their hosts' at that time, with shape `[K]`.
        normal: Standard normal draws, with shape `[4, K]`.
    """
    size = np.where(
        leads, 0.0, np.cbrt(ratio)
    )  # of radius and velocity, compared with the host's
    motion = _MOTION * size * start.circular_velocity * normal[:3]
    # nobody starts far inside: a scatter of a few sigma would put it at the centre
    radius = start.radius * np.maximum(1 + _EXTENT * size * normal[3], 0.2)
    v_t = np.hypot(start.v_t + motion[1], motion[2])
    return replace(start, radius=radius, v_r=start.v_r + motion[0], v_t=v_t)
