"""Laws of what maps show: stars, patches and the LMC are where other files say they are."""

import numpy as np
import pytest

from mwlmc.model.lmc import LMC_POSITION, LMC_VELOCITY
from mwlmc.observed.mock_survey import expected_counts
from mwlmc.simulator import Simulator
from mwlmc.sky import frames, kinematics
from mwlmc.sky.binning import QUADRANTS, Profile, SkyBinning
from mwlmc.sky.patches import ALL_SKY, DESI_NORTH, Q1, Q2, Q3, Q4, Directions
from mwlmc.study import figure_data, forecast
from orrery.parameters import generator


@pytest.fixture(scope="module")
def stars():
    """Stars everywhere at 20-200 kpc."""
    random, count = generator(3), 30_000
    towards = random.normal(size=(count, 3))
    distance = random.uniform(20, 200, count)
    velocity = random.normal(size=(2, count)) * 100
    owner = np.zeros(count, dtype=np.intp)
    return kinematics.RestFrameStars(distance, Directions(towards), *velocity, owner)


@pytest.fixture(scope="module")
def model():
    simulator = Simulator()
    row = "H3+SEGUE+MagE quadrants, with v_tb"
    return simulator, forecast.model_at(row, simulator)


def test_a_map_shows_the_stars_directions(stars):
    seen = figure_data.on_sky(stars)
    back = frames.direction(seen.longitude, seen.latitude)
    unit = (
        stars.directions.galactic
        / np.linalg.norm(stars.directions.galactic, axis=1)[:, None]
    )
    np.testing.assert_allclose(back, unit, atol=1e-12)
    np.testing.assert_array_equal(seen.v_gsr, stars.v_gsr)


def test_a_patch_has_the_same_nodes_as_stars_there(stars):
    nodes = figure_data.inside(DESI_NORTH)
    chosen = DESI_NORTH.contains(stars.directions)
    seen = figure_data.on_sky(stars)
    row = np.rint(np.degrees(seen.latitude) + 90).astype(int)
    column = np.rint((np.degrees(seen.longitude) + 180) % 360).astype(int)
    # a node is up to 0.7 deg away: only stars near the patch's border may differ
    assert np.mean(nodes[row, column] == chosen) > 0.97


def test_nodes_of_quadrants_cover_the_sky_once():
    held = sum(figure_data.inside(patch).astype(int) for patch in (Q1, Q2, Q3, Q4))
    assert held.shape == (181, 361)
    np.testing.assert_array_equal(held, 1)
    assert figure_data.inside(ALL_SKY).all()
    # rows from the south, columns from longitude -180: 45 deg north at 60 deg is in Q1
    # alone
    assert figure_data.inside(Q1)[135, 240]
    assert not figure_data.inside(Q1)[45, 240]
    assert not figure_data.inside(Q1)[135, 120]


def test_counts_are_those_of_the_bins(stars):
    edges = np.array([30.0, 50.0, 60.0, 100.0])
    found = figure_data.radial_counts(stars, Q1, edges)
    within = stars.distance[Q1.contains(stars.directions)]
    np.testing.assert_array_equal(found, np.histogram(within, edges)[0])
    parts = [
        figure_data.radial_counts(stars, patch, edges) for patch in (Q1, Q2, Q3, Q4)
    ]
    np.testing.assert_array_equal(
        sum(parts), figure_data.radial_counts(stars, ALL_SKY, edges)
    )


@pytest.mark.parametrize("edges", [[30.0], [30.0, 30.0], [50.0, 40.0], [30.0, np.nan]])
def test_edges_must_ascend(stars, edges):
    with pytest.raises(ValueError, match="at least two, ascending"):
        figure_data.radial_counts(stars, Q1, np.array(edges))


def test_a_forecast_survey_has_the_expected_numbers_and_no_star_twice(stars):
    drawn = figure_data.surveyed(stars, QUADRANTS, seed=5)
    radial = QUADRANTS.select(("v_gsr",))
    found = kinematics.binned_moments(drawn, radial).count[0]
    np.testing.assert_array_equal(found, np.rint(expected_counts(radial)))
    assert len(drawn) == found.sum()
    assert len(np.unique(drawn.distance)) == len(drawn)
    assert np.isin(drawn.distance, stars.distance).all()


def test_a_forecast_survey_is_decided_by_its_seed(stars):
    one, again, other = (
        figure_data.surveyed(stars, QUADRANTS, seed) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(one.v_gsr, again.v_gsr)
    assert not np.array_equal(one.v_gsr, other.v_gsr)


def test_a_forecast_survey_needs_enough_simulated_stars(stars):
    with pytest.raises(ValueError, match=r"simulated stars for the \d+ of the survey"):
        figure_data.surveyed(stars, QUADRANTS, seed=5, total=10_000)


def test_a_forecast_survey_refuses_patches_that_share_stars(stars):
    twice = SkyBinning(
        "twice", tuple(Profile(p, "v_gsr", ((30.0, 160.0),)) for p in (Q1, ALL_SKY))
    )
    with pytest.raises(ValueError, match=r"patches of 'twice.*' share stars"):
        figure_data.surveyed(stars, twice, seed=5)


def test_the_path_ends_at_the_observed_lmc(model):
    path = figure_data.lmc_path(*model)
    today = frames.galactocentric_to_sky(LMC_POSITION, LMC_VELOCITY)
    longitude, latitude = frames.equatorial_to_galactic(today.ra, today.dec)
    assert path.time[-1] == 0
    assert path.longitude[-1] == pytest.approx(longitude, abs=1e-6)
    assert path.latitude[-1] == pytest.approx(latitude, abs=1e-6)
    assert path.distance[-1] == pytest.approx(today.distance, abs=1e-6)


def test_the_path_moves_as_the_lmc_does(model):
    """Near today, differences along the path are the observed velocity relative to the centre."""
    path = figure_data.lmc_path(*model)
    place = path.distance[:, None] * frames.direction(path.longitude, path.latitude)
    position = place @ frames.GALACTIC_TO_GALACTOCENTRIC.T + frames.SUN_POSITION
    step = path.time[-1] - path.time[-2]
    # the slope at the end of three equal steps
    slope = (1.5 * position[-1] - 2.0 * position[-2] + 0.5 * position[-3]) / step
    np.testing.assert_allclose(slope, LMC_VELOCITY, atol=1.0)
    assert (np.diff(path.time) > 0).all()


def test_a_runaway_has_no_path(model):
    simulator, theta = model
    strong = theta.copy()
    strong[simulator.prior.names.index("log10_lambda_df")] = 4.0
    with pytest.raises(ValueError, match="ran away"):
        figure_data.lmc_path(simulator, strong)
