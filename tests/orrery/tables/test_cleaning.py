"""Laws of cleaning: our units, NaN where there is no value, and every loss counted."""

import re

import numpy as np
import pytest
from astropy import units
from astropy.table import MaskedColumn, Table

from orrery.tables.cleaning import clean_columns
from orrery.tables.columns import ColumnDescription
from orrery.tables.titles import KM_S

SPEED = ColumnDescription(
    "v", KM_S, ("v",), lower=-500.0, upper=500.0, consequence="row", needed=True
)
RA = ColumnDescription(
    "ra", units.deg, ("ra",), {"ra": units.deg}, 0.0, 360.0, sexagesimal="hours"
)
NAME = ColumnDescription("name", units.dimensionless_unscaled, ("id",), words=True)
DESCRIPTIONS = (SPEED, RA, NAME)


def _clean(columns, **options):
    return clean_columns(Table(columns), DESCRIPTIONS, "t.csv", **options)


def test_numbers_are_in_our_units_in_any_order_of_bytes():
    table = Table({"v": np.array([1e3, -2e3], dtype=">f4")}, units={"v": "m / s"})
    found = clean_columns(table, DESCRIPTIONS, "t.csv")
    np.testing.assert_allclose(found.values["v"], [1.0, -2.0])
    assert found.values["v"].dtype == np.float64
    assert found.title("v") == "v"


def test_losses_are_counted_by_rule():
    speeds = MaskedColumn([10.0, -9999.0, 3e4, 1.0, 2.0], mask=[0, 0, 0, 1, 0])
    found = _clean({"v_kms": speeds}, most_missing=1.0)
    assert np.isnan(found.values["v"]).tolist() == [False, True, True, True, False]
    assert {one["rule"]: one["rows"] for one in found.entries} == {
        "no value": 1,
        "the sentinel -9999": 1,
        "not -500 to 500 km / s": 1,
    }
    assert str(found.counts[0]).endswith("these rows are dropped")


def test_too_many_losses_in_a_needed_column_are_refused():
    speeds = np.arange(20.0)
    speeds[:5] = -999.0
    with pytest.raises(
        ValueError, match=r"t.csv: column 'v_kms'.*5 the sentinel -999.*5 of 20.*pray"
    ):
        _clean({"v_kms": speeds}, remedy="pray")
    assert len(_clean({"v_kms": speeds}, most_missing=0.3).counts) == 1
    speeds[4] = 4.0
    assert len(_clean({"v_kms": speeds}).counts) == 1


@pytest.mark.parametrize("kind", ["bool", "datetime64[s]", "timedelta64[s]"])
def test_what_is_true_or_a_time_is_no_number(kind):
    with pytest.raises(
        ValueError, match=r"t.csv: column 'v_kms' holds .*, which is no"
    ):
        _clean({"v_kms": np.arange(30).astype(kind)})


def test_words_among_numbers_are_no_value_or_refused():
    found = _clean({"v_kms": ["1.5", "--", "N/A", "2", "3", "4", "5", "6", "7", "8"]})
    assert np.isnan(found.values["v"]).sum() == 2
    with pytest.raises(ValueError, match=r"'v_kms' .*cannot be read.*row 2 has 'fast'"):
        _clean({"v_kms": ["1.5", "fast"]})
    with pytest.raises(ValueError, match=r"has \(2,\) values in each row"):
        _clean({"v_kms": np.zeros((3, 2))})


@pytest.mark.parametrize(
    "columns", [{"ra": ["01:00:00", "02:30:00"]}, {"ra_hours": [1.0, 2.5]}]
)
def test_right_ascensions_may_be_hours(columns):
    np.testing.assert_allclose(_clean(columns).values["ra"], [15.0, 37.5])


def test_hours_of_the_file_are_no_time():
    table = Table({"ra": [1.0, 2.5]}, units={"ra": "h"})
    found = clean_columns(table, DESCRIPTIONS, "t.csv")
    np.testing.assert_allclose(found.values["ra"], [15.0, 37.5])
    degrees = _clean({"ra_deg": ["01:00:00", "02:30:00"]})
    np.testing.assert_allclose(degrees.values["ra"], [1.0, 2.5])


def test_all_columns_without_a_unit_are_named_at_once_each_with_its_remedy():
    far = ColumnDescription("distance", units.kpc, ("dist",))
    rise = ColumnDescription("alpha", units.deg, ("alpha",), sexagesimal="hours")
    described = (*DESCRIPTIONS, far, rise)
    table = Table({"v": [1.0, 2.0], "ra": [3.0, 4.0], "dist": [5.0, 6.0]})
    with pytest.raises(ValueError, match="has no unit") as refused:
        clean_columns(table, described, "t.csv")
    said = str(refused.value)
    assert said.startswith("t.csv: column 'v' has no unit; wanted km / s: call it 'v_")
    assert "column 'dist' has no unit; wanted kpc: call it 'dist_kpc' (_pc, " in said
    assert said.count("has no unit") == 2, "the survey has said that of ra"
    # what the message says is what helps
    for old, new in re.findall(r"column '(\w+)' .*?: call it '(\w+)'", said):
        table.rename_column(old, new)
    found = clean_columns(table, described, "t.csv").values
    assert found["distance"].tolist() == [5.0, 6.0]
    # three parts of an angle are their unit, and what is no number needs none
    parts = Table({"alpha": ["01:00:00", "02:30:00"]})
    found = clean_columns(parts, described, "t.csv").values
    np.testing.assert_allclose(found["alpha"], [15.0, 37.5])
    with pytest.raises(ValueError, match="'dist' holds bool, which is no number"):
        clean_columns(Table({"dist": [True, False]}), described, "t.csv")


def test_pairs_of_zeros_are_no_value():
    found = _clean(
        {"v_kms": [0.0, 0.0, 1.0], "ra": [0.0, 2.0, 3.0]},
        pairs=[("v", "ra")],
        most_missing=1.0,
    )
    assert np.isnan(found.values["v"]).tolist() == [True, False, False]
    assert np.isnan(found.values["ra"]).tolist() == [True, False, False]


def test_identifiers_stay_words_and_a_table_may_have_to_be_whole():
    found = _clean({"id": [7, 99], "v_kms": [1.0, 2.0]})
    assert found.words["name"] == (7, 99)
    whole = ColumnDescription("v", KM_S, ("v",), upper=500.0, consequence="table")
    with pytest.raises(
        ValueError, match=r"'v_kms' has no v in row 2 \(the sentinel 999\)"
    ):
        clean_columns(Table({"v_kms": [1.0, 999.0]}), (whole,), "t.csv")


def test_lower_errors_may_be_written_as_negative_numbers():
    described = SPEED.with_errors(100.0)
    columns = {"v_kms": np.arange(6.0) - 2.5, "v_err_hi_kms": np.full(6, 3.0)}
    below = np.array([-2.0, -4.0, -1.0, -999.0, -0.5, np.nan])
    for sign in (1, -1):
        table = Table(columns | {"v_err_lo_kms": sign * below})
        found = clean_columns(table, described, "t.csv").values["v_error_below"]
        np.testing.assert_array_equal(found, [2.0, 4.0, 1.0, np.nan, 0.5, np.nan])
    mixed = Table(columns | {"v_err_lo_kms": [2.0, 1.0, -4.0, 3.0, 1.0, 1.0]})
    found = clean_columns(mixed, described, "t.csv")
    assert found.counts[0].rule == "not 0 to 100 km / s"
    assert np.isnan(found.values["v_error_below"]).tolist() == [0, 0, 1, 0, 0, 0]


def test_a_dash_is_a_minus_and_another_word_is_refused_by_its_row():
    found = _clean(
        {"v_kms": ["\u201312.5", "\u2014", "7", "", "\u22121e2"]}, most_missing=0.5
    )
    np.testing.assert_allclose(found.values["v"], [-12.5, np.nan, 7, np.nan, -100])
    with pytest.raises(
        ValueError, match=r"'v_kms'.* row 2 has 'ca. 7'.*leave it empty"
    ):
        _clean({"v_kms": ["12.5", "ca. 7"]})
    with pytest.raises(ValueError, match=r"t.csv: column 'ra': row 3 has '11.25'"):
        _clean({"ra": ["11:15:00", "12:30:00", "11.25"]})


def test_degrees_in_parts_that_are_read_as_hours_are_refused_with_the_title_that_helps():
    columns = ["207:15:00", "17:30:00"]
    with pytest.raises(ValueError, match=r"'207:15:00', more than 24 .*'ra_deg'"):
        _clean({"ra": columns})
    found = _clean({"ra_deg": columns})
    np.testing.assert_allclose(found.values["ra"], [207.25, 17.5])


@pytest.mark.parametrize("unit", ["furlong/s", "kps", "mas"])
def test_what_is_no_unit_is_refused_with_the_title_that_helps(unit):
    with pytest.raises(ValueError, match="call it 'v_kms'") as refusal:
        _clean({f"v [{unit}]": [1.0]})
    assert "def_unit" not in str(refusal.value)
