"""How much several options together change a score, with an error and what seeds alone give."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from orrery.parameters import generator
from orrery.sweeps.proposals import main_effects
from orrery.sweeps.space import SearchSpace
from orrery.sweeps.trial import FEWEST_COMPARED, Goal, Trial

GROUPS = (
    6  # of trials, each of which is left out once; and orders in which scores are dealt
)
_SEED = 0  # of these orders


@dataclass(frozen=True)
class Effect:
    """By how much some options change a score.

    Arguments:
        value: The standard deviation of the score that they make, in its unit.
        error: Its standard error.
        by_seeds: What would be found on average if nothing mattered but seeds.

    Example:
        >>> Effect(0.06, 0.01, 0.02).value
        0.06
    """

    value: float
    error: float
    by_seeds: float


def joint_effect(
    space: SearchSpace,
    goal: Goal,
    trials: Sequence[Trial],
    paths: Sequence[str],
    scatter: float,
) -> Effect:
    """Returns by how much some options change a score, each alone, added in quadrature.

    The error is that of a jackknife which leaves out one group of trials after the
    other (Shao & Wu 1989, doi:10.1214/aos/1176347263).

    Arguments:
        space: What was varied.
        goal: The score.
        trials: Those of a sweep; finished ones count.
        paths: The options.
        scatter: The standard deviation of one trial's scores over its seeds.

    Raises:
        ValueError: If fewer than four have finished, or a path was not varied.
    """
    unknown = sorted(set(paths) - set(space.domains))
    if unknown:
        raise ValueError(
            f"{unknown} were not varied: choose from {list(space.domains)}"
        )
    finished = [trial for trial in trials if trial.state == "finished"]
    groups = min(GROUPS, len(finished))
    left = [
        [trial for i, trial in enumerate(finished) if i % groups != group]
        for group in range(groups)
    ]
    dealt = [_dealt(finished, goal, number) for number in range(groups)]
    without = np.array(
        [
            _effect(space, goal, some, paths)
            for some in left
            if len(some) >= FEWEST_COMPARED
        ]
    )
    # scores dealt at random scatter as these do; seeds' own scatter is smaller
    chance = np.mean([_effect(space, goal, some, paths) for some in dealt])
    spread = np.std([trial.objectives[goal.name] for trial in finished])
    return Effect(
        _effect(space, goal, finished, paths),
        float(np.sqrt((groups - 1) * without.var())) if len(without) else float("nan"),
        float(chance * scatter / spread),
    )


def _effect(
    space: SearchSpace, goal: Goal, trials: Sequence[Trial], paths: Sequence[str]
) -> float:
    alone = main_effects(space, goal, trials)
    return float(np.sqrt(sum(alone[path] ** 2 for path in paths)))


def _dealt(trials: Sequence[Trial], goal: Goal, number: int) -> list[Trial]:
    """Returns trials whose scores are each another's."""
    order = generator(_SEED, number).permutation(len(trials))
    scores = [trials[i].objectives[goal.name] for i in order]
    return [
        replace(trial, objectives={goal.name: score})
        for trial, score in zip(trials, scores, strict=True)
    ]
