"""Marginals of posteriors: every parameter alone, and every two against each other.

Several posteriors are open contours over the filled prior, so that none hides another.
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from orrery.judging.contours import AXIS_ENDS, bin_edges, contour_levels
from orrery.judging.distributions import TWO_SIGMA
from orrery.judging.intervals import posterior_summary
from orrery.parameters import FloatArray, Parameter
from orrery.results.figures.readings import Ends, hold_ends
from orrery.results.figures.style import (
    CONTOURS,
    DASHES,
    INK,
    LEGEND_BELOW,
    MARKERS,
    STYLE,
    inked,
    with_unit,
)

_PALE = "#bdbdbd"  # the prior, below everything
# of a number before or after its point, beyond which it is in powers of ten
_DIGITS = 4
_CLEAR = 0.1  # of an axis at its ends, where a number would touch the next panel's
_SMALL = 3  # parameters of a figure whose legend stands below it
_MARK: dict[str, Any] = {
    "color": INK,
    "markerfacecolor": "white",
    "markeredgecolor": INK,
    "markersize": 5.5,
}
_POINT: dict[str, Any] = {**_MARK, "elinewidth": 1.0, "capsize": 0.0}


@dataclass(frozen=True)
class _Ink:
    """How one set of draws is drawn: its colour, dashes, and whether contours are filled."""

    colour: str
    dashes: str
    filled: bool
    width: float = 1.3


@rc_context(STYLE)
def corner(
    draws: Mapping[str, FloatArray],
    parameters: Sequence[Parameter],
    prior: FloatArray | None = None,
    points: Mapping[str, FloatArray] | None = None,
) -> Figure:
    """Returns one- and two-dimensional marginals of posteriors, with the prior in grey.

    Contours hold 39 and 86 % of the draws (1 and 2 sigma of a Gaussian in two
    dimensions); bands on the diagonal hold 16-84 %; the numbers above it are medians
    and that band.

    Arguments:
        draws: For each posterior's label its draws, with shape `[n, P]`.
        parameters: The P parameters.
        prior: Draws from the prior, with shape `[n, P]`.
        points: For each label published or true values, with shape `[P]`, or `[3, P]`
            with medians and the lower and upper ends of their intervals; NaN where
            unknown.

    Raises:
        ValueError: If there are no draws, a set has not P finite columns, or a point is
            neither `[P]` nor `[3, P]` with its ends around its medians.
    """
    _check_columns({**draws, **({} if prior is None else {"prior": prior})}, parameters)
    marks = {
        k: _ends(k, np.asarray(v, float), len(parameters))
        for k, v in (points or {}).items()
    }
    tens = _tens(_spans([*draws.values()], prior, [*marks.values()]))
    draws = {label: values / tens for label, values in draws.items()}
    prior = None if prior is None else prior / tens
    marks = {label: ends / tens for label, ends in marks.items()}
    spans = _spans([*draws.values()], prior, [*marks.values()])
    figure = Figure(figsize=(1.75 * len(parameters) + 1.0,) * 2)
    figure.subplots(len(parameters), len(parameters), squeeze=False)
    if prior is not None:
        _overlay(figure, prior, spans, _Ink(_PALE, "-", filled=True, width=0.9))
    for _, values, colour, dashes in inked(draws):
        _overlay(figure, values, spans, _Ink(colour, dashes, filled=len(draws) == 1))
    _show_peaks(figure)
    _name_axes(figure, parameters, tens)
    _annotate_diagonal(figure, draws)
    _mark_points(figure, spans, marks)
    _clear_corners(figure)
    _corner_legend(figure, draws, prior is not None, marks)
    return figure


def _check_columns(
    sets: Mapping[str, FloatArray], parameters: Sequence[Parameter]
) -> None:
    if not sets.keys() - {"prior"}:
        raise ValueError("a corner figure needs at least one set of draws")
    for label, values in sets.items():
        if (
            values.ndim != 2
            or values.shape[1] != len(parameters)
            or not np.isfinite(values).all()
        ):
            raise ValueError(
                f"{label!r} has shape {values.shape}: draws must be finite, with one column for "
                f"each of the {len(parameters)} parameters"
            )


def _ends(label: str, point: FloatArray, size: int) -> FloatArray:
    """Returns a point's medians, lower and upper ends, `[3, P]`; without errors these are equal."""
    ends = np.tile(point, (3, 1)) if point.ndim == 1 else point
    median, low, high = ends if ends.shape == (3, size) else np.full((3, 1), np.inf)
    if (
        np.isinf(ends).any()
        or np.isinf(median).any()
        or (low > median).any()
        or (median > high).any()
    ):
        raise ValueError(
            f"point {label!r} has shape {point.shape}: give one value for each of the {size} "
            "parameters, or three rows, medians and the lower and upper ends around them"
        )
    return ends


def _spans(
    sets: Sequence[FloatArray], prior: FloatArray | None, marks: Sequence[FloatArray]
) -> list[tuple[float, float]]:
    """Returns a range for each parameter: nearly all draws, most of the prior, all points."""
    ends = [np.quantile(values, AXIS_ENDS, axis=0) for values in sets]
    if prior is not None:
        ends.append(np.quantile(prior, TWO_SIGMA, axis=0))
    # NaN, where a point is unknown, is no end.
    low = np.fmin.reduce(np.concatenate([*ends, *marks]))
    high = np.fmax.reduce(np.concatenate([*ends, *marks]))
    # A parameter that never changes still needs an axis.
    margin = np.where(high > low, 0.06 * (high - low), 0.5)
    return [
        (float(a), float(b)) for a, b in zip(low - margin, high + margin, strict=True)
    ]


@cache
def _draw_corner() -> Callable[..., Figure]:
    """Returns the function of the package `corner` that draws arrays.

    Raises:
        ImportError: If corner is not installed, or no longer has that function.
    """
    # `import corner` imports ArviZ wherever that is installed: seconds, and a warning.
    # The file that draws needs neither, and is executed here without its package.
    package = importlib.util.find_spec("corner")
    if package is None or not package.submodule_search_locations:
        raise ImportError("corner is not installed: pip install 'corner>=2.3'")
    file = Path(package.submodule_search_locations[0], "core.py")
    spec = importlib.util.spec_from_file_location(f"{__name__}.corner_core", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ImportError(f"{file} is missing: pip install 'corner>=2.3,<3'")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.corner_impl


def _overlay(
    figure: Figure, values: FloatArray, spans: list[tuple[float, float]], ink: _Ink
) -> None:
    edges = [
        bin_edges(column, span) for column, span in zip(values.T, spans, strict=True)
    ]
    _draw_corner()(
        values,
        fig=figure,
        range=[(float(one[0]), float(one[-1])) for one in edges],
        bins=[len(one) - 1 for one in edges],
        smooth1d=0.8,
        color=ink.colour,
        weights=np.full(len(values), 1.0 / len(values)),
        plot_datapoints=False,
        plot_density=False,
        plot_contours=False,  # its levels are shares of what it has smoothed
        max_n_ticks=4,
        hist_kwargs={"linewidth": ink.width, "linestyle": ink.dashes},
    )
    grid = _grid(figure)
    for i, j in zip(*np.tril_indices(len(grid)), strict=True):
        if i == j:
            _per_unit(grid[i, i], edges[i])
        else:
            _draw_contours(grid[i, j], values[:, [j, i]], (edges[j], edges[i]), ink)
            grid[i, j].set_ylim(spans[i])
        grid[i, j].set_xlim(spans[j])


def _draw_contours(
    axes: Axes, draws: FloatArray, edges: tuple[FloatArray, FloatArray], ink: _Ink
) -> None:
    """Draws lines within which the densest `CONTOURS` of draws `[n, 2]` are."""
    density, levels = contour_levels(draws, edges, CONTOURS)
    # an empty bin all around closes what would end at an edge
    shown = np.pad(density, 1).T
    x, y = (np.append(e, 2 * e[-1] - e[-2]) - (e[1] - e[0]) / 2 for e in edges)
    if ink.filled:
        shades = [(ink.colour, i / (len(levels) + 1)) for i in range(1, len(levels))]
        ends = [*levels, 2 * density.max()]
        axes.contourf(
            x, y, shown, ends, colors=[*shades, ink.colour], antialiased=False
        )
    lines: dict[str, Any] = {"linewidths": ink.width, "linestyles": ink.dashes}
    axes.contour(x, y, shown, levels, colors=ink.colour, **lines)


def _per_unit(axes: Axes, edges: FloatArray) -> None:
    """Makes the latest histogram one of probability in a unit: sets have bins of their own."""
    line = axes.lines[-1]
    line.set_ydata(np.asarray(line.get_ydata()) / (edges[1] - edges[0]))


def _show_peaks(figure: Figure) -> None:
    """Makes room for the highest of all marginals; each has set its own when it was drawn."""
    for axes in _grid(figure).diagonal():
        peaks = [np.max(line.get_ydata()) for line in axes.lines]
        axes.set_ylim(0.0, 1.1 * max(peaks))


def _tens(spans: list[tuple[float, float]]) -> FloatArray:
    """Returns the power of ten that each parameter is shown in, `[P]`: of most it is one."""
    largest = np.abs(spans).max(axis=1)
    powers = np.floor(np.log10(np.where(largest > 0, largest, 1.0)))
    return np.asarray(10.0 ** np.where(np.abs(powers) > _DIGITS, powers, 0.0))


def _name_axes(
    figure: Figure, parameters: Sequence[Parameter], tens: FloatArray
) -> None:
    """Names the outer axes; their labels stand beyond the numbers, however large these are."""
    grid = _grid(figure)
    for i, (parameter, ten) in enumerate(zip(parameters, tens, strict=True)):
        unit = parameter.unit if ten == 1.0 else f"{ten:.0e} {parameter.unit}".strip()
        label = with_unit(parameter.label, unit, between="\n")
        grid[-1, i].set_xlabel(label)
        if i > 0:
            grid[i, 0].set_ylabel(label)
    figure.align_labels()


def _clear_corners(figure: Figure) -> None:
    """Leaves out ticks at the ends of axes: their numbers would touch those of neighbours."""
    for axes in _grid(figure)[np.tril_indices(len(_grid(figure)))]:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = axis.get_view_interval()
            ticks = np.asarray(axis.get_majorticklocs())
            reach = (ticks - low) / (high - low)
            kept = ticks[(reach > _CLEAR) & (reach < 1.0 - _CLEAR)]
            if len(kept) > 1:
                axis.set_ticks(kept)


def _annotate_diagonal(figure: Figure, draws: Mapping[str, FloatArray]) -> None:
    """Writes each median with its 16-84 % band above the diagonal, and shades that band."""
    for row, (label, values, colour, _) in enumerate(reversed(inked(draws))):
        found = posterior_summary(values)
        for i, axes in enumerate(_grid(figure).diagonal()):
            x, y = axes.lines[
                len(axes.lines) - 1 - row
            ].get_data()  # the latest is the last set
            _shade(
                axes,
                np.asarray(x),
                np.asarray(y),
                (found.lower[i], found.upper[i]),
                colour,
            )
            at = np.array([found.median[i], found.lower[i], found.upper[i]])[:, None]
            hold_ends(axes, Ends(label, at[0], at[1], at[2], at[0], across=True))
            axes.text(
                0.5,
                1.05 + 0.17 * row,
                interval(found.lower[i], found.median[i], found.upper[i]),
                color=colour,
                ha="center",
                transform=axes.transAxes,
            )


def _shade(
    axes: Axes, x: FloatArray, y: FloatArray, ends: tuple[float, float], colour: str
) -> None:
    """Shades the area below a histogram's steps between two values."""
    inside = (x > ends[0]) & (x < ends[1])
    left, right = np.searchsorted(x, ends[0]) - 1, np.searchsorted(x, ends[1])
    across = np.concatenate([ends[:1], x[inside], ends[1:]])
    height = np.concatenate([y[left : left + 1], y[inside], y[right : right + 1]])
    axes.fill_between(across, height, color=colour, alpha=0.18, linewidth=0)


def interval(low: float, median: float, high: float) -> str:
    """Returns a median with its upper and lower errors in mathtext, to two digits of the errors."""
    error = max(high - median, median - low)
    digits = int(np.clip(1 - np.floor(np.log10(error)), 0, 6)) if error > 0 else 2
    errors = f"^{{+{high - median:.{digits}f}}}_{{-{median - low:.{digits}f}}}"
    return f"${round(median, digits) + 0.0:.{digits}f}{errors}$"  # + 0.0: no minus before a zero


def _mark_points(
    figure: Figure, spans: list[tuple[float, float]], marks: Mapping[str, FloatArray]
) -> None:
    grid = _grid(figure)
    for row, (marker, dashes, ends) in enumerate(
        zip(MARKERS * len(marks), DASHES * len(marks), marks.values(), strict=False)
    ):
        for i, j in zip(*np.tril_indices(len(grid)), strict=True):
            if i == j:
                _mark_diagonal(
                    grid[i, i], ends[:, i], marker, dashes, 0.92 - 0.11 * row
                )
            else:
                _mark_plane(grid[i, j], ends[:, j], ends[:, i], marker)
                grid[i, j].set_ylim(spans[i])
            grid[i, j].set_xlim(spans[j])


def _mark_plane(axes: Axes, x: FloatArray, y: FloatArray, marker: str) -> None:
    if np.isfinite([x, y]).all():
        axes.errorbar(x[0], y[0], _reach(y), _reach(x), fmt=marker, zorder=5, **_POINT)


def _mark_diagonal(
    axes: Axes, ends: FloatArray, marker: str, dashes: str, height: float
) -> None:
    """Marks a value by a line; one with errors by a point, each of several at its own height."""
    if ends[1] == ends[2]:
        axes.axvline(ends[0], color=INK, linestyle=dashes, linewidth=1.0)
    elif np.isfinite(ends).all():
        across = axes.get_xaxis_transform()
        axes.errorbar(
            ends[0],
            height,
            None,
            _reach(ends),
            fmt=marker,
            transform=across,
            zorder=5,
            **_POINT,
        )


def _reach(ends: FloatArray) -> FloatArray | None:
    """Returns how far an interval reaches below and above its median, `[2, 1]`."""
    return np.abs(ends[1:] - ends[0])[:, None] if ends[1] < ends[2] else None


def _corner_legend(
    figure: Figure,
    draws: Mapping[str, FloatArray],
    prior: bool,
    points: Mapping[str, FloatArray],
) -> None:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colour, linestyle=dashes, linewidth=2.2, label=label)
        for label, _, colour, dashes in inked(draws)
    ]
    if prior:
        handles.append(Patch(facecolor=_PALE, label="prior"))
    for marker, label in zip(MARKERS * len(points), points, strict=False):
        handles.append(
            Line2D([], [], marker=marker, linestyle="none", label=label, **_MARK)
        )
    small = len(_grid(figure)) <= _SMALL  # its empty corner holds no legend
    figure.legend(
        handles=handles,
        loc="upper center" if small else "upper right",
        bbox_to_anchor=(0.5, 0.0) if small else (0.98, 0.98),
        fontsize=9.0 if small else 12.0,
        handlelength=2.6,
    ).set_gid(LEGEND_BELOW if small else None)


def _grid(figure: Figure) -> NDArray[Any]:
    """Returns the axes of a corner figure, with shape `[P, P]`."""
    side = round(len(figure.axes) ** 0.5)
    return np.array(figure.axes, dtype=object).reshape(side, side)
