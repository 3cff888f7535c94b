"""A choice's worth is the difference that it makes, seed by seed, and no seed is computed twice."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from orrery.sweeps.judged_pairs import PARTS_OF_PAIRS, part_reports, told_parts
from orrery.sweeps.search import Sweep, search
from orrery.sweeps.space import Choice, Int, SearchSpace
from orrery.sweeps.trial import Goal, Trial, read_trials
from orrery.sweeps.worth import (
    Contrast,
    Worth,
    design,
    measure_worth,
    other_seeds,
    worth,
)

SPACE = SearchSpace({"bins": Int(1, 9), "kind": Choice(("a", "b"))})
BEST = {"bins": 4, "kind": "b"}
BIN = Contrast("bin", "another bin", BEST, {**BEST, "bins": 3})
KIND = Contrast("kind", "b, not a", BEST, {**BEST, "kind": "a"}, count=2)
MORE = Contrast("more", "more stars", {**BEST, "bins": 9}, BEST)


@dataclass(frozen=True)
class Options:
    bins: int = 1
    kind: str = "a"
    seed: int = 1


class Task:
    """What a bin and the kind are worth is known; a seed moves all trials alike."""

    def __init__(self, refuses=()):
        self.computed = []
        self.refuses = refuses

    def __call__(self, options, report):
        self.computed.append(options)
        if (options.bins, options.seed) in self.refuses:
            raise ValueError("not calibrated")
        luck = 0.1 * np.sin(options.seed)
        own = 0.01 * np.cos(options.seed * options.bins)
        gain = options.bins / 10 + (options.kind == "b") + luck + own
        return {"gain": gain, "width": 10 - gain}


@pytest.fixture(autouse=True)
def without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)


def sweep(task, **changes):
    goals = (Goal("gain", "larger"),)
    return Sweep("toy", SPACE, Options(), task, goals, **changes)


def measured(task, folder, contrasts=(BIN, KIND), repeats=4):
    return measure_worth(sweep(task), contrasts, "seed", repeats, folder, 1, {})


def test_a_choice_is_worth_what_it_changes_and_luck_cancels(tmp_path):
    (by_bin, kind), trials = measured(Task(), tmp_path)
    assert by_bin.mean("gain") == pytest.approx(0.1, abs=0.02)
    assert kind.mean("gain") == pytest.approx(1.0)
    assert by_bin.mean("width") == pytest.approx(-by_bin.mean("gain"))
    assert by_bin.seeds == 4
    spread = [t.objectives["gain"] for t in trials if t.point["bins"] == 4]
    assert by_bin.error("gain") < 0.3 * np.std(spread)
    assert kind.error("gain") == pytest.approx(0, abs=1e-12)


def test_points_that_choices_share_are_computed_once(tmp_path):
    task = Task()
    _, trials = measured(task, tmp_path)
    assert len(task.computed) == len(trials) == 3 * 4
    assert len(set(task.computed)) == 12
    assert {options.seed for options in task.computed} == set(range(2, 6))
    again = Task()
    assert measured(again, tmp_path)[1] == trials
    assert again.computed == []


def test_seeds_from_which_one_failed_count_for_neither(tmp_path):
    task = Task(refuses={(3, seed) for seed in (2, 3, 4)})
    (by_bin, kind), trials = measured(task, tmp_path)
    assert [t.state for t in trials].count("failed") == 3
    assert by_bin.seeds == 1
    assert np.isfinite(by_bin.mean("gain"))
    assert np.isnan(by_bin.error("gain"))
    assert kind.seeds == 4


def test_what_no_seed_gave_is_not_a_number(tmp_path):
    task = Task(refuses={(3, seed) for seed in range(2, 6)})
    (by_bin, _), _ = measured(task, tmp_path)
    assert by_bin.seeds == 0
    assert np.isnan(by_bin.mean("gain"))


def test_a_worth_that_no_trial_tells_ends_nothing(tmp_path, capsys):
    refused = {(bins, seed) for bins in range(1, 10) for seed in range(2, 6)}
    found, trials = measured(Task(refuses=refused), tmp_path)
    assert found == []
    assert {(trial.state, trial.reason) for trial in trials} == {
        ("failed", "ValueError: not calibrated")
    }
    assert len(trials) == 3 * 4
    told = " ".join(capsys.readouterr().err.split())
    assert "not known: all 12 trials failed, 12 of them so: ValueError" in told


def test_choices_may_leave_the_space_of_the_search(tmp_path):
    more = {"bins": Int(1, 9)}
    found, _ = measure_worth(sweep(Task()), (MORE,), "seed", 2, tmp_path, 1, more)
    assert found[0].mean("gain") == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("seed", [0, 1, 2, 4, 7])
def test_no_seed_is_the_one_by_which_the_best_was_chosen(tmp_path, seed):
    task = Task()
    chosen = Options(seed=seed)
    wanted = replace(sweep(task), options=chosen)
    _, trials = measure_worth(wanted, (BIN,), "seed", 4, tmp_path, 1, {})
    used = {options.seed for options in task.computed}
    assert len(used) == 4
    assert seed not in used
    assert len(trials) == 2 * 4
    assert min(used) >= 1


def test_without_a_seed_of_ones_own_the_others_are_those_from_two_on():
    assert other_seeds(1, 6) == (2, 3, 4, 5, 6, 7)
    assert design((BIN,), "seed", 2) == design((BIN,), "seed", 2, seed=1)


def test_what_adds_nothing_has_no_worth_of_each():
    gains = {"gain": np.array([0.5, 1.5])}
    for count, each in ((4, 0.25), (0, np.nan), (-1, np.nan)):
        found = Worth(replace(KIND, count=count), gains)
        assert found.each("gain") == pytest.approx(each, nan_ok=True)
        assert found.mean("gain") == 1.0


def of_right_posteriors(random, pairs=400):
    """Returns trials of four seeds that saw a parameter four or three times, and the worth.

    All are judged on the same pairs by the posterior that there is; what the seed does to
    a flow is small.
    """
    theta = random.normal(size=(pairs, 1))
    seen = theta + random.normal(size=(pairs, 4))
    trials = []
    for seed in range(2, 6):
        for bins in (4, 3):
            variance = 1 / (1 + bins)
            z = (theta[:, 0] - variance * seen[:, :bins].sum(axis=1)) / variance**0.5
            gain = 0.5 * (theta[:, 0] ** 2 - z**2 - np.log(variance))
            gain = gain + 0.002 * random.normal()
            curve = part_reports({"gain": gain}, theta)
            point = {**BEST, "bins": bins, "seed": seed}
            found = {"gain": float(gain.mean())}
            trials.append(Trial(len(trials), point, "finished", curve, found))
    return trials, 0.5 * np.log(5 / 4)


@pytest.mark.slow
def test_an_error_is_the_scatter_that_other_pairs_and_seeds_make():
    random = np.random.default_rng(1)
    found = []
    for _ in range(100):
        trials, truth = of_right_posteriors(random)
        one = worth(BIN, trials, "seed", ["gain"])
        found.append((one.mean("gain") - truth, one.error("gain")))
    off, errors = np.transpose(found)
    assert one.tells_pairs
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(np.std(off), rel=0.2)
    assert np.mean(np.abs(off) < errors) == pytest.approx(0.68, abs=0.15)


def test_trials_that_tell_no_parts_have_errors_of_seeds_alone():
    trials, _ = of_right_posteriors(np.random.default_rng(1))
    untold = [replace(one, curve=()) for one in trials]
    # of one seed both told them, of the others only those with the bin
    mixed = [*trials[:3], untold[3], *trials[4:5], untold[5], *untold[6:]]
    alone, some, whole = (
        worth(BIN, of, "seed", ["gain"]) for of in (untold, mixed, trials)
    )
    values = alone.differences["gain"]
    assert alone.error("gain") == pytest.approx(np.std(values, ddof=1) / 2)
    assert (alone.tells_pairs, some.tells_pairs) == (False, True)
    assert some.error("gain") == pytest.approx(whole.error("gain"), rel=0.05)


def test_a_pair_is_in_the_same_part_whichever_others_are_there():
    random = np.random.default_rng(1)
    theta = random.normal(size=(300, 2))
    parts = told_parts(part_reports({"first": theta[:, 0]}, theta), "first")
    kept = np.flatnonzero(theta[:, 0] != theta[0, 0])
    others = random.permutation(kept)
    fewer = told_parts(
        part_reports({"first": theta[others, 0]}, theta[others]), "first"
    )
    assert np.sum(~np.isclose(parts, fewer, rtol=1e-12)) == 1
    # a part without a pair is no part
    few = slice(0, PARTS_OF_PAIRS - 1)
    assert part_reports({"first": theta[few, 0]}, theta[few]) == ()


def test_a_design_has_each_point_once_for_each_seed():
    points = design((BIN, KIND, MORE), "seed", 3)
    assert len(points) == 4 * 3
    assert len({tuple(sorted(p.items())) for p in points}) == 12


# --- points that are given -------------------------------------------------------------


def test_given_points_come_first_and_others_are_proposed(tmp_path):
    given = ({"bins": 7, "kind": "a"}, BEST)
    found = search(sweep(Task(), points=given), 6, tmp_path)
    assert [trial.point for trial in found[:2]] == list(given)
    assert len({tuple(trial.point.values()) for trial in found}) > 3


def test_a_killed_search_goes_on_with_the_points_that_were_given(tmp_path):
    class Killed(Task):
        def __call__(self, options, report):
            if len(self.computed) == 3:
                raise KeyboardInterrupt
            return super().__call__(options, report)

    given = tuple({"bins": bins, "kind": "a"} for bins in range(1, 8))
    with pytest.raises(KeyboardInterrupt):
        search(sweep(Killed(), points=given), 7, tmp_path)
    (folder,) = (tmp_path / "toy").iterdir()
    assert [trial.state for trial in read_trials(folder)] == [
        *(["finished"] * 3),
        "interrupted",
    ]
    found = search(sweep(Task(), points=given), 7, tmp_path)
    assert [trial.point for trial in found] == list(given)


def test_given_points_name_the_sweep_and_no_points_leave_its_name():
    plain = sweep(Task()).folder(Path())
    assert sweep(Task(), points=(BEST,)).folder(Path()) != plain
    assert "points" not in sweep(Task()).document


def test_a_point_without_a_value_is_refused():
    with pytest.raises(ValueError, match="give a value for each of bins, kind"):
        sweep(Task(), points=({"bins": 3},))


def test_an_interval_is_one_standard_error_to_either_side():
    choice = Contrast("bin", "one more bin", {"bins": 3}, {"bins": 2})
    one = Worth(choice, {"loss": np.array([1.0, 3.0])})
    assert one.interval("loss") == (1.0, 2.0, 3.0)
