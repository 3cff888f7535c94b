"""Laws of edges: a periodic box has none, however its halos cluster."""

import numpy as np
import pytest

from halomass.catalogues.box_edges import BoxEdges

SIDE = 50.0


def check(position, box=SIDE, beyond=0):
    edges = BoxEdges("a.bin", box)
    for part in np.array_split(position, 3):
        edges.add(part)
    edges.add(position[:0], beyond)
    edges.check()


def uniform(count, seed=0):
    return np.random.default_rng(seed).uniform(0, SIDE, (count, 3))


def clustered(seed, clumps=80, members=10, size=1.5):
    random = np.random.default_rng(seed)
    centre = random.uniform(0, SIDE, (clumps, 1, 3))
    place = centre + random.normal(0, size, (clumps, members, 3))
    return place.reshape(-1, 3) % SIDE


@pytest.mark.parametrize("count", [3, 100, 300, 3000, 100_000])
def test_whole_boxes_pass(count):
    for seed in range(40):
        check(uniform(count, seed))


@pytest.mark.parametrize("size", [0.1, 1.5, 5.0])
def test_clustered_halos_pass(size):
    for seed in range(100):
        check(clustered(seed, size=size))


@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_rounded_places_pass(decimals):
    check(uniform(20_000).round(decimals) % SIDE)


@pytest.mark.parametrize(("count", "side"), [(800, 1.03), (5000, 1.01), (10**5, 1.003)])
def test_a_side_that_is_too_large_is_refused(count, side):
    with pytest.raises(
        ValueError, match=r"a.bin: .* none has x above (49|50).*give the box"
    ):
        check(uniform(count, seed=1), SIDE * side)


def test_a_larger_side_on_two_axes_alone_says_nothing():
    check(uniform(5000) * [0.97, 0.97, 1.0])


def test_hosts_beyond_the_edges_are_refused_and_a_few_are_not():
    with pytest.raises(ValueError, match="21 of its 1000 hosts lie beyond the edges"):
        check(uniform(1000), beyond=21)
    check(uniform(1000), beyond=9)
    check(uniform(100), beyond=9)
