"""What draws and predictions look like: quantiles, densities, and bands around curves.

Figures and pages show these numbers; what is drawn is computed here, and nowhere else.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # whose parts are imported where they are used
from numpy.typing import NDArray

from orrery.judging.intervals import widths_or_one
from orrery.parameters import BoolArray, FloatArray

# Fractions of a distribution within one and two standard deviations of a normal one.
ONE_SIGMA = (0.16, 0.84)
TWO_SIGMA = (0.025, 0.975)
# Quantiles of a band, ascending.
LEVELS = (TWO_SIGMA[0], ONE_SIGMA[0], 0.5, ONE_SIGMA[1], TWO_SIGMA[1])
ENOUGH = 20  # tests in a bin from which on it has 16 and 84 %
NEARLY_ALL = (0.005, 0.995)  # of the values, which an outline holds
PLACES = 101  # of an outline, and levels of the band around coverage
POINTS = 64  # of a density
_FINE = 8  # bins for each of them, in which draws are counted
# Share of draws near the last one at a bound; of a normal distribution's fewer are there.
_PILED_UP = 0.02
# Draws of a normal distribution that are so near, of 100 or of 1000.
_MOST_BY_CHANCE = 12


def quantile_bands(x: FloatArray) -> FloatArray:
    """Returns the `LEVELS` quantiles `[5, S]` of summaries `[n, S]`.

    Simulations with empty bins are left out bin by bin; a bin that all leave empty is
    NaN.
    """
    bands = np.full((len(LEVELS), x.shape[1]), np.nan)
    known = np.isfinite(x).any(axis=0)
    bands[:, known] = np.nanquantile(x[:, known], LEVELS, axis=0)
    return bands


def running_quantiles(x: FloatArray, y: FloatArray, bins: int) -> FloatArray:
    """Returns how one quantity depends on another, as quantiles in equally full bins.

    Arguments:
        x: The abscissa, with shape `[n]`.
        y: The ordinate, with shape `[n]`.
        bins: How many; those without values are left out.

    Returns:
        The median abscissa of each bin, then 16, 50 and 84 % of the ordinate, `[4, B]`.
    """
    parts = [
        part for part in np.array_split(np.argsort(x, kind="stable"), bins) if len(part)
    ]
    levels = (ONE_SIGMA[0], 0.5, ONE_SIGMA[1])
    return np.array([[np.median(x[i]), *np.quantile(y[i], levels)] for i in parts]).T


def binned_quantiles(
    truth: FloatArray, predicted: FloatArray, edges: FloatArray
) -> FloatArray:
    """Returns how predictions scatter in bins of the truth that hold `ENOUGH` tests.

    Arguments:
        truth: With shape `[N]`.
        predicted: With shape `[N]`.
        edges: Of the bins, ascending; a bin contains its lower edge.

    Returns:
        The middle of each of these bins, then 16, 50 and 84 % of the predictions, `[4,
        B]`.
    """
    place = np.searchsorted(edges, truth, side="right") - 1
    bins = [b for b in range(len(edges) - 1) if np.sum(place == b) >= ENOUGH]
    levels = (ONE_SIGMA[0], 0.5, ONE_SIGMA[1])
    rows = [
        [(edges[b] + edges[b + 1]) / 2, *np.quantile(predicted[place == b], levels)]
        for b in bins
    ]
    return np.array(rows).reshape(-1, 4).T


@dataclass(frozen=True)
class Outline:
    """The shape of a distribution between the first and the last of nearly all values.

    Arguments:
        levels: 0.5, 16, 50, 84 and 99.5 % of the values, with shape `[5]`.
        places: Where the density is given, with shape `[PLACES]`; empty if all values
            are the same.
        density: In units of its peak, likewise.

    Example:
        >>> outline(np.linspace(-1.0, 1.0, 201)).levels.round(2)
        array([-0.99, -0.68,  0.  ,  0.68,  0.99])
    """

    levels: FloatArray
    places: FloatArray
    density: FloatArray


def outline(values: FloatArray) -> Outline:
    """Returns the outline of values `[n]`, by a kernel estimate with Silverman's width."""
    levels = np.quantile(
        values, (NEARLY_ALL[0], ONE_SIGMA[0], 0.5, ONE_SIGMA[1], NEARLY_ALL[1])
    )
    if not levels[4] > levels[0]:
        return Outline(levels, places=np.empty(0), density=np.empty(0))
    places = np.linspace(levels[0], levels[4], PLACES)
    # a few values far away would make Scott's width, that of the standard deviation, theirs
    width = float(_kernel_widths(values[:, np.newaxis])[0]) / values.std(ddof=1)
    density = scipy.stats.gaussian_kde(values, width)(places)
    return Outline(levels, places, density / density.max())


def coverage_band(
    tests: int, probability: tuple[float, float]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Returns levels, and what share of tests lies within a calibrated posterior's regions.

    Arguments:
        tests: How many there are, which scatter as the binomial distribution says.
        probability: Between which quantiles of that the band lies.

    Returns:
        The levels from 0 to 1, and the lower and upper ends of the band there, each
        `[PLACES]`.
    """
    level = np.linspace(0.0, 1.0, PLACES)
    low, high = (scipy.stats.binom.ppf(p, tests, level) / tests for p in probability)
    return level, low, high


def densities(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Returns where the marginal densities of draws are given, and these, both `[POINTS, P]`.

    A kernel estimate with Silverman's width. Where draws pile up at their smallest or
    largest, a posterior ends at a bound of its prior: there the kernel is reflected, and
    the plot ends too. Its sum times the step is one.

    doi.org/10.1201/9781315140919

    Arguments:
        draws: The draws, with shape `[n, P]`.

    Raises:
        ValueError: If there are none, or one is not finite.

    Example:
        >>> draws = np.random.default_rng(1).normal(size=(10_000, 2))
        >>> places, heights = densities(draws)
        >>> (heights.sum(axis=0) * (places[1] - places[0])).round(9)
        array([1., 1.])
    """
    if not len(draws) or not np.isfinite(draws).all():
        raise ValueError(f"{len(draws)} draws, some not finite: they have no density")
    kernel = _kernel_widths(draws)
    low = draws.min(axis=0)
    high = draws.max(axis=0)
    low = low - _room(draws - low < kernel, kernel)
    high = high + _room(high - draws < kernel, kernel)
    fine = (high - low) / (POINTS * _FINE)
    bins = np.minimum((draws - low) // fine, POINTS * _FINE - 1).astype(np.int64)
    smooth = [
        scipy.ndimage.gaussian_filter1d(_counted(column), width, mode="reflect")
        for column, width in zip(bins.T, kernel / fine, strict=True)
    ]
    heights = np.array(smooth).reshape(-1, POINTS, _FINE).sum(axis=2).T
    step = _FINE * fine
    places = low + (np.arange(POINTS)[:, np.newaxis] + 0.5) * step
    return places, heights / (heights.sum(axis=0) * step)


def _room(near: BoolArray, kernel: FloatArray) -> FloatArray:
    """Returns how far densities go on beyond the last draws: not at all at a bound.

    Arguments:
        near: Which draws are within one kernel of the last, with shape `[n, P]`.
        kernel: The kernels' widths, with shape `[P]`.
    """
    piled = near.mean(axis=0)
    # a parameter whose draws are all the same has no bound, and needs a place
    is_share = (piled > _PILED_UP) & (piled < 1.0)
    at_bound = is_share & (near.sum(axis=0) > _MOST_BY_CHANCE)
    return np.where(at_bound, 0.0, 3.0 * kernel)


def _counted(bins: NDArray[np.int64]) -> FloatArray:
    """Returns how many draws each fine bin has."""
    return np.bincount(bins, minlength=POINTS * _FINE).astype(np.float64)


def _kernel_widths(draws: FloatArray) -> FloatArray:
    """Returns Silverman's width of a kernel for each column of draws `[n, P]`."""
    lower, upper = np.quantile(draws, (0.25, 0.75), axis=0)
    deviation = draws.std(axis=0)
    spread = np.minimum(deviation, (upper - lower) / 1.34)
    # more than half of the draws may be the same one
    spread = np.where(spread > 0, spread, widths_or_one(deviation, draws))
    return 0.9 * spread * len(draws) ** -0.2
