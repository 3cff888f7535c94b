"""Laws of subhalos that fall in together."""

import numpy as np
import pytest

from halomass.mock import groups
from halomass.mock.subhalo_orbits import Infall


def drawn(count=3000, hosts=10, seed=1):
    random = np.random.default_rng(seed)
    host = np.repeat(np.arange(hosts), count // hosts)
    ratio = 1e-4 * random.random(count) ** (-1 / 0.87)
    return host, ratio, random.random(count)


def test_leaders_belong_to_the_same_host_and_are_heavier():
    host, ratio, uniform = drawn()
    leader = groups.assign_leaders(host, ratio, np.ones(len(host), bool), uniform)
    follows = leader != np.arange(len(host))
    assert (host[leader] == host).all()
    assert (ratio[leader[follows]] > 5 * ratio[follows]).all()
    assert 0.2 < follows.mean() <= groups.GROUP_FRACTION


def test_leaders_have_companions_in_proportion_to_their_mass():
    host, uniform = np.zeros(30_000, np.int64), np.random.default_rng(2).random(30_000)
    ratio = np.full(30_000, 1e-6)
    ratio[[10, 20_000]] = 0.1, 0.3
    leader = groups.assign_leaders(host, ratio, np.ones(30_000, bool), uniform)
    few, many = np.sum(leader == 10), np.sum(leader == 20_000)
    assert many / few == pytest.approx(3, rel=0.1)


def test_who_may_not_lead_does_not():
    host, ratio, uniform = drawn()
    heaviest = np.argmax(ratio)
    may = np.ones(len(host), bool)
    may[heaviest] = False
    leader = groups.assign_leaders(host, ratio, may, uniform)
    assert np.flatnonzero(leader == heaviest).tolist() in ([], [heaviest])


def test_a_hosts_groups_do_not_depend_on_other_hosts():
    host, ratio, uniform = drawn()
    may = np.ones(len(host), bool)
    here = host == 4
    alone = groups.assign_leaders(host[here] - 4, ratio[here], may[here], uniform[here])
    together = (
        groups.assign_leaders(host, ratio, may, uniform)[here] - np.flatnonzero(here)[0]
    )
    np.testing.assert_array_equal(alone, together)


def test_companions_move_with_their_leader():
    """Leaders keep their infall; companions scatter about it, more around heavy leaders."""
    count = 5000
    ones = np.ones(count)
    start = Infall(ones, ones, 10 * ones, -0.5 * ones, 0.2 * ones)
    normal = np.random.default_rng(3).standard_normal((4, count))
    alone = groups.infall_with_leaders(start, np.ones(count, bool), 0.1 * ones, normal)
    np.testing.assert_array_equal(alone.v_r, start.v_r)
    np.testing.assert_array_equal(alone.radius, start.radius)
    spread = []
    for ratio in (1e-3, 0.1):
        found = groups.infall_with_leaders(
            start, np.zeros(count, bool), ratio * ones, normal
        )
        assert found.v_r.mean() == pytest.approx(-0.5, abs=0.02)
        assert (found.v_t >= 0).all()
        spread.append(found.v_r.std())
    assert spread[1] == pytest.approx(spread[0] * 100 ** (1 / 3), rel=1e-6)


def test_no_subhalos_have_no_leaders():
    nothing = np.zeros(0)
    assert (
        len(groups.assign_leaders(np.zeros(0, np.int64), nothing, nothing > 0, nothing))
        == 0
    )
