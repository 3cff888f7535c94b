"""From simulated pairs and an observation to a number with an error.

Train an ensemble of networks that predict one parameter, test it on examples that it
never saw, and take the error of its answer from those that were predicted like it:
arrays and options in, a frozen result out.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from orrery.execution import summaries
from orrery.execution.summaries import Binning, Summarise
from orrery.inference.options import Prediction
from orrery.inference.posteriors import losses_in_words
from orrery.judging import regression
from orrery.judging.regression import BinnedErrors, PredictionInterval
from orrery.learning import ensemble
from orrery.learning.ensemble import Ensemble, EnsemblePlan
from orrery.learning.mixture import Mixture
from orrery.learning.posterior import Posterior
from orrery.learning.training import OnEpoch, ignore_epoch
from orrery.option_types import check_types
from orrery.pairs import Splits, pooled
from orrery.parameters import FloatArray, Parameter
from orrery.records import Observation
from orrery.storage.dataset import Dataset
from orrery.storage.store import Location
from orrery.terminal import progress

FEWEST_IN_BIN = 100  # tests in a bin whose errors are compared
NEAREST_TESTS = (
    200  # tests, if there are as many, that give the density of another one's error
)
FEWEST_SCORED = 5  # tests that can be scored at all


@dataclass(frozen=True, eq=False)
class EvaluatedEnsemble:
    """An ensemble, and what it predicts of examples that it never saw.

    Arguments:
        label: What it is called in the report.
        ensemble: The trained networks.
        truth: The parameter of N tests, with shape `[N]`.
        members: What each of K networks predicts of them, with shape `[K, N]`.
        edges: The bins of the truth in which errors are given, with shape `[B + 1]`.
        window: How far a test's prediction may be from the one that it lends its error
            to.

    Example:
        >>> truth = np.linspace(11.0, 13.0, 200)
        >>> edges = np.array([11.0, 12.0, 13.0])
        >>> one = EvaluatedEnsemble("25", None, truth, truth[None] + 0.1, edges, 0.2)
        >>> round(one.smallest_rmse(fewest=50), 3)
        0.1
    """

    label: str
    ensemble: Ensemble
    truth: FloatArray
    members: FloatArray
    edges: FloatArray
    window: float

    @cached_property
    def predicted(self) -> FloatArray:
        """The mean of the members for each test `[N]`."""
        mean: FloatArray = self.members.mean(axis=0)
        return mean

    @property
    def rmse(self) -> float:
        """Root mean square error of that mean over all tests."""
        return float(np.sqrt(np.mean((self.predicted - self.truth) ** 2)))

    @cached_property
    def errors(self) -> BinnedErrors:
        """The errors of that mean in bins of the truth."""
        return regression.binned(self.truth, self.predicted, self.edges)

    @cached_property
    def member_errors(self) -> BinnedErrors:
        """The errors of each member in bins of the truth."""
        return regression.binned(self.truth, self.members, self.edges)

    def rmse_between(
        self, low: float, high: float, fewest: int = FEWEST_IN_BIN
    ) -> FloatArray:
        """Returns the root mean square errors of the bins between two edges.

        NaN where a bin holds too few tests.
        """
        return self._between(self.errors.rmse, low, high, fewest)

    def largest_bias(
        self, low: float, high: float, fewest: int = FEWEST_IN_BIN
    ) -> float:
        """Returns the largest absolute median bias of the bins between two edges.

        NaN if none of them holds enough tests.
        """
        bias = np.abs(self._between(self.errors.bias, low, high, fewest))
        return float(max(bias[np.isfinite(bias)], default=np.nan))

    def _between(
        self, field: FloatArray, low: float, high: float, fewest: int
    ) -> FloatArray:
        chosen = (self.errors.edges[:-1] >= low) & (self.errors.edges[1:] <= high)
        known: FloatArray = np.where(self.errors.counts >= fewest, field, np.nan)[
            chosen
        ]
        return known

    @property
    def scatter(self) -> tuple[float, float]:
        """How far one member scatters, and the mean of all if they err independently.

        NaN if there is one alone.
        """
        if len(self.members) < 2:
            return np.nan, np.nan
        scatter = regression.member_scatter(self.members)
        return scatter.one, scatter.mean

    def smallest_rmse(self, fewest: int = FEWEST_IN_BIN) -> float:
        """Returns the smallest root mean square error of the bins that hold enough tests.

        NaN if none does: small samples always have some bin that is good by chance.
        """
        enough = self.errors.counts >= fewest
        return float(self.errors.rmse[enough].min()) if enough.any() else np.nan

    def predict(self, observation: Observation) -> float:
        """Returns the prediction for an observation.

        Raises:
            ValueError: If the observation has other features.
        """
        try:
            return float(self.ensemble.predict_observation(observation).mean())
        except ValueError as error:
            raise ValueError(f"ensemble {self.label!r}: {error}") from error

    def interval(
        self, prediction: float, fewest: int = regression.FEWEST_ALIKE
    ) -> PredictionInterval:
        """Returns a prediction with the interval of the tests that were predicted like it.

        Its ends are NaN if they are too few, or all on one side: the prediction is
        beyond what was simulated, or at its edge, and nobody knows its error.

        Arguments:
            prediction: What is to have an interval.
            fewest: How many tests there must be.
        """
        try:
            return regression.prediction_interval(
                prediction, self.truth, self.predicted, self.window, fewest=fewest
            )
        except regression.TooFewAlikeError:
            alike = regression.predicted_alike(self.predicted, prediction, self.window)
            return PredictionInterval(
                prediction,
                lower=np.nan,
                median=np.nan,
                upper=np.nan,
                level=regression.INTERVAL_LEVEL,
                tests=int(alike.sum()),
            )

    def predict_observation(self, observation: Observation) -> PredictionInterval:
        """Returns the prediction for an observation, with its interval.

        Raises:
            ValueError: If the observation has other features.
        """
        return self.interval(self.predict(observation))

    def predict_rows(self, x: FloatArray) -> PredictionInterval:
        """Returns the mean prediction for rows of summaries `[n, S]`, with its interval.

        All of it is NaN if there are no rows.
        """
        return self.interval(self.mean_prediction(x))

    def mean_prediction(self, x: FloatArray) -> float:
        """Returns the mean prediction for rows of summaries `[n, S]`; NaN if there are none."""
        return float(self.ensemble.mean(x).mean()) if len(x) else np.nan

    @cached_property
    def score(self) -> "Score":
        """How it fares on its tests.

        Raises:
            ValueError: If they are too few to tell the density of an error.
        """
        count = len(self.truth)
        if count < FEWEST_SCORED:
            raise ValueError(
                f"ensemble {self.label!r} has {count} tests, its score needs {FEWEST_SCORED}: "
                "simulate more examples"
            )
        like = min(NEAREST_TESTS, count - 1)
        density = regression.log_probability(self.truth, self.predicted, like)
        return _score(self.truth, self.predicted, density.each)


@dataclass(frozen=True)
class Score:
    """How an estimator fares on tests.

    Arguments:
        rmse: Root mean square error of its means.
        bias: Median of mean less truth.
        log_probability: Mean log-density of the truths [nat].
        standard_error: Of that mean [nat].

    Example:
        >>> Score(0.16, -0.01, 0.53, 0.02).rmse
        0.16
    """

    rmse: float
    bias: float
    log_probability: float
    standard_error: float


def _score(truth: FloatArray, predicted: FloatArray, log_density: FloatArray) -> Score:
    error = predicted - truth
    return Score(
        float(np.sqrt(np.mean(error**2))),
        float(np.median(error)),
        float(log_density.mean()),
        float(log_density.std(ddof=1) / np.sqrt(len(truth))),
    )


def posterior_score(
    estimate: Posterior | Mixture, splits: Splits, seed: int, draws: int = 200
) -> Score:
    """Returns how the means of a posterior of one parameter fare on the tests of its pairs.

    Arguments:
        estimate: The posterior.
        splits: Its pairs, whose summaries have their errors already.
        seed: Decides the draws.
        draws: How many give a mean.
    """
    test = splits.test
    means = estimate.sample_each(test.x, draws, seed).mean(axis=0)[:, 0]
    return _score(test.theta[:, 0], means, estimate.log_prob(test.theta, test.x))


def drawn_interval(
    draws: FloatArray, level: float = regression.INTERVAL_LEVEL
) -> PredictionInterval:
    """Returns median and central interval of draws `[n, 1]` of a posterior of one parameter."""
    low, median, high = np.quantile(
        draws[:, 0], (0.5 - level / 2, 0.5, 0.5 + level / 2)
    )
    return PredictionInterval(
        float(median), float(low), float(median), float(high), level, len(draws)
    )


def variance_ratios(
    found: Mapping[str, EvaluatedEnsemble], reference: str, seed: int
) -> dict[str, tuple[float, float]]:
    """Returns the variance of each ensemble's errors over that of one, with its standard error.

    Arguments:
        found: By name; those whose tests are others are left out.
        reference: The name of the one.
        seed: Decides the resampling of the tests.
    """
    one = found[reference]
    ratios = {
        name: regression.variance_ratio(one.truth, other.predicted, one.predicted, seed)
        for name, other in found.items()
        if np.array_equal(other.truth, one.truth)
    }
    return {name: (ratio.ratio, ratio.error) for name, ratio in ratios.items()}


class Grouped(Binning, Protocol):
    """A binning whose entries are of some kinds.

    Example:
        >>> from orrery.execution.summaries import Entries
        >>> class Distances(Entries):
        ...     groups = ("distance", "distance")
        >>> binning: Grouped = Distances(("r_1", "r_2"), ("kpc", "kpc"))
        >>> binning.names, binning.groups
        (('r_1', 'r_2'), ('distance', 'distance'))
    """

    @property
    def groups(self) -> Sequence[Hashable]:
        """For each of the S entries its kind: those of one kind are scaled together."""
        ...


def train_and_evaluate(
    label: str,
    splits: Splits,
    parameter: Parameter,
    options: Prediction,
    seed: int,
    groups: Sequence[Hashable],
    edges: FloatArray,
    folder: Location,
    on_epoch: OnEpoch = ignore_epoch,
) -> EvaluatedEnsemble:
    """Returns a trained ensemble and its predictions of the tests.

    Arguments:
        label: What the ensemble is called in messages.
        splits: The pairs, with their errors.
        parameter: What is predicted.
        options: How the ensemble is trained and judged.
        seed: Decides the first weights and the order of the examples.
        groups: For each summary its group; the summaries of a group are scaled
            together.
        edges: Of the bins of the truth in which errors are given, with shape `[B + 1]`.
        folder: Where ensembles of these summaries are kept, each in a folder of its
            own, so that none replaces another.
        on_epoch: Called after each epoch with its number and its losses.

    Raises:
        ValueError: For the reasons of `ensemble.fit`.
        FloatingPointError: If a loss is not finite.
    """
    check_types(options)
    plan = EnsemblePlan(
        splits, (parameter,), options.networks, options.learning, seed, tuple(groups)
    )
    epochs = options.learning.max_epochs
    with progress(f"training {label}", epochs, unit="epochs") as advance:

        def on_mean(epoch: int, losses: Mapping[str, float]) -> None:
            on_epoch(epoch, losses)
            advance(note=losses_in_words(losses))

        found = ensemble.fit_plan(plan, folder / plan.fingerprint, on_mean)
    members = found.predict(splits.test.x)[..., 0]
    truth = splits.test.theta[:, 0]
    return EvaluatedEnsemble(label, found, truth, members, edges, options.window)


def pooled_pairs(
    dataset: Dataset,
    summarise: Summarise[Any],
    binnings: Sequence[Binning],
    parameters: Sequence[Parameter],
) -> Splits:
    """Returns pairs whose errors are drawn several times.

    Arguments:
        dataset: The simulations.
        summarise: Returns the summaries `[B, S]` of records, their errors included, and
            a binning.
        binnings: They differ in the seed of their errors. All give pairs for training,
            the first one's are tests.
        parameters: What is inferred.
    """
    each = [
        summaries.compute(summarise, dataset, binning, parameters)
        for binning in binnings
    ]
    return pooled(each)
