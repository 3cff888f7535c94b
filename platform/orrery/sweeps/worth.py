"""What a choice is worth: what is found with it, less what is found without it.

Both are learned from the same seeds and judged on pairs of the same simulations, so that
most of what chance does to either is in both, and leaves their difference. They are not
quite the same pairs: each binning leaves out simulations in which a bin of its own is
empty, up to one in a hundred. What other pairs would make of the difference, all seeds
have in common: it is seen in parts of the pairs, and not in the scatter over seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from orrery.identity import canonical
from orrery.parameters import FloatArray
from orrery.sweeps.judged_pairs import told_parts
from orrery.sweeps.search import AllTrialsFailedError, Sweep, search
from orrery.sweeps.space import Domain, Int, Point, SearchSpace
from orrery.sweeps.trial import Trial
from orrery.terminal import say


@dataclass(frozen=True)
class Contrast:
    """One choice, taken or not.

    Arguments:
        key: Its stable name.
        label: What it is, as people say it.
        given: The point with it.
        lacking: The point without it.
        count: How many of them it is: eleven more patches, say; none where it turned
            out to add nothing.

    Example:
        >>> Contrast("bin", "one more bin", {"bins": 3}, {"bins": 2}).count
        1
    """

    key: str
    label: str
    given: Point
    lacking: Point
    count: int = 1


@dataclass(frozen=True)
class Worth:
    """What a choice is worth.

    Arguments:
        contrast: The choice.
        differences: For each objective the value with it less that without it, seed by
            seed `[R]`, of the seeds from which both have finished.
        parts: The same in K parts of the pairs by which trials are judged `[R, K]`, of
            the seeds from which both have told them.

    Example:
        >>> choice = Contrast("bin", "one more bin", {"bins": 3}, {"bins": 2})
        >>> worth = Worth(choice, {"loss": np.array([1.0, 3.0])})
        >>> worth.mean("loss"), worth.error("loss"), worth.seeds
        (2.0, 1.0, 2)
    """

    contrast: Contrast
    differences: Mapping[str, FloatArray]
    parts: Mapping[str, FloatArray] = field(default_factory=dict)

    @property
    def seeds(self) -> int:
        """How many seeds it is known from."""
        return min(len(values) for values in self.differences.values())

    def mean(self, objective: str) -> float:
        """Returns the mean difference; NaN if no seed gave one."""
        values = self.differences[objective]
        return float(values.mean()) if len(values) else float("nan")

    def each(self, objective: str) -> float:
        """Returns the mean difference for each of what the choice has more of.

        NaN where it has no more of them.
        """
        if self.contrast.count < 1:
            return float("nan")
        return self.mean(objective) / self.contrast.count

    def error(self, objective: str) -> float:
        """Returns its standard error, by the scatter over seeds and over parts of the pairs.

        NaN of fewer than two seeds; of seeds alone where no trial tells of parts.
        """
        values = self.differences[objective]
        if len(values) < 2:
            return float("nan")
        parts = self._parts(objective)
        of_pairs = _standard_error(parts.mean(axis=0)) if len(parts) else 0.0
        return float(np.hypot(_standard_error(values), of_pairs))

    @property
    def tells_pairs(self) -> bool:
        """Whether errors hold what other pairs would make of the differences."""
        return all(len(self._parts(objective)) for objective in self.differences)

    def _parts(self, objective: str) -> FloatArray:
        return self.parts.get(objective, np.empty((0, 0)))

    def interval(self, objective: str) -> tuple[float, float, float]:
        """Returns the mean difference between one standard error below and above."""
        mean = self.mean(objective)
        error = self.error(objective)
        return mean - error, mean, mean + error


def other_seeds(seed: int, repeats: int) -> tuple[int, ...]:
    """Returns the first seeds from 1 on that are not the one by which the best was chosen.

    The best one had good luck with that.

    Arguments:
        seed: By which it was chosen.
        repeats: How many others.

    Example:
        >>> other_seeds(1, 3), other_seeds(3, 3), other_seeds(20, 3)
        ((2, 3, 4), (1, 2, 4), (1, 2, 3))
    """
    return tuple(other for other in range(1, repeats + 2) if other != seed)[:repeats]


def design(
    contrasts: Sequence[Contrast], seed_path: str, repeats: int, seed: int = 1
) -> tuple[Point, ...]:
    """Returns the points that contrasts need, each once and from each of several seeds.

    Arguments:
        contrasts: The choices.
        seed_path: The dotted path of the seed.
        repeats: How many seeds.
        seed: Another one, by which the best was chosen.

    Example:
        >>> one = Contrast("bin", "one more bin", {"bins": 3}, {"bins": 2})
        >>> two = Contrast("another", "one more", {"bins": 4}, {"bins": 3})
        >>> len(design((one, two), "seed", 5))
        15
    """
    points = {
        canonical(dict(point)): point
        for contrast in contrasts
        for point in (contrast.given, contrast.lacking)
    }
    return tuple(
        {**point, seed_path: other}
        for other in other_seeds(seed, repeats)
        for point in points.values()
    )


def measure_worth(
    sweep: Sweep,
    contrasts: Sequence[Contrast],
    seed_path: str,
    repeats: int,
    root: Path,
    concurrent: int,
    more: Mapping[str, Domain],
    workers: int = 0,
) -> tuple[list[Worth], list[Trial]]:
    """Returns what each choice is worth, and the trials that tell it.

    Where all of these failed, no choice has a worth, and their reasons are the trials'.

    Arguments:
        sweep: The search among whose points the choices are.
        contrasts: The choices.
        seed_path: The dotted path of the seed.
        repeats: How many seeds each point is learned from, none of them the one of the
            search's options.
        root: The folder of sweeps.
        concurrent: How many trials run at the same time.
        more: What choices vary that the search does not, by dotted path.
        workers: Processes of Ray Train that each trial starts.

    Raises:
        KeyboardInterrupt: If the user wants no more; the next call goes on.
    """
    # all others there may be; one more than these, as sweeps made before have it
    seeds = Int(1, repeats + 2)
    space = SearchSpace({**sweep.space.domains, **more, seed_path: seeds})
    seed = attrgetter(seed_path)(sweep.options)
    points = design(contrasts, seed_path, repeats, seed)
    tried = replace(sweep, name=f"{sweep.name}_worth", space=space, points=points)
    try:
        trials = search(tried, len(points), root, concurrent, workers=workers)
    except AllTrialsFailedError as error:
        # the search before has its winner, whatever may be known about it
        say(f"warning: what choices are worth is not known: {error}")
        return [], error.trials
    goals = sorted({name for trial in trials for name in trial.objectives})
    return [worth(one, trials, seed_path, goals) for one in contrasts], trials


def worth(
    contrast: Contrast, trials: Sequence[Trial], seed_path: str, goals: Sequence[str]
) -> Worth:
    """Returns what a choice is worth by trials with it and without it.

    Arguments:
        contrast: The choice.
        trials: Those of `design`; of each pair both must have finished to count.
        seed_path: The dotted path of the seed.
        goals: The objectives.
    """
    given = _by_seed(contrast.given, trials, seed_path)
    lacking = _by_seed(contrast.lacking, trials, seed_path)
    pairs = [(given[s], lacking[s]) for s in sorted(given.keys() & lacking.keys())]
    return Worth(
        contrast,
        {
            goal: np.array([w.objectives[goal] - o.objectives[goal] for w, o in pairs])
            for goal in goals
        },
        {goal: _part_differences(pairs, goal) for goal in goals},
    )


def _part_differences(pairs: Sequence[tuple[Trial, Trial]], goal: str) -> FloatArray:
    """Returns differences in parts of the pairs, seed by seed, as far as both tell them."""
    each = [[told_parts(one.curve, goal) for one in both] for both in pairs]
    return np.array([w - o for w, o in each if 0 < len(w) == len(o)])


def _standard_error(values: FloatArray) -> float:
    """Returns the standard error of the mean of independent values `[N]`, two or more."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def _by_seed(point: Point, trials: Sequence[Trial], seed_path: str) -> dict[int, Trial]:
    return {
        trial.point[seed_path]: trial
        for trial in trials
        if trial.state == "finished" and without(trial.point, seed_path) == dict(point)
    }


def without(point: Point, path: str) -> dict[str, Any]:
    """Returns a point without one of its paths."""
    return {name: value for name, value in point.items() if name != path}
