"""Laws of ensembles: all observe the same sky, and none needs more neighbours than there are."""

from dataclasses import replace

import numpy as np

from halomass.observed.features import Features
from halomass.observed.host_neighbours import (
    observation,
)
from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS
from halomass.study import (
    ensembles,
)
from halomass.study.ensembles import (
    LEFT_OUT_FEATURES,
    ensemble_features,
    label_noiseless,
    label_noisy,
    label_without,
)
from halomass.study.options import HostCampaign
from orrery.results.keys import is_key

# What estimators of known quality would find: nothing here is a miss.
GOOD = {
    label_noisy(25): 0.16,
    label_noisy(10): 0.20,
    label_noiseless(25): 0.12,
    label_noiseless(10): 0.165,
}


def test_all_ensembles_observe_hosts_alike():
    wanted = ensemble_features(7, 25)
    assert {b.seed for b in wanted.values()} == {7}
    assert wanted.keys() == {
        *GOOD,
        *map(label_without, LEFT_OUT_FEATURES),
        "25 neighbours, signed v_r",
    }
    for what, without in LEFT_OUT_FEATURES.items():
        left = wanted[label_without(what)]
        assert left == replace(wanted[label_noisy(25)], without=without)
    for count in NEIGHBOUR_COUNTS:
        assert wanted[label_noiseless(count)] == replace(
            wanted[label_noisy(count)], errors=False
        )
    assert wanted["25 neighbours, signed v_r"].radial == "asinh"
    assert len({b.fingerprint for b in wanted.values()}) == len(wanted)


def test_a_host_of_few_neighbours_has_the_ensembles_that_need_no_more(host):
    for most, counts in ((10, {10}), (24, {10}), (25, {10, 25})):
        wanted = ensemble_features(1, most)
        assert {b.neighbours for b in wanted.values()} == counts
        for binning in wanted.values():
            assert np.isfinite(observation(host(most), binning).value).all()
    assert ensemble_features(1, 9) == {}


def test_other_hosts_have_the_noisy_features_under_their_own_name():
    own, other = ensemble_features(4, 30), ensemble_features(4, 30, "VSMDPL/UM")
    assert other == {
        f"VSMDPL/UM, {name}": b for name, b in ensembles.noisy_features(own).items()
    }


def test_noisy_features_have_errors_and_lack_nothing():
    found = ensembles.noisy_features(ensemble_features(4, 30))
    assert found == {label_noisy(n): Features(n, seed=4) for n in (25, 10)}
    assert list(ensembles.noisy_features(ensemble_features(4, 12))) == [label_noisy(10)]


def test_figures_show_ensembles_that_there_are():
    known = ensemble_features(1, 25)
    for _, names in ensembles.FIGURES.values():
        assert set(names) <= known.keys()


def test_every_ensemble_has_a_key_of_its_own():
    keys = ensembles.ensemble_keys()
    assert len({*keys.values()}) == len(keys)
    assert all(is_key(key) for key in keys.values())
    known = {*ensemble_features(1, 25)}
    for name in HostCampaign().variants:
        known |= {*ensemble_features(1, 25, name)}
    assert known <= keys.keys()


def test_reworded_labels_leave_the_keys_as_they_are(monkeypatch):
    before = [*ensembles.ensemble_keys().items()]
    for label in ("noisy", "noiseless", "without", "signed", "of"):
        reword(monkeypatch, f"label_{label}")
    after = [*ensembles.ensemble_keys().items()]
    assert [key for _, key in after] == [key for _, key in before]
    assert not {name for name, _ in after} & {name for name, _ in before}


def reword(monkeypatch, name):
    label = getattr(ensembles, name)
    monkeypatch.setattr(ensembles, name, lambda *given: f"Called: {label(*given)}!")
