"""Laws of motion in a halo, and of how subhalos fall in."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from halomass.mock import history, jeans, subhalo_orbits, tides
from halomass.mock.structure import NFWHosts, enclosed_mass
from halomass.mock.subhalo_orbits import Drag


def launched(count=200, seed=1):
    """Returns orbits that start at ten scale radii."""
    random = np.random.default_rng(seed)
    speed = np.sqrt(enclosed_mass(10.0) / 10.0) * random.uniform(0.7, 1.2, count)
    angle = np.arcsin(np.sqrt(random.uniform(0.1, 1, count)))
    zero = np.zeros(count)
    return np.stack([zero + 10.0, zero, -speed * np.cos(angle), speed * np.sin(angle)])


def energy(state):
    r = np.hypot(state[0], state[1])
    return 0.5 * (state[2] ** 2 + state[3] ** 2) - np.log1p(r) / r


def angular_momentum(state):
    return state[0] * state[3] - state[1] * state[2]


def test_energy_and_angular_momentum_are_conserved():
    start = launched()
    duration = np.linspace(1, 150, start.shape[1])
    end = subhalo_orbits.orbit(start, duration, np.ones_like(duration))
    np.testing.assert_allclose(
        angular_momentum(end), angular_momentum(start), rtol=1e-10
    )
    assert np.median(np.abs(energy(end) / energy(start) - 1)) < 3e-3
    assert np.max(np.abs(energy(end) / energy(start) - 1)) < 0.05


def test_smaller_steps_change_nothing_that_matters():
    start = launched()
    duration = np.full(start.shape[1], 80.0)
    coarse, fine = (
        np.hypot(
            *subhalo_orbits.orbit(start, duration, np.ones_like(duration), step=step)[
                :2
            ]
        )
        for step in (0.2, 0.01)
    )
    assert np.median(np.abs(coarse / fine - 1)) < 0.02
    np.testing.assert_allclose(np.median(coarse), np.median(fine), rtol=0.03)


def test_an_orbit_does_not_know_its_company():
    start = launched(50)
    duration = np.linspace(5, 100, 50)
    whole = subhalo_orbits.orbit(start, duration, np.ones(50))
    alone = subhalo_orbits.orbit(start[:, 7:8], duration[7:8], np.ones(1))
    np.testing.assert_array_equal(whole[:, 7:8], alone)


def test_a_circular_orbit_stays_circular():
    r = 3.0
    start = np.array([[r], [0.0], [0.0], [np.sqrt(enclosed_mass(r) / r)]])
    end = subhalo_orbits.orbit(start, np.array([50.0]), np.ones(1))
    assert np.hypot(end[0], end[1])[0] == pytest.approx(r, rel=0.01)


def test_friction_makes_massive_satellites_sink():
    start, duration = launched(400), np.full(400, 60.0)
    host = np.full(400, enclosed_mass(10.0))
    distances = []
    for ratio in (1e-6, 0.02, 0.1):
        drag = Drag(ratio * host, host, np.zeros(400))
        end = subhalo_orbits.orbit(start, duration, np.ones(400), drag)
        distances.append(np.median(np.hypot(end[0], end[1])))
    free = subhalo_orbits.orbit(start, duration, np.ones(400))
    assert distances[0] == pytest.approx(
        np.median(np.hypot(free[0], free[1])), rel=0.01
    )
    assert distances[0] > distances[1] > distances[2]


def test_a_deepening_potential_draws_orbits_in():
    start, duration = launched(400), np.full(400, 80.0)
    start[2:] *= np.sqrt(0.6)
    grown = subhalo_orbits.orbit(start, duration, np.full(400, 0.6))
    start[2:] /= np.sqrt(0.6)
    still = subhalo_orbits.orbit(start, duration, np.ones(400))
    assert np.median(np.hypot(*grown[:2])) < np.median(np.hypot(*still[:2]))


def test_subhalos_fall_inwards_at_the_virial_radius_of_their_time():
    random = np.random.default_rng(2)
    hosts = NFWHosts(np.full(5000, 12.0), np.full(5000, 10.0))
    share = random.uniform(0.05, 1, 5000)
    start = subhalo_orbits.infall(
        hosts,
        share,
        np.full(5000, 1e-3),
        random.standard_normal(5000),
        random.random(5000),
    )
    redshift = history.infall_redshift(share, hosts.concentration)
    np.testing.assert_allclose(
        start.radius, history.past_radius(share, hosts.concentration, redshift)
    )
    assert (start.v_r <= 0).all()
    assert (start.v_t >= 0).all()
    circular = np.sqrt(start.depth * enclosed_mass(start.radius) / start.radius)
    speed = np.log(np.hypot(start.v_r, start.v_t) / circular)
    assert np.exp(np.median(speed)) == pytest.approx(1.20, abs=0.02)
    assert speed.std() == pytest.approx(0.20, abs=0.01)
    assert ((start.depth > 0) & (start.depth <= 1)).all()


@pytest.mark.slow
def test_pericentres_are_where_orbits_turn():
    random = np.random.default_rng(4)
    radius = random.uniform(2.0, 12.0, 60)
    circular = np.sqrt(enclosed_mass(radius) / radius)
    still = np.ones_like(radius)
    angle = random.uniform(0.2, 1.2, 60)
    speed = random.uniform(0.6, 1.3, 60) * circular
    start = subhalo_orbits.Infall(
        still, still, radius, -speed * np.cos(angle), speed * np.sin(angle)
    )
    state = np.stack([radius, np.zeros(60), start.v_r, start.v_t])
    nearest = radius
    # in a host that does not grow, by short pieces of the orbits until all have turned
    for _ in range(400):
        state = subhalo_orbits.orbit(state, np.full(60, 0.1), still, step=0.02)
        nearest = np.minimum(nearest, np.hypot(state[0], state[1]))
    far = start.pericentre > 0.5  # the orbits' centre is rounded off
    assert far.sum() > 30
    np.testing.assert_allclose(start.pericentre[far], nearest[far], rtol=0.02)


def test_the_pericentre_of_a_circular_orbit_is_its_radius():
    one = np.ones(3)
    radius = np.array([0.5, 3.0, 12.0])
    depth = np.array([1.0, 0.5, 0.8])
    circular = np.sqrt(depth * enclosed_mass(radius) / radius)
    start = subhalo_orbits.Infall(one, depth, radius, 0.0 * one, circular)
    np.testing.assert_allclose(start.pericentre, radius, rtol=1e-3)
    plunging = replace(start, v_r=-circular, v_t=0.0 * one)
    assert (plunging.pericentre < 1e-3).all()


def test_who_comes_closer_to_the_centre_loses_more():
    rate = tides.loss_rate(np.array([0.05, tides.USUAL_PERICENTRE, 0.8]))
    assert rate[0] > rate[1] > rate[2]
    assert rate[1] == tides.LOSS_RATE
    # N-body hosts: 0.84 within 0.1 virial radii, 0.36 beyond 0.6
    assert tides.loss_rate(np.array([0.07]))[0] == pytest.approx(0.84, abs=0.06)
    assert tides.loss_rate(np.array([0.75]))[0] == pytest.approx(0.36, abs=0.08)


def test_infall_angles_follow_their_distribution():
    """cos^2 is distributed as exp(eta cos^2), whose mean tells eta."""
    uniform = (np.arange(4000) + 0.5) / 4000
    speed, ratio, height = (np.full(4000, value) for value in (1.0, 0.1, 2.0))
    power = 0.1**0.43
    eta = 0.89 * np.exp(-0.5 * (np.log(1 / 1.04) / 0.2) ** 2)
    eta += (0.30 * 2 - 3.33 * power + 0.56 * 2 * power) * 2 - 1.44 + 9.60 * power
    sine2 = subhalo_orbits.squared_sine(speed, ratio, height, uniform)
    mean = 1 / (1 - np.exp(-eta)) - 1 / eta
    assert np.mean(1 - sine2) == pytest.approx(mean, rel=1e-3)


def test_massive_halos_fall_in_on_more_radial_orbits():
    uniform = np.full(2, 0.5)
    sine2 = subhalo_orbits.squared_sine(
        np.full(2, 1.2), np.array([1e-4, 0.1]), np.full(2, 0.9), uniform
    )
    assert sine2[1] < sine2[0]


@pytest.mark.parametrize("concentration", [6.0, 12.0])
def test_satellites_in_equilibrium_obey_jeans_equation(concentration):
    """d(nu s^2)/dr + 2 beta nu s^2 / r = -nu GM / r^2, by differences."""
    x = np.geomspace(0.05, 1.0, 400)
    dispersion = jeans.radial_dispersion(np.full(400, concentration), x)
    nu, beta = jeans.tracer_density(x), jeans.anisotropy(x)
    pressure = nu * dispersion**2
    force = (
        enclosed_mass(concentration * x) / enclosed_mass(np.array(concentration)) / x**2
    )
    left = np.gradient(pressure, x) + 2 * beta * pressure / x
    np.testing.assert_allclose(left[5:-5], -(nu * force)[5:-5], rtol=0.05)


def test_satellites_in_equilibrium_have_the_profile_and_the_anisotropy_they_are_given():
    random = np.random.default_rng(3)
    hosts = NFWHosts(np.full(40_000, 12.0), np.full(40_000, 10.0))
    found = jeans.equilibrium_positions(
        hosts, random.random(40_000), random.standard_normal((3, 40_000))
    )
    x = found.r / hosts.radius
    assert kstest(x, jeans.tracer_fraction).pvalue > 0.01
    near = x < 0.2
    beta = 1 - np.mean(found.v_t[near] ** 2) / (2 * np.mean(found.v_r[near] ** 2))
    assert beta == pytest.approx(0.11, abs=0.05)
    published = (0.148, 0.249, 0.317, 0.501, 0.718, 0.803, 0.934)
    np.testing.assert_allclose(
        np.percentile(x, (5, 16, 25, 50, 75, 84, 95)), published, atol=0.015
    )
