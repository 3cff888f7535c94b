"""Of a table that we write no bit can change unseen; tables of others are read as they are."""

import numpy as np
import pytest
from astropy import units
from astropy.table import Table

from orrery.storage.files import ecsv, write_ecsv
from orrery.tables.reading import read_table
from orrery.tables.sealed_text import check_seal, sealed


def moments():
    table = Table(
        {"patch": ["q1", "größe"], "mean": [-1.4, 12.25] * units.km / units.s}
    )
    table.meta = {"name": "giants", "source": {"sha256": "ab" * 32}}
    return table


@pytest.fixture
def path(tmp_path):
    write_ecsv(tmp_path / "giants.ecsv", moments())
    return tmp_path / "giants.ecsv"


def test_a_table_is_read_as_it_was_written(path):
    for found in (read_table(path), Table.read(path, format="ascii.ecsv")):
        assert found["mean"].tolist() == [-1.4, 12.25]
        assert found["mean"].unit == units.km / units.s
        assert found["patch"].tolist() == ["q1", "größe"]
        assert dict(found.meta) == moments().meta


@pytest.mark.parametrize("name", ["giants.csv", "giants", "giants.ecsv.gz"])
def test_a_table_is_not_written_where_it_could_not_be_read(name, tmp_path):
    with pytest.raises(ValueError, match=r"call it giants\.ecsv"):
        write_ecsv(tmp_path / name, moments())
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_every_flipped_bit_of_it_is_seen(path):
    content = path.read_bytes()
    for bit in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match=r"giants\.ecsv"):
            read_table(path)


def test_what_was_cut_or_exchanged_is_seen(path):
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    swapped = b"".join([*lines[:-2], lines[-1], lines[-2]])
    for damaged in (swapped, b"".join(lines[:-1]), content + lines[-1]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"giants\.ecsv is damaged .*second line"):
            read_table(path)


def test_without_its_line_an_edited_table_is_read(path):
    lines = path.read_text().replace("-1.4", "-2.5").splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[2:]]))
    assert read_table(path)["mean"].tolist() == [-2.5, 12.25]


def test_ends_of_lines_of_another_system_are_the_same_table(path):
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_table(path)["mean"].tolist() == [-1.4, 12.25]


def test_tables_of_other_programs_have_no_checksum(tmp_path):
    plain = ecsv(moments())
    check_seal(plain, "giants.ecsv")
    (tmp_path / "giants.ecsv").write_text(plain)
    assert np.array_equal(read_table(tmp_path / "giants.ecsv")["mean"], [-1.4, 12.25])
    own = Table({"sha256": ["ab" * 32, "cd" * 32]})
    own.write(tmp_path / "sums.ecsv", format="ascii.ecsv")
    assert read_table(tmp_path / "sums.ecsv")["sha256"][0] == "ab" * 32
    assert sealed(plain).splitlines()[2:] == plain.splitlines()[1:]
