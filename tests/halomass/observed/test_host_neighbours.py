"""Laws of a host's neighbours: ranked by stars, observed with errors as often as one likes."""

from dataclasses import replace

import numpy as np
import pytest

from halomass.observed import host_neighbours
from halomass.observed.features import Features, NeighbourSet, features
from halomass.observed.host_neighbours import Neighbours, observation
from halomass.observed.neighbour_tables import read_neighbours

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}


N = 40


def test_observed_without_errors_a_host_gives_its_own_features(halos, tmp_path, saved):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    for binning in (
        Features(errors=False, detectability=False),
        NeighbourSet(errors=False, detectability=False),
    ):
        x = features(host_neighbours.as_records(table, 3), binning)
        np.testing.assert_allclose(
            x, np.tile(observation(table, binning).value, (3, 1))
        )


def test_each_copy_has_its_own_errors(halos, tmp_path, saved):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    binning = Features(neighbours=10, detectability=False)
    x = features(host_neighbours.as_records(table, 200), binning)
    assert np.isfinite(x).all()
    assert (x.std(axis=0) > 0).all()
    truth = observation(table, binning).value
    np.testing.assert_allclose(np.median(x[:, :10], axis=0), truth[:10], atol=0.02)


def test_neighbours_are_ranked_by_stars(halos, tmp_path, saved):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    assert (np.diff(table.log_m_star) <= 0).all()
    backwards = table.keep(np.arange(N)[::-1])
    np.testing.assert_array_equal(
        observation(backwards, Features()).value, observation(table, Features()).value
    )


def test_tangential_velocities_are_lengths(halos, tmp_path, saved):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    with pytest.raises(ValueError, match="v_t of"):
        replace(table, orbits=table.orbits._replace(v_t=-table.orbits.v_t))
    assert isinstance(table, Neighbours)


def test_a_row_that_was_rounded_is_the_same_neighbour(halos, tmp_path, saved):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    names = (*table.names, "again")
    orbits = table.orbits.apply(lambda column: np.append(column, round(column[4], 2)))
    stars = np.append(table.log_m_star, round(table.log_m_star[4], 2))
    with pytest.raises(ValueError, match=f"'{table.names[4]}' is there twice, once as"):
        replace(table, names=names, orbits=orbits, log_m_star=stars)
    stars[-1] += 0.3  # another galaxy of a pair
    assert len(replace(table, names=names, orbits=orbits, log_m_star=stars)) == N + 1
