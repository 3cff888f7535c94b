"""Binnings as trials: each is measured on the same simulations, learned, and judged.

A trial bins stored particles anew, or reads what an earlier trial has binned; it never
simulates. It is judged on validation pairs, and never sees a test simulation.
"""

import functools
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from orrery.execution import cluster, summaries
from orrery.execution.summaries import Binning, Summarise
from orrery.execution.summary_names import summary_version
from orrery.identity import JSON
from orrery.judging import calibration, diagnostics, verdicts
from orrery.judging.calibration import REFERENCES, Calibration
from orrery.judging.diagnostics import Coverage, Ranks
from orrery.judging.intervals import posterior_summary
from orrery.judging.options import LEVEL
from orrery.learning import flow_training, mixture
from orrery.learning.flow_training import FlowPlan
from orrery.learning.mixture import Mixture
from orrery.learning.posterior import Posterior
from orrery.option_types import check_value
from orrery.pairs import Splits
from orrery.parameters import FloatArray, Parameter
from orrery.records import Records, added_covariance
from orrery.storage.dataset import Dataset
from orrery.sweeps.architectures import each_epoch, without_test
from orrery.sweeps.evaluation import Report
from orrery.sweeps.judged_pairs import JudgedPairs, part_reports
from orrery.sweeps.options import FlowArchitecture, Sought
from orrery.sweeps.trial import Goal

# An information gain is a proper score, which a posterior that is too narrow loses.
GOALS: dict[Sought, Goal] = {
    "information_gain": Goal("information_gain", "larger"),
    "width": Goal("width", "smaller"),
}
DRAWS = 200  # for each of the pairs on which a trial is judged
MOST_DROPPED = 0.01  # of the simulations, because a bin of theirs was empty
UNCALIBRATED = "UncalibratedError"  # how the reason of such a trial begins


class UncalibratedError(ValueError):
    """A posterior that a test of calibration rejects: its trial fails.

    Example:
        >>> UncalibratedError.__name__ == UNCALIBRATED
        True
    """


@dataclass(frozen=True, eq=False)
class Measured:
    """What is measured in a trial.

    Arguments:
        binning: How particles become the S summaries.
        covariance: Their measurement errors, with shape `[S, S]`.

    Example:
        >>> from orrery.execution.summaries import Entries
        >>> Measured(Entries(("v",), ("km / s",)), np.eye(1)).covariance.shape
        (1, 1)
    """

    binning: Binning
    covariance: FloatArray


class Experiment(Protocol):
    """What a science says of its binnings; it can be sent to another process.

    Example:
        >>> from orrery.execution.summaries import Entries
        >>> class Speeds:
        ...     identity = {"survey": "toy"}
        ...     unit = "km / s"
        ...     def architecture(self, options): return FlowArchitecture()
        ...     def measure(self, options): return Measured(Entries(("v",), ("",)), np.eye(1))
        ...     def simulation_error(self, binning, dataset): return None
        ...     def quantity(self, draws): return draws[..., 0]
        >>> experiment: Experiment = Speeds()
        >>> experiment.quantity(np.zeros((5, 3, 2))).shape
        (5, 3)
    """

    @property
    def identity(self) -> JSON:
        """What decides binnings and errors besides the options."""
        ...

    @property
    def unit(self) -> str:
        """The unit of the quantity whose width counts."""
        ...

    def architecture(self, options: Any) -> FlowArchitecture:
        """Returns what learns."""
        ...

    def measure(self, options: Any) -> Measured:
        """Returns how the stars are binned, and with what errors."""
        ...

    def simulation_error(self, binning: Any, dataset: Dataset) -> FloatArray | None:
        """Returns the errors `[S]` that simulated summaries have of themselves, if any."""
        ...

    def quantity(self, draws: FloatArray) -> FloatArray:
        """Returns the quantity whose width counts, `[M, N]` of draws `[M, N, P]`."""
        ...


@dataclass(frozen=True, eq=False)
class BinningScore:
    """How well a binning does.

    Arguments:
        calibration: Of its posterior.
        widths: Half the central 68 % of the quantity for each of N simulations `[N]`.
        pairs: What was learned and judged.
        coverage: TARP, of those simulations by which a trial's calibration is judged.
        ranks: Simulation-based calibration, of the same.
        validation_errors: The standard errors of gain and width on the validation pairs,
            of who was tested on others.
        parts: Gain, up to what the prior has, and width in parts of the simulations.

    Example:
        >>> from types import SimpleNamespace
        >>> judged = SimpleNamespace(metrics={})
        >>> BinningScore(judged, np.array([5.0, 7.0]), None, None, None).width
        6.0
    """

    calibration: Calibration
    widths: FloatArray
    pairs: Splits
    coverage: Coverage
    ranks: Ranks
    validation_errors: Mapping[str, float] = field(default_factory=dict)
    parts: tuple[Mapping[str, float], ...] = ()

    @property
    def gain(self) -> float:
        """The information gain over the prior [nat]."""
        return self.calibration.log_probability.gain

    @property
    def width(self) -> float:
        """The expected width."""
        return float(self.widths.mean())

    @property
    def errors(self) -> dict[str, float]:
        """The standard errors of gain and width, as so many simulations give them."""
        scatter = self.widths.std(ddof=1) / np.sqrt(len(self.widths))
        gain = self.calibration.log_probability.gain_standard_error
        return {"information_gain": gain, "width": float(scatter)}

    @property
    def objectives(self) -> dict[str, float]:
        """Gain and width."""
        return {"information_gain": self.gain, "width": self.width}

    def rejected_by(self, level: float) -> tuple[str, ...]:
        """Returns which of TARP and simulation-based calibration reject the posterior.

        Slopes are not asked: with so few tests they hardly tell anything. They are judged
        of the binning that is chosen.

        Arguments:
            level: How often each of them may reject a right one.
        """
        # whether the data say anything is not asked: that is what is compared
        return verdicts.rejections(self.coverage, self.ranks, level=level).names

    @property
    def report(self) -> dict[str, float]:
        """All of it as a trial reports it."""
        return {
            **self.objectives,
            "tarp.corrected_pvalue": self.coverage.pvalue,
            "sbc.corrected_ks_pvalue": float(verdicts.holm(self.ranks.ks_pvalue).min()),
            "sbc.corrected_band_pvalue": float(
                verdicts.holm(self.ranks.band_pvalue).min()
            ),
        }


@dataclass(frozen=True, eq=False)
class BinningTask:
    """A posterior that is learned from one binning of stored simulations.

    Arguments:
        dataset: The simulations.
        summarise: Returns summaries of records: see `summaries.compute`.
        parameters: The P parameters.
        experiment: What is measured, with what errors.
        seed: Decides the errors of the pairs on which trials are judged.
        tests: Pairs at most by which the calibration is judged. Gain and width are of all.
        sought: Which objective is.
        level: How often a test of calibration may reject a right posterior.
        members: Flows, from as many seeds, whose mixture learns each binning.

    Raises:
        ValueError: If there is no such objective, the level is not between 0 and 1, or
            there is no member or test.

    Example:
        >>> GOALS["width"].better
        'smaller'
    """

    dataset: Dataset
    summarise: Summarise[Any]
    parameters: tuple[Parameter, ...]
    experiment: Experiment
    seed: int
    tests: int
    sought: Sought = "information_gain"
    level: float = LEVEL
    members: int = 1

    def __post_init__(self) -> None:
        check_value("sought", self.sought, Sought)
        if not 0 < self.level < 1:
            raise ValueError(f"level {self.level}: give one between 0 and 1")
        if self.members < 1:
            raise ValueError(f"members {self.members}: give 1 or more")
        if self.tests < 1:
            raise ValueError(f"tests {self.tests}: give 1 or more")

    @property
    def goal(self) -> Goal:
        """What is sought."""
        return GOALS[self.sought]

    @property
    def unit(self) -> str:
        """Its unit."""
        return "nat" if self.sought == "information_gain" else self.experiment.unit

    @property
    def identity(self) -> JSON:
        """The simulations, the errors and the versions of what learns and judges."""
        return {
            "dataset": self.dataset.fingerprint,
            "simulations": len(self.dataset),
            "summaries": summary_version(self.summarise),
            "parameters": [parameter.describe() for parameter in self.parameters],
            "experiment": self.experiment.identity,
            "seed": self.seed,
            "level": self.level,
            "members": self.members,
            "tests": self.tests,
            "flow": flow_training.VERSION,
            "judging": calibration.VERSION,
        }

    def __call__(self, options: Any, report: Report) -> dict[str, float]:
        measured = self.experiment.measure(options)
        pairs = without_test(self._pairs(measured, report))
        learned = self._learn(options, measured, pairs, report)
        score = self._judge(learned, replace(pairs, test=pairs.validation))
        for part in score.parts:
            report(part)
        report(score.report)
        rejected_by = score.rejected_by(self.level)
        if rejected_by:
            raise UncalibratedError(
                f"rejected by {', '.join(rejected_by)} at a level of {self.level:g}: more "
                "simulations or another flow may help"
            )
        return score.objectives

    def test(self, options: Any) -> BinningScore:
        """Returns how a binning does on the tests, and how well its validation is known.

        Arguments:
            options: The options of the trial, which is learned anew.
        """
        measured = self.experiment.measure(options)
        pairs = self._pairs(measured, _no_report)
        learned = self._learn(options, measured, without_test(pairs), _no_report)
        validated = self._judge(learned, replace(pairs, test=pairs.validation))
        tested = self._judge(learned, pairs)
        return replace(tested, validation_errors=validated.errors)

    def _pairs(self, measured: Measured, report: Report) -> Splits:
        """Returns the pairs of a binning, binned anew or read, and reports which."""
        counted = 0

        @functools.wraps(self.summarise)
        def summarise(records: Records, binning: Any) -> FloatArray:
            nonlocal counted
            counted += len(records)
            return self.summarise(records, binning)

        began = time.monotonic()
        # of this process alone: on a busy machine the clock tells of the others
        worked = time.process_time()
        with cluster.alone():
            pairs = summaries.compute(
                summarise, self.dataset, measured.binning, self.parameters
            )
        seconds = time.monotonic() - began
        cpu_seconds = time.process_time() - worked
        values = {
            "rebinned": counted,
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
        }
        # a clock may not have ticked meanwhile: no rate is told then
        if seconds > 0:
            values["rebinned_per_second"] = counted / seconds
        if cpu_seconds > 0:
            values["rebinned_per_cpu_second"] = counted / cpu_seconds
        report(values)
        _check_dropped(pairs, len(self.dataset))
        return pairs

    def _learn(
        self, options: Any, measured: Measured, pairs: Splits, report: Report
    ) -> Posterior | Mixture:
        chosen = self.experiment.architecture(options)
        own = self.experiment.simulation_error(measured.binning, self.dataset)
        plan = FlowPlan(
            pairs,
            self.parameters,
            added_covariance(measured.covariance, own),
            chosen.flow,
            chosen.training,
            chosen.training_seed,
        )
        epochs = chosen.training.max_epochs
        on_epoch = each_epoch(report, self.members * epochs)

        def on_member(member: int, epoch: int, losses: Mapping[str, float]) -> None:
            on_epoch(member * epochs + epoch, losses)

        with tempfile.TemporaryDirectory() as folder:
            return mixture.fit_flows(plan, self.members, Path(folder), on_member)

    def _judge(self, learned: Posterior | Mixture, pairs: Splits) -> BinningScore:
        """Returns the score of a posterior on the tests among the pairs."""
        kept = JudgedPairs(learned)
        judged = calibration.calibrate(
            kept, pairs, self.seed, DRAWS, tests=len(pairs.test)
        )
        drawn = np.concatenate(kept.draws, axis=1)
        interval = posterior_summary(self.experiment.quantity(drawn)[..., np.newaxis])
        widths = (interval.upper - interval.lower)[:, 0] / 2
        each = {"information_gain": kept.log_densities[0], "width": widths}
        some = drawn[:, : self.tests]
        theta = pairs.test.theta[: self.tests]
        return BinningScore(
            judged,
            widths,
            pairs,
            diagnostics.tarp(some, theta, self.seed, references=REFERENCES),
            diagnostics.sbc_ranks(some, theta, self.seed),
            parts=part_reports(each, pairs.test.theta),
        )


def _no_report(values: Any) -> None:
    """Does nothing: nobody follows a test."""


def _check_dropped(pairs: Splits, count: int) -> None:
    """Raises ValueError if too many simulations have an empty bin."""
    # those that are left would be other galaxies, with more stars far out
    if pairs.dropped > MOST_DROPPED * count:
        raise ValueError(
            f"{pairs.dropped} of {count} simulations have an empty bin: take fewer or "
            "wider bins"
        )
