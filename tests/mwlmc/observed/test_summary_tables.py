"""Laws of the tables for people: uneven bins are named where they matter."""

from dataclasses import replace

import numpy as np

from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.data_vectors import vectors
from mwlmc.observed.options import Measurement, StarSelection
from mwlmc.observed.summary_tables import motions_note, summary_tables, uneven_bins
from mwlmc.sky.binning import QUADRANTS, without_and_with_v_tb


def test_stars_that_fill_their_patch_unevenly_are_named(desi, giants):
    assert [one.cell.patch for one in uneven_bins(giants)].count("q1") == 3
    assert "north" not in [one.cell.patch for one in uneven_bins(desi)]


def test_stars_drawn_as_observed_are_not_called_uneven(giants):
    drawn = Measurement(sampling="survey-like")
    tables = summary_tables(giants, drawn), summary_tables(giants)
    misses = [table["Binned velocities"].meta["misses"] for table in tables]
    assert misses == [[], [one.sentence for one in uneven_bins(giants)]]
    assert misses[1]


def test_what_was_dropped_while_stars_were_read_is_shown(giants):
    lost = {"column": "rv", "quantity": "v_los", "rule": "the sentinel 999", "rows": 3}
    checks = {"missing": [lost], "not_used": ["teff"]}
    table = replace(giants, provenance={**giants.provenance, "checks": checks})
    selection = summary_tables(table)["Selection"].meta
    said = "no v_los in 3 rows of rv: the sentinel 999; columns not used: teff"
    assert selection["metrics"]["selection.checks"] == said
    assert said in selection["caption"]
    whole = replace(giants, provenance={**giants.provenance, "checks": {}})
    assert "read: nothing." in summary_tables(whole)["Selection"].meta["caption"]


def test_a_warning_of_the_stars_is_no_line_among_others(giants):
    checks = {"notes": ["10 % is assumed"], "warnings": ["are these radians?", "far"]}
    table = replace(giants, provenance={**giants.provenance, "checks": checks})
    selection = summary_tables(table)["Selection"].meta
    assert [one.text for one in selection["misses"]] == ["are these radians?", "far."]
    assert selection["misses_are"] == "Warnings of the table"
    assert "10 % is assumed; warning: are these radians?" in selection["caption"]
    assert not summary_tables(giants)["Selection"].meta["misses"]


def test_why_there_is_one_posterior_instead_of_two_is_said(desi, giants):
    said = motions_note(giants)
    assert "SDSS K giants were binned without proper motions" in said
    assert summary_tables(giants)["Selection"].meta["caption"].endswith(said)
    assert motions_note(desi) == ""
    assert "posterior" not in summary_tables(desi)["Selection"].meta["caption"]
    left_out = ["v_tb of patch 'all' at 30-51.67 kpc"]
    few = replace(giants, provenance={**giants.provenance, "left_out": left_out})
    assert motions_note(few).endswith("all of its bins are left out.")


def test_giants_give_the_same_without_v_tb_binned_and_as_stars(
    giants, shared, clipped_once
):
    selection = StarSelection(inner=30.0, outer=160.0)
    stars = load_binned(shared / "data" / "sdss_kgiants.csv", QUADRANTS, selection)
    assert motions_note(stars) == ""
    binnings = without_and_with_v_tb(QUADRANTS)
    binned, both = (vectors(table, binnings) for table in (giants, stars))
    assert [*binned] == ["without v_tb"]
    assert [*both] == ["without v_tb", "with v_tb"]
    (_, one), (_, other) = (found["without v_tb"] for found in (binned, both))
    assert one.definition == other.definition
    np.testing.assert_allclose(one.value, other.value, rtol=1e-9)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-9)
    across = [name for name in both["with v_tb"][1].names if "v_tb" in name]
    assert (len(giants.bins), len(stars.bins), len(across)) == (11, 15, 4)
