"""Laws of packed files: they are the files that were packed, wherever reading begins."""

import bz2
import gzip
import lzma
import tracemalloc

import numpy as np
import pytest

from halomass.catalogues import packing
from halomass.catalogues.catalogue import open_catalogue
from halomass.catalogues.packing import GzipBytes, PlainBytes, file_bytes

BOX = 64.0


@pytest.fixture
def content():
    return np.random.default_rng(0).integers(48, 58, 700_000, np.uint8).tobytes()


@pytest.mark.parametrize(
    "order", ["onwards", "with steps back", "backwards", "anywhere"]
)
def test_bytes_are_those_that_were_packed(order, tmp_path, content):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(content))
    begins = np.arange(0, 700_000, 70_001)
    if order == "with steps back":
        begins[1:] -= 100_000
    if order == "backwards":
        begins = begins[::-1]
    if order == "anywhere":
        begins = np.random.default_rng(1).integers(0, 710_000, 12)
    file = GzipBytes(path)
    for begin in np.maximum(begins, 0).tolist():
        assert file.read(begin, 70_000) == content[begin : begin + 70_000]
    assert file.size == len(content)


def test_reading_onwards_unpacks_once(tmp_path, content, monkeypatch):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(content))
    begun = []
    inflation = packing._Inflation
    monkeypatch.setattr(
        packing, "_Inflation", lambda path: begun.append(path) or inflation(path)
    )
    file = GzipBytes(path)
    for begin in range(0, 690_000, 10_000):
        file.read(max(begin - 1000, 0), 11_000)
    assert len(begun) == 1


def test_packed_parts_follow_one_another(tmp_path, content):
    path = tmp_path / "a.gz"
    parts = [content[:100], content[100:400_000], content[400_000:]]
    path.write_bytes(b"".join(map(gzip.compress, parts)) + bytes(512))
    assert GzipBytes(path).read(0, 800_000) == content
    assert file_bytes(path).size == len(content)


def test_a_changed_file_is_read_anew(tmp_path, content):
    path = tmp_path / "a.gz"
    for some in (content, content[::-1][:1000]):
        path.write_bytes(gzip.compress(some))
        assert file_bytes(path).read(5, 100) == some[5:105]
        assert file_bytes(path).size == len(some)


@pytest.mark.slow
def test_little_of_a_packed_file_is_held(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes(50_000_000)))  # a thousand times smaller
    file = GzipBytes(path)
    tracemalloc.start()
    try:
        assert file.read(49_999_990, 100) == bytes(10)
        assert file.size == 50_000_000
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("lost", [1, 9, 20_000])
def test_a_torn_file_is_refused(lost, tmp_path, content):
    path = tmp_path / "a.list.gz"
    path.write_bytes(gzip.compress(content)[:-lost])
    for read in (lambda: file_bytes(path).size, lambda: GzipBytes(path).read(0, 10**6)):
        with pytest.raises(ValueError, match=r"a\.list\.gz ends within what gzip"):
            read()


def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "a.list.gz"
    packed = bytearray(gzip.compress(content))
    packed[len(packed) // 2] ^= 16
    path.write_bytes(packed)
    with pytest.raises(ValueError, match=r"a\.list\.gz cannot be unpacked .*again"):
        _ = file_bytes(path).size


@pytest.mark.slow
def test_other_programs_are_named(tmp_path, content):
    for name, pack in (("bzip2", bz2.compress), ("xz", lzma.compress)):
        path = tmp_path / "hlist_1.00000.list"
        path.write_bytes(pack(content))
        with pytest.raises(ValueError, match=f"is packed by {name}: unpack it, or"):
            open_catalogue(path, BOX)


def test_what_is_not_packed_is_known_by_its_bytes(tmp_path, content):
    path = tmp_path / "a.gz"
    path.write_bytes(content)
    assert file_bytes(path) == PlainBytes(path)
    assert file_bytes(path).read(699_990, 50) == content[-10:]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "ascii", "hlist", "rockstar"])
@pytest.mark.parametrize("memory", [2.0, 256.0])
def test_a_packed_catalogue_has_the_same_halos(
    kind, memory, tmp_path, halos, write, pack, read, same
):
    path = write(kind, tmp_path, halos(7000, seed=3))
    plain = open_catalogue(path, BOX, memory=memory)
    packed = open_catalogue(pack(path), BOX, memory=memory)
    assert packed.kind == plain.kind == kind
    assert packed.chunks == plain.chunks
    same(read(packed), read(plain))
    assert packed.describe()["sha256"] == plain.describe()["sha256"]


@pytest.mark.parametrize("kind", ["ascii", "hlist", "rockstar"])
def test_a_packed_file_that_ends_within_a_line_is_refused(
    kind, tmp_path, halos, write, pack, refused
):
    path = write(kind, tmp_path, halos(60))
    path.write_bytes(path.read_bytes()[:-30])
    refused(r"\.gz ends in the middle of a line", pack(path), tmp_path)
