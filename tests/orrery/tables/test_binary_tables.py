"""Laws of binary tables: formats give the same numbers, and promises are held to the file."""

import csv
import io
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from orrery.tables.binary_tables import fits_table
from orrery.tables.opening import OpenedFile
from orrery.tables.reading import read_table

TABLE = Table(
    {"x": [1.5, -2.0, 3.25], "n": [1, 2, 3], "name": ["a", "bc", "d"]},
    units={"x": "kpc"},
)


def _written(ending):
    kind = {".vot": "votable"}.get(ending, ending[1:])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{ending}"
        if ending == ".h5":
            TABLE.write(path, path="stars", serialize_meta=True)
        else:
            TABLE.write(path, format=kind)
        return OpenedFile.read(path)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".fits", ".vot", ".parquet", ".h5"])
def test_formats_give_the_same_numbers(ending):
    table = read_table(_written(ending))
    assert table["x"].astype(float).tolist() == [1.5, -2.0, 3.25]
    assert table["n"].astype(int).tolist() == [1, 2, 3]
    assert [str(name) for name in table["name"]] == ["a", "bc", "d"]
    assert str(table["x"].unit) == "kpc"


@pytest.mark.slow
def test_what_is_masked_stays_masked():
    table = Table({"x": MaskedColumn([1, 2], mask=[False, True])})
    stream = io.BytesIO()
    arrow = pa.table({"x": pa.array([1, None]), "w": pa.array(["a", None])})
    pq.write_table(arrow, stream)
    found = read_table(OpenedFile("t.parquet", stream.getvalue()))
    assert found["x"].mask.tolist() == found["w"].mask.tolist() == [False, True]
    stream = io.BytesIO()
    table.write(stream, format="fits")
    found = read_table(OpenedFile("t.fits", stream.getvalue()))
    assert found["x"].mask.tolist() == [False, True]


def _with_header(changes):
    """Returns a FITS file whose header promises other things than it holds."""
    content = _written(".fits").stored
    for card, value in changes.items():
        begin = content.index(f"{card:8}= ".encode(), 2880)
        content = (
            content[:begin] + f"{card:8}= {value:>20}".encode() + content[begin + 30 :]
        )
    return OpenedFile("t.fits", content)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"NAXIS2": 10**11}, "promises .* bytes, of which .* are there"),
        ({"NAXIS2": -1}, "t.fits"),
        ({"NAXIS1": 10**9}, "promises"),
        ({"TFIELDS": 65536}, "t.fits"),
        ({"NAXIS1": 17, "NAXIS2": 2}, "rows of 17 bytes have columns of"),
        ({"PCOUNT": 10**12}, "promises"),
    ],
)
def test_fits_headers_are_held_to_the_file(changes, message):
    with pytest.raises(ValueError, match=message):
        read_table(_with_header(changes))


@pytest.mark.slow
def test_torn_files_are_refused():
    for ending in (".fits", ".vot", ".parquet"):
        whole = _written(ending).stored
        torn = OpenedFile(f"t{ending}", whole[: 3 * len(whole) // 5])
        with pytest.raises(ValueError, match=f"t{ending}"):
            read_table(torn)
    image = io.BytesIO()
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(image)
    with pytest.raises(ValueError, match="no table, only images"):
        read_table(OpenedFile("t.fits", image.getvalue()))


def test_a_fits_file_with_two_tables_is_refused_unless_one_is_named():
    parts = [fits.BinTableHDU(TABLE[:2], name="FIELDS"), fits.BinTableHDU(TABLE)]
    written = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *parts]).writeto(written)
    file = OpenedFile("t.fits", written.getvalue())
    with pytest.raises(ValueError, match=r"t.fits: one table .*FIELDS, part 2: write"):
        read_table(file)
    assert len(fits_table(file, "FIELDS")) == 2


def test_votables_declare_no_entities_and_no_arrays_larger_than_themselves():
    whole = _written(".vot").stored
    entity = whole.replace(b"<VOTABLE", b'<!DOCTYPE x [<!ENTITY a "b">]><VOTABLE', 1)
    with pytest.raises(ValueError, match="entities"):
        read_table(OpenedFile("t.vot", entity))
    rows = whole.replace(b'nrows="3"', b'nrows="99999999999"').replace(
        b"<TABLE", b'<TABLE nrows="99999999999"', b"nrows" not in whole
    )
    with pytest.raises(ValueError, match="99999999999 rows"):
        read_table(OpenedFile("t.vot", rows))


@pytest.mark.parametrize("place", ["file://{}", "http://127.0.0.1:9/rows"])
@pytest.mark.parametrize("form", ["BINARY", "BINARY2", "FITS"])
@pytest.mark.parametrize("code", ["utf-8", "utf-16"])
def test_a_votable_opens_no_other_file(tmp_path, place, form, code):
    rows = tmp_path / "rows"
    rows.write_bytes(np.arange(8.0).astype(">f8").tobytes())
    text = (
        '<VOTABLE version="1.3"><RESOURCE><TABLE><FIELD name="x" datatype="double"/><DATA>'
        f'<{form}><STREAM actuate="a>b" href="{place.format(rows)}"/></{form}>'
        "</DATA></TABLE></RESOURCE></VOTABLE>"
    )
    message = {"utf-8": "t.vot: its rows lie elsewhere, at '", "utf-16": "UTF-16"}[code]
    with pytest.raises(ValueError, match=message):
        read_table(OpenedFile("t.vot", text.encode(code)))


def test_links_beside_the_rows_of_a_votable_are_no_matter():
    linked = _written(".vot").stored.replace(
        b"<TABLE>", b'<TABLE><LINK href="http://127.0.0.1:9/about"/>', 1
    )
    assert b"<LINK" in linked
    assert len(read_table(OpenedFile("t.vot", linked))) == 3


@pytest.mark.slow
def test_parquet_that_repeats_one_number_for_ever_is_refused():
    stream = io.BytesIO()
    pq.write_table(pa.table({"x": np.zeros(6_000_000, np.int8)}), stream)
    with pytest.raises(ValueError, match="its rows would take"):
        read_table(OpenedFile("t.parquet", stream.getvalue()))


@pytest.mark.slow
@pytest.mark.parametrize("bit", [0, 1, 5])
def test_a_parquet_footer_that_ends_its_library_is_refused(bit):
    """A column that is said to be repeated has the statistics of one that is not."""
    stream = io.BytesIO()
    pq.write_table(pa.table({"ra": [1.0, 2.0, 3.0]}), stream)
    content = bytearray(stream.getvalue())
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    content[footer + 20] ^= 1 << bit
    with pytest.raises(ValueError, match=r"t\.parquet: Parquet's library ended.*fetch"):
        read_table(OpenedFile("t.parquet", bytes(content)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("column", "what"),
    [
        (pa.array(["x" * 40_000] * 2000), "its longest words"),
        (pa.array(["x" * 40_000] + ["y"] * 2000), "its longest words"),
        (pa.array([[0] * 3_000_000], pa.list_(pa.int8())), "its rows"),
    ],
    ids=["one word for all", "one long word", "one long list"],
)
def test_parquet_of_long_words_or_lists_is_refused(column, what):
    stream = io.BytesIO()
    pq.write_table(pa.table({"x": column}), stream, compression="zstd")
    with pytest.raises(ValueError, match=f"t.parquet: {what} would take"):
        read_table(OpenedFile("t.parquet", stream.getvalue()))


@pytest.mark.slow
def test_a_parquet_column_with_nothing_in_it_is_all_unknown():
    stream = io.BytesIO()
    pq.write_table(pa.table({"x": [1.5, 2.5], "e_x": pa.nulls(2)}), stream)
    table = read_table(OpenedFile("t.parquet", stream.getvalue()))
    assert table["x"].tolist() == [1.5, 2.5]
    assert table["e_x"].mask.all()
    assert table["e_x"].dtype == float


@pytest.mark.slow
def test_hdf5_opens_no_other_file(tmp_path):
    other = tmp_path / "other"
    row = np.dtype([("a", "f8")])
    other.write_bytes(np.arange(3.0).tobytes())
    with h5py.File(tmp_path / "outside.h5", "w") as file:
        file.create_dataset("t", (3,), row, external=[(str(other), 0, 24)])
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["t"] = h5py.ExternalLink("outside.h5", "t")
    for name, message in (("outside", "/t lie in other files"), ("linked", "none")):
        with pytest.raises(ValueError, match=f"{name}.h5: .*{message}"):
            read_table(tmp_path / f"{name}.h5")


def test_units_of_an_hdf5_table_are_of_its_own_file(tmp_path):
    TABLE.write(tmp_path / "whole.h5", path="stars", serialize_meta=True)
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["stars"] = np.zeros(3, np.dtype([("x", "f8")]))
        header = "stars.__table_column_meta__"
        file[header] = h5py.ExternalLink(str(tmp_path / "whole.h5"), header)
    assert read_table(tmp_path / "t.h5")["x"].unit is None


@pytest.mark.slow
def test_a_chunk_of_an_hdf5_table_is_not_larger_than_its_file_may_become(tmp_path):
    row = np.dtype([("a", "f8")])
    for length, refused in ((1000, False), (6_000_000, True)):
        with h5py.File(tmp_path / "t.h5", "w") as file:
            table = file.create_dataset(
                "t", (5,), row, maxshape=(None,), chunks=(length,)
            )
            assert table.chunks == (length,)
        if refused:
            with pytest.raises(ValueError, match=r"t.h5: its rows would take 4.8e\+07"):
                read_table(tmp_path / "t.h5")
        else:
            assert len(read_table(tmp_path / "t.h5")) == 5


@pytest.mark.slow
def test_hdf5_needs_one_table_and_its_library(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file.create_dataset("x", data=np.arange(3))
    with pytest.raises(ValueError, match="one table with named columns is wanted"):
        read_table(tmp_path / "t.h5")
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file.create_dataset("x", (10**10,), np.dtype([("a", "f8")]), chunks=(1000,))
    with pytest.raises(ValueError, match="its rows would take"):
        read_table(tmp_path / "t.h5")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ValueError, match="pip install h5py"):
        read_table(tmp_path / "t.h5")


def votable(fields, rows, count=1):
    """Returns a VOTable of some fields, with rows as text."""
    data = f"<DATA><TABLEDATA>{rows * count}</TABLEDATA></DATA>"
    table = f"<TABLE>{fields}{data}</TABLE>"
    namespace = 'xmlns="http://www.ivoa.net/xml/VOTable/v1.3"'
    text = f'<VOTABLE version="1.3" {namespace}><RESOURCE>{table}</RESOURCE></VOTABLE>'
    return text.encode()


@pytest.mark.parametrize(
    ("kind", "size", "message"),
    [
        ("double", "90x800", "200 rows"),
        ("double", "7000", "200 rows of 7000 numbers cannot be"),
        ("unicodeChar", "500000", "200 rows"),
    ],
)
def test_the_arrays_of_all_rows_of_a_votable_are_counted(kind, size, message):
    field = f'<FIELD name="a" datatype="{kind}" arraysize="{size}"/>'
    content = votable(field, "<TR><TD>1</TD></TR>", 200)
    with pytest.raises(ValueError, match=rf"a\.vot: .*{message}"):
        read_table(OpenedFile("a.vot", content))


def test_rows_that_a_votable_tells_are_counted_with_their_columns():
    fields = "".join(f'<FIELD name="a{i}" datatype="double"/>' for i in range(30))
    content = votable(fields, f"<TR>{'<TD>1</TD>' * 30}</TR>")
    assert len(read_table(OpenedFile("a.vot", content))) == 1
    content = content.replace(b"<TABLE>", b'<TABLE nrows="1000000">')
    with pytest.raises(
        ValueError, match=r"a\.vot: 1000000 rows would take 2.4e\+08 bytes"
    ):
        read_table(OpenedFile("a.vot", content))


def test_short_arrays_of_a_votable_are_read():
    fields = (
        '<FIELD name="a" datatype="double" arraysize="3"/>'
        '<FIELD name="b" datatype="char" arraysize="40"/>'
    )
    content = votable(fields, "<TR><TD>1 2 3</TD><TD>x</TD></TR>", 50)
    found = read_table(OpenedFile("a.vot", content))
    assert found["a"].shape == (50, 3)
    assert found["b"][7] == "x"


def test_tables_of_thousands_of_columns_are_refused():
    fields = "".join(f'<FIELD name="a{i}" datatype="double"/>' for i in range(6000))
    many = votable(fields, f"<TR>{'<TD>1</TD>' * 6000}</TR>")
    titles = ",".join(f"a{i}" for i in range(6000))
    text = f"{titles}\n{','.join('1' * 6000)}\n".encode()
    for name, content in (("a.vot", many), ("a.csv", text)):
        with pytest.raises(ValueError, match=f"{name}: 6000 columns, more than 5000"):
            read_table(OpenedFile(name, content))


def test_a_line_of_delimiters_alone_is_counted_and_not_looked_at():
    for delimiter in ",;\t":
        file = OpenedFile("a.csv", f"x{delimiter * 2_000_000}x\n".encode())
        unread = patch.object(csv, "reader", side_effect=AssertionError("it was read"))
        said = pytest.raises(
            ValueError, match=r"a.csv: 2000001 columns, more than 5000"
        )
        with unread, said:
            read_table(file)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (7, "found part 1, part 2, part 3, part 4, part 5 and 2 more: write the one"),
        (1000, "more than 1000 parts: write the table that you mean into a file"),
    ],
)
def test_a_fits_file_of_many_parts_is_refused_in_a_few_words(parts, message):
    one = fits.BinTableHDU.from_columns([fits.Column("a", "D", array=[1.0])])
    written = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), one]).writeto(written)
    table = written.getvalue()[2880:]
    file = OpenedFile("a.fits", written.getvalue()[:2880] + table * parts)
    with pytest.raises(ValueError, match=message) as error:
        read_table(file)
    assert len(str(error.value)) < 200


def with_arrays(rows, length, named):
    """Returns a FITS table whose rows have arrays, which may all be one."""
    places = np.zeros(rows, [("v", ">i4", 2)])
    places["v"][:, 0] = length
    if not named:
        places["v"][:, 1] = 4 * length * np.arange(rows)
    heap = np.arange(length * (1 if named else rows), dtype=">f4").tobytes()
    cards = [
        *(("XTENSION", "BINTABLE"), ("BITPIX", 8), ("NAXIS", 2), ("NAXIS1", 8)),
        *(("NAXIS2", rows), ("PCOUNT", len(heap)), ("GCOUNT", 1), ("TFIELDS", 1)),
        *(("TTYPE1", "v"), ("TFORM1", f"PE({length})")),
    ]
    first = io.BytesIO()
    fits.PrimaryHDU().writeto(first)
    data = places.tobytes() + heap
    content = first.getvalue() + fits.Header(cards).tostring().encode() + data
    return OpenedFile("a.fits", content + bytes(-len(data) % 2880))


def test_arrays_that_all_rows_of_a_fits_table_name_are_counted():
    with pytest.raises(
        ValueError, match=r"a\.fits: arrays of several lengths would take 8e"
    ):
        read_table(with_arrays(2000, 10_000, named=True))
    found = read_table(with_arrays(20, 1000, named=False))
    assert found["v"][3].tolist() == list(range(3000, 4000))
    assert len(read_table(with_arrays(20, 1000, named=True))) == 20


@pytest.mark.slow
def test_hdf5_groups_in_groups_come_to_an_end():
    for depth, is_read in ((40, True), (400, False)):
        content = io.BytesIO()
        with h5py.File(content, "w") as file:
            group = file
            for _ in range(depth):
                group = group.create_group("g")
            group["t"] = np.ones(3, [("a", "f8")])
        opened = OpenedFile("deep.h5", content.getvalue())
        if is_read:
            assert read_table(opened)["a"].tolist() == [1, 1, 1]
        else:
            with pytest.raises(ValueError, match=r"deep\.h5.* nested deeper than 50"):
                read_table(opened)
