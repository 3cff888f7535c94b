"""Laws of dynamics: subhalos lie in their hosts and orbit them, and hosts turn by their mass."""

import numpy as np
import pytest

from halomass.catalogues.halo_dynamics import HaloDynamics
from halomass.catalogues.host_sample import HostSample
from halomass.universe import MULTIDARK, Universe

G = 4.30091727e-6
PLACE, MOTION = ("x", "y", "z"), ("vx", "vy", "vz")


def halos(seed=0, hosts=300, each=8, box=80.0, scale=1.0, universe=MULTIDARK, bulk=300):
    """Hosts with subhalos within 1.3 virial radii, whose dispersion is 0.7 virial velocities."""
    random = np.random.default_rng(seed)
    mass = np.minimum(11.5 + random.exponential(0.48, hosts), 14.5)
    radius = universe.virial_radius(mass, scale)  # [kpc]
    virial = np.sqrt(G * 10**mass / radius)
    offset = random.normal(size=(hosts, 1 + each, 3))
    reach = 1.3 * random.uniform(0, 1, (hosts, 1 + each, 1)) ** 0.6
    offset *= reach / np.linalg.norm(offset, axis=2, keepdims=True)
    offset *= 1e-3 * universe.hubble / scale * radius[:, None, None]
    motion = random.normal(0, 0.7, offset.shape) * virial[:, None, None]
    offset[:, 0] = motion[:, 0] = 0
    place = (random.uniform(0, box, (hosts, 1, 3)) + offset) % box
    motion += random.normal(0, bulk, (hosts, 1, 3))
    log_m = np.repeat(mass[:, None], 1 + each, axis=1)
    log_m[:, 1:] = random.uniform(8.5, 10.5, (hosts, each))
    turns = np.sqrt(G * 10**log_m / universe.virial_radius(log_m, scale))
    turns *= 10 ** random.normal(0.08, 0.06, turns.shape)
    ids = np.arange(log_m.size).reshape(log_m.shape)
    upid = np.repeat(ids[:, :1], 1 + each, axis=1)
    upid[:, 0] = -1
    columns = {"id": ids.ravel(), "upid": upid.ravel(), "vmax": turns.ravel()}
    stars = np.maximum(
        10.3 + 1.6 * (log_m - 12) + random.normal(0, 0.3, log_m.shape), 0
    )
    columns |= {"log_m_vir": log_m.ravel(), "log_m_peak": log_m.ravel()}
    columns |= {"log_m_star": stars.ravel()}
    columns |= dict(zip(PLACE, place.reshape(-1, 3).T, strict=True))
    return columns | dict(zip(MOTION, motion.reshape(-1, 3).T, strict=True))


def check(columns, box=80.0, scale=1.0, universe=MULTIDARK):
    sample = HostSample(1 << 22)
    for rows in np.array_split(np.arange(len(columns["id"])), 3):
        sample.add({name: values[rows] for name, values in columns.items()})
    HaloDynamics("a.bin", box, scale, universe).check(sample)


def permuted(columns, names, share=1.0):
    random = np.random.default_rng(9)
    rows = np.flatnonzero(random.random(len(columns["id"])) < share)
    to = random.permutation(rows)
    new = {name: columns[name].copy() for name in names}
    for values in new.values():
        values[rows] = values[to]
    return columns | new


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"hosts": 1, "each": 60},
        {"hosts": 60, "each": 1},
        {"hosts": 20, "each": 3},
        {"box": 6.0},
        {"scale": 0.5},
        {"scale": 0.3, "universe": Universe(0.7, 0.27)},
        {"bulk": 0.0},
    ],
)
def test_honest_halos_pass(kind, seed):
    laws = {name: kind[name] for name in ("box", "scale", "universe") if name in kind}
    check(halos(seed, **kind), **laws)


def test_a_few_remnants_that_drift_pass():
    check(permuted(halos(), PLACE, share=0.03))


@pytest.mark.parametrize("names", [PLACE, ("x",), ("y",), ("z",), ("upid",)])
def test_places_of_other_rows_are_refused(names):
    with pytest.raises(ValueError, match=r"further than 4 virial radii.*not of these"):
        check(permuted(halos(), names))


def test_places_of_a_third_of_the_rows_are_refused():
    with pytest.raises(ValueError, match="further than 4 virial radii"):
        check(permuted(halos(), PLACE, share=0.3))


@pytest.mark.parametrize("names", [MOTION, ("vx",), ("vz",)])
def test_velocities_of_other_rows_are_refused(names):
    with pytest.raises(ValueError, match=r"v[xz].* differ from .* not of these rows"):
        check(permuted(halos(), names))


@pytest.mark.parametrize("times", [0.01, 0.1, 2.5, 10.0])
def test_velocities_in_another_unit_are_refused(times):
    columns = halos()
    with pytest.raises(ValueError, match="not in km/s"):
        check(columns | {name: columns[name] * times for name in MOTION})


@pytest.mark.parametrize("times", [0.01, 0.5, 2.0, 30.0])
def test_circular_velocities_in_another_unit_are_refused(times):
    columns = halos()
    with pytest.raises(ValueError, match=r"largest circular velocities \(v\) of 300"):
        check(columns | {"vmax": columns["vmax"] * times})


def test_circular_velocities_of_other_hosts_are_refused():
    columns = halos()
    hosts = np.flatnonzero(columns["upid"] == -1)
    turns = columns["vmax"].copy()
    turns[hosts] = turns[np.random.default_rng(1).permutation(hosts)]
    with pytest.raises(ValueError, match=r"do not grow with their masses"):
        check(columns | {"vmax": turns})


def test_a_mass_in_another_unit_shows_where_halos_turn_too_slowly():
    columns = halos()
    columns["log_m_vir"] = columns["log_m_vir"] + 0.45
    with pytest.raises(ValueError, match=r"m not in its unit"):
        check(columns)


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("vmax", "largest circular velocities"),
        ("log_m_peak", "peak masses"),
        ("log_m_star", "stellar masses"),
        ("log_m_vir", "masses"),
    ],
)
def test_one_number_for_all_hosts_is_refused(name, called):
    columns = halos()
    # beside one mass nothing says how fast a host turns, nor where its subhalos are
    hosts = columns["upid"] == -1
    columns = {one: values[hosts] for one, values in columns.items()}
    with pytest.raises(ValueError, match=rf"the {called} \(.*of all 300 hosts are one"):
        check(columns | {name: np.full(300, 9.25)})


@pytest.mark.parametrize("order", ["shuffled", "reversed", "opposed"])
def test_stellar_masses_of_other_hosts_are_refused(order):
    columns = halos()
    stars = columns["log_m_star"]
    turned = 24.0 - columns["log_m_peak"]
    other = {"shuffled": np.random.default_rng(3).permutation(stars)}
    other |= {"reversed": stars[::-1], "opposed": turned}
    with pytest.raises(ValueError, match=r"stellar masses \(sm\) of .* do not grow"):
        check(columns | {"log_m_star": other[order]})


@pytest.mark.parametrize("dex", [9.0, 10.0])
def test_stellar_masses_in_far_larger_units_are_refused(dex):
    columns = halos(hosts=1200)
    small = np.maximum(columns["log_m_star"] - dex, 0.0)
    with pytest.raises(ValueError, match=r"sm is in another unit, or not filled"):
        check(columns | {"log_m_star": small})


@pytest.mark.parametrize("dex", [-0.17, 0.0, 0.17])
def test_stellar_masses_by_other_assumptions_pass(dex):
    columns = halos()
    check(columns | {"log_m_star": np.maximum(columns["log_m_star"] + dex, 0.0)})


def test_a_catalogue_without_stars_passes():
    columns = halos()
    check(columns | {"log_m_star": 0.0 * columns["log_m_star"]})
