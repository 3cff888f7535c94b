import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from orrery.parameters import (
    Normal,
    Parameter,
    Prior,
    Uniform,
    finite,
    generator,
    parameter_names,
)

PRIOR = Prior(
    (Parameter("mass", "solMass", "$M$", 0.0), Parameter("v", "km / s", "$v$")),
    (Uniform(2.0, 5.0), Normal(10.0, 3.0, lower=6.0)),
)


@given(st.integers(0, 2**63), st.lists(st.integers(0, 2**31), max_size=3))
def test_the_same_path_gives_the_same_stream(seed, path):
    assert (
        generator(seed, *path).random(4).tolist()
        == generator(seed, *path).random(4).tolist()
    )


def test_different_paths_give_different_streams():
    paths = [(0,), (1,), (0, 0), (0, 1), (1, 0), ()]
    first = {tuple(generator(7, *path).random(2)) for path in paths}
    assert len(first) == len(paths)
    assert tuple(generator(8, 0).random(2)) not in first


def test_neighbouring_indices_are_independent():
    draws = np.array([generator(1, i).normal() for i in range(2000)])
    assert stats.kstest(draws, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 4 / np.sqrt(len(draws))


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (0, -3)])
def test_negative_seeds_are_refused(seed, index):
    with pytest.raises(ValueError, match="0 or larger"):
        generator(seed, index)


def test_draws_follow_their_distributions():
    uniform, normal = PRIOR.draw(np.random.default_rng(0), 4000).T
    assert stats.kstest(uniform, stats.uniform(2.0, 3.0).cdf).pvalue > 1e-3
    truncated = stats.truncnorm((6.0 - 10.0) / 3.0, np.inf, loc=10.0, scale=3.0)
    assert stats.kstest(normal, truncated.cdf).pvalue > 1e-3


@given(
    st.floats(-5, 5),
    st.floats(0.1, 3),
    st.floats(-4, 0),
    st.floats(0.5, 4),
    st.floats(0, 1, exclude_max=True),
)
def test_truncated_normals_stay_within_their_bounds(
    mean, sigma, lower, width, probability
):
    value = Normal(mean, sigma, lower, lower + width).quantile(np.array([probability]))
    assert lower <= value[0] <= lower + width


@pytest.mark.parametrize("distribution", PRIOR.distributions)
def test_quantiles_never_decrease(distribution):
    values = distribution.quantile(np.linspace(0.0, 1.0, 101)[:-1])
    assert (np.diff(values) >= 0).all()


def test_a_prior_describes_itself_as_json():
    text = json.dumps(PRIOR.describe(), allow_nan=False)
    assert json.loads(text)["v"] == {
        "unit": "km / s", "distribution": "Normal", "mean": 10.0, "sigma": 3.0, "lower": 6.0,
    }  # fmt: skip


def test_names_keep_their_order():
    assert PRIOR.names == parameter_names(PRIOR.parameters) == ("mass", "v")


def test_a_prior_needs_one_distribution_for_each_parameter():
    with pytest.raises(
        ValueError, match="2 parameters need as many distributions, not 1"
    ):
        Prior(PRIOR.parameters, PRIOR.distributions[:1])


def test_bounds_must_be_in_order():
    with pytest.raises(ValueError, match=r"mass: lower bound 2.0 must be below 1.0"):
        Parameter("mass", "", "$M$", 2.0, 1.0)


def test_infinities_are_left_out():
    assert finite({"a": 1.0, "b": np.inf, "c": -np.inf, "d": np.nan}) == {"a": 1.0}


def test_a_parameter_needs_a_unit_that_can_be_read():
    assert Parameter("age", "Gyr", "$t$").unit == "Gyr"
    with pytest.raises(ValueError, match=r"'age' has the unit 'eons', which astropy"):
        Parameter("age", "eons", "$t$")
