"""Summaries against their bins: measurements, simulations, predictions.

A bin keeps its width in every figure, and what stands in it stands inside its edges.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orrery.judging.distributions import LEVELS, outline
from orrery.parameters import FloatArray
from orrery.records import Observation
from orrery.results.figures.readings import Ends, hold_ends
from orrery.results.figures.style import (
    COLOURS,
    GREY,
    INK,
    INKS,
    MARKERS,
    STYLE,
    legend_below,
    side_by_side,
)
from orrery.results.panels import Panel

_APART = 0.16  # of a bin's width, between observations in it
_HALF, _FULL = 0.42, 0.36  # of a bin's width: how far a split and a whole violin reach
_ROW = 0.09  # of a panel's height: a line of tail probabilities


@rc_context(STYLE)
def profiles(
    panels: Sequence[Panel],
    observation: Observation,
    simulated: Mapping[str, FloatArray],
    abscissa: str = "distance [kpc]",
) -> Figure:
    """Returns observed summaries with errors against their bins, over bands of simulations.

    Dark bands hold 16-84 % of the simulations in each bin, light bands 2.5-97.5 %;
    lines are medians. The first set is the backdrop, in grey.

    Arguments:
        panels: What stands in each panel.
        observation: The measured values `[S]` with their covariance `[S, S]`.
        simulated: For each label the `distributions.LEVELS` quantiles of simulated summaries,
            with shape `[5, S]`; bins without stars are NaN and left out.
        abscissa: The label of the bins, with their unit.

    Raises:
        ValueError: If simulations do not have the observation's number of entries.
    """
    _check_entries(panels, observation, simulated)
    figure, grid = side_by_side(len(panels))
    for panel, axes in zip(panels, grid, strict=True):
        columns = [observation.names.index(name) for name in panel.entries]
        for (label, x), ink in zip(
            simulated.items(), itertools.cycle(INKS), strict=False
        ):
            _bands(axes, panel, x[:, columns], label, ink)
        _points(axes, panel, observation, columns)
        axes.set(title=panel.title, xlabel=abscissa, ylabel=panel.label)
    legend_below(figure, grid)
    return figure


def _check_entries(
    panels: Sequence[Panel],
    observation: Observation,
    simulated: Mapping[str, FloatArray],
) -> None:
    unknown = {name for panel in panels for name in panel.entries} - {
        *observation.names
    }
    if unknown:
        raise ValueError(
            f"{sorted(unknown)} are no entries of observation {observation.name!r}"
        )
    for label, x in simulated.items():
        if x.shape != (len(LEVELS), len(observation.names)):
            raise ValueError(
                f"{label!r} has shape {x.shape}, but the observation {observation.name!r} "
                f"has {len(observation.names)} entries: give {len(LEVELS)} quantiles of "
                "the summaries of the same binning"
            )


def _bands(
    axes: Axes, panel: Panel, quantiles: FloatArray, label: str, ink: tuple[str, str]
) -> None:
    colour, dashes = ink
    filled = np.flatnonzero(np.isfinite(quantiles).all(axis=0))
    if not filled.size:
        return
    low, high = np.asarray(panel.bins)[filled].T
    levels = quantiles[:, filled]
    for below, above, alpha in ((0, 4, 0.16), (1, 3, 0.30)):
        height = levels[above] - levels[below]
        axes.bar(
            low,
            height,
            high - low,
            levels[below],
            align="edge",
            color=colour,
            alpha=alpha,
        )
    axes.hlines(levels[2], low, high, color=colour, linestyle=dashes, label=label)
    middles = (low + high) / 2
    hold_ends(axes, Ends(label, middles, levels[1], levels[3], levels[2]))


def _points(
    axes: Axes, panel: Panel, observation: Observation, columns: list[int]
) -> None:
    errors = np.sqrt(observation.covariance.diagonal())
    axes.errorbar(
        np.mean(panel.bins, axis=1),
        observation.value[columns],
        errors[columns],
        label=observation.name,
        fmt="o",
        color=INK,
        markersize=4.5,
        capsize=2.5,
        zorder=5,
    )


@rc_context(STYLE)
def measurements(
    panels: Sequence[Panel],
    observations: Sequence[Observation],
    abscissa: str = "distance [kpc]",
) -> Figure:
    """Returns what several surveys measured, with errors, against the bins.

    In a bin the surveys stand beside each other, so that no error bar hides another.

    Arguments:
        panels: What stands in each panel; each observation shows those entries that it
            has.
        observations: The measured values `[S]` with their covariances `[S, S]`.
        abscissa: The label of the bins, with their unit.

    Raises:
        ValueError: If there are no panels, an observation has nothing in any panel, or
            a panel has an entry of no observation.
    """
    _check_shown(panels, observations)
    figure, grid = side_by_side(len(panels))
    for panel, axes in zip(panels, grid, strict=True):
        axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=0)
        here = [o for o in observations if {*o.names} & {*panel.entries}]
        for number, observation in enumerate(here):
            shift = _APART * (number - (len(here) - 1) / 2)
            _beside(axes, panel, observation, shift, [*observations].index(observation))
        axes.set(
            title=panel.title, xlabel=abscissa, ylabel=panel.label, xlim=_limits(panel)
        )
    legend_below(figure, grid)
    return figure


def _check_shown(panels: Sequence[Panel], observations: Sequence[Observation]) -> None:
    entries = {name for panel in panels for name in panel.entries}
    for observation in observations:
        if not entries & {*observation.names}:
            raise ValueError(
                f"observation {observation.name!r} has no entry in any panel: leave it out, or "
                "give panels of its binning"
            )
    unknown = entries - {
        name for observation in observations for name in observation.names
    }
    if unknown:
        raise ValueError(f"{sorted(unknown)} are entries of no observation")


def _beside(
    axes: Axes, panel: Panel, observation: Observation, shift: float, number: int
) -> None:
    shown = [i for i, name in enumerate(panel.entries) if name in observation.names]
    columns = [observation.names.index(panel.entries[i]) for i in shown]
    low, high = np.asarray(panel.bins, dtype=float)[shown].T
    axes.errorbar(
        (low + high) / 2 + shift * (high - low),
        observation.value[columns],
        np.sqrt(observation.covariance.diagonal())[columns],
        label=observation.name,
        fmt=MARKERS[number % len(MARKERS)],
        color=COLOURS[number % len(COLOURS)],
        markersize=4.5,
        capsize=2.0,
    )


def _limits(panel: Panel) -> tuple[float, float]:
    low, high = np.min(panel.bins), np.max(panel.bins)
    return low - 0.03 * (high - low), high + 0.03 * (high - low)


@rc_context(STYLE)
def violins(
    panels: Sequence[Panel],
    observations: Mapping[str, Observation],
    predicted: Mapping[str, FloatArray],
    tails: Mapping[str, FloatArray] | None = None,
    abscissa: str = "distance [kpc]",
) -> Figure:
    """Returns what posteriors predict for each bin, as violins, and what was observed there.

    Violins hold 99 % of the predictions; the thick bar in them holds 16-84 %, the white
    line is the median. Predictions must include the errors of measurement, so that
    points have no bars. Two posteriors share each violin, one on the left and one on
    the right.

    Arguments:
        panels: What stands in each panel; each observation shows those entries that it
            has.
        observations: For one or two labels the measured values `[S]`.
        predicted: For the same labels the predictions for those, with shape `[n, S]`;
            NaN where a bin had no stars, which are left out.
        tails: For the same labels the tail probabilities `[S]`, written below the bins.
        abscissa: The label of the bins, with their unit.

    Raises:
        ValueError: If there are more than two labels, or the labels or numbers of
            entries differ.
    """
    _check_predicted(observations, predicted, tails or {})
    _check_shown(panels, [*observations.values()])
    figure, grid = side_by_side(len(panels), width=4.3 if len(panels) > 1 else 5.4)
    for panel, axes in zip(panels, grid, strict=True):
        here = {k: o for k, o in observations.items() if {*o.names} & {*panel.entries}}
        sides = {
            label: (-1, 1)[number] if len(here) > 1 else 0
            for number, label in enumerate(here)
        }
        for label, side in sides.items():
            ink = [*observations].index(label)
            _draw_violins(
                axes, panel, (label, observations[label]), predicted[label], side, ink
            )
        axes.set(
            title=panel.title, xlabel=abscissa, ylabel=panel.label, xlim=_limits(panel)
        )
        written = {label: tails[label] for label in here if tails and label in tails}
        _write_tails(axes, panel, observations, written)
    if tails:
        grid[0].plot(
            [], [], linestyle="none", marker="$p$", color=INK, label="tail probability"
        )
    legend_below(figure, grid, columns=5 if len(panels) > 1 else 2)
    return figure


def _check_predicted(
    observations: Mapping[str, Observation],
    predicted: Mapping[str, FloatArray],
    tails: Mapping[str, FloatArray],
) -> None:
    if not 1 <= len(observations) <= 2 or observations.keys() != predicted.keys():
        raise ValueError(
            f"observations of {sorted(observations)} and predictions of {sorted(predicted)}: give "
            "one or two labels, the same for both"
        )
    for label, observation in observations.items():
        size = len(observation.names)
        shapes = predicted[label].shape, np.shape(tails.get(label, np.zeros(size)))
        if len(shapes[0]) != 2 or shapes[0][1] != size or shapes[1] != (size,):
            raise ValueError(
                f"{label!r} has predictions of shape {shapes[0]} and tail probabilities of shape "
                f"{shapes[1]}, but the observation has {size} entries: use the same binning"
            )
    if not tails.keys() <= observations.keys():
        raise ValueError(
            f"tail probabilities of {sorted(tails.keys() - observations.keys())}"
        )


def _draw_violins(
    axes: Axes,
    panel: Panel,
    observed: tuple[str, Observation],
    x: FloatArray,
    side: int,
    ink: int,
) -> None:
    """Draws violins to the left (-1), to the right (1) or around (0) the middles of the bins."""
    label, observation = observed
    seen = []
    for (low, high), name in zip(panel.bins, panel.entries, strict=True):
        if name in observation.names:
            column = x[:, observation.names.index(name)]
            known = column[np.isfinite(column)]
            seen += _violin(axes, known, (low, high), side, COLOURS[ink])
    if seen:
        middle, lower, median, upper = np.array(seen).T
        hold_ends(axes, Ends(f"{label}, predicted", middle, lower, upper, median))
    shown = [i for i, name in enumerate(panel.entries) if name in observation.names]
    edges = np.asarray(panel.bins, dtype=float)[shown]
    place = edges.mean(axis=1) + 0.14 * side * np.diff(edges)[:, 0]
    value = [
        observation.value[observation.names.index(panel.entries[i])] for i in shown
    ]
    axes.plot(
        place,
        value,
        MARKERS[ink],
        color=INK,
        markerfacecolor=COLOURS[ink],
        markersize=6.0,
        zorder=5,
        label=f"{label}, observed",
    )
    axes.fill_between(
        [], [], color=COLOURS[ink], alpha=0.35, label=f"{label}, predicted"
    )


def _violin(
    axes: Axes, values: FloatArray, edges: tuple[float, float], side: int, colour: str
) -> list[tuple[float, ...]]:
    """Draws one violin, and returns its middle, 16 %, median and 84 %; none has no values.

    Its widest place is as wide in every bin.
    """
    if not len(values):
        return []
    width, middle = edges[1] - edges[0], (edges[0] + edges[1]) / 2
    shape = outline(values)
    levels = shape.levels
    if len(shape.places):
        reach = width * (_HALF if side else _FULL) * shape.density
        axes.fill_betweenx(
            shape.places,
            middle - (side <= 0) * reach,
            middle + (side >= 0) * reach,
            facecolor=(colour, 0.35),
            edgecolor=colour,
            linewidth=0.8,
        )
    place = middle + 0.025 * side * width
    axes.vlines(place, levels[1], levels[3], color=colour, linewidth=3.0, zorder=3)
    axes.plot(place, levels[2], "_", color="white", markersize=3.5, zorder=4)
    return [(middle, *map(float, levels[1:4]))]


def _write_tails(
    axes: Axes,
    panel: Panel,
    observations: Mapping[str, Observation],
    tails: Mapping[str, FloatArray],
) -> None:
    """Writes the probabilities below the violins, one line for each label, into room of its own."""
    low, high = axes.get_ylim()
    axes.set_ylim(low - _ROW * len(tails) * (high - low), high)
    for row, (label, values) in enumerate(reversed([*tails.items()])):
        names = observations[label].names
        colour = COLOURS[[*observations].index(label)]
        for edges, name in zip(panel.bins, panel.entries, strict=True):
            if name in names and np.isfinite(values[names.index(name)]):
                axes.text(
                    sum(edges) / 2,
                    0.015 + _ROW * row,
                    _probability(float(values[names.index(name)])),
                    color=colour,
                    fontsize=7.0,
                    ha="center",
                    va="bottom",
                    transform=axes.get_xaxis_transform(),
                )


def _probability(value: float) -> str:
    return "<0.01" if value < 0.005 else f"{value:.2f}"
