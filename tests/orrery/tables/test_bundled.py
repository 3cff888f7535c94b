"""Bundled tables are found by name from anywhere, and hide no file of the user's."""

from importlib import metadata
from pathlib import Path

import pytest

from orrery.tables.bundled import TABLE_GROUP, bundled_tables, find_table
from orrery.tables.opening import OpenedFile

NAME = "sdss_kgiants.ecsv"


def test_bundled_tables_lie_beside_the_code_that_reads_them():
    found = bundled_tables()
    owners = {path.parents[2].name for path in found.values()}
    assert owners == {"mwlmc", "halomass"}
    assert all(path.is_file() and path.name == name for name, path in found.items())


def test_a_bundled_table_is_read_by_its_name_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert OpenedFile.read(NAME).stored == bundled_tables()[NAME].read_bytes()


def test_a_file_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(NAME).write_text("a\n1\n")
    assert OpenedFile.read(NAME).stored == b"a\n1\n"


@pytest.mark.parametrize("given", [f"here/{NAME}", f"/{NAME}", f"../{NAME}", "my.ecsv"])
def test_a_path_is_what_it_says(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_table(Path(given)) == Path(given)
    with pytest.raises(FileNotFoundError, match="say where the table is"):
        OpenedFile.read(given)


def test_two_tables_of_one_name_are_refused(monkeypatch):
    twice = list(metadata.entry_points(group=TABLE_GROUP)) * 2
    monkeypatch.setattr(metadata, "entry_points", lambda group: twice)
    with pytest.raises(ValueError, match="have one name"):
        bundled_tables.__wrapped__()
