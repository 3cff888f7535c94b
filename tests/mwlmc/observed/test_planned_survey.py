"""A planned survey: its stars are all counted once, and more of them mean smaller errors."""

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest

from mwlmc.observed import planned_survey
from mwlmc.observed.mock_survey import expected_counts, forecast_errors
from mwlmc.observed.options import GIANTS
from mwlmc.observed.planned_survey import (
    FEWEST,
    PatchChoice,
    Spacing,
    SurveyBinning,
    pieces,
    survey_like,
)
from mwlmc.sky import frames
from mwlmc.sky.binning import QUADRANTS
from mwlmc.sky.patches import ABOVE, ALL_SKY, BELOW

CHOICES = get_args(PatchChoice)


@pytest.fixture(scope="module")
def like_desi(desi):
    return survey_like(desi)


@pytest.fixture(scope="module", params=["desi", "h3"])
def survey(request, like_desi):
    return like_desi if request.param == "desi" else planned_survey.giants()


def stars_in(survey, binning, chosen, quantity="v_gsr"):
    """Returns the expected stars of a binning's bins of one quantity, by their errors."""
    plain = replace(binning, lmc=False)
    errors = survey.errors(plain, chosen)
    wanted = [b.quantity == quantity for b in plain.bins]
    return (95.0 / errors[wanted]) ** 2


@pytest.mark.parametrize("choice", CHOICES)
def test_every_star_is_in_one_piece(survey, choice):
    found = sum(survey.count(piece, 30.0, 100.0, 1000) for piece in pieces(choice))
    assert found == pytest.approx(1000)


def test_bins_side_by_side_share_the_stars(survey):
    edges = np.linspace(30.0, survey.furthest, 9)
    parts = [survey.count(ABOVE, near, far, 500) for near, far in pairwise(edges)]
    assert sum(parts) == pytest.approx(survey.count(ABOVE, 30.0, survey.furthest, 500))


def test_a_survey_like_a_table_has_its_stars_and_its_errors(desi, like_desi):
    counts = dict(zip(desi.bins, desi.moments.count.tolist(), strict=True))
    for lower in range(30, 100, 10):
        both = sum(
            count
            for b, count in counts.items()
            if b.quantity == "v_gsr" and b.lower == lower
        )
        found = like_desi.count(ALL_SKY, lower, lower + 10.0, 856)
        assert found == pytest.approx(both)
    north = sum(
        n for b, n in counts.items() if (b.patch, b.quantity) == ("north", "v_gsr")
    )
    assert like_desi.count(ABOVE, 30.0, 100.0, 856) == pytest.approx(north)
    # 0.3 mas/yr is 57 km/s at 40 kpc
    assert 0.2 < like_desi.motion_error < 0.5


def test_giants_are_those_of_the_forecasts():
    survey = planned_survey.giants()
    chosen = SurveyBinning("quadrants", 5, "equal", 6, stars=GIANTS)
    wanted = expected_counts(QUADRANTS)
    binning = survey.binning(chosen)
    # a forecast keeps bins that hardly any star is in
    kept = np.flatnonzero(wanted >= FEWEST)
    assert [str(b)[:20] for b in binning.bins] == [
        str(QUADRANTS.bins[i])[:20] for i in kept
    ]
    found = survey.errors(binning, chosen)[6:]
    assert found == pytest.approx(forecast_errors(QUADRANTS)[6:][kept], rel=0.01)


def test_bins_where_hardly_any_star_is_are_left_out(survey):
    chosen = SurveyBinning("healpix", 10, "equal", 0, stars=856)
    binning = survey.binning(chosen)
    found = stars_in(survey, binning, chosen)
    assert (found >= FEWEST - 1e-9).all()
    assert len(found) < 12 * 10
    more = replace(chosen, stars=85_600)
    assert len(survey.binning(more).bins) > len(binning.bins)
    with pytest.raises(ValueError, match="has 5"):
        survey.binning(replace(chosen, stars=5))


@pytest.mark.parametrize("moments", ["mean", "mean+dispersion"])
def test_four_times_the_stars_halve_the_errors(survey, moments):
    chosen = SurveyBinning("quadrants", 2, v_tb_bins=2, moments=moments, stars=2000)
    binning = survey.binning(chosen)
    one = survey.errors(binning, chosen)
    four = survey.errors(binning, replace(chosen, stars=8000))
    assert four[6:] == pytest.approx(one[6:] / 2)
    assert list(four[:6]) == list(one[:6])  # the LMC's are no survey's


def test_a_floor_is_added_to_what_stars_leave(survey):
    chosen = SurveyBinning("whole", 3, v_tb_bins=2, moments="mean+dispersion")
    binning = survey.binning(chosen)
    bare = survey.errors(binning, chosen)
    floored = survey.errors(binning, replace(chosen, error_floor=4.0))
    assert floored[6:] == pytest.approx(np.hypot(bare[6:], 4.0))
    assert list(floored[:6]) == list(bare[:6])


def test_proper_motions_err_more_the_further_the_star(like_desi):
    chosen = SurveyBinning("whole", 1, v_tb_bins=2, stars=10_000)
    binning = like_desi.binning(chosen)
    b = binning.bins[-1]
    error = like_desi.errors(binning, chosen)[-1]
    count = like_desi.count(ALL_SKY, b.lower, b.upper, 10_000)
    each = frames.K * like_desi.motion_error * (b.lower + b.upper) / 2
    assert error == pytest.approx(np.hypot(95.0, each) / np.sqrt(count))


@pytest.mark.parametrize("spacing", get_args(Spacing))
def test_bins_go_from_the_nearest_to_the_furthest_stars(survey, spacing):
    bins = survey.bins(6, spacing)
    assert (bins[0][0], bins[-1][1]) == (30.0, survey.furthest)
    assert all(one[1] == other[0] for one, other in pairwise(bins))


def test_bins_are_spaced_as_asked(survey):
    width = np.diff(survey.bins(5, "equal"), axis=1)
    assert width == pytest.approx(np.full((5, 1), width[0]))
    ratio = np.array(survey.bins(5, "ratio"))
    assert ratio[:, 1] / ratio[:, 0] == pytest.approx(
        np.full(5, (survey.furthest / 30) ** 0.2), rel=0.01
    )
    held = [survey.count(ALL_SKY, lo, hi, 1000) for lo, hi in survey.bins(4, "stars")]
    assert held == pytest.approx(np.full(4, np.mean(held)), rel=0.03)


def test_patches_are_the_footprints_part(like_desi):
    binning = like_desi.binning(SurveyBinning("footprints", 1, v_tb_bins=1))
    assert [p.patch.name for p in binning.profiles] == [
        "desi_above",
        "desi_below",
        "desi_all",
    ]
    both = sum(
        like_desi.density[p.contains(planned_survey.CELLS)].sum()
        for p in (ABOVE, BELOW)
    )
    assert both == pytest.approx(1)


def test_words_do_not_decide(like_desi):
    assert replace(like_desi, name="other words").description == like_desi.description


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"distance_bins": 0}, "give 1 or more"),
        ({"v_tb_bins": -1}, "0 or more"),
        ({"stars": 0}, "1 star or more"),
        ({"error_floor": -1.0}, "0 km/s or more"),
    ],
)
def test_choices_out_of_range_are_refused(choice, said):
    with pytest.raises(ValueError, match=said):
        SurveyBinning(**choice)


def test_a_table_without_errors_of_motions_is_refused(desi):
    stars = tuple(replace(one, errors=(0.0,)) for one in desi.sample.stars)
    with pytest.raises(ValueError, match="no errors of proper motions"):
        survey_like(replace(desi, sample=replace(desi.sample, stars=stars)))


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("spacing", get_args(Spacing))
def test_support_is_of_the_bins_that_a_binning_keeps(survey, choice, spacing):
    chosen = SurveyBinning(choice, 8, spacing, v_tb_bins=6, stars=400)
    found = survey.support(chosen)
    kept = survey.binning(chosen).bins
    radial = [b for b in kept if b.quantity == "v_gsr"]
    assert found.v_gsr_bins == len(radial)
    assert found.patches == len({b.patch for b in radial})
    assert found.v_tb_bins == len(kept) - len(radial)
    dense = survey.support(replace(chosen, stars=10**7))
    # so many stars fill all bins of patches in which any star is
    assert found.v_gsr_bins + found.v_gsr_left_out == dense.v_gsr_bins
    assert dense.v_gsr_left_out == 0
    assert dense.stars == pytest.approx(10**7)
    assert 0 < found.stars <= 400 + 1e-9


def test_stars_beyond_the_scale_are_not_counted():
    survey = planned_survey.giants()
    found = survey.support(SurveyBinning("whole", 1, v_tb_bins=0, stars=500))
    assert found.stars == pytest.approx(500)
    assert survey.count(ALL_SKY, 30.0, 160.0, 500) > 501


def test_a_survey_with_no_bin_keeps_nothing(survey):
    found = survey.support(SurveyBinning("healpix", 5, stars=3))
    assert (found.patches, found.v_gsr_bins, found.v_tb_bins) == (0, 0, 0)
    assert found.stars == 0
    assert found.v_gsr_left_out > 0
