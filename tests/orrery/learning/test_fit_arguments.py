"""What a notebook gives `fit`: lists, a folder's name, and what nobody can learn or seed."""

from dataclasses import replace

import numpy as np
import pytest

from orrery.learning import posterior
from orrery.learning.options import Flow, Training
from orrery.pairs import Pairs, Splits
from orrery.parameters import Parameter

MASS = Parameter("mass", "solMass", "$M$")
BRIEF = Training(max_epochs=2, batch_size=32)
SMALL = Flow(transforms=2, hidden=(8,))


@pytest.fixture
def splits():
    theta = np.random.default_rng(1).normal(size=(256, 1))
    pairs = Pairs(theta, theta + np.random.default_rng(2).normal(size=(256, 1)))
    return Splits(pairs, pairs, pairs, ("mass",), ("v",), ("",), "binning", "toy", 0)


def fit(splits, folder, parameters=(MASS,), covariance=None, seed=1):
    covariance = np.eye(1) if covariance is None else covariance
    return posterior.fit(splits, parameters, covariance, SMALL, BRIEF, seed, folder)


@pytest.mark.slow
def test_lists_and_names_are_what_they_stand_for(splits, tmp_path):
    first = fit(splits, tmp_path)
    seen = posterior.load(str(tmp_path))
    again = fit(splits, str(tmp_path), parameters=[MASS], covariance=[[1]])
    assert first.document == again.document == seen.document


def test_seeds_that_no_library_takes_are_refused(splits, tmp_path):
    for seed in (2**63, 2**64, 10**40):
        with pytest.raises(ValueError, match=r"seed .* must be smaller than 2\^63"):
            fit(splits, tmp_path, seed=seed)


def test_something_must_be_learned(splits, tmp_path):
    nothing = Pairs(np.zeros((9, 0)), np.zeros((9, 1)))
    parts = dict.fromkeys(("train", "validation", "test"), nothing)
    empty = replace(splits, parameters=(), **parts)
    with pytest.raises(ValueError, match="one parameter or more: give some"):
        fit(empty, tmp_path, parameters=())
