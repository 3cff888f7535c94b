"""Total masses of both galaxies from their masses within 50 kpc, in the model's profiles.

What stars measure is the mass within 50 kpc; forecasts and the ratio of both galaxies
need the totals that belong to it.
"""

import numpy as np
import torch

from mwlmc.model import potentials
from mwlmc.model.constants import CIRCULAR_VELOCITY
from mwlmc.parameters import LIGHTEST_LMC, LIGHTEST_MILKY_WAY
from orrery.parameters import FloatArray

MASS_EDGE = 50.0  # [kpc]

_HEAVIEST_MILKY_WAY = 1e13  # [Msun]
_HEAVIEST_LMC = 1e12  # [Msun]
_NODES = 400  # interpolated in logarithms: to 1e-5 of a mass


def milky_way_halo_within(
    m200: FloatArray, circular_velocity: float = CIRCULAR_VELOCITY
) -> FloatArray:
    """Returns the mass [Msun] within 50 kpc of halos `[n]`, without disc and bulge.

    Arguments:
        m200: M200 of the halo [Msun].
        circular_velocity: Of halo, disc and bulge at the Sun [km/s]: it decides the
            concentration.

    Raises:
        ValueError: If no concentration reaches the circular velocity.

    Example:
        >>> round(float(milky_way_halo_within(np.array([1e12]))[0]) / 1e11, 2)
        3.93
    """
    c200 = potentials.concentration(m200, circular_velocity)
    return _within(potentials.milky_way_halo(m200, c200))


def milky_way_m200(
    within: FloatArray, circular_velocity: float = CIRCULAR_VELOCITY
) -> FloatArray:
    """Returns M200 `[n]` [Msun] of halos with a mass [Msun] within 50 kpc.

    Masses that no halo of 2e11 to 1e13 Msun has give the nearest of these.

    Arguments:
        within: Mass of the halo within 50 kpc, without disc and bulge [Msun].
        circular_velocity: Of halo, disc and bulge at the Sun [km/s].

    Raises:
        ValueError: If no concentration reaches the circular velocity.
    """
    masses = np.geomspace(LIGHTEST_MILKY_WAY, _HEAVIEST_MILKY_WAY, _NODES)
    return _interpolated(
        within, milky_way_halo_within(masses, circular_velocity), masses
    )


def lmc_total(within: FloatArray) -> FloatArray:
    """Returns the total masses `[n]` [Msun] of LMCs with a mass [Msun] within 50 kpc.

    Masses that no LMC of 1.75e10 to 1e12 Msun has give the nearest of these.
    """
    masses = np.geomspace(LIGHTEST_LMC, _HEAVIEST_LMC, _NODES)
    return _interpolated(within, lmc_within(masses), masses)


def lmc_within(mass: FloatArray) -> FloatArray:
    """Returns the mass [Msun] within 50 kpc of LMCs `[n]` of a total mass [Msun].

    Raises:
        ValueError: If a mass is not above 1.7e10 Msun.
    """
    return _within(potentials.lmc_halo(mass))


def _within(galaxies: potentials.NFW | potentials.Hernquist) -> FloatArray:
    """Returns the mass [Msun] within 50 kpc of galaxies with one profile, `[n]`."""
    edges = torch.full_like(galaxies.scale, MASS_EDGE)
    return galaxies.enclosed_mass(edges)[:, 0].numpy()


def _interpolated(
    within: FloatArray, inside: FloatArray, masses: FloatArray
) -> FloatArray:
    logarithms = np.interp(np.log(within), np.log(inside), np.log(masses))
    return np.exp(logarithms)
