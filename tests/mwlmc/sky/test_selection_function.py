"""Laws of a survey's draw: its number, its sky, its noise; the same whatever the batch."""

from dataclasses import replace

import numpy as np
import pytest
from astropy import units
from astropy_healpix import HEALPix
from hypothesis import given, settings
from hypothesis import strategies as st

from mwlmc.sky import frames, kinematics
from mwlmc.sky import selection_function as sf
from mwlmc.sky.binning import LMC_NAMES, QUADRANTS, Profile, SkyBinning
from mwlmc.sky.moments import clipped_moments
from mwlmc.sky.patches import ALL_SKY, Q1, Q2, Q3, Q4, Directions, Patch, Window
from orrery.parameters import generator
from orrery.records import Records

BOTH = ("mean", "dispersion")
NEAR_AND_FAR = ((30.0, 50.0), (50.0, 90.0))
FOUR = (Q1, Q2, Q3, Q4)
BINNING = SkyBinning(
    "test",
    (
        *(Profile(patch, "v_gsr", NEAR_AND_FAR, BOTH) for patch in FOUR),
        Profile(ALL_SKY, "v_tb", NEAR_AND_FAR, BOTH),
    ),
)
REFLEX = 40.0  # [km/s], northwards
SPREAD = 100.0  # [km/s]


def records(count=3, stars=5000, seed=1, reflex=REFLEX):
    """Returns halos that move north as a whole, their stars at 30-90 kpc."""
    random = np.random.default_rng(seed)
    position = random.normal(size=(3, count * stars))
    position *= random.uniform(30, 90, count * stars) / np.linalg.norm(position, axis=0)
    velocity = random.normal(0, SPREAD, position.shape) + np.array(
        [[0.0], [0.0], [reflex]]
    )
    state = np.concatenate([position, velocity])
    scalars = {name: random.normal(size=count) for name in LMC_NAMES}
    particles = dict(zip(("x", "y", "z", "vx", "vy", "vz"), state, strict=True))
    offsets = np.arange(count + 1, dtype=np.int32) * stars
    return Records({**scalars, "index": np.arange(count)}, particles, offsets)


def polar(count=30, errors=(0.0,), binning=BINNING, steepness=3.0, seed=2):
    """Returns a survey with as many stars in each bin, most of them near the poles."""
    random = np.random.default_rng(seed)
    sine = 1 - random.uniform(size=200_000) ** steepness * 0.6
    sine *= random.choice([-1, 1], len(sine))
    towards = frames.direction(random.uniform(0, 2 * np.pi, len(sine)), np.arcsin(sine))
    found = []
    for profile in binning.profiles:
        inside = towards[profile.patch.contains(Directions(towards))]
        for k in range(len(profile.bins)):
            these = inside[k * count : (k + 1) * count]
            found.append(replace(sf.occupancy(these, np.zeros(count)), errors=errors))
    return sf.Sample(binning.bins, tuple(found))


def one_draw(sample, seed=1, stars=5000):
    halo = kinematics.simulated_stars(records(1, stars, seed), *BINNING.distances)
    drawn = kinematics.draw_survey_stars(halo, BINNING, sample, sample.random(seed))
    sine = halo.directions.galactic[:, 2] / np.linalg.norm(
        halo.directions.galactic, axis=1
    )
    return halo, drawn, sine


def observed_sine(sample):
    """Returns the mean sin(b) of each bin's cells, weighted with their counts."""
    b = HEALPix(sample.nside, order="nested").healpix_to_lonlat(
        np.arange(12 * sample.nside**2)
    )[1]
    sine = np.sin(b.value)
    return np.array(
        [np.average(sine[list(s.cells)], weights=s.counts) for s in sample.stars]
    )


def test_as_many_stars_are_drawn_as_observed_each_from_its_bin():
    sample = polar()
    halo, drawn, _ = one_draw(sample)
    counts = [sum(stars.counts) for stars in sample.stars]
    np.testing.assert_array_equal(np.bincount(drawn.bin), counts)
    where = set(zip(*kinematics.assign_to_bins(halo, BINNING)[::2], strict=True))
    assert set(zip(drawn.star, drawn.bin, strict=True)) <= where
    pairs = np.stack([drawn.star, drawn.bin])
    assert (
        np.unique(pairs, axis=1).shape == pairs.shape
    )  # no star twice where there are enough


def test_drawn_stars_are_where_the_survey_has_its_own():
    sample = polar()
    halo, drawn, sine = one_draw(sample)
    found = np.bincount(drawn.bin, sine[drawn.star]) / np.bincount(drawn.bin)
    np.testing.assert_allclose(found, observed_sine(sample), atol=0.03)
    star, _, bins = kinematics.assign_to_bins(halo, BINNING)
    everywhere = np.bincount(bins, sine[star]) / np.bincount(bins)
    assert (np.abs(found - everywhere)[:8] > 0.2).all()  # the patches are not filled


def test_points_fill_their_cells_evenly():
    random = np.random.default_rng(3)
    inside = random.normal(size=(400_000, 3))
    inside = inside[sf.cells(inside, 1) == 6]
    one = sf.Sample((BINNING.bins[0],), (sf.BinSample((6,), (2000,), (0.0,)),), nside=1)
    picked, _ = sf.draw_stars(inside, np.zeros(len(inside), dtype=int), one, random)
    unit = inside / np.linalg.norm(inside, axis=1)[:, None]
    np.testing.assert_allclose(unit[picked].mean(0), unit.mean(0), atol=0.03)
    np.testing.assert_allclose(unit[picked].std(0), unit.std(0), rtol=0.05)


def test_the_same_simulation_gives_the_same_summaries_in_any_batch():
    binning, many = BINNING.survey_like(polar()), records(4)
    together = kinematics.velocity_moments(many, binning)
    for i in (0, 3):
        alone = kinematics.velocity_moments(kinematics._block(many, i, 1), binning)
        np.testing.assert_array_equal(alone[0], together[i])
    renamed = Records(
        {**many.scalars, "index": np.arange(4) + 7}, many.particles, many.offsets
    )
    assert (kinematics.velocity_moments(renamed, binning) != together).any(axis=1).all()
    again = BINNING.survey_like(replace(polar(), seed=1))
    assert (kinematics.velocity_moments(many, again) != together).any(axis=1).all()


def test_a_survey_near_the_pole_sees_the_reflex_of_a_patch_there():
    """The same stars fill a cap, or are drawn where a survey of the cap has its own."""
    cap = Patch("cap", (Window(b=(50.0, 90.0)),))
    towards = np.random.default_rng(4).normal(size=(40_000, 3))
    north = Patch("north", (Window(b=(0.0, 90.0)),))
    filled, half = (
        SkyBinning(p.name, (Profile(p, "v_gsr", ((30, 90),)),)) for p in (cap, north)
    )
    inside = towards[cap.contains(Directions(towards))][:150]
    sample = sf.Sample(half.bins, (sf.occupancy(inside, np.zeros(150)),))
    halo = records(60, 3000)
    whole, there, drawn = (
        kinematics.velocity_moments(halo, b)[:, -1].mean()
        for b in (half, filled, half.survey_like(sample))
    )
    assert there == pytest.approx(0.89 * REFLEX, abs=1.5)  # mean sin(b) beyond 50 deg
    assert whole == pytest.approx(0.50 * REFLEX, abs=1.0)
    assert drawn == pytest.approx(there, abs=3 * SPREAD / np.sqrt(60 * 150))


@pytest.mark.slow
def test_summaries_scatter_as_a_survey_of_so_many_stars_with_such_errors():
    error, count = 60.0, 30
    x = kinematics.velocity_moments(
        records(300, 2500), BINNING.survey_like(polar(count, (error,)))
    )[:, 6:]
    sigma = np.hypot(SPREAD, error)
    means = np.array(["mean" in name for name in BINNING.names[6:]])
    np.testing.assert_allclose(x[:, means].std(0), sigma / np.sqrt(count), rtol=0.17)
    np.testing.assert_allclose(
        x[:, ~means].std(0), sigma / np.sqrt(2 * count), rtol=0.2
    )
    # divided by N, and a few stars clipped: 3 per cent less
    np.testing.assert_allclose(x[:, ~means].mean(0), sigma, rtol=0.06)


@pytest.mark.slow
def test_bootstrap_errors_of_drawn_stars_are_the_scatter_of_redraws():
    sample, means = polar(60), np.array(["mean" in name for name in BINNING.names[6:]])
    halo = kinematics.simulated_stars(records(1, 20_000), *BINNING.distances)
    bootstrap = []
    for seed in range(5):
        drawn = kinematics.draw_survey_stars(halo, BINNING, sample, sample.random(seed))
        for k in range(len(BINNING.bins)):
            choice = generator(seed, k).integers(60, size=(300, 60))
            bootstrap.append(drawn.velocity[drawn.bin == k][choice].mean(axis=1).std())
    x = kinematics.velocity_moments(
        records(120, 6000, seed=5), BINNING.survey_like(sample)
    )
    scatter = x[:, 6:][:, means].std(axis=0)
    assert np.mean(bootstrap) == pytest.approx(scatter.mean(), rel=0.07)


def test_drawing_all_stars_without_errors_is_the_plain_binning():
    # few enough in a bin that each is among the nearest of each
    halo = records(5, 90)
    for i in range(5):
        one = kinematics._block(halo, i, 1)
        stars = kinematics.simulated_stars(one, *BINNING.distances)
        star, _, bins = kinematics.assign_to_bins(stars, BINNING)
        kept = [k for k in range(8) if 1 < (bins == k).sum() <= sf.NEAREST]
        wanted = BINNING.select(("v_gsr",)).supported(
            [2 * (k in kept) for k in range(8)]
        )
        held = tuple(
            sf.occupancy(
                stars.directions.galactic[star[bins == k]], np.zeros(sum(bins == k))
            )
            for k in kept
        )
        drawn = wanted.survey_like(sf.Sample(wanted.bins, held))
        np.testing.assert_allclose(
            kinematics.velocity_moments(one, drawn),
            kinematics.velocity_moments(one, wanted),
        )


@given(st.integers(1, 5), st.integers(0, 12), st.integers(0, 1000))
@settings(max_examples=30)
def test_no_star_is_drawn_again_before_all_were_drawn(simulated, observed, seed):
    random = np.random.default_rng(seed)
    towards, seen = (
        random.normal(size=(simulated, 3)),
        random.normal(size=(observed + 1, 3)),
    )
    one = sf.Sample((BINNING.bins[0],), (sf.occupancy(seen, np.zeros(observed + 1)),))
    picked, _ = sf.draw_stars(towards, np.zeros(simulated, dtype=int), one, random)
    times = np.bincount(picked, minlength=simulated)
    assert times.sum() == observed + 1
    assert times.max() - times.min() <= 1


def test_a_bin_without_simulated_stars_is_nan_and_others_are_not():
    near = records(1)
    twice = {
        name: column * (1 + (name in "xyz")) for name, column in near.particles.items()
    }
    far = Records(near.scalars, twice, near.offsets)  # none within 60 kpc
    x = kinematics.velocity_moments(far, BINNING.survey_like(polar()))[0]
    empty = np.array([name.endswith("_30_50") for name in BINNING.names])
    assert np.isnan(x[empty]).all()
    assert np.isfinite(x[~empty]).all()


def test_errors_of_distance_bring_stars_of_other_distances():
    halo = kinematics.simulated_stars(records(1), 0.0, np.inf)
    random = np.random.default_rng(6)
    moved = kinematics.scatter_distances(halo, 0.2, random)
    np.testing.assert_array_equal(moved.v_tb, halo.v_tb)
    away = np.log(moved.distance / halo.distance)[halo.distance > 60]
    assert away.std() == pytest.approx(0.2, rel=0.1)
    near_and_far = (
        kinematics.assign_to_bins(h, BINNING).bin[:500] for h in (halo, moved)
    )
    assert (np.subtract(*near_and_far) != 0).any()
    same = kinematics.scatter_distances(halo, 0.0, random)
    np.testing.assert_allclose(same.distance, halo.distance)


def test_errors_are_those_of_the_groups():
    sample = sf.Sample(
        BINNING.bins[:2],
        (sf.BinSample((1,), (1,), (5.0,)), sf.BinSample((1,), (1,), (10.0, 50.0))),
    )
    bins = np.repeat([0, 1], 20_000)
    noise = sf.noise(bins, sample, np.random.default_rng(7))
    assert noise[bins == 0].std() == pytest.approx(5, rel=0.03)
    assert noise[bins == 1].std() == pytest.approx(np.sqrt((100 + 2500) / 2), rel=0.03)
    # as two kinds of stars, not as one of middling quality
    assert np.median(np.abs(noise[bins == 1])) < 0.5 * noise[bins == 1].std()


def test_occupancy_keeps_the_number_and_errors_of_no_single_star():
    random = np.random.default_rng(8)
    towards, errors = random.normal(size=(64, 3)), random.exponential(20, 64)
    held = sf.occupancy(towards, errors)
    assert sum(held.counts) == 64
    assert len(held.errors) == 64 // 4
    assert held.errors == tuple(sorted(held.errors))
    assert not set(held.errors) & set(errors.tolist())
    unknown = sf.occupancy(towards, np.full(64, np.nan))
    assert unknown.errors == (0.0,)
    for few in (3, 5, 7):
        assert len(sf.occupancy(towards[:few], errors[:few]).errors) == 1
    many = random.exponential(20, 5000)
    held = sf.occupancy(random.normal(size=(5000, 3)), many)
    assert len(held.errors) == 32 * sf.ERROR_GROUPS


def _failed(count, few, random):
    """Returns errors that vary by a factor of two, but of a few stars ten times as large."""
    errors = np.exp(random.normal(np.log(30.0), 0.35, count))
    errors[:few] = random.uniform(250.0, 500.0, few)
    return errors


@pytest.mark.parametrize(("count", "few"), [(700, 5), (250, 3), (60, 1), (700, 0)])
def test_simulated_stars_scatter_as_they_do_by_the_stars_own_errors(count, few):
    random = np.random.default_rng(count + few)
    errors = _failed(count, few, random)
    held = sf.occupancy(random.normal(size=(count, 3)), errors)
    sample = sf.Sample(BINNING.bins[:1], (held,))
    surveys = 200
    survey = np.repeat(np.arange(surveys), count)
    motion = random.normal(0.0, 95.0, survey.size)
    drawn = sf.noise(np.zeros_like(survey), sample, random)
    own = random.choice(errors, survey.size) * random.normal(size=survey.size)
    ours, exact = (
        clipped_moments(motion + noise, survey, surveys).dispersion.mean()
        for noise in (drawn, own)
    )
    # a fifth of what one survey's dispersion scatters by
    assert ours == pytest.approx(exact, abs=0.2 * 100.0 / np.sqrt(2 * count))


@pytest.mark.parametrize("count", [3, 4, 5, 8, 10])
def test_means_of_few_simulated_stars_scatter_by_errors_that_failed_too(count):
    """Of ten stars or fewer nothing is clipped: the observed mean has them in it."""
    random = np.random.default_rng(count)
    errors = np.append(random.uniform(40.0, 80.0, count - 1), 900.0)
    held = sf.occupancy(random.normal(size=(count, 3)), errors)
    sample = sf.Sample(BINNING.bins[:1], (held,))
    drawn = sf.noise(np.zeros(4000 * count, dtype=int), sample, random)
    scatter = drawn.reshape(4000, count).mean(axis=1).std()
    assert scatter == pytest.approx(np.sqrt(np.sum(errors**2)) / count, rel=0.1)


def test_cells_are_those_of_astropy_healpix():
    towards = np.random.default_rng(9).normal(size=(500, 3))
    longitude, latitude = frames.angles(towards)
    theirs = HEALPix(8, order="nested").lonlat_to_healpix(
        longitude * units.rad, latitude * units.rad
    )
    np.testing.assert_array_equal(sf.cells(towards, 8), theirs)


def test_the_largest_cells_are_those_of_astropy_healpix_up_to_their_edges():
    random = np.random.default_rng(10)
    quarters = random.integers(0, 4, 2000)
    rise = random.uniform(-0.5, 0.5, 2000)
    sine = np.array([-1.0, -2 / 3, -1 / 3, 0.0, 1 / 3, 2 / 3, 0.9])
    # edges of the equator's cells, of the caps' cells, corners, poles, and anywhere
    equator = _towards(quarters + random.choice([-1, 1], 2000) * rise, rise / 0.75)
    caps = _towards(quarters + random.choice([0, 0.5], 2000), random.choice(sine, 2000))
    poles = np.array([[0.0, 0.0, 2.0], [0.0, 0.0, -3.0]])
    towards = np.concatenate([equator, caps, poles, random.normal(size=(2000, 3))])
    x, y, z = towards.T
    theirs = HEALPix(1, order="nested").xyz_to_healpix(x, y, z)
    np.testing.assert_array_equal(sf.cells(towards, 1), theirs)
    assert len(set(theirs.tolist())) == 12


def _towards(turns, sine):
    return frames.direction(turns * np.pi / 2, np.arcsin(sine))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: sf.BinSample((1, 2), (3,), (0.0,)), "give each its stars"),
        (lambda: sf.BinSample((1,), (0,), (0.0,)), "give each its stars"),
        (lambda: sf.BinSample((1,), (1,), (-1.0,)), "errors"),
        (lambda: sf.BinSample((1,), (1,), ()), "errors"),
        (lambda: replace(polar(), distance_error=-0.5), "distance_error -0.5"),
        (lambda: replace(polar(), distance_error=np.inf), "distance_error inf"),
        (lambda: replace(polar(), seed=-1), "seed -1"),
        (lambda: replace(polar(), nside=1), "outside 0 to 11"),
        (lambda: replace(polar(), bins=BINNING.bins[:3]), "give each one"),
        (
            lambda: QUADRANTS.survey_like(polar()),
            "no stars in v_gsr of patch 'q1' at 30-56",
        ),
    ],
)
def test_impossible_samples_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        change()


def test_a_draw_needs_the_simulations_number():
    halo = records(1)
    scalars = {name: column for name, column in halo.scalars.items() if name != "index"}
    nameless = Records(scalars, halo.particles, halo.offsets)
    with pytest.raises(ValueError, match="no column 'index'"):
        kinematics.velocity_moments(nameless, BINNING.survey_like(polar()))
