"""Laws of observational errors: their sizes, what moves with what, and where they stop."""

import numpy as np
import pytest

from halomass.observed import errors
from halomass.observed.errors import ErrorModel, ErrorRelation, Orbits

NONE = ErrorRelation(-30.0, 0.0, 0.0, 0.0)
M = 200_000


def only(**relations):
    """Returns an error model in which only the given relations are not negligible."""
    quiet = dict.fromkeys(("distance", "proper_motion", "radial_velocity"), NONE)
    return ErrorModel(**(quiet | relations))


def alike(r, v_r=30.0, v_t=150.0):
    return Orbits(np.full(M, r), np.full(M, v_r), np.full(M, v_t))


@pytest.fixture(scope="module")
def normals():
    return np.random.default_rng(1).standard_normal((M, errors.NORMALS))


def test_sizes_follow_the_relation():
    relation = ErrorModel().proper_motion
    expected = 10 ** (-1.29 + 0.35 * 2 - 0.16 * 5)
    assert relation.sigma(np.array(100.0), np.array(5.0), 0.0) == pytest.approx(
        expected
    )
    above = relation.sigma(np.array(100.0), np.array(5.0), 1.0)
    assert np.log10(above / expected) == pytest.approx(0.39)


@pytest.mark.parametrize(("r", "log_m_star"), [(20.0, 3.0), (80.0, 5.0), (240.0, 8.0)])
def test_errors_of_all_three_have_the_sizes_of_equation_2(normals, r, log_m_star):
    """The logarithm of |error| tells size and scatter, whatever the size's own distribution."""
    model, mass = ErrorModel(largest_distance_error=np.inf), np.full(M, log_m_star)
    seen = errors.with_errors(alike(r), mass, normals, model)
    moved = {
        "distance": (seen.r / r - 1)[seen.r > model.smallest_distance],
        "radial_velocity": seen.v_r - 30.0,
    }
    half_normal = (
        np.log10(np.exp(1)) * (-np.euler_gamma - np.log(2)) / 2
    )  # mean log10 |N(0, 1)|
    spread = np.log10(np.exp(1)) * np.pi / np.sqrt(8)
    for name, error in moved.items():
        relation = getattr(model, name)
        size = np.log10(np.abs(error))
        middle = np.log10(relation.sigma(np.array(r), np.array(log_m_star), 0.0))
        assert size.mean() == pytest.approx(middle + half_normal, abs=0.01)
        assert size.std() == pytest.approx(np.hypot(relation.scatter, spread), rel=0.02)


def test_both_components_of_the_proper_motion_have_the_error(normals):
    """v_t^2 of a neighbour at rest is a sum of two squares: 2 (4.74047 d sigma)^2 on average."""
    relation = ErrorRelation(-1.0, 0.0, 0.0, 0.0)
    seen = errors.with_errors(
        alike(50.0, v_t=0.0), np.full(M, 5.0), normals, only(proper_motion=relation)
    )
    expected = np.sqrt(2) * 4.74047 * 50.0 * 0.1
    assert np.sqrt(np.mean(seen.v_t**2)) == pytest.approx(expected, rel=0.01)


def test_a_wrong_distance_moves_the_tangential_velocity_alone(normals):
    seen = errors.with_errors(
        alike(100.0),
        np.full(M, 5.0),
        normals,
        only(distance=ErrorRelation(-1.0, 0.0, 0.0, 0.0)),
    )
    assert np.std(seen.r) == pytest.approx(10.0, rel=0.01)
    np.testing.assert_allclose(seen.v_t / 150.0, seen.r / 100.0, rtol=1e-9)
    np.testing.assert_allclose(seen.v_r, 30.0, rtol=1e-9)


def test_proper_motion_errors_raise_velocities_on_average(normals):
    """Why observed values must never be resampled."""
    seen = errors.with_errors(
        alike(200.0, v_t=50.0), np.full(M, 3.5), normals, ErrorModel()
    )
    assert np.sqrt(np.mean(seen.v_t**2)) > 60.0


def test_distances_stay_above_the_smallest(normals):
    wild = only(distance=ErrorRelation(0.5, 0.0, 0.0, 0.0))
    for r in (0.0, 3.0, 40.0):
        seen = errors.with_errors(alike(r), np.full(M, 5.0), normals, wild)
        assert seen.r.min() == wild.smallest_distance
        assert np.isfinite(seen.v_t).all()


def test_distance_errors_are_clipped(normals):
    model = ErrorModel(
        distance=ErrorRelation(0.0, 0.0, 0.0, 0.0), largest_distance_error=0.3
    )
    seen = errors.with_errors(alike(100.0), np.full(M, 5.0), normals, model)
    assert seen.r.min() == pytest.approx(70.0)
    assert seen.r.max() == pytest.approx(130.0)


def test_environment_noise_has_its_size(normals):
    true = np.tile([91.7, 761.0, 17_000.0], (M, 1))
    seen = errors.environment_with_errors(true, normals[:, :3], ErrorModel())
    assert np.std(seen[:, 0]) == pytest.approx(5.95, rel=0.01)
    assert np.std(np.log10(seen[:, 1])) == pytest.approx(0.007, rel=0.01)
    assert np.std(np.log10(seen[:, 2])) == pytest.approx(0.04, rel=0.01)
    np.testing.assert_allclose(np.median(seen, axis=0), true[0], rtol=0.002)


def test_a_small_satellite_keeps_a_circular_velocity(normals):
    seen = errors.environment_with_errors(
        np.full((M, 3), 5.0), normals[:, :3], ErrorModel()
    )
    assert seen[:, 0].min() == errors.SMALLEST_VMAX


@pytest.mark.parametrize(
    "wrong",
    [{"smallest_distance": 0.0}, {"largest_distance_error": -1.0}, {"vmax": -1.0}],
)
def test_impossible_errors_are_refused(wrong):
    with pytest.raises(ValueError, match="give"):
        ErrorModel(**wrong)
