"""A comparison of binnings: which is best, what its choices are worth, how it does on tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from orrery.execution.cluster import one_thread
from orrery.sweeps.binnings import UNCALIBRATED, BinningScore, BinningTask
from orrery.sweeps.comparison import Comparison
from orrery.sweeps.options import Effort
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Domain, Point, SearchSpace, apply
from orrery.sweeps.trial import Trial, best
from orrery.sweeps.worth import Contrast, Worth, measure_worth, without
from orrery.terminal import say


@dataclass(frozen=True)
class Kept:
    """What a binning keeps, where bins with too few expected objects are left out.

    Arguments:
        bins: The bins that it keeps.
        left_out: Those that are left out.
        stars: The expected stars that its bins use.
        all_stars: Those that the survey has.
        what: What the bins are called.
        which: What the stars are called, which may say where they are.

    Example:
        >>> Kept(47, 34, 771.0, 856.0).asked
        81
    """

    bins: int
    left_out: int
    stars: float
    all_stars: float
    what: str = "bins"
    which: str = "expected stars"

    @property
    def asked(self) -> int:
        """The bins that were asked for."""
        return self.bins + self.left_out


Keeping = Callable[[Point], Kept]


@dataclass(frozen=True, eq=False)
class BinningComparison:
    """What is known of binnings after a sweep.

    Arguments:
        sweep: The trials, the best one from several seeds, and its score on tests.
        reference: The trial of the usual binning.
        test: How the best one does on tests.
        worths: What choices are worth.
        worth_trials: The trials that tell it.
        calibration_tests: Validation pairs by which each trial's calibration was judged.
        kept: Returns what the binning of a point keeps; None where none leaves out any.

    Example:
        >>> BinningComparison(None, None, None, [], [], 400).worths
        []
    """

    sweep: Comparison
    reference: Trial
    test: BinningScore
    worths: list[Worth]
    worth_trials: list[Trial]
    calibration_tests: int
    kept: Keeping | None = None

    @property
    def uncalibrated(self) -> list[Trial]:
        """The trials whose posterior a test of calibration rejected."""
        return [t for t in self.sweep.trials if t.reason.startswith(UNCALIBRATED)]

    @property
    def worths_are_known(self) -> bool:
        """Whether one of the trials that tell what choices are worth has not failed."""
        return any(trial.state != "failed" for trial in self.worth_trials)

    @property
    def rebinned(self) -> int:
        """How many trials binned the stored particles anew."""
        return len(self._rates("rebinned"))

    @property
    def read(self) -> int:
        """How many trials read the summaries of an earlier one."""
        return len(self._firsts) - self.rebinned

    @property
    def rate(self) -> float:
        """Simulations binned anew in a second, the median of trials; 0 of none.

        NaN if no trial could measure it.
        """
        return self._median("rebinned_per_second")

    @property
    def cpu_rate(self) -> float:
        """The same in a second of one CPU, which a busy machine changes least."""
        return self._median("rebinned_per_cpu_second")

    def _median(self, name: str) -> float:
        if not self.rebinned:
            return 0.0
        return median(self._rates(name) or [float("nan")])

    @property
    def _firsts(self) -> list[Mapping[str, float]]:
        """The first report of each trial that came so far, which is on its summaries."""
        return [trial.curve[0] for trial in self.all_trials if trial.curve]

    def _rates(self, name: str) -> list[float]:
        # of a trial whose clock has not ticked there is no rate
        return [one[name] for one in self._firsts if one["rebinned"] and name in one]

    @property
    def all_trials(self) -> list[Trial]:
        """Those of the sweep and those that tell what choices are worth."""
        return [*self.sweep.trials, *self.worth_trials]


@dataclass(frozen=True, eq=False)
class Question:
    """Which binnings are compared.

    Arguments:
        name: What is searched for, in the name of its folder.
        task: What each binning is learned by.
        space: Which of the options vary.
        options: The options, which points change.
        reference: The point of the usual binning, the first trial.
        contrasts: Returns the choices that are valued, of the best point.
        more: What choices vary that the search does not, by dotted path.
        seed_path: The dotted path of the seed from which a posterior is learned.
        workers: Processes of Ray Train that each trial starts.
        kept: Returns what the binning of a point keeps; None where none leaves out any.

    Example:
        >>> from orrery.sweeps.space import Int
        >>> space = SearchSpace({"bins": Int(1, 9)})
        >>> seed = "training_seed"
        >>> question = Question("toy", None, space, None, {"bins": 7}, lambda p: (), {}, seed)
        >>> question.reference
        {'bins': 7}
    """

    name: str
    task: BinningTask
    space: SearchSpace
    options: Any
    reference: Point
    contrasts: Callable[[Point], Sequence[Contrast]]
    more: Mapping[str, Domain]
    seed_path: str
    workers: int = 0
    kept: Keeping | None = None


def compare_binnings(
    question: Question, effort: Effort, root: Path, seed: int
) -> BinningComparison:
    """Returns how binnings compare, what choices are worth, and the best one's test.

    Arguments:
        question: Which binnings.
        effort: How much is tried.
        root: The folder of sweeps.
        seed: Decides which binnings are tried.

    Raises:
        AllTrialsFailedError: If they did, or none is calibrated.
        KeyboardInterrupt: If the user wants no more; the next call goes on.
    """
    task = question.task
    sweep = Sweep(
        f"{question.name}_binnings",
        question.space,
        question.options,
        task,
        (task.goal,),
        seed,
        task.identity,
        points=(question.reference,),
    )
    trials = search(
        sweep, effort.trials, root, effort.concurrent, workers=question.workers
    )
    winner = best(trials, task.goal)
    worths, tried = measure_worth(
        sweep,
        question.contrasts(winner.point),
        question.seed_path,
        effort.repeats,
        root,
        effort.concurrent,
        question.more,
        question.workers,
    )
    say(f"training the winner, trial {winner.number}, once more to test it")
    # with as many threads as a trial, so that the same posterior is learned again
    with one_thread():
        score = task.test(apply(question.options, winner.point))
    compared = _compared(question, trials, tried, score)
    judged = min(task.tests, len(score.pairs.validation))
    return BinningComparison(
        compared, trials[0], score, worths, tried, judged, question.kept
    )


def _compared(
    question: Question,
    trials: list[Trial],
    tried: list[Trial],
    score: BinningScore,
) -> Comparison:
    """Returns how binnings compare, the best one from other seeds, and its score on tests."""
    task = question.task
    winner = best(trials, task.goal)
    return Comparison(
        task.goal,
        task.unit,
        question.space,
        trials,
        [trial for trial in tried if _is(trial, winner, question)],
        score.objectives[task.sought],
        score.errors[task.sought],
        validation_error=score.validation_errors[task.sought],
    )


def _is(trial: Trial, winner: Trial, question: Question) -> bool:
    """Returns whether a trial is the winner from another seed."""
    point = without(trial.point, question.seed_path)
    given = apply(question.options, winner.point)
    return bool(apply(question.options, point) == given)
