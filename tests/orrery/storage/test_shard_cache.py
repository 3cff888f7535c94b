"""A copy is what its checksum says, whatever lies in the cache or in the bucket."""

import hashlib
import os
from pathlib import Path

import pytest

from orrery.storage import files
from orrery.storage.shard_cache import cache_folder, cache_limit, local_copy
from orrery.storage.store import Address


def put(bucket, name, content):
    """Returns the address and the checksum of an object that is put there."""
    (bucket / name).put(content)
    return bucket / name, hashlib.sha256(content).hexdigest()


def test_a_shard_is_fetched_once(bucket, monkeypatch):
    address, sha256 = put(bucket, "one", b"8 stars")
    assert local_copy(address, sha256).read_bytes() == b"8 stars"
    monkeypatch.delattr(Address, "download")
    assert local_copy(address, sha256).read_bytes() == b"8 stars"


def test_a_shard_that_was_altered_in_the_bucket_is_refused(bucket):
    address, sha256 = put(bucket, "one", b"8 stars")
    address.put(b"9 stars")
    with pytest.raises(ValueError, match=r"one was altered: its sha256 differs"):
        local_copy(address, sha256)
    assert [path for path in cache_folder().rglob("*") if path.is_file()] == []


def test_a_copy_that_another_process_left_damaged_is_fetched_again(bucket):
    address, sha256 = put(bucket, "one", b"8 stars")
    copy = local_copy(address, sha256)
    copy.write_bytes(b"8 stbrs")
    assert local_copy(address, sha256).read_bytes() == b"8 stars"


def test_a_copy_is_hashed_once_however_often_it_is_used(bucket, monkeypatch):
    address, sha256 = put(bucket, "one", b"8 stars")
    copy = local_copy(address, sha256)
    os.utime(copy, (0, 0))
    local_copy(address, sha256)
    monkeypatch.delattr(files, "checksum")
    assert local_copy(address, sha256) == copy
    assert copy.stat().st_atime > 0


def test_what_was_not_used_for_longest_is_dropped(bucket, monkeypatch):
    monkeypatch.setenv("ORRERY_CACHE_GB", "25e-9")
    known = [put(bucket, str(n), bytes([n]) * 10) for n in range(4)]
    copies = [local_copy(*one) for one in known[:2]]
    for age, copy in ((200, copies[1]), (100, copies[0])):
        os.utime(copy, (copy.stat().st_atime - age, copy.stat().st_mtime))
    third = local_copy(*known[2])
    assert [copy.exists() for copy in (*copies, third)] == [True, False, True]
    # What is in use is kept, even beyond the limit.
    local_copy(*known[0])
    local_copy(*known[3])
    assert [copy.exists() for copy in (copies[0], third)] == [True, True]


def test_a_limit_is_a_number(monkeypatch):
    assert cache_limit() == 20e9
    monkeypatch.setenv("ORRERY_CACHE_GB", "much")
    with pytest.raises(ValueError, match=r"ORRERY_CACHE_GB is 'much': give the size"):
        cache_limit()


def test_a_cache_that_cannot_be_written_is_named(bucket, monkeypatch, tmp_path):
    address, sha256 = put(bucket, "one", b"8 stars")
    (tmp_path / "file").touch()
    monkeypatch.setenv("ORRERY_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        OSError, match=r"cannot keep a copy .*set ORRERY_CACHE to anoth"
    ):
        local_copy(address, sha256)


def test_the_cache_is_where_caches_are(monkeypatch):
    monkeypatch.delenv("ORRERY_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/cache")
    assert cache_folder() == Path("/some/cache/orrery")
