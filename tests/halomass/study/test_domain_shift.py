"""Laws of the tables of domain shift, and of the interval that holds in every universe."""

from dataclasses import dataclass

import numpy as np
import pytest

from halomass.study import domain_shift
from halomass.study.domain_shift import (
    FEWEST_ELSEWHERE,
    HostDomain,
    SystematicInterval,
    cross_evaluate,
    shift_table,
    systematic_interval,
    systematic_table,
    transfers,
)
from halomass.study.ensembles import label_noisy
from orrery.inference.ensembles import EvaluatedEnsemble
from orrery.judging.regression import FEWEST_ALIKE, PredictionInterval

EDGES = np.array([10.5, 12.5, 14.5])


@dataclass(frozen=True)
class _Networks:
    """Predicts the first feature, with a bias of its own."""

    bias: float

    def mean(self, x):
        return x[:, :1] + self.bias


def _domain(seed, bias, count=2000):
    """A universe whose hosts look by `bias` too heavy, and networks that know that."""
    random = np.random.default_rng(seed)
    truth = random.uniform(10.5, 14.0, count)
    x = truth[:, None] + bias + random.normal(0, 0.15, (count, 1))
    networks = _Networks(-bias)
    members = networks.mean(x)[:, 0][None]
    one = EvaluatedEnsemble(f"seed {seed}", networks, truth, members, EDGES, 0.15)
    return HostDomain(one, x)


@pytest.fixture
def domains():
    return {"plain": _domain(1, 0.0), "heavier": _domain(2, 0.1)}


@pytest.fixture
def crossed(domains):
    return cross_evaluate(domains)


def test_what_looks_heavier_is_taken_for_heavier_elsewhere(domains, crossed):
    found = transfers(crossed)
    assert set(found) == {(a, b) for a in domains for b in domains}
    for (trained, tested), one in found.items():
        expected = (tested == "heavier") * 0.1 - (trained == "heavier") * 0.1
        assert one.bias == pytest.approx(expected, abs=4 * one.bias_error)


def test_the_table_has_all_pairs_and_names_the_worst(domains, crossed):
    ((_, table),) = shift_table({label_noisy(25): crossed}).items()
    assert len(table) == len(domains) ** 2
    (miss,) = table.meta["misses"]
    assert "2 of 2 pairs of universes" in str(miss)
    cells = [key for key in miss.shows if key.startswith(domain_shift.SHIFT + "[")]
    assert len(cells) == 1
    assert "25 neighbours, " in cells[0]
    alike = cross_evaluate({"one": domains["plain"], "other": _domain(3, 0.0)})
    ((_, table),) = shift_table({label_noisy(25): alike}).items()
    assert table.meta["misses"] == []


def test_the_systematic_interval_holds_its_share_in_every_universe(domains, crossed):
    found = systematic_interval(12.0, "plain", crossed)
    for name in domains:
        tested = crossed["plain", name]
        alike = np.abs(tested.predicted - 12.0) < 0.15
        truth = tested.truth[alike] - tested.predicted[alike] + 12.0
        assert np.mean((truth >= found.lower) & (truth <= found.upper)) >= 0.68
    assert found.lower < found.statistical.lower
    assert found.upper == pytest.approx(found.statistical.upper, abs=1e-12)
    # hosts that look heavier than they are: the mass may be lower
    assert found.below > 0.1
    assert found.above == 0


def test_alone_a_universe_has_no_systematic_part(domains):
    alone = cross_evaluate({"plain": domains["plain"]})
    found = systematic_interval(12.0, "plain", alone)
    assert (found.below, found.above) == (0, 0)


def test_what_one_universe_cannot_say_is_unknown(domains):
    few = cross_evaluate({**domains, "few": _domain(3, 0.0, count=40)})
    found = systematic_interval(12.0, "plain", few)
    assert found.unknown == ["few"]
    assert np.isnan([found.lower, found.upper, found.below, found.above]).all()
    ((_, table),) = systematic_table({label_noisy(25): found}).items()
    assert "too few hosts of few are predicted alike" in table.meta["caption"]
    assert table.meta["shows"] == []


def test_a_universe_is_heard_by_fewer_hosts_than_make_the_statistical_interval(domains):
    some = _domain(3, 0.1, count=900)
    crossed = cross_evaluate({"plain": domains["plain"], "some": some})
    alike = crossed["plain", "some"].interval(12.0, fewest=1).tests
    assert FEWEST_ELSEWHERE <= alike < FEWEST_ALIKE, alike
    found = systematic_interval(12.0, "plain", crossed)
    assert found.unknown == []
    assert found.by_domain["some"].tests == alike
    assert found.below > 0.05
    # as the main universe it is not enough
    assert systematic_interval(12.0, "some", crossed).unknown == ["some"]


def test_parts_in_quadrature_give_the_whole():
    own = PredictionInterval(12.0, 11.9, 12.0, 12.2, 0.68, 400)
    other = PredictionInterval(12.0, 11.7, 11.9, 12.1, 0.68, 300)
    found = SystematicInterval(own, {"own": own, "other": other})
    assert np.hypot(found.below, 0.1) == pytest.approx(12.0 - 11.7)
    assert found.above == 0
    ((_, table),) = systematic_table({label_noisy(25): found}).items()
    assert len(table) == 2
    assert "11.70 and 12.20" in table.meta["caption"]
    assert len(table.meta["shows"]) == 4
