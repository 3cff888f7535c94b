"""What figures show, as plain data: a study makes these, `figures` draws them, nothing is lost.

A view holds every number that its figure shows, so that a figure can be drawn again
from a finished run, and read without drawing it. Whatever there are several of is found
by a stable key; `legend` says what the figure calls each, and a key that it lacks is
called by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orrery.judging.diagnostics import Coverage, Ranks
from orrery.judging.regression import BinnedErrors
from orrery.parameters import FloatArray, Parameter
from orrery.records import Observation
from orrery.results.panels import (
    Band,
    Constraint,
    LossCurve,
    Panel,
    RadialCounts,
    SkyPanel,
)

MOST_POINTS = 20_000  # of a prior that is drawn: more cost megabytes and show no more


def thinned(draws: FloatArray) -> FloatArray:
    """Returns at most `MOST_POINTS` rows `[n, P]` of draws in no order, the first ones."""
    return draws[:MOST_POINTS]


# --- one class for each kind of figure ------------------------------------------------


@dataclass(frozen=True)
class Corner:
    """Marginals of posteriors; arguments as in `figures.corner`.

    Example:
        >>> import numpy as np
        >>> one = Parameter("v_x", "km / s", "$v_x$")
        >>> Corner({"desi": np.zeros((5, 1))}, (one,), legend={"desi": "DESI"}).prior is None
        True
    """

    draws: Mapping[str, FloatArray]
    parameters: Sequence[Parameter]
    prior: FloatArray | None = None
    points: Mapping[str, FloatArray] = field(default_factory=dict)
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CoverageCurves:
    """Expected coverage against credibility level; arguments as in `figures.coverage`.

    Example:
        >>> import numpy as np
        >>> level = np.array([0.0, 1.0])
        >>> CoverageCurves({"desi": Coverage(level, level, level, 0.0, 1.0)}).curves["desi"].atc
        0.0
    """

    curves: Mapping[str, Coverage]
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RankCurves:
    """Ranks of the truth among draws; arguments as in `figures.ranks`.

    Example:
        >>> import numpy as np
        >>> from orrery.judging.diagnostics import sbc_ranks
        >>> random = np.random.default_rng(1)
        >>> ranks = sbc_ranks(random.normal(size=(20, 30, 1)), np.zeros((30, 1)), seed=1)
        >>> RankCurves({"desi": ranks}, ()).results["desi"].draws
        20
    """

    results: Mapping[str, Ranks]
    parameters: Sequence[Parameter]
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingCurves:
    """Losses against the epoch; arguments as in `figures.training_curve`.

    Example:
        >>> import numpy as np
        >>> curve = LossCurve(np.array([2.0, 1.0]), np.array([2.1, 1.2]))
        >>> TrainingCurves({"desi": curve}).curves["desi"].best
        1
    """

    curves: Mapping[str, LossCurve]
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Profiles:
    """Observed summaries over bands of simulations; arguments as in `figures.profiles`.

    Example:
        >>> import numpy as np
        >>> value, none = np.zeros(1), np.zeros((1, 1))
        >>> seen = Observation("DESI", ("v",), ("km / s",), value, none, "binning", {})
        >>> Profiles((), seen, {}).abscissa
        'distance [kpc]'
    """

    panels: Sequence[Panel]
    observation: Observation
    simulated: Mapping[str, FloatArray]
    abscissa: str = "distance [kpc]"
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurements:
    """Observed summaries beside each other; arguments as in `figures.measurements`.

    Example:
        >>> Measurements((), ()).abscissa
        'distance [kpc]'
    """

    panels: Sequence[Panel]
    observations: Sequence[Observation]
    abscissa: str = "distance [kpc]"


@dataclass(frozen=True)
class Violins:
    """What posteriors predict for each bin; arguments as in `figures.violins`.

    Example:
        >>> Violins((), {}, {}).tails
        {}
    """

    panels: Sequence[Panel]
    observations: Mapping[str, Observation]
    predicted: Mapping[str, FloatArray]
    tails: Mapping[str, FloatArray] = field(default_factory=dict)
    abscissa: str = "distance [kpc]"
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Intervals:
    """Intervals of one quantity row by row; arguments as in `figures.intervals`.

    Example:
        >>> Intervals((Constraint("DESI", (1.0, 2.0, 3.0)),), "v [km/s]").bands
        ()
    """

    rows: Sequence[Constraint]
    label: str
    bands: Sequence[Band] = ()
    prior: tuple[float, float] | None = None
    ours: str = "ours, median and 16-84 %"


@dataclass(frozen=True)
class Relation:
    """How one quantity depends on another; arguments as in `figures.relation`.

    Example:
        >>> import numpy as np
        >>> Relation(np.zeros(2), np.ones(2), ("mass", "speed")).labels
        ('mass', 'speed')
    """

    x: FloatArray
    y: FloatArray
    labels: tuple[str, str]
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Predictions:
    """Predictions against the truth, and errors; arguments as in `figures.predictions`.

    Example:
        >>> Predictions({}, {}, ("$m$", "dex")).label
        ('$m$', 'dex')
    """

    tests: Mapping[str, tuple[FloatArray, FloatArray]]
    errors: Mapping[str, BinnedErrors]
    label: tuple[str, str]
    members: Mapping[str, BinnedErrors] = field(default_factory=dict)
    published: Mapping[str, float] = field(default_factory=dict)
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RadialBands:
    """One quantity against distance; arguments as in `figures.radial_bands`.

    Example:
        >>> import numpy as np
        >>> ends = np.array([[15.0], [22.5], [29.5]])
        >>> RadialBands(np.array([50.0, 100.0]), {"desi": ends}, "v [km/s]").points
        {}
    """

    edges: FloatArray
    bands: Mapping[str, FloatArray]
    label: str
    prior: FloatArray | None = None
    points: Mapping[str, FloatArray] = field(default_factory=dict)
    abscissa: str = "Galactocentric distance [kpc]"
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SkyMaps:
    """Maps of the sky over radial distributions; arguments as in `figures.sky`.

    Example:
        >>> SkyMaps((), "v [km/s]").counts
        ()
    """

    panels: Sequence[SkyPanel]
    label: str
    counts: Sequence[RadialCounts] = ()


View = (
    Corner
    | CoverageCurves
    | RankCurves
    | TrainingCurves
    | Profiles
    | Measurements
    | Violins
    | Intervals
    | Relation
    | Predictions
    | RadialBands
    | SkyMaps
)
