"""Laws of what people call positions and proper motions: what is assumed is said."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

from mwlmc.observed.star_reading import read_stars, star_report

COUNT = 40


def _stars():
    random = np.random.default_rng(31)
    return {
        "ra_deg": random.uniform(0, 360, COUNT),
        "dec_deg": random.uniform(-75, 75, COUNT),
        "distance_kpc": random.uniform(33, 52, COUNT),
        "vlos_kms": random.normal(0, 140, COUNT),
        "pmra_masyr": random.normal(0, 0.6, COUNT),
        "pmdec_masyr": random.normal(0, 0.6, COUNT),
        "pmra_err_masyr": random.uniform(0.04, 0.2, COUNT),
        "pmdec_err_masyr": random.uniform(0.04, 0.2, COUNT),
    }


def _read(columns, folder):
    path = folder / "stars.csv"
    Table(columns).write(path, overwrite=True)
    return read_stars(path), star_report(path).lines


def _without(columns, *titles):
    return {title: column for title, column in columns.items() if title not in titles}


@pytest.mark.parametrize("name", ["mu_alpha", "mua", "mu_ra", "MU_A"])
def test_a_name_without_the_cosine_is_taken_as_with_it_and_that_is_said(tmp_path, name):
    columns = _stars()
    expected, _ = _read(columns, tmp_path)
    other = _without(columns, "pmra_masyr") | {f"{name}_masyr": columns["pmra_masyr"]}
    stars, lines = _read(other, tmp_path)
    np.testing.assert_allclose(stars.pm_l, expected.pm_l)
    said = f"{name}_masyr does not say whether cos(dec) is in it"
    for notes in (stars.checks["notes"], lines):
        assert sum(said in note for note in notes) == 1
    assert "cos(dec) is in it" not in str(expected.checks)


@pytest.mark.parametrize("name", ["mu_alpha_cosdelta", "pm_ra_cosdec", "pmra"])
def test_of_two_the_one_with_the_cosine_is_taken(tmp_path, name):
    columns = _stars()
    expected, _ = _read(columns, tmp_path)
    motions = columns["pmra_masyr"]
    bare = motions / np.cos(np.radians(columns["dec_deg"]))
    other = {"mu_alpha_masyr": bare, "e_mu_alpha_masyr": np.full(COUNT, 3.0)}
    named = {f"{name}_masyr": motions, f"e_{name}_masyr": columns["pmra_err_masyr"]}
    rest = _without(columns, "pmra_masyr", "pmra_err_masyr")
    stars, _ = _read(other | rest | named, tmp_path)
    np.testing.assert_allclose(stars.pm_l, expected.pm_l)
    np.testing.assert_allclose(stars.pm_l_error, expected.pm_l_error)
    assert {"mu_alpha_masyr", "e_mu_alpha_masyr"} <= {*stars.checks["not_used"]}
    assert "cos(dec) is in it" not in str(stars.checks)


def test_positions_in_seven_columns_are_read(tmp_path):
    columns = _stars()
    expected, _ = _read(columns, tmp_path)
    places = SkyCoord(columns["ra_deg"], columns["dec_deg"], unit="deg")
    h, m, s = places.ra.hms
    sign, d, dm, ds = places.dec.signed_dms
    parts = {"RAh": h.astype(int), "RAm": m.astype(int), "RAs": s}
    parts |= {"DE-": np.where(sign < 0, "-", "+"), "DEd": d.astype(int)}
    parts |= {"DEm": dm.astype(int), "DEs": ds}
    stars, lines = _read(_without(columns, "ra_deg", "dec_deg") | parts, tmp_path)
    np.testing.assert_allclose(stars.b, expected.b, rtol=1e-9)
    assert any(line.startswith("  RAh RAm RAs: ra ") for line in lines)


def test_declinations_with_the_dash_of_a_word_processor_keep_the_south(tmp_path):
    columns = _stars()
    expected, _ = _read(columns, tmp_path)
    places = SkyCoord(columns["ra_deg"], columns["dec_deg"], unit="deg")
    ra = places.ra.to_string(unit="hour", sep=":", precision=6)
    dec = places.dec.to_string(sep=":", precision=6)
    words = {"ra": ra, "dec": [word.replace("-", "\u2013") for word in dec]}
    rest = _without(columns, "ra_deg", "dec_deg")
    stars, _ = _read(words | rest, tmp_path)
    np.testing.assert_allclose(stars.b, expected.b, rtol=1e-7)
    words["dec"][11] = "61.625"
    with pytest.raises(ValueError, match=r"'dec': row 12 has '61\.625'"):
        _read(words | rest, tmp_path)
