"""Draws are counted and seeded by whole numbers, of Python or of numpy."""

import json

import numpy as np
import pytest
import torch

from orrery.learning.mixture import Mixture
from orrery.learning.options import Flow
from orrery.learning.posterior import Posterior
from orrery.learning.training import Curve
from orrery.parameters import Parameter
from orrery.records import Observation

pytestmark = pytest.mark.slow  # flows are built by sbi

SEEN = Observation("one", ("u",), ("m",), np.zeros(1), np.eye(1), "by hand", {})


@pytest.fixture(scope="module")
def estimates():
    torch.manual_seed(3)
    untrained = Posterior(
        parameters=(Parameter("k", "N / m", "$k$"),),
        names=SEEN.names,
        units=SEEN.units,
        definition=SEEN.definition,
        dataset="toy",
        covariance=SEEN.covariance,
        curve=Curve(),
        document={"fingerprint": "0f"},
        estimator=Flow(transforms=1).build(torch.randn(9, 1), torch.randn(9, 1)),
    )
    return untrained, Mixture((untrained,), np.ones(1))


@pytest.mark.parametrize("count", [2.5, 4.0, "4", None])
def test_a_count_that_is_no_whole_number_is_refused(estimates, count):
    for estimate in estimates:
        with pytest.raises(ValueError, match=r"count .* is no whole number: give one"):
            estimate.sample_each(np.zeros((2, 1)), count, seed=1)


@pytest.mark.parametrize("count", [0, -3])
def test_a_count_below_one_is_refused(estimates, count):
    for estimate in estimates:
        with pytest.raises(ValueError, match=f"count {count} must be 1 or larger"):
            estimate.sample_each(np.zeros((2, 1)), count, seed=1)


def test_numpys_seeds_give_the_draws_of_pythons_and_can_be_written(estimates):
    for one in estimates:
        plain = one.sample(SEEN, count=6, seed=4)
        other = one.sample(SEEN, count=np.int16(6), seed=np.uint32(4))
        assert np.array_equal(plain["k"], other["k"])
        assert json.dumps(dict(plain.meta)) == json.dumps(dict(other.meta))
        with pytest.raises(ValueError, match=r"seed 0\.5 is no whole number"):
            one.sample(SEEN, count=6, seed=0.5)
