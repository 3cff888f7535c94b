"""Figures of checks: bands are as wide as chance, and wrong posteriors leave them."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import stats

from orrery.results import figures
from orrery.results.figures import style


def band_at_half(curves):
    band = figures.coverage(curves).axes[0].collections[1]
    path = band.get_paths()[0].vertices
    half = path[np.isclose(path[:, 0], 0.5), 1]
    return half.min(), half.max()


@pytest.mark.slow
def test_coverage_band_is_binomial(coverages):
    low, high = band_at_half(coverages(100))
    inside = stats.binom.cdf(high * 100, 100, 0.5) - stats.binom.cdf(
        low * 100 - 1, 100, 0.5
    )
    assert 0.68 <= inside < 0.8
    narrow = np.subtract(*band_at_half(coverages(10000))[::-1])
    assert narrow / (high - low) == pytest.approx(0.1, rel=0.1)


def test_coverage_of_a_right_posterior_lies_in_the_band_and_of_a_narrow_one_below_it(
    coverages,
):
    axes = figures.coverage(coverages(1000)).axes[0]
    right, narrow, _ = (line.get_xydata() for line in axes.lines)
    low, high = stats.binom.ppf((0.0005, 0.9995), 1000, 0.75) / 1000
    assert low < np.interp(0.75, *right.T) < high
    assert np.interp(0.75, *narrow.T) < low


def test_six_coverages_have_a_legend_that_is_not_cut_and_leaves_room(coverages):
    one = coverages()["flow"]
    labels = [f"survey of giants, quadrants, number {i}" for i in range(6)]
    figure = figures.coverage(dict.fromkeys(labels, one))
    FigureCanvasAgg(figure).draw()
    box, axes = figure.legends[0].get_window_extent(), figure.axes[0]
    assert len(figure.legends[0].get_texts()) == 7
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert 0 <= box.y0 < box.y1 < axes.get_tightbbox().y0 + 2
    assert axes.get_window_extent().height > 0.5 * figure.bbox.height
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines[:-1]}
    assert len(looks) == 6


def test_curves_of_one_survey_have_one_colour(coverages):
    one = coverages()["flow"]
    labels = [
        f"{survey}, {kind} v_tb" for survey in "ABC" for kind in ("without", "with")
    ]
    axes = figures.coverage(dict.fromkeys(labels, one)).axes[0]
    colours = [line.get_color() for line in axes.lines[:6]]
    assert colours[::2] == colours[1::2]
    assert len({*colours}) == 3
    dashes = [line.get_linestyle() for line in axes.lines[:6]]
    assert all(
        first != second for first, second in zip(dashes[::2], dashes[1::2], strict=True)
    )


def test_ranks_show_each_parameter_with_its_band(rank_results, parameters):
    figure = figures.ranks(rank_results, parameters[:2])
    assert len(figure.axes) == 2
    line = figure.axes[1].lines[1]
    np.testing.assert_array_equal(
        line.get_ydata(), rank_results["flow"].difference[:, 1]
    )
    band = figure.axes[1].collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == rank_results["flow"].upper.max()
    assert band.min() == rank_results["flow"].lower.min()
    assert (
        f"KS $p$ = {rank_results['flow'].ks_pvalue[1]:.2g},"
        in figure.axes[1].get_title()
    )


def looks(axes):
    """Returns colour and dashes of each line that a legend names."""
    return {
        line.get_label().split(":")[0]: (line.get_color(), line.get_linestyle())
        for line in axes.lines
    }


@pytest.mark.slow
def test_a_posterior_has_one_colour_in_all_figures_and_its_control_is_grey(
    coverages, rank_results, parameters, draws, curve
):
    judged, copy = "DESI, with v", "negative control, 0.7 as wide"
    # a file of a run has its keys in alphabetical order, where the control comes first
    covered = {copy: coverages()["flow"], judged: coverages()["flow"]}
    ranked = {copy: rank_results["flow"], judged: rank_results["flow"]}
    tarp = looks(figures.coverage(covered).axes[0])
    sbc = looks(figures.ranks(ranked, parameters[:2]).axes[0])
    trained = looks(figures.training_curve({judged: curve}).axes[0])
    corner = figures.corner({judged: draws(0)}, parameters)
    (handle,) = corner.legends[0].legend_handles
    assert tarp[judged] == sbc[judged] == (handle.get_color(), "-")
    assert trained[f"{judged}, validation"] == tarp[judged]
    assert tarp[copy] == sbc[copy] == (style.GREY, "--")


def test_pvalues_in_titles_stand_in_the_order_of_the_legend(rank_results, parameters):
    flow, narrow = rank_results["flow"], rank_results["narrow"]
    ranked = {"negative control": narrow, "posterior": flow}
    figure = figures.ranks(ranked, parameters[:2])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["posterior", "negative control"]
    pvalues = f"{flow.ks_pvalue[0]:.2g}, {narrow.ks_pvalue[0]:.2g}"
    assert figure.axes[0].get_title().endswith(f"KS $p$ = {pvalues}")


def test_the_judged_curve_is_read_first_and_not_the_diagonal(coverages):
    covered = coverages()
    figure = figures.coverage({"negative control": covered["flow"], **covered})
    (one,) = figures.axes_in_picture(figure, figures.settle(figure))
    assert one["curves"][0]["name"].startswith("flow")
    assert len(one["curves"][0]["x"]) > 10


def test_best_epoch_is_marked_and_named(curve):
    axes = figures.training_curve({"flow": curve}).axes[0]
    np.testing.assert_array_equal(axes.lines[2].get_xydata(), [[2, 1.9]])
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["flow, training", "flow, validation", "best epoch"]


def test_best_epochs_of_members_are_named_once_and_read_apart(curve):
    figure = figures.training_curve({"flow": curve, "flow, member 1": curve})
    legend = figure.axes[0].get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert len(names) == 5
    assert names[-1] == "best epoch"
    (one,) = figures.axes_in_picture(figure, figures.settle(figure))
    read = [one["name"] for one in one["curves"] if not one["joined"]]
    assert read == ["flow, best epoch", "flow, member 1, best epoch"]
