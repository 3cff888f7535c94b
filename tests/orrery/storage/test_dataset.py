import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orrery.execution.simulation import generate
from orrery.records import Column, Schema
from orrery.storage import dataset
from orrery.storage.dataset import Dataset, identify, split


@pytest.fixture
def stars(toy, tmp_path):
    return generate(toy, 20, seed=3, folder=tmp_path, actors=0, shard_size=8)


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
    assert schema.field("x").metadata == {b"unit": b"kpc", b"description": b"positions"}


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
        identify(toy.describe(), dataset.Schema(toy.schema.scalars), 1, 8),
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


def test_a_second_writer_is_refused(stars):
    program = (
        "import pathlib, sys; from orrery.storage import dataset\n"
        "folder, metadata = pathlib.Path(sys.argv[1]), {'fingerprint': 'a', 'shard_size': 8}\n"
        "try:\n"
        "    with dataset.writing(folder, metadata): pass\n"
        "except OSError as error: print(error)"
    )
    command = [sys.executable, "-c", program, str(stars.folder)]
    with dataset.writing(stars.folder, stars.metadata):
        said = subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout
    assert "is being written by process" in said
    assert "wait until it has finished" in said


def test_the_manifest_adds_up(stars):
    everything = [stars.records(shard) for shard in stars.shards[:2]]
    values = np.concatenate([records.scalars["a"] for records in everything])
    rows = stars.rows[:2]
    assert dataset.total("a", rows) == pytest.approx(values.sum(), rel=1e-12)
    assert dataset.mean("a", rows) == pytest.approx(values.mean(), rel=1e-12)
    assert dataset.total("tries", rows) == sum(i % 3 for i in range(16))
    assert sum(row.particles for row in rows) == sum(i % 4 for i in range(16))
    assert dataset.counters(stars.metadata) == ("tries",)


def test_the_card_tells_what_the_folder_holds(stars):
    text = (stars.folder / "README.md").read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## What", "## Columns", "## How it was made", "## Counts", "## Work", "## Splits",
        "## How to read",
    ]  # fmt: skip
    assert "Totals of the 3 shards: tries " in dataset.summary(stars)
    assert "24 simulations in 3 Arrow files" in text
    assert f"| `tries`, all together | {sum(i % 3 for i in range(24))} |" in text
    assert "| `x` | kpc | list of float16 |  | positions |" in text
    assert stars.fingerprint in text


@dataclass(frozen=True)
class Named:
    """The toy, whose simulations have a name elsewhere and a split, and count nothing."""

    toy: Any

    @property
    def schema(self):
        labels = (
            Column("id", "", "its name", "int64"),
            Column("split", "", "its split", "int8"),
        )
        kept = tuple(
            column for column in self.toy.schema.scalars if column.name != "tries"
        )
        return Schema((*kept, *labels), self.toy.schema.particles)

    def describe(self):
        return self.toy.describe()

    def records(self, seed, indices):
        found, number = self.toy.records(seed, indices), np.array(indices)
        scalars = {name: found.scalars[name] for name in ("index", "a")}
        return replace(
            found, scalars={**scalars, "id": number + 7000, "split": number % 3}
        )


def test_names_and_splits_are_not_added_up(toy, tmp_path):
    named = generate(Named(toy), 20, seed=3, folder=tmp_path, actors=0, shard_size=8)
    assert dataset.counters(named.metadata) == ()
    assert "Totals" not in dataset.summary(named)
    text = (named.folder / "README.md").read_text()
    assert "all together" not in text
    assert "| `id` |  | int64 |  | its name |" in text
    assert "| `split` |  | int8 |  | its split |" in text
    assert (
        f"| `a` | kpc | float64 | {dataset.mean('a', named.rows):.6g} | the centre |"
        in text
    )


def test_the_card_tells_what_decides_the_splits(stars, toy, tmp_path):
    named = generate(Named(toy), 8, seed=3, folder=tmp_path, actors=0, shard_size=8)
    by_number = (
        "\n## Splits\nSimulation i belongs to `test` if i mod 10 is 0, to `validation` if it is 1, "
        "and to `train`\notherwise. More simulations never move one from a split to another.\n\n"
        "## How to read\n"
    )
    assert by_number in (stars.folder / "README.md").read_text()
    text = (named.folder / "README.md").read_text()
    assert "i mod 10" not in text
    assert (
        "The column `split` decides: 0 is `train`, 1 is `validation`, 2 is `test`."
        in text
    )


def session(**took):
    return dataset.Session("2025-03-01T12:00:00+00:00", **took)


def test_the_card_adds_up_the_work(stars):
    work = (
        session(simulations=1000, seconds=3000.0, actors=2, deaths=1, cpus=4),
        session(simulations=200, seconds=800.0, actors=8, cpus=16, nodes=2),
    )
    lines = dataset.card("stars", stars.metadata, stars.rows, work).splitlines()
    assert (
        "| 2025-03-01T12:00:00+00:00 | 1000 | 0:50:00 | 0.333 | 2 | 1 | 4 | 1 |"
        in lines
    )
    assert (
        "| 2025-03-01T12:00:00+00:00 | 200 | 0:13:20 | 0.25 | 8 | 0 | 16 | 2 |" in lines
    )
    assert "| all | 1200 | 1:03:20 | 0.316 | | 1 | | |" in lines


@pytest.mark.parametrize(
    ("actors", "where"),
    [((2, 2), "on 2 actors"), ((1, 1), "on 1 actor"), ((0, 3), "on up to 3 actors"),
     ((0, 0), "in one process")],
)  # fmt: skip
def test_the_account_tells_the_work(stars, actors, where):
    work = [
        session(simulations=8200, seconds=422.5, actors=number) for number in actors
    ]
    lines = [json.dumps(vars(part)) for part in work]
    (stars.folder / "work.jsonl").write_text(
        "\n".join(["half a li", *lines, '{"hours": 3}'])
    )
    assert dataset.sessions(stars.folder) == tuple(work)
    assert dataset.summary(stars).endswith(
        f" Made in 0:14:05 of work {where}, 19.4 a second."
    )


def test_a_dataset_of_unknown_work_is_described_without(stars):
    (stars.folder / "work.jsonl").unlink()
    assert "work" not in dataset.summary(stars)
    assert dataset.card("stars", stars.metadata, stars.rows, ()).count("| all |") == 0


def test_values_that_are_not_finite_are_counted(toy, tmp_path):
    stars = generate(replace(toy, missing=5), 16, 0, tmp_path, actors=0, shard_size=8)
    assert [row.missing for row in stars.rows] == [{"a": 1}, {}]
    assert np.isfinite(dataset.mean("a", stars.rows))
    assert "| `a`, not finite | 1 |" in (stars.folder / "README.md").read_text()
