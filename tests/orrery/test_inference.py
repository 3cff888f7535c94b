"""What is refused before anything is trained."""

import dataclasses

import numpy as np
import pytest

from orrery import inference
from orrery.inference import Inference
from orrery.parameters import Parameter
from orrery.records import Observation
from orrery.summaries import Pairs, Splits


def test_an_observation_of_another_binning_is_refused_before_training():
    pairs = Pairs(np.zeros((4, 1)), np.zeros((4, 1)))
    splits = Splits(pairs, pairs, pairs, ("a",), ("x",), ("",), "this", "dataset", 0)
    seen = Observation("stars", ("x",), ("",), np.zeros(1), np.eye(1), "that", {})
    with pytest.raises(ValueError, match="another binning"):
        inference.infer(None, "it", splits, (Parameter("a", "", "a"),), seen, Inference(), 1)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Inference)][2:])
def test_counts_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} = 0"):
        Inference(**{name: 0})
