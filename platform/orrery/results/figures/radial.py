"""One quantity against distance: what data say of it in each bin, over the prior."""

import itertools
from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orrery.parameters import FloatArray
from orrery.results.figures.readings import Ends, hold_ends
from orrery.results.figures.style import (
    COLOURS,
    GREY,
    HATCHES,
    INK,
    MARKERS,
    STYLE,
    legend_below,
)

_FILLED = 0.9  # of a bin's width, by the bands that stand in it


@rc_context(STYLE)
def radial_bands(
    edges: FloatArray,
    bands: Mapping[str, FloatArray],
    label: str,
    prior: FloatArray | None = None,
    points: Mapping[str, FloatArray] | None = None,
    abscissa: str = "Galactocentric distance [kpc]",
) -> Figure:
    """Returns intervals of one quantity in bins of distance, those of several data side by side.

    Boxes reach from the lower to the upper end, with a line at the median.

    Arguments:
        edges: Of the K bins, ascending `[K + 1]`.
        bands: For each label lower end, median and upper end in each bin `[3, K]`.
        label: The quantity, with its unit.
        prior: Likewise `[3, K]`, in grey over the whole bin.
        points: For each label what others measured: nearest and furthest distance, lower
            end, median and upper end `[5]`; an infinite distance ends with the bins. What
            was measured beyond all bins has no place, and is left out.
        abscissa: The label of the distances, with their unit.

    Raises:
        ValueError: If there are no bands, or the bins are not those of the edges.
    """
    _check_bins(edges, {**bands, **({} if prior is None else {"the prior": prior})})
    if not bands:
        raise ValueError("a figure of radial bands needs at least one")
    figure = Figure(figsize=(6.6, 4.6), layout="constrained")
    axes = figure.subplots()
    low = np.asarray(edges, dtype=float)[:-1]
    width = np.diff(edges)
    if prior is not None:
        _draw_boxes(axes, low, width, prior, (GREY, "", "prior, median and 16-84 %"))
    share = _FILLED * width / len(bands)
    looks = zip(itertools.cycle(COLOURS), itertools.cycle(HATCHES), strict=True)
    for number, ((name, ends), look) in enumerate(
        zip(bands.items(), looks, strict=False)
    ):
        start = low + (1 - _FILLED) / 2 * width + number * share
        _draw_boxes(axes, start, share, ends, (*look, name))
    _draw_points(axes, points or {}, edges)
    axes.set(xlabel=abscissa, ylabel=label, xlim=(edges[0], edges[-1]))
    axes.set_xticks(edges)
    # boxes hold the axis to their ends; these would lie on the frame
    axes.use_sticky_edges = False
    axes.autoscale(axis="y")
    legend_below(figure, [axes], columns=2)
    return figure


def _check_bins(edges: FloatArray, bands: Mapping[str, FloatArray]) -> None:
    bins = len(edges) - 1
    if bins < 1 or not (np.diff(edges) > 0).all():
        raise ValueError(f"edges {tuple(edges)}: give at least two, ascending")
    for name, ends in bands.items():
        if np.shape(ends) != (3, bins):
            raise ValueError(
                f"{name!r} has shape {np.shape(ends)} for {bins} bins: give lower end, median and "
                "upper end in each"
            )


def _draw_boxes(
    axes: Axes,
    start: FloatArray,
    width: FloatArray,
    ends: FloatArray,
    look: tuple[str, str, str],
) -> None:
    colour, hatch, name = look
    low, median, high = ends
    axes.bar(
        start,
        high - low,
        width,
        low,
        align="edge",
        facecolor=(colour, 0.25),
        edgecolor=(colour, 0.6 if hatch else 0.0),
        hatch=hatch,
        linewidth=0.8 if hatch else 0.0,
        label=name,
    )
    axes.hlines(median, start, start + width, color=colour, linewidth=2.0)
    hold_ends(axes, Ends(name, start + width / 2, low, high, median))


def _shown(found: FloatArray, inside: tuple[float, float]) -> bool:
    """Returns whether what was measured is about distances of which some are on the axis."""
    nearest, furthest = found[:2]
    at_one = nearest == furthest and inside[0] <= nearest <= inside[1]
    return bool(at_one or (nearest < inside[1] and furthest > inside[0]))


def _draw_points(
    axes: Axes, points: Mapping[str, FloatArray], edges: FloatArray
) -> None:
    """Draws what others measured, each over the distances that it is about."""
    inside = float(edges[0]), float(edges[-1])
    points = {name: found for name, found in points.items() if _shown(found, inside)}
    ranges = np.array([np.clip(found[:2], *inside) for found in points.values()])
    for (name, found), (nearest, furthest), number in zip(
        points.items(), ranges.reshape(-1, 2), itertools.count(), strict=False
    ):
        # measurements over the same distances would hide each other in their middle
        place = nearest + (number + 1) / (len(points) + 1) * (furthest - nearest)
        low, median, high = found[2:]
        axes.errorbar(
            [place],
            [median],
            xerr=[[place - nearest], [furthest - place]],
            yerr=[[median - low], [high - median]],
            fmt=MARKERS[number % len(MARKERS)],
            color=INK,
            markerfacecolor="white",
            ecolor=(INK, 0.6),
            elinewidth=0.9,
            capsize=2.5,
            label=name,
            zorder=5,
        )
