import numpy as np
import pytest
import torch

from orrery.learning.options import Training
from orrery.learning.training import Curve, single_precision


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"learning_rate": -1.0}, "learning_rate=-1"),
        ({"weight_decay": -0.1}, "weight_decay=-0.1"),
        ({"workers": -1}, "-1 workers"),
        ({"workers": 3, "batch_size": 64}, "multiple of workers"),
    ],
)
def test_impossible_options_are_refused(choice, message):
    with pytest.raises(ValueError, match=message):
        Training(**choice)


def test_the_best_epoch_is_the_first_of_the_smallest_losses():
    assert Curve((1.0, 1.0, 1.0), (3.0, 2.0, 2.0)).best == 1


def test_numbers_are_copied_to_single_precision():
    values = torch.arange(6, dtype=torch.float64).reshape(2, 3).numpy()
    assert torch.equal(
        single_precision(values.T), torch.tensor([[0.0, 3], [1, 4], [2, 5]])
    )


def test_a_number_that_would_become_infinite_is_refused():
    values = np.array([[1.0, -1e40], [np.nan, np.inf]])
    with pytest.raises(ValueError, match=r"reach from -1e\+40 to inf, too far for"):
        single_precision(values)
    assert torch.isinf(single_precision(values[1:])[0, 1])


@pytest.mark.parametrize(
    ("train", "validation"),
    [([], []), ([1.0], [1.0, 2.0]), (["1.0"], [1.0]), ([1.0], [None])],
)
def test_a_curve_is_read_of_numbers_alone(train, validation):
    with pytest.raises(ValueError, match=r"no epoch|no array of finite numbers"):
        Curve.read({"train": train, "validation": validation})
