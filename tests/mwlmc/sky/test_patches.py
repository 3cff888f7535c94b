"""Laws of patches: the sky is covered once, and windows hold what their limits say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwlmc.sky import frames
from mwlmc.sky.patches import (
    ABOVE,
    ALL_SKY,
    BELOW,
    DESI,
    DESI_NORTH,
    DESI_SOUTH,
    Q1,
    Q2,
    Q3,
    Q4,
    Directions,
    Overlap,
    Patch,
    Window,
    healpix_patches,
    within,
)


def _everywhere(count=2000, seed=4):
    return Directions(np.random.default_rng(seed).normal(size=(count, 3)))


def _at(ra, dec):
    towards = (
        frames.direction(np.radians(ra), np.radians(dec))
        @ frames.EQUATORIAL_TO_GALACTIC.T
    )
    return Directions(np.atleast_2d(towards))


def test_every_star_is_in_one_quadrant():
    quadrants = (Q1, Q2, Q3, Q4)
    seen = _everywhere()
    assert (np.sum([q.contains(seen) for q in quadrants], axis=0) == 1).all()
    assert ALL_SKY.contains(seen).all()


def test_axes_of_the_sky_belong_to_a_quadrant():
    seen = Directions(np.concatenate([np.eye(3), -np.eye(3)]))
    inside = [q.contains(seen) for q in (Q1, Q2, Q3, Q4)]
    assert (np.sum(inside, axis=0) == 1).all()


@pytest.mark.parametrize("nside", [1, 2])
def test_every_star_is_in_one_healpix_patch_of_equal_area(nside):
    seen, patches = _everywhere(50_000), healpix_patches(nside)
    inside = np.array([patch.contains(seen) for patch in patches])
    assert len(patches) == 12 * nside**2
    assert (inside.sum(axis=0) == 1).all()
    expected = 50_000 / len(patches)
    assert (np.abs(inside.sum(axis=1) - expected) < 4.5 * np.sqrt(expected)).all()


def test_quadrants_are_where_they_are_called():
    towards = frames.direction(
        np.radians([90, 270, 90, 270]), np.radians([45, 45, -45, -45])
    )
    inside = [q.contains(Directions(towards)) for q in (Q1, Q2, Q3, Q4)]
    np.testing.assert_array_equal(inside, np.eye(4, dtype=bool))


def test_desi_is_its_north_or_its_south():
    seen = _everywhere()
    either = DESI_NORTH.contains(seen) | DESI_SOUTH.contains(seen)
    np.testing.assert_array_equal(DESI.contains(seen), either)
    assert not (DESI_NORTH.contains(seen) & DESI_SOUTH.contains(seen)).any()


@pytest.mark.parametrize(
    ("ra", "inside"), [(300, False), (310, True), (0, True), (70, True)]
)
def test_desi_south_runs_through_right_ascension_zero(ra, inside):
    assert DESI_SOUTH.contains(_at(ra, -5.0))[0] == inside


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


def test_a_footprints_pieces_share_its_stars_and_none_beyond():
    seen = _everywhere()
    inside = DESI.contains(seen)
    for whole in ((ABOVE, BELOW), (Q1, Q2, Q3, Q4), healpix_patches(1)):
        parts = [within(patch, DESI).contains(seen) for patch in whole]
        assert np.array_equal(np.sum(parts, axis=0), inside.astype(int))


def test_a_piece_is_searched_once_for_all_patches_that_share_it():
    class Counted(Window):
        asked = 0

        def contains(self, directions):
            Counted.asked += 1
            return super().contains(directions)

    footprint = Patch("footprint", (Counted(b=(10.0, 90.0)),))
    seen = Directions(np.random.default_rng(1).normal(size=(50, 3)))
    for patch in healpix_patches(1):
        within(patch, footprint).contains(seen)
    assert Counted.asked == 1


def test_an_overlap_of_one_piece_is_refused():
    with pytest.raises(ValueError, match="two pieces or more"):
        Overlap((Window(),))
