import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from halomass import cosmology
from halomass.hosts import searching
from halomass.hosts.neighbours import (
    Halos,
    Neighbourhood,
    distance_cluster,
    distance_larger,
    motions,
)
from orrery.parameters import generator
from orrery.records import Records


def clumps(count=600, box=6.0, scale=1.0, seed=0):
    """Returns halos, two thirds of them in clumps, of which one lies across a corner of the box."""
    random = generator(seed, count)
    centres = np.concatenate([[[0.0, 0.0, 0.0]], random.uniform(0, box, (9, 3))])
    near = centres[random.integers(10, size=2 * count // 3)]
    near = near + 0.15 * random.normal(size=near.shape)
    position = (
        np.concatenate([near, random.uniform(0, box, (count - len(near), 3))]) % box
    )
    log_m = 10 + random.exponential(0.8, count).astype(np.float32)
    return Halos(
        id=random.permutation(count) + 7000,
        descid=np.full(count, -1),
        upid=np.full(count, -1),
        position=position,
        velocity=random.normal(0, 150, (count, 3)).astype(np.float32),
        log_m_vir=log_m,
        log_m_peak=(log_m + random.exponential(0.1, count) - 2).astype(np.float32),
        log_m_star=random.normal(6, 1, count).astype(np.float32).round(1),
        vmax=random.uniform(5, 200, count).astype(np.float32),
        box=box,
        scale=scale,
    )


def separations(halos):
    """Returns the vectors [H, H, 3] from halo to halo, each to the nearest of 27 images [kpc]."""
    difference = halos.position[None] - halos.position[:, None]
    shifts = np.array([-1, 0, 1]) * halos.box
    images = difference[..., None] + shifts
    nearest = np.abs(images).argmin(-1)
    return 1000 * halos.scale / 0.678 * (difference + shifts[nearest])


def distances(halos):
    return np.linalg.norm(separations(halos), axis=-1)


def everyone(halos):
    return np.arange(len(halos))


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_neighbours_are_those_of_a_search_through_all(scale):
    halos = clumps(scale=scale)
    around = Neighbourhood(halos, 250.0, 8.5)
    hosts = generator(1).permutation(len(halos))[:200]
    expected = (distances(halos) <= 250) & (halos.log_m_peak > 8.5)
    expected[everyone(halos), everyone(halos)] = False
    assert 0 < (halos.log_m_peak > 8.5).mean() < 1
    pairs = around.pairs(hosts, halos.log_m_star)
    assert_array_equal(around.count(hosts), expected[hosts].sum(1))
    for number, host in enumerate(hosts):
        mine = pairs.neighbour[pairs.host == number]
        assert_array_equal(np.sort(mine), np.flatnonzero(expected[host]))


def test_neighbours_are_found_across_the_walls():
    halos = clumps()
    pairs = Neighbourhood(halos, 250.0, 0.0).pairs(everyone(halos), halos.log_m_star)
    apart = np.abs(halos.position[pairs.host] - halos.position[pairs.neighbour])
    assert (apart > halos.box / 2).any(axis=0).all()


def test_neighbours_come_by_falling_stellar_mass_then_peak_mass():
    halos = clumps()
    pairs = Neighbourhood(halos, 250.0, 0.0).pairs(everyone(halos), halos.log_m_star)
    assert (np.diff(pairs.host) >= 0).all()
    same = np.diff(pairs.host) == 0
    stars = np.diff(halos.log_m_star[pairs.neighbour])[same]
    peak = np.diff(halos.log_m_peak[pairs.neighbour])[same]
    assert (stars <= 0).all()
    assert (stars == 0).any(), "stellar masses are rounded so that some are equal"
    assert (peak[stars == 0] <= 0).all()


def test_the_given_stellar_masses_decide_the_order():
    halos = clumps()
    pairs = Neighbourhood(halos, 250.0, 0.0).pairs(everyone(halos), -halos.log_m_star)
    stars = np.diff(halos.log_m_star[pairs.neighbour])
    assert (stars[np.diff(pairs.host) == 0] >= 0).all()


def test_halos_at_one_place_are_no_neighbours():
    halos = clumps()
    position = halos.position.copy()
    position[1] = position[0]
    halos = dataclasses.replace(halos, position=position)
    around = Neighbourhood(halos, 250.0, 0.0)
    pairs = around.pairs(everyone(halos), halos.log_m_star)
    assert_array_equal(
        np.bincount(pairs.host, minlength=len(halos)), around.count(everyone(halos))
    )
    assert 1 not in pairs.neighbour[pairs.host == 0]


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_motions_are_those_of_the_vectors(scale):
    halos = clumps(scale=scale)
    pairs = Neighbourhood(halos, 400.0, 0.0).pairs(everyone(halos), halos.log_m_star)
    r, v_r, v_t = motions(halos, pairs.host, pairs.neighbour)
    vector = separations(halos)[pairs.host, pairs.neighbour]
    velocity = (
        halos.velocity[pairs.neighbour].astype(float) - halos.velocity[pairs.host]
    )
    rate = 0.0678 * np.sqrt(0.307 / scale**3 + 0.693)  # km/s/kpc
    velocity += rate * vector
    assert_allclose(r, np.linalg.norm(vector, axis=1), rtol=1e-9)
    assert_allclose(v_r, (vector * velocity).sum(1) / r, rtol=1e-6, atol=1e-6)
    cross = np.linalg.norm(np.cross(vector, velocity), axis=1)
    assert_allclose(v_t, cross / r, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_halos_at_rest_follow_the_expansion(scale):
    halos = dataclasses.replace(
        clumps(scale=scale), velocity=np.zeros((600, 3), np.float32)
    )
    pairs = Neighbourhood(halos, 250.0, 0.0).pairs(everyone(halos), halos.log_m_star)
    r, v_r, v_t = motions(halos, pairs.host, pairs.neighbour)
    assert_allclose(v_r, cosmology.hubble(scale) * r, rtol=1e-9)
    assert_allclose(v_t, 0, atol=1e-9)


def test_radial_velocity_is_positive_when_receding():
    base = clumps(count=6)
    position = np.tile([3.0, 3.0, 3.0], (6, 1)) + 0.01 * np.arange(6)[:, None] * [
        1,
        0,
        0,
    ]
    velocity = 100.0 * np.arange(6)[:, None] * np.array([1, 0, 0])
    halos = dataclasses.replace(base, position=position, velocity=velocity)
    _, away, _ = motions(halos, np.array([0, 3]), np.array([1, 2]))
    assert (away > 100).all()


def test_half_the_scale_factor_halves_distances():
    now, then = clumps(), clumps(scale=0.5)
    hosts = everyone(now)
    assert_allclose(distance_larger(then, hosts), distance_larger(now, hosts) / 2)
    assert_allclose(
        distance_cluster(then, hosts, 11), distance_cluster(now, hosts, 11) / 2
    )
    # ... so that a radius of 250 physical kpc reaches twice as many comoving ones
    counts = Neighbourhood(then, 250.0, 0.0).count(hosts)
    assert_array_equal(counts, Neighbourhood(now, 500.0, 0.0).count(hosts))


@pytest.mark.slow
@pytest.mark.parametrize(("count", "seed"), [(2, 1), (33, 2), (600, 3), (1500, 4)])
def test_nearest_larger_halo_is_that_of_a_search_through_all(count, seed):
    halos = clumps(count, seed=seed)
    larger = halos.log_m_vir[None] > halos.log_m_vir[:, None]
    expected = np.where(larger, distances(halos), np.inf).min(1)
    assert np.isinf(expected).sum() == 1
    assert_allclose(distance_larger(halos, everyone(halos)), expected, rtol=1e-9)


@pytest.mark.parametrize("at_once", [searching._AT_ONCE, 50])
def test_nearest_larger_halo_is_found_behind_a_crowd_of_smaller_ones(
    monkeypatch, at_once
):
    # 1100 halos are larger than the host, and the next 900 surround it: a look at the
    # nearest of the first 2048 finds no larger one for long
    monkeypatch.setattr(searching, "_AT_ONCE", at_once)
    random, halos = generator(5), clumps(3000)
    near = random.normal(0, 0.02, (900, 3)) + 1
    position = np.concatenate(
        [random.uniform(3, 5, (1100, 3)), near, halos.position[2000:]]
    )
    log_m = np.linspace(14, 11, 3000).astype(np.float32)
    halos = dataclasses.replace(halos, position=position, log_m_vir=log_m)
    hosts = np.array([1100, 1101, 1500])
    expected = [
        distances_from(halos, host)[log_m > log_m[host]].min() for host in hosts
    ]
    assert expected[0] > 1000
    assert_allclose(distance_larger(halos, hosts), expected)


def distances_from(halos, row):
    difference = halos.position - halos.position[row]
    difference -= halos.box * np.round(difference / halos.box)
    return halos.kpc * np.linalg.norm(difference, axis=1)


def test_equal_masses_are_not_larger():
    halos = clumps()
    coarse = dataclasses.replace(halos, log_m_vir=halos.log_m_vir.round(1))
    larger = coarse.log_m_vir[None] > coarse.log_m_vir[:, None]
    expected = np.where(larger, distances(coarse), np.inf).min(1)
    assert_allclose(distance_larger(coarse, everyone(coarse)), expected, rtol=1e-9)


def test_nearest_cluster_is_that_of_a_search_through_all_and_not_the_host():
    halos = clumps()
    cluster = (halos.log_m_vir > 11.5)[None] & ~np.eye(len(halos), dtype=bool)
    expected = np.where(cluster, distances(halos), np.inf).min(1)
    found = distance_cluster(halos, everyone(halos), 11.5)
    assert_allclose(found, expected, rtol=1e-9)
    assert (found > 0).all()


def test_the_only_cluster_has_none():
    halos = clumps()
    largest = int(halos.log_m_vir.argmax())
    second = np.sort(halos.log_m_vir)[-2]
    found = distance_cluster(halos, everyone(halos), float(second))
    assert_array_equal(np.flatnonzero(np.isinf(found)), [largest])


def test_a_box_without_clusters_is_refused():
    with pytest.raises(
        ValueError, match=r"no halo .* is above 14 .* lower log_m_cluster"
    ):
        distance_cluster(
            dataclasses.replace(clumps(), log_m_vir=np.full(600, 12.0)), np.arange(3)
        )


def test_nothing_depends_on_where_the_box_begins():
    halos = clumps()
    moved = dataclasses.replace(
        halos, position=(halos.position + np.array([1.7, -3.1, 5.9])) % halos.box
    )
    results = []
    for place in (halos, moved):
        pairs = Neighbourhood(place, 250.0, 0.0).pairs(
            everyone(place), place.log_m_star
        )
        results.append(
            [
                *(pairs.host, pairs.neighbour),
                *motions(place, pairs.host, pairs.neighbour),
                distance_larger(place, everyone(place)),
                distance_cluster(place, everyone(place), 11.0),
            ]
        )
    for one, other in zip(*results, strict=True):
        assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_walls_belong_to_the_box():
    halos = clumps()
    position = halos.position.copy()
    position[0], position[1] = [halos.box, 0.0, -1e-20], [0.0, -1e-4, halos.box]
    halos = dataclasses.replace(halos, position=position)
    assert Neighbourhood(halos, 1.0, 0.0).count(np.array([0, 1])).min() >= 1


def test_no_hosts_have_no_neighbours():
    halos, none = clumps(), np.empty(0, np.int64)
    around = Neighbourhood(halos, 250.0, 0.0)
    assert len(around.count(none)) == 0
    assert len(around.pairs(none, halos.log_m_star).host) == 0
    assert (
        len(distance_larger(halos, none))
        == len(distance_cluster(halos, none, 11.0))
        == 0
    )


def test_no_halo_above_the_peak_mass_is_no_neighbour():
    halos = clumps()
    around = Neighbourhood(halos, 250.0, 99.0)
    assert not around.count(everyone(halos)).any()
    assert len(around.pairs(everyone(halos), halos.log_m_star).host) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box": 0.0}, "side must be positive"),
        ({"scale": 31.0}, "scale factor between"),
        ({"vmax": np.ones(3)}, r"'vmax' has shape \(3,\)"),
        (
            {"velocity": np.full((600, 3), np.nan)},
            "'velocity' of halo 7.* is not finite",
        ),
        ({"box": 3.0}, "outside of the box of 3.0 Mpc/h"),
    ],
)
def test_impossible_halos_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(clumps(), **change)


def test_a_radius_larger_than_the_box_is_refused():
    with pytest.raises(
        ValueError, match=r"radius 9000.0 kpc must be .* half of the box"
    ):
        Neighbourhood(clumps(), 9000.0, 8.0)


def records(halos):
    columns = {name: getattr(halos, name) for name in ("id", "descid", "upid", "vmax")}
    columns |= {
        name: getattr(halos, name) for name in ("log_m_vir", "log_m_peak", "log_m_star")
    }
    columns |= dict(zip("xyz", halos.position.T, strict=True))
    columns |= dict(zip(("vx", "vy", "vz"), halos.velocity.T, strict=True))
    return columns


def test_records_in_parts_are_the_halos():
    unknown = np.zeros(600)
    halos = dataclasses.replace(clumps(), v_infall=unknown, v_peak=unknown)
    columns = records(halos) | {"v_infall": unknown, "v_peak": unknown}
    parts = [
        Records({"index": np.arange(1)}, {n: c[a:b] for n, c in columns.items()})
        for a, b in [(0, 100), (100, 100), (100, 600)]
    ]
    read = Halos.from_records(parts, halos.box, halos.scale)
    for field in dataclasses.fields(halos):
        assert_array_equal(getattr(read, field.name), getattr(halos, field.name))


def test_records_of_something_else_are_refused():
    columns = records(clumps()) | dict.fromkeys(("v_infall", "v_peak"), np.zeros(600))
    del columns["vmax"]
    with pytest.raises(ValueError, match="no column 'vmax'"):
        Halos.from_records([Records({"index": np.arange(1)}, columns)], 6.0, 1.0)
    with pytest.raises(ValueError, match="without records"):
        Halos.from_records([], 6.0, 1.0)
