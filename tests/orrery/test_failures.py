"""An error is a line that says what helps, however long what it is about."""

import pytest

from orrery import __main__ as commands
from orrery.failures import error_line
from orrery.storage.files import ensure_writable
from orrery.tables.opening import OpenedFile

LONG = "a" * 5000
COMMANDS = (
    *(("dataset", action) for action in ("verify", "repair", "card")),
    *(("verify",), ("runs",), ("report",), ("collate",), ("sync",)),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_name_that_is_too_long_is_told_in_a_line_with_what_helps(command, capsys):
    assert commands.main([*command, LONG]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert len(said) < 300
    assert "give a shorter one, of at most 255 letters" in said


def test_one_to_be_written_is_told_so_too(tmp_path):
    with pytest.raises(OSError, match="too long") as raised:
        ensure_writable(tmp_path / LONG / "runs")
    assert "is no name that a file can have" in error_line(raised.value)


def test_a_table_with_such_a_name_is_no_file():
    with pytest.raises(FileNotFoundError, match=r"no file '?aaa.*say where the table"):
        OpenedFile.read(f"{LONG}.csv")


def test_notes_of_an_error_are_told():
    error = ValueError("no such star")
    error.add_note("of 5 tables")
    assert error_line(error) == "no such star (of 5 tables)"
