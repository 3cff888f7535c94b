"""Figures of bins: bands and violins hold the quantiles they promise, points are at their place."""

import numpy as np
import pytest

from orrery.judging.distributions import quantile_bands
from orrery.parameters import generator
from orrery.results import figures
from orrery.results.panels import Panel


def test_bands_are_the_quantiles_of_the_simulations(panels, observation):
    x = generator(6).normal(size=(5000, 6)) * np.arange(1, 7)
    figure = figures.profiles(panels, observation(), {"prior": quantile_bands(x)})
    wide, narrow = np.split(
        np.array([p.get_bbox().extents for p in figure.axes[1].patches]), 2
    )
    np.testing.assert_allclose(narrow[:, 1], np.quantile(x[:, 3:], 0.16, axis=0))
    np.testing.assert_allclose(wide[:, 3], np.quantile(x[:, 3:], 0.975, axis=0))
    np.testing.assert_array_equal(wide[:, [0, 2]], panels[1].bins)
    assert (wide[:, 1] < narrow[:, 1]).all()


def test_observed_points_have_their_errors(panels, observation):
    figure = figures.profiles(panels, observation(), {})
    (container,) = figure.axes[1].containers
    bars = np.array(container.lines[2][0].get_segments())
    np.testing.assert_allclose(
        bars[:, 1, 1] - bars[:, 0, 1], 2 * np.array([4.0, 5.0, 6.0])
    )
    np.testing.assert_array_equal(
        container.lines[0].get_xydata()[:, 0], [35.0, 45.0, 75.0]
    )


@pytest.mark.slow
def test_bins_without_stars_have_no_band(panels, observation):
    x = generator(6).normal(size=(50, 6))
    x[:, 1] = np.nan
    x[:20, 2] = np.nan
    x[:, 3:] = np.nan
    figure = figures.profiles(panels, observation(), {"prior": quantile_bands(x)})
    assert [len(axes.patches) for axes in figure.axes] == [4, 0]
    figures.file_content(figure, "png", 40)


def test_profiles_refuse_another_binning(panels, observation):
    with pytest.raises(ValueError, match="same binning"):
        figures.profiles(panels, observation(), {"prior": np.zeros((5, 7))})
    with pytest.raises(ValueError, match="'e5'"):
        figures.profiles(panels, observation(5), {})
    with pytest.raises(ValueError, match="one name for each bin"):
        Panel("North", "v", ((30, 40),), ("e0", "e1"))
    with pytest.raises(ValueError, match="at least one panel"):
        figures.profiles((), observation(), {})


# --- measurements of several surveys ---------------------------------------------------------


def points(axes):
    return [container.lines[0].get_xydata() for container in axes.containers]


def test_surveys_stand_beside_each_other_in_order_inside_the_bin(panels, observation):
    surveys = [observation(name=name) for name in ("a", "b", "c")]
    axes = figures.measurements(panels, surveys).axes[1]
    x = np.array([place[:, 0] for place in points(axes)])
    assert (np.diff(x, axis=0) > 0).all()
    low, high = np.array(panels[1].bins).T
    assert ((x > low) & (x < high)).all()
    np.testing.assert_allclose(x.mean(axis=0), (low + high) / 2)
    assert axes.get_legend_handles_labels()[1] == ["a", "b", "c"]


def test_measurements_have_their_values_and_errors_inside_the_axes(panels, observation):
    axes = figures.measurements(panels, [observation()]).axes[1]
    np.testing.assert_array_equal(points(axes)[0][:, 1], [3.0, 4.0, 5.0])
    bars = np.array(axes.containers[0].lines[2][0].get_segments())
    np.testing.assert_allclose(
        bars[:, 1, 1] - bars[:, 0, 1], 2 * np.array([4.0, 5.0, 6.0])
    )
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    assert ((bars[..., 0] > left) & (bars[..., 0] < right)).all()
    assert ((bars[..., 1] > low) & (bars[..., 1] < high)).all()


def test_a_survey_shows_only_what_it_has_and_looks_the_same_everywhere(
    panels, observation
):
    figure = figures.measurements(panels, [observation(3, "north only"), observation()])
    assert [len(axes.containers) for axes in figure.axes] == [2, 1]
    both, alone = (axes.containers[-1].lines[0] for axes in figure.axes)
    assert (both.get_color(), both.get_marker()) == (
        alone.get_color(),
        alone.get_marker(),
    )
    np.testing.assert_array_equal(points(figure.axes[1])[0][:, 0], [35.0, 45.0, 75.0])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["north only", "stars"]


def test_measurements_refuse_what_they_cannot_show(panels, observation):
    with pytest.raises(ValueError, match="'elsewhere' has no entry in any panel"):
        figures.measurements(panels, [observation(), observation(2, "elsewhere", 9)])
    with pytest.raises(ValueError, match=r"'e5'.*no observation"):
        figures.measurements(panels, [observation(5)])


# --- violins ---------------------------------------------------------------------------------


def predictions(seed=6):
    return 10.0 + generator(seed).normal(size=(2000, 6)) * np.arange(1, 7)


def bars(axes):
    """Returns the ends of the thick bars `[V, 2]` and their places `[V]`."""
    segments = [
        c.get_segments()[0] for c in axes.collections if hasattr(c, "get_segments")
    ]
    return np.array(segments)[:, :, 1], np.array(segments)[:, 0, 0]


def outlines(axes):
    return [
        c.get_paths()[0].vertices
        for c in axes.collections
        if not hasattr(c, "get_segments") and c.get_paths()  # the legend's has no path
    ]


def test_violins_hold_the_quantiles_of_the_predictions(panels, observation):
    x = predictions()
    axes = figures.violins(panels, {"a": observation()}, {"a": x}).axes[1]
    np.testing.assert_allclose(
        bars(axes)[0].T, np.quantile(x[:, 3:], (0.16, 0.84), axis=0)
    )
    ends = np.array([(o[:, 1].min(), o[:, 1].max()) for o in outlines(axes)])
    np.testing.assert_allclose(ends.T, np.quantile(x[:, 3:], (0.005, 0.995), axis=0))
    medians = [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "_"]
    np.testing.assert_allclose(medians, np.median(x[:, 3:], axis=0))


def test_violins_stay_in_their_bins_and_surveys_on_their_sides(panels, observation):
    surveys = {"left": observation(), "right": observation()}
    axes = figures.violins(
        panels, surveys, {"left": predictions(), "right": predictions(7)}
    ).axes[0]
    left, right = np.split(np.array(outlines(axes)), 2)
    low, high = np.array(panels[0].bins, dtype=float).T
    middle = (low + high) / 2
    np.testing.assert_array_equal(left[..., 0].max(axis=1), middle)
    np.testing.assert_array_equal(right[..., 0].min(axis=1), middle)
    assert (left[..., 0].min(axis=1) > low).all()
    assert (right[..., 0].max(axis=1) < high).all()


def test_every_observed_value_is_drawn_over_its_violin_and_inside_the_axes(
    panels, observation
):
    far = observation()
    far.value[:] = np.arange(6) * 100.0
    figure = figures.violins(
        panels, {"a": far}, {"a": predictions()}, {"a": np.full(6, 0.1)}
    )
    for axes, value in zip(figure.axes, np.split(far.value, 2), strict=True):
        (line,) = [line for line in axes.lines if line.get_label() == "a, observed"]
        np.testing.assert_array_equal(line.get_xydata().T, [[35.0, 45.0, 75.0], value])
        low, high = axes.get_ylim()
        assert low < value.min() < value.max() < high


def test_tail_probabilities_stand_under_their_bins(panels, observation):
    tails = np.array([0.5, 0.001, np.nan, 0.25, 0.999, 1.0])
    figure = figures.violins(
        panels, {"a": observation()}, {"a": predictions()}, {"a": tails}
    )
    shown = [
        [(t.get_position()[0], t.get_text()) for t in axes.texts]
        for axes in figure.axes
    ]
    assert shown[0] == [(35.0, "0.50"), (45.0, "<0.01")]
    assert shown[1] == [(35.0, "0.25"), (45.0, "1.00"), (75.0, "1.00")]
    axes = figure.axes[0]
    lowest = min(outline[:, 1].min() for outline in outlines(axes))
    assert axes.transLimits.transform((35.0, lowest))[1] > 0.08


@pytest.mark.slow
def test_bins_without_predictions_have_no_violin(panels, observation):
    x = predictions()
    x[:, 1] = np.nan
    x[1:, 3] = np.nan
    x[:1000, 4] = np.nan
    figure = figures.violins(panels, {"a": observation()}, {"a": x})
    assert [len(outlines(axes)) for axes in figure.axes] == [2, 2]
    np.testing.assert_allclose(
        bars(figure.axes[1])[0][1], np.quantile(x[1000:, 4], (0.16, 0.84))
    )
    figures.file_content(figure, "png", 40)


def test_violins_refuse_what_does_not_belong_together(panels, observation):
    one, x = {"a": observation()}, predictions()
    with pytest.raises(ValueError, match="one or two labels"):
        figures.violins(panels, one, {"b": x})
    with pytest.raises(ValueError, match="one or two labels"):
        figures.violins(panels, dict.fromkeys("abc", one["a"]), dict.fromkeys("abc", x))
    with pytest.raises(
        ValueError, match=r"\(2000, 5\).*6 entries: use the same binning"
    ):
        figures.violins(panels, one, {"a": x[:, :5]})
    with pytest.raises(ValueError, match=r"tail probabilities of shape \(3,\)"):
        figures.violins(panels, one, {"a": x}, {"a": np.zeros(3)})
    with pytest.raises(ValueError, match=r"tail probabilities of \['b'\]"):
        figures.violins(panels, one, {"a": x}, {"b": np.zeros(6)})
