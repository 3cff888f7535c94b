"""How much the moments of simulations scatter because they are of a number of stars.

A simulation that fills a patch with a few hundred stars measures its own mean velocity no
better than a survey of as many does. Errors of a survey that are added to it on top count
noise twice.
"""

import numpy as np

from mwlmc.sky import kinematics
from mwlmc.sky.binning import LMC_NAMES, SkyBinning
from mwlmc.sky.moment_errors import FEW_STARS
from mwlmc.sky.moments import VelocityMoments, clipped_moments
from orrery.parameters import FloatArray, IntArray, generator
from orrery.records import Records

VERSION = 2  # of these errors; raised whenever their numbers change
_RESAMPLES = 16  # of each simulation; of all their mean squares are taken
_SEED = 0


def sampling_errors(records: Records, binning: SkyBinning) -> FloatArray:
    """Returns the standard errors of the entries of simulations, of their stars' number, `[S]`.

    The root of the mean square over the simulations is returned. With ten stars or more in a
    bin an error is the scatter of bootstrap resamples, each clipped as the stars are, as a
    survey's is: across the line of sight a few stars of radial orbits are fast, so that the
    dispersion of N stars that scatter by s errs by two or three times s / sqrt(2 N). With
    fewer it is s / sqrt(N) of the mean, and s / sqrt(2 N) of the dispersion. The LMC's entries
    are exact in simulations, and have none.

    Arguments:
        records: B records, as `kinematics.velocity_moments` takes them.
        binning: How stars become summaries; without a survey's sample.

    Raises:
        ValueError: If the binning draws the stars of a survey, whose noise is wanted, or
            no simulation has stars in a bin.
    """
    if binning.sample is not None:
        raise ValueError(
            "stars that are drawn as a survey has them bring its noise, not one of their own: use "
            "a binning without a sample"
        )
    nearest, furthest = binning.distances
    stars = kinematics.simulated_stars(records, nearest, furthest)
    velocity, bins = kinematics.binned_velocities(stars, binning)
    shape = (len(records), len(binning.bins))
    found = clipped_moments(velocity, bins, shape[0] * shape[1], binning.clip)
    enough = (found.kept > 1).reshape(shape)
    if not enough.any(axis=0).all():
        raise ValueError(
            f"some bin has stars in none of {len(records)} simulations: use wider bins"
        )
    usual = np.square(found.dispersion) / np.maximum(found.kept, 1)
    resampled = _resampled_variances(velocity, bins, found, binning.clip)
    variances = np.where(found.kept < FEW_STARS, (usual, usual / 2.0), resampled)
    each = np.where(enough, variances.reshape(2, *shape), np.nan)
    mean, dispersion = np.sqrt(np.nanmean(each, axis=1))
    stellar = kinematics.entries(mean, dispersion, binning)
    lmc = np.zeros(len(LMC_NAMES) if binning.lmc else 0)
    return np.concatenate([lmc, stellar])


def _resampled_variances(
    velocity: FloatArray, bins: IntArray, found: VelocityMoments, clip: float
) -> FloatArray:
    """Returns the variances of means and dispersions of resamples of all bins `[2, K]`.

    Arguments:
        velocity: Of each star in a bin, with shape `[M]`.
        bins: The bin of each, of all simulations' K.
        found: The moments of the bins.
        clip: The number of dispersions at which stars are clipped.
    """
    order = np.argsort(bins, kind="stable")
    owner, values = bins[order], velocity[order]
    number = found.count[owner]
    first = (np.cumsum(found.count) - found.count)[owner]
    moments = []
    for resample in range(_RESAMPLES):
        place = generator(_SEED, resample).random(len(owner))
        drawn = values[first + (place * number).astype(np.int64)]
        one = clipped_moments(drawn, owner, len(found.count), clip)
        moments.append((one.mean, one.dispersion))
    return np.asarray(np.var(moments, axis=0, ddof=1))
