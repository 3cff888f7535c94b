"""Predictions of one number against its truth, and their errors in bins of the truth."""

from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orrery.judging.distributions import ENOUGH, binned_quantiles
from orrery.judging.intervals import posterior_summary
from orrery.judging.regression import BinnedErrors
from orrery.parameters import FloatArray
from orrery.results.figures.readings import Ends, hold_ends
from orrery.results.figures.style import (
    GREY,
    INK,
    MARKERS,
    STYLE,
    Dashes,
    inked,
    legend_below,
)

Tests = Mapping[str, tuple[FloatArray, FloatArray]]


@rc_context(STYLE)
def predictions(
    tests: Tests,
    errors: Mapping[str, BinnedErrors],
    label: tuple[str, str],
    members: Mapping[str, BinnedErrors] | None = None,
    published: Mapping[str, float] | None = None,
) -> Figure:
    """Returns predictions against the truth, and below them their RMSE and median bias in bins.

    Grey are the tests under the first prediction, and its 16-84 % in each bin are
    shaded; lines are medians. Below, bars are standard errors, and bands hold 16-84 %
    of an ensemble's members.

    Arguments:
        tests: For each label truths and predictions, each with shape `[N]`.
        errors: For the same labels their errors, with fields of shape `[B]`.
        label: The predicted quantity in mathtext and its unit, such as dex.
        members: For some of the labels the errors of each member, with fields of shape
            `[K, B]`.
        published: For each label a published RMSE, as a line.

    Raises:
        ValueError: If the labels, the bins or the shapes differ.
    """
    _check(tests, errors, members or {})
    figure = Figure(figsize=(5.6, 8.6), layout="constrained")
    above, middle, below = figure.subplots(
        3, 1, sharex=True, height_ratios=(2.1, 1.0, 1.0)
    )
    _draw_tests(above, tests, next(iter(errors.values())).edges)
    looks = zip(inked(errors), MARKERS * len(errors), strict=False)
    for (name, found, colour, dashes), marker in looks:
        bands = (members or {}).get(name)
        for axes, field in ((middle, "rmse"), (below, "bias")):
            _draw_errors(axes, found, field, bands, (colour, dashes, marker), name)
    for name, value, dashes in _lines(published or {}):
        middle.axhline(
            value, color=INK, linestyle=dashes, linewidth=1.0, label=name, zorder=1
        )
    below.axhline(0.0, color=INK, linewidth=0.8, zorder=0)
    name, unit = label
    above.set(ylabel=f"{name}, predicted [{unit}]")
    middle.set(ylabel=f"RMSE [{unit}]", ylim=(0.0, None))
    below.set(ylabel=f"median bias [{unit}]", xlabel=f"{name}, true [{unit}]")
    figure.align_ylabels()
    legend_below(figure, [middle, above], columns=2)
    return figure


def _check(
    tests: Tests,
    errors: Mapping[str, BinnedErrors],
    members: Mapping[str, BinnedErrors],
) -> None:
    if (
        not tests
        or tests.keys() != errors.keys()
        or not members.keys() <= errors.keys()
    ):
        raise ValueError(
            f"predictions of {sorted(tests)}, errors of {sorted(errors)} and members of "
            f"{sorted(members)}: give one label or more, the same for all"
        )
    for name, (truth, values) in tests.items():
        if values.shape != truth.shape:
            raise ValueError(
                f"predictions {name!r} of shape {values.shape} do not belong to truths of shape "
                f"{truth.shape}"
            )
    for axes, given in ((1, errors), (2, members)):
        for name, found in given.items():
            if found.rmse.ndim != axes:
                raise ValueError(
                    f"errors of {name!r} have shape {found.rmse.shape}: give [B], and [K, B] for "
                    "its members"
                )


def _draw_tests(axes: Axes, tests: Tests, edges: FloatArray) -> None:
    first, shown = next(iter(tests.values()))
    size = float(np.clip(2e4 / len(first), 0.6, 12.0))
    axes.scatter(
        first, shown, s=size, color=GREY, alpha=0.25, linewidth=0, rasterized=True
    )
    ends = float(edges[0]), float(edges[-1])
    axes.plot(ends, ends, color=INK, linewidth=0.8, label="truth", zorder=3)
    for name, (truth, values), colour, dashes in inked(tests):
        middles, low, median, high = binned_quantiles(truth, values, edges)
        if values is shown:
            axes.fill_between(middles, low, high, color=colour, alpha=0.25, linewidth=0)
            hold_ends(axes, Ends(name, middles, low, high, joined=True))
        axes.plot(middles, median, color=colour, linestyle=dashes, label=name)
    axes.set(xlim=ends)


def _draw_errors(
    axes: Axes,
    found: BinnedErrors,
    field: str,
    members: BinnedErrors | None,
    look: tuple[str, str, str],
    label: str,
) -> None:
    colour, dashes, marker = look
    shown = found.counts >= ENOUGH
    middles = found.middles[shown]
    if members is not None:
        band = posterior_summary(getattr(members, field)[:, shown])
        axes.fill_between(
            middles, band.lower, band.upper, color=colour, alpha=0.2, linewidth=0
        )
        held = Ends(f"{label}, members", middles, band.lower, band.upper, joined=True)
        hold_ends(axes, held)
    axes.errorbar(
        middles,
        getattr(found, field)[shown],
        getattr(found, f"{field}_error")[shown],
        color=colour,
        linestyle=dashes,
        marker=marker,
        markersize=4.0,
        elinewidth=0.9,
        label=label,
    )


def _lines(published: Mapping[str, float]) -> list[tuple[str, float, Dashes]]:
    """Returns each label and value with dashes."""
    looks: tuple[Dashes, ...] = (":", "-.", "--") * len(published)
    return [
        (*item, dashes) for item, dashes in zip(published.items(), looks, strict=False)
    ]
