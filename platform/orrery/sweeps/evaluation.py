"""What a trial computes: a study with the options of a point, in whatever process it is.

What an evaluation raises, an exit too, is the reason why the trial failed. But a full
disk, a missing file or too little memory say nothing of the point: its trial has no
answer, and is computed again when they are mended. Only an interruption is raised, which
is the user's.
"""

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orrery.execution.cluster import one_thread
from orrery.storage.documents import written_out
from orrery.sweeps.space import Point, apply
from orrery.sweeps.trial import Goal

Report = Callable[[Mapping[str, float]], None]
Evaluate = Callable[[Any, Report], Mapping[str, float]]
OnReport = Callable[[int, Mapping[str, float]], None]

_NO_CPU_MEMORY = "DefaultCPUAllocator: can't allocate memory"  # as torch tells it


# no error, so that an evaluation which catches errors does not catch it
class StoppedEarly(BaseException):
    """Ends an evaluation whose trial is not to go on.

    Example:
        >>> issubclass(StoppedEarly, Exception)
        False
    """


@dataclass(frozen=True)
class Evaluated:
    """How an evaluation ended.

    Arguments:
        objectives: What it returned, by name; nothing if it failed.
        seconds: How long it took [s].
        reason: Why it failed; empty if it did not.
        says_nothing: Whether that is no answer about the point, which is computed again:
            of the machine, as a full disk, and not of the options.

    Example:
        >>> Evaluated({"loss": 0.5}, 1.2).reason
        ''
    """

    objectives: Mapping[str, float]
    seconds: float
    reason: str = ""
    says_nothing: bool = False


@dataclass(frozen=True)
class Evaluation:
    """Computes points; it can be sent to another process.

    Arguments:
        options: The study's options, which a point changes.
        evaluate: Called with the changed options and a function that takes reports,
            numbers by name; returns the objectives by name.
        goals: The objectives that it must return.
        watched: The numbers that each report must have.

    Example:
        >>> from orrery.learning.options import Training
        >>> def loss(options, report):
        ...     report({"loss": 2.0})
        ...     return {"loss": options.learning_rate}
        >>> evaluation = Evaluation(Training(), loss, (Goal("loss"),))
        >>> evaluation.compute({"learning_rate": 0.5}, lambda step, values: None).objectives
        {'loss': 0.5}
    """

    options: Any
    evaluate: Evaluate
    goals: Sequence[Goal]
    watched: Sequence[str] = ()

    def compute(self, point: Point, on_report: OnReport) -> Evaluated:
        """Returns how the evaluation of a point ended.

        Arguments:
            point: The values of its options, by dotted path.
            on_report: Called with each report's number, from 1, and its values.

        Raises:
            StoppedEarly: If the trial is not to go on.
            KeyboardInterrupt: If the user wants no more.
        """
        began = time.monotonic()
        # several trials share a machine: each has one thread
        with one_thread():
            try:
                objectives = self._objectives(point, on_report)
            except (StoppedEarly, KeyboardInterrupt):
                raise
            # SystemExit, too, by which libraries end a program: here it is one trial's
            except BaseException as error:
                return Evaluated(
                    {}, time.monotonic() - began, _in_words(error), _is_outside(error)
                )
        return Evaluated(objectives, time.monotonic() - began)

    def _objectives(self, point: Point, on_report: OnReport) -> dict[str, float]:
        reports = _Reports(on_report, self.watched)
        found = self.evaluate(apply(self.options, point), reports)
        return _finite("the evaluation", found, [goal.name for goal in self.goals])


class _Reports:
    """Counts reports, and refuses what is no number."""

    def __init__(self, on_report: OnReport, watched: Sequence[str]) -> None:
        self.on_report = on_report
        self.watched = watched
        self.count = 0

    def __call__(self, values: Mapping[str, float]) -> None:
        self.count += 1
        self.on_report(
            self.count, _finite(f"report {self.count}", values, self.watched)
        )


def _finite(
    where: str, values: Mapping[str, float], needed: Sequence[str]
) -> dict[str, float]:
    """Returns values as Python's own numbers, which JSON knows."""
    missing = [name for name in needed if name not in values]
    if missing:
        raise ValueError(f"{where} gave {sorted(values)}: {missing} are sought, too")
    numbers = {name: float(value) for name, value in values.items()}
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise FloatingPointError(f"{name} of {where} is {value}")
    return numbers


def _is_outside(error: BaseException | None) -> bool:
    """Returns whether an error, or what was named as its cause, is the machine's.

    The same point may be answered with room on the disk, all files and more memory.
    """
    while error is not None:
        if isinstance(error, OSError | MemoryError) or _is_torchs_memory(error):
            return True
        error = error.__cause__
    return False


def _is_torchs_memory(error: BaseException) -> bool:
    """Returns whether torch has no memory, which it tells by another error than Python."""
    torch = sys.modules.get(
        "torch"
    )  # who has not imported it raises none of its errors
    if torch is None or not isinstance(error, RuntimeError):
        return False
    return isinstance(error, torch.OutOfMemoryError) or _NO_CPU_MEMORY in str(error)


def _in_words(error: BaseException) -> str:
    name = type(error).__name__
    return written_out(f"{name}: {error}" if str(error) else name)
