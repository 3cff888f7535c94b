"""Laws of the mock universe: seeding, what its options change, what it imitates."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from halomass import systems
from halomass.mock import populations, subhalo_orbits
from halomass.mock.mock_universe import MockUniverse
from halomass.mock.options import THRESHOLDS
from halomass.study import acceptance, mock_statistics, zoom_hosts
from orrery.execution import simulation


def flat(records, i):
    """Returns all that is known of system i."""
    here = slice(records.offsets[i], records.offsets[i + 1])
    return {
        **{name: values[i] for name, values in records.scalars.items()},
        **{name: values[here] for name, values in records.particles.items()},
    }


@pytest.fixture(scope="module")
def records():
    return MockUniverse().records(3, range(300))


@pytest.mark.slow
@pytest.mark.parametrize("velocities", ["orbits", "jeans"])
def test_a_record_depends_on_its_number_alone(velocities):
    universe = MockUniverse(velocities=velocities)
    whole, some = universe.records(1, range(40)), universe.records(1, [31, 7])
    for at, number in enumerate((31, 7)):
        for name, value in flat(whole, number).items():
            np.testing.assert_array_equal(flat(some, at)[name], value, err_msg=name)


@pytest.mark.slow
def test_tides_that_know_the_pericentre_better_leave_fewer_close_in():
    distances = [
        np.median(
            MockUniverse(steeper_tides=more).records(3, range(100)).particles["r"]
        )
        for more in (-0.3, 0.0, 0.15)
    ]
    assert distances == sorted(distances)
    assert len(set(distances)) == 3


def test_hosts_of_the_usual_tides_are_known_as_before_there_was_a_choice():
    usual = MockUniverse().describe()["options"]
    steeper = MockUniverse(steeper_tides=0.15).describe()["options"]
    assert steeper == {**usual, "steeper_tides": 0.15}
    with pytest.raises(ValueError, match=r"steeper_tides 1\.5 must be from -0\.5"):
        MockUniverse(steeper_tides=1.5)


@pytest.mark.slow
def test_seeds_differ():
    assert (
        MockUniverse().records(1, [0]).scalars["x"]
        != MockUniverse().records(2, [0]).scalars["x"]
    )


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    universe = MockUniverse(heaviest=12.5)
    made = [
        simulation.generate(universe, 8, 1, tmp_path / name, actors=0, shard_size=4)
        for name in ("a", "b")
    ]
    hashes = [[row.sha256 for row in dataset.rows] for dataset in made]
    assert hashes[0] == hashes[1]


def test_it_can_be_sent_to_an_actor_and_says_that_it_is_a_mock():
    universe = pickle.loads(pickle.dumps(MockUniverse("VSMDPL/UM")))
    assert universe == MockUniverse("VSMDPL/UM")
    assert "MOCK" in universe.describe()["about"]["model"]
    assert "mock" in acceptance.TITLE.lower()


@pytest.mark.slow
def test_records_are_what_the_schema_says(records):
    table = records.table(systems.SCHEMA, {})
    assert table.num_rows == 300
    particles = records.particles
    assert all(np.isfinite(column).all() for column in particles.values())
    assert (particles["r"] >= 5.0).all()
    assert (particles["r"] <= systems.RADIUS).all()
    assert (particles["log_m_peak"] > systems.LOG_M_PEAK).all()
    assert (particles["v_t"] >= 0).all()
    host = np.repeat(np.arange(300), np.diff(records.offsets))
    falling = np.diff(particles["log_m_star"]) <= 0
    assert falling[host[1:] == host[:-1]].all()
    assert np.diff(records.offsets).max() <= 100


@pytest.mark.slow
def test_no_satellite_is_larger_than_its_host(records):
    host = np.repeat(np.arange(300), np.diff(records.offsets))
    assert (records.particles["log_m_peak"] < records.scalars["log_m_vir"][host]).all()


def test_the_split_is_by_place(records):
    x, split = records.scalars["x"], records.scalars["split"]
    assert ((x >= 0) & (x < 1)).all()
    assert x[split == systems.TRAIN].max() < 0.65
    assert x[split == systems.TEST].min() >= 0.75
    middle = x[split == systems.VALIDATION]
    assert ((middle >= 0.65) & (middle < 0.75)).all()


def test_masses_are_uniform_and_then_fall():
    universe = MockUniverse()
    mass = universe.log_mass((np.arange(100_000) + 0.5) / 100_000)
    assert mass.min() >= 10.5
    assert mass.max() <= 14.5
    count, edges = np.histogram(mass, np.arange(10.5, 14.51, 0.1))
    density = universe.density((edges[1:] + edges[:-1]) / 2)
    np.testing.assert_allclose(count / count[0], density / density[0], rtol=0.05)
    assert count[-1] < 0.2 * count[0]


@pytest.mark.slow
def test_the_universe_machine_keeps_more_satellites_than_saga():
    """The same draws: what SAGA keeps, the looser threshold keeps too."""
    many, few = (
        MockUniverse(name, neighbours_kept=10_000).records(5, range(60))
        for name in ("ESMDPL/UM", "ESMDPL/UM-SAGA")
    )
    assert 1.03 < many.offsets[-1] / few.offsets[-1] < 1.4
    for i in range(60):
        assert np.isin(flat(few, i)["log_m_peak"], flat(many, i)["log_m_peak"]).all()
    np.testing.assert_array_equal(many.scalars["log_m_vir"], few.scalars["log_m_vir"])


@pytest.mark.slow
def test_poor_resolution_loses_small_halos():
    fine, coarse = (
        MockUniverse(name, neighbours_kept=10_000).records(5, range(60))
        for name in ("ESMDPL/UM", "VSMDPL/UM")
    )
    counts = [
        (np.count_nonzero(r.particles["log_m_peak"] < 8.7), np.count_nonzero(heavy))
        for r in (fine, coarse)
        for heavy in (r.particles["log_m_peak"] > 9.7,)
    ]
    assert counts[1][0] < 0.2 * counts[0][0]
    assert counts[1][1] == counts[0][1]


@pytest.mark.slow
def test_keeping_fewer_neighbours_keeps_the_most_massive_in_stars():
    few = MockUniverse(neighbours_kept=12).records(3, range(30))
    many = MockUniverse(neighbours_kept=60).records(3, range(30))
    for i in range(30):
        np.testing.assert_array_equal(flat(few, i)["r"], flat(many, i)["r"][:12])


@pytest.mark.slow
def test_those_cut_off_would_seldom_have_been_seen():
    """The 25 detectable neighbours with the most stars are among the hundred that are kept."""
    universe = MockUniverse(lightest=11.5, heaviest=13.5)
    kept = mock_statistics.detected_counts(universe.records(9, range(150)), 0)
    everything = replace(universe, neighbours_kept=10_000)
    there = mock_statistics.detected_counts(everything.records(9, range(150)), 0)
    assert np.mean((there >= 25) & (kept < 25)) < 0.02


@pytest.mark.slow
def test_massive_satellites_sink_more(monkeypatch):
    """The same subhalos with friction and without: only the massive ones end closer, or merge."""
    around = mock_statistics.hosts_of_mass(12.5, 150, 1)
    universe = MockUniverse("ESMDPL/UM")
    braked = mock_statistics.satellites_of(universe, around, 1)
    monkeypatch.setattr(subhalo_orbits, "_SINKS", 1.0)
    free = mock_statistics.satellites_of(universe, around, 1)
    outside = []
    for found in (braked, free):
        far = found.r > 0.3 * around.radius[found.host]
        ratio = 10 ** (found.log_m_peak[far] - 12.5)
        outside.append([np.sum(ratio < 2e-3), np.sum((ratio > 0.01) & (ratio < 0.05))])
        outside[-1].append(np.sum(ratio > 0.05))
    light, middle, heavy = np.array(outside[0]) / np.array(outside[1])
    assert light == 1.0
    assert 1.0 > middle > heavy


@pytest.mark.slow
def test_satellites_move_as_the_host_is_heavy():
    """Dispersions scale with the virial velocity, and are near it inside the halo."""
    share = []
    for mass in (11.0, 12.0, 13.0):
        around = mock_statistics.hosts_of_mass(mass, 100, 2)
        found = mock_statistics.satellites_of(MockUniverse("ESMDPL/UM"), around, 2)
        x = found.r / around.radius[found.host]
        inner = (x > 0.25) & (x < 0.5)
        share.append(found.v_r[inner].std() / around.velocity[0])
    assert all(0.65 < value < 1.0 for value in share)
    assert share[0] == pytest.approx(share[2], rel=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("catalogue", ["ESMDPL/UM-SAGA", "ESMDPL/UM"])
def test_satellites_are_as_many_and_as_far_as_published(catalogue):
    around = mock_statistics.hosts_of_mass(12.1, 120, 5)
    universe = mock_statistics.ResolvedUniverse(catalogue)
    found = mock_statistics.satellites_of(universe, around, 5)
    x = found.r / around.radius[found.host]
    ratio = 10 ** (found.log_m_peak[x < 1] - 12.1)
    for psi, number, scatter in (
        (1e-4, 244, 29),
        (10**-3.5, 87, 12),
        (1e-3, 29.2, 6.4),
    ):
        assert np.count_nonzero(ratio > psi) / 120 == pytest.approx(number, abs=scatter)
    # of those that have lost as much as N-body hosts' were allowed to
    left = found.vmax / found.v_peak * populations.PEAK_OVER_INFALL
    inside = x[(x < 1) & (left > THRESHOLDS["UM-SAGA"])]
    radii = np.percentile(inside, zoom_hosts.PERCENTILES)
    np.testing.assert_allclose(radii, zoom_hosts.RADII_BY_INFALL, atol=0.03)


def test_small_hosts_have_backsplash_and_infall_beyond_their_virial_radius():
    universe = MockUniverse(lightest=11.0, heaviest=11.4)
    hosts, found = universe.neighbours(1, range(200))
    beyond = (found.r > hosts.radius[found.host]) & (found.r < systems.RADIUS)
    backsplash = np.isfinite(found.infall_speed)
    assert 0.2 < np.mean(backsplash[beyond]) < 0.8
    assert (found.r[~backsplash] >= hosts.radius[found.host][~backsplash] - 1e-9).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"catalogue": "ESMDPL"}, "choose one of"),
        ({"velocities": "circular"}, "'jeans'"),
        ({"lightest": 13.0, "heaviest": 12.0}, "must rise"),
        ({"closest": 300.0}, "closest 300.0"),
        ({"neighbours_kept": 0}, "1 or more"),
        ({"train": 0.9}, "must rise"),
    ],
)
def test_impossible_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        MockUniverse(**options)
