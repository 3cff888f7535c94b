"""A table keeps its checksum, and no bit of its file changes unseen."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orrery.storage.parquet import read_parquet, write_parquet

FIELD = pa.field("v", pa.float64(), nullable=False, metadata={"unit": "km / s"})
SCHEMA = pa.schema([FIELD], metadata={"orrery": '{"seed": 1}'})
TABLE = pa.table({"v": [float(i) for i in range(20)]}, schema=SCHEMA)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.parquet"
    write_parquet(path, TABLE)
    return path


def test_what_was_written_is_read_by_us_and_by_others(path):
    for found in (read_parquet(path), pq.read_table(path)):
        assert found.equals(TABLE)
        assert found.schema.metadata[b"orrery"] == b'{"seed": 1}'
        assert found.schema.field("v").metadata == {b"unit": b"km / s"}


def test_the_same_table_has_the_same_bytes(path, tmp_path):
    write_parquet(tmp_path / "b.parquet", TABLE)
    assert path.read_bytes() == (tmp_path / "b.parquet").read_bytes()


@pytest.mark.slow
def test_no_bit_changes_unseen(path):
    content = path.read_bytes()
    # a checksum of the whole file sees all bits of a byte alike: one of each, in turn
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match="checksum"):
            read_parquet(path)
    path.write_bytes(content[:-1])
    with pytest.raises(ValueError, match="checksum"):
        read_parquet(path)


def test_a_table_of_before_has_none(tmp_path):
    pq.write_table(TABLE, tmp_path / "old.parquet")
    with pytest.raises(ValueError, match="it has no checksum"):
        read_parquet(tmp_path / "old.parquet")


READ = """
import sys
from pathlib import Path
from orrery.storage.parquet import read_parquet
assert read_parquet(Path(sys.argv[1])).num_rows == 20
print("pyarrow.dataset" in sys.modules)
"""


@pytest.mark.slow
def test_no_thread_is_left_with_the_bytes_of_a_table(path):
    """Those of datasets abort a process that ends while they let its bytes go."""
    words = [sys.executable, "-c", READ, str(path)]
    done = subprocess.run(words, capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
