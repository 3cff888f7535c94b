"""What an observer at the centre of a simulated host would know of its neighbours.

Faint distant neighbours stay undetected, the others are measured with errors, and those
with the most stars are kept, in that order.

All random numbers of a host come from one stream of its own, in a fixed order: the
limit of the survey, the errors of the environment, then the errors of neighbour after
neighbour, those with the most stars first. So what is observed of a host depends on no
other host, nor on the order of its neighbours, and surveys with the same seed see the
same sky: what differs between their features is the doing of these.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from halomass.observed import errors
from halomass.observed.errors import ENVIRONMENT_FEATURES, NORMALS, ErrorModel, Orbits
from halomass.systems import FloatArray
from orrery.parameters import generator
from orrery.records import Records

# The survey's limit, and the environment's errors.
_HOST_NORMALS = 1 + len(ENVIRONMENT_FEATURES)
# The branch of a system's random stream for observing it: drawing the system itself
# uses small numbers, which this one must never meet.
_SKY = 2**32 - 2
_COLUMNS = ("r", "v_r", "v_t", "log_m_star", "vmax")


@dataclass(frozen=True)
class Detectability:
    """Which neighbours a survey finds: those above a stellar mass that grows with distance.

    log10 M* > intercept + slope d + scatter G, with one normal G for each host: surveys
    differ, their limits are sharp. Halos without stars are never found.

    This is equation 1 of Hayati et al. (2025), whose numbers are not printed. Ours are
    guesses that follow the lower envelope of the Milky Way's satellites, by which they say
    to have chosen theirs. Of the intercept the envelope tells only what it is together with
    the Milky Way's own G. With 3.8, and halos found from 250 particles on, the mock
    universes' hosts with 25 neighbours and with 10 come within about 20 % of the ratio of
    their Table 1; but those with 10 are then too heavy, and hardly any of VSMDPL's with 25
    are as light as the Milky Way.

    Example:
        >>> Detectability().limit(np.array([0.0, 100.0]), normal=0.0)
        array([2.3 , 2.95])
    """

    intercept: float = 2.3
    """log10 of the smallest stellar mass at the host's centre [dex(solMass)]."""
    slope: float = 0.0065
    """How it grows with distance [dex/kpc]."""
    scatter: float = 1.0
    """Its standard deviation between hosts [dex]."""

    def limit(self, distance: FloatArray, normal: FloatArray | float) -> FloatArray:
        """Returns log10 of the smallest stellar mass that is found [Msun].

        Arguments:
            distance: From the host's centre [kpc].
            normal: Standard normal numbers, one for each host.
        """
        return self.intercept + self.slope * distance + self.scatter * normal


@dataclass(frozen=True)
class ObservedNeighbours:
    """What is known of the neighbours of B hosts, those with the most stars first.

    Arguments:
        orbits: Distances [kpc] and velocities [km/s] of N neighbours `[B, N]`; NaN
            where there are fewer.
        count: How many neighbours were found `[B]`, whether or not they are among the
            N.
        environment: In the order of `ENVIRONMENT_FEATURES` `[B, 3]` [km/s, kpc, kpc].
        log_m_star: log10 of their stellar masses `[B, N]` [Msun]; NaN likewise.

    Example:
        >>> column = np.array([[50.0, np.nan]])  # one of two places is taken
        >>> around = np.array([[90.0, 800.0, 2e4]])
        >>> orbits = Orbits(column, column, column)
        >>> seen = ObservedNeighbours(orbits, np.array([1]), around, column / 10)
        >>> np.isfinite(seen.orbits.r).sum(axis=1) == seen.count
        array([ True])
    """

    orbits: Orbits
    count: NDArray[np.int64]
    environment: FloatArray
    log_m_star: FloatArray


class SurveyOptions(Protocol):
    """How simulated hosts are observed, whatever features are then made of it.

    Example:
        >>> from halomass.observed.features import Features
        >>> options: SurveyOptions = Features(errors=False)
        >>> options.errors, options.detectability
        (False, True)
    """

    @property
    def errors(self) -> bool: ...
    @property
    def detectability(self) -> bool: ...
    @property
    def seed(self) -> int: ...
    @property
    def error_model(self) -> ErrorModel: ...
    @property
    def survey(self) -> Detectability: ...


def observe_neighbours(
    records: Records, options: SurveyOptions, places: int
) -> ObservedNeighbours:
    """Returns what an observer at the centre of each host knows of its neighbours.

    Neighbours are found or not by their true distances. A host with none has no `vmax`:
    NaN.

    Arguments:
        records: B systems.
        options: Whether with errors, and which neighbours are found.
        places: How many neighbours are kept of each host, those with the most stars.

    Raises:
        ValueError: If a column is missing.
    """
    _check_columns(records)
    ranked = _Ranked.of(records)
    of_host, of_neighbour = _normals(ranked, options.seed)
    # 0 stands for "no stars" in catalogues
    found = ranked.columns["log_m_star"] > 0
    if options.detectability:
        limit = options.survey.limit(ranked.columns["r"], of_host[ranked.host, 0])
        found &= ranked.columns["log_m_star"] > limit
    place = _places(found, ranked.first, ranked.host)
    kept = np.flatnonzero(found & (place < places))
    orbits = ranked.orbits(kept)
    environment = _true_environment(records, ranked, found, place)
    log_m_star = ranked.columns["log_m_star"][kept]
    if options.errors:
        model = options.error_model
        orbits = errors.with_errors(orbits, log_m_star, of_neighbour[kept], model)
        environment = errors.environment_with_errors(environment, of_host[:, 1:], model)
    rows = (ranked.host[kept], place[kept])
    shape = (len(records), places)
    count = np.bincount(ranked.host[found], minlength=len(records))
    return ObservedNeighbours(
        orbits.apply(lambda column: _filled(column, rows, shape)),
        count,
        environment,
        _filled(log_m_star, rows, shape),
    )


def _check_columns(records: Records) -> None:
    scalars = ("index", "distance_larger", "distance_cluster")
    missing = [name for name in scalars if name not in records.scalars]
    missing += [name for name in _COLUMNS if name not in records.particles]
    if missing:
        raise ValueError(
            f"these records have no column {', '.join(missing)}: take them from a dataset of "
            "systems, whose columns are halomass.systems.SCHEMA"
        )


@dataclass(frozen=True)
class _Ranked:
    """The neighbours of B hosts, host after host, those with the most stars first.

    Arguments:
        index: The number of each system `[B]`.
        first: Where each host's neighbours begin `[B + 1]`.
        host: The host of each neighbour `[M]`, by its place among the B.
        columns: One array `[M]` for each column.
    """

    index: NDArray[np.int64]
    first: NDArray[np.int64]
    host: NDArray[np.int64]
    columns: dict[str, FloatArray]

    @classmethod
    def of(cls, records: Records) -> "_Ranked":
        first = np.asarray(records.offsets, dtype=np.int64)
        here = slice(first[0], first[-1])
        first = first - first[0]
        host = np.repeat(np.arange(len(records)), np.diff(first))
        columns = {
            n: np.asarray(records.particles[n][here], dtype=np.float64)
            for n in _COLUMNS
        }
        # Equal stellar masses are ranked by their orbits, never by where they stand in
        # the file.
        ties = (columns[n] for n in ("vmax", "v_t", "v_r", "r"))
        order = np.lexsort((*ties, -columns["log_m_star"], host))
        index = np.asarray(records.scalars["index"], dtype=np.int64)
        return cls(
            index, first, host, {n: column[order] for n, column in columns.items()}
        )

    def orbits(self, chosen: NDArray[np.int64]) -> Orbits:
        every = Orbits(self.columns["r"], self.columns["v_r"], self.columns["v_t"])
        return every.apply(lambda column: column[chosen])


def _normals(ranked: _Ranked, seed: int) -> tuple[FloatArray, FloatArray]:
    """Returns the random numbers of hosts `[B, 4]` and of their neighbours `[M, NORMALS]`."""
    # for all neighbours, found or not, so that another limit changes nobody's errors
    of_host = np.empty((len(ranked.index), _HOST_NORMALS))
    of_neighbour = np.empty((len(ranked.host), NORMALS))
    bounds = zip(ranked.first[:-1], ranked.first[1:], strict=True)
    for i, (start, stop) in enumerate(bounds):
        random = generator(seed, int(ranked.index[i]), _SKY)
        of_host[i] = random.standard_normal(_HOST_NORMALS)
        of_neighbour[start:stop] = random.standard_normal((stop - start, NORMALS))
    return of_host, of_neighbour


def _places(
    found: NDArray[np.bool_], first: NDArray[np.int64], host: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns the rank of each neighbour among those of its host that are found `[M]`."""
    before = np.concatenate([[0], np.cumsum(found)])
    return before[:-1] - before[first[host]]


def _true_environment(
    records: Records,
    ranked: _Ranked,
    found: NDArray[np.bool_],
    place: NDArray[np.int64],
) -> FloatArray:
    environment = np.full((len(records), len(ENVIRONMENT_FEATURES)), np.nan)
    largest = np.flatnonzero(found & (place == 0))
    environment[ranked.host[largest], 0] = ranked.columns["vmax"][largest]
    for i, name in enumerate(ENVIRONMENT_FEATURES[1:], start=1):
        environment[:, i] = records.scalars[name]
    return environment


def _filled(
    values: FloatArray, rows: tuple[NDArray[Any], NDArray[Any]], shape: tuple[int, int]
) -> FloatArray:
    matrix = np.full(shape, np.nan)
    matrix[rows] = values
    return matrix
