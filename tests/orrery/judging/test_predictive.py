"""Data from the model are found unremarkable as often as promised, and others are found out."""

import numpy as np
import pytest
from scipy import stats

from orrery.judging import predictive
from orrery.pairs import Pairs, Splits, pooled
from orrery.records import Observation

S, N = 6, 199
NAMES = tuple("abcdef")
ERRORS = 0.5 * np.eye(S) + 0.3  # correlated measurement errors


def observed(value, covariance=ERRORS):
    return Observation("stars", NAMES, ("km / s",) * S, value, covariance, "abc", {})


def clean(count, random):
    """Skew and correlated, as summaries of draws from a posterior are."""
    return random.gamma(2.0, size=(count, S)) @ np.tril(np.ones((S, S)))


def once(seed, shift=0.0):
    random = np.random.default_rng(seed)
    noise = random.multivariate_normal(np.zeros(S), ERRORS)
    data = clean(1, random)[0] + noise + shift
    return predictive.check(clean(N, random), observed(data), seed)


@pytest.fixture(scope="module")
def checks():
    return [once(seed) for seed in range(600)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["worst_entry", "whole_vector"])
def test_the_omnibus_is_uniform_for_data_from_the_model(checks, name):
    ranks = np.array([getattr(found, name) for found in checks])
    spread = ranks - np.random.default_rng(0).random(len(ranks)) / (N + 1)
    assert stats.kstest(spread, "uniform").pvalue > 0.01
    assert ranks.min() > 0


@pytest.mark.slow
def test_tails_are_no_smaller_than_promised(checks):
    tails = np.array([found.tails for found in checks])
    for level in (0.05, 0.2, 0.5):
        error = np.sqrt(level * (1 - level) / len(tails))
        np.testing.assert_allclose(
            np.mean(tails <= level, axis=0), level, atol=4 * error
        )


def test_intervals_hold_what_they_promise(checks):
    quantiles = np.array([found.quantiles for found in checks])
    values = np.array([found.observation.value for found in checks])
    for low, high, level in ((0, 4, 0.95), (1, 3, 0.68)):
        held = (quantiles[:, low] <= values) & (values <= quantiles[:, high])
        assert held.mean() == pytest.approx(level, abs=0.03)


def test_one_shifted_bin_is_found_and_named():
    shift = np.zeros(S)
    shift[2] = 40.0
    found = once(1, shift)
    assert found.worst_entry == pytest.approx(1 / (N + 1))
    assert np.argmax(np.abs(found.deviations)) == 2
    assert found.tails[2] == pytest.approx(2 / (N + 1))
    misses = predictive.predictive_table(found, "predictive.desi").meta["misses"]
    assert misses[0].text.startswith("The model does not make c: ")


def test_a_vector_that_contradicts_the_correlations_is_found_as_a_whole():
    """Each entry alone is ordinary."""
    random = np.random.default_rng(0)
    common = random.normal(size=(N, 1))
    replicates = common + 0.01 * random.normal(size=(N, S))
    value = np.array([1.0, -1.0] * 3)
    found = predictive.check(replicates, observed(value, 1e-6 * np.eye(S)), 1)
    assert found.worst_entry > 0.2
    assert found.whole_vector == pytest.approx(1 / (N + 1))
    (miss,) = predictive.predictive_table(found, "predictive.desi").meta["misses"]
    assert "as a whole" in miss.text


def test_nothing_depends_on_the_order_or_the_unit_of_the_entries():
    random = np.random.default_rng(4)
    predicted, value = clean(N, random), clean(1, random)[0]
    tiny = 1e-12 * np.eye(S)  # so that both get the same errors
    first = predictive.check(predicted, observed(value, tiny), 1)
    second = predictive.check(
        1000 * predicted[:, ::-1], observed(1000 * value[::-1], tiny), 1
    )
    np.testing.assert_allclose(second.tails[::-1], first.tails)
    np.testing.assert_allclose(second.deviations[::-1], first.deviations, rtol=1e-5)
    assert second.worst_entry == first.worst_entry
    assert second.whole_vector == pytest.approx(first.whole_vector, abs=2 / (N + 1))


def test_measurement_errors_are_added_once():
    predicted = np.zeros((20_000, S))
    found = predictive.check(predicted, observed(np.zeros(S)), 1)
    np.testing.assert_allclose(np.cov(found.predicted, rowvar=False), ERRORS, atol=0.04)
    width = found.quantiles[3] - found.quantiles[1]
    sigma = np.sqrt(np.diag(ERRORS)) * 2 * stats.norm.ppf(0.84)
    np.testing.assert_allclose(width, sigma, rtol=0.03)
    np.testing.assert_allclose(found.tails, 1.0, atol=0.03)


def test_an_entry_that_never_changes_counts_only_if_it_is_missed():
    predicted = np.random.default_rng(0).normal(size=(N, S))
    predicted[:, 1] = 7.0
    exact = np.diag([0.1, 0.0, 0.1, 0.1, 0.1, 0.1])
    hit, missed = np.zeros(S), np.zeros(S)
    hit[1], missed[1] = 7.0, 7.1
    assert predictive.check(predicted, observed(hit, exact), 1).worst_entry > 0.2
    assert predictive.check(predicted, observed(missed, exact), 1).worst_entry < 0.01


def test_the_table_is_what_reports_want():
    found = once(3)
    table = predictive.predictive_table(found, "predictive.desi")
    assert list(table["summary"]) == list(NAMES)
    assert str(N) in table.meta["caption"]
    assert table.meta["misses"] == []
    assert np.all(table["low_95"] < table["low_68"])
    assert np.all(table["high_68"] < table["high_95"])


def test_every_simulation_counts_whatever_its_split():
    parts = [Pairs(np.zeros((n, 1)), np.full((n, 2), float(n))) for n in (3, 1, 2)]
    x = predictive.all_summaries(
        Splits(*parts, ("a",), ("u", "v"), ("", ""), "abc", "toy", 0)
    )
    assert x.shape == (6, 2)
    assert x.sum() == 2 * (9 + 1 + 4)


def test_several_draws_of_a_simulation_are_one_replicate():
    random = np.random.default_rng(1)
    parts = [Pairs(random.normal(size=(n, 1)), np.ones((n, 2))) for n in (30, 5, 7)]
    one = Splits(*parts, ("a",), ("u", "v"), ("", ""), "abc", "toy", 0)
    x = predictive.all_summaries(pooled([one, one, one, one]))
    assert x.shape == (30 + 5 + 7, 2)


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        (np.zeros((50, S - 1)), "same binning"),
        (np.zeros((5, S)), "5 predictions are too few"),
        (np.full((50, S), np.nan), "must be finite"),
    ],
)
def test_impossible_predictions_are_refused(predicted, message):
    with pytest.raises(ValueError, match=message):
        predictive.check(predicted, observed(np.zeros(S)), 1)
    with pytest.raises(ValueError, match=message):
        predictive.tail_probabilities(predicted, np.zeros(S))


def among(count, entries, shift=0.0):
    """Returns a vector among replicates, off by so many sigma in every entry, up and down."""
    random = np.random.default_rng(count)
    names = tuple(f"v{i}" for i in range(entries))
    data = random.normal(size=entries) + shift * (-1.0) ** np.arange(entries)
    nothing = np.zeros((entries, entries))
    seen = Observation("stars", names, ("km / s",) * entries, data, nothing, "abc", {})
    return predictive.check(random.normal(size=(count, entries)), seen, seed=2)


@pytest.mark.parametrize(("count", "entries"), [(40, 50), (60, 61), (30, 16)])
def test_with_too_few_replicates_the_whole_vector_is_untested(count, entries):
    found = among(count, entries, shift=3.0)
    assert np.isnan(found.whole_vector)
    assert found.smallest == found.worst_entry
    table = predictive.predictive_table(found, "check")
    assert "check.whole_vector_pvalue" not in table.meta["metrics"]
    assert "too few to test its whole data vector" in table.meta["caption"]
    words = f"untested, as {count} simulations are too few for {entries} entries"
    assert predictive.untested(found) == words


@pytest.mark.parametrize(("count", "entries"), [(120, 60), (40, 20), (240, 60)])
def test_with_twice_as_many_replicates_as_entries_a_shift_of_all_is_found(
    count, entries
):
    found = among(count, entries, shift=3.0)
    assert found.whole_vector == pytest.approx(1 / (count + 1))
    assert among(count, entries).whole_vector > 0.01
