"""Laws of all figures: same input, same bytes; nothing left behind; symbols are typeset."""

import matplotlib
import pytest

from orrery.parameters import Parameter, generator
from orrery.results import figures, views
from orrery.results.figures.pointing import plain_label
from orrery.results.figures.style import typeset
from orrery.results.panels import Constraint

pytestmark = pytest.mark.slow


def test_figures_leave_no_global_state(drawings):
    before = dict(matplotlib.rcParams)
    open_before = matplotlib.pyplot.get_fignums()
    for draw in drawings.values():
        draw()
    assert dict(matplotlib.rcParams) == before
    assert matplotlib.pyplot.get_fignums() == open_before


def test_same_input_gives_the_same_picture(draw):
    """On a page, where it is laid out for good, and in a notebook, where it is not."""
    on_page = draw()
    box = figures.settle(on_page)
    picture = figures.file_content(on_page, "png", 40, box)
    assert figures.file_content(draw(), "png", 40) == picture


@pytest.mark.parametrize(("name", "kind"), [("sky", "pdf"), ("profiles", "svg")])
def test_same_input_gives_the_same_file(drawings, name, kind):
    draw = drawings[name]
    assert figures.file_content(draw(), kind, 40) == figures.file_content(
        draw(), kind, 40
    )


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


MEAN = "\N{MATHEMATICAL LEFT ANGLE BRACKET}v_t,b\N{MATHEMATICAL RIGHT ANGLE BRACKET}"


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        (f"DESI, with {MEAN}", r"DESI, with $\langle v_{t,b}\rangle$"),
        (
            f"{MEAN}: ATC +0.1, $p$ = 0.3",
            r"$\langle v_{t,b}\rangle$: ATC +0.1, $p$ = 0.3",
        ),
        ("log10 λ_DF and v_x,v_y", r"log10 $λ_{\mathrm{DF}}$ and $v_{x}$,$v_{y}$"),
        (
            "M_MW,halo(<50 kpc), v_t, too",
            r"$M_{\mathrm{MW,halo}}$(<50 kpc), $v_{t}$, too",
        ),
    ],
)
def test_symbols_in_words_are_typeset_and_read_as_they_were_written(written, drawn):
    assert typeset(written) == drawn
    assert plain_label(drawn) == plain_label(written)
    assert typeset(drawn) == drawn


@pytest.mark.parametrize(
    "text",
    [
        "DESI DR1 BHB stars",
        "desi_q3, mean_v_tb_30 and calibration.v_gsr.tarp",
        r"$v_{\rm GSR}$ [km/s]",
        r"$\log_{10}\,M_x$",
        "costs 3 $ of v_x",
        "v_x_1 and a_",
        "",
    ],
)
def test_names_and_formulas_stay_as_they_are(text):
    assert typeset(text) == text


def words_in(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_view_is_drawn_with_its_symbols_and_read_in_plain_words(coverages):
    label = f"DESI, with {MEAN}"
    view = views.CoverageCurves(
        {"posterior": coverages()["flow"]}, {"posterior": label}
    )
    figure = figures.draw(view)
    assert words_in(figure)[0].startswith(r"DESI, with $\langle v_{t,b}\rangle$: ATC")
    (one,) = figures.axes_in_picture(figure, figures.settle(figure))
    assert one["curves"][0]["name"].startswith(f"{label}: ATC")


def test_rows_of_a_view_have_their_symbols_and_are_read_in_plain_words():
    rows = (Constraint(f"DESI, with {MEAN}", (14.0, 20.0, 28.0)),)
    figure = figures.draw(views.Intervals(rows, "v_travel [km/s]"))
    box = figures.settle(figure)
    axes = figure.axes[0]
    assert r"$\langle v_{t,b}\rangle$" in axes.get_yticklabels()[0].get_text()
    (one,) = figures.axes_in_picture(figure, box)
    assert one["y"]["rows"] == [(0.0, f"DESI, with {MEAN}")]
    assert one["x"]["name"] == "v_travel [km/s]"
    assert axes.get_xlabel() == r"$v_{\mathrm{travel}}$ [km/s]"


@pytest.mark.parametrize("style", ["page", "mnras", "talk"])
def test_typeset_symbols_are_drawn_in_every_style(style):
    label = f"with {MEAN}, λ_DF"
    one = Parameter("v", "km / s", "$v$")
    draws = {"a": generator(1).normal(size=(200, 1))}
    drawn = figures.draw(views.Corner(draws, (one,), legend={"a": label}))
    figure, box = figures.presented(drawn, style)
    assert figures.file_content(figure, "png", 40, box=box)
    assert words_in(figure)[0] == typeset(label) != label
