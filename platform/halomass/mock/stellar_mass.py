"""Galaxies in halos: the stellar mass that goes with the largest mass of a halo's past.

Medians are those of UniverseMachine's first data release at redshift zero; below the
masses that its data constrain they are its power law's continuation, and galaxies
scatter more.
"""

import numpy as np

from halomass.systems import FloatArray

# Behroozi et al. (2019), doi:10.1093/mnras/stz1182: their appendix J at redshift zero.
_KNEE = 12.035  # [dex(solMass)]
_NORMALISATION = -1.435  # [dex]
_FAINT_SLOPE = 1.963
_BRIGHT_SLOPE = 0.482
_BUMP_HEIGHT = 10**-1.034  # [dex]
_BUMP_WIDTH = 0.411  # [dex]

_SCATTER = 0.2  # [dex] of galaxies in massive halos
_DWARF_SCATTER = 0.4  # [dex] of galaxies in halos at and below the lower mass
_SCATTER_GROWS = (9.0, 10.0)  # [dex(solMass)] of peak mass, between which it changes


def median_log_stellar_mass(log_m_peak: FloatArray) -> FloatArray:
    """Returns the median log10 of the stellar mass [Msun] of halos.

    Arguments:
        log_m_peak: log10 of the largest mass in a halo's past [Msun], with any shape.
    """
    x = np.asarray(log_m_peak, np.float64) - _KNEE
    # the logarithm of the sum of two power laws, without their tiny and huge values
    power_laws = np.logaddexp(
        -_FAINT_SLOPE * x * np.log(10), -_BRIGHT_SLOPE * x * np.log(10)
    )
    bump = _BUMP_HEIGHT * np.exp(-0.5 * (x / _BUMP_WIDTH) ** 2)
    return _KNEE + _NORMALISATION - power_laws / np.log(10) + bump


def scatter(log_m_peak: FloatArray) -> FloatArray:
    """Returns the scatter [dex] of stellar masses about the median."""
    return np.interp(log_m_peak, _SCATTER_GROWS, (_DWARF_SCATTER, _SCATTER))


def log_stellar_mass_with_scatter(
    log_m_peak: FloatArray, normal: FloatArray
) -> FloatArray:
    """Returns the log10 of the stellar mass [Msun] that lies so many scatters above the median."""
    return median_log_stellar_mass(log_m_peak) + scatter(log_m_peak) * normal


def draw_log_stellar_mass(
    log_m_peak: FloatArray, random: np.random.Generator
) -> FloatArray:
    """Returns the log10 of a drawn stellar mass [Msun] for each halo.

    Arguments:
        log_m_peak: log10 of the largest mass in a halo's past [Msun], with any shape.
        random: Draws one normal number for each halo.
    """
    return log_stellar_mass_with_scatter(
        log_m_peak, random.standard_normal(np.shape(log_m_peak))
    )
