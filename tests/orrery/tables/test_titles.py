"""Laws of titles: units and names are told apart, however they are written together."""

import pytest
from astropy import units

from orrery.tables.titles import divided, error_names, spellings


@pytest.mark.parametrize(
    ("title", "name", "unit"),
    [
        ("Distance [kpc]", "distance", "kpc"),
        ("D (pc)", "d", "pc"),
        ("rv_km_s", "rv", units.km / units.s),
        ("pmra_mas_yr", "pmra", units.mas / units.yr),
        ("RA-hours", "ra", units.hourangle),
        ("v.los", "v_los", None),
        ("(m-M)0", "(m_m)0", None),
        ("Helio Distance kpc", "helio_distance", units.kpc),
    ],
)
def test_titles_are_divided(title, name, unit):
    assert divided(title) == (name, unit)


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("GAIAEDR3_PMRA", "pmra"),
        ("gaia_dr3_pmra", "pmra"),
        ("_RAJ2000", "raj2000"),
        ("pmra_1", "pmra"),
        ("pmra_x", "pmra"),
        ("TARGET_RA", "ra"),
        ("SDSS_RV_2_kms", "rv"),
    ],
)
def test_prefixes_of_surveys_and_endings_of_joins_are_left_out(title, plain):
    assert spellings([title])[title][-1] == plain


def test_axes_are_no_endings_of_joins():
    titles = ["vel_x", "vel_y", "Vel_z", "mu_a_masyr", "mu_d_masyr", "rv_x", "rv_a"]
    found = spellings(titles)
    assert [found[title] for title in titles[:5]] == [
        ("vel_x",),
        ("vel_y",),
        ("vel_z",),
        ("mu_a",),
        ("mu_d",),
    ]
    assert found["rv_x"][-1] == found["rv_a"][-1] == "rv"


def test_capitals_tell_errors_above_from_those_below():
    found = spellings(["e_Dist", "E_Dist", "e_RV"])
    assert found["e_Dist"] == ("dist_err_low",)
    assert found["E_Dist"] == ("dist_err_high",)
    assert found["e_RV"] == ("e_rv",)
    for side, name in (("below", "dist_err_low"), ("above", "dist_err_high")):
        assert name in error_names(["dist"], side)
