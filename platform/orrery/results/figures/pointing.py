"""What a pointer on a figure's picture is at: its axes in the picture, and their curves.

A page gives this to its script, so that who points at a picture reads values there.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cbook import STEP_LOOKUP_MAP
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter
from matplotlib.transforms import Bbox

from orrery.identity import JSON
from orrery.results.figures.readings import bar_ends, ends_of

_SCALES = ("linear", "log")
_DIGITS = 5  # of a curve's numbers
_COMMAND = re.compile(r"\\([A-Za-z]+|[^A-Za-z])\s*")
_SIGNS = {
    "langle": "\N{MATHEMATICAL LEFT ANGLE BRACKET}",
    "rangle": "\N{MATHEMATICAL RIGHT ANGLE BRACKET}",
    "odot": "\N{SUN}",
    "lambda": "\N{GREEK SMALL LETTER LAMDA}",  # as Unicode spells it
    "log": "log ",
    "rm": "",
    "mathrm": "",
    ",": " ",
}


def axes_in_picture(figure: Figure, box: Bbox) -> list[JSON]:
    """Returns the axes of a figure that have numbers along both sides, as plain JSON.

    Each has its `title`, its `box` (left, top, width and height, as fractions of the
    picture's), `x` and `y` (with `name`, `low`, `high` and whether it is `log`), and `curves`
    that a legend names (with `name`, `x`, `y` and whether points are `joined` by lines). Those
    with error bars, bands, boxes and violins have `low` and `high` too, and no `y` where
    nothing is drawn between these; those that lie `across` have them along x. A `y` whose
    ticks are words has these as `rows`, each with its place; `x` of its curves are then places
    of rows.

    Arguments:
        figure: The figure, which is settled.
        box: What of it is in its picture, see `settle`.

    Example:
        >>> from orrery.results.figures.style import settle
        >>> figure = Figure(figsize=(3, 2))
        >>> axes = figure.subplots()
        >>> _ = axes.set(xlabel="$r$ [kpc]", xlim=(10.0, 50.0))
        >>> axes_in_picture(figure, settle(figure))[0]["x"]
        {'name': 'r [kpc]', 'low': 10.0, 'high': 50.0, 'log': False}
    """
    plain = [axes for axes in figure.axes if _has_numbers(axes)]
    names = _names(plain)
    return [
        {
            "title": plain_label(axes.get_title()),
            "box": _place(axes, figure, box),
            "x": _side(names[axes][0], axes.xaxis),
            "y": _side(names[axes][1], axes.yaxis),
            "curves": [*_curves(axes)],
        }
        for axes in plain
    ]


def _has_numbers(axes: Axes) -> bool:
    """Returns whether a position on axes is two numbers: none is on a map or a colour bar."""
    scales = {axes.get_xscale(), axes.get_yscale()}
    # the empty half of a corner figure has no frame
    drawn = axes.get_frame_on() and axes.get_label() != "<colorbar>"
    return drawn and axes.name == "rectilinear" and scales <= {*_SCALES}


def _names(plain: list[Axes]) -> dict[Axes, tuple[str, str]]:
    """Returns what both sides are called; axes within a grid have their edge's names."""
    boxes = {axes: axes.get_position() for axes in plain}

    def named(axes: Axes, edge: str, side: str) -> str:
        def label(one: Axes) -> str:
            return str(getattr(one, f"get_{side}label")())

        def limits(one: Axes) -> tuple[float, float]:
            found: tuple[float, float] = getattr(one, f"get_{side}lim")()
            return found

        # a corner figure's diagonal has heights of its own beside the names of its row
        level = [
            one
            for one in plain
            if label(one)
            and np.isclose(getattr(boxes[one], edge), getattr(boxes[axes], edge))
            and limits(one) == limits(axes)
        ]
        return plain_label(label(axes) or (label(level[0]) if level else ""))

    return {axes: (named(axes, "x0", "x"), named(axes, "y0", "y")) for axes in plain}


def _place(axes: Axes, figure: Figure, picture: Bbox) -> list[float]:
    """Returns left, top, width and height of axes, as fractions of the picture's."""
    width, height = figure.get_size_inches()
    inside = axes.get_position()
    return [
        round(float(part), _DIGITS)
        for part in (
            (inside.x0 * width - picture.x0) / picture.width,
            (picture.y1 - inside.y1 * height) / picture.height,
            inside.width * width / picture.width,
            inside.height * height / picture.height,
        )
    ]


def _side(name: str, axis: Axis) -> JSON:
    low, high = map(float, axis.get_view_interval())
    side = {"name": name, "low": low, "high": high, "log": axis.get_scale() == "log"}
    rows = _rows(axis)
    return {**side, "rows": rows} if rows else side


def _rows(axis: Axis) -> list[tuple[float, str]]:
    """Returns place and words of each tick, where these are no numbers."""
    words, places = axis.get_major_formatter(), axis.get_majorticklocs()
    # matplotlib has a function of those that were given with their places
    if not isinstance(words, FuncFormatter) or not isinstance(
        axis.get_major_locator(), FixedLocator
    ):
        return []
    found = zip(places, words.format_ticks([*places]), strict=True)
    return [(float(place), plain_label(word)) for place, word in found if word]


def _curves(axes: Axes) -> Iterator[JSON]:
    """Yields what a legend of axes names, with rounded numbers."""
    held = {ends.name: ends for ends in ends_of(axes)}
    for name, joined, x, y, bars in _lines(axes):
        found = held.get(name)
        sides = {"x": x, "y": y}
        if bars is not None:
            sides |= {"low": bars[0], "high": bars[1]}
        elif found is not None and len(found.x) == len(x):
            # a band around a line is read with the line
            sides |= {"low": found.low, "high": found.high}
            held.pop(name)
        yield _curve(name, joined, sides)
    for name, ends in held.items():
        known = np.isfinite([ends.x, ends.low, ends.high]).all(axis=0)
        shown = {"x": ends.x, "y": ends.y, "low": ends.low, "high": ends.high}
        if known.any():
            sides = {k: np.asarray(v)[known] for k, v in shown.items() if v is not None}
            across = {"across": True} if ends.across else {}
            yield _curve(name, ends.joined, sides) | across


def _curve(name: str, joined: bool, sides: Mapping[str, Any]) -> JSON:
    numbers = {side: _rounded(values) for side, values in sides.items()}
    return {"name": plain_label(name), "joined": joined, **numbers}


def _lines(axes: Axes) -> Iterator[tuple[str, bool, Any, Any, Any]]:
    """Yields each line's name, whether it joins its points, these, and their bars' ends."""
    bars = {
        one.lines[0]: one
        for one in axes.containers
        if isinstance(one, ErrorbarContainer) and one.lines[0] is not None
    }
    rows = [place for place, _ in _rows(axes.yaxis)]
    for line in axes.lines:
        name = str(bars[line].get_label() if line in bars else line.get_label())
        joined = line.get_linestyle() != "None"
        known, x, y = _values(line)
        inside = line.get_transform().contains_branch_seperately(axes.transData)
        # a line across the axes at one value is in the units of one side alone
        if name.startswith("_") or not all(inside):
            continue
        in_rows = bool(rows) and not joined
        ends = _bar_ends(bars.get(line), known, upright=not in_rows)
        if in_rows:
            places, order = _in_rows(rows, y)
            x, y = places[order], x[order]
            ends = ends if ends is None else ends[:, order]
        if len(x) > joined and (np.diff(x) >= 0).all():
            yield name, joined, x, y, ends


def _bar_ends(bars: ErrorbarContainer | None, known: Any, upright: bool) -> Any:
    """Returns lower and upper ends of the bars of known points, `[2, n]`, or None."""
    found = None if bars is None else bar_ends(bars, upright)
    if found is None or len(known) != len(found[0]):
        return None
    ends = np.array(found)[:, known]
    return ends if np.isfinite(ends).all() else None


def _values(line: Line2D) -> tuple[Any, Any, Any]:
    """Returns which points of a line are finite, and these; steps have their corners."""
    x, y = (np.asarray(side, dtype=float) for side in line.get_data())
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return known, x[known], y[known]
    x, y = STEP_LOOKUP_MAP[line.get_drawstyle()](x[known], y[known])
    return known, x, y


def _in_rows(rows: list[float], y: Any) -> tuple[Any, Any]:
    """Returns the row that each point belongs to, which it may stand beside, and their order."""
    nearest = np.abs(np.subtract.outer(y, rows)).argmin(axis=1)
    places = np.asarray(rows)[nearest]
    return places, np.argsort(places, kind="stable")


def _rounded(values: Any) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def plain_label(mathtext: str) -> str:
    r"""Returns a label of a figure as plain text.

    Arguments:
        mathtext: The label; formulas stand between dollar signs.

    Example:
        >>> plain_label(r"$\langle v_{t,b} \rangle$ [km/s]"), plain_label(r"$\lambda_{\rm DF}$")
        ('⟨v_t,b⟩ [km/s]', 'λ_DF')
    """
    parts = mathtext.replace("\n", " ").split("$")
    plain = [_plain(one) if i % 2 else one for i, one in enumerate(parts)]
    return re.sub(r" +", " ", "".join(plain)).strip()


def _plain(formula: str) -> str:
    bare = _COMMAND.sub(lambda found: _sign(found[1]), formula)
    bare = bare.replace("{", "").replace("}", "").replace("log _10", "log10 ")
    for sign in (_SIGNS["odot"], _SIGNS["rangle"]):
        bare = bare.replace(f"_{sign}", sign).replace(f" {sign}", sign)
    return bare


def _sign(command: str) -> str:
    """Returns the character of a command of mathtext, or the command's own name."""
    if command in _SIGNS:
        return _SIGNS[command]
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {command}")
    except KeyError:
        return command
