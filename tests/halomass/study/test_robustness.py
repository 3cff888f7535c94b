"""Laws of robustness: a neighbour left out is replaced, and each copy has its own errors."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from halomass.observed.features import features
from halomass.observed.host_neighbours import as_records, observation
from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.study import (
    masses,
    robustness,
)
from halomass.study.ensembles import (
    ensemble_features,
    label_noisy,
)


@dataclass(frozen=True)
class Estimate:
    prediction: float
    median: float
    lower: float
    upper: float


def only(tables):
    """Returns the one table there is."""
    (table,) = tables.values()
    return table


@dataclass(frozen=True)
class WeightedMean:
    """An estimator whose prediction is a weighted sum of features."""

    weights: dict[str, float]

    def predict(self, observation):
        kinds = dict(zip(observation.names, observation.value, strict=True))
        return 12 + sum(weight * kinds[name] for name, weight in self.weights.items())


def some(**weights):
    """Returns the two plain binnings and estimators that weigh by these features."""
    wanted = {
        name: b
        for name, b in ensemble_features(1, 40).items()
        if name in map(label_noisy, NEIGHBOUR_COUNTS)
    }
    return wanted, {name: WeightedMean(weights) for name in wanted}


def left_out(galaxy, wanted, found):
    """Returns the table of leaving out each neighbour of a host that is taken as observed."""

    def predict(name, without):
        return found[name].predict(observation(galaxy, wanted[name], without))

    return robustness.leave_one_out(galaxy, wanted, predict)


def test_each_neighbour_that_an_ensemble_sees_is_left_out_in_turn(host):
    wanted, found = some(log_r_1=1.0)
    table = only(left_out(host(), wanted, found))
    assert list(table["left_out"]) == [f"n{i}" for i in range(25)]
    assert table.colnames == ["left_out", *wanted]


def test_a_neighbour_that_an_ensemble_does_not_see_moves_nothing(host):
    wanted, found = some(**{f"log_r_{i}": 0.1 * i for i in range(1, 11)})
    table = only(left_out(host(), wanted, found))
    few = np.asarray(table[label_noisy(10)])
    assert (few[10:] == 0).all()
    assert (few[:10] != 0).all()


def test_the_next_neighbour_comes_in(host):
    wanted, found = some(log_r_10=1.0)
    galaxy = host()
    table = only(left_out(galaxy, wanted, found))
    expected = np.log10(galaxy.orbits.r[10] / galaxy.orbits.r[9])
    np.testing.assert_allclose(table[label_noisy(10)][:10], expected)


def test_the_environment_stays_when_a_neighbour_is_left_out(host):
    wanted, found = some(
        log_vmax=5.0, log_distance_larger=1.0, log_distance_cluster=1.0
    )
    table = only(left_out(host(), wanted, found))
    for name in wanted:
        assert (np.asarray(table[name]) == 0).all()


@pytest.mark.parametrize(("scale", "missed"), [(0.99, False), (1.01, True)])
def test_who_alone_moves_the_mass_far_is_a_miss(scale, missed, host):
    galaxy = host()
    # only the first neighbour is elsewhere, so that it alone can move the mass
    r = np.full(len(galaxy), 100.0)
    r[0] = 50.0
    galaxy = replace(galaxy, orbits=galaxy.orbits._replace(r=r))
    weight = scale * robustness.LEAVE_ONE_OUT_BOUND / np.log10(2)
    wanted, found = some(log_r_1=weight)
    table = only(left_out(galaxy, wanted, found))
    told = [f"n0 alone moves the mass by +0.15 dex with {name}." for name in wanted]
    texts = [miss.text for miss in table.meta["misses"]]
    assert texts == (told if missed else [])


def test_who_has_no_next_neighbour_cannot_lose_one(host):
    wanted, found = some(log_r_1=1.0)
    assert left_out(host(10), wanted, found) == {}
    table = only(left_out(host(11), wanted, found))
    assert table.colnames == ["left_out", label_noisy(10)]
    assert len(table) == 10
    assert only(left_out(host(25), wanted, found)).colnames[1:] == [label_noisy(10)]


def test_who_moves_the_mass_most_is_told_with_his_shift(host):
    galaxy = host()
    r = np.full(len(galaxy), 100.0)
    r[3], r[7] = 80.0, 50.0
    galaxy = replace(galaxy, orbits=galaxy.orbits._replace(r=r))
    wanted, found = some(**{f"log_r_{i}": 0.1 for i in range(1, 11)})
    tables = left_out(galaxy, wanted, found)
    said, numbers = robustness.largest_shifts(wanted, tables)
    moved = 0.1 * np.log10(2)
    for count in NEIGHBOUR_COUNTS:
        key = f"mass.leave_one_out.largest.{count}"
        assert numbers[f"{key}.neighbour"] == "n7"
        assert numbers[f"{key}.moved"] == pytest.approx(moved)
        assert f"With {count} neighbours no single one moves" in said.text
    assert said.text.count("n7, +0.030 dex") == len(NEIGHBOUR_COUNTS)
    assert [*said.shows] == [*numbers]


def test_it_is_said_where_none_can_be_left_out(host):
    wanted, found = some(log_r_1=1.0)
    said, numbers = robustness.largest_shifts(wanted, left_out(host(25), wanted, found))
    assert "With 25 neighbours none can be left out" in said.text
    assert {key.split(".")[3] for key in numbers} == {"10"}


def test_a_simulated_host_is_observed_like_those_of_the_training(host):
    wanted, galaxy = ensemble_features(3, 40), host(40, log_m_star=8.0)
    seen = robustness.mock_observations(galaxy, wanted)
    assert list(seen) == [label_noisy(25), label_noisy(10)]
    for name, x in seen.items():
        every = features(as_records(galaxy, robustness.COPIES), wanted[name])
        np.testing.assert_array_equal(x, every[np.isfinite(every).all(axis=1)])
        assert len(np.unique(x, axis=0)) == len(x), "each copy has errors of its own"


def test_copies_in_which_too_few_are_found_are_left_out(host):
    # so few stars that a survey finds all or none but for its own limit
    seen = robustness.mock_observations(
        host(40, log_m_star=3.3), ensemble_features(3, 40)
    )
    assert np.isfinite(seen[label_noisy(10)]).all()
    kept = len(seen[label_noisy(25)])
    assert 0 < kept <= len(seen[label_noisy(10)]) < robustness.COPIES
    name = robustness.mock_observation_label(label_noisy(25), seen[label_noisy(25)])
    assert name == f"25 neighbours, mock observations ({kept} of 200)"


def test_a_host_whose_neighbours_no_survey_finds_has_no_mass(host):
    seen = robustness.mock_observations(
        host(40, log_m_star=0.0), ensemble_features(3, 40)
    )
    names = [robustness.mock_observation_label(name, x) for name, x in seen.items()]
    assert names == [
        f"{label_noisy(n)}, mock observations (0 of 200)" for n in NEIGHBOUR_COUNTS
    ]
    every = dict.fromkeys(names, Estimate(*[np.nan] * 4))
    table = only(masses.host_mass_table(host(), every))
    assert np.isnan(table["predicted_mean"]).all()


def test_a_mass_that_is_not_known_is_moved_by_nobody(host):
    wanted, found = some(**{f"log_r_{i}": 0.1 for i in range(1, 11)})
    tables = left_out(host(), wanted, found)
    for table in tables.values():
        for name in table.colnames[1:]:
            table[name] = np.nan
    said, numbers = robustness.largest_shifts(wanted, tables)
    assert numbers == {}
    assert "nan" not in said.text
    for count in NEIGHBOUR_COUNTS:
        assert f"With {count} neighbours no mass is known" in said.text
