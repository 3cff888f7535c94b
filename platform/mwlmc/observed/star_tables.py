"""Star tables: observed stars as catalogues give them, read, checked and selected.

Every star that is dropped is counted, step by step, so that a data vector can say where
its numbers come from. Units come from the file, never from a guess.
"""

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.table import Column, Table

from mwlmc.observed.columns import DEG, KMS, KPC, MASYR, NONE, physical_columns
from mwlmc.sky import frames, kinematics
from mwlmc.sky.patches import Directions
from mwlmc.sky.sagittarius import in_sagittarius_stream
from orrery.identity import JSON
from orrery.parameters import BoolArray, FloatArray

_DISTANCE_ERROR = 0.1  # of the distance, where a table has no column for it
READ = (
    "with a line-of-sight velocity"  # the last step of reading; the selection follows
)
_NOT_SAGITTARIUS = "not in the Sagittarius stream"


@dataclass(frozen=True)
class StarTable:
    """Stars as observed, and how many were left after each step.

    Arguments:
        l: Galactic longitude `[N]` [rad].
        b: Galactic latitude `[N]` [rad].
        distance: Heliocentric distance `[N]` [kpc].
        v_los: Heliocentric line-of-sight velocity `[N]` [km/s].
        pm_l: Proper motion along longitude, times cos b `[N]` [mas/yr]; NaN where there
            is none.
        pm_b: Proper motion along latitude `[N]` [mas/yr]; NaN where there is none.
        distance_error: Standard error `[N]` [kpc].
        v_los_error: Standard error `[N]` [km/s]; NaN where there is none, as for the
            next three.
        pm_l_error: Standard error `[N]` [mas/yr].
        pm_b_error: Standard error `[N]` [mas/yr].
        pm_corr: Correlation of the errors of `pm_l` and `pm_b` `[N]`.
        steps: What was done, and the number of stars left after it.
        source: File name, checksum and layout, as plain JSON.

    Example:
        >>> column = np.array([0.5, 1.0])
        >>> blank = column * np.nan
        >>> stars = StarTable(
        ...     l=column,
        ...     b=column,
        ...     distance=30.0 + column,
        ...     v_los=column,
        ...     pm_l=blank,
        ...     pm_b=blank,
        ...     distance_error=0.05 * column,
        ...     v_los_error=blank,
        ...     pm_l_error=blank,
        ...     pm_b_error=blank,
        ...     pm_corr=blank,
        ... )
        >>> stars.keep(stars.b > 0.6, "north").steps
        (('north', 1),)
    """

    l: FloatArray  # noqa: E741
    b: FloatArray
    distance: FloatArray
    v_los: FloatArray
    pm_l: FloatArray
    pm_b: FloatArray
    distance_error: FloatArray
    v_los_error: FloatArray
    pm_l_error: FloatArray
    pm_b_error: FloatArray
    pm_corr: FloatArray
    steps: tuple[tuple[str, int], ...] = ()
    source: JSON = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.l)

    @property
    def galactocentric_distance(self) -> FloatArray:
        """Distances from the Galactic centre `[N]` [kpc]."""
        towards = frames.direction(self.l, self.b) @ frames.GALACTIC_TO_GALACTOCENTRIC.T
        position = self.distance[:, None] * towards + frames.SUN_POSITION
        return np.linalg.norm(position, axis=1)

    def keep(self, chosen: BoolArray, step: str) -> "StarTable":
        """Returns the chosen stars `[N]`, with the step and the number left added to `steps`.

        Raises:
            ValueError: If there were stars and none is left.
        """
        if len(chosen) and not chosen.any():
            raise ValueError(
                f"{self.source['file']}: none of {len(chosen)} stars is left after the step "
                f"{step!r}: look at that column, or change the selection"
            )
        columns: dict[str, Any] = {
            name: column[chosen]
            for name, column in vars(self).items()
            if isinstance(column, np.ndarray)
        }
        return replace(self, **columns, steps=(*self.steps, (step, int(chosen.sum()))))

    def rest_frame(self) -> kinematics.RestFrameStars:
        """Returns the stars as a binning wants them: rest-frame velocities, distances, directions.

        The longitude's proper motions are not needed: they contain the Sun's own least
        known motion.
        """
        # a proper motion times the distance is a velocity relative to the Sun, whose own
        # motion is added to reach the Galactic rest frame
        outward, _, along_b = frames.solar_velocity(self.l, self.b)
        return kinematics.RestFrameStars(
            distance=self.galactocentric_distance,
            directions=Directions(frames.direction(self.l, self.b)),
            v_gsr=self.v_los + outward,
            v_tb=frames.K * self.distance * self.pm_b + along_b,
            owner=np.zeros(len(self), dtype=np.intp),
        )

    def velocity_errors(self, quantity: str) -> FloatArray:
        """Returns the standard errors `[N]` of a velocity [km/s]; NaN where unknown.

        Those of `v_tb` are the proper motion's times the distance, and the distance's
        times the proper motion.

        Arguments:
            quantity: `v_gsr` or `v_tb`.
        """
        if quantity == "v_gsr":
            return self.v_los_error
        across = self.distance * self.pm_b_error, self.pm_b * self.distance_error
        return np.asarray(frames.K * np.hypot(*across))


@dataclass(frozen=True)
class StarSelection:
    """Which stars of a table belong to the smooth outer halo.

    Arguments:
        sagittarius: Whether to leave out the Sagittarius stream.
        inner: The smallest Galactocentric distance [kpc].
        outer: The largest, exclusive [kpc].

    Example:
        >>> StarSelection(inner=30.0, outer=160.0).steps
        ('not in the Sagittarius stream', '30-160 kpc')
    """

    sagittarius: bool = True
    inner: float = 30.0
    outer: float = 100.0

    @property
    def steps(self) -> tuple[str, ...]:
        """What its steps are called in a table's `steps`."""
        cut = (_NOT_SAGITTARIUS,) if self.sagittarius else ()
        return (*cut, f"{self.inner:g}-{self.outer:g} kpc")

    def __post_init__(self) -> None:
        if not 0 <= self.inner < self.outer:
            raise ValueError(
                f"selection from {self.inner} to {self.outer} kpc: let inner < outer"
            )


def select(table: StarTable, selection: StarSelection) -> StarTable:
    """Returns the selected stars; each step is counted in `steps`."""
    if selection.sagittarius:
        ra, dec = frames.galactic_to_equatorial(table.l, table.b)
        member = in_sagittarius_stream(ra, dec, table.distance)
        table = table.keep(~member, _NOT_SAGITTARIUS)
    # Galactocentric, because bins are; the stream above is cut in heliocentric distance
    distance = table.galactocentric_distance
    inside = (distance >= selection.inner) & (distance < selection.outer)
    return table.keep(inside, selection.steps[-1])


def read_stars(path: Path | str) -> StarTable:
    """Returns the stars of a file that have a position, a distance and a velocity.

    Two layouts are known and recognised by their content. DESI's catalogue of blue
    horizontal-branch stars (`MWS_BHB.fits`: tables RVTAB, FIBERMAP and GAIA, row by
    row; only PRIMARY rows are read). And a plain table (CSV, ECSV, FITS) with a
    distance, a line-of-sight velocity, (ra, dec) or (l, b), and possibly proper motions
    and errors; units come from the file, or else from the end of the columns' names
    (`_deg`, `_kpc`, `_kms`, `_masyr`).

    Arguments:
        path: The file.

    Raises:
        ValueError: If a column is missing, has another physical unit, or holds no
            numbers.
        OSError: If the file cannot be read.
    """
    path = Path(path)
    content = path.read_bytes()
    source: JSON = {"file": path.name, "sha256": hashlib.sha256(content).hexdigest()}
    if content.startswith(b"SIMPLE") and _is_desi(path):
        return _read_desi(path, source)
    table = _read_plain(path)
    source["layout"] = "plain table"
    return _assemble(
        physical_columns(table, path.name), (("rows", len(table)),), source
    )


def _is_desi(path: Path) -> bool:
    with fits.open(path) as hdus:
        return {"RVTAB", "FIBERMAP", "GAIA"} <= {hdu.name for hdu in hdus}


def _read_plain(path: Path) -> Table:
    formats = {
        ".csv": "ascii.csv",
        ".ecsv": "ascii.ecsv",
        ".fits": "fits",
        ".fit": "fits",
    }
    kind = formats.get(path.suffix.lower())
    if kind is None:
        raise ValueError(
            f"{path.name}: cannot read {path.suffix!r} files, only {list(formats)}"
        )
    with warnings.catch_warnings():
        # An unknown unit is an error where its column is wanted, and of no interest
        # elsewhere.
        warnings.simplefilter("ignore", units.UnitsWarning)
        return Table.read(path, format=kind)


_DESI_COLUMNS: dict[str, dict[str, units.UnitBase]] = {
    "RVTAB": {"VRAD": KMS, "VRAD_ERR": KMS},
    "FIBERMAP": {"DIST": KPC},
    "GAIA": {
        "RA": DEG,
        "DEC": DEG,
        "PMRA": MASYR,
        "PMRA_ERROR": MASYR,
        "PMDEC": MASYR,
        "PMDEC_ERROR": MASYR,
        "PMRA_PMDEC_CORR": NONE,
    },
}
_DESI_DISTANCE_ERRORS = ("DIST_ERR", "DIST_ERROR", "DISTERR", "E_DIST")


def _read_desi(path: Path, source: JSON) -> StarTable:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", units.UnitsWarning)
        tables = {name: Table.read(path, hdu=name) for name in _DESI_COLUMNS}
    lengths = {name: len(table) for name, table in tables.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"{path.name}: tables should match row by row, but have {lengths} rows"
        )
    columns = physical_columns(_join_desi(tables), path.name)
    primary = _named(tables["RVTAB"], "PRIMARY", "RVTAB").astype(bool)
    steps = (("rows", len(primary)), ("PRIMARY", int(primary.sum())))
    chosen = {name: column[primary] for name, column in columns.items()}
    return _assemble(chosen, steps, source | {"layout": "DESI MWS_BHB"})


def _join_desi(tables: Mapping[str, Table]) -> Table:
    joined = Table()
    for name, wanted in _DESI_COLUMNS.items():
        for column, unit in wanted.items():
            joined[column] = _named(tables[name], column, name)
            joined[column].unit = joined[column].unit or unit
    for column in set(_DESI_DISTANCE_ERRORS) & set(tables["FIBERMAP"].colnames):
        joined["DIST_ERR"] = tables["FIBERMAP"][column]
        joined["DIST_ERR"].unit = joined["DIST_ERR"].unit or KPC
    return joined


def _named(table: Table, column: str, where: str) -> Column:
    if column not in table.colnames:
        raise ValueError(
            f"{where} has no column {column}, only {', '.join(table.colnames)}"
        )
    return table[column]


def _assemble(
    columns: dict[str, FloatArray], steps: tuple[tuple[str, int], ...], source: JSON
) -> StarTable:
    blank = np.full(len(columns["distance"]), np.nan)
    distance = columns["distance"]
    ra, dec = _equatorial(columns)
    longitude, latitude = frames.equatorial_to_galactic(ra, dec)
    pm_l, pm_b = _proper_motions(columns, ra, dec)
    pm_l_error, pm_b_error, pm_corr = _motion_errors(columns, ra, dec)
    rows = StarTable(
        l=longitude,
        b=latitude,
        distance=distance,
        v_los=columns["v_los"],
        pm_l=pm_l,
        pm_b=pm_b,
        distance_error=columns.get("distance_error", _DISTANCE_ERROR * distance),
        v_los_error=columns.get("v_los_error", blank),
        pm_l_error=pm_l_error,
        pm_b_error=pm_b_error,
        pm_corr=pm_corr,
        steps=steps,
        source=source,
    )
    return _usable(rows)


def _usable(table: StarTable) -> StarTable:
    table = table.keep(np.isfinite(table.l + table.b), "with a position")
    valid = np.isfinite(table.distance) & (table.distance > 0)
    table = table.keep(valid, "with a positive distance")
    return table.keep(np.isfinite(table.v_los), READ)


def _equatorial(columns: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    if {"ra", "dec"} <= set(columns):
        first = np.radians(columns["ra"])
        second = np.radians(columns["dec"])
    else:
        first = np.radians(columns["l"])
        second = np.radians(columns["b"])
    # Catalogues fill the position of stars without a counterpart with zeros.
    unknown = (first == 0) & (second == 0)
    first = np.where(unknown, np.nan, first)
    second = np.where(unknown, np.nan, second)
    if {"ra", "dec"} <= set(columns):
        return first, second
    return frames.galactic_to_equatorial(first, second)


def _proper_motions(
    columns: Mapping[str, FloatArray], ra: FloatArray, dec: FloatArray
) -> tuple[FloatArray, FloatArray]:
    blank = np.full(ra.shape, np.nan)
    if {"pm_l", "pm_b"} <= set(columns):
        first = columns["pm_l"]
        second = columns["pm_b"]
    elif {"pm_ra", "pm_dec"} <= set(columns):
        first, second = frames.rotate_proper_motion(
            ra, dec, columns["pm_ra"], columns["pm_dec"]
        )
    else:
        return blank, blank
    # catalogues fill missing proper motions with zeros; both exactly zero is no star's
    unknown = ~np.isfinite(first + second) | ((first == 0) & (second == 0))
    return np.where(unknown, np.nan, first), np.where(unknown, np.nan, second)


def _motion_errors(
    columns: Mapping[str, FloatArray], ra: FloatArray, dec: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    blank = np.full(ra.shape, np.nan)
    corr = columns.get("pm_corr", np.zeros(ra.shape))
    # a number beyond 1 is no correlation: the catalogue does not know it
    corr = np.where(np.abs(corr) <= 1, corr, np.nan)
    if {"pm_l", "pm_b"} <= set(columns):
        return columns.get("pm_l_error", blank), columns.get("pm_b_error", blank), corr
    first = columns.get("pm_ra_error", blank)
    second = columns.get("pm_dec_error", blank)
    along_l, along_b = _galactic_parts(ra, dec)
    # The covariance of two correlated errors turns with the axes, as a tensor does.
    covariance = first * second * corr
    parts = np.stack([first**2, covariance, covariance, second**2], axis=-1)
    parts = parts.reshape(*ra.shape, 2, 2)
    var_l, var_b, cov = (
        np.einsum("ni,nij,nj->n", one, parts, other)
        for one, other in ((along_l, along_l), (along_b, along_b), (along_l, along_b))
    )
    return np.sqrt(var_l), np.sqrt(var_b), cov / np.sqrt(var_l * var_b)


def _galactic_parts(ra: FloatArray, dec: FloatArray) -> tuple[FloatArray, FloatArray]:
    east = frames.rotate_proper_motion(ra, dec, np.ones(ra.shape), np.zeros(ra.shape))
    north = frames.rotate_proper_motion(ra, dec, np.zeros(ra.shape), np.ones(ra.shape))
    return np.stack([east[0], north[0]], axis=-1), np.stack(
        [east[1], north[1]], axis=-1
    )
