"""From the neighbours of a host to the features that its mass is inferred from.

Simulated hosts are observed as the Milky Way is, by `mock_survey`. Stellar masses
themselves are no features, because how many stars a halo has is less well known than
how it moves.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Literal

import numpy as np

from halomass.observed import errors
from halomass.observed.errors import ENVIRONMENT_FEATURES, ErrorModel, Orbits
from halomass.observed.mock_survey import (
    Detectability,
    ObservedNeighbours,
    observe_neighbours,
)
from halomass.systems import FloatArray
from orrery.identity import JSON, fingerprint
from orrery.records import Records

VERSION = 1  # of the features; raised whenever their numbers change
NAMESPACE = ""  # summaries were kept before names had modules

Radial = Literal["log", "asinh"]
Feature = Literal[
    "r", "v_t", "v_r", "satellites", "vmax", "distance_larger", "distance_cluster"
]  # fmt: skip

SMALLEST_VELOCITY = 0.1  # [km/s] that a logarithm is taken of: far below any error
ASINH_SCALE = 20.0  # [km/s] below which the signed radial velocity is linear
ORBIT = ("r", "v_t", "v_r")
# What a host is compared by, with units, and what the rest of it is called.
PROPERTIES = {
    "r": "kpc",
    "v_t": "km / s",
    "v_r": "km / s",
    "log_m_star": "dex(solMass)",
}
ENVIRONMENT = "environment"


@dataclass(frozen=True)
class _Defined:
    """What is identified by its fields."""

    @property
    def fingerprint(self) -> str:
        """Identifies the definition."""
        return fingerprint(self.describe())

    def describe(self) -> JSON:
        """Returns the definition as plain JSON."""
        return {"type": type(self).__name__, **asdict(self)}


@dataclass(frozen=True)
class Features(_Defined):
    """The orbits of the N neighbours with the most stars, and the environment: 3 N + 3 numbers.

    Example:
        >>> Features(neighbours=2, without=("v_t",)).names[:4]
        ('log_r_1', 'log_r_2', 'log_abs_v_r_1', 'log_abs_v_r_2')
    """

    neighbours: int = 25
    """How many neighbours a host must have, and how many its mass is inferred from."""
    errors: bool = True
    """Whether simulated hosts are observed with errors."""
    detectability: bool = True
    """Whether faint neighbours of simulated hosts stay undetected."""
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
        known = (*ORBIT, "satellites", *ENVIRONMENT_FEATURES)
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
        return tuple(
            name for name in (*ORBIT, *ENVIRONMENT_FEATURES) if name not in out
        )

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

    def describe(self) -> JSON:
        """Returns the definition as plain JSON."""
        # the order of what is left out makes no other features
        return {**super().describe(), "without": sorted(self.without)}

    def encode(self, seen: ObservedNeighbours) -> FloatArray:
        """Returns the features `[B, S]`; NaN in all of them where there are too few neighbours.

        Arguments:
            seen: At least `neighbours` neighbours, or places for them.
        """
        orbits = seen.orbits.apply(lambda column: column[:, : self.neighbours])
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
            if kind in ENVIRONMENT_FEATURES:
                yield kind, name
            else:
                yield from ((kind, f"{name}_{i + 1}") for i in range(self.neighbours))


@dataclass(frozen=True)
class NeighbourSet(_Defined):
    """All neighbours that are found, for a network that needs neither their number nor an order.

    A row holds one place after another, each with distance, tangential and radial
    velocity, and a flag that is 1 if a neighbour is there; the other numbers are 0
    where none is. The environment follows.

    Example:
        >>> NeighbourSet(largest=50).layout
        (50, 4, 3)
        >>> NeighbourSet(largest=50).names[:4]
        ('log_r_1', 'log_v_t_1', 'log_abs_v_r_1', 'there_1')
    """

    largest: int = 50
    """How many neighbours there are places for; those with the most stars are kept."""
    smallest: int = 3
    """How many neighbours a host must have for its mass to be inferred."""
    errors: bool = True
    """Whether simulated hosts are observed with errors."""
    detectability: bool = True
    """Whether faint neighbours of simulated hosts stay undetected."""
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
        return len(ENVIRONMENT_FEATURES)

    @property
    def layout(self) -> tuple[int, int, int]:
        """The number of places, the numbers of each, and of what follows them."""
        return self.largest, self.per_neighbour, self.environment

    @property
    def names(self) -> tuple[str, ...]:
        """The S numbers' names."""
        of_one = (*(_name(kind, self.radial) for kind in ORBIT), "there")
        places = (f"{name}_{i + 1}" for i in range(self.largest) for name in of_one)
        return (*places, *(_name(kind, self.radial) for kind in ENVIRONMENT_FEATURES))

    @property
    def units(self) -> tuple[str, ...]:
        """The S numbers' units."""
        of_one = (*(_unit(kind, self.radial) for kind in ORBIT), "")
        return of_one * self.largest + tuple(
            _unit(kind, self.radial) for kind in ENVIRONMENT_FEATURES
        )

    def encode(self, seen: ObservedNeighbours) -> FloatArray:
        """Returns the numbers `[B, S]`; NaN in all of them where there are too few neighbours.

        Arguments:
            seen: The neighbours; those beyond the number of places are left out.
        """
        hosts = len(seen.count)
        places = min(self.largest, seen.orbits.r.shape[1])
        orbits = seen.orbits.apply(lambda column: column[:, :places])
        # a flag, because 0 is also what a neighbour at 1 kpc or 1 km/s has
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


@dataclass(frozen=True)
class HostProperties(_Defined):
    """What a host is compared by: all that its features are made of, and how they were ranked.

    Velocities themselves, not their logarithms, in which none is much too large; and
    stellar masses, which decide who is among the N neighbours.

    Example:
        >>> HostProperties(neighbours=2).names[2:6]
        ('v_t_1', 'v_t_2', 'v_r_1', 'v_r_2')
    """

    neighbours: int = 25
    """How many neighbours a host must have, and how many it is compared by."""
    errors: bool = True
    """Whether simulated hosts are observed with errors."""
    detectability: bool = True
    """Whether faint neighbours of simulated hosts stay undetected."""
    seed: int = 0
    """Decides the errors and the survey's limits."""
    error_model: ErrorModel = field(default_factory=ErrorModel)
    """How large errors are."""
    survey: Detectability = field(default_factory=Detectability)
    """Which neighbours are found."""

    @classmethod
    def behind(cls, binning: Features) -> "HostProperties":
        """Returns the properties of hosts that are observed as for some features."""
        shared = {f.name: getattr(binning, f.name) for f in fields(cls)}
        return cls(**shared)

    @property
    def kinds(self) -> tuple[str, ...]:
        """For each of the S properties its kind: one of `PROPERTIES`, or the environment."""
        of_neighbours = (k for k in PROPERTIES for _ in range(self.neighbours))
        return (*of_neighbours, *(ENVIRONMENT for _ in ENVIRONMENT_FEATURES))

    @property
    def names(self) -> tuple[str, ...]:
        """The S properties' names."""
        ranks = range(1, self.neighbours + 1)
        of_neighbours = (f"{kind}_{rank}" for kind in PROPERTIES for rank in ranks)
        return (*of_neighbours, *(f"log_{name}" for name in ENVIRONMENT_FEATURES))

    @property
    def units(self) -> tuple[str, ...]:
        """The S properties' units."""
        of_neighbours = (PROPERTIES[k] for k in self.kinds if k in PROPERTIES)
        return (*of_neighbours, *(_unit(name, "log") for name in ENVIRONMENT_FEATURES))

    def encode(self, seen: ObservedNeighbours) -> FloatArray:
        """Returns the properties `[B, S]`; NaN in all of them where there are too few neighbours.

        Arguments:
            seen: At least `neighbours` neighbours, or places for them.
        """
        # as networks see them
        r = np.maximum(seen.orbits.r, self.error_model.smallest_distance)
        each = (r, seen.orbits.v_t, seen.orbits.v_r, seen.log_m_star)
        columns = [column[:, : self.neighbours] for column in each]
        x = np.concatenate([*columns, *_environment(seen).values()], axis=1)
        x[seen.count < self.neighbours] = np.nan
        return x

    @property
    def places(self) -> int:
        """How many neighbours are kept."""
        return self.neighbours


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
    # a neighbour at rest has a feature, too
    size = np.maximum(np.abs(orbits.v_r), SMALLEST_VELOCITY)
    signed = np.arcsinh(orbits.v_r / ASINH_SCALE)
    return {
        "r": np.log10(np.maximum(orbits.r, binning.error_model.smallest_distance)),
        "v_t": np.log10(np.maximum(orbits.v_t, SMALLEST_VELOCITY)),
        "v_r": np.log10(size) if binning.radial == "log" else signed,
    }


def _environment(seen: ObservedNeighbours) -> dict[str, FloatArray]:
    smallest = (errors.SMALLEST_VMAX, 0.0, 0.0)
    values = np.log10(np.maximum(seen.environment, smallest))
    return {name: values[:, i : i + 1] for i, name in enumerate(ENVIRONMENT_FEATURES)}


def features(
    records: Records, binning: Features | NeighbourSet | HostProperties
) -> FloatArray:
    """Returns the features of simulated hosts `[B, S]`; NaN where too few neighbours are found.

    Arguments:
        records: B systems with the columns of `systems.SCHEMA`; `index` together with
            the binning's seed decides the random numbers.
        binning: How hosts are observed, and which features are made of it.

    Raises:
        ValueError: If a column is missing.
    """
    return binning.encode(observe_neighbours(records, binning, binning.places))
