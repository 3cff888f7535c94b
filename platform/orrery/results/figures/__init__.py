"""Figures: arrays go in, a matplotlib figure comes out, and nothing else happens.

Nothing here samples, computes a diagnostic or writes a file, and no figure touches
pyplot's global state, so that figures can be drawn in any process and in any order.
Colours are those of Okabe and Ito, which people with any kind of colour vision can tell
apart; line styles, markers and hatches repeat what colours say.
"""

from matplotlib.figure import Figure

from orrery.results.figures.binned import Panel, measurements, profiles, violins
from orrery.results.figures.checks import coverage, ranks, training_curve
from orrery.results.figures.comparisons import Band, Constraint, intervals, relation
from orrery.results.figures.maps import RadialCounts, SkyPanel, SkyRegion, Track, sky
from orrery.results.figures.marginals import corner, interval
from orrery.results.figures.regression import predictions
from orrery.results.figures.style import encode, with_unit

__all__ = [
    "Band",
    "Constraint",
    "Figure",
    "Panel",
    "RadialCounts",
    "SkyPanel",
    "SkyRegion",
    "Track",
    "corner",
    "coverage",
    "encode",
    "interval",
    "intervals",
    "measurements",
    "predictions",
    "profiles",
    "ranks",
    "relation",
    "sky",
    "training_curve",
    "violins",
    "with_unit",
]
