"""Laws of descriptions: each column is understood once, or said not to be."""

import pytest
from astropy import units
from astropy.table import Table

from orrery.tables.columns import ColumnDescription, understand
from orrery.tables.titles import KM_S

SPEED = ColumnDescription(
    "speed", KM_S, ("rv", "vel"), {"rv": KM_S}, lower=-9.0, upper=9.0, meaning="speed"
)
PLACE = ColumnDescription("place", units.deg, ("ra_icrs", "ra"), ordered=True)
DESCRIPTIONS = (*SPEED.with_errors(5.0), PLACE)


def _understood(*titles, **options):
    table = Table({title: [1.0] for title in titles})
    found = understand(table, DESCRIPTIONS, "t.csv", **options)
    return {column.title: column for column in found}


def test_units_are_the_files_the_titles_or_the_surveys():
    table = Table({"vel": [1.0], "rv_err": [1.0]}, units={"vel": "m / s"})
    found = understand(table, DESCRIPTIONS, "t.csv")
    assert [str(one) for one in found] == [
        "vel: speed [m / s, says the file]",
        "rv_err: speed_error [km / s, says its name, as surveys use it]",
    ]
    assert str(_understood("vel")["vel"]) == "vel: speed [no unit]"
    assert str(_understood("vel [m/s]")["vel [m/s]"].unit) == "m / s"


def test_what_is_not_understood_or_of_no_use_is_said():
    found = _understood("teff", "g", unused={"g": "a colour"})
    assert str(found["teff"]) == "teff: not understood"
    assert str(found["g"]) == "g: recognised, not used: a colour"
    assert not found["g"].used


def test_two_columns_that_say_the_same_are_refused_unless_their_order_tells():
    with pytest.raises(
        ValueError, match=r"t.csv: columns \['rv', 'vel'\] all give speed"
    ):
        _understood("rv", "vel")
    found = _understood("ra", "ra_icrs", "rv", "gaia_rv")
    assert found["ra_icrs"].used
    assert found["ra"].note == "not used, because ra_icrs gives it"
    # a survey's prefix is further from the name
    assert found["rv"].used
    assert not found["gaia_rv"].used


def test_better_quantities_supersede_others_and_their_errors():
    rules = [(("place",), ("speed",))]
    found = _understood("ra", "rv", "rv_err", superseded=rules)
    assert found["rv"].note == found["rv_err"].note == "not used, because ra is there"
    assert _understood("rv", superseded=rules)["rv"].used


def test_errors_are_described_like_their_quantity():
    error, below, above = SPEED.with_errors(5.0)[1:]
    ivar, variance = SPEED.squared_errors(5.0)
    assert (error.lower, error.upper, error.unit) == (0.0, 5.0, KM_S)
    assert {"rv_err", "e_rv", "sigma_vel"} <= set(error.names)
    assert error.documented["e_rv"] == KM_S
    assert "e_vel" not in error.documented
    assert "rv_em" in below.names
    assert "rv_ep" in above.names
    assert "rv_ivar" in ivar.names
    assert (ivar.lower, ivar.unit) == (0.04, KM_S**-2)
    assert (variance.upper, variance.unit) == (25.0, KM_S**2)
    assert variance.documented["vel_var"] == KM_S**2


def test_a_titles_unit_is_that_of_the_errors_whose_squares_it_has():
    ivar, variance = SPEED.squared_errors(5.0)
    table = Table({"rv_ivar_kms": [0.5], "rv_var [m2 / s2]": [1.0], "rv_kms": [2.0]})
    found = understand(table, [SPEED, ivar, variance], "t.csv")
    assert [column.unit for column in found] == [KM_S**-2, "m2 / s2", KM_S]
    assert SPEED.range == "-9 to 9 km / s"
