"""A search: the trials of a sweep, run one after another or many at a time, once each.

Whatever ends it, the same call goes on: trials that have ended are read, those that were
interrupted come first, and the rest is proposed, no point twice. With one trial at a time
the trials are then those of a search that nothing has disturbed, but for their times; with
several, whose order of ending no seed decides, they are as many. So many are those that
come first by number: what a search returns does not depend on whether a longer one was
made before it.

Where a trial ends without an answer about its point, as on a full disk, no more begin: they
would be computed in vain, or be proposed without what it finds once the disk has room.
"""

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orrery.execution import cluster
from orrery.identity import JSON, canonical, describe, fingerprint
from orrery.storage.documents import write_document
from orrery.storage.files import ensure_writable, locked
from orrery.sweeps.evaluation import Evaluate, Evaluation, StoppedEarly
from orrery.sweeps.halving import Halving
from orrery.sweeps.ledger import Ledger
from orrery.sweeps.proposals import Proposals
from orrery.sweeps.space import Point, SearchSpace, in_order
from orrery.sweeps.trial import (
    LOST,
    SWEEP,
    Goal,
    Trial,
    best,
    commonest_failure,
)
from orrery.sweeps.trial_list import write_trial_list
from orrery.sweeps.watching import watchers
from orrery.terminal import progress, say

_TIMES = 3  # that trials are begun again whose processes were lost before they began
VERSION = 18  # of what proposes and stops; raised whenever the trials of a seed change


class AllTrialsFailedError(ValueError):
    """Raised when a search has no answer, since each of its trials failed.

    Arguments:
        message: Why, and what to do.
        trials: The trials.

    Example:
        >>> raise AllTrialsFailedError("all 3 trials failed, 3 of them so: too wide")
        Traceback (most recent call last):
        ...
        orrery.sweeps.search.AllTrialsFailedError: all 3 trials failed, 3 of them so: too wide
    """

    def __init__(self, message: str, trials: Sequence[Trial] = ()) -> None:
        super().__init__(message)
        self.trials = list(trials)


@dataclass(frozen=True)
class Sweep:
    """What is searched: everything that decides the trials but their number.

    Arguments:
        name: What it is called.
        space: Which options vary, and between what.
        options: The study's options, a frozen dataclass, which points change.
        evaluate: Computes one trial: called with the changed options and a function
            that takes reports, numbers by name; returns the objectives by name. With
            halving each report has the goal's value.
        goals: Which objectives are sought.
        seed: Decides the points.
        identity: What decides the objectives besides: data and versions of code.
        halving: When trials end early because others were better; only with one goal.
        points: The first trials' points, each with a value for every path of the space;
            those of later trials are proposed.

    Raises:
        ValueError: If there is no goal, halving has several to go by, or a given point
            is none of the space's.

    Example:
        >>> from orrery.learning.options import Training
        >>> from orrery.sweeps.space import Log
        >>> def loss(options, report):
        ...     return {"loss": abs(options.learning_rate - 0.01)}
        >>> space = SearchSpace({"learning_rate": Log(1e-4, 1e-1)})
        >>> Sweep("rates", space, Training(), loss, (Goal("loss"),)).folder(Path("runs")).parent
        PosixPath('runs/rates')
    """

    name: str
    space: SearchSpace
    options: Any
    evaluate: Evaluate
    goals: tuple[Goal, ...]
    seed: int = 1
    identity: JSON = field(default_factory=dict)
    halving: Halving | None = None
    points: tuple[Point, ...] = ()

    def __post_init__(self) -> None:
        for point in self.points:
            if point.keys() != self.space.domains.keys():
                raise ValueError(
                    f"point {dict(point)}: give a value for each of "
                    f"{', '.join(self.space.domains)}"
                )
            if not self.space.holds(point):
                raise ValueError(
                    f"point {dict(point)} is outside of the space {self.space.document}"
                )
        names = [goal.name for goal in self.goals]
        if not names or len({*names}) < len(names):
            raise ValueError(f"goals {names}: name one or more, each of them once")
        if self.halving and len(names) > 1:
            raise ValueError(
                f"halving compares trials by one goal, not by {len(names)}: leave it out"
            )

    @property
    def document(self) -> JSON:
        """What decides the trials, as plain JSON."""
        given = (
            {"points": describe([dict(point) for point in self.points])}
            if self.points
            else {}
        )
        return {
            **given,
            "name": self.name,
            "space": self.space.document,
            "options": describe(self.options, places=False),
            "goals": describe(list(self.goals)),
            "seed": self.seed,
            "identity": self.identity,
            "halving": describe(self.halving),
            "version": VERSION,
        }

    def folder(self, root: Path) -> Path:
        """Returns where the trials are kept: a folder for each thing that is searched."""
        return root / self.name / fingerprint(self.document)


def search(
    sweep: Sweep,
    trials: int,
    root: Path,
    concurrent: int = 1,
    cpus: int = 1,
    gpus: float = 0.0,
    workers: int = 0,
) -> list[Trial]:
    """Returns the trials of a sweep, computed as far as they are not there yet.

    Where Ray is, each trial runs in a process of the cluster; without, one after another
    in this one.

    Arguments:
        sweep: What is searched.
        trials: How many trials there shall be, known ones included: the first ones by
            number, also where more are known. There are fewer where the space has no
            more points.
        root: The folder of sweeps.
        concurrent: How many trials run at the same time.
        cpus: CPUs that each holds.
        gpus: GPUs that each holds, or a share of one.
        workers: Processes of Ray Train that each starts: only as many trials run as have
            room with theirs.

    Raises:
        ValueError: If the space is not one of the options, a number is out of range,
            trials' processes have other code than this one, or a trial ended without an
            answer about its point, for want of room, memory or a file; the next call
            computes it.
        AllTrialsFailedError: If they did; it gives the commonest reason.
        BlockingIOError: If another process computes the same sweep.
        KeyboardInterrupt: If the user wants no more; trials that have ended are kept.
    """
    if trials < 1 or concurrent < 1:
        raise ValueError(f"{trials} trials, {concurrent} at a time: give 1 or more")
    sweep.space.check(sweep.options)
    folder = ensure_writable(sweep.folder(root))
    with locked(folder, "another seed, which is another sweep"):
        write_document(folder / SWEEP, sweep.document)
        ledger = Ledger.open(folder, sweep.goals, sweep.identity, sweep.halving)
        ledger.set_aside(sweep.space)
        executor = _Executor(concurrent, cpus, gpus, workers)
        for _ in range(_TIMES):
            numbers = _with_points(sweep, ledger, trials)
            if numbers:
                _compute(sweep, ledger, trials, numbers, executor)
            if {trial.reason for trial in ledger.interrupted(trials)} != {LOST}:
                break
        write_trial_list(folder, ledger.known())
        _check_computed(ledger, numbers)
    found = _first(sweep, ledger, trials)
    if all(trial.state == "failed" for trial in found):
        reason, count = commonest_failure(found)
        raise AllTrialsFailedError(
            f"all {len(found)} trials failed, {count} of them so: {reason}; mend that, "
            f"remove {folder} and start again",
            found,
        )
    return found


def _first(sweep: Sweep, ledger: Ledger, wanted: int) -> list[Trial]:
    """Returns the trials that were wanted, and says how many more there are."""
    found = [
        replace(trial, point=in_order(sweep.space, trial.point))
        for trial in ledger.known(wanted)
    ]
    more = len(ledger.known()) - len(found)
    if more:
        say(
            f"sweep {sweep.name} has {more} more trials than the {wanted} that are wanted: "
            f"they are kept in {ledger.folder}, and not used"
        )
    return found


def _check_computed(ledger: Ledger, numbers: Sequence[int]) -> None:
    """Raises ValueError if trials came to no end that says something of their points."""
    known = {trial.number for trial in ledger.known()}
    left = [number for number in numbers if number not in known]
    if left:
        lost = [ledger.trials[n] for n in left if n in ledger.trials]
        reasons = [trial.reason for trial in (*ledger.unanswered(), *lost)]
        raise ValueError(
            f"{len(left)} of {len(numbers)} trials were not computed: "
            f"{(reasons or ['they never began'])[0]}; once that is mended, the same command "
            "computes them"
        )


def _with_points(sweep: Sweep, ledger: Ledger, wanted: int) -> list[int]:
    """Returns the trials to compute for which there is a point, given or not tried yet."""
    numbers = ledger.missing(wanted)
    again = {trial.number for trial in ledger.interrupted()}
    given = [n for n in numbers if n < len(sweep.points) and n not in again]
    tried = [trial.point for trial in (*ledger.known(), *ledger.interrupted())]
    taken = {
        canonical(dict(point))
        for point in (*tried, *(sweep.points[number] for number in given))
    }
    to_propose = len(numbers) - len(given) - len(again & {*numbers})
    lacking = to_propose - (sweep.space.size - len(taken))
    if lacking <= 0:
        return numbers
    # those that have a point come first
    left = numbers[: len(numbers) - int(lacking)]
    count = len(ledger.known(wanted)) + len(left)
    say(
        f"sweep {sweep.name} ends with {count} trials, {int(lacking)} fewer than wanted: "
        f"its space has {sweep.space.size} points, and each is tried once"
    )
    return left


@dataclass(frozen=True)
class _Executor:
    concurrent: int
    cpus: int
    gpus: float
    workers: int

    def run(
        self,
        ledger: Ledger,
        proposals: Proposals,
        evaluation: Evaluation,
        numbers: Sequence[int],
    ) -> None:
        with cluster.connect():
            if not cluster.connected():
                _run_here(ledger, proposals, evaluation, numbers)
                return
            from orrery.sweeps.tuning import Resources, run_on_ray

            run_on_ray(
                ledger,
                proposals,
                evaluation,
                numbers,
                self.concurrent,
                Resources(self.cpus, self.gpus, self.workers),
            )


def _proposals(sweep: Sweep, ledger: Ledger, numbers: Sequence[int]) -> Proposals:
    """Returns what proposes the points of trials, in the order of their numbers."""
    proposals = Proposals(sweep.space, sweep.goals, sweep.seed)
    for trial in ledger.known():
        proposals.add_known(trial)
    again = {trial.number: trial.point for trial in ledger.interrupted()}
    for number in again.keys() - {*numbers}:  # of trials that are not wanted now
        proposals.add_taken(again[number])
    # numbers are in the order in which their trials start, interrupted ones first
    for number in numbers:
        if number in again:
            proposals.add_first(again[number])
        elif number < len(sweep.points):
            proposals.add_first(sweep.points[number])
    return proposals


def _compute(
    sweep: Sweep,
    ledger: Ledger,
    wanted: int,
    numbers: Sequence[int],
    executor: _Executor,
) -> None:
    proposals = _proposals(sweep, ledger, numbers)
    watched = (sweep.goals[0].name,) if sweep.halving else ()
    evaluation = Evaluation(sweep.options, sweep.evaluate, sweep.goals, watched)
    done = len(ledger.known(wanted))
    total = done + len(numbers)
    try:
        with progress(f"sweep {sweep.name}", total, "trials", done) as advance:
            ledger.on_end = _teller(sweep.name, ledger, advance)
            executor.run(ledger, proposals, evaluation, numbers)
    except KeyboardInterrupt:
        ledger.interrupt("the user interrupted the sweep")
        say(
            f"{len(ledger.known(wanted))} of {total} trials are kept in {ledger.folder}; "
            f"this goes on: {shlex.join([sys.executable, *sys.argv])}"
        )
        raise


def _teller(
    name: str, ledger: Ledger, advance: Callable[..., None]
) -> Callable[[Trial], None]:
    """Returns what is called with each trial that has ended."""

    def tell(trial: Trial) -> None:
        for watcher in watchers():
            watcher.trial(name, ledger.folder, trial)
        if trial.state == "failed":
            say(f"trial {trial.number} failed: {trial.reason}")
        advance(note=_best_in_words(ledger))

    return tell


def _best_in_words(ledger: Ledger) -> str:
    goal = ledger.goals[0]
    try:
        found = best(ledger.known(), goal)
    except ValueError:
        return "none has finished"
    return f"best {goal.name} {found.objectives[goal.name]:.4g} of trial {found.number}"


def _run_here(
    ledger: Ledger,
    proposals: Proposals,
    evaluation: Evaluation,
    numbers: Sequence[int],
) -> None:
    """Runs trials one after another in this process, up to one without an answer."""
    for number in numbers:
        if ledger.unanswered():
            return
        proposals.sampler.number = number
        asked = proposals.ask()
        point = proposals.point(asked.params)
        ledger.begin(number, point)

        def report(step: int, values: Any, number: int = number) -> None:
            if not ledger.report(number, step, values):
                raise StoppedEarly

        with suppress(StoppedEarly):
            ledger.end(number, evaluation.compute(point, report))
        proposals.tell(asked, ledger.trials[number])
