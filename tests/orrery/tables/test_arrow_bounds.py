"""Laws of bounds: what unpacks to much more than it is is refused before it is unpacked."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orrery.tables.arrow_bounds import check_arrow, check_parquet

ROWS = 5_000_000
NONE = np.zeros(ROWS)


def _parquet(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def _arrow(table, batches=1, **options):
    sink = pa.BufferOutputStream()
    about = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_file(sink, table.schema, options=about) as writer:
        for _ in range(batches):
            writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("kind", ["numbers", "lists"])
def test_a_few_bytes_that_mean_many_megabytes_are_refused(kind):
    table = pa.table({"v": NONE})
    if kind == "lists":
        table = pa.table({"v": pa.array([NONE], type=pa.list_(pa.float64()))})
    content = _parquet(table)
    assert len(content) < 100_000
    with pytest.raises(
        ValueError, match=r"a.parquet: its rows .*bytes.*: make it again"
    ):
        check_parquet("a.parquet", content, "make it again")


def test_numbers_that_were_measured_are_read():
    drawn = np.random.default_rng(2).normal(size=20_000)
    assert (
        check_parquet("a.parquet", _parquet(pa.table({"v": drawn}))).num_rows == 20_000
    )


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
@pytest.mark.parametrize("words", [False, True])
def test_columns_that_are_packed_are_refused_before_they_are_unpacked(
    compression, words
):
    table = pa.table({"v": NONE[:9000]})
    if words:
        table = pa.table({"v": pa.array(["a", "b"] * 4500).dictionary_encode()})
    check_arrow(_arrow(table))
    check_arrow(_arrow(table, batches=3))
    with pytest.raises(ValueError, match="its columns are compressed"):
        check_arrow(_arrow(table, compression=compression))


@pytest.mark.slow
def test_a_batch_that_is_there_many_times_is_refused():
    content = bytearray(_arrow(pa.table({"v": NONE[:9000]}), batches=40))
    # all of the footer's entries are made the first one
    blocks = [
        i for i in range(len(content) - 8) if content[i : i + 8] == _length(content)
    ]
    assert len(blocks) >= 40
    for place in blocks[-40:]:
        content[place : place + 8] = (10 * 72_000).to_bytes(8, "little")
    with pytest.raises(ValueError, match="one is there many times"):
        check_arrow(bytes(content))


def _length(content):
    """Returns how a batch's 9,000 numbers are counted, in the footer too."""
    return (72_000).to_bytes(8, "little")


def _read(content):
    check_arrow(content)
    return pa.ipc.open_file(pa.BufferReader(content)).read_all()


@pytest.mark.parametrize("place", [-1, -9, -7])
def test_a_footer_that_is_damaged_ends_in_words(place):
    content = bytearray(_arrow(pa.table({"v": NONE[:9000]})))
    assert len(_read(bytes(content))) == 9000
    content[place] ^= 0xFF
    # where it names no columns that could be packed, Arrow does not read any either
    with pytest.raises((ValueError, OSError)):
        _read(bytes(content))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5])
def test_a_file_that_is_torn_ends_in_words(share):
    content = _arrow(pa.table({"v": NONE[:9000]}))
    with pytest.raises(ValueError, match="its footer cannot be read"):
        check_arrow(content[: int(share * len(content))])
