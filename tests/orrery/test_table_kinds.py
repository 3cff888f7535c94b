"""`orrery columns` knows the kinds of tables of all packages, and chooses by what is in one."""

import sys
from types import SimpleNamespace

import pytest

from orrery import __main__ as program
from orrery.commands import installed_commands
from orrery.table_kinds import ColumnsCommand, TableKind

LEFT, RIGHT, REST = (
    TableKind("left", "what is left", "toys:left", "toys:is_left"),
    TableKind("right", "what is right", "toys:right", "toys:is_right"),
    TableKind("rest", "all others", "toys:rest"),
)


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    """Tellers of their own names, and what recognises tables by their columns."""
    tellers = {
        name: lambda path, name=name: [f"{path.name} by {name}"]
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
    said, told = ColumnsCommand(kinds).lines(a_table(f"{name},b\n1,2\n"))
    assert said.startswith(f"read as a table of {name} (")
    others = {kind.name for kind in kinds} - {name}
    assert all(f"`--as {other}`" in said for other in others)
    assert told == f"a.csv by {name}"


def test_what_is_said_is_not_asked(a_table):
    command = ColumnsCommand((LEFT, RIGHT, REST))
    assert command.lines(a_table("left\n1\n"), "right") == ["a.csv by right"]
    with pytest.raises(ValueError, match="'up': choose from left, right, rest"):
        command.lines(a_table("left\n1\n"), "up")


def test_a_table_that_cannot_be_read_is_told_of_by_who_reads_all_others(a_table):
    torn = a_table("left,b\n1,2\n3")
    command = ColumnsCommand((LEFT, REST))
    assert command.lines(torn)[1] == "a.csv by rest"
    with pytest.raises(ValueError, match=r"a.csv, line 3"):
        ColumnsCommand((LEFT,)).lines(torn)


def test_a_table_of_no_kind_is_refused(a_table):
    with pytest.raises(ValueError, match=r"a.csv looks like no kind .* left, right"):
        ColumnsCommand((LEFT, RIGHT)).lines(a_table("c\n1\n"))
    with pytest.raises(FileNotFoundError, match="no file"):
        ColumnsCommand((LEFT, REST)).lines(a_table("c\n1\n").with_name("none.csv"))


def test_two_kinds_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two kinds of tables are called 'left'"):
        ColumnsCommand((LEFT, REST)).joined(ColumnsCommand((LEFT,)))


def test_both_sciences_add_their_kinds():
    command = installed_commands()["columns"]
    assert {k.name for k in command.kinds} == {"stars", "satellites", "neighbours"}
    assert [k.name for k in command.kinds if not k.recognises] == ["stars"]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["milky_way_satellites.ecsv"], 0),
        (["milky_way_satellites.ecsv", "--as", "stars"], 0),
        (["no_such_table.csv"], 1),
        (["milky_way_satellites.ecsv", "--as", "moons"], 2),
    ],
)
def test_the_command_prints_or_refuses(words, status, capsys):
    with pytest.raises(SystemExit) as ended:
        program.main(["columns", *words])
    assert ended.value.code == status
    printed = capsys.readouterr()
    assert bool(printed.out) is (status == 0)
    assert bool(printed.err) is (status != 0)
