"""A search returns the trials that were wanted, whatever longer one was made before it."""

import sys
from dataclasses import dataclass

import pytest

from orrery.sweeps.search import AllTrialsFailedError, Sweep, search
from orrery.sweeps.space import Choice, Int, SearchSpace
from orrery.sweeps.trial import Goal, best, read_trials, trial_path
from orrery.sweeps.trial_list import TRIAL_LIST, sweep_findings

LOSS = Goal("loss")
SPACE = SearchSpace({"width": Int(1, 40), "kind": Choice(("a", "b"))})


@dataclass(frozen=True)
class Toy:
    width: int = 3
    kind: str = "a"


def evaluate(options, report):
    return {"loss": abs(options.width - 17.25) + (options.kind == "b")}


@pytest.fixture(autouse=True)
def without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)


def sweep(evaluate=evaluate, space=SPACE):
    return Sweep("toy", space, Toy(), evaluate, (LOSS,))


def ends(trials):
    return [(trial.number, dict(trial.point), trial.objectives) for trial in trials]


def distinct(trials):
    return {tuple(trial.point.values()) for trial in trials}


@pytest.mark.parametrize("wanted", [1, 3, 12])
def test_fewer_trials_are_those_of_a_search_for_so_many(tmp_path, wanted, capsys):
    fresh = search(sweep(), wanted, tmp_path / "fresh")
    longer = search(sweep(), 13, tmp_path / "longer")
    capsys.readouterr()
    found = search(sweep(), wanted, tmp_path / "longer")
    assert ends(found) == ends(fresh) == ends(longer[:wanted])
    assert best(found, LOSS).number == best(fresh, LOSS).number
    told = " ".join(capsys.readouterr().err.split())
    assert told.count("more trials than") == 1
    assert f"has {13 - wanted} more trials than the {wanted} that are wanted" in told
    assert ends(search(sweep(), 13, tmp_path / "longer")) == ends(longer)
    assert "more trials" not in capsys.readouterr().err


def test_no_file_and_no_entry_of_the_list_is_lost(tmp_path):
    wanted = sweep()
    search(wanted, 7, tmp_path)
    folder = wanted.folder(tmp_path)
    before = (folder / TRIAL_LIST).read_bytes()
    search(wanted, 2, tmp_path)
    assert (folder / TRIAL_LIST).read_bytes() == before
    assert [trial.number for trial in read_trials(folder)] == list(range(7))
    inside = {path.name for path in folder.iterdir()}
    assert [*sweep_findings(folder, inside)] == []


def test_a_hole_among_the_first_is_filled_though_more_are_known(tmp_path):
    wanted = sweep()
    search(wanted, 9, tmp_path)
    trial_path(wanted.folder(tmp_path), 2).unlink()
    found = search(wanted, 4, tmp_path)
    assert [trial.number for trial in found] == [0, 1, 2, 3]
    assert len(distinct(search(wanted, 9, tmp_path))) == 9


def test_an_interrupted_trial_that_is_not_wanted_keeps_its_point(tmp_path):
    computed = []

    def interrupted(options, report):
        computed.append(options)
        if len(computed) == 6:
            raise KeyboardInterrupt
        return evaluate(options, report)

    with pytest.raises(KeyboardInterrupt):
        search(sweep(interrupted), 8, tmp_path)
    folder = sweep().folder(tmp_path)
    left = read_trials(folder)[5]
    trial_path(folder, 1).unlink()
    found = search(sweep(), 3, tmp_path)
    assert [trial.number for trial in found] == [0, 1, 2]
    assert dict(left.point) not in [dict(trial.point) for trial in found]
    assert (read_trials(folder)[5].state, read_trials(folder)[5].point) == (
        "interrupted",
        left.point,
    )
    later = search(sweep(), 8, tmp_path)
    assert later[5].point == left.point
    assert len(distinct(later)) == 8


def test_a_small_space_counts_the_first_alone(tmp_path, capsys):
    few = SearchSpace({"width": Int(1, 3), "kind": Choice(("a", "b"))})
    search(sweep(space=few), 6, tmp_path)
    capsys.readouterr()
    assert len(search(sweep(space=few), 4, tmp_path)) == 4
    assert "fewer than wanted" not in capsys.readouterr().err
    assert len(search(sweep(space=few), 7, tmp_path)) == 6
    assert "ends with 6 trials, 1 fewer" in " ".join(capsys.readouterr().err.split())


def test_that_all_failed_is_said_of_those_that_were_wanted(tmp_path):
    computed = []

    def failing(options, report):
        computed.append(options)
        if len(computed) <= 2:
            raise ValueError("too wide")
        return evaluate(options, report)

    assert len(search(sweep(failing), 5, tmp_path)) == 5
    with pytest.raises(AllTrialsFailedError, match="all 2 trials failed"):
        search(sweep(failing), 2, tmp_path)
