"""Radial bands: boxes lie at their ends, inside their bins, and hide no other."""

import numpy as np
import pytest

from orrery.results import figures

EDGES = np.array([50.0, 60.0, 100.0])
BANDS = {
    "DESI": np.array([[10.0, 20.0], [15.0, 28.0], [22.0, 40.0]]),
    "giants": np.array([[12.0, 30.0], [18.0, 37.0], [25.0, 45.0]]),
}
PRIOR = np.array([[5.0, 10.0], [20.0, 30.0], [40.0, 60.0]])


def boxes(container):
    """Returns the left, lower, right and upper ends of a label's boxes."""
    return np.array([box.get_bbox().extents for box in container.patches])


def test_boxes_reach_from_end_to_end_within_their_bins():
    axes = figures.radial_bands(EDGES, BANDS, "v [km/s]", PRIOR).axes[0]
    drawn = {one.get_label(): boxes(one) for one in axes.containers}
    for name, ends in BANDS.items():
        np.testing.assert_allclose(drawn[name][:, [1, 3]], ends[[0, 2]].T)
        assert (drawn[name][:, 0] > EDGES[:-1]).all()
        assert (drawn[name][:, 2] < EDGES[1:]).all()
    (prior,) = drawn.keys() - BANDS.keys()
    np.testing.assert_allclose(drawn[prior][:, 0], EDGES[:-1])
    np.testing.assert_allclose(drawn[prior][:, 2], EDGES[1:])
    np.testing.assert_allclose(drawn[prior][:, [1, 3]], PRIOR[[0, 2]].T)
    assert axes.get_ylabel() == "v [km/s]"
    low, high = axes.get_ylim()
    assert low < 5.0
    assert high > 60.0


def test_no_box_covers_another():
    axes = figures.radial_bands(EDGES, BANDS, "v [km/s]").axes[0]
    first, second = (boxes(one) for one in axes.containers)
    assert (first[:, 2] <= second[:, 0] + 1e-9).all()
    hatches = {box.get_hatch() for one in axes.containers for box in one.patches}
    assert len(hatches) == 2


def test_a_line_marks_each_median():
    axes = figures.radial_bands(EDGES, {"DESI": BANDS["DESI"]}, "v [km/s]").axes[0]
    (lines,) = axes.collections
    heights = [segment[:, 1].tolist() for segment in lines.get_segments()]
    assert heights == [[15.0, 15.0], [28.0, 28.0]]


def test_others_stand_at_their_distances():
    points = {
        "beyond": np.array([40.0, np.inf, 28.0, 32.0, 36.0]),
        "at": np.array([80.0, 80.0, 31.0, 39.0, 47.0]),
    }
    axes = figures.radial_bands(EDGES, BANDS, "v [km/s]", points=points).axes[0]
    found = {one.get_label(): one for one in axes.containers}
    across, upright = found["beyond"].lines[2]
    np.testing.assert_allclose(across.get_segments()[0], [[50.0, 32.0], [100.0, 32.0]])
    np.testing.assert_allclose(upright.get_segments()[0][:, 1], [28.0, 36.0])
    assert found["at"].lines[0].get_xdata() == [80.0]
    assert axes.get_xlim() == (50.0, 100.0)


def test_what_was_measured_elsewhere_is_not_drawn_at_the_edge():
    points = {
        "further": np.array([110.0, 110.0, 31.0, 39.0, 47.0]),
        "nearer": np.array([20.0, 50.0, 28.0, 32.0, 36.0]),
        "beyond": np.array([100.0, np.inf, 28.0, 32.0, 36.0]),
        "at the edge": np.array([100.0, 100.0, 28.0, 32.0, 36.0]),
    }
    axes = figures.radial_bands(EDGES, BANDS, "v [km/s]", points=points).axes[0]
    found = {one.get_label() for one in axes.containers}
    assert found & points.keys() == {"at the edge"}


def test_bins_are_those_of_the_edges():
    with pytest.raises(ValueError, match=r"'DESI' has shape \(3, 2\) for 1 bins"):
        figures.radial_bands(EDGES[:2], BANDS, "v [km/s]")
    with pytest.raises(ValueError, match=r"'the prior' has shape"):
        figures.radial_bands(EDGES, BANDS, "v [km/s]", PRIOR[:2])
    with pytest.raises(ValueError, match="ascending"):
        figures.radial_bands(EDGES[::-1], BANDS, "v [km/s]")
    with pytest.raises(ValueError, match="at least one"):
        figures.radial_bands(EDGES, {}, "v [km/s]", PRIOR)
