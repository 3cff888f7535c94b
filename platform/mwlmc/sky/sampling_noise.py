"""How much the moments of simulations scatter because they are of a number of stars.

A simulation that fills a patch with a few hundred stars measures its own mean velocity no
better than a survey of as many does. Errors of a survey that are added to it on top count
noise twice.
"""

import numpy as np

from mwlmc.sky import kinematics
from mwlmc.sky.binning import LMC_NAMES, SkyBinning
from orrery.parameters import FloatArray
from orrery.records import Records

VERSION = 1  # of these errors; raised whenever their numbers change


def sampling_errors(records: Records, binning: SkyBinning) -> FloatArray:
    """Returns the standard errors of the entries of simulations, of their stars' number, `[S]`.

    A bin's mean of N stars that scatter by s errs by s / sqrt(N), its dispersion by
    s / sqrt(2 N); the root of the mean square over the simulations is returned. The LMC's
    entries are exact in simulations, and have none.

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
    found = kinematics.binned_moments(stars, binning, len(records))
    enough = found.kept > 1
    if not enough.any(axis=0).all():
        raise ValueError(
            f"some bin has stars in none of {len(records)} simulations: use wider bins"
        )
    variance = np.full(enough.shape, np.nan)
    np.divide(found.dispersion**2, found.kept, out=variance, where=enough)
    mean = np.sqrt(np.nanmean(variance, axis=0))
    stellar = kinematics.entries(mean, mean / np.sqrt(2.0), binning)
    lmc = np.zeros(len(LMC_NAMES) if binning.lmc else 0)
    return np.concatenate([lmc, stellar])
