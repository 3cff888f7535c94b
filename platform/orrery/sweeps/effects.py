"""How much several options together change a score, with an error and what chance alone gives."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from orrery.parameters import generator
from orrery.sweeps.proposals import main_effects
from orrery.sweeps.space import SearchSpace
from orrery.sweeps.trial import FEWEST_COMPARED, Goal, Trial

VERSION = 2  # of joint effects; raised whenever their numbers change
VERSIONS_OF_EFFECTS = {"effects": VERSION}

GROUPS = 6  # of trials, each of which is left out once
EXCHANGES = 12  # of some options' values among the trials
_SEED = 0  # of these exchanges


@dataclass(frozen=True)
class Effect:
    """By how much some options change a score.

    Arguments:
        value: The standard deviation of the score that they make, in its unit.
        error: Its standard error.
        by_chance: What would be found on average if these options did not matter, and
            all others as they do.
        chance_scatter: The standard deviation of what would then be found.

    Example:
        >>> Effect(0.06, 0.01, 0.02, 0.005).value
        0.06
    """

    value: float
    error: float
    by_chance: float
    chance_scatter: float


def joint_effect(
    space: SearchSpace,
    goal: Goal,
    trials: Sequence[Trial],
    paths: Sequence[str],
) -> Effect:
    """Returns by how much some options change a score, each alone, added in quadrature.

    The error is that of a jackknife which leaves out one group of trials after the
    other (Shao & Wu 1989, doi:10.1214/aos/1176347263). What chance gives is found by
    exchanging the values of these options among the trials, all else as it was: a
    permutation test (Good 2005, doi:10.1007/b138696).

    Arguments:
        space: What was varied.
        goal: The score.
        trials: Those of a sweep; finished ones count.
        paths: The options.

    Raises:
        ValueError: If fewer than four have finished, or a path was not varied.
    """
    unknown = sorted(set(paths) - set(space.domains))
    if unknown:
        raise ValueError(
            f"{unknown} were not varied: choose from {list(space.domains)}"
        )
    finished = [trial for trial in trials if trial.state == "finished"]
    chance = [
        _effect(space, goal, _exchanged(finished, paths, number), paths)
        for number in range(EXCHANGES)
    ]
    return Effect(
        _effect(space, goal, finished, paths),
        _jackknife(space, goal, finished, paths),
        float(np.mean(chance)),
        float(np.std(chance, ddof=1)),
    )


def _jackknife(
    space: SearchSpace, goal: Goal, trials: Sequence[Trial], paths: Sequence[str]
) -> float:
    """Returns the standard error of an effect; NaN of too few trials."""
    groups = min(GROUPS, len(trials))
    left = [
        [trial for i, trial in enumerate(trials) if i % groups != group]
        for group in range(groups)
    ]
    without = np.array(
        [
            _effect(space, goal, some, paths)
            for some in left
            if len(some) >= FEWEST_COMPARED
        ]
    )
    return (
        float(np.sqrt((groups - 1) * without.var())) if len(without) else float("nan")
    )


def _effect(
    space: SearchSpace, goal: Goal, trials: Sequence[Trial], paths: Sequence[str]
) -> float:
    alone = main_effects(space, goal, trials)
    return float(np.sqrt(sum(alone[path] ** 2 for path in paths)))


def _exchanged(
    trials: Sequence[Trial], paths: Sequence[str], number: int
) -> list[Trial]:
    """Returns trials whose values of some options, together, are each another's."""
    order = generator(_SEED, number).permutation(len(trials))
    others = [{path: trials[i].point[path] for path in paths} for i in order]
    return [
        replace(trial, point={**trial.point, **other})
        for trial, other in zip(trials, others, strict=True)
    ]
