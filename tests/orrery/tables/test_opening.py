"""Laws of opening files: what they become is bounded, and what cannot be read is named."""

import bz2
import gzip

import pytest

from orrery.tables.opening import ALLOWANCE, OpenedFile, check_expansion


def test_packed_files_have_the_content_and_the_ending_of_plain_ones():
    plain = OpenedFile("a.csv", b"x,y\n1,2\n")
    for name, packed in (
        ("a.csv.gz", gzip.compress(plain.content, mtime=0)),
        ("A.CSV.BZ2", bz2.compress(plain.content)),
        # some programs leave the name as it was
        ("a.csv", gzip.compress(plain.content, mtime=0)),
    ):
        file = OpenedFile(name, packed)
        assert (file.content, file.ending) == (plain.content, ".csv")
        assert file.sha256 != plain.sha256


def test_a_small_file_that_unpacks_to_much_is_refused():
    bomb = gzip.compress(bytes(2 * ALLOWANCE), compresslevel=1)
    with pytest.raises(ValueError, match=r"bomb.csv.gz: what it unpacks to would take"):
        OpenedFile("bomb.csv.gz", bomb).content  # noqa: B018
    check_expansion("a.csv", len(bomb), ALLOWANCE, "its text")
    with pytest.raises(ValueError, match="write the table anew"):
        check_expansion("a.csv", 10, 2 * ALLOWANCE, "its text")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"x,y\n" * 99, mtime=0)[:-12], "damaged gzip data"),
        (bz2.compress(b"x,y\n" * 99)[:-12], "damaged bzip2 data"),
        (b"\x1f\x8bnothing", "damaged gzip data"),
        (b"PK\x03\x04more", "unzip"),
    ],
)
def test_damaged_and_foreign_archives_are_named(content, message):
    with pytest.raises(ValueError, match=f"t.csv.*{message}"):
        OpenedFile("t.csv", content).content  # noqa: B018


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="say where"):
        OpenedFile.read(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError, match="name the table"):
        OpenedFile.read(tmp_path)
