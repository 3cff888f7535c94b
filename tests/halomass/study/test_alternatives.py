"""Laws of masses without what stands out: each does without one thing, and says what."""

from dataclasses import replace

import numpy as np
import pytest

from halomass.observed.features import HostProperties
from halomass.study.alternatives import alternatives, alternatives_table
from halomass.study.ensembles import ensemble_features, label_noisy, label_without
from halomass.study.seen_host import SeenHost
from halomass.study.similar_hosts import HostLikeness
from orrery.judging import likeness

MANY = label_noisy(25)
FEW = label_noisy(10)


@pytest.fixture
def wanted():
    return ensemble_features(1, 40)


def among(galaxy, wanted, name, **changes):
    """Returns a host among hosts that are like it but for some properties of its own."""
    binning = HostProperties.behind(wanted[name])
    seen = SeenHost(galaxy, true_values=False)
    value = seen.rows(binning)[0]
    random = np.random.default_rng(2)
    others = value + random.normal(size=(800, len(value)))
    for entry, change in changes.items():
        others[:, binning.names.index(entry)] -= change
    found = likeness.compare_with_others(value, others, binning.names, binning.kinds)
    return HostLikeness(seen, name, binning, 0.15, len(others), found, 0)


class Recorder:
    """Predicts by the sum of all features, and remembers of which ensemble."""

    def __call__(self, name, x):
        return float(x.sum(axis=1).mean())


def told(judged, wanted):
    return [
        (one.ensemble, one.left_out) for one in alternatives(judged, wanted, Recorder())
    ]


def test_where_nothing_stands_out_there_is_no_other_mass(host, wanted):
    judged = among(host(), wanted, MANY)
    assert told(judged, wanted) == []
    assert alternatives_table(host(), [], {}) == {}


def test_a_neighbour_that_stands_out_is_left_out_and_the_next_comes_in(host, wanted):
    galaxy = host()
    judged = among(galaxy, wanted, MANY, v_r_3=12.0)
    assert told(judged, wanted) == [(MANY, "n2"), (label_without("no v_r"), "all v_r")]
    first = alternatives(judged, wanted, Recorder())[0]
    expected = SeenHost(galaxy.without("n2"), False).rows(wanted[MANY]).sum()
    assert first.predicted == pytest.approx(expected)


def test_a_host_without_a_next_neighbour_loses_none(host, wanted):
    judged = among(host(25), wanted, MANY, v_r_3=12.0)
    assert told(judged, wanted) == [(label_without("no v_r"), "all v_r")]


def test_fewer_neighbours_do_without_a_faint_one(host, wanted):
    judged = among(host(), wanted, MANY, log_m_star_25=12.0)
    assert told(judged, wanted) == [
        (MANY, "n24"),
        (FEW, "all neighbours but the first 10"),
    ]
    bright = among(host(), wanted, MANY, log_m_star_2=12.0)
    assert told(bright, wanted) == [(MANY, "n1")]


def test_an_odd_environment_becomes_that_of_similar_hosts(host, wanted):
    galaxy = host()
    judged = among(galaxy, wanted, FEW, log_vmax=12.0)
    (one,) = alternatives(judged, wanted, Recorder())
    assert (one.ensemble, one.left_out) == (FEW, "log_vmax")
    binning = wanted[FEW]
    rows = SeenHost(galaxy, False).rows(binning)
    typical = np.log10(galaxy.environment.vmax) - 12.0
    rows[:, binning.names.index("log_vmax")] = typical
    assert one.predicted == pytest.approx(rows.sum(), abs=0.2)


def test_true_values_are_observed_with_what_is_left_out(host, wanted):
    galaxy = host(log_m_star=8.0)
    judged = among(galaxy, wanted, FEW, log_distance_larger=12.0)
    true = replace(judged, seen=SeenHost(galaxy, true_values=True), surveys=25)
    (one,) = alternatives(true, wanted, Recorder())
    assert one.predicted != alternatives(judged, wanted, Recorder())[0].predicted


def test_the_table_says_by_how_much_each_moves_the_mass(host, wanted):
    judged = among(host(), wanted, MANY, v_r_3=12.0)
    found = alternatives(judged, wanted, Recorder())
    (table,) = alternatives_table(host(), found, {MANY: 1.0}).values()
    np.testing.assert_allclose(table["moved"], table["predicted_mean"] - 1.0)
    assert list(table["left_out"]) == ["n2", "all v_r"]
