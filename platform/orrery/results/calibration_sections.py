"""What is told of a posterior's calibration: tables, curves, verdicts and warnings."""

from collections.abc import Sequence

from astropy.table import Table

from orrery.judging import verdicts
from orrery.judging.calibration import LEVEL, SLIGHTLY_NARROW, Calibration
from orrery.judging.diagnostics import FEWEST_TARP_TESTS
from orrery.parameters import Parameter, parameter_names
from orrery.results.recording import Recording
from orrery.results.sections import Caution, FigureSection, TableSection, Verdict
from orrery.results.views import CoverageCurves, RankCurves
from orrery.sentences import Sentence, cell

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
    "information_gain",
    "information_gain_error",
)
_CALLED = {"tarp": "TARP", "sbc": "simulation-based calibration"}
REMEDY = "use more simulations or another flow."


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
    numbers[f"{prefix}.{_OF_CONTROL}"] = control.coverage.pvalue
    numbers[f"{prefix}.power.width"] = SLIGHTLY_NARROW
    numbers[f"{prefix}.tarp.fewest_tests"] = FEWEST_TARP_TESTS
    recording.metrics(numbers)
    recording.add(
        TableSection(
            prefix,
            f"Calibration, {label}",
            _calibration_table(judged, parameters),
            f"{judged.tests} held-out simulations: p-values of the ranks, corrected for "
            f"{len(parameters)} parameters, and of a negative control: the same draws, "
            f"{control.width:g} times as wide, which the tests should reject; then "
            "how often central intervals hold the truth. "
            f"{_tests_in_words(judged)}",
            tuple(f"{prefix}.{name}" for name in _IN_CAPTION),
        )
    )
    recording.add(*_figures(key, label, judged, parameters))
    recording.verdicts(_verdicts(prefix, label, judged))
    recording.add(*_doubts(key, label, judged, parameters))


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
        _gain_verdict(prefix, label, judged),
    ]


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
        f"{numbers['sbc.corrected_band_pvalue']:.3f}. Information gain {gain.gain:.2f} +- "
        f"{gain.gain_standard_error:.2f} nat over the prior."
    )


def _doubts(
    key: str, label: str, judged: Calibration, parameters: tuple[Parameter, ...]
) -> list[Caution]:
    """Returns what the reader must not miss."""
    verdict = judged.verdict
    doubts = []
    if verdict.tarp:
        doubts.append(_miscalibrated(key, label, judged))
    if verdict.ranks or verdict.band:
        doubts.append(_bad_ranks(key, label, judged, parameters))
    if verdict.gain:
        doubts.append(_uninformative(key, label, judged))
    if not judged.coverage.enough:
        doubts.append(_too_few(key, label, judged))
    powerless = [n for n in judged.powerless if n != "tarp" or judged.coverage.enough]
    if powerless:
        doubts.append(_untested(key, label, judged, powerless))
    return doubts


def _too_few(key: str, label: str, judged: Calibration) -> Caution:
    return Caution(
        f"too_few.{key}",
        f"Too few tests, {label}",
        f"With {judged.tests} tests TARP says nothing, and neither does an information gain "
        f"that is not significant: with fewer than {FEWEST_TARP_TESTS} both reject right "
        "posteriors too often. Use more simulations, a part of which is held out.",
        (f"calibration.{key}.tests", f"calibration.{key}.tarp.fewest_tests"),
    )


def _miscalibrated(key: str, label: str, judged: Calibration) -> Caution:
    return Caution(
        f"miscalibrated.{key}",
        f"Calibration fails, {label}",
        f"TARP rejects the posterior (p = {judged.coverage.pvalue:.2g}, {_leaning(judged)}): its "
        f"intervals cannot be trusted; {REMEDY}",
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
        f"{REMEDY}",
        (
            f"{prefix}.sbc.corrected_ks_pvalue",
            f"{prefix}.sbc.corrected_band_pvalue",
            f"{prefix}.parameters",
            *rejected.shows,
        ),
    )


def _uninformative(key: str, label: str, judged: Calibration) -> Caution:
    gain = judged.log_probability
    name = f"calibration.{key}.information_gain"
    return Caution(
        f"uninformative.{key}",
        f"No significant information gain, {label}",
        f"The information gain is {gain.gain:.3f} +- {gain.gain_standard_error:.3f} nat, "
        "which is no significant gain: the posterior may be no more than the prior, "
        f"whatever its coverage; {REMEDY}",
        (name, f"{name}_error"),
    )


def _untested(
    key: str, label: str, judged: Calibration, tests: Sequence[str]
) -> Caution:
    prefix = f"calibration.{key}"
    powerless = " and ".join(_CALLED[name] for name in tests)
    return Caution(
        f"untested.{key}",
        f"Calibration untested, {label}",
        f"With {judged.tests} tests, {powerless} would also accept "
        f"the negative control, which is {judged.negative_control.width:g} times as wide: "
        "passing says nothing here. Use more simulations, a part of which is held out.",
        (f"{prefix}.tests", f"{prefix}.negative_control.width"),
    )


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


def _calibration_table(judged: Calibration, parameters: tuple[Parameter, ...]) -> Table:
    intervals, ranks = judged.intervals, judged.ranks
    table = Table(
        {
            "parameter": list(parameter_names(parameters)),
            "rank_pvalue": ranks.ks_pvalue,
            "corrected": verdicts.holm(ranks.ks_pvalue),
            "band_corrected": verdicts.holm(ranks.band_pvalue),
            "negative_control_pvalue": judged.negative_control.ranks.ks_pvalue,
        }
    )
    for level, coverage in zip(intervals.levels, intervals.coverage, strict=True):
        table[f"within_{100 * level:.0f}_percent"] = coverage
    for name in table.colnames[1:]:
        table[name].info.format = "%.3f"
    table["negative_control_pvalue"].info.format = "%.2g"
    return table
