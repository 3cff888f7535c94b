"""From simulated pairs and an observation to a number with an error in the report.

Train an ensemble of networks that predict one parameter, test it on examples that it
never saw, and take the error of its answer from those that were predicted like it: one
call for each set of features of an experiment.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from astropy.table import Table

from orrery.execution import summaries
from orrery.execution.summaries import Binning, Summarise
from orrery.inference import posteriors
from orrery.inference.posteriors import Inference
from orrery.judging import regression
from orrery.judging.regression import BinnedErrors, PredictionInterval
from orrery.learning import ensemble
from orrery.learning.ensemble import Ensemble
from orrery.learning.members import Learning
from orrery.learning.mixture import Mixture
from orrery.learning.networks import Networks
from orrery.learning.posterior import Posterior
from orrery.pairs import Splits, pooled
from orrery.parameters import FloatArray, Parameter
from orrery.records import Observation
from orrery.results import figures
from orrery.results.reports import Report, slug
from orrery.storage.dataset import Dataset

FEWEST = 100  # tests in a bin whose errors are compared
ALIKE = 200  # tests, if there are as many, that give the density of another one's error
FEWEST_SCORED = 5  # tests that can be scored at all


@dataclass(frozen=True)
class Prediction:
    """How an ensemble is trained and judged.

    Arguments:
        networks: The members.
        learning: How they are trained.
        window: How far the prediction of a test may be from the one that it lends its
            error to, in units of the parameter.
    """

    networks: Networks = field(default_factory=Networks)
    learning: Learning = field(default_factory=Learning)
    window: float = 0.15

    def __post_init__(self) -> None:
        if not self.window > 0:
            raise ValueError(f"window {self.window} must be larger than 0")


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

    @cached_property
    def errors(self) -> BinnedErrors:
        """The errors of that mean in bins of the truth."""
        return regression.binned(self.truth, self.predicted, self.edges)

    @cached_property
    def member_errors(self) -> BinnedErrors:
        """The errors of each member in bins of the truth."""
        return regression.binned(self.truth, self.members, self.edges)

    def rmse_between(self, low: float, high: float, fewest: int = FEWEST) -> FloatArray:
        """Returns the root mean square errors of the bins between two edges.

        NaN where a bin holds too few tests.
        """
        return self._between(self.errors.rmse, low, high, fewest)

    def largest_bias(self, low: float, high: float, fewest: int = FEWEST) -> float:
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

    def smallest_rmse(self, fewest: int = FEWEST) -> float:
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

    def interval(self, prediction: float) -> PredictionInterval:
        """Returns a prediction with the interval of the tests that were predicted like it.

        Its ends are NaN if they are too few, or all on one side: the prediction is
        beyond what was simulated, or at its edge, and nobody knows its error.
        """
        tests = (self.truth, self.predicted, self.window)
        try:
            return regression.prediction_interval(prediction, *tests)
        except regression.TooFewAlikeError:
            alike = int((np.abs(self.predicted - prediction) <= self.window).sum())
            return PredictionInterval(
                prediction, *(np.nan,) * 3, regression.INTERVAL_LEVEL, alike
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
        return self.interval(float(self.ensemble.mean(x).mean()) if len(x) else np.nan)

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
        like = min(ALIKE, count - 1)
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


Asked = dict[str, tuple[Sequence[Binning], Observation, Inference]]


class Grouped(Binning, Protocol):
    """A binning whose entries are of some kinds."""

    @property
    def groups(self) -> Sequence[Hashable]:
        """For each of the S entries its kind: those of one kind are scaled together."""
        ...


def learn_all(
    report: Report,
    summarise: Summarise[Any],
    parameter: Parameter,
    options: Prediction,
    seed: int,
    edges: FloatArray,
    dataset: Dataset,
    binnings: Mapping[str, Grouped],
) -> dict[str, EvaluatedEnsemble]:
    """Returns a tested ensemble for each binning of a dataset, by its name, after reporting them.

    Arguments:
        report: Where everything goes.
        summarise: Returns the summaries `[B, S]` of records and a binning.
        parameter: What is predicted.
        options: How the ensembles are trained and judged.
        seed: Decides the first weights and the order of the examples.
        edges: Of the bins of the truth in which errors are given, with shape `[B + 1]`.
        dataset: The simulations. Trained ensembles are kept beside them, for other
            runs.
        binnings: By the ensembles' names.
    """
    found = {}
    for label, binning in binnings.items():
        splits = summaries.compute(summarise, dataset, binning, (parameter,))
        folder = dataset.folder / "ensembles" / slug(label)
        how = (parameter, options, seed, binning.groups, edges)
        found[label] = learn(report, label, splits, *how, folder)
    return found


def learn(
    report: Report,
    label: str,
    splits: Splits,
    parameter: Parameter,
    options: Prediction,
    seed: int,
    groups: Sequence[Hashable],
    edges: FloatArray,
    folder: Path,
) -> EvaluatedEnsemble:
    """Returns a trained ensemble and its predictions of the tests, after reporting how it fares.

    Arguments:
        report: Where everything goes.
        label: What the ensemble is called there.
        splits: The pairs, with their errors.
        parameter: What is predicted.
        options: How the ensemble is trained and judged.
        seed: Decides the first weights and the order of the examples.
        groups: For each summary its group; the summaries of a group are scaled
            together.
        edges: Of the bins of the truth in which errors are given, with shape `[B + 1]`.
        folder: Where the ensemble is kept.

    Raises:
        ValueError: For the reasons of `ensemble.fit`.
    """
    shape = (options.networks, options.learning)
    with posteriors.epoch_logger(
        report, label, options.learning.max_epochs
    ) as on_epoch:
        log_epoch = partial(on_epoch, 0)
        found = ensemble.fit(
            splits, (parameter,), *shape, seed, folder, groups, log_epoch
        )
    members = found.predict(splits.test.x)[..., 0]
    tested = EvaluatedEnsemble(
        label, found, splits.test.theta[:, 0], members, edges, options.window
    )
    _show(report, tested, parameter)
    return tested


def _show(report: Report, tested: EvaluatedEnsemble, parameter: Parameter) -> None:
    name = slug(tested.label)
    report.metrics(
        {
            f"{name}.rmse": float(
                np.sqrt(np.mean((tested.predicted - tested.truth) ** 2))
            ),
            f"{name}.reseeded": tested.ensemble.reseeded,
        }
    )
    report.table(
        f"Errors, {tested.label}", error_table(tested, parameter), _account(tested)
    )


def _account(tested: EvaluatedEnsemble) -> str:
    """Returns what a reader must know of an ensemble, in some sentences."""
    pairs = tested.ensemble.document["pairs"]
    count = len(tested.members)
    text = (
        f"{count} network{'s' if count > 1 else ''}, {tested.ensemble.reseeded} reseeded because "
        f"the first weights died, learned {pairs['train']['count']} examples, stopped by the "
        f"loss of {pairs['validation']['count']} others; {len(tested.truth)} more are the tests."
        " Root mean square error and median of prediction less truth in bins of the truth."
    )
    if count > 1:
        one, mean = tested.scatter
        text += (
            f" One network scatters by {one:.3f} about the mean of all, which would scatter by "
            f"{mean:.4f} if the members erred independently."
        )
    return text


def error_table(tested: EvaluatedEnsemble, parameter: Parameter) -> Table:
    """Returns root mean square error and median bias in bins of the truth, with their errors."""
    errors = tested.errors
    columns = {
        "from": errors.edges[:-1],
        "to": errors.edges[1:],
        "tests": errors.counts,
        "rmse": errors.rmse,
        "rmse_error": errors.rmse_error,
        "bias": errors.bias,
        "bias_error": errors.bias_error,
    }
    table = Table(columns)
    for name in table.colnames:
        if name != "tests":
            table[name].unit, table[name].info.format = parameter.unit, "%.3f"
    return table


def compare(
    report: Report,
    found: Mapping[str, EvaluatedEnsemble],
    titles: Mapping[str, Sequence[str]],
    label: tuple[str, str],
    published: Mapping[str, float],
) -> None:
    """Draws predictions and errors of ensembles, figure by figure.

    Arguments:
        report: Where the figures go.
        found: By name.
        titles: For each title the names of its ensembles; the first one's tests are
            drawn.
        label: The parameter in mathtext and its unit, such as dex.
        published: Published errors, by the ensemble's name, as lines.
    """
    for title, names in titles.items():
        shown = {name: found[name] for name in names}
        bands = {
            name: one.member_errors
            for name, one in shown.items()
            if len(one.members) > 1
        }
        lines = {
            f"{name}, published": published[name] for name in names if name in published
        }
        figure = figures.predictions(
            {name: (one.truth, one.predicted) for name, one in shown.items()},
            {name: one.errors for name, one in shown.items()},
            label,
            bands,
            lines,
        )
        caption = (
            f"Tests as {names[0]} predicts them, medians, and below root mean square error and "
            "median bias in bins of the truth"
        )
        caption += "; bands hold 16-84 % of the members" if bands else ""
        caption += "; horizontal lines in the middle are published" if lines else ""
        report.figure(title, figure, f"{caption}.")


def infer_all(
    report: Report,
    dataset: Dataset,
    summarise: Summarise[Any],
    asked: Asked,
    parameter: Parameter,
    seed: int,
) -> dict[str, tuple[Score, PredictionInterval]]:
    """Returns how posteriors of one parameter fare, and what they say of an observation.

    Arguments:
        report: Where everything goes.
        dataset: The simulations.
        summarise: Returns the summaries `[B, S]` of records, their errors included, and
            a binning.
        asked: By the posteriors' names binnings that differ in the seed of their
            errors, the observation with the first, and how it is learned. All binnings
            give pairs for training, the first one's are tests.
        parameter: What is inferred.
        seed: Decides training, draws and tests.
    """
    found = {}
    for label, (binnings, observation, options) in asked.items():
        each = [
            summaries.compute(summarise, dataset, b, (parameter,)) for b in binnings
        ]
        pairs = pooled(each)
        task = (pairs, (parameter,), observation, options, seed)
        inferred = posteriors.infer(report, label, *task)
        score = posterior_score(inferred.posterior, pairs, seed)
        found[label] = (score, drawn_interval(inferred.draws))
    return found
