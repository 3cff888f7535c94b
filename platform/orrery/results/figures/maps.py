"""Maps of the sky, and how many stars lie at which distance.

Maps show the sky as it is seen from inside: longitude grows to the left.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import CenteredNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from orrery.parameters import FloatArray
from orrery.results.figures.style import COLOURS, DASHES, GREY, INK, MARKERS, STYLE
from orrery.results.panels import RadialCounts, SkyPanel, SkyRegion, Track

# Blue and red say what stars do, so that regions have the palette's other colours.
REGION_COLOURS = (COLOURS[5], COLOURS[4], COLOURS[3], COLOURS[2])
COLOUR_MAP = (
    "RdBu_r"  # receding stars are red; red and blue differ for every kind of eye
)
_LONGITUDES, _LATITUDES = np.arange(-120, 121, 60), np.arange(-60, 61, 30)  # [deg]


@rc_context(STYLE)
def sky(
    panels: Sequence[SkyPanel],
    label: str,
    counts: Sequence[RadialCounts] = (),
    limit: float | None = None,
    abscissa: str = "Galactocentric distance [kpc]",
) -> Figure:
    """Returns maps of the sky in Mollweide's equal-area projection, over radial distributions.

    Arguments:
        panels: The maps, two beside each other.
        label: What colours the stars, with its unit.
        counts: Radial distributions to draw underneath.
        limit: The largest value that the colours tell apart, and minus the smallest; by
            default 19 of 20 stars are within.
        abscissa: The label of the distances, with their unit.

    Raises:
        ValueError: If there are no maps, or no star in any.
    """
    limit = _limit(panels) if limit is None else limit
    shades = _shades(panels, counts)
    figure, maps, below = _frames(len(panels), bool(counts))
    norm = CenteredNorm(0.0, limit)
    for panel, axes in zip(panels, maps, strict=True):
        _draw_map(axes, panel, shades, norm)
    bar = figure.colorbar(
        ScalarMappable(norm, COLOUR_MAP),
        ax=maps,
        location="bottom",
        fraction=0.05,
        aspect=40,
        shrink=0.6,
        extend="both",
    )
    bar.set_label(label)
    if below is not None:
        _draw_counts(below, counts, shades, abscissa)
    _legend(figure, panels, shades)
    return figure


def _limit(panels: Sequence[SkyPanel]) -> float:
    sizes = [np.abs(panel.values[np.isfinite(panel.values)]) for panel in panels]
    if not sizes or not sum(map(len, sizes)):
        raise ValueError("a figure of the sky needs at least one map with a star")
    return float(np.quantile(np.concatenate(sizes), 0.95)) or 1.0


def _shades(
    panels: Sequence[SkyPanel], counts: Sequence[RadialCounts]
) -> dict[str, str]:
    """Returns the colour of each region, by label."""
    found = dict.fromkeys(region.label for panel in panels for region in panel.regions)
    found.update(dict.fromkeys(item.region for item in counts))
    return dict(zip(found, itertools.cycle(REGION_COLOURS), strict=False))


def _frames(count: int, below: bool) -> tuple[Figure, list[Axes], Axes | None]:
    columns = min(count, 2)
    rows = -(-count // columns)
    height = 2.9 * rows * (1.0 if columns > 1 else 1.35) + 1.0
    figure = Figure(figsize=(9.0, height + 3.0 * below), layout="constrained")
    ratios = [height, *([3.0] if below else [])]
    parts = figure.add_gridspec(len(ratios), 1, height_ratios=ratios)
    grid = parts[0].subgridspec(rows, columns)
    maps = [
        figure.add_subplot(grid[i // columns, i % columns], projection="mollweide")
        for i in range(count)
    ]
    return figure, maps, figure.add_subplot(parts[1]) if below else None


def _draw_map(
    axes: Axes, panel: SkyPanel, shades: dict[str, str], norm: CenteredNorm
) -> None:
    for region in panel.regions:
        _shade(axes, region, shades[region.label])
    known = np.isfinite(panel.values)
    axes.scatter(
        _leftwards(panel.longitude[known]),
        panel.latitude[known],
        c=panel.values[known],
        s=float(np.clip(6e3 / max(known.sum(), 1), 1.5, 14.0)),
        cmap=COLOUR_MAP,
        norm=norm,
        edgecolors="#555555",
        linewidths=0.25,
        rasterized=True,
        zorder=3,
    )
    for track in panel.tracks:
        _draw_track(axes, track)
    _name_map(axes, panel.title)


def _leftwards(longitude: FloatArray) -> FloatArray:
    """Returns where longitudes lie on a map [rad]: zero in its middle, growing to the left."""
    return -((np.asarray(longitude, dtype=float) + np.pi) % (2 * np.pi) - np.pi)


def _shade(axes: Axes, region: SkyRegion, colour: str) -> None:
    rows, columns = region.inside.shape
    latitude, longitude = (
        np.linspace(-np.pi / 2, np.pi / 2, rows),
        np.linspace(np.pi, -np.pi, columns),
    )
    inside = region.inside.astype(float)
    axes.contourf(
        longitude, latitude, inside, levels=(0.5, 1.5), colors=[colour], alpha=0.25
    )
    if not region.inside.all():
        axes.contour(
            longitude, latitude, inside, levels=(0.5,), colors=[colour], linewidths=1.0
        )


def _draw_track(axes: Axes, track: Track) -> None:
    x = _leftwards(track.longitude)
    # A path that leaves the map on one side comes back on the other, without a line
    # across.
    jumps = np.flatnonzero(np.abs(np.diff(x)) > np.pi) + 1
    pieces = zip(np.split(x, jumps), np.split(track.latitude, jumps), strict=True)
    for longitude, latitude in pieces:
        axes.plot(longitude, latitude, "--", color=INK, linewidth=1.3, zorder=4)
    axes.plot(x[-1:], track.latitude[-1:], zorder=5, **_STAR)


_STAR: dict[str, Any] = {
    "marker": "*",
    "color": INK,
    "markerfacecolor": "#d9d9d9",
    "markersize": 15,
    "linestyle": "none",
}


def _name_map(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.grid(color=GREY, alpha=0.35, linewidth=0.5)
    axes.set_xticks(np.radians(_LONGITUDES), [])
    box = {
        "boxstyle": "round,pad=0.1",
        "facecolor": "white",
        "alpha": 0.7,
        "linewidth": 0,
    }
    place: dict[str, Any] = {"ha": "center", "va": "top", "zorder": 6.0, "bbox": box}
    for degrees in _LONGITUDES.tolist():  # on the map itself, so above its stars
        axes.text(np.radians(degrees), -0.05, f"{-degrees % 360}°", fontsize=7, **place)
    axes.set_yticks(
        np.radians(_LATITUDES), [f"{b}°" for b in _LATITUDES.tolist()], fontsize=7
    )


def _draw_counts(
    axes: Axes, counts: Sequence[RadialCounts], shades: dict[str, str], abscissa: str
) -> None:
    dashes = dict(
        zip(dict.fromkeys(item.survey for item in counts), DASHES * 9, strict=False)
    )
    markers = dict(zip(shades, MARKERS * 9, strict=False))
    handles = []
    for item in counts:
        edges, line = np.asarray(item.edges, dtype=float), dashes[item.survey]
        dots: dict[str, Any] = {
            "color": shades[item.region],
            "marker": markers[item.region],
            "markersize": 5.0,
        }
        axes.stairs(
            item.counts, edges, color=shades[item.region], linestyle=line, linewidth=1.8
        )
        label = f"{item.survey}, {item.region}"
        middles = (edges[1:] + edges[:-1]) / 2
        axes.plot(middles, item.counts, linestyle="none", label=label, **dots)
        handles.append(
            Line2D([], [], linestyle=line, linewidth=1.8, label=label, **dots)
        )
    axes.set_yscale("log", nonpositive="clip")
    axes.set(xlabel=abscissa, ylabel="stars in a bin")
    axes.set_ylim(0.7, 1.6 * max(1, *(np.max(item.counts) for item in counts)))
    # above the panel: inside of it there is room only where counts fall
    axes.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=2,
        handlelength=4.0,
    )


def _legend(figure: Figure, panels: Sequence[SkyPanel], shades: dict[str, str]) -> None:
    handles: list[Patch | Line2D] = [
        Patch(facecolor=(colour, 0.25), edgecolor=colour, label=label)
        for label, colour in shades.items()
    ]
    for label in dict.fromkeys(
        track.label for panel in panels for track in panel.tracks
    ):
        handles.append(Line2D([], [], label=f"{label} today", **_STAR))
        handles.append(
            Line2D([], [], color=INK, linestyle="--", label=f"{label}, past path")
        )
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=6)
