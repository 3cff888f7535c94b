"""What is collated of trials is what a sweep wrote, for one reader serves both."""

import json
import sys
from dataclasses import dataclass, replace

import pytest

from orrery.results.collation.collate import collate
from orrery.results.collation.entries import all_entries
from orrery.results.collation.trial_files import sweep_goals, trial_files
from orrery.storage.files import locked
from orrery.sweeps.halving import Halving
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Choice, Int, Log, SearchSpace
from orrery.sweeps.trial import GONE, Goal, read_trials, trial_path, write_trial

SPACE = SearchSpace(
    {"rate": Log(1e-3, 1.0), "width": Int(1, 9), "hidden": Choice(((8,), (8, 8)))}
)
DATASET = "4793ef685cba50ab"


@dataclass(frozen=True)
class Toy:
    rate: float = 0.1
    width: int = 3
    hidden: tuple[int, ...] = (8,)


def evaluate(options, report):
    loss = (options.rate - 0.3) ** 2 + abs(options.width - 5) / 10
    for step in range(1, 9):
        report({"loss": loss + 1 / step})
    if options.width > 7:
        raise ValueError("too wide")
    return {"loss": loss}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """The folder of a sweep that a real search left behind, in that of all runs."""
    root = tmp_path_factory.mktemp("runs")
    wanted = Sweep(
        "toy",
        SPACE,
        Toy(),
        evaluate,
        (Goal("loss"),),
        identity={"dataset": DATASET, "version": 1},
        halving=Halving(1, 8),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        search(wanted, 24, root / "sweeps")
    return wanted.folder(root / "sweeps")


@pytest.fixture
def root(sweep):
    return sweep.parents[2]


@pytest.mark.slow
def test_each_trial_is_collated_as_the_sweep_reads_it(sweep, root):
    trials = read_trials(sweep)
    assert {trial.state for trial in trials} == {"finished", "pruned", "failed"}
    entries = list(all_entries(root))
    assert [entry.place for entry in entries] == [
        trial_path(sweep, n).relative_to(root).with_suffix("").as_posix()
        for n in range(24)
    ]
    for trial, entry in zip(trials, entries, strict=True):
        assert not entry.problems
        values = entry.values
        assert (entry.status, values["reason"]) == (trial.state, trial.reason)
        assert (values["trial"], values["seconds"]) == (trial.number, trial.seconds)
        assert values["option.rate"] == trial.point["rate"]
        assert values["option.width"] == trial.point["width"]
        assert values.get("objective.loss") == trial.objectives.get("loss")
        assert entry.curves == {"reports": [dict(report) for report in trial.curve]}
        assert [one.fingerprint for one in entry.lineage] == [DATASET]
        assert entry.goals == {"loss": "smaller"}


def test_a_sweep_that_was_killed_is_collated_as_it_goes_on(sweep, root, tmp_path):
    place = tmp_path / "sweeps" / "toy" / sweep.name
    (place / "trials").mkdir(parents=True)
    write_trial(place, replace(read_trials(sweep)[0], state="running"))
    with locked(place):
        (running,) = all_entries(tmp_path)
    (left,) = all_entries(tmp_path)
    assert running.status == "running"
    assert running.curves["reports"]
    (known,) = read_trials(place)
    assert (left.status, left.values["reason"]) == (known.state, GONE)


def test_what_lies_beside_trials_is_none(sweep, root, tmp_path):
    place = tmp_path / "toy" / sweep.name
    (place / "trials").mkdir(parents=True)
    write_trial(place, read_trials(sweep)[3])
    written = trial_path(place, 3)
    (place / "trials" / "trial-copy.json").write_bytes(written.read_bytes())
    (place / "trials" / f".{written.name}.tmp").write_text("{")
    assert trial_files(tmp_path) == [written]
    written.rename(trial_path(place, 4))  # a file of another trial's name
    (entry,) = all_entries(tmp_path)
    assert entry.status == "damaged"
    assert "holds trial 3" in entry.values["reason"]


def test_goals_are_those_that_the_sweep_has_written(sweep):
    document = json.loads((sweep / "sweep.json").read_text())
    assert sweep_goals(sweep) == {g["name"]: g["better"] for g in document["goals"]}


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_a_sweep_whose_goals_are_damaged_is_told(sweep, root, tmp_path, share):
    """The page would go by the objectives' names, and call another trial the best."""
    place = tmp_path / "toy" / sweep.name
    (place / "trials").mkdir(parents=True)
    write_trial(place, read_trials(sweep)[3])
    content = bytearray((sweep / "sweep.json").read_bytes())
    content[int(share * (len(content) - 2))] ^= 4
    (place / "sweep.json").write_bytes(content)
    (entry,) = all_entries(tmp_path)
    assert entry.goals == {}
    assert "best is not known" in entry.problems[0]
    assert "sweep.json" in entry.problems[0]
    (place / "sweep.json").unlink()
    (entry,) = all_entries(tmp_path)
    assert (entry.goals, entry.problems) == ({}, ())


def test_a_real_sweep_becomes_a_table_and_a_page(root, tmp_path):
    found = collate(root, tmp_path)
    assert (found.runs, found.trials, found.problems) == (0, 24, {})
