"""Central intervals of draws: what they span, and how often they hold the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orrery.parameters import FloatArray

# Of the largest number of a column: sums of a million equal ones are rounded by less.
_ROUNDING = 1e-13


@dataclass(frozen=True)
class PosteriorSummary:
    """The median and the central 68 % of draws, each with shape `[..., P]`.

    Arguments:
        median: The median.
        lower: The 16 % quantile.
        upper: The 84 % quantile.

    Example:
        >>> posterior_summary(np.linspace(0, 1, 101).reshape(101, 1)).median
        array([0.5])
    """

    median: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True)
class IntervalCoverage:
    """How often central intervals of one parameter hold the truth.

    Arguments:
        levels: What the intervals promise, with shape `[L]`.
        coverage: The fraction of tests whose truth they hold, with shape `[L, P]`.
        standard_error: The scatter of that fraction if the posterior is right, with
            shape `[L]`.

    Example:
        >>> draws = np.linspace(-1, 1, 101).reshape(101, 1, 1)
        >>> coverage_table(draws, theta=np.array([[0.6]]), levels=(0.5, 0.95)).coverage
        array([[0.],
               [1.]])
    """

    levels: FloatArray
    coverage: FloatArray
    standard_error: FloatArray


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
    check_draws(draws, theta)
    promised = np.asarray(levels, dtype=np.float64)
    ends = np.concatenate([0.5 - promised / 2, 0.5 + promised / 2])
    # All quantiles at once: the draws are sorted once.
    edges = np.quantile(draws, ends, axis=0)
    low, high = np.split(edges, 2)
    held = np.mean((low <= theta) & (theta <= high), axis=1)
    scatter = np.sqrt(promised * (1 - promised) / len(theta))
    return IntervalCoverage(promised, held, scatter)


def posterior_summary(draws: FloatArray) -> PosteriorSummary:
    """Returns the median and the 16 and 84 % quantiles of draws `[M, ..., P]`."""
    lower, median, upper = np.quantile(draws, (0.16, 0.5, 0.84), axis=0)
    return PosteriorSummary(median, lower, upper)


def widths_or_one(widths: FloatArray, values: FloatArray) -> FloatArray:
    """Returns the widths of columns, and 1 of those whose numbers are all the same.

    The mean of equal numbers is rounded, unless they are sums of few powers of two, so
    that their standard deviation is tiny instead of nought.

    Arguments:
        widths: Of the columns, such as their standard deviations, `[P]` or `[N, P]`.
        values: The columns, with shape `[N, P]`.

    Example:
        >>> same = np.full((7, 1), 0.1)
        >>> bool(same.std() > 0), widths_or_one(same.std(axis=0), same)
        (True, array([1.]))
    """
    largest = np.abs(values).max(axis=0)
    return np.where(widths > _ROUNDING * largest, widths, 1.0)


def check_draws(draws: FloatArray, theta: FloatArray) -> None:
    """Checks draws `[M, N, P]` and truths `[N, P]` of tests.

    Raises:
        ValueError: If the shapes do not belong together, or a number is not finite.
    """
    if (
        draws.ndim != 3
        or theta.ndim != 2
        or draws.shape[1:] != theta.shape
        or not draws.size
    ):
        raise ValueError(
            f"draws of shape {draws.shape} and truths of shape {theta.shape} must have the shapes "
            "[M, N, P] and [N, P]"
        )
    if not (np.isfinite(draws).all() and np.isfinite(theta).all()):
        raise ValueError(
            "draws and truths must be finite: leave out tests that are not"
        )
