"""An effect of several options: its size is that of the score they make, beside chance's."""

import numpy as np
import pytest

from orrery.sweeps import effects
from orrery.sweeps.effects import joint_effect
from orrery.sweeps.proposals import main_effects
from orrery.sweeps.space import Float, Int, Log, SearchSpace
from orrery.sweeps.trial import Goal, Trial

pytestmark = pytest.mark.slow

SPACE = SearchSpace(
    {"width": Int(1, 9), "depth": Float(0.0, 1.0), "rate": Float(0.0, 1.0)}
)
GOAL = Goal("score", "larger")
SHAPE = ("width", "depth")


NOISE = 0.01


def trials(score, count=20):
    random = np.random.default_rng(1)
    found = []
    for number in range(count):
        point = {
            "width": int(random.integers(1, 10)),
            "depth": random.uniform(),
            "rate": random.uniform(),
        }
        value = score(point) + NOISE * random.normal()
        found.append(Trial(number, point, "finished", objectives={"score": value}))
    return found


def both(point):
    return 0.05 * point["width"] + 0.3 * point["depth"]


@pytest.fixture(scope="module")
def of_both():
    return joint_effect(SPACE, GOAL, trials(both), SHAPE)


def test_effects_of_several_options_add_in_quadrature(of_both):
    wanted = np.hypot(0.05 * np.std(range(1, 10)), 0.3 / np.sqrt(12))
    assert of_both.value == pytest.approx(wanted, rel=0.25)
    assert abs(of_both.value - wanted) < 3 * of_both.error
    assert of_both.error < 0.3 * of_both.value


def test_what_matters_is_larger_than_what_chance_gives(of_both):
    assert of_both.value > of_both.by_chance + 3 * of_both.chance_scatter
    assert of_both.chance_scatter > 0


@pytest.fixture(scope="module")
def nothing():
    return joint_effect(SPACE, GOAL, trials(lambda point: 0.0), SHAPE)


def test_what_does_not_matter_has_the_effect_that_chance_gives(nothing):
    distance = abs(nothing.value - nothing.by_chance)
    assert distance < 3 * nothing.chance_scatter


def test_chance_is_beside_what_other_options_do(nothing):
    # what the rate does is in the score, and the shape is found to do some of it
    def of_rate(point):
        return 0.5 * point["rate"]

    by_rate = joint_effect(SPACE, GOAL, trials(of_rate), SHAPE)
    assert by_rate.by_chance > 1.5 * nothing.by_chance
    assert abs(by_rate.value - by_rate.by_chance) < 3 * by_rate.chance_scatter


def test_an_exchange_keeps_scores_other_options_and_what_belongs_together():
    some = trials(both)
    for number in range(3):
        other = effects._exchanged(some, SHAPE, number)
        for before, after in zip(some, other, strict=True):
            assert after.objectives == before.objectives
            assert after.point["rate"] == before.point["rate"]
        pairs, exchanged = (
            [tuple(trial.point[path] for path in SHAPE) for trial in found]
            for found in (some, other)
        )
        assert exchanged != pairs
        assert sorted(exchanged) == sorted(pairs)


@pytest.mark.parametrize("domain", [Log(1e-3, 1.0), Int(1, 1000, log=True)])
def test_options_drawn_by_their_ratios_have_the_effect_of_their_ratios(domain):
    # the lower third of the decades matters, of which differences would be a hundredth
    random = np.random.default_rng(1)
    found, steps = [], []
    for number in range(60):
        value = domain.low * (domain.high / domain.low) ** random.uniform()
        value = round(value) if isinstance(domain, Int) else value
        point = {"rate": value, "other": random.uniform()}
        steps.append(1.0 if value < 10 * domain.low else 0.0)
        score = {"score": steps[-1] + point["other"]}
        found.append(Trial(number, point, "finished", objectives=score))
    space = SearchSpace({"rate": domain, "other": Float(0.0, 1.0)})
    effects = main_effects(space, GOAL, found)
    assert effects["rate"] == pytest.approx(np.std(steps), rel=0.15)
    assert effects["other"] == pytest.approx(1 / np.sqrt(12), rel=0.15)


def test_failed_trials_do_not_count():
    some = trials(both, count=6)
    failed = Trial(40, {"width": 1, "depth": 0.5, "rate": 0.1}, "failed", reason="no")
    found = joint_effect(SPACE, GOAL, some, SHAPE)
    assert joint_effect(SPACE, GOAL, [*some, failed], SHAPE) == found


def test_four_trials_have_an_effect_without_an_error():
    few = joint_effect(SPACE, GOAL, trials(both, count=4), ("width",))
    assert np.isfinite(few.value)
    assert np.isnan(few.error)


def test_what_was_not_varied_is_refused():
    with pytest.raises(ValueError, match="'heads'"):
        joint_effect(SPACE, GOAL, trials(both), ("heads",))
