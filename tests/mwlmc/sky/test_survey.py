"""Laws of patches and binnings: the sky is covered once, and a definition says everything."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwlmc.sky import frames, survey
from mwlmc.sky.survey import Binning, Directions, Patch, Profile, Window


def _everywhere(count=2000, seed=4):
    return Directions(np.random.default_rng(seed).normal(size=(count, 3)))


def _at(ra, dec):
    towards = (
        frames.direction(np.radians(ra), np.radians(dec))
        @ frames.EQUATORIAL_TO_GALACTIC.T
    )
    return Directions(np.atleast_2d(towards))


def test_every_star_is_in_one_quadrant():
    quadrants = (survey.Q1, survey.Q2, survey.Q3, survey.Q4)
    seen = _everywhere()
    assert (np.sum([q.contains(seen) for q in quadrants], axis=0) == 1).all()
    assert survey.ALL_SKY.contains(seen).all()


def test_axes_of_the_sky_belong_to_a_quadrant():
    seen = Directions(np.concatenate([np.eye(3), -np.eye(3)]))
    inside = [q.contains(seen) for q in (survey.Q1, survey.Q2, survey.Q3, survey.Q4)]
    assert (np.sum(inside, axis=0) == 1).all()


@pytest.mark.parametrize("nside", [1, 2])
def test_every_star_is_in_one_healpix_patch_of_equal_area(nside):
    seen, patches = _everywhere(50_000), survey.healpix_patches(nside)
    inside = np.array([patch.contains(seen) for patch in patches])
    assert len(patches) == 12 * nside**2
    assert (inside.sum(axis=0) == 1).all()
    expected = 50_000 / len(patches)
    assert (np.abs(inside.sum(axis=1) - expected) < 4.5 * np.sqrt(expected)).all()


def test_healpix_patches_bin_stars_and_describe_themselves():
    one, other = (
        Binning("healpix", tuple(Profile(p, "v_gsr", ((30.0, 60.0),)) for p in patches))
        for patches in (survey.healpix_patches(1), survey.healpix_patches(2)[:12])
    )
    assert len(one.names) == 6 + 12
    assert json.loads(json.dumps(one.describe())) == one.describe()
    assert one.fingerprint != other.fingerprint
    for nside in (0, 3):
        with pytest.raises(ValueError, match="power of 2"):
            survey.healpix_patches(nside)
    with pytest.raises(ValueError, match="nside 1 has 12"):
        survey.Cell(1, 12)


def test_without_the_lmc_exactly_its_six_entries_are_gone():
    whole = survey.QUADRANTS.with_moments(("mean", "dispersion"))
    stellar = replace(whole, lmc=False)
    assert stellar.names == whole.names[6:]
    assert stellar.units == whole.units[6:]
    assert stellar.bins == whole.bins
    assert stellar.fingerprint != whole.fingerprint


@given(st.integers(1, 12))
def test_quadrants_have_any_number_of_distance_bins(bins):
    binning = survey.quadrants(bins)
    assert len(binning.bins) == 4 * bins + bins + 1
    assert binning.distances == (30.0, 160.0)
    assert (binning == survey.QUADRANTS) == (bins == 5)


def test_quadrants_without_bins_are_refused():
    with pytest.raises(ValueError, match="bins=0"):
        survey.quadrants(0)


def test_moments_can_be_given_to_one_quantity():
    binning = survey.QUADRANTS.with_moments(("mean", "dispersion"), ("v_gsr",))
    assert len(binning.names) == 6 + 2 * 20 + 6
    assert not any(name.startswith("v_tb_dispersion") for name in binning.names)


def test_quadrants_are_where_they_are_called():
    towards = frames.direction(
        np.radians([90, 270, 90, 270]), np.radians([45, 45, -45, -45])
    )
    inside = [
        q.contains(Directions(towards))
        for q in (survey.Q1, survey.Q2, survey.Q3, survey.Q4)
    ]
    np.testing.assert_array_equal(inside, np.eye(4, dtype=bool))


def test_desi_is_its_north_or_its_south():
    seen = _everywhere()
    either = survey.DESI_NORTH.contains(seen) | survey.DESI_SOUTH.contains(seen)
    np.testing.assert_array_equal(survey.DESI.contains(seen), either)
    assert not (
        survey.DESI_NORTH.contains(seen) & survey.DESI_SOUTH.contains(seen)
    ).any()


@pytest.mark.parametrize(
    ("ra", "inside"), [(300, False), (310, True), (0, True), (70, True)]
)
def test_desi_south_runs_through_right_ascension_zero(ra, inside):
    assert survey.DESI_SOUTH.contains(_at(ra, -5.0))[0] == inside


@given(st.floats(0, 359), st.floats(0, 359), st.floats(0, 360, exclude_max=True))
def test_window_and_its_complement_share_no_star(lower, upper, longitude):
    if lower == upper:
        return
    seen = Directions(frames.direction(np.radians([longitude]), np.array([0.3])))
    window, rest = Window(l=(lower, upper)), Window(l=(upper, lower))
    assert window.contains(seen)[0] != rest.contains(seen)[0]


@pytest.mark.parametrize(
    "l", [(0, 90), (90, 360), (200, 10), (350, 20), (359, 1), (10, 200)]
)
@pytest.mark.parametrize("b", [(-90, 90), (-20, 65), (10, 90)])
def test_a_window_has_the_stars_whose_angles_are_within_its_limits(l, b):  # noqa: E741
    seen = _everywhere()
    longitude, latitude = np.degrees(frames.angles(seen.galactic))
    after, before = longitude >= l[0], longitude < l[1]
    across = after & before if l[0] < l[1] else after | before
    expected = across & (latitude >= b[0]) & (latitude < b[1])
    np.testing.assert_array_equal(Window(l=l, b=b).contains(seen), expected)


def test_sectors_that_cover_the_sky_share_no_star_not_even_at_their_seams_or_the_poles():
    seams = frames.direction(np.radians([0, 120, 240, 360]), np.full(4, 0.3))
    seen = Directions(np.concatenate([seams, np.eye(3), -np.eye(3)]))
    sectors = [Window(l=limits) for limits in ((0, 120), (120, 240), (240, 360))]
    assert (np.sum([sector.contains(seen) for sector in sectors], axis=0) == 1).all()


@pytest.mark.parametrize(
    "limits",
    [
        {"l": (0, 400)},
        {"ra": (10, 10)},
        {"b": (20, -20)},
        {"dec": (-100, 0)},
        {"l": (-10, 10)},
    ],
)
def test_impossible_window_is_refused(limits):
    with pytest.raises(ValueError, match=f"{next(iter(limits))}="):
        Window(**limits)


@pytest.mark.parametrize(
    "bins",
    [
        (),
        ((40, 30),),
        ((30, 50), (40, 60)),
        ((50, 60), (30, 40)),
        ((-1, 10),),
        ((30, 30),),
    ],
)
def test_impossible_bins_are_refused(bins):
    with pytest.raises(ValueError, match="distance bins"):
        Profile(survey.ALL_SKY, "v_gsr", bins)


def test_impossible_choices_are_refused():
    bins = survey.equal(30, 60, 3)
    with pytest.raises(ValueError, match="choose from v_gsr, v_tb"):
        Profile(survey.ALL_SKY, "v_r", bins)
    with pytest.raises(ValueError, match="choose from mean, dispersion"):
        Profile(survey.ALL_SKY, "v_gsr", bins, ("median",))
    with pytest.raises(ValueError, match="two edges"):
        survey.contiguous((30.0,))
    with pytest.raises(ValueError, match="more than once"):
        Binning(
            "twice",
            (Profile(survey.Q1, "v_gsr", bins), Profile(survey.Q1, "v_gsr", bins)),
        )
    with pytest.raises(ValueError, match="no profiles"):
        Binning("none", ())
    with pytest.raises(ValueError, match="no windows"):
        Patch("nowhere", ())
    with pytest.raises(ValueError, match="clip"):
        replace(survey.QUADRANTS, clip=0.5)


@given(st.lists(st.floats(0, 200), max_size=30))
def test_assignment_is_what_a_loop_finds(distances):
    profile = Profile(
        survey.ALL_SKY, "v_gsr", ((30.0, 40.0), (40.0, 55.0), (90.0, 160.0))
    )
    for distance, number in zip(
        distances, profile.assign(np.array(distances)), strict=True
    ):
        found = [i for i, (lo, hi) in enumerate(profile.bins) if lo <= distance < hi]
        assert number == (found[0] if found else -1)


def test_named_binnings_have_the_papers_dimensions():
    sizes = {b: len(b.names) for b in (survey.DESI_FOOTPRINT, survey.QUADRANTS)}
    assert sizes == {survey.DESI_FOOTPRINT: 6 + 14 + 3, survey.QUADRANTS: 6 + 20 + 6}
    assert survey.DESI_FOOTPRINT.names[6] == "v_gsr_mean_north_30_40"
    assert len(survey.DESI_FOOTPRINT.select(("v_gsr",)).names) == 6 + 14
    for binning in sizes:
        assert len(set(binning.names)) == len(binning.names) == len(binning.units)
        both = binning.with_moments(("mean", "dispersion"))
        assert len(both.names) == 6 + 2 * (len(binning.names) - 6)


def _changed(binning):
    first, *rest = binning.profiles
    moved = replace(first, patch=Patch("q1", (Window(l=(0.0, 170.0), b=(0.0, 90.0)),)))
    wider = replace(first, bins=survey.equal(30.0, 150.0, 5))
    return [
        replace(binning, clip=2.5),
        binning.select(("v_gsr",)),
        binning.with_moments(("mean", "dispersion")),
        replace(binning, profiles=(moved, *rest)),
        replace(binning, profiles=(wider, *rest)),
        replace(binning, profiles=(*rest, first)),
    ]


def test_fingerprint_tells_definitions_apart_and_ignores_the_name():
    binnings = [survey.QUADRANTS, *_changed(survey.QUADRANTS)]
    assert len({b.fingerprint for b in binnings}) == len(binnings)
    assert (
        replace(survey.QUADRANTS, name="other").fingerprint
        == survey.QUADRANTS.fingerprint
    )


def test_supported_leaves_out_what_has_too_few_stars():
    binning = survey.QUADRANTS
    numbers = [5] * len(binning.bins)
    assert binning.supported(numbers) == binning
    numbers[1] = numbers[5] = 1
    numbers[-6:] = [0] * 6
    left = binning.supported(numbers)
    assert left.bins == tuple(
        b for b, n in zip(binning.bins, numbers, strict=True) if n >= 2
    )
    assert left.fingerprint != binning.fingerprint
    with pytest.raises(ValueError, match="widen distance_edges"):
        binning.supported([0] * len(binning.bins))
    with pytest.raises(ValueError, match="26 bins"):
        binning.supported([1, 2])


def test_giants_are_counted_once():
    whole = Binning(
        "whole", (Profile(survey.ALL_SKY, "v_gsr", survey.equal(30.0, 100.0, 7)),)
    )
    assert survey.expected_counts(whole).sum() == pytest.approx(survey.GIANTS)
    by_quadrant = survey.expected_counts(survey.QUADRANTS.select(("v_gsr",))).sum()
    across = survey.expected_counts(survey.QUADRANTS.select(("v_tb",))).sum()
    assert by_quadrant == pytest.approx(across)
    assert 60 < across - survey.GIANTS < 140
    elsewhere = Binning(
        "elsewhere", (Profile(Patch("x", (Window(),)), "v_gsr", ((30.0, 40.0),)),)
    )
    with pytest.raises(ValueError, match="no share"):
        survey.expected_counts(elsewhere)


def test_sagittarius_dwarf_is_the_origin_of_its_stream():
    longitude, latitude = survey.stream_coordinates(
        np.radians([283.83]), np.radians([-30.55])
    )
    assert abs((longitude[0] + 180) % 360 - 180) < 3
    assert abs(latitude[0]) < 3


def test_stars_on_an_arm_are_members_and_others_are_not():
    ra, dec = np.random.default_rng(5).uniform([[0], [-1.4]], [[6.28], [1.4]], (2, 500))
    longitude, latitude = survey.stream_coordinates(ra, dec)
    arm = survey.TRAILING
    on = (longitude > arm.start) & (longitude < arm.end) & (np.abs(latitude) < 12)
    mean, depth = arm.at(longitude[on])
    assert on.sum() > 20
    assert survey.sagittarius(ra[on], dec[on], mean + 2.9 * depth).all()
    assert not survey.sagittarius(ra[on], dec[on], np.full(on.sum(), 300.0)).any()
    far = np.abs(latitude) > 12
    assert not survey.sagittarius(ra[far], dec[far], arm.at(longitude[far])[0]).any()
