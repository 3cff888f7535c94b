"""What surrounds halos in a periodic box: neighbours, the nearest larger halo, the nearest cluster.

Positions are comoving and the box repeats itself on all sides, so that the nearest
image of a halo counts. What is returned is physical, and the expansion belongs to a
velocity. Everything is exact: k-d trees decide only in which order halos are searched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from halomass.hosts.searching import nearest_larger
from halomass.hosts.survival import Remnants
from halomass.systems import FloatArray
from halomass.universe import MULTIDARK, Universe
from orrery.parameters import IntArray
from orrery.records import Records

_IDENTITIES = ("id", "descid", "upid")
_PLACE = ("x", "y", "z")
_MOTION = ("vx", "vy", "vz")
_SIZES = ("log_m_vir", "log_m_peak", "log_m_star", "vmax")
_PAST = ("v_infall", "v_peak")
_COLUMNS = (*_IDENTITIES, *_PLACE, *_MOTION, *_SIZES, *_PAST)

_LATEST = 1.1  # the largest scale factor: some simulations end a little after 1
_OUTSIDE = 1e-3  # of the box: rounding may put halos so far beyond its walls


@dataclass(frozen=True, eq=False)
class Halos:
    """The halos of one snapshot.

    Arguments:
        id: Identities in this snapshot, with shape `[H]`.
        descid: Identities of the descendants in the next snapshot, with shape `[H]`.
        upid: Identities of the halos that they are satellites of, or -1, with shape
            `[H]`.
        position: Comoving [Mpc/h], with shape `[H, 3]`.
        velocity: Physical and peculiar [km/s], with shape `[H, 3]`.
        log_m_vir: log10 of the virial masses [Msun], with shape `[H]`.
        log_m_peak: log10 of the largest masses in their past [Msun], with shape `[H]`.
        log_m_star: log10 of the stellar masses [Msun], 0 without stars, with shape
            `[H]`.
        vmax: Largest circular velocities [km/s], with shape `[H]`.
        box: Side of the periodic box, comoving [Mpc/h].
        scale: Scale factor of the snapshot.
        universe: The simulation's cosmology.
        v_infall: vmax at infall or peak mass [km/s], 0: unknown, `[H]`; None: of all.
        v_peak: The largest vmax in their past, likewise.

    Example:
        >>> three = {name: np.arange(3) for name in ("id", "descid", "upid")}
        >>> sizes = ("log_m_vir", "log_m_peak", "log_m_star", "vmax")
        >>> place = np.array([[0.1, 0, 0], [9.9, 0, 0], [5, 5, 5]])  # over the wall is near
        >>> halos = Halos(
        ...     **three, **{name: np.full(3, 9.0) for name in sizes},
        ...     position=place, velocity=np.zeros((3, 3)), box=10.0, scale=1.0,
        ... )
        >>> r, v_r, v_t = motions(halos, np.array([0]), np.array([1]))
        >>> r.round(1), v_r.round(1)  # 0.2 Mpc/h, and the expansion between both
        (array([295.]), array([20.]))
    """

    id: IntArray
    descid: IntArray
    upid: IntArray
    position: FloatArray
    velocity: FloatArray
    log_m_vir: FloatArray
    log_m_peak: FloatArray
    log_m_star: FloatArray
    vmax: FloatArray
    box: float
    scale: float
    universe: Universe = MULTIDARK
    v_infall: FloatArray | None = None
    v_peak: FloatArray | None = None

    def __post_init__(self) -> None:
        if not (self.box > 0 and 0 < self.scale <= _LATEST):
            raise ValueError(
                f"a box of {self.box} Mpc/h at scale factor {self.scale}: the side must be "
                f"positive and the scale factor between 0 and {_LATEST}"
            )
        self._check_shapes()
        self._check_values()

    def _check_shapes(self) -> None:
        for name in (*_IDENTITIES, *_SIZES, "position", "velocity"):
            vector = name in ("position", "velocity")
            expected = (len(self), 3) if vector else (len(self),)
            found = getattr(self, name).shape
            if found != expected:
                wanted = f"{len(self)} halos {expected}"
                raise ValueError(f"{name!r} has shape {found}, but {wanted}")

    def _check_values(self) -> None:
        for name in (*_SIZES, "position", "velocity"):
            values = getattr(self, name)
            if not np.isfinite(values).all():
                row = int(np.argwhere(~np.isfinite(values))[0, 0])
                raise ValueError(
                    f"{name!r} of halo {self.id[row]} is not finite: leave it out"
                )
        farthest = np.abs(self.position / self.box - 0.5).max(axis=1, initial=0)
        outside = farthest > 0.5 + _OUTSIDE
        if outside.any():
            row = int(outside.argmax())
            raise ValueError(
                f"halo {self.id[row]} at {self.position[row].tolist()} is outside of the box of "
                f"{self.box} Mpc/h: give the box's side as the catalogue has it"
            )

    def __len__(self) -> int:
        return len(self.id)

    @property
    def losses(self) -> dict[str, FloatArray]:
        """What is known of what tides have left, `[H]`: see `survival.velocity_ratios`.

        Nothing where there are galaxies: their model has decided who survived. A present
        mass in the place of the peak's tells nothing.
        """
        if self.log_m_star.any():
            return {}
        known = {n: getattr(self, n) for n in _PAST if np.any(getattr(self, n))}
        past = {n: np.where(v > 0, v, np.nan) for n, v in known.items()}
        if np.any(self.log_m_peak != self.log_m_vir):
            past["log_m_peak"] = self.log_m_peak
        return {"vmax": self.vmax, **past}

    @property
    def kpc(self) -> float:
        """How many physical kpc one comoving Mpc/h is."""
        return 1000 * self.scale / self.universe.hubble

    @classmethod
    def from_records(
        cls,
        parts: Sequence[Records],
        box: float,
        scale: float,
        universe: Universe = MULTIDARK,
    ) -> "Halos":
        """Returns the halos of a snapshot's records, in their order.

        Arguments:
            parts: Records whose particles are the halos of a part of a catalogue.
            box: Side of the periodic box, comoving [Mpc/h].
            scale: Scale factor of the snapshot.
            universe: The simulation's cosmology.

        Raises:
            ValueError: If a column is missing, or a value impossible.
        """
        lacking = [n for n in _COLUMNS for part in parts if n not in part.particles]
        if lacking or not parts:
            raise ValueError(
                f"the halos have no column {lacking[0]!r}: "
                "make them by halomass.catalogues.catalogue"
                if parts
                else "a snapshot without records: give all of its halo dataset's shards"
            )

        def column(name: str, dtype: str = "f8") -> NDArray[Any]:
            return np.concatenate([part.particles[name] for part in parts], dtype=dtype)

        identities = {name: column(name, "i8") for name in _IDENTITIES}
        sizes = {name: column(name, "f4") for name in (*_SIZES, *_PAST)}
        place = np.stack([column(name) for name in _PLACE], axis=1)
        motion = np.stack([column(name, "f4") for name in _MOTION], axis=1)
        return cls(
            **identities,
            **sizes,
            position=place,
            velocity=motion,
            box=box,
            scale=scale,
            universe=universe,
        )

    def tree(self, rows: IntArray) -> cKDTree:
        """Returns a periodic tree of the halos in the given rows `[K]`."""
        return cKDTree(self.wrapped(rows), boxsize=self.box)

    def wrapped(self, rows: IntArray) -> FloatArray:
        """Returns positions `[K, 3]` within the box, its upper walls excluded [comoving Mpc/h]."""
        inside = np.mod(self.position[rows], self.box)
        # the rest of a tiny negative number is rounded up to the box's side
        return np.where(inside < self.box, inside, 0.0)


@dataclass(frozen=True, eq=False)
class NeighbourPairs:
    """Hosts and their neighbours.

    Arguments:
        host: Which of the N hosts, ascending, with shape `[K]`.
        neighbour: Rows of the neighbours, with shape `[K]`.

    Example:
        >>> pairs = NeighbourPairs(np.array([0, 0, 1]), np.array([5, 3, 9]))
        >>> np.bincount(pairs.host)  # neighbours of each host
        array([2, 1])
    """

    host: IntArray
    neighbour: IntArray


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """All halos that may be neighbours, satellites or not, as a tree.

    Arguments:
        halos: The snapshot.
        radius: The largest distance of a neighbour [physical kpc].
        log_m_peak: Neighbours have peak masses above this [dex(solMass)].
        threshold: V_max over that at infall, below which halos are no neighbours.

    Example:
        >>> ones = {name: np.ones(3, int) for name in ("id", "descid", "upid")}
        >>> sizes = ("log_m_vir", "log_m_peak", "log_m_star", "vmax")
        >>> halos = Halos(
        ...     **ones, **{name: np.full(3, 9.0) for name in sizes}, box=10.0, scale=1.0,
        ...     position=np.array([[1, 1, 1], [1, 1, 1.1], [5, 5, 5]]), velocity=np.zeros((3, 3)),
        ... )
        >>> Neighbourhood(halos, radius=250.0, log_m_peak=8.0).count(np.arange(3))
        array([1, 1, 0])
    """

    halos: Halos
    radius: float
    log_m_peak: float
    threshold: float = 0.0

    def __post_init__(self) -> None:
        # beyond half of the box a halo would be a neighbour twice, by two of its images
        if not 0 < self._reach < self.halos.box / 2:
            raise ValueError(
                f"radius {self.radius} kpc must be positive and below half of the box, "
                f"{self.halos.box * self.halos.kpc / 2:.0f} kpc"
            )

    @property
    def _reach(self) -> float:
        return self.radius / self.halos.kpc

    @cached_property
    def remnants(self) -> Remnants:
        """Which halos have not survived, of those with the peak mass of a neighbour."""
        heavy = self.halos.log_m_peak > self.log_m_peak
        return Remnants.of(self.halos.losses, heavy, self.threshold)

    @cached_property
    def _rows(self) -> IntArray:
        return np.flatnonzero(self.remnants.among & ~self.remnants.lost)

    @cached_property
    def _tree(self) -> cKDTree:
        return self.halos.tree(self._rows)

    def count(self, hosts: IntArray) -> IntArray:
        """Returns the numbers of neighbours `[N]` of the halos in the given rows `[N]`."""
        place = self.halos.wrapped(hosts)
        within = self._tree.query_ball_point(place, self._reach, return_length=True)
        # the host itself, and what coincides with it: that has no direction
        same = self._tree.query_ball_point(place, 0.0, return_length=True)
        return np.asarray(within - same, np.int64)

    def pairs(self, hosts: IntArray, log_m_star: FloatArray) -> NeighbourPairs:
        """Returns the neighbours of hosts, those of each sorted by falling stellar mass.

        Of equal ones the larger peak mass, and then the earlier row, comes first.

        Arguments:
            hosts: Rows of the hosts, with shape `[N]`.
            log_m_star: log10 of the stellar masses of all halos [Msun], with shape
                `[H]`.
        """
        place = self.halos.wrapped(hosts)
        # faster than a tree of the hosts: a shard's hosts lie anywhere in the box
        lists = self._tree.query_ball_point(place, self._reach)
        host = np.repeat(np.arange(len(hosts)), [len(found) for found in lists])
        index = np.fromiter(chain.from_iterable(lists), np.int64, len(host))
        apart = (self._tree.data[index] != place[host]).any(axis=1)
        host = host[apart]
        neighbour = self._rows[index[apart]]
        peak = self.halos.log_m_peak[neighbour]
        order = np.lexsort((neighbour, -peak, -log_m_star[neighbour], host))
        return NeighbourPairs(host[order], neighbour[order])


def motions(
    halos: Halos, hosts: IntArray, neighbours: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Returns distance [kpc], radial and tangential velocity [km/s], of neighbours seen from hosts.

    Physical velocities: the difference of the peculiar ones and the expansion between
    both.

    Arguments:
        halos: The snapshot.
        hosts: Rows of the hosts, with shape `[K]`.
        neighbours: Rows of one neighbour of each, at another place, with shape `[K]`.
    """
    separation = halos.position[neighbours] - halos.position[hosts]
    # the nearest of the periodic images
    separation = halos.kpc * (separation - halos.box * np.round(separation / halos.box))
    # in double precision: a difference of two large bulk flows may be small
    peculiar = halos.velocity[neighbours].astype(np.float64) - halos.velocity[hosts]
    velocity = peculiar + halos.universe.hubble_rate(halos.scale) * separation
    r = np.linalg.norm(separation, axis=1)
    direction = separation / r[:, None]
    v_r = np.einsum("ki,ki->k", velocity, direction)
    return r, v_r, np.linalg.norm(velocity - v_r[:, None] * direction, axis=1)


def distance_larger(halos: Halos, hosts: IntArray) -> FloatArray:
    """Returns the distances `[N]` to the nearest halo of larger virial mass [physical kpc].

    Infinite for the most massive halo of the box. Each host is looked up in a tree of
    the most massive halos, as many as the next power of two to the number of those
    larger than it: at least half of them are larger, so a few nearest ones nearly
    always suffice.

    Arguments:
        halos: The snapshot.
        hosts: Rows of the hosts, with shape `[N]`.
    """
    falling = np.argsort(-halos.log_m_vir, kind="stable")
    larger = np.searchsorted(
        -halos.log_m_vir[falling], -halos.log_m_vir[hosts], side="left"
    )
    place = halos.wrapped(hosts)
    distance = np.full(len(hosts), np.inf)
    size = 2 ** np.ceil(np.log2(np.maximum(larger, 1))).astype(np.int64)
    for number in np.unique(size[larger > 0]):
        mine = (size == number) & (larger > 0)
        distance[mine] = nearest_larger(
            halos.tree(falling[:number]), place[mine], larger[mine]
        )
    return distance * halos.kpc


def within_larger(halos: Halos, hosts: IntArray, isolation: float) -> NDArray[np.bool_]:
    """Returns whether hosts `[N]` lie within the virial radius of a larger halo.

    Arguments:
        halos: The snapshot.
        hosts: Rows of the hosts, with shape `[N]`.
        isolation: All larger halos are farther than this [physical kpc].
    """
    radius = halos.universe.virial_radius(halos.log_m_vir, halos.scale)
    wide = np.flatnonzero(radius > isolation)
    found = halos.tree(hosts).query_ball_point(
        halos.wrapped(wide), radius[wide] / halos.kpc
    )
    within = np.zeros(len(hosts), np.bool_)
    for around, rows in zip(wide, found, strict=True):
        larger = halos.log_m_vir[around] > halos.log_m_vir[hosts[rows]]
        within[np.asarray(rows, np.int64)[larger]] = True
    return within


def distance_cluster(
    halos: Halos, hosts: IntArray, log_m_cluster: float = 14.0
) -> FloatArray:
    """Returns the distances `[N]` to the nearest other halo of a cluster's mass [physical kpc].

    Infinite for a host that is the only cluster of the box.

    Arguments:
        halos: The snapshot.
        hosts: Rows of the hosts, with shape `[N]`.
        log_m_cluster: Clusters have virial masses above this [dex(solMass)].

    Raises:
        ValueError: If the box holds no cluster: then no distance means what it means
            elsewhere.
    """
    clusters = np.flatnonzero(halos.log_m_vir > log_m_cluster)
    if not len(clusters):
        raise ValueError(
            f"no halo at scale factor {halos.scale:g} in the box of {halos.box:g} Mpc/h is above "
            f"{log_m_cluster:g} dex(solMass); the largest has {halos.log_m_vir.max(initial=0):.2f}:"
            " leave this snapshot out, or lower log_m_cluster for all snapshots and compare only"
            " with distances to halos of that mass"
        )
    # two of them, because a host that is a cluster finds itself first
    distance, index = halos.tree(clusters).query(halos.wrapped(hosts), k=[1, 2])
    other = np.append(clusters, -1)[index] != np.asarray(hosts)[:, None]
    return np.where(other, distance, np.inf).min(axis=1) * halos.kpc
