"""Tides wear subhalos away: the mass and the circular velocity that they have left.

The rate knows the time since infall and the mass, and nothing of the orbit, as in the
empirical models whose catalogues are imitated here: there a satellite counts until its
circular velocity has fallen below a fraction of what it was at infall.
"""

from halomass.systems import FloatArray

LOSS_POWER = 0.07  # Jiang & van den Bosch (2016), doi:10.1093/mnras/stw439
LOSS_SCATTER = 0.17  # [dex]
# Of orphans, which a halo finder has lost: Behroozi et al. (2019),
# doi:10.1093/mnras/stz1182.
ORPHAN_LOSS_RATE = 1.18
# Of all subhalos: at the orphans' rate the survivors would have fallen in too late to
# lie as close to their hosts as simulations find them.
LOSS_RATE = 0.57


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


def velocity_fraction(bound: FloatArray) -> FloatArray:
    """Returns V_max over its value at infall, for fractions of the mass that are still bound.

    Penarrubia et al. (2010), doi:10.1111/j.1365-2966.2010.16762.x, for NFW subhalos.
    """
    return 2**0.4 * bound**0.3 / (1 + bound) ** 0.4
