"""Laws of columns: a unit in the title counts, another unit is converted or refused."""

import numpy as np
import pytest
from astropy import units
from astropy.table import Column, Table

from halomass.observed.neighbour_columns import (
    DEX,
    KMS,
    KPC,
    NAME,
    NEIGHBOUR_COLUMNS,
    with_logarithms_in_msun,
)
from halomass.observed.plain_table import PlainTable
from orrery.tables.columns import understand


def understood(title, unit=None):
    (found,) = understand(
        Table({title: Column([1.0], unit=unit)}), (*NEIGHBOUR_COLUMNS, NAME), "a"
    )
    return found


@pytest.mark.parametrize(
    ("title", "quantity", "unit"),
    [
        ("x_Mpc", "x", units.Mpc),
        ("Vx [km/s]", "vx", "km/s"),
        ("M_peak(Msun)", "m_peak", "Msun"),
        ("PeakVmax[km/s]", "v_peak", "km/s"),
        ("log_m_star", "log_m_star", DEX),
        ("D14", "distance_cluster", KPC),
        ("v_rad", "v_r", KMS),
        ("HaloID", "name", units.dimensionless_unscaled),
        ("mvir(10)", None, None),
        ("teff", None, None),
    ],
)
def test_a_title_names_a_quantity_and_perhaps_its_unit(title, quantity, unit):
    found = understood(title)
    assert (found.quantity, found.unit) == (quantity, unit)


def test_the_unit_of_the_column_comes_before_that_of_the_title():
    assert understood("x_Mpc", KPC).unit == KPC


def test_no_name_stands_for_two_quantities():
    names = [
        name for description in (*NEIGHBOUR_COLUMNS, NAME) for name in description.names
    ]
    assert len(names) == len(set(names))


def test_two_titles_of_one_quantity_are_refused():
    with pytest.raises(ValueError, match=r"'Mpeak', 'm_peak_Msun'.* all give m_peak"):
        understand(
            Table({"Mpeak": [1.0], "m_peak_Msun": [1.0]}), NEIGHBOUR_COLUMNS, "a"
        )


@pytest.mark.parametrize("unit", [None, "dex", "solMass", "dex(solMass)", ""])
def test_logarithms_need_no_unit(unit):
    table = Table({"log10_Mpeak": Column([9.0], unit=unit), "r": [1.0]})
    changed = with_logarithms_in_msun(table)
    assert understand(changed, NEIGHBOUR_COLUMNS, "a")[0].unit == DEX
    assert changed["r"].unit is None
    np.testing.assert_array_equal(changed["log10_Mpeak"], table["log10_Mpeak"])
    assert table["log10_Mpeak"].unit == (units.Unit(unit) if unit is not None else None)


@pytest.mark.parametrize(
    "title", ["log_m_star [Msun]", "log_m_star (dex)", "log_m_star_Msun", "log_m [dex]"]
)
def test_the_unit_of_a_logarithm_may_stand_in_its_title(title):
    changed = with_logarithms_in_msun(Table({title: [9.0], "m_star [Msun]": [1e9]}))
    assert understand(changed, NEIGHBOUR_COLUMNS, "a")[0].unit == DEX
    assert changed["m_star [Msun]"].unit is None


@pytest.mark.parametrize(
    ("place", "motion"),
    [("pos_{}", "vel_{}"), ("pos{}", "vel{}"), ("Pos_{}", "VEL_{} [km/s]")],
)
def test_places_and_velocities_may_be_called_so(place, motion):
    columns = {place.format(a): [50.0] for a in "xyz"}
    columns |= {motion.format(a): [9.0] for a in "xyz"} | {"logMstar": [8.0]}
    table = PlainTable.of(Table(columns), "host.csv")
    assert table.orbits().r == pytest.approx(50 * 3**0.5)
    assert table.log_masses("log_m_star") == 8.0
