import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.records import Schema
from orrery.storage.dataset import Dataset, identify, split


def test_records_are_what_the_simulator_returned(stars, toy):
    assert list(stars.shards) == [0, 1, 2]
    for shard in stars.shards:
        expected, records = toy.records(3, stars.indices(shard)), stars.records(shard)
        assert np.array_equal(records.scalars["a"], expected.scalars["a"])
        assert np.array_equal(records.particles["x"], expected.particles["x"])
        assert np.array_equal(records.offsets, expected.offsets)


def test_records_end_with_the_count(stars):
    assert len(stars) == 20
    assert sum(len(stars.records(shard)) for shard in stars.shards) == 20
    last = stars.records(2)
    assert last.scalars["index"].tolist() == [16, 17, 18, 19]
    assert len(last.particles["x"]) == last.offsets[-1]


def test_records_are_mapped_into_memory_not_copied(stars):
    before = pa.total_allocated_bytes()
    records = stars.records(0)
    assert not records.particles["x"].flags.owndata
    assert not records.particles["x"].flags.writeable
    assert pa.total_allocated_bytes() == before


def test_shards_explain_themselves(stars):
    with pa.memory_map(str(stars.folder / stars.rows[0].file)) as source:
        schema = pa.ipc.open_file(source).schema
    assert json.loads(schema.metadata[b"orrery"])["seed"] == 3
    assert schema.field("x").metadata == {b"unit": b"kpc"}


@given(st.integers(0, 10**6))
def test_of_each_ten_one_is_for_test_and_one_for_validation(start):
    names = [split(index) for index in range(start, start + 10)]
    assert sorted(names) == ["test", *["train"] * 8, "validation"]


def test_fingerprints_follow_what_decides_the_bytes(toy):
    same = identify(toy.describe(), toy.schema, 1, 8)["fingerprint"]
    assert identify(toy.describe(), toy.schema, 1, 8)["fingerprint"] == same
    others = [
        identify({"scale": 2.0}, toy.schema, 1, 8),
        identify(toy.describe(), toy.schema, 2, 8),
        identify(toy.describe(), toy.schema, 1, 16),
        identify(toy.describe(), Schema(toy.schema.scalars), 1, 8),
    ]
    assert len({other["fingerprint"] for other in others} | {same}) == 5


def test_a_sound_dataset_is_verified(stars):
    stars.verify(full=True)
    assert stars.damaged(full=True) == {}
    again = Dataset.open(stars.folder, 20)
    assert (again.fingerprint, again.rows) == (stars.fingerprint, stars.rows)
    assert len(Dataset.open(stars.folder)) == 24


def test_truncated_and_missing_shards_are_found_when_opening(stars):
    path = stars.folder / stars.rows[1].file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        ValueError, match=r"shard-00001.arrow has \d+ bytes instead.*run the gener"
    ):
        Dataset.open(stars.folder)
    path.unlink()
    with pytest.raises(
        ValueError, match=r"shard-00001.arrow is missing: run the generation"
    ):
        Dataset.open(stars.folder)
    assert len(Dataset.open(stars.folder, 8)) == 8


def test_altered_shards_are_found_by_their_checksum(stars):
    path = stars.folder / stars.rows[2].file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert Dataset.open(stars.folder).damaged() == {}
    with pytest.raises(
        ValueError, match=r"shard-00002.arrow was altered.*run the generation"
    ):
        stars.verify(full=True)
    stars.verify_shard(1)
    with pytest.raises(ValueError, match="shard-00002"):
        stars.verify_shard(2)


def test_what_is_no_arrow_file_is_named(stars):
    path = stars.folder / stars.rows[0].file
    path.write_bytes(b"x" * stars.rows[0].bytes)
    with pytest.raises(
        ValueError, match=r"shard-00000.arrow cannot be read.*run the generation"
    ):
        stars.records(0)


@pytest.mark.parametrize(
    ("file", "message"),
    [("manifest.json", "is no finished dataset"), ("dataset.json", "is no dataset")],
)
def test_a_folder_without_its_documents_is_no_dataset(stars, file, message):
    (stars.folder / file).write_text("{")
    with pytest.raises(ValueError, match=message):
        Dataset.open(stars.folder)


@pytest.mark.parametrize("count", [0, 25])
def test_only_what_is_there_can_be_opened(stars, count):
    with pytest.raises(ValueError, match=f"has 24 simulations, not {count}"):
        Dataset.open(stars.folder, count)


def test_a_dataset_may_be_moved(stars, tmp_path):
    moved = shutil.copytree(stars.folder, tmp_path / "elsewhere")
    assert len(Dataset.open(moved).records(0)) == 8
