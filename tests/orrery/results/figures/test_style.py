"""Laws of all figures: same input, same bytes; nothing left behind; no label over another."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from orrery.judging.distributions import quantile_bands
from orrery.parameters import generator
from orrery.results import figures
from orrery.results.panels import Band, Track

NAMES = [
    "corner",
    "profiles",
    "measurements",
    "violins",
    "coverage",
    "ranks",
    "training",
    "relation",
    "intervals",
    "sky",
]


@pytest.fixture
def of_draws(parameters, draws, rows):
    """Figures of posteriors, and of published values with them."""
    published = {
        "Published": np.array([11.65, -18.0, np.nan]),
        "Others": np.array(
            [[11.7, -25.0, 0.1], [11.6, -30.0, -0.1], [11.8, -22.0, 0.4]]
        ),
    }
    mass = generator(5).uniform(1, 10, 500)
    labels = ("mass [$M_\\odot$]", "v [km/s]")
    sets = {"a": draws(0), "b": draws(1)}
    bands = [Band("Someone (2024)", (33.0, 40.0, 47.0))]
    return {
        "corner": lambda: figures.corner(sets, parameters, draws(2), published),
        "relation": lambda: figures.relation(mass, mass, labels, {"P": (5.0, 5.0)}),
        "intervals": lambda: figures.intervals(rows, "v [km/s]", bands, (17.0, 42.0)),
    }


@pytest.fixture
def of_bins(observation, panels):
    """Figures of binned summaries."""
    x = generator(4).normal(size=(300, 6))
    bands = quantile_bands(x)
    simulated = {"prior": bands, "posterior": bands / 2}
    two = [observation(), observation(name="other stars")]
    surveys = {"one": observation(), "two": observation()}
    predicted = {"one": x, "two": x + 1}
    tails = dict.fromkeys(surveys, np.full(6, 0.5))
    return {
        "profiles": lambda: figures.profiles(panels, observation(), simulated),
        "measurements": lambda: figures.measurements(panels, two),
        "violins": lambda: figures.violins(panels, surveys, predicted, tails),
    }


@pytest.fixture
def of_checks(coverages, rank_results, parameters, curve):
    """Figures of a training and of the tests of what it gave."""
    return {
        "coverage": lambda: figures.coverage(coverages()),
        "ranks": lambda: figures.ranks(rank_results, parameters[:2]),
        "training": lambda: figures.training_curve({"flow": curve}),
    }


@pytest.fixture
def of_maps(sky_panel, radial):
    """Figures of the sky."""
    track = Track("LMC", np.linspace(2, 5, 30), np.linspace(0.4, -0.6, 30))
    maps = [sky_panel(), sky_panel(title="Others", tracks=(track,))]
    return {"sky": lambda: figures.sky(maps, "v [km/s]", radial)}


@pytest.fixture
def draw(of_draws, of_bins, of_checks, of_maps):
    """Returns a function of a name: that figure, drawn anew."""
    every = {**of_draws, **of_bins, **of_checks, **of_maps}
    assert every.keys() == {*NAMES}
    return lambda name: every[name]()


def test_figures_leave_no_global_state(draw):
    before = dict(matplotlib.rcParams)
    open_before = matplotlib.pyplot.get_fignums()
    for name in NAMES:
        draw(name)
    assert dict(matplotlib.rcParams) == before
    assert matplotlib.pyplot.get_fignums() == open_before


@pytest.mark.parametrize("name", NAMES)
def test_same_input_gives_the_same_picture(draw, name):
    assert figures.file_content(draw(name), "png", 40) == figures.file_content(
        draw(name), "png", 40
    )


@pytest.mark.parametrize(("name", "kind"), [("sky", "pdf"), ("profiles", "svg")])
def test_same_input_gives_the_same_file(draw, name, kind):
    assert figures.file_content(draw(name), kind, 40) == figures.file_content(
        draw(name), kind, 40
    )


@pytest.mark.parametrize("name", NAMES)
def test_titles_labels_and_legends_do_not_overlap(draw, name):
    figure = draw(name)
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
