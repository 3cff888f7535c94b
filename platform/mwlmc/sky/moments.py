"""Clipped means and dispersions of values in bins, all bins at once.

A few stars with large velocities would otherwise decide a bin's mean; clipping to
convergence makes the result independent of where it started.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from orrery.parameters import BoolArray, FloatArray, IntArray


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
    number = np.bincount(bins, minlength=count)
    left: IntArray = number
    mean = np.zeros(count)
    dispersion = np.zeros(count)
    for found in _rounds(values, bins, number, clip):
        # a bin that lost nothing in the last round keeps the moments that it had there
        mean[found.changed] = found.mean[found.changed]
        dispersion[found.changed] = found.dispersion[found.changed]
        left = found.left
    mean[number < 2] = np.nan
    dispersion[number < 2] = np.nan
    return VelocityMoments(number, left, mean, dispersion)


def unclipped(
    values: FloatArray, bins: IntArray, count: int, clip: float = 3.0
) -> IntArray:
    """Returns the positions `[M]` of the values that `clipped_moments` leaves, increasing."""
    kept = np.ones(len(values), dtype=bool)
    waiting = np.arange(len(values))
    for found in _rounds(values, bins, np.bincount(bins, minlength=count), clip):
        kept[waiting[~found.inside]] = False
        waiting = waiting[found.again]
    return np.flatnonzero(kept)


class _Round(NamedTuple):
    """One round of clipping, of the values in those bins that the last round changed.

    Arguments:
        changed: The bins that are looked at `[K]`.
        mean: The mean of the values at the round's beginning `[K]`; 0 in other bins.
        dispersion: Their standard deviation `[K]`, likewise.
        left: The number of values that each bin has at its end `[K]`.
        inside: Which of the round's values are not clipped `[M]`.
        again: Which of them the next round looks at `[M]`.
    """

    changed: BoolArray
    mean: FloatArray
    dispersion: FloatArray
    left: IntArray
    inside: BoolArray
    again: BoolArray


def _rounds(
    values: FloatArray, bins: IntArray, number: IntArray, clip: float
) -> Iterator[_Round]:
    """Clips until nothing changes.

    Arguments:
        values: Finite values `[N]`.
        bins: Each value's bin `[N]`.
        number: The number of values in each bin `[K]`.
        clip: The number of dispersions.
    """
    changed = np.ones(len(number), dtype=bool)
    while changed.any():
        divisor = np.maximum(number, 1)
        mean = np.bincount(bins, values, minlength=len(number)) / divisor
        # two passes: the sum of squares less the squared sum would lose digits
        apart = values - mean.take(bins)
        squares = np.bincount(bins, apart * apart, minlength=len(number))
        dispersion = np.sqrt(squares / divisor)
        inside = np.abs(apart) <= (clip * dispersion).take(bins)
        lost = np.bincount(bins[~inside], minlength=len(number))
        number = number - lost
        # A bin that lost nothing is finished; the next round is for the others' stars.
        unfinished = lost > 0
        again = inside & unfinished.take(bins)
        yield _Round(changed, mean, dispersion, number, inside, again)
        values = values[again]
        bins = bins[again]
        changed = unfinished
