"""What is told of a posterior: its sections, numbers and verdicts, from what was inferred."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from astropy.table import Table

from orrery import data_vector
from orrery.inference.posteriors import Inferred, OnChecked
from orrery.judging import (
    diagnostics,
    distributions,
    intervals,
    misspecification,
)
from orrery.judging.misspecification import Misspecification
from orrery.learning.training import OnMember
from orrery.pairs import Splits
from orrery.parameters import FloatArray, Parameter, parameter_names
from orrery.records import Observation
from orrery.results.calibration_sections import record_calibration
from orrery.results.lineage import record_learned_lineage
from orrery.results.panels import LossCurve, Panel
from orrery.results.recording import Number, Recording
from orrery.results.sections import (
    Caution,
    DrawsSection,
    FigureSection,
    TableSection,
    Verdict,
)
from orrery.results.views import (
    Corner,
    Profiles,
    TrainingCurves,
    thinned,
)

_LOOK = (
    "Look at units, signs and the selection of the data first, then at what the simulator "
    "leaves out."
)
# Numbers in the caption of a prior predictive check, in their order.
_DESCRIBED = (
    "simulations",
    "entries",
    "density_pvalue",
    "worst_entry_pvalue",
    "joint_pvalue",
    "measures",
)


def epoch_logger(recording: Recording, label: str) -> OnMember:
    """Returns what to call after each epoch of a posterior's members: it records the losses.

    Arguments:
        recording: Where they are recorded.
        label: What the posterior is called.
    """

    def on_epoch(member: int, epoch: int, losses: Mapping[str, float]) -> None:
        recording.epoch(_member(label, member), epoch, losses)

    return on_epoch


def _member(label: str, number: int) -> str:
    return f"{label}, member {number}" if number else label


def record_posterior(
    recording: Recording,
    key: str,
    label: str,
    inferred: Inferred,
    splits: Splits,
    panels: Sequence[Panel] = (),
) -> None:
    """Records what a reader needs to trust a posterior, after `check_logger` recorded its part.

    Arguments:
        recording: Where it goes.
        key: Of the data, such as `desi.v_gsr`; files and numbers are named by it.
        label: What the posterior is called.
        inferred: What was learned.
        splits: The pairs that it was learned from.
        panels: Of the figure of observed and simulated summaries, if there is one.
    """
    parameters = inferred.posterior.parameters
    for member in inferred.members:
        record_learned_lineage(recording, "posteriors", key, member.document, splits)
    _record_data(recording, key, label, inferred, splits, panels)
    leakage = diagnostics.leakage(inferred.draws, splits.each_once.train.theta)
    _record_draws(recording, key, label, inferred, splits, leakage)
    worst = int(leakage.argmax())
    _record_leakage(
        recording, key, label, parameters[worst].name, float(leakage[worst])
    )
    record_calibration(recording, key, label, inferred.calibration, parameters)


def check_logger(recording: Recording, key: str, label: str) -> OnChecked:
    """Returns what to call when it is known whether the simulator can make the data.

    Arguments:
        recording: Where it is recorded.
        key: Of the data, such as `desi.v_gsr`.
        label: What the posterior is called.
    """
    return partial(_record_misspecification, recording, key, label)


def _record_misspecification(
    recording: Recording, key: str, label: str, found: Misspecification
) -> None:
    prefix = f"prior_predictive.{key}"
    numbers = found.metrics.items()
    recording.metrics({f"{prefix}.{name}": value for name, value in numbers})
    untested = found.passed is None
    verdict = _too_few(found) if untested else misspecification.verdict(found)
    shown = ("simulations",) if untested else misspecification.verdict_metrics(found)
    shows = tuple(f"{prefix}.{name}" for name in shown)
    described = tuple(
        f"{prefix}.{name}" for name in _DESCRIBED if name in found.metrics
    )
    recording.add(
        TableSection(
            prefix,
            f"Prior predictive check, {label}",
            misspecification.entry_table(found),
            f"{verdict} The observation among {found.simulations} simulations of the "
            "prior with measurement errors: their median and 16-84 %, how often one is as "
            f"far out on either side, and the same corrected for {len(found.names)} "
            "entries. As unusual as the observation are "
            f"{100 * found.density_pvalue:.1f} % of them by their density, which a flow "
            f"learned, and {100 * found.among.worst_entry:.1f} % by their most deviating "
            f"entry; by their distance with the covariance {_by_distance(found)}. p is the "
            f"smallest of these, times {found.measures}.",
            (*shows, *described),
        )
    )
    test = f"Prior predictive check, {label}"
    recording.verdicts([Verdict(prefix, test, found.passed, verdict, shows)])
    if found.unusual:
        title = f"Observation outside the prior predictive, {label}"
        recording.add(Caution(f"outside.{key}", title, f"{verdict} {_LOOK}", shows))
    if untested:
        title = f"Observation untested, {label}"
        recording.add(Caution(f"unchecked.{key}", title, verdict, shows))


def _by_distance(found: Misspecification) -> str:
    if found.among.is_whole_tested:
        return f"{100 * found.joint_pvalue:.1f} % are"
    return "that is untested: they are too few for so many entries"


def _too_few(found: Misspecification) -> str:
    return (
        f"Among {found.simulations} simulations no observation is unusual enough to say "
        "that the simulator cannot make it: use more."
    )


def _record_data(
    recording: Recording,
    key: str,
    label: str,
    inferred: Inferred,
    splits: Splits,
    panels: Sequence[Panel],
) -> None:
    observation = inferred.observation
    # the name of somebody's table may have a number in it
    name = f"data_vector.{key}.name"
    recording.metrics({name: observation.name})
    recording.add(
        TableSection(
            f"data_vector.{key}",
            f"Data vector, {label}",
            data_vector.to_table(observation),
            f"{observation.name}: what the posterior is conditioned on.{_own_noise(observation)}",
            (name,),
        )
    )
    _record_noisy_entries(recording, key, label, observation)
    if panels:
        bands = {"simulations": distributions.quantile_bands(splits.train.x)}
        recording.add(
            FigureSection(
                f"data.{key}",
                f"Data, {label}",
                Profiles(panels, observation, bands),
                f"{observation.name}, points with their errors, and the simulations of the "
                "prior before errors are added to them: medians, 16-84 % and 2.5-97.5 %."
                f"{_without_errors(observation)}",
                (name,),
            )
        )
    _record_dropped(recording, key, label, splits.dropped)


def _record_dropped(recording: Recording, key: str, label: str, dropped: int) -> None:
    """Records how many simulations lack a summary."""
    counted = f"summaries.{key}.dropped"
    recording.metrics({counted: dropped})
    if dropped:
        recording.add(
            Caution(
                f"dropped.{key}",
                f"Dropped simulations, {label}",
                f"{dropped} simulations lack a summary (fewer than two stars in a bin, or too few "
                "neighbours), which no network can do without: they were left out.",
                (counted,),
            )
        )


def _own_noise(observation: Observation) -> str:
    if observation.simulation_error is None:
        return _without_errors(observation)
    return (
        " Simulations have errors of themselves, of their number of stars; training adds to them "
        "what the measured errors are larger, in quadrature."
    )


def _without_errors(observation: Observation) -> str:
    """Returns why errors are zero, where some are."""
    if np.diag(observation.covariance).all():
        return ""
    return (
        " Where no error is shown, simulations have it in themselves: they are measured with as "
        "few stars or neighbours, and as badly, as the data, and training adds nothing."
    )


def _record_noisy_entries(
    recording: Recording, key: str, label: str, observation: Observation
) -> None:
    """Records which entries simulations know hardly better than the observation does."""
    if observation.simulation_error is None:
        return
    found = misspecification.noisy_entries(observation)
    prefix = f"data_vector.{key}.simulation_noise"
    recording.metrics({f"{prefix}.{name}": value for name, value in found.items()})
    if not found["entries"]:
        return
    recording.add(
        Caution(
            prefix,
            f"Simulation noise, {label}",
            f"{found['entries']} entries of simulations have errors of themselves that are larger "
            f"than {found['share']:g} of the measured ones (simulation_error in the data vector); "
            f"{found['beyond']} have larger ones than those{_widening(found['beyond'])}.",
            tuple(f"{prefix}.{name}" for name in ("entries", "share", "beyond")),
        )
    )


def _widening(entries: float) -> str:
    """Returns what follows where simulations know entries less well than the data do."""
    if not entries:
        return ""
    return ", which makes intervals wider than the data's: use survey-like sampling"


def _record_draws(
    recording: Recording,
    key: str,
    label: str,
    inferred: Inferred,
    splits: Splits,
    leakage: FloatArray,
) -> None:
    parameters = inferred.posterior.parameters
    draws = inferred.draws
    prior = splits.each_once.train.theta
    units = tuple(p.unit for p in parameters)
    drawn = DrawsSection(
        f"draws.{key}", f"Draws, {label}", parameter_names(parameters), units, draws
    )
    corner = FigureSection(
        f"posterior.{key}",
        f"Posterior, {label}",
        Corner(
            {"posterior": draws},
            parameters,
            thinned(prior),
            legend={"posterior": label},
        ),
        "Posterior in colour, prior in grey: 1 and 2 sigma contours, 16-84 % bands.",
    )
    table = TableSection(
        f"parameters.{key}",
        f"Parameters, {label}",
        _parameter_table(draws, parameters, leakage),
        "Median and 16-84 % of the posterior; leakage is the fraction of draws beyond all "
        "simulations of the prior.",
    )
    recording.add(drawn, corner, table, _training(key, label, inferred))


def _training(key: str, label: str, inferred: Inferred) -> FigureSection:
    """Returns the losses of a posterior's members while they were trained."""
    curves = {
        f"member_{number}": LossCurve(
            np.array(member.curve.train), np.array(member.curve.validation)
        )
        for number, member in enumerate(inferred.members)
    }
    called = {f"member_{i}": _member(label, i) for i in range(len(curves))}
    return FigureSection(
        f"training.{key}",
        f"Training, {label}",
        TrainingCurves(curves, called),
        "Negative log-probability of the training and the validation pairs in each epoch.",
    )


def _record_leakage(
    recording: Recording, key: str, label: str, parameter: str, share: float
) -> None:
    """Records how many draws of the worst parameter no simulation is near, and if too many."""
    prefix = f"leakage.{key}"
    numbers: dict[str, Number] = {
        "parameter": parameter,
        "largest": share,
        "limit": diagnostics.MOST_LEAKAGE,
    }
    recording.metrics({f"{prefix}.{name}": value for name, value in numbers.items()})
    if share <= diagnostics.MOST_LEAKAGE:
        return
    text = (
        f"{100 * share:.3g} % of the draws of {parameter} lie beyond all simulations, where the "
        f"flow has learned nothing; {100 * diagnostics.MOST_LEAKAGE:g} % at most are let pass."
    )
    advice = (
        "Ask why the data lead there: simulate a wider prior if they may, and look for what is "
        "wrong with them if they may not."
    )
    shows = tuple(f"{prefix}.{name}" for name in numbers)
    test = f"Draws within the simulations, {label}"
    recording.verdicts([Verdict(prefix, test, False, text, shows)])
    title = f"Draws beyond all simulations, {label}"
    recording.add(Caution(f"beyond.{key}", title, f"{text} {advice}", shows))


def _parameter_table(
    draws: FloatArray, parameters: Sequence[Parameter], leakage: FloatArray
) -> Table:
    summary = intervals.posterior_summary(draws)
    return Table(
        {
            "parameter": list(parameter_names(parameters)),
            "unit": [p.unit for p in parameters],
            "median": summary.median,
            "lower": summary.lower,
            "upper": summary.upper,
            "leakage": leakage,
        }
    )
