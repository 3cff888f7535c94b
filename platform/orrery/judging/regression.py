"""How well predictions of one number fare on examples whose truth is known.

A network trained on squared errors gives a number without an error. The error comes
from tests: what the truths were where the prediction was the same. That needs no
assumption on its distribution, and it has in it whatever the prediction lacks, its bias
included.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from orrery.branches import BOOTSTRAP, LEARNING
from orrery.parameters import BoolArray, FloatArray, generator

INTERVAL_LEVEL = 0.68
FEWEST_FOR_SCATTER = 2  # tests from which a bin has a scatter
FEWEST_ALIKE = 100  # tests whose residuals make an interval
MEDIAN_ERROR = np.sqrt(np.pi / 2)  # of a normal sample's median, in units of its mean's


@dataclass(frozen=True)
class BinnedErrors:
    """Errors of predictions in B bins of the truth; NaN where a bin has less than two tests.

    Arguments:
        edges: Of the bins, ascending, with shape `[B + 1]`.
        counts: How many tests each bin has, with shape `[B]`.
        rmse: Root of the mean squared error, with shape `[..., B]`.
        rmse_error: Its standard error.
        bias: Median of prediction less truth, with shape `[..., B]`.
        bias_error: Its standard error, for errors that are about normal.

    Example:
        >>> truth = np.array([1.0, 1.5, 2.0, 2.5])
        >>> errors = binned(truth, truth + 0.5, edges=np.array([1.0, 2.0, 3.0]))
        >>> errors.middles, errors.bias
        (array([1.5, 2.5]), array([0.5, 0.5]))
    """

    edges: FloatArray
    counts: NDArray[np.int64]
    rmse: FloatArray
    rmse_error: FloatArray
    bias: FloatArray
    bias_error: FloatArray

    @property
    def middles(self) -> FloatArray:
        """The middles of the bins, with shape `[B]`."""
        return (self.edges[1:] + self.edges[:-1]) / 2


@dataclass(frozen=True)
class MemberScatter:
    """How far the members of an ensemble disagree.

    Arguments:
        each: Standard deviation of the members for each test, with shape `[N]`.
        one: Root mean square of these: the scatter of one member.
        mean: The scatter of the mean of all K members, if they err independently.

    Example:
        >>> scatter = member_scatter(np.array([[0.0, 1.0], [2.0, 3.0]]))
        >>> round(scatter.one, 3), round(scatter.mean, 3)
        (1.414, 1.0)
    """

    each: FloatArray
    one: float
    mean: float


@dataclass(frozen=True)
class PredictionInterval:
    """Where the truth is, given a prediction.

    Arguments:
        prediction: The prediction.
        lower: Lower end of the central interval.
        median: Its median; it differs from the prediction if that is biased.
        upper: Upper end.
        level: How often the truth lies in the interval.
        tests: How many tests were predicted like it.

    Example:
        >>> truth = np.linspace(11.0, 13.0, 401)
        >>> seen = prediction_interval(12.0, truth, truth - 0.1, window=0.5)
        >>> round(seen.median, 3), seen.tests
        (12.1, 201)
    """

    prediction: float
    lower: float
    median: float
    upper: float
    level: float
    tests: int

    @property
    def end_error(self) -> float:
        """The standard error of each end, where residuals are normal.

        Of N numbers with the density f a quantile p scatters by sqrt(p (1 - p) / N) / f
        (David & Nagaraja 2003, Order Statistics, doi:10.1002/0471722162).
        """
        tail = (1 - self.level) / 2
        end = scipy.stats.norm.isf(tail)
        scatter = (self.upper - self.lower) / (2 * end)
        each = np.sqrt(tail * (1 - tail)) / scipy.stats.norm.pdf(end)
        return float(scatter * each / np.sqrt(self.tests))


@dataclass(frozen=True)
class LogProbability:
    """The log-density of truths under predictions with an error.

    Arguments:
        each: For each test, with shape `[N]` [nat].
        mean: Their mean [nat].
        standard_error: Of that mean [nat].

    Example:
        >>> truth = np.random.default_rng(0).normal(size=500)
        >>> found = log_probability(truth, np.zeros(500))
        >>> round(found.mean, 1)
        -1.4
    """

    each: FloatArray
    mean: float
    standard_error: float


@dataclass(frozen=True)
class VarianceRatio:
    """By how much one prediction's errors scatter more than another's.

    Arguments:
        ratio: Of the variances.
        error: Its standard error.

    Example:
        >>> truth = np.zeros(50)
        >>> error = np.random.default_rng(0).normal(size=50)
        >>> variance_ratio(truth, 2 * error, error, seed=1).ratio
        4.0
    """

    ratio: float
    error: float


def binned(truth: FloatArray, predicted: FloatArray, edges: FloatArray) -> BinnedErrors:
    """Returns root mean square error and median bias in bins of the truth.

    Arguments:
        truth: With shape `[N]`.
        predicted: Of one or, before the last axis, of several estimators, with shape
            `[..., N]`.
        edges: Of the bins, ascending, with shape `[B + 1]`; a bin contains its lower
            edge.

    Raises:
        ValueError: If shapes do not belong together, numbers are not finite, edges do
            not ascend.
    """
    _check(truth, predicted)
    edges = np.asarray(edges, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError(f"edges {edges} of bins must ascend")
    place = np.searchsorted(edges, truth, side="right") - 1
    residuals = [(predicted - truth)[..., place == b] for b in range(len(edges) - 1)]
    columns = [np.stack(_errors(residual), axis=0) for residual in residuals]
    rmse, rmse_error, bias, bias_error = np.stack(columns, axis=-1)
    counts = np.array([residual.shape[-1] for residual in residuals])
    return BinnedErrors(edges, counts, rmse, rmse_error, bias, bias_error)


def _errors(residual: FloatArray) -> tuple[FloatArray, ...]:
    """Returns RMSE and median of residuals `[..., n]`, each followed by its standard error."""
    if residual.shape[-1] < FEWEST_FOR_SCATTER:
        return (np.full(residual.shape[:-1], np.nan),) * 4
    square = residual**2
    rmse = np.sqrt(square.mean(axis=-1))
    # A root's error is its square's, divided by twice the root; of no errors it is nought.
    rmse_error = _mean_error(square) / np.maximum(2 * rmse, np.finfo(float).tiny)
    bias = np.median(residual, axis=-1)
    return rmse, rmse_error, bias, MEDIAN_ERROR * _mean_error(residual)


def _mean_error(values: FloatArray) -> FloatArray:
    error: FloatArray = values.std(axis=-1, ddof=1) / np.sqrt(values.shape[-1])
    return error


def member_scatter(members: FloatArray) -> MemberScatter:
    """Returns how far the members of an ensemble disagree.

    Arguments:
        members: Predictions of K members for N tests, with shape `[K, N]`.

    Raises:
        ValueError: If there are less than two members, or a prediction is not finite.
    """
    if members.ndim != 2 or len(members) < 2 or not np.isfinite(members).all():
        raise ValueError(
            f"predictions of shape {members.shape} must be finite and of two or more members [K, N]"
        )
    each = members.std(axis=0, ddof=1)
    one = float(np.sqrt(np.mean(each**2)))
    return MemberScatter(each, one, float(one / np.sqrt(len(members))))


class TooFewAlikeError(ValueError):
    """A prediction whose error the tests do not know: few or none were predicted like it.

    Example:
        >>> truth = np.linspace(11.0, 13.0, 401)
        >>> prediction_interval(15.0, truth, truth, window=0.1)
        Traceback (most recent call last):
        ...
        orrery.judging.regression.TooFewAlikeError: only 0 tests are predicted within 0.1 of \
15, 100 are needed: simulate more of them, or make the window wider
    """


def predicted_alike(predicted: FloatArray, prediction: Any, window: float) -> BoolArray:
    """Returns which tests were predicted within a window of a prediction."""
    alike: BoolArray = np.abs(predicted - prediction) <= window
    return alike


def prediction_interval(
    prediction: float,
    truth: FloatArray,
    predicted: FloatArray,
    window: float,
    level: float = INTERVAL_LEVEL,
    fewest: int = FEWEST_ALIKE,
) -> PredictionInterval:
    """Returns where the truth is, from tests that were predicted like it.

    Each of these tests lends its residual, not its truth, so that the width of the
    window does not add to the interval.

    Arguments:
        prediction: What is to have an interval.
        truth: The tests' truths, with shape `[N]`.
        predicted: The predictions for the tests, with shape `[N]`.
        window: How far a test's prediction may be from this one.
        level: How often the truth shall lie in the interval.
        fewest: How many tests there must be.

    Raises:
        TooFewAlikeError: If there are too few, or all of them lie on one side of the
            prediction.
        ValueError: If something else is wrong.
    """
    _check(truth, predicted)
    if not 0 < level < 1:
        raise ValueError(f"level = {level} must be between 0 and 1")
    like = predicted_alike(predicted, prediction, window)
    _check_like(prediction, predicted[like], window, fewest)
    quantiles = (0.5 - level / 2, 0.5, 0.5 + level / 2)
    low, median, high = prediction + np.quantile((truth - predicted)[like], quantiles)
    return PredictionInterval(
        prediction=float(prediction),
        lower=float(low),
        median=float(median),
        upper=float(high),
        level=level,
        tests=int(like.sum()),
    )


def _check_like(
    prediction: float, like: FloatArray, window: float, fewest: int
) -> None:
    if len(like) < fewest:
        raise TooFewAlikeError(
            f"only {len(like)} tests are predicted within {window:g} of {prediction:g}, "
            f"{fewest} are needed: simulate more of them, or make the window wider"
        )
    if not like.min() <= prediction <= like.max():
        raise TooFewAlikeError(
            f"all tests within {window:g} of the prediction {prediction:g} lie between "
            f"{like.min():g} and {like.max():g}: it is beyond what was simulated"
        )


def log_probability(
    truth: FloatArray, predicted: FloatArray, like: int = 200
) -> LogProbability:
    """Returns the log-density of the truths, had the predictions normal errors.

    Mean and variance of a test's error are those of the other tests that were predicted
    most like it, so that no test has a part in its own. What a posterior's log-probability is
    more than this, it has learned of the error's shape or of how it differs between
    examples.

    Arguments:
        truth: With shape `[N]`.
        predicted: With shape `[N]`.
        like: How many other tests, as many below as above; at the ends, the last ones.

    Raises:
        ValueError: If there are less tests than that, or shapes do not belong together.
    """
    _check(truth, predicted)
    if not 2 <= like < len(truth):
        raise ValueError(
            f"like={like} must be 2 or more and less than the {len(truth)} tests that there are"
        )
    order = np.argsort(predicted, kind="stable")
    residual = (truth - predicted)[order]
    mean, variance = _neighbourhood(residual, like)
    each = np.empty(len(truth))
    each[order] = scipy.stats.norm.logpdf(residual, mean, np.sqrt(variance))
    return LogProbability(each, float(each.mean()), float(_mean_error(each)))


def _neighbourhood(values: FloatArray, like: int) -> tuple[FloatArray, FloatArray]:
    """Returns mean and variance of the `like` values next to each of `[N]`, itself left out."""
    start = np.clip(np.arange(len(values)) - like // 2, 0, len(values) - like - 1)
    # Sums of large numbers would lose the small variance.
    centred = values - values.mean()
    mean = _sums_of_others(centred, start, like) / like
    square = _sums_of_others(centred**2, start, like) / like
    # Rounding may make the variance of equal values negative.
    spread = np.maximum(square - mean**2, np.finfo(float).tiny)
    return mean + values.mean(), spread * like / (like - 1)


def _sums_of_others(
    values: FloatArray, start: NDArray[np.int64], like: int
) -> FloatArray:
    """Returns for each of `values` the sum of `like + 1` from `start` on, less its own."""
    running = np.concatenate([[0.0], np.cumsum(values)])
    return running[start + like + 1] - running[start] - values


def variance_ratio(
    truth: FloatArray,
    one: FloatArray,
    other: FloatArray,
    seed: int,
    resamples: int = 500,
) -> VarianceRatio:
    """Returns the variance of one prediction's errors in units of another's.

    The error is that of resampled tests (Efron 1979, doi:10.1214/aos/1176344552). Both
    predictions share them, and most of what makes a test hard.

    Arguments:
        truth: With shape `[N]`.
        one: Predictions for the tests, with shape `[N]`.
        other: Predictions for the same tests, with shape `[N]`.
        seed: Decides the resampling.
        resamples: How often.

    Raises:
        ValueError: If shapes do not belong together, or the other prediction has no
            errors.
    """
    _check(truth, one)
    _check(truth, other)
    residuals = np.stack([one - truth, other - truth])
    if not residuals[1].std() > 0:
        raise ValueError(
            "the second prediction has no scatter: there is nothing to compare with"
        )
    random = generator(seed, LEARNING, BOOTSTRAP)
    ratios = [
        _ratio(residuals[:, random.integers(len(truth), size=len(truth))])
        for _ in range(resamples)
    ]
    return VarianceRatio(_ratio(residuals), float(np.std(ratios, ddof=1)))


def _ratio(residuals: FloatArray) -> float:
    one, other = residuals.var(axis=1)
    return float(one / other)


def _check(truth: FloatArray, predicted: FloatArray) -> None:
    if truth.ndim != 1 or predicted.shape[-1:] != truth.shape or not truth.size:
        raise ValueError(
            f"truths of shape {truth.shape} and predictions of shape {predicted.shape} must be "
            "[N] and [..., N]"
        )
    if not (np.isfinite(truth).all() and np.isfinite(predicted).all()):
        raise ValueError(
            "truths and predictions must be finite: leave out those that are not"
        )
