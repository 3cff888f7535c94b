"""Laws of several surveys as one: each keeps its bins, stars and errors, and nothing is mixed."""

from dataclasses import replace

import numpy as np
import pytest

from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.data_vectors import vectors
from mwlmc.observed.joint_surveys import joint_binning, joint_table
from mwlmc.observed.options import Measurement
from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS
from orrery.tables.bundled import bundled_tables

OBSERVED = bundled_tables()["desi_dr1_bhb.ecsv"].parent
RADIAL = QUADRANTS.select(("v_gsr",))
SURVEY_LIKE = Measurement("mean+dispersion", "survey-like")


@pytest.fixture(scope="module")
def tables():
    return [
        read_binned(OBSERVED / f"{name}.ecsv")
        for name in ("sdss_kgiants", "desi_dr1_bhb")
    ]


@pytest.fixture(scope="module")
def whole():
    return joint_binning("both", [RADIAL, DESI_FOOTPRINT])


@pytest.mark.parametrize("sampling", ["full-footprint", "survey-like"])
def test_the_data_vector_is_that_of_each_survey_in_turn(tables, whole, sampling):
    measurement = replace(SURVEY_LIKE, sampling=sampling)
    (binning, seen) = vectors(
        joint_table("both", tables), {"": whole}, measurement, seed=3
    )[""]
    alone = [
        vectors(table, {"": one}, measurement, seed=3)[""]
        for table, one in zip(tables, (RADIAL, DESI_FOOTPRINT), strict=True)
    ]
    # the LMC is there once
    stellar = [one.value[6:] for _, one in alone]
    np.testing.assert_array_equal(seen.value[6:], np.concatenate(stellar))
    errors = [np.diag(one.covariance)[6:] for _, one in alone]
    np.testing.assert_array_equal(np.diag(seen.covariance)[6:], np.concatenate(errors))
    assert seen.names[6:] == sum((one.names[6:] for _, one in alone), ())
    if sampling == "survey-like":
        drawn = [one.sample for one, _ in alone]
        assert binning.sample.stars == drawn[0].stars + drawn[1].stars


def test_the_error_of_distance_is_between_those_of_the_surveys(tables):
    each = [table.sample.distance_error for table in tables]
    found = joint_table("both", tables).sample.distance_error
    assert min(each) < found < max(each)


def test_a_survey_is_joined_once(tables):
    with pytest.raises(ValueError, match="give each one"):
        joint_table("both", [tables[0], tables[0]])


def test_tables_of_another_sun_or_patch_are_refused(tables):
    sdss, desi = tables
    definition = desi.provenance["definition"]
    moved = {**definition, "sun_position": [-8.0, 0.0, 0.0]}
    other = replace(desi, provenance={**desi.provenance, "definition": moved})
    with pytest.raises(
        ValueError, match=r"binned with sun_position \[-8.0, 0.0, 0.0\]"
    ):
        joint_table("both", [sdss, other])
    patches = {**definition["patches"], "q1": [[]]}
    shifted = {**definition, "patches": patches}
    other = replace(desi, provenance={**desi.provenance, "definition": shifted})
    with pytest.raises(ValueError, match="has another patch 'q1'"):
        joint_table("both", [sdss, other])
    cells = replace(desi, sample=replace(desi.sample, nside=16))
    with pytest.raises(ValueError, match=r"cells of nside \[8, 16\]"):
        joint_table("both", [sdss, cells])


def test_binnings_that_clip_otherwise_or_share_bins_are_refused():
    with pytest.raises(ValueError, match=r"clip at \[3.0, 4.0\]"):
        joint_binning("both", [RADIAL, replace(DESI_FOOTPRINT, clip=4.0)])
    with pytest.raises(ValueError, match="more than once"):
        joint_binning("both", [RADIAL, RADIAL])
