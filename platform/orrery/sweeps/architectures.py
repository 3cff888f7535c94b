"""Architectures: flows and ensembles as trials, judged on validation pairs.

A trial never sees a test simulation: what is sent to it has none.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orrery.branches import LEARNING, TEST_NOISE, VALIDATION_NOISE
from orrery.identity import JSON
from orrery.learning import ensemble, posterior
from orrery.learning.ensemble import Ensemble, EnsemblePlan
from orrery.learning.flow_training import FlowPlan
from orrery.learning.posterior import Posterior
from orrery.pairs import Pairs, Splits, convolve
from orrery.parameters import FloatArray, Parameter, generator
from orrery.sweeps.evaluation import Report
from orrery.sweeps.options import EnsembleArchitecture, FlowArchitecture
from orrery.sweeps.trial import Goal

REPORTS = 20  # of a trial, about


def without_test(splits: Splits) -> Splits:
    """Returns pairs none of which are tests."""
    test = splits.test
    return replace(splits, test=Pairs(test.theta[:0], test.x[:0]))


@dataclass(frozen=True)
class Scored:
    """How well an architecture does on tests, trained once.

    Arguments:
        score: On the tests.
        error: Its standard error, as so many tests give it.
        validation_error: The standard error of its score on the validation pairs.

    Example:
        >>> Scored(0.15, 0.01, 0.01).score
        0.15
    """

    score: float
    error: float
    validation_error: float


@dataclass(frozen=True, eq=False)
class FlowTask:
    """A posterior that is learned from pairs, and judged by its log-probability.

    Arguments:
        splits: The pairs, without measurement errors; tests are left out.
        parameters: The P parameters.
        covariance: The measurement covariance, with shape `[S, S]`.
        seed: Decides the errors of the validation pairs.

    Example:
        >>> FlowTask.goal.name, FlowTask.unit
        ('log_probability', 'nat')
    """

    splits: Splits
    parameters: tuple[Parameter, ...]
    covariance: FloatArray
    seed: int

    goal = Goal("log_probability", "larger")
    unit = "nat"

    def __post_init__(self) -> None:
        object.__setattr__(self, "splits", without_test(self.splits))

    @property
    def identity(self) -> JSON:
        """What flows learn, as a posterior has it, and the seed of the errors."""
        return {**self._plan(FlowArchitecture()).problem, "seed": self.seed}

    def noisy(self, pairs: Pairs, branch: int) -> Pairs:
        """Returns pairs with measurement errors, the same for all architectures.

        Arguments:
            pairs: Without errors.
            branch: Of the seed, from which the errors are drawn.
        """
        random = generator(self.seed, LEARNING, branch)
        return convolve(pairs, self.covariance, random)

    def __call__(self, options: FlowArchitecture, report: Report) -> dict[str, float]:
        return {self.goal.name: self._validated(self._trained(options, report))[0]}

    def score(self, options: FlowArchitecture, pairs: Pairs) -> Scored:
        """Returns the mean log-probability of tests, with standard errors [nat].

        Arguments:
            options: The architecture, which is trained anew.
            pairs: The tests, without errors.
        """
        trained = self._trained(options, _no_report)
        noisy = self.noisy(pairs, TEST_NOISE)
        score, error = _mean(trained.log_prob(noisy.theta, noisy.x))
        return Scored(score, error, self._validated(trained)[1])

    def _validated(self, trained: Posterior) -> tuple[float, float]:
        noisy = self.noisy(self.splits.validation, VALIDATION_NOISE)
        values = trained.log_prob(noisy.theta, noisy.x)
        return _mean(values, _simulations(self.splits))

    def _trained(self, options: FlowArchitecture, report: Report) -> Posterior:
        plan = self._plan(options)
        with tempfile.TemporaryDirectory() as folder:
            on_epoch = each_epoch(report, options.training.max_epochs)
            return posterior.fit_plan(plan, Path(folder), on_epoch)

    def _plan(self, options: FlowArchitecture) -> FlowPlan:
        return FlowPlan(
            self.splits,
            self.parameters,
            self.covariance,
            options.flow,
            options.training,
            options.training_seed,
        )


@dataclass(frozen=True, eq=False)
class EnsembleTask:
    """A parameter that an ensemble predicts, judged by the error of the members' mean.

    Arguments:
        splits: The pairs, with their errors; tests are left out.
        parameter: What is predicted.
        groups: For each summary its group; those of one group are scaled together.

    Example:
        >>> EnsembleTask.goal.name, EnsembleTask.goal.better
        ('rmse', 'smaller')
    """

    splits: Splits
    parameter: Parameter
    groups: tuple[Any, ...]

    goal = Goal("rmse", "smaller")

    def __post_init__(self) -> None:
        object.__setattr__(self, "splits", without_test(self.splits))

    @property
    def unit(self) -> str:
        """The parameter's unit: of a logarithm dex."""
        return "dex" if self.parameter.unit.startswith("dex") else self.parameter.unit

    @property
    def identity(self) -> JSON:
        """What networks learn, as an ensemble has it."""
        return self._plan(EnsembleArchitecture()).problem

    def __call__(
        self, options: EnsembleArchitecture, report: Report
    ) -> dict[str, float]:
        trained = self._trained(options, report)
        return {self.goal.name: self._validated(trained)[0]}

    def score(self, options: EnsembleArchitecture, pairs: Pairs) -> Scored:
        """Returns the root mean square error of tests, with standard errors.

        Arguments:
            options: The architecture, which is trained anew.
            pairs: The tests.
        """
        trained = self._trained(options, _no_report)
        score, error = _rmse(trained, pairs)
        return Scored(score, error, self._validated(trained)[1])

    def _validated(self, trained: Ensemble) -> tuple[float, float]:
        splits = self.splits
        return _rmse(trained, splits.validation, _simulations(splits))

    def _trained(self, options: EnsembleArchitecture, report: Report) -> Ensemble:
        plan = self._plan(options)
        with tempfile.TemporaryDirectory() as folder:
            on_epoch = each_epoch(report, options.learning.max_epochs)
            return ensemble.fit_plan(plan, Path(folder), on_epoch)

    def _plan(self, options: EnsembleArchitecture) -> EnsemblePlan:
        return EnsemblePlan(
            self.splits,
            (self.parameter,),
            options.networks,
            options.learning,
            options.training_seed,
            self.groups,
        )


def each_epoch(
    report: Report, epochs: int
) -> Callable[[int, Mapping[str, float]], None]:
    """Returns what reports the losses of some twenty of the epochs: each is synced."""
    every = max(epochs // REPORTS, 1)

    def on_epoch(epoch: int, losses: Mapping[str, float]) -> None:
        if epoch % every == 0:
            report({"epoch": epoch, **losses})

    return on_epoch


def _no_report(values: Mapping[str, float]) -> None:
    """Does nothing: of a test nobody follows the epochs."""


def _simulations(splits: Splits) -> NDArray[np.int64] | None:
    """Returns the number of the simulation of each validation pair `[V]`; None where all differ.

    Simulations are told apart by their parameters. Of a catalogue those of equal masses
    count as one, and the error of a score comes out a little too large.
    """
    if splits.draws == 1:
        return None
    theta = splits.validation.theta
    return np.unique(theta, axis=0, return_inverse=True)[1].reshape(-1)


def _rmse(
    trained: Ensemble, pairs: Pairs, simulations: NDArray[np.int64] | None = None
) -> tuple[float, float]:
    """Returns the root mean square error of a parameter and its standard error."""
    errors = (trained.mean(pairs.x) - pairs.theta)[:, 0]
    square, error = _mean(errors**2, simulations)
    rmse = float(np.sqrt(square))
    return rmse, error / (2 * rmse)


def _mean(
    values: FloatArray, simulations: NDArray[np.int64] | None = None
) -> tuple[float, float]:
    """Returns the mean of values `[N]` and its standard error.

    Arguments:
        values: Of pairs.
        simulations: The number of the simulation of each, if it may have several: what is
            peculiar to it is in all of them, and does not average out.
    """
    each = values
    if simulations is not None:
        each = np.bincount(simulations, values) / np.bincount(simulations)
    return float(values.mean()), float(each.std(ddof=1) / np.sqrt(len(each)))
