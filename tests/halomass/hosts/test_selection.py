import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from halomass.hosts.options import HostSelection
from halomass.hosts.selection import (
    FinalPositions,
    assign_split,
    final_positions,
    find_hosts,
)

BOX = 20.0  # [Mpc/h]


HOSTS, SATELLITES, CLUSTERS = 80, 12, 3


@pytest.mark.slow
def test_hosts_are_those_of_a_search_through_all(universe, around):
    halos, chosen = universe(), HostSelection(minimum=12)
    found = find_hosts(around(halos, chosen), chosen)
    separation = halos.position[None] - halos.position[:, None]
    separation -= BOX * np.round(separation / BOX)
    distance = np.linalg.norm(separation, axis=2) * halos.kpc
    larger = np.where(
        halos.log_m_vir[None] > halos.log_m_vir[:, None], distance, np.inf
    ).min(1)
    cluster = np.where((halos.log_m_vir > 14) & (distance > 0), distance, np.inf).min(1)
    rich = ((distance < 250) & (distance > 0) & (halos.log_m_peak > 8)).sum(1) >= 12
    good = (halos.upid == -1) & rich & (larger > 500) & np.isfinite(larger)
    assert CLUSTERS < good.sum() < CLUSTERS + HOSTS - 1, "some hosts are not isolated"
    assert_array_equal(found.row, np.flatnonzero(good))
    assert_allclose(found.distance_larger, larger[good])
    assert_allclose(found.distance_cluster, cluster[good])


def test_satellites_are_no_hosts_but_are_neighbours(universe, around):
    halos, chosen = universe(), HostSelection()
    satellites = dataclasses.replace(halos, upid=np.where(halos.upid == -1, 1, -1))
    assert not np.isin(
        find_hosts(around(satellites, chosen), chosen).row % 13, [0]
    ).any()
    place = around(halos, chosen)
    assert (place.count(np.flatnonzero(halos.upid == -1)) >= SATELLITES).all()


def test_isolation_is_physical(universe, around):
    # two equal pairs of a host and a larger halo, 600 comoving kpc apart
    halos, chosen = universe(), HostSelection(minimum=1)
    place = halos.position.copy()
    first, second = 13 * CLUSTERS, 13 * (CLUSTERS + 1)
    place[second : second + 13] += place[first] + [0.4068, 0, 0] - place[second]
    now = dataclasses.replace(halos, position=place % BOX)
    smaller = first if halos.log_m_vir[first] < halos.log_m_vir[second] else second
    then = dataclasses.replace(now, scale=0.8)  # 480 kpc
    for snapshot, expected in ((now, True), (then, False)):
        assert (smaller in find_hosts(around(snapshot, chosen), chosen).row) == expected


def test_the_largest_halo_and_the_only_cluster_are_no_hosts(universe, around):
    halos, chosen = universe(), HostSelection(minimum=1)
    assert 0 not in find_hosts(around(halos, chosen), chosen).row
    one = dataclasses.replace(chosen, log_m_cluster=14.4)
    assert np.isfinite(find_hosts(around(halos, one), one).distance_cluster).all()


def test_hosts_without_any_cluster_are_refused(universe, around):
    halos, chosen = universe(), HostSelection(log_m_cluster=15.0)
    with pytest.raises(ValueError, match=r"the largest has 14\.50"):
        find_hosts(around(halos, chosen), chosen)


def test_no_hosts_need_no_cluster(universe, around):
    halos, chosen = universe(), HostSelection(minimum=500, log_m_cluster=15.0)
    found = find_hosts(around(halos, chosen), chosen)
    assert (
        len(found.row) == len(found.distance_larger) == len(found.distance_cluster) == 0
    )


def test_no_halo_is_a_neighbour_of_two_hosts(universe, around):
    halos, chosen = universe(), HostSelection(minimum=1)
    halos = dataclasses.replace(halos, position=halos.position / 4, box=BOX / 4)
    place = around(halos, chosen)
    crowd = np.flatnonzero(halos.upid == -1)
    assert np.bincount(place.pairs(crowd, halos.log_m_star).neighbour).max() > 1
    hosts = find_hosts(place, chosen).row
    assert len(hosts) > 5
    assert np.bincount(place.pairs(hosts, halos.log_m_star).neighbour).max() == 1


def test_splits_are_slabs():
    x = np.array([0.0, 0.649999, 0.65, 0.749999, 0.75, 0.999])
    assert_array_equal(assign_split(x, HostSelection()), [0, 0, 1, 1, 2, 2])
    assert assign_split(x, HostSelection()).dtype == np.int8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minimum": 0}, "at least 1 neighbour"),
        ({"radius": -1.0}, "positive radius"),
        ({"isolation": 800.0}, r"isolation 800.0 kpc .* below 761"),
        ({"validation_from": 0.8}, "must rise between 0 and 1"),
        ({"test_from": 1.0}, "must rise between 0 and 1"),
    ],
)
def test_impossible_selections_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        HostSelection(**change)


def test_final_positions_follow_descendants_to_the_last_snapshot(history):
    parts, last = history()
    place = {
        int(i): x
        for part in parts
        for i, x in zip(part.id, final_positions(part).x, strict=True)
    }
    later = None
    for part in reversed(parts):
        later = final_positions(part, later)
        assert_array_equal(
            later.x, [place[last[int(identity)]] for identity in part.id]
        )


def test_final_positions_need_snapshots_that_follow_one_another(history):
    parts, _ = history()
    with pytest.raises(ValueError, match="give snapshots that follow one another"):
        final_positions(parts[0], final_positions(parts[2]))
    nobody = FinalPositions(np.empty(0, np.int64), np.empty(0))
    childless = dataclasses.replace(parts[0], descid=np.full(len(parts[0]), -1))
    for part, later in (
        (parts[0], nobody),
        (childless, nobody),
        (childless, final_positions(parts[1])),
    ):
        with pytest.raises(ValueError, match=r"only 0% .* scale factor 0.85"):
            final_positions(part, later)
