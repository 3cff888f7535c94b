"""Members of a batch do not know each other, and learn as autograd says."""

import math
from dataclasses import replace

import pytest
import torch

from orrery.learning import members, networks
from orrery.learning.members import Cohort
from orrery.learning.networks import Dense
from orrery.learning.options import Learning

WIDTHS = (7, 6, 4, 2, 1)
OPTIONS = Learning(batch_size=32, max_epochs=8, patience=50)


def examples(count, seed, inputs=7, outputs=1):
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(count, inputs, generator=random)
    return x, torch.tanh(x[:, :outputs]) + x[:, 1 : 1 + outputs] ** 2 / 2


TRAIN, VALIDATION = examples(500, 1), examples(200, 2)


def cohort(
    numbers, widths=WIDTHS, options=OPTIONS, seed=3, train=TRAIN, validation=VALIDATION
):
    attempts = dict.fromkeys(numbers, 0)
    network, needed = networks.initialise_members(widths, seed, attempts, validation[0])
    return Cohort([*numbers], needed, network, train, validation, options, seed)


def learned(numbers, epochs=8, **choices):
    one = cohort(numbers, **choices)
    for epoch in range(epochs):
        if not one.ended:
            one.learn(epoch)
    return one.reached


def test_a_member_alone_is_the_same_as_in_a_batch():
    batch, one = learned(range(8)), learned([3])
    for together, single in zip(batch.weights, one.weights, strict=True):
        torch.testing.assert_close(together[3], single[0], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(
        batch.validation[:, 3], one.validation[:, 0], rtol=1e-3, atol=1e-4
    )


def test_members_and_seeds_differ():
    batch = learned(range(4), epochs=1)
    losses = torch.cat([batch.loss, learned([0], epochs=1, seed=9).loss])
    assert len(losses.unique()) == 5


def test_the_order_of_members_permutes_their_networks():
    forwards, backwards = learned(range(4)), learned([3, 2, 1, 0])
    for one, other in zip(forwards.weights, backwards.weights, strict=True):
        torch.testing.assert_close(one, other.flip(0), rtol=1e-3, atol=1e-4)
    order = [backwards.numbers, members.joined([backwards]).numbers]
    assert order == [[3, 2, 1, 0], [0, 1, 2, 3]]


def test_each_member_keeps_the_weights_of_its_best_epoch():
    reached = learned(range(6), epochs=20, options=replace(OPTIONS, learning_rate=0.03))
    best = reached.validation.nan_to_num(nan=math.inf).min(dim=0)
    torch.testing.assert_close(reached.loss, best.values)
    assert reached.epoch.tolist() == best.indices.tolist()
    assert len(reached.epoch.unique()) > 1
    outputs = reached.network.predict(VALIDATION[0])
    errors = (outputs - VALIDATION[1].T).square().mean(dim=(1, 2))
    torch.testing.assert_close(errors, reached.loss, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_member_ends_after_its_patience_and_the_others_go_on_undisturbed():
    impatient = replace(OPTIONS, learning_rate=0.03, patience=2)
    reached = learned(range(6), epochs=60, options=impatient)
    free = learned(range(6), epochs=60, options=replace(impatient, patience=1000))
    lengths = (~reached.validation.isnan()).sum(dim=0)
    assert lengths.tolist() == (reached.epoch + 3).tolist()
    assert len(lengths.unique()) > 1
    for member, length in enumerate(lengths.tolist()):
        same = reached.validation[:length, member], free.validation[:length, member]
        torch.testing.assert_close(*same, rtol=1e-2, atol=1e-3)
        assert reached.validation[length:, member].isnan().all()


@pytest.mark.slow
def test_a_cohort_continues_from_its_state():
    options = replace(OPTIONS, learning_rate=0.03, patience=2)
    straight, first = (
        cohort(range(4), options=options),
        cohort(range(4), options=options),
    )
    for epoch in range(7):
        first.learn(epoch)
    second = cohort(range(4), options=options)
    second.restore(first.state())
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    for epoch in range(12):
        straight.learn(epoch)
        if epoch >= 7:
            second.learn(epoch)
    assert len(straight.active) < 4
    for one, other in zip(
        straight.reached.weights, second.reached.weights, strict=True
    ):
        assert torch.equal(one, other)
    assert torch.equal(straight.reached.epoch, second.reached.epoch)


def collapsed(network, number):
    """Switches a member's last hidden layer off."""
    network.weights[-2][number] = 0
    network.biases[-2][number] = -1


def test_a_constant_output_is_collapsed():
    network = cohort(range(4)).network
    assert not networks.is_constant(network.predict(VALIDATION[0])).any()
    collapsed(network, 2)
    found = networks.is_constant(network.predict(VALIDATION[0]))
    assert found.tolist() == [False, False, True, False]


def test_a_collapsed_member_ends_early_and_the_others_learn_as_without_it():
    one, other = cohort(range(4)), cohort(range(4))
    collapsed(one.network, 2)
    for epoch in range(8):
        one.learn(epoch)
        other.learn(epoch)
    assert one.reached.constant.tolist() == [False, False, True, False]
    assert (~one.reached.validation[:, 2].isnan()).sum() == members.WARMUP_EPOCHS
    rest = [0, 1, 3]
    for mine, theirs in zip(one.reached.weights, other.reached.weights, strict=True):
        torch.testing.assert_close(mine[rest], theirs[rest], rtol=1e-3, atol=1e-4)


def test_a_loss_that_is_not_finite_is_an_error():
    one = cohort(range(2), options=replace(OPTIONS, learning_rate=1e30))
    with pytest.raises(FloatingPointError, match="learning_rate smaller than 1e"):
        one.learn(0)


def test_the_global_generator_is_left_alone():
    state = torch.get_rng_state()
    learned(range(2), epochs=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_cohorts_of_different_length_are_joined():
    short, long = learned([5], epochs=2), learned([1, 7], epochs=4)
    whole = members.joined([short, long])
    assert whole.numbers == [1, 5, 7]
    assert whole.train.shape == (4, 3)
    assert whole.train[:, 1].isnan().tolist() == [False, False, True, True]
    assert isinstance(whole.network, Dense)
    assert torch.equal(whole.weights[0][1], short.weights[0][0])


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"learning_rate": -1.0}, "learning_rate=-1"),
        ({"patience": 0}, "patience=0"),
        ({"workers": -1}, "workers=-1"),
    ],
)
def test_impossible_options_are_refused(choice, message):
    with pytest.raises(ValueError, match=message):
        Learning(**choice)
