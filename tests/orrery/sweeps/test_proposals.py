"""What is proposed follows from the seed, the trial's number and what was found before."""

import numpy as np
import pytest

from orrery.sweeps.proposals import FIRST_AT_RANDOM, Proposals, importance
from orrery.sweeps.space import Choice, Float, Int, Log, SearchSpace
from orrery.sweeps.trial import Goal, Trial

SPACE = SearchSpace(
    {
        "rate": Log(1e-3, 1.0),
        "width": Int(1, 9),
        "hidden": Choice(((8,), (8, 8), (4,))),
        "share": Float(0.0, 1.0),
    }
)
LOSS = (Goal("loss"),)


def loss(point):
    return (np.log10(point["rate"]) + 1) ** 2 + abs(point["width"] - 5) / 10


def ask(proposals, number):
    proposals.sampler.number = number
    asked = proposals.ask()
    return asked, proposals.point(asked.params)


def ended(number, point):
    return Trial(number, point, "finished", objectives={"loss": loss(point)})


def propose(count, seed=1, known=()):
    """Returns trials as a search proposes them, after those that are known."""
    proposals = Proposals(SPACE, LOSS, seed)
    for trial in known:
        proposals.add_known(trial)
    found = list(known)
    for number in range(len(known), count):
        asked, point = ask(proposals, number)
        found.append(ended(number, point))
        proposals.tell(asked, found[-1])
    return found


WHOLE = propose(24)


@pytest.mark.parametrize("known", [1, FIRST_AT_RANDOM, 15, 23])
def test_proposals_after_a_restart_are_those_without(known):
    assert propose(24, known=WHOLE[:known]) == WHOLE


def test_no_point_is_proposed_twice_and_another_seed_proposes_others():
    rates = {trial.point["rate"] for trial in WHOLE}
    assert len(rates) == 24
    assert not rates & {trial.point["rate"] for trial in propose(24, seed=2)}


def test_points_are_in_the_space():
    for trial in WHOLE:
        assert 1e-3 <= trial.point["rate"] <= 1.0
        assert trial.point["width"] in range(1, 10)
        assert trial.point["hidden"] in ((8,), (8, 8), (4,))
        assert 0 <= trial.point["share"] <= 1
    assert len({trial.point["hidden"] for trial in WHOLE}) == 3


def test_what_was_found_decides_what_is_tried():
    early = np.mean([loss(trial.point) for trial in WHOLE[:FIRST_AT_RANDOM]])
    late = np.mean([loss(trial.point) for trial in WHOLE[FIRST_AT_RANDOM:]])
    assert late < early / 2


def test_an_interrupted_trial_is_asked_for_first():
    proposals = Proposals(SPACE, LOSS, 1)
    for trial in WHOLE[:3]:
        proposals.add_known(trial)
    proposals.add_first(WHOLE[7].point)
    proposals.add_first(WHOLE[5].point)
    points = [ask(proposals, number)[1] for number in (7, 5, 3)]
    assert points[:2] == [WHOLE[7].point, WHOLE[5].point]
    assert points[2] == WHOLE[3].point  # at random: its number alone decides it


def test_trials_under_way_are_not_tried_twice():
    proposals = Proposals(SPACE, LOSS, 1)
    for trial in WHOLE[:20]:
        proposals.add_known(trial)
    rates = [ask(proposals, number)[1]["rate"] for number in range(20, 26)]
    assert len({*rates}) == 6


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_where_points_are_few_none_is_proposed_twice(seed):
    space = SearchSpace({"width": Int(1, 6), "kind": Choice(("a", "b", "c", "d"))})
    proposals = Proposals(space, LOSS, seed)
    points = []
    for number in range(24):
        asked, point = ask(proposals, number)
        found = {"loss": abs(point["width"] - 3.0)}
        proposals.tell(asked, Trial(number, point, "finished", objectives=found))
        assert point not in points
        points.append(point)


def test_where_all_points_are_known_one_of_them_is_proposed_again():
    space = SearchSpace({"width": Int(1, 2), "kind": Choice(("a", "b"))})
    proposals = Proposals(space, LOSS, 1)
    for number in range(12):
        asked, point = ask(proposals, number)
        found = {"loss": float(point["width"])}
        proposals.tell(asked, Trial(number, point, "finished", objectives=found))
    assert ask(proposals, 12)[1]["width"] in (1, 2)


def test_a_failed_trial_teaches_nothing():
    failed = [Trial(i, trial.point, "failed") for i, trial in enumerate(WHOLE[:12])]
    proposals = Proposals(SPACE, LOSS, 1)
    for trial in failed:
        proposals.add_known(trial)
    assert ask(proposals, 12)[1] == ask(Proposals(SPACE, LOSS, 1), 12)[1]  # at random


def test_several_goals_are_told_in_their_directions():
    goals = (Goal("p", "larger"), Goal("seconds"))
    proposals = Proposals(SPACE, goals, 1)
    asked, point = ask(proposals, 0)
    found = Trial(0, point, "finished", objectives={"seconds": 3.0, "p": 2.0})
    proposals.tell(asked, found)
    proposals.add_known(found)
    one, two = proposals.study.trials
    assert one.values == two.values == [2.0, 3.0]
    assert [d.name for d in proposals.study.directions] == ["MAXIMIZE", "MINIMIZE"]


@pytest.mark.slow
def test_what_matters_is_important():
    random = np.random.default_rng(1)
    points = [
        {
            "rate": 10 ** random.uniform(-3, 0),
            "width": int(random.integers(1, 10)),
            "hidden": SPACE.domains["hidden"].values[random.integers(3)],
            "share": random.uniform(),
        }
        for _ in range(200)
    ]
    trials = [ended(i, point) for i, point in enumerate(points)]
    found = importance(SPACE, LOSS[0], trials)
    assert sum(found.values()) == pytest.approx(1)
    assert found["rate"] > 0.7
    assert max(found["hidden"], found["share"]) < 0.1


def test_few_trials_tell_of_no_importance():
    with pytest.raises(ValueError, match="3 finished trials"):
        importance(SPACE, LOSS[0], WHOLE[:3])
