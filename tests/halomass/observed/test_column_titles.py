"""Laws of titles: a unit in the title counts, another unit is converted or refused."""

import pytest
from astropy import units

from halomass.observed.column_titles import (
    DEX,
    KMS,
    KPC,
    NAMES,
    bare_title,
    conversion_factor,
    recognised_titles,
    unit_of,
)


@pytest.mark.parametrize(
    ("title", "bare", "unit"),
    [
        ("x_Mpc", "x", units.Mpc),
        ("Vx [km/s]", "vx", KMS),
        ("M_peak(Msun)", "m_peak", units.Msun),
        ("mvir(10)", "mvir(10)", None),
        ("log_m_star", "log_m_star", None),
    ],
)
def test_a_title_names_a_quantity_and_perhaps_its_unit(title, bare, unit):
    assert bare_title(title) == bare
    assert unit_of(title, None) == unit


def test_the_unit_of_the_column_comes_before_that_of_the_title():
    assert unit_of("x_Mpc", KPC) == KPC


def test_units_are_converted_and_logarithms_are_not():
    assert conversion_factor(units.Mpc, KPC) == pytest.approx(1000)
    assert conversion_factor(None, KPC) == 1.0
    assert conversion_factor(units.dex, DEX) == 1.0
    with pytest.raises(units.UnitConversionError):
        conversion_factor(units.s, KPC)
    with pytest.raises(units.UnitConversionError, match="it is in kpc"):
        conversion_factor(KPC, DEX)


def test_no_name_stands_for_two_quantities():
    names = [name for several in NAMES.values() for name in several]
    assert len(names) == len(set(names))


def test_two_titles_of_one_quantity_are_refused():
    assert recognised_titles(["Mpeak", "x"], "a") == {"m_peak": "Mpeak", "x": "x"}
    with pytest.raises(ValueError, match="both Mpeak and m_peak_Msun say m_peak"):
        recognised_titles(["Mpeak", "m_peak_Msun"], "a")
