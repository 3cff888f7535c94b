import itertools
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from orrery.execution.simulation import generate, make_shard
from orrery.storage import writing
from orrery.storage.dataset import Dataset, identify
from orrery.storage.journal import has_journal, read_journal
from orrery.storage.shard_cache import cache_folder
from orrery.storage.store import Address


@pytest.mark.slow
def test_a_second_writer_is_refused(stars):
    program = (
        "import pathlib, sys; from orrery.storage import writing\n"
        "folder, metadata = pathlib.Path(sys.argv[1]), {'fingerprint': 'a', 'shard_size': 8}\n"
        "try:\n"
        "    with writing.open_writer(folder, metadata): pass\n"
        "except OSError as error: print(error)"
    )
    command = [sys.executable, "-c", program, str(stars.folder)]
    with writing.open_writer(stars.folder, stars.metadata):
        said = subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout
    assert "is being written by process" in said
    assert "wait until it has finished" in said


@pytest.fixture
def metadata(toy):
    return identify(toy.describe(), toy.schema, seed=3, shard_size=8)


def shard_bytes(dataset):
    """Returns what lies in a dataset's shards and documents, by name."""
    documents = ["manifest.json", "dataset.json", "shards.sha256"]
    names = [*documents, *(row.file for row in dataset.rows)]
    return {name: (dataset.folder / name).read_bytes() for name in names}


@pytest.mark.slow
def test_a_dataset_in_a_bucket_has_the_bytes_of_a_local_one(stars, toy, bucket):
    there = generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    assert (there.rows, there.folder) == (stars.rows, bucket / stars.folder.name)
    assert shard_bytes(there) == shard_bytes(stars)
    names = {*there.folder.sizes()} - {"README.md", "work.jsonl", ".lock"}
    assert names == shard_bytes(stars).keys()
    for shard in stars.shards:
        one, other = there.records(shard), stars.records(shard)
        assert np.array_equal(one.particles["x"], other.particles["x"])
    there.verify(full=True)


@pytest.mark.slow
def test_a_finished_dataset_in_a_bucket_is_found_and_grows(toy, bucket, monkeypatch):
    made = generate(toy, 16, seed=3, folder=bucket, actors=0, shard_size=8)
    with monkeypatch.context() as without:
        without.delattr(Address, "put")
        without.delattr(Address, "put_if")
        again = generate(toy, 16, seed=3, folder=bucket, actors=0, shard_size=8)
        assert again == made
    more = generate(toy, 24, seed=3, folder=bucket, actors=0, shard_size=8)
    assert more.rows[:2] == made.rows
    assert len(more.rows) == 3


DYING = """
import os, sys, pathlib
sys.path.insert(0, sys.argv[2])
from conftest import Toy
from orrery.execution.simulation import generate
from orrery.storage import journal
def die(folder, rows):
    if rows[0].shard == 1:
        os._exit(9)
    enter(folder, rows)
enter, journal._enter_together = journal._enter_together, die
generate(Toy(), 20, seed=3, folder=sys.argv[1], actors=0, shard_size=8)
"""


@pytest.mark.slow
def test_a_writer_that_dies_between_shard_and_manifest_is_continued(
    stars, toy, bucket, capsys
):
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", DYING, str(bucket), tests]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 9
    folder = bucket / stars.folder.name
    assert "shards/shard-00001.arrow" in folder.sizes()
    assert [*read_journal(folder)] == [0]
    with pytest.raises(ValueError, match="is no finished dataset"):
        Dataset.open(folder)
    there = generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    assert shard_bytes(there) == shard_bytes(stars)
    assert f"{folder} was being written by process" in capsys.readouterr().err
    assert not has_journal(folder)


@pytest.mark.slow
def test_a_second_writer_in_a_bucket_is_refused_and_the_first_is_undisturbed(
    stars, toy, metadata, bucket
):
    folder = bucket / stars.folder.name
    with writing.open_writer(folder, metadata) as writer:
        with pytest.raises(BlockingIOError, match="is being written by process"):
            generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
        for shard in writer.pending(20):
            writer.enter(make_shard(toy, metadata, shard, folder))
        there = writer.finish(20)
    assert shard_bytes(there) == shard_bytes(stars)


@pytest.mark.slow
def test_a_writer_that_was_taken_over_stops(stars, toy, metadata, bucket):
    folder = bucket / stars.folder.name
    lock = folder / ".lock"
    taken = pytest.raises(BlockingIOError, match="was taken over by another process")
    with taken, writing.open_writer(folder, metadata) as writer:
        writer.enter(make_shard(toy, metadata, 0, folder))
        lock.put(b"another process")
        for shard in itertools.cycle((1, 2)):
            writer.enter(make_shard(toy, metadata, shard, folder))
            writer.record()
    assert lock.read_bytes() == b"another process"
    assert not (folder / "manifest.json").exists()


@pytest.mark.slow
def test_a_shard_that_is_gone_from_the_bucket_is_made_anew(stars, toy, bucket):
    there = generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    lost = there.folder / there.rows[1].file
    lost.put(b"half")
    assert there.damaged() == {there.rows[1].file: "has 4 bytes instead of 2394"}
    lost.unlink()
    with pytest.raises(ValueError, match=r"is missing: remove it if it is there, and"):
        Dataset.open(there.folder)
    again = generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    assert shard_bytes(again) == shard_bytes(stars)


@pytest.mark.slow
def test_a_shard_that_was_altered_in_the_bucket_is_found_when_it_is_read(toy, bucket):
    there = generate(toy, 20, seed=3, folder=bucket, actors=0, shard_size=8)
    altered = there.folder / there.rows[1].file
    altered.put(b"x" * there.rows[1].bytes)
    assert Dataset.open(there.folder).damaged() == {}
    for read in (there.records, there.verify_shard):
        with pytest.raises(ValueError, match=r"shard-00001.arrow .*was altered.* anew"):
            read(1)


@pytest.mark.slow
def test_the_next_shard_is_fetched_while_one_is_in_work(toy, bucket):
    there = generate(toy, 24, seed=3, folder=bucket, actors=0, shard_size=8)
    kept = [cache_folder() / "shards" / r.sha256[:2] / r.sha256 for r in there.rows]
    turns = there.in_turn([0, 1, 2])
    assert next(turns) == 0
    deadline = time.monotonic() + 60
    while not kept[1].exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [copy.exists() for copy in kept] == [True, True, False]
    (there.folder / there.rows[2].file).unlink()
    assert next(turns) == 1
    with pytest.raises(ValueError, match=r"shard-00002.arrow is missing"):
        next(turns)


@pytest.mark.slow
def test_two_who_finish_a_dataset_agree_or_are_told(stars, toy, metadata, bucket):
    folder = bucket / stars.folder.name
    with writing.open_writer(folder, metadata) as writer:
        for shard in writer.pending(20):
            writer.enter(make_shard(toy, metadata, shard, folder))
        manifest = folder / "manifest.json"
        manifest.put(b"{}")
        with pytest.raises(FileExistsError, match="was written by another process"):
            writer.finish(20)
        manifest.put((stars.folder / "manifest.json").read_bytes())
        assert shard_bytes(writer.finish(20)) == shard_bytes(stars)
