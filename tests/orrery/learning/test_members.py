"""Members of a batch do not know each other, and learn as autograd says."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import linear, relu

from orrery.learning import members
from orrery.learning.members import Cohort, Dense, Learning, Networks

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
    network, needed = members.initialise_members(widths, seed, attempts, validation[0])
    return Cohort([*numbers], needed, network, train, validation, options, seed)


def learned(numbers, epochs=8, **choices):
    one = cohort(numbers, **choices)
    for epoch in range(epochs):
        if not one.ended:
            one.learn(epoch)
    return one.reached


def alone(network, number):
    """Returns the layers of one member."""
    pairs = zip(network.weights, network.biases, strict=True)
    return [(weight[number], bias[number, :, 0]) for weight, bias in pairs]


def reference(layers, x):
    for weight, bias in layers[:-1]:
        x = relu(linear(x, weight, bias))
    return linear(x, *layers[-1])


@pytest.mark.parametrize("widths", [WIDTHS, (7, 3, 2), (7, 1)])
def test_outputs_are_those_of_networks_one_by_one(widths):
    network = cohort(range(5), widths).network
    together = network.predict(VALIDATION[0])
    assert together.shape == (5, widths[-1], 200)
    for number in range(5):
        single = reference(alone(network, number), VALIDATION[0])
        torch.testing.assert_close(together[number].T, single, rtol=1e-4, atol=1e-5)


def test_rows_are_predicted_the_same_in_any_portions(monkeypatch):
    network = cohort(range(5)).network
    whole = network.predict(VALIDATION[0])
    monkeypatch.setattr(members, "ROWS_AT_ONCE", 33)
    torch.testing.assert_close(
        network.predict(VALIDATION[0]), whole, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("widths", [WIDTHS, (7, 5, 2), (7, 1)])
def test_gradients_are_those_of_autograd(widths):
    x, y = examples(64, 4, outputs=widths[-1])
    network = cohort(range(3), widths).network
    squares = network.descend(x, y)
    for number in range(3):
        layers = [
            (weight.clone().requires_grad_(), bias.clone().requires_grad_())
            for weight, bias in alone(network, number)
        ]
        error = (reference(layers, x) - y).square()
        error.mean().backward()
        torch.testing.assert_close(squares[number], error.sum(), rtol=1e-4, atol=1e-4)
        for i, (weight, bias) in enumerate(layers):
            found = (
                network.weights[i].grad[number],
                network.biases[i].grad[number, :, 0],
            )
            torch.testing.assert_close(found[0], weight.grad, rtol=1e-3, atol=1e-5)
            torch.testing.assert_close(found[1], bias.grad, rtol=1e-3, atol=1e-5)


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


def test_a_constant_output_is_dead():
    network = cohort(range(4)).network
    assert not members.is_constant(network.predict(VALIDATION[0])).any()
    collapsed(network, 2)
    found = members.is_constant(network.predict(VALIDATION[0]))
    assert found.tolist() == [False, False, True, False]


def test_a_dead_member_ends_early_and_the_others_learn_as_without_it():
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


def test_the_stillborn_are_drawn_again_whoever_else_is_there():
    narrow = (7, 2, 1, 1, 1)
    _, needed = members.initialise_members(
        narrow, 0, dict.fromkeys(range(30), 0), VALIDATION[0]
    )
    assert sum(needed) > 5
    worst = needed.index(max(needed))
    network, again = members.initialise_members(narrow, 0, {worst: 0}, VALIDATION[0])
    assert again == [needed[worst]]
    later, skipped = members.initialise_members(
        narrow, 0, {worst: needed[worst]}, VALIDATION[0]
    )
    assert skipped == again
    assert torch.equal(later.weights[0], network.weights[0])


def test_members_that_stay_dead_are_an_error():
    same = torch.ones(50, 7)
    with pytest.raises(ValueError, match="member 4 died 100 times"):
        members.initialise_members(WIDTHS, 0, {4: 0}, same)


def test_first_weights_have_the_variance_of_glorot():
    network, _ = members.initialise_members(
        (40, 30, 1), 0, dict.fromkeys(range(50), 0), examples(9, 0, 40)[0]
    )
    assert network.weights[0].std() == pytest.approx(math.sqrt(2 / 70), rel=0.01)
    assert not network.biases[0].any()


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
    ("kind", "choice", "message"),
    [
        (Networks, {"members": 0}, "members=0"),
        (Networks, {"hidden": (3, 0)}, r"\(3, 0\)"),
        (Networks, {"first": -1}, "first=-1"),
        (Learning, {"batch_size": 0}, "batch_size=0"),
        (Learning, {"learning_rate": -1.0}, "learning_rate=-1"),
        (Learning, {"patience": 0}, "patience=0"),
        (Learning, {"workers": -1}, "workers=-1"),
    ],
)
def test_impossible_options_are_refused(kind, choice, message):
    with pytest.raises(ValueError, match=message):
        kind(**choice)
