"""Laws of labels that are summaries: each simulation gets its own, within its split."""

from dataclasses import replace

import numpy as np
import pytest

from orrery.labels import relabelled
from orrery.pairs import Pairs, Splits, pooled


def numbered(rows, names, x):
    """Returns the splits of simulations by number: x is a function of it."""
    parts = [
        Pairs(
            np.array(numbers, dtype=float)[:, None], np.array([x(n) for n in numbers])
        )
        for numbers in rows
    ]
    units = ("km / s",) * len(names)
    numbers = Splits(*parts, ("index",), names, units, "a binning", "a dataset", 0)
    return replace(numbers, parameter_units=("",))


def mean(number):
    return [number + 0.5, -number]


def speed(number):
    return [10.0 * number]


DATA = numbered([[2, 3, 4, 5, 2, 3, 4, 5], [1, 1], [0, 10]], ("u", "v"), mean)


def test_simulations_are_joined_by_their_number_in_any_order():
    labels = numbered([[4, 2, 5, 3], [1], [10, 0]], ("speed",), speed)
    found = relabelled(DATA, labels)
    for part, before in zip(
        (found.train, found.validation, found.test),
        (DATA.train, DATA.validation, DATA.test),
        strict=True,
    ):
        np.testing.assert_array_equal(part.x, before.x)
        np.testing.assert_array_equal(part.theta, 10.0 * before.theta)
    assert found.parameters == ("speed",)
    assert found.parameter_units == ("km / s",)
    assert (found.names, found.definition, found.dropped) == (
        DATA.names,
        DATA.definition,
        0,
    )


def test_who_has_no_label_is_left_out_and_counted_once():
    labels = numbered([[7, 5, 2, 3], [1], [0]], ("speed",), speed)
    found = relabelled(replace(DATA, dropped=3), labels)
    assert found.train.theta[:, 0].tolist() == [20, 30, 50, 20, 30, 50]
    np.testing.assert_array_equal(found.train.x[:, 1], -found.train.theta[:, 0] / 10)
    assert found.test.theta.tolist() == [[0]]
    assert found.dropped == 5


def test_of_several_draws_the_first_is_known_by_its_labels_too():
    one = numbered([[2, 3, 4, 5], [1], [0, 10]], ("u", "v"), mean)
    other = numbered([[3, 4, 5, 6], [1], [0, 10]], ("u", "v"), mean)
    labels = numbered([[7, 6, 5, 2, 3], [1], [0, 10]], ("speed",), lambda n: [1.0])
    found = relabelled(pooled([one, other]), labels)
    assert (found.draws, len(found.train)) == (2, 6)
    once = found.each_once
    assert once.train.x.tolist() == [mean(2), mean(3), mean(5)]
    assert len(once.validation) == 1


def test_a_label_of_another_split_is_not_used():
    labels = numbered([[2, 3, 4, 0], [1], [5, 10]], ("speed",), speed)
    found = relabelled(DATA, labels)
    assert 50 not in found.train.theta
    assert found.test.theta.tolist() == [[100]]


def test_labels_must_be_of_the_same_simulations():
    labels = numbered([[2, 3, 4, 5], [1], [0, 10]], ("speed",), speed)
    for other in (
        replace(labels, dataset="another"),
        replace(labels, parameters=("mass",)),
    ):
        with pytest.raises(ValueError, match="compute both of one dataset"):
            relabelled(DATA, other)
    several = ("index", "mass")
    with pytest.raises(ValueError, match="with that alone"):
        relabelled(
            replace(DATA, parameters=several), replace(labels, parameters=several)
        )
    twice = numbered([[2, 3, 2], [1], [0, 10]], ("speed",), speed)
    with pytest.raises(ValueError, match="the train split has two labels"):
        relabelled(DATA, twice)
    other = numbered([[2, 3, 4, 5], [1], [20]], ("speed",), speed)
    nobody = Pairs(np.zeros((0, 1)), np.zeros((0, 1)))
    for labels in (other, replace(other, test=nobody)):
        with pytest.raises(ValueError, match="no simulation of the test split"):
            relabelled(DATA, labels)
