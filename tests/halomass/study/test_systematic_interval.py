"""Laws of the interval that holds in every universe, and of its systematic part."""

import numpy as np
import pytest

from halomass.study.domain_shift import cross_evaluate
from halomass.study.ensembles import label_noisy
from halomass.study.systematic_interval import (
    FEWEST_ELSEWHERE,
    SystematicInterval,
    systematic_interval,
    systematic_table,
)
from orrery.judging.regression import FEWEST_ALIKE, PredictionInterval


def test_the_systematic_interval_holds_its_share_in_every_universe(domains, crossed):
    found = systematic_interval(12.0, "plain", crossed)
    for name in domains:
        tested = crossed["plain", name]
        alike = np.abs(tested.predicted - 12.0) < 0.15
        truth = tested.truth[alike] - tested.predicted[alike] + 12.0
        share = np.mean((truth >= found.lower) & (truth <= found.upper))
        assert share >= 0.68
        assert found.shares[name] == share
    # one end is another universe's, so that each holds more than its share
    assert min(found.shares.values()) > 0.75
    assert found.lower < found.statistical.lower
    assert found.upper == pytest.approx(found.statistical.upper, abs=1e-12)
    # hosts that look heavier than they are: the mass may be lower
    assert found.below > 0.1
    assert found.above == 0


def test_alone_a_universe_has_no_systematic_part(domains):
    alone = cross_evaluate({"plain": domains["plain"]})
    found = systematic_interval(12.0, "plain", alone)
    assert (found.below, found.above) == (0, 0)


def test_what_one_universe_cannot_say_is_unknown(domains, universe):
    few = cross_evaluate({**domains, "few": universe(3, 0.0, count=40)})
    found = systematic_interval(12.0, "plain", few)
    assert found.unknown == ["few"]
    assert np.isnan([found.lower, found.upper, found.below, found.above]).all()
    ((_, table),) = systematic_table({label_noisy(25): found}, seed=1).items()
    assert "too few hosts of few are predicted alike" in table.meta["caption"]
    assert table.meta["shows"] == []


def test_a_universe_is_heard_by_fewer_hosts_than_make_the_statistical_interval(
    domains, universe
):
    some = universe(3, 0.1, count=900)
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
    masses = {"own": np.array([11.9, 12.2]), "other": np.array([11.7, 12.3])}
    found = SystematicInterval(own, {"own": own, "other": other}, masses)
    assert np.hypot(found.below, 0.1) == pytest.approx(12.0 - 11.7)
    assert found.above == 0
    ((_, table),) = systematic_table({label_noisy(25): found}, seed=1).items()
    assert len(table) == 2
    caption = table.meta["caption"]
    assert "11.70 and 12.20 with a probability of 68 % or more" in caption
    assert "50 % to 100 % of their hosts" in caption
    assert table["within_outermost"].tolist() == [1.0, 0.5]
    assert len(table.meta["shows"]) == 8


@pytest.mark.slow
def test_universes_without_a_difference_have_a_systematic_part_by_chance(universe):
    # the average over many such universes is what one set of them says that chance makes
    names = ["own", "second", "third", "fourth"]
    parts = []
    for again in range(40):
        alike = {n: universe(100 * again + i, 0.0, 1800) for i, n in enumerate(names)}
        found = systematic_interval(12.0, "own", cross_evaluate(alike))
        parts.append((found.below, found.above, *found.by_chance(seed=again)))
    below, above, below_said, above_said = np.transpose(parts)
    assert below.mean() > 0.03
    error = np.std(below, ddof=1) / np.sqrt(len(below))
    assert below.mean() == pytest.approx(below_said.mean(), abs=3 * error)
    assert above.mean() == pytest.approx(above_said.mean(), abs=3 * error)


def test_chance_makes_less_of_more_hosts(crossed, universe):
    many = {name: universe(i, 0.0, 8000) for i, name in enumerate(("plain", "heavier"))}
    few = systematic_interval(12.0, "plain", crossed).by_chance(seed=1)
    less = systematic_interval(12.0, "plain", cross_evaluate(many)).by_chance(seed=1)
    assert max(less) < min(few)
    alone = cross_evaluate({"plain": many["plain"]})
    assert systematic_interval(12.0, "plain", alone).by_chance(seed=1) == (0, 0)


def test_what_is_unknown_is_not_known_by_chance_either(domains, universe):
    few = cross_evaluate({**domains, "few": universe(3, 0.0, count=40)})
    found = systematic_interval(12.0, "plain", few)
    assert np.isnan([*found.shares.values(), *found.by_chance(seed=1)]).all()
