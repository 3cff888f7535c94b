"""One host's neighbours: the Milky Way's satellites, or the subhalos of any other host.

Whatever table they come from, they become the same features as those of simulated
hosts. Values are taken as they are: observed ones have their errors already. A
simulated host has none, and can be observed with errors as often as one likes
(`as_records`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from halomass.observed.errors import ENVIRONMENT_FEATURES, Orbits
from halomass.observed.features import (
    Features,
    HostProperties,
    NeighbourSet,
    ObservedNeighbours,
)
from halomass.observed.spelling import same_names
from halomass.systems import LOG_M_PEAK, RADIUS, FloatArray
from orrery.identity import JSON
from orrery.records import Observation, Records

# [kpc, km/s] of two rows that are one neighbour: fewer decimals than any table rounds to
_SAME_DECIMALS = 3
# Where masses agree too, rows that are one neighbour though one of them is rounded. Of a
# thousand neighbours two are as near each other by chance once in ten million tables.
_ROUNDED = np.array([0.02, 0.2, 0.2, 0.02])  # [kpc, km/s, km/s, dex]
_LARGEST_VMAX = 2000.0  # [km/s] of any halo's; larger numbers are no velocities of it


@dataclass(frozen=True)
class HostEnvironment:
    """What surrounds a host.

    Arguments:
        vmax: The largest circular velocity of the most massive satellite [km/s].
        distance_larger: The distance to the nearest halo of larger mass [kpc].
        distance_cluster: The distance to the nearest halo above 1e14 Msun [kpc].

    Example:
        >>> HostEnvironment(vmax=91.7, distance_larger=761.0, distance_cluster=0.0)
        Traceback (most recent call last):
        ValueError: environment: distance_cluster is 0.0: give a number above 0
    """

    vmax: float
    distance_larger: float
    distance_cluster: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            largest = _LARGEST_VMAX if name == "vmax" else np.inf
            if not 0 < value < largest:
                below = f" and below {largest:g}" if np.isfinite(largest) else ""
                raise ValueError(
                    f"environment: {name} is {value}: give a number above 0{below}"
                )


@dataclass(frozen=True)
class Neighbours:
    """The neighbours of one host.

    Arguments:
        name: The host.
        names: The N neighbours.
        orbits: Distances `[N]` [kpc] and velocities `[N]` [km/s], relative to the host.
        log_m_star: log10 of their stellar masses `[N]` [Msun].
        environment: What surrounds the host.
        provenance: File, checksum, and what was done, as plain JSON.

    Example:
        >>> orbits = Orbits(np.array([50.0, 90.0]), np.zeros(2), np.array([200.0, 150.0]))
        >>> around = HostEnvironment(91.7, 761.0, 17_000.0)
        >>> host = Neighbours("A host", ("a", "b"), orbits, np.array([6.0, 8.0]), around)
        >>> host.ranked().names, host.without("b").names
        (('b', 'a'), ('a',))
    """

    name: str
    names: tuple[str, ...]
    orbits: Orbits
    log_m_star: FloatArray
    environment: HostEnvironment
    provenance: JSON = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = {**self.orbits._asdict(), "log_m_star": self.log_m_star}
        # a distance must be above 0, and the length of a velocity not below it
        lowest = {"r": np.nextafter(0, 1), "v_t": 0.0}
        for title, column in columns.items():
            good = np.isfinite(column) & (column >= lowest.get(title, -np.inf))
            if not good.all():
                row = int(np.argmin(good))
                raise ValueError(
                    f"{self.table}: {title} of {self.names[row]!r} is {column[row]}: give it a "
                    "value, or leave the row out; the host is no neighbour of itself"
                )
        self._check_repetition()

    def _check_repetition(self) -> None:
        # a satellite that two surveys list would count twice
        same = (
            same_names(self.names)
            or _same_orbits(self.orbits)
            or _rounded_orbits(self.orbits, self.log_m_star)
        )
        if same is None:
            return
        first, second = (self.names[row] for row in same)
        also = "" if first == second else f", once as {second!r}"
        raise ValueError(
            f"{self.table}: {first!r} is there twice{also}: leave one of them out"
        )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def table(self) -> str:
        """The file that they are from, for messages; the host's name if there is none."""
        source = self.provenance.get("source", self.provenance)
        return str(self.provenance.get("file", source.get("file", self.name)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user must know of how they were selected."""
        return tuple(self.provenance.get("warnings", ()))

    @property
    def of_simulation(self) -> bool:
        """Whether they are halos, of which only a simulation knows the masses.

        It is one if its table had a column of such masses, whether they rank or not.
        """
        return bool(self.provenance.get("halo_columns"))

    @property
    def counts(self) -> dict[str, float]:
        """How many rows there were, and by which limits some were dropped, by name.

        What no column of the table identifies is not counted. They come in the order in
        which `summary` tells them.
        """
        selection = self.provenance.get("selection", {})
        dropped = [selection.get(n, 0) for n in ("light", "stripped", "missing")]
        counts = {"rows": selection.get("rows", len(self)) + sum(dropped)}
        if "light" in selection:
            counts["light"] = selection["light"]
            counts["smallest_log_m_peak"] = LOG_M_PEAK
        for name in ("stripped", "threshold", "threshold_at_infall", "missing"):
            if name in selection:
                counts[name] = selection[name]
        kept = selection.get("kept", len(self))
        return {**counts, "kept": kept, "radius_kpc": RADIUS}

    @property
    def summary(self) -> str:
        """What a reader must know of them, in one paragraph."""
        around = self.environment
        assumed = self.provenance.get("environment_assumed", ())
        text = (
            f"{self.name}: {_counted(self)} The most massive satellite has a circular velocity of "
            f"{around.vmax:.4g} km/s, the nearest larger halo is {around.distance_larger / 1e3:.3g}"
            f" Mpc away, the nearest cluster {around.distance_cluster / 1e3:.3g} Mpc."
        )
        if self.provenance.get("expansion_added"):
            text += " The expansion of space was added to peculiar radial velocities."
        if assumed:
            unsaid = " nor ".join(assumed)
            text += f" The table does not say {unsaid}: typical numbers, not measured, stand here."
        return " ".join((text, *(f"Warning: {warning}." for warning in self.warnings)))

    def keep(self, chosen: Sequence[int] | NDArray[np.int64]) -> "Neighbours":
        """Returns the neighbours with the given numbers, in that order."""
        rows = np.asarray(chosen, dtype=np.int64)
        orbits = self.orbits.apply(lambda column: column[rows])
        names = tuple(self.names[i] for i in rows)
        return replace(
            self, names=names, orbits=orbits, log_m_star=self.log_m_star[rows]
        )

    def ranked(self) -> "Neighbours":
        """Returns the neighbours, those with the most stars first."""
        return self.keep(np.lexsort((self.orbits.r, -self.log_m_star)))

    def without(self, name: str) -> "Neighbours":
        """Returns all neighbours but one.

        Raises:
            ValueError: If there is none of this name.
        """
        if name not in self.names:
            raise ValueError(
                f"{self.name} has no neighbour {name!r}: take one of {', '.join(self.names)}"
            )
        return self.keep([i for i, other in enumerate(self.names) if other != name])


def _same_orbits(orbits: Orbits) -> tuple[int, int] | None:
    """Returns the places of two rows at one distance with the same velocity; None if none are."""
    columns = np.round(np.stack(orbits, axis=1), _SAME_DECIMALS)
    order = np.lexsort(columns.T)
    alike = np.flatnonzero((np.diff(columns[order], axis=0) == 0).all(axis=1))
    if not len(alike):
        return None
    first, second = sorted(order[alike[0] : alike[0] + 2].tolist())
    return first, second


def _rounded_orbits(orbits: Orbits, log_m_star: FloatArray) -> tuple[int, int] | None:
    """Returns the places of two rows of which one may be the other, rounded; None if none are."""
    tree = cKDTree(np.stack([*orbits, log_m_star], axis=1) / _ROUNDED)
    pairs = tree.query_pairs(1.0, p=np.inf, output_type="ndarray")
    if not len(pairs):
        return None
    first, second = min(np.sort(pairs).tolist())
    return first, second


def _counted(table: Neighbours) -> str:
    """Returns how many rows there were, and which of them count."""
    counts = table.counts
    text = f"{counts['rows']} rows"
    if "light" in counts:
        text += f", {counts['light']} dropped whose peak mass is not above "
        text += f"10^{counts['smallest_log_m_peak']:g} Msun"
    if "stripped" in counts:
        rule = f"{table.provenance['selection']['survival']} is not above"
        text += f", {counts['stripped']} dropped as stripped by tides because {rule} "
        text += f"{counts['threshold']:g}"
        if counts["threshold"] != counts.get(
            "threshold_at_infall", counts["threshold"]
        ):
            text += f", which stands for {counts['threshold_at_infall']:g} of its value at infall"
    else:
        text += ", none dropped as stripped by tides, which no columns identify"
    if "missing" in counts:
        text += f", {counts['missing']} left out for want of a value"
    mass = table.provenance.get("mass", "stellar mass")
    near = f"{counts['kept']} are within {counts['radius_kpc']:g} kpc"
    return f"{text}; {near}, ranked by {mass}."


def within_radius(table: Neighbours, radius: float = RADIUS) -> Neighbours:
    """Returns the neighbours within a distance [kpc] of the host, those with the most stars first.

    Raises:
        ValueError: If there are none.
    """
    near = np.flatnonzero(table.orbits.r <= radius)
    if len(near) == 0:
        raise ValueError(
            f"{table.table}: none of {len(table)} neighbours is within {radius:g} kpc: are the "
            "distances in kpc, and from the host?"
        )
    counts = {"rows": len(table), "within_kpc": radius, "kept": len(near)}
    counts = {**table.provenance.get("selection", {}), **counts}
    near_by = table.keep(near).ranked()
    return replace(near_by, provenance={**table.provenance, "selection": counts})


def observation(
    table: Neighbours,
    binning: Features | NeighbourSet | HostProperties,
    without_satellite: str | None = None,
    environment: HostEnvironment | None = None,
) -> Observation:
    """Returns a host's features, as they are: no error is drawn, and all neighbours are found.

    Their errors are those that simulated hosts are observed with in training, so there
    is no covariance. The neighbours with the most stars are taken; where one is left
    out, the next one comes in, and the environment stays, the circular velocity of the
    most massive satellite too.

    Arguments:
        table: The host's neighbours.
        binning: The features of the simulated hosts that the network was trained on.
        without_satellite: The name of a neighbour that is left out.
        environment: Instead of the table's.

    Raises:
        ValueError: If there is no such neighbour, or there are too few.
    """
    name = table.name
    if without_satellite is not None:
        table = table.without(without_satellite)
        name = f"{name} without {without_satellite}"
    around = environment or table.environment
    table = within_radius(table)
    value = binning.encode(_seen(table, around))[0]
    if not np.isfinite(value).all():
        raise ValueError(
            f"{name} has {len(table)} neighbours within {RADIUS:g} kpc, too few for these "
            "features: use a binning that needs fewer"
        )
    provenance = {
        **table.provenance,
        "neighbours": list(table.names[: binning.places]),
        "left_out": without_satellite,
        "environment": asdict(around),
    }
    # errors are drawn in training, not propagated here
    none = np.zeros((len(value), len(value)))
    return Observation(
        name, binning.names, binning.units, value, none, binning.fingerprint, provenance
    )


def _seen(table: Neighbours, environment: HostEnvironment) -> ObservedNeighbours:
    orbits = table.orbits.apply(lambda column: column[None])
    surroundings = np.array(
        [[getattr(environment, name) for name in ENVIRONMENT_FEATURES]]
    )
    count, stars = np.array([len(table)]), table.log_m_star[None]
    return ObservedNeighbours(orbits, count, surroundings, stars)


def as_records(table: Neighbours, copies: int) -> Records:
    """Returns a simulated host as records, once for each time it will be observed.

    `features.features` gives each copy errors of its own and a survey of its own, as it
    does with the hosts that networks are trained on. This is not for observed
    neighbours.

    Arguments:
        table: The neighbours' true orbits.
        copies: How often.
    """
    near = within_radius(table)
    columns = {**near.orbits._asdict(), "log_m_star": near.log_m_star}
    columns["vmax"] = np.full(len(near), near.environment.vmax)
    around = {
        name: np.full(copies, getattr(near.environment, name))
        for name in ENVIRONMENT_FEATURES[1:]
    }
    return Records(
        {"index": np.arange(copies), **around},
        {name: np.tile(column, copies) for name, column in columns.items()},
        np.arange(copies + 1, dtype=np.int32) * len(near),
    )
