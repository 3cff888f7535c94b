"""Figures for a paper's column or a talk: width, typeface, and sizes of text and lines."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from orrery.results.figures.style import picture_box, settle

_POINTS_PER_INCH = 72.27  # of TeX
_WIDEST_COLUMN = 6.7  # of a figure that fits one column [inch]
_TALLEST = 8.8  # of a figure [inch]: a page's 9.4 have a caption too
_ROUNDS = 3  # until a figure has its width: text does not shrink with it
_SMALLEST = 0.7  # text in a journal, as a fraction of that on a page


@dataclass(frozen=True)
class Presentation:
    """What figures look like somewhere else than on a run's page.

    Arguments:
        widths: Of one column and of the whole text [inch]; none for a slide.
        family: The typeface.
        formulas: matplotlib's font set of formulas.
        text: The largest size of text, as a fraction of that on a page.
        lines: The width of lines and size of markers, likewise; None where they shrink with
            the figure.

    Example:
        >>> round(PRESENTATIONS["mnras"].widths[0], 2)
        3.32
    """

    widths: tuple[float, ...]
    family: str
    formulas: str
    text: float
    lines: float | None = None


# Widths of both classes for LaTeX, mnras.cls and aastex631.cls with two columns.
PRESENTATIONS = {
    "mnras": Presentation(
        widths=(240.0 / _POINTS_PER_INCH, 504.0 / _POINTS_PER_INCH),
        family="STIXGeneral",
        formulas="stix",
        text=0.85,
    ),
    "apj": Presentation(
        widths=(242.26653 / _POINTS_PER_INCH, 513.11743 / _POINTS_PER_INCH),
        family="STIXGeneral",
        formulas="stix",
        text=0.85,
    ),
    "talk": Presentation(
        widths=(), family="DejaVu Sans", formulas="dejavusans", text=1.4, lines=1.5
    ),
}


def presented(figure: Figure, style: str) -> tuple[Figure, Bbox]:
    """Returns a copy of a figure for a paper or a talk, settled, and what of it is to be seen.

    Arguments:
        figure: The figure as a page has it, which stays as it is.
        style: `page`, which changes nothing, or one of `PRESENTATIONS`. Figures for journals
            are as wide as one column or the text, whichever their panels need, and no taller
            than a page.

    Raises:
        ValueError: If there is no such style.

    Example:
        >>> figure = Figure(figsize=(4.8, 4.0), layout="constrained")
        >>> _ = figure.subplots().set(xlabel="distance [kpc]")
        >>> _, box = presented(figure, "mnras")
        >>> round(float(box.width), 2)
        3.32
    """
    if style not in ("page", *PRESENTATIONS):
        names = ["page", *PRESENTATIONS]
        raise ValueError(f"there is no style {style!r}: take one of {names}")
    # who has drawn it may go on with it
    changed = copy.deepcopy(figure)
    if style == "page":
        return changed, settle(changed)
    chosen = PRESENTATIONS[style]
    if not chosen.widths:
        _scale(changed, chosen, chosen.text, chosen.lines or 1.0)
        return changed, settle(changed)
    before = picture_box(changed).width
    column, page = chosen.widths
    width = column if before <= _WIDEST_COLUMN else page
    shrunk = width / before
    text = min(chosen.text, max(shrunk, _SMALLEST))
    # a figure that is wider in its column has no thicker lines
    _scale(changed, chosen, text, chosen.lines or min(max(shrunk, _SMALLEST), 1.0))
    for _ in range(_ROUNDS):
        now = picture_box(changed)
        across, down = changed.get_size_inches()
        factor = width / now.width
        lower = min(factor, _TALLEST / now.height)
        changed.set_size_inches(across * factor, down * lower)
    box = settle(changed)
    middle = (box.x0 + box.x1) / 2
    return changed, Bbox.from_extents(
        middle - width / 2, box.y0, middle + width / 2, box.y1
    )


def _scale(figure: Figure, chosen: Presentation, text: float, lines: float) -> None:
    """Changes the typeface, and sizes by factors."""
    for one in figure.findobj():
        if isinstance(one, Text):
            one.set_fontsize(float(one.get_fontsize()) * text)
            one.set_fontfamily(chosen.family)
            one.set_math_fontfamily(chosen.formulas)
        elif isinstance(one, Line2D):
            one.set_linewidth(one.get_linewidth() * lines)
            one.set_markersize(one.get_markersize() * lines)
        elif isinstance(one, Collection):
            one.set_linewidth((np.asarray(one.get_linewidth()) * lines).tolist())
            _scale_points(one, lines)
        elif isinstance(one, Patch):
            one.set_linewidth(one.get_linewidth() * lines)
    for axes in figure.axes:
        _keep_ticks(axes, chosen)


def _scale_points(points: Any, lines: float) -> None:
    """Changes the size of points, which is an area; other collections have none."""
    if hasattr(points, "set_sizes") and len(points.get_sizes()):
        points.set_sizes(points.get_sizes() * lines**2)


def _keep_ticks(axes: Axes, chosen: Presentation) -> None:
    """Gives ticks that come when axes change their size what those there have."""
    for axis in (axes.xaxis, axes.yaxis):
        for tick in axis.get_major_ticks()[:1]:
            axis.set_tick_params(
                labelsize=tick.label1.get_fontsize(),
                labelfontfamily=chosen.family,
                length=tick.tick1line.get_markersize(),
                width=tick.tick1line.get_markeredgewidth(),
            )
