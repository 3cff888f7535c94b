"""A scaling makes the mean nought and the width one, and comes back from its document."""

import json

import numpy as np
import pytest

from orrery.learning.scaling import Scaling, scaling

DOCUMENT = {"mean": [1.0, -2.0], "width": [0.5, 3.0]}


def test_what_is_standardised_has_mean_nought_and_width_one():
    values = np.random.default_rng(1).normal(5.0, 3.0, size=(200, 2))
    found = scaling(values, ("a", "b"), ("a", "b"))
    standardised = found.standardised(values)
    np.testing.assert_allclose(standardised.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(standardised.std(axis=0), 1.0)
    np.testing.assert_allclose(found.restored(standardised), values)


def test_a_scaling_comes_back_from_its_document():
    found = Scaling.read(json.loads(json.dumps(DOCUMENT)), 2)
    assert found.mean.tolist() == DOCUMENT["mean"]
    assert found.width.tolist() == DOCUMENT["width"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": [0.5, 0.0]}, "width is 0.0, not above 0"),
        ({"width": [0.5, -3.0]}, "width is -3.0, not above 0"),
        ({"width": [0.5]}, "no array of finite numbers"),
        ({"mean": ["1.0", -2.0]}, "no array of finite numbers"),
    ],
)
def test_numbers_that_scale_nothing_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Scaling.read({**DOCUMENT, **change}, 2)
