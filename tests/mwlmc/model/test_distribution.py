"""Laws of the stellar halo before the LMC: its density, its anisotropy, and Jeans' equation."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import gamma

from mwlmc.model import disc_and_bulge, distribution
from mwlmc.model.constants import G
from mwlmc.model.distribution import (
    SphericalPotential,
    distribution_function,
    spherical_potential,
)

AMPLITUDE, SCALE = 9.1e11, 20.6  # [Msun, kpc], of an NFW halo of 1.5e12 Msun
TRACER = 12.0  # [kpc]
RADII = distribution._RADII


def _halo_mass(radius):
    x = radius / SCALE
    return AMPLITUDE * (np.log1p(x) - x / (1.0 + x))


def _function(beta, tracer=TRACER, equilibrium="halo", slope=4.0):
    potential = spherical_potential(AMPLITUDE, SCALE, equilibrium)
    return distribution_function(potential, beta, tracer, slope)


def _sampled(beta, count=40_000, seed=8, equilibrium="halo", slope=4.0):
    """Radii [kpc], radial velocities, and squared tangential velocities of stars, each `[N]`."""
    function = _function(beta, equilibrium=equilibrium, slope=slope)
    position, velocity = function.sample(count, np.random.default_rng(seed))
    radius = np.linalg.norm(position, axis=0)
    outward = (position * velocity).sum(0) / radius
    return radius, outward, (velocity**2).sum(0) - outward**2


def _hernquist(mass=1e12, scale=TRACER):
    potential = -G * mass / (RADII + scale)
    enclosed = mass * (RADII / (RADII + scale)) ** 2
    density = mass * scale / (2 * np.pi * RADII * (RADII + scale) ** 3)
    return SphericalPotential(potential, enclosed, density)


def _same_shape(got, wanted, between, rtol):
    chosen = (between[0] < RADII) & (between[1] > RADII)
    ratio = got[chosen] / wanted[chosen]
    np.testing.assert_allclose(ratio / np.median(ratio), 1.0, rtol=rtol)


# --- closed forms ----------------------------------------------------------------------------


def test_isotropic_hernquist_model_is_that_of_hernquist():
    """Hernquist (1990), eq. 17: the tracer of slope 1 in its own potential."""
    function = distribution_function(_hernquist(), 0.0, TRACER)
    q2 = function.relative_energy * TRACER / (G * 1e12)
    q = np.sqrt(q2)
    even = q * np.sqrt(1 - q2) * (1 - 2 * q2) * (8 * q2**2 - 8 * q2 - 3)
    wanted = (3 * np.arcsin(q) + even) / (1 - q2) ** 2.5
    _same_shape(function.g, wanted, (0.1, 300.0), rtol=5e-3)


def test_hernquist_model_of_anisotropy_one_half():
    """Baes & Dejonghe (2002): f is proportional to E^2 / L."""
    function = distribution_function(_hernquist(), 0.5, TRACER)
    _same_shape(function.g, function.relative_energy**2, (0.01, 1e4), rtol=1e-6)


def test_fractional_integral_of_powers():
    """The integral of order a of x^n is x^(n + a) n! / Gamma(n + a + 1)."""
    psi = np.linspace(1.0, 0.0, 400)
    for order in (0.0, 0.3, 0.5, 0.9):
        found = distribution._fractional_integral(psi, psi, order)
        np.testing.assert_allclose(
            found, psi ** (1 + order) / gamma(order + 2), atol=1e-12
        )


# --- the samples -----------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5])
def test_stars_follow_the_density(beta):
    radius, _, _ = _sampled(beta, 20_000)
    within = stats.kstest(radius, lambda r: (r / (r + TRACER)) ** 2)
    assert within.pvalue > 0.01


@pytest.mark.parametrize("slope", [3.75, 5.0, 6.0])
def test_stars_follow_a_density_of_any_outer_slope(slope):
    """The mass within r is the integral of r (r + a)^(1 - s), in closed form."""

    def within(radius):
        x = radius / TRACER
        return 1.0 - (1.0 + (slope - 2.0) * x) * (1.0 + x) ** (2.0 - slope)

    # the tables end where this much is outside
    assert 1.0 - within(RADII[-1]) < 1e-3
    radius, _, _ = _sampled(0.3, 20_000, slope=slope)
    assert stats.kstest(radius, within).pvalue > 0.01


def test_a_tracer_of_outer_slope_4_is_dehnens():
    np.testing.assert_array_equal(
        _function(0.3).speed_cdf, _function(0.3, slope=4.0).speed_cdf
    )
    default = distribution_function(_hernquist(), 0.3, TRACER)
    four = distribution_function(_hernquist(), 0.3, TRACER, 4.0)
    np.testing.assert_array_equal(default.g, four.g)


@pytest.mark.parametrize("beta", [0.0, 0.4, 0.85])
def test_anisotropy_is_the_same_at_all_radii(beta):
    radius, outward, sideways = _sampled(beta)
    for low, high in ((1, 5), (5, 10), (10, 20), (20, 40), (40, 80), (80, 300)):
        chosen = (radius > low) & (radius < high)
        found = 1.0 - sideways[chosen].mean() / 2 / (outward[chosen] ** 2).mean()
        assert found == pytest.approx(
            beta, abs=6.0 * (1 - beta) / np.sqrt(chosen.sum())
        )


def test_mean_square_speeds_obey_jeans_equation():
    """Without sampling: the tables alone, where nothing is clipped."""
    speed = np.linspace(0.0, 1.0, distribution._SPEED_NODES)
    # of speeds that are spread evenly between two nodes
    squares = (speed[1:] ** 3 - speed[:-1] ** 3) / (3 * np.diff(speed))
    nodes = np.flatnonzero((RADII > 0.5) & (RADII < 300.0))[::10]
    for beta in (0.0, 0.3, 0.5):
        function = _function(beta)
        mean = (
            (np.diff(function.speed_cdf, axis=1) @ squares)
            * 2
            * function.relative_energy
        )
        found = np.sqrt(mean[nodes] / (3 - 2 * beta))
        wanted = [_jeans(float(radius), beta, _halo_mass) for radius in RADII[nodes]]
        np.testing.assert_allclose(found, wanted, rtol=5e-4)


def _jeans(radius, beta, mass, slope=4.0):
    """The radial dispersion [km/s] from Jeans' equation at constant anisotropy."""

    def weight(r):
        return r ** (2 * beta - 1) / (r + TRACER) ** (slope - 1)

    outside = np.geomspace(radius, 1e6, 4001)
    shells = weight(outside) * G * mass(outside) / outside  # by ln r
    return np.sqrt(integrate.simpson(shells, x=np.log(outside)) / weight(radius))


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 0.6])
def test_dispersions_obey_jeans_equation(beta):
    radius, outward, _ = _sampled(beta, 80_000)
    for centre in (2.0, 5.0, 12.0, 30.0, 60.0, 120.0):
        chosen = np.abs(np.log(radius / centre)) < 0.1
        found = np.sqrt((outward[chosen] ** 2).mean())
        error = np.sqrt(0.5 / chosen.sum())
        assert found == pytest.approx(
            _jeans(centre, beta, _halo_mass), rel=4 * error + 0.003
        )


@pytest.mark.parametrize(("beta", "slope"), [(0.0, 6.0), (0.3, 5.0), (0.5, 3.75)])
def test_dispersions_of_any_outer_slope_obey_jeans_equation(beta, slope):
    radius, outward, _ = _sampled(beta, 80_000, slope=slope)
    for centre in (5.0, 12.0, 30.0, 60.0):
        chosen = np.abs(np.log(radius / centre)) < 0.1
        found = np.sqrt((outward[chosen] ** 2).mean())
        error = np.sqrt(0.5 / chosen.sum())
        wanted = _jeans(centre, beta, _halo_mass, slope)
        assert found == pytest.approx(wanted, rel=4 * error + 0.003)
        # what the slope is about: the same galaxy's stars are slower, or faster, by this
        assert abs(wanted / _jeans(centre, beta, _halo_mass) - 1.0) > 0.01


@pytest.mark.slow
def test_dispersions_obey_jeans_equation_with_disc_and_bulge():
    radius, outward, _ = _sampled(0.3, 80_000, equilibrium="total")
    nodes = np.geomspace(1.0, 300.0, 60)
    stars = np.array([disc_and_bulge.stellar_mass_within(float(r)) for r in nodes])
    for centre in (2.0, 8.0, 30.0, 100.0):
        chosen = np.abs(np.log(radius / centre)) < 0.1
        wanted = _jeans(
            centre, 0.3, lambda r: _halo_mass(r) + np.interp(r, nodes, stars)
        )
        found = np.sqrt((outward[chosen] ** 2).mean())
        assert found == pytest.approx(
            wanted, rel=4 * np.sqrt(0.5 / chosen.sum()) + 0.005
        )


def test_stars_are_bound_and_look_the_same_from_all_sides():
    function = _function(0.6)
    position, velocity = function.sample(20_000, np.random.default_rng(2))
    radius = np.linalg.norm(position, axis=0)
    potential = -G * AMPLITUDE * np.log1p(radius / SCALE) / radius
    # Psi is interpolated between the nodes
    assert (0.5 * (velocity**2).sum(0) < -potential * 1.001).all()
    for vectors in (position / radius, velocity):
        error = vectors.std(axis=1) / np.sqrt(20_000)
        assert (np.abs(vectors.mean(axis=1)) < 4 * error).all()


def test_same_generator_same_stars():
    first, second, other = (
        np.concatenate(_function(0.2).sample(50, np.random.default_rng(seed)))
        for seed in (1, 1, 2)
    )
    assert (first == second).all()
    assert not (first == other).any()


# --- clipping --------------------------------------------------------------------------------


@pytest.mark.parametrize("tracer", [10.0, 15.0])
@pytest.mark.parametrize("equilibrium", ["halo", "total"])
def test_clipping_begins_at_one_half(tracer, equilibrium):
    """An & Evans (2006): a cusp of slope 1 has a non-negative f only up to beta0 = 1/2."""
    below = [
        _function(beta, tracer, equilibrium).clipped for beta in (0.0, 0.25, 0.45, 0.5)
    ]
    assert max(below) < 1e-6
    above = [
        _function(beta, tracer, equilibrium).clipped for beta in (0.55, 0.65, 0.75, 0.9)
    ]
    assert (np.diff(above) > 0).all()
    assert above[-1] > 1e-3


def test_g_is_never_negative():
    for beta in (0.0, 0.5, 0.7, 0.89):
        function = _function(beta)
        assert (function.g >= 0).all()
        for cdf in (function.radial_cdf[None], function.speed_cdf):
            assert (np.diff(cdf, axis=1) >= 0).all()
            assert cdf.max() <= 1.0 + 1e-12


# --- potentials ------------------------------------------------------------------------------


@pytest.mark.parametrize("equilibrium", ["halo", "total"])
def test_potential_mass_and_density_belong_together(equilibrium):
    made = spherical_potential(AMPLITUDE, SCALE, equilibrium)
    log_r = np.log(RADII)
    inner = slice(8, -8)
    slope = np.gradient(made.potential, log_r)[inner]
    np.testing.assert_allclose(slope, (G * made.mass / RADII)[inner], rtol=5e-3)
    shells = np.gradient(made.mass, log_r)[inner]
    wanted = (4 * np.pi * RADII**3 * made.density)[inner]
    np.testing.assert_allclose(shells, wanted, rtol=2e-2, atol=1e-4 * wanted.max())


def test_total_adds_the_mass_of_disc_and_bulge():
    alone = spherical_potential(AMPLITUDE, SCALE, "halo")
    total = spherical_potential(AMPLITUDE, SCALE, "total")
    chosen = np.flatnonzero((RADII > 0.5) & (RADII < 200.0))[::8]
    wanted = [disc_and_bulge.stellar_mass_within(float(r)) for r in RADII[chosen]]
    np.testing.assert_allclose((total.mass - alone.mass)[chosen], wanted, rtol=2e-3)


def test_what_makes_no_halo_is_refused():
    with pytest.raises(
        ValueError, match=r"no equilibrium 'disc': choose 'halo' or 'total'"
    ):
        spherical_potential(AMPLITUDE, SCALE, "disc")
    for beta, tracer in ((1.0, 12.0), (-0.1, 12.0), (0.5, 0.0)):
        with pytest.raises(ValueError, match=r"beta0 = .* must be from 0 to below 1"):
            _function(beta, tracer)
    for slope in (3.7, -4.0, 13.0, np.nan):
        with pytest.raises(ValueError, match=r"outer_slope = .* must be from 3.75"):
            _function(0.3, slope=slope)
