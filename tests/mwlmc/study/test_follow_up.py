"""Laws of what is printed of draws: units, intervals, and the published values beside them."""

import numpy as np
import pytest

from mwlmc.model import total_masses
from mwlmc.model.reflex_shells import ReflexShells
from mwlmc.study import follow_up
from mwlmc.study.follow_up import FOLLOW_UP
from mwlmc.study.inferred_quantities import InferredQuantities
from mwlmc.study.literature import HALO_MASS
from mwlmc.study.mass_ratio import mass_ratio
from orrery.parameters import generator

WANTED = InferredQuantities(
    ("log10_m_mw_halo_50", "log10_m_lmc_50", "beta0", "r_dehnen"),
    ReflexShells((80.0, 120.0)),
)
TOLD = {HALO_MASS: 3.36e11, "M_LMC(<50 kpc)": 8.76e10}


@pytest.fixture(scope="module")
def draws():
    middle = [*np.log10([3.36e11, 8.76e10]), 0.68, 12.0, 3.0, 0.0, -4.0]
    width = [0.02, 0.08, 0.03, 1.0, 0.1, 0.1, 0.1]
    return middle + generator(7).normal(size=(4000, 7)) * width


@pytest.fixture(scope="module")
def values(draws):
    return follow_up.follow_up_quantities(draws, WANTED, 235.0)


def test_masses_are_no_logarithms_and_the_speed_is_a_length(draws, values):
    np.testing.assert_allclose(1e11 * values[HALO_MASS], 10 ** draws[:, 0])
    np.testing.assert_allclose(1e10 * values["M_LMC(<50 kpc)"], 10 ** draws[:, 1])
    np.testing.assert_allclose(
        values["v_travel"] ** 2, np.square(draws[:, 4:]).sum(axis=1)
    )
    np.testing.assert_array_equal(values["beta0"], draws[:, 2])
    inferred = np.pad(draws[:, :2], ((0, 0), (0, 4)))
    np.testing.assert_allclose(
        values[follow_up.MASS_RATIO], mass_ratio(inferred, 235.0)
    )
    assert [follow_up.unit_of(name) for name in values] == [
        *("km / s", "1e11 solMass", "1e10 solMass", "", "", "kpc")
    ]


def test_the_table_has_the_published_values_and_the_relative_errors(values):
    table = follow_up.follow_up_table({"a": values}, (80.0, 120.0))[
        "Means and dispersions"
    ]
    assert list(table["quantity"]) == list(values)
    lines = {line["quantity"]: line for line in table}
    for name, published in FOLLOW_UP.items():
        assert lines[name]["published"] == published.median
        assert lines[name]["shift"] == published.shift(lines[name]["median"])
    # draws of a normal logarithm: 0.02 dex are 4.6 %
    assert lines[HALO_MASS]["relative_error"] == pytest.approx(0.046, rel=0.05)
    assert lines["beta0"]["half_width"] == pytest.approx(0.03, rel=0.05)
    assert np.isnan(lines["r_dehnen"]["published"])
    assert sorted(table.meta["shows"]) == sorted(table.meta["metrics"])
    assert follow_up.PUBLISHED.items() <= table.meta["metrics"].items()


@pytest.mark.parametrize(
    ("edges", "is_compared"),
    [((80.0, 120.0), True), ((100.0, 130.0), True), ((50.0, 60.0), False)],
)
def test_travel_velocities_against_other_stars_are_not_compared(
    values, edges, is_compared
):
    table = follow_up.follow_up_table({"a": values}, edges)["Means and dispersions"]
    lines = {line["quantity"]: line for line in table}
    assert np.isfinite(lines["v_travel"]["published"]) == is_compared
    assert np.isfinite(lines["v_travel"]["shift"]) == is_compared
    assert lines[HALO_MASS]["published"] == FOLLOW_UP[HALO_MASS].median
    assert f"at {edges[0]:g} to {edges[1]:g} kpc" in table.meta["caption"]


def test_the_published_ratio_is_what_the_published_masses_have_in_our_profiles():
    """Both papers say "at least": the medians' ratio is above that."""
    lmc = total_masses.lmc_total(np.array([TOLD["M_LMC(<50 kpc)"]]))
    m200 = total_masses.milky_way_m200(np.array([TOLD[HALO_MASS]]))
    least = follow_up.PUBLISHED["published.brooks_2026.least_mass_ratio"]
    assert lmc / m200 > least


def test_answers_have_stable_keys_and_the_prior_of_the_same_quantity(values):
    before = {name: column - 1.0 for name, column in values.items()}
    found = follow_up.follow_up_answers("sdss_desi", "Both", values, before)
    assert [one.key for one in found] == [
        f"posterior.sdss_desi.{name}"
        for name in (
            *("v_travel", "m_mw_halo_50", "m_lmc_50"),
            *("mass_ratio", "beta0", "r_dehnen"),
        )
    ]
    assert all(one.lower < one.median < one.upper for one in found)
    for one in found:
        assert one.prior == pytest.approx((one.lower - 1.0, one.upper - 1.0))


def test_fewer_quantities_print_fewer(draws):
    some = InferredQuantities(("beta0",))
    found = follow_up.follow_up_quantities(draws[:, 2:3], some, 235.0)
    assert list(found) == ["beta0"]
