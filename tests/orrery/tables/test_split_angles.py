"""Laws of angles in several columns: joined they are the angle, and each fault is named."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

from orrery.tables.split_angles import joined_angles

RA = {"RAh": [3, 21], "RAm": [7, 59], "RAs": [12.25, 60.0]}
DEC = {"DE-": ["\u2013", ""], "DEd": [0, 61], "DEm": [20, 5], "DEs": [6.0, 30.0]}


def test_parts_are_one_angle_each():
    table = joined_angles(Table({"v": [1, 2], **RA, **DEC}), "t.csv")
    assert table.colnames == ["v", "RAh RAm RAs", "DE- DEd DEm DEs"]
    expected = SkyCoord(["3h7m12.25s -0d20m6s", "22h0m0s +61d5m30s"])
    found = table["RAh RAm RAs"]
    np.testing.assert_allclose(found.quantity.to_value("deg"), expected.ra.deg)
    np.testing.assert_allclose(table["DE- DEd DEm DEs"], expected.dec.deg)


def test_seconds_may_be_left_out_and_parts_may_be_missing():
    columns = {**RA, "RAm": ["7.5", ""]}
    del columns["RAs"]
    table = joined_angles(Table(columns), "t.csv")
    np.testing.assert_allclose(table["RAh RAm"], [3.125, np.nan])


def test_without_a_sign_and_other_tables_are_as_they_are():
    without = {name: DEC[name] for name in ("DEd", "DEm", "DEs")}
    table = Table({**without, "RAh": [3, 21]})
    assert joined_angles(table, "t.csv") is table


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"DEm": [20, 75]}, "column 'DEm': row 2 has 75, not 0 to 60"),
        ({"DEs": ["6", "3O"]}, "column 'DEs': row 2 has '3O', which is no number"),
        ({"DE-": ["-", "S"]}, "column 'DE-': row 2 has 'S', which is no sign"),
    ],
)
def test_a_part_that_is_none_is_named(part, said):
    with pytest.raises(ValueError, match=f"t.csv: {said}"):
        joined_angles(Table({**DEC, **part}), "t.csv")
