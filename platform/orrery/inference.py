"""From simulated pairs and an observation to a posterior in the report.

Train a flow, sample it at the observation, judge it on held-out simulations, and put everything
that a reader needs to trust it on the page: one call for each posterior of an experiment.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from astropy.table import Table

from orrery import calibration, diagnostics, figures, posterior
from orrery.calibration import Calibration
from orrery.figures import Panel
from orrery.parameters import FloatArray, Parameter, names
from orrery.posterior import Flow, Posterior
from orrery.records import Observation
from orrery.reports import Report, slug
from orrery.runs import progress
from orrery.summaries import Splits
from orrery.training import OnEpoch, Training

# A right posterior fails this test once in a hundred times.
DOUBTFUL = 0.01


@dataclass(frozen=True)
class Inference:
    """How a posterior is learned and sampled.

    Arguments:
        flow: The flow.
        training: How it is trained; one worker of Ray Train by default.
        draws: Draws from the posterior of the observation.
        calibration_draws: Draws for each held-out simulation.
        calibration_tests: Held-out simulations at most.
    """

    flow: Flow = field(default_factory=Flow)
    training: Training = field(default_factory=lambda: Training(workers=1))
    draws: int = 10_000
    calibration_draws: int = 1000
    calibration_tests: int = 2000

    def __post_init__(self) -> None:
        for name in ("draws", "calibration_draws", "calibration_tests"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} must be 1 or larger")


def infer(
    report: Report,
    label: str,
    splits: Splits,
    parameters: tuple[Parameter, ...],
    observation: Observation,
    options: Inference,
    seed: int,
    panels: Sequence[tuple[str, str, tuple[tuple[float, float], ...], tuple[str, ...]]] = (),
) -> FloatArray:
    """Returns draws `[n, P]` of the posterior of an observation, after reporting all about it.

    Arguments:
        report: Where everything goes.
        label: What the posterior is called there.
        splits: The pairs, without measurement errors.
        parameters: The P parameters.
        observation: What was observed, of the same definition as the pairs.
        options: How the posterior is learned and sampled.
        seed: Decides training, draws and tests.
        panels: Arguments of `figures.Panel` for the figure of observed and simulated summaries.

    Raises:
        ValueError: If the observation is not of the pairs' definition.
    """
    _check(observation, splits)
    with _told(report, label, options.training.max_epochs) as on_epoch:
        estimate = posterior.fit(
            splits,
            parameters,
            observation.covariance,
            options.flow,
            options.training,
            seed,
            report.folder / f"posterior_{slug(label)}",
            on_epoch,
        )
    draws = estimate.sample(observation, options.draws, seed)
    judged = calibration.calibrate(
        estimate, splits, seed, options.calibration_draws, options.calibration_tests
    )
    _show_data(report, label, splits, observation, panels)
    _show_posterior(report, label, estimate, draws, splits)
    _show_calibration(report, label, judged, parameters)
    return draws


def _check(observation: Observation, splits: Splits) -> None:
    """Raises ValueError before hours of training, not after them."""
    if observation.definition != splits.definition:
        raise ValueError(
            f"observation {observation.name!r} has another binning than the simulations' "
            f"summaries ({observation.definition}, not {splits.definition}): use one for both"
        )


@contextmanager
def _told(report: Report, label: str, epochs: int) -> Iterator[OnEpoch]:
    """Returns what to call after each epoch: it moves the progress bar and tells the report."""
    with progress(f"training {label}", epochs, unit="epochs") as advance:

        def on_epoch(epoch: int, losses: Mapping[str, float]) -> None:
            report.epoch(epoch, losses, estimator=label)
            advance(note=", ".join(f"{name} loss {loss:.3f}" for name, loss in losses.items()))

        yield on_epoch


def _show_data(
    report: Report,
    label: str,
    splits: Splits,
    observation: Observation,
    panels: Sequence[tuple[str, str, tuple[tuple[float, float], ...], tuple[str, ...]]],
) -> None:
    data = Table(
        {
            "summary": list(observation.names),
            "unit": list(observation.units),
            "value": observation.value,
            "error": np.sqrt(np.diag(observation.covariance)),
        },
        meta={"definition": observation.definition, "provenance": observation.provenance},
    )
    report.table(f"Data vector, {label}", data, f"{observation.name}: what the flow is asked.")
    if panels:
        figure = figures.profiles(
            [Panel(*panel) for panel in panels], observation, {"simulations": splits.train.x}
        )
        report.figure(
            f"Data, {label}",
            figure,
            f"{observation.name}, points, and what the simulations of the prior give without "
            "measurement errors: medians, 16-84 % and 2.5-97.5 %.",
        )
    if splits.dropped:
        report.warning(
            f"Dropped simulations, {label}",
            f"{splits.dropped} simulations have an empty bin and were left out.",
        )


def _show_posterior(
    report: Report, label: str, estimate: Posterior, draws: FloatArray, splits: Splits
) -> None:
    parameters = estimate.parameters
    units = [p.unit for p in parameters]
    report.draws(f"Draws, {label}", names(parameters), units, draws)
    report.figure(
        f"Posterior, {label}",
        figures.corner({label: draws}, parameters, prior=splits.train.theta),
        "Posterior in colour, prior in grey: 1 and 2 sigma contours, 16-84 % bands.",
    )
    report.table(
        f"Parameters, {label}",
        _parameter_table(draws, parameters, splits.train.theta),
        "Median and 16-84 % of the posterior; leakage is the fraction of draws beyond all "
        "simulations of the prior.",
    )
    report.figure(
        f"Training, {label}",
        figures.training_curve({label: estimate.curve}),
        "Negative log-probability of the training and the validation pairs in each epoch.",
    )


def _parameter_table(
    draws: FloatArray, parameters: Sequence[Parameter], prior: FloatArray
) -> Table:
    summary = diagnostics.posterior_summary(draws)
    return Table(
        {
            "parameter": list(names(parameters)),
            "unit": [p.unit for p in parameters],
            "median": summary.median,
            "lower": summary.lower,
            "upper": summary.upper,
            "leakage": diagnostics.leakage(draws, prior),
        }
    )


def _show_calibration(
    report: Report, label: str, judged: Calibration, parameters: tuple[Parameter, ...]
) -> None:
    report.metrics({f"{slug(label)}.{name}": v for name, v in judged.numbers.items()})
    report.table(
        f"Calibration, {label}",
        _calibration_table(judged, parameters),
        f"{judged.tests} held-out simulations: p-values of the ranks, and how often central "
        f"intervals hold the truth. TARP: p = {judged.coverage.ks_pvalue:.3f} (one-sample "
        f"Kolmogorov-Smirnov), area to curve {judged.coverage.atc:+.4f}. The data bought "
        f"{judged.log_probability.gain:.2f} +- "
        f"{judged.log_probability.gain_standard_error:.2f} nat over the prior.",
    )
    report.figure(
        f"TARP, {label}",
        figures.coverage({label: judged.coverage}),
        "Expected coverage of the credible regions: on the diagonal if the posterior is right.",
    )
    report.figure(
        f"SBC, {label}",
        figures.ranks({label: judged.ranks}, parameters),
        "Ranks of the truth among the draws: within the band for 95 % of right posteriors.",
    )
    if judged.coverage.ks_pvalue < DOUBTFUL:
        report.warning(
            f"Calibration fails, {label}",
            f"TARP rejects the posterior (p = {judged.coverage.ks_pvalue:.2g}): its widths "
            "cannot be trusted; use more simulations or another flow.",
        )


def _calibration_table(judged: Calibration, parameters: tuple[Parameter, ...]) -> Table:
    intervals = judged.intervals
    table = Table({"parameter": list(names(parameters)), "rank_pvalue": judged.ranks.ks_pvalue})
    for level, coverage in zip(intervals.levels, intervals.coverage, strict=True):
        table[f"within_{100 * level:.0f}_percent"] = coverage
    for name in table.colnames[1:]:
        table[name].info.format = "%.3f"
    return table
