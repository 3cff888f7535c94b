"""The manifest adds up, and a row of it is what a row is, whatever the file says."""

import dataclasses

import numpy as np
import pytest

from orrery.storage import manifest
from orrery.storage.dataset import counters
from orrery.storage.documents import write_document
from orrery.storage.manifest import ManifestRow, read_manifest

ROW = ManifestRow(
    shard=0, file="shards/shard-00000.arrow", first=0, count=8, particles=3,
    bytes=4096, sha256="0f", sums={"a": 1.5, "id": 10**19}, missing={"a": 1},
)  # fmt: skip


def test_the_manifest_adds_up(stars):
    everything = [stars.records(shard) for shard in stars.shards[:2]]
    values = np.concatenate([records.scalars["a"] for records in everything])
    rows = stars.rows[:2]
    assert manifest.total("a", rows) == pytest.approx(values.sum(), rel=1e-12)
    assert manifest.mean("a", rows) == pytest.approx(values.mean(), rel=1e-12)
    assert manifest.total("tries", rows) == sum(i % 3 for i in range(16))
    assert sum(row.particles for row in rows) == sum(i % 4 for i in range(16))
    assert counters(stars.metadata) == ("tries",)


def written(folder, **changes):
    row = {**dataclasses.asdict(ROW), **changes}
    write_document(folder / "manifest.json", {"fingerprint": "01", "shards": [row]})
    return folder


def test_a_row_is_read_as_it_was_written(tmp_path):
    assert read_manifest(written(tmp_path)) == ("01", [ROW])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("shard", False), ("first", 0.0), ("count", 8.0), ("count", "8")),
        *(("particles", None), ("particles", 10**400), ("bytes", [4096])),
        *(("sha256", 15), ("file", None), ("sums", None), ("sums", [["a", 1.5]])),
        *(("sums", {"a": "1.5"}), ("missing", {"a": 0.5}), ("missing", {"a": True})),
    ],
)
def test_a_field_of_another_type_is_named_before_anybody_counts_with_it(
    tmp_path, name, value
):
    with pytest.raises(ValueError, match=rf"no finished dataset \({name} is "):
        read_manifest(written(tmp_path, **{name: value}))
