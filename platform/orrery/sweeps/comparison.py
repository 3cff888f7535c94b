"""A comparison of architectures: what they change, and what the seed of one changes.

The winner alone is tested, once; what it had more on the validation pairs, by which it was
chosen, is its optimism, as far as that is more than other pairs make.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from orrery.execution.cluster import one_thread
from orrery.identity import JSON
from orrery.pairs import Pairs
from orrery.parameters import FloatArray
from orrery.sweeps.architectures import Scored
from orrery.sweeps.effects import Effect, joint_effect
from orrery.sweeps.evaluation import Report
from orrery.sweeps.options import Effort
from orrery.sweeps.proposals import importance, main_effects
from orrery.sweeps.search import AllTrialsFailedError, Sweep, search
from orrery.sweeps.space import Int, SearchSpace, apply
from orrery.sweeps.trial import FEWEST_COMPARED, Goal, Trial, best
from orrery.terminal import say

SEEDS = SearchSpace({"training_seed": Int(2, 2**31 - 1)})  # of one architecture


class Task(Protocol):
    """What is learned by each architecture; it can be sent to another process.

    Example:
        >>> class Constant:
        ...     goal = Goal("rmse")
        ...     unit = "dex"
        ...     identity = {}
        ...     def __call__(self, options, report): return {"rmse": 0.1}
        ...     def score(self, options, pairs): return Scored(0.1, 0.01, 0.01)
        >>> task: Task = Constant()
        >>> task.goal.better
        'smaller'
    """

    @property
    def goal(self) -> Goal:
        """What is sought."""
        ...

    @property
    def unit(self) -> str:
        """Its unit."""
        ...

    @property
    def identity(self) -> JSON:
        """What decides it besides the architecture."""
        ...

    def __call__(self, options: Any, report: Report) -> Mapping[str, float]: ...

    def score(self, options: Any, pairs: Pairs) -> Scored: ...


@dataclass(frozen=True, eq=False)
class Comparison:
    """What architectures change, and what the seed of one changes.

    Arguments:
        goal: What was sought.
        unit: Its unit.
        space: What was varied.
        trials: The architectures that were tried.
        repeats: One of them, from several seeds.
        test: The winner's score on the tests.
        test_error: Its standard error.
        shape: The options that are the shape of what learns: its layers and their widths.
        validation_error: The standard error of the winner's score on the validation
            pairs; NaN where it is not known.

    Example:
        >>> trials = [
        ...     Trial(i, {"depth": i}, "finished", objectives={"rmse": x})
        ...     for i, x in enumerate((0.16, 0.14, 0.15))
        ... ]
        >>> space = SearchSpace({"depth": Int(0, 2)})
        >>> found = Comparison(Goal("rmse"), "dex", space, trials, trials, 0.15, 0.01)
        >>> found.winner.number, round(found.optimism, 3), round(found.scatter, 3)
        (1, 0.01, 0.01)
    """

    goal: Goal
    unit: str
    space: SearchSpace
    trials: list[Trial]
    repeats: list[Trial]
    test: float
    test_error: float
    shape: tuple[str, ...] = ()
    validation_error: float = math.nan

    @property
    def winner(self) -> Trial:
        """The architecture with the best validation score."""
        return best(self.trials, self.goal)

    @property
    def validation(self) -> float:
        """The winner's score on the validation pairs, by which it was chosen."""
        return float(self.winner.objectives[self.goal.name])

    @property
    def optimism(self) -> float:
        """By how much the winner is better on validation pairs than on tests."""
        return self.goal.loss(self.test) - self.goal.loss(self.validation)

    @property
    def optimism_error(self) -> float:
        """Its standard error, by that of both scores: the pairs are others; NaN if unknown."""
        return math.hypot(self.test_error, self.validation_error)

    @property
    def is_optimistic(self) -> bool | None:
        """Whether it is better there by more than two standard errors; None if unknown."""
        if math.isnan(self.optimism_error):
            return None
        return self.optimism > 2 * self.optimism_error

    @property
    def scores(self) -> FloatArray:
        """The validation scores of the trials that have finished."""
        return self._scores(self.trials)

    @property
    def seeds(self) -> FloatArray:
        """The validation scores of one architecture, by seed."""
        return self._scores(self.repeats)

    def _scores(self, trials: list[Trial]) -> FloatArray:
        finished = [trial for trial in trials if trial.state == "finished"]
        return np.array([trial.objectives[self.goal.name] for trial in finished])

    @property
    def scatter(self) -> float:
        """The standard deviation of one architecture's scores over seeds; NaN of fewer than two."""
        return float(self.seeds.std(ddof=1)) if len(self.seeds) > 1 else math.nan

    @property
    def given(self) -> float:
        """The mean of one architecture's scores over its seeds; NaN of none."""
        return float(self.seeds.mean()) if len(self.seeds) else math.nan

    @property
    def scatter_error(self) -> float:
        """The standard error of `scatter`, of normal scores."""
        return self.scatter / math.sqrt(2 * max(len(self.seeds) - 1, 1))

    @property
    def spread(self) -> float:
        """Half the distance that 68 % of the architectures' scores span."""
        low, high = np.quantile(self.scores, (0.16, 0.84))
        return float(high - low) / 2

    @property
    def tells_options(self) -> bool:
        """Whether enough trials have finished to tell what options matter."""
        return len(self.scores) >= FEWEST_COMPARED

    @property
    def tells_shape(self) -> bool:
        """Whether the shape of what learns was varied, and enough trials tell its effect."""
        return bool(self.shape) and self.tells_options

    @property
    def shares(self) -> dict[str, float]:
        """How much each option decides whether a trial is among the better half."""
        return importance(self.space, self.goal, self.trials)

    @cached_property
    def shape_effect(self) -> Effect:
        """By how much the shape of what learns changes the score."""
        return joint_effect(self.space, self.goal, self.trials, self.shape)

    @property
    def effects(self) -> dict[str, float]:
        """The standard deviation of the score that each option alone makes."""
        return main_effects(self.space, self.goal, self.trials)


def compare(
    name: str,
    task: Task,
    space: SearchSpace,
    architecture: Any,
    test: Pairs,
    effort: Effort,
    root: Path,
    seed: int,
    shape: tuple[str, ...] = (),
    workers: int = 0,
) -> Comparison:
    """Returns how architectures compare, and the winner's score on tests.

    Arguments:
        name: What is searched for, in the name of its folder.
        task: What each architecture learns.
        space: Which of its options vary.
        architecture: The options; as they are, they are trained from several seeds.
        test: The tests, which no trial sees.
        effort: How much is tried.
        root: The folder of sweeps.
        seed: Decides which architectures are tried.
        shape: The options that are the shape of what learns.
        workers: Processes of Ray Train that each trial starts.

    Raises:
        AllTrialsFailedError: If all architectures did; what the seed of one changes is
            not known where all of its trials did.
        KeyboardInterrupt: If the user wants no more; the next call goes on.
    """

    def tried(what: str, varied: SearchSpace, count: int) -> list[Trial]:
        sweep = Sweep(
            f"{name}_{what}",
            varied,
            architecture,
            task,
            (task.goal,),
            seed,
            task.identity,
        )
        concurrent = min(effort.concurrent, count)
        return search(sweep, count, root, concurrent, workers=workers)

    trials = tried("architectures", space, effort.trials)
    try:
        repeats = tried("seeds", SEEDS, effort.repeats)
    except AllTrialsFailedError as failure:
        # the search has its winner, whatever may be known about seeds
        say(f"warning: what the seed changes is not known: {failure}")
        repeats = failure.trials
    winner = best(trials, task.goal)
    say(f"training the winner, trial {winner.number}, once more to test it")
    # with as many threads as a trial, so that the same network is learned again
    with one_thread():
        tested = task.score(apply(architecture, winner.point), test)
    return Comparison(
        task.goal,
        task.unit,
        space,
        trials,
        repeats,
        tested.score,
        tested.error,
        shape,
        tested.validation_error,
    )
