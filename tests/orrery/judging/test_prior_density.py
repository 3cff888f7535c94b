"""Laws of a prior's density: a density, near the right one, and never above it on average."""

import numpy as np
import pytest
from scipy import stats

from orrery.judging.prior_density import log_prior_density, most_probable_mixture

TOGETHER = np.array([[1.0, 0.8, -0.3], [0.8, 1.0, 0.0], [-0.3, 0.0, 1.0]])
NORMAL = stats.multivariate_normal(np.zeros(3), TOGETHER)


def uniform(random, count):
    theta = random.uniform([6.0, 1.7, 0.5], [8.0, 2.7, 4.0], (count, 3))
    return theta, np.full(count, -np.log(2.0 * 1.0 * 3.5))


def normal(random, count):
    theta = NORMAL.rvs(count, random_state=random)
    return theta, NORMAL.logpdf(theta)


def masses(random, count):
    """Log-normal numbers, one of them much larger than the others."""
    logs, density = normal(random, count)
    theta = 10.0 ** (0.2 * logs + [12.0, 0.0, -3.0])
    return theta, density - np.log(0.2 * np.log(10) * theta).sum(axis=1)


def beyond_zero(random, count):
    theta = random.exponential(size=(count, 2))
    return theta, -theta.sum(axis=1)


def ring(random, count):
    """A distribution that is far from a normal one between ranks."""
    angle = random.uniform(0, 2 * np.pi, count)
    radius = 3 + 0.1 * random.normal(size=count)
    theta = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    density = stats.norm.logpdf(radius, 3, 0.1) - np.log(2 * np.pi * radius)
    return theta, density


def pulled(random, count):
    """Velocities that are the larger, the larger a mass is, and of either sign."""
    mass = random.uniform(1.0, 3.0, count)
    velocities = stats.norm.rvs(0, mass[:, None], (count, 3), random_state=random)
    density = stats.norm.logpdf(velocities, 0, mass[:, None]).sum(axis=1) - np.log(2.0)
    return np.hstack([mass[:, None], velocities]), density


@pytest.mark.parametrize(("count", "off"), [(300, 0.25), (3000, 0.06)])
@pytest.mark.parametrize("prior", [uniform, normal, masses, beyond_zero])
def test_it_is_near_the_right_one(prior, count, off):
    random = np.random.default_rng(3)
    sample, _ = prior(random, count)
    theta, exact = prior(random, 2000)
    lost = exact - log_prior_density(sample, theta)
    assert -3 * lost.std() / np.sqrt(len(lost)) < lost.mean() < off


@pytest.mark.slow
@pytest.mark.parametrize(("prior", "off"), [(ring, 0.3), (pulled, 0.15)])
def test_numbers_may_hang_together_in_other_ways_than_by_correlations(prior, off):
    random = np.random.default_rng(4)
    sample, _ = prior(random, 3000)
    theta, exact = prior(random, 2000)
    lost = (exact - log_prior_density(sample, theta)).mean()
    apart = sum(
        log_prior_density(s[:, None], t[:, None])
        for s, t in zip(sample.T, theta.T, strict=True)
    )
    assert 0.0 < lost < min(off, 0.5 * (exact - apart).mean())


@pytest.mark.parametrize("count", [2, 5, 40])
@pytest.mark.parametrize("prior", [uniform, normal, ring, pulled])
def test_a_few_simulations_tell_less(prior, count):
    random = np.random.default_rng(10)
    sample, _ = prior(random, count)
    theta, exact = prior(random, 2000)
    lost = exact - log_prior_density(sample, theta)
    assert np.isfinite(lost).all()
    assert lost.mean() > 0.1


@pytest.mark.parametrize("prior", [uniform, masses, beyond_zero, ring])
def test_one_parameter_has_a_density(prior):
    sample, _ = prior(np.random.default_rng(5), 500)
    column = sample[:, :1]
    reach = 5 * np.ptp(column)
    grid = np.linspace(column.min() - reach, column.max() + reach, 200_001)
    density = np.exp(log_prior_density(column, grid[:, None]))
    assert np.trapezoid(density, grid) == pytest.approx(1.0, abs=2e-3)


def test_beyond_the_sample_it_is_small_and_not_nought():
    random = np.random.default_rng(6)
    sample, _ = normal(random, 400)
    far = log_prior_density(sample, np.array([[6.0, 6.0, 0.0], [-40.0, 0.0, 0.0]]))
    assert np.isfinite(far).all()
    assert (far < log_prior_density(sample, np.zeros((1, 3))) - 5).all()


def test_it_is_finite_wherever_truths_may_be():
    random = np.random.default_rng(11)
    sample = random.standard_normal((50, 1))
    far = log_prior_density(sample, np.array([[130.0], [-1e4], [1e9]]))
    assert np.isfinite(far).all()
    assert (np.diff(far) < 0).all()


def test_parameters_that_say_the_same_and_constants_have_one():
    random = np.random.default_rng(7)
    one = random.normal(size=(300, 1))
    sample = np.hstack([one, 2 * one + 1, np.full_like(one, 4.0)])
    assert np.isfinite(log_prior_density(sample, sample[:50])).all()


def test_units_change_the_density_by_their_ratio_alone():
    random = np.random.default_rng(8)
    sample, _ = normal(random, 1000)
    theta, _ = normal(random, 50)
    scales = np.array([1e-3, 1.0, 1e12])
    scaled = log_prior_density(sample * scales, theta * scales)
    np.testing.assert_allclose(
        scaled + np.log(scales).sum(), log_prior_density(sample, theta), rtol=1e-6
    )


def test_a_mixture_is_no_worse_than_either():
    random = np.random.default_rng(9)
    one, other = random.normal(-3, 2, (2, 400))
    mixed = most_probable_mixture(one, other)
    assert mixed.mean() >= max(one.mean(), other.mean())
    np.testing.assert_array_equal(most_probable_mixture(one, one - 1000), one)


@pytest.mark.parametrize(
    ("sample", "theta"),
    [((9, 2), (4, 3)), ((1, 2), (4, 2)), ((9, 2), (4,)), ((9,), (4, 1))],
)
def test_other_shapes_are_refused(sample, theta):
    with pytest.raises(ValueError, match=r"parameters of shapes"):
        log_prior_density(np.zeros(sample), np.zeros(theta))
