"""Asynchronous successive halving: trials that are worse than others were as early end there.

The rule of ASHA (Li et al. 2018, arXiv:1810.05934). It is asked of the trials' curves
alone, which are on the disk: an executor's own keeps its rungs in memory, which a killed
sweep would have lost, and then it would stop other trials than an undisturbed one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orrery.sweeps.trial import Goal, Trial


@dataclass(frozen=True)
class Halving:
    """When a trial is compared with others, and how many of them go on.

    Arguments:
        first: The report at which trials are first compared.
        factor: Of so many the best one goes on, to so many times as many reports.

    Raises:
        ValueError: If there is nothing to compare, or all would go on.

    Example:
        >>> halving = Halving(first=2, factor=3)
        >>> [report for report in range(1, 20) if halving.is_rung(report)]
        [2, 6, 18]
        >>> halving.goes_on(5.0, [1.0, 2.0], Goal("loss"))
        False
    """

    first: int = 5
    factor: int = 3

    def __post_init__(self) -> None:
        if self.first < 1 or self.factor < 2:
            raise ValueError(f"{self} needs first from 1 on and factor from 2 on")

    def is_rung(self, report: int) -> bool:
        """Returns whether trials are compared at a report, counted from 1."""
        rung = self.first
        while rung < report:
            rung *= self.factor
        return rung == report

    def goes_on(self, value: float, others: Sequence[float], goal: Goal) -> bool:
        """Returns whether a value is among the best of all that came as far.

        Arguments:
            value: At a rung.
            others: What other trials had there.
            goal: What is better.
        """
        better = sum(goal.improves(other, value) for other in others)
        return better < max((len(others) + 1) // self.factor, 1)


def stops_early(
    halving: Halving, goal: Goal, trial: Trial, trials: Iterable[Trial]
) -> bool:
    """Returns whether a trial that has just reported ends here.

    Arguments:
        halving: The rule.
        goal: The only one; each report names its value.
        trial: The trial, with its curve.
        trials: All of the sweep.
    """
    reports = len(trial.curve)
    if not halving.is_rung(reports):
        return False
    others = [
        other.curve[reports - 1][goal.name]
        for other in trials
        if other.number != trial.number and len(other.curve) >= reports
    ]
    return not halving.goes_on(trial.curve[-1][goal.name], others, goal)
