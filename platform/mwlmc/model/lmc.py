"""The LMC today: its measured position and velocity, and their errors."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mwlmc.sky import frames
from orrery.parameters import FloatArray

LMC_POSITION = np.array([-0.6, -41.3, -27.1])  # [kpc], Brooks et al. (2025b)
LMC_VELOCITY = np.array([-63.9, -213.8, 206.6])  # [km/s]


@dataclass(frozen=True)
class LMCErrors:
    """Standard errors of the LMC's centre as the sky shows it (Vasiliev 2023).

    Example:
        >>> covariance = lmc_covariance(LMCErrors())
        >>> np.sqrt(np.diag(covariance)).round(1)
        array([ 0.2,  0.4,  0.3, 12.2,  4.7,  6.3])
    """

    ra: float = 0.5  # [deg]
    dec: float = 0.25  # [deg]
    distance: float = 0.5  # [kpc]
    v_los: float = 3.4  # [km/s]
    pm_ra_cosdec: float = 0.02  # [mas/yr]
    pm_dec: float = 0.05  # [mas/yr]


def lmc_covariance(errors: LMCErrors) -> FloatArray:
    """Returns the covariance `[6, 6]` of the LMC's Galactocentric position and velocity.

    The sky's errors are independent; the Jacobian of `sky_to_galactocentric` carries
    them over, so that an error of the distance moves all coordinates together.
    """
    sky = np.array(frames.galactocentric_to_sky(LMC_POSITION, LMC_VELOCITY))
    sigma = np.array(list(vars(errors).values()))
    sigma[:2] = np.radians(sigma[:2])
    step = 1e-4 * np.diag(sigma)
    # one standard error of each [kpc, km/s]
    moved = (_galactocentric(sky + step) - _galactocentric(sky - step)) / 2e-4
    return moved.T @ moved


def _galactocentric(sky: FloatArray) -> FloatArray:
    """Returns positions [kpc] and velocities [km/s] `[N, 6]` of rows of sky coordinates."""
    ra, dec, distance, v_los, pm_ra, pm_dec = sky.T
    return np.concatenate(
        frames.sky_to_galactocentric(ra, dec, distance, v_los, pm_ra, pm_dec), 1
    )


def lmc_today(named: dict[str, NDArray[Any]]) -> tuple[FloatArray, FloatArray]:
    """Returns the LMC's Galactocentric position [kpc] and velocity [km/s] today, each `[B, 3]`."""
    return frames.sky_to_galactocentric(
        np.radians(named["ra_lmc"]),
        np.radians(named["dec_lmc"]),
        named["d_lmc"],
        named["vlos_lmc"],
        named["pmra_lmc"],
        named["pmdec_lmc"],
    )
