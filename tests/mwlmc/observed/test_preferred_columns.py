"""Laws of columns that say the same: those with errors are used, and their errors are kept."""

import numpy as np
import pytest
from astropy.table import Table

from mwlmc.observed.star_reading import read_stars, star_report
from mwlmc.sky import frames

COUNT = 90
ERRORS = ("pmra_err_masyr", "pmdec_err_masyr")


def _stars():
    random = np.random.default_rng(31)
    return Table(
        {
            "ra_deg": random.uniform(0, 360, COUNT),
            "dec_deg": random.uniform(-70, 70, COUNT),
            "distance_kpc": random.uniform(30, 70, COUNT),
            "vlos_kms": random.normal(0, 120, COUNT),
            "vlos_err_kms": random.uniform(2, 9, COUNT),
            "pmra_masyr": random.normal(0, 0.5, COUNT),
            "pmdec_masyr": random.normal(0, 0.5, COUNT),
            "pmra_err_masyr": random.uniform(0.05, 0.2, COUNT),
            "pmdec_err_masyr": random.uniform(0.05, 0.2, COUNT),
            "pmra_pmdec_corr": random.uniform(-0.6, 0.6, COUNT),
        }
    )


def _with_galactic(table):
    ra, dec = np.radians(table["ra_deg"]), np.radians(table["dec_deg"])
    pm = frames.rotate_proper_motion(ra, dec, table["pmra_masyr"], table["pmdec_masyr"])
    found = table.copy()
    found["pml_cosb_masyr"], found["pmb_masyr"] = map(np.asarray, pm)
    return found


def _read(table, folder):
    table.write(folder / "stars.csv", format="ascii.csv", overwrite=True)
    return read_stars(folder / "stars.csv", motions_needed=True)


def _same(one, two):
    for name in ("pm_l", "pm_b", "pm_l_error", "pm_b_error", "pm_corr"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-9)


def test_motions_derived_without_errors_give_way_to_those_that_have_them(tmp_path):
    both = _with_galactic(_stars())
    _same(_read(both, tmp_path), _read(_stars(), tmp_path))
    both["pmb_err_masyr"] = np.nan
    _same(_read(both, tmp_path), _read(_stars(), tmp_path))
    _read(both, tmp_path)
    lines = star_report(tmp_path / "stars.csv").lines
    assert any("pmb_masyr" in line and "because pmra_masyr" in line for line in lines)


def test_motions_along_galactic_axes_come_first_where_they_have_errors(tmp_path):
    both = _with_galactic(_stars())
    both["pml_cosb_err_masyr"], both["pmb_err_masyr"] = 0.31, 0.27
    found = _read(both, tmp_path)
    np.testing.assert_allclose(found.pm_b_error, 0.27)
    # the correlation is that of other axes
    np.testing.assert_array_equal(found.pm_corr, 0)
    both["pml_pmb_corr"] = 0.4
    np.testing.assert_allclose(_read(both, tmp_path).pm_corr, 0.4)
    both.remove_columns([*ERRORS, "pmb_err_masyr", "pml_cosb_err_masyr"])
    np.testing.assert_array_equal(_read(both, tmp_path).pm_b, found.pm_b)


def test_motions_with_errors_of_few_stars_do_not_replace_those_of_all(tmp_path):
    both = _with_galactic(_stars())
    for title in ("pmra_masyr", "pmdec_masyr"):
        both[title][: COUNT // 2] = np.nan
    assert np.isfinite(_read(both, tmp_path).pm_b).all()


def test_distances_without_errors_have_those_of_the_moduli_beside_them(tmp_path):
    table = _stars()
    table["dm"] = 5 * np.log10(table["distance_kpc"]) + 10
    table["dm_err_mag"] = 0.17
    found = _read(table, tmp_path)
    np.testing.assert_allclose(found.distance, table["distance_kpc"])
    expected = np.log(10) / 5 * 0.17
    np.testing.assert_allclose(found.distance_error / found.distance, expected)
    notes = found.checks["notes"]
    assert "errors of the distances are those of the distance moduli" in notes
    assert not any("10 %" in note for note in notes)
    table["distance_err_kpc"] = 4.0
    np.testing.assert_allclose(_read(table, tmp_path).distance_error, 4.0)
    table["dist16_kpc"] = table["distance_kpc"] - 3.0
    table["dist84_kpc"] = table["distance_kpc"] + 3.0
    table["distance_err_kpc"] = np.nan
    np.testing.assert_allclose(_read(table, tmp_path).distance_error, 3.0)


@pytest.mark.parametrize(
    ("ending", "power"),
    [("IVAR", -2), ("inverse_variance", -2), ("var", 2), ("variance_masyr", 2)],
)
def test_squares_of_errors_are_read_where_these_are_not_there(ending, power, tmp_path):
    table, plain = _stars(), _read(_stars(), tmp_path)
    for title in ERRORS:
        table[f"{title.partition('_')[0]}_{ending}"] = table[title] ** power
    _same(_read(table, tmp_path), plain)
    table[ERRORS[0]] = table[ERRORS[1]] = np.nan
    _same(_read(table, tmp_path), plain)
    table.remove_columns(ERRORS)
    _same(_read(table, tmp_path), plain)
    other = f"vlos_{ending.removesuffix('_masyr')}"
    table[other] = table["vlos_err_kms"] ** power
    del table["vlos_err_kms"]
    table[other][4] = 0.0
    error = _read(table, tmp_path).v_los_error
    assert np.isnan(error).nonzero()[0].tolist() == [4]
    np.testing.assert_allclose(error[5:], plain.v_los_error[5:])
