"""An observation survives being a table, a file, and being edited by people; mistakes do not."""

from dataclasses import replace

import numpy as np
import pytest
from astropy import units
from astropy.table import QTable, Table

from orrery import data_vector
from orrery.data_vector import arranged, from_table, to_table
from orrery.records import Observation
from orrery.storage.files import ecsv

NAMES, UNITS = ("x_lmc", "v_north", "share"), ("kpc", "km / s", "")
COVARIANCE = np.array([[0.2, 0.1, 0.0], [0.1, 0.7, 0.01], [0.0, 0.01, 1 / 3]])


def seen():
    value = np.array([-0.6, 1 / 3, 1e-17])
    provenance = {"file": "stars.csv", "steps": [["read", 12], ["kept", 3]]}
    return Observation("stars", NAMES, UNITS, value, COVARIANCE, "abc", provenance)


def table(**changes):
    columns = {
        "summary": ["u", "v"],
        "value": [1.0, 2.0],
        "error": [0.1, 0.2],
        "unit": ["kpc", "km / s"],
    }
    meta = {"definition": "abc", **changes.pop("meta", {})}
    kept = {name: c for name, c in {**columns, **changes}.items() if c is not None}
    return Table(kept, meta=meta)


def assert_same(found, wanted):
    for name in ("name", "names", "units", "definition", "provenance"):
        assert getattr(found, name) == getattr(wanted, name)
    np.testing.assert_array_equal(found.value, wanted.value)
    np.testing.assert_array_equal(found.covariance, wanted.covariance)
    np.testing.assert_array_equal(found.simulation_error, wanted.simulation_error)


def test_a_table_and_a_report_s_file_lose_nothing():
    assert_same(from_table(to_table(seen())), seen())
    text = ecsv(to_table(seen()))
    assert_same(from_table(Table.read(text, format="ascii.ecsv")), seen())
    assert_same(from_table(QTable.read(text, format="ascii.ecsv")), seen())


def test_a_table_keeps_what_simulations_err_by_of_themselves():
    known = replace(seen(), simulation_error=np.array([0.0, 0.3, 1 / 3]))
    assert_same(from_table(to_table(known)), known)
    text = ecsv(to_table(known))
    assert_same(from_table(Table.read(text, format="ascii.ecsv")), known)
    there = arranged(known, ("share", "x_lmc", "v_north"), ("", "pc", "m / s"))
    np.testing.assert_allclose(there.simulation_error, [1 / 3, 0.0, 300.0])


def test_errors_are_independent_unless_a_covariance_is_given():
    found = from_table(table())
    np.testing.assert_allclose(found.covariance, np.diag([0.01, 0.04]))
    assert (found.names, found.units) == (("u", "v"), ("kpc", "km / s"))


@pytest.mark.parametrize("kind", [Table, QTable])
def test_columns_with_units_say_the_unit_of_each_row(kind):
    drawn = kind(table(unit=None, summary=None), copy=True)
    drawn["name"] = ["u", "v"]
    drawn["value"] = np.array([1.0, 2.0]) * units.km / units.s
    drawn["error"] = np.array([100.0, 200.0]) * units.m / units.s
    found = from_table(drawn)
    assert found.units == ("km / s", "km / s")
    np.testing.assert_allclose(found.covariance, np.diag([0.01, 0.04]))


def test_another_arrangement_is_the_same_measurement():
    there = arranged(seen(), ("share", "x_lmc", "v_north"), ("", "pc", "m / s"))
    np.testing.assert_allclose(there.value[1:], 1000 * seen().value[:2])
    assert there.covariance[1, 2] == pytest.approx(1e6 * 0.1)
    assert_back = arranged(there, NAMES, UNITS)
    np.testing.assert_allclose(assert_back.value, seen().value)
    np.testing.assert_allclose(assert_back.covariance, COVARIANCE)
    assert_same(arranged(seen(), NAMES, UNITS), seen())


def test_a_logarithm_is_not_rescaled():
    log = Observation("m", ("m",), ("dex(solMass)",), np.ones(1), np.eye(1), "abc", {})
    assert arranged(log, ("m",), ("dex(Msun)",)).value[0] == 1.0
    for unit in ("solMass", "dex(kg)"):
        with pytest.raises(ValueError, match="logarithm"):
            arranged(log, ("m",), (unit,))


@pytest.mark.parametrize(
    ("names", "unit", "message"),
    [
        (("x_lmc", "v_north"), UNITS, r"\['share'\] are unknown"),
        ((*NAMES, "w"), (*UNITS, ""), r"\['w'\] are missing"),
        (
            NAMES,
            ("kpc", "kpc", ""),
            "'v_north' is given in 'km / s' where 'kpc' is learned",
        ),
        (NAMES, ("kpc", "km / s", "sparrows"), "'sparrows'"),
    ],
)
def test_other_summaries_and_units_of_another_kind_are_refused(names, unit, message):
    with pytest.raises(ValueError, match=message):
        arranged(seen(), names, unit)


def test_a_summary_that_is_there_twice_is_refused():
    with pytest.raises(ValueError, match="has two columns 'u': give each a name"):
        from_table(table(summary=["u", "u"]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": None}, "no column 'value'"),
        ({"summary": None}, "no column 'summary' or 'name'"),
        ({"meta": {"definition": None}}, r"meta\['definition'\]"),
        ({"value": [1.0, np.nan]}, r"no finite value for \['v'\]"),
        (
            {"value": np.ma.array([1.0, 2.0], mask=[True, False])},
            r"no finite value for \['u'\]",
        ),
        ({"value": ["1.0", "two"]}, "'value' must hold numbers"),
        ({"error": [0.1, -0.2]}, r"errors of \['v'\]"),
        ({"error": [np.inf, 0.2]}, r"errors of \['u'\]"),
        ({"meta": {"covariance": [[0.01]]}}, r"shape \(1, 1\)"),
        ({"meta": {"covariance": [[0.01, 1.0], [0.0, 0.04]]}}, "symmetric"),
        (
            {"meta": {"covariance": [[0.01, 0.0], [0.0, 0.09]]}},
            "'v' has the error 0.2, but 0.3",
        ),
        ({"value": units.Quantity([1.0, 2.0], "kpc")}, "units twice"),
        (
            {
                "unit": None,
                "value": units.Quantity([1.0, 2.0], "kpc"),
                "error": units.Quantity([1.0, 2.0], "km / s"),
            },
            "'error' is given in 'km / s'",
        ),
    ],
)
def test_a_table_with_a_mistake_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        data_vector.from_table(table(**changes))


def test_sorted_rows_do_not_take_another_rows_covariance():
    rows = to_table(seen())
    rows.sort("value")
    with pytest.raises(ValueError, match="sorted leave it behind"):
        from_table(rows)


@pytest.mark.parametrize("provenance", [None, 3, "stars.csv", ["file"]])
def test_a_provenance_that_names_nothing_is_refused(provenance):
    with pytest.raises(ValueError, match=r"provenance = .*: leave it out"):
        from_table(table(meta={"provenance": provenance}))
