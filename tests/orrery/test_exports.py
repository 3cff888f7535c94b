"""Other programs get the same numbers, with the same labels, units and bounds."""

import subprocess
import sys

import numpy as np
import pytest
from astropy.table import QTable
from matplotlib.figure import Figure

from orrery import exports
from orrery.parameters import Parameter
from orrery.storage.files import ecsv

PARAMETERS = (
    Parameter("log10_m", "dex(solMass)", r"$\log_{10} M$"),
    Parameter("v_x", "km / s", "$v_x$"),
    Parameter("friction", "", "$f$", -3.0, 1.0),
    Parameter("d", "kpc", "$d$", 0.0),
)
META = {"observation": "stars", "seed": 3, "definition": "abc"}


@pytest.fixture(scope="module")
def draws():
    random = np.random.default_rng(1)
    return np.column_stack(
        [random.normal(11, 0.1, 3000), random.uniform(0, 1, (3000, 3))]
    )


@pytest.fixture(scope="module")
def drawn(draws):
    return exports.draws_table(PARAMETERS, draws, META)


def test_a_table_keeps_numbers_units_and_what_they_are(drawn, draws):
    assert drawn.colnames == [p.name for p in PARAMETERS]
    np.testing.assert_array_equal(exports.draws_array(drawn), draws)
    assert drawn.meta == META
    np.testing.assert_allclose(
        drawn["log10_m"].physical.to_value("solMass"), 10 ** draws[:, 0]
    )
    np.testing.assert_allclose(drawn["v_x"].to_value("m / s"), 1000 * draws[:, 1])


def test_a_file_loses_nothing(drawn):
    again = QTable.read(ecsv(drawn), format="ascii.ecsv")
    np.testing.assert_array_equal(
        exports.draws_array(again), exports.draws_array(drawn)
    )
    assert again.meta == META
    for name in drawn.colnames:
        for what in ("unit", "description"):
            assert getattr(again[name].info, what) == getattr(drawn[name].info, what)
        assert dict(again[name].info.meta or {}) == dict(drawn[name].info.meta)
    for before, after in zip(
        (drawn.colnames, *exports.corner_arguments(drawn).values()),
        (again.colnames, *exports.corner_arguments(again).values()),
        strict=True,
    ):
        np.testing.assert_array_equal(before, after)
    assert exports.getdist_samples(again).ranges.getUpper("friction") == 1.0


def test_getdist_gets_values_labels_and_bounds(drawn, draws):
    samples = exports.getdist_samples(drawn)
    np.testing.assert_array_equal(samples.samples, draws)
    names = samples.getParamNames()
    assert names.list() == drawn.colnames
    assert names.labels() == [
        r"\log_{10} M\;[\mathrm{M_{\odot}}]",
        r"v_x\;[\mathrm{km\,s^{-1}}]",
        "f",
        r"d\;[\mathrm{kpc}]",
    ]
    bounds = [
        (samples.ranges.getLower(n), samples.ranges.getUpper(n)) for n in drawn.colnames
    ]
    assert bounds == [(None, None), (None, None), (-3.0, 1.0), (0.0, None)]
    assert samples.getLabel() == "stars"
    assert samples.mean("v_x") == pytest.approx(draws[:, 1].mean())


def test_getdist_knows_that_a_density_ends_at_its_bound(drawn):
    """A uniform density stays flat up to a bound that is known, and sinks where none is."""
    samples = exports.getdist_samples(drawn)
    known, unknown = (samples.get1DDensity(name) for name in ("d", "v_x"))
    assert known.Prob(0.0) == pytest.approx(known.Prob(0.5), rel=0.25)
    assert unknown.Prob(0.0) < 0.7 * unknown.Prob(0.5)


def test_arviz_gets_values_units_and_labels(drawn, draws):
    found = exports.inference_data(drawn)
    assert dict(found.posterior.sizes) == {"chain": 1, "draw": 3000}
    for parameter, values in zip(PARAMETERS, draws.T, strict=True):
        variable = found.posterior[parameter.name]
        np.testing.assert_array_equal(variable.values, values[np.newaxis])
        assert variable.attrs["units"] == parameter.unit
        assert variable.attrs["long_name"] == parameter.label
    assert found.posterior["friction"].attrs["lower"] == -3.0
    assert found.posterior.attrs["observation"] == "stars"


@pytest.mark.slow
def test_corner_draws_from_the_arguments(drawn, draws):
    corner = pytest.importorskip("corner")
    arguments = exports.corner_arguments(drawn)
    np.testing.assert_array_equal(arguments["data"], draws)
    # a figure of its own: one of pyplot's would stay open for all tests that follow
    figure = corner.corner(**arguments, fig=Figure())
    assert figure.axes[-1].get_xlabel() == r"$d\;[\mathrm{kpc}]$"


def test_a_column_of_somebody_else_needs_no_label():
    plain = QTable({"a_b": np.arange(4.0)})
    assert exports.corner_arguments(plain)["labels"] == [r"$\mathrm{a_b}$"]
    assert exports.getdist_samples(plain).getParamNames().list() == ["a_b"]
    assert exports.inference_data(plain).posterior["a_b"].attrs["units"] == ""


def test_draws_of_other_parameters_are_refused():
    with pytest.raises(ValueError, match=r"shape \(5, 3\) need 4 columns"):
        exports.draws_table(PARAMETERS, np.zeros((5, 3)), {})


@pytest.mark.parametrize("make", ["getdist_samples", "inference_data"])
def test_without_the_program_the_message_says_how_to_get_it(make, drawn, monkeypatch):
    for name in ("getdist", "arviz"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"is not installed: pip install .*notebook"):
        getattr(exports, make)(drawn)


@pytest.mark.slow
def test_importing_it_imports_none_of_them():
    code = """
import sys
from orrery import exports
assert not {"getdist", "arviz", "matplotlib", "corner"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
