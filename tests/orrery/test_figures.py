"""Figures: what is drawn is what was given, and drawing leaves nothing behind."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from scipy import stats

from orrery import diagnostics, figures
from orrery.parameters import Parameter, generator
from orrery.records import Observation
from orrery.training import Curve

PARAMETERS = (
    Parameter("log10_m_mw_50", "dex(solMass)", r"$\log_{10} M_\mathrm{MW}(<50\,\mathrm{kpc})$"),
    Parameter("v_z", "km / s", "$v_z$"),
    Parameter("log10_lambda_df", "", r"$\log_{10}\lambda_\mathrm{DF}$"),
)
MEAN = np.array([11.6, -20.0, 0.0])


def gaussian(seed, count=2000):
    return MEAN + np.array([0.1, 5.0, 0.5]) * generator(seed).normal(size=(count, 3))


def observation(size=6):
    names = tuple(f"e{i}" for i in range(size))
    covariance = np.diag(np.arange(1.0, size + 1) ** 2)
    return Observation(
        "stars", names, ("km / s",) * size, np.arange(size) * 1.0, covariance, "", {}
    )


PANELS = (
    figures.Panel("North", "mean [km/s]", ((30, 40), (40, 50), (60, 90)), ("e0", "e1", "e2")),
    figures.Panel("South", "mean [km/s]", ((30, 40), (40, 50), (60, 90)), ("e3", "e4", "e5")),
)


def curve():
    return Curve(train=(3.0, 2.0, 1.0, 0.9), validation=(3.1, 2.2, 1.9, 2.0))


def calibrated(tests=200, width=1.0):
    """Returns draws and truths of a posterior that is right if its width is one."""
    middle = 3 * generator(3, 0).normal(size=(tests, 2))
    theta = middle + generator(3, 1).normal(size=(tests, 2))
    return middle + width * generator(3, 2).normal(size=(100, tests, 2)), theta


def curves(tests=200):
    widths = {"flow": 1.0, "narrow": 0.5}
    return {name: diagnostics.tarp(*calibrated(tests, w), seed=0) for name, w in widths.items()}


def rank_results():
    widths = {"flow": 1.0, "narrow": 0.5}
    return {name: diagnostics.sbc_ranks(*calibrated(200, w), seed=0) for name, w in widths.items()}


def every_figure():
    x = generator(4).normal(size=(300, 6))
    point = {"Published": np.array([11.65, -18.0, np.nan])}
    m = generator(5).uniform(1, 10, 500)
    return {
        "corner": figures.corner(
            {"a": gaussian(0), "b": gaussian(1)}, PARAMETERS, gaussian(2), point
        ),
        "profiles": figures.profiles(PANELS, observation(), {"prior": x, "posterior": x / 2}),
        "coverage": figures.coverage(curves()),
        "ranks": figures.ranks(rank_results(), PARAMETERS[:2]),
        "training": figures.training_curve({"flow": curve()}),
        "relation": figures.relation(m, m, ("mass [$M_\\odot$]", "v [km/s]"), {"P": (5.0, 5.0)}),
    }


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_figures_leave_no_global_state():
    before = dict(matplotlib.rcParams)
    every_figure()
    assert dict(matplotlib.rcParams) == before
    assert matplotlib.pyplot.get_fignums() == []


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_same_figure_gives_the_same_file(kind):
    x = generator(4).normal(size=(300, 6))
    pairs = [
        [figures.corner({"a": gaussian(0)}, PARAMETERS) for _ in range(2)],
        [figures.profiles(PANELS, observation(), {"prior": x}) for _ in range(2)],
    ]
    for first, second in pairs:
        assert figures.encode(first, kind, 40) == figures.encode(second, kind, 40)


@pytest.mark.parametrize(
    "name", ["corner", "profiles", "coverage", "ranks", "training", "relation"]
)
def test_titles_labels_and_legends_do_not_overlap(name):
    figure = every_figure()[name]
    FigureCanvasAgg(figure).draw()
    drawn = [
        text
        for axes in figure.axes
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts)
        if text.get_text()
    ]
    boxes = [item.get_window_extent() for item in [*drawn, *figure.legends]]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_corner_does_not_depend_on_the_order_of_draws():
    draws = gaussian(0)
    one = figures.corner({"a": draws}, PARAMETERS, gaussian(2))
    other = figures.corner({"a": draws[::-1]}, PARAMETERS, gaussian(2))
    assert figures.encode(one, "png", 40) == figures.encode(other, "png", 40)


def test_corner_shows_units_medians_and_names():
    shown = texts(figures.corner({"DESI": MEAN + np.zeros((50, 3))}, PARAMETERS, gaussian(2)))
    assert "DESI" in shown
    assert "prior" in shown
    assert "$v_z$\n[km/s]" in shown
    assert "$-20.00^{+0.00}_{-0.00}$" in shown


def test_corner_without_unit_or_prior_says_neither():
    shown = texts(figures.corner({"DESI": gaussian(0)}, PARAMETERS))
    assert "prior" not in shown
    assert PARAMETERS[2].label in shown


def test_published_point_lies_where_it_belongs():
    point = np.array([11.65, -18.0, 0.2])
    figure = figures.corner({"a": gaussian(0)}, PARAMETERS, points={"Published": point})
    places = [line.get_xydata()[0] for line in figure.axes[3].lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(places, [point[:2]])


@pytest.mark.parametrize("draws", [np.zeros((5, 2)), np.zeros(3), np.full((5, 3), np.nan)])
def test_corner_refuses_draws_that_are_not_those_of_the_parameters(draws):
    with pytest.raises(ValueError, match="one column for each of the 3 parameters"):
        figures.corner({"a": draws}, PARAMETERS)


def test_corner_needs_draws():
    with pytest.raises(ValueError, match="at least one set of draws"):
        figures.corner({}, PARAMETERS, gaussian(0))


@pytest.mark.parametrize(
    ("low", "median", "high", "text"),
    [
        (20.0, 26.4, 31.9, "$26.4^{+5.5}_{-6.4}$"),
        (9.9e-4, 1e-3, 1.02e-3, "$0.001000^{+0.000020}_{-0.000010}$"),
        (-1600.0, -100.0, 100.0, "$-100^{+200}_{-1500}$"),
        (-0.4, -0.001, 0.4, "$0.00^{+0.40}_{-0.40}$"),
    ],
)
def test_interval_has_two_digits_of_its_errors(low, median, high, text):
    assert figures.interval(low, median, high) == text


def test_bands_are_the_quantiles_of_the_simulations():
    x = generator(6).normal(size=(5000, 6)) * np.arange(1, 7)
    figure = figures.profiles(PANELS, observation(), {"prior": x})
    wide, narrow = np.split(np.array([p.get_bbox().extents for p in figure.axes[1].patches]), 2)
    np.testing.assert_allclose(narrow[:, 1], np.quantile(x[:, 3:], 0.16, axis=0))
    np.testing.assert_allclose(wide[:, 3], np.quantile(x[:, 3:], 0.975, axis=0))
    np.testing.assert_array_equal(wide[:, [0, 2]], PANELS[1].bins)
    assert (wide[:, 1] < narrow[:, 1]).all()


def test_observed_points_have_their_errors():
    figure = figures.profiles(PANELS, observation(), {})
    (container,) = figure.axes[1].containers
    bars = np.array(container.lines[2][0].get_segments())
    np.testing.assert_allclose(bars[:, 1, 1] - bars[:, 0, 1], 2 * np.array([4.0, 5.0, 6.0]))
    np.testing.assert_array_equal(container.lines[0].get_xydata()[:, 0], [35.0, 45.0, 75.0])


def test_bins_without_stars_have_no_band():
    x = generator(6).normal(size=(50, 6))
    x[:, 1] = np.nan
    x[:20, 2] = np.nan
    x[:, 3:] = np.nan
    figure = figures.profiles(PANELS, observation(), {"prior": x})
    assert [len(axes.patches) for axes in figure.axes] == [4, 0]
    figures.encode(figure, "png", 40)


def test_profiles_refuse_another_binning():
    with pytest.raises(ValueError, match="same binning"):
        figures.profiles(PANELS, observation(), {"prior": np.zeros((5, 7))})
    with pytest.raises(ValueError, match="'e5'"):
        figures.profiles(PANELS, observation(5), {})
    with pytest.raises(ValueError, match="one name for each bin"):
        figures.Panel("North", "v", ((30, 40),), ("e0", "e1"))
    with pytest.raises(ValueError, match="at least one panel"):
        figures.profiles((), observation(), {})


def band_at_half(tests):
    band = figures.coverage(curves(tests)).axes[0].collections[1]
    path = band.get_paths()[0].vertices
    half = path[np.isclose(path[:, 0], 0.5), 1]
    return half.min(), half.max()


def test_coverage_band_is_binomial():
    low, high = band_at_half(100)
    inside = stats.binom.cdf(high * 100, 100, 0.5) - stats.binom.cdf(low * 100 - 1, 100, 0.5)
    assert 0.68 <= inside < 0.8
    narrow = np.subtract(*band_at_half(10000)[::-1])
    assert narrow / (high - low) == pytest.approx(0.1, rel=0.1)


def test_coverage_of_a_right_posterior_lies_in_the_band_and_of_a_narrow_one_below_it():
    axes = figures.coverage(curves(1000)).axes[0]
    _, right, narrow = (line.get_xydata() for line in axes.lines)
    low, high = stats.binom.ppf((0.0005, 0.9995), 1000, 0.75) / 1000
    assert low < np.interp(0.75, *right.T) < high
    assert np.interp(0.75, *narrow.T) < low


def test_ranks_show_each_parameter_with_its_band():
    results = rank_results()
    figure = figures.ranks(results, PARAMETERS[:2])
    assert len(figure.axes) == 2
    line = figure.axes[1].lines[1]
    np.testing.assert_array_equal(line.get_ydata(), results["flow"].difference[:, 1])
    band = figure.axes[1].collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == results["flow"].upper.max()
    assert band.min() == results["flow"].lower.min()
    assert f"KS $p$ = {results['flow'].ks_pvalue[1]:.2g}," in figure.axes[1].get_title()


def test_best_epoch_is_marked():
    axes = figures.training_curve({"flow": curve()}).axes[0]
    np.testing.assert_array_equal(axes.lines[2].get_xydata(), [[2, 1.9]])


def test_running_median_of_a_straight_line_is_the_line():
    x = generator(7).permutation(np.arange(1000.0))
    line = figures.relation(x, 2 * x, ("x", "y")).axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(line[:, 1], 2 * line[:, 0])
    assert len(line) == 10
    assert (np.diff(line[:, 0]) > 0).all()


@pytest.mark.parametrize(
    ("unit", "label"),
    [("dex(solMass)", "q [$M_\\odot$]"), ("km / s", "q [km/s]"), ("kpc", "q [kpc]"), ("", "q")],
)
def test_labels_show_units_as_readers_write_them(unit, label):
    assert figures.with_unit("q", unit) == label
