"""Training is a function of (seed, examples, options), whoever runs it, however often it dies."""

import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import ray
import torch
from torch import nn

from orrery.learning import loop, trainer
from orrery.learning.options import Training
from orrery.learning.training import ignore_member

pytestmark = pytest.mark.slow

COUNT, INPUTS, NOISE = 600, 4, 0.3
SLOPES = torch.tensor([[1.0], [-2.0], [0.5], [3.0]])
OPTIONS = Training(batch_size=64, learning_rate=0.1, weight_decay=0.0, max_epochs=25)


class SquaredError(nn.Module):
    """The squared error of a linear prediction, one number for each example."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(INPUTS, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x, y):
        return torch.squeeze((self.linear(x) - y) ** 2, 1)


@dataclass(frozen=True)
class Lines:
    """Points about a plane, with errors that are drawn anew in every epoch."""

    def __call__(self, epoch):
        x = np.random.default_rng(0).normal(size=(COUNT, INPUTS))
        error = NOISE * np.random.default_rng((1, epoch)).normal(size=(COUNT, 1))
        x, error = (
            torch.tensor(x, dtype=torch.float32),
            torch.tensor(error, dtype=torch.float32),
        )
        return x, x @ SLOPES + error


@dataclass(frozen=True)
class Kill:
    """Ends this process without a word when it is asked for an epoch, once."""

    epoch: int
    memory: Path

    def __call__(self, epoch):
        if epoch == self.epoch and not self.memory.exists():
            self.memory.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Lines()(epoch)


def task(folder, options=OPTIONS, seed=1, examples=None):
    examples = examples or Lines()
    return loop.TrainingTask(
        SquaredError(), examples, Lines()(10**6), options, seed, folder
    )


def learn(folder, options=OPTIONS, seed=1, on_epoch=None, examples=None):
    return loop.trained(task(folder, options, seed, examples), on_epoch)


def assert_same(one, other):
    assert one.curve == other.curve
    assert all(torch.equal(one.weights[k], other.weights[k]) for k in one.weights)


def test_it_finds_the_plane_and_the_noise(tmp_path):
    found = learn(tmp_path)
    torch.testing.assert_close(
        found.weights["linear.weight"], SLOPES.T, atol=0.06, rtol=0
    )
    assert min(found.curve.validation) == pytest.approx(NOISE**2, rel=0.15)


def test_the_same_seed_gives_the_same_weights(tmp_path):
    first = learn(tmp_path / "first")
    torch.manual_seed(99)  # the global generator has no say
    assert_same(first, learn(tmp_path / "second"))
    assert learn(tmp_path / "third", seed=2).curve != first.curve


def test_it_leaves_the_global_generator_and_the_threads_alone(tmp_path):
    module = SquaredError()
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    loop.trained(loop.TrainingTask(module, Lines(), Lines()(1), OPTIONS, 0, tmp_path))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_the_weights_are_those_of_the_best_epoch(tmp_path):
    found = learn(tmp_path)
    module = SquaredError()
    module.load_state_dict(found.weights)
    loss = module(*Lines()(10**6)).mean().item()
    assert loss == pytest.approx(min(found.curve.validation), rel=1e-5)
    assert found.curve.validation[found.curve.best] == min(found.curve.validation)


def test_steps_grow_first_and_then_fall_to_zero():
    sizes = np.array([loop._step_size(done) for done in np.linspace(0, 1, 1001)])
    top = round(1000 * loop.WARM_UP)
    assert sizes[[0, top, -1]] == pytest.approx([0, 1, 0], abs=1e-9)
    assert (np.diff(sizes[: top + 1]) > 0).all()
    assert (np.diff(sizes[top:]) < 0).all()
    assert np.abs(np.diff(sizes)).max() < 2 / top  # no jump


def test_the_step_size_is_a_function_of_the_share_of_the_training(tmp_path):
    # Without a gradient a step shrinks the weights by rate * weight_decay, and does
    # nothing else.
    options = replace(OPTIONS, weight_decay=0.5, max_epochs=7)
    module = nn.Sequential(SquaredError())
    nn.init.ones_(module[0].linear.weight)
    module.forward = lambda x, y: 0 * module[0](x, y)
    seen = []
    loop.trained(
        loop.TrainingTask(module, Lines(), Lines()(1), options, 0, tmp_path),
        lambda epoch, losses: seen.append(
            float(module[0].linear.weight.detach()[0, 0])
        ),
    )
    batches = COUNT // options.batch_size
    done = (np.arange(7 * batches) + 0.5) / (7 * batches)
    rates = options.learning_rate * np.array([loop._step_size(share) for share in done])
    expected = np.cumprod(1 - options.weight_decay * rates)[batches - 1 :: batches]
    assert seen == pytest.approx(expected, rel=1e-5)


def test_weight_decay_makes_the_weights_smaller(tmp_path):
    free, held = (
        learn(tmp_path / str(decay), replace(OPTIONS, weight_decay=decay))
        for decay in (0.0, 1.0)
    )
    assert held.weights["linear.weight"].norm() < free.weights["linear.weight"].norm()


def test_patience_ends_it(tmp_path):
    found = learn(tmp_path, replace(OPTIONS, max_epochs=500, patience=3))
    assert len(found.curve.validation) == found.curve.best + 4 < 500


def test_each_epoch_is_reported_once(tmp_path):
    seen = []
    found = learn(
        tmp_path, on_epoch=lambda epoch, losses: seen.append((epoch, dict(losses)))
    )
    assert [epoch for epoch, _ in seen] == list(range(len(found.curve.train)))
    assert tuple(losses["validation"] for _, losses in seen) == found.curve.validation


class AccidentError(Exception):
    """Something went wrong on the way."""


@pytest.mark.parametrize("reason", [AccidentError, KeyboardInterrupt])
def test_an_interrupted_training_continues_exactly(tmp_path, reason):
    def interrupt(epoch, losses):
        if epoch == 13:
            raise reason

    with pytest.raises(reason):
        learn(tmp_path / "twice", on_epoch=interrupt)
    seen = []
    twice = learn(tmp_path / "twice", on_epoch=lambda epoch, losses: seen.append(epoch))
    assert seen[0] == trainer.CHECKPOINT_EPOCHS
    assert_same(twice, learn(tmp_path / "once"))


def test_a_process_that_is_killed_where_there_is_no_ray_continues_exactly(
    tmp_path, forked
):
    killed = Kill(17, tmp_path / "killed")
    died = forked(learn, tmp_path / "run", examples=killed)
    died.join()
    assert died.exitcode == -signal.SIGKILL
    seen = []
    again = learn(tmp_path / "run", on_epoch=lambda epoch, losses: seen.append(epoch))
    assert seen[0] > 0  # from its last checkpoint
    assert_same(again, learn(tmp_path / "once"))


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("place", [0.02, 0.5, 0.98])
def test_a_damaged_result_is_told_and_reached_again(tmp_path, place, capsys):
    first = learn(tmp_path)
    flip(tmp_path / trainer.RESULT, place)
    assert_same(first, learn(tmp_path))
    assert f"{trainer.RESULT} is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"])
def test_a_damaged_checkpoint_is_told_and_no_weights_come_of_it(
    tmp_path, damage, capsys
):
    first = learn(tmp_path)
    (tmp_path / trainer.RESULT).unlink()
    checkpoint = tmp_path / trainer.CHECKPOINT
    match damage:
        case "flipped":
            flip(checkpoint, 0.4)
        case "cut":
            checkpoint.write_bytes(checkpoint.read_bytes()[:-7])
        case _:
            checkpoint.write_bytes(b"")
    seen = []
    again = learn(tmp_path, on_epoch=lambda epoch, losses: seen.append(epoch))
    assert seen[0] == 0
    assert_same(first, again)
    assert f"{trainer.CHECKPOINT} is damaged" in capsys.readouterr().err


def test_a_training_that_died_at_its_end_ends_there_again(tmp_path):
    options = replace(OPTIONS, max_epochs=20)
    first = learn(tmp_path, options)
    (tmp_path / trainer.RESULT).unlink()  # the last checkpoint is all that is left
    assert_same(learn(tmp_path, options), first)


def test_a_finished_training_is_read(tmp_path):
    first = learn(tmp_path)
    seen = []
    assert_same(first, learn(tmp_path, on_epoch=lambda *epoch: seen.append(epoch)))
    assert not seen


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [47, 50, 64, 200])
def test_workers_share_every_batch_of_the_same_order(count, workers):
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    alone = loop._shuffled(order, 48, 0, 1)
    shares = [loop._shuffled(order, 48, rank, workers) for rank in range(workers)]
    for batch, *parts in zip(alone, *shares, strict=True):
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        assert sorted(torch.cat(parts).tolist()) == sorted(batch.tolist())


def first_losses(folder, workers):
    """Returns what each worker makes small in the first step."""
    task = loop.TrainingTask(SquaredError(), Lines(), Lines()(1), OPTIONS, 0, folder)
    for rank in range(workers):
        module = loop._TrainedModule(task)
        module.trainer = SimpleNamespace(
            current_epoch=0, global_rank=rank, world_size=workers
        )
        batch, *_ = module.train_dataloader()
        yield module.training_step(batch, 0).item()


@pytest.mark.parametrize("workers", [2, 3, 5])  # which have shares of one size, and not
def test_losses_of_workers_average_to_that_of_the_batch(tmp_path, workers):
    (alone,) = first_losses(tmp_path, 1)
    shared = list(first_losses(tmp_path, workers))
    assert len(set(shared)) == workers
    assert np.mean(shared) == pytest.approx(alone, rel=1e-6)


def test_an_infinite_loss_is_an_error(tmp_path):
    with pytest.raises(FloatingPointError, match="learning_rate smaller than 1e"):
        learn(tmp_path, replace(OPTIONS, learning_rate=1e30))


def test_no_examples_are_too_few(tmp_path):
    empty = torch.zeros(0, INPUTS), torch.zeros(0, 1)
    with pytest.raises(ValueError, match="0 examples are too few"):
        loop.trained(
            loop.TrainingTask(SquaredError(), Lines(), empty, OPTIONS, 0, tmp_path)
        )


@pytest.mark.usefixtures("connected")
def test_ray_workers_take_the_same_steps_even_when_one_dies(tmp_path):
    # Workers cannot import this file by its name.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])

    def interrupt(epoch, losses):
        if epoch == 11:
            raise AccidentError

    # One begins, two go on, of which one dies in an epoch, and one ends it.
    with pytest.raises(AccidentError):
        learn(tmp_path / "shared", on_epoch=interrupt)
    seen = []
    two, killed = replace(OPTIONS, workers=2), Kill(14, tmp_path / "killed")
    before = task(tmp_path / "before", two, seed=2)
    loop.train_each(
        [before, task(tmp_path / "shared", two, examples=killed)],
        lambda number, epoch, losses: seen.append((number, epoch)),
    )
    assert (tmp_path / "killed").exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    every = range(OPTIONS.max_epochs)
    assert [each for each in seen if each[0] == 0] == [(0, epoch) for epoch in every]
    assert sorted({epoch for number, epoch in seen if number}) == list(every)[10:]
    assert_near(loop.trained(before), learn(tmp_path / "alone before", seed=2))
    (tmp_path / "shared" / trainer.RESULT).unlink()  # its last checkpoint is left
    again = []
    shared = learn(tmp_path / "shared", on_epoch=lambda epoch, _: again.append(epoch))
    assert again == list(range(20, OPTIONS.max_epochs))
    assert_near(shared, learn(tmp_path / "alone"))


def assert_near(shared, alone):
    """Two trainings took the same steps, but for the order in which workers add gradients."""
    np.testing.assert_allclose(shared.curve.train, alone.curve.train, rtol=1e-4)
    np.testing.assert_allclose(
        shared.curve.validation, alone.curve.validation, rtol=1e-4
    )
    for name, weights in alone.weights.items():
        torch.testing.assert_close(shared.weights[name], weights, rtol=1e-3, atol=1e-4)


def test_trainings_with_other_numbers_of_workers_are_not_mixed(tmp_path):
    tasks = [task(tmp_path / f"{n}", replace(OPTIONS, workers=n)) for n in (1, 2)]
    with pytest.raises(ValueError, match=r"with \[1, 2\] workers"):
        loop.train_each(tasks, ignore_member)
