"""How predictions fare on examples of another kind than they were trained and tested on.

An interval by tests that were predicted alike is right for examples like those tests, by
construction. Whether it is right for examples of another domain, such as those of another
simulation, has to be asked of some whose truth is known.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from orrery.judging import regression
from orrery.judging.regression import (
    FEWEST_FOR_SCATTER,
    MEDIAN_ERROR,
    TooFewAlikeError,
)
from orrery.parameters import FloatArray

_ONE_BIN = np.array([-np.inf, np.inf])


class PredictedTests(Protocol):
    """Tests whose truth is known, and what is predicted of them, both with shape `[N]`.

    Example:
        >>> from types import SimpleNamespace
        >>> tests: PredictedTests = SimpleNamespace(truth=np.zeros(3), predicted=np.ones(3))
        >>> len(tests.truth)
        3
    """

    @property
    def truth(self) -> FloatArray: ...
    @property
    def predicted(self) -> FloatArray: ...


@dataclass(frozen=True)
class Transfer:
    """How answers, medians of tests predicted alike, fare on the tests of another domain.

    Arguments:
        asked: How many of these are predicted within the bounds.
        tests: How many of them have an answer: own tests enough are predicted alike.
        bias: Median of answer less truth; NaN like all that follows if they are too few.
        bias_error: Its standard error, for errors that are about normal.
        coverage: The share of truths within the intervals of the answers.
        coverage_error: Its standard error.

    Example:
        >>> Transfer(1200, 1000, 0.02, 0.005, 0.66, 0.015).bias
        0.02
    """

    asked: int
    tests: int
    bias: float
    bias_error: float
    coverage: float
    coverage_error: float


def transfer(
    own: PredictedTests,
    other: PredictedTests,
    window: float,
    low: float = -np.inf,
    high: float = np.inf,
) -> Transfer:
    """Returns how answers with the errors of one domain's tests fare on another's.

    Those tests count that are predicted within two bounds and have an interval: they are
    chosen by what would be answered, not by the truth, which whoever asks does not know.

    Standard errors have in them that tests of both domains are finite, as if these were
    independent of each other. Where the domains are one, they hold for others like it.

    Arguments:
        own: Tests like what the predictor was trained on.
        other: Tests of the other domain, predicted by the same.
        window: How far a test's prediction may be from the one that it lends its error
            to.
        low: The smallest prediction that counts.
        high: The largest.

    Raises:
        ValueError: If shapes do not belong together or numbers are not finite.

    Example:
        >>> from types import SimpleNamespace
        >>> truth = np.random.default_rng(0).uniform(11, 13, 2000)
        >>> error = np.random.default_rng(1).normal(0, 0.1, 2000)
        >>> own = SimpleNamespace(truth=truth, predicted=truth + error)
        >>> shifted = SimpleNamespace(truth=truth, predicted=truth + error + 0.1)
        >>> found = transfer(own, shifted, window=0.2, low=11.5, high=12.5)
        >>> round(found.bias, 1), found.coverage < 0.6
        (0.1, True)
    """
    asked = (other.predicted >= low) & (other.predicted <= high)
    lower, median, upper = intervals_alike(other.predicted[asked], own, window)
    known = np.isfinite(median)
    truth = other.truth[asked][known]
    count = len(truth)
    if count < FEWEST_FOR_SCATTER:
        return Transfer(int(asked.sum()), count, np.nan, np.nan, np.nan, np.nan)
    errors = regression.binned(truth, median[known], _ONE_BIN)
    covered = float(np.mean((lower[known] <= truth) & (truth <= upper[known])))
    scatter, lenders = _own_part(other.predicted[asked][known], own, window)
    of_answers = MEDIAN_ERROR * scatter / np.sqrt(lenders)
    return Transfer(
        int(asked.sum()),
        count,
        float(errors.bias[0]),
        float(np.hypot(errors.bias_error[0], of_answers)),
        covered,
        float(np.sqrt(covered * (1 - covered) * (1 / count + 1 / lenders))),
    )


def _own_part(
    predictions: FloatArray, own: PredictedTests, window: float
) -> tuple[float, float]:
    """Returns how own tests' errors scatter, and how many independent ones the answers have.

    A test lends its error to many answers, which therefore err together: in their mean
    it counts by its weight, and weights w are worth 1 / sum w^2 equal ones (Kish 1965).
    """
    alike = regression.predicted_alike(
        own.predicted, predictions[:, np.newaxis], window
    )
    weight = np.mean(alike / alike.sum(axis=1, keepdims=True), axis=0)
    residual = own.truth - own.predicted
    variance = weight @ (residual - weight @ residual) ** 2
    return float(np.sqrt(variance)), float(1 / np.sum(weight**2))


def intervals_alike(
    predictions: FloatArray, tests: PredictedTests, window: float
) -> FloatArray:
    """Returns lower end, median and upper end of many predictions' intervals `[3, M]`.

    Each is that of `regression.prediction_interval`, and NaN where that would refuse the
    prediction because too few tests are like it.

    Arguments:
        predictions: What is to have intervals, with shape `[M]`.
        tests: What lends them its errors.
        window: How far a test's prediction may be from one of these.

    Raises:
        ValueError: If something else is wrong.

    Example:
        >>> from types import SimpleNamespace
        >>> truth = np.linspace(11.0, 13.0, 401)
        >>> tests = SimpleNamespace(truth=truth, predicted=truth - 0.1)
        >>> intervals_alike(np.array([12.0, 15.0]), tests, window=0.5)[1].round(2)
        array([12.1,  nan])
    """
    found = np.full((3, len(predictions)), np.nan)
    for place, prediction in enumerate(predictions.tolist()):
        try:
            one = regression.prediction_interval(
                prediction, tests.truth, tests.predicted, window
            )
        except TooFewAlikeError:
            continue
        found[:, place] = one.lower, one.median, one.upper
    return found
