"""From simulated pairs and an observation to a posterior in the report.

Ask whether the simulator can make the observation at all, train a flow, sample it at
the observation, judge it on held-out simulations, and put everything that a reader
needs to trust it on the page: one call for each posterior of an experiment.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from astropy.table import Table

from orrery import data_vector
from orrery.judging import calibration, diagnostics, misspecification, verdicts
from orrery.judging.calibration import LEVEL, Calibration
from orrery.judging.misspecification import DOUBTFUL, Misspecification
from orrery.learning import mixture, posterior
from orrery.learning.flow import Flow
from orrery.learning.mixture import Mixture, OnMember
from orrery.learning.posterior import Posterior
from orrery.learning.training import Training
from orrery.pairs import Splits
from orrery.parameters import FloatArray, Parameter, parameter_names
from orrery.records import Observation
from orrery.results import figures
from orrery.results.figures import Panel
from orrery.results.reports import Report, slug
from orrery.terminal import progress


@dataclass(frozen=True)
class Inference:
    """How a posterior is learned and sampled.

    Arguments:
        flow: The flow.
        training: How it is trained; one worker of Ray Train by default, and for twice
            as long as pairs with fixed noise would bear: each epoch has fresh noise.
        members: Flows that differ in their seeds, weighted to one posterior.
        draws: Draws from the posterior of the observation.
        calibration_draws: Draws for each held-out simulation.
        calibration_tests: Held-out simulations at most.
    """

    flow: Flow = field(default_factory=Flow)
    training: Training = field(
        default_factory=lambda: Training(max_epochs=60, patience=60, workers=1)
    )
    members: int = 1
    draws: int = 10_000
    calibration_draws: int = 1000
    calibration_tests: int = 2000

    def __post_init__(self) -> None:
        for name in ("members", "draws", "calibration_draws", "calibration_tests"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} must be 1 or larger")


@dataclass(frozen=True)
class Inferred:
    """What was learned from one observation.

    Arguments:
        posterior: The trained posterior.
        draws: Draws of it at the observation, with shape `[n, P]`.
        calibration: How it fares on held-out simulations.
        misspecification: Whether the simulator can make the observation.
    """

    posterior: Posterior | Mixture
    draws: FloatArray
    calibration: Calibration
    misspecification: Misspecification


def infer(
    report: Report,
    label: str,
    splits: Splits,
    parameters: tuple[Parameter, ...],
    observation: Observation,
    options: Inference,
    seed: int,
    panels: Sequence[
        tuple[str, str, tuple[tuple[float, float], ...], tuple[str, ...]]
    ] = (),
) -> Inferred:
    """Returns the posterior of an observation, its draws and its judgements, after reporting them.

    Arguments:
        report: Where everything goes.
        label: What the posterior is called there.
        splits: The pairs, without measurement errors.
        parameters: The P parameters.
        observation: What was observed, of the same definition as the pairs.
        options: How the posterior is learned and sampled.
        seed: Decides training, draws and tests.
        panels: Arguments of `figures.Panel` for the figure of observed and simulated
            summaries.

    Raises:
        ValueError: If the observation is not of the pairs' definition.
    """
    _check(observation, splits)
    compared = misspecification.learn(splits, observation.covariance, seed).compare(
        observation
    )
    _show_misspecification(report, label, compared)
    estimate = _learned(report, label, splits, parameters, observation, options, seed)
    draws = estimate.draws(observation, options.draws, seed)
    judged = calibration.calibrate(
        estimate, splits, seed, options.calibration_draws, options.calibration_tests
    )
    _show_data(report, label, splits, observation, panels)
    _show_posterior(report, label, estimate, draws, splits)
    _show_calibration(report, label, judged, parameters)
    return Inferred(estimate, draws, judged, compared)


def _check(observation: Observation, splits: Splits) -> None:
    """Raises ValueError before hours of training, not after them."""
    if observation.definition != splits.definition:
        raise ValueError(
            f"observation {observation.name!r} has another binning than the simulations' "
            f"summaries ({observation.definition}, not {splits.definition}): use one for both"
        )


def _learned(
    report: Report,
    label: str,
    splits: Splits,
    parameters: tuple[Parameter, ...],
    observation: Observation,
    options: Inference,
    seed: int,
) -> Posterior | Mixture:
    """Returns the trained flow, or the mixture of as many as are asked for."""
    folder = report.folder / f"posterior_{slug(label)}"
    task = (
        splits,
        parameters,
        observation.covariance,
        options.flow,
        options.training,
        seed,
    )
    epochs = options.members * options.training.max_epochs
    with epoch_logger(report, label, epochs) as on_epoch:
        if options.members > 1:
            return mixture.fit_members(*task, folder, options.members, on_epoch)
        return posterior.fit(*task, folder, partial(on_epoch, 0))


@contextmanager
def epoch_logger(report: Report, label: str, epochs: int) -> Iterator[OnMember]:
    """Returns what to call after each epoch: it moves the progress bar and tells the report."""
    with progress(f"training {label}", epochs, unit="epochs") as advance:

        def on_epoch(member: int, epoch: int, losses: Mapping[str, float]) -> None:
            report.epoch(epoch, losses, estimator=_member(label, member))
            advance(
                note=", ".join(
                    f"{name} loss {loss:.3f}" for name, loss in losses.items()
                )
            )

        yield on_epoch


def _member(label: str, number: int) -> str:
    return f"{label}, member {number}" if number else label


def _show_misspecification(report: Report, label: str, found: Misspecification) -> None:
    report.metrics(
        {f"{slug(label)}.{name}": value for name, value in found.numbers.items()}
    )
    report.table(
        f"Prior predictive check, {label}",
        misspecification.table(found),
        f"{misspecification.verdict(found)} The observation among {found.simulations} "
        "simulations of the prior with measurement errors: their median and 16-84 %, how often one "
        f"is as far out on either side, and the same corrected for {len(found.names)} entries. As "
        f"unusual as the observation are {100 * found.density_pvalue:.1f} % of them by their "
        f"density, which a flow learned, {100 * found.joint_pvalue:.1f} % by their distance with "
        f"the covariance, and {100 * found.among.worst_entry:.1f} % by their most deviating entry; "
        f"p is the smallest of these, times {misspecification.MEASURES}.",
    )
    if found.pvalue < DOUBTFUL:
        report.warning(
            f"Observation outside the prior predictive, {label}",
            misspecification.verdict(found),
        )
    if found.smallest_possible >= DOUBTFUL:
        report.warning(
            f"Unchecked observation, {label}",
            f"Among {found.simulations} simulations no observation is unusual enough to say "
            "that the simulator cannot make it: use more.",
        )


def _show_data(
    report: Report,
    label: str,
    splits: Splits,
    observation: Observation,
    panels: Sequence[tuple[str, str, tuple[tuple[float, float], ...], tuple[str, ...]]],
) -> None:
    data = data_vector.to_table(observation)
    report.table(
        f"Data vector, {label}", data, f"{observation.name}: what the flow is asked."
    )
    if panels:
        figure = figures.profiles(
            [Panel(*panel) for panel in panels],
            observation,
            {"simulations": splits.train.x},
        )
        report.figure(
            f"Data, {label}",
            figure,
            f"{observation.name}, points with the errors that are added to simulations in "
            "training, and the simulations of the prior before that: medians, 16-84 % and "
            "2.5-97.5 %.",
        )
    if splits.dropped:
        report.warning(
            f"Dropped simulations, {label}",
            f"{splits.dropped} simulations have summaries that are not finite (an empty bin, or "
            "too few neighbours) and were left out.",
        )


def _show_posterior(
    report: Report,
    label: str,
    estimate: Posterior | Mixture,
    draws: FloatArray,
    splits: Splits,
) -> None:
    parameters = estimate.parameters
    members = estimate.members if isinstance(estimate, Mixture) else (estimate,)
    units = [p.unit for p in parameters]
    report.draws(f"Draws, {label}", parameter_names(parameters), units, draws)
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
        figures.training_curve(
            {_member(label, k): m.curve for k, m in enumerate(members)}
        ),
        "Negative log-probability of the training and the validation pairs in each epoch.",
    )


def _parameter_table(
    draws: FloatArray, parameters: Sequence[Parameter], prior: FloatArray
) -> Table:
    summary = diagnostics.posterior_summary(draws)
    return Table(
        {
            "parameter": list(parameter_names(parameters)),
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
    numbers, control = judged.numbers, judged.control
    report.metrics({f"{slug(label)}.{name}": v for name, v in numbers.items()})
    report.table(
        f"Calibration, {label}",
        _calibration_table(judged, parameters),
        f"{judged.tests} held-out simulations: p-values of the ranks, corrected for "
        f"{len(parameters)} parameters, and of a control that must fail: the same draws, "
        f"{control.width:g} times as wide; then how often central intervals hold the truth. "
        f"{_tests_in_words(judged)}",
    )
    copy = f"control, {control.width:g} as wide"
    report.figure(
        f"TARP, {label}",
        figures.coverage({label: judged.coverage, copy: control.coverage}),
        "Expected coverage of the credible regions: on the diagonal if the posterior is right.",
    )
    report.figure(
        f"SBC, {label}",
        figures.ranks({label: judged.ranks, copy: control.ranks}, parameters),
        "Ranks of the truth among the draws: within the band for 95 % of right posteriors.",
    )
    for title, text in _doubts(judged, parameters).items():
        report.warning(f"{title}, {label}", text)


def _tests_in_words(judged: Calibration) -> str:
    numbers, gain = judged.numbers, judged.log_probability
    return (
        f"TARP: p = {numbers['tarp_ks_pvalue']:.3f} (one-sample Kolmogorov-Smirnov; control "
        f"{numbers['control_tarp_ks_pvalue']:.2g}), area to curve {numbers['tarp_atc']:+.4f} "
        f"(control {numbers['control_tarp_atc']:+.4f}). SBC: smallest p = "
        f"{numbers['sbc_smallest_ks_pvalue']:.3f}, corrected "
        f"{numbers['sbc_corrected_ks_pvalue']:.3f} (control "
        f"{numbers['control_sbc_corrected_ks_pvalue']:.2g}); band, corrected "
        f"{numbers['sbc_corrected_band_pvalue']:.3f}. The data bought {gain.gain:.2f} +- "
        f"{gain.gain_standard_error:.2f} nat over the prior."
    )


def _doubts(judged: Calibration, parameters: tuple[Parameter, ...]) -> dict[str, str]:
    """Returns what the reader must not miss, by title."""
    verdict, powerless = judged.verdict, _powerless(judged)
    doubts, remedy = {}, "use more simulations or another flow."
    if verdict.tarp:
        doubts["Calibration fails"] = (
            f"TARP rejects the posterior (p = {judged.coverage.ks_pvalue:.2g}): its widths "
            f"cannot be trusted; {remedy}"
        )
    if verdict.ranks or verdict.band:
        doubts["Ranks fail"] = (
            "Simulation-based calibration rejects the posterior, corrected for "
            f"{len(parameters)} parameters: {_rejected(judged, parameters)}. Do not trust their "
            f"intervals; {remedy}"
        )
    if verdict.gain:
        doubts["No significant information gain"] = (
            f"The data bought {judged.log_probability.gain:.3f} +- "
            f"{judged.log_probability.gain_standard_error:.3f} nat, which is no significant gain: "
            f"the posterior may be no more than the prior, whatever its coverage; {remedy}"
        )
    if powerless:
        doubts["Calibration untested"] = (
            f"With {judged.tests} tests, {' and '.join(powerless)} would also accept the control, "
            f"which is {judged.control.width:g} times as wide: passing says nothing here. Use more "
            "held-out simulations."
        )
    return doubts


def _powerless(judged: Calibration) -> list[str]:
    """Returns the tests that pass the posterior and would also pass the control."""
    verdict, control = judged.verdict, judged.control.verdict
    rejected = {
        "TARP": verdict.tarp or control.tarp,
        "simulation-based calibration": verdict.ranks or control.ranks,
    }
    return [name for name, either in rejected.items() if not either]


def _rejected(judged: Calibration, parameters: tuple[Parameter, ...]) -> str:
    rank, band = (
        verdicts.holm(p) for p in (judged.ranks.ks_pvalue, judged.ranks.band_pvalue)
    )
    return ", ".join(
        f"{name} (p = {rank[i]:.2g}, band {band[i]:.2g})"
        for i, name in enumerate(parameter_names(parameters))
        if min(rank[i], band[i]) < LEVEL
    )


def _calibration_table(judged: Calibration, parameters: tuple[Parameter, ...]) -> Table:
    intervals, ranks = judged.intervals, judged.ranks
    table = Table(
        {
            "parameter": list(parameter_names(parameters)),
            "rank_pvalue": ranks.ks_pvalue,
            "corrected": verdicts.holm(ranks.ks_pvalue),
            "band_corrected": verdicts.holm(ranks.band_pvalue),
            "control_pvalue": judged.control.ranks.ks_pvalue,
        }
    )
    for level, coverage in zip(intervals.levels, intervals.coverage, strict=True):
        table[f"within_{100 * level:.0f}_percent"] = coverage
    for name in table.colnames[1:]:
        table[name].info.format = "%.3f"
    table["control_pvalue"].info.format = "%.2g"
    return table
