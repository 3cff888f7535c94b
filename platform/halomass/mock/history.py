"""How hosts grew: their mass, virial radius and dynamical times at earlier redshifts.

Mass grows exponentially with falling redshift, and the sooner the more concentrated a
halo is today (Wechsler et al. 2002, doi:10.1086/338765). Single mergers are left out.
"""

from functools import cache

import numpy as np
from colossus.lss import peaks

from halomass.cosmology import (
    HUBBLE_PARAMETER,
    OMEGA_MATTER,
    G,
    colossus,
    virial_density,
)
from halomass.systems import FloatArray

EARLIEST = 10.0  # redshift before which nothing falls in
_GROWTH = 8.2  # M(z) = M_0 exp(-8.2 z / c)


def cosmic_time(redshift: FloatArray) -> FloatArray:
    """Returns the age of the universe [kpc/(km/s)] at redshifts."""
    dark = 1 - OMEGA_MATTER
    # the closed form of a flat universe: no integral per halo
    growth = np.sqrt(dark / OMEGA_MATTER) * np.power(1 + np.asarray(redshift), -1.5)
    return 2 / (3 * 0.1 * HUBBLE_PARAMETER * np.sqrt(dark)) * np.arcsinh(growth)


def lookback_time(redshift: FloatArray) -> FloatArray:
    """Returns the time [kpc/(km/s)] since redshifts."""
    return cosmic_time(np.zeros(())) - cosmic_time(redshift)


def infall_redshift(mass_fraction: FloatArray, concentration: FloatArray) -> FloatArray:
    """Returns the redshift at which a host had a fraction of the mass that it has today.

    Arguments:
        mass_fraction: M(z) / M(0), with shape `[K]`; what falls in is spread evenly over it.
        concentration: The hosts' today, which remembers when they formed, with shape
            `[K]`.
    """
    return np.minimum(-np.log(mass_fraction) * concentration / _GROWTH, EARLIEST)


def past_radius(
    mass_fraction: FloatArray, concentration: FloatArray, redshift: FloatArray
) -> FloatArray:
    """Returns the virial radius at past redshifts, in units of today's scale radius.

    Arguments:
        mass_fraction: The host's mass at that time over today's, with shape `[K]`.
        concentration: The hosts' today, with shape `[K]`.
        redshift: With shape `[K]`.
    """
    # the same mass fills a smaller sphere when the universe was denser
    thinned = virial_density(1.0) / virial_density(1 / (1 + redshift))
    return concentration * np.cbrt(mass_fraction * thinned)


# peak heights factorise into a mass and a growth factor: two short tables serve all
@cache
def _peak_tables() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    cosmology = colossus()
    masses = np.linspace(5, 16, 221)
    redshift = np.linspace(0, EARLIEST, 201)
    heights = peaks.peakHeight(10**masses * HUBBLE_PARAMETER, 0.0)
    return masses, heights, redshift, cosmology.growthFactor(redshift)


def peak_height(log_mass: FloatArray, redshift: FloatArray) -> FloatArray:
    """Returns how rare halos [dex(solMass)] are at redshifts: delta_c / sigma(M, z)."""
    masses, heights, redshifts, growth = _peak_tables()
    return np.interp(log_mass, masses, heights) / np.interp(redshift, redshifts, growth)


@cache
def _dynamical_times() -> tuple[FloatArray, FloatArray]:
    """Returns times since the past, and the number of dynamical times that fit between."""
    redshift = np.expm1(np.linspace(0, np.log1p(EARLIEST), 1001))
    time = lookback_time(redshift)
    rate = np.sqrt(16 * G * virial_density(1 / (1 + redshift)) / (3 * np.pi))
    count = np.cumsum(np.diff(time) * (rate[1:] + rate[:-1]) / 2)
    return time, np.concatenate([[0.0], count])


def dynamical_times(time: FloatArray) -> FloatArray:
    """Returns how many dynamical times of a halo fit into the last stretch of time.

    The dynamical time is sqrt(3 pi / (16 G rho)), the same for all halos of an epoch.

    Arguments:
        time: Until today [kpc/(km/s)], with any shape.
    """
    return np.interp(time, *_dynamical_times())
