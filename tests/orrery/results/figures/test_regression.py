"""Predictions: the curves lie at their numbers, and labels belong together."""

import numpy as np
import pytest

from orrery.judging import regression
from orrery.parameters import generator
from orrery.results import figures

EDGES = np.array([10.0, 11.0, 12.0, 13.0, 14.0])
LABEL = (r"$\log_{10} M$", "dex")


@pytest.fixture(scope="module")
def hosts():
    """Returns truths up to 13 with predictions, under two labels, and the errors of these."""
    random = generator(1)
    truth = random.uniform(10, 13, 3000)
    predicted = {
        name: truth + bias + 0.2 * random.normal(size=3000)
        for name, bias in (("all features", 0.0), ("without satellites", 0.3))
    }
    errors = {name: regression.binned(truth, p, EDGES) for name, p in predicted.items()}
    return {name: (truth, p) for name, p in predicted.items()}, errors


def test_curves_lie_at_their_numbers_where_there_are_tests(hosts):
    tests, errors = hosts
    above, middle, below = figures.predictions(tests, errors, LABEL).axes
    for axes, field in ((middle, "rmse"), (below, "bias")):
        for container, found in zip(axes.containers, errors.values(), strict=True):
            line = container.lines[0].get_xydata()
            np.testing.assert_allclose(line[:, 0], [10.5, 11.5, 12.5])
            np.testing.assert_allclose(line[:, 1], getattr(found, field)[:3])
    medians = [line.get_ydata() for line in above.lines[1:]]
    np.testing.assert_allclose(medians[1] - medians[0], 0.3, atol=0.05)
    assert len(above.collections[0].get_offsets()) == len(tests["all features"][0])


def test_looks_differ_in_more_than_colour_and_each_label_is_there_once(hosts):
    figure = figures.predictions(*hosts, LABEL, published={"Someone (2025)": 0.16})
    lines = [container.lines[0] for container in figure.axes[1].containers]
    assert len({line.get_marker() for line in lines}) == 2
    assert len({line.get_linestyle() for line in lines}) == 2
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(shown) == [
        "Someone (2025)",
        "all features",
        "truth",
        "without satellites",
    ]
    level = [
        line for line in figure.axes[1].lines if line.get_label() == "Someone (2025)"
    ]
    assert level[0].get_ydata()[0] == 0.16


def test_bands_hold_two_thirds_of_the_members(hosts):
    tests, errors = hosts
    shifts = np.linspace(-0.1, 0.1, 101)[:, np.newaxis]
    each = regression.binned(
        tests["all features"][0], tests["all features"][1] + shifts, EDGES
    )
    figure = figures.predictions(tests, errors, LABEL, {"all features": each})
    band = figure.axes[2].collections[0].get_paths()[0].vertices
    bias = errors["all features"].bias[0]
    at = band[np.isclose(band[:, 0], 10.5), 1]
    np.testing.assert_allclose(
        [at.min() - bias, at.max() - bias], [-0.068, 0.068], atol=1e-6
    )


def test_units_are_on_the_axes(hosts):
    figure = figures.predictions(*hosts, LABEL)
    assert [axes.get_ylabel() for axes in figure.axes] == [
        r"$\log_{10} M$, predicted [dex]",
        "RMSE [dex]",
        "median bias [dex]",
    ]
    assert figure.axes[2].get_xlabel() == r"$\log_{10} M$, true [dex]"


def test_labels_and_shapes_must_belong_together(hosts):
    tests, errors = hosts
    with pytest.raises(ValueError, match="the same for all"):
        figures.predictions(tests, {}, LABEL)
    with pytest.raises(ValueError, match="the same for all"):
        figures.predictions(tests, errors, LABEL, {"other": errors["all features"]})
    with pytest.raises(ValueError, match=r"shape \(2999,\)"):
        figures.predictions(
            {k: (t[1:], p) for k, (t, p) in tests.items()}, errors, LABEL
        )
    with pytest.raises(ValueError, match=r"give \[B\]"):
        figures.predictions(tests, errors, LABEL, errors)
