"""Comparisons: ours, published and prior intervals lie at their numbers."""

import numpy as np
import pytest

from orrery.parameters import generator
from orrery.results import figures
from orrery.results.panels import Band, Constraint


def test_running_median_of_a_straight_line_is_the_line():
    x = generator(7).permutation(np.arange(1000.0))
    line = figures.relation(x, 2 * x, ("x", "y")).axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(line[:, 1], 2 * line[:, 0])
    assert len(line) == 10
    assert (np.diff(line[:, 0]) > 0).all()


BAND = Band("Someone (2024)", (33.0, 40.0, 47.0))


def test_bars_reach_from_end_to_end_and_rows_run_downwards(rows):
    axes = figures.intervals(rows, "v [km/s]").axes[0]
    ours, published = axes.containers
    bars = np.array(ours.lines[2][0].get_segments())
    np.testing.assert_allclose(bars[:, :, 0], [[14.0, 28.0], [25.0, 36.0]])
    np.testing.assert_array_equal(ours.lines[0].get_xdata(), [20.0, 30.0])
    np.testing.assert_allclose(
        published.lines[2][0].get_segments()[0][:, 0], [13.0, 30.0]
    )
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        row.label for row in rows
    ]
    heights = axes.transData.transform(ours.lines[0].get_xydata())[:, 1]
    assert (np.diff(heights) < 0).all()
    assert axes.get_xlabel() == "v [km/s]"


def test_ours_is_filled_and_published_open_and_below(rows):
    axes = figures.intervals(rows, "v [km/s]").axes[0]
    ours, published = (container.lines[0] for container in axes.containers)
    assert ours.get_markerfacecolor() == ours.get_color()
    assert published.get_markerfacecolor() == "white"
    above, below = (
        axes.transData.transform(line.get_xydata()[0])[1] for line in (ours, published)
    )
    assert above > below


def test_numbers_beside_the_rows_are_ours(rows):
    axes = figures.intervals(rows, "v [km/s]").axes[0]
    assert [text.get_text() for text in axes.texts] == [
        figures.interval(*r.ours) for r in rows
    ]


def test_bands_and_prior_lie_at_their_ends_inside_the_axes(rows):
    axes = figures.intervals(rows, "v [km/s]", [BAND], (17.0, 60.0)).axes[0]
    (patch,) = axes.patches
    np.testing.assert_array_equal(
        patch.get_extents().transformed(axes.transData.inverted()).intervalx,
        [33.0, 47.0],
    )
    dashed = [
        line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"
    ]
    assert dashed == [17.0, 60.0]
    low, high = axes.get_xlim()
    assert low < 13.0
    assert high > 60.0
    shown = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert shown[:2] == ["Someone (2024)", "prior, 16-84 %"]
    assert len(shown) == 4


def test_bands_differ_in_more_than_colour(rows):
    bands = [
        Band(f"Someone ({year})", (30.0, 40.0, 50.0)) for year in range(2020, 2026)
    ]
    patches = figures.intervals(rows, "v [km/s]", bands).axes[0].patches
    assert len({patch.get_hatch() for patch in patches}) == 6


@pytest.mark.parametrize("ends", [(3.0, 2.0, 4.0), (1.0, 2.0, np.nan), (1.0, 2.0)])
def test_intervals_must_ascend(ends):
    with pytest.raises(ValueError, match=r"'DESI'.*ascending"):
        Constraint("DESI", ends)
    with pytest.raises(ValueError, match=r"'DESI, published'.*ascending"):
        Constraint("DESI", (1.0, 2.0, 3.0), ends)
    with pytest.raises(ValueError, match=r"'DESI'.*ascending"):
        Band("DESI", ends)


def test_intervals_need_rows_and_a_prior_that_ascends(rows):
    with pytest.raises(ValueError, match="at least one row"):
        figures.intervals((), "v [km/s]")
    with pytest.raises(ValueError, match=r"prior \(4\.0, 3\.0\)"):
        figures.intervals(rows, "v [km/s]", prior=(4.0, 3.0))


@pytest.mark.parametrize("style", ["page", "mnras", "apj", "talk"])
def test_the_legend_of_a_relation_hides_none_of_its_draws(style):
    mass = generator(5).uniform(1, 10, 500)
    points = {f"Table 2, {i} and {2 * i}": (i, 2.0 * i) for i in range(2, 7)}
    drawn = figures.relation(mass, 10 - mass, ("mass", "speed"), points)
    figure, box = figures.presented(drawn, style)
    (legend,) = figure.legends
    inside, found = figure.axes[0].get_window_extent(), legend.get_window_extent()
    assert not inside.overlaps(found)
    # all of it is in the picture
    seen = box.extents * figure.dpi
    assert seen[0] <= found.x0 < found.x1 <= seen[2]
    assert seen[1] <= found.y0
    assert len(legend.get_texts()) == 6
