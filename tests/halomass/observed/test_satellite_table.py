"""Laws of satellites' tables: what is asked for and how it is said when it is not there."""

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.satellite_table import MEASURED, SatelliteTable

COLUMNS = {
    "name": ["A", "B"],
    "ra_deg": [10.0, 200.0],
    "dec_deg": [-40.0, 20.0],
    "dist_kpc": [90.0, 40.0],
    "vlos_kms": [-120.5, 33.1],
    "pmra_masyr": [0.1, -0.2],
    "pmdec_masyr": [0.0, 0.3],
    "M_V": [-8.0, -5.0],
}


@pytest.mark.parametrize("title", COLUMNS)
def test_a_column_that_is_not_there_is_named(title):
    rest = {name: values for name, values in COLUMNS.items() if name != title}
    said = "M_V or V0_mag" if title == "M_V" else title
    with pytest.raises(ValueError, match=rf"a.csv: no .*{said} in this table"):
        SatelliteTable.of(Table(rest), "a.csv")


def test_one_zero_is_a_proper_motion():
    found = SatelliteTable.of(Table(COLUMNS), "a.csv")
    assert not found.incomplete.any()
    assert found.values["pm_dec"].tolist() == [0.0, 0.3]
    assert tuple(found.values) == MEASURED


def test_a_brightness_that_is_none_is_a_gap():
    found = SatelliteTable.of(Table(COLUMNS | {"M_V": [99.0, -5.0]}), "a.csv")
    assert found.incomplete.tolist() == [True, False]
    assert found.gaps(0) == "M_V = 99.0"
    np.testing.assert_allclose(found.log_m_star[1], (4.83 + 5.0) / 2.5)


def test_a_column_without_a_unit_is_refused():
    columns = {("hrv" if n == "vlos_kms" else n): v for n, v in COLUMNS.items()}
    with pytest.raises(
        ValueError, match=r"a.csv: column 'hrv' has no unit; wanted km / s"
    ):
        SatelliteTable.of(Table(columns), "a.csv")
