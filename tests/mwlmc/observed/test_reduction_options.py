"""Laws of the options with which stars are binned: each counts, or is refused."""

import pytest

from mwlmc.observed.reduction_options import (
    chosen_binning,
    chosen_selection,
    parser,
)


def parsed(*words):
    return parser().parse_args([words[0], "stars.csv", "out.ecsv", *words[1:]])


def test_options_of_proper_motions_are_refused_where_none_is_binned():
    with pytest.raises(ValueError, match=r"45 would be ignored.*add --proper-motions"):
        chosen_selection(parsed("quadrants", "--largest-motion-error", "45"))
    edges = ("desi", "--v-tb-edges", "35,60,80")
    with pytest.raises(ValueError, match=r"would be ignored.*--no-proper-motions"):
        chosen_binning(parsed(*edges, "--no-proper-motions"))
    across = parsed("quadrants", "--largest-motion-error", "45", "--proper-motions")
    assert chosen_selection(across).largest_motion_error == 45.0
    assert len(chosen_binning(parsed(*edges)).select(("v_tb",)).bins) == 2
