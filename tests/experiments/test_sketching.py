"""Sketches leave out what is drawn alike, and notice what could not be drawn."""

from dataclasses import replace

import numpy as np
import pytest

from orrery.judging.diagnostics import sbc_ranks
from orrery.parameters import Parameter
from orrery.results import figures
from orrery.results.views import Corner, RankCurves

RANDOM = np.random.default_rng(1)
PARAMETERS = tuple(Parameter(f"v{i}", "km / s", f"$v_{i}$") for i in range(5))
DRAWS = RANDOM.normal(size=(50, 5))
CORNER = Corner(
    {"desi": DRAWS},
    PARAMETERS,
    prior=DRAWS,
    points={"published": np.zeros(5), "with errors": np.zeros((3, 5))},
)
RANKS = sbc_ranks(RANDOM.normal(size=(20, 30, 5)), np.zeros((30, 5)), seed=1)
CURVES = RankCurves({"desi": RANKS}, PARAMETERS)
WRONG = (*PARAMETERS[:4], Parameter("v4", "km / s", r"$\nonsense_4$"))


@pytest.fixture
def sketches(load_script):
    return load_script("experiments/sketching").Sketches(figures.draw)


@pytest.mark.slow
def test_the_first_of_each_kind_is_drawn_with_few_parameters(sketches):
    corner, curves = sketches.draw(CORNER), sketches.draw(CURVES)
    assert (len(corner.axes), len(curves.axes)) == (9, 3)
    assert sketches.draw(replace(CORNER, draws={"h3": DRAWS[:20]})) is corner
    fewer = replace(CORNER, draws={"desi": DRAWS, "h3": DRAWS})
    assert sketches.draw(fewer) is not corner
    assert sketches.file_content(corner, "png").startswith(b"\x89PNG")
    assert sketches.file_content(corner, "pdf") == b"pdf"
    box = sketches.settle(corner)
    assert sketches.settle(corner) is box
    assert sketches.axes_in_picture(corner, box)


@pytest.mark.parametrize("view", [CORNER, CURVES], ids=["corner", "ranks"])
def test_a_label_that_cannot_be_drawn_is_noticed_beyond_the_first(sketches, view):
    with pytest.raises(ValueError, match="nonsense"):
        sketches.draw(replace(view, parameters=WRONG))


@pytest.mark.parametrize(
    "view",
    [
        replace(CORNER, draws={"desi": DRAWS[:, :4]}),
        replace(CORNER, prior=DRAWS[:, :4]),
        replace(CORNER, points={"published": np.zeros(4)}),
        replace(CURVES, parameters=PARAMETERS[:4]),
    ],
    ids=["draws", "prior", "points", "ranks"],
)
def test_columns_without_a_parameter_are_noticed(sketches, view):
    with pytest.raises(ValueError, match="columns of"):
        sketches.draw(view)
