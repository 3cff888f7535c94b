"""Laws of names: each means one thing, and those of surveys are understood."""

from collections import Counter

import numpy as np
import pytest
from astropy import units
from astropy.table import Table

from mwlmc.observed.star_columns import DESCRIPTIONS, SUPERSEDED, UNUSED
from orrery.tables.columns import understand

SURVEYS = {
    "Gaia": "source_id ra ra_error dec l b parallax parallax_error pmra pmra_error pmdec "
    "pmdec_error pmra_pmdec_corr radial_velocity radial_velocity_error",
    "DESI MWS": "TARGETID SOURCE_ID TARGET_RA TARGET_DEC VRAD VRAD_ERR PMRA PMRA_ERROR "
    "PMDEC PMDEC_ERROR PARALLAX",
    "H3": "H3_ID RA DEC dist_adpt dist_adpt_err Vrad Vrad_err GAIAEDR3_PMRA "
    "GAIAEDR3_PMRA_ERROR GAIAEDR3_PMDEC GAIAEDR3_PMDEC_ERROR V_gsr FeH",
    "SDSS": "specobjid ra dec elodiervfinal elodiervfinalerr",
    "SEGUE": "plug_ra plug_dec RV_ADOP RV_ADOP_UNC DIST_ADOP",
    "LAMOST": "obj_id ra_obs dec_obs rv_kms rv_err_kms",
    "APOGEE": "APOGEE_ID RA DEC GLON GLAT VHELIO_AVG VERR GAIAEDR3_R_MED_PHOTOGEO",
    "S5": "gaia_source_id ra dec vel_calib vel_calib_std pmra pmdec",
    "RR Lyrae": "RAdeg DEdeg dist_modulus e_dist_modulus",
    "galstreams": "ra_deg dec_deg distance_kpc radial_velocity pm_ra_cosdec_masyr pm_dec_masyr",
    "VizieR": "RA_ICRS DE_ICRS Source Plx e_Plx pmRA e_pmRA pmDE e_pmDE _RAJ2000 _DEJ2000 HRV",
    "TOPCAT": "ra_1 dec_1 pmra_1 pmdec_1 ra_2 dec_2",
}
# What is not used of them: what others say better, or nobody needs.
LEFT = {
    "Gaia": "ra_error l b",
    "H3": "V_gsr FeH",
    "APOGEE": "GLON GLAT",
    "VizieR": "_RAJ2000 _DEJ2000",
    "TOPCAT": "ra_2 dec_2",
}


def test_each_name_means_one_thing():
    names = Counter(name for d in DESCRIPTIONS for name in d.names)
    assert [name for name, count in names.items() if count > 1] == []
    assert not set(names) & set(UNUSED)
    quantities = {d.quantity for d in DESCRIPTIONS}
    assert {q for pair in SUPERSEDED for side in pair for q in side} <= quantities


@pytest.mark.parametrize("survey", SURVEYS)
def test_surveys_names_are_understood(survey):
    table = Table({title: np.zeros(2) for title in SURVEYS[survey].split()})
    found = understand(table, DESCRIPTIONS, "t.csv", UNUSED, SUPERSEDED)
    left = [column.title for column in found if not column.used]
    assert left == LEFT.get(survey, "").split()
    assert all(column.unit is not None for column in found if column.used)
    assert not [column.title for column in found if column.note == "not understood"]


def test_a_surveys_unit_is_its_own():
    table = Table({"r_med_geo": [1.0], "RV": [1.0]})
    distance, velocity = understand(table, DESCRIPTIONS, "t.csv", UNUSED, SUPERSEDED)
    assert distance.unit == units.pc
    assert velocity.unit is None
