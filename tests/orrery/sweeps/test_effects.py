"""An effect of several options: its size is that of the score they make, beside that of seeds."""

import numpy as np
import pytest

from orrery.sweeps.effects import joint_effect
from orrery.sweeps.space import Float, Int, SearchSpace
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
    return joint_effect(SPACE, GOAL, trials(both), SHAPE, scatter=NOISE)


def test_effects_of_several_options_add_in_quadrature(of_both):
    wanted = np.hypot(0.05 * np.std(range(1, 10)), 0.3 / np.sqrt(12))
    assert of_both.value == pytest.approx(wanted, rel=0.25)
    assert abs(of_both.value - wanted) < 3 * of_both.error
    assert of_both.error < 0.3 * of_both.value


def test_what_matters_is_larger_than_what_seeds_give(of_both):
    assert of_both.value > 5 * of_both.by_seeds > 0


def test_where_only_seeds_matter_their_effect_is_found():
    nothing = trials(lambda point: 0.0)
    found = joint_effect(SPACE, GOAL, nothing, SHAPE, scatter=NOISE)
    assert found.value < 2 * found.by_seeds


def test_failed_trials_do_not_count():
    some = trials(both, count=6)
    failed = Trial(40, {"width": 1, "depth": 0.5, "rate": 0.1}, "failed", reason="no")
    found = joint_effect(SPACE, GOAL, some, SHAPE, NOISE)
    assert joint_effect(SPACE, GOAL, [*some, failed], SHAPE, NOISE) == found


def test_four_trials_have_an_effect_without_an_error():
    few = joint_effect(SPACE, GOAL, trials(both, count=4), ("width",), NOISE)
    assert np.isfinite(few.value)
    assert np.isnan(few.error)


def test_what_was_not_varied_is_refused():
    with pytest.raises(ValueError, match="'heads'"):
        joint_effect(SPACE, GOAL, trials(both), ("heads",), NOISE)
