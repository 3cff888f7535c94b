"""Laws of what commands write: no table is lost, and each is read again."""

import os
from pathlib import Path

import pytest

from halomass.observed import milky_way
from mwlmc.observed import binned_table
from orrery.tables.bundled import bundled_tables
from orrery.tables.outputs import check_output

WORDS = "name,ra_deg\nDraco,260.1\n"
COMMANDS = {
    "satellites": milky_way.main,
    "stars": lambda words: binned_table.main(["desi", *words]),
}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "seen.ecsv"
    path.write_text(WORDS)
    return path


def test_another_file_may_be_written_anew(source, tmp_path):
    out = tmp_path / "result.ecsv"
    check_output(out, source)
    out.write_text("older")
    check_output(out, source)
    check_output(out, tmp_path / "nobody.csv")


@pytest.mark.parametrize("ending", [".csv", ".fits", ".ecsv.gz", ".txt", ""])
def test_other_endings_are_refused_with_the_right_one(source, tmp_path, ending):
    with pytest.raises(
        ValueError, match=r"could read under this name: call it .*\.ecsv$"
    ):
        check_output(tmp_path / f"result{ending}", source)


def other_names(source):
    """Yields names of one file: its own, by way of a folder, and by both kinds of links."""
    yield source
    (source.parent / "folder").mkdir()
    yield source.parent / "folder" / ".." / source.name
    for name, link in (("soft.ecsv", os.symlink), ("hard.ecsv", os.link)):
        link(source, source.parent / name)
        yield source.parent / name


def test_the_table_that_is_read_is_never_written_over(source):
    for out in other_names(source):
        with pytest.raises(ValueError, match="is the table that is read, and would be"):
            check_output(out, source)
    kept = bundled_tables()["milky_way_satellites.ecsv"]
    with pytest.raises(ValueError, match="is the table that is read"):
        check_output(kept, Path(kept.name))


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_refuse_before_they_read(
    source, tmp_path, capsys, command, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for out, said in (
        (source, "is the table that is read"),
        (tmp_path / "binned.csv", "call it"),
        (Path("."), ". is a folder: name the table to write, such as result.ecsv"),
    ):
        assert COMMANDS[command]([str(source), str(out)]) == 1
        assert said in capsys.readouterr().err
    assert source.read_text() == WORDS
    # what can be written to is read, and refused for what it is
    assert COMMANDS[command]([str(source), "result.ecsv"]) == 1
    assert "result" not in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [source.name]
