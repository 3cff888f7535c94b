"""Figures: arrays go in, a matplotlib figure comes out, and nothing else happens.

Nothing here samples, computes a diagnostic or writes a file, and no figure touches
pyplot's global state, so that figures can be drawn in any process and in any order.
Colours are those of Okabe and Ito, which people with any kind of colour vision can tell
apart; line styles, markers and hatches repeat what colours say.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from matplotlib.figure import Figure

from orrery.results import views
from orrery.results.figures.binned import measurements, profiles, violins
from orrery.results.figures.checks import coverage, ranks, training_curve
from orrery.results.figures.comparisons import intervals, relation
from orrery.results.figures.maps import sky
from orrery.results.figures.marginals import corner, interval
from orrery.results.figures.pointing import axes_in_picture
from orrery.results.figures.presentation import PRESENTATIONS, presented
from orrery.results.figures.radial import radial_bands
from orrery.results.figures.regression import predictions
from orrery.results.figures.style import (
    FILE_KINDS,
    PRINT_DPI,
    file_content,
    settle,
    typeset_all,
    with_unit,
)

__all__ = [
    "FILE_KINDS",
    "PRESENTATIONS",
    "PRINT_DPI",
    "Figure",
    "axes_in_picture",
    "corner",
    "coverage",
    "draw",
    "file_content",
    "interval",
    "intervals",
    "measurements",
    "predictions",
    "presented",
    "profiles",
    "radial_bands",
    "ranks",
    "relation",
    "settle",
    "sky",
    "training_curve",
    "violins",
    "with_unit",
]

_DRAWN_BY: dict[type, Callable[..., Figure]] = {
    views.Corner: corner,
    views.CoverageCurves: coverage,
    views.RankCurves: ranks,
    views.TrainingCurves: training_curve,
    views.Profiles: profiles,
    views.Measurements: measurements,
    views.Violins: violins,
    views.Intervals: intervals,
    views.Relation: relation,
    views.Predictions: predictions,
    views.RadialBands: radial_bands,
    views.SkyMaps: sky,
}


def draw(view: views.View) -> Figure:
    """Returns the figure of a view, with symbols in its words as labels of axes have them.

    Raises:
        ValueError: For the reasons of the function that draws it, or if two of its
            curves are called the same.
    """
    arguments: dict[str, Any] = {f.name: getattr(view, f.name) for f in fields(view)}
    legend = arguments.pop("legend", {})
    called = {
        name: _called(value, legend) if isinstance(value, Mapping) else value
        for name, value in arguments.items()
    }
    return typeset_all(_DRAWN_BY[type(view)](**called))


def _called(values: Mapping[str, Any], legend: Mapping[str, str]) -> dict[str, Any]:
    """Returns values by what a legend calls them instead of by their keys."""
    found = {legend.get(key, key): value for key, value in values.items()}
    if len(found) < len(values):
        raise ValueError(
            f"a figure calls two of {list(values)} the same, {list(found)}: give each a "
            "legend of its own"
        )
    return found
