"""Laws of the tables for people: uneven bins are named where they matter."""

from mwlmc.observed.data_vectors import Measurement
from mwlmc.observed.summary_tables import summary_tables, uneven_bins


def test_stars_that_fill_their_patch_unevenly_are_named(desi, giants):
    lines = uneven_bins(giants)
    assert sum("'q1'" in line for line in lines) == 3
    assert not any("'north'" in line for line in uneven_bins(desi))


def test_stars_drawn_as_observed_are_not_called_uneven(giants):
    drawn = Measurement(sampling="survey-like")
    tables = summary_tables(giants, drawn), summary_tables(giants)
    misses = [table["Binned velocities"].meta["misses"] for table in tables]
    assert misses == [[], uneven_bins(giants)]
    assert misses[1]
