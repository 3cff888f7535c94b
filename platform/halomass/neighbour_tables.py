"""One host's neighbours as a table: the Milky Way's satellites, or the subhalos of any other host.

Tables name their columns and units in many ways, but say the same few things: how many stars a
neighbour has, where it is and how it moves relative to the host, and what surrounds the host. They
become `Neighbours`, and these the same features as those of simulated hosts. Values are taken as
they are: observed ones have their errors already. A simulated host has none, and can be looked at
with errors as often as one likes (`as_records`).
"""

import hashlib
import io
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units
from astropy.table import Table
from numpy.typing import NDArray

from halomass import cosmology, stellar_mass
from halomass.errors import ENVIRONMENT, Orbits
from halomass.features import Features, NeighbourSet, Seen
from halomass.systems import RADIUS, FloatArray
from orrery.records import JSON, Observation, Records

KPC, KMS, MSUN = units.kpc, units.km / units.s, units.Msun
DEX = units.dex(MSUN)

# The names that columns may have, in small letters and without an ending that tells the unit.
_NAMES = {
    "log_m_star": ("log_m_star", "log10_m_star", "log_mstar", "log10_mstar", "log10_mstar_ml1"),
    "m_star": ("m_star", "mstar", "stellar_mass"),
    "log_m_peak": ("log_m_peak", "log10_m_peak", "log_mpeak", "log10_mpeak"),
    "m_peak": ("m_peak", "mpeak"),
    "log_m": ("log_m", "log10_m", "log_mass", "log10_mass", "log_m_vir", "log_mvir", "log10_mvir"),
    "m": ("m", "mass", "m_vir", "mvir", "m200", "m200c", "msub", "m_sub"),
    "r": ("r", "distance", "dist"),
    "v_r": ("v_r", "vr", "v_rad"),
    "v_t": ("v_t", "vt", "v_tan"),
    **{axis: (axis,) for axis in ("x", "y", "z")},
    **{f"v{axis}": (f"v{axis}", f"v_{axis}") for axis in ("x", "y", "z")},
    "vmax": ("vmax", "v_max"),
    "distance_larger": ("distance_larger", "dnl"),
    "distance_cluster": ("distance_cluster", "d14"),
    "name": ("name", "id", "haloid", "halo_id"),
}
_MASSES = ("log_m_star", "m_star", "log_m_peak", "m_peak", "log_m", "m")  # the best one first
_ENDINGS = {
    "_kpc": KPC,
    "_mpc": units.Mpc,
    "_kms": KMS,
    "_km_s": KMS,
    "_msun": MSUN,
}
_FORMATS = {
    ".ecsv": "ascii.ecsv",
    ".csv": "ascii.csv",
    ".fits": "fits",
    ".txt": "ascii",
    ".dat": "ascii",
}
_LOG_MASSES = (0.0, 15.0)  # [dex(solMass)] outside of which a mass is in other units
_DECIMALS = 5  # of written kpc, km/s and dex
_COLUMNS = {
    "name": (None, "neighbour"),
    "r": ("kpc", "distance from the host's centre"),
    "v_r": ("km / s", "radial velocity relative to the host, expansion included"),
    "v_t": ("km / s", "tangential velocity relative to the host"),
    "log_m_star": ("dex(solMass)", "log10 of the stellar mass"),
}


@dataclass(frozen=True)
class Environment:
    """What surrounds a host.

    Arguments:
        vmax: The largest circular velocity of the most massive satellite [km/s].
        distance_larger: The distance to the nearest halo of larger mass [kpc].
        distance_cluster: The distance to the nearest halo above 1e14 Msun [kpc].
    """

    vmax: float
    distance_larger: float
    distance_cluster: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < np.inf:
                raise ValueError(f"environment: {name} is {value}: give a number above 0")


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
    """

    name: str
    names: tuple[str, ...]
    orbits: Orbits
    log_m_star: FloatArray
    environment: Environment
    provenance: JSON = field(default_factory=dict)

    def __post_init__(self) -> None:
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        if twice:
            raise ValueError(f"{self.name}: {twice[0]!r} is there twice: leave one of them out")
        columns = {**self.orbits._asdict(), "log_m_star": self.log_m_star}
        lowest = {"r": np.nextafter(0, 1), "v_t": 0.0}
        for title, column in columns.items():
            good = np.isfinite(column) & (column >= lowest.get(title, -np.inf))
            if not good.all():
                row = int(np.argmin(good))
                raise ValueError(
                    f"{self.name}: {title} of {self.names[row]!r} is {column[row]}: give it a "
                    "value, or leave the row out; the host is no neighbour of itself"
                )

    def __len__(self) -> int:
        return len(self.names)

    def keep(self, chosen: Sequence[int] | NDArray[np.int64]) -> "Neighbours":
        """Returns the neighbours with the given numbers, in that order."""
        rows = np.asarray(chosen, dtype=np.int64)
        orbits = Orbits(*(column[rows] for column in self.orbits))
        names = tuple(self.names[i] for i in rows)
        return replace(self, names=names, orbits=orbits, log_m_star=self.log_m_star[rows])

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


def within(table: Neighbours, radius: float = RADIUS) -> Neighbours:
    """Returns the neighbours within a distance [kpc] of the host, those with the most stars first.

    Raises:
        ValueError: If there are none.
    """
    near = np.flatnonzero(table.orbits.r <= radius)
    if len(near) == 0:
        raise ValueError(
            f"{table.name}: none of {len(table)} neighbours is within {radius:g} kpc: are the "
            "distances in kpc, and from the host?"
        )
    counts = {"rows": len(table), "within_kpc": radius, "kept": len(near)}
    near_by = table.keep(near).ranked()
    return replace(near_by, provenance={**table.provenance, "selection": counts})


def observation(
    table: Neighbours,
    binning: Features | NeighbourSet,
    without_satellite: str | None = None,
    environment: Environment | None = None,
) -> Observation:
    """Returns a host's features, as they are: no error is drawn, and all neighbours are found.

    Their errors are those that simulated hosts are observed with in training, so there is no
    covariance. The neighbours with the most stars are taken; where one is left out, the next one
    comes in, and the environment stays, the circular velocity of the most massive satellite too.

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
        table, name = table.without(without_satellite), f"{name} without {without_satellite}"
    around = environment or table.environment
    table = within(table)
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
    none = np.zeros((len(value), len(value)))
    return Observation(
        name, binning.names, binning.units, value, none, binning.fingerprint, provenance
    )


def _seen(table: Neighbours, environment: Environment) -> Seen:
    orbits = Orbits(*(column[None] for column in table.orbits))
    surroundings = np.array([[getattr(environment, name) for name in ENVIRONMENT]])
    return Seen(orbits, np.array([len(table)]), surroundings)


def as_records(table: Neighbours, copies: int) -> Records:
    """Returns a simulated host as records, once for each time it will be looked at.

    `features.features` gives each copy errors of its own and a survey of its own, as it does with
    the hosts that networks are trained on. This is not for observed neighbours.

    Arguments:
        table: The neighbours' true orbits.
        copies: How often.
    """
    near = within(table)
    columns = {**near.orbits._asdict(), "log_m_star": near.log_m_star}
    columns["vmax"] = np.full(len(near), near.environment.vmax)
    around = {name: np.full(copies, getattr(near.environment, name)) for name in ENVIRONMENT[1:]}
    return Records(
        {"index": np.arange(copies), **around},
        {name: np.tile(column, copies) for name, column in columns.items()},
        np.arange(copies + 1, dtype=np.int32) * len(near),
    )


def neighbours_table(
    path: Path | str,
    name: str | None = None,
    peculiar: bool = False,
    vmax: float | None = None,
    distance_larger: float | None = None,
    distance_cluster: float | None = None,
) -> Neighbours:
    """Returns the neighbours within 250 kpc of a host from a plain table: ECSV, CSV, FITS, text.

    There must be a mass: stellar (`log_m_star`, `m_star`), or else of the halo, best its peak mass
    (`log_m_peak`, `m_peak`, `log_m`, `m`), which then gets the median stellar mass of such halos;
    positions `x`, `y`, `z` with velocities `vx`, `vy`, `vz`, or else `r`, `v_r` and `v_t`, relative
    to the host. The environment is looked for in the arguments, then in the table's metadata, then
    in columns `vmax` (that of the neighbour with the most stars), `distance_larger` and
    `distance_cluster`. Other common names are known, and endings such as `_kpc`, `_mpc`, `_kms`.
    Without a unit, numbers are in kpc, km/s, Msun.

    Arguments:
        path: The table.
        name: The host's; else the metadata's `name`, or the file's.
        peculiar: Whether velocities lack the expansion, which is then added to radial ones (today).
        vmax: The largest circular velocity of the most massive satellite [km/s].
        distance_larger: The distance to the nearest halo of larger mass [kpc].
        distance_cluster: The distance to the nearest halo above 1e14 Msun [kpc].

    Raises:
        ValueError: If something is missing, not finite, or in other units; it says what to do.
        OSError: If the file cannot be read.
    """
    path = Path(path)
    table = _PlainTable.read(path)
    log_m_star, mass = table.log_m_star()
    orbits = table.orbits()
    if peculiar:
        orbits = orbits._replace(v_r=orbits.v_r + cosmology.hubble() * orbits.r)
    given = {
        "vmax": vmax,
        "distance_larger": distance_larger,
        "distance_cluster": distance_cluster,
    }
    near = orbits.r <= RADIUS
    environment = table.environment(given, int(np.argmax(np.where(near, log_m_star, -np.inf))))
    provenance = {
        **table.meta("provenance"),
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "mass": mass,
        "expansion_added": peculiar,
    }
    host = name or str(table.table.meta.get("name", path.stem))
    return within(Neighbours(host, table.names(), orbits, log_m_star, environment, provenance))


@dataclass(frozen=True)
class _PlainTable:
    """A table whose columns are asked for by what they mean."""

    table: Table
    file: str
    columns: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "_PlainTable":
        kind = _FORMATS.get(path.suffix.lower())
        if kind is None:
            raise ValueError(f"{path.name}: give a table that ends in {', '.join(_FORMATS)}")
        if not path.is_file():
            raise FileNotFoundError(f"no file {path}: say where the table of neighbours is")
        table = Table.read(path, format=kind)
        if len(table) == 0:
            raise ValueError(f"{path.name} has no rows: give at least one neighbour")
        return cls(table, path.name, _recognised(table.colnames, path.name))

    def names(self) -> tuple[str, ...]:
        if "name" not in self.columns:
            return tuple(f"row {i + 1}" for i in range(len(self.table)))
        return tuple(str(name) for name in self.table[self.columns["name"]])

    def meta(self, key: str) -> JSON:
        found = self.table.meta.get(key, {})
        return dict(found) if isinstance(found, Mapping) else {}

    def values(self, what: str, unit: units.UnitBase) -> FloatArray:
        """Returns a column in a unit, as numbers `[N]`; NaN where there is none."""
        if what not in self.columns:
            raise ValueError(
                f"{self.file} has no column {' or '.join(_NAMES[what])}, only "
                f"{', '.join(self.table.colnames)}: rename the column, or add it"
            )
        title = self.columns[what]
        column = self.table[title]
        try:
            numbers = np.ma.filled(np.ma.asarray(column).astype(float), np.nan)
            factor = _factor(_unit(title, column.unit), unit)
        except (units.UnitConversionError, ValueError) as error:
            raise ValueError(
                f"{self.file}: column {title} must hold numbers in {unit} or in what can be "
                f"converted to it ({error}): convert it"
            ) from None
        return np.asarray(numbers * factor, dtype=np.float64)

    def log_m_star(self) -> tuple[FloatArray, str]:
        """Returns log10 of the stellar masses [Msun], and which column they are from."""
        best = next((name for name in _MASSES if name in self.columns), None)
        if best is None:
            raise ValueError(
                f"{self.file} has no column with masses, only {', '.join(self.table.colnames)}: "
                f"name one {', '.join(_MASSES[:-1])} or m"
            )
        log = best.startswith("log_")
        values = self.values(best, DEX if log else MSUN)
        masses = values if log else np.log10(np.where(values > 0, values, np.nan))
        self._check_masses(best, masses, values)
        if "star" in best:
            return masses, self.columns[best]
        median = stellar_mass.median_log_stellar_mass(masses)
        return median, f"{self.columns[best]}: median stellar mass of halos of this mass"

    def _check_masses(self, best: str, masses: FloatArray, values: FloatArray) -> None:
        lower, upper = _LOG_MASSES
        wrong = np.flatnonzero(~((masses >= lower) & (masses <= upper)))
        small = "star" not in best and masses.max() < 5
        if len(wrong) or small:
            row = int(wrong[0]) if len(wrong) else int(np.argmax(masses))
            unit = "log10 of Msun" if best.startswith("log_") else "Msun"
            raise ValueError(
                f"{self.file}: {self.columns[best]} of {self.names()[row]!r} is {values[row]:g}, "
                f"no mass in {unit}: leave the row out, convert the column, or name it log_... if "
                "it holds logarithms"
            )

    def orbits(self) -> Orbits:
        if not {"x", "y", "z"} <= set(self.columns):
            self._check_axes()
            return Orbits(*(self.values(n, KPC if n == "r" else KMS) for n in Orbits._fields))
        position = np.stack([self.values(axis, KPC) for axis in "xyz"])
        r = np.sqrt((position**2).sum(axis=0))
        outward = position / np.where(r > 0, r, 1.0)
        if "v_r" in self.columns and "v_t" in self.columns:
            return Orbits(r, self.values("v_r", KMS), self.values("v_t", KMS))
        velocity = np.stack([self.values(f"v{axis}", KMS) for axis in "xyz"])
        v_r = (velocity * outward).sum(axis=0)
        across = velocity - v_r * outward
        return Orbits(r, v_r, np.sqrt((across**2).sum(axis=0)))

    def _check_axes(self) -> None:
        if "r" not in self.columns:
            raise ValueError(
                f"{self.file} has columns {', '.join(self.table.colnames)}: positions relative to "
                "the host must be there as x, y, z or as r [kpc]"
            )

    def environment(self, given: Mapping[str, float | None], largest: int) -> Environment:
        """Returns the environment, each number from where it is found first."""
        found = {name: self._around(name, value, largest) for name, value in given.items()}
        missing = [name for name, value in found.items() if value is None]
        if missing:
            raise ValueError(
                f"{self.file} does not say {', '.join(missing)}: give them as options, in the "
                "table's metadata, or as columns (vmax in km/s, distances in kpc)"
            )
        return Environment(**{name: float(value or 0) for name, value in found.items()})

    def _around(self, name: str, given: float | None, largest: int) -> float | None:
        if given is not None:
            return given
        unit = KMS if name == "vmax" else KPC
        for meta in (self.meta("environment"), self.table.meta):
            key = next((str(key) for key in meta if _bare(str(key)) in _NAMES[name]), None)
            if key is not None:
                return float(meta[key]) * _factor(_unit(key, None), unit)
        return float(self.values(name, unit)[largest]) if name in self.columns else None


def _recognised(titles: Sequence[str], file: str) -> dict[str, str]:
    """Returns what is known by which title.

    Raises:
        ValueError: If two titles say the same.
    """
    found: dict[str, str] = {}
    for title in titles:
        for what, names in _NAMES.items():
            if _bare(title) not in names:
                continue
            if what in found:
                raise ValueError(
                    f"{file}: both {found[what]} and {title} say {what}: leave one of them out"
                )
            found[what] = title
    return found


def _bare(title: str) -> str:
    small = title.strip().lower()
    ending = next((e for e in _ENDINGS if small.endswith(e)), "")
    return small.removesuffix(ending)


def _unit(title: str, given: Any) -> Any:
    """Returns the unit that a column has or its title ends in; None if neither says."""
    if given is not None:
        return given
    small = title.strip().lower()
    return next((unit for ending, unit in _ENDINGS.items() if small.endswith(ending)), None)


def _factor(given: Any, wanted: Any) -> float:
    """Returns what numbers must be multiplied with; logarithms cannot be, and have to fit."""
    if given is None or given == wanted:
        return 1.0
    if wanted == DEX:
        if given in (units.dex, units.dimensionless_unscaled, MSUN):
            return 1.0
        raise units.UnitConversionError(f"it is in {given}")
    return float(units.Unit(given).to(wanted))


def write(table: Neighbours, path: Path | str) -> None:
    """Writes a table as ECSV that `neighbours_table` reads; the file appears whole or not at all.

    Arguments:
        table: The neighbours.
        path: Where; an older file of this name is replaced.
    """
    numbers = (*table.orbits, table.log_m_star)
    # Digits beyond any error would differ between machines.
    columns = [list(table.names), *(np.round(column, _DECIMALS) for column in numbers)]
    meta = {
        "name": table.name,
        "environment": asdict(table.environment),
        "environment_units": {f.name: _around_unit(f.name) for f in fields(Environment)},
        "provenance": table.provenance,
    }
    ecsv = Table(columns, names=list(_COLUMNS), meta=meta)
    for name, (unit, description) in _COLUMNS.items():
        ecsv[name].unit, ecsv[name].description = unit, description
    text = io.StringIO()
    ecsv.write(text, format="ascii.ecsv")
    _replace_text(Path(path), text.getvalue())


def _around_unit(name: str) -> str:
    return str(KMS if name == "vmax" else KPC)


def _replace_text(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
