"""Laws of completeness: a gap is seen wherever it lies, and clustered halos are no gap."""

import numpy as np
import pytest

from halomass.catalogues.completeness import FEWEST_COUNTED, HostCounts

BOX = 100.0


def counted(position, box=BOX):
    counts = HostCounts(box)
    for part in np.array_split(position, 3):
        counts.add(part)
    return counts


def uniform(count, seed=0):
    return np.random.default_rng(seed).uniform(0, BOX, (count, 3))


def gap_of(position, inside):
    """Returns what is said once the hosts inside are gone."""
    return counted(position[~inside]).gap()


@pytest.mark.parametrize("count", [FEWEST_COUNTED, 300, 3000, 100_000])
def test_a_whole_box_has_no_gap(count):
    for seed in range(5):
        assert counted(uniform(count, seed)).gap() is None


@pytest.mark.parametrize("octant", range(8))
def test_each_octant_is_missed_and_named(octant):
    corner = np.array(np.unravel_index(octant, (2, 2, 2))) * BOX / 2
    position = uniform(2000)
    inside = ((position >= corner) & (position < corner + BOX / 2)).all(axis=1)
    low, high = (", ".join(f"{x:g}" for x in c) for c in (corner, corner + BOX / 2))
    assert gap_of(position, inside).startswith(
        f"too few hosts between ({low}) and ({high}) Mpc/h: 0, not 2"
    )
    signs = "".join("-+"[int(c > 0)] for c in corner)
    assert f"{signs} 0" in counted(position[~inside]).octants()


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("low", [0.0, 37.5, 75.0])
def test_a_quarter_that_is_missing_is_seen_wherever_it_lies(axis, low):
    position = uniform(2000, seed=1)
    along = position[:, axis]
    said = gap_of(position, (along >= low) & (along < low + 25))
    assert said == f"no host with {'xyz'[axis]} from {low:g} to {low + 6.25:g} Mpc/h"


def test_a_cube_across_the_edges_is_seen():
    position = uniform(2000, seed=2)
    inside = (np.abs(position - 50) > 25).all(axis=1)
    assert "between (75, 75, 75) and (125, 125, 125)" in gap_of(position, inside)


def test_half_of_an_octant_is_seen_in_a_large_box_alone():
    """In small ones such differences are cosmic structure."""
    position = uniform(20_000, seed=3)
    lost = (position < 50).all(axis=1) & (np.arange(20_000) % 2 == 0)
    assert gap_of(position, lost) is None
    large = counted(4 * position[~lost], 4 * BOX)
    assert "between (0, 0, 0) and (200, 200, 200)" in large.gap()


def test_clustered_hosts_are_no_gap():
    """In 60 places, a few Mpc/h wide, as a small box has them."""
    random = np.random.default_rng(4)
    centre = random.uniform(0, 64, (60, 1, 3))
    position = (centre + random.normal(0, 4, (60, 40, 3))).reshape(-1, 3) % 64
    assert counted(position, 64.0).gap() is None


def test_few_hosts_say_nothing():
    position = uniform(FEWEST_COUNTED - 1)
    assert counted(position / 2).gap() is None
    assert "too few" in counted(uniform(FEWEST_COUNTED) / 2).gap()
