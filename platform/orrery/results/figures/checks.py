"""Checks of what was learned: coverage, ranks, and losses against the epoch."""

from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from orrery.judging.diagnostics import Coverage, Ranks
from orrery.judging.distributions import ONE_SIGMA, TWO_SIGMA, coverage_band
from orrery.parameters import Parameter
from orrery.results.figures.readings import Ends, hold_ends
from orrery.results.figures.style import (
    GREY,
    INK,
    STYLE,
    Dashes,
    inked,
    legend_below,
    side_by_side,
)
from orrery.results.panels import LossCurve

_BEST = "best epoch"  # whose weights are kept


@rc_context(STYLE)
def coverage(curves: Mapping[str, Coverage]) -> Figure:
    """Returns how often the truth lies within credible regions against what they promise.

    The bands hold 68 and 95 % of the curves that a calibrated posterior would give at
    each level, from the binomial distribution of the number of tests.

    Arguments:
        curves: For each posterior's label its coverage; one that begins with "negative
            control" is grey and dashed.
    """
    figure = Figure(figsize=(4.8, 5.1 + 0.22 * len(curves)), layout="constrained")
    axes = figure.subplots()
    tests = min(len(curve.fractions) for curve in curves.values())
    for probability, alpha in ((TWO_SIGMA, 0.15), (ONE_SIGMA, 0.3)):
        level, low, high = coverage_band(tests, probability)
        axes.fill_between(level, low, high, color=GREY, alpha=alpha, linewidth=0)
        held = round(100 * (probability[1] - probability[0]))
        name = f"calibrated, {held} %"
        hold_ends(axes, Ends(name, level, low, high, joined=True))
    for label, curve, colour, dashes in _inked_by_survey(curves):
        text = f"{label}: ATC {curve.atc:+.3f}, $p$ = {curve.pvalue:.2g}"
        axes.plot(
            curve.levels, curve.coverage, color=colour, linestyle=dashes, label=text
        )
    # after the curves, so that keys on the picture step along these first, and below them
    right = f"calibrated, {tests} tests"
    axes.plot((0, 1), (0, 1), color=INK, linewidth=0.8, zorder=1.5, label=right)
    axes.set(
        xlabel="credibility level", ylabel="expected coverage", xlim=(0, 1), ylim=(0, 1)
    )
    axes.set_aspect("equal")
    legend_below(figure, [axes], columns=1)
    return figure


def _inked_by_survey(
    curves: Mapping[str, Coverage],
) -> list[tuple[str, Coverage, str, Dashes]]:
    """Returns curves with one colour for each survey, as in other figures, where dashes do.

    What stands before a label's first comma is the survey.
    """
    found = inked(curves, lambda label: label.partition(", ")[0])
    looks = {(colour, dashes) for _, _, colour, dashes in found}
    return found if len(looks) == len(found) else inked(curves)


@rc_context(STYLE)
def ranks(results: Mapping[str, Ranks], parameters: Sequence[Parameter]) -> Figure:
    """Returns how far the truths' ranks among the draws are from uniform, for each parameter.

    A curve that leaves the grey band anywhere is a miss at 5 %. A hump says that the
    posterior lies too high, a dip too low; a dip and then a hump that it is too wide,
    the reverse too narrow.

    Arguments:
        results: For each posterior's label its ranks; one that begins with "negative
            control" is grey and dashed. Titles have p-values in the legend's order.
        parameters: The P parameters.
    """
    figure, grid = side_by_side(len(parameters))
    band = next(iter(results.values()))
    for i, (axes, parameter) in enumerate(zip(grid, parameters, strict=True)):
        axes.fill_between(
            band.levels, band.lower, band.upper, color=GREY, alpha=0.3, linewidth=0
        )
        grey = Ends("uniform, 95 %", band.levels, band.lower, band.upper, joined=True)
        hold_ends(axes, grey)
        axes.axhline(0.0, color=INK, linewidth=0.8)
        for label, result, colour, dashes in inked(results):
            step = axes.step(
                result.levels, result.difference[:, i], where="post", label=label
            )
            step[0].set(color=colour, linestyle=dashes)
        drawn = [result.ks_pvalue[i] for _, result, _, _ in inked(results)]
        pvalues = ", ".join(f"{pvalue:.2g}" for pvalue in drawn)
        axes.set(xlabel="rank of the truth", ylabel="ECDF less uniform", xlim=(0, 1))
        axes.set_title(f"{parameter.label}\nKS $p$ = {pvalues}")
    legend_below(figure, grid[:1])
    return figure


@rc_context(STYLE)
def training_curve(curves: Mapping[str, LossCurve]) -> Figure:
    """Returns the losses of the training and of the validation pairs against the epoch.

    Arguments:
        curves: For each estimator's label its losses; a dot marks the epoch whose
            weights are kept.
    """
    figure = Figure(figsize=(6.0, 3.8), layout="constrained")
    axes = figure.subplots()
    for label, curve, colour, _ in inked(curves):
        axes.plot(curve.train, color=colour, linestyle=":", label=f"{label}, training")
        axes.plot(curve.validation, color=colour, label=f"{label}, validation")
    lines = axes.get_legend_handles_labels()[0]
    for label, curve, colour, _ in inked(curves):
        name = f"{label}, {_BEST}" if len(curves) > 1 else _BEST
        at = curve.best, curve.validation[curve.best]
        axes.plot(at[0], at[1], "o", color=colour, markersize=5, label=name)
    # one dot for those of all curves, which have the curves' colours
    dot = axes.lines[-1] if len(curves) == 1 else _dot()
    axes.set(xlabel="epoch", ylabel=r"$-\log q(\theta\,|\,x)$, mean over pairs")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(handles=[*lines, dot])
    return figure


def _dot() -> Line2D:
    return Line2D(
        [], [], color=INK, marker="o", markersize=5, linestyle="", label=_BEST
    )
