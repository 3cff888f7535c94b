"""Laws of units: however people write one, it is the same."""

import pytest
from astropy import units
from astropy.table import Table

from orrery.tables.columns import ColumnDescription, understand
from orrery.tables.unit_names import understood_unit

KM_S = units.km / units.s
MAS_YR = units.mas / units.yr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "spellings"),
    [
        (KM_S, ["kms", "KMS", "Km/s", "KM/SEC", "km/sec", "km sec-1", "km/second"]),
        (KM_S, ["kms-1", "kms^-1", "km s$^{-1}$", r"km\s$^{-1}$", "km per s", "KM/S"]),
        (MAS_YR, ["masyr", "masyr-1", "mas/y", "mas/years", "MAS/YR", "Mas y^{-1}"]),
        (units.kpc, ["Kpc", "KPC", "kiloparsec", "kilopc"]),
        (units.pc, ["PC", "Pc", "parsecs"]),
        (units.Mpc, ["MPC"]),
        (units.deg, ["DEG", "Degrees", "degs"]),
        (units.lyr, ["ly", "LY", "lightyear"]),
    ],
)
def test_a_unit_is_understood_in_all_spellings(wanted, spellings):
    for spelling in spellings:
        assert understood_unit(spelling, wanted) == wanted, spelling
        # as a file has what its reader does not know
        given = units.Unit(spelling, parse_strict="silent")
        assert understood_unit(given, wanted) == wanted, spelling


@pytest.mark.parametrize("spelling", ["", "--", "furlong", "kg", "12", "sexa"])
def test_what_is_no_unit_of_a_quantity_is_none(spelling):
    assert understood_unit(spelling, KM_S) is None


@pytest.mark.parametrize(
    "title",
    [
        *("vel {km/s}", "vel <km/s>", "vel, km/s", "vel / (km/s)", "vel_kms-1"),
        *("vel_km_s-1", "vel_kmps", "vel_km_per_s", "VEL [KMS]", "vel (km s$^{-1}$)"),
    ],
)
def test_a_unit_stands_in_a_title_in_many_ways(title):
    speed = ColumnDescription("speed", KM_S, ("vel",))
    (found,) = understand(Table({title: [1.0]}), [speed], "t.csv")
    assert found.used
    assert found.unit == KM_S


def test_a_unit_that_nobody_knows_is_kept_for_whoever_reads_the_numbers():
    velocity = ColumnDescription("v_los", units.km / units.s, ("vlos",))
    table = Table({"vlos": [1.0, 2.0]})
    table["vlos"].unit = units.Unit("ktruel / s", parse_strict="silent")
    (column,) = understand(table, (velocity,), "stars.ecsv")
    assert str(column.unit) == "ktruel / s"
