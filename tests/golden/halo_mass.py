"""Records of the halo mass: mock universe, catalogues, hosts, features."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from halomass.catalogues.box_edges import wrapped
from halomass.catalogues.catalogue import HALOS, open_catalogue
from halomass.hosts.catalogue_systems import CatalogueSystems
from halomass.hosts.options import HostSelection
from halomass.hosts.selection import assign_split
from halomass.hosts.snapshots import Snapshot
from halomass.mock import mock_universe, populations, surroundings
from halomass.mock.mock_universe import MockUniverse
from halomass.mock.structure import NFWHosts
from halomass.observed import features as observed
from halomass.observed.mock_survey import observe_neighbours
from orrery.parameters import FloatArray, generator
from orrery.records import Records

from .quantities import Record, quantity

SEED = 20251126
MANY = 64  # systems of a mock universe that are kept as averages
FIRST = 3  # particles of a system that are kept one by one

Columns = dict[str, NDArray[Any]]


def mock() -> Record:
    """Returns systems of two mock universes, by orbits and by Jeans' equation."""
    orbits = MockUniverse()
    jeans = MockUniverse(catalogue="VSMDPL/UM", velocities="jeans")
    record = {
        **systems("orbits", orbits.records(SEED, range(8))),
        **systems("jeans", jeans.records(SEED, range(8))),
    }
    # what concerns one host of many shows in few of eight
    record |= averages("orbits.many", orbits.records(SEED, range(MANY)))
    record |= averages("jeans.many", jeans.records(SEED, range(MANY)))
    return record | _surroundings()


def _surroundings() -> Record:
    """Returns mean numbers of neighbours, of which single hosts show little."""
    hosts = NFWHosts(
        np.array([11.0, 11.8, 12.4, 13.0]), np.array([14.0, 10.0, 8.0, 6.0])
    )
    distance = np.geomspace(300.0, 3e4, 4)
    larger = surroundings.expected_number(distance, hosts.log_mass, hosts.log_mass)
    return {
        "falling": quantity(surroundings.expected_neighbours(hosts, 1000.0, 8.0)),
        "near": quantity(surroundings.expected_neighbours(hosts, 250.0, 8.0)),
        "larger": quantity(larger),
        "isolated": quantity(surroundings.isolated_fraction(500.0, hosts.log_mass)),
        **_expected(),
    }


def _expected() -> Record:
    """Returns expected numbers of subhalos and neighbours, from usual hosts to rare ones."""
    universe = MockUniverse()
    mass = np.array([10.6, 12.0, 13.5, 14.9])
    hosts = NFWHosts(mass, np.array([14.0, 10.0, 7.0, 5.0]))
    normal = np.array([-6.0, -1.0, 0.5, 2.0])
    smallest = populations.smallest_ratio(hosts, universe.limits)
    # whose virial radius is well within the largest distance
    light = NFWHosts(mass[0] + np.array([0.0, 0.3, 0.6, 0.9]), hosts.concentration)
    falling = populations.expected_infalling(light, universe.limits, normal)
    chosen = universe.describe()["options"].values()
    choices = [value for value in chosen if isinstance(value, int | float)]
    return {
        "smallest": quantity(smallest),
        "subhalos": quantity(populations.expected_subhalos(smallest, normal)),
        "infalling": quantity(falling),
        "universe": quantity(choices),
        "boxes": quantity([*mock_universe.BOXES.values()]),
        "minor": quantity(_minor(universe.limits)),
    }


def _minor(limits: populations.CatalogueLimits) -> FloatArray:
    """Returns peak masses of satellites that fell in just now, where mergers are major ones."""
    ratio = np.linspace(0.48, 0.52, 41)
    uniform = np.full((6, len(ratio)), 0.5)
    uniform[0] = (ratio / ratio[0]) ** -populations.ABUNDANCE_SLOPE
    uniform[1] = 1.0
    draws = populations.RandomNumbers(
        np.zeros(len(ratio), np.int64), uniform, np.zeros((7, len(ratio)))
    )
    host = NFWHosts(np.array([12.0]), np.array([10.0]))
    far = replace(limits, radius=1e4)
    return populations.surviving_satellites(host, ratio[:1], draws, far).log_m_peak


def systems(name: str, records: Records) -> Record:
    """Returns what is kept of systems: all scalars, and their neighbours in short."""
    record = {f"{name}.{c}": quantity(v) for c, v in records.scalars.items()}
    record[f"{name}.offsets"] = quantity(records.offsets)
    for column, values in records.particles.items():
        parts = np.split(values.astype(np.float64), records.offsets[1:-1])
        there = [part for part in parts if len(part)]
        record[f"{name}.{column}.mean"] = quantity([part.mean() for part in there])
        few = np.concatenate([part[:FIRST] for part in there])
        record[f"{name}.{column}.first"] = quantity(few)
    return record


def averages(name: str, records: Records) -> Record:
    """Returns numbers of neighbours, and moments of all columns over all systems."""
    record = {f"{name}.counts": quantity(np.diff(records.offsets))}
    for column, values in {**records.scalars, **records.particles}.items():
        numbers = values.astype(np.float64)
        moments = (np.nanmean(numbers), np.nanstd(numbers))
        record[f"{name}.{column}.moments"] = quantity(moments)
    return record


# --- catalogues ------------------------------------------------------------------------------


BOX = 20.0  # [Mpc/h]
LISTED = 200


def catalogue() -> Record:
    """Returns the halos of one small catalogue in its three forms."""
    over_the_edge = np.array([-1e-20, -0.5, BOX, BOX + 0.5, BOX - 1e-9])
    with TemporaryDirectory() as folder:
        read = {
            f"{name}.{column}": quantity(values)
            for name, write in FORMS.items()
            for column, values in _read(write(Path(folder) / name)).items()
        }
    return read | {"wrapped": quantity(wrapped(over_the_edge, BOX))}


def _read(path: Path) -> Columns:
    found = open_catalogue(path, BOX).records(0, [0])
    return {**found.scalars, **{c: v[::8] for c, v in found.particles.items()}}


def _listed() -> Columns:
    """Returns halos as catalogues list them: masses in Msun/h, stars in Msun."""
    random = generator(SEED, 1)
    peak = 10.0 ** random.uniform(7.5, 14.0, LISTED)
    # few digits, so that text and single precision keep them
    state = {name: random.integers(0, 20 * 64, LISTED) / 64 for name in "xyz"}
    state |= {f"v{name}": random.integers(-800, 800, LISTED) / 2 for name in "xyz"}
    return {
        "id": 1000 + np.arange(LISTED),
        "descid": np.full(LISTED, -1),
        "upid": np.where(random.random(LISTED) < 0.5, -1, 1000),
        "flags": np.where(random.random(LISTED) < 0.1, 16, 0),
        **state,
        "mpeak": peak,
        "mvir": peak * random.uniform(0.1, 1.0, LISTED),
        "vmax": random.integers(20, 2000, LISTED) / 4,
        "stars": peak / 100 * (random.random(LISTED) < 0.8),
        "v_infall": random.integers(80, 2000, LISTED) / 4,
        "v_peak": random.integers(90, 2200, LISTED) / 4,
    }


def _binary(path: Path) -> Path:
    halos, place = _listed(), ("x", "y", "z", "vx", "vy", "vz")
    dtype = [(n, "<i8") for n in ("id", "descid", "upid")]
    rows = np.zeros(LISTED, [*dtype, ("flags", "<i4"), ("numbers", "<f4", 25)])
    for name in ("id", "descid", "upid", "flags"):
        rows[name] = halos[name]
    # as the UniverseMachine orders its floats
    for column, name in enumerate((*place, "", "", "mpeak", "mvir", "vmax"), start=1):
        rows["numbers"][:, column] = halos[name] if name else 1.0
    rows["numbers"][:, 18] = halos["stars"]
    path.write_bytes(rows.tobytes())
    return path


def _text(path: Path, names: dict[str, str], header: str) -> Path:
    """Writes halos as text, with names in a file's header for each of our columns."""
    halos = {name: values.tolist() for name, values in _listed().items()}
    rows = zip(*(halos[name] for name in names), strict=True)
    lines = [" ".join(str(value) for value in row) for row in rows]
    path.write_text("\n".join([header, *lines, ""]))
    return path


_ASCII = {
    **{"id": "ID", "descid": "DescID", "upid": "UPID", "flags": "Flags"},
    **{name: name.upper() for name in ("x", "y", "z", "vx", "vy", "vz")},
    **{"mvir": "M", "vmax": "V", "mpeak": "MP", "stars": "SM"},
}
_HLIST = {
    **{"id": "id", "descid": "desc_id", "upid": "upid", "mvir": "mvir"},
    **{name: name for name in ("vmax", "x", "y", "z", "vx", "vy", "vz")},
    **{"mpeak": "Mpeak", "v_infall": "Vmax@Mpeak", "v_peak": "Vpeak"},
}


def _ascii(path: Path) -> Path:
    return _text(path, _ASCII, "#" + " ".join(_ASCII.values()))


def _hlist(path: Path) -> Path:
    numbered = [f"{name}({i})" for i, name in enumerate(_HLIST.values())]
    cosmology = "#Omega_M = 0.307000; Omega_L = 0.693000; h0 = 0.678000"
    rest = f"{cosmology}\n#Full box size = {BOX:f} Mpc/h\n#Mvir: Halo mass (Msun/h)."
    return _text(path, _HLIST, f"#{' '.join(numbered)}\n{rest}")


FORMS: dict[str, Callable[[Path], Path]] = {
    "sfr_catalog_1.000000.bin": _binary,
    "sfr_catalog_1.000000.txt": _ascii,
    "hlist_1.00000.list": _hlist,
}


# --- hosts -----------------------------------------------------------------------------------


def hosts() -> Record:
    """Returns the systems of two snapshots, with stars and with stars to be painted on."""
    chosen = HostSelection(minimum=4)
    record: Record = {}
    for name, painted in (("listed", False), ("painted", True)):
        with TemporaryDirectory() as folder:
            snapshots = tuple(
                _snapshot(Path(folder), number, painted) for number in range(2)
            )
            made = CatalogueSystems(snapshots, chosen)
            record[f"{name}.hosts"] = quantity(made.count)
            record |= systems(name, made.records(SEED, range(24)))
            beyond = made.records(SEED, [made.count]).scalars
            record[f"{name}.beyond"] = quantity([float(v[0]) for v in beyond.values()])
    usual = HostSelection()
    place = np.arange(0.0, 1.0, 0.002)
    return record | {
        "selection": quantity([*vars(usual).values()]),
        "splits": quantity(np.bincount(assign_split(place, usual))),
    }


MAIN, SATELLITES = 83, 12


def _snapshot(folder: Path, number: int, painted: bool) -> Snapshot:
    """Returns a snapshot of clusters and hosts, each with satellites; all move along x."""
    columns = _universe(number)
    if painted:
        columns["log_m_star"] = np.zeros_like(columns["log_m_star"])
    count = len(columns["id"])
    chunk = {"index": [0], "rows": [count], "kept": [count]}
    scalars = {name: np.array(values) for name, values in chunk.items()}
    offsets = np.array([0, count], np.int32)
    table = Records(scalars, columns, offsets).table(HALOS, {})
    path = folder / f"{number}.arrow"
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as file,
    ):
        file.write_table(table)
    return Snapshot((path,), f"golden {number} {painted}", BOX, 0.9 + 0.1 * number)


def _universe(number: int) -> Columns:
    random = generator(SEED, 2)
    centre = random.uniform(0.0, BOX, (MAIN, 1, 3))
    centre[..., 0] += 0.2 * number
    away = random.uniform(-0.08, 0.08, (MAIN, 1 + SATELLITES, 3))
    away[:, 0] = 0.0
    place = ((centre + away) % BOX).reshape(-1, 3)
    mass = random.uniform(8.5, 10.5, (MAIN, 1 + SATELLITES))
    mass[:, 0] = [14.5, 14.3, 14.1, *random.uniform(11.0, 13.0, MAIN - 3)]
    halo = np.arange(mass.size).reshape(mass.shape)
    motion = random.normal(0.0, 100.0, (3, mass.size))
    stars = random.normal(6.0, 1.0, mass.size)
    vmax = random.uniform(5.0, 200.0, mass.size)
    v_infall = vmax / random.uniform(0.6, 1.05, mass.size)
    return {
        "id": halo.ravel() + 10_000 * number,
        # the last snapshot has no descendants
        "descid": halo.ravel() + 10_000 if number == 0 else np.full(mass.size, -1),
        "upid": np.where(halo > halo[:, :1], halo[:, :1] + 10_000 * number, -1).ravel(),
        "log_m_vir": mass.ravel(),
        "log_m_peak": mass.ravel() + 0.1,
        "log_m_star": stars,
        "vmax": vmax,
        "v_infall": v_infall,
        "v_peak": 1.2 * v_infall,
        **dict(zip("xyz", place.T, strict=True)),
        **dict(zip(("vx", "vy", "vz"), motion, strict=True)),
    }


# --- features --------------------------------------------------------------------------------


def features() -> Record:
    """Returns features of synthetic systems, ranked and as a set, with errors and without."""
    binnings = {
        "ranked": observed.Features(neighbours=8),
        "perfect": observed.Features(neighbours=8, errors=False, detectability=False),
        "signed": observed.Features(neighbours=5, radial="asinh", seed=3),
        "set": observed.NeighbourSet(largest=12),
    }
    records = _neighbours()
    found = {
        name: quantity(observed.features(records, binning))
        for name, binning in binnings.items()
    }
    # about a tenth of them have no stars at all, and are never found
    dim = _neighbours()
    dim.particles["log_m_star"][:] = dim.particles["log_m_star"] - 2.3
    every = observed.Features(neighbours=3, errors=False, detectability=False)
    seen = observed.Features(neighbours=3, detectability=False)
    slow = _neighbours()
    for column in ("v_r", "v_t", "vmax"):
        slow.particles[column][:] = slow.particles[column] * 1e-3
    return found | {
        "dim": quantity(observe_neighbours(dim, every, 3).count),
        "slow": quantity(observed.features(slow, every)),
        "slow.seen": quantity(observed.features(slow, seen)),
    }


def _neighbours(count: int = 8) -> Records:
    random = generator(SEED, 3)
    sizes = np.append(random.integers(20, 60, count - 1), 2)
    total = int(sizes.sum())
    radial = random.choice([-1.0, 1.0], total) * random.uniform(0.0, 200.0, total)
    particles = {
        "r": random.uniform(5.0, 250.0, total),
        "v_r": radial,
        "v_t": random.uniform(1.0, 300.0, total),
        "log_m_star": 2.0 + random.exponential(1.2, total),
        "vmax": random.uniform(5.0, 80.0, total),
    }
    return Records(
        {
            "index": np.arange(count),
            "distance_larger": random.uniform(500.0, 3000.0, count),
            "distance_cluster": random.uniform(5e3, 3e4, count),
        },
        {name: values.astype(np.float32) for name, values in particles.items()},
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
    )
