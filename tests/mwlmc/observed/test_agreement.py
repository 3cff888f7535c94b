"""Laws of columns that say the same: those that agree are silent, others are told of."""

import re

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

from mwlmc.observed.star_reading import read_stars

COUNT = 60


def _stars(decimals=6):
    random = np.random.default_rng(12)
    ra = random.uniform(0, 360, COUNT)
    dec = random.uniform(-80, 80, COUNT)
    galactic = SkyCoord(ra, dec, unit="deg").galactic
    distance = random.uniform(32, 90, COUNT)
    return {
        "ra_deg": ra,
        "dec_deg": dec,
        "l_deg": galactic.l.deg.round(decimals),
        "b_deg": galactic.b.deg.round(decimals),
        "distance_kpc": distance,
        "dist_mod": (5 * np.log10(distance) + 10).round(decimals),
        "vlos_kms": random.normal(0, 110, COUNT),
    }


def _contradictions(columns, folder):
    Table(columns).write(folder / "stars.csv", overwrite=True)
    notes = read_stars(folder / "stars.csv").checks["warnings"]
    return [note for note in notes if "one of these columns" in note]


@pytest.mark.parametrize("decimals", [6, 1, 0])
def test_columns_that_agree_are_silent_however_rounded(tmp_path, decimals):
    columns = _stars(decimals)
    # a few stars may have been looked up elsewhere
    columns["dist_mod"][:4] = 12.5
    columns["l_deg"][5] = columns["l_deg"][6]
    random = np.random.default_rng(5)
    honest = {
        # of stars so far, parallaxes are noise about what is too small by 0.04 mas
        "parallax": 1 / columns["distance_kpc"] + random.normal(-0.04, 0.1, COUNT),
        "RA_ICRS": columns["ra_deg"].round(decimals) + 0.001,
        "gaia_dist_kpc": columns["distance_kpc"]
        * np.exp(random.normal(0.1, 0.15, COUNT)),
        # of pulsating stars, at other times
        "gaia_radial_velocity": columns["vlos_kms"] + random.normal(4, 25, COUNT),
    }
    assert _contradictions(columns | honest, tmp_path) == []
    assert _contradictions(columns, tmp_path) == []
    assert _contradictions(columns | {"b_deg": ["dim"] * COUNT}, tmp_path) == []


@pytest.mark.parametrize(
    ("title", "change", "said"),
    [
        ("dec_deg", np.radians, "of 60 places of l_deg and b_deg .* those of ra_deg"),
        ("ra_deg", np.sort, "of 60 places of l_deg and b_deg are more than 1 deg"),
        ("b_deg", np.negative, "of 60 places of l_deg and b_deg"),
        ("distance_kpc", np.flip, "of 60 distances of dist_mod .* of distance_kpc"),
        ("dist_mod", lambda moduli: moduli - 5, "60 of 60 distances of dist_mod"),
    ],
)
def test_a_column_in_another_unit_or_order_is_told_of(tmp_path, title, change, said):
    columns = _stars()
    columns["distance_kpc"] = np.where(
        np.arange(COUNT) % 2, 33.0, 89.0
    ) + 0.01 * np.arange(COUNT)
    columns["dist_mod"] = 5 * np.log10(columns["distance_kpc"]) + 10
    columns[title] = change(columns[title])
    (note,) = _contradictions(columns, tmp_path)
    assert re.search(said, note)


@pytest.mark.parametrize(
    ("title", "change", "said"),
    [
        ("RA_ICRS", lambda s: s["ra_deg"] + 3, "places of RA_ICRS are .* of ra_deg"),
        ("decj2000", lambda s: s["dec_deg"] - 4, "places of decj2000 are .* of ra_deg"),
        (
            "dist_mod",
            lambda s: s["dist_mod"] - 0.5,
            "-0.5 mag from those of distance_kpc",
        ),
        (
            "gaia_dist_pc",
            lambda s: 700 * s["distance_kpc"],
            "of gaia_dist_pc are -0.77 mag",
        ),
        ("plx", lambda s: 3 / s["distance_kpc"], "of plx hold .* 3.00 .* times"),
        ("plx", lambda s: 1e3 / s["distance_kpc"], "of plx hold .* 1000.00 .* times"),
        (
            "gaia_rv_kms",
            lambda s: s["vlos_kms"] + 35,
            r"gaia_rv_kms are \+35 km/s from",
        ),
        (
            "gaia_rv_kms",
            lambda s: -s["vlos_kms"],
            "of gaia_rv_kms are more than 50 km/s",
        ),
    ],
)
def test_every_other_column_of_a_quantity_is_compared(tmp_path, title, change, said):
    columns = _stars()
    columns["distance_kpc"] = np.linspace(9, 60, COUNT)
    columns["dist_mod"] = 5 * np.log10(columns["distance_kpc"]) + 10
    columns[title] = change(columns)
    (note,) = _contradictions(columns, tmp_path)
    assert re.search(said, note)


def _bounds(columns, low, high):
    distance = columns["distance_kpc"]
    return {"dist16_kpc": low * distance, "dist84_kpc": high * distance}


@pytest.mark.parametrize(
    "change",
    [
        lambda c: _bounds(c, 1.35, 1.65),
        lambda c: _bounds(c, 0.3, 0.7),
        lambda c: _bounds(c, 0.06, 0.1),
        lambda c: {name: np.flip(v) for name, v in _bounds(c, 0.9, 1.1).items()},
    ],
)
def test_distances_that_are_beyond_their_own_bounds_are_told_of(tmp_path, change):
    columns = _stars()
    (note,) = _contradictions(columns | change(columns), tmp_path)
    assert re.search("dist16_kpc and dist84_kpc, .* errors of distance_kpc", note)


def test_bounds_that_hold_their_distances_but_for_rounding_are_silent(tmp_path):
    columns = _stars()
    bounds = _bounds(columns, 0.92, 1.15)
    # of a few stars the distance was looked up elsewhere; others are rounded to a bound
    bounds["dist84_kpc"][:5] *= 0.5
    bounds["dist16_kpc"][5:40] = columns["distance_kpc"][5:40].round(1) + 0.05
    assert _contradictions(columns | bounds, tmp_path) == []
    # with errors of its own, a distance's bounds are not used
    errors = {"distance_err_kpc": 0.1 * columns["distance_kpc"]}
    assert _contradictions(columns | errors | _bounds(columns, 2, 3), tmp_path) == []
