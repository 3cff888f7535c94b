"""Whether posteriors mean what they say: coverage of regions, and ranks of the truth.

A posterior is judged on simulations whose truth is known. If it is right, the truth is
one more draw from it, so its place among the draws is uniform; these are tests of that
uniformity. A test that cannot fail says nothing, so the same draws, made too narrow,
show that it would have.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy  # whose parts are imported where they are used
from numpy.typing import NDArray

from orrery.branches import LEARNING, SBC, TARP
from orrery.judging.intervals import check_draws, widths_or_one
from orrery.parameters import FloatArray, generator

_TIES = 2  # the branch of the random stream that ranks equal numbers
# Of fewer, TARP rejects right posteriors too often. At a level of 1 %, with 8 sets of
# references, it rejects 2.2 % of those of two parameters with 20 tests, 1.1 % with 50 and
# 0.9 % with 100; with 100 tests also 0.95 % of those of one parameter, 1.1 % of six.
FEWEST_TARP_TESTS = 100
# Each test adds max(f, 1/2) of a uniform f to the area, whose variance this is.
_AREA_VARIANCE = 5 / 192
# Of the draws of a parameter, that are beyond all simulations: of priors that end somewhere
# right posteriors have fewer there, see the page on one's own simulator.
MOST_LEAKAGE = 0.1
_FURTHER = 3  # the branch of the random stream of all sets of references but the first


@dataclass(frozen=True)
class Coverage:
    """How often the truth lies in the credible regions of N tests.

    Arguments:
        levels: Credibility levels, with shape `[L]`.
        coverage: The fraction of tests whose truth lies in the region of that level,
            `[L]`, averaged over the sets of references.
        fractions: For each test the level of the smallest region around the first set's
            reference that holds the truth, `[N]`; uniform if the posterior is right.
        atc: Integral of `coverage - levels` over the levels above one half: positive
            for posteriors that are too wide, negative for too narrow ones, and also for
            those that follow the data too little and stay near the prior. sbi before
            0.26.1 summed without the width of its bins, so older papers print values
            about 30 times as large.
        ks_pvalue: Of the one-sample Kolmogorov-Smirnov test of the fractions against
            the uniform distribution. (Comparing two curves of 30 levels instead cannot
            reject a posterior half as wide as it should be.)
        area_error: Standard error of the area: of one set of references a right
            posterior's, of several that over the tests.

    Example:
        >>> random = np.random.default_rng(0)
        >>> draws = random.normal(size=(99, 200, 2))
        >>> right = tarp(draws, theta=random.normal(size=(200, 2)), seed=1)
        >>> right.ks_pvalue > 0.05, right.enough
        (True, True)
    """

    levels: FloatArray
    coverage: FloatArray
    fractions: FloatArray
    atc: float
    ks_pvalue: float
    area_error: float = math.nan

    @property
    def area_z(self) -> float:
        """The area to curve in units of its error: Student's t of right posteriors.

        Of one set of references, whose error is known, it is a standard normal number.
        Wrong widths move the area most; the largest distance of two curves, which the
        Kolmogorov-Smirnov test sees, needs about twice as many tests for the same.
        """
        error = self.area_error
        # runs of before have none
        if math.isnan(error):
            error = math.sqrt(_AREA_VARIANCE / len(self.fractions))
        return self.atc / error

    @property
    def area_pvalue(self) -> float:
        """How often the area of a right posterior is at least as far from nought."""
        # whose tails are a little too long for one set of references
        freedom = max(1, len(self.fractions) - 1)
        return float(2.0 * scipy.stats.t.sf(abs(self.area_z), freedom))

    @property
    def pvalue(self) -> float:
        """The smaller p-value of both tests, corrected for being one of two (Bonferroni)."""
        return min(1.0, 2.0 * min(self.ks_pvalue, self.area_pvalue))

    @property
    def enough(self) -> bool:
        """Whether there are so many tests that the p-value means what it says.

        The error of an area is estimated from the tests themselves, and the areas of a
        few tests are too skewed for Student's t.
        """
        return len(self.fractions) >= FEWEST_TARP_TESTS


@dataclass(frozen=True)
class Ranks:
    """The place of the truth among the draws, for N tests and P parameters.

    Arguments:
        ranks: The number of draws below the truth, from 0 to `draws`, with shape `[N,
            P]`; a truth that equals draws has a random place among them.
        draws: The number M of draws.
        levels: Normalised ranks at which the bands are given, with shape `[L]`.
        difference: For each parameter the empirical distribution function of the
            normalised ranks less the uniform one, with shape `[L, P]`.
        lower: Lower edge of the band that holds the whole difference curve of a
            parameter in 95 % of all cases if the posterior is right, with shape `[L]`.
        upper: Upper edge of that band, with shape `[L]`.
        ks_pvalue: Of the Kolmogorov-Smirnov test of each parameter's ranks, with shape
            `[P]`.
        band_pvalue: How often the difference curve of a right posterior strays at least
            as far, measured by the band's shape, with shape `[P]`. Below 0.05 the curve
            leaves the band.

    Example:
        >>> draws = np.arange(9.0).reshape(9, 1, 1)
        >>> sbc_ranks(draws, theta=np.array([[3.5]]), seed=1).ranks
        array([[4]])
    """

    ranks: NDArray[np.int64]
    draws: int
    levels: FloatArray
    difference: FloatArray
    lower: FloatArray
    upper: FloatArray
    ks_pvalue: FloatArray
    band_pvalue: FloatArray


def tarp(
    draws: FloatArray,
    theta: FloatArray,
    seed: int,
    levels: int = 51,
    references: int = 1,
    prior: FloatArray | None = None,
) -> Coverage:
    """Returns the coverage of regions around random references (Lemos et al. 2023).

    The region of a test is the ball around its reference that reaches as far as the
    truth; what it holds of the draws is its level. References are drawn uniformly from
    the box of all other truths, so that they know nothing of a test's own truth or data,
    or from the prior: where that fills little of its box, they are nearer to truths, and
    widths move what regions hold by more. Lengths are in standard deviations of the other
    truths.

    doi.org/10.48550/arXiv.2302.03026

    Arguments:
        draws: Posterior draws for each test, with shape `[M, N, P]`.
        theta: The truths, with shape `[N, P]`.
        seed: Decides the references, ranks ties, and spreads each count of draws over
            its interval.
        levels: The number of levels from 0 to 1 at which the coverage is given.
        references: The number of references of each test, over which its coverage is
            averaged.
        prior: Parameters `[K, P]` of other simulations, if references are drawn from them.

    Raises:
        ValueError: If the shapes do not belong together, a number is not finite, or there
            is no set of references.
    """
    check_draws(draws, theta)
    _check_prior(prior, theta)
    if references < 1:
        raise ValueError(f"{references} sets of references: give 1 or more")
    branches = [(), *((_FURTHER, number) for number in range(1, references))]
    fractions = np.stack([_fractions(draws, theta, seed, b, prior) for b in branches])
    return _coverage(fractions, np.linspace(0, 1, levels))


def _check_prior(prior: FloatArray | None, theta: FloatArray) -> None:
    if prior is None:
        return
    if prior.ndim != 2 or len(prior) == 0 or prior.shape[1] != theta.shape[1]:
        raise ValueError(
            f"prior has the shape {prior.shape}, where [K, {theta.shape[1]}] with K of 1 or "
            "more is wanted"
        )
    if not np.isfinite(prior).all():
        raise ValueError("prior has numbers that are not finite: leave those out")


def _fractions(
    draws: FloatArray,
    theta: FloatArray,
    seed: int,
    branch: tuple[int, ...],
    prior: FloatArray | None,
) -> FloatArray:
    """Returns what the regions around one set of references hold of the draws, `[N]`."""
    random = generator(seed, LEARNING, TARP, *branch)
    scale = _spread_of_others(theta)
    if prior is not None:
        reference = prior[random.integers(len(prior), size=len(theta))]
    else:
        lower, upper = _box_of_others(theta)
        reference = lower + random.random(theta.shape) * (upper - lower)
    truth = _squared_distances(theta[np.newaxis], reference, scale)
    distance = _squared_distances(draws, reference, scale)
    ties = generator(seed, LEARNING, TARP, *branch, _TIES)
    return _uniform(_ranks(distance, truth[0], ties), len(draws), random)


def _box_of_others(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Returns the lower and upper ends `[N, P]` of the box of all truths but each one's own.

    The box of all truths knows its outermost: their regions hold too little.
    """
    if len(theta) == 1:
        return theta, theta
    ordered = np.sort(theta, axis=0)
    lower = np.where(theta == ordered[0], ordered[1], ordered[0])
    upper = np.where(theta == ordered[-1], ordered[-2], ordered[-1])
    return lower, upper


def _spread_of_others(theta: FloatArray) -> FloatArray:
    """Returns the standard deviation `[N, P]` of all truths but each one's own."""
    others = max(1, len(theta) - 1)
    squares = (theta - theta.mean(axis=0)) ** 2
    # without one, the mean of the others moves too
    variance = squares.sum(axis=0) / others - squares * len(theta) / others**2
    return widths_or_one(np.sqrt(np.maximum(variance, 0.0)), theta)


def _squared_distances(
    draws: FloatArray, point: FloatArray, scale: FloatArray
) -> FloatArray:
    total = np.zeros(draws.shape[:2])
    # One parameter at a time needs P times less memory.
    for i in range(draws.shape[-1]):
        total += ((draws[..., i] - point[..., i]) / scale[..., i]) ** 2
    return total


def _ranks(
    draws: FloatArray, truth: FloatArray, random: np.random.Generator
) -> NDArray[np.int64]:
    """Returns the rank of each truth `[N]` among its draws `[M, N]`, ties ranked at random."""
    below = np.sum(draws < truth, axis=0)
    # a truth that equals T of its draws is as likely before any of them as after all
    ties = np.sum(draws == truth, axis=0)
    return np.asarray(below + random.integers(0, ties + 1))


def _uniform(
    counts: NDArray[np.int64], draws: int, random: np.random.Generator
) -> FloatArray:
    # Of M draws, 0 to M lie below the truth, each equally often. Spreading every count
    # over its own interval of length 1 / (M + 1) makes the uniform distribution of them
    # continuous.
    return (counts + random.random(counts.shape)) / (draws + 1)


def _coverage(fractions: FloatArray, levels: FloatArray) -> Coverage:
    """Returns the coverage of fractions `[R, N]` of R sets of references."""
    held = np.searchsorted(np.sort(fractions, axis=None), levels, side="right")
    coverage = held / fractions.size
    # Of the exact step function: a test at f adds 1 - f, or 1/2 when f < 1/2, less the
    # mean 3/8. The references of one test share its truth, so that tests scatter.
    areas = np.mean(1.0 - np.maximum(fractions, 0.5), axis=0) - 0.375
    # where all regions hold all truths, or none, tests do not scatter: references do
    least = math.sqrt(_AREA_VARIANCE / fractions.size)
    error = least
    if len(fractions) > 1:
        error = max(least, areas.std(ddof=1) / math.sqrt(len(areas)))
    return Coverage(
        levels,
        coverage,
        fractions[0],
        float(areas.mean()),
        _ks(fractions[0]),
        float(error),
    )


def _ks(uniform: FloatArray) -> float:
    return float(scipy.stats.kstest(uniform, "uniform").pvalue)


def sbc_ranks(
    draws: FloatArray,
    theta: FloatArray,
    seed: int,
    levels: int = 101,
    simulations: int = 2000,
) -> Ranks:
    """Returns the ranks of the truths among the draws (Talts et al. 2018), with simultaneous bands.

    The band is as wide at each level as the binomial scatter there, times the one
    factor that makes it hold whole curves (Säilynoja et al. 2022,
    doi.org/10.1007/s11222-022-10090-6).

    doi.org/10.48550/arXiv.1804.06788

    Arguments:
        draws: Posterior draws for each test, with shape `[M, N, P]`.
        theta: The truths, with shape `[N, P]`.
        seed: Ranks ties, spreads each rank over its interval, and decides the
            simulations of the band.
        levels: The number of levels from 0 to 1 at which the band is given.
        simulations: How many uniform samples decide the band.

    Raises:
        ValueError: If the shapes do not belong together, or a number is not finite.
    """
    check_draws(draws, theta)
    ties = generator(seed, LEARNING, SBC, _TIES)
    # One parameter at a time needs P times less memory.
    columns = [_ranks(draws[..., i], truth, ties) for i, truth in enumerate(theta.T)]
    ranks = np.stack(columns, axis=-1)
    uniform = _uniform(ranks, len(draws), generator(seed, LEARNING, SBC, 0))
    grid = np.linspace(0, 1, levels)
    difference = np.stack([_difference(column, grid) for column in uniform.T], axis=-1)
    scatter = np.sqrt(grid * (1 - grid) / len(theta))
    usual = _usual_excess(len(theta), levels, simulations, seed)
    band = scatter * np.quantile(usual, 0.95)
    further = np.sum(usual >= _excess(difference.T, scatter)[:, np.newaxis], axis=1)
    ks_pvalues = np.array([_ks(column) for column in uniform.T])
    return Ranks(
        ranks=ranks,
        draws=len(draws),
        levels=grid,
        difference=difference,
        lower=-band,
        upper=band,
        ks_pvalue=ks_pvalues,
        # The curve counts as one of its own simulations: no p-value is nought.
        band_pvalue=(1 + further) / (1 + simulations),
    )


def _difference(uniform: FloatArray, grid: FloatArray) -> FloatArray:
    return np.searchsorted(np.sort(uniform), grid, side="right") / len(uniform) - grid


@lru_cache(maxsize=4)  # a posterior and its control have the same
def _usual_excess(tests: int, levels: int, simulations: int, seed: int) -> FloatArray:
    """Returns how far the curves of uniform samples stray at most, as `_excess` does."""
    grid = np.linspace(0, 1, levels)
    random = generator(seed, LEARNING, SBC, 1)
    counts = random.multinomial(tests, np.diff(grid), size=simulations).cumsum(axis=1)
    curves = np.pad(counts / tests, ((0, 0), (1, 0))) - grid
    usual = _excess(curves, np.sqrt(grid * (1 - grid) / tests))
    usual.flags.writeable = False
    return usual


def _excess(difference: FloatArray, scatter: FloatArray) -> FloatArray:
    """Returns how far curves `[K, L]` stray at most, in units of the scatter at each level, `[K]`.

    Levels 0 and 1, where nothing scatters, do not count.
    """
    inner = scatter > 0
    return np.max(np.abs(difference[:, inner]) / scatter[inner], axis=1)


def narrowed(draws: FloatArray, width: float) -> FloatArray:
    """Returns draws pulled towards the median of their own test: a posterior that is overconfident.

    The median stays, every central interval becomes `width` times as wide, and draws
    within bounds stay within them.

    Arguments:
        draws: Posterior draws for each test, with shape `[M, N, P]`.
        width: The new width in units of the old, between 0 and 1.

    Raises:
        ValueError: If the width is not between 0 and 1.
    """
    if not 0 < width < 1:
        raise ValueError(f"width = {width} must be between 0 and 1")
    return width * draws + (1 - width) * np.median(draws, axis=0)


def leakage(draws: FloatArray, theta: FloatArray) -> FloatArray:
    """Returns for each parameter the fraction of draws beyond the range of all truths, `[P]`.

    A flow may put draws where no simulation of the prior can be.

    Arguments:
        draws: Posterior draws, with shape `[..., P]`.
        theta: Truths drawn from the prior, with shape `[N, P]`.
    """
    outside = (draws < theta.min(axis=0)) | (draws > theta.max(axis=0))
    return outside.reshape(-1, theta.shape[1]).mean(axis=0)
