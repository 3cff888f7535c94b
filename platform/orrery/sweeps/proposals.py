"""Proposals: which point is tried next. The only file that imports Optuna.

A tree-structured Parzen estimator (Bergstra et al. 2011) proposes it from the trials
that have ended. What it draws is decided by the sweep's seed and the trial's number
alone, and by how often it drew what is known already: a sampler that went on from one seed
would, after a restart, propose again what it has proposed already.
"""

import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from orrery.identity import fingerprint
from orrery.sweeps.space import (
    Choice,
    Domain,
    Float,
    Int,
    Log,
    Point,
    SearchSpace,
)
from orrery.sweeps.trial import FEWEST_COMPARED, Goal, Trial

STUDY = "sweep"  # Optuna's name of it
FIRST_AT_RANDOM = 10  # trials before any is learned from
# Draws of a point that nobody has tried before it is sought anywhere: where all options are
# choices or whole numbers, an estimator that has learned something draws the same again and
# again near the best ones.
LEARNED_ATTEMPTS = 16
# Of one objective; several have no level that half of the trials are below.
BEST_SHARE = 0.5


class NumberedSampler(BaseSampler):
    """Draws each trial's point from streams of the trial's own.

    A point that is known, tried or being tried, is drawn again from another stream, as
    long as the space has one that is not.

    Arguments:
        seed: The sweep's.
        distributions: Of all options, by path.
        size: How many points the space has.

    Example:
        >>> sampler = NumberedSampler(1, {"width": IntDistribution(1, 9)}, size=9)
        >>> sampler.number = 7  # of the trial that is asked for next
    """

    def __init__(
        self, seed: int, distributions: Mapping[str, BaseDistribution], size: float
    ) -> None:
        self.seed = seed
        self.number = 0
        self._distributions = dict(distributions)
        self._size = size

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Returns what is drawn together: a whole point, or it could not be compared."""
        return self._distributions

    def sample_relative(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """Returns the point of a trial, by path."""
        known = _known(study)
        for attempt in itertools.count():
            drawn = _drawn(self._sampler(attempt), study, trial, search_space)
            if _hashable(drawn) not in known or len(known) >= self._size:
                break
        return drawn

    def _sampler(self, attempt: int) -> BaseSampler:
        again = [attempt] if attempt else []
        digits = fingerprint([self.seed, self.number, *again])
        seed = int(digits[:8], 16)  # numpy's seeds have 32 bits
        if attempt >= LEARNED_ATTEMPTS:
            return RandomSampler(seed)
        return TPESampler(
            n_startup_trials=FIRST_AT_RANDOM,
            multivariate=True,
            # what others are trying is as if it were bad, so that two do not try the same
            constant_liar=True,
            seed=seed,
        )

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Returns a value that is drawn alone: of an option that is not the space's."""
        return self._sampler(0).sample_independent(
            study, trial, param_name, param_distribution
        )


_Hashable = frozenset[tuple[str, Any]]  # of a point: its paths and values


def _known(study: optuna.Study) -> set[_Hashable]:
    """Returns the points that were or are being tried."""
    trials = study.get_trials(deepcopy=False)
    return {_hashable(trial.params) for trial in trials if trial.params}


def _hashable(params: Mapping[str, Any]) -> _Hashable:
    return frozenset(params.items())


def _drawn(
    sampler: BaseSampler,
    study: optuna.Study,
    trial: FrozenTrial,
    distributions: Mapping[str, BaseDistribution],
) -> dict[str, Any]:
    """Returns a point: what a sampler draws together, and the rest drawn alone."""
    together = sampler.infer_relative_search_space(study, trial)
    drawn = sampler.sample_relative(study, trial, together)
    return {
        path: drawn[path]
        if path in drawn
        else sampler.sample_independent(study, trial, path, distribution)
        for path, distribution in distributions.items()
    }


class Proposals:
    """What has been tried of a space, and what is tried next.

    Arguments:
        space: The space.
        goals: What is sought.
        seed: Decides all points, with the trials' numbers and what they found.

    Example:
        >>> from orrery.sweeps.space import Float
        >>> def first():
        ...     proposals = Proposals(SearchSpace({"rate": Float(0.0, 1.0)}), (Goal("loss"),), 1)
        ...     proposals.sampler.number = 0
        ...     return proposals.point(proposals.ask().params)
        >>> first() == first()
        True
    """

    def __init__(self, space: SearchSpace, goals: Sequence[Goal], seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space = space
        self.goals = goals
        self.distributions = {
            path: _distribution(domain) for path, domain in space.domains.items()
        }
        self.storage = InMemoryStorage()
        self.sampler = NumberedSampler(seed, self.distributions, space.size)
        self.study = optuna.create_study(
            storage=self.storage,
            sampler=self.sampler,
            study_name=STUDY,
            directions=[_DIRECTIONS[goal.better] for goal in goals],
        )

    def add_known(self, trial: Trial) -> None:
        """Adds a trial that has ended; of one that failed only that it did."""
        failed = trial.state == "failed"
        self.study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.FAIL if failed else TrialState.COMPLETE,
                values=None if failed else self.values(trial),
                params=self.params(trial.point),
                distributions=self.distributions,
            )
        )

    def add_taken(self, point: Point) -> None:
        """Adds a point of which nothing is known yet, and which no other trial shall have."""
        self.add_known(Trial(0, point, "failed"))

    def add_first(self, point: Point) -> None:
        """Adds a point to those that are asked for first, in the order of adding."""
        self.study.enqueue_trial(self.params(point))

    def ask(self) -> optuna.Trial:
        """Returns Optuna's trial of the next point."""
        return self.study.ask(fixed_distributions=self.distributions)

    def tell(self, asked: optuna.Trial, trial: Trial) -> None:
        """Enters how a trial that was asked for has ended, with an answer or without."""
        if trial.state in ("failed", "interrupted"):
            self.study.tell(asked, state=TrialState.FAIL)
        else:
            self.study.tell(asked, self.values(trial))

    def values(self, trial: Trial) -> list[float]:
        """Returns what a trial has reached, goal by goal."""
        return [trial.objectives[goal.name] for goal in self.goals]

    def params(self, point: Point) -> dict[str, Any]:
        """Returns a point as Optuna has it: of choices the place among the values."""
        return {
            path: domain.values.index(point[path])
            if isinstance(domain, Choice)
            else point[path]
            for path, domain in self.space.domains.items()
        }

    def point(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the point that Optuna has as `params`."""
        return {
            path: domain.values[params[path]]
            if isinstance(domain, Choice)
            else params[path]
            for path, domain in self.space.domains.items()
        }


_DIRECTIONS = {
    "larger": StudyDirection.MAXIMIZE,
    "smaller": StudyDirection.MINIMIZE,
}


def _distribution(domain: Domain) -> BaseDistribution:
    if isinstance(domain, Int):
        return IntDistribution(domain.low, domain.high, log=domain.log)
    if isinstance(domain, Choice):
        return CategoricalDistribution(range(len(domain.values)))
    return FloatDistribution(domain.low, domain.high, log=isinstance(domain, Log))


def importance(
    space: SearchSpace, goal: Goal, trials: Sequence[Trial]
) -> dict[str, float]:
    """Returns which share of what decides the better half of the trials each path has.

    PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255): by how much the better half's
    values of an option differ from all trials' in their distribution.

    Arguments:
        space: The space.
        goal: What is sought.
        trials: Those of the sweep; finished ones count.

    Raises:
        ValueError: If fewer than four have finished.
    """
    # it brings scikit-learn, two seconds that no trial's process should spend
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    judge = PedAnovaImportanceEvaluator(target_quantile=BEST_SHARE)
    study = _finished_study(space, goal, trials)
    found = get_param_importances(study, evaluator=judge)
    return {path: float(found[path]) for path in space.domains}


def main_effects(
    space: SearchSpace, goal: Goal, trials: Sequence[Trial]
) -> dict[str, float]:
    """Returns by how much each path alone makes the goal's value vary, in its unit.

    The standard deviation of the value's mean over all other options, by a forest of
    regression trees (functional ANOVA, Hutter et al. 2014, PMLR 32:754). Options count as
    they are drawn: of those that are drawn by their ratios, logarithms do.

    Arguments:
        space: The space.
        goal: What is sought.
        trials: Those of the sweep; finished ones count.

    Raises:
        ValueError: If fewer than four have finished.
    """
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    even, points = _in_logarithms(space, trials)
    study = _finished_study(even, goal, points)
    variance = np.var([trial.values[0] for trial in study.trials])
    judge = FanovaImportanceEvaluator(seed=0)
    with warnings.catch_warnings():
        # shares of the whole variance, that of combinations included, are new in Optuna 5
        warnings.simplefilter("ignore", ExperimentalWarning)
        shares = get_param_importances(study, evaluator=judge, normalize=False)
    return {path: float(np.sqrt(shares[path] * variance)) for path in space.domains}


def _in_logarithms(
    space: SearchSpace, trials: Sequence[Trial]
) -> tuple[SearchSpace, list[Trial]]:
    """Returns finished trials in a space where what is drawn by its ratio is a logarithm.

    Optuna's functional ANOVA takes all numbers as drawn uniformly: of a rate the lower
    decades would hardly count.
    """
    ratios = {
        path: Float(math.log(domain.low), math.log(domain.high))
        for path, domain in space.domains.items()
        if _is_drawn_by_ratio(domain)
    }

    def logarithms(point: Point) -> Point:
        return {**point, **{path: math.log(point[path]) for path in ratios}}

    finished = [trial for trial in trials if trial.state == "finished"]
    return (
        SearchSpace({**space.domains, **ratios}),
        [replace(trial, point=logarithms(trial.point)) for trial in finished],
    )


def _is_drawn_by_ratio(domain: Domain) -> TypeGuard[Int | Log]:
    return isinstance(domain, Log) or (isinstance(domain, Int) and domain.log)


def _finished_study(
    space: SearchSpace, goal: Goal, trials: Sequence[Trial]
) -> optuna.Study:
    finished = [trial for trial in trials if trial.state == "finished"]
    if len(finished) < FEWEST_COMPARED:
        raise ValueError(
            f"{len(finished)} finished trials tell of no importance: "
            f"{FEWEST_COMPARED} are needed"
        )
    proposals = Proposals(space, (goal,), seed=0)
    for trial in finished:
        proposals.add_known(trial)
    return proposals.study
