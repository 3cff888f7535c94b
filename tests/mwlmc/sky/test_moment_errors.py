"""Laws of the moments' errors: those of a normal sample, and honest where stars are few."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwlmc.sky import kinematics
from mwlmc.sky.binning import Profile, SkyBinning
from mwlmc.sky.moment_errors import summary_errors, usual_mean_square
from mwlmc.sky.moments import clipped_moments
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


def _binning(*bins, clip=3.0):
    moments = ("mean", "dispersion")
    return SkyBinning("test", (Profile(ALL_SKY, "v_gsr", bins, moments),), clip)


def test_bootstrap_errors_are_those_of_a_normal_sample():
    stars, binning = _stars(2000), _binning((30.0, 100.0), clip=9.0)
    errors = summary_errors(stars, binning, seed=1, resamples=2000)
    sigma = kinematics.binned_moments(stars, binning).dispersion[0, 0]
    assert errors.mean[0] == pytest.approx(sigma / np.sqrt(2000), rel=0.1)
    assert errors.dispersion[0] == pytest.approx(sigma / np.sqrt(4000), rel=0.1)


def _velocities(kind, count, random):
    if kind == "normal":
        return random.normal(0, 100, count)
    return random.laplace(0, 50, count)  # a few are fast, as across radial orbits


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "a few are fast"])
def test_errors_are_what_moments_scatter_by_clipping_included(kind):
    random = np.random.default_rng(7)
    count, surveys = 300, 3000
    values = _velocities(kind, count * surveys, random)
    owner = np.repeat(np.arange(surveys), count)
    found = clipped_moments(values, owner, surveys)
    errors = []
    for _ in range(40):
        v_gsr = _velocities(kind, count, random)
        stars = replace(_stars(count), v_gsr=v_gsr)
        one = summary_errors(stars, _binning((30.0, 100.0)), seed=1, resamples=200)
        errors.append([one.mean[0], one.dispersion[0]])
    claimed = np.sqrt(np.mean(np.square(errors), axis=0))
    true = found.mean.std(), found.dispersion.std()
    np.testing.assert_allclose(claimed, true, rtol=0.15)


def test_one_failed_velocity_of_twelve_does_not_decide_their_errors():
    stars, binning = _stars(12), _binning((30.0, 100.0))
    failed = np.append(stars.v_gsr, 1200.0)
    more = replace(_stars(13), v_gsr=failed)
    honest, errors = (summary_errors(one, binning, seed=1) for one in (stars, more))
    assert errors.mean[0] == pytest.approx(honest.mean[0], rel=0.1)
    assert errors.dispersion[0] == pytest.approx(honest.dispersion[0], rel=0.1)


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


@pytest.mark.parametrize("failed", [1, 40])
def test_a_few_failed_measurements_do_not_decide_an_error(failed):
    part = np.random.default_rng(3).uniform(0.05, 0.16, 900)
    honest = usual_mean_square(part)
    assert honest == pytest.approx(np.mean(part**2), rel=1e-12)
    part[:failed] = np.linspace(3.0, 12.0, failed)
    assert usual_mean_square(part) == pytest.approx(honest, rel=0.02)


def test_errors_that_vary_as_those_of_giants_do_are_all_counted():
    """Also of twice the size, and where all are nought."""
    part = np.exp(np.random.default_rng(4).normal(np.log(0.16), 0.35, 2000))
    assert usual_mean_square(2.0 * part) == pytest.approx(4.0 * usual_mean_square(part))
    assert usual_mean_square(part) == pytest.approx(np.mean(part**2), rel=5e-3)
    assert usual_mean_square(np.zeros(30)) == 0.0


FAR = (80.0, 100.0)
ACROSS = SkyBinning(
    "test", (Profile(ALL_SKY, "v_tb", ((30.0, 80.0), FAR), ("mean", "dispersion")),)
)


def _measured(near, far, few, spread=90.0, count=600, seed=21):
    """Returns stars with errors of v_tb, of which the last few are far, and these errors."""
    random = np.random.default_rng(seed)
    distance = np.append(random.uniform(30, 79, count), random.uniform(81, 99, few))
    errors = np.where(distance < 80, near, far) * random.uniform(0.9, 1.1, count + few)
    v_tb = random.normal(0, spread, count + few) + random.normal(0, errors)
    stars = kinematics.RestFrameStars(
        distance,
        Directions(random.normal(size=(count + few, 3))),
        v_tb,
        v_tb,
        np.zeros(count + few, dtype=int),
    )
    return stars, errors


@pytest.mark.parametrize(("far", "few"), [(250.0, 6), (700.0, 3), (40.0, 9)])
def test_few_stars_of_large_errors_have_these_and_the_others_dispersion(far, few):
    stars, errors = _measured(40.0, far, few)
    found = summary_errors(stars, ACROSS, seed=1, star_errors={"v_tb": errors})
    own = np.sqrt(np.mean(errors[-few:] ** 2))
    expected = np.hypot(90.0, own) / np.sqrt(few)
    assert found.mean[1] == pytest.approx(expected, rel=0.08)
    assert found.dispersion[1] == pytest.approx(expected / np.sqrt(2), rel=0.08)
    assert found.mean[1] > own / np.sqrt(few)
    # a bin with many stars has its own bootstrap
    plain = summary_errors(stars, ACROSS, seed=1)
    assert found.mean[0] == plain.mean[0]


@pytest.mark.parametrize(("near", "far"), [(40.0, 400.0), (40.0, 250.0), (30.0, 150.0)])
def test_few_stars_of_small_errors_keep_theirs_beside_few_of_large_ones(near, far):
    """Surveys' means are off by as much as they say, whatever the far stars scatter by."""
    off = []
    for seed in range(100):
        stars, errors = _measured(near, far, few=8, count=8, seed=seed)
        found = summary_errors(stars, ACROSS, seed=1, star_errors={"v_tb": errors})
        off.append(stars.v_tb[:8].mean() / found.mean[0])
    # eight stars know their dispersion to a quarter
    assert np.std(off) < 1.4


def test_failed_measurements_near_by_do_not_hide_the_dispersion():
    stars, errors = _measured(40.0, 60.0, 4)
    usual = summary_errors(stars, ACROSS, seed=1, star_errors={"v_tb": errors})
    errors[:12] = 9000.0
    found = summary_errors(stars, ACROSS, seed=1, star_errors={"v_tb": errors})
    assert found.mean[1] == pytest.approx(usual.mean[1], rel=0.02)


def test_stars_that_scatter_less_than_their_errors_have_these():
    stars, errors = _measured(80.0, 300.0, 5, spread=1.0)
    found = summary_errors(stars, ACROSS, seed=1, star_errors={"v_tb": 1.2 * errors})
    own = 1.2 * np.sqrt(np.mean(errors[-5:] ** 2))
    assert found.mean[1] == pytest.approx(own / np.sqrt(5), rel=1e-9)


def test_a_bin_without_known_errors_has_the_whole_dispersion_of_the_others():
    stars, errors = _measured(70.0, 70.0, 5)
    unknown = np.where(stars.distance > 80, np.nan, errors)
    found = summary_errors(stars, ACROSS, seed=1, star_errors={"v_tb": unknown})
    plain = summary_errors(stars, ACROSS, seed=1)
    assert found.mean.tolist() == plain.mean.tolist()
