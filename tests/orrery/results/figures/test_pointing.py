"""Whoever points at a picture finds there what was drawn, by the names that people read."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from orrery.results import figures
from orrery.results.figures.pointing import plain_label
from orrery.results.panels import Constraint


def values(side, pixels, size):
    """Returns where pixels lie along a side, from its low end to its high one."""
    return side["low"] + (side["high"] - side["low"]) * np.asarray(pixels) / size


@pytest.fixture
def read():
    """Returns a function of a figure: its axes, and its picture as an array."""

    def found(figure):
        box = figures.settle(figure)
        png = figures.file_content(figure, "png", box=box)
        return figures.axes_in_picture(figure, box), imread(io.BytesIO(png))

    return found


@pytest.mark.parametrize("place", [(2.0, 30.0), (7.25, -12.5)])
def test_a_mark_in_the_picture_is_where_its_axes_say(read, place):
    figure = Figure(figsize=(4, 3), layout="constrained")
    # a panel to the left, and a legend below, move it
    _, axes = figure.subplots(1, 2)
    axes.set(xlim=(0.0, 10.0), ylim=(-50.0, 50.0), xlabel="x", ylabel="$v$ [km/s]")
    axes.plot(*place, "o", color="#ff0000", markersize=4, label="_")
    figure.legend(handles=axes.lines, labels=["a"], loc="outside lower center")
    (_, one), picture = read(figure)
    red = (picture[..., 0] > 0.9) & (picture[..., 1:3] < 0.1).all(axis=-1)
    height, width = red.shape
    left, top, wide, high = one["box"] * np.array([width, height, width, height])
    rows, columns = np.nonzero(red)
    inside = rows < top + high
    x = values(one["x"], columns[inside].mean() + 0.5 - left, wide)
    y = values(one["y"], top + high - rows[inside].mean() - 0.5, high)
    assert x == pytest.approx(place[0], abs=0.05)
    assert y == pytest.approx(place[1], abs=0.5)


def test_all_axes_with_numbers_lie_inside_the_picture(draw, read):
    axes, _ = read(draw())
    assert axes
    for one in axes:
        left, top, width, height = one["box"]
        assert min(left, top, width, height) > 0
        assert max(left + width, top + height) < 1
        assert one["x"]["low"] != one["x"]["high"]


def test_axes_within_a_grid_have_the_names_of_its_edge(read, drawings):
    axes, _ = read(drawings["corner"]())
    names = {(one["x"]["name"], one["y"]["name"]) for one in axes}
    mass, speed, friction = "log10 M_MW,halo(<50 kpc) [M☉]", "v_z [km/s]", "log10 λ_DF"
    assert names == {
        (mass, ""),
        (mass, speed),
        (mass, friction),
        (speed, friction),
        # the diagonal's heights are of no parameter
        (speed, ""),
        (friction, ""),
    }


def test_curves_have_their_names_and_values(read, coverages):
    found = coverages()
    ((one,), _) = read(figures.coverage(found))
    flow = next(curve for curve in one["curves"] if curve["name"].startswith("flow"))
    np.testing.assert_allclose(flow["x"], found["flow"].levels, rtol=1e-4)
    np.testing.assert_allclose(flow["y"], found["flow"].coverage, rtol=1e-4)
    assert flow["joined"]


def test_points_are_not_joined(read, drawings, observation):
    axes, _ = read(drawings["profiles"]())
    north, south = (one["curves"] for one in axes)
    assert [curve["joined"] for curve in [*north, *south]] == [False, False]
    assert north[0]["y"] == pytest.approx(observation().value[:3])


@pytest.mark.parametrize("count", [1, 2])
def test_points_are_read_however_few_and_a_line_of_two(read, count):
    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    x = np.arange(count, dtype=float)
    axes.errorbar(x, x + 5.0, 0.5, fmt="o", label="measured")
    axes.plot([0.0, 1.0], [3.0, 4.0], label="line")
    # what is at one value of one side is in fractions of the other
    axes.axhline(4.0, label="level")
    ((one,), _) = read(figure)
    points = {curve["name"]: (curve["x"], curve["y"]) for curve in one["curves"]}
    assert points == {
        "measured": ([*x], [*(x + 5.0)]),
        "line": ([0.0, 1.0], [3.0, 4.0]),
    }


def test_a_curve_of_steps_has_their_corners(read):
    figure = Figure(figsize=(4, 3))
    figure.subplots().step(
        [0.0, 1.0, 2.0], [5.0, 7.0, 9.0], where="post", label="ranks"
    )
    ((one,), _) = read(figure)
    (curve,) = one["curves"]
    assert (curve["x"], curve["y"]) == ([0, 1, 1, 2, 2], [5, 5, 7, 7, 9])


def test_counts_of_stars_are_read(read, drawings):
    (counts,), _ = read(drawings["sky"]())
    assert counts["y"]["log"]
    assert counts["curves"]
    assert all(curve["name"] and not curve["joined"] for curve in counts["curves"])


def test_rows_have_their_words_and_values(read):
    rows = tuple(
        Constraint(name, (value - 1, value, value + 1), (value, value + 2, value + 3))
        for name, value in (("$v_x$ first", 20.0), ("second", 25.0), ("third", 30.0))
    )
    ((one,), _) = read(figures.intervals(rows, "v [km/s]"))
    assert one["y"]["rows"] == [(0.0, "v_x first"), (1.0, "second"), (2.0, "third")]
    curves = {curve["name"]: (curve["x"], curve["y"]) for curve in one["curves"]}
    assert curves["published"] == ([0, 1, 2], [22, 27, 32])
    assert curves["ours, median and 16-84 %"] == ([0, 1, 2], [20, 25, 30])


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (r"$\langle v_{\rm GSR} \rangle$ [km/s]", "⟨v_GSR⟩ [km/s]"),
        (r"$\log_{10}\lambda_{\rm DF}$", "log10 λ_DF"),
        (r"$\log_{10}\,(M_\mathrm{vir}\,/\,M_\odot)$", "log10 (M_vir / M☉)"),
        (r"$\delta(v_{t,b})$", "δ(v_t,b)"),
        ("costs 5 km/s", "costs 5 km/s"),
        ("two\nlines", "two lines"),
    ],
)
def test_labels_are_written_as_people_write_them(label, words):
    assert plain_label(label) == words
