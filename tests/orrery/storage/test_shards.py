"""A shard is mapped only once it is known to be what the manifest says of it."""

import dataclasses
import os
import subprocess
import sys
import time

import pyarrow as pa
import pytest

from orrery.execution.simulation import generate
from orrery.storage import files
from orrery.storage.dataset import Dataset
from orrery.storage.files import is_unaltered
from orrery.storage.shards import map_shard, metadata_of, row_of

# Bits of a shard whose flip once ended the process that mapped it, and others.
PLACES = (0.02, 0.3, 0.55, 0.7, 0.85, 0.95, 0.99)


def flip(path, place):
    """Flips a bit of a file, and keeps its size."""
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0x40
    path.write_bytes(content)


def age(path, seconds=10):
    """Makes a file look as if it had been written some time ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def counted(monkeypatch):
    """The paths of files that were hashed."""
    seen = []
    checksum = files.checksum

    def count(path):
        seen.append(path)
        return checksum(path)

    monkeypatch.setattr(files, "checksum", count)
    return seen


@pytest.mark.parametrize("place", PLACES)
def test_a_damaged_shard_of_the_right_size_is_never_mapped(stars, place, monkeypatch):
    path = stars.folder / stars.rows[1].file
    flip(path, place)

    def never(path):
        raise AssertionError("it was mapped")

    monkeypatch.setattr(pa, "memory_map", never)
    with pytest.raises(ValueError, match=r"shard-00001.arrow .*was altered.*again"):
        stars.records(1)


def test_a_shard_is_hashed_once_for_each_state(stars, counted):
    path = stars.folder / stars.rows[0].file
    age(path)
    for _ in range(3):
        stars.records(0)
        stars.verify_shard(0)
    assert counted == [path]
    flip(path, 0.9)
    with pytest.raises(ValueError, match="was altered"):
        stars.records(0)
    assert counted == [path, path]


def test_a_shard_that_may_still_change_is_hashed_again(stars, counted):
    path = stars.folder / stars.rows[0].file
    for _ in range(2):
        assert is_unaltered(path, stars.rows[0].sha256)
    assert counted == [path, path]


@pytest.mark.parametrize(
    "change",
    [{"first": 8}, {"count": 7}, {"particles": 3}],
    ids=["first", "count", "p"],
)
def test_a_row_that_is_not_its_shards_is_refused(stars, change):
    row = dataclasses.replace(stars.rows[0], **change)
    (name,) = change
    with pytest.raises(ValueError, match=f"has {name} .* but the manifest says"):
        map_shard(stars.folder / row.file, row, stars.fingerprint)


def test_sums_that_are_not_the_shards_are_found(stars):
    wrong = dataclasses.replace(stars.rows[2], sums={"a": 1.0, "tries": 9})
    altered = dataclasses.replace(stars, rows=(*stars.rows[:2], wrong))
    assert altered.damaged() == {}
    ((file, reason),) = altered.damaged(full=True).items()
    assert file == wrong.file
    assert "has sums" in reason


def test_a_shard_of_another_dataset_is_refused(stars, toy, tmp_path):
    other = generate(toy, 8, 4, tmp_path / "other", actors=0, shard_size=8)
    with pytest.raises(ValueError, match=f"of the dataset {other.fingerprint}"):
        map_shard(other.folder / other.rows[0].file, other.rows[0], stars.fingerprint)


def test_two_shards_that_were_exchanged_are_both_found(stars):
    one, two = (stars.folder / row.file for row in stars.rows[:2])
    aside = one.with_name("aside")
    one.rename(aside)
    two.rename(one)
    aside.rename(two)
    assert {*stars.damaged(full=True)} == {row.file for row in stars.rows[:2]}


def test_a_shard_says_all_that_the_manifest_does(stars):
    for row in stars.rows:
        content = (stars.folder / row.file).read_bytes()
        assert row_of(content, row.shard, stars.fingerprint) == row
        assert metadata_of(content)["seed"] == 3
        with pytest.raises(ValueError, match="has first"):
            row_of(content, row.shard + 1, stars.fingerprint)


READING = """
import sys
from orrery.storage.shards import metadata_of, row_of
content = open(sys.argv[1], "rb").read()
refused = 0
for place in range(0, len(content), int(sys.argv[3])):
    flipped = bytearray(content)
    flipped[place] ^= 1 << place % 8
    for read in (lambda: row_of(bytes(flipped), 1, sys.argv[2]), lambda: metadata_of(flipped)):
        try:
            read()
        except ValueError:
            refused += 1
print(refused)
"""


@pytest.mark.slow
def test_reading_a_damaged_shard_without_its_checksum_ends_no_process(stars):
    path = stars.folder / stars.rows[1].file
    command = [sys.executable, "-c", READING, str(path), stars.fingerprint, "3"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 100


def test_a_finished_dataset_of_before_is_opened(stars):
    """Without checksums of documents, and without the file of the shards'."""
    from orrery.storage.documents import checked

    for name in ("manifest.json", "dataset.json"):
        path = stars.folder / name
        path.write_bytes(checked(path.read_bytes()))
    (stars.folder / "shards.sha256").unlink()
    again = Dataset.open(stars.folder, 20)
    assert again.rows == stars.rows
    again.verify(full=True)
