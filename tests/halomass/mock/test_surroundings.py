"""Laws of what lies beyond a host's virial radius."""

import numpy as np
import pytest

from halomass.cosmology import hubble
from halomass.mock import surroundings
from halomass.mock.structure import NFWHosts


def dwarfs(count=20_000):
    return NFWHosts(np.full(count, 11.2), np.full(count, 12.0))


def test_there_are_fewer_halos_the_larger_they_are():
    number = surroundings.number_above(np.linspace(8, 15, 100))
    assert (np.diff(number) < 0).all()
    assert surroundings.number_above(np.array(12.0)) * 1e9 == pytest.approx(
        1.9e-3, rel=0.1
    )


def test_large_halos_cluster_more():
    masses = np.array([11.0, 13.0, 14.0])
    assert (np.diff(surroundings.bias_above(masses)) > 0).all()


def test_the_nearest_halo_lies_where_one_is_expected():
    """Without groups the expected number up to the nearest is standard exponential."""
    mass = np.full(4000, 12.0)
    drawn = np.random.default_rng(1).standard_exponential(4000)
    above = np.full(4000, 14.0)
    distance = surroundings.nearest_distance(500.0, drawn, mass, above)
    passed = surroundings.expected_number(
        distance, mass, above
    ) - surroundings.expected_number(np.asarray(500.0), mass, above)
    np.testing.assert_allclose(passed, drawn, rtol=0.02, atol=1e-3)


def test_environments_keep_to_the_isolation_and_to_each_other():
    random = np.random.default_rng(2)
    mass = random.uniform(10.5, 14.5, 3000)
    found = surroundings.nearest_larger_halos(
        mass, 500.0, random.standard_exponential((2, 3000))
    )
    assert (found.distance_larger >= 499.9).all()
    light = mass < 14.0  # for these, every cluster is a larger halo
    assert (found.distance_cluster[light] >= found.distance_larger[light]).all()
    # for clusters, every larger halo is a cluster
    assert (found.distance_larger[~light] >= found.distance_cluster[~light]).all()


def test_massive_hosts_have_their_betters_far_away():
    random = np.random.default_rng(3)
    median = [
        np.median(
            surroundings.nearest_larger_halos(
                np.full(500, mass), 500.0, random.standard_exponential((2, 500))
            ).distance_larger
        )
        for mass in (11.0, 12.0, 13.0)
    ]
    assert median[0] < median[1] < median[2]


def test_the_milky_ways_environment_is_ordinary():
    random = np.random.default_rng(4)
    mass = np.full(4000, 12.1)
    found = surroundings.nearest_larger_halos(
        mass, 500.0, random.standard_exponential((2, 4000))
    )
    assert 0.05 < np.mean(found.distance_larger < 761) < 0.5
    assert 0.2 < np.mean(found.distance_cluster < 17e3) < 0.8


def test_isolated_halos_are_rare_where_larger_ones_are_many():
    share = surroundings.isolated_fraction(500.0, np.array([10.5, 11.5, 13.0]))
    assert (np.diff(share) > 0).all()
    assert share[-1] > 0.95


def test_halos_falling_in_lie_beyond_the_virial_radius_and_follow_the_profile():
    hosts = dwarfs()
    random = np.random.default_rng(5)
    found = surroundings.first_infall_positions(
        hosts, 250.0, random.random((2, 20_000)), random.standard_normal((3, 20_000))
    )
    assert (found.r >= hosts.radius - 1e-6).all()
    assert (found.r <= 250.0 + 1e-6).all()
    # shares of volume-weighted density, against brute force
    r = np.linspace(hosts.radius[0], 250.0, 4001)
    scale = 5 * surroundings.mean_density_radius(hosts)[0]
    density = (1.5 * (r / scale) ** -1.5 + 1) * r**2
    share = np.cumsum(density) / density.sum()
    for wanted in (0.25, 0.5, 0.75):
        expected = r[np.searchsorted(share, wanted)]
        assert np.quantile(found.r, wanted) == pytest.approx(expected, rel=0.01)


def test_halos_stream_towards_the_host_as_space_expands():
    hosts = dwarfs()
    random = np.random.default_rng(6)
    found = surroundings.first_infall_positions(
        hosts, 250.0, random.random((2, 20_000)), random.standard_normal((3, 20_000))
    )
    peculiar = (found.v_r - hubble() * found.r) / hosts.velocity
    near = found.r < 2 * hosts.radius
    assert -0.6 < peculiar[near].mean() < -0.3
    assert 0.5 < peculiar[near].std() < 0.7


def test_no_neighbour_is_larger_than_its_host():
    hosts = dwarfs(5000)
    mass = surroundings.neighbour_masses(
        hosts, 8.0, np.random.default_rng(7).random(5000)
    )
    assert (mass <= 11.2 + 1e-6).all()
    assert (mass >= 8.0 - 1e-6).all()
    assert np.mean(mass > 9) == pytest.approx(
        0.13, abs=0.02
    )  # the mass function's slope


def test_large_hosts_reach_beyond_all_neighbours():
    hosts = NFWHosts(np.array([11.0, 13.0]), np.array([12.0, 8.0]))
    few = surroundings.expected_neighbours(hosts, 250.0, 8.0)
    assert few[0] > 1
    assert few[1] == 0
