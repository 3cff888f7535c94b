"""Ray Tune runs the trials of a sweep; the ledger remembers them.

The only file that imports Ray Tune, and imported only where Ray is. Tune's own memory
is written to a folder that is removed, and never read again: restored after a kill it
crashed, or ran finished trials once more.
"""

import json
import logging
import math
import os
import shutil
import sys
import warnings
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
from ray import tune
from ray.tune.error import TuneError
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from orrery.execution import cluster
from orrery.execution.same_code import (
    InstalledCode,
    check_same_code,
    installed_code,
    own_packages,
)
from orrery.sweeps.evaluation import Evaluated, Evaluation, StoppedEarly
from orrery.sweeps.ledger import Ledger
from orrery.sweeps.proposals import STUDY, Proposals
from orrery.sweeps.space import read_point
from orrery.sweeps.trial import LOST
from orrery.terminal import say

_FOLDER = "ray"  # below the sweep's, for as long as Tune runs
DEATHS = 2  # of a trial's process, after which the next one is the trial's failure
# Keys of what Tune is given and gives back. What they hold is JSON text, because Tune
# takes nested documents apart.
NUMBER = "number"
POINT = "point"
REPORT = "report"
STEP = "step"
OUTCOME = "outcome"
SETTINGS = {
    # relative paths of options mean the user's folder, not one of Tune's
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # the older reporter is the one that can be silent
    "RAY_AIR_NEW_OUTPUT": "0",
    # Ctrl-C is ours: Tune's handler would advise to restore
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


@dataclass(frozen=True)
class Resources:
    """What each trial holds while it runs.

    Arguments:
        cpus: CPUs.
        gpus: GPUs, or a share of one.
        workers: Processes of Ray Train that it starts besides, each on a CPU of its own
            and, where there are as many GPUs, on a GPU.

    Raises:
        ValueError: If there is no CPU, a negative share, or a negative number.

    Example:
        >>> Resources(gpus=0.5).cpus
        1
    """

    cpus: int = 1
    gpus: float = 0.0
    workers: int = 0

    def __post_init__(self) -> None:
        if self.cpus < 1 or self.gpus < 0 or self.workers < 0:
            raise ValueError(
                f"{self}: give a CPU or more, no GPU or more, and no worker or more"
            )

    def at_a_time(self, cpus: float, gpus: float) -> int:
        """Returns for how many trials there is room at the same time.

        Workers have no part in what Tune counts. Two trials that wait for each other's
        would wait for ever, so that no more trials start than have room with all theirs.

        Arguments:
            cpus: CPUs of the cluster.
            gpus: Its GPUs.
        """
        room = cpus // (self.cpus + self.workers)
        # as `run_workers` decides it: on GPUs if there are enough, else on none
        on_gpus = self.gpus + (self.workers if gpus >= self.workers else 0)
        if on_gpus:
            room = min(room, gpus / on_gpus)
        return int(room)


def run_on_ray(
    ledger: Ledger,
    proposals: Proposals,
    evaluation: Evaluation,
    numbers: Sequence[int],
    concurrent: int,
    resources: Resources,
) -> None:
    """Runs trials on the connected cluster, several at a time.

    Arguments:
        ledger: Where they are entered.
        proposals: What has been tried, and what is tried next.
        evaluation: What a trial computes; it is sent to other processes.
        numbers: The trials' numbers, in the order in which they start.
        concurrent: How many run at the same time.
        resources: What each holds.

    Raises:
        ValueError: If the cluster has less than one trial holds.
        OSError: If a trial's file cannot be written.
    """
    most = _room(resources)
    folder = ledger.folder.absolute() / _FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # of a sweep that was killed
    trainable = tune.with_resources(
        tune.with_parameters(
            _compute,
            evaluation=evaluation,
            code=installed_code(own_packages()),
        ),
        {"CPU": resources.cpus, "GPU": resources.gpus},
    )
    deaths: Counter[int] = Counter()
    try:
        with _settled(), _own_errors():
            tune.Tuner(
                trainable,
                tune_config=tune.TuneConfig(
                    search_alg=_Search(ledger, proposals, numbers, deaths),
                    scheduler=_Scheduler(ledger),
                    num_samples=len(numbers),
                    max_concurrent_trials=min(concurrent, most),
                    # a process for each trial would import everything again
                    reuse_actors=True,
                ),
                run_config=tune.RunConfig(
                    name="tune",
                    storage_path=str(folder),
                    verbose=0,
                    callbacks=[_Deaths(deaths)],
                    failure_config=tune.FailureConfig(max_failures=DEATHS),
                ),
            ).fit()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _room(resources: Resources) -> int:
    """Returns for how many trials there is room at the same time.

    Raises:
        ValueError: If no trial could ever start: Tune would wait without a word.
    """
    cpus = cluster.cpus()
    # a cluster that grows on demand does not say how many GPUs it may have
    grows = "ORRERY_CPUS" in os.environ
    gpus = math.inf if grows else ray.cluster_resources().get("GPU", 0)
    room = resources.at_a_time(cpus, gpus)
    if room < 1:
        workers = (
            f" and starts {resources.workers} workers" if resources.workers else ""
        )
        raise ValueError(
            f"a trial holds {resources.cpus} CPU and {resources.gpus:g} GPU{workers}, and "
            f"the cluster has {cpus:g} CPU and {gpus:g} GPU: let trials hold less, or say "
            "in ORRERY_CPUS how far the cluster grows"
        )
    return room


@contextmanager
def _settled() -> Iterator[None]:
    """Returns a context in which Tune says nothing and leaves Ctrl-C to us."""
    before = {name: os.environ.get(name) for name in SETTINGS}
    logger = logging.getLogger("ray.tune")
    level = logger.level
    os.environ.update(SETTINGS)
    logger.setLevel(logging.CRITICAL)  # a process's death is told by us, in a line
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"ray\.")
            yield
    finally:
        logger.setLevel(level)
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _own_errors() -> Iterator[None]:
    """Returns a context in which Tune raises what the ledger has, as where a disk is full.

    Tune makes an error of its own of it, whose message is a whole traceback.
    """
    own: BaseException | None = None
    try:
        yield
    except TuneError as error:
        own = error.__context__
        if own is None:
            raise
    if own is not None:
        raise own


def _compute(
    config: Mapping[str, Any], evaluation: Evaluation, code: InstalledCode
) -> None:
    """Computes a trial in its own process, and sends each report to the ledger's."""
    try:
        check_same_code(code)
    except ValueError as error:
        # Raised, it would be taken for a crash.
        outcome = Evaluated({}, 0.0, str(error), says_nothing=True)
    else:
        try:
            outcome = evaluation.compute(read_point(json.loads(config[POINT])), _send)
        except StoppedEarly:
            sys.exit(0)  # as Tune would end it: it waits for no more reports
    tune.report({OUTCOME: json.dumps(vars(outcome))})


def _send(step: int, values: Mapping[str, float]) -> None:
    try:
        tune.report({REPORT: json.dumps(values), STEP: step})
    except SystemExit as end:
        # how Tune ends a trial that it has stopped: no exit of the evaluation's own
        raise StoppedEarly from end


class _Search(OptunaSearch):
    """Optuna's search as Tune asks it, each trial with its number of ours.

    Arguments:
        ledger: Where a trial is entered before it starts.
        proposals: With the study that all trials belong to.
        numbers: Of the trials to start.
        deaths: How often a trial began again, by its number.
    """

    def __init__(
        self,
        ledger: Ledger,
        proposals: Proposals,
        numbers: Sequence[int],
        deaths: Mapping[int, int],
    ) -> None:
        goals = proposals.goals
        modes = ["max" if goal.better == "larger" else "min" for goal in goals]
        names = [goal.name for goal in goals]
        # the study is in the storage already, with all known trials: what Optuna's
        # search can be given itself are trials of one objective
        super().__init__(
            space=proposals.distributions,
            metric=names if len(names) > 1 else names[0],
            mode=modes if len(modes) > 1 else modes[0],
            sampler=proposals.sampler,
            study_name=STUDY,
            storage=proposals.storage,
        )
        self.ledger = ledger
        self.proposals = proposals
        self.waiting = deque(numbers)
        self.deaths = deaths
        self.numbers: dict[str, int] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        if self.ledger.unanswered():
            nothing_more: Any = self.FINISHED
            return nothing_more
        if not self.waiting:
            return None
        number = self.waiting.popleft()
        self.numbers[trial_id] = number
        self.proposals.sampler.number = number
        params = super().suggest(trial_id)
        assert params is not None  # of Optuna's search it never is
        point = self.proposals.point(params)
        self.ledger.begin(number, point)
        return {NUMBER: number, POINT: json.dumps(point)}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Does nothing: reports are the scheduler's, and Optuna learns from ends."""

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        number = self.numbers[trial_id]
        if error and self.deaths.get(number, 0) < DEATHS:
            # Tune gives up one that waits for a process again, as after the loss of a
            # node, and loses that before it has begun
            self.ledger.end(number, Evaluated({}, 0.0, LOST, says_nothing=True))
        elif error or self.ledger.trials[number].state == "running":
            reason = f"its process died {DEATHS + 1} times: look for a crash, or leave "
            reason += "more memory to each by fewer at the same time"
            self.ledger.end(number, Evaluated({}, 0.0, reason))
        trial = self.ledger.trials[number]
        if trial.state in ("failed", "interrupted"):
            super().on_trial_complete(trial_id, None, error=True)
        else:
            super().on_trial_complete(trial_id, dict(trial.objectives))

    def save(self, checkpoint_path: str) -> None:
        """Writes nothing: the ledger is the memory."""

    def restore(self, checkpoint_path: str) -> None:
        """Reads nothing."""


class _Scheduler(FIFOScheduler):
    """Enters reports and ends, and stops a trial that does not go on.

    Arguments:
        ledger: Where they are entered.
    """

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger

    def on_trial_result(
        self, tune_controller: Any, trial: Any, result: Mapping[str, Any]
    ) -> str:
        number = trial.config[NUMBER]
        if OUTCOME in result:
            outcome = json.loads(result[OUTCOME])
            self.ledger.end(number, Evaluated(**outcome))
            return str(TrialScheduler.CONTINUE)
        goes_on = self.ledger.report(number, result[STEP], json.loads(result[REPORT]))
        return str(TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP)


class _Deaths(tune.Callback):
    """Counts and tells of processes that died, whose trials begin again.

    Arguments:
        deaths: How often, by the trial's number.
    """

    def __init__(self, deaths: Counter[int]) -> None:
        self.deaths = deaths

    def on_trial_recover(
        self, iteration: int, trials: list[Any], trial: Any, **info: Any
    ) -> None:
        number = trial.config[NUMBER]
        self.deaths[number] += 1
        say(f"the process of trial {number} died: the trial begins again")
