"""A mixture explains the pairs that weigh it no worse than any member, and draws as it says."""

from dataclasses import replace

import numpy as np
import pytest
import ray
import torch
from scipy import special, stats

from orrery.execution import cluster
from orrery.learning import mixture, posterior, workers
from orrery.learning.flow_training import FlowPlan
from orrery.learning.mixture import Mixture, stacking_weights
from orrery.learning.options import Flow, Training
from orrery.learning.training import Worker
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter
from orrery.records import Observation

PARAMETERS = (Parameter("f", "", "f", -3.0, 1.0),)
COVARIANCE = np.array([[1.0]])
FLOW = Flow(transforms=2, hidden=(16,))
OPTIONS = Training(batch_size=128, max_epochs=4)
X = np.array([[2.5]])
EDGES = np.linspace(-3, 1, 4001)


def splits():
    parts = []
    for seed, count in ((1, 1024), (2, 256), (3, 256)):
        theta = np.random.default_rng(seed).uniform(-3, 1, size=(count, 1))
        parts.append(Pairs(theta, 3 * theta))
    return Splits(*parts, ("f",), ("u",), ("",), "binning", "halos", 0)


ARGUMENTS = splits(), PARAMETERS, COVARIANCE, FLOW, OPTIONS
PLAN = FlowPlan(*ARGUMENTS, seed=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mixture")


@pytest.fixture(scope="module")
def mixed(folder):
    return mixture.fit_members(PLAN, 2, folder)


@pytest.fixture(scope="module")
def uneven(mixed, tmp_path_factory):
    # A wide member and a narrow one: their mixture is like neither.
    narrow = posterior.fit(
        *ARGUMENTS[:4],
        replace(OPTIONS, max_epochs=12),
        1,
        tmp_path_factory.mktemp("narrow"),
    )
    return Mixture((mixed.members[0], narrow), np.array([0.3, 0.7]))


def density(estimate):
    return np.exp(estimate.log_prob(EDGES[:, None], np.repeat(X, len(EDGES), axis=0)))


def log_densities(*offsets, count=2000):
    """Returns the log-densities of normal deviates under normals at offsets, `[count, K]`."""
    deviates = np.random.default_rng(0).normal(size=(count, 1))
    return stats.norm.logpdf(deviates, np.array(offsets))


def score(log_prob, weights):
    return special.logsumexp(log_prob, axis=1, b=weights).mean()


@pytest.mark.slow
def test_draws_come_as_a_table_and_a_single_posterior_is_opened_as_a_mixture(
    mixed, folder
):
    one = mixed.members[0]
    seen = Observation(
        "x", one.names, one.units, X[0], one.covariance, one.definition, {}
    )
    table = mixed.sample(seen, count=50, seed=3)
    assert table.colnames == [parameter.name for parameter in one.parameters]
    values = np.stack(
        [np.asarray(table[name].value) for name in table.colnames], axis=1
    )
    np.testing.assert_array_equal(values, mixed.draws(seen, 50, 3))
    assert len(table.meta["posterior"]) == 2
    alone = mixture.load(folder / "member-0")
    np.testing.assert_allclose(density(alone), density(one))


@pytest.mark.parametrize(
    "offsets", [(0.0,), (0.0, 0.3), (-0.8, 0.9, 0.1), (3.0, -3.0, 5.0, 9.0)]
)
def test_stacking_finds_the_best_point_of_the_simplex(offsets):
    log_prob = log_densities(*offsets)
    weights = stacking_weights(log_prob)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    others = np.random.default_rng(1).dirichlet(np.full(len(offsets), 0.5), size=300)
    best = max(score(log_prob, other) for other in (*others, *np.eye(len(offsets))))
    assert score(log_prob, weights) >= best - mixture.GAP


def test_a_bad_member_gets_no_weight():
    weights = stacking_weights(log_densities(0.0, 4.0))
    assert weights[1] < 1e-3


def test_equal_members_share_and_complementary_ones_stay_together():
    assert stacking_weights(log_densities(0.2, 0.2)) == pytest.approx([0.5, 0.5])
    # Either alone is wrong; with thousands of pairs a softmax would take one of them.
    assert stacking_weights(log_densities(-1.5, 1.5)) == pytest.approx(
        [0.5, 0.5], abs=0.05
    )


def test_the_order_of_the_members_does_not_matter():
    log_prob = log_densities(-0.8, 0.9, 0.1)
    swapped = stacking_weights(log_prob[:, [2, 0, 1]])
    assert swapped == pytest.approx(stacking_weights(log_prob)[[2, 0, 1]], abs=1e-9)


@pytest.mark.parametrize(
    "wrong", [np.zeros(3), np.zeros((0, 2)), np.full((3, 2), -np.inf)]
)
def test_log_densities_that_say_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must be \[V, K\]"):
        stacking_weights(wrong)
    with pytest.raises(ValueError, match=r"must be \[V, K\]"):
        stacking_weights(np.array([[0.0, 0.0], [0.0, np.nan]]))


@pytest.mark.slow
def test_one_member_is_the_single_posterior(tmp_path):
    alone = posterior.fit(*ARGUMENTS, 5, tmp_path / "alone")
    one = mixture.fit_members(PLAN, 1, tmp_path / "mixture")
    test = splits().test
    assert one.weights.tolist() == [1.0]
    np.testing.assert_array_equal(
        one.log_prob(test.theta, test.x), alone.log_prob(test.theta, test.x)
    )
    np.testing.assert_array_equal(
        one.sample_each(test.x[:5], 50, seed=2),
        alone.sample_each(test.x[:5], 50, seed=2),
    )


@pytest.mark.slow
def test_members_differ_and_the_mixture_is_no_worse_than_the_best(mixed):
    one, two = mixed.members
    assert one.curve != two.curve
    valid = splits().validation
    each = np.stack([m.log_prob(valid.theta, valid.x) for m in mixed.members], axis=1)
    weights = stacking_weights(each)
    assert score(each, weights) >= each.mean(axis=0).max() - mixture.GAP
    assert mixed.weights.sum() == pytest.approx(1)


@pytest.mark.slow
def test_the_density_has_the_integral_one(uneven):
    assert density(uneven).sum() * (EDGES[1] - EDGES[0]) == pytest.approx(1, abs=2e-3)


@pytest.mark.slow
def test_the_density_is_the_weighted_mean(uneven):
    expected = 0.3 * density(uneven.members[0]) + 0.7 * density(uneven.members[1])
    np.testing.assert_allclose(density(uneven), expected, rtol=1e-9)


def test_draws_follow_the_density(uneven):
    draws = uneven.sample_each(X, 20_000, seed=2)
    assert draws.shape == (20_000, 1, 1)
    expected = np.cumsum(density(uneven)) * (EDGES[1] - EDGES[0])
    found = np.searchsorted(np.sort(draws.ravel()), EDGES) / draws.size
    assert np.abs(found - expected).max() < 0.015


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_each_member_gives_its_share_in_random_order(uneven, count):
    origin = mixture._origins(np.array([0.25, 0.0, 0.75]), count, seed=3)
    counts = np.bincount(origin, minlength=3)
    assert np.abs(counts - count * np.array([0.25, 0.0, 0.75])).max() < 1
    assert counts[1] == 0
    # Over many seeds a single draw comes from each member as often as its weight says.
    single = [mixture._origins(uneven.weights, 1, seed)[0] for seed in range(400)]
    assert np.mean(single) == pytest.approx(0.7, abs=0.08)


def test_the_first_draws_are_as_good_as_the_last():
    origin = mixture._origins(np.array([0.3, 0.7]), 20_000, seed=1)
    assert origin[:10_000].mean() == pytest.approx(0.7, abs=0.02)


def test_the_same_seed_gives_the_same_draws(uneven):
    one, two, three = (uneven.sample_each(X, 100, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, three)


@pytest.mark.slow
def test_finished_members_are_found_and_more_leave_them_as_they_were(mixed, folder):
    seen = []
    again = mixture.fit_members(PLAN, 2, folder, lambda *epoch: seen.append(epoch))
    assert not seen
    np.testing.assert_array_equal(again.weights, mixed.weights)
    more = mixture.fit_members(PLAN, 3, folder, lambda *epoch: seen.append(epoch[:2]))
    assert seen == [(2, epoch) for epoch in range(OPTIONS.max_epochs)]
    assert [m.document for m in more.members[:2]] == [m.document for m in mixed.members]


@pytest.mark.slow
def test_members_are_trained_by_the_same_workers(mixed, tmp_path, monkeypatch):
    """That Ray Train's workers do the work, even when one dies, is a law of the loop."""
    started, seen = [], []

    def work_here(work, count, folder, on_epoch, least, restarts):
        started.append((count, restarts))
        ray.cloudpickle.loads(ray.cloudpickle.dumps(work))(
            Worker(0, torch.device("cpu"), on_epoch)
        )

    monkeypatch.setattr(cluster, "require_ray", lambda count: None)
    monkeypatch.setattr(workers, "run_workers", work_here)
    monkeypatch.setattr(workers, "distributed", lambda make, device: make())
    plan = replace(PLAN, options=replace(OPTIONS, workers=1))
    for members in (2, 4, 4):
        found = mixture.fit_members(
            plan, members, tmp_path, lambda *epoch: seen.append(epoch[:2])
        )
    assert started == [(1, 2 * workers.RESTARTS)] * 2, "once for those that are missing"
    assert seen == [(k, epoch) for k in range(4) for epoch in range(OPTIONS.max_epochs)]
    for one, other in zip(mixed.members, found.members, strict=False):
        np.testing.assert_array_equal(density(one), density(other))


@pytest.mark.slow
def test_who_trains_a_mixture_has_its_folder_alone(mixed, folder):
    refused = []

    def on_member(*epoch):
        with pytest.raises(BlockingIOError, match="is being written by process"):
            mixture.fit_members(PLAN, 2, folder)
        refused.append(epoch)

    mixture.fit_members(PLAN, 4, folder, on_member)
    assert refused
    again = mixture.fit_members(PLAN, 2, folder)
    assert again.weights.tolist() == mixed.weights.tolist()


@pytest.mark.slow
def test_a_saved_mixture_is_the_same_until_a_member_changes(tmp_path):
    saved = mixture.fit_members(PLAN, 2, tmp_path)
    again, test = mixture.load(tmp_path), splits().test
    np.testing.assert_array_equal(
        again.log_prob(test.theta, test.x), saved.log_prob(test.theta, test.x)
    )
    posterior.fit(*ARGUMENTS, 99, tmp_path / "member-1")
    with pytest.raises(ValueError, match="train the mixture again"):
        mixture.load(tmp_path)
    (tmp_path / "mixture.json").write_text("{}")
    with pytest.raises(ValueError, match="is damaged"):
        mixture.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="train a mixture there first"):
        mixture.load(tmp_path / "elsewhere")


@pytest.mark.parametrize("weights", [[1.0], [0.5, 0.6], [1.5, -0.5], [[0.5], [0.5]]])
def test_weights_that_are_none_are_refused(mixed, weights):
    with pytest.raises(ValueError, match="one for each of 2 members"):
        Mixture(mixed.members, np.array(weights))


def test_members_of_other_pairs_are_refused(mixed):
    one, two = mixed.members
    for change, message in (
        ({"definition": "other"}, "member 1 has the definition other"),
        ({"covariance": 2 * COVARIANCE}, "other errors"),
    ):
        with pytest.raises(ValueError, match=message):
            Mixture((one, replace(two, **change)), np.array([0.5, 0.5]))


def test_no_member_is_too_few(tmp_path):
    with pytest.raises(ValueError, match="members=0"):
        mixture.fit_members(PLAN, 0, tmp_path)
