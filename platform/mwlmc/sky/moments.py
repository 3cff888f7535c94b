"""Clipped means and dispersions of values in bins, all bins at once.

A few stars with large velocities would otherwise decide a bin's mean; clipping to
convergence makes the result independent of where it started.
"""

from dataclasses import dataclass

import numpy as np

from orrery.parameters import FloatArray, IntArray


@dataclass(frozen=True)
class VelocityMoments:
    """Moments of the stars in each of K bins, or in those of B simulations `[B, K]`.

    Arguments:
        count: The number of stars `[K]`.
        kept: The number left after clipping `[K]`.
        mean: The mean of those `[K]`; NaN in a bin with fewer than two stars.
        dispersion: Their standard deviation `[K]` (divided by the number); NaN
            likewise.

    Example:
        >>> values = np.array([*([-1.0, 1.0] * 10), 500.0, 3.0])
        >>> moments = clipped_moments(values, np.array([0] * 21 + [1]), count=2)
        >>> moments.kept, moments.mean
        (array([20,  1]), array([ 0., nan]))
    """

    count: IntArray
    kept: IntArray
    mean: FloatArray
    dispersion: FloatArray


def clipped_moments(
    values: FloatArray, bins: IntArray, count: int, clip: float = 3.0
) -> VelocityMoments:
    """Returns the moments of values in bins, clipped about the mean until nothing changes.

    Each round leaves out the values further than `clip` dispersions from the mean of
    those left, as astropy's `sigma_clip(cenfunc="mean", maxiters=None)` does, in all
    bins at once.

    Arguments:
        values: Finite values `[N]`.
        bins: Each value's bin `[N]`, 0 to count - 1.
        count: The number of bins.
        clip: The number of dispersions.
    """
    kept = unclipped(values, bins, count, clip)
    number = np.bincount(bins, minlength=count)
    left = np.bincount(bins[kept], minlength=count)
    mean, dispersion = _moments(values[kept], bins[kept], left)
    mean[number < 2] = np.nan
    dispersion[number < 2] = np.nan
    return VelocityMoments(number, left, mean, dispersion)


def unclipped(
    values: FloatArray, bins: IntArray, count: int, clip: float = 3.0
) -> IntArray:
    """Returns the positions `[M]` of the values that `clipped_moments` leaves, increasing."""
    kept = np.ones(len(values), dtype=bool)
    waiting = np.arange(len(values))
    while len(waiting):
        mean, dispersion = _moments(values, bins, np.bincount(bins, minlength=count))
        inside = np.abs(values - mean[bins]) <= (clip * dispersion)[bins]
        kept[waiting[~inside]] = False
        # A bin that lost nothing is finished; the next round is for the stars of the
        # others.
        changed = np.bincount(bins[~inside], minlength=count) > 0
        again = np.flatnonzero(inside & changed[bins])
        values = values[again]
        bins = bins[again]
        waiting = waiting[again]
    return np.flatnonzero(kept)


def _moments(
    values: FloatArray, bins: IntArray, number: IntArray
) -> tuple[FloatArray, FloatArray]:
    # two passes: the sum of squares less the squared sum would lose digits
    divisor = np.maximum(number, 1)
    mean = np.bincount(bins, values, minlength=len(number)) / divisor
    squares = (values - mean[bins]) ** 2
    return mean, np.sqrt(np.bincount(bins, squares, minlength=len(number)) / divisor)
