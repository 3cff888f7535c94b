"""The ledger of a sweep: which trials there are, and every change of them on the disk at once.

One process keeps it, the one that began the sweep, and it alone writes the files: a
trial's process that outlives its sweep for a moment can spoil nothing.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from orrery.identity import JSON
from orrery.sweeps.evaluation import Evaluated
from orrery.sweeps.halving import Halving, stops_early
from orrery.sweeps.space import Point, SearchSpace
from orrery.sweeps.trial import (
    GONE,
    LOST,
    TRIALS,
    Goal,
    Trial,
    read_trials,
    trial_path,
    write_trial,
)
from orrery.terminal import say

OnEnd = Callable[[Trial], None]


def _tell_nobody(trial: Trial) -> None:
    pass


@dataclass
class Ledger:
    """The trials of a sweep.

    Arguments:
        folder: Of the sweep.
        goals: What is sought.
        identity: What is written with each trial of data and code.
        halving: When a trial may be stopped early, if at all.
        trials: By number.
        on_end: Called with each trial that has ended.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> ledger = Ledger.open(folder, (Goal("loss"),), {})
        >>> ledger.begin(0, {"rate": 0.1})
        >>> ledger.report(0, 1, {"loss": 2.5})
        True
        >>> Ledger.open(folder, (Goal("loss"),), {}).trials[0].state
        'interrupted'
    """

    folder: Path
    goals: Sequence[Goal]
    identity: JSON
    halving: Halving | None = None
    trials: dict[int, Trial] = field(default_factory=dict)
    on_end: OnEnd = _tell_nobody
    _began: dict[int, float] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        folder: Path,
        goals: Sequence[Goal],
        identity: JSON,
        halving: Halving | None = None,
    ) -> "Ledger":
        """Returns the ledger of a sweep, which may have been begun before.

        Trials that were left running are interrupted: whoever opens the ledger holds
        the sweep's lock, so that nobody computes them.

        Raises:
            OSError: If the folder cannot be read or written.
        """
        (folder / TRIALS).mkdir(parents=True, exist_ok=True)
        ledger = cls(folder, goals, identity, halving)
        for trial in read_trials(folder):
            ledger.trials[trial.number] = trial
            if trial.state == "running":
                ledger._write(trial.interrupted(GONE))
            elif not trial.point:
                say(f"{trial.reason}: trial {trial.number} is computed again")
        return ledger

    def set_aside(self, space: SearchSpace) -> None:
        """Takes away what files hold that is none of the sweep's: it is computed again.

        Arguments:
            space: What the sweep varies.
        """
        for trial in list(self.trials.values()):
            if trial.point and (reason := self._misfit(trial, space)):
                reason = f"{trial_path(self.folder, trial.number)} {reason}"
                say(f"{reason}: trial {trial.number} is computed again")
                self.trials[trial.number] = Trial(
                    trial.number, {}, "interrupted", reason=reason
                )

    def _misfit(self, trial: Trial, space: SearchSpace) -> str:
        """Returns why a trial cannot be one of the sweep's; nothing if it can."""
        if not space.holds(trial.point):
            return f"has a point {dict(trial.point)} that is none of the sweep's"
        needed = {"finished": self.goals, "pruned": self.goals[:1]}
        reached = {
            goal.name: trial.objectives.get(goal.name, math.nan)
            for goal in needed.get(trial.state, ())
        }
        lacking = [name for name, value in reached.items() if not math.isfinite(value)]
        return f"does not say what it reached ({', '.join(lacking)})" if lacking else ""

    def known(self, wanted: float = math.inf) -> list[Trial]:
        """Returns the trials that need not be computed again, by number.

        Arguments:
            wanted: Of so many first ones.
        """
        return [t for t in self._sorted() if t.known and t.number < wanted]

    def interrupted(self, wanted: float = math.inf) -> list[Trial]:
        """Returns the trials whose points are to be computed again, by number.

        Arguments:
            wanted: Of so many first ones.
        """
        left = [t for t in self._sorted() if t.state == "interrupted" and t.point]
        return [trial for trial in left if trial.number < wanted]

    def unanswered(self) -> list[Trial]:
        """Returns the trials that began here and whose end said nothing of their points.

        Those whose processes were lost are none of them: the next may well live.
        """
        begun = [self.trials[number] for number in self._began]
        return [t for t in begun if t.state == "interrupted" and t.reason != LOST]

    def _sorted(self) -> list[Trial]:
        return [self.trials[number] for number in sorted(self.trials)]

    def missing(self, wanted: int) -> list[int]:
        """Returns the numbers of the trials to compute, those that have a point first.

        Arguments:
            wanted: How many trials there shall be, the first ones by number.
        """
        lacking = {*range(wanted)} - {trial.number for trial in self.known()}
        again = [t.number for t in self.interrupted() if t.number in lacking]
        return [*again, *sorted(lacking - {*again})]

    def begin(self, number: int, point: Point) -> None:
        """Enters a trial before it starts."""
        self._began[number] = time.monotonic()
        self._write(Trial(number, dict(point), identity=self.identity))

    def report(self, number: int, step: int, values: Mapping[str, float]) -> bool:
        """Enters a report and returns whether the trial goes on.

        Arguments:
            number: The trial's.
            step: The report's, from 1; a trial that began again counts anew.
            values: What it reports, by name.
        """
        before = self.trials[number]
        trial = replace(
            before,
            curve=(*before.curve[: step - 1], dict(values)),
            seconds=time.monotonic() - self._began[number],
        )
        if not self._stops(trial):
            self._write(trial)
            return True
        goal = self.goals[0].name
        reason = f"after {step} reports others had a better {goal}"
        found = {goal: values[goal]}
        self._close(replace(trial, state="pruned", objectives=found, reason=reason))
        return False

    def _stops(self, trial: Trial) -> bool:
        if self.halving is None:
            return False
        return stops_early(self.halving, self.goals[0], trial, self.trials.values())

    def end(self, number: int, outcome: Evaluated) -> None:
        """Enters how a trial ended; one that has ended already stays as it is.

        One whose end says nothing of its point is interrupted, and computed again by the
        next start.
        """
        trial = self.trials[number]
        if trial.state != "running":
            return
        if outcome.says_nothing:
            self._write(trial.interrupted(outcome.reason))
            return
        self._close(
            replace(
                trial,
                state="failed" if outcome.reason else "finished",
                objectives=dict(outcome.objectives),
                seconds=outcome.seconds,
                reason=outcome.reason,
            )
        )

    def interrupt(self, reason: str) -> None:
        """Enters that all trials that are running shall be computed again."""
        for trial in self._sorted():
            if trial.state == "running":
                self._write(trial.interrupted(reason))

    def _close(self, trial: Trial) -> None:
        self._write(trial)
        self.on_end(trial)

    def _write(self, trial: Trial) -> None:
        write_trial(self.folder, trial)
        self.trials[trial.number] = trial
