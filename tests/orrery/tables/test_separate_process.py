"""What a file does to the process that reads it is done to no other one."""

import sys

import pytest

from orrery.tables import separate_process
from orrery.tables.opening import OpenedFile
from orrery.tables.separate_process import read_separately

FILE = OpenedFile("stars.h5", b"abc\n\x00\xff")


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """Returns a function of a body of `read_alone(file)`: what it returns elsewhere."""
    monkeypatch.syspath_prepend(tmp_path)

    def read(body):
        lines = ["import os, sys", "def read_alone(file):", f"    {body}"]
        (tmp_path / "toy_reader.py").write_text("\n".join(lines))
        return read_separately("toy_reader", FILE, "the toy", "fetch it again")

    return read


def test_all_bytes_arrive_there_and_here(reader):
    about, content = reader("return {'name': file.name}, file.content[::-1] * 100_000")
    assert about == {"name": "stars.h5"}
    assert content == FILE.content[::-1] * 100_000


def test_its_error_is_this_ones(reader):
    with pytest.raises(ValueError, match=r"^stars\.h5 has no rows$"):
        reader("raise OSError(f'{file.name} has no rows')")


@pytest.mark.parametrize(
    "body",
    [
        "os.kill(os.getpid(), 11)",
        "os.abort()",
        "sys.exit(3)",
        # what was read is there, but the memory that it came from was broken
        "import atexit; atexit.register(os._exit, 3); return {}, b''",
    ],
)
def test_a_library_that_breaks_is_told_as_a_damaged_file(reader, body):
    with pytest.raises(ValueError, match=r"stars\.h5: the toy ended.*fetch it again"):
        reader(body)


@pytest.mark.slow
def test_a_library_that_goes_in_circles_is_ended(reader, monkeypatch):
    monkeypatch.setattr(separate_process, "_LONGEST", 0.5)
    with pytest.raises(ValueError, match=r"stars\.h5 takes longer than"):
        reader("import time; time.sleep(60)")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_its_memory_has_an_end(reader):
    with pytest.raises(ValueError, match="MemoryError"):
        reader("return {}, bytes(2**36)")
