"""Laws of the tables of domain shift."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table

from halomass.study import domain_shift
from halomass.study.domain_shift import cross_evaluate, shift_table, transfers
from halomass.study.ensembles import label_noisy
from orrery.judging.domain_shift import transfer


@pytest.mark.slow
def test_what_looks_heavier_is_taken_for_heavier_elsewhere(domains, crossed):
    found = transfers(crossed)
    assert set(found) == {(a, b) for a in domains for b in domains}
    for (trained, tested), one in found.items():
        expected = (tested == "heavier") * 0.1 - (trained == "heavier") * 0.1
        assert one.bias == pytest.approx(expected, abs=4 * one.bias_error)


@pytest.mark.slow
def test_the_table_has_all_pairs_and_names_the_worst(domains, universe, crossed):
    ((_, table),) = shift_table({label_noisy(25): crossed}).items()
    assert len(table) == len(domains) ** 2
    (miss,) = table.meta["misses"]
    assert "2 of 2 pairs of universes" in str(miss)
    assert "2 of them by more than two standard errors" in str(miss)
    cells = [key for key in miss.shows if key.startswith(domain_shift.SHIFT + "[")]
    assert len(cells) == 1
    assert "25 neighbours, " in cells[0]
    alike = cross_evaluate({"one": domains["plain"], "other": universe(3, 0.0)})
    ((_, table),) = shift_table({label_noisy(25): alike}).items()
    assert table.meta["misses"] == []


@pytest.mark.slow
def test_what_is_beyond_by_chance_is_not_called_certain(domains, universe):
    barely = cross_evaluate({**domains, "heavier": universe(2, 0.056)})
    ((_, table),) = shift_table({label_noisy(25): barely}).items()
    other = table[table["trained_on"] != table["tested_on"]]
    off = np.abs(other["bias"]) - domain_shift.BIAS_BOUND
    assert (np.abs(off) < 2 * other["bias_error"]).all(), "not what is to be tested"
    assert (off > 0).any(), "not what is to be tested"
    (miss,) = table.meta["misses"]
    assert ", 0 of them by more than two standard errors" in str(miss)


@pytest.mark.slow
@pytest.mark.parametrize("tests", [2, 3, 6])
def test_few_hosts_of_a_universe_without_difference_are_seldom_called_beyond(tests):
    random = np.random.default_rng(1)

    def hosts(count):
        truth = random.uniform(11.3, 12.7, count)
        return SimpleNamespace(
            truth=truth, predicted=truth + random.normal(0, 0.12, count)
        )

    own, called = hosts(1500), []
    for _ in range(150):
        one = transfer(own, hosts(tests), window=0.2)
        if np.isfinite(one.bias):
            rows = Table([vars(one)])
            called.append(domain_shift._beyond(rows, domain_shift.CERTAIN)[0])
    assert len(called) > 100
    # a share of 0 or 1 has no scatter: by that alone a fifth to a half of them are
    assert np.mean(called) < 0.1


def test_pairs_of_which_nothing_is_known_do_not_count_as_held(domains, universe):
    # too few own hosts to answer anybody
    few = cross_evaluate({"plain": domains["plain"], "few": universe(3, 0.0, count=40)})
    ((_, table),) = shift_table({label_noisy(25): few}).items()
    (miss,) = table.meta["misses"]
    assert "of 1 pairs nothing is known" in str(miss)
    assert table.meta["metrics"]["mass.domain_shift.25.unknown"] == 1
    assert len(miss.shows) == 1


def test_hosts_that_get_no_answer_are_counted(domains, universe):
    # own hosts thin out below the middle of the masses that are asked for
    thin = universe(3, 0.0, count=900)
    ((_, table),) = shift_table(
        {label_noisy(25): cross_evaluate({"plain": domains["plain"], "thin": thin})}
    ).items()
    low, high = domain_shift.MIDDLE
    for row in table:
        hosts = thin if row["tested_on"] == "thin" else domains["plain"]
        # neither universe's networks have a bias
        asked = np.sum((hosts.x[:, 0] >= low) & (hosts.x[:, 0] <= high))
        assert row["asked"] == asked
        assert row["tests"] <= row["asked"]
    of_thin = table[(table["trained_on"] == "thin") & (table["tested_on"] == "plain")]
    assert of_thin["tests"][0] < of_thin["asked"][0]
