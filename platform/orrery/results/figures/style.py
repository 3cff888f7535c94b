"""What all figures share: colours, lines, markers, sizes, and how a figure becomes a file.

A colour never says anything alone: lines have dashes, points have markers, areas have
hatches.
"""

import contextlib
import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, TypeVar

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

T = TypeVar("T")

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
GREY = "#7f7f7f"
INK = "#222222"
MARKERS = ("o", "s", "D", "^", "v", "P")
Dashes = Literal["-", "--", "-.", ":"]
DASHES: tuple[Dashes, ...] = ("-", "--", "-.", ":") * 2
_DASHED: Dashes = "--"
HATCHES = ("////", "\\\\\\\\", "....", "||||", "----", "xxxx")
INKS = tuple(zip((GREY, *COLOURS), DASHES, strict=False))

FileKind = Literal["pdf", "png", "svg"]
FILE_KINDS: tuple[FileKind, ...] = ("pdf", "png", "svg")
"""Of files of a figure."""
PRINT_DPI = 300
"""Of a PNG for a paper, as journals ask for."""

_PATH = re.compile(rb' d="[^"]*"')
_POWER = re.compile(r"\b1e([+-]?\d+)")
_OPEN, _CLOSE = (
    "\N{MATHEMATICAL LEFT ANGLE BRACKET}",
    "\N{MATHEMATICAL RIGHT ANGLE BRACKET}",
)
# One letter with a subscript: `desi_q3` and `mean_v_x` are names of something else.
_SYMBOL = r"(?<![\w.])[^\W\d_]_[^\W_]+(?:,[^\W_]+)*(?![\w])"
_SUBSCRIPTED = re.compile(f"{_OPEN}({_SYMBOL}){_CLOSE}|({_SYMBOL})")
_BEYOND_HUNDREDTHS = re.compile(rb"(\.\d\d)\d+")

# Fractions of a distribution within one and two standard deviations, in a plane.
CONTOURS = (1 - np.exp(-0.5), 1 - np.exp(-2.0))

LEGEND_BELOW = "below"
"""Marks a legend that stands under the labels of a figure without a layout."""
_APART = 0.3  # of a label's height, between it and its neighbour's
_SMALLEST_NAME = 0.5  # of an axis, as a fraction of what it was
_MARGIN = 0.1  # of a picture around what is drawn [inch]

STYLE: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.0,
    "axes.edgecolor": "#444444",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "hatch.linewidth": 0.4,
    "figure.facecolor": "white",
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    # Text stays text, so that a figure in a paper can be searched and edited.
    "pdf.fonttype": 42,
    "svg.hashsalt": "orrery",
}


def file_content(
    figure: Figure,
    kind: FileKind,
    dpi: int = 160,
    box: Bbox | None = None,
) -> bytes:
    """Returns the figure as the bytes of a file, the same bytes for the same figure.

    Arguments:
        figure: The figure.
        kind: Of the file.
        dpi: Pixels of a PNG in an inch, and of what is one in the others.
        box: What `settle` has returned of this figure; looked for when None.
    """
    dates = {"png": None, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
    seen = picture_box(figure) if box is None else box
    with io.BytesIO() as file, rc_context(STYLE), _kept_layout(figure):
        figure.savefig(
            file, format=kind, dpi=dpi, metadata=dates[kind], bbox_inches=seen
        )
        content = file.getvalue()
    return _PATH.sub(_rounded, content) if kind == "svg" else content


@contextlib.contextmanager
def _kept_layout(figure: Figure) -> Iterator[None]:
    """Keeps a figure as it was laid out for its box: else it is laid out twice more."""
    layout = figure.get_layout_engine()
    figure.set_layout_engine(None)
    try:
        yield
    finally:
        figure.set_layout_engine(layout)


def _rounded(path: re.Match[bytes]) -> bytes:
    """Returns a path of an SVG in hundredths of a point: more is never seen."""
    return _BEYOND_HUNDREDTHS.sub(rb"\1", path[0])


def picture_box(figure: Figure) -> Bbox:
    """Returns what of a figure is in its picture: all that is drawn, and a margin [inch]."""
    with rc_context(STYLE), _measured(figure):
        layout = figure.get_layout_engine()
        if layout is not None:
            layout.execute(figure)
        _lower_legends(figure)
        return figure.get_tightbbox().padded(_MARGIN)


class _Ruler(FigureCanvasBase):
    """Measures what is on a figure, and draws nothing."""

    def get_renderer(self) -> RendererAgg:
        return _renderer(self.figure.dpi)


@cache
def _renderer(dpi: float) -> RendererAgg:
    """Returns what measures text; matplotlib remembers the size of a word by it."""
    return RendererAgg(1, 1, dpi)


@contextlib.contextmanager
def _measured(figure: Figure) -> Iterator[None]:
    """Measures a figure by the same renderer always; else it has a new one for each word."""
    before = figure.canvas
    _Ruler(figure)
    try:
        yield
    finally:
        figure.set_canvas(before)


def _lower_legends(figure: Figure) -> None:
    """Puts legends marked `LEGEND_BELOW` under all labels, once their room is known."""
    for legend in figure.legends:
        if legend.get_gid() == LEGEND_BELOW:
            ends = [axes.get_tightbbox() for axes in figure.axes]
            lowest = min(end.y0 for end in ends if end is not None)
            inside = Bbox.union([axes.get_position() for axes in figure.axes])
            middle = (inside.x0 + inside.x1) / 2
            # of the whole figure: a picture's part of it would move the legend
            legend.set_bbox_to_anchor(
                (middle, lowest / figure.bbox.height), transform=figure.transSubfigure
            )


def settle(figure: Figure) -> Bbox:
    """Lays a figure out for good, and returns what of it is in its picture [inch].

    Several files of one figure take half the time, and whoever points at one of them finds
    its axes where they were.
    """
    box = picture_box(figure)
    with _measured(figure):
        parted = _part_labels(figure)
    if parted:
        box = picture_box(figure)
    with rc_context(STYLE):
        # one of no name at all: a figure with any is drawn twice for each file
        figure.set_layout_engine(None)
    return box


def _part_labels(figure: Figure) -> bool:
    """Makes names of axes smaller, all alike, where two of neighbours meet; returns if any do."""
    sides = [[axes.xaxis.label for axes in figure.axes]]
    sides.append([axes.yaxis.label for axes in figure.axes])
    shown = [[one for one in side if one.get_text()] for side in sides]
    factor = min(
        (
            _part_of_room(one.get_window_extent(), other.get_window_extent(), i)
            for i, side in enumerate(shown)
            for one, other in itertools.combinations(side, 2)
        ),
        default=1.0,
    )
    for label in itertools.chain.from_iterable(shown if factor < 1.0 else ()):
        label.set_fontsize(float(label.get_fontsize()) * max(factor, _SMALLEST_NAME))
    return factor < 1.0


def _part_of_room(one: Bbox, other: Bbox, side: int) -> float:
    """Returns by what two labels along a side are to be multiplied to be apart; 1 if they are."""
    (low, high), (left, right) = (
        (box.min[side], box.max[side]) for box in (one, other)
    )
    gap = _APART * min(one.max[1 - side] - one.min[1 - side], high - low)
    beside = min(one.max[1 - side], other.max[1 - side]) > max(
        one.min[1 - side], other.min[1 - side]
    )
    apart = abs(low + high - left - right) / 2
    needed = (high - low + right - left) / 2 + gap
    # those in one place are of axes that lie over each other
    return apart / needed if beside and 0 < apart < needed else 1.0


def with_unit(label: str, unit: str, between: str = " ") -> str:
    """Returns a label with its unit in brackets, as readers of a figure expect it.

    Arguments:
        label: The quantity, in mathtext.
        unit: The unit in astropy's generic format, which may begin with a power of ten, as
            `1e10 solMass`; a logarithm `dex(u)` reads as `u`.
        between: What separates the two.
    """
    plain = unit[4:-1] if unit.startswith("dex(") else unit
    plain = _POWER.sub(lambda found: f"$10^{{{int(found[1])}}}$", plain)
    plain = plain.replace("solMass", r"$M_\odot$").replace(" / ", "/")
    return f"{label}{between}[{plain}]" if plain else label


def typeset(text: str) -> str:
    r"""Returns text with its symbols in mathtext, as the labels of axes have them.

    Arguments:
        text: A symbol is one letter with a subscript, in angle brackets or not. Formulas,
            between dollar signs, stay as they are.

    Example:
        >>> typeset("DESI, with ⟨v_t,b⟩, $p$ = 0.3")
        'DESI, with $\\langle v_{t,b}\\rangle$, $p$ = 0.3'
        >>> typeset("v_GSR of desi_q3")
        '$v_{\\mathrm{GSR}}$ of desi_q3'
    """
    parts = text.split("$")
    # a dollar sign without another is money
    if len(parts) % 2 == 0 or r"\$" in text:
        return text
    outside = [_SUBSCRIPTED.sub(_formula, part) for part in parts[::2]]
    parts[::2] = outside
    return "$".join(parts)


def _formula(found: re.Match[str]) -> str:
    """Returns a symbol in mathtext; subscripts of several letters are words, and upright."""
    mean, alone = found.groups()
    letter, _, subscript = (mean or alone).partition("_")
    words = any(len(part) > 1 for part in subscript.split(","))
    below = rf"\mathrm{{{subscript}}}" if words else subscript
    symbol = f"{letter}_{{{below}}}"
    return rf"$\langle {symbol}\rangle$" if mean else f"${symbol}$"


def typeset_all(figure: Figure) -> Figure:
    """Returns a figure whose legends, titles and labels have their symbols in mathtext.

    What its lines and bands are called stays as it is: that is read in plain words.

    Arguments:
        figure: It is changed.
    """
    for one in figure.findobj(Text):
        if isinstance(one, Text):
            one.set_text(typeset(one.get_text()))
    return figure


def inked(
    items: Mapping[str, T], of_whom: Callable[[str], str] = str
) -> list[tuple[str, T, str, Dashes]]:
    """Returns each label, its item, a colour and dashes; colours repeat after the sixth.

    A label that begins with "negative control" is grey and dashed, and stands last: what is
    judged has the same colour beside one as in figures without any.

    Arguments:
        items: By their labels.
        of_whom: Returns of a label what has a colour of its own, such as a survey.

    Example:
        >>> inked({"negative control": 1, "flow": 2})
        [('flow', 2, '#0072B2', '-'), ('negative control', 1, '#7f7f7f', '--')]
        >>> inked({"DESI, new": 1, "DESI, old": 2}, lambda label: label.partition(",")[0])
        [('DESI, new', 1, '#0072B2', '-'), ('DESI, old', 2, '#0072B2', '--')]
    """
    judged = [item for item in items.items() if not _is_control(item[0])]
    owners = dict.fromkeys(of_whom(label) for label, _ in judged)
    colours = dict(zip(owners, itertools.cycle(COLOURS), strict=False))
    inks = zip(
        (colours[of_whom(label)] for label, _ in judged),
        itertools.cycle(DASHES),
        strict=False,
    )
    controls = [
        (*item, GREY, _DASHED) for item in items.items() if _is_control(item[0])
    ]
    return [
        *((*item, *ink) for item, ink in zip(judged, inks, strict=False)),
        *controls,
    ]


def _is_control(label: str) -> bool:
    """Returns whether a label is of a negative control; a key may stand for it."""
    return label.replace("_", " ").startswith("negative control")


def side_by_side(
    count: int, width: float = 3.7, height: float = 3.0
) -> tuple[Figure, list[Axes]]:
    """Returns a figure with this many panels, three at most beside each other.

    Arguments:
        count: The number of panels.
        width: Of a panel [inch].
        height: Of a panel [inch].

    Raises:
        ValueError: If there are no panels.
    """
    if count < 1:
        raise ValueError("a figure needs at least one panel")
    columns = 2 if count == 4 else min(count, 3)
    rows = -(-count // columns)
    figure = Figure(
        figsize=(width * columns, height * rows + 0.5), layout="constrained"
    )
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.remove()
    return figure, list(grid[:count])


def legend_below(figure: Figure, panels: Iterable[Axes], columns: int = 6) -> None:
    """Puts one legend below all panels, each label once."""
    found: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(
        found.values(), found.keys(), loc="outside lower center", ncols=columns
    )
