"""Whoever points at a picture finds there what was drawn, by the names that people read."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from orrery.parameters import generator
from orrery.results import figures
from orrery.results.figures.pointing import plain_label
from orrery.results.panels import Band, Constraint


def values(side, pixels, size):
    """Returns where pixels lie along a side, from its low end to its high one."""
    return side["low"] + (side["high"] - side["low"]) * np.asarray(pixels) / size


def read(figure):
    """Returns the axes of a figure."""
    return figures.axes_in_picture(figure, figures.settle(figure))


@pytest.mark.parametrize("place", [(2.0, 30.0), (7.25, -12.5)])
def test_a_mark_in_the_picture_is_where_its_axes_say(place):
    figure = Figure(figsize=(4, 3), layout="constrained")
    # a panel to the left, and a legend below, move it
    _, axes = figure.subplots(1, 2)
    axes.set(xlim=(0.0, 10.0), ylim=(-50.0, 50.0), xlabel="x", ylabel="$v$ [km/s]")
    axes.plot(*place, "o", color="#ff0000", markersize=4, label="_")
    figure.legend(handles=axes.lines, labels=["a"], loc="outside lower center")
    box = figures.settle(figure)
    _, one = figures.axes_in_picture(figure, box)
    picture = imread(io.BytesIO(figures.file_content(figure, "png", box=box)))
    red = (picture[..., 0] > 0.9) & (picture[..., 1:3] < 0.1).all(axis=-1)
    height, width = red.shape
    left, top, wide, high = one["box"] * np.array([width, height, width, height])
    rows, columns = np.nonzero(red)
    inside = rows < top + high
    x = values(one["x"], columns[inside].mean() + 0.5 - left, wide)
    y = values(one["y"], top + high - rows[inside].mean() - 0.5, high)
    assert x == pytest.approx(place[0], abs=0.05)
    assert y == pytest.approx(place[1], abs=0.5)


@pytest.mark.slow
def test_all_axes_with_numbers_lie_inside_the_picture(draw):
    axes = read(draw())
    assert axes
    for one in axes:
        left, top, width, height = one["box"]
        assert min(left, top, width, height) > 0
        assert max(left + width, top + height) < 1
        assert one["x"]["low"] != one["x"]["high"]


@pytest.mark.slow
def test_axes_within_a_grid_have_the_names_of_its_edge(drawings):
    axes = read(drawings["corner"]())
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


def test_curves_have_their_names_and_values(coverages):
    found = coverages()
    (one,) = read(figures.coverage(found))
    flow = next(curve for curve in one["curves"] if curve["name"].startswith("flow"))
    np.testing.assert_allclose(flow["x"], found["flow"].levels, rtol=1e-4)
    np.testing.assert_allclose(flow["y"], found["flow"].coverage, rtol=1e-4)
    assert flow["joined"]


def test_points_are_not_joined(drawings, observation):
    axes = read(drawings["profiles"]())
    assert [one["title"] for one in axes] == ["North", "South"]
    north, south = (one["curves"] for one in axes)
    assert not any(curve["joined"] for curve in [*north, *south])
    measured = observation()
    error = np.sqrt(np.diag(measured.covariance))[:3]
    assert north[0]["y"] == pytest.approx(measured.value[:3])
    assert north[0]["low"] == pytest.approx(measured.value[:3] - error, rel=1e-4)
    assert north[0]["high"] == pytest.approx(measured.value[:3] + error, rel=1e-4)


@pytest.mark.parametrize("count", [1, 2])
def test_points_are_read_however_few_and_a_line_of_two(count):
    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    x = np.arange(count, dtype=float)
    axes.errorbar(x, x + 5.0, 0.5, fmt="o", label="measured")
    axes.plot([0.0, 1.0], [3.0, 4.0], label="line")
    # what is at one value of one side is in fractions of the other
    axes.axhline(4.0, label="level")
    (one,) = read(figure)
    points = {curve["name"]: (curve["x"], curve["y"]) for curve in one["curves"]}
    assert points == {
        "measured": ([*x], [*(x + 5.0)]),
        "line": ([0.0, 1.0], [3.0, 4.0]),
    }


def test_a_curve_of_steps_has_their_corners():
    figure = Figure(figsize=(4, 3))
    figure.subplots().step(
        [0.0, 1.0, 2.0], [5.0, 7.0, 9.0], where="post", label="ranks"
    )
    (one,) = read(figure)
    (curve,) = one["curves"]
    assert (curve["x"], curve["y"]) == ([0, 1, 1, 2, 2], [5, 5, 7, 7, 9])


@pytest.mark.slow
def test_counts_of_stars_are_read(drawings):
    (counts,) = read(drawings["sky"]())
    assert counts["y"]["log"]
    assert counts["curves"]
    assert all(curve["name"] and not curve["joined"] for curve in counts["curves"])


def test_rows_have_their_words_and_values():
    rows = tuple(
        Constraint(name, (value - 1, value, value + 1), (value, value + 2, value + 3))
        for name, value in (("$v_x$ first", 20.0), ("second", 25.0), ("third", 30.0))
    )
    (one,) = read(figures.intervals(rows, "v [km/s]"))
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


def test_boxes_are_read_with_their_ends():
    ends = np.array([[-20.0, -10.0], [-5.0, 0.0], [3.0, 40.0]])
    figure = figures.radial_bands([30.0, 50.0, 80.0], {"DESI": ends}, "v [km/s]")
    (one,) = read(figure)
    (box,) = one["curves"]
    assert (box["name"], box["joined"]) == ("DESI", False)
    assert [box["low"], box["y"], box["high"]] == ends.tolist()
    assert all(30 < x < 50 for x in box["x"][:1])


def test_violins_are_read_with_their_medians_and_ends(panels, observation):
    predicted = np.random.default_rng(1).normal(size=(500, 6)) + np.arange(6)
    predicted[:, 1] = np.nan  # nothing was seen there
    figure = figures.violins(panels, {"a": observation()}, {"a": predicted})
    north, _ = read(figure)
    curves = {curve["name"]: curve for curve in north["curves"]}
    violin = curves["a, predicted"]
    assert violin["x"] == [35.0, 75.0]
    wanted = np.quantile(predicted[:, [0, 2]], (0.16, 0.5, 0.84), axis=0)
    found = [violin[side] for side in ("low", "y", "high")]
    np.testing.assert_allclose(found, wanted, rtol=1e-3)
    assert curves["a, observed"]["y"] == [0.0, 1.0, 2.0]


def test_a_band_is_read_with_the_line_in_it():
    x = generator(1).uniform(0, 1, 500)
    (one,) = read(figures.relation(x, 2 * x, ("x", "y"), bins=5))
    (curve,) = one["curves"]
    assert curve["joined"]
    low, median, high = (np.array(curve[side]) for side in ("low", "y", "high"))
    assert len(low) == 5
    assert (low < median).all()
    assert (median < high).all()


def test_a_band_without_a_line_has_its_ends_alone(coverages):
    (one,) = read(figures.coverage(coverages()))
    bands = [curve for curve in one["curves"] if "y" not in curve]
    assert [band["name"] for band in bands] == ["calibrated, 95 %", "calibrated, 68 %"]
    wide, narrow = bands
    middle = len(wide["x"]) // 2
    assert wide["low"][middle] < narrow["low"][middle] < wide["x"][middle]
    assert wide["high"][middle] > narrow["high"][middle] > wide["x"][middle]


@pytest.mark.slow
def test_marginals_are_read_with_their_medians_and_ends(draws, parameters):
    values = draws(0)
    axes = read(figures.corner({"a": values}, parameters))
    found = [curve for one in axes for curve in one["curves"]]
    assert [curve["name"] for curve in found] == ["a", "a", "a"]
    assert all(curve["across"] for curve in found)
    ends = [[curve[side][0] for curve in found] for side in ("low", "y", "high")]
    wanted = np.quantile(values, (0.16, 0.5, 0.84), axis=0)
    np.testing.assert_allclose(ends, wanted, rtol=1e-2)


def test_rows_are_read_with_their_ends_and_what_is_shaded_with_its_own(rows):
    bands = [Band("Someone (2024)", (33.0, 40.0, 47.0))]
    (one,) = read(figures.intervals(rows, "v [km/s]", bands))
    ours, published, shaded = one["curves"]
    assert (ours["low"], ours["high"]) == ([14.0, 25.0], [28.0, 36.0])
    assert (published["low"], published["high"]) == ([13.0], [30.0])
    assert shaded["across"]
    assert (shaded["low"], shaded["y"], shaded["high"]) == ([33.0], [40.0], [47.0])


@pytest.mark.parametrize("side", ["xerr", "yerr"])
def test_points_with_bars_may_be_none(side):
    """As those of a figure that shows what nobody has measured."""
    figure = Figure()
    axes = figure.subplots()
    axes.errorbar([], [], fmt="o", **{side: []}, label="measured")
    axes.errorbar([1.0], [2.0], fmt="o", **{side: [0.5]}, label="one")
    (found,) = read(figure)
    assert [curve["name"] for curve in found["curves"]] == ["one"]
