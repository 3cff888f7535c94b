"""A figure for a paper is as wide as its column, and no label is over another."""

import copy
import itertools
from functools import cache

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from orrery import figure_commands
from orrery.results import figures
from orrery.results.panels import Constraint

pytestmark = pytest.mark.slow

COLUMNS = {"mnras": (84.4, 177.1), "apj": (85.1, 180.3)}  # [mm], of both LaTeX classes


def sizes(figure):
    return {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}


@pytest.fixture(scope="module")
def drawn(drawings):
    """Returns a function of a name: a figure, drawn once, and how large its parts were then."""

    @cache
    def once(name):
        figure = drawings[name]()
        return figure, (sizes(figure), tuple(figure.get_size_inches()))

    return once


@pytest.fixture(scope="module")
def shown(drawn):
    """Returns a function of a name and a style: that figure as it is shown, made once."""

    @cache
    def once(name, style):
        return figures.presented(drawn(name)[0], style)

    return once


@pytest.mark.parametrize("style", ["page", "mnras", "talk"])
def test_titles_labels_and_legends_do_not_overlap(kind, shown, style):
    figure, _ = shown(kind, style)
    FigureCanvasAgg(figure).draw()
    words = [
        text
        for axes in figure.axes
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts)
        if text.get_text()
    ]
    inside = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    boxes = [item.get_window_extent() for item in [*words, *figure.legends, *inside]]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_a_figure_is_as_wide_as_a_column_or_the_text_and_its_words_can_be_read(
    kind, shown
):
    figure, box = shown(kind, "mnras")
    # a copy, since other tests look at the same figure
    settled = figures.settle(copy.deepcopy(figure))
    wide, filled = (25.4 * one.width for one in (box, settled))
    assert round(wide, 1) in COLUMNS["mnras"]
    # what is drawn fits, and fills it but for a twentieth
    assert 0.95 * wide < filled < 1.01 * wide
    assert min(sizes(figure)) > 4.8
    assert max(sizes(figure)) < 10.5


@pytest.mark.parametrize("style", ["page", "mnras", "talk"])
def test_what_was_drawn_before_stays_as_it_was(kind, drawn, shown, style):
    shown(kind, style)
    figure, before = drawn(kind)
    assert (sizes(figure), tuple(figure.get_size_inches())) == before


def test_a_figure_leaves_room_for_its_caption_on_a_page():
    rows = tuple(Constraint(f"survey {i}", (1.0, 2.0, 3.0)) for i in range(80))
    drawn = figures.intervals(rows, "v [km/s]")
    assert drawn.get_size_inches()[1] > 20
    _, box = figures.presented(drawn, "mnras")
    assert box.height < 9.0


def test_a_narrow_figure_has_no_thicker_lines_in_a_column():
    figure = Figure(figsize=(1.5, 1.5))
    (line,) = figure.subplots().plot([1.0, 2.0], linewidth=1.3)
    wide, _ = figures.presented(figure, "mnras")
    assert wide.axes[0].lines[0].get_linewidth() == line.get_linewidth()


@pytest.mark.parametrize("style", COLUMNS)
@pytest.mark.parametrize(("name", "column"), [("training", 0), ("measurements", 1)])
def test_each_journal_has_its_own_widths(shown, style, name, column):
    _, box = shown(name, style)
    assert round(25.4 * box.width, 1) == COLUMNS[style][column]


def test_text_for_a_talk_is_larger(drawn, shown):
    figure, _ = shown("sky", "talk")
    assert min(sizes(figure)) > 1.3 * min(sizes(drawn("sky")[0]))


def test_the_same_figure_gives_the_same_file(drawings, shown):
    def content(figure, box):
        return figures.file_content(figure, "pdf", box=box)

    anew = figures.presented(drawings["profiles"](), "mnras")
    assert content(*shown("profiles", "mnras")) == content(*anew)


def test_another_style_is_refused_with_those_there_are(drawings):
    with pytest.raises(ValueError, match=r"no style 'nature'.*page.*mnras.*apj.*talk"):
        figures.presented(drawings["training"](), "nature")


def test_the_command_knows_the_styles_that_there_are():
    assert ("page", *figures.PRESENTATIONS) == figure_commands.STYLES
