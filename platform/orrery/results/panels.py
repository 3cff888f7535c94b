"""What views are made of: panels, intervals, pieces of the sky, counts, losses."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orrery.parameters import FloatArray

Interval = tuple[float, float, float]  # lower end, median, upper end


@dataclass(frozen=True)
class Panel:
    """One panel of a profile: some entries of the summaries against their bins.

    Arguments:
        title: What is above the panel, such as a patch of the sky.
        label: The quantity with its unit.
        bins: The lower and upper edge of each of the B bins.
        entries: The names of the summary entries in these bins, with shape `[B]`.

    Example:
        >>> Panel("north", "v [km/s]", ((30.0, 50.0),), ("mean_v_30",)).entries
        ('mean_v_30',)
    """

    title: str
    label: str
    bins: tuple[tuple[float, float], ...]
    entries: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.bins) != len(self.entries):
            raise ValueError(
                f"panel {self.title!r} has {len(self.bins)} bins for "
                f"{len(self.entries)} entries: give one name for each bin"
            )


@dataclass(frozen=True)
class Constraint:
    """One row of a comparison: what data say of one quantity, and what was published.

    Arguments:
        label: The data, such as a survey and its piece of sky.
        ours: Lower end, median and upper end; None where only others have one.
        published: The published ones of the same data.

    Example:
        >>> Constraint("DESI", (15.0, 22.5, 29.5)).published is None
        True
    """

    label: str
    ours: Interval | None
    published: Interval | None = None

    def __post_init__(self) -> None:
        if self.ours is not None:
            _check_interval(self.label, self.ours)
        if self.published is not None:
            _check_interval(f"{self.label}, published", self.published)


@dataclass(frozen=True)
class Band:
    """A published interval that all rows are compared with.

    Arguments:
        label: Who measured it.
        interval: Lower end, median and upper end.

    Example:
        >>> Band("Erkal+19", (3.69, 3.80, 3.94)).interval[1]
        3.8
    """

    label: str
    interval: Interval

    def __post_init__(self) -> None:
        _check_interval(self.label, self.interval)


def _check_interval(label: str, ends: Interval) -> None:
    # a comparison with NaN is false
    if not (
        len(ends) == 3 and np.isfinite(ends).all() and ends[0] <= ends[1] <= ends[2]
    ):
        raise ValueError(
            f"interval {tuple(ends)} of {label!r}: give lower end, median and upper end, "
            "ascending"
        )


@dataclass(frozen=True)
class SkyRegion:
    """A piece of the sky.

    Arguments:
        label: Its name in the legend.
        inside: Whether it holds each node of a grid over the whole sky `[B, L]`: rows
            run from latitude -90 to 90 deg and columns from longitude -180 to 180 deg,
            ends included.

    Example:
        >>> SkyRegion("everywhere", np.ones((3, 5), bool)).inside.shape
        (3, 5)
    """

    label: str
    inside: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.inside.ndim != 2 or min(self.inside.shape) < 2:
            raise ValueError(
                f"region {self.label!r} has shape {self.inside.shape}: give a grid of "
                "latitudes and longitudes"
            )


@dataclass(frozen=True)
class Track:
    """A path on the sky that ends where something is today.

    Arguments:
        label: What moves.
        longitude: From the past to today `[T]` [rad].
        latitude: Likewise `[T]` [rad].

    Example:
        >>> Track("LMC", np.array([4.7, 4.9]), np.array([-0.9, -0.6])).label
        'LMC'
    """

    label: str
    longitude: FloatArray
    latitude: FloatArray

    def __post_init__(self) -> None:
        _check_lengths(f"track {self.label!r}", self.longitude, self.latitude)


@dataclass(frozen=True)
class SkyPanel:
    """One map of the whole sky.

    Arguments:
        title: What is shown; say so where stars are simulated.
        longitude: Of the stars `[N]` [rad].
        latitude: Of the stars `[N]` [rad].
        values: What colours the stars `[N]`; those without a finite value are left out.
        regions: Pieces of the sky to shade.
        tracks: Paths to draw.

    Example:
        >>> one = np.zeros(1)
        >>> SkyPanel("one star", one, one, one).regions
        ()
    """

    title: str
    longitude: FloatArray
    latitude: FloatArray
    values: FloatArray
    regions: tuple[SkyRegion, ...] = ()
    tracks: tuple[Track, ...] = ()

    def __post_init__(self) -> None:
        _check_lengths(
            f"map {self.title!r}", self.longitude, self.latitude, self.values
        )
        if not (np.abs(self.latitude) <= np.pi / 2 + 1e-9).all():
            raise ValueError(
                f"map {self.title!r} has latitudes beyond a pole: give radians"
            )


def _check_lengths(what: str, *columns: FloatArray) -> None:
    shapes = [np.shape(column) for column in columns]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1:
        raise ValueError(
            f"{what} has columns of shapes {shapes}: give one value for each point"
        )


@dataclass(frozen=True)
class RadialCounts:
    """How many stars of a survey lie in bins of distance, in one region.

    Arguments:
        survey: Whose stars; each survey has its own dashes.
        region: Where; the colour is that of the region with this label in the maps.
        edges: Of K bins `[K + 1]`, ascending [kpc].
        counts: With shape `[K]`.

    Example:
        >>> RadialCounts("DESI", "North", np.array([30.0, 50.0]), np.array([7])).counts
        array([7])
    """

    survey: str
    region: str
    edges: FloatArray
    counts: NDArray[Any]

    def __post_init__(self) -> None:
        ascending = (np.diff(self.edges) > 0).all()
        if np.shape(self.edges) != (len(self.counts) + 1,) or not ascending:
            raise ValueError(
                f"{self.survey}, {self.region}: {len(self.counts)} counts need one more "
                f"edge than that, ascending, not {tuple(self.edges)}"
            )


@dataclass(frozen=True)
class LossCurve:
    """The losses of one estimator against the epoch.

    Arguments:
        train: Mean over the training pairs of each epoch, `[E]` [nat].
        validation: Likewise over the validation pairs.

    Example:
        >>> LossCurve(np.array([2.0, 1.0, 1.0]), np.array([2.0, 1.1, 1.2])).best
        1
    """

    train: FloatArray
    validation: FloatArray

    @property
    def best(self) -> int:
        """The epoch with the smallest validation loss, whose weights are kept."""
        return int(np.argmin(self.validation))
