"""Laws of other layouts: each is named, and what its message says to do makes a table."""

import io
import re
import subprocess

import numpy as np
import pytest
from astropy.table import Table

from orrery.tables.opening import OpenedFile
from orrery.tables.other_layouts import check_layout
from orrery.tables.reading import read_table

ROWS = Table({"star": ["a", "b c", "d"], "rv": [1.5, -20.25, 300.0], "n": [1, 20, 3]})
PSQL = " star | rv | n\n------+----+---\n a | 1.5 | 1\n b c | -20.25 | 20\n d | 300.0 | 3\n"
MYSQL = (
    "+------+----+---+\n| star | rv | n |\n+------+----+---+\n| a | 1.5 | 1 |\n| b c | \
-20.25 | 20 |\n| d | 300.0 | 3 |\n+------+----+---+\n"
)
VIZIER = "star|rv|n\n|km/s|\n----|----|---\na|1.5|1\nb c|-20.25|20\nd|300.0|3\n"


def _written(layout, **options):
    text = io.StringIO()
    ROWS.write(text, format=layout, **options)
    return text.getvalue()


def _refused(path):
    with pytest.raises(ValueError, match=re.escape(path.name)) as refused:
        read_table(OpenedFile.read(path))
    return str(refused.value)


def _is_rows(table):
    assert [word.strip() for word in table["star"]] == ROWS["star"].tolist()
    np.testing.assert_array_equal(table["rv"], ROWS["rv"])


@pytest.mark.parametrize("ending", [".txt", ".dat", ".csv"])
@pytest.mark.parametrize(
    ("layout", "name"),
    [("ascii.mrt", "machine-readable table"), ("ascii.ipac", "IPAC table")],
)
def test_a_layout_is_named_and_its_remedy_works(
    tmp_path, monkeypatch, layout, name, ending
):
    path = tmp_path / f"stars{ending}"
    path.write_text(_written(layout))
    message = _refused(path)
    assert name in message
    monkeypatch.chdir(tmp_path)
    command = re.search(r"`astropy\.table\.(Table\.read\(.*\)\.write\(.*\))`", message)
    exec(command[1], {"Table": Table})
    _is_rows(read_table(tmp_path / "table.ecsv"))


@pytest.mark.parametrize("ending", [".txt", ".csv"])
@pytest.mark.parametrize(
    "text",
    [
        _written("ascii.fixed_width"),
        _written("ascii.fixed_width_two_line", delimiter="|"),
        _written("ascii.basic", delimiter="|"),
        PSQL,
        MYSQL,
        VIZIER,
    ],
    ids=["fixed", "two lines", "bars", "psql", "mysql", "vizier"],
)
def test_bars_between_fields_are_named_and_their_remedy_works(tmp_path, text, ending):
    path = tmp_path / f"stars{ending}"
    path.write_text(text)
    message = _refused(path)
    assert "has bars between its fields" in message
    command = re.search(r"`(tr .*)`", message)
    subprocess.run(command[1], shell=True, check=True, cwd=tmp_path)
    converted = tmp_path / "table.csv"
    # and no lines of + and -, as the message says
    lines = [one for one in converted.read_text().splitlines() if "+-" not in one]
    converted.write_text("\n".join([*lines, ""]))
    _is_rows(read_table(converted))


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1|2,3\n4|5,6\n",
        "# |x|y|\nx y\n1 2\n3 4\n",
        "x y note\n1 2 |\n3 4 -\n",
        'a,b\n"|double|",1\n"|int|",2\n',
        "# name ra dec\nA|1 10.0 2.0\nB|2 11.0 3.0\n",
    ],
)
def test_bars_elsewhere_are_no_layout(tmp_path, text):
    path = tmp_path / "stars.csv"
    path.write_text(text)
    assert len(read_table(path)) == 2


@pytest.mark.parametrize(
    "line", ["-" * 19_000 + "x", " " * 19_000 + "x", "-=" * 9_000 + "x"]
)
def test_a_long_line_that_is_nearly_a_rule_is_none(line):
    check_layout("stars.txt", f"{line}\n1\n")
