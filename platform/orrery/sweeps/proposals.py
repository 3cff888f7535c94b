"""Proposals: which point is tried next. The only file that imports Optuna.

A tree-structured Parzen estimator (Bergstra et al. 2011) proposes it from the trials
that have ended. What it draws is decided by the sweep's seed and the trial's number
alone: a sampler that went on from one seed would, after a restart, propose again what
it has proposed already.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

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
from orrery.sweeps.space import Choice, Domain, Int, Log, Point, SearchSpace
from orrery.sweeps.trial import FEWEST_COMPARED, Goal, Trial

STUDY = "sweep"  # Optuna's name of it
FIRST_AT_RANDOM = 10  # trials before any is learned from
# Draws of a point that nobody has tried: where all options are choices or whole numbers,
# an estimator that has learned something draws the same again and again.
ATTEMPTS = 16
# Of one objective; several have no level that half of the trials are below.
BEST_SHARE = 0.5


class NumberedSampler(BaseSampler):
    """Draws each trial's point from a stream of the trial's own.

    Arguments:
        seed: The sweep's.

    Example:
        >>> sampler = NumberedSampler(seed=1)
        >>> sampler.number = 7  # of the trial that is asked for next
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.number = 0
        self._sampler = self._fresh()

    def _fresh(self) -> TPESampler:
        digits = fingerprint([self.seed, self.number])
        return TPESampler(
            n_startup_trials=FIRST_AT_RANDOM,
            multivariate=True,
            # what others are trying is as if it were bad, so that two do not try the same
            constant_liar=True,
            seed=int(digits[:8], 16),  # numpy's seeds have 32 bits
        )

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Begins the stream of the trial."""
        self._sampler = self._fresh()
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Returns what is drawn together."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """Returns what is drawn together, by path; not what is known, if there is more."""
        known = [other.params for other in study.get_trials(deepcopy=False)]
        for _ in range(ATTEMPTS):
            drawn = self._sampler.sample_relative(study, trial, search_space)
            # nothing is drawn together before there is something to learn from
            if not drawn or drawn not in known:
                return drawn
        # near the best ones all are known: anywhere else
        digits = fingerprint([self.seed, self.number, "at random"])
        sampler = RandomSampler(seed=int(digits[:8], 16))
        for _ in range(ATTEMPTS):
            drawn = {
                path: sampler.sample_independent(study, trial, path, distribution)
                for path, distribution in search_space.items()
            }
            if drawn not in known:
                break
        return drawn

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Returns a value that is drawn alone."""
        return self._sampler.sample_independent(
            study, trial, param_name, param_distribution
        )


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
        self.sampler = NumberedSampler(seed)
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

    def add_first(self, point: Point) -> None:
        """Adds a point to those that are asked for first, in the order of adding."""
        self.study.enqueue_trial(self.params(point))

    def ask(self) -> optuna.Trial:
        """Returns Optuna's trial of the next point."""
        return self.study.ask(fixed_distributions=self.distributions)

    def tell(self, asked: optuna.Trial, trial: Trial) -> None:
        """Enters how a trial that was asked for has ended."""
        if trial.state == "failed":
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
    regression trees (functional ANOVA, Hutter et al. 2014, PMLR 32:754).

    Arguments:
        space: The space.
        goal: What is sought.
        trials: Those of the sweep; finished ones count.

    Raises:
        ValueError: If fewer than four have finished.
    """
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    study = _finished_study(space, goal, trials)
    variance = np.var([trial.values[0] for trial in study.trials])
    judge = FanovaImportanceEvaluator(seed=0)
    with warnings.catch_warnings():
        # shares of the whole variance, that of combinations included, are new in Optuna 5
        warnings.simplefilter("ignore", ExperimentalWarning)
        shares = get_param_importances(study, evaluator=judge, normalize=False)
    return {path: float(np.sqrt(shares[path] * variance)) for path in space.domains}


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
