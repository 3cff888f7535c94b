"""Labels of a corner figure can be read: short numbers, and none over another's place."""

import io
from functools import cache

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread

from orrery.parameters import Parameter, generator
from orrery.results import figures

pytestmark = pytest.mark.slow

MASS = Parameter("m", "solMass", "$M$")


LONG = r"$\log_{10} M_{\rm MW,halo}(<50\,{\rm kpc})$"


@cache
def drawn(count, label, unit):
    """Returns a figure of as many parameters, drawn once: what is shown is a copy of it."""
    names = tuple(Parameter(f"p{i}", unit, label) for i in range(count))
    values = -70.0 + generator(2).normal(size=(300, count))
    return figures.corner({"a": values}, names)


def bottom_left(figure):
    return next(axes for axes in figure.axes if axes.get_xlabel())


def draw_named(figure):
    """Draws the axes that have names alone: those of the others are not looked at."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    for axes in figure.axes:
        if axes.get_xlabel() or axes.get_ylabel():
            axes.draw(renderer)


@pytest.mark.parametrize("ten", [1e12, 1e-7])
def test_a_number_of_many_digits_is_in_a_power_of_ten(ten):
    small = 1.44 + 0.3 * generator(1).normal(size=(500, 1))
    point = np.array([1.2])
    plain = bottom_left(figures.corner({"a": small}, (MASS,), points={"b": point}))
    figure = figures.corner(
        {"a": ten * small}, (MASS,), ten * small, {"b": ten * point}
    )
    large = bottom_left(figure)
    assert large.get_xlabel() == f"$M$\n[$10^{{{round(np.log10(ten))}}}$ $M_\\odot$]"
    assert plain.get_xlabel() == "$M$\n[$M_\\odot$]"
    assert [one.get_text() for one in large.texts] == [
        one.get_text() for one in plain.texts
    ]


@pytest.mark.parametrize("count", [1, 9])
@pytest.mark.parametrize("style", ["page", "mnras"])
def test_a_label_stands_beyond_its_numbers_and_not_far(count, style):
    figure, _ = figures.presented(drawn(count, "$p$", "mas / yr"), style)
    draw_named(figure)
    across = bottom_left(figure).xaxis
    label = across.label.get_window_extent()
    numbers = [
        one.get_window_extent().y0
        for one in across.get_ticklabels()
        if one.get_text() and one.get_visible()
    ]
    assert label.y1 < min(numbers)
    assert min(numbers) - label.y1 < 2 * label.height


def names_along(figure):
    """Returns where the names along both sides begin and end, `[n, 2]` each [pixel]."""
    found = []
    for i, side in enumerate(("xaxis", "yaxis")):
        labels = [getattr(axes, side).label for axes in figure.axes]
        boxes = [one.get_window_extent() for one in labels if one.get_text()]
        found.append(np.array(sorted((box.min[i], box.max[i]) for box in boxes)))
    return found


@pytest.mark.parametrize("style", ["page", "mnras", "apj", "talk"])
@pytest.mark.parametrize("count", [3, 6])
def test_long_names_do_not_run_into_each_other(style, count):
    figure, _ = figures.presented(drawn(count, LONG, "solMass"), style)
    draw_named(figure)
    across, up = names_along(figure)
    assert (len(across), len(up)) == (count, count - 1)
    for ends in (across, up):
        assert (ends[1:, 0] > ends[:-1, 1]).all()


def test_names_that_have_room_keep_their_size():
    names = tuple(Parameter(f"v{i}", "km / s", f"$v_{i}$") for i in range(6))
    values = generator(2).normal(size=(300, 6))
    figure = figures.corner({"a": values}, names)
    before = bottom_left(figure).xaxis.label.get_fontsize()
    figures.settle(figure)
    assert bottom_left(figure).xaxis.label.get_fontsize() == before
    talk, _ = figures.presented(figure, "talk")
    assert bottom_left(talk).xaxis.label.get_fontsize() == pytest.approx(1.4 * before)


@pytest.mark.parametrize("dpi", [60, 150])
def test_the_legend_below_stands_under_the_middle_in_the_picture(dpi):
    values = generator(2).normal(size=(300, 1))
    drawn = figures.corner({"a": values}, (Parameter("p", "kpc", "$p$"),), values)
    figure, box = figures.presented(drawn, "mnras")
    content = figures.file_content(figure, "png", dpi=dpi, box=box)
    picture = imread(io.BytesIO(content))[..., :3]
    height, width, _ = picture.shape
    (left, top, wide, high) = figures.axes_in_picture(figure, box)[0]["box"]
    # what is drawn lowest is the legend's patch: the prior
    rows, columns = np.nonzero((picture < 0.9).any(axis=-1))
    lowest = columns[rows > rows.max() - 0.02 * height]
    assert rows.max() > (top + high) * height
    assert lowest.mean() / width == pytest.approx(left + wide / 2, abs=0.15)
    assert rows.max() > 0.93 * height


@pytest.mark.parametrize("seed", range(4))
def test_no_number_stands_at_an_axis_end_where_a_neighbours_does(seed):
    random = generator(seed)
    count = 4
    names = tuple(Parameter(f"p{i}", "km / s", "$p$") for i in range(count))
    scales = 10.0 ** random.uniform(-1.0, 2.0, size=count)
    values = scales * (random.normal(size=(300, count)) + random.normal(size=count))
    figure = figures.corner({"a": values}, names)
    grid = np.array(figure.axes).reshape(count, count)
    below = grid[np.tril_indices(count, -1)]
    numbered = [axes.xaxis for axes in grid[-1]] + [axes.yaxis for axes in below]
    for axis in numbered:
        low, high = axis.get_view_interval()
        ticks = (axis.get_majorticklocs() - low) / (high - low)
        assert len(ticks) >= 2
        assert ticks.min() > 0.1
        assert ticks.max() < 0.9
