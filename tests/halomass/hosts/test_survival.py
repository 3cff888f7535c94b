"""Laws of survival in catalogues: remnants are nobody's neighbours, galaxies decide themselves."""

import dataclasses

import numpy as np
import pytest

from halomass.hosts.catalogue_systems import CatalogueSystems
from halomass.hosts.options import HostSelection
from halomass.hosts.selection import find_hosts
from halomass.hosts.survival import median_v_peak
from halomass.systems import SCHEMA

HOSTS, SATELLITES, CLUSTERS = 80, 12, 3


@pytest.fixture
def halos(universe):
    """Halos without galaxies: every other satellite keeps 0.65 of its velocity at infall."""
    made = universe(stars=False)
    number = np.arange(len(made)) % (1 + SATELLITES)
    left = np.where(number % 2 == 1, 0.65, 1.0)
    v_infall = median_v_peak(made.log_m_peak)
    return dataclasses.replace(
        made, vmax=left * v_infall, v_infall=v_infall, v_peak=1.16 * v_infall
    )


def counts(around, halos, **chosen):
    selection = HostSelection(**chosen)
    place = around(halos, selection)
    main = np.flatnonzero(halos.upid == -1)
    return place, place.count(main)


def test_remnants_are_no_neighbours_by_default(around, halos):
    place, few = counts(around, halos)
    _, all_of_them = counts(around, halos, threshold=0.0)
    assert place.remnants.criterion == "infall"
    lost = np.arange(len(halos)) % (1 + SATELLITES) % 2 == 1
    np.testing.assert_array_equal(place.remnants.lost, lost)
    assert (all_of_them - few >= SATELLITES // 2).all()
    pairs = place.pairs(np.flatnonzero(halos.upid == -1), halos.log_m_peak)
    assert not np.isin(pairs.neighbour, np.flatnonzero(lost)).any()


def test_present_masses_in_the_place_of_peak_masses_say_nothing_of_a_loss(
    around, halos
):
    """So Rockstar's lists are read, which have no past."""
    none = np.zeros(len(halos))
    known = dataclasses.replace(
        halos, v_infall=none, v_peak=none, log_m_peak=halos.log_m_vir
    )
    place, _ = counts(around, known)
    assert place.remnants.criterion is None
    assert not place.remnants.lost.any()
    other = known.log_m_peak + np.where(halos.id == halos.id[3], 0.1, 0.0)
    place, _ = counts(around, dataclasses.replace(known, log_m_peak=other))
    assert place.remnants.criterion == "peak_mass"


@pytest.mark.parametrize(
    ("threshold", "without", "criterion", "remnants"),
    [
        (0.6, (), "infall", False),
        (0.7, ("v_infall",), "peak_velocity", True),  # 0.65 / 1.16 is below 0.7 / 1.16
        (0.6, ("v_infall",), "peak_velocity", False),
        (0.7, ("v_infall", "v_peak"), "peak_mass", False),  # 0.65 is above 0.7 / 1.16
        (0.8, ("v_infall", "v_peak"), "peak_mass", True),
    ],
)
def test_the_best_column_decides(
    around, halos, threshold, without, criterion, remnants
):
    none = np.zeros(len(halos))
    known = dataclasses.replace(halos, **dict.fromkeys(without, none))
    place, _ = counts(around, known, threshold=threshold)
    assert place.remnants.criterion == criterion
    assert place.remnants.lost.any() == remnants


def test_who_has_no_value_is_no_remnant(around, halos):
    unknown = halos.v_infall.copy()
    unknown[1] = 0.0
    place, _ = counts(around, dataclasses.replace(halos, v_infall=unknown))
    assert not place.remnants.lost[1]
    assert place.remnants.lost[3]


def test_where_there_are_galaxies_their_model_has_decided(around, halos):
    with_stars = dataclasses.replace(halos, log_m_star=np.ones(len(halos)))
    place, _ = counts(around, with_stars)
    assert place.remnants.criterion is None
    assert not place.remnants.lost.any()


def test_hosts_need_enough_neighbours_that_have_survived(around, halos):
    found = [
        len(find_hosts(around(halos, chosen), chosen).row)
        for chosen in (
            HostSelection(minimum=12, threshold=0.0),
            HostSelection(minimum=12),
            HostSelection(minimum=6),
        )
    ]
    assert found[1] == 0 < found[0] <= found[2]


def test_records_lack_remnants_and_say_how_many_were_cut(halos, tmp_path, written):
    snapshot = written(halos, tmp_path)
    cut, whole = (
        CatalogueSystems((snapshot,), HostSelection(minimum=3, threshold=threshold))
        for threshold in (0.7, 0.0)
    )
    records, more = (one.records(0, range(one.count)) for one in (cut, whole))
    assert records.particles.keys() == {c.name for c in SCHEMA.particles}
    usual = median_v_peak(records.particles["log_m_peak"])
    assert (records.particles["vmax"] / usual > 0.7).all()
    assert len(more.particles["r"]) > 1.5 * len(records.particles["r"])
    (told,) = cut.cuts
    assert told["criterion"] == "infall"
    assert told["threshold"] == 0.7
    assert told["remnants"] == (CLUSTERS + HOSTS) * SATELLITES // 2
    assert told["halos"] == len(halos)
    assert whole.cuts[0]["remnants"] == 0
    assert whole.cuts[0]["criterion"] is None
    assert cut.describe()["selection"]["threshold"] == 0.7


def test_a_threshold_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"threshold 1\.0 must be from 0 to below 1"):
        HostSelection(threshold=1.0)
