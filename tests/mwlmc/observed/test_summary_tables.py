"""Laws of the tables for people: uneven bins are named where they matter."""

from dataclasses import replace

from mwlmc.observed.options import Measurement
from mwlmc.observed.summary_tables import summary_tables, uneven_bins


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
