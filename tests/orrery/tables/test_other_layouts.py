"""Laws of other layouts: each is named, and what its message says to do makes a table."""

import io
import re

import numpy as np
import pytest
from astropy.table import Table

from orrery.tables.opening import OpenedFile
from orrery.tables.reading import read_table

ROWS = Table({"star": ["a", "b c", "d"], "rv": [1.5, -20.25, 300.0], "n": [1, 20, 3]})


def _written(layout, **options):
    text = io.StringIO()
    ROWS.write(text, format=layout, **options)
    return text.getvalue()


def _refused(path):
    with pytest.raises(ValueError, match=re.escape(path.name)) as refused:
        read_table(OpenedFile.read(path))
    return str(refused.value)


@pytest.mark.parametrize("ending", [".txt", ".dat", ".csv"])
@pytest.mark.parametrize(
    ("layout", "options", "name"),
    [
        ("ascii.mrt", {}, "machine-readable table"),
        ("ascii.ipac", {}, "IPAC table"),
        ("ascii.fixed_width", {}, "bars between its fields"),
        ("ascii.basic", {"delimiter": "|"}, "bars between its fields"),
    ],
)
def test_a_layout_is_named_and_its_remedy_works(
    tmp_path, monkeypatch, layout, options, name, ending
):
    path = tmp_path / f"stars{ending}"
    path.write_text(_written(layout, **options))
    message = _refused(path)
    assert name in message
    monkeypatch.chdir(tmp_path)
    command = re.search(r"`astropy\.table\.(Table\.read\(.*\)\.write\(.*\))`", message)
    exec(command[1], {"Table": Table})
    found = read_table(tmp_path / "table.ecsv")
    assert found["star"].tolist() == ROWS["star"].tolist()
    np.testing.assert_array_equal(found["rv"], ROWS["rv"])


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1|2,3\n4|5,6\n",
        "# |x|y|\nx y\n1 2\n3 4\n",
        "x y note\n1 2 |\n3 4 -\n",
        'a,b\n"|double|",1\n"|int|",2\n',
    ],
)
def test_bars_elsewhere_are_no_layout(tmp_path, text):
    path = tmp_path / "stars.csv"
    path.write_text(text)
    assert len(read_table(path)) == 2
