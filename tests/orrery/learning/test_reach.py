"""Laws of reach: what simulations make is usual, what none of them made is named."""

import json

import numpy as np
import torch

from orrery.learning.options import Flow
from orrery.learning.posterior import Posterior
from orrery.learning.reach import UNUSUAL, Reach, reach_of
from orrery.learning.training import Curve
from orrery.parameters import Parameter
from orrery.records import Observation

MIX = np.array([[1.0, 0.0, 0.0], [0.9, 0.4, 0.0], [0.0, 0.0, 50.0]])


def _simulated(count, seed):
    return 100.0 + np.random.default_rng(seed).normal(size=(count, 3)) @ MIX.T


def _unusual(reach, x):
    return np.mean([bool(reach.furthest(row)) for row in x])


def test_hardly_any_simulation_is_unusual():
    reach = reach_of(_simulated(20_000, 1), is_set=False)
    assert UNUSUAL / 3 < _unusual(reach, _simulated(4000, 2)) < 2 * UNUSUAL
    again = Reach.restore(json.loads(json.dumps(reach.document)), len(reach.mean))
    assert again.document == reach.document


def test_one_entry_or_their_combination_may_be_far_out():
    reach = reach_of(_simulated(5000, 1), is_set=False)
    assert reach.furthest(np.array([100.0, 100.0, 400.0]))[0] == 2
    # each of them is ordinary, but the second follows the first
    assert reach.furthest(np.array([102.0, 98.0, 100.0]))
    of_set = reach_of(_simulated(5000, 1), is_set=True)
    assert not of_set.furthest(np.array([102.0, 98.0, 100.0]))
    assert of_set.furthest(np.array([100.0, 100.0, 400.0]))


def test_an_entry_that_never_changed_is_not_divided_by_nothing():
    x = np.c_[_simulated(2000, 1), np.full(2000, 7.0)]
    reach = reach_of(x, is_set=False)
    assert not reach.furthest(np.array([100.0, 100.0, 100.0, 7.0]))
    assert reach.furthest(np.array([100.0, 100.0, 100.0, 19.0]))[0] == 3
    assert reach_of(x[:500], is_set=False) is None


def _posterior(document):
    names, units = ("u", "v", "w"), ("",) * 3
    flow = Flow(transforms=1).build(torch.randn(9, 1), torch.randn(9, 3))
    mass = Parameter("mass", "dex(solMass)", "$m$", lower=10.0, upper=15.0)
    return Posterior(
        (mass,), names, units, "binning", "toy", np.eye(3), Curve(), document, flow
    )


def _observed(value):
    return Observation(
        "sky", ("u", "v", "w"), ("",) * 3, np.array(value), np.eye(3), "binning", {}
    )


def test_a_posterior_warns_of_data_beyond_its_simulations(capsys):
    reach = reach_of(_simulated(2000, 1), is_set=False)
    document = {"fingerprint": "f", "reach": reach.document}
    near, far = _observed([100.0, 100.0, 90.0]), _observed([100.0, 60.0, 90.0])
    assert "warning" not in _posterior(document).sample(near, 5).meta
    drawn = _posterior(document).sample(far, 5)
    assert "'sky'; furthest, in standard deviations: v (-" in drawn.meta["warning"]
    assert "warning: fewer than one in a hundred" in capsys.readouterr().err
    # one that was kept by earlier code knows nothing of it
    assert "warning" not in _posterior({"fingerprint": "f"}).sample(far, 5).meta
