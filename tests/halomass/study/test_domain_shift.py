"""Laws of the tables of domain shift."""

import numpy as np
import pytest

from halomass.study import domain_shift
from halomass.study.domain_shift import cross_evaluate, shift_table, transfers
from halomass.study.ensembles import label_noisy


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
