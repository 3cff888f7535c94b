"""What of a figure is read though it is no line: bands, boxes, violins, with their ends."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

from orrery.parameters import FloatArray


@dataclass(frozen=True)
class Ends:
    """Intervals along an axis, as plain arrays.

    Arguments:
        name: What a legend calls them, or would.
        x: Where they are, ascending, `[n]`.
        low: Their lower ends, `[n]`.
        high: Their upper ends, `[n]`.
        y: What is drawn between these, as medians, `[n]`; nothing is when None.
        joined: Whether they are one band, read between two places as well.
        across: Whether they lie along the x axis: `x` is then where a mark stands.

    Example:
        >>> one = np.array([1.0])
        >>> Ends("prior", one, one - 0.5, one + 0.5).joined
        False
    """

    name: str
    x: FloatArray
    low: FloatArray
    high: FloatArray
    y: FloatArray | None = None
    joined: bool = False
    across: bool = False


class _Held(Artist):
    """What axes hold of intervals, which others have drawn: copied with their figure."""

    def __init__(self, ends: Ends) -> None:
        super().__init__()
        self.ends = ends
        self.set_in_layout(False)


def hold_ends(axes: Axes, ends: Ends) -> None:
    """Lets intervals that were drawn on axes be read there; draws nothing.

    Arguments:
        axes: Where they were drawn.
        ends: The intervals; those of a line's name, with as many places, are the line's.

    Example:
        >>> from matplotlib.figure import Figure
        >>> axes = Figure().subplots()
        >>> hold_ends(axes, Ends("prior", np.ones(1), np.zeros(1), np.ones(1)))
        >>> [ends.name for ends in ends_of(axes)]
        ['prior']
    """
    axes.add_artist(_Held(ends))


def ends_of(axes: Axes) -> list[Ends]:
    """Returns the intervals that axes hold, in the order of their drawing."""
    return [one.ends for one in axes.get_children() if isinstance(one, _Held)]


def bar_ends(bars: ErrorbarContainer, upright: bool) -> tuple[Any, Any] | None:
    """Returns lower and upper ends of error bars, each `[n]`, or None if there are none.

    Arguments:
        bars: The points with their bars.
        upright: Whether those along y are asked for, instead of those along x.
    """
    if not (bars.has_yerr if upright else bars.has_xerr):
        return None
    # those along x are drawn before those along y
    segments = bars.lines[2][-1 if upright else 0].get_segments()
    ends = np.array([np.asarray(one)[:, int(upright)] for one in segments])
    points = bars.lines[0]
    count = 0 if points is None else len(np.asarray(points.get_xdata()))
    if not count or len(ends) != count:
        return None
    return ends.min(axis=1), ends.max(axis=1)
