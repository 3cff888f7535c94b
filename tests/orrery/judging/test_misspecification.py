"""Observations that a simulator makes pass as often as promised; those that it cannot are found."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy import stats

from orrery.judging import misspecification
from orrery.judging.misspecification import DOUBTFUL
from orrery.pairs import Pairs, Splits
from orrery.records import Observation

pytestmark = pytest.mark.slow

P, S = 4, 12
NAMES = tuple(f"x{i}" for i in range(S))
SLOPES = np.random.default_rng(0).normal(size=(P, S)) / 2
ERROR = 0.3
COVARIANCE = ERROR**2 * np.eye(S)


def simulate(count, random):
    """Curved in its parameters, so that means and covariances do not say everything."""
    t = random.normal(size=(count, P)) @ SLOPES
    return t + 0.3 * t**2


def seen(count, random):
    return simulate(count, random) + ERROR * random.normal(size=(count, S))


def splits(count, seed=1):
    random = np.random.default_rng(seed)
    sizes = (count // 2, count // 4, count // 4)
    parts = [Pairs(np.zeros((n, 1)), simulate(n, random)) for n in sizes]
    return Splits(*parts, ("a",), NAMES, ("km / s",) * S, "binning", "halos", 0)


def observation(value, covariance=COVARIANCE):
    return Observation("sky", NAMES, ("km / s",) * S, value, covariance, "binning", {})


@pytest.fixture(scope="module")
def prior():
    return misspecification.learn_prior_predictive(splits(2000), COVARIANCE, seed=3)


def test_the_density_is_ranked_as_sbi_does(prior, monkeypatch):
    # here, not above: it takes a second, in each process of tests
    from sbi.diagnostics import misspecification as of_sbi

    # it would train a classifier for each observation, only to warn of its flow
    monkeypatch.setattr(of_sbi, "check_c2st", lambda *arguments: None)
    count = len(prior.reference)
    for value in seen(5, np.random.default_rng(4)):
        white = prior.whitening(value[None])
        with torch.no_grad():
            fraction, _ = of_sbi.calc_misspecification_logprob(
                prior.reference, white, prior.flow
            )
        counted = (1 + round(float(fraction) * count)) / (1 + count)
        assert prior.compare(observation(value)).density_pvalue == counted


def test_an_observation_of_the_prior_is_flagged_as_rarely_as_promised(prior):
    found = [prior.compare(observation(v)) for v in seen(200, np.random.default_rng(5))]
    for p in ("density_pvalue", "joint_pvalue"):
        assert stats.kstest([getattr(one, p) for one in found], "uniform").pvalue > 0.01
    assert (
        stats.kstest([one.among.worst_entry for one in found], "uniform").pvalue > 0.01
    )
    tails = [one.tails[3] for one in found]
    assert stats.kstest(tails, "uniform").pvalue > 0.01
    # Of three measures together the smallest counts, so that promises are kept or
    # better.
    for level in (0.01, 0.05, 0.2):
        count = sum(one.pvalue < level for one in found)
        assert stats.binomtest(count, len(found), level, "greater").pvalue > 0.01
    assert sum(one.pvalue < 0.2 for one in found) > 0.05 * len(found)


def test_a_vector_that_is_shifted_out_is_flagged_and_its_entry_named(prior):
    random = np.random.default_rng(6)
    values = seen(30, random)
    values[:, 4] += 8 * seen(2000, random)[:, 4].std()
    found = [prior.compare(observation(v)) for v in values]
    assert np.mean([one.pvalue < DOUBTFUL for one in found]) >= 0.95
    assert np.mean([one.furthest[0] == 4 for one in found]) >= 0.95
    assert "x4" in misspecification.verdict(found[0])
    assert misspecification.verdict(found[0]).startswith("The simulator cannot")


def test_reversed_correlations_are_flagged_though_every_entry_is_ordinary(prior):
    random = np.random.default_rng(7)
    usual = seen(4000, random)
    variances, axes = np.linalg.eigh(np.cov(usual.T))
    turned = (seen(30, random) - usual.mean(axis=0)) @ axes / np.sqrt(variances)
    values = usual.mean(axis=0) + (turned * np.sqrt(variances[::-1])) @ axes.T
    found = [prior.compare(observation(v)) for v in values]
    assert np.mean([one.pvalue < DOUBTFUL for one in found]) >= 0.9
    flagged = [one for one in found if one.pvalue < DOUBTFUL]
    ordinary = [one for one in flagged if one.corrected_tails.min() > 0.1]
    assert ordinary
    assert "their combination is not" in misspecification.verdict(ordinary[0])


def test_the_flow_sees_what_means_and_covariances_do_not():
    # A parabola: its mean, in the middle of both entries, is where no simulation is.
    random = np.random.default_rng(8)

    def parabola(count):
        u = random.normal(size=count)
        return Pairs(np.zeros((count, 1)), np.stack([u, 2 * u**2], axis=1))

    names, units, errors = ("u", "v"), ("", ""), 0.01 * np.eye(2)
    parts = [parabola(n) for n in (4000, 500, 500)]
    curved = Splits(*parts, ("a",), names, units, "binning", "halos", 0)
    middle = Observation(
        "sky", names, units, np.array([0.0, 2.0]), errors, "binning", {}
    )
    found = misspecification.learn_prior_predictive(curved, errors, seed=1).compare(
        middle
    )
    assert found.joint_pvalue > 0.5
    assert found.tails.min() > 0.3
    assert found.density_pvalue < DOUBTFUL


def test_one_entry_beyond_97_percent_among_many_is_ordinary(prior):
    random = np.random.default_rng(9)
    usual = seen(4000, random)
    value = usual[np.argmin(np.abs(usual[:, 2] - np.quantile(usual[:, 2], 0.98)))]
    found = prior.compare(observation(value))
    assert found.tails[2] == pytest.approx(0.04, abs=0.02)
    assert found.corrected_tails[2] > 0.2
    assert found.pvalue > DOUBTFUL
    assert "p = " in misspecification.verdict(found)


def test_the_same_seed_gives_the_same_and_leaves_torchs_generator_alone():
    torch.manual_seed(11)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    value = observation(seen(1, np.random.default_rng(10))[0])
    first, again = (
        misspecification.learn_prior_predictive(
            splits(200), COVARIANCE, seed=2
        ).compare(value)
        for _ in range(2)
    )
    other = misspecification.learn_prior_predictive(
        splits(200), COVARIANCE, seed=4
    ).compare(value)
    assert first.metrics == again.metrics
    assert first.metrics != other.metrics
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_no_logs_are_left_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    misspecification.learn_prior_predictive(splits(100), COVARIANCE, seed=2)
    assert not list(tmp_path.iterdir())


def test_scale_and_units_do_not_matter(prior):
    scale, shift = 10.0 ** np.arange(-6, 6), np.linspace(-1e3, 1e3, S)
    plain = splits(2000)
    parts = {
        name: Pairs(part.theta, part.x * scale + shift)
        for name, part in (
            ("train", plain.train),
            ("validation", plain.validation),
            ("test", plain.test),
        )
    }
    value = seen(1, np.random.default_rng(12))[0]
    here = prior.compare(observation(value)).joint_pvalue
    covariance = COVARIANCE * np.outer(scale, scale)
    other = misspecification.learn_prior_predictive(
        dataclasses.replace(plain, **parts), covariance, seed=3
    )
    there = other.compare(observation(value * scale + shift, covariance))
    # Other noise is drawn, from the same distribution.
    assert there.joint_pvalue == pytest.approx(here, abs=0.05)


def test_few_simulations_say_that_they_cannot_tell():
    found = misspecification.learn_prior_predictive(splits(40), COVARIANCE, 1).compare(
        observation(np.full(S, 1e3))
    )
    assert found.smallest_possible > DOUBTFUL
    assert found.pvalue >= found.smallest_possible


def test_other_errors_and_shapes_are_refused(prior):
    with pytest.raises(ValueError, match="other errors"):
        prior.compare(observation(np.zeros(S), 2 * COVARIANCE))
    with pytest.raises(ValueError, match="12 summaries"):
        misspecification.learn_prior_predictive(splits(40), np.eye(3), 1)


def test_the_table_has_a_row_for_each_entry(prior):
    found = prior.compare(
        observation(np.median(seen(500, np.random.default_rng(2)), axis=0))
    )
    table = misspecification.entry_table(found)
    assert list(table["summary"]) == list(NAMES)
    assert np.all(
        (table["lower"] < table["median"]) & (table["median"] < table["upper"])
    )
    np.testing.assert_array_equal(table["tail_probability"], found.tails)


def test_entries_that_simulations_know_hardly_better_than_the_data_are_counted():
    own = np.array([0.4, 0.5, 0.6, 0.9, 1.1, 3.0])
    names = tuple("abcdef")
    seen = Observation(
        "sky", names, ("km / s",) * 6, np.zeros(6), np.eye(6), "d", {}, own
    )
    found = misspecification.noisy_entries(seen)
    assert found == {"entries": 4, "beyond": 2, "share": 0.5}
    none = dataclasses.replace(seen, simulation_error=None)
    assert misspecification.noisy_entries(none)["entries"] == 0


def test_with_few_simulations_the_distance_is_not_among_the_measures():
    few = misspecification.learn_prior_predictive(splits(22), COVARIANCE, 1)
    found = few.compare(observation(np.zeros(S)))
    assert found.simulations < 2 * S
    assert np.isnan(found.joint_pvalue)
    assert found.measures == found.metrics["measures"] == 2
    assert "joint_pvalue" not in found.metrics
    assert 0 < found.pvalue <= 1
