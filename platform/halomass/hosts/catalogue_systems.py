"""Systems of halo catalogues: the hosts of all snapshots with their neighbours, as records.

Hosts of later snapshots come first. Each process keeps the hosts of all snapshots, and
the halos of two.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from halomass import systems
from halomass.hosts import neighbours
from halomass.hosts.neighbours import Halos, IntArray, Neighbourhood
from halomass.hosts.options import HostSelection
from halomass.hosts.selection import (
    SelectedHosts,
    assign_split,
    counted_hosts,
    final_positions,
    find_hosts,
)
from halomass.hosts.snapshots import Snapshot
from halomass.mock import stellar_mass
from halomass.systems import FloatArray
from halomass.universe import Universe
from orrery.identity import JSON
from orrery.parameters import generator
from orrery.records import Records, Schema

VERSION = 7  # of the hosts and their neighbours; raised whenever their numbers change

# The two random streams of a snapshot.
_ORDER_DRAW = 0
_STARS_DRAW = 1


class HaloDataset(Protocol):
    """A dataset of halos that `catalogue` read: its files, and what it says of itself.

    Example:
        >>> from types import SimpleNamespace
        >>> cosmology = {"hubble": 0.7, "omega_matter": 0.3}
        >>> reader = {"simulator": {"box": 64.0, "scale": 1.0, **cosmology}}
        >>> one: HaloDataset = SimpleNamespace(
        ...     files=(), checksums=(), fingerprint="5e1f", metadata=reader
        ... )
        >>> CatalogueSystems.of([one], HostSelection()).snapshots[0].scale
        1.0
    """

    @property
    def files(self) -> tuple[Path, ...]: ...
    @property
    def checksums(self) -> tuple[str, ...]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def metadata(self) -> JSON: ...


@dataclass(frozen=True)
class CatalogueSystems:
    """Makes systems of halo catalogues: record i is host i.

    Hosts of later snapshots come first, those of one snapshot in an order drawn from
    the seed, so that the first ones are a fair sample of the box. Records beyond the
    last host, which fill its shard, have no neighbours and no finite value. Each
    process keeps the hosts of all snapshots, and the halos of two. Hosts of the tests are
    those of the latest snapshot alone.

    Where a catalogue has no stellar masses they are drawn from the relation with the
    peak mass, for each snapshot anew.

    Arguments:
        snapshots: One or more snapshots of one box, in any order.
        selection: Which halos are hosts and neighbours.

    Example:
        >>> parts = [Snapshot((), f"at {a}", 64.0, a) for a in (0.9, 1.0)]
        >>> systems_of = CatalogueSystems(tuple(parts), HostSelection(minimum=25))
        >>> [snapshot.scale for snapshot in systems_of.latest_first]
        [1.0, 0.9]
    """

    snapshots: tuple[Snapshot, ...]
    selection: HostSelection = field(default_factory=HostSelection)

    def __post_init__(self) -> None:
        boxes, scales = (
            [getattr(s, n) for s in self.snapshots] for n in ("box", "scale")
        )
        if not boxes or len(set(boxes)) > 1 or len(set(scales)) < len(scales):
            raise ValueError(
                f"snapshots of boxes {boxes} Mpc/h at scale factors {scales}: give at least one, "
                "all of one box, each scale factor once"
            )
        universes = {snapshot.universe for snapshot in self.snapshots}
        if len(universes) > 1:
            raise ValueError(
                f"snapshots of {len(universes)} universes, {', '.join(map(str, universes))}: give "
                "those of one simulation, or say --cosmology where files do not say it"
            )

    @classmethod
    def of(
        cls, halos: Sequence[HaloDataset], selection: HostSelection
    ) -> "CatalogueSystems":
        """Returns the systems of datasets of halos, one for each snapshot."""
        readers = [dataset.metadata["simulator"] for dataset in halos]
        snapshots = tuple(
            Snapshot(
                dataset.files,
                dataset.fingerprint,
                reader["box"],
                reader["scale"],
                dataset.checksums,
                Universe(reader["hubble"], reader["omega_matter"]),
            )
            for dataset, reader in zip(halos, readers, strict=True)
        )
        return cls(snapshots, selection)

    @property
    def latest_first(self) -> tuple[Snapshot, ...]:
        """The snapshots by falling scale factor; their numbers count in this order."""
        return tuple(sorted(self.snapshots, key=lambda snapshot: -snapshot.scale))

    @property
    def count(self) -> int:
        """The number of hosts.

        Raises:
            ValueError: If there is none.
        """
        return len(_hosts(self).row)

    @property
    def cuts(self) -> list[JSON]:
        """What is left out of each snapshot.

        How many halos are remnants and no neighbours, and by what; and how many hosts on
        the side of the tests are none, since they are not of the latest snapshot.
        """
        return list(_hosts(self).cuts)

    @property
    def schema(self) -> Schema:
        """The columns of the records."""
        return systems.SCHEMA

    @property
    def gpus(self) -> float:
        """None is needed."""
        return 0.0

    @property
    def versions(self) -> dict[str, int]:
        """The version of the code that decides the records."""
        return {"hosts": VERSION}

    def describe(self) -> JSON:
        """Returns all that decides the records, as plain JSON."""
        return {
            "snapshots": [snapshot.describe() for snapshot in self.latest_first],
            "selection": asdict(self.selection),
            "versions": self.versions,
            "about": {"model": "systems of halo catalogues"},
        }

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        """Returns the systems of the given numbers.

        Arguments:
            seed: Decides the order of hosts, and stellar masses where the catalogue has
                none.
            indices: The systems' numbers.

        Raises:
            ValueError: If the halos cannot be read, or none is a host.
        """
        hosts = _hosts(self)
        index = np.asarray(indices, np.int64)
        there = index < len(hosts.row)
        # numbers beyond the last host take any host's values, which are masked below
        chosen = _order(self, seed)[np.where(there, index, 0)]
        scalars = {
            name: np.where(there, values[chosen], _ABSENT[name])
            for name, values in hosts.scalars.items()
        }
        parts = [_nothing()]
        for number in np.unique(hosts.snapshot[chosen[there]]):
            mine = np.flatnonzero(there & (hosts.snapshot[chosen] == number))
            parts.append(
                self._neighbours(seed, int(number), hosts.row[chosen[mine]], mine)
            )
        owner, particles = _together(parts)
        offsets = np.searchsorted(owner, np.arange(len(index) + 1)).astype(np.int32)
        return Records({"index": index, **scalars}, particles, offsets)

    def _neighbours(
        self, seed: int, number: int, rows: IntArray, records: IntArray
    ) -> "_Part":
        """Returns the neighbours of hosts of one snapshot, and to which records they belong."""
        around = _around(self.latest_first[number], self.selection)
        stars = _stars(self, seed, number)
        pairs = around.pairs(rows, stars)
        r, v_r, v_t = neighbours.motions(
            around.halos, rows[pairs.host], pairs.neighbour
        )
        return records[pairs.host], {
            "r": r,
            "v_r": v_r,
            "v_t": v_t,
            "log_m_star": stars[pairs.neighbour],
            "log_m_peak": around.halos.log_m_peak[pairs.neighbour],
            "vmax": around.halos.vmax[pairs.neighbour],
        }


_Part = tuple[IntArray, dict[str, NDArray[Any]]]  # records [K], particle columns [K]


# A record without a host; it is never trained on.
_ABSENT = {
    column.name: {"id": -1, "split": systems.TEST}.get(column.name, np.nan)
    for column in systems.SCHEMA.scalars
}


def _nothing() -> _Part:
    return np.empty(0, np.int64), {
        c.name: np.empty(0) for c in systems.SCHEMA.particles
    }


def _together(parts: list[_Part]) -> _Part:
    owner = np.concatenate([owner for owner, _ in parts])
    order = np.argsort(owner, kind="stable")
    return owner[order], {
        column.name: np.concatenate([p[column.name] for _, p in parts])[order].astype(
            column.dtype
        )
        for column in systems.SCHEMA.particles
    }


@dataclass(frozen=True, eq=False)
class _HostsOfAll:
    """The hosts of all snapshots, later snapshots first: number, row, and scalar columns, `[N]`."""

    snapshot: IntArray
    row: IntArray
    scalars: dict[str, NDArray[Any]]
    cuts: tuple[JSON, ...]


# A process works for one or two selections; what it built for others may go.
@lru_cache(maxsize=2)
def _around(snapshot: Snapshot, selection: HostSelection) -> Neighbourhood:
    return Neighbourhood(
        snapshot.read(), selection.radius, selection.log_m_peak, selection.threshold
    )


@lru_cache(maxsize=2)
def _hosts(chosen: CatalogueSystems) -> _HostsOfAll:
    # from the last snapshot backwards: where halos end is known from the later ones
    later = None
    parts = []
    cuts = []
    for number, snapshot in enumerate(chosen.latest_first):
        around = _around(snapshot, chosen.selection)
        hosts = find_hosts(around, chosen.selection)
        later = final_positions(around.halos, later)
        scalars = _scalars(around.halos, hosts, later.x[hosts.row], chosen.selection)
        parts.append((np.full(len(hosts.row), number), hosts.row, scalars))
        cuts.append({"scale": snapshot.scale, **around.remnants.describe()})
    numbers, rows, tables = zip(*parts, strict=True)
    if not sum(map(len, rows)):
        raise ValueError(
            f"no halo is a host by {chosen.selection}: lower minimum or isolation, or give a "
            "catalogue that resolves smaller halos"
        )
    columns = {
        name: np.concatenate([table[name] for table in tables]) for name in tables[0]
    }
    every = _HostsOfAll(
        np.concatenate(numbers), np.concatenate(rows), columns, tuple(cuts)
    )
    return _tested_latest(every)


def _tested_latest(hosts: _HostsOfAll) -> _HostsOfAll:
    """Returns the hosts without tests of any snapshot but the latest."""
    counts = counted_hosts(hosts.scalars["split"], hosts.snapshot)
    left_out = np.bincount(hosts.snapshot[~counts], minlength=len(hosts.cuts))
    cuts = [
        {**cut, "not_tested": number}
        for cut, number in zip(hosts.cuts, left_out.tolist(), strict=True)
    ]
    return _HostsOfAll(
        hosts.snapshot[counts],
        hosts.row[counts],
        {name: values[counts] for name, values in hosts.scalars.items()},
        tuple(cuts),
    )


def _scalars(
    halos: Halos, hosts: SelectedHosts, x: FloatArray, selection: HostSelection
) -> dict[str, NDArray[Any]]:
    return {
        "log_m_vir": halos.log_m_vir[hosts.row].astype(np.float64),
        "id": halos.id[hosts.row],
        "scale": np.full(len(hosts.row), halos.scale),
        "x": x,
        "split": assign_split(x, selection),
        "distance_larger": hosts.distance_larger,
        "distance_cluster": hosts.distance_cluster,
    }


@lru_cache(maxsize=2)
def _order(chosen: CatalogueSystems, seed: int) -> IntArray:
    numbers = _hosts(chosen).snapshot
    blocks = [np.flatnonzero(numbers == i) for i in range(len(chosen.snapshots))]
    drawn = [
        generator(seed, i, _ORDER_DRAW).permutation(block)
        for i, block in enumerate(blocks)
    ]
    return np.concatenate(drawn)


@lru_cache(maxsize=2)
def _stars(chosen: CatalogueSystems, seed: int, number: int) -> FloatArray:
    # for all halos at once, so that a halo has one mass for all hosts that it is near
    halos = _around(chosen.latest_first[number], chosen.selection).halos
    if halos.log_m_star.any():
        return halos.log_m_star
    random = generator(seed, number, _STARS_DRAW)
    return stellar_mass.draw_log_stellar_mass(halos.log_m_peak, random)
