"""Laws of all figures: same input, same bytes; nothing left behind; no label over another."""

import itertools

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from orrery.results import figures


def test_figures_leave_no_global_state(drawings):
    before = dict(matplotlib.rcParams)
    open_before = matplotlib.pyplot.get_fignums()
    for draw in drawings.values():
        draw()
    assert dict(matplotlib.rcParams) == before
    assert matplotlib.pyplot.get_fignums() == open_before


def test_same_input_gives_the_same_picture(draw):
    assert figures.file_content(draw(), "png", 40) == figures.file_content(
        draw(), "png", 40
    )


@pytest.mark.parametrize(("name", "kind"), [("sky", "pdf"), ("profiles", "svg")])
def test_same_input_gives_the_same_file(drawings, name, kind):
    draw = drawings[name]
    assert figures.file_content(draw(), kind, 40) == figures.file_content(
        draw(), kind, 40
    )


@pytest.mark.parametrize("style", ["page", "mnras", "talk"])
def test_titles_labels_and_legends_do_not_overlap(draw, style):
    figure, _ = figures.presented(draw(), style)
    FigureCanvasAgg(figure).draw()
    drawn = [
        text
        for axes in figure.axes
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts)
        if text.get_text()
    ]
    inside = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    boxes = [item.get_window_extent() for item in [*drawn, *figure.legends, *inside]]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize(
    ("unit", "label"),
    [
        ("dex(solMass)", "q [$M_\\odot$]"),
        ("km / s", "q [km/s]"),
        ("kpc", "q [kpc]"),
        ("", "q"),
    ],
)
def test_labels_show_units_as_readers_write_them(unit, label):
    assert figures.with_unit("q", unit) == label
