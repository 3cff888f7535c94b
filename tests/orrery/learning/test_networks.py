"""Networks computed as one give what each would give alone."""

import math

import pytest
import torch
from torch.nn.functional import linear, relu

from orrery.learning import networks
from orrery.learning.options import Networks

WIDTHS = (7, 6, 4, 2, 1)


def examples(count, seed, inputs=7, outputs=1):
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(count, inputs, generator=random)
    return x, torch.tanh(x[:, :outputs]) + x[:, 1 : 1 + outputs] ** 2 / 2


INPUTS = examples(200, 2)[0]


def drawn(numbers, widths=WIDTHS, seed=3):
    attempts = dict.fromkeys(numbers, 0)
    return networks.initialise_members(widths, seed, attempts, INPUTS)[0]


@pytest.mark.parametrize("widths", [WIDTHS, (7, 3, 2), (7, 1)])
def test_outputs_are_those_of_networks_one_by_one(widths):
    network = drawn(range(5), widths)
    together = network.predict(INPUTS)
    assert together.shape == (5, widths[-1], 200)
    for number in range(5):
        single = reference(alone(network, number), INPUTS)
        torch.testing.assert_close(together[number].T, single, rtol=1e-4, atol=1e-5)


def test_rows_are_predicted_the_same_in_any_portions(monkeypatch):
    network = drawn(range(5))
    whole = network.predict(INPUTS)
    monkeypatch.setattr(networks, "ROWS_AT_ONCE", 33)
    torch.testing.assert_close(network.predict(INPUTS), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("widths", [WIDTHS, (7, 5, 2), (7, 1)])
def test_gradients_are_those_of_autograd(widths):
    x, y = examples(64, 4, outputs=widths[-1])
    network = drawn(range(3), widths)
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


def test_collapsed_first_weights_are_drawn_again_whoever_else_is_there():
    narrow = (7, 2, 1, 1, 1)
    _, needed = networks.initialise_members(
        narrow, 0, dict.fromkeys(range(30), 0), INPUTS
    )
    assert sum(needed) > 5
    worst = needed.index(max(needed))
    network, again = networks.initialise_members(narrow, 0, {worst: 0}, INPUTS)
    assert again == [needed[worst]]
    later, skipped = networks.initialise_members(
        narrow, 0, {worst: needed[worst]}, INPUTS
    )
    assert skipped == again
    assert torch.equal(later.weights[0], network.weights[0])


def test_members_that_stay_collapsed_are_an_error():
    same = torch.ones(50, 7)
    with pytest.raises(ValueError, match="member 4 collapsed 100 times"):
        networks.initialise_members(WIDTHS, 0, {4: 0}, same)


def test_first_weights_have_the_variance_of_glorot():
    network, _ = networks.initialise_members(
        (40, 30, 1), 0, dict.fromkeys(range(50), 0), examples(9, 0, 40)[0]
    )
    assert network.weights[0].std() == pytest.approx(math.sqrt(2 / 70), rel=0.01)
    assert not network.biases[0].any()


def alone(network, number):
    """Returns the layers of one member."""
    pairs = zip(network.weights, network.biases, strict=True)
    return [(weight[number], bias[number, :, 0]) for weight, bias in pairs]


def reference(layers, x):
    for weight, bias in layers[:-1]:
        x = relu(linear(x, weight, bias))
    return linear(x, *layers[-1])


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"members": 0}, "members=0"),
        ({"hidden": (3, 0)}, r"\(3, 0\)"),
        ({"first": -1}, "first=-1"),
    ],
)
def test_impossible_networks_are_refused(choice, message):
    with pytest.raises(ValueError, match=message):
        Networks(**choice)
