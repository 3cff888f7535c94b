"""An ensemble finds what linear data hide, knows what it is, and does not mind being killed."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import ray
import torch

from orrery import data_vector
from orrery.learning import cohorts, ensemble, trainer, workers
from orrery.learning.options import Learning, Networks
from orrery.learning.training import Worker
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter
from orrery.records import Observation

PARAMETERS = (Parameter("m", "dex(solMass)", "$m$", 10.0, 15.0),)
NAMES, UNITS = ("r_1", "r_2", "v_1", "v_2"), ("kpc", "kpc", "km / s", "km / s")
SLOPES = np.array([[0.01], [-0.02], [0.003], [0.0]])
NETWORKS = Networks(members=4, hidden=(8, 4))
BRIEF = Learning(batch_size=32, learning_rate=4e-3, max_epochs=14, patience=50)
NOISE = 0.1


def pairs(count, seed, noise=NOISE):
    random = np.random.default_rng(seed)
    x = np.array([100, 80, 0, -20]) + np.array([30, 20, 100, 60]) * random.normal(
        size=(count, 4)
    )
    theta = (
        12 + (x - [100, 80, 0, -20]) @ SLOPES + noise * random.normal(size=(count, 1))
    )
    return Pairs(theta, x)


def splits(noise=NOISE):
    three = (pairs(n, seed, noise) for seed, n in enumerate((800, 200, 500)))
    return Splits(*three, ("m",), NAMES, UNITS, "binning", "hosts", 0)


def fit(
    folder,
    networks=NETWORKS,
    learning=BRIEF,
    seed=1,
    data=None,
    groups=None,
    on_epoch=None,
):
    data = data or splits()
    return ensemble.fit(
        data, PARAMETERS, networks, learning, seed, folder, groups, on_epoch
    )


def observation(**changes):
    value = np.array([130.0, 80.0, 0.0, -20.0])
    right = Observation("host", NAMES, UNITS, value, np.eye(4), "binning", {})
    return replace(right, **changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ensemble")


@pytest.fixture(scope="module")
def trained(folder):
    return fit(folder)


def assert_same(one, other, rtol=0.0, atol=0.0):
    for mine, theirs in zip(one.network.tensors, other.network.tensors, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=rtol, atol=atol)


@pytest.mark.slow
def test_it_finds_the_plane_in_linear_data(tmp_path):
    long = replace(BRIEF, max_epochs=60, learning_rate=0.01)
    exact = fit(tmp_path, Networks(3, hidden=()), long, data=splits(noise=0.0))
    test = splits(noise=0.0).test
    np.testing.assert_allclose(exact.mean(test.x), test.theta, atol=0.01)
    slope = exact.mean(test.x + np.eye(4)[2]) - exact.mean(test.x)
    np.testing.assert_allclose(slope, 0.003, rtol=0.02)


def test_its_error_is_the_noise(trained):
    test = splits().test
    residual = trained.mean(test.x) - test.theta
    assert NOISE * 0.9 < residual.std() < NOISE * 1.6
    assert abs(residual.mean()) < 0.03


def test_the_mean_is_that_of_the_members(trained):
    x = splits().test.x
    each = trained.predict(x)
    assert each.shape == (4, 500, 1)
    np.testing.assert_allclose(trained.mean(x), each.mean(axis=0))
    assert len(np.unique(each[:, 0, 0])) == 4
    np.testing.assert_allclose(trained.predict(x[7:8])[:, 0], each[:, 7], atol=1e-5)


@pytest.mark.slow
def test_several_parameters_are_learned_together(tmp_path):
    def twice(pairs):
        return Pairs(np.hstack([pairs.theta, 5 - 100 * pairs.theta]), pairs.x)

    one = splits()
    parts = {
        name: twice(getattr(one, name)) for name in ("train", "validation", "test")
    }
    data = replace(one, **parts, parameters=("m", "n"))
    two = (*PARAMETERS, Parameter("n", "", "$n$"))
    found = ensemble.fit(
        data, two, NETWORKS, replace(BRIEF, max_epochs=30), 0, tmp_path
    )
    mean = found.mean(data.test.x)
    correlation = np.corrcoef(np.hstack([mean, data.test.theta]), rowvar=False)[2:, :2]
    np.testing.assert_allclose(np.abs(correlation), 1, atol=0.1)
    np.testing.assert_array_equal(np.sign(correlation), [[1, -1], [-1, 1]])


@pytest.mark.slow
def test_scaling_sees_training_pairs_only(trained, tmp_path):
    data = splits()
    x = data.train.x
    np.testing.assert_allclose(trained.scalings[0].mean, x.mean(axis=0))
    np.testing.assert_allclose(trained.scalings[0].width, x.std(axis=0))
    np.testing.assert_allclose(trained.scalings[1].width, data.train.theta.std(axis=0))
    far = replace(data, test=Pairs(data.test.theta + 50, data.test.x * 1e3))
    assert_same(fit(tmp_path, data=far), trained)
    moved = replace(
        data, validation=Pairs(data.validation.theta, data.validation.x * 2)
    )
    other = fit(tmp_path, data=moved)
    np.testing.assert_array_equal(other.scalings[0].mean, trained.scalings[0].mean)


def test_groups_share_mean_and_width(tmp_path):
    found = fit(
        tmp_path, groups=("r", "r", "v", "v"), learning=replace(BRIEF, max_epochs=2)
    )
    of_x, x = found.scalings[0], splits().train.x
    np.testing.assert_allclose(
        of_x.mean, np.repeat([x[:, :2].mean(), x[:, 2:].mean()], 2)
    )
    np.testing.assert_allclose(
        of_x.width, np.repeat([x[:, :2].std(), x[:, 2:].std()], 2)
    )
    assert found.document["groups"] == ["r", "r", "v", "v"]


@pytest.mark.parametrize("factor", [1e-3, 1e4])
def test_units_of_the_summaries_do_not_matter(trained, tmp_path, factor):
    def scaled(pairs):
        return Pairs(pairs.theta, pairs.x * factor)

    one = splits()
    parts = {
        name: scaled(getattr(one, name)) for name in ("train", "validation", "test")
    }
    other = fit(tmp_path, data=replace(one, **parts))
    np.testing.assert_allclose(
        other.mean(factor * one.test.x), trained.mean(one.test.x), atol=0.02
    )


def test_some_members_are_the_same_networks_as_among_more(trained, tmp_path):
    some = fit(tmp_path, replace(NETWORKS, first=2, members=1))
    x = splits().test.x
    np.testing.assert_allclose(some.predict(x)[0], trained.predict(x)[2], atol=1e-3)


@pytest.mark.slow
def test_the_dead_are_reseeded_and_counted(tmp_path):
    narrow = Networks(12, hidden=(2, 1, 1))
    found = fit(tmp_path / "all", narrow, replace(BRIEF, max_epochs=8))
    assert found.reseeded == sum(found.document["reseeded"].values()) > 0
    x = splits().test.x
    assert (found.predict(x).std(axis=1) > 0).all()
    number = int(next(iter(found.document["reseeded"])))
    one = replace(narrow, first=number, members=1)
    alone = fit(tmp_path / "one", one, replace(BRIEF, max_epochs=8))
    assert alone.document["reseeded"] == {
        str(number): found.document["reseeded"][str(number)]
    }
    np.testing.assert_allclose(alone.predict(x)[0], found.predict(x)[number], atol=1e-3)


@pytest.mark.slow
def test_one_that_collapses_while_it_learns_is_trained_again(tmp_path, monkeypatch):
    initialise = cohorts.initialise_members
    begun = []

    def sick(widths, seed, attempts, x):
        network, needed = initialise(widths, seed, attempts, x)
        begun.append(dict(attempts))
        for place, (number, attempt) in enumerate(zip(attempts, needed, strict=True)):
            if number == 2 and attempt == 0:
                network.weights[-2][place] = 0
                network.biases[-2][place] = -1
        return network, needed

    healthy = fit(tmp_path / "healthy")
    monkeypatch.setattr(cohorts, "initialise_members", sick)
    found = fit(tmp_path / "sick")
    assert begun == [{0: 0, 1: 0, 2: 0, 3: 0}, {2: 1}]
    assert found.document["reseeded"]["2"] == 1
    x = splits().test.x
    rest = [0, 1, 3]
    np.testing.assert_allclose(
        found.predict(x)[rest], healthy.predict(x)[rest], atol=1e-3
    )
    assert found.predict(x)[2].std() > 0.05


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(trained, tmp_path):
    torch.manual_seed(99)  # the global generator has no say
    assert_same(trained, fit(tmp_path / "again"))
    other = fit(tmp_path / "other", seed=2)
    assert not torch.equal(other.network.tensors[0], trained.network.tensors[0])


def test_a_saved_ensemble_is_the_same(trained, folder):
    again = ensemble.load(folder)
    assert again.document == trained.document
    assert (again.parameters, again.curve) == (PARAMETERS, trained.curve)
    assert_same(again, trained)
    assert "4 members" in repr(again)


def test_it_knows_what_it_is(trained):
    document = trained.document
    assert document["learning"]["max_epochs"] == BRIEF.max_epochs
    assert "workers" not in document["learning"]
    assert (document["dataset"], document["definition"]) == ("hosts", "binning")
    assert document["pairs"]["train"]["count"] == 800
    assert len(document["loss"]) == len(document["epoch"]) == 4
    assert len(trained.curve.train) == BRIEF.max_epochs
    assert trained.curve.validation[-1] < 0.5 * trained.curve.validation[0]


def test_a_second_call_opens_the_first_ones_ensemble(trained, folder):
    seen = []
    again = fit(folder, on_epoch=lambda *epoch: seen.append(epoch))
    assert again.document == trained.document
    assert not seen


def test_each_epoch_is_seen_once(tmp_path):
    seen = []
    fit(tmp_path, on_epoch=lambda epoch, losses: seen.append((epoch, sorted(losses))))
    assert seen == [
        (epoch, ["train", "validation"]) for epoch in range(BRIEF.max_epochs)
    ]


@pytest.mark.slow
def test_other_arguments_replace_the_ensemble(tmp_path):
    first = fit(tmp_path)
    second = fit(tmp_path, seed=2)
    assert second.document["fingerprint"] != first.document["fingerprint"]
    kept = {".lock", "ensemble.json", second.document["weights"]["file"]}
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_two_do_not_learn_in_one_folder(tmp_path):
    def intrude(epoch, losses):
        with pytest.raises(BlockingIOError, match="is being written by process"):
            fit(tmp_path, seed=2)

    brief = replace(BRIEF, max_epochs=2)
    first = fit(tmp_path, learning=brief, on_epoch=intrude)
    assert_same(fit(tmp_path, learning=brief), first)


def test_it_answers_for_an_observation(trained):
    predicted = trained.predict_observation(observation())
    assert predicted.shape == (4, 1)
    assert predicted.mean() == pytest.approx(12.3, abs=0.1)
    order = [3, 1, 0, 2]
    value = observation().value[order] * [1, 1e-3, 1e-3, 1]
    other = replace(
        observation(),
        names=tuple(NAMES[i] for i in order),
        units=("km / s", "Mpc", "Mpc", "km / s"),
        value=value,
    )
    np.testing.assert_allclose(
        trained.predict_observation(data_vector.to_table(other)), predicted, rtol=1e-6
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"definition": "other"}, "definition other, but the ensemble learned binning"),
        ({"names": ("r_1", "r_2", "v_1", "v_9")}, r"\['v_2'\] are missing"),
        ({"units": ("kpc", "kpc", "km / s", "kpc")}, "'v_2' is given in 'kpc'"),
    ],
)
def test_another_observation_is_refused(trained, changes, message):
    with pytest.raises(ValueError, match=message):
        trained.predict_observation(observation(**changes))


def test_other_summaries_are_refused(trained):
    for x in (np.zeros((3, 5)), np.zeros(4), np.full((1, 4), np.nan)):
        with pytest.raises(ValueError, match=r"must be finite, with shape \[N, 4\]"):
            trained.predict(x)


def test_options_of_another_type_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^networks.hidden is \(8, True\): give"):
        fit(tmp_path, networks=Networks(members=2, hidden=(8, True)))


def test_arguments_that_do_not_belong_together_are_refused(tmp_path):
    data = splits()
    flat = data.train.x.copy()
    flat[:, 2] = 5
    with pytest.raises(ValueError, match=r"\['v_1'\] is 5 in all training pairs"):
        fit(tmp_path, data=replace(data, train=Pairs(data.train.theta, flat)))
    flat[0, 2] = np.inf
    with pytest.raises(ValueError, match="training pairs must be finite"):
        fit(tmp_path, data=replace(data, train=Pairs(data.train.theta, flat)))
    with pytest.raises(ValueError, match="3 groups for 4 summaries"):
        fit(tmp_path, groups=(0, 0, 1))
    with pytest.raises(ValueError, match="5 workers cannot share 4 members"):
        fit(tmp_path, learning=replace(BRIEF, workers=5))
    with pytest.raises(ValueError, match=r"parameters \('n',\)"):
        fit(tmp_path, data=replace(data, parameters=("n",)))
    one = Pairs(data.train.theta[:1], data.train.x[:1])
    with pytest.raises(ValueError, match="1 validation pairs are too few"):
        fit(tmp_path, data=replace(data, validation=one))


class AccidentError(Exception):
    """Something went wrong on the way."""


def test_an_interrupted_training_continues_exactly(trained, tmp_path):
    def interrupt(epoch, losses):
        if epoch == 10:
            raise AccidentError

    with pytest.raises(AccidentError):
        fit(tmp_path, on_epoch=interrupt)
    seen = []
    again = fit(tmp_path, on_epoch=lambda epoch, losses: seen.append(epoch))
    assert seen[0] == trainer.CHECKPOINT_EPOCHS
    assert_same(again, trained)
    assert again.curve == trained.curve


def kill(epoch, losses):
    """Ends this process without a word."""
    if epoch == 10:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_killed_process_continues_exactly(trained, tmp_path, forked):
    died = forked(fit, tmp_path, on_epoch=kill)
    died.join()
    assert died.exitcode == -signal.SIGKILL
    seen = []
    again = fit(tmp_path, on_epoch=lambda epoch, losses: seen.append(epoch))
    assert seen[0] == trainer.CHECKPOINT_EPOCHS
    assert_same(again, trained)


def work_one_after_the_other(work, workers, folder, on_epoch):
    """Calls the work as it arrives on each worker, without the processes of Ray Train."""
    for rank in reversed(range(workers)):
        arrived = ray.cloudpickle.loads(ray.cloudpickle.dumps(work))
        arrived(Worker(rank, torch.device("cpu"), on_epoch))


@pytest.mark.slow
def test_workers_share_the_members_and_change_nothing(trained, tmp_path, monkeypatch):
    """That Ray Train's workers do the work, even when one dies, is a law of flows."""
    monkeypatch.setattr(workers, "run_workers", work_one_after_the_other)
    seen = []
    shared = fit(
        tmp_path,
        learning=replace(BRIEF, workers=2),
        on_epoch=lambda epoch, losses: seen.append(epoch),
    )
    assert seen == list(range(BRIEF.max_epochs))
    assert shared.document["fingerprint"] == trained.document["fingerprint"]
    assert_same(shared, trained, rtol=1e-3, atol=1e-4)
