"""Laws of the moments' errors: those of a normal sample, and honest where stars are few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwlmc.sky import kinematics
from mwlmc.sky.binning import Profile, SkyBinning
from mwlmc.sky.moment_errors import summary_errors
from mwlmc.sky.patches import ALL_SKY, Directions


def _stars(count, spread=100.0, seed=10, near=30.0, far=100.0):
    random = np.random.default_rng(seed)
    return kinematics.RestFrameStars(
        random.uniform(near, far, count),
        Directions(random.normal(size=(count, 3))),
        random.normal(0, spread, count),
        random.normal(0, spread, count),
        np.zeros(count, dtype=int),
    )


def _binning(*bins):
    moments = ("mean", "dispersion")
    return SkyBinning("test", (Profile(ALL_SKY, "v_gsr", bins, moments),))


def test_bootstrap_errors_are_those_of_a_normal_sample():
    stars, binning = _stars(2000), _binning((30.0, 100.0))
    errors = summary_errors(stars, binning, seed=1, resamples=2000)
    sigma = kinematics.binned_moments(stars, binning).dispersion[0, 0]
    assert errors.mean[0] == pytest.approx(sigma / np.sqrt(2000), rel=0.1)
    assert errors.dispersion[0] == pytest.approx(sigma / np.sqrt(4000), rel=0.1)


def test_errors_are_seeded_and_each_bin_has_its_own_stream():
    stars = _stars(500)
    one = summary_errors(stars, _binning((30.0, 60.0)), seed=1)
    two = summary_errors(stars, _binning((30.0, 60.0), (60.0, 100.0)), seed=1)
    other = summary_errors(stars, _binning((30.0, 60.0)), seed=2)
    assert one.mean[0] == two.mean[0] != other.mean[0]


@pytest.mark.slow
@given(st.floats(0, 5))
@settings(max_examples=20)
def test_two_stars_that_agree_do_not_make_a_small_error(apart):
    stars = _stars(300, far=80.0)
    pair = _stars(2, seed=11, near=90.0)
    velocity = np.array([40.0 - apart, 40.0 + apart])
    both = kinematics.RestFrameStars(
        np.concatenate([stars.distance, pair.distance]),
        Directions(
            np.concatenate([stars.directions.galactic, pair.directions.galactic])
        ),
        np.concatenate([stars.v_gsr, velocity]),
        np.concatenate([stars.v_tb, pair.v_tb]),
        np.zeros(302, dtype=int),
    )
    errors = summary_errors(both, _binning((30.0, 80.0), (80.0, 100.0)), seed=1)
    assert errors.mean[1] == pytest.approx(100 / np.sqrt(2), rel=0.15)
    assert errors.dispersion[1] == pytest.approx(100 / np.sqrt(4), rel=0.15)


def test_too_few_stars_are_named():
    with pytest.raises(ValueError, match=r"patch 'all' at 200-300 kpc: 0\).*supported"):
        summary_errors(_stars(100), _binning((30.0, 100.0), (200.0, 300.0)), seed=1)
    with pytest.raises(ValueError, match="5 stars in all"):
        summary_errors(_stars(5), _binning((30.0, 100.0)), seed=1)
