"""Damaged and hostile files end as their readers say: a few dozen of each, the same each time.

Two thousand of each, with memory and time: python tests/fuzz/fuzz_readers.py
"""

import sys
from pathlib import Path

import pytest

PLACE = Path(__file__).parent
FILES = 30
sys.path.insert(0, str(PLACE))  # the three files import each other
from fuzz_readers import CORPUS, Found, fuzz, prepared, with_end  # noqa: E402
from readers import READERS  # noqa: E402

sys.path.remove(str(PLACE))
KEPT = [
    (reader, path)
    for reader in READERS
    for path in sorted((CORPUS / reader.name).glob("*"))
]


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_reader_ends_as_it_documents(tmp_path, reader):
    found = fuzz(reader, FILES, tmp_path)
    assert found.files >= FILES // 2
    assert found.problems == {}
    assert found.longest < 5.0


@pytest.mark.parametrize(("reader", "path"), KEPT, ids=lambda one: one.name)
def test_a_file_that_was_once_a_trap_is_none(tmp_path, reader, path):
    place, _ = prepared(reader, tmp_path)
    place.write_bytes(path.read_bytes())
    assert reader.problem(place) is None


@pytest.mark.parametrize(("files", "status"), [(30, -11), (30, 1), (0, 0)])
def test_a_process_that_does_not_end_well_is_a_finding(files, status):
    assert with_end(Found("toy", files=30), 0).sound
    found = with_end(Found("toy", files=files), status)
    assert not found.sound
    assert found.wrong == 1
