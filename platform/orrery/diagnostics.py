"""Whether posteriors mean what they say: coverage, ranks, and what the data bought.

A posterior is judged on simulations whose truth is known. If it is right, the truth is one more
draw from it, so its place among the draws is uniform; these are tests of that uniformity. None of
them sees a posterior that ignored the data and returned the prior: its coverage is perfect. So the
log-probability of the truth, compared with that under the prior, belongs to every judgement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from orrery.branches import LEARNING, SBC, TARP
from orrery.parameters import FloatArray, generator


@dataclass(frozen=True)
class Coverage:
    """How often the truth lies in the credible regions of N tests.

    Arguments:
        levels: Credibility levels, with shape `[L]`.
        coverage: The fraction of tests whose truth lies in the region of that level, `[L]`.
        fractions: For each test the level of the smallest region that holds the truth, `[N]`;
            uniform if the posterior is right.
        atc: Integral of `coverage - levels` over the levels above one half: positive for posteriors
            that are too wide, negative for too narrow ones. sbi before 0.26.1 summed without the
            width of its bins, so older papers print values about 30 times as large.
        ks_pvalue: Of the one-sample Kolmogorov-Smirnov test of the fractions against the uniform
            distribution. (Comparing two curves of 30 levels instead cannot reject a posterior half
            as wide as it should be.)
    """

    levels: FloatArray
    coverage: FloatArray
    fractions: FloatArray
    atc: float
    ks_pvalue: float


@dataclass(frozen=True)
class Ranks:
    """The place of the truth among the draws, for N tests and P parameters.

    Arguments:
        ranks: The number of draws below the truth, from 0 to `draws`, with shape `[N, P]`.
        draws: The number M of draws.
        levels: Normalised ranks at which the bands are given, with shape `[L]`.
        difference: For each parameter the empirical distribution function of the normalised ranks
            less the uniform one, with shape `[L, P]`.
        lower: Lower edge of the band that holds the whole difference curve of a parameter in 95 %
            of all cases if the posterior is right, with shape `[L]`.
        upper: Upper edge of that band, with shape `[L]`.
        ks_pvalue: Of the Kolmogorov-Smirnov test of each parameter's ranks, with shape `[P]`.
    """

    ranks: NDArray[np.int64]
    draws: int
    levels: FloatArray
    difference: FloatArray
    lower: FloatArray
    upper: FloatArray
    ks_pvalue: FloatArray


@dataclass(frozen=True)
class ExpectedLogProbability:
    """The log-density of the truth under posteriors, and under a reference that saw no data.

    Arguments:
        mean: Mean over the tests of log q(theta | x) [nat].
        standard_error: Of that mean.
        reference: Mean over the tests of the log-density of the reference [nat].
        gain: How much the data bought: mean less reference [nat].
        gain_standard_error: Of the gain; the two terms share their tests.
    """

    mean: float
    standard_error: float
    reference: float
    gain: float
    gain_standard_error: float


@dataclass(frozen=True)
class Summary:
    """The median and the central 68 % of draws, each with shape `[..., P]`."""

    median: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True)
class IntervalCoverage:
    """How often central intervals of one parameter hold the truth.

    Arguments:
        levels: What the intervals promise, with shape `[L]`.
        coverage: The fraction of tests whose truth they hold, with shape `[L, P]`.
        standard_error: The scatter of that fraction if the posterior is right, with shape `[L]`.
    """

    levels: FloatArray
    coverage: FloatArray
    standard_error: FloatArray


def tarp(draws: FloatArray, theta: FloatArray, seed: int, levels: int = 51) -> Coverage:
    """Returns the coverage of regions around random references (Lemos et al. 2023).

    The region of a test is the ball around its reference that reaches as far as the truth; what it
    holds of the draws is its level. References are drawn uniformly from the box of all truths and
    know nothing of the data. Lengths are in standard deviations of the truths.

    doi.org/10.48550/arXiv.2302.03026

    Arguments:
        draws: Posterior draws for each test, with shape `[M, N, P]`.
        theta: The truths, with shape `[N, P]`.
        seed: Decides the references, and spreads each count of draws over its interval.
        levels: The number of levels from 0 to 1 at which the coverage is given.

    Raises:
        ValueError: If the shapes do not belong together, or a number is not finite.
    """
    _check(draws, theta)
    random = generator(seed, LEARNING, TARP)
    scale, origin = _spread(theta), theta.min(axis=0)
    reference = origin + random.random(theta.shape) * (theta.max(axis=0) - origin)
    truth = np.sum(((theta - reference) / scale) ** 2, axis=-1)
    nearer = np.sum(_squared_distances(draws, reference, scale) < truth, axis=0)
    return _coverage(_uniform(nearer, len(draws), random), np.linspace(0, 1, levels))


def _spread(theta: FloatArray) -> FloatArray:
    scale = theta.std(axis=0)
    return np.where(scale > 0, scale, 1.0)


def _squared_distances(draws: FloatArray, point: FloatArray, scale: FloatArray) -> FloatArray:
    total = np.zeros(draws.shape[:2])
    for i, unit in enumerate(scale):  # one parameter at a time needs P times less memory
        total += ((draws[..., i] - point[..., i]) / unit) ** 2
    return total


def _uniform(counts: NDArray[np.int64], draws: int, random: np.random.Generator) -> FloatArray:
    # Of M draws, 0 to M lie below the truth, each equally often. Spreading every count over its
    # own interval of length 1 / (M + 1) makes the uniform distribution of them continuous.
    return (counts + random.random(counts.shape)) / (draws + 1)


def _coverage(fractions: FloatArray, levels: FloatArray) -> Coverage:
    coverage = np.searchsorted(np.sort(fractions), levels, side="right") / len(fractions)
    # Of the exact step function: a test at f adds 1 - f, or 1/2 when f < 1/2, less the mean 3/8.
    atc = np.mean(1.0 - np.maximum(fractions, 0.5)) - 0.375
    return Coverage(levels, coverage, fractions, float(atc), _ks(fractions))


def _ks(uniform: FloatArray) -> float:
    return float(stats.kstest(uniform, "uniform").pvalue)


def sbc_ranks(
    draws: FloatArray, theta: FloatArray, seed: int, levels: int = 101, simulations: int = 2000
) -> Ranks:
    """Returns the ranks of the truths among the draws (Talts et al. 2018), with simultaneous bands.

    The band is as wide at each level as the binomial scatter there, times the one factor that makes
    it hold whole curves (Säilynoja et al. 2022, doi.org/10.1007/s11222-022-10090-6).

    doi.org/10.48550/arXiv.1804.06788

    Arguments:
        draws: Posterior draws for each test, with shape `[M, N, P]`.
        theta: The truths, with shape `[N, P]`.
        seed: Spreads each rank over its interval, and decides the simulations of the band.
        levels: The number of levels from 0 to 1 at which the band is given.
        simulations: How many uniform samples decide the band.

    Raises:
        ValueError: If the shapes do not belong together, or a number is not finite.
    """
    _check(draws, theta)
    ranks = np.stack([np.sum(draws[..., i] < t, axis=0) for i, t in enumerate(theta.T)], axis=-1)
    uniform = _uniform(ranks, len(draws), generator(seed, LEARNING, SBC, 0))
    grid = np.linspace(0, 1, levels)
    band = _band(len(theta), grid, simulations, generator(seed, LEARNING, SBC, 1))
    difference = np.stack([_difference(column, grid) for column in uniform.T], axis=-1)
    pvalues = np.array([_ks(column) for column in uniform.T])
    return Ranks(ranks, len(draws), grid, difference, -band, band, pvalues)


def _difference(uniform: FloatArray, grid: FloatArray) -> FloatArray:
    return np.searchsorted(np.sort(uniform), grid, side="right") / len(uniform) - grid


def _band(
    tests: int, grid: FloatArray, simulations: int, random: np.random.Generator
) -> FloatArray:
    scatter = np.sqrt(grid * (1 - grid) / tests)
    inner = scatter > 0
    curves = [_difference(random.random(tests), grid) for _ in range(simulations)]
    excess = np.max(np.abs(np.stack(curves)[:, inner]) / scatter[inner], axis=1)
    return scatter * np.quantile(excess, 0.95)


def expected_log_probability(log_prob: FloatArray, reference: FloatArray) -> ExpectedLogProbability:
    """Returns the mean log-density of the truths, and what the data added to it.

    A gain of zero belongs to a posterior that says no more than the reference.

    Arguments:
        log_prob: log q(theta_i | x_i) of each test's truth, with shape `[N]`.
        reference: The log-density of the same truths without their data, such as the mean over
            other tests' data,
            with shape `[N]`.

    Raises:
        ValueError: If the shapes differ.
    """
    if log_prob.shape != reference.shape or log_prob.ndim != 1:
        raise ValueError(
            f"log-probabilities of shapes {log_prob.shape} and {reference.shape} must be those of "
            "the same tests"
        )
    gain = log_prob - reference
    return ExpectedLogProbability(
        mean=float(log_prob.mean()),
        standard_error=_standard_error(log_prob),
        reference=float(reference.mean()),
        gain=float(gain.mean()),
        gain_standard_error=_standard_error(gain),
    )


def _standard_error(values: FloatArray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def leakage(draws: FloatArray, theta: FloatArray) -> FloatArray:
    """Returns for each parameter the fraction of draws beyond the range of all truths, `[P]`.

    A flow may put draws where no simulation of the prior can be.

    Arguments:
        draws: Posterior draws, with shape `[..., P]`.
        theta: Truths drawn from the prior, with shape `[N, P]`.
    """
    outside = (draws < theta.min(axis=0)) | (draws > theta.max(axis=0))
    return outside.reshape(-1, theta.shape[1]).mean(axis=0)


def coverage_table(
    draws: FloatArray, theta: FloatArray, levels: Sequence[float] = (0.5, 0.68, 0.95)
) -> IntervalCoverage:
    """Returns how often each parameter's central intervals hold the truth.

    Arguments:
        draws: Posterior draws for each test, with shape `[M, N, P]`.
        theta: The truths, with shape `[N, P]`.
        levels: What the intervals promise.

    Raises:
        ValueError: If the shapes do not belong together, or a number is not finite.
    """
    _check(draws, theta)
    promised = np.asarray(levels, dtype=np.float64)
    edges = np.quantile(draws, np.concatenate([0.5 - promised / 2, 0.5 + promised / 2]), axis=0)
    low, high = np.split(edges, 2)
    held = np.mean((low <= theta) & (theta <= high), axis=1)
    return IntervalCoverage(promised, held, np.sqrt(promised * (1 - promised) / len(theta)))


def posterior_summary(draws: FloatArray) -> Summary:
    """Returns the median and the 16 and 84 % quantiles of draws `[M, ..., P]`."""
    lower, median, upper = np.quantile(draws, (0.16, 0.5, 0.84), axis=0)
    return Summary(median, lower, upper)


def _check(draws: FloatArray, theta: FloatArray) -> None:
    if draws.ndim != 3 or theta.ndim != 2 or draws.shape[1:] != theta.shape or not draws.size:
        raise ValueError(
            f"draws of shape {draws.shape} and truths of shape {theta.shape} must have the shapes "
            "[M, N, P] and [N, P]"
        )
    if not (np.isfinite(draws).all() and np.isfinite(theta).all()):
        raise ValueError("draws and truths must be finite: leave out tests that are not")
