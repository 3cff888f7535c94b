"""The flat universe of both catalogues, and the size of a halo in it.

The numbers are those of the MultiDark Planck boxes (Klypin et al. 2016,
doi:10.1093/mnras/stw248). Lengths are physical unless a name says comoving.
"""

from functools import cache

import numpy as np
from colossus.cosmology import cosmology as colossus_cosmology

from halomass.systems import FloatArray

HUBBLE_PARAMETER = 0.678  # in 100 km/s/Mpc
OMEGA_MATTER = 0.307
OMEGA_BARYON = 0.048
SPECTRAL_INDEX = 0.96
SIGMA_8 = 0.823
G = 4.30091727e-6  # kpc (km/s)^2 / Msun
LOG_M200C_OVER_M_VIR = -0.063  # [dex], Hayati et al. (2025)


@cache
def colossus() -> colossus_cosmology.Cosmology:
    """Returns this cosmology as colossus knows it, for mass functions and concentrations."""
    return colossus_cosmology.setCosmology(
        "halomass",
        flat=True,
        H0=100 * HUBBLE_PARAMETER,
        Om0=OMEGA_MATTER,
        Ob0=OMEGA_BARYON,
        sigma8=SIGMA_8,
        ns=SPECTRAL_INDEX,
        relspecies=False,
        persistence="",  # it would write into the user's home
    )


def hubble(scale: float | FloatArray = 1.0) -> float | FloatArray:
    """Returns the Hubble rate [km/s/kpc] at a scale factor."""
    return (
        0.1
        * HUBBLE_PARAMETER
        * np.sqrt(OMEGA_MATTER / np.power(scale, 3) + 1 - OMEGA_MATTER)
    )


def virial_density(scale: float | FloatArray = 1.0) -> float | FloatArray:
    """Returns the mean density [Msun/kpc^3] within the virial radius at a scale factor.

    Bryan & Norman (1998), doi:10.1086/305262, their equation 6.
    """
    rate = hubble(scale)
    matter = OMEGA_MATTER / np.power(scale, 3) * (0.1 * HUBBLE_PARAMETER / rate) ** 2
    overdensity = 18 * np.pi**2 + 82 * (matter - 1) - 39 * (matter - 1) ** 2
    return overdensity * 3 * rate**2 / (8 * np.pi * G)


def virial_radius(log_mass: FloatArray, scale: float | FloatArray = 1.0) -> FloatArray:
    """Returns the virial radius [kpc] of halos.

    Arguments:
        log_mass: log10 of the virial mass [Msun], with any shape.
        scale: The scale factor.
    """
    volume = np.power(10.0, log_mass) / virial_density(scale)
    return np.cbrt(volume * 3 / (4 * np.pi))


def virial_velocity(
    log_mass: FloatArray, scale: float | FloatArray = 1.0
) -> FloatArray:
    """Returns the circular velocity [km/s] at the virial radius."""
    return np.sqrt(G * np.power(10.0, log_mass) / virial_radius(log_mass, scale))
