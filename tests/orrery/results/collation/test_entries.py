"""Each run and each trial is an entry, says what its document says, and hides no other."""

import json
import math
import shutil

import pytest

from orrery.results.collation.entries import all_entries, count
from orrery.results.result import Result
from orrery.storage import files


def by_place(root):
    return {entry.place: entry for entry in all_entries(root)}


@pytest.mark.slow
def test_every_attempt_is_an_entry_with_the_numbers_of_its_document(all_runs, entries):
    found = {entry.place: entry for entry in entries}
    paths = sorted(all_runs.rglob("run.json"))
    assert len(paths) == len(found) == count(all_runs) == 30
    for path in paths:
        document = json.loads(path.read_text())
        entry = found[path.parent.relative_to(all_runs).as_posix()]
        values = entry.values
        assert entry.status == "finished"
        assert not entry.problems
        for name in ("experiment", "run", "attempt", "seconds", "host", "began"):
            assert values[name] == document[name]
        for name, number in document["metrics"].items():
            assert values[f"metric.{name}"] == number
        assert (
            values["option.flow.transforms"]
            == document["options"]["flow"]["transforms"]
        )
        assert [one["median"] for one in entry.answers] == [
            one["median"] for one in document["answers"]
        ]
        prints = [
            one["fingerprint"] for of in document["lineage"].values() for one in of
        ]
        assert [one.fingerprint for one in entry.lineage] == prints
        of_kind = {one.kind: one for one in entry.lineage}
        (dataset,) = document["lineage"]["datasets"]
        assert of_kind["datasets"].parents == ()
        assert of_kind["summaries"].parents == (dataset["fingerprint"],)
        summaries = of_kind["summaries"].fingerprint
        assert of_kind["posteriors"].parents == (summaries,)


def test_a_folder_within_is_collated_too(runs):
    one = min(path.parent for path in runs.rglob("run.json"))
    assert [entry.place for entry in all_entries(one.parent)] == [one.name]
    within = f"{one.parent.name}/{one.name}"
    assert list(by_place(one.parents[1])) == [within]


def test_damaged_documents_are_entries_that_say_so(runs, written, all_runs):
    shutil.copytree(written[3], runs / written[3].relative_to(all_runs))
    first, second, third, _ = sorted(runs.rglob("run.json"))
    first.write_text('{"status": "fini')
    second.write_text("[" * 100_000)
    third.write_bytes(b'{"status": "\xff"}')
    found = by_place(runs)
    assert len(found) == 4
    for path in (first, second, third):
        entry = found[path.parent.relative_to(runs).as_posix()]
        assert entry.status == "damaged"
        assert "run.json is damaged" in entry.problems[0]
        assert entry.values["experiment"] == path.parents[2].name
        assert entry.values["attempt"] == 1
    assert sum(entry.status == "finished" for entry in found.values()) == 1


def test_another_version_is_read_as_far_as_it_can_be(runs, change):
    first, second, *_ = sorted(path.parent for path in runs.rglob("run.json"))
    change(first, format=2)
    change(second, format=2, verdicts=["passed"])
    found = by_place(runs)
    readable = found[first.relative_to(runs).as_posix()]
    assert readable.status == "finished"
    assert "format is 2" in readable.problems[-1]
    assert readable.values["metric.rmse.25.minimum"] > 0
    other = found[second.relative_to(runs).as_posix()]
    assert other.status == "damaged"
    assert "another version" in other.problems[0]


@pytest.mark.parametrize("section", [None, 7, {}, {"key": "x"}, {"kind": "draws"}])
def test_a_part_that_nobody_understands_hides_no_other(runs, change, section):
    folder = min(path.parent for path in runs.rglob("run.json"))
    sections = Result.open(folder).sections
    change(folder, sections=[section, *sections])
    entry = by_place(runs)[folder.relative_to(runs).as_posix()]
    assert "cannot be drawn" in entry.problems[0]
    assert set(entry.curves) == {"posteriors", "tarp", "sbc", "training", "rmse"}


def test_curves_whose_file_is_damaged_or_gone_are_named(runs):
    folder = min(path.parent for path in runs.rglob("run.json"))
    (folder / "draws.toy.alone.parquet").write_bytes(b"not parquet")
    (folder / "tarp.toy.both.parquet").unlink()
    entry = by_place(runs)[folder.relative_to(runs).as_posix()]
    assert len(entry.problems) == 2
    assert "draws.toy.alone" in entry.problems[0]
    assert "tarp.toy.both" in entry.problems[1]
    assert list(entry.curves["posteriors"]) == ["toy.both"]


def test_a_run_whose_process_is_gone_has_failed_and_one_elsewhere_runs(runs, change):
    first, second, *_ = sorted(path.parent for path in runs.rglob("run.json"))
    change(first, status="running", process=2**22 + 1)
    change(second, status="running", host="elsewhere")
    found = by_place(runs)
    assert found[first.relative_to(runs).as_posix()].status == "failed"
    assert "killed" in found[first.relative_to(runs).as_posix()].values["reason"]
    assert found[second.relative_to(runs).as_posix()].status == "running"


def test_numbers_that_are_not_finite_stay_numbers(runs, change):
    folder = min(path.parent for path in runs.rglob("run.json"))
    change(folder, metrics={"a": "nan", "b": "-inf", "c": "text"}, host="nan")
    values = by_place(runs)[folder.relative_to(runs).as_posix()].values
    assert math.isnan(values["metric.a"])
    assert values["metric.b"] == -math.inf
    assert values["metric.c"] == "text"
    assert values["host"] == "nan"  # somebody's name for a machine


def test_trials_are_entries_beside_runs(runs, write_trial):
    sweep = runs / "architectures" / "0123"
    write_trial(sweep, 0)
    write_trial(sweep, 1, state="failed", reason="NaN in epoch 3", objectives={})
    found = by_place(runs)
    assert len(found) == count(runs) == 5
    trial = found["architectures/0123/trials/trial-00000"]
    assert trial.kind == "trial"
    assert trial.values["experiment"] == "architectures"
    assert trial.values["run"] == "0123"
    assert trial.values["trial"] == 0
    assert trial.values["option.inference.flow.transforms"] == 2
    assert trial.values["objective.log_probability"] == 1.0
    assert trial.values["identity.version"] == 1
    assert [one.fingerprint for one in trial.lineage] == ["4793ef685cba50ab"]
    assert trial.curves == {"reports": [{"log_probability": 0.1 * i} for i in range(3)]}
    failed = found["architectures/0123/trials/trial-00001"]
    assert failed.status == "failed"
    assert failed.values["reason"] == "NaN in epoch 3"


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_a_sweep_is_found_wherever_one_looks_from(tmp_path, write_trial, depth):
    sweep = tmp_path / "runs" / "architectures" / "0123"
    write_trial(sweep, 0)
    root = (sweep, *sweep.parents)[depth]
    (entry,) = all_entries(root)
    assert entry.values["experiment"] == "architectures"
    assert entry.values["run"] == "0123"


def test_torn_trials_are_entries_that_say_so(runs, write_trial):
    sweep = runs / "architectures" / "0123"
    write_trial(sweep, 0)
    write_trial(sweep, 1).write_text('{"number": 1, "po')
    write_trial(sweep, 2, point=7)
    write_trial(sweep, 3).write_text("[]")
    nested = "[" * 400 + "]" * 400
    write_trial(sweep, 4, curve=[{"loss": json.loads(nested)}])
    write_trial(sweep, 5, curve=["NaN"])
    found = by_place(runs)
    states = [
        found[f"architectures/0123/trials/trial-{n:05d}"].status for n in range(6)
    ]
    assert states == [
        *("finished", "damaged", "damaged", "damaged", "damaged", "damaged")
    ]
    torn = found["architectures/0123/trials/trial-00001"]
    assert "json is damaged" in torn.problems[0]


def test_text_of_a_trial_that_is_none_is_shown_all_the_same(runs, write_trial):
    write_trial(runs / "architectures" / "0123", 4, reason="\ud800")
    trial = by_place(runs)["architectures/0123/trials/trial-00004"]
    assert trial.values["reason"] == "\\ud800"


def test_a_trial_whose_sweep_was_killed_is_interrupted(tmp_path, write_trial):
    sweep = tmp_path / "architectures" / "0123"
    write_trial(sweep, 0, state="running")
    with files.locked(sweep):
        (alive,) = all_entries(tmp_path)
    (killed,) = all_entries(tmp_path)
    assert alive.status == "running"
    assert killed.status == "interrupted"
    assert "its sweep ended" in killed.values["reason"]


def test_a_sweep_says_what_is_better(tmp_path, write_trial):
    sweep = tmp_path / "architectures" / "0123"
    write_trial(sweep, 0)
    (unknown,) = all_entries(tmp_path)
    assert unknown.goals == {}
    goals = [{"type": "Goal", "name": "loss", "better": "smaller"}]
    (sweep / "sweep.json").write_text(json.dumps({"goals": goals}))
    (known,) = all_entries(tmp_path)
    assert known.goals == {"loss": "smaller"}
