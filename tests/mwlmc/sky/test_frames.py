"""Laws of the frames: inverses, agreement with astropy, and what the Sun's motion does."""

import astropy.coordinates as coord
import numpy as np
import pytest
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from mwlmc.sky import frames

# The LMC in three parameter sets, as agama 1.0.159 places it: ra, dec [deg], distance
# [kpc], v_los [km/s], proper motions [mas/yr], then Galactocentric position [kpc] and
# velocity [km/s].
AGAMA = [
    (
        (79.734539385, -69.797969511, 48.80892371, 265.048631788),
        (1.877196778, 0.367344281),
        (-0.853062399, -40.109957526, -26.776370302),
        (-75.329360403, -225.143754033, 203.034798937),
    ),
    (
        (81.70953102, -69.341129387, 50.465493169, 258.515287374),
        (1.898550015, 0.376808222),
        (-1.048159375, -41.841483183, -27.246592991),
        (-72.3685252, -228.666835606, 232.267068845),
    ),
    (
        (81.990939859, -69.546544886, 48.509993848, 258.411939142),
        (1.842042079, 0.258937328),
        (-1.16314217, -40.251668151, -26.096814019),
        (-37.333268601, -208.886598108, 212.390541072),
    ),
]

angle = st.floats(0, 2 * np.pi, exclude_max=True)
latitude = st.floats(-1.5, 1.5)


@given(angle, latitude, st.floats(0.1, 300), *[st.floats(-500, 500)] * 3)
def test_sky_to_galactocentric_and_back(ra, dec, distance, v_los, pm_ra, pm_dec):
    there = frames.sky_to_galactocentric(ra, dec, distance, v_los, pm_ra, pm_dec)
    back = frames.galactocentric_to_sky(*there)
    assert np.cos(back.ra - ra) == pytest.approx(1)
    rest = [back.dec, back.distance, back.v_los, back.pm_ra_cosdec, back.pm_dec]
    np.testing.assert_allclose(
        rest, [dec, distance, v_los, pm_ra, pm_dec], rtol=1e-7, atol=1e-6
    )


@pytest.mark.slow
@given(angle, latitude)
def test_galactic_coordinates_and_back(ra, dec):
    back = frames.galactic_to_equatorial(*frames.equatorial_to_galactic(ra, dec))
    np.testing.assert_allclose(
        frames.direction(*back), frames.direction(ra, dec), atol=1e-12
    )


def _sky(count=200, seed=1):
    random = np.random.default_rng(seed)
    ra, dec = 2 * np.pi * random.random(count), np.arcsin(random.uniform(-1, 1, count))
    return (
        ra,
        dec,
        random.uniform(1, 100, count),
        *random.normal(0, [[300], [5], [5]], (3, count)),
    )


def _astropy(ra, dec, distance, v_los, pm_ra, pm_dec):
    return coord.SkyCoord(
        ra=ra * u.rad,
        dec=dec * u.rad,
        distance=distance * u.kpc,
        radial_velocity=v_los * u.km / u.s,
        pm_ra_cosdec=pm_ra * u.mas / u.yr,
        pm_dec=pm_dec * u.mas / u.yr,
    )


def test_galactic_frame_is_astropys():
    stars = _sky()
    l, b = frames.equatorial_to_galactic(*stars[:2])  # noqa: E741
    pm_l, pm_b = frames.rotate_proper_motion(*stars[:2], *stars[4:])
    expected = _astropy(*stars).galactic
    # ICRS and FK5 differ by 0.02 arcsec, which this project leaves out.
    np.testing.assert_allclose(
        frames.direction(l, b),
        frames.direction(expected.l.rad, expected.b.rad),
        atol=2e-7,
    )
    np.testing.assert_allclose(pm_l, expected.pm_l_cosb.value, atol=1e-3)
    np.testing.assert_allclose(pm_b, expected.pm_b.value, atol=1e-3)


def test_galactocentric_frame_is_astropys():
    stars = _sky()
    frame = coord.Galactocentric(
        galcen_coord=coord.SkyCoord(l=0 * u.deg, b=0 * u.deg, frame="galactic").icrs,
        galcen_distance=np.linalg.norm(frames.SUN_POSITION) * u.kpc,
        galcen_v_sun=frames.SUN_VELOCITY * u.km / u.s,
        z_sun=frames.SUN_POSITION[2] * u.kpc,
        roll=0 * u.deg,
    )
    expected = _astropy(*stars).transform_to(frame)
    position, velocity = frames.sky_to_galactocentric(*stars)
    np.testing.assert_allclose(position, expected.cartesian.xyz.value.T, atol=1e-4)
    np.testing.assert_allclose(velocity, expected.velocity.d_xyz.value.T, atol=5e-3)


@pytest.mark.parametrize(("place", "motion", "position", "velocity"), AGAMA)
def test_lmc_is_where_agama_puts_it(place, motion, position, velocity):
    ra, dec = np.radians(place[:2])
    ours = frames.sky_to_galactocentric(ra, dec, *place[2:], *motion)
    np.testing.assert_allclose(ours[0], position, atol=1e-3)
    np.testing.assert_allclose(ours[1], velocity, atol=1e-2)


def test_galactic_centre_is_seen_at_longitude_and_latitude_zero():
    seen = frames.sky_velocities(np.zeros(3), np.zeros(3))
    np.testing.assert_allclose(frames.direction(seen.l, seen.b), [1, 0, 0], atol=1e-12)
    assert seen.distance == pytest.approx(np.hypot(8.3, 0.02))


def test_axes_are_right_handed_and_orthonormal():
    for turn in (frames.EQUATORIAL_TO_GALACTIC, frames.GALACTIC_TO_GALACTOCENTRIC):
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-14)
        assert np.linalg.det(turn) == pytest.approx(1)


def test_axes_of_the_sky_are_orthonormal_even_at_the_poles():
    towards = np.array([[0.0, 0.0, 2.0], [0.0, 0.0, -1.0], [1.0, 2.0, 3.0]])
    axes = frames.axes(towards)
    np.testing.assert_allclose(
        axes @ np.swapaxes(axes, 1, 2), [np.eye(3)] * 3, atol=1e-14
    )


def test_projection_is_the_axes_times_the_vector():
    towards, vectors = np.random.default_rng(2).normal(size=(2, 50, 3))
    expected = np.einsum("nij,nj->ni", frames.axes(towards), vectors)
    ours = frames.project(vectors, towards)
    np.testing.assert_allclose(np.stack(ours[1:], axis=-1), expected, atol=1e-12)
    np.testing.assert_allclose(ours[0], np.linalg.norm(towards, axis=1))


def test_rest_frame_velocity_is_heliocentric_plus_the_suns():
    stars = _sky()
    rest = frames.sky_velocities(*frames.sky_to_galactocentric(*stars))
    outward, along_l, along_b = frames.solar_velocity(rest.l, rest.b)
    pm_l, pm_b = frames.rotate_proper_motion(*stars[:2], *stars[4:])
    np.testing.assert_allclose(rest.v_gsr, stars[3] + outward, atol=1e-9)
    np.testing.assert_allclose(
        rest.v_l, frames.K * stars[2] * pm_l + along_l, atol=1e-8
    )
    np.testing.assert_allclose(
        rest.v_b, frames.K * stars[2] * pm_b + along_b, atol=1e-8
    )


def test_rest_frame_keeps_the_speed():
    position, velocity = np.random.default_rng(3).normal(0, 100, size=(2, 100, 3))
    rest = frames.sky_velocities(position, velocity)
    speed = np.linalg.norm([rest.v_gsr, rest.v_l, rest.v_b], axis=0)
    np.testing.assert_allclose(speed, np.linalg.norm(velocity, axis=1))


def test_sun_moves_towards_the_galaxys_rotation():
    outward, _, along_b = frames.solar_velocity(np.radians(90.0), np.radians(0.0))
    assert outward == pytest.approx(frames.SUN_VELOCITY[1])
    assert along_b == pytest.approx(frames.SUN_VELOCITY[2], abs=0.05)
