"""Corner figures: medians, contours and published points lie where they belong."""

import importlib.util
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.text import Text

from orrery.results import figures
from orrery.results.figures import marginals

LITERATURE = np.array([[11.65, -18.0, 0.2], [11.5, -21.0, 0.1], [11.7, -16.0, 0.5]])


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.slow
def test_corner_does_not_depend_on_the_order_of_draws(parameters, draws):
    one = figures.corner({"a": draws(0)}, parameters, draws(2))
    other = figures.corner({"a": draws(0)[::-1]}, parameters, draws(2))
    assert figures.file_content(one, "png", 40) == figures.file_content(
        other, "png", 40
    )


def test_corner_shows_units_medians_and_names(parameters, draws):
    same = np.array([11.6, -20.0, 0.0]) + np.zeros((50, 3))
    shown = texts(figures.corner({"DESI": same}, parameters, draws(2)))
    assert "DESI" in shown
    assert "prior" in shown
    assert "$v_z$\n[km/s]" in shown
    assert "$-20.00^{+0.00}_{-0.00}$" in shown


def test_corner_without_unit_or_prior_says_neither(parameters, draws):
    shown = texts(figures.corner({"DESI": draws(0)}, parameters))
    assert "prior" not in shown
    assert parameters[2].label in shown


def test_shaded_area_is_the_central_interval(parameters, draws):
    values = {"a": draws(0), "b": draws(1) + 1.0}
    figure = figures.corner(values, parameters, draws(2))
    for i in range(3):
        # the last set is annotated first
        areas = figure.axes[4 * i].collections[::-1]
        assert len(areas) == 2
        for area, x in zip(areas, values.values(), strict=True):
            places = area.get_paths()[0].vertices[:, 0]
            ends = np.quantile(x[:, i], (0.16, 0.84))
            np.testing.assert_allclose((places.min(), places.max()), ends)


def test_published_point_lies_where_it_belongs(parameters, draws):
    point = LITERATURE[0]
    figure = figures.corner({"a": draws(0)}, parameters, points={"Published": point})
    places = [
        line.get_xydata()[0]
        for line in figure.axes[3].lines
        if line.get_marker() == "o"
    ]
    np.testing.assert_array_equal(places, [point[:2]])


@pytest.mark.parametrize("shift", [0.0, 300.0])
def test_published_errors_lie_where_they_belong_and_inside_the_axes(
    parameters, draws, shift
):
    points = LITERATURE + shift
    figure = figures.corner({"a": draws(0)}, parameters, points={"Published": points})
    (container,) = figure.axes[7].containers  # the third parameter against the second
    across, along = (bar.get_segments()[0] for bar in container.lines[2])
    np.testing.assert_allclose(across[:, 0], points[1:, 1])
    np.testing.assert_allclose(along[:, 1], points[1:, 2])
    for low, limits in (
        (across[:, 0], figure.axes[7].get_xlim()),
        (along[:, 1], figure.axes[7].get_ylim()),
    ):
        assert limits[0] < low.min() < low.max() < limits[1]
    (alone,) = figure.axes[4].containers
    np.testing.assert_allclose(alone.lines[2][0].get_segments()[0][:, 0], points[1:, 1])


def test_unknown_value_has_no_point(parameters, draws):
    points = LITERATURE.copy()
    points[:, 1] = np.nan
    figure = figures.corner({"a": draws(0)}, parameters, points={"Published": points})
    drawn = [
        len(figure.axes[3 * i + j].containers)
        for i, j in zip(*np.tril_indices(3), strict=True)
    ]
    assert drawn == [1, 0, 0, 1, 0, 1]
    assert all(np.isfinite(axes.get_xlim()).all() for axes in figure.axes)


@pytest.mark.parametrize(
    "point", [np.zeros(2), np.zeros((2, 3)), LITERATURE[::-1], np.full(3, np.inf)]
)
def test_corner_refuses_points_of_other_shapes_or_orders(parameters, draws, point):
    with pytest.raises(
        ValueError, match=r"'Published'.* the lower and upper ends around them"
    ):
        figures.corner({"a": draws(0)}, parameters, points={"Published": point})


@pytest.mark.parametrize(
    "values", [np.zeros((5, 2)), np.zeros(3), np.full((5, 3), np.nan)]
)
def test_corner_refuses_draws_that_are_not_those_of_the_parameters(parameters, values):
    with pytest.raises(ValueError, match="one column for each of the 3 parameters"):
        figures.corner({"a": values}, parameters)


def test_corner_needs_draws(parameters, draws):
    with pytest.raises(ValueError, match="at least one set of draws"):
        figures.corner({}, parameters, draws(0))


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


@pytest.mark.slow
def test_arviz_is_not_imported_and_stays_importable():
    """Neither ArviZ nor the package that would import it: whoever wants them gets them whole."""
    code = """
import sys
import numpy as np
from orrery.parameters import Parameter
from orrery.results import figures
two = tuple(Parameter(name, "kpc", name) for name in "ab")
figures.corner({"one": np.random.default_rng(1).normal(size=(99, 2))}, two)
assert not {"arviz", "corner", "corner.core"} & sys.modules.keys()
import corner
assert corner.corner(np.random.default_rng(1).normal(size=(99, 2))).axes
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_corner_is_named(monkeypatch, tmp_path):
    marginals._draw_corner.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match=r"corner is not installed: pip install"):
        marginals._draw_corner()
    another = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: another)
    with pytest.raises(ImportError, match=r"core\.py is missing: pip install"):
        marginals._draw_corner()
