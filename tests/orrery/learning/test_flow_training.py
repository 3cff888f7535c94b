"""Flows learn in single precision: what that cannot tell is refused, not answered."""

import numpy as np
import pytest

from orrery.learning.flow_training import FlowPlan
from orrery.learning.options import Flow, Training
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter


def plan(theta, x, error=0.0, **bounds):
    pairs = Pairs(theta[:, np.newaxis], x[:, np.newaxis])
    splits = Splits(pairs, pairs, pairs, ("k",), ("pull",), ("",), "here", "toy", 0)
    parameters = (Parameter("k", "", "k", **bounds),)
    return FlowPlan(splits, parameters, np.eye(1) * error**2, Flow(), Training(), 1)


SPREAD = np.random.default_rng(1).normal(size=300)


@pytest.mark.parametrize(
    "numbers",
    [
        SPREAD + 1e7,  # rounded to whole numbers
        SPREAD + 2_460_000.5,  # such as Julian dates
        SPREAD * 1e-20,
        SPREAD * 1e36,  # whose sum is infinite
        SPREAD * 1e-10 + 1,
    ],
)
def test_numbers_that_single_precision_loses_are_refused(numbers):
    with pytest.raises(ValueError, match=r"'pull' varies by .* in single precision"):
        plan(SPREAD, numbers).check()
    with pytest.raises(ValueError, match=r"'k' varies by .* in single precision"):
        plan(numbers, SPREAD).check()


@pytest.mark.parametrize("size", [2e-7, 1.0, 1e12, 1e30])
def test_any_other_unit_is_learned_in(size):
    plan(SPREAD * size + 1000 * size, SPREAD * size - 1000 * size).check()


def test_what_does_not_vary_is_learned_nothing_from():
    constant = np.full(300, 2_460_000.5)
    plan(SPREAD, constant).check()
    plan(SPREAD, constant + np.spacing(constant) * (SPREAD > 0)).check()
    # an error makes it vary, by as much as single precision rounds
    with pytest.raises(ValueError, match=r"'pull' varies by 0\.1 about 2\.46e"):
        plan(SPREAD, constant, error=0.1).check()
    plan(SPREAD, constant, error=100.0).check()


def test_a_parameter_between_two_bounds_is_learned_as_its_place_there():
    inside = np.clip(SPREAD, -3, 3)
    plan(inside + 1e7, SPREAD, lower=1e7 - 4, upper=1e7 + 4).check()
