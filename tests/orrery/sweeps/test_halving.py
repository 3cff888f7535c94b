"""Successive halving: of so many trials that came as far, one goes on."""

import itertools

import pytest

from orrery.sweeps.halving import Halving, stops_early
from orrery.sweeps.trial import Goal, Trial

LOSS = Goal("loss")


def curve(*losses):
    return tuple({"loss": loss} for loss in losses)


def test_rungs_are_a_factor_apart():
    halving = Halving(first=3, factor=2)
    assert [r for r in range(1, 30) if halving.is_rung(r)] == [3, 6, 12, 24]


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_one_of_factor_goes_on(factor):
    halving = Halving(1, factor)
    losses = [float(loss) for loss in range(60)]
    on = [
        one
        for one in losses
        if halving.goes_on(one, [x for x in losses if x != one], LOSS)
    ]
    assert on == losses[: 60 // factor]


def test_the_first_there_goes_on_and_the_best_always_does():
    halving = Halving(1, 3)
    assert halving.goes_on(9.0, [], LOSS)
    for others in itertools.permutations((1.0, 2.0, 3.0)):
        assert halving.goes_on(0.5, others, LOSS)
        assert not halving.goes_on(3.5, others, LOSS)


def test_more_may_be_better():
    assert Halving(1, 2).goes_on(3.0, [1.0], Goal("p", "larger"))
    assert not Halving(1, 2).goes_on(0.5, [1.0], Goal("p", "larger"))


def test_a_trial_is_compared_with_others_as_they_were_there():
    halving = Halving(first=2, factor=2)
    good = Trial(0, {}, "finished", curve(9, 1.0, 5.0))
    early = Trial(1, {}, "running", curve(0.1))
    before = Trial(2, {}, "running", curve(9, 0.5, 0.5))  # the same trial, begun again
    bad = Trial(2, {}, "running", curve(0.1, 2.0))
    assert stops_early(halving, LOSS, bad, [good, early, before])
    fine = Trial(2, {}, "running", curve(10.0, 0.9))
    assert not stops_early(halving, LOSS, fine, [good, early, before])
    between = Trial(2, {}, "running", curve(9, 9, 9))
    assert not stops_early(halving, LOSS, between, [good, early, before])


@pytest.mark.parametrize("wrong", [{"first": 0}, {"factor": 1}])
def test_halving_that_stops_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="needs first from 1"):
        Halving(**wrong)
