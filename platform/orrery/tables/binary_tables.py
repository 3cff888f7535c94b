"""Tables of FITS, VOTable, Parquet and HDF5 files, whose headers promise sizes.

A header of a few bytes may promise 1e11 rows, for which a reader makes room at once. So
what it promises is compared with the file before anything is read.
"""

import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from astropy.table import meta as table_header
from astropy.utils.xml.iterparser import get_xml_iterator

from orrery.tables.coordinate_systems import DeclaredSystems, mark_header
from orrery.tables.hdf5_rows import stored_rows
from orrery.tables.opening import OpenedFile, check_columns, check_expansion
from orrery.tables.parquet_footer import check_footer
from orrery.tables.yaml_headers import check_header

_MOST_FIELDS = 999  # the FITS standard's
# Of a FITS file: some thousand more take minutes, and no survey has them.
_MOST_PARTS = 1000
_SHOWN = 5  # names in a message
# FITS's columns with an array in each row, and the bytes of a number there.
_ARRAY = re.compile(r"\d*[PQ]([A-Z])")
_ARRAY_BYTES = {"I": 2, "J": 4, "E": 4, "K": 8, "D": 8, "C": 8, "M": 16}
_MOST_DIGITS = 20  # of a number of rows: far more than fit anywhere
_NUMBER, _LETTER = 8, 4  # [bytes] in memory
# Where astropy keeps its own header in Parquet.
_TABLE_HEADER = b"table_meta_yaml"


def fits_table(file: OpenedFile, hdu: str | None = None) -> Table:
    """Returns a table of a FITS file, in this machine's order of bytes.

    Arguments:
        file: The file.
        hdu: The table's name; by default the only one.

    Raises:
        ValueError: If it has no such table, or several and none is named, or is shorter
            than it says.
    """
    with fits.open(io.BytesIO(file.content), memmap=False) as hdus:
        for one in _parts(hdus, file):
            _check_hdu(one, file)
        if hdu is None:
            _check_one_table(hdus, file)
        table = Table.read(hdus, format="fits", hdu=hdu)
        mark_header(table, hdus[0].header)
    table.convert_bytestring_to_unicode()
    return table


def _parts(hdus: fits.HDUList, file: OpenedFile) -> Iterator[Any]:
    """Yields the parts of a FITS file, each of which is read when it is its turn."""
    for place, hdu in enumerate(hdus):
        if place == _MOST_PARTS:
            raise ValueError(
                f"{file.name}: more than {_MOST_PARTS} parts: write the table that you mean "
                "into a file of its own"
            )
        yield hdu


def _check_one_table(hdus: fits.HDUList, file: OpenedFile) -> None:
    names = [
        hdu.name or f"part {place}"
        for place, hdu in enumerate(hdus)
        if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)
    ]
    if not names:
        raise ValueError(f"{file.name} has no table, only images: give a table")
    if len(names) > 1:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise ValueError(
            f"{file.name}: one table is wanted, found {', '.join(names[:_SHOWN])}{more}: write "
            "the one you mean into a file of its own"
        )


def fits_names(file: OpenedFile) -> set[str]:
    """Returns the names of a FITS file's parts.

    Raises:
        OSError: If it is none.
        ValueError: If it has more parts than any survey's.
    """
    with fits.open(io.BytesIO(file.content), memmap=False) as hdus:
        return {hdu.name for hdu in _parts(hdus, file)}


def _check_hdu(hdu: Any, file: OpenedFile) -> None:
    """Checks that the data which a header promises are in the file."""
    begin = hdu.fileinfo()["datLoc"]
    size = hdu.size
    if size < 0 or begin + size > len(file.content):
        raise ValueError(
            f"{file.name}: its part {hdu.name or 'PRIMARY'} promises {size:.4g} bytes, of which "
            f"{max(len(file.content) - begin, 0)} are there: the file is torn, fetch it again"
        )
    if not isinstance(hdu, fits.BinTableHDU | fits.TableHDU):
        return
    count = int(hdu.header["TFIELDS"])
    if not 0 <= count <= _MOST_FIELDS:
        raise ValueError(
            f"{file.name}: {count} columns, more than the {_MOST_FIELDS} that FITS allows"
        )
    width = hdu.columns.dtype.itemsize
    if isinstance(hdu, fits.BinTableHDU) and width != hdu.header["NAXIS1"]:
        raise ValueError(
            f"{file.name}: rows of {hdu.header['NAXIS1']} bytes have columns of {width}: the "
            "header is damaged, fetch the file again"
        )
    if isinstance(hdu, fits.BinTableHDU):
        _check_arrays(hdu, file)


def _check_arrays(hdu: Any, file: OpenedFile) -> None:
    """Checks that arrays of different lengths are in the file: rows may all name one."""
    kinds = [_ARRAY.match(column.format) for column in hdu.columns]
    if not any(kinds) or not hdu.size:
        return
    begin = hdu.fileinfo()["datLoc"]
    written = hdu.columns.dtype.newbyteorder(">")  # whatever this machine's is
    rows = np.ndarray(hdu.header["NAXIS2"], written, file.content, begin)
    size = 0
    for name, kind in zip(hdu.columns.names, kinds, strict=True):
        if kind is not None:
            counts = rows[name].astype(np.uint64).reshape(len(rows), 2)[:, 0]
            size += int(counts.sum()) * _ARRAY_BYTES.get(kind[1], 1)
    check_expansion(file.name, len(file.content), size, "arrays of several lengths")


def votable_table(file: OpenedFile) -> Table:
    """Returns the only table of a VOTable.

    Raises:
        ValueError: If it has several or none, or promises more rows than it can have.
    """
    systems = _check_votable(file)
    with warnings.catch_warnings():
        # what a VOTable breaks of its standard is of no interest where it can be read
        warnings.simplefilter("ignore")
        table = Table.read(
            io.BytesIO(file.content), format="votable", use_names_over_ids=True
        )
    systems.mark(table)
    return table


def _check_votable(file: OpenedFile) -> DeclaredSystems:
    """Checks that a VOTable is all in its file, and means what its bytes say.

    Returns:
        The coordinate systems that it declares.
    """
    if b"\0" in file.content[:4]:
        raise ValueError(f"{file.name} is in UTF-16, not UTF-8: write it anew in UTF-8")
    if b"<!DOCTYPE" in file.content or b"<!ENTITY" in file.content:
        raise ValueError(
            f"{file.name}: it declares entities, which no VOTable needs: leave them out"
        )
    promised, systems = _Promised(), DeclaredSystems()
    # by astropy's own parser, so that both see the same; it would open whatever is named
    with get_xml_iterator(io.BytesIO(file.content)) as parts:
        for begins, tag, attributes, _ in parts:
            if begins:
                promised.add(tag, attributes)
                systems.add(tag, attributes)
            if begins and tag == "STREAM" and "href" in attributes:
                raise ValueError(
                    f"{file.name}: its rows lie elsewhere, at {attributes['href'][:100]!r}, "
                    "which is not opened: write the table with its rows in it"
                )
    promised.check(file)
    return systems


@dataclass
class _Promised:
    """What the header of a VOTable makes its reader keep room for.

    Arguments:
        fields: The number of columns.
        numbers: How many numbers stand in a row.
        letters: How many letters there is room for in a row.
        rows: The number of rows that are there as text.
        nrows: The number of rows that the header tells, of which there may be fewer.
        parameters: How many numbers or letters the largest parameter has.
    """

    fields: int = 0
    numbers: int = 0
    letters: int = 0
    rows: int = 0
    nrows: int = 0
    parameters: int = 0

    def add(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Counts an element that begins."""
        size = math.prod(_digits(attributes.get("arraysize", "1")))
        if tag == "FIELD":
            is_text = "char" in attributes.get("datatype", "").lower()
            self.fields += 1
            self.numbers += 0 if is_text else size
            self.letters += size if is_text else 0
        elif tag == "PARAM":
            self.parameters = max(self.parameters, size)
        elif tag == "TABLE":
            self.nrows = max([self.nrows, *_digits(attributes.get("nrows", "0"))])
        elif tag == "TR":
            self.rows += 1

    def check(self, file: OpenedFile) -> None:
        """Raises ValueError if it is more than the file can hold."""
        check_columns(file.name, self.fields)
        size = len(file.content)
        width = _NUMBER * self.numbers + _LETTER * self.letters
        for what, expanded in (
            (f"{self.nrows} rows", self.nrows * width),
            (f"{self.rows} rows", self.rows * width),
            (f"an array of {self.parameters}", self.parameters * _NUMBER),
        ):
            check_expansion(file.name, size, expanded, what)
        # each number is a digit at least, and what stands between two
        if self.rows * self.numbers > size:
            raise ValueError(
                f"{file.name}: {self.rows} rows of {self.numbers} numbers cannot be in "
                f"{size} bytes: the header is damaged, fetch the file again"
            )


def _digits(text: str) -> list[int]:
    return [int(number[:_MOST_DIGITS]) for number in re.findall(r"\d+", text)]


def parquet_table(file: OpenedFile) -> Table:
    """Returns a Parquet table; units are those of astropy's header, or of the fields' metadata.

    Raises:
        ValueError: If it is damaged, or much larger than its file.
    """
    check_footer(file)
    about = pq.read_metadata(io.BytesIO(file.content))
    check_columns(file.name, about.num_columns)
    leaves = [about.schema.column(i) for i in range(about.num_columns)]
    # a word that all rows share is kept once
    words = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    opened = pq.ParquetFile(io.BytesIO(file.content), read_dictionary=words)
    arrow = opened.read(use_threads=False)
    table = Table({name: _column(arrow[name], file) for name in arrow.column_names})
    for field in arrow.schema:
        table[field.name].unit = (field.metadata or {}).get(
            b"unit", b""
        ).decode() or None
    header = (arrow.schema.metadata or {}).get(_TABLE_HEADER)
    if header is not None:
        _take_header(table, header.decode(), file.name)
    return table


def _take_header(table: Table, text: str, name: str) -> None:
    """Gives a table what astropy's header says: units of columns, and what holds for all.

    Arguments:
        table: Without its header.
        text: The header, in YAML.
        name: The file's, for messages.
    """
    check_header(text, name)
    about = table_header.get_header_from_yaml(text.splitlines())
    for column in about["datatype"]:
        if column["name"] in table.colnames:
            table[column["name"]].unit = str(column.get("unit") or "") or None
            words = str(column.get("description") or "")
            table[column["name"]].description = words or None
    table.meta.update(about.get("meta") or {})
    mark_header(table)


def _column(values: pa.ChunkedArray, file: OpenedFile) -> MaskedColumn:
    unknown = values.is_null().to_numpy()
    if pa.types.is_dictionary(values.type):
        longest = max((_longest(part.dictionary) for part in values.chunks), default=0)
        size = 4 * longest * len(values)  # [bytes] as letters in numpy's arrays
        check_expansion(file.name, len(file.content), size, "its longest words")
        values = values.cast(values.type.value_type)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        words = [value or "" for value in values.to_pylist()]
        return MaskedColumn(np.array(words, dtype=str), mask=unknown)
    if pa.types.is_null(values.type):  # of a column with nothing in it
        values = values.cast(pa.float64())
    filled = values.fill_null(0) if unknown.any() else values
    return MaskedColumn(filled.to_numpy(), mask=unknown)


def _longest(words: pa.Array) -> int:
    """Returns how many bytes the longest of some words has; 0 for numbers."""
    known = words.drop_null().to_pylist()
    return max((len(word) for word in known if hasattr(word, "__len__")), default=0)


def hdf5_table(file: OpenedFile) -> Table:
    """Returns the only table of an HDF5 file, as astropy and h5py write it.

    Raises:
        ValueError: If h5py is not installed, if there is not exactly one table, or it is
            damaged.
    """
    stored = stored_rows(file)
    table = Table(stored.rows)
    if stored.header:
        _take_header(table, "\n".join(stored.header), file.name)
    table.convert_bytestring_to_unicode()
    return table


READERS: dict[str, Callable[[OpenedFile], Table]] = {
    ".fits": fits_table,
    ".fit": fits_table,
    ".vot": votable_table,
    ".votable": votable_table,
    ".xml": votable_table,
    ".parquet": parquet_table,
    ".hdf5": hdf5_table,
    ".h5": hdf5_table,
}
