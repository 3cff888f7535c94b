import numpy as np
import pytest

from orrery.learning.flow import Space
from orrery.learning.options import Flow
from orrery.parameters import Parameter

PARAMETERS = (
    Parameter("a", "", "a"),
    Parameter("b", "", "b"),
    Parameter("f", "", "f", -3.0, 1.0),
)


def test_the_unbounded_space_is_reversible_with_the_right_jacobian():
    space = Space(PARAMETERS)
    theta = np.random.default_rng(0).uniform(-2.99, 0.99, size=(50, 3))
    free = space.unbounded(theta)
    np.testing.assert_allclose(space.bounded(free), theta, rtol=1e-9)
    step = np.array([0.0, 0.0, 1e-6])
    slope = (space.unbounded(theta + step) - space.unbounded(theta - step))[:, 2] / 2e-6
    np.testing.assert_allclose(space.log_stretch(free), np.log(slope), atol=1e-5)


@pytest.mark.parametrize(
    "choice", [{"transforms": 0}, {"hidden": ()}, {"hidden": (50, 0)}]
)
def test_impossible_flows_are_refused(choice):
    with pytest.raises(ValueError, match="needs at least one"):
        Flow(**choice)
