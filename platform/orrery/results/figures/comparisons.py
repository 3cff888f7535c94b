"""Comparisons with what others published: intervals beside intervals, one quantity with another."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orrery.judging.distributions import running_quantiles
from orrery.parameters import FloatArray
from orrery.results.figures.marginals import interval
from orrery.results.figures.readings import Ends, hold_ends
from orrery.results.figures.style import (
    COLOURS,
    GREY,
    HATCHES,
    INK,
    MARKERS,
    STYLE,
    legend_below,
    typeset,
)
from orrery.results.panels import Band, Constraint, Interval

_MANY = 12  # rows, from which on they stand closer


@rc_context(STYLE)
def intervals(
    rows: Sequence[Constraint],
    label: str,
    bands: Sequence[Band] = (),
    prior: tuple[float, float] | None = None,
    ours: str = "ours, median and 16-84 %",
) -> Figure:
    """Returns medians and 16-84 % of one quantity row by row, over published bands.

    Filled markers are ours, with their numbers on the right; open ones below them are
    published.

    Arguments:
        rows: The rows, from the top down.
        label: The quantity, with its unit.
        bands: Published intervals, shaded over all rows; a line marks each median.
        prior: The 16 and 84 % of the prior, as dashed lines.
        ours: What our markers and bars are.

    Raises:
        ValueError: If there are no rows, or the prior's ends do not ascend.
    """
    _check_rows(rows, prior)
    keys = len(bands) + (prior is not None)
    height = 0.52 if len(rows) <= _MANY else 0.28
    figure = Figure(
        figsize=(6.6, 1.2 + height * len(rows) + 0.24 * keys), layout="constrained"
    )
    axes = figure.subplots()
    looks = zip(itertools.cycle(COLOURS[1:]), itertools.cycle(HATCHES), strict=True)
    for band, (colour, hatch) in zip(bands, looks, strict=False):
        _shade(axes, band, colour, hatch)
    for end, name in zip(prior or (), ("prior, 16-84 %", "_"), strict=False):
        axes.axvline(end, color=INK, linestyle="--", linewidth=1.4, label=name)
    _draw_rows(axes, rows, ours)
    axes.set(xlabel=label, ylim=(len(rows) - 0.4, -0.6))
    axes.set_yticks(range(len(rows)), [typeset(row.label) for row in rows])
    axes.tick_params(axis="y", length=0)
    legend_below(figure, [axes], columns=2)
    return figure


def _check_rows(rows: Sequence[Constraint], prior: tuple[float, float] | None) -> None:
    if not rows:
        raise ValueError("a figure of intervals needs at least one row")
    if prior is not None and not prior[0] < prior[1]:
        raise ValueError(f"prior {prior}: give its lower and its upper end, ascending")


def _shade(axes: Axes, band: Band, colour: str, hatch: str) -> None:
    low, median, high = band.interval
    axes.axvspan(
        low,
        high,
        facecolor=(colour, 0.16),
        edgecolor=(colour, 0.45),
        linewidth=0.0,
        hatch=hatch,
        label=band.label,
        zorder=0,
    )
    axes.axvline(median, color=colour, linewidth=1.1, zorder=1)
    at = np.array([[median], [low], [high]])
    hold_ends(axes, Ends(band.label, at[0], at[1], at[2], at[0], across=True))


def _draw_rows(axes: Axes, rows: Sequence[Constraint], label: str) -> None:
    """Draws ours and, just below, the published: one call each, so that each has one legend."""
    both = {i for i, row in enumerate(rows) if row.ours and row.published}
    ours = [
        (i - 0.12 * (i in both), row.ours) for i, row in enumerate(rows) if row.ours
    ]
    theirs = [
        (i + 0.2 * (i in both), row.published)
        for i, row in enumerate(rows)
        if row.published
    ]
    if ours:
        _draw_bars(axes, ours, COLOURS[0], label, COLOURS[0])
    if theirs:
        _draw_bars(axes, theirs, INK, "published", "white")
    beside = axes.get_yaxis_transform()
    for place, (low, median, high) in ours:
        text = interval(low, median, high)
        axes.text(1.015, place, text, transform=beside, va="center", color=COLOURS[0])


def _draw_bars(
    axes: Axes,
    places: Sequence[tuple[float, Interval]],
    colour: str,
    label: str,
    face: str,
) -> None:
    low, median, high = np.array([ends for _, ends in places]).T
    axes.errorbar(
        median,
        [place for place, _ in places],
        xerr=[median - low, high - median],
        fmt=MARKERS[0] if face == colour else MARKERS[1],
        color=colour,
        markerfacecolor=face,
        markersize=6.5 if face == colour else 5.0,
        elinewidth=2.0 if face == colour else 1.0,
        label=label,
        zorder=4,
    )


@rc_context(STYLE)
def relation(
    x: FloatArray,
    y: FloatArray,
    labels: tuple[str, str],
    points: Mapping[str, tuple[float, float]] | None = None,
    bins: int = 10,
) -> Figure:
    """Returns how one quantity depends on another: draws, and the median of equally full bins.

    Arguments:
        x: The abscissa, with shape `[n]`.
        y: The ordinate, with shape `[n]`.
        labels: Their labels, with units.
        points: For each label a published pair of values.
        bins: How many bins the medians have; the band holds 16-84 % in each.
    """
    lines = (len(points or ()) + 2) // 2  # of the legend
    figure = Figure(figsize=(5.4, 4.2 + 0.24 * lines), layout="constrained")
    axes = figure.subplots()
    size = float(np.clip(2e4 / len(x), 1.0, 16.0))
    axes.scatter(x, y, s=size, color=GREY, alpha=0.3, linewidth=0, rasterized=True)
    middle, low, median, high = running_quantiles(x, y, bins)
    axes.fill_between(middle, low, high, color=COLOURS[0], alpha=0.25, linewidth=0)
    axes.plot(middle, median, color=COLOURS[0], label="median and 16-84 %")
    hold_ends(axes, Ends("median and 16-84 %", middle, low, high, joined=True))
    for (label, (at_x, at_y)), colour, marker in zip(
        (points or {}).items(),
        itertools.cycle(COLOURS[1:]),
        itertools.cycle(MARKERS[1:]),
        strict=False,
    ):
        axes.plot(
            at_x,
            at_y,
            marker,
            color=colour,
            markersize=8,
            markeredgecolor=INK,
            label=label,
        )
    axes.set(xlabel=labels[0], ylabel=labels[1])
    # below: draws are everywhere, and would lie on its words
    legend_below(figure, [axes], columns=2)
    return figure
