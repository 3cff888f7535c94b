"""Laws of similar hosts: mock hosts are like each other, and what is planted is named."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from halomass.mock.mock_universe import MockUniverse
from halomass.observed.errors import Orbits
from halomass.observed.features import Features, HostProperties, features
from halomass.observed.host_neighbours import HostEnvironment, Neighbours
from halomass.study import likeness_sections, similar_hosts
from halomass.study.ensembles import label_noisy
from halomass.study.seen_host import COPIES, SeenHost
from halomass.study.similar_hosts import TrainingHosts
from orrery.judging.likeness import RARE
from orrery.judging.predictive import DOUBTFUL
from orrery.pairs import Pairs, Splits

pytestmark = pytest.mark.slow

TEN = Features(10, seed=3)
PROPERTIES = HostProperties.behind(TEN)
HOSTS = 1280
WINDOW = 0.6  # [dex] wide, for there are few hosts


@dataclass(frozen=True)
class LeastSquares:
    """Predicts masses by the linear function of features that fits hosts best."""

    weights: np.ndarray

    @classmethod
    def of(cls, x, log_m):
        return cls(np.linalg.lstsq(np.c_[x, np.ones(len(x))], log_m, rcond=None)[0])

    def mean(self, x):
        return (np.c_[x, np.ones(len(x))] @ self.weights)[:, None]


@pytest.fixture(scope="module")
def universe():
    return MockUniverse().records(7, range(HOSTS))


@pytest.fixture(scope="module")
def training(universe):
    """The training hosts, and the networks that predict their masses."""
    x, properties = features(universe, TEN), features(universe, PROPERTIES)
    found = np.isfinite(x).all(axis=1)
    networks = LeastSquares.of(x[found], universe.scalars["log_m_vir"][found])
    predicted = networks.mean(x[found])[:, 0]
    return TrainingHosts(PROPERTIES, properties[found], predicted, WINDOW), networks


def host_of(universe, number, **changes):
    """Returns a host of a mock universe with its true orbits."""
    here = slice(*universe.offsets[number : number + 2])
    columns = {
        name: np.asarray(universe.particles[name][here], dtype=float)
        for name in ("r", "v_r", "v_t", "log_m_star", "vmax")
    }
    largest = int(np.argmax(columns["log_m_star"]))
    around = HostEnvironment(
        columns["vmax"][largest],
        *(
            float(universe.scalars[name][number])
            for name in ("distance_larger", "distance_cluster")
        ),
    )
    names = tuple(f"Sub {i}" for i in range(len(columns["r"])))
    orbits = Orbits(columns["r"], columns["v_r"], columns["v_t"])
    return Neighbours("Mock 7", names, orbits, columns["log_m_star"], around)


def middling(universe):
    """Returns the number of a host like the Milky Way, of which surveys find much."""
    counts = np.diff(universe.offsets)
    masses = universe.scalars["log_m_vir"]
    middle = 12.2
    enough = np.flatnonzero(counts >= np.median(counts))
    return int(enough[np.argmin(np.abs(masses[enough] - middle))])


def judged(universe, training, number, true_values=True, change=lambda host: host):
    hosts, networks = training
    host = change(host_of(universe, number))
    seen = SeenHost(host, true_values)
    return similar_hosts.judge_host(seen, label_noisy(10), TEN, networks, hosts)


def test_properties_are_of_the_neighbours_that_the_features_are_of(universe):
    x, properties = features(universe, TEN), features(universe, PROPERTIES)
    np.testing.assert_array_equal(np.isnan(x[:, 0]), np.isnan(properties[:, 0]))
    of = {name: properties[:, i] for i, name in enumerate(PROPERTIES.names)}
    for i, name in enumerate(TEN.names):
        plain = name.replace("log_abs_", "").replace("log_r_", "r_")
        plain = plain.replace("log_v_t", "v_t")
        value = of[plain] if plain.startswith("log") else np.log10(np.abs(of[plain]))
        np.testing.assert_allclose(x[:, i], np.maximum(value, -1), atol=1e-9)
    stars = np.stack([of[f"log_m_star_{rank}"] for rank in range(1, 11)])
    assert (np.diff(stars[:, np.isfinite(stars[0])], axis=0) <= 0).all()


def test_mock_hosts_among_their_own_are_unusual_as_often_as_is_said(training):
    hosts, _ = training
    pvalues = []
    for number in range(0, len(hosts.predicted), 2):
        others = np.arange(len(hosts.predicted)) != number
        without = replace(
            hosts,
            properties=hosts.properties[others],
            predicted=hosts.predicted[others],
            # the more different masses there are, the more ordinary is the one in their middle
            window=0.25,
        )
        found = without.compare(hosts.properties[number], hosts.predicted[number])
        if found is not None:
            pvalues.append(found.pvalue)
    assert len(pvalues) > 400
    for level in (DOUBTFUL, RARE, 0.2, 0.5):
        share = np.mean(np.array(pvalues) < level)
        assert abs(share - level) < 3.5 * np.sqrt(level * (1 - level) / len(pvalues))


def in_snapshots(random, hosts, scales):
    """Returns pairs of the scale and the properties of hosts in several snapshots."""
    of_hosts = random.normal(size=(hosts, len(PROPERTIES.names)))
    scale = np.repeat(scales, hosts)[:, None]
    states = np.tile(of_hosts, (len(scales), 1))
    x = np.sqrt(0.9) * states + np.sqrt(0.1) * random.normal(size=states.shape)
    order = random.permutation(len(x))
    parts = [
        Pairs(scale[rows], x[rows])
        for rows in np.split(order, [len(x) // 2, 3 * len(x) // 4])
    ]
    names, units = PROPERTIES.names, PROPERTIES.units
    return Splits(*parts, ("scale",), names, units, "", "", 0)


def test_each_host_counts_once_among_the_others_and_not_in_each_snapshot():
    random = np.random.default_rng(1)
    pairs = in_snapshots(random, 150, (0.7, 0.8, 0.9, 1.0))
    parts = (pairs.train, pairs.validation, pairs.test)
    here = np.concatenate([part.theta[:, 0] for part in parts])
    # only a prediction says here which row it is of
    hosts = TrainingHosts.of(PROPERTIES, pairs, here, WINDOW)
    assert hosts.predicted.tolist() == [1.0] * 150
    x = np.concatenate([part.x for part in parts])
    np.testing.assert_array_equal(hosts.properties, x[here == 1.0])


def test_an_ordinary_host_among_states_of_few_is_unusual_as_often_as_is_said():
    random = np.random.default_rng(1)
    unusual = []
    for _ in range(150):
        pairs = in_snapshots(random, 100, np.linspace(0.5, 1.0, 6))
        masses = np.full(600, 12.0)
        hosts = TrainingHosts.of(PROPERTIES, pairs, masses, WINDOW)
        found = hosts.compare(random.normal(size=len(PROPERTIES.names)), 12.0)
        unusual.append(found.pvalue < RARE)
    # with all states it is a third of them
    assert abs(np.mean(unusual) - RARE) < 3.5 * np.sqrt(RARE * (1 - RARE) / 150)


def test_an_ordinary_host_is_like_the_others(universe, training):
    found = judged(universe, training, middling(universe))
    assert found.passed is True
    assert found.surveys == similar_hosts.JUDGED
    text = likeness_sections.likeness_verdict(found).text
    assert text.startswith("Mock 7 is like the training hosts of similar mass:")


def swift(host):
    """Gives the second neighbour a velocity that no host in the window holds."""
    ranked = host.ranked()
    v_r = ranked.orbits.v_r.copy()
    v_r[1] = 3000.0
    return replace(ranked, orbits=ranked.orbits._replace(v_r=v_r))


@pytest.mark.parametrize("true_values", [True, False])
def test_a_neighbour_with_a_wrong_velocity_is_named(universe, training, true_values):
    number = middling(universe)
    found = judged(universe, training, number, true_values, swift)
    assert found.passed is False
    assert found.outlying[0] == "v_r_2"
    whose = swift(host_of(universe, number)).names[1]
    assert found.neighbour("v_r_2") == (None if true_values else whose)
    said = likeness_sections.likeness_verdict(found)
    assert said.text.startswith("Mock 7 is unlike the training hosts of similar mass:")
    assert "v_r_2" in said.text
    assert (whose in said.text) is not true_values
    numbers = likeness_sections.metrics(found)
    assert {*said.shows} - {"host.name"} <= {*numbers}
    assert numbers["similar_hosts.10.named.1.property"] == "v_r_2"
    assert numbers["similar_hosts.10.pvalue"] < DOUBTFUL


def dimmed(host):
    """Takes from all neighbours so many stars that together they are out of place."""
    return replace(host, log_m_star=host.log_m_star - 3.0)


def test_neighbours_that_are_all_too_faint_are_named_together(universe, training):
    number = middling(universe)
    found = judged(universe, training, number, False, dimmed)
    assert found.passed is False
    assert "log_m_star" in found.outlying_kinds
    assert {name[:10] for name in found.named} == {"log_m_star"}
    assert "log_m_star" in likeness_sections.likeness_verdict(found).text


def test_without_enough_similar_hosts_nothing_is_said(universe, training):
    hosts, networks = training
    seen = SeenHost(host_of(universe, middling(universe)), False)
    few = replace(hosts, window=1e-6)
    found = similar_hosts.judge_host(seen, label_noisy(10), TEN, networks, few)
    assert (found.passed, found.found) == (None, None)
    said = likeness_sections.likeness_verdict(found)
    assert said.text.startswith("Nobody knows whether Mock 7 is like")
    assert {*said.shows} - {"host.name"} <= {*likeness_sections.metrics(found)}


def test_a_host_that_no_survey_finds_is_judged_by_nothing(universe, training):
    number = middling(universe)

    def starless(host):
        return replace(host, log_m_star=np.zeros(len(host)))

    found = judged(universe, training, number, True, starless)
    assert (found.passed, found.surveys, found.similar) == (None, 0, 0)


def test_true_values_are_observed_with_errors_and_observed_ones_are_not(universe):
    host = host_of(universe, 0)
    assert len(SeenHost(host, False).rows(TEN)) == 1
    copies = SeenHost(host, True).rows(TEN)
    assert len(np.unique(copies, axis=0)) == len(copies) <= COPIES
    assert np.isfinite(copies).all()
