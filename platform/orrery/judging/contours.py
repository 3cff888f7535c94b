"""The shape of draws in one and two dimensions, in bins as fine as the draws are narrow.

A corner figure has axes for all that it shows. Bins of these axes would make draws that are
narrow beside a prior look as wide as a bin, and contours hold more of them than they say.
"""

from collections.abc import Sequence

import numpy as np
import scipy  # whose parts are imported where they are used

from orrery.parameters import FloatArray

Span = tuple[float, float]

AXIS_ENDS = (0.002, 0.998)  # of draws, which an axis holds
# Bins along an axis: with more than the most, one is narrower than a pixel.
_COARSEST, _FINEST = 32, 256
_PART = 0.2  # of the draws' width, which a bin is at most
# Of draws, by whose width theirs is known also if they are in several places.
_CORE = 0.3
_SIGMA = 0.77  # width of the narrowest interval with so many normal draws [sigma]
_SMOOTHED = 1.2  # bins, the width of a kernel for many draws: Scott's for so many
_MANY = 5000
_LINES = (1e-4, 0.9)  # of the highest density, between which a contour still is a line
_APART = 1.0 - 1e-4  # two of one density


def bin_edges(values: FloatArray, span: Span) -> FloatArray:
    """Returns edges of bins that are narrow beside draws, and hold those beyond an axis too.

    Contours are of all draws, and not of those that are seen: bins go on beyond the axis, by
    its own length at most.

    Arguments:
        values: Of one parameter, with shape `[n]`.
        span: Both ends of its axis.

    Example:
        >>> bin_edges(np.linspace(-1.0, 1.0, 101), (0.0, 10.0)).round(2)[[0, -1]]
        array([-1., 10.])
    """
    low, high = span
    length = high - low
    width = min(_PART * _core_width(values) or length, length / _COARSEST)
    width = max(width, length / _FINEST)
    first, last = np.quantile(values, AXIS_ENDS)
    first = max(min(first, low), low - length)
    last = min(max(last, high), high + length)
    return np.linspace(first, last, round((last - first) / width) + 1)


def _core_width(values: FloatArray) -> float:
    """Returns how wide draws are where they are densest, as a standard deviation."""
    ordered = np.sort(values)
    count = int(np.ceil(_CORE * len(values)))
    widths = ordered[count - 1 :] - ordered[: len(ordered) - count + 1]
    return float(widths.min()) / _SIGMA


def contour_levels(
    draws: FloatArray, edges: tuple[FloatArray, FloatArray], shares: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    """Returns the density of draws, and its levels, ascending, above which shares of draws are.

    As many of other draws are there too: a draw's own kernel counts for none of its own.

    Arguments:
        draws: Of two parameters, with shape `[n, 2]`.
        edges: Of bins along both, `[B + 1]` and `[C + 1]`, see `bin_edges`.
        shares: Of the draws.

    Returns:
        Draws in a bin after smoothing, with shape `[B, C]`, and as many levels as shares.

    Example:
        >>> draws = np.random.default_rng(1).normal(size=(1000, 2))
        >>> edges = bin_edges(draws[:, 0], (-3.0, 3.0)), bin_edges(draws[:, 1], (-3.0, 3.0))
        >>> density, levels = contour_levels(draws, edges, (0.39, 0.86))
        >>> bool(0 < levels[0] < levels[1] < density.max())
        True
    """
    along_x, along_y = edges
    counted = np.histogram2d(draws[:, 0], draws[:, 1], bins=[along_x, along_y])[0]
    kernel = _SMOOTHED * max(1.0, (_MANY / len(draws)) ** (1 / 6))
    density = scipy.ndimage.gaussian_filter(counted, kernel, mode="constant")
    own = 1.0 / (2.0 * np.pi * kernel**2)
    # one bin more on either side: draws beyond all are where hardly any other is
    around = np.pad(density, 1)
    x = np.searchsorted(along_x, draws[:, 0], side="right")
    y = np.searchsorted(along_y, draws[:, 1], side="right")
    levels = np.quantile(around[x, y] - own, sorted(1.0 - share for share in shares))
    # draws in one place have one density, draws far from all others none but their own
    lowest, highest = (share * density.max() for share in _LINES)
    steps = _APART ** np.arange(len(levels), 0, -1)
    return density, np.asarray(steps * np.clip(levels, lowest, highest))
