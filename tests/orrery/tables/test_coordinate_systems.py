"""Laws of declared coordinate systems: what is read as ICRS is so, or its file is refused."""

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.table import Table

from orrery.tables.cleaning import clean_columns
from orrery.tables.columns import ColumnDescription
from orrery.tables.opening import OpenedFile
from orrery.tables.reading import read_table
from orrery.tables.split_angles import joined_angles

EQUATORIAL = {"frame": "equatorial"}
WANTED = (
    ColumnDescription(
        "ra", units.deg, ("ra", "rah_ram_ras"), sexagesimal="hours", **EQUATORIAL
    ),
    ColumnDescription("dec", units.deg, ("dec",), **EQUATORIAL),
    ColumnDescription("pm_ra", units.mas / units.yr, ("pmra",), **EQUATORIAL),
    ColumnDescription("l", units.deg, ("l",), frame="galactic"),
    ColumnDescription("distance", units.kpc, ("distance",)),
    ColumnDescription("inclination", units.deg, ("inclination",)),
)
OLD = '<COOSYS ID="old" system="eq_FK4" equinox="B1950"/>'
NEW = '<COOSYS ID="new" system="eq_FK5" equinox="J2000"/>'


def votable(systems, fields):
    """Returns a VOTable of columns of angles, each with the system that it refers to."""
    columns = "".join(
        f'<FIELD name="{name}" datatype="double" unit="{UNITS.get(name, "deg")}" {ref}/>'
        for name, ref in fields.items()
    )
    rows = f"<TR>{'<TD>12.5</TD>' * len(fields)}</TR>"
    data = f"<TABLE>{columns}<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE>"
    namespace = 'xmlns="http://www.ivoa.net/xml/VOTable/v1.3"'
    head = f'<VOTABLE version="1.3" {namespace}><RESOURCE>{systems}'
    return OpenedFile("a.vot", f"{head}{data}</RESOURCE></VOTABLE>".encode())


def cleaned(file):
    table = joined_angles(read_table(file), file.name)
    return clean_columns(table, WANTED, file.name)


UNITS = {"pmra": "mas/yr"}
GALACTIC = '<COOSYS ID="gal" system="galactic"/>'
REFERRED = {"ra": 'ref="old"', "dec": 'ref="old"'}


@pytest.mark.parametrize(
    ("systems", "fields"),
    [
        (OLD, REFERRED),
        (OLD, {"ra": "", "dec": ""}),
        (OLD + NEW, REFERRED),
        (OLD + OLD.replace('"old"', '"older"'), {"ra": "", "dec": ""}),
        (OLD.replace("B1950", "B1900"), REFERRED),
        (OLD.replace("eq_FK4", "ecl_FK5").replace("B1950", "J2000"), REFERRED),
        (NEW.replace("J2000", "J1975").replace("new", "old"), REFERRED),
        (OLD.replace("eq_FK4", "supergalactic"), REFERRED),
    ],
)
def test_positions_in_another_system_are_refused(systems, fields):
    with pytest.raises(ValueError, match=r"a\.vot: column 'ra' is in .*into ICRS"):
        cleaned(votable(systems, fields))


@pytest.mark.parametrize(
    ("systems", "fields"),
    [
        ("", {"ra": "", "dec": ""}),
        (NEW, {"ra": 'ref="new"', "dec": 'ref="new"'}),
        (NEW.replace("eq_FK5", "ICRS"), {"ra": 'ref="new"', "dec": 'ref="new"'}),
        (NEW.replace("eq_FK5", "galactic"), {"ra": "", "dec": ""}),
        (NEW.replace("eq_FK5", "UNKNOWN"), {"ra": 'ref="new"', "dec": 'ref="new"'}),
        # columns that nobody uses may be in any, and so may what nobody refers to
        (OLD + NEW, {"ra": 'ref="new"', "dec": 'ref="new"', "lambda": 'ref="old"'}),
        (OLD + NEW, {"ra": "", "dec": ""}),
    ],
)
def test_positions_in_icrs_or_nearly_so_are_read(systems, fields):
    assert cleaned(votable(systems, fields)).values["ra"].tolist() == [12.5]


@pytest.mark.parametrize(
    ("systems", "fields"),
    [
        (OLD + NEW, {"ra": 'ref="new"', "dec": 'ref="new"', "pmra": 'ref="old"'}),
        (OLD, {"ra": "", "dec": "", "pmra": 'ref="old"'}),
    ],
)
def test_proper_motions_in_another_system_are_refused(systems, fields):
    with pytest.raises(ValueError, match="column 'pmra' is in eq_FK4 B1950"):
        cleaned(votable(systems, fields))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"ra": 'ref="gal"', "dec": 'ref="gal"'}, "'ra' is understood as equatorial"),
        ({"ra": "", "dec": 'ref="gal"'}, "'dec' is understood as equatorial"),
        ({"pmra": 'ref="gal"', "ra": ""}, "'pmra' is understood as equatorial"),
        ({"l": 'ref="new"'}, "'l' is understood as galactic"),
    ],
)
def test_columns_that_refer_to_other_coordinates_than_their_names_are_refused(
    fields, wrong
):
    with pytest.raises(ValueError, match=rf"a\.vot: column {wrong}, but refers to"):
        cleaned(votable(GALACTIC + NEW, fields))


def test_angles_that_are_no_positions_may_refer_to_any_system():
    fields = {"ra": 'ref="new"', "l": 'ref="gal"', "inclination": 'ref="old"'}
    found = cleaned(votable(GALACTIC + NEW + OLD, fields))
    assert {name: values.tolist() for name, values in found.values.items()} == {
        name: [12.5] for name in fields
    }


def test_angles_in_parts_keep_the_system_of_these():
    fields = dict.fromkeys(("RAh", "RAm", "RAs", "dec"), 'ref="old"')
    with pytest.raises(ValueError, match="column 'RAh RAm RAs' is in eq_FK4 B1950"):
        cleaned(votable(OLD, fields))


@pytest.mark.parametrize(
    ("header", "is_read"),
    [
        ({"RADESYS": "FK4", "EQUINOX": 1950.0}, False),
        ({"RADESYS": "FK5", "EQUINOX": 1975.0}, False),
        ({"EQUINOX": 1950.0}, False),
        ({"EPOCH": 1950.0}, False),
        ({"EPOCH": "B1950"}, False),
        ({"RADESYS": "FK5", "EPOCH": 1975.0}, False),
        ({"RADESYS": "J2000", "EQUINOX": 1975.0}, False),
        # when positions are those of Gaia, or of Hipparcos, and what is no year
        ({"EPOCH": 2016.0}, True),
        ({"RADESYS": "ICRS", "EPOCH": 1991.25}, True),
        ({"EPOCH": "third"}, True),
        ({"EPOCH": 1950.0, "EQUINOX": 2000.0}, True),
        ({"RADESYS": "J2000"}, True),
        ({"RADESYS": "FK5", "EQUINOX": 2000.0}, True),
        ({"RADESYS": "ICRS"}, True),
        ({}, True),
    ],
)
def test_headers_of_fits_tables_are_heard_too(tmp_path, header, is_read):
    columns = {"ra": [12.5] * units.deg, "dec": [3.0] * units.deg}
    Table(columns, meta=header).write(tmp_path / "a.fits")
    file = OpenedFile.read(tmp_path / "a.fits")
    if is_read:
        np.testing.assert_array_equal(cleaned(file).values["ra"], [12.5])
        return
    with pytest.raises(ValueError, match=r"column 'ra' is in .*, as the file says"):
        cleaned(file)


def test_epochs_in_small_letters_may_be_anything(tmp_path):
    columns = {"ra": [12.5] * units.deg, "dec": [3.0] * units.deg}
    Table(columns, meta={"epoch": 12}).write(tmp_path / "a.ecsv")
    assert cleaned(OpenedFile.read(tmp_path / "a.ecsv")).values["ra"] == [12.5]


def test_a_fits_table_that_became_an_ecsv_is_in_the_same_system(tmp_path):
    header = {"RADESYS": "FK4", "EQUINOX": 1950.0}
    columns = {"ra": [12.5] * units.deg, "dec": [3.0] * units.deg}
    Table(columns, meta=header).write(tmp_path / "a.fits")
    Table.read(tmp_path / "a.fits").write(tmp_path / "a.ecsv")
    by_hand = {key.lower(): value for key, value in header.items()}
    Table(columns, meta=by_hand).write(tmp_path / "b.ecsv")
    for name in ("a.fits", "a.ecsv", "b.ecsv"):
        with pytest.raises(ValueError, match="column 'ra' is in FK4 1950"):
            cleaned(OpenedFile.read(tmp_path / name))


@pytest.mark.parametrize(
    ("primary", "own", "is_read"),
    [
        ({"RADESYS": "FK4"}, {}, False),
        ({"EQUINOX": 1950.0}, {}, False),
        ({"RADESYS": "FK4"}, {"RADESYS": "ICRS"}, True),
        ({"RADESYS": "ICRS"}, {"RADESYS": "FK4"}, False),
        ({"RADESYS": "ICRS"}, {}, True),
    ],
)
def test_the_primary_header_is_heard_where_the_table_is_silent(
    tmp_path, primary, own, is_read
):
    columns = {"ra": [12.5] * units.deg, "dec": [3.0] * units.deg}
    parts = [fits.PrimaryHDU(), fits.table_to_hdu(Table(columns, meta=own))]
    parts[0].header.update(primary)
    fits.HDUList(parts).writeto(tmp_path / "a.fits")
    if is_read:
        assert cleaned(OpenedFile.read(tmp_path / "a.fits")).values["ra"] == [12.5]
        return
    with pytest.raises(ValueError, match=r"a\.fits: column 'ra' is in "):
        cleaned(OpenedFile.read(tmp_path / "a.fits"))


@pytest.mark.parametrize("ending", ["parquet", "h5"])
def test_formats_that_keep_a_tables_header_keep_its_system(tmp_path, ending):
    header = {"RADESYS": "FK4", "EQUINOX": 1950.0}
    columns = {"ra": [12.5] * units.deg, "dec": [3.0] * units.deg}
    path = tmp_path / f"a.{ending}"
    more = {"path": "table", "serialize_meta": True} if ending == "h5" else {}
    Table(columns, meta=header).write(path, **more)
    with pytest.raises(ValueError, match="column 'ra' is in FK4 1950"):
        cleaned(OpenedFile.read(path))


FORMATS = {
    "ecsv": {},
    "vot": {"format": "votable"},
    "parquet": {},
    "h5": {"path": "table", "serialize_meta": True},
}


def described(path, ra, l="Galactic longitude"):  # noqa: E741
    """Writes a table whose columns are described, as catalogues describe theirs."""
    table = Table({"ra": [12.5] * units.deg, "l": [3.0] * units.deg})
    table["ra"].description, table["l"].description = ra, l
    table.write(path, **FORMATS[path.suffix[1:]])
    return OpenedFile.read(path)


@pytest.mark.parametrize("ending", FORMATS)
def test_what_describes_a_column_is_heard_in_every_format(tmp_path, ending):
    file = described(tmp_path / f"a.{ending}", "Right ascension (B1950.0)")
    with pytest.raises(ValueError, match=r"column 'ra' is in B1950, as the file says"):
        cleaned(file)


@pytest.mark.parametrize(
    ("words", "is_read"),
    [
        ("Right ascension, FK4", False),
        ("RA at equinox 1950", False),
        ("hours of right ascension, equinox of 1875.0", False),
        ("Right ascension (J2000.0)", True),
        ("ICRS, of plates at B1950", True),
        ("of the survey of 1950 stars", True),
        (None, True),
    ],
)
def test_descriptions_name_the_system_of_positions(tmp_path, words, is_read):
    # the Galaxy's plane is where it was in 1950
    file = described(tmp_path / "a.ecsv", words, l="from positions of B1950")
    if is_read:
        assert cleaned(file).values["ra"].tolist() == [12.5]
        return
    with pytest.raises(ValueError, match="column 'ra' is in "):
        cleaned(file)


def test_angles_in_parts_keep_the_system_that_describes_them(tmp_path):
    table = Table({"RAh": [12], "RAm": [30], "RAs": [1.0], "dec": [3.0] * units.deg})
    for name, unit in (("RAh", "h"), ("RAm", "min"), ("RAs", "s")):
        table[name].unit = unit
        table[name].description = "Right ascension (B1950)"
    table.write(tmp_path / "a.ecsv")
    with pytest.raises(ValueError, match="column 'RAh RAm RAs' is in B1950"):
        cleaned(OpenedFile.read(tmp_path / "a.ecsv"))
