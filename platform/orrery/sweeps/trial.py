"""A trial: one point of a sweep, and what became of it, in one file of its own.

The files are the sweep's only memory. Each is written before its trial starts and at
each report, complete or not at all, so that whatever is killed, the next start knows
what was found and what has to be computed again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from orrery.identity import JSON, describe
from orrery.option_types import check_value
from orrery.storage.documents import read_document, write_document
from orrery.storage.files import is_locked
from orrery.sweeps.space import Point, read_point

State = Literal["running", "finished", "pruned", "failed", "interrupted"]
TRIALS = "trials"  # the folder of their files
FEWEST_COMPARED = 4  # finished trials that tell what matters
SWEEP = "sweep.json"  # what was searched, beside it
TRIAL_REMEDY = "the sweep's command runs it again"
GONE = "its sweep ended; the same command goes on with it"
LOST = "its process was lost before it began"
# Keys of a document that tell of the machine, not of the trial: the same trial has others.
_TIMES = ("seconds",)


@dataclass(frozen=True)
class Trial:
    """One point of a sweep.

    Arguments:
        number: Its number, from 0.
        point: The values of its options, by dotted path; none if the file that held
            them is damaged.
        state: Running; finished; pruned, because others were better as early; failed,
            for a reason; or interrupted, and to be computed again.
        curve: What it has reported so far, values by name.
        objectives: What it reached, by name: of a pruned one the last report.
        seconds: How long it took [s].
        reason: Why it failed, was pruned or interrupted.
        identity: What the sweep says of its data and code.

    Example:
        >>> Trial(3, {"flow.transforms": 5}, "finished", objectives={"loss": 0.5}).known
        True
    """

    number: int
    point: Point
    state: State = "running"
    curve: tuple[Mapping[str, float], ...] = ()
    objectives: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""
    identity: JSON = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether it has come to an end of its own and need not be computed again."""
        return self.state in ("finished", "pruned", "failed")

    @property
    def document(self) -> JSON:
        """The trial as plain JSON."""
        found: JSON = describe(self)
        del found["type"]
        # what a space is made of may be called `type` too
        return {**found, "point": describe(dict(self.point))}

    @property
    def lasting(self) -> JSON:
        """The document without times: what the same trial has whenever it is computed."""
        return {k: v for k, v in self.document.items() if k not in _TIMES}

    def interrupted(self, reason: str) -> "Trial":
        """Returns the trial as one that has to be computed again."""
        return replace(
            self, state="interrupted", curve=(), objectives={}, reason=reason
        )


def trial_path(folder: Path, number: int) -> Path:
    """Returns the file of a trial in the folder of its sweep."""
    return folder / TRIALS / f"trial-{number:05d}.json"


def write_trial(folder: Path, trial: Trial) -> None:
    """Writes a trial's file, complete or not at all.

    Arguments:
        folder: Of the sweep.
        trial: The trial.

    Raises:
        OSError: If it cannot be written.
    """
    write_document(trial_path(folder, trial.number), trial.document)


def read_trial(path: Path) -> Trial:
    """Returns the trial in a file, as it stands there.

    Raises:
        ValueError: If it does not hold one; it says what is wrong.
        OSError: If it cannot be read.
    """
    document = read_document(path, TRIAL_REMEDY)
    try:
        trial = _trial(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} holds no trial ({error!r}): {TRIAL_REMEDY}"
        ) from error
    if _number(path) not in (None, trial.number):  # another's, or a copy
        raise ValueError(
            f"{path} holds trial {trial.number}: the sweep's command runs its own again"
        )
    return trial


def settled(trial: Trial, folder: Path) -> Trial:
    """Returns a trial, interrupted if it says running but nobody computes its sweep.

    Arguments:
        trial: As its file has it.
        folder: Of the sweep.
    """
    if trial.state != "running" or is_locked(folder):
        return trial
    return trial.interrupted(GONE)


def _trial(document: JSON) -> Trial:
    if document["state"] not in get_args(State):
        raise ValueError(f"state {document['state']!r}")
    for name, kind in {"number": int, "seconds": float, "reason": str}.items():
        check_value(name, document[name], kind)
    return Trial(
        number=document["number"],
        point=read_point(document["point"]),
        state=document["state"],
        curve=tuple(map(_numbers, document["curve"])),
        objectives=_numbers(document["objectives"]),
        seconds=document["seconds"],
        reason=document["reason"],
        identity=dict(document["identity"]),
    )


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    for name, value in values.items():
        check_value(name, value, float)
    return dict(values)


def read_trials(folder: Path) -> list[Trial]:
    """Returns all trials of a sweep, by number; damaged ones as interrupted.

    One that a killed sweep has left running is interrupted, too.

    Arguments:
        folder: Of the sweep.
    """
    found = [_read_or_interrupt(path) for path in trial_paths(folder)]
    return [settled(trial, folder) for trial in found]


def sweep_folders(root: Path) -> list[Path]:
    """Returns the folders of all sweeps with trials below a folder.

    Arguments:
        root: The folder of all runs, of one experiment, or of one sweep.
    """
    # As deep as attempts of runs lie, and no deeper: a walk would trip over trainings.
    patterns = (f"{above}{TRIALS}/" for above in ("", "*/", "*/*/", "*/*/*/"))
    return sorted(
        {place.parent for pattern in patterns for place in root.glob(pattern)}
    )


def trial_paths(folder: Path) -> list[Path]:
    """Returns the files of all trials of a sweep, by number.

    Arguments:
        folder: Of the sweep.
    """
    named = (folder / TRIALS).glob("trial-*.json")
    return sorted(path for path in named if _number(path) is not None)


def _number(path: Path) -> int | None:
    digits = path.stem.removeprefix("trial-")
    return int(digits) if digits.isdecimal() else None


def _read_or_interrupt(path: Path) -> Trial:
    try:
        return read_trial(path)
    except ValueError as error:
        return Trial(_number(path) or 0, {}, "interrupted", reason=str(error))


def commonest_failure(trials: Sequence[Trial]) -> tuple[str, int]:
    """Returns the reason for which most trials failed, and how many did.

    Arguments:
        trials: Of which one failed at least.

    Example:
        >>> reasons = ("too wide", "no such table", "too wide")
        >>> commonest_failure([Trial(0, {}, "failed", reason=reason) for reason in reasons])
        ('too wide', 2)
    """
    reasons = Counter(trial.reason for trial in trials if trial.state == "failed")
    return reasons.most_common(1)[0]


# --- what is sought --------------------------------------------------------------------


@dataclass(frozen=True)
class Goal:
    """A number that a trial returns, and whether more or less of it is better.

    Arguments:
        name: Its name among the trial's objectives.
        better: Whether it should be `larger` or `smaller`.

    Example:
        >>> Goal("log_probability", "larger").improves(1.0, 0.5)
        True
    """

    name: str
    better: Literal["larger", "smaller"] = "smaller"

    def __post_init__(self) -> None:
        check_value(f"better of goal {self.name!r}", self.better, _BETTER)

    def loss(self, value: float) -> float:
        """Returns a number that is smaller the better the value is."""
        return value if self.better == "smaller" else -value

    def improves(self, value: float, other: float) -> bool:
        """Returns whether a value is better than another."""
        return self.loss(value) < self.loss(other)


_BETTER = Literal["larger", "smaller"]


def best(trials: Sequence[Trial], goal: Goal) -> Trial:
    """Returns the finished trial that is best by one goal; of equals the first.

    Raises:
        ValueError: If none has finished.

    Example:
        >>> found = [Trial(i, {}, "finished", objectives={"loss": abs(i - 1)}) for i in range(3)]
        >>> best(found, Goal("loss")).number
        1
    """
    finished = [trial for trial in trials if trial.state == "finished"]
    if not finished:
        raise ValueError("no trial has finished: there is no best one yet")
    return min(finished, key=lambda trial: goal.loss(trial.objectives[goal.name]))


def pareto_front(trials: Sequence[Trial], goals: Sequence[Goal]) -> list[Trial]:
    """Returns the finished trials that no other beats in all goals, by number.

    Example:
        >>> pairs = ((1.0, 3.0), (2.0, 2.0), (3.0, 3.0))
        >>> found = [
        ...     Trial(i, {}, "finished", objectives={"loss": loss, "time": time})
        ...     for i, (loss, time) in enumerate(pairs)
        ... ]
        >>> [trial.number for trial in pareto_front(found, (Goal("loss"), Goal("time")))]
        [0, 1]
    """
    finished = [trial for trial in trials if trial.state == "finished"]
    losses = {trial.number: _losses(trial, goals) for trial in finished}
    return [
        trial
        for trial in finished
        if not any(_beats(other, losses[trial.number]) for other in losses.values())
    ]


def _losses(trial: Trial, goals: Sequence[Goal]) -> tuple[float, ...]:
    return tuple(goal.loss(trial.objectives[goal.name]) for goal in goals)


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)
