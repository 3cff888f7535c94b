"""Records of observed stars: tables read, cut and binned, and the data vectors made of them."""

from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from mwlmc.model.lmc import LMCErrors
from mwlmc.observed import (
    binned_table,
    mock_survey,
    reduction_options,
    star_reading,
    star_tables,
    summary_tables,
)
from mwlmc.observed import data_vectors as vectors_of
from mwlmc.observed.options import StarSelection
from mwlmc.sky import sagittarius
from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS, without_and_with_v_tb
from mwlmc.sky.patches import PATCHES
from orrery.parameters import FloatArray, generator
from orrery.records import Observation

from .quantities import Quantity, Record, quantity

SEED = 20251126
_MOST_MISSING = 0.6  # of stars as few as these, of which each lacks something else
Columns = dict[str, NDArray[Any]]

# Splines are smoothed until a bound is met: how closely differs a little elsewhere.
_SMOOTHED = {"relative": 1e-5, "absolute": 1e-4}


def binned_stars() -> Record:
    """Returns star tables as they are read, the Sagittarius stream, and binned surveys."""
    record: Record = {}
    with TemporaryDirectory() as folder:
        for name, write in _FORMS.items():
            stars = star_reading.read_stars(
                write(Path(folder)), most_missing=_MOST_MISSING
            )
            record |= _read(name, stars)
    return record | _stream() | _reduced()


def _read(name: str, stars: star_tables.StarTable) -> Record:
    """Returns how many stars are left after each step, and what is read of each."""
    arrays = {k: v for k, v in vars(stars).items() if isinstance(v, np.ndarray)}
    return {
        f"{name}.steps": quantity([count for _, count in stars.steps]),
        f"{name}.columns": quantity(np.stack([*arrays.values()])),
        f"{name}.v_tb_error": quantity(stars.velocity_errors("v_tb")),
    }


def _observed(first: int = 16) -> Columns:
    """Returns what observers may list of stars; of some, something is missing or wrong."""
    random = generator(SEED, 20)
    count = 16
    stars = {
        "ra": random.uniform(0.0, 360.0, count),
        "dec": random.uniform(-80.0, 80.0, count),
        "distance": random.uniform(20.0, 90.0, count),
        "v_los": random.normal(0.0, 120.0, count),
        "pm_1": random.normal(0.0, 2.0, count),
        "pm_2": random.normal(0.0, 2.0, count),
        "distance_error": random.uniform(2.0, 9.0, count),
        "v_los_error": random.uniform(1.0, 9.0, count),
        "pm_1_error": random.uniform(0.05, 0.4, count),
        "pm_2_error": random.uniform(0.05, 0.4, count),
        "pm_corr": np.linspace(-1.02, 1.04, count),
    }
    stars["ra"][0], stars["dec"][0] = 0.0, 0.0
    stars["distance"][1:4] = [-30.0, 0.0, np.nan]
    stars["v_los"][4] = np.nan
    stars["pm_1"][5], stars["pm_2"][5] = 0.0, 0.0
    stars["pm_1"][6] = np.nan
    stars["pm_2_error"][7] = np.nan
    return {name: np.round(values[:first], 5) for name, values in stars.items()}


def _equatorial(folder: Path) -> Path:
    """Writes stars with equatorial coordinates and all errors, in the usual units."""
    stars = _observed()
    titles = {
        **{"ra": "RA_deg", "dec": "dec_deg", "distance": "distance_kpc"},
        **{"v_los": "vlos_kms", "pm_1": "pmra_masyr", "pm_2": "pmdec_masyr"},
        **{"distance_error": "dist_err_kpc", "v_los_error": "rv_err_kms"},
        **{"pm_1_error": "pmra_error_masyr", "pm_2_error": "pmdec_err_masyr"},
        **{"pm_corr": "pmra_pmdec_corr"},
    }
    return _written(folder / "equatorial.csv", {t: stars[n] for n, t in titles.items()})


def _galactic(folder: Path) -> Path:
    """Writes stars with Galactic coordinates and few errors, in units of endings."""
    stars = _observed(12)
    columns = {
        "l_rad": np.radians(stars["ra"]),
        "b_rad": np.radians(stars["dec"]),
        "dist_pc": 1e3 * stars["distance"],
        "radial_velocity_kms": stars["v_los"],
        "pml_cosb_uasyr": 1e3 * stars["pm_1"],
        "pmb_uasyr": 1e3 * stars["pm_2"],
        "pmb_err_uasyr": 1e3 * stars["pm_2_error"],
    }
    return _written(folder / "galactic.csv", columns)


def _far(folder: Path) -> Path:
    """Writes stars with the fewest columns there may be."""
    stars = _observed(7)
    columns = {
        "l_deg": stars["ra"],
        "b_deg": stars["dec"],
        "distance_mpc": stars["distance"] / 1e3,
        "rv_kms": stars["v_los"],
    }
    return _written(folder / "far.csv", columns)


def _near(folder: Path) -> Path:
    """Writes stars of which some are hardly away, or not at all."""
    columns = {
        "l_deg": np.linspace(10.0, 60.0, 6),
        "b_deg": np.linspace(0.0, 60.0, 6),
        "distance_kpc": np.array([-0.5, 0.0, 1e-3, 0.5, 1.5, 8.0]),
        "rv_kms": np.linspace(-90.0, 90.0, 6),
    }
    return _written(folder / "near.csv", columns)


def _with_units(folder: Path) -> Path:
    """Writes stars whose units stand in the file."""
    stars = _observed(12)
    table = Table()
    table["ra"] = np.radians(stars["ra"]) * units.rad
    table["dec"] = stars["dec"] * 60.0 * units.arcmin
    table["dist"] = stars["distance"] * 1e3 * units.pc
    table["vrad"] = stars["v_los"] * 1e3 * units.m / units.s
    path = folder / "units.ecsv"
    table.write(path, format="ascii.ecsv")
    return path


def _desi(folder: Path) -> Path:
    """Writes stars as DESI's catalogue has them, without units; some rows are no stars."""
    stars = _observed()
    tables = {
        "RVTAB": {
            "VRAD": stars["v_los"],
            "VRAD_ERR": stars["v_los_error"],
            "PRIMARY": np.arange(16) % 3 > 0,
        },
        "FIBERMAP": {"DIST": stars["distance"], "DISTERR": stars["distance_error"]},
        "GAIA": {
            **{"RA": stars["ra"], "DEC": stars["dec"]},
            **{"PMRA": stars["pm_1"], "PMRA_ERROR": stars["pm_1_error"]},
            **{"PMDEC": stars["pm_2"], "PMDEC_ERROR": stars["pm_2_error"]},
            "PMRA_PMDEC_CORR": stars["pm_corr"],
        },
    }
    hdus = [fits.table_to_hdu(Table(columns)) for columns in tables.values()]
    for hdu, name in zip(hdus, tables, strict=True):
        hdu.name = name
    path = folder / "desi.fits"
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


def _written(path: Path, columns: Columns) -> Path:
    """Writes a table as text; what is not there stays empty."""
    names = ",".join(columns)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    lines = [",".join("" if v != v else repr(v) for v in row) for row in rows]
    path.write_text("\n".join([names, *lines, ""]))
    return path


_FORMS: dict[str, Callable[[Path], Path]] = {
    "equatorial": _equatorial,
    "galactic": _galactic,
    "far": _far,
    "near": _near,
    "units": _with_units,
    "desi": _desi,
}

# About the plane of the stream, whose exact axes are the code's: a third of a degree off.
_NEAR_THE_STREAM = np.array(
    [[0.212, -0.848, -0.485], [-0.936, -0.319, 0.149], [0.281, -0.422, 0.862]]
)


def _stream() -> Record:
    """Returns the arms at all knots and between, and which of many stars near them are members."""
    random = generator(SEED, 21)
    around = random.uniform(0.0, 360.0, 4000)
    above = random.uniform(-16.0, 16.0, 4000)
    towards = _direction(np.radians(around), np.radians(above)) @ _NEAR_THE_STREAM
    ra = np.arctan2(towards[:, 1], towards[:, 0])
    dec = np.arcsin(np.clip(towards[:, 2], -1.0, 1.0))
    distance = random.uniform(5.0, 130.0, 4000)
    member = sagittarius.in_sagittarius_stream(ra, dec, distance)
    longitude, latitude = sagittarius.stream_coordinates(ra[::400], dec[::400])
    leading = sagittarius.LEADING.at(np.arange(0.0, 165.0, 5.0))
    trailing = sagittarius.TRAILING.at(np.arange(100.0, 365.0, 5.0))
    return {
        "stream.longitude": quantity(longitude),
        "stream.latitude": quantity(latitude),
        "stream.leading": quantity(leading, **_SMOOTHED),
        "stream.trailing": quantity(trailing, **_SMOOTHED),
        # members in every group of stars: some are near the edges of the stream
        "stream.members": quantity(member.reshape(80, 50).sum(axis=1)),
    }


def _direction(longitude: FloatArray, latitude: FloatArray) -> FloatArray:
    flat = np.cos(latitude)
    x = flat * np.cos(longitude)
    y = flat * np.sin(longitude)
    return np.stack([x, y, np.sin(latitude)], axis=1)


# --- binned stars ----------------------------------------------------------------------------


def _survey() -> Columns:
    """Returns a survey of all the sky, with ever fewer stars further out."""
    random = generator(SEED, 22)
    count = 2400
    motion = random.normal(0.0, 0.6, (2, count))
    motion[:, random.random(count) < 0.2] = np.nan
    error = random.uniform(0.02, 0.3, count)
    return {
        "ra_deg": random.uniform(0.0, 360.0, count),
        "dec_deg": np.degrees(np.arcsin(random.uniform(-1.0, 1.0, count))),
        "distance_kpc": 28.0 * 10.0 ** (0.8 * random.beta(1.0, 2.0, count)),
        "vlos_kms": 130.0 * random.standard_t(5.0, count),
        "vlos_err_kms": random.uniform(1.0, 20.0, count),
        "pmra_masyr": motion[0],
        "pmdec_masyr": motion[1],
        "pmra_err_masyr": error,
        "pmdec_err_masyr": error,
        "dist_err_kpc": random.uniform(1.0, 6.0, count),
    }


@cache
def survey_table() -> binned_table.BinnedTable:
    """Returns the survey's stars in DESI's bins, after a file was written and read."""
    with TemporaryDirectory() as folder:
        stars = _written(Path(folder) / "stars.csv", _survey())
        kept = Path(folder) / "binned.ecsv"
        cut = StarSelection(outer=90.0)
        made = binned_table.load_binned(stars, DESI_FOOTPRINT, cut, SEED, _MOST_MISSING)
        binned_table.write_binned(made, kept)
        return binned_table.load_binned(kept, DESI_FOOTPRINT, cut)


def _reduced() -> Record:
    """Returns a survey reduced in DESI's bins, and by the command's other choices."""
    record = _binned("survey", survey_table())
    record["survey.counts"] = quantity(survey_table().counts(QUADRANTS))
    with TemporaryDirectory() as folder:
        stars = _written(Path(folder) / "stars.csv", _survey())
        for number, words in enumerate(_COMMANDS):
            options = reduction_options.parser().parse_args(
                [words[0], str(stars), "out.ecsv", *words[1:], *_MISSING]
            )
            with redirect_stdout(StringIO()):
                found = binned_table._binned(options)
            record |= _selected(f"command.{number}", found)
    return record


_MISSING = ("--most-missing", str(_MOST_MISSING))
_COMMANDS = (
    ("desi", "--no-proper-motions"),
    ("quadrants", "--bins", "3", "--seed", "5"),
    ("quadrants", "--sagittarius-cut", "--proper-motions"),
    ("desi", "--v-tb-edges", "35,55,80", "--largest-motion-error", "45"),
)


def _selected(name: str, table: binned_table.BinnedTable) -> Record:
    """Returns which stars and bins are left."""
    return {
        f"{name}.steps": quantity([count for _, count in table.provenance["steps"]]),
        f"{name}.edges": quantity([(b.lower, b.upper) for b in table.bins]),
        f"{name}.count": quantity(table.moments.count),
        f"{name}.mean_error": quantity(table.errors.mean),
    }


def _binned(name: str, table: binned_table.BinnedTable) -> Record:
    stars = table.sample.stars
    cells = [(len(s.cells), sum(s.cells), max(s.counts)) for s in stars]
    errors = [(len(s.errors), np.mean(s.errors), max(s.errors)) for s in stars]
    return {
        **_selected(name, table),
        f"{name}.kept": quantity(table.moments.kept),
        f"{name}.mean": quantity(table.moments.mean),
        f"{name}.dispersion": quantity(table.moments.dispersion),
        f"{name}.dispersion_error": quantity(table.errors.dispersion),
        f"{name}.mean_sin_b": quantity(table.mean_sin_b),
        f"{name}.cells": quantity(cells),
        f"{name}.errors": quantity(errors),
        f"{name}.distance_error": quantity(table.sample.distance_error),
        f"{name}.motions": quantity(table.provenance["with_proper_motions"]),
        f"{name}.left_out": quantity(len(table.provenance["left_out"])),
    }


# --- data vectors ----------------------------------------------------------------------------


def data_vectors() -> Record:
    """Returns data vectors of a survey by all choices, and those of a mock survey."""
    choices = {
        "mean": vectors_of.Measurement(),
        "dispersion": vectors_of.Measurement(moments="mean+dispersion"),
        "inferred": vectors_of.Measurement(lmc_today="inferred"),
        "drawn": vectors_of.Measurement("mean+dispersion", "survey-like"),
        "scattered": vectors_of.Measurement("mean", "survey-like", True),
        "floored": vectors_of.Measurement(motion_floor=0.02),
    }
    record: Record = {}
    binnings = without_and_with_v_tb(DESI_FOOTPRINT)
    for name, measurement in choices.items():
        found = vectors_of.vectors(survey_table(), binnings, measurement, SEED)
        for label, (binning, seen) in found.items():
            record |= _vector(f"{name}.{label.replace(' ', '_')}", seen)
            if binning.sample is not None:
                drawn = (binning.sample.distance_error, binning.sample.seed)
                record[f"{name}.{label}.drawn"] = quantity(drawn)
    record["parameters"] = quantity([len(m.parameters) for m in choices.values()])
    return record | _quiet() | _mock() | _uneven()


def _vector(name: str, seen: Observation) -> Record:
    """Returns a data vector's values and errors, and how the LMC's errors go together."""
    size = min(6, len(seen.value))
    return {
        f"{name}.value": quantity(seen.value),
        f"{name}.error": quantity(np.sqrt(np.diag(seen.covariance))),
        f"{name}.lmc": quantity(seen.covariance[:size, :size]),
    }


def _quiet() -> Record:
    """Returns dispersions that are smaller than errors of measurement, and not much larger."""
    table = survey_table()
    quiet = np.linspace(0.5, 20.0, len(table.bins))
    moments = replace(table.moments, dispersion=quiet)
    radial = DESI_FOOTPRINT.select(("v_gsr",)).with_moments(("dispersion",))
    binning = radial.supported(table.counts(radial))
    errors = LMCErrors(ra=0.4, distance=1.0, pm_dec=0.1)
    seen = vectors_of.observe(replace(table, moments=moments), binning, errors)
    return _vector("quiet", seen)


def _mock() -> Record:
    """Returns what a survey of giants would have, in all patches that have a share."""
    record: Record = {}
    for name, whole in (("quadrants", QUADRANTS), ("desi", DESI_FOOTPRINT)):
        binning = whole.with_moments(("mean", "dispersion"))
        truth = np.linspace(-80.0, 120.0, len(binning.names))
        mock = mock_survey.mock_data_vector(binning, truth, SEED, stars=700)
        stellar = replace(binning, lmc=False)
        record[f"mock.{name}.count"] = quantity(mock_survey.expected_counts(binning))
        record[f"mock.{name}.error"] = quantity(mock_survey.forecast_errors(stellar))
        alone = mock_survey.mock_data_vector(stellar, truth[6:])
        record[f"mock.{name}.stellar"] = quantity(np.diag(alone.covariance))
        record |= _vector(f"mock.{name}", mock)
    return record | {"mock.shares": quantity([*mock_survey.SHARES.values()])}


def _uneven() -> Record:
    """Returns of how many bins it is said that their stars are not spread as their patch is."""
    table = survey_table()
    whole = {patch.name: patch.mean_sin_b for patch in PATCHES}
    filled = np.array([whole[b.patch] for b in table.bins])
    ratios = (0.7, 0.795, 0.805, 1.0, 1.245, 1.255)
    said = [
        len(summary_tables.uneven_bins(replace(table, mean_sin_b=ratio * filled)))
        for ratio in ratios
    ]
    return {"uneven": Quantity(np.array(said))}
