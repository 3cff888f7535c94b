"""From the neighbours of a host to the numbers that a network weighs it by.

Simulated hosts are looked at as the Milky Way is: faint distant neighbours go unseen,
the others are measured with errors, and those with the most stars are kept, in that
order. Stellar masses themselves are no features, because how many stars a halo has is
less well known than how it moves.

All random numbers of a host come from one stream of its own, in a fixed order: the
limit of the survey, the environment's errors, then the errors of neighbour after
neighbour, those with the most stars first. So a host's features depend on no other
host, nor on the order of its neighbours, and binnings with the same seed see the same
sky: what differs between them is the features' doing.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from halomass.observed import errors
from halomass.observed.errors import ENVIRONMENT, NORMALS, ErrorModel, Orbits
from halomass.systems import FloatArray
from orrery.identity import JSON, fingerprint
from orrery.parameters import generator
from orrery.records import Records

VERSION = 1  # of the features; raised whenever their numbers change

Radial = Literal["log", "asinh"]
Feature = Literal[
    "r", "v_t", "v_r", "satellites", "vmax", "distance_larger", "distance_cluster"
]  # fmt: skip

SMALLEST_VELOCITY = 0.1  # [km/s] that a logarithm is taken of: far below any error
SOFTENING = 20.0  # [km/s] below which the signed radial velocity is linear
ORBIT = ("r", "v_t", "v_r")
_HOST_NORMALS = 1 + len(ENVIRONMENT)  # the survey's limit, and the environment's errors
_SKY = (
    2**32 - 2
)  # the branch of a system's stream for looking at it; its making has small numbers
_COLUMNS = ("r", "v_r", "v_t", "log_m_star", "vmax")


@dataclass(frozen=True)
class Detectability:
    """Which neighbours a survey finds: those above a stellar mass that grows with distance.

    log10 M* > intercept + slope d + scatter G, with one normal G for each host: surveys
    differ, their limits are sharp. Hayati et al. (2025), their equation 1; the numbers
    follow the lower envelope of the Milky Way's satellites. Halos without stars are
    never found.
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
class Seen:
    """What is known of the neighbours of B hosts, those with the most stars first.

    Arguments:
        orbits: Distances [kpc] and velocities [km/s] of N neighbours `[B, N]`; NaN
            where there are fewer.
        count: How many neighbours were found `[B]`, whether or not they are among the
            N.
        environment: In the order of `ENVIRONMENT` `[B, 3]` [km/s, kpc, kpc].
    """

    orbits: Orbits
    count: NDArray[np.int64]
    environment: FloatArray


class Observing(Protocol):
    """How simulated hosts are looked at, whatever is then made of it."""

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


@dataclass(frozen=True)
class Features:
    """The orbits of the N neighbours with the most stars, and the environment: 3 N + 3 numbers."""

    neighbours: int = 25
    """How many neighbours a host must have to be weighed, and how many it is weighed by."""
    errors: bool = True
    """Whether simulated hosts are observed with errors."""
    detectability: bool = True
    """Whether faint neighbours of simulated hosts go unseen."""
    radial: Radial = "log"
    """How radial velocities enter: log10 of their size (log), or signed (asinh)."""
    without: tuple[Feature, ...] = ()
    """Features that are left out: r, v_t, v_r, satellites (these three), or one of the
    environment. The hosts stay the same ones."""
    seed: int = 0
    """Decides the errors and the survey's limits."""
    error_model: ErrorModel = field(default_factory=ErrorModel)
    """How large errors are."""
    survey: Detectability = field(default_factory=Detectability)
    """Which neighbours are found."""

    def __post_init__(self) -> None:
        _check_binning(self.neighbours, self.radial, self.seed)
        known = (*ORBIT, "satellites", *ENVIRONMENT)
        wrong = [name for name in self.without if name not in known]
        if isinstance(self.without, str) or wrong:
            raise ValueError(
                f"without={self.without!r}: give a tuple of some of {known}"
            )
        if not self.kinds:
            raise ValueError(
                f"without={self.without!r} leaves no feature: leave out fewer"
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The features that are there, in the order of their columns."""
        out: set[str] = set(self.without)
        if "satellites" in out:
            out |= set(ORBIT)
        return tuple(name for name in (*ORBIT, *ENVIRONMENT) if name not in out)

    @property
    def groups(self) -> tuple[str, ...]:
        """For each of the S columns the kind of feature, whose columns are scaled together."""
        return tuple(kind for kind, _ in self._columns())

    @property
    def names(self) -> tuple[str, ...]:
        """The S features' names."""
        return tuple(name for _, name in self._columns())

    @property
    def units(self) -> tuple[str, ...]:
        """The S features' units."""
        return tuple(_unit(kind, self.radial) for kind, _ in self._columns())

    @property
    def fingerprint(self) -> str:
        """Identifies the features' definition."""
        return fingerprint(self.describe())

    def describe(self) -> JSON:
        """Returns the definition as plain JSON."""
        return {
            "features": "ranked neighbours",
            **asdict(self),
            "without": sorted(self.without),
        }

    def encode(self, seen: Seen) -> FloatArray:
        """Returns the features `[B, S]`; NaN in all of them where there are too few neighbours.

        Arguments:
            seen: At least `neighbours` neighbours, or places for them.
        """
        orbits = Orbits(*(column[:, : self.neighbours] for column in seen.orbits))
        columns = {**_logarithms(orbits, self), **_environment(seen)}
        x = np.concatenate([columns[kind] for kind in self.kinds], axis=1)
        x[seen.count < self.neighbours] = np.nan
        return x

    @property
    def places(self) -> int:
        """How many neighbours are kept."""
        return self.neighbours

    def _columns(self) -> Iterator[tuple[str, str]]:
        for kind in self.kinds:
            name = _name(kind, self.radial)
            if kind in ENVIRONMENT:
                yield kind, name
            else:
                yield from ((kind, f"{name}_{i + 1}") for i in range(self.neighbours))


@dataclass(frozen=True)
class NeighbourSet:
    """All neighbours that are found, for a network that asks for neither number nor order.

    A row holds one place after another, each with distance, tangential and radial
    velocity, and a flag that is 1 if a neighbour is there; the other numbers are 0
    where none is. The environment follows.
    """

    largest: int = 50
    """How many neighbours there are places for; those with the most stars are kept."""
    smallest: int = 3
    """How many neighbours a host must have to be weighed."""
    errors: bool = True
    """Whether simulated hosts are observed with errors."""
    detectability: bool = True
    """Whether faint neighbours of simulated hosts go unseen."""
    radial: Radial = "log"
    """How radial velocities enter: log10 of their size (log), or signed (asinh)."""
    seed: int = 0
    """Decides the errors and the survey's limits."""
    error_model: ErrorModel = field(default_factory=ErrorModel)
    """How large errors are."""
    survey: Detectability = field(default_factory=Detectability)
    """Which neighbours are found."""

    def __post_init__(self) -> None:
        _check_binning(self.smallest, self.radial, self.seed)
        if self.largest < self.smallest:
            raise ValueError(
                f"largest {self.largest} is below smallest {self.smallest}: a host that must have "
                "so many neighbours needs places for them"
            )

    @property
    def per_neighbour(self) -> int:
        """The numbers of each place, its flag included."""
        return len(ORBIT) + 1

    @property
    def environment(self) -> int:
        """The numbers that follow the places."""
        return len(ENVIRONMENT)

    @property
    def layout(self) -> tuple[int, int, int]:
        """The number of places, the numbers of each, and of what follows them."""
        return self.largest, self.per_neighbour, self.environment

    @property
    def names(self) -> tuple[str, ...]:
        """The S numbers' names."""
        of_one = (*(_name(kind, self.radial) for kind in ORBIT), "there")
        places = (f"{name}_{i + 1}" for i in range(self.largest) for name in of_one)
        return (*places, *(_name(kind, self.radial) for kind in ENVIRONMENT))

    @property
    def units(self) -> tuple[str, ...]:
        """The S numbers' units."""
        of_one = (*(_unit(kind, self.radial) for kind in ORBIT), "")
        return of_one * self.largest + tuple(
            _unit(kind, self.radial) for kind in ENVIRONMENT
        )

    @property
    def fingerprint(self) -> str:
        """Identifies the definition."""
        return fingerprint(self.describe())

    def describe(self) -> JSON:
        """Returns the definition as plain JSON."""
        return {"features": "set of neighbours", **asdict(self)}

    def encode(self, seen: Seen) -> FloatArray:
        """Returns the numbers `[B, S]`; NaN in all of them where there are too few neighbours.

        Arguments:
            seen: The neighbours; those beyond the number of places are left out.
        """
        hosts, places = len(seen.count), min(self.largest, seen.orbits.r.shape[1])
        orbits = Orbits(*(column[:, :places] for column in seen.orbits))
        there = np.isfinite(orbits.r)
        entries = np.zeros((hosts, self.largest, self.per_neighbour))
        for i, column in enumerate(_logarithms(orbits, self).values()):
            entries[:, :places, i] = np.where(there, column, 0.0)
        entries[:, :places, -1] = there
        environment = _environment(seen).values()
        x = np.concatenate([entries.reshape(hosts, -1), *environment], axis=1)
        x[seen.count < self.smallest] = np.nan
        return x

    @property
    def places(self) -> int:
        """How many neighbours are kept."""
        return self.largest


def _check_binning(smallest: int, radial: str, seed: int) -> None:
    if smallest < 1 or seed < 0 or radial not in ("log", "asinh"):
        raise ValueError(
            f"{smallest} neighbours, radial {radial!r}, seed {seed}: give at least 1 neighbour, "
            "'log' or 'asinh', and a seed from 0 on"
        )


def _name(kind: str, radial: Radial) -> str:
    if kind == "v_r":
        return "log_abs_v_r" if radial == "log" else "asinh_v_r"
    return f"log_{kind}"


def _unit(kind: str, radial: Radial) -> str:
    if kind == "v_r" and radial == "asinh":
        return ""
    return "dex(km / s)" if kind in ("v_r", "v_t", "vmax") else "dex(kpc)"


def _logarithms(
    orbits: Orbits, binning: Features | NeighbourSet
) -> dict[str, FloatArray]:
    """Returns the features of neighbours, in the order of `ORBIT`; NaN stays NaN."""
    size = np.maximum(np.abs(orbits.v_r), SMALLEST_VELOCITY)
    signed = np.arcsinh(orbits.v_r / SOFTENING)
    return {
        "r": np.log10(np.maximum(orbits.r, binning.error_model.smallest_distance)),
        "v_t": np.log10(np.maximum(orbits.v_t, SMALLEST_VELOCITY)),
        "v_r": np.log10(size) if binning.radial == "log" else signed,
    }


def _environment(seen: Seen) -> dict[str, FloatArray]:
    smallest = (errors.SMALLEST_VMAX, 0.0, 0.0)
    values = np.log10(np.maximum(seen.environment, smallest))
    return {name: values[:, i : i + 1] for i, name in enumerate(ENVIRONMENT)}


def features(records: Records, binning: Features | NeighbourSet) -> FloatArray:
    """Returns the features of simulated hosts `[B, S]`; NaN where too few neighbours are found.

    Arguments:
        records: B systems with the columns of `systems.SCHEMA`; `index` together with
            the binning's seed decides the random numbers.
        binning: How hosts are looked at, and what is made of it.

    Raises:
        ValueError: If a column is missing.
    """
    return binning.encode(look(records, binning, binning.places))


def look(records: Records, observing: Observing, places: int) -> Seen:
    """Returns what an observer at the centre of each host knows of its neighbours.

    Neighbours are found or not by their true distances. A host with none has no `vmax`:
    NaN.

    Arguments:
        records: B systems.
        observing: Whether with errors, and which neighbours are found.
        places: How many neighbours are kept of each host, those with the most stars.

    Raises:
        ValueError: If a column is missing.
    """
    _check_columns(records)
    ranked = _Ranked.of(records)
    of_host, of_neighbour = _normals(ranked, observing.seed)
    found = ranked.columns["log_m_star"] > 0
    if observing.detectability:
        limit = observing.survey.limit(ranked.columns["r"], of_host[ranked.host, 0])
        found &= ranked.columns["log_m_star"] > limit
    place = _places(found, ranked.first, ranked.host)
    kept = np.flatnonzero(found & (place < places))
    orbits, environment = (
        ranked.orbits(kept),
        _true_environment(records, ranked, found, place),
    )
    if observing.errors:
        model, log_m_star = observing.error_model, ranked.columns["log_m_star"][kept]
        orbits = errors.observed(orbits, log_m_star, of_neighbour[kept], model)
        environment = errors.observed_environment(environment, of_host[:, 1:], model)
    rows, shape = (ranked.host[kept], place[kept]), (len(records), places)
    count = np.bincount(ranked.host[found], minlength=len(records))
    return Seen(Orbits(*(_filled(c, rows, shape) for c in orbits)), count, environment)


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
        here, first = slice(first[0], first[-1]), first - first[0]
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
        return Orbits(*(self.columns[name][chosen] for name in Orbits._fields))


def _normals(ranked: _Ranked, seed: int) -> tuple[FloatArray, FloatArray]:
    """Returns the random numbers of hosts `[B, 4]` and of their neighbours `[M, NORMALS]`."""
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
    environment = np.full((len(records), len(ENVIRONMENT)), np.nan)
    largest = np.flatnonzero(found & (place == 0))
    environment[ranked.host[largest], 0] = ranked.columns["vmax"][largest]
    for i, name in enumerate(ENVIRONMENT[1:], start=1):
        environment[:, i] = records.scalars[name]
    return environment


def _filled(
    values: FloatArray, rows: tuple[NDArray[Any], NDArray[Any]], shape: tuple[int, int]
) -> FloatArray:
    matrix = np.full(shape, np.nan)
    matrix[rows] = values
    return matrix
