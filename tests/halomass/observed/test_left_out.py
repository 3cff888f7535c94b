"""Laws of what is left out: it is named, and too much of it is refused unless it is allowed."""

import numpy as np
import pytest

from halomass.observed.left_out import LeftOut


def lacking(count, of):
    return LeftOut({f"s{i}": "v = -999" for i in range(count)}, of)


@pytest.mark.parametrize(("count", "of"), [(0, 0), (0, 4), (1, 4), (1, 5), (8, 40)])
def test_up_to_a_fifth_may_lack_something(count, of):
    lacking(count, of).check("a.csv", 0.2)


@pytest.mark.parametrize(("count", "of"), [(2, 4), (2, 5), (9, 40)])
def test_more_is_refused_unless_it_is_allowed(count, of):
    found = lacking(count, of)
    with pytest.raises(
        ValueError,
        match=rf"a.csv: {count} of {of} .*s0 \(v = -999\).* `--most-missing`",
    ):
        found.check("a.csv", 0.2)
    found.check("a.csv", 0.6)


def test_nothing_may_be_allowed_to_lack():
    with pytest.raises(ValueError, match="more than 0 %"):
        lacking(1, 100).check("a.csv", 0.0)
    with pytest.raises(
        ValueError, match=r"most_missing 1\.0 must be from 0 to below 1"
    ):
        lacking(0, 1).check("a.csv", 1.0)


def test_long_lists_are_cut_short():
    (sentence,) = lacking(30, 200).warnings
    assert sentence.endswith("s7 (v = -999) and 22 more")
    assert lacking(0, 3).warnings == ()
    assert (lacking(0, 3).counts, lacking(2, 30).counts) == ({}, {"missing": 2})


def test_only_candidates_count():
    candidates = np.array([True, True, False, True])
    incomplete = np.array([False, True, True, False])
    found = LeftOut.among(candidates, incomplete, "abcd", lambda row: f"row {row}")
    assert (dict(found.gaps), found.of) == ({"b": "row 1"}, 3)
