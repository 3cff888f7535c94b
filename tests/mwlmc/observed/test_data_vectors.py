"""Laws of data vectors: the same path as simulations, and errors that are counted once."""

from dataclasses import replace

import numpy as np
import pytest

from mwlmc.model.lmc import LMC_POSITION, LMC_VELOCITY
from mwlmc.observed.binned_table import (
    bin_stars,
)
from mwlmc.observed.data_vectors import observe, vectors
from mwlmc.observed.mock_survey import (
    mock_data_vector,
)
from mwlmc.observed.options import Measurement, StarSelection
from mwlmc.observed.star_tables import select
from mwlmc.sky import kinematics
from mwlmc.sky.binning import (
    DESI_FOOTPRINT,
    LMC_NAMES,
    QUADRANTS,
    Profile,
    SkyBinning,
)
from mwlmc.sky.moments import clipped_moments
from mwlmc.sky.patches import Patch, Window
from orrery.pairs import Pairs, convolve
from orrery.parameters import parameter_names
from orrery.records import Records

BOTH = ("mean", "dispersion")


@pytest.mark.slow
@pytest.mark.parametrize("binning", [DESI_FOOTPRINT, QUADRANTS], ids=lambda b: b.name)
def test_simulated_stars_observed_without_errors_give_the_simulations_summaries(
    halo,
    observed_stars,
    binning,
):
    radial = binning.select(("v_gsr",)).with_moments(BOTH)
    binning = SkyBinning("both", (*radial.profiles, binning.profiles[-1]))
    position, velocity = halo
    particles = dict(zip(("x", "y", "z"), position.T, strict=True))
    particles |= dict(zip(("vx", "vy", "vz"), velocity.T, strict=True))
    lmc = np.concatenate([LMC_POSITION, LMC_VELOCITY])
    scalars = {n: np.array([v]) for n, v in zip(LMC_NAMES, lmc, strict=True)}
    records = Records(scalars, particles, np.array([0, len(position)], dtype=np.int32))
    stars = select(
        observed_stars(position, velocity),
        StarSelection(sagittarius=False, outer=200.0),
    )
    observed = observe(bin_stars(stars, stars.rest_frame(), binning, "mock"), binning)
    simulated = kinematics.velocity_moments(records, binning)[0]
    spread = np.array(["dispersion" in name for name in binning.names])
    np.testing.assert_allclose(observed.value[~spread], simulated[~spread], atol=1e-6)
    # as if of more stars than there are
    np.testing.assert_allclose(observed.value[spread], simulated[spread], rtol=0.03)
    assert observed.definition == binning.fingerprint
    assert observed.names == binning.names


@pytest.mark.slow
def test_observation_has_independent_errors_after_the_lmc(desi):
    binning = DESI_FOOTPRINT.select(("v_gsr",)).with_moments(BOTH)
    seen = observe(desi, binning)
    below = seen.covariance[6:, 6:]
    np.testing.assert_array_equal(below, np.diag(np.diag(below)))
    assert not seen.covariance[:6, 6:].any()
    sigma = dict(zip(seen.names, np.sqrt(np.diag(seen.covariance)), strict=True))
    assert sigma["v_gsr_dispersion_north_30_40"] == pytest.approx(
        desi.errors.dispersion[0], rel=0.005
    )
    assert sigma["v_gsr_mean_south_90_100"] == desi.errors.mean[13] > 60


def test_a_binning_may_have_fewer_bins_but_no_others(desi, giants):
    only = DESI_FOOTPRINT.select(("v_gsr",))
    seen, whole = (observe(desi, b) for b in (only, DESI_FOOTPRINT))
    np.testing.assert_array_equal(seen.value, whole.value[: len(seen.value)])
    with pytest.raises(
        ValueError, match="nothing on v_gsr of patch 'q1' at 108-134 kpc"
    ):
        observe(giants, QUADRANTS)
    supported = QUADRANTS.supported(giants.counts(QUADRANTS))
    assert observe(giants, supported).definition == supported.fingerprint


def test_a_table_of_other_patches_is_refused(desi):
    narrow = Patch("north", (Window(b=(30.0, 90.0)),))
    bins = DESI_FOOTPRINT.profiles[0].bins
    binning = SkyBinning("narrow", (Profile(narrow, "v_gsr", bins),))
    with pytest.raises(ValueError, match="binned with patches"):
        observe(desi, binning)


def test_dispersions_that_hold_proper_motion_errors_are_refused(desi):
    with pytest.raises(ValueError, match="proper motions"):
        observe(desi, DESI_FOOTPRINT.with_moments(BOTH))


def test_a_quantity_without_any_bin_is_left_out(desi):
    radial = DESI_FOOTPRINT.select(("v_gsr",))
    rows = [i for i, b in enumerate(desi.bins) if b.quantity == "v_gsr"]

    def pick(group):
        return type(group)(*(column[rows] for column in vars(group).values()))

    table = replace(
        desi,
        bins=radial.bins,
        moments=pick(desi.moments),
        errors=pick(desi.errors),
        mean_sin_b=desi.mean_sin_b[rows],
    )
    binnings = {"radial": radial, "both": DESI_FOOTPRINT}
    assert list(vectors(table, binnings)) == ["radial"]
    assert list(vectors(desi, binnings)) == ["radial", "both"]


def test_a_survey_that_is_drawn_has_the_lmcs_errors_only(giants):
    supported = QUADRANTS.supported(giants.counts(QUADRANTS))
    drawn = supported.survey_like(giants.sample)
    seen, full_footprint = (
        observe(giants, drawn),
        observe(giants, supported),
    )
    assert seen.definition == drawn.fingerprint != full_footprint.definition
    assert seen.names == full_footprint.names
    np.testing.assert_array_equal(seen.value, full_footprint.value)
    np.testing.assert_array_equal(
        seen.covariance[:6, :6], full_footprint.covariance[:6, :6]
    )
    assert not seen.covariance[6:].any()
    noise = np.random.default_rng(0)
    pairs = Pairs(np.zeros((50, 1)), np.zeros((50, len(seen.names))))
    noisy = convolve(pairs, seen.covariance, noise).x
    assert (noisy[:, :6] != 0).all()
    np.testing.assert_allclose(noisy[:, 6:], 0, atol=1e-6)


def test_dispersions_of_drawn_proper_motions_are_allowed_and_hold_their_errors(desi):
    binning = DESI_FOOTPRINT.with_moments(BOTH).survey_like(desi.sample)
    seen = dict(zip(binning.names, observe(desi, binning).value, strict=True))
    assert seen["v_tb_dispersion_desi_70_90"] == desi.moments.dispersion[-1] > 300
    nothing = tuple(replace(stars, errors=(0.0,)) for stars in desi.sample.stars)
    unknown = replace(desi, sample=replace(desi.sample, stars=nothing))
    with pytest.raises(ValueError, match="no errors of proper motions"):
        observe(unknown, binning.survey_like(unknown.sample))


def test_dispersions_of_all_simulated_stars_are_compared_without_errors(desi):
    radial = DESI_FOOTPRINT.select(("v_gsr",)).with_moments(BOTH)
    seen = dict(zip(radial.names, observe(desi, radial).value, strict=True))
    error = np.sqrt(np.mean(np.square(desi.sample.stars[0].errors)))
    assert error > 4
    assert np.hypot(seen["v_gsr_dispersion_north_30_40"], error) == pytest.approx(
        desi.moments.dispersion[0], rel=0.005
    )


def test_dispersions_of_few_stars_are_on_average_those_of_many(desi):
    """Two stars scatter about their own mean by 0.56 of what many do."""
    far = DESI_FOOTPRINT.profiles[1]
    binning = SkyBinning("far", (replace(far, bins=far.bins[3:], moments=BOTH),))
    rows = [desi.bins.index(one) for one in binning.bins]
    count = desi.moments.count[rows]
    assert count.tolist() == [27, 4, 4, 2]
    each = np.repeat(np.arange(4000 * len(count)), np.tile(count, 4000))
    drawn = np.random.default_rng(3).normal(0.0, 100.0, len(each))
    usual = clipped_moments(drawn, each, 4000 * len(count)).dispersion
    dispersion = desi.moments.dispersion.copy()
    dispersion[rows] = usual.reshape(4000, -1).mean(axis=0)
    known = tuple(replace(one, errors=(0.0,)) for one in desi.sample.stars)
    stars = replace(
        desi,
        moments=replace(desi.moments, dispersion=dispersion),
        sample=replace(desi.sample, stars=known),
    )
    found, drawn_like = (
        observe(stars, one) for one in (binning, binning.survey_like(stars.sample))
    )
    np.testing.assert_allclose(found.value[-4:], 98.3, rtol=0.05)
    # as few simulated stars have dispersions as small
    np.testing.assert_array_equal(drawn_like.value[-4:], dispersion[rows])
    larger = found.value[-4:] / dispersion[rows]
    errors = np.sqrt(found.covariance.diagonal()[-4:])
    np.testing.assert_allclose(errors, larger * desi.errors.dispersion[rows])


def test_another_surveys_stars_are_refused(desi):
    other = replace(desi.sample.stars[0], counts=(1,) * len(desi.sample.stars[0].cells))
    sample = replace(desi.sample, stars=(other, *desi.sample.stars[1:]))
    with pytest.raises(ValueError, match="another survey's stars"):
        observe(desi, DESI_FOOTPRINT.survey_like(sample))
    reseeded = DESI_FOOTPRINT.survey_like(replace(desi.sample, seed=5))
    assert observe(desi, reseeded).definition == reseeded.fingerprint


def test_the_lmc_may_be_data_or_inferred():
    data, inferred = (Measurement(lmc_today=how) for how in ("data", "inferred"))
    whole = DESI_FOOTPRINT
    assert inferred.binning(whole).names == data.binning(whole).names[len(LMC_NAMES) :]
    assert (
        parameter_names(data.parameters)
        == parameter_names(inferred.parameters)[: len(data.parameters)]
    )
    left_out = set(parameter_names(inferred.parameters)) - set(
        parameter_names(data.parameters)
    )
    assert left_out == set(LMC_NAMES)


def test_what_is_measured_decides_the_binning(giants):
    binnings = {"radial": QUADRANTS.select(("v_gsr",))}
    both = Measurement("mean+dispersion", "survey-like", distance_errors=True)
    binning, seen = vectors(giants, binnings, both, seed=3)["radial"]
    assert len(binning.names) == 6 + 2 * len(giants.bins)
    assert (binning.sample.seed, binning.sample.distance_error) == (
        3,
        giants.sample.distance_error,
    )
    assert seen.definition == binning.fingerprint
    plain, _ = vectors(giants, binnings)["radial"]
    assert plain.sample is None
    exact = replace(both, distance_errors=False)
    assert exact.drawn(plain, giants.sample, 0).sample.distance_error == 0
    across = Measurement("mean+dispersion").binning(DESI_FOOTPRINT)
    assert sum("dispersion" in name for name in across.names) == 14  # of v_gsr only
    with pytest.raises(ValueError, match="survey-like"):
        Measurement(distance_errors=True)


@pytest.mark.parametrize("sampling", ["full-footprint", "survey-like"])
def test_a_shared_error_of_proper_motions_moves_all_of_them_together(desi, sampling):
    """By 4.74 km/s at 1 kpc for 1 mas/yr, and line-of-sight velocities by nothing."""
    plain = Measurement(sampling=sampling)
    whole = {"whole": DESI_FOOTPRINT}
    (_, without), (_, seen) = (
        vectors(desi, whole, one)["whole"]
        for one in (plain, replace(plain, motion_floor=0.02))
    )
    shared = seen.covariance - without.covariance
    across = np.array(["v_tb_mean" in name for name in seen.names])
    np.testing.assert_array_equal(seen.value, without.value)
    shift = 4.74047 * 0.02 * np.array([40.0, 60.0, 80.0])
    np.testing.assert_allclose(
        shared[np.ix_(across, across)], np.outer(shift, shift), rtol=1e-6
    )
    assert not shared[~across].any()
    assert seen.provenance["motion_floor"] == 0.02
    assert "motion_floor" not in without.provenance


@pytest.mark.parametrize(
    "wrong", [{"survey_draws": 0}, {"motion_floor": -0.1}, {"motion_floor": np.inf}]
)
def test_a_measurement_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="survey_draws"):
        Measurement(**wrong)


def test_the_lmc_can_be_left_out_of_data_vectors(desi):
    whole = DESI_FOOTPRINT
    stellar = replace(whole, lmc=False)
    seen, all_of_it = (observe(desi, b) for b in (stellar, whole))
    assert seen.names == all_of_it.names[6:]
    np.testing.assert_array_equal(seen.value, all_of_it.value[6:])
    np.testing.assert_array_equal(seen.covariance, all_of_it.covariance[6:, 6:])
    truth = np.linspace(-40, 40, len(whole.names))
    mocks = (
        mock_data_vector(stellar, truth[6:]),
        mock_data_vector(whole, truth),
    )
    np.testing.assert_array_equal(mocks[0].covariance, mocks[1].covariance[6:, 6:])
    np.testing.assert_array_equal(mocks[0].value, mocks[1].value[6:])
