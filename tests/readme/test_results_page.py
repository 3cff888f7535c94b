"""The page of the committed results names each file once, with its command and its code."""

import re
import subprocess

import pytest

from .files import RESULTS, ROOT

PAGE = (RESULTS / "README.md").read_text(encoding="utf-8")
FILES = {path.name for path in RESULTS.iterdir()} - {"README.md"}


def rows(head):
    """Returns the cells of the table with a head, row by row."""
    below = PAGE.split(head, 1)[1].strip().splitlines()
    table = below[1 : next(i for i, row in enumerate(below) if not row.startswith("|"))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def named(cell):
    """Returns the files that a cell names, some by a pattern."""
    return [
        path.name
        for pattern in re.findall(r"`([^`]+)`", cell)
        for path in RESULTS.glob(pattern)
    ]


COMMANDS = rows("| file | command |")
CODE = rows("| files | commit |")


@pytest.mark.parametrize("table", [COMMANDS, CODE], ids=["command", "commit"])
def test_each_file_is_named_once(table):
    assert sorted(name for cell, _ in table for name in named(cell)) == sorted(FILES)


def test_each_command_is_there():
    for _, cell in COMMANDS:
        command = re.search(r"`python ([^ `]+)([^`]*)`", cell)
        assert (ROOT / command[1]).is_file(), cell
        text = (ROOT / command[1]).read_text(encoding="utf-8")
        assert re.search(r"runs\.main\(|\]\.run\(", text), cell


@pytest.mark.parametrize("cell", [cell for _, cell in CODE])
def test_code_that_made_files_came_before_them(cell):
    commit = re.fullmatch(r"([0-9a-f]{7}), (20\d\d-\d\d-\d\d)", cell)
    assert commit, cell
    known = git("cat-file", "-e", f"{commit[1]}^{{commit}}").returncode == 0
    if not known:
        pytest.skip("this checkout does not have the history")
    date = git("show", "--no-patch", "--format=%cs", commit[1]).stdout.strip()
    assert date == commit[2]
    assert git("merge-base", "--is-ancestor", commit[1], "HEAD").returncode == 0


def git(*words):
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
