"""Laws of text: layouts give the same table, and what is torn, foreign or too long is named."""

import numpy as np
import pytest

from orrery.tables.opening import OpenedFile
from orrery.tables.reading import read_table
from orrery.tables.yaml_headers import check_header

ROWS = ((1.5, -3.0, "a b"), (2.25, 4e3, "c"), (-7.0, 0.125, "d"))


def _read(name, text):
    content = text if isinstance(text, bytes) else text.encode()
    return read_table(OpenedFile(name, content))


def _lines(delimiter, quote='"'):
    return [
        delimiter.join((repr(x), repr(y), f"{quote}{word}{quote}"))
        for x, y, word in ROWS
    ]


def _is_rows(table):
    np.testing.assert_array_equal(table["x"], [row[0] for row in ROWS])
    np.testing.assert_array_equal(table["y"], [row[1] for row in ROWS])
    assert table["word"].tolist() == [row[2] for row in ROWS]


@pytest.mark.parametrize(
    ("name", "head", "delimiter"),
    [
        ("t.csv", "x,y,word\n", ","),
        ("t.csv", "x;y;word\n", ";"),
        ("t.tsv", "x\ty\tword\n", "\t"),
        ("t.txt", "x y word\n", "  "),
        ("t.dat", "# by hand\n\nx y word\n", " "),
        ("t.csv", "\ufeffx,y,word\n", ","),
        ("t.csv", "# a comment, with commas\nx,y,word\n", ","),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_layouts_give_the_same_table(name, head, delimiter, end):
    text = head + "\n".join(_lines(delimiter)) + "\n"
    _is_rows(_read(name, text.replace("\n", end)))


@pytest.mark.parametrize("head", ["# x y\n", "#x,y\n", "# made by hand\n# x  y\n"])
@pytest.mark.parametrize("delimiter", [" ", ","])
def test_titles_may_stand_in_a_comment(head, delimiter):
    table = _read("t.dat", head + f"1{delimiter}2\n3{delimiter}4\n")
    assert table.colnames == ["x", "y"]
    assert table["y"].tolist() == [2, 4]


def test_blanks_are_masked_and_empty_titles_have_names():
    table = _read("t.csv", ",x,y\n0,1.5,\n1,,2\n")
    assert table.colnames == ["column 1", "x", "y"]
    assert table["x"].mask.tolist() == [False, True]
    assert table["y"].mask.tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n3,4\n5", r"line 4: the last line is torn, it has 1 of 2 fields"),
        (
            "x,y\n1,2\n3,4\n5,",
            r"line 4: the last line is torn, its last field is empty",
        ),
        ("x,y\n1,2\n3\n5,6\n", "line 3: 1 fields, where the titles are 2"),
        ("x,y\n1,2\n3,4,9\n5,6\n", "line 3: 3 fields, where the titles are 2"),
        ("x;y\n1,5;2\n", r"commas in numbers: convert it, `tr"),
        ("x,y\n1,2\n".encode("utf-16"), "UTF-16.*iconv -f UTF-16"),
        ("x,y\n1,2\n".encode("utf-16-le") * 9, "UTF-16.*iconv -f UTF-16"),
        ("x,y\n1,2\n".encode("utf-32"), "UTF-32.*iconv -f UTF-32"),
        (b"x,y\n1,2\n3,\xe9\n", r"line 3: byte 0xe9 is no UTF-8.*iconv -f LATIN1"),
        (b"x,y\n1,2\n3,\x00\n", "line 3: a zero byte"),
        ("x,x\n1,2\n", "two columns are called x"),
        ("1,2\n3,4\n", "no line above the numbers has titles for 2 columns"),
        ("x,y\n", "no rows"),
        ("# nothing\n", "is empty"),
        ("", "is empty"),
        ('x,y\n1,"2\n3,4\n', "t.csv"),
    ],
)
def test_damaged_text_is_named_with_the_remedy(text, message):
    with pytest.raises(ValueError, match=message) as raised:
        _read("t.csv", text)
    assert "t.csv" in str(raised.value)


@pytest.mark.parametrize("delimiter", ["\t", ";", " "])
@pytest.mark.parametrize("units", [["kpc", '"h:m:s"', "km/s"], None])
def test_units_above_a_line_of_dashes_are_read(delimiter, units):
    lines = [["Dist", "RAJ2000", "HRV"], units, ["-----", "---------", "------"]]
    lines += [[" 31.5", "12:30:00 ", "-201.5"], ["  8.0", "01:02:03 ", "   7.0"]]
    text = "\n".join(delimiter.join(words) for words in lines if words is not None)
    table = _read("t.tsv", f"#RESOURCE=yCat\n#INFO\n\n{text}\n")
    assert table["Dist"].tolist() == [31.5, 8.0]
    assert [word.strip() for word in table["RAJ2000"]] == ["12:30:00", "01:02:03"]
    found = [str(table[title].unit) for title in lines[0]]
    assert found == (["kpc", "h:m:s", "km / s"] if units else ["None"] * 3)


def test_dashes_in_place_of_numbers_are_no_line_of_dashes():
    assert len(_read("t.csv", "x,y\n--,-\n1,2\n")) == 2


@pytest.mark.parametrize(
    "form", ["{:.6f}", "{:.15g}", "{:.3e}"], ids=["fixed", "full", "exponent"]
)
@pytest.mark.parametrize("name", ["t.csv", "t.dat"])
def test_a_last_number_without_an_end_is_torn_if_it_is_the_shortest(form, name):
    random = np.random.default_rng(7)
    between = "," if name == "t.csv" else " "
    rows = [form.format(x) for x in random.uniform(-9e3, 9e3, 200)]
    text = "\n".join(["x" + between + "y", *(f"1{between}{row}" for row in rows)])
    assert len(_read(name, text)) == 200
    torn = text[: text.rindex(".") + 2]
    with pytest.raises(ValueError, match=r"line 201: the last line is torn.* shorter"):
        _read(name, torn)
    # an end of line after it says that the number is whole
    assert len(_read(name, torn + "\n")) == 200


@pytest.mark.parametrize("begun", ["-", "+", "-.", "1e", "2.5e-", "-3E+"])
@pytest.mark.parametrize("name", ["t.csv", "t.dat"])
def test_the_beginning_of_a_number_is_torn(begun, name):
    between = "," if name == "t.csv" else " "
    rows = [f"{i}{between}{-i / 7:.{i % 5 + 1}f}" for i in range(1, 30)]
    text = "\n".join([f"x{between}y", *rows, f"30{between}"])
    with pytest.raises(ValueError, match=r"line 31: the last line is torn, its last f"):
        _read(name, text + begun)
    # a column in which it stands for no value
    assert len(_read(name, text.replace(f"{-2 / 7:.3f}", begun) + begun)) == 30
    assert len(_read(name, text + "--")) == 30


def test_a_long_last_word_that_begins_as_a_number_is_no_torn_one():
    rows = [f"{i},{i / 7:.5f}" for i in range(1, 30)]
    table = _read("t.csv", "\n".join(["x,y", *rows, f"30,{'1' * 60_000}x"]))
    assert len(table) == 30


def test_a_torn_identifier_is_shorter_than_the_others():
    text = "\n".join(["v,source_id", *(f"1,40000000000{i}" for i in range(10, 30))])
    assert len(_read("t.csv", text)) == 20
    with pytest.raises(ValueError, match="last field is '40000000', shorter than all"):
        _read("t.csv", text[:-5])


def test_a_torn_table_with_spaces_is_named():
    with pytest.raises(ValueError, match="line 3: the last line is torn"):
        _read("t.dat", "x y\n1 2\n3")


ECSV = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: x, unit: kpc, datatype: float64}\n"
ECSV += "# - {name: y, datatype: int64}\n"


def test_ecsv_is_read_with_units_and_refused_when_torn():
    table = _read("t.ecsv", ECSV + "x y\n1.5 2\n2.5 3\n")
    assert str(table["x"].unit) == "kpc"
    with pytest.raises(ValueError, match="line 8: the last line is torn"):
        _read("t.ecsv", ECSV + "x y\n1.5 2\n2.5")
    with pytest.raises(ValueError, match=r"t\.ecsv cannot be read as \.ecsv"):
        _read("t.ecsv", ECSV.replace("datatype", "dattype") + "x y\n1.5 2\n")


def test_an_ecsv_names_no_column_twice():
    twice = ECSV.replace("name: y", "name: x") + "x x\n1.5 2\n2.5 3\n"
    with pytest.raises(ValueError, match=r"t\.ecsv: two columns are called x: rename"):
        _read("t.ecsv", twice)


def test_a_header_whose_aliases_grow_is_refused_in_no_time():
    levels = "".join(
        f"l{i}: &l{i} [{', '.join(9 * [f'*l{i - 1}'])}]\n" for i in range(1, 9)
    )
    header = f"l0: &l0 [a, b]\n{levels}"
    with pytest.raises(ValueError, match="aliases of its header repeat more than"):
        check_header(header, "t.ecsv")
    bomb = (
        ECSV + "".join(f"# {line}\n" for line in header.splitlines()) + "x y\n1.5 2\n"
    )
    with pytest.raises(ValueError, match=r"t\.ecsv: the aliases of its header"):
        _read("t.ecsv", bomb)
    with pytest.raises(ValueError, match="characters, more than"):
        check_header("a" * 1_000_000, "t.ecsv")
    with pytest.raises(ValueError, match="aliases of its header repeat"):
        check_header("a: &a [*a]", "t.ecsv")
    check_header("a: &a [1, 2]\nb: [*a, *a]", "t.ecsv")


@pytest.mark.parametrize("parts", [["7"], ["05", "59"], ["0", "09"]])
def test_a_number_of_base_60_is_short_or_refused(parts):
    number = ":".join(parts * 100_000)[:200_000]
    with pytest.raises(ValueError, match="header has a number of more than 30 parts"):
        _read("t.ecsv", ECSV + f"# meta: {{seed: {number}}}\nx y\n1.5 2\n")
    check_header("ra: 12:34:56.7\ndec: -01:02:03\nat: 2026-11-28T12:34:56", "t.ecsv")


@pytest.mark.parametrize(
    "column",
    [
        "{name: y, datatype: string, subtype: 'float64[300,300,300]'}",
        "{name: y, datatype: string, subtype: 'object[99999999]'}",
        "{name: y, datatype: string, subtype: 'U30000000[2]'}",
        "{name: y, datatype: U30000000}",
    ],
)
def test_a_header_of_large_entries_is_refused_before_room_is_made(column):
    header = ECSV.replace("{name: y, datatype: int64}", column)
    with pytest.raises(ValueError, match=r"t\.ecsv: column 'y' would take"):
        _read("t.ecsv", f'{header}x y\n1.5 ""\n2.5 ""\n')


def test_entries_of_a_few_numbers_are_read():
    header = ECSV.replace("datatype: int64", "datatype: string, subtype: 'float64[2]'")
    table = _read("t.ecsv", f'{header}x y\n1.5 "[1,2]"\n2.5 ""\n')
    assert table["y"].shape == (2, 2)


def test_one_long_word_in_a_long_column_is_refused():
    rows = [f"{i},s{i}" for i in range(3000)]
    assert len(_read("t.csv", "\n".join(["x,name", *rows, "1," + "y" * 900, ""])))
    with pytest.raises(ValueError, match=r"t\.csv: its longest words would take"):
        _read("t.csv", "\n".join(["x,name", *rows, "1," + "y" * 9000, ""]))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " "])
@pytest.mark.parametrize("swallowed", [1, 2, 40])
def test_rows_within_a_quotation_are_not_lost(delimiter, swallowed):
    rows = [[f"{i}.5", "30.1", "note"] for i in range(60)]
    rows[7][2] = '"open'
    rows[7 + swallowed][2] = 'shut"'
    text = "\n".join(map(delimiter.join, [["x", "y", "note"], *rows, [""]]))
    message = (
        f"line 9: a quotation mark opens a field that ends in line {9 + swallowed}"
    )
    with pytest.raises(ValueError, match=message):
        _read("t.csv", text)


def test_a_text_may_have_several_lines():
    table = _read("t.csv", 'x,y,note\n1,2,"seen\ntwice, by two"\n3,4,once\n')
    assert table["y"].tolist() == [2, 4]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "1\n", " \n"])
def test_lines_with_nothing_in_them_are_no_table(end):
    text = "a,b\n1,2\n" + end * 1_100_000
    with pytest.raises(ValueError, match=r"a\.csv: .* lines with .* characters each"):
        read_table(OpenedFile("a.csv", text.encode()))
