"""What an HDF5 file does to the memory of its reader is done to no other process."""

import io

import h5py
import numpy as np
import pytest

from orrery.tables import hdf5_rows
from orrery.tables.hdf5_rows import stored_rows
from orrery.tables.opening import OpenedFile


@pytest.fixture
def file():
    """Returns a function of an array: an HDF5 file with it as its only table."""

    def made(rows, kind=None):
        content = io.BytesIO()
        with h5py.File(content, "w") as opened:
            opened.create_dataset("stars", data=rows, dtype=kind)
        return OpenedFile("stars.h5", content.getvalue())

    return made


def test_rows_are_those_of_the_file(file):
    kinds = [("x", "f4"), ("id", "i8"), ("name", "S3"), ("xyz", "f8", 3)]
    rows = np.zeros(4, kinds)
    rows["x"] = [1.5, np.nan, -np.inf, 0]
    rows["id"] = 2**53 + np.arange(4)
    rows["name"] = [b"a", b"", b"abc", b"\xff"]
    rows["xyz"] = np.arange(12).reshape(4, 3)
    found = stored_rows(file(rows)).rows
    assert found.dtype == rows.dtype
    assert found.tobytes() == rows.tobytes()


@pytest.mark.slow
def test_words_of_any_length_have_the_longest_ones(file):
    kind = np.dtype([("name", h5py.string_dtype()), ("x", "f8")])
    rows = np.array([("Draco", 1.0), ("", 2.0), ("Boötes I", 3.0)], dtype=kind)
    found = stored_rows(file(rows, kind)).rows
    assert [name.decode() for name in found["name"]] == ["Draco", "", "Boötes I"]
    assert found["x"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.slow
def test_arrays_of_several_lengths_are_refused_by_name(file):
    kind = np.dtype([("spectrum", h5py.vlen_dtype(np.float64))])
    rows = np.empty(2, kind)
    rows["spectrum"] = [np.zeros(1), np.zeros(3)]
    with pytest.raises(ValueError, match=r"stars\.h5: spectrum has arrays of several"):
        stored_rows(file(rows, kind))


@pytest.mark.slow
def test_the_process_is_another_one(file, monkeypatch):
    """What is done to the reader here is not done to it there."""
    monkeypatch.setattr(hdf5_rows, "_read", None)
    assert len(stored_rows(file(np.zeros(2, [("x", "f8")]))).rows) == 2
