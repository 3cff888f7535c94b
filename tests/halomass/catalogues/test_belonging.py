"""Laws of belonging: a file that ends too early shows it, in whatever order its rows are."""

import numpy as np
import pytest

from halomass.catalogues.belonging import Belonging
from halomass.catalogues.chunks import ChunkHalos
from halomass.catalogues.repetition import ReferenceRegister

HOSTS, SATELLITES, BOX = 200, 19, 50.0


def halos():
    """Hosts, and after them all of their subhalos."""
    random = np.random.default_rng(2)
    host = np.arange(HOSTS)
    upid = np.concatenate([np.full(HOSTS, -1), np.repeat(host, SATELLITES)])
    peak = random.uniform(9, 10.5, len(upid))
    peak[:HOSTS] = random.uniform(12.5, 14, HOSTS)
    columns = {"id": np.arange(len(upid)), "upid": upid, "log_m_peak": peak}
    place = random.uniform(0, BOX, (3, HOSTS))
    place = np.hstack([place, np.repeat(place, SATELLITES, axis=1)])
    columns |= dict(zip("xyz", place, strict=True))
    return columns | {"log_m_vir": peak - 0.05}


def check(columns):
    with ReferenceRegister(1 << 16) as register:
        found = Belonging("a.bin", BOX, register)
        for rows in np.array_split(np.arange(len(columns["id"])), 4):
            part = {name: values[rows] for name, values in columns.items()}
            hosts = part["id"][part["upid"] == -1]
            found.add(ChunkHalos(len(rows), part, hosts))
        found.check()


def ordered(columns, order):
    return {name: values[order] for name, values in columns.items()}


def test_whole_catalogues_pass_in_any_order():
    whole = halos()
    check(whole)
    check(ordered(whole, np.random.default_rng(1).permutation(len(whole["id"]))))


@pytest.mark.parametrize("left", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_file_cut_between_two_rows_is_refused(left, shuffled):
    whole = halos()
    count = len(whole["id"])
    order = np.random.default_rng(1).permutation(count) if shuffled else range(count)
    message = (
        "subhalos are not there, such as upid" if shuffled else "no subhalo at all"
    )
    with pytest.raises(ValueError, match=f"a.bin: .*{message}.*: rows are missing"):
        check(ordered(whole, np.array(order)[: int(left * count)]))


def test_a_few_strays_and_lonely_hosts_are_the_halo_finders():
    few = halos()
    few["upid"][HOSTS : HOSTS + 3] = 10**12
    check(few)
    lonely = ordered(halos(), np.flatnonzero(halos()["upid"] > HOSTS // 20))
    hosts = ordered(halos(), np.arange(HOSTS))
    check({name: np.append(hosts[name], lonely[name]) for name in hosts})


def test_small_hosts_need_no_subhalos():
    columns = ordered(halos(), np.arange(HOSTS))
    columns["log_m_vir"] = columns["log_m_peak"] = np.linspace(9, 11.9, HOSTS)
    check(columns)


def test_the_host_of_every_subhalo_is_wanted():
    whole = halos()
    message = r"hosts of 57 of its 3800 subhalos are not there, such as upid \d+ of id"
    with pytest.raises(ValueError, match=message):
        check(ordered(whole, np.delete(np.arange(len(whole["id"])), [40, 60, 150])))


def many(seed):
    """Hosts with as many subhalos as their mass says, and more scatter than chance."""
    random = np.random.default_rng(seed)
    mass = 12 + random.exponential(0.4, 900)
    counts = random.negative_binomial(6, 1 / (1 + 10 ** (mass - 12)))
    upid = np.concatenate([np.full(len(mass), -1), np.repeat(np.arange(900), counts)])
    peak = np.concatenate([mass, random.uniform(9, 9.5, counts.sum())])
    place = random.uniform(0, BOX, (3, len(mass)))
    columns = dict(zip("xyz", place[:, [*range(900), *upid[900:]]], strict=True))
    return columns | {
        "id": np.arange(len(upid)),
        "upid": upid,
        "log_m_peak": peak,
        "log_m_vir": peak,
    }


@pytest.mark.parametrize("seed", range(5))
def test_hosts_with_half_of_their_subhalos_in_one_octant_are_refused(seed):
    whole = many(seed)
    check(whole)
    inside = (whole["x"] > BOX / 2) & (whole["y"] < BOX / 2) & (whole["z"] > BOX / 2)
    lost = inside & (whole["upid"] >= 0) & (whole["id"] % 2 == 0)
    with pytest.raises(
        ValueError, match=r"octant \+-\+, .* subhalos, and as heavy ones"
    ):
        check(ordered(whole, ~lost))
