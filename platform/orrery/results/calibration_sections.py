"""What is told of a posterior's calibration: tables, curves, verdicts and warnings."""

from astropy.table import Table

from orrery.judging import verdicts
from orrery.judging.calibration import (
    LEVEL,
    SLIGHTLY_NARROW,
    TOO_LITTLE,
    Calibration,
)
from orrery.judging.diagnostics import FEWEST_TARP_TESTS
from orrery.judging.slopes import NOTABLE
from orrery.parameters import Parameter, parameter_names
from orrery.results.calibration_doubts import calibration_doubts
from orrery.results.recording import Recording
from orrery.results.sections import FigureSection, TableSection, Verdict
from orrery.results.views import CoverageCurves, RankCurves

# The p-value of the negative control beside that of the posterior in TARP's legend.
_OF_CONTROL = "negative_control.tarp.corrected_pvalue"
# The numbers of the caption, in its order.
_IN_CAPTION = (
    "tests",
    "parameters",
    "negative_control.width",
    "tarp.corrected_pvalue",
    _OF_CONTROL,
    "tarp.ks_pvalue",
    "negative_control.tarp.ks_pvalue",
    "tarp.area_to_curve",
    "tarp.area_z",
    "power.width",
    "tarp.power",
    "negative_control.tarp.area_to_curve",
    "sbc.smallest_ks_pvalue",
    "sbc.corrected_ks_pvalue",
    "negative_control.sbc.corrected_ks_pvalue",
    "sbc.corrected_band_pvalue",
    "slopes.corrected_pvalue",
    "negative_control.share",
    "negative_control.slopes.corrected_pvalue",
    "slopes.largest_displacement",
    "information_gain",
    "information_gain_error",
)


def record_calibration(
    recording: Recording,
    key: str,
    label: str,
    judged: Calibration,
    parameters: tuple[Parameter, ...],
) -> None:
    """Records how a posterior fares on held-out simulations.

    Arguments:
        recording: Where it goes.
        key: Of the data; files and numbers are named by it.
        label: What the posterior is called.
        judged: The judgement.
        parameters: The P parameters.
    """
    prefix = f"calibration.{key}"
    control = judged.negative_control
    numbers = {f"{prefix}.{name}": v for name, v in judged.metrics.items()}
    numbers[f"{prefix}.parameters"] = len(parameters)
    numbers[f"{prefix}.negative_control.width"] = control.width
    numbers[f"{prefix}.negative_control.share"] = TOO_LITTLE
    numbers[f"{prefix}.{_OF_CONTROL}"] = control.coverage.pvalue
    numbers[f"{prefix}.power.width"] = SLIGHTLY_NARROW
    numbers[f"{prefix}.notable"] = NOTABLE
    numbers[f"{prefix}.tarp.fewest_tests"] = FEWEST_TARP_TESTS
    recording.metrics(numbers)
    recording.add(
        TableSection(
            prefix,
            f"Calibration, {label}",
            _calibration_table(judged, parameters),
            f"{judged.tests} held-out simulations: p-values of the ranks, corrected for "
            f"{len(parameters)} parameters, and of a negative control: the same draws, "
            f"{control.width:g} times as wide, which the tests should reject; by how much "
            "truths move with the means of their posteriors, and its error; then how often "
            "central intervals hold the truth. "
            f"{_tests_in_words(judged)}",
            tuple(f"{prefix}.{name}" for name in _IN_CAPTION),
        )
    )
    recording.add(*_figures(key, label, judged, parameters))
    recording.verdicts(_verdicts(prefix, label, judged))
    recording.add(*calibration_doubts(key, label, judged, parameters))


def _figures(
    key: str, label: str, judged: Calibration, parameters: tuple[Parameter, ...]
) -> tuple[FigureSection, FigureSection]:
    control = judged.negative_control
    copy = f"negative control, {control.width:g} as wide"
    coverage = {"posterior": judged.coverage, "negative_control": control.coverage}
    ranks = {"posterior": judged.ranks, "negative_control": control.ranks}
    legend = {"posterior": label, "negative_control": copy}
    return (
        FigureSection(
            f"tarp.{key}",
            f"TARP, {label}",
            CoverageCurves(coverage, legend),
            "Expected coverage of the credible regions: on the diagonal if the posterior "
            "is right; p of its shape and its area together.",
        ),
        FigureSection(
            f"sbc.{key}",
            f"SBC, {label}",
            RankCurves(ranks, parameters, legend),
            "Ranks of the truth among the draws: within the band for 95 % of right "
            "posteriors.",
        ),
    )


def _verdicts(prefix: str, label: str, judged: Calibration) -> list[Verdict]:
    """Returns what each test of calibration says; nothing where it could not fail."""
    passed = judged.passed
    numbers = judged.metrics
    few, tests = _of_few(judged, prefix)
    return [
        Verdict(
            f"{prefix}.tarp",
            f"TARP, {label}",
            passed["tarp"],
            f"p = {numbers['tarp.corrected_pvalue']:.2g}, of shape and area, rejected below "
            f"{LEVEL:g}; area to curve {numbers['tarp.area_to_curve']:+.4f}, "
            f"z = {numbers['tarp.area_z']:+.1f}{few}.",
            (
                f"{prefix}.tarp.corrected_pvalue",
                f"{prefix}.level",
                f"{prefix}.tarp.area_to_curve",
                f"{prefix}.tarp.area_z",
                *tests,
            ),
        ),
        Verdict(
            f"{prefix}.sbc",
            f"Simulation-based calibration, {label}",
            passed["sbc"],
            f"p = {numbers['sbc.corrected_ks_pvalue']:.2g}, corrected; bands "
            f"{numbers['sbc.corrected_band_pvalue']:.3f}; rejected below {LEVEL:g}.",
            (
                f"{prefix}.sbc.corrected_ks_pvalue",
                f"{prefix}.sbc.corrected_band_pvalue",
                f"{prefix}.level",
            ),
        ),
        _slopes_verdict(prefix, label, judged),
        _gain_verdict(prefix, label, judged),
    ]


def _slopes_verdict(prefix: str, label: str, judged: Calibration) -> Verdict:
    names = ("corrected_pvalue", "largest_displacement")
    numbers = {name: judged.metrics[f"slopes.{name}"] for name in names}
    return Verdict(
        f"{prefix}.slopes",
        f"Slopes of truths on the posteriors' means, {label}",
        judged.passed["slopes"],
        f"p = {numbers['corrected_pvalue']:.2g}, corrected, displaced by up to "
        f"{numbers['largest_displacement']:+.3f} standard deviations; rejected below "
        f"{LEVEL:g} and beyond {NOTABLE:g}.",
        (
            *(f"{prefix}.slopes.{name}" for name in numbers),
            f"{prefix}.level",
            f"{prefix}.notable",
        ),
    )


def _gain_verdict(prefix: str, label: str, judged: Calibration) -> Verdict:
    gain = judged.log_probability
    passed = judged.passed["information_gain"]
    few, tests = _of_few(judged, prefix) if passed is None else ("", ())
    name = f"{prefix}.information_gain"
    return Verdict(
        name,
        f"Information gain over the prior, {label}",
        passed,
        f"{gain.gain:.2f} +- {gain.gain_standard_error:.2f} nat, significant above "
        f"{gain.limit:.2f}{few}.",
        (name, f"{name}_error", f"{name}_limit", *tests),
    )


def _of_few(judged: Calibration, prefix: str) -> tuple[str, tuple[str, ...]]:
    """Returns that tests are too few, where they are, and the key of their number."""
    if judged.coverage.enough:
        return "", ()
    return f", of too few tests, {judged.tests}", (f"{prefix}.tests",)


def _tests_in_words(judged: Calibration) -> str:
    numbers = judged.metrics
    gain = judged.log_probability
    return (
        f"TARP: p = {numbers['tarp.corrected_pvalue']:.2g} of its shape and area together "
        f"(negative control {judged.negative_control.coverage.pvalue:.2g}); p = "
        f"{numbers['tarp.ks_pvalue']:.2g} of its shape alone (one-sample Kolmogorov-Smirnov; "
        f"negative control {numbers['negative_control.tarp.ks_pvalue']:.2g}), area to "
        f"curve {numbers['tarp.area_to_curve']:+.4f}, z = {numbers['tarp.area_z']:+.1f} (a "
        f"posterior {SLIGHTLY_NARROW:g} times as wide would be rejected with a probability of "
        f"{numbers['tarp.power']:.2f}; negative control "
        f"{numbers['negative_control.tarp.area_to_curve']:+.4f}). "
        f"SBC: smallest p = {numbers['sbc.smallest_ks_pvalue']:.3f}, corrected "
        f"{numbers['sbc.corrected_ks_pvalue']:.3f} (negative control "
        f"{numbers['negative_control.sbc.corrected_ks_pvalue']:.2g}); band, corrected "
        f"{numbers['sbc.corrected_band_pvalue']:.3f}. Slopes of truths on the posteriors' "
        f"means, whether all are one: corrected p = {numbers['slopes.corrected_pvalue']:.2g} "
        f"(of draws that follow the data {TOO_LITTLE:g} times as far "
        f"{numbers['negative_control.slopes.corrected_pvalue']:.2g}), which displaces posteriors "
        f"by up to {numbers['slopes.largest_displacement']:+.3f} standard deviations. Information "
        f"gain {gain.gain:.2f} +- {gain.gain_standard_error:.2f} nat over the prior."
    )


def _calibration_table(judged: Calibration, parameters: tuple[Parameter, ...]) -> Table:
    intervals, ranks = judged.intervals, judged.ranks
    table = Table(
        {
            "parameter": list(parameter_names(parameters)),
            "rank_pvalue": ranks.ks_pvalue,
            "corrected": verdicts.holm(ranks.ks_pvalue),
            "band_corrected": verdicts.holm(ranks.band_pvalue),
            "negative_control_pvalue": judged.negative_control.ranks.ks_pvalue,
            "slope": judged.slopes.slope,
            "slope_error": judged.slopes.error,
            "displacement": judged.slopes.displacement,
            "slope_corrected": verdicts.holm(judged.slopes.pvalue),
            "slope_control": verdicts.holm(judged.slopes_control.pvalue),
        }
    )
    for level, coverage in zip(intervals.levels, intervals.coverage, strict=True):
        table[f"within_{100 * level:.0f}_percent"] = coverage
    for name in table.colnames[1:]:
        table[name].info.format = "%.3f"
    for name in ("negative_control_pvalue", "slope_control"):
        table[name].info.format = "%.2g"
    return table
