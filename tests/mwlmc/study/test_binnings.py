"""A study of binnings: its choices are those of its space, and its quantities those of Table 2."""

import numpy as np
import pytest

from mwlmc.model.lmc import LMCErrors, lmc_covariance
from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.planned_survey import SurveyBinning, giants, survey_like
from mwlmc.parameters import INFERRED
from mwlmc.study import binnings, quantities
from mwlmc.study.binnings import (
    SPACE,
    USUAL,
    LearnedBinning,
    PlannedExperiment,
    contrasts,
)
from mwlmc.study.sweep_options import Binnings
from orrery.option_types import check_types
from orrery.results.keys import is_key
from orrery.sweeps.space import apply
from orrery.sweeps.worth import design

NAMES = tuple(parameter.name for parameter in INFERRED)


def usual(kind):
    return {
        path: getattr(USUAL[kind], path.partition(".")[2]) for path in SPACE.domains
    }


def test_the_space_is_of_the_options():
    SPACE.check(LearnedBinning())
    for kind in USUAL:
        check_types(apply(LearnedBinning(), usual(kind)))


@pytest.mark.parametrize("kind", USUAL)
@pytest.mark.parametrize(
    "edge", [{}, {"survey.distance_bins": 1, "survey.v_tb_bins": 0}]
)
def test_each_contrast_changes_one_thing(kind, edge):
    found = contrasts(giants(), {**usual(kind), **edge}, stars=900, floor=0.0)
    for one in found:
        differ = [path for path in one.given if one.given[path] != one.lacking[path]]
        assert len(differ) == 1
        apply(LearnedBinning(), one.given)
        apply(LearnedBinning(), one.lacking)
        assert is_key(one.key)
    assert len({one.key for one in found}) == len(found) == 8


def test_contrasts_share_their_points():
    # patches four ways, one bin less, no v_tb, the other moments, twice the stars, a floor
    points = design(contrasts(giants(), usual("h3"), 1296, 0.0), binnings.SEED, 1)
    assert len(points) == 4 + 5


@pytest.fixture(scope="module")
def planned():
    like_desi = survey_like(read_binned("desi_dr1_bhb.ecsv"))
    return {"desi": like_desi, "h3": giants()}


def bins_of(survey, point, quantity):
    """Returns the bins of a point that simulated stars are put into."""
    options = apply(LearnedBinning(), point)
    return [b for b in survey.binning(options.survey).bins if b.quantity == quantity]


@pytest.mark.parametrize("kind", USUAL)
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"survey.distance_bins": 9, "survey.spacing": "ratio"},
        {"survey.patches": "healpix", "survey.distance_bins": 3, "survey.v_tb_bins": 6},
    ],
)
@pytest.mark.parametrize("stars", [60, 856, 4000])
def test_counts_are_of_what_the_binnings_add(planned, kind, change, stars):
    survey = planned[kind]
    found = contrasts(survey, {**usual(kind), **change}, stars, floor=0.0)
    by_key = {one.key: one for one in found}
    for key, quantity in (("distance_bin", "v_gsr"), ("v_tb", "v_tb")):
        one = by_key[key]
        have, less = (bins_of(survey, p, quantity) for p in (one.given, one.lacking))
        assert one.count == len(have) - len(less)
    for choice in ("footprints", "quadrants", "healpix"):
        one = by_key[f"patches.{choice}"]
        have, less = (
            {b.patch for b in bins_of(survey, p, "v_gsr")}
            for p in (one.given, one.lacking)
        )
        assert one.count == len(have) - len(less)
        assert one.label == f"{len(have)} patches, not {len(less)}: {choice}"
    assert [by_key[k].count for k in ("dispersions", "stars", "error_floor")] == [1] * 3


def test_a_survey_of_part_of_the_sky_has_fewer_patches(planned):
    counts = {
        kind: {c.key: c.count for c in contrasts(survey, usual(kind), 856, 0.0)}
        for kind, survey in planned.items()
    }
    assert counts["desi"]["patches.healpix"] < counts["h3"]["patches.healpix"] == 11


def test_a_choice_that_has_no_stars_is_counted_as_nothing(planned):
    point = {**usual("desi"), "survey.patches": "healpix"}
    found = contrasts(planned["desi"], point, stars=4, floor=0.0)
    assert {one.count for one in found if one.key not in ONE_EACH} == {0}


ONE_EACH = ("dispersions", "stars", "error_floor")


@pytest.mark.parametrize("kind", USUAL)
def test_stars_and_bins_that_are_left_out_are_told(planned, kind):
    survey = planned[kind]
    point = {**usual(kind), "survey.patches": "healpix", "survey.distance_bins": 8}
    few, many = (binnings.kept(survey, point, stars) for stars in (700, 700_000))
    assert few.asked == many.asked
    assert few.left_out > many.left_out
    assert few.bins == len(bins_of(survey, {**point, "survey.stars": 700}, "v_gsr"))
    assert few.stars / 700 < many.stars / 700_000 <= 1 + 1e-9
    # a point that says how many stars there are is believed
    assert binnings.kept(survey, {**point, "survey.stars": 700_000}, 1) == many


def test_covariance_is_of_the_lmc_and_of_independent_bins():
    chosen = SurveyBinning("whole", 3, v_tb_bins=1, moments="mean+dispersion")
    found = PlannedExperiment(giants(), "v_travel", NAMES).measure(
        LearnedBinning(chosen)
    )
    size = len(found.binning.names)
    assert found.covariance.shape == (size, size)
    assert found.covariance[:6, :6] == pytest.approx(lmc_covariance(LMCErrors()))
    stellar = found.covariance[6:, 6:]
    assert np.count_nonzero(stellar) == size - 6
    assert (np.diag(stellar) > 0).all()


@pytest.mark.parametrize("name", ["v_travel", "v_z", "M_LMC(<50 kpc)"])
def test_a_quantity_is_that_of_table_2(name):
    draws = np.random.default_rng(1).normal(10, 1, size=(5, 3, len(NAMES)))
    found = PlannedExperiment(giants(), name, NAMES).quantity(draws)
    wanted = quantities.quantities(draws.reshape(-1, len(NAMES)))[name]
    assert np.array_equal(found.ravel(), wanted)


def test_a_quantity_needs_its_own_parameters_alone():
    draws = np.random.default_rng(1).normal(size=(5, 3, 3))
    found = PlannedExperiment(giants(), "v_travel", ("v_x", "v_y", "v_z"))
    assert found.quantity(draws) == pytest.approx(np.linalg.norm(draws, axis=-1))


def test_chosen_parameters_keep_their_order():
    options = Binnings(parameters=("v_z", "v_y", "v_x"))
    assert [one.name for one in options.inferred] == ["v_x", "v_y", "v_z"]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"surveys": ("gaia",)}, "choose from desi, h3"),
        ({"surveys": ()}, "choose from desi, h3"),
        ({"surveys": ("desi", "desi")}, "name each once"),
        ({"parameters": ("mass",)}, "choose from log10_m_mw_halo_50"),
        ({"parameters": ("v_x", "v_y", "v_z", "v_x")}, "name each once"),
        ({"desi_stars": 0}, "give 1 star or more"),
        ({"h3_stars": -1}, "give 1 star or more"),
        ({"error_floor": -0.5}, "0 km/s or more"),
        ({"error_floor": float("inf")}, "0 km/s or more, not infinite"),
        ({"error_floor": float("nan")}, "0 km/s or more"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"quantity": "speed"}, "'v_travel'"),
        ({"parameters": ("v_x", "v_y")}, "needs v_z among"),
    ],
)
def test_what_cannot_be_planned_is_refused(choice, said):
    with pytest.raises(ValueError, match=said):
        Binnings(**choice)
