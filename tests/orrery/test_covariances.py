"""A matrix that no errors can have is refused, in whatever unit its entries are."""

import numpy as np
import pytest

from orrery.covariances import check_covariance
from orrery.pairs import Pairs, check_error_covariance, convolve
from orrery.records import Observation

NAMES = ("a", "b", "c")
GOOD = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
SAME = np.ones((3, 3))  # what the entries share is all of their error
UNITS = [1.0, 1e-6, 1e-12, 1e9, np.array([1.0, 1e-9, 1e9])]
WRONG = [
    (np.diag([1.0, -1e-3, 0.0]), "the variance .* of 'b'"),
    (np.array([[1, 0.5, 0], [0, 1, 0], [0, 0, 1.0]]), "of 'a' and 'b' .* other: give"),
    (np.array([[1, 0, 0], [0, 1, 2], [0, 2, 1.0]]), "most of all of 'b' and 'c': of"),
    (np.array([[1, 0, 0], [0, 0, 1], [0, 1, 1.0]]), "most of all of 'b' and 'c'"),
    (np.array([[1, -0.9, -0.9], [-0.9, 1, -0.9], [-0.9, -0.9, 1]]), "no errors can"),
]


def observation(covariance):
    return Observation("seen", NAMES, ("",) * 3, np.zeros(3), covariance, "here", {})


def noisy(covariance):
    """Returns pairs with errors; those without vary as much as the errors do."""
    scatter = np.sqrt(np.abs(covariance.diagonal()))
    x = np.random.default_rng(1).normal(size=(9, 3)) * scatter
    return convolve(Pairs(np.zeros((9, 1)), x), covariance, np.random.default_rng(2))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("covariance", "said"), WRONG)
def test_what_is_none_is_refused_in_any_unit(covariance, said, unit):
    scaled = covariance * unit * np.reshape(unit, (-1, 1))
    with pytest.raises(ValueError, match=f"observation 'seen' has .*{said}"):
        observation(scaled)
    with pytest.raises(ValueError, match="the measurement error has"):
        noisy(scaled)


@pytest.mark.parametrize(
    ("covariance", "unit"),
    [
        *((covariance, unit) for covariance in (GOOD, 0 * GOOD) for unit in UNITS),
        # numpy takes the rounding of larger ones for a negative eigenvalue
        *((SAME, unit) for unit in (1.0, 1e-6, 1e-12)),
    ],
)
def test_what_is_one_is_taken_in_any_unit(covariance, unit):
    scaled = covariance * unit * np.reshape(unit, (-1, 1))
    rounded = scaled * (1 + 1e-8 * np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]))
    assert observation(rounded).value.shape == (3,)
    assert np.isfinite(noisy(rounded).x).all()


def test_the_rounding_of_a_zero_matters_as_little_as_the_zero():
    x = np.random.default_rng(1).normal(size=(100, 2))
    left = np.array([[1.0, 1e-17], [1e-17, 1e-40]])
    check_error_covariance(left, x)
    with pytest.raises(ValueError, match="most of all of 'a' and 'b'"):
        check_covariance("the vector", left, NAMES[:2])


def test_errors_are_finite():
    for wrong in (np.inf, np.nan):
        with pytest.raises(ValueError, match="numbers that are not finite: leave"):
            check_error_covariance(np.diag([1.0, wrong]), np.ones((9, 2)))
