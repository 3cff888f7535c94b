"""Laws of binnings: every distance has its bin, and a definition says everything."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwlmc.sky.binning import (
    DESI_FOOTPRINT,
    QUADRANTS,
    Profile,
    SkyBinning,
    contiguous,
    equal_ranges,
    quadrants,
)
from mwlmc.sky.patches import (
    ALL_SKY,
    Q1,
    Cell,
    Patch,
    Window,
    healpix_patches,
)


def test_healpix_patches_bin_stars_and_describe_themselves():
    one, other = (
        SkyBinning(
            "healpix", tuple(Profile(p, "v_gsr", ((30.0, 60.0),)) for p in patches)
        )
        for patches in (healpix_patches(1), healpix_patches(2)[:12])
    )
    assert len(one.names) == 6 + 12
    assert json.loads(json.dumps(one.describe())) == one.describe()
    assert one.fingerprint != other.fingerprint
    for nside in (0, 3):
        with pytest.raises(ValueError, match="power of 2"):
            healpix_patches(nside)
    with pytest.raises(ValueError, match="nside 1 has 12"):
        Cell(1, 12)


def test_without_the_lmc_exactly_its_six_entries_are_missing():
    whole = QUADRANTS.with_moments(("mean", "dispersion"))
    stellar = replace(whole, lmc=False)
    assert stellar.names == whole.names[6:]
    assert stellar.units == whole.units[6:]
    assert stellar.bins == whole.bins
    assert stellar.fingerprint != whole.fingerprint


@given(st.integers(1, 12))
def test_quadrants_have_any_number_of_distance_bins(bins):
    binning = quadrants(bins)
    assert len(binning.bins) == 4 * bins + bins + 1
    assert binning.distances == (30.0, 160.0)
    assert (binning == QUADRANTS) == (bins == 5)


def test_quadrants_without_bins_are_refused():
    with pytest.raises(ValueError, match="bins=0"):
        quadrants(0)


def test_moments_can_be_given_to_one_quantity():
    binning = QUADRANTS.with_moments(("mean", "dispersion"), ("v_gsr",))
    assert len(binning.names) == 6 + 2 * 20 + 6
    assert not any(name.startswith("v_tb_dispersion") for name in binning.names)


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
        Profile(ALL_SKY, "v_gsr", bins)


def test_impossible_choices_are_refused():
    bins = equal_ranges(30, 60, 3)
    with pytest.raises(ValueError, match="choose from v_gsr, v_tb"):
        Profile(ALL_SKY, "v_r", bins)
    with pytest.raises(ValueError, match="choose from mean, dispersion"):
        Profile(ALL_SKY, "v_gsr", bins, ("median",))
    with pytest.raises(ValueError, match="two edges"):
        contiguous((30.0,))
    with pytest.raises(ValueError, match="more than once"):
        SkyBinning(
            "twice",
            (Profile(Q1, "v_gsr", bins), Profile(Q1, "v_gsr", bins)),
        )
    with pytest.raises(ValueError, match="no profiles"):
        SkyBinning("none", ())
    with pytest.raises(ValueError, match="no windows"):
        Patch("nowhere", ())
    with pytest.raises(ValueError, match="clip"):
        replace(QUADRANTS, clip=0.5)


@given(st.lists(st.floats(0, 200), max_size=30))
def test_assignment_is_what_a_loop_finds(distances):
    profile = Profile(ALL_SKY, "v_gsr", ((30.0, 40.0), (40.0, 55.0), (90.0, 160.0)))
    for distance, number in zip(
        distances, profile.assign(np.array(distances)), strict=True
    ):
        found = [i for i, (lo, hi) in enumerate(profile.bins) if lo <= distance < hi]
        assert number == (found[0] if found else -1)


@given(st.lists(st.floats(0, 200), max_size=30))
def test_shells_give_stars_to_the_bins_that_profiles_give_them_to(distances):
    near = Profile(Q1, "v_gsr", ((30.0, 40.0), (40.0, 55.0), (90.0, 160.0)))
    far = Profile(ALL_SKY, "v_tb", ((50.0, 100.0),))
    binning = SkyBinning("both", (near, far))
    distance = np.array([*distances, *binning.shells.limits])
    shell = binning.shells.assign(distance)
    for profile, bins, first in zip(
        binning.profiles, binning.shells.bins, (0, 3), strict=True
    ):
        own = profile.assign(distance)
        np.testing.assert_array_equal(bins[shell], np.where(own < 0, -1, own + first))


def test_named_binnings_have_the_papers_dimensions():
    sizes = {b: len(b.names) for b in (DESI_FOOTPRINT, QUADRANTS)}
    assert sizes == {DESI_FOOTPRINT: 6 + 14 + 3, QUADRANTS: 6 + 20 + 6}
    assert DESI_FOOTPRINT.names[6] == "v_gsr_mean_north_30_40"
    assert len(DESI_FOOTPRINT.select(("v_gsr",)).names) == 6 + 14
    for binning in sizes:
        assert len(set(binning.names)) == len(binning.names) == len(binning.units)
        both = binning.with_moments(("mean", "dispersion"))
        assert len(both.names) == 6 + 2 * (len(binning.names) - 6)


def _changed(binning):
    first, *rest = binning.profiles
    moved = replace(first, patch=Patch("q1", (Window(l=(0.0, 170.0), b=(0.0, 90.0)),)))
    wider = replace(first, bins=equal_ranges(30.0, 150.0, 5))
    return [
        replace(binning, clip=2.5),
        binning.select(("v_gsr",)),
        binning.with_moments(("mean", "dispersion")),
        replace(binning, profiles=(moved, *rest)),
        replace(binning, profiles=(wider, *rest)),
        replace(binning, profiles=(*rest, first)),
    ]


def test_fingerprint_tells_definitions_apart_and_ignores_the_name():
    binnings = [QUADRANTS, *_changed(QUADRANTS)]
    assert len({b.fingerprint for b in binnings}) == len(binnings)
    assert replace(QUADRANTS, name="other").fingerprint == QUADRANTS.fingerprint


def test_supported_leaves_out_what_has_too_few_stars():
    binning = QUADRANTS
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
