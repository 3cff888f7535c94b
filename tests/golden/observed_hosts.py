"""Records of observed hosts: satellites of the Milky Way, and tables of others' neighbours."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from astropy import units
from astropy.table import Table
from numpy.typing import NDArray

from halomass.observed import (
    host_neighbours,
    milky_way,
    neighbour_tables,
    satellite_columns,
    survival,
)
from halomass.observed.features import Features, NeighbourSet
from halomass.observed.host_neighbours import Neighbours
from halomass.observed.plain_table import PlainTable
from halomass.observed.satellite_table import SatelliteTable
from orrery.parameters import generator

from .quantities import Record, quantity

SEED = 20251126
Columns = dict[str, NDArray[Any]]


def observed_hosts() -> Record:
    """Returns the Milky Way by three columns of brightness, and a host by all columns of mass."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        record = {**_milky_way(place), **_masses(place), **_forms(place)}
        record |= {**_environments(place), **_refused(), **_ratios(place)}
    v_peak = np.array([8.0, 30.0, 150.0])
    return record | {
        "median_v_peak": quantity(survival.median_v_peak(np.array([7.0, 10.0, 12.0]))),
        "log_m_peak": quantity(survival.log_m_peak_of(v_peak)),
    }


def _milky_way(folder: Path) -> Record:
    """Returns satellites as seen from the Sun, some of them beyond the largest distance."""
    random = generator(SEED, 40)
    count = 30
    sky = {
        "name": [f"s{i}" for i in range(count)],
        "ra_deg": random.uniform(0.0, 360.0, count),
        "dec_deg": random.uniform(-80.0, 80.0, count),
        "dist_kpc": np.linspace(20.0, 275.0, count),
        "vlos_kms": random.normal(0.0, 150.0, count),
        "pmra_masyr": random.normal(0.0, 0.5, count),
        "pmdec_masyr": random.normal(0.0, 0.5, count),
    }
    magnitude = random.uniform(-18.0, -2.0, count)
    record: Record = {}
    for title, values in (
        ("log10_Mstar_ML1", 0.4 * (5.0 - magnitude)),
        ("M_V", magnitude),
        ("V0_mag", magnitude + 20.0),
    ):
        path = folder / f"{title}.csv"
        Table({**sky, title: values}).write(path, format="ascii.csv")
        record |= _host(title, milky_way.read_satellites(path))
    moduli = 5 * np.log10(sky.pop("dist_kpc")) + 10
    path = folder / "moduli.csv"
    Table({**sky, "dist_modulus": moduli, "M_V": magnitude}).write(
        path, format="ascii.csv"
    )
    record |= _host("distance_modulus", milky_way.read_satellites(path))
    around = milky_way.MILKY_WAY_ENVIRONMENT
    return record | {
        "environment": quantity([*vars(around).values()]),
        "sun": quantity(milky_way.ASTROPY_SUN_VELOCITY),
    }


def _refused() -> Record:
    """Returns which values are refused, just within and just beyond what can be meant."""
    described = {d.quantity: d for d in satellite_columns.SATELLITE_COLUMNS}
    ends = [
        (described[name].lower, described[name].upper)
        for name in satellite_columns.MEASURED
    ]
    refused = [
        bool(_satellite(title, v).incomplete[0])
        for title, name in (("M_V", "m_v"), ("log10_Mstar_ML1", "log_m_star"))
        for end in (described[name].lower, described[name].upper)
        for v in (end - 0.05, end + 0.05)
    ]
    return {
        "refused.limits": quantity(ends),
        "refused.stars": quantity(refused),
        "refused.masses": quantity(_refused_masses()),
        "refused.distances": quantity(
            [
                _is_refused(_plain(r=[r], v_r=[0.0], v_t=[0.0]).orbits)
                for r in (9.95, 10.0)
            ]
        ),
    }


def _satellite(title: str, value: float) -> SatelliteTable:
    """Returns a satellite of which one column is known to be sound or not."""
    seen = {"ra_deg": 10.5, "dec_deg": 20.5, "dist_kpc": 80.5, "vlos_kms": 0.5}
    seen |= {"pmra_masyr": 0.5, "pmdec_masyr": 0.5, title: value}
    columns = {name: [number] for name, number in seen.items()}
    return SatelliteTable.of(Table({"name": ["a"], **columns}), "a.csv")


def _refused_masses() -> list[bool]:
    """Returns which masses are refused: no logarithms, no others' units, none that is too small."""
    said = []
    for log_mass in (-0.01, 0.01, 4.99, 5.01, 14.99, 15.01):
        for what in ("log_m_peak", "log_m_star"):
            table = _plain(**{what: [log_mass]})
            refused = _is_refused(partial(table.log_masses, what))
            said.append(refused or bool(np.isnan(table.log_masses(what))[0]))
    return said


def _plain(**columns: list[float]) -> PlainTable:
    return PlainTable.of(Table(columns), "host.csv")


def _is_refused(read: Callable[[], Any]) -> bool:
    try:
        read()
    except ValueError:
        return True
    return False


def _host(name: str, host: Neighbours) -> Record:
    """Returns a host's neighbours: their orbits and stars, and what surrounds the host."""
    counts = host.provenance.get("selection", {}).values()
    return {
        f"{name}.neighbours": quantity(np.stack([*host.orbits, host.log_m_star])),
        f"{name}.environment": quantity([*vars(host.environment).values()]),
        f"{name}.selection": quantity(
            [n for n in counts if isinstance(n, int | float)]
        ),
        f"{name}.warnings": quantity(len(host.warnings)),
    }


# --- tables of other hosts -------------------------------------------------------------------


def _subhalos(count: int = 60) -> Columns:
    """Returns subhalos about the smallest peak mass, the cut of survival, and the radius."""
    random = generator(SEED, 41)
    v_peak = np.round(10.0 ** random.uniform(0.9, 1.9, count), 3)
    # as much of the velocity is left as of few: near the cut, in steps of half a per cent
    left = np.round(v_peak * np.linspace(0.4, 0.7, count)[random.permutation(count)], 3)
    return {
        "x_kpc": np.linspace(30.0, 251.5, count),
        "y_kpc": np.linspace(-8.0, 9.0, count),
        "z_kpc": np.linspace(5.0, -4.0, count),
        "vx_kms": random.normal(0.0, 90.0, count).round(2),
        "vy_kms": random.normal(0.0, 90.0, count).round(2),
        "vz_kms": random.normal(0.0, 90.0, count).round(2),
        "log_m_star": random.uniform(2.0, 9.0, count).round(3),
        "log_m_peak": np.linspace(7.8, 9.8, count).round(3),
        "log_m_vir": np.linspace(7.8, 9.8, count).round(3)
        - random.uniform(-0.2, 2.5, count).round(3),
        "vmax_kms": left,
        "vpeak_kms": v_peak,
        "vacc_kms": (v_peak * np.linspace(0.8, 1.0, count)).round(3),
    }


_MASSES: dict[str, tuple[str, ...]] = {
    "stars": ("log_m_star",),
    "stars_and_peaks": ("log_m_star", "log_m_peak", "log_m_vir"),
    "both_velocities": ("log_m_peak", "vmax_kms", "vpeak_kms"),
    "peaks_and_velocity": ("log_m_peak", "vmax_kms"),
    "both_masses": ("log_m_peak", "log_m_vir"),
    "infall": ("log_m_vir", "vmax_kms", "vacc_kms"),
    "infall_and_peaks": ("log_m_peak", "vmax_kms", "vpeak_kms", "vacc_kms"),
    "peak_velocity": ("vpeak_kms",),
    "peaks": ("log_m_peak",),
    "present": ("log_m_vir",),
}
_PLACE = ("x_kpc", "y_kpc", "z_kpc", "vx_kms", "vy_kms", "vz_kms")


def _masses(folder: Path) -> Record:
    """Returns which subhalos count, and their stars, by each choice of columns."""
    columns = _subhalos()
    record: Record = {}
    for name, titles in _MASSES.items():
        path = folder / f"{name}.csv"
        table = Table({title: columns[title] for title in (*_PLACE, *titles)})
        table.write(path, format="ascii.csv")
        host = neighbour_tables.read_neighbours(path, vmax=60.0)
        rows = [int(row.removeprefix("row ")) for row in host.names]
        stars = host.log_m_star[::4]
        counts = host.provenance["selection"].values()
        record |= {
            f"{name}.rows": quantity(rows),
            f"{name}.log_m_star": quantity(stars),
            f"{name}.selection": quantity(
                [n for n in counts if isinstance(n, int | float)]
            ),
            f"{name}.warnings": quantity(len(host.warnings)),
        }
    kept = [_kept(path, threshold) for threshold in (0.0, 0.5, 0.6)]
    return record | {"threshold": quantity(kept)}


def _ratios(folder: Path) -> Record:
    """Returns how much of the velocity is left of subhalos, by each choice of columns."""
    record: Record = {}
    for name in _MASSES:
        losses = survival.velocity_losses(PlainTable.read(folder / f"{name}.csv"))
        for loss in losses:
            record[f"{name}.ratio.{loss.criterion}"] = quantity(loss.ratio[::6])
    return record


def _kept(path: Path, threshold: float) -> int:
    return len(
        neighbour_tables.read_neighbours(
            path.with_name("both_velocities.csv"), vmax=60.0, threshold=threshold
        )
    )


def _velocities(folder: Path) -> Path:
    """Writes a host as text with titles in a comment: distances in Mpc, masses in Msun."""
    columns = _subhalos(12)
    lines = ["# a host", "# R [Mpc]  V_rad [km/s]  v_tan_kms  Mpeak (Msun)  dnl  vmax"]
    rows = zip(
        columns["x_kpc"] / 1e3,
        columns["vx_kms"],
        np.abs(columns["vy_kms"]),
        10.0 ** columns["log_m_peak"],
        np.full(12, 1234.0),
        columns["vmax_kms"],
        strict=True,
    )
    lines += [" ".join(repr(float(value)) for value in row) for row in rows]
    path = folder / "host.txt"
    path.write_text("\n".join([*lines, ""]))
    return path


def _with_units(folder: Path) -> Path:
    """Writes a host whose units and surroundings stand in the file."""
    columns = _subhalos(12)
    table = Table(meta={"vmax_kms": 71.0, "environment": {"D14_Mpc": 9.5}})
    for axis in "xyz":
        table[axis] = columns[f"{axis}_kpc"] / 1e3 * units.Mpc
        table[f"v_{axis}"] = columns[f"v{axis}_kms"] * 1e3 * units.m / units.s
    table["mstar"] = 10.0 ** columns["log_m_star"] / 1e10 * (1e10 * units.Msun)
    path = folder / "units.ecsv"
    table.write(path, format="ascii.ecsv")
    return path


_FORMS: dict[str, Callable[[Path], Path]] = {
    "velocities": _velocities,
    "units": _with_units,
}


def _forms(folder: Path) -> Record:
    """Returns hosts of other forms, as they are and with the expansion added, and kept again."""
    record: Record = {}
    for name, write in _FORMS.items():
        path = write(folder)
        read = neighbour_tables.read_neighbours(path)
        moving = neighbour_tables.read_neighbours(path, peculiar=True)
        again = folder / f"{name}-again.ecsv"
        neighbour_tables.write_neighbours(read, again)
        record |= _host(name, read)
        record[f"{name}.expansion"] = quantity(moving.orbits.v_r - read.orbits.v_r)
        record |= _host(f"{name}.again", neighbour_tables.read_neighbours(again))
    return record | _seen(read)


def _environments(folder: Path) -> Record:
    """Returns what surrounds a host: of arguments before the table, of typical hosts else."""
    path = folder / "host.txt"
    given = neighbour_tables.read_neighbours(path, vmax=50.0, distance_cluster=8e3)
    bare = neighbour_tables.read_neighbours(folder / "stars.csv", vmax=50.0)
    found = (given, bare)
    return {
        "given": quantity([[*vars(host.environment).values()] for host in found]),
        "assumed": quantity(
            [len(host.provenance.get("environment_assumed", ())) for host in found]
        ),
    }


def _seen(host: Neighbours) -> Record:
    """Returns a host's features, with and without one neighbour, and copies of it."""
    binnings = {
        "ranked": Features(neighbours=5),
        "signed": Features(neighbours=3, radial="asinh"),
        "set": NeighbourSet(largest=20),
    }
    first = host.names[0]
    record: Record = {}
    for name, binning in binnings.items():
        seen = host_neighbours.observation(host, binning)
        left = host_neighbours.observation(host, binning, first)
        record[f"seen.{name}"] = quantity(seen.value)
        record[f"left.{name}"] = quantity(left.value)
    copies = host_neighbours.as_records(host, 2)
    columns = {**copies.scalars, **copies.particles}
    near = len(host_neighbours.within_radius(host, radius=100.0))
    return {
        **record,
        **{f"copies.{name}": quantity(values) for name, values in columns.items()},
        "copies.offsets": quantity(copies.offsets),
        "near": quantity(near),
    }
