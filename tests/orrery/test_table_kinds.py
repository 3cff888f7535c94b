"""`orrery columns` knows the kinds of tables of all packages, and chooses by what is in one."""

import sys
from types import SimpleNamespace

import pytest

from orrery import __main__ as program
from orrery.commands import installed_commands
from orrery.table_kinds import ColumnsCommand, TableKind
from orrery.tables.reports import ColumnReport

LEFT, RIGHT, REST = (
    TableKind("left", "what is left", "toys:left", "toys:is_left"),
    TableKind("right", "what is right", "toys:right", "toys:is_right"),
    TableKind("rest", "all others", "toys:rest"),
)


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    """Tellers of their own names, and what recognises tables by their columns."""
    tellers = {
        name: lambda path, name=name: ColumnReport((f"{path.name} by {name}",))
        for name in ("left", "right", "rest")
    }
    recognise = {
        f"is_{name}": lambda table, name=name: name in table.colnames
        for name in ("left", "right")
    }
    monkeypatch.setitem(sys.modules, "toys", SimpleNamespace(**tellers, **recognise))


@pytest.fixture
def a_table(tmp_path):
    def write(text):
        path = tmp_path / "a.csv"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("kinds", [(LEFT, RIGHT, REST), (REST, RIGHT, LEFT)])
@pytest.mark.parametrize("name", ["left", "right", "rest"])
def test_who_recognises_a_table_tells_of_it(kinds, name, a_table):
    said, told = ColumnsCommand(kinds).report(a_table(f"{name},b\n1,2\n")).lines
    assert said.startswith(f"read as a table of {name} (")
    others = {kind.name for kind in kinds} - {name}
    assert all(f"`--as {other}`" in said for other in others)
    assert told == f"a.csv by {name}"


def test_what_is_said_is_not_asked(a_table):
    command = ColumnsCommand((LEFT, RIGHT, REST))
    assert command.report(a_table("left\n1\n"), "right").lines == ["a.csv by right"]
    with pytest.raises(ValueError, match="'up': choose from left, right, rest"):
        command.report(a_table("left\n1\n"), "up")


def test_a_table_that_cannot_be_read_is_told_of_by_who_reads_all_others(a_table):
    torn = a_table("left,b\n1,2\n3")
    command = ColumnsCommand((LEFT, REST))
    assert command.report(torn).lines[1] == "a.csv by rest"
    with pytest.raises(ValueError, match=r"a.csv, line 3"):
        ColumnsCommand((LEFT,)).report(torn)


def test_a_table_of_no_kind_is_refused(a_table):
    with pytest.raises(ValueError, match=r"a.csv looks like no kind .* left, right"):
        ColumnsCommand((LEFT, RIGHT)).report(a_table("c\n1\n"))
    with pytest.raises(FileNotFoundError, match="no file"):
        ColumnsCommand((LEFT, REST)).report(a_table("c\n1\n").with_name("none.csv"))


def test_two_kinds_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two kinds of tables are called 'left'"):
        ColumnsCommand((LEFT, REST)).joined(ColumnsCommand((LEFT,)))


def test_both_sciences_add_their_kinds():
    command = installed_commands()["columns"]
    names = {"stars", "binned", "satellites", "neighbours"}
    assert {k.name for k in command.kinds} == names
    assert [k.name for k in command.kinds if not k.recognises] == ["stars"]


def ended(words):
    """Returns with what `orrery columns` ends."""
    with pytest.raises(SystemExit) as ending:
        program.main(["columns", *words])
    return ending.value.code


def test_the_report_of_a_table_that_can_be_used_ends_with_nothing_wrong(capsys):
    assert ended(["milky_way_satellites.ecsv"]) == 0
    printed = capsys.readouterr()
    assert "44 of 44 rows can be used" in printed.out
    assert not printed.err


@pytest.mark.parametrize("kind", ["stars", "satellites", "neighbours", "binned"])
def test_a_table_that_cannot_be_used_is_reported_and_the_status_says_so(
    kind, a_table, capsys
):
    path = a_table("vlos_kms,mass\n1.5,2\n2.5,3\n")
    assert ended([str(path), "--as", kind]) == 1
    printed = capsys.readouterr()
    assert "  vlos_kms: " in printed.out
    assert printed.out.splitlines()[-1].startswith("cannot be used: a.csv")
    assert not printed.err


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["no_such_table.csv"], 1),
        (["milky_way_satellites.ecsv", "--as", "moons"], 2),
    ],
)
def test_what_cannot_be_reported_is_refused(words, status, capsys):
    assert ended(words) == status
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err
