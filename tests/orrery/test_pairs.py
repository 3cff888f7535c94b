from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from orrery.pairs import Pairs, Splits, convolve, pooled
from orrery.parameters import Parameter


def test_noise_has_the_wanted_covariance():
    covariance = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    pairs = Pairs(np.zeros((4000, 1)), np.full((4000, 3), 5.0))
    noise = convolve(pairs, covariance, np.random.default_rng(0)).x - 5.0
    assert stats.kstest(noise[:, 0] / 2.0, "norm").pvalue > 1e-3
    assert np.allclose(np.cov(noise.T), covariance, atol=0.3)
    assert np.allclose(noise[:, 2], 0.0, atol=1e-6)
    same = convolve(pairs, covariance, np.random.default_rng(0))
    assert np.array_equal(same.x - 5.0, noise)


def test_a_covariance_must_be_one():
    pairs = Pairs(np.zeros((5, 1)), np.zeros((5, 2)))
    with pytest.raises(
        ValueError, match=r"covariance of shape \(3, 3\) does not fit 2 summaries"
    ):
        convolve(pairs, np.eye(3), np.random.default_rng(0))
    with pytest.raises(ValueError, match="squares of errors, which are not negative"):
        convolve(pairs, -np.eye(2), np.random.default_rng(0))


@pytest.fixture
def splits():
    random = np.random.default_rng(0)
    parts = [
        Pairs(random.normal(size=(n, 1)), random.normal(size=(n, 2))) for n in (8, 2, 3)
    ]
    names, units = ("a_seen", "count"), ("kpc", "")
    return Splits(*parts, ("a",), names, units, "a binning", "a dataset", 0)


def test_summaries_with_other_errors_are_pooled(splits):
    one = splits
    other = replace(
        one, train=Pairs(one.train.theta, one.train.x + 1), definition="another seed"
    )
    both = pooled([one, other])
    assert len(both.train) == 2 * len(one.train)
    assert len(both.validation) == 2 * len(one.validation)
    assert both.test is one.test
    assert both.definition == one.definition
    again = both.train.x[len(one.train) :]
    np.testing.assert_allclose(again, one.train.x + 1)
    with pytest.raises(ValueError, match="differ in their seed alone"):
        pooled([one, replace(one, names=("a_seen", "number"))])


def test_of_several_draws_each_simulation_is_there_once(splits):
    others = [
        replace(
            splits,
            train=Pairs(splits.train.theta[::-1], splits.train.x[::-1] + shift),
            validation=Pairs(splits.validation.theta, splits.validation.x + shift),
        )
        for shift in (1.0, 2.0, 3.0)
    ]
    whole = pooled([splits, *others])
    assert whole.draws == 4
    once = whole.each_once
    for part, own in ((once.train, splits.train), (once.validation, splits.validation)):
        np.testing.assert_array_equal(part.theta, own.theta)
        np.testing.assert_array_equal(part.x, own.x)
    assert once.test is splits.test
    assert once.each_once is once
    assert splits.each_once is splits


def test_simulations_with_one_parameter_are_several(splits):
    # masses of halos are whole numbers of particles, and light halos are many
    train = Pairs(np.repeat([[1.0], [2.0]], [6, 2], axis=0), splits.train.x)
    one = replace(splits, train=train)
    # another draw may see simulations that the first has not
    more = Pairs(np.array([[2.0], [3.0]]), np.ones((2, 2)))
    once = pooled([one, replace(one, train=more), one]).each_once
    np.testing.assert_array_equal(once.train.theta, train.theta)
    np.testing.assert_array_equal(once.train.x, train.x)
    again = pooled([pooled([one, one]), one])
    assert (again.draws, len(again.each_once.train)) == (3, 8)


def test_parameters_must_be_the_pairs_own(splits):
    splits.check_parameters((Parameter("a", "kpc", "$a$"),))
    with pytest.raises(ValueError, match="compute the summaries with the same"):
        splits.check_parameters((Parameter("b", "kpc", "$b$"),))


def test_pairs_have_as_many_rows_of_each():
    with pytest.raises(ValueError, match=r"must be .N, P. and .N, S."):
        Pairs(np.zeros((3, 1)), np.zeros((2, 1)))


def test_parameters_are_those_of_the_pairs_in_their_units_too(splits):
    here = replace(splits, parameter_units=("km / s",))
    for unit in ("km / s", "km s-1"):
        here.check_parameters([Parameter("a", unit, "$a$")])
    for unit in ("m / s", "kpc", ""):
        with pytest.raises(ValueError, match=f"'a' in 'km / s', not in '{unit}'"):
            here.check_parameters([Parameter("a", unit, "$a$")])
    splits.check_parameters(
        [Parameter("a", "kpc", "$a$")]
    )  # of whose unit nothing is known
    with pytest.raises(ValueError, match="summaries of parameter_units"):
        pooled([here, replace(splits, parameter_units=("m / s",))])
