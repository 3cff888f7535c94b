from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import ray
import torch

from orrery.execution import simulation
from orrery.execution.actors import capacity
from orrery.execution.counting import ShardCounters
from orrery.execution.processors import describe_processor
from orrery.execution.same_code import InstalledCode
from orrery.execution.simulation import check_code, generate, make_shard
from orrery.records import Records
from orrery.storage import card, dataset, journal, manifest, shards, work_log, writing
from orrery.storage.dataset import Dataset


class Counting:
    """A simulator that remembers what it simulated."""

    def __init__(self, toy, change=lambda records: records):
        self.toy, self.change, self.simulated = toy, change, []
        self.schema, self.describe = toy.schema, toy.describe

    def records(self, seed, indices):
        self.simulated.append(indices[0])
        return self.change(self.toy.records(seed, indices))


def fill(simulator, folder, count=32, **choices):
    return generate(
        simulator, count, 5, folder, **{"actors": 0, "shard_size": 8, **choices}
    )


def test_the_same_seed_gives_the_same_bytes(toy, tmp_path, contents):
    first, second = fill(toy, tmp_path / "a"), fill(toy, tmp_path / "b")
    assert contents(first.folder) == contents(second.folder)
    other = generate(toy, 32, 6, tmp_path / "c", actors=0, shard_size=8)
    assert other.fingerprint != first.fingerprint
    assert not np.array_equal(
        other.records(0).scalars["a"], first.records(0).scalars["a"]
    )


def test_a_finished_dataset_is_returned_at_once(toy, tmp_path, contents):
    before = contents(fill(toy, tmp_path).folder)
    counting = Counting(toy)
    for count in (32, 30, 8):
        found = fill(counting, tmp_path, count)
        assert (len(found), counting.simulated) == (count, [])
        assert contents(found.folder) == before


def test_a_finished_dataset_need_not_be_writable(toy, tmp_path, monkeypatch):
    made = fill(toy, tmp_path)
    monkeypatch.delattr(writing, "open_writer")
    assert fill(toy, tmp_path).rows == made.rows


def test_a_dataset_grows_without_making_anything_twice(toy, tmp_path, contents):
    small = fill(toy, tmp_path / "a", 16)
    counting = Counting(toy)
    grown = fill(counting, tmp_path / "a", 32)
    assert counting.simulated == [16, 24]
    assert grown.fingerprint == small.fingerprint
    assert contents(grown.folder) == contents(fill(toy, tmp_path / "b", 32).folder)


def interrupt(records):
    if records.scalars["index"][0] == 16:
        raise KeyboardInterrupt
    return records


def test_an_interrupted_run_is_continued(toy, tmp_path, contents):
    with pytest.raises(KeyboardInterrupt):
        fill(Counting(toy, interrupt), tmp_path / "a")
    (folder,) = (tmp_path / "a").iterdir()
    with pytest.raises(
        ValueError, match=r"is no finished dataset.*continues where it stopped"
    ):
        Dataset.open(folder)
    counting = Counting(toy)
    fill(counting, tmp_path / "a")
    assert counting.simulated == [16, 24]
    assert contents(folder) == contents(fill(toy, tmp_path / "b").folder)


def test_every_session_of_work_is_remembered(toy, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fill(Counting(toy, interrupt), tmp_path)
    (folder,) = tmp_path.iterdir()
    (first,) = work_log.sessions(folder)
    assert (first.simulations, first.actors, first.deaths) == (16, 0, 0)
    assert first.seconds > 0
    fill(toy, tmp_path)
    made = fill(toy, tmp_path, 40)
    fill(toy, tmp_path, 40)  # finds all there: no work
    assert [part.simulations for part in work_log.sessions(folder)] == [16, 16, 8]
    assert work_log.sessions(folder)[0] == first
    assert "| all | 40 |" in (folder / "README.md").read_text()
    assert " of work in one process, " in card.summary(made)


def test_which_processors_made_shards_is_remembered_and_a_mixture_told(
    toy, tmp_path, monkeypatch, capsys
):
    made = fill(toy, tmp_path, 16)
    kind = describe_processor()
    assert work_log.processors(work_log.sessions(made.folder)) == {kind: 16}
    assert "kinds of processor" not in capsys.readouterr().err
    monkeypatch.setattr(
        simulation, "describe_processor", lambda rounding: f"another{rounding}"
    )
    compiled = Counting(toy)
    compiled.rounding = ", compiled"
    fill(compiled, tmp_path, 24)
    kinds = work_log.processors(work_log.sessions(made.folder))
    assert kinds == {kind: 16, "another, compiled": 8}
    assert "2 kinds of processor made simulations-" in capsys.readouterr().err
    text = (made.folder / "README.md").read_text()
    assert f"- {kind}: 16 simulations\n- another, compiled: 8 simulations" in text
    assert "**Mixed:**" in text


def test_other_code_than_the_datasets_is_refused(toy, tmp_path):
    class Versioned(Counting):
        versions = {"toy": 1}  # noqa: RUF012

        def __init__(self, toy):
            super().__init__(toy)
            self.describe = lambda: {**toy.describe(), "versions": {"toy": 1}}

    simulator = Versioned(toy)
    metadata = dataset.identify(simulator.describe(), toy.schema, 5, 8)
    check_code(simulator, metadata)
    simulator.describe = None  # with versions it is not asked: it may read a whole file
    check_code(simulator, metadata)
    simulator.versions = {"toy": 2, "more": 1}
    wrong = "more 1 instead of None, toy 2 instead of 1.: install the same code on all"
    with pytest.raises(ValueError, match=wrong):
        check_code(simulator, metadata)
    code = InstalledCode({}, {})
    maker = simulation._ShardMaker(simulator, metadata, tmp_path, code)
    with pytest.raises(ValueError, match="has other code than the process that began"):
        maker(0)
    assert not simulator.simulated


def test_without_versions_the_description_must_be_the_same(toy):
    metadata = dataset.identify(toy.describe(), toy.schema, 5, 8)
    check_code(toy, metadata)
    with pytest.raises(ValueError, match=r"scale 2.0 instead of 1.0\): install"):
        check_code(replace(toy, scale=2.0), metadata)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, [[], [8], [16], [24]]), (1e9, [[], [8], [8], [8]])],
)
def test_work_is_remembered_so_often(toy, tmp_path, monkeypatch, seconds, expected):
    monkeypatch.setattr(writing, "RECORD_EVERY", seconds)
    seen = []

    def look(records):
        (folder,) = tmp_path.iterdir()
        seen.append([part.simulations for part in work_log.sessions(folder)])
        return records

    made = fill(Counting(toy, look), tmp_path)
    assert seen == expected
    assert [part.simulations for part in work_log.sessions(made.folder)] == [32]


def test_no_work_is_remembered_of_a_shard_that_is_not_entered(
    toy, tmp_path, monkeypatch
):
    monkeypatch.setattr(writing, "RECORD_EVERY", 0.0)
    record, seen = writing.write_sessions, []

    def write(folder, sessions):
        entered = 8 * len(journal.read_journal(folder))
        seen.append((sessions[-1].simulations, entered))
        record(folder, sessions)

    monkeypatch.setattr(writing, "write_sessions", write)
    fill(toy, tmp_path)
    assert [*dict.fromkeys(seen)] == [(count, count) for count in (8, 16, 24, 32)]


def test_counters_are_those_of_all_shards_so_far(toy, tmp_path):
    made = fill(replace(toy, missing=9), tmp_path)
    seen = ShardCounters(("tries", "a"), ("tries",))
    for row in made.rows:
        seen.add(row)
    mean = manifest.mean("a", made.rows)
    total = manifest.total("tries", made.rows)
    assert seen.note == f"tries {total}, mean a {mean:.3g}"


def test_what_ended_the_work_is_reported_even_if_its_record_cannot_be_kept(
    toy, tmp_path, monkeypatch
):
    refused = []

    def full(path, content):
        refused.append(path.name)
        raise OSError(28, "No space left on device", str(path))

    def late(records):
        if 16 in records.scalars["index"]:
            monkeypatch.setattr(work_log, "write_atomically", full)
        return interrupt(records)

    with pytest.raises(KeyboardInterrupt):
        fill(Counting(toy, late), tmp_path)
    assert refused == [work_log.WORK]


def test_a_torn_journal_costs_one_shard(toy, tmp_path, contents):
    whole = fill(toy, tmp_path / "whole")
    torn = fill(toy, tmp_path / "torn", 24).folder
    (torn / "manifest.json").unlink()
    (torn / "manifest.jsonl").write_text(journal._lines(whole.rows[:3])[:-20])
    (torn / "shards" / ".shard-00002.arrow.0.tmp").write_bytes(b"half a shard")
    counting = Counting(toy)
    fill(counting, tmp_path / "torn")
    assert counting.simulated == [16, 24]
    assert contents(torn) == contents(whole.folder)


@pytest.mark.parametrize("damage", ["truncate", "alter", "remove"])
def test_damaged_shards_are_made_anew(toy, tmp_path, contents, capsys, damage):
    made = fill(toy, tmp_path)
    before = contents(made.folder)
    path = made.folder / made.rows[1].file
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data[:100] if damage == "truncate" else data)
    if damage == "remove":
        path.unlink()
    counting = Counting(toy)
    fill(counting, tmp_path)
    assert counting.simulated == [8]
    assert contents(made.folder) == before
    said = capsys.readouterr().err
    assert "shards/shard-00001.arrow" in said
    assert "1 of 4 shards were damaged" in said


def test_a_damaged_description_is_written_anew(toy, tmp_path, contents):
    made = fill(toy, tmp_path)
    before = contents(made.folder)
    (made.folder / "dataset.json").write_text("{}")
    counting = Counting(toy)
    fill(counting, tmp_path)
    assert counting.simulated == []
    assert contents(made.folder) == before


def test_errors_of_the_simulator_stop_and_keep_what_is_there(toy, tmp_path):
    with pytest.raises(ValueError, match="simulation 17 is refused") as raised:
        fill(replace(toy, refused=17), tmp_path)
    assert raised.value.__notes__ == ["in shard 2, simulations 16 to 23"]
    counting = Counting(toy)
    fill(counting, tmp_path)
    assert counting.simulated == [16, 24]


def without_a(records):
    scalars = {name: values for name, values in records.scalars.items() if name != "a"}
    return Records(scalars, records.particles, records.offsets)


def renumbered(records):
    scalars = {**records.scalars, "index": records.scalars["index"] + 1}
    return Records(scalars, records.particles, records.offsets)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_a, "no column 'a' of its schema"),
        (renumbered, "column 'index'"),
        (lambda records: dataset._first(records, 3), "returned 3 records, not 8"),
    ],
)
def test_records_must_fit_the_schema(toy, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        fill(Counting(toy, change), tmp_path)


@pytest.mark.parametrize("choices", [{"count": 0}, {"actors": -1}, {"shard_size": 0}])
def test_arguments_out_of_range_are_named(toy, tmp_path, choices):
    with pytest.raises(
        ValueError, match=f"{next(iter(choices))} .* must be . or larger"
    ):
        fill(toy, tmp_path, **choices)
    with pytest.raises(ValueError, match="seed -1 must be 0 or larger"):
        generate(toy, 8, -1, tmp_path)


def with_gpus(toy, share):
    simulator = Counting(toy)
    simulator.gpus = share
    return simulator


@pytest.mark.parametrize("share", [-0.5, 1.5, float("nan"), float("inf")])
def test_a_share_of_a_gpu_that_nobody_can_have_is_named(toy, tmp_path, share):
    with pytest.raises(
        ValueError, match=f"gpus {share} must be from 0 to 1, or a whole number"
    ):
        fill(with_gpus(toy, share), tmp_path)


@pytest.mark.parametrize(
    ("share", "gpus", "cpus", "room"),
    [(0, 0, 3, 3), (0.5, 1, 8, 2), (0.4, 2, 8, 4), (0.1, 1, 16, 10), (1, 2, 8, 2), (2, 3, 8, 1),
     (0.25, 4, 2, 2)],
)  # fmt: skip
def test_actors_share_the_gpus(monkeypatch, share, gpus, cpus, room):
    monkeypatch.setattr(
        ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": float(gpus)}
    )
    assert capacity(share, cpus) == room


def test_a_gpu_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0})
    with pytest.raises(
        ValueError, match=r"needs 0\.5 GPU for each actor and the cluster has 0"
    ):
        capacity(0.5, 8)


def test_an_unwritable_folder_is_found_before_simulating(toy, tmp_path):
    (tmp_path / "file").write_text("")
    counting = Counting(toy)
    with pytest.raises(OSError, match=r"cannot write .*choose a folder"):
        fill(counting, tmp_path / "file")
    assert counting.simulated == []


def test_a_full_disk_leaves_no_half_shard(toy, tmp_path, monkeypatch):
    def full(path, table):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shards, "_write_arrow", full)
    with pytest.raises(
        OSError, match=r"shard-00000.arrow .No space left on device.: free some"
    ):
        fill(toy, tmp_path)
    (folder,) = tmp_path.iterdir()
    assert list((folder / "shards").iterdir()) == []


def test_one_thread_simulates_and_the_others_come_back(toy, tmp_path):
    seen = []
    counting = Counting(
        toy, lambda records: seen.append(torch.get_num_threads()) or records
    )
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        fill(counting, tmp_path, 8)
        assert (seen, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


def test_a_shard_depends_on_its_number_alone(toy, tmp_path):
    made = fill(toy, tmp_path)
    (tmp_path / "alone" / "shards").mkdir(parents=True)
    metadata = dataset.identify(toy.describe(), toy.schema, 5, 8)
    assert make_shard(toy, metadata, 2, tmp_path / "alone") == made.rows[2]


def test_counters_are_shown_meanwhile(toy, tmp_path, capsys):
    fill(toy, tmp_path / "a")
    assert "tries 31" in capsys.readouterr().err
    fill(toy, tmp_path / "b", counters=("a", "tries"))
    assert "mean a " in capsys.readouterr().err


def test_what_lasts_before_the_first_records_is_said(toy, tmp_path, capsys):
    counting = Counting(toy)
    counting.first_use = "grinding lenses"
    for told in (True, False):  # the second time nothing is to be done
        fill(counting, tmp_path)
        assert ("grinding lenses\n" in capsys.readouterr().err) is told


def test_folders_may_be_relative(toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fill(toy, Path("sets"), name="stars").folder.parent == tmp_path / "sets"
