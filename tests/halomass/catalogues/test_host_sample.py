"""Laws of samples: a host is kept with all of its subhalos, or not at all."""

import numpy as np
import pytest

from halomass.catalogues.host_sample import HostSample, differences

MASSES = ("log_m_vir", "log_m_peak", "log_m_star")
NAMES = ("x", "y", "z", "vx", "vy", "vz", *MASSES, "vmax")
HOSTS, EACH = 2000, 7


def halos(order):
    ids = np.arange(HOSTS * EACH) + 10**15
    upid = np.where(np.arange(len(ids)) % EACH, ids - np.arange(len(ids)) % EACH, -1)
    numbers = dict.fromkeys(NAMES, np.arange(float(len(ids))))
    columns = {"id": ids, "upid": upid, **numbers}
    return {name: values[order] for name, values in columns.items()}


def sample(room, seed=0, parts=5):
    found = HostSample(room)
    order = np.random.default_rng(seed).permutation(HOSTS * EACH)
    for rows in np.array_split(order, parts):
        found.add(halos(rows))
    return found


@pytest.mark.parametrize(("room", "least"), [(1 << 24, HOSTS), (1 << 18, 100)])
def test_hosts_keep_all_of_their_subhalos(room, least):
    subhalos, hosts = sample(room).pairs()
    kept = len(sample(room).hosts())
    assert least <= kept <= HOSTS
    assert len(subhalos) == len(hosts) == kept * (EACH - 1)
    apart = differences(("x",), subhalos, hosts)
    assert apart.min() == 1
    assert apart.max() == EACH - 1


def test_the_room_is_not_exceeded():
    found = sample(1 << 16)
    subhalos, _ = found.pairs()
    assert 2 * (len(found.hosts()) + len(subhalos)) * subhalos.itemsize <= 1 << 16


def test_order_and_chunks_change_nothing():
    ones, others = sample(1 << 18), sample(1 << 18, seed=1, parts=9)
    assert {*ones.hosts()["host"]} == {*others.hosts()["host"]}


def test_lists_that_do_not_say_who_lies_where_have_no_pairs():
    found = HostSample(1 << 20)
    columns = halos(np.arange(70))
    found.add(columns | {"upid": np.full(70, -2)})
    assert not len(found.hosts())
    assert not len(found.pairs()[0])
