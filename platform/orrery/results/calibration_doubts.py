"""What is wrong with a posterior's calibration, in words: which tests reject it, or could not."""

from collections.abc import Sequence

import numpy as np

from orrery.judging import verdicts
from orrery.judging.calibration import TOO_LITTLE, Calibration
from orrery.judging.diagnostics import FEWEST_TARP_TESTS
from orrery.judging.slopes import Slopes
from orrery.parameters import Parameter, parameter_names
from orrery.results.sections import Caution
from orrery.sentences import Sentence, cell

_CALLED = {
    "tarp": "TARP",
    "sbc": "simulation-based calibration",
    "slopes": "slopes of truths on the posteriors' means",
}
_REMEDY = "use more simulations or another flow."


def calibration_doubts(
    key: str, label: str, judged: Calibration, parameters: tuple[Parameter, ...]
) -> list[Caution]:
    """Returns what the reader of a calibration must not miss.

    Arguments:
        key: Of the data; numbers are named by it.
        label: What the posterior is called.
        judged: The judgement.
        parameters: The P parameters.
    """
    verdict = judged.verdict
    doubts = []
    if verdict.tarp:
        doubts.append(_miscalibrated(key, label, judged))
    if verdict.ranks or verdict.band:
        doubts.append(_bad_ranks(key, label, judged, parameters))
    if verdict.slopes:
        doubts.append(_astray(key, label, judged, parameters))
    if verdict.gain:
        doubts.append(_uninformative(key, label, judged))
    if not judged.coverage.enough:
        doubts.append(_too_few(key, label, judged))
    few = not judged.coverage.enough
    explained = {"tarp": few, "slopes": few or verdict.gain}
    powerless = [name for name in judged.powerless if not explained.get(name)]
    if powerless:
        doubts.append(_untested(key, label, judged, powerless))
    return doubts


def _too_few(key: str, label: str, judged: Calibration) -> Caution:
    return Caution(
        f"too_few.{key}",
        f"Too few tests, {label}",
        f"With {judged.tests} tests neither TARP nor slopes say anything, nor does an "
        f"information gain that is not significant: with fewer than {FEWEST_TARP_TESTS} all of "
        "them reject right posteriors too often. Use more simulations, a part of which is "
        "held out.",
        (f"calibration.{key}.tests", f"calibration.{key}.tarp.fewest_tests"),
    )


def _miscalibrated(key: str, label: str, judged: Calibration) -> Caution:
    return Caution(
        f"miscalibrated.{key}",
        f"Calibration fails, {label}",
        f"TARP rejects the posterior (p = {judged.coverage.pvalue:.2g}, {_leaning(judged)}): its "
        f"intervals cannot be trusted; {_REMEDY}",
        (
            f"calibration.{key}.tarp.corrected_pvalue",
            f"calibration.{key}.tarp.area_z",
        ),
    )


def _leaning(judged: Calibration) -> str:
    """Returns to which side the area leans."""
    z = judged.coverage.area_z
    # what is learned too little leans to the same side as intervals that are too short
    side = "too wide" if z > 0 else "too narrow, or too near to the prior"
    return f"area z = {z:+.1f}: {side}"


def _bad_ranks(
    key: str, label: str, judged: Calibration, parameters: tuple[Parameter, ...]
) -> Caution:
    prefix = f"calibration.{key}"
    rejected = _rejected(prefix, judged, parameters)
    return Caution(
        f"ranks.{key}",
        f"Ranks fail, {label}",
        f"Simulation-based calibration rejects the posterior (p = "
        f"{judged.metrics['sbc.corrected_ks_pvalue']:.2g}, bands "
        f"{judged.metrics['sbc.corrected_band_pvalue']:.3f}, corrected for "
        f"{len(parameters)} parameters): {rejected}. Do not trust their intervals; "
        f"{_REMEDY}",
        (
            f"{prefix}.sbc.corrected_ks_pvalue",
            f"{prefix}.sbc.corrected_band_pvalue",
            f"{prefix}.parameters",
            *rejected.shows,
        ),
    )


def _astray(
    key: str, label: str, judged: Calibration, parameters: tuple[Parameter, ...]
) -> Caution:
    prefix = f"calibration.{key}"
    names = parameter_names(parameters)
    moved = [_moved(prefix, names[i], judged.slopes, i) for i in judged.astray]
    each = ", ".join(one.text for one in moved)
    shows = [key for one in moved for key in one.shows]
    return Caution(
        f"slopes.{key}",
        f"Slopes fail, {label}",
        "Truths do not move with the means of their posteriors one to one (p = "
        f"{judged.metrics['slopes.corrected_pvalue']:.2g}, corrected for {len(parameters)} "
        f"parameters), but {each}. Where they move more, the posterior follows the data too "
        "little and stays near the prior: use more simulations, train longer, or with less "
        "weight decay. Where they move less, it has learned noise: use more simulations.",
        (f"{prefix}.slopes.corrected_pvalue", f"{prefix}.parameters", *shows),
    )


def _moved(table: str, name: str, slopes: Slopes, number: int) -> Sentence:
    """Returns by how much a parameter's truths move, and what that does to posteriors."""
    columns = ["displacement"]
    by = "whose means hardly move at all"
    if np.isfinite(slopes.slope[number]):
        columns = ["slope", "slope_error", *columns]
        slope, error = slopes.slope[number], slopes.error[number]
        by = f"by {slope:.3f} +- {error:.3f} times as much"
    displacement = slopes.displacement[number]
    text = f"{name} {by}, which displaces posteriors by {displacement:+.3f} standard deviations"
    return Sentence(text, tuple(cell(table, name, column) for column in columns))


def _uninformative(key: str, label: str, judged: Calibration) -> Caution:
    gain = judged.log_probability
    name = f"calibration.{key}.information_gain"
    return Caution(
        f"uninformative.{key}",
        f"No significant information gain, {label}",
        f"The information gain is {gain.gain:.3f} +- {gain.gain_standard_error:.3f} nat, "
        "which is no significant gain: the posterior may be no more than the prior, "
        f"whatever its coverage; {_REMEDY}",
        (name, f"{name}_error"),
    )


def _untested(
    key: str, label: str, judged: Calibration, tests: Sequence[str]
) -> Caution:
    prefix = f"calibration.{key}"
    powerless = " and ".join(_CALLED[name] for name in tests)
    control = _of_controls(prefix, judged, tests)
    return Caution(
        f"untested.{key}",
        f"Calibration untested, {label}",
        f"With {judged.tests} tests, {powerless} would also accept "
        f"the negative control, which {control}: "
        "passing says nothing here. Use more simulations, a part of which is held out.",
        (f"{prefix}.tests", *control.shows),
    )


def _of_controls(prefix: str, judged: Calibration, tests: Sequence[str]) -> Sentence:
    """Returns what the negative controls of tests are."""
    control = {}
    if {*tests} - {"slopes"}:
        control["width"] = f"is {judged.negative_control.width:g} times as wide"
    if "slopes" in tests:
        control["share"] = f"follows the data {TOO_LITTLE:g} times as far"
    shows = tuple(f"{prefix}.negative_control.{name}" for name in control)
    return Sentence(", or ".join(control.values()), shows)


def _rejected(
    table: str, judged: Calibration, parameters: tuple[Parameter, ...]
) -> Sentence:
    rank = verdicts.holm(judged.ranks.ks_pvalue)
    band = verdicts.holm(judged.ranks.band_pvalue)
    names = parameter_names(parameters)
    text = ", ".join(
        f"{names[i]} (p = {rank[i]:.2g}, band {band[i]:.2g})" for i in judged.rejected
    )
    shows = [
        cell(table, names[i], column)
        for i in judged.rejected
        for column in ("corrected", "band_corrected")
    ]
    return Sentence(text, tuple(shows))
