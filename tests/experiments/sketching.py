"""Coarse figures for the pages of experiments at toy size."""

import io
from collections.abc import Sized
from dataclasses import replace

import numpy as np
from matplotlib.mathtext import MathTextParser

from orrery.results.figures import axes_in_picture, settle, with_unit
from orrery.results.views import Corner, RankCurves

SHOWN = 3  # parameters of a figure


class Sketches:
    """Figures of a run, the first of each kind alone, coarsely.

    Views are of one kind if they have as many curves, parameters or panels: posteriors
    of other rows than the first would be drawn by the same lines of code. So would more
    parameters than the first, of which a corner figure has a panel for every two.

    Arguments:
        draw: Draws a view.
    """

    def __init__(self, draw):
        self._draw = draw
        self._figures, self._pictures = {}, {}
        self._settled, self._axes = {}, {}

    @property
    def functions(self):
        """What stands for the functions of `figures` with the same names."""
        names = ("draw", "file_content", "settle", "axes_in_picture")
        return {name: getattr(self, name) for name in names}

    def draw(self, view):
        """Returns the figure of a view."""
        # of an array those are its columns: more rows are drawn alike
        parts = [getattr(part, "T", part) for part in vars(view).values()]
        sizes = [len(part) if isinstance(part, Sized) else None for part in parts]
        kind = (type(view), *sizes)
        if kind not in self._figures:
            self._figures[kind] = self._draw(of_few(view))
        return self._figures[kind]

    def settle(self, figure):
        """Returns what of a figure is in its picture, looked for once."""
        if figure not in self._settled:
            self._settled[figure] = settle(figure)
        return self._settled[figure]

    def axes_in_picture(self, figure, box):
        """Returns the axes of a figure, looked for once."""
        if figure not in self._axes:
            self._axes[figure] = axes_in_picture(figure, box)
        return self._axes[figure]

    def file_content(self, figure, kind, dpi=20, box=None):
        """Returns a figure as a PNG; instead of another format nothing but its name."""
        if kind != "png":
            return kind.encode()
        if figure not in self._pictures:
            with io.BytesIO() as file:
                figure.savefig(file, format=kind, dpi=dpi)
                self._pictures[figure] = file.getvalue()
        return self._pictures[figure]


def of_few(view):
    """Returns a view of the first parameters alone, if all of them could be drawn.

    Raises:
        ValueError: If a label cannot be typeset, or there is another number of columns
            than of parameters.
    """
    if not isinstance(view, Corner | RankCurves):
        return view
    parser = MathTextParser("path")
    for parameter in view.parameters:
        for line in with_unit(parameter.label, parameter.unit, "\n").split("\n"):
            parser.parse(line)
    columns = {np.shape(one)[-1] for one in arrays(view)}
    if columns - {len(view.parameters)}:
        raise ValueError(f"{columns} columns of {len(view.parameters)} parameters")
    few = replace(view, parameters=view.parameters[:SHOWN])
    if isinstance(view, RankCurves):
        return few  # which takes the first columns of its curves
    return replace(
        few,
        draws={name: draws[:, :SHOWN] for name, draws in view.draws.items()},
        prior=None if view.prior is None else view.prior[:, :SHOWN],
        points={k: np.asarray(v)[..., :SHOWN] for k, v in view.points.items()},
    )


def arrays(view):
    """Returns the arrays of a view that have a column for each parameter."""
    if isinstance(view, RankCurves):
        return [ranks.difference for ranks in view.results.values()]
    prior = [] if view.prior is None else [view.prior]
    return [*view.draws.values(), *prior, *view.points.values()]
