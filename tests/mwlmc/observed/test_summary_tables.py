"""Laws of the tables for people: uneven bins are named where they matter."""

from mwlmc.observed.data_vectors import Measurement
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
