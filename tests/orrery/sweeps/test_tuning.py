"""Ray Tune runs the same trials, loses none to a dead process, and leaves nothing behind."""

import errno
import json
import os
import sys
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import ray

from orrery.execution.same_code import installed_code
from orrery.identity import describe
from orrery.sweeps import tuning
from orrery.sweeps.evaluation import Evaluated, Evaluation
from orrery.sweeps.halving import Halving
from orrery.sweeps.ledger import Ledger
from orrery.sweeps.proposals import Proposals
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Choice, Int, Log, SearchSpace, read_point
from orrery.sweeps.trial import LOST, Goal, read_trials, trial_path
from orrery.sweeps.tuning import DEATHS, SETTINGS, Resources, _room, _Search

SPACE = SearchSpace(
    {"rate": Log(1e-3, 1.0), "width": Int(1, 9), "hidden": Choice(((8,), (8, 8)))}
)


@dataclass(frozen=True)
class Toy:
    """Options of an evaluation that can refuse, and end its own process.

    Arguments:
        deadly: A file; who finds it removes it, and its process dies.
        refused: The width that is refused.
        leaving: The width at which the program would end.
    """

    rate: float = 0.1
    width: int = 3
    hidden: tuple[int, ...] = (8,)
    deadly: str = ""
    refused: int = 0
    leaving: int = 0


def evaluate(options, report):
    loss = (options.rate - 0.3) ** 2 + abs(options.width - 5) / 10
    for step in range(1, 4):
        report({"loss": loss + 1 / step})
    if options.width == options.refused:
        raise ValueError(f"width {options.width} is refused")
    if options.width == options.leaving:
        sys.exit("no more")
    if options.deadly and Path(options.deadly).exists():
        Path(options.deadly).unlink()
        os._exit(1)
    return {"loss": loss}


def sweep(options=None, **changes):
    wanted = Sweep("toy", SPACE, options or Toy(), evaluate, (Goal("loss"),))
    return replace(wanted, **changes)


@pytest.fixture
def connected(connected):
    # Trials' processes cannot import this file: they receive what it defines by value.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield connected
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def without_ray(wanted, trials, folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        return search(wanted, trials, folder)


def points_and_ends(trials):
    return [
        (trial.point, trial.state, trial.curve, trial.objectives) for trial in trials
    ]


@pytest.mark.slow  # processes of Ray start, and one of them dies
def test_one_at_a_time_gives_the_trials_of_a_search_without_ray(
    tmp_path, connected, capfd
):
    halving = Halving(first=2, factor=3)
    toy = Toy(refused=4, leaving=3)
    expected = without_ray(sweep(toy, halving=halving), 14, tmp_path / "here")
    deadly = tmp_path / "deadly"
    deadly.touch()
    wanted = sweep(replace(toy, deadly=str(deadly)), halving=halving)
    capfd.readouterr()
    before = dict(os.environ)
    found = search(wanted, 14, tmp_path / "there")
    assert not deadly.exists()  # a process has died, which cost no trial
    assert points_and_ends(found) == points_and_ends(expected)
    assert {trial.state for trial in found} == {"finished", "failed", "pruned"}
    reasons = {trial.reason for trial in found if trial.state == "failed"}
    assert reasons == {"ValueError: width 4 is refused", "SystemExit: no more"}
    # Tune said nothing, and all that it wrote is gone
    out, err = capfd.readouterr()
    # of a process's death Ray itself speaks, as for any actor
    assert [line for line in out.splitlines() if "(raylet)" not in line] == []
    ours = ("sweep toy: ", "trial ", "the process of trial ")
    assert err.count("died: the trial begins again") == 1
    assert [line for line in err.splitlines() if not line.startswith(ours)] == []
    folder = wanted.folder(tmp_path / "there")
    assert {path.name for path in folder.iterdir()} == {
        *("trials", "trials.json", "sweep.json", ".lock"),
    }
    assert not Path("~/ray_results").expanduser().exists()
    assert dict(os.environ) == before
    assert not SETTINGS.keys() & before.keys()


@pytest.mark.slow  # a process of Ray starts
def test_a_full_disk_ends_a_search_with_the_words_of_whoever_wrote(
    tmp_path, connected, monkeypatch
):
    report = Ledger.report

    def full(ledger, number, step, values):
        if number == 1:
            raise OSError(errno.ENOSPC, "cannot write: free some space")
        return report(ledger, number, step, values)

    monkeypatch.setattr(Ledger, "report", full)
    with pytest.raises(OSError, match="free some space"):
        search(sweep(), 3, tmp_path)
    kept = read_trials(sweep().folder(tmp_path))
    assert [trial.state for trial in kept] == ["finished", "interrupted"]


def asked_by_tune(folder, numbers, deaths=DEATHS):
    """Returns Tune's search of a ledger, without Tune; processes have died so often."""
    goals = (Goal("loss"),)
    ledger = Ledger.open(folder, goals, {})
    return ledger, _Search(
        ledger, Proposals(SPACE, goals, 1), numbers, dict.fromkeys(numbers, deaths)
    )


def test_a_trial_is_on_the_disk_before_tune_hears_of_it(tmp_path):
    ledger, asked = asked_by_tune(tmp_path, [4])
    config = asked.suggest("a")
    assert config["number"] == 4
    assert read_point(json.loads(config["point"])) == ledger.trials[4].point
    assert trial_path(tmp_path, 4).exists()
    assert asked.suggest("b") is None


def test_no_more_trials_begin_after_one_without_an_answer(tmp_path):
    ledger, asked = asked_by_tune(tmp_path, [0, 1, 2])
    for name in ("a", "b"):
        asked.suggest(name)
    ledger.end(0, Evaluated({}, 1.0, "MemoryError", says_nothing=True))
    asked.on_trial_complete("a", {})
    assert asked.suggest("c") == asked.FINISHED
    assert sorted(ledger.trials) == [0, 1]
    # what runs already may end
    ledger.end(1, Evaluated({"loss": 1.0}, 1.0))
    asked.on_trial_complete("b", {})
    states = [trial.state.name for trial in asked.proposals.study.trials]
    assert states == ["FAIL", "COMPLETE"]


def test_a_process_that_has_died_too_often_is_a_failure(tmp_path):
    ledger, asked = asked_by_tune(tmp_path, [0, 1])
    asked.suggest("a")
    ledger.report(0, 1, {"loss": 2.0})
    asked.on_trial_complete("a", None, error=True)
    assert ledger.trials[0].state == "failed"
    assert f"process died {DEATHS + 1} times" in ledger.trials[0].reason
    asked.suggest("b")
    ledger.end(1, Evaluated({"loss": 1.0}, 1.0))
    asked.on_trial_complete("b", {})
    states = [trial.state.name for trial in asked.proposals.study.trials]
    assert states == ["FAIL", "COMPLETE"]


@pytest.mark.parametrize("deaths", range(DEATHS))
def test_a_trial_that_tune_gives_up_before_it_began_is_no_failure(tmp_path, deaths):
    ledger, asked = asked_by_tune(tmp_path, [0], deaths)
    asked.suggest("a")
    asked.on_trial_complete("a", None, error=True)
    trial = ledger.trials[0]
    assert (trial.state, trial.reason) == ("interrupted", LOST)
    assert trial.point


@pytest.fixture
def begun(monkeypatch):
    """The numbers that Tune is given, round by round; trial 2 is lost in the first two."""
    rounds = []

    def giving_up(ledger, proposals, evaluation, numbers, *others):
        rounds.append(list(numbers))
        for number in numbers:
            proposals.sampler.number = number
            asked = proposals.ask()
            ledger.begin(number, proposals.point(asked.params))
            outcome = Evaluated({"loss": float(number)}, 1.0)
            if number == 2 and len(rounds) < 3:
                outcome = Evaluated({}, 0.0, LOST, says_nothing=True)
            ledger.end(number, outcome)
            proposals.tell(asked, replace(ledger.trials[number], state="failed"))

    monkeypatch.setattr(tuning, "run_on_ray", giving_up)
    monkeypatch.setattr("orrery.execution.cluster.connect", nullcontext)
    monkeypatch.setattr("orrery.execution.cluster.connected", lambda: True)
    return rounds


def distinct(trials):
    return {json.dumps(describe(dict(trial.point))) for trial in trials}


def test_a_trial_that_tune_gives_up_is_begun_again(tmp_path, begun):
    found = search(sweep(), 4, tmp_path)
    assert begun == [[0, 1, 2, 3], [2], [2]]
    assert [trial.state for trial in found] == ["finished"] * 4
    assert len(distinct(found)) == 4


def test_no_point_is_tried_twice_since_a_trial_is_begun_again(tmp_path, begun):
    found = search(sweep(space=SearchSpace({"width": Int(1, 3)})), 5, tmp_path)
    assert begun == [[0, 1, 2], [2], [2]]
    assert len(found) == len(distinct(found)) == 3


def test_a_trial_that_could_never_start_is_refused(monkeypatch):
    monkeypatch.delenv("ORRERY_CPUS", raising=False)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0})
    with pytest.raises(ValueError, match=r"0\.5 GPU, and the cluster has 2 CPU and 0"):
        _room(Resources(gpus=0.5))
    with pytest.raises(ValueError, match="3 CPU and 0 GPU, and the cluster has 2 CPU"):
        _room(Resources(cpus=3))
    with pytest.raises(ValueError, match=r"starts 2 workers.* has 2 CPU and 0 GPU"):
        _room(Resources(workers=2))
    assert _room(Resources(cpus=2)) == 1
    monkeypatch.setenv("ORRERY_CPUS", "64")
    assert _room(Resources(cpus=3)) == 21
    assert _room(Resources(gpus=1, workers=4)) == 12


@pytest.mark.parametrize(
    ("resources", "cpus", "gpus", "most"),
    [
        (Resources(), 16, 0, 16),
        (Resources(gpus=0.5), 16, 1, 2),
        (Resources(gpus=1.0), 3, 8, 3),
        # workers need a CPU each, and a GPU each where there are enough of them
        (Resources(workers=2), 16, 0, 5),
        (Resources(workers=2), 16, 1, 5),
        (Resources(workers=2), 16, 4, 2),
        (Resources(workers=4), 16, 4, 1),
        (Resources(workers=2), 2, 0, 0),
    ],
)
def test_only_as_many_trials_run_as_have_room_with_their_workers(
    resources, cpus, gpus, most
):
    assert resources.at_a_time(cpus, gpus) == most


@pytest.mark.parametrize("wrong", [{"cpus": 0}, {"gpus": -0.5}, {"workers": -1}])
def test_trials_that_hold_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="give a CPU or more"):
        Resources(**wrong)


def test_a_trial_that_tune_has_stopped_says_nothing_more(monkeypatch):
    reported = []

    def report(values):
        reported.append(values)
        sys.exit(0)

    monkeypatch.setattr(tuning.tune, "report", report)
    evaluation = Evaluation(Toy(), evaluate, (Goal("loss"),))
    point = json.dumps({"rate": 0.1, "width": 3})
    with pytest.raises(SystemExit) as end:
        tuning._compute({tuning.POINT: point}, evaluation, installed_code(()))
    assert end.value.code == 0
    assert [tuning.REPORT in values for values in reported] == [True]


def test_a_trial_whose_process_has_other_code_says_nothing_of_its_point(monkeypatch):
    reported = []
    monkeypatch.setattr(tuning.tune, "report", reported.append)
    here = installed_code(())
    other = replace(here, versions={**here.versions, "torch": "0.0.1"})
    tuning._compute({}, None, other)
    (outcome,) = (json.loads(report[tuning.OUTCOME]) for report in reported)
    assert "has other code than the process that began" in outcome["reason"]
    assert outcome["says_nothing"]


@pytest.mark.slow  # a process of Ray starts
def test_trials_whose_processes_have_other_code_are_computed_by_the_next_start(
    tmp_path, connected, monkeypatch
):
    def edited(packages):
        here = installed_code(packages)
        return replace(here, versions={**here.versions, "torch": "0.0.1"})

    first = search(sweep(), 2, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(tuning, "installed_code", edited)
        said = "3 of 3 trials were not computed: .* has other code"
        with pytest.raises(ValueError, match=said):
            search(sweep(), 5, tmp_path)
    kept = read_trials(sweep().folder(tmp_path))
    # no more begin after the first that has no answer
    assert [trial.state for trial in kept] == ["finished"] * 2 + ["interrupted"]
    found = search(sweep(), 5, tmp_path)
    assert [trial.state for trial in found] == ["finished"] * 5
    assert found[:2] == first
    assert found[2].point == kept[2].point
