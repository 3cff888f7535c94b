"""Tides wear subhalos away: the mass and the circular velocity that they have left.

The rate knows the time since infall, the mass, and how close to the host's centre the
orbit leads. A satellite counts until its circular velocity has fallen below a fraction
of what it was at infall, as in the empirical models whose catalogues are imitated here.
"""

from halomass.systems import FloatArray

LOSS_POWER = 0.07  # Jiang & van den Bosch (2016), doi:10.1093/mnras/stw439
LOSS_SCATTER = 0.17  # [dex]
# Of all subhalos with the usual pericentre. At the rate of orphans, which halo finders have
# lost (1.18, Behroozi et al. 2019, doi:10.1093/mnras/stz1182), the survivors would have
# fallen in too late to lie as close to their hosts as simulations find them.
LOSS_RATE = 0.57
# In N-body hosts it is 0.84 for pericentres within 0.1 virial radii, and 0.36 beyond 0.6.
# Of 0.2 to 0.35 this power gives the radii, the number and the motions of the survivors in
# such hosts best: `python -m halomass.study.acceptance`.
PERICENTRE_POWER = 0.3
USUAL_PERICENTRE = 0.28  # [virial radii]


def bound_fraction(
    dynamical_times: FloatArray, ratio: FloatArray, rate: FloatArray
) -> FloatArray:
    """Returns the fraction of its mass that a subhalo still has.

    The solution of dm/dt = -rate (m / t_dyn) (m/M)^0.07 in a host of constant mass.

    Arguments:
        dynamical_times: Dynamical times of the host since infall, with shape `[K]`.
        ratio: Mass at infall over the host's, with shape `[K]`.
        rate: The rate's factor, with shape `[K]`.
    """
    return (1 + LOSS_POWER * rate * dynamical_times * ratio**LOSS_POWER) ** (
        -1 / LOSS_POWER
    )


def loss_rate(pericentre: FloatArray, steeper: float = 0.0) -> FloatArray:
    """Returns the rate's factor for pericentres [virial radii of the host today].

    Arguments:
        pericentre: With shape `[K]`.
        steeper: By how much larger the power is than `PERICENTRE_POWER`.

    Example:
        >>> import numpy as np
        >>> loss_rate(np.array([0.05, 0.28, 0.8])).round(2)
        array([0.96, 0.57, 0.42])
        >>> loss_rate(np.array([0.05, 0.28, 0.8]), steeper=0.15).round(2)
        array([1.24, 0.57, 0.36])
    """
    power = -PERICENTRE_POWER - steeper
    return LOSS_RATE * (pericentre / USUAL_PERICENTRE) ** power


def velocity_fraction(bound: FloatArray) -> FloatArray:
    """Returns V_max over its value at infall, for fractions of the mass that are still bound.

    Penarrubia et al. (2010), doi:10.1111/j.1365-2966.2010.16762.x, for NFW subhalos.
    """
    return 2**0.4 * bound**0.3 / (1 + bound) ** 0.4
