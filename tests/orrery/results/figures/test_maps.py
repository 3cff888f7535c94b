"""Maps: longitude grows to the left, stars are at their place, regions where they are."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch
from matplotlib.path import Path

from orrery.results import figures
from orrery.results.panels import RadialCounts, SkyPanel, SkyRegion, Track


def stars(axes):
    """Returns the stars of a map: where they are `[N, 2]` and their values `[N]`."""
    scatter = axes.collections[-1]
    return scatter.get_offsets(), scatter.get_array()


def one(longitude, latitude=0.0, value=1.0, **others):
    columns = (
        np.atleast_1d(np.asarray(c, dtype=float)) for c in (longitude, latitude, value)
    )
    return SkyPanel("Simulated", *np.broadcast_arrays(*columns), **others)


def test_longitude_grows_to_the_left_from_the_centre():
    panel = one(np.radians([0.0, 30.0, 170.0, 190.0, 330.0]))
    axes = figures.sky([panel], "v [km/s]").axes[0]
    places, _ = stars(axes)
    np.testing.assert_allclose(
        places[:, 0], np.radians([0, -30, -170, 170, 30]), atol=1e-12
    )
    x = axes.transData.transform(places)[:, 0]
    assert x[2] < x[1] < x[0] < x[4] < x[3]
    named = {t.get_text(): t.get_position()[0] for t in axes.texts}
    assert named["60°"] == pytest.approx(-np.pi / 3)
    assert named["300°"] == pytest.approx(np.pi / 3)


@pytest.mark.slow
def test_a_turn_of_longitude_changes_nothing():
    one_turn, next_turn = (figures.sky([one(2.0 + a)], "v") for a in (0.0, 2 * np.pi))
    assert figures.file_content(one_turn, "png", 40) == figures.file_content(
        next_turn, "png", 40
    )


def test_every_star_is_drawn_at_its_place_with_its_value_inside_the_map(sky_panel):
    panel = sky_panel(200)
    axes = figures.sky([panel], "v [km/s]").axes[0]
    places, values = stars(axes)
    np.testing.assert_allclose(np.exp(-1j * places[:, 0]), np.exp(1j * panel.longitude))
    np.testing.assert_array_equal(places[:, 1], panel.latitude)
    np.testing.assert_array_equal(values, panel.values)
    assert axes.patch.contains_points(axes.transData.transform(places)).all()


def test_stars_without_a_value_are_left_out(sky_panel):
    panel = sky_panel(10)
    values = panel.values.copy()
    values[3] = np.nan
    figure = figures.sky([replace(panel, values=values)], "v [km/s]")
    np.testing.assert_array_equal(stars(figure.axes[0])[1], np.delete(values, 3))


def test_colours_are_symmetric_and_the_same_in_all_maps(sky_panel):
    panels = [sky_panel(40), one(1.0, 0.2, 7.0)]
    figure = figures.sky(panels, "v [km/s]", limit=50.0)
    norms = [axes.collections[-1].norm for axes in figure.axes[:2]]
    assert [(norm.vmin, norm.vmax) for norm in norms] == [(-50.0, 50.0)] * 2
    own = figures.sky(panels, "v [km/s]").axes[0].collections[-1].norm
    every = np.concatenate([panel.values for panel in panels])
    assert own.vmax == pytest.approx(np.quantile(np.abs(every), 0.95))
    assert own.vmin == -own.vmax


def test_maps_titles_and_bar_are_in_order_and_labelled(sky_panel, radial):
    figure = figures.sky(
        [sky_panel(title="A"), sky_panel(title="B, simulated")], "v [km/s]", radial
    )
    first, second, below, bar = figure.axes
    assert (first.get_title(), second.get_title()) == ("A", "B, simulated")
    assert bar.get_xlabel() == "v [km/s]"
    assert below.get_xlabel() == "Galactocentric distance [kpc]"


def test_a_region_is_shaded_where_it_is():
    latitude, longitude = np.meshgrid(
        np.arange(-90, 91, 5), np.arange(-180, 181, 5), indexing="ij"
    )
    north_west = (latitude >= 20) & (longitude >= 30) & (longitude <= 90)
    panel = one(0.0, regions=(SkyRegion("here", north_west),))
    axes = figures.sky([panel], "v [km/s]").axes[0]
    area = Path.make_compound_path(*axes.collections[0].get_paths())
    inside = area.contains_points(
        -np.radians([[60.0, -45.0], [60.0, -80.0], [300.0, -45.0]])
    )
    assert inside.tolist() == [True, True, False]
    assert not area.contains_point(-np.radians([60.0, 10.0]))


def test_a_path_ends_in_a_star_and_never_crosses_the_map():
    longitude = np.radians([150.0, 170.0, 190.0, 210.0])
    track = Track("LMC", longitude, np.full(4, -0.5))
    axes = figures.sky([one(0.0, tracks=(track,))], "v [km/s]").axes[0]
    dashed = [line.get_xdata() for line in axes.lines if line.get_linestyle() == "--"]
    assert [len(x) for x in dashed] == [2, 2]
    assert all((np.abs(np.diff(x)) < 1.0).all() for x in dashed)
    (today,) = [line for line in axes.lines if line.get_marker() == "*"]
    np.testing.assert_allclose(today.get_xydata(), [[np.radians(150.0), -0.5]])
    shown = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert shown == ["LMC today", "LMC, past path"]


def test_counts_have_their_edges_and_the_colour_of_their_region(sky_panel, radial):
    figure = figures.sky([sky_panel()], "v [km/s]", radial)
    below = figure.axes[1]
    steps = [patch for patch in below.patches if isinstance(patch, StepPatch)]
    for item, step in zip(radial, steps, strict=True):
        np.testing.assert_array_equal(step.get_data().values, item.counts)
        np.testing.assert_array_equal(step.get_data().edges, item.edges)
    region = figure.axes[0].collections[0].get_facecolor()[0]
    assert to_hex(region) == to_hex(steps[0].get_edgecolor())
    assert to_hex(region) != to_hex(steps[1].get_edgecolor())
    low, high = below.get_ylim()
    assert low < 1 < 7 < high
    shown = [text.get_text() for text in below.get_legend().get_texts()]
    assert shown == ["DESI, North", "DESI, South"]


@pytest.mark.slow
@pytest.mark.parametrize("style", ["page", "mnras"])
def test_the_legend_of_counts_hides_none_of_them(sky_panel, style):
    edges = np.array([30.0, 50.0, 90.0, 130.0])
    growing = np.array([3, 70, 900])
    counts = tuple(
        RadialCounts(survey, "everywhere", edges, growing)
        for survey in ("DESI", "H3+SEGUE+MagE", "SDSS")
    )
    drawn = figures.sky((sky_panel(),), "v [km/s]", counts)
    figure, _ = figures.presented(drawn, style)
    FigureCanvasAgg(figure).draw()
    (below,) = [axes for axes in figure.axes if axes.get_yscale() == "log"]
    assert not below.get_legend().get_window_extent().overlaps(below.bbox)


def test_maps_refuse_what_they_cannot_draw():
    with pytest.raises(ValueError, match="at least one map with a star"):
        figures.sky([], "v")
    with pytest.raises(ValueError, match="at least one map with a star"):
        figures.sky([one(0.0, value=np.nan)], "v")
    with pytest.raises(ValueError, match=r"'A'.*one value for each point"):
        SkyPanel("A", np.zeros(3), np.zeros(3), np.zeros(2))
    with pytest.raises(
        ValueError, match="'A' has latitudes beyond a pole: give radians"
    ):
        SkyPanel("A", np.zeros(1), np.array([45.0]), np.zeros(1))
    with pytest.raises(ValueError, match=r"'LMC'.*one value for each point"):
        Track("LMC", np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match=r"'North'.*grid of latitudes"):
        SkyRegion("North", np.zeros(5, dtype=bool))
    with pytest.raises(ValueError, match="2 counts need one more edge"):
        RadialCounts("DESI", "North", np.array([30.0, 40.0]), np.array([1, 2]))
