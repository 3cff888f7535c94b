"""Laws of the comparison with published values: what is called a miss, and what a table holds."""

import json
from pathlib import Path

import numpy as np
import pytest

from mwlmc.parameters import INFERRED
from mwlmc.study import comparison, literature, published_views, quantities
from mwlmc.study.literature import HALO_MASS, TABLE2, Published
from orrery.results.keys import is_key

ROW = "DESI, without v_tb"
MOCK = "H3+SEGUE+MagE quadrants, with v_tb"


def drawn(row, stretch=1.0, **moved):
    """Draws whose quantities have a row's medians and, roughly, its widths."""
    random, columns = np.random.default_rng(1), []
    for name, quantity in literature.QUANTITIES.items():
        if quantity.parameter:
            published = TABLE2[row][name]
            sigma = stretch * published.width / 2
            value = published.median + moved.get(quantity.parameter, 0.0) * sigma
            spread = value + sigma * random.normal(size=20_000)
            logarithm = np.log10(np.clip(spread, 0.1, None) * quantity.scale)
            columns.append(
                (quantity.parameter, logarithm if quantity.scale > 1 else spread)
            )
    by_name = dict(columns)
    return np.stack([by_name[p.name] for p in INFERRED], axis=1)


def compare_with_published(draws, row, stars="same"):
    prior = drawn(row, stretch=4.0)
    return comparison.compare_with_published(draws, row, prior, stars)[
        f"Compared with Table 2: {row}"
    ]


def judged(table):
    """What the misses are about; the speed is left out, as it is no Gaussian here."""
    return {text.partition(":")[0] for text in texts(table)} - {"v_travel"}


def texts(table):
    return [miss.text for miss in table.meta["misses"]]


@pytest.mark.parametrize("row", list(TABLE2))
def test_a_posterior_like_the_published_one_misses_nothing(row):
    assert judged(compare_with_published(drawn(row), row)) == set()


def test_a_median_beyond_its_bound_is_a_miss_with_a_reason():
    table = compare_with_published(drawn(ROW, v_z=-0.8, log10_m_lmc_50=0.3), ROW)
    assert judged(table) == {"v_z"}
    text = next(text for text in texts(table) if text.startswith("v_z"))
    assert "beyond 0.5" in text
    assert "Possible reasons" in text


@pytest.mark.parametrize("row", [ROW, "DESI, with v_tb"])
def test_the_mass_of_the_halo_is_where_the_papers_is(row):
    """Disc and bulge, 0.62e11 Msun, are 0.6 to 0.8 published sigma: another quantity."""
    near = compare_with_published(drawn(row, log10_m_mw_halo_50=0.1), row)
    assert judged(near) == set()
    far = compare_with_published(drawn(row, log10_m_mw_halo_50=0.6), row)
    assert judged(far) == {HALO_MASS}


def test_with_tangential_velocities_medians_may_be_further_off():
    row = "DESI, with v_tb"
    assert judged(compare_with_published(drawn(row, v_z=-1.0), row)) == set()
    assert judged(compare_with_published(drawn(row, v_z=-1.5), row)) == {"v_z"}


@pytest.mark.parametrize("stretch", [0.6, 1.45])
def test_an_interval_of_another_width_is_a_miss_in_forecasts_too(stretch):
    table = compare_with_published(drawn(MOCK, stretch=stretch), MOCK, "mock")
    assert judged(table) == {"v_x", "v_y", "v_z", "M_LMC(<50 kpc)", HALO_MASS}


def test_a_larger_signal_is_the_reason_of_a_wider_interval():
    table = compare_with_published(drawn(ROW, stretch=1.5, v_z=-3.0), ROW)
    wide = [
        line
        for line in texts(table)
        if line.startswith(("v_z", "v_y")) and "interval" in line
    ]
    reasons = {line[:3]: "grow with their medians" in line for line in wide}
    assert reasons == {"v_z": True, "v_y": False}


def test_the_medians_of_a_forecast_are_not_judged():
    assert (
        judged(compare_with_published(drawn(MOCK, v_z=-2.0, v_x=2.0), MOCK, "mock"))
        == set()
    )


def test_other_stars_are_not_judged():
    assert (
        compare_with_published(drawn(ROW, v_z=-3.0), ROW, "other").meta["misses"] == []
    )


def test_shifts_are_in_units_of_the_side_they_are_on():
    value = Published(10.0, 2.0, 4.0)
    assert (value.shift(12.0), value.shift(6.0), value.width) == (1.0, -1.0, 6.0)


def test_table_2_has_every_row_and_quantity():
    rows = [compare_with_published(drawn(row), row) for row in TABLE2]
    tables = comparison.joined_table2(rows)
    compact, whole = tables["Table 2"], tables["Table 2, line by line"]
    assert list(compact["data"]) == list(TABLE2)
    assert len(compact.colnames) == 1 + len(literature.QUANTITIES)
    assert len(whole) == len(TABLE2) * len(literature.QUANTITIES)
    line = whole[(whole["data"] == MOCK) & (whole["quantity"] == "v_z")][0]
    assert line["published"] == TABLE2[MOCK]["v_z"].median
    assert compact[5][4].endswith("| -25.3 +4.5 -5.4")


def test_speeds_are_those_of_the_components():
    draws = drawn(ROW)
    found = quantities.quantities(draws)
    squares = found["v_x"] ** 2 + found["v_y"] ** 2 + found["v_z"] ** 2
    np.testing.assert_allclose(found["v_travel"] ** 2, squares)


def test_published_speeds_are_those_of_their_components():
    for measured in literature.published_measurements():
        parts = [
            measured.values[name]
            for name in ("v_x", "v_y", "v_z")
            if name in measured.values
        ]
        if parts:
            speed = np.sqrt(sum(part.median**2 for part in parts))
            # printed with an apex in whole degrees
            assert abs(speed - measured.values["v_travel"].median) < 1.0
    for row in TABLE2.values():
        speed = np.sqrt(sum(row[name].median ** 2 for name in ("v_x", "v_y", "v_z")))
        assert abs(speed - row["v_travel"].median) < 1.0


def test_an_lmc_has_less_mass_within_50_kpc_than_in_total():
    within = [literature._lmc_within_50(total) for total in (5.0, 15.0, 30.0)]
    assert within == sorted(within)
    assert all(
        0.3 < part / total < 0.9
        for part, total in zip(within, (5, 15, 30), strict=True)
    )


def test_points_have_the_ends_that_are_known():
    places = published_views.published_points(
        ("v_travel", "v_x", literature.TOTAL_MASS)
    )
    for median, low, high in places.values():
        known = np.isfinite(median)
        assert known.any()
        assert (np.isfinite(low) == known).all()
        assert (low[known] <= median[known]).all()
        assert (median[known] <= high[known]).all()
    assert places["yaaqib_2024"][:, 1].tolist() == [25.2] * 3


def test_what_is_a_forecast_says_so():
    labels = [quantities.labelled(row) for row in TABLE2]
    assert [label.endswith("(forecast)") for label in labels] == [False] * 2 + [
        True
    ] * 4
    found = {row: drawn(row) for row in TABLE2}
    assert [row.label for row in published_views.constraints(found, "v_x")] == labels


def test_all_that_is_found_by_a_key_has_one():
    keys = [*map(quantities.quantity_key, literature.QUANTITIES)]
    keys += [*map(quantities.row_key, TABLE2)]
    keys += [measured.key for measured in literature.published_measurements()]
    assert all(is_key(key) for key in keys)
    assert len({*keys}) == len(keys)
    places = published_views.published_points(("v_travel",))
    assert places.keys() <= published_views.published_legend().keys()


def test_the_scatter_of_the_fit_is_what_the_benchmark_printed():
    path = Path(__file__).parents[3] / "datasets/results/benchmark_reflex_scatter.json"
    printed = json.loads(path.read_text())
    assert f"{printed['in_shell']['v_x']:.1f}" == f"{comparison.SCATTER_IN_SHELL}"
    assert f"{printed['beyond']['v_x']:.1f}" == f"{comparison.SCATTER_BEYOND}"
