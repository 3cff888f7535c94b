"""Units that are taken without being read are ones that can be read."""

import pytest
from astropy.units import Unit

from orrery import named_units


@pytest.mark.parametrize("unit", named_units._READABLE)
def test_units_that_are_not_read_could_be(unit):
    assert Unit(unit, format="generic") is not None
    assert named_units._read(unit) is not None


@pytest.mark.parametrize("unit", ["furlong / s", "km // s", 3, None])
def test_others_are_refused(unit):
    with pytest.raises(ValueError, match="which astropy cannot read"):
        named_units.check_unit("v", unit)
