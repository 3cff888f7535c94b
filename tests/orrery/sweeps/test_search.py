"""A search ends with the trials that were wanted, whatever stopped it on the way."""

import ast
import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orrery.storage.documents import parsed
from orrery.storage.files import locked
from orrery.sweeps.halving import Halving
from orrery.sweeps.search import AllTrialsFailedError, Sweep, search
from orrery.sweeps.space import Choice, Int, Log, SearchSpace
from orrery.sweeps.trial import Goal, best, read_trials, trial_path

PLATFORM = Path(__file__).parents[3] / "platform"
SPACE = SearchSpace(
    {"rate": Log(1e-3, 1.0), "width": Int(1, 9), "hidden": Choice(((8,), (8, 8)))}
)
LOSS = Goal("loss")


@dataclass(frozen=True)
class Toy:
    rate: float = 0.1
    width: int = 3
    hidden: tuple[int, ...] = (8,)


class Count:
    """Evaluates toys, counts them, and ends as it is told at some of them."""

    def __init__(self, ends=None):
        self.ends = ends or {}
        self.computed = []

    def __call__(self, options, report):
        number = len(self.computed)
        self.computed.append(options)
        loss = (options.rate - 0.3) ** 2 + abs(options.width - 5) / 10
        for step in range(1, 5):
            report({"loss": loss + 1 / step})
            if step == 2 and number in self.ends:
                raise self.ends[number]
        return {"loss": loss, "width": options.width}


def sweep(evaluate, **changes):
    return replace(Sweep("toy", SPACE, Toy(), evaluate, (LOSS,)), **changes)


@pytest.fixture(autouse=True)
def without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)


def lasting(folder, found):
    """Returns what the files of a search hold, but for times."""
    (place,) = (folder / found.name).iterdir()
    return [trial.lasting for trial in read_trials(place)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The trials of a search that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        search(sweep(Count()), 24, folder)
    return lasting(folder, sweep(Count()))


def test_a_search_computes_each_trial_once(tmp_path, capsys):
    count = Count()
    found = search(sweep(count), 12, tmp_path)
    assert [trial.number for trial in found] == list(range(12))
    assert len(count.computed) == len({toy.rate for toy in count.computed}) == 12
    assert {trial.state for trial in found} == {"finished"}
    assert [len(trial.curve) for trial in found] == [4] * 12
    told = capsys.readouterr().err
    assert f"of trial {best(found, LOSS).number}" in " ".join(told.split())
    assert search(sweep(count), 12, tmp_path) == found
    assert len(count.computed) == 12


def test_what_was_searched_is_kept_beside_the_trials(tmp_path):
    wanted = sweep(Count(), identity={"dataset": "0f"})
    search(wanted, 1, tmp_path)
    folder = wanted.folder(tmp_path)
    assert parsed((folder / "sweep.json").read_bytes()) == wanted.document
    assert read_trials(folder)[0].identity == {"dataset": "0f"}


@pytest.mark.slow
def test_more_trials_go_on_where_fewer_ended(tmp_path, whole):
    search(sweep(Count()), 5, tmp_path)
    count = Count()
    search(sweep(count), 24, tmp_path)
    assert len(count.computed) == 19
    assert lasting(tmp_path, sweep(count)) == whole


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 9, 15, 23])
def test_an_interrupted_search_ends_with_the_same_bytes(tmp_path, whole, at, capsys):
    with pytest.raises(KeyboardInterrupt):
        search(sweep(Count({at: KeyboardInterrupt()})), 24, tmp_path)
    told = " ".join(capsys.readouterr().err.split())
    assert f"{at} of 24 trials are kept" in told
    assert sys.argv[0] in told.partition("this goes on:")[2]
    *before, left = lasting(tmp_path, sweep(Count()))
    assert before == whole[:at]
    assert (left["state"], left["point"]) == ("interrupted", whole[at]["point"])
    count = Count()
    search(sweep(count), 24, tmp_path)
    assert len(count.computed) == 24 - at
    assert lasting(tmp_path, sweep(count)) == whole


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_search_with_a_torn_file_ends_with_the_same_bytes(tmp_path, whole, share):
    wanted = sweep(Count())
    search(wanted, 17, tmp_path)
    path = trial_path(wanted.folder(tmp_path), 16)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    search(wanted, 24, tmp_path)
    assert lasting(tmp_path, wanted) == whole
    assert len(wanted.evaluate.computed) == 25


def edited(path, **changes):
    """Changes a trial's file, as a careful hand would: without its checksum."""
    document = json.loads(path.read_text())
    del document["checksum"]
    document.update(changes)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "changes",
    [
        {"objectives": {}},
        {"objectives": {"width": 3.0}},
        {"state": "pruned", "objectives": {}},
        {"point": {"rate": 0.1, "width": 99, "hidden": [8]}},
        {"point": {"rate": 0.1, "width": 5, "hidden": [9]}},
        {"point": {"rate": 0.1, "width": "5", "hidden": [8]}},
        {"point": {"rate": 0.1, "width": 5.5, "hidden": [8]}},
        {"point": {"rate": True, "width": 5, "hidden": [8]}},
        {"point": {"rate": 0.1, "hidden": [8]}},
        {"point": {"rate": 0.1, "width": 5, "hidden": [8], "depth": 1}},
        {
            "state": "interrupted",
            "point": {"rate": 0.1, "width": 99, "hidden": [8]},
        },
    ],
)
def test_a_file_that_holds_none_of_its_trials_is_computed_again(
    tmp_path, whole, changes, capsys
):
    found = sweep(Count())
    search(found, 12, tmp_path)
    # the newest, which is then proposed from what was known before
    edited(trial_path(found.folder(tmp_path), 11), **changes)
    again = Count()
    search(replace(found, evaluate=again), 12, tmp_path)
    assert len(again.computed) == 1
    assert lasting(tmp_path, found) == whole[:12]
    told = capsys.readouterr().err
    assert re.search(r"trial-00011\.json .*: trial 11 is computed again", told)


def test_a_search_that_goes_on_has_its_options_in_the_same_order(tmp_path):
    found = sweep(Count())
    first = search(found, 6, tmp_path)
    again = search(found, 6, tmp_path)
    for trial in (*first, *again):
        assert list(trial.point) == list(SPACE.domains)


def test_failed_trials_are_told_and_the_search_goes_on(tmp_path, capsys):
    ends = {
        2: ValueError("no such width"),
        4: SystemExit("the library leaves"),
        5: FloatingPointError("loss is nan"),
    }
    wanted = sweep(Count(ends))
    found = search(wanted, 8, tmp_path)
    failed = {trial.number: trial.reason for trial in found if trial.state == "failed"}
    assert failed == {
        2: "ValueError: no such width",
        4: "SystemExit: the library leaves",
        5: "FloatingPointError: loss is nan",
    }
    told = " ".join(capsys.readouterr().err.split())
    assert "trial 2 failed: ValueError: no such width" in told
    search(wanted, 8, tmp_path)
    assert len(wanted.evaluate.computed) == 8  # a reason does not go away by itself


def test_a_reason_that_names_a_file_with_any_bytes_is_kept(tmp_path):
    name = b"stars\xff.csv".decode("utf-8", "surrogateescape")
    wanted = sweep(Count({1: ValueError(f"{name} has no stars")}))
    found = search(wanted, 3, tmp_path)
    assert [trial.state for trial in found] == ["finished", "failed", "finished"]
    assert "stars\\udcff.csv" in found[1].reason
    assert read_trials(wanted.folder(tmp_path)) == found


@pytest.mark.slow
def test_a_search_with_failures_goes_on_with_the_same_bytes(tmp_path):
    def ends():
        return Count({i: ValueError("no") for i in (1, 4, 13)})

    search(sweep(ends()), 20, tmp_path / "whole")
    count = ends()
    search(sweep(count), 11, tmp_path / "parts")
    search(sweep(count), 20, tmp_path / "parts")
    expected = lasting(tmp_path / "whole", sweep(count))
    assert lasting(tmp_path / "parts", sweep(count)) == expected


def test_a_search_whose_trials_all_fail_ends_with_the_commonest_reason(tmp_path):
    ends = {i: ValueError("rare" if i == 1 else "common") for i in range(4)}
    wanted = sweep(Count(ends))
    with pytest.raises(
        AllTrialsFailedError, match=r"all 4 trials failed, 3 of them.*common"
    ):
        search(wanted, 4, tmp_path)


@pytest.mark.slow
def test_halving_stops_the_same_trials_after_an_interruption(tmp_path):
    def halved(ends=None):
        return sweep(Count(ends), halving=Halving(first=1, factor=2))

    found = search(halved(), 16, tmp_path / "whole")
    pruned = [trial for trial in found if trial.state == "pruned"]
    assert 4 <= len(pruned) <= 14
    assert {len(trial.curve) for trial in pruned} <= {1, 2, 4}
    assert best(found, LOSS).state == "finished"
    first = next(i for i in range(6, 16) if found[i].state == "finished")
    with pytest.raises(KeyboardInterrupt):
        search(halved({first: KeyboardInterrupt()}), 16, tmp_path / "parts")
    search(halved(), 16, tmp_path / "parts")
    expected = lasting(tmp_path / "whole", halved())
    assert lasting(tmp_path / "parts", halved()) == expected


def test_several_goals_are_searched_together(tmp_path):
    wanted = sweep(Count(), goals=(LOSS, Goal("width", "larger")))
    found = search(wanted, 14, tmp_path)
    assert all({"loss", "width"} <= set(trial.objectives) for trial in found)


def test_another_search_has_another_folder(tmp_path):
    one = sweep(Count())
    for changes in (
        {"seed": 2},
        {"identity": {"dataset": "1f"}},
        {"options": Toy(rate=0.2)},
        {"space": SearchSpace({"rate": Log(1e-3, 1.0)})},
        {"halving": Halving()},
    ):
        assert replace(one, **changes).folder(tmp_path) != one.folder(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"goals": ()}, "name one or more"),
        ({"goals": (LOSS, LOSS)}, "each of them once"),
        ({"goals": (LOSS, Goal("w")), "halving": Halving()}, "by one goal, not by 2"),
    ],
)
def test_a_search_for_nothing_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        sweep(Count(), **changes)


def test_a_misspelt_path_ends_before_anything_runs(tmp_path):
    count = Count()
    wanted = sweep(count, space=SearchSpace({"rte": Log(1e-3, 1.0)}))
    with pytest.raises(ValueError, match="Toy has no field 'rte'"):
        search(wanted, 3, tmp_path)
    assert count.computed == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("trials", "concurrent"), [(0, 1), (1, 0)])
def test_no_trials_are_refused(tmp_path, trials, concurrent):
    with pytest.raises(ValueError, match="give 1 or more"):
        search(sweep(Count()), trials, tmp_path, concurrent)


def test_two_searches_do_not_share_a_folder(tmp_path):
    wanted = sweep(Count())
    folder = wanted.folder(tmp_path)
    folder.mkdir(parents=True)
    with locked(folder), pytest.raises(BlockingIOError, match="another seed"):
        search(wanted, 3, tmp_path)


# --- where points are few ---------------------------------------------------------------

FEW = SearchSpace({"width": Int(1, 6), "hidden": Choice(((8,), (8, 8)))})


def tried(trials):
    return {(trial.point["width"], trial.point["hidden"]) for trial in trials}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_small_space_is_searched_without_repeats_after_an_interruption_too(
    tmp_path, seed
):
    def few(ends=None):
        return sweep(Count(ends), space=FEW, seed=seed)

    assert len(tried(search(few(), 12, tmp_path / "whole"))) == 12
    with pytest.raises(KeyboardInterrupt):
        search(few({6: KeyboardInterrupt()}), 12, tmp_path / "parts")
    search(few(), 12, tmp_path / "parts")
    expected = lasting(tmp_path / "whole", few())
    assert lasting(tmp_path / "parts", few()) == expected


def test_a_search_of_an_exhausted_space_says_so_and_ends(tmp_path, capsys):
    count = Count()
    for _ in range(2):
        found = search(sweep(count, space=FEW), 15, tmp_path)
        assert len(found) == len(tried(found)) == len(count.computed) == 12
        told = " ".join(capsys.readouterr().err.split())
        assert "ends with 12 trials, 3 fewer than wanted: its space has 12" in told


def test_given_points_count_as_tried(tmp_path):
    points = tuple({"width": width, "hidden": (8,)} for width in (3, 5))
    found = search(sweep(Count(), space=FEW, points=points), 13, tmp_path)
    assert [trial.point for trial in found[:2]] == [*points]
    assert len(found) == len(tried(found)) == 12


# --- what must not be there ------------------------------------------------------------


def restores(tree):
    """Returns the lines on which something is restored or resumed by Ray."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("restore", "can_restore"):
            yield node.lineno
        elif isinstance(node, ast.keyword) and node.arg in ("resume", "resume_config"):
            yield node.value.lineno


def test_no_tuner_is_ever_restored():
    found = {
        path.name: lines
        for path in (PLATFORM / "orrery" / "sweeps").rglob("*.py")
        if (lines := list(restores(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "tune.Tuner.restore(path)",
        "Tuner.restore(path, trainable)",
        "from ray.tune import Tuner as T\nT.restore",
        "tune.run(f, resume=True)",
    ],
)
def test_restoring_would_be_noticed(source):
    assert list(restores(ast.parse(source)))


def test_ray_tune_is_imported_by_one_file():
    imports = re.compile(
        r"^\s*(import|from) ray\.tune|^\s*from ray import .*\btune", re.M
    )
    found = [
        path.name
        for path in PLATFORM.rglob("*.py")
        if imports.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["tuning.py"]
