"""A mock survey of halo giants: its expected number of stars, its errors, its data vector.

The stars of H3, SEGUE and MagE are not public: their number and their errors are
estimated here, and simulations give the velocities.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from mwlmc.model.lmc import LMCErrors, lmc_covariance
from mwlmc.observed.data_vectors import data_vector
from mwlmc.observed.options import GIANTS
from mwlmc.sky import frames, kinematics
from mwlmc.sky.binning import LMC_NAMES, SkyBinning
from orrery.parameters import FloatArray, generator
from orrery.records import Observation

# Of the stars of an all-sky survey of giants (H3, SEGUE and MagE together), the
# fraction assumed in each patch: such surveys are mostly northern, and few stars are
# observed towards the third and fourth Galactic quadrants in the south.
SHARES = {
    "q1": 0.28,
    "q2": 0.37,
    "q3": 0.25,
    "q4": 0.10,
    "all": 1.0,
    "north": 0.55,
    "south": 0.25,
    "desi": 0.80,
}
_SLOPE = -2.8  # of dN/dr, so that there are about 100 more at 100-160 kpc


def expected_counts(binning: SkyBinning, stars: int = GIANTS) -> FloatArray:
    """Returns how many stars `[K]` an all-sky survey of giants would have in each bin.

    Assumes dN/dr ~ r^-2.8 and `SHARES` of the sky. It leaves out that surveys overlap
    and have magnitude limits of their own: good for forecasts of errors, not for
    anything finer.

    Arguments:
        binning: Its patches must be named in `SHARES`.
        stars: The number of stars at 30-100 kpc in the whole sky.

    Raises:
        ValueError: If no share is known for a patch.
    """
    unknown = sorted({b.patch for b in binning.bins} - set(SHARES))
    if unknown:
        raise ValueError(
            f"no share of the stars is known for {unknown}: use {sorted(SHARES)}"
        )
    share = np.array([SHARES[b.patch] for b in binning.bins])
    edges = np.array([(b.lower, b.upper) for b in binning.bins])
    return stars * share * _radial(edges[:, 0], edges[:, 1]) / _radial(30.0, 100.0)


def radial_share(lower: Any, upper: Any) -> Any:
    """Returns the stars between two distances [kpc], in units of those at 30-100 kpc."""
    return _radial(lower, upper) / _radial(30.0, 100.0)


def _radial(lower: Any, upper: Any) -> Any:
    return np.power(lower, _SLOPE + 1) - np.power(upper, _SLOPE + 1)


_VELOCITY_SPREAD = 95.0  # [km/s], of halo stars in the line of sight and across
_MOTION_ERROR = 0.1  # [mas/yr], of one star's proper motion in a forecast


def forecast_errors(binning: SkyBinning, stars: int = GIANTS) -> FloatArray:
    """Returns the standard errors `[S]` that an all-sky survey of giants would reach.

    With `expected_counts` stars: see `count_errors`.

    Arguments:
        binning: Its patches must be named in `survey.SHARES`.
        stars: The number of stars at 30-100 kpc in the whole sky.
    """
    return count_errors(binning, expected_counts(binning, stars))


def count_errors(
    binning: SkyBinning, counts: FloatArray, motion_error: float = _MOTION_ERROR
) -> FloatArray:
    """Returns the standard errors `[S]` of the entries, given the stars of each bin.

    Halo stars scatter by 95 km/s about the mean, and proper motions add their error; a
    bin's error is that over sqrt(N), its dispersion's over sqrt(2 N), with N stars, but
    not fewer than two. A dispersion is that of the stars themselves: taking the known
    errors of motions out of the measured one, s^2 = measured^2 - known^2, enlarges its
    error by measured / s. The LMC's are the first six, if they are entries.

    Arguments:
        binning: How stars become summaries.
        counts: The expected number of stars `[K]` in each bin.
        motion_error: Of one star's proper motion [mas/yr].
    """
    count = np.maximum(counts, 2)
    distance = np.array([(b.lower + b.upper) / 2 for b in binning.bins])
    across = np.array([b.quantity == "v_tb" for b in binning.bins])
    spread = np.hypot(_VELOCITY_SPREAD, across * frames.K * motion_error * distance)
    own = spread / np.sqrt(2 * count) * (spread / _VELOCITY_SPREAD)
    stellar = kinematics.entries(spread / np.sqrt(count), own, binning)
    lmc = np.sqrt(np.diag(lmc_covariance(LMCErrors())))
    return np.concatenate([lmc, stellar]) if binning.lmc else stellar


def mock_data_vector(
    binning: SkyBinning, truth: FloatArray, seed: int | None = None, stars: int = GIANTS
) -> Observation:
    """Returns a mock data vector of an all-sky survey of giants.

    Arguments:
        binning: How stars become summaries.
        truth: The summaries `[S]` without errors, such as the mean of simulations.
        seed: Draws the errors once; without it the data vector is the truth itself.
        stars: The number of stars at 30-100 kpc in the whole sky.

    Raises:
        ValueError: If the truth has another length, or is not finite, or if the binning
            draws the stars of a survey, which has no forecast.
    """
    if binning.sample is not None:
        raise ValueError(
            "a forecast has no observed stars to draw: use a binning without a sample"
        )
    truth = np.asarray(truth, dtype=float)
    if truth.shape != (len(binning.names),):
        raise ValueError(
            f"truth of shape {truth.shape} for {len(binning.names)} summaries"
        )
    first = len(LMC_NAMES) if binning.lmc else 0
    values = truth[first:]
    errors = forecast_errors(binning, stars)[first:]
    provenance = {"forecast_stars": stars, "seed": seed}
    mock = data_vector("forecast", binning, values, errors, LMCErrors(), provenance)
    value = truth
    if seed is not None:
        value = generator(seed).multivariate_normal(truth, mock.covariance)
    return replace(mock, value=value)
