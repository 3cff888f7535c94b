"""How fast systems are found among a million halos. The aim: under 60 s on two cores.

    python tests/benchmarks/neighbours.py
    python tests/benchmarks/neighbours.py --hosts 10000 --halos 100000   # a tenth of it

The last line is one JSON object. Halos are drawn that have the numbers, masses and
crowding of real ones but no dynamics: centrals from a mass function, two thirds of them
in groups, and satellites in proportion to their hosts' masses. Every stage is timed for
all centrals, also where the selection would leave most of them out before: wall time,
and CPU time of this one process, which a busy machine changes least. `selection` is the
real order of the cuts, for comparison, and not summed up.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from halomass.hosts import neighbours
from halomass.hosts.neighbours import Halos, IntArray, Neighbourhood
from halomass.hosts.options import HostSelection
from halomass.hosts.selection import assign_split, find_hosts
from halomass.systems import SCHEMA, FloatArray
from orrery import runs, terminal
from orrery.execution import cluster
from orrery.identity import JSON
from orrery.parameters import generator
from orrery.records import Records

LIGHTEST, HEAVIEST, KNEE = 9.7, 15.0, 14.3  # [dex(solMass)] of centrals
SLOPE = -0.9  # of the number of halos above a mass
GROUPS, IN_GROUPS = 3000, 2 / 3
BATCH = 4096  # hosts of one shard


@dataclass(frozen=True)
class Neighbours:
    """Times the search for hosts and neighbours."""

    halos: int = 1_000_000
    """How many halos."""
    hosts: int = 100_000
    """How many of them are centrals."""
    box: float = 64.0
    """Side of the box, comoving [Mpc/h]."""
    minimum: int = 10
    """The smallest number of neighbours of a host in the selection."""
    seed: int = 1
    """Decides everything random."""


def main(options: Neighbours) -> None:
    """Prints what was measured."""
    halos = draw(options)
    terminal.say(f"{len(halos)} halos, {options.hosts} of them central")
    with cluster.one_thread():
        measured = measure(halos, options)
    print(json.dumps(measured))


def draw(options: Neighbours) -> Halos:
    """Returns centrals, then their satellites."""
    random = generator(options.seed)
    log_m, place = masses(options.hosts, random), centres(options, random)
    share = 10 ** (log_m - log_m.max())
    owner = random.choice(
        options.hosts, options.halos - options.hosts, p=share / share.sum()
    )
    log_m = np.concatenate([log_m, log_m[owner] + satellites(len(owner), random)])
    radius = (
        0.2 * 10 ** ((log_m[owner] - 12) / 3) * random.uniform(size=len(owner)) ** 0.8
    )
    direction = random.normal(size=(len(owner), 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    number = np.arange(options.halos)
    return Halos(
        id=number,
        descid=np.full(options.halos, -1),
        upid=np.concatenate([np.full(options.hosts, -1), owner]),
        position=np.concatenate([place, place[owner] + radius[:, None] * direction])
        % options.box,
        velocity=random.normal(0, 200, (options.halos, 3)).astype(np.float32),
        log_m_vir=log_m.astype(np.float32),
        log_m_peak=np.maximum(log_m + 0.1, 8.01).astype(np.float32),
        log_m_star=random.normal(6, 1, options.halos).astype(np.float32),
        vmax=random.uniform(5, 200, options.halos).astype(np.float32),
        box=options.box,
        scale=1.0,
    )


def masses(count: int, random: np.random.Generator) -> FloatArray:
    """Returns log10 of masses [Msun] from a power law that ends at clusters; three always exist."""
    grid = np.linspace(LIGHTEST, HEAVIEST, 1000)
    above = 10 ** (SLOPE * (grid - LIGHTEST)) * np.exp(-(10 ** (grid - KNEE)))
    log_m = np.interp(
        random.uniform(above[-1], above[0], count), above[::-1], grid[::-1]
    )
    log_m[:3] = np.maximum(log_m[:3], (14.1, 14.2, 14.3))
    return log_m


def centres(options: Neighbours, random: np.random.Generator) -> FloatArray:
    """Returns places [Mpc/h], most of them in groups of 1 Mpc/h."""
    place = random.uniform(0, options.box, (options.hosts, 3))
    grouped = random.uniform(size=options.hosts) < IN_GROUPS
    groups = random.uniform(0, options.box, (GROUPS, 3))
    member = random.integers(GROUPS, size=int(grouped.sum()))
    place[grouped] = groups[member] + random.normal(size=(len(member), 3))
    return place % options.box


def satellites(count: int, random: np.random.Generator) -> FloatArray:
    """Returns log10 of the masses of satellites relative to their hosts, from 1e-4 to 1/10."""
    return np.log10(random.uniform(0.1**SLOPE, 1e-4**SLOPE, count)) / SLOPE


def measure(halos: Halos, options: Neighbours) -> JSON:
    """Returns the times of all stages [s], and how many there were of what."""
    central, chosen = (
        np.flatnonzero(halos.upid == -1),
        HostSelection(minimum=options.minimum),
    )
    around = Neighbourhood(halos, chosen.radius, chosen.log_m_peak)
    results: dict[str, Any] = {}
    times: dict[str, list[float]] = {}

    def stage(name: str, action: Callable[[], Any]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        results[name] = action()
        times[name] = [time.perf_counter() - wall, time.process_time() - cpu]

    stage("tree", lambda: around.count(central[:1]))
    stage("search", lambda: around.count(central))
    stage("larger", lambda: neighbours.distance_larger(halos, central))
    stage("isolation", lambda: results["larger"] > chosen.isolation)
    stage("cluster", lambda: neighbours.distance_cluster(halos, central))
    stage(
        "records", lambda: fill(around, central, results["larger"], results["cluster"])
    )
    total = [sum(values) for values in zip(*times.values(), strict=True)]
    stage("selection", lambda: find_hosts(around, chosen))
    return {
        "halos": len(halos),
        "hosts": len(central),
        "neighbours": results["records"],
        "isolated": int(results["isolation"].sum()),
        "selected": len(results["selection"].row),
        "seconds": round(total[0], 2),
        "cpu_seconds": round(total[1], 2),
        "stages": {name: round(wall, 3) for name, (wall, _) in times.items()},
        "cpu_stages": {name: round(cpu, 3) for name, (_, cpu) in times.items()},
    }


def fill(
    around: Neighbourhood, hosts: IntArray, larger: FloatArray, clusters: FloatArray
) -> int:
    """Makes the Arrow tables of hosts, shard by shard, and returns the number of neighbours."""
    parts = np.array_split(np.arange(len(hosts)), 1 + len(hosts) // BATCH)
    return sum(
        shard(around, hosts[part], larger[part], clusters[part]) for part in parts
    )


def shard(
    around: Neighbourhood, hosts: IntArray, larger: FloatArray, clusters: FloatArray
) -> int:
    """Makes one Arrow table and returns the number of neighbours."""
    halos = around.halos
    pairs = around.pairs(hosts, halos.log_m_star)
    motion = neighbours.motions(halos, hosts[pairs.host], pairs.neighbour)
    x = halos.position[hosts, 0] / halos.box
    scalars = {
        **{
            "index": hosts,
            "log_m_vir": halos.log_m_vir[hosts],
            "id": halos.id[hosts],
            "x": x,
        },
        **{
            "scale": np.full(len(hosts), halos.scale),
            "split": assign_split(x, HostSelection()),
        },
        **{"distance_larger": larger, "distance_cluster": clusters},
    }
    sizes = {
        n: getattr(halos, n)[pairs.neighbour]
        for n in ("log_m_star", "log_m_peak", "vmax")
    }
    particles = dict(zip(("r", "v_r", "v_t"), motion, strict=True)) | sizes
    offsets = np.searchsorted(pairs.host, np.arange(len(hosts) + 1)).astype(np.int32)
    Records(scalars, particles, offsets).table(SCHEMA, {})
    return len(pairs.host)


if __name__ == "__main__":
    runs.main(main, Neighbours)
