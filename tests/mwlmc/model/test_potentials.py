"""Laws of the dark halos: masses are integrals, pulls are gradients, observed masses are held."""

import numpy as np
import pytest
import torch
from scipy import integrate

from mwlmc.model import disc_and_bulge, potentials
from mwlmc.model.constants import (
    SUN_RADIUS,
    G,
)

MASSES = np.array([0.3e12, 0.8e12, 1.5e12, 3e12])  # [Msun]
RADII = torch.tensor([[0.5, 3.0, 8.3, 25.0, 80.0, 300.0]], dtype=torch.float64)  # [kpc]


def _nfw():
    return potentials.milky_way_halo(np.array([1.5e12]), np.array([11.75]))


def _lmc():
    return potentials.lmc_halo(np.array([1.5e11]))


def test_nfw_mass_is_the_integral_of_its_density():
    halo = _nfw()

    def shell(radius):
        density = halo.density(torch.tensor([[radius]], dtype=torch.float64))
        return 4 * np.pi * radius**2 * float(density)

    for radius in RADII[0].tolist():
        mass, _ = integrate.quad(shell, 0.0, radius, epsrel=1e-9)
        enclosed = halo.enclosed_mass(torch.tensor([[radius]], dtype=torch.float64))
        assert mass == pytest.approx(float(enclosed), rel=1e-6)


def test_nfw_pull_is_the_gradient_of_its_potential():
    halo, radius = _nfw(), RADII.clone().requires_grad_()
    (slope,) = torch.autograd.grad(halo.potential(radius).sum(), radius)
    torch.testing.assert_close(slope, (halo.pull(RADII) * RADII), rtol=1e-10, atol=0.0)


def test_nfw_holds_m200_within_r200():
    c200 = potentials.concentration(MASSES)
    halo = potentials.milky_way_halo(MASSES, c200)
    radius = potentials.radius_200(MASSES)
    within = halo.enclosed_mass(torch.as_tensor(radius)[:, None])[:, 0].numpy()
    np.testing.assert_allclose(within, MASSES, rtol=1e-12)
    density = MASSES / (4 / 3 * np.pi * radius**3)
    np.testing.assert_allclose(density, 200 * 127.05, rtol=1e-4)


def test_hernquist_pull_is_the_gradient_of_its_potential():
    lmc, radius = _lmc(), RADII.clone().requires_grad_()
    potential = -G * lmc.mass / (radius + lmc.scale)
    (slope,) = torch.autograd.grad(potential.sum(), radius)
    torch.testing.assert_close(slope, lmc.pull(RADII) * RADII, rtol=1e-12, atol=0.0)


def test_every_pull_is_that_of_the_mass_inside():
    for halo in (_nfw(), _lmc()):
        wanted = G * halo.enclosed_mass(RADII) / RADII**3
        torch.testing.assert_close(halo.pull(RADII), wanted, rtol=1e-12, atol=0.0)


def test_lmc_holds_what_is_observed_within_8_7_kpc():
    masses = np.array([1.75e10, 5e10, 1.5e11, 4e11])
    edge = torch.full((4, 1), 8.7, dtype=torch.float64)
    within = potentials.lmc_halo(masses).enclosed_mass(edge)[:, 0].numpy()
    np.testing.assert_allclose(within, 1.7e10, rtol=1e-12)
    velocity = np.sqrt(G * 1.7e10 / 8.7)
    assert velocity == pytest.approx(
        91.7, abs=0.05
    )  # [km/s], van der Marel & Kallivayalil (2014)


@pytest.mark.parametrize("wanted", [220.0, 235.0])
def test_concentration_gives_the_circular_velocity(wanted):
    halo = potentials.milky_way_halo(MASSES, potentials.concentration(MASSES, wanted))
    radius = torch.full((4, 1), SUN_RADIUS, dtype=torch.float64)
    dark = (halo.pull(radius)[:, 0] * SUN_RADIUS**2).numpy()
    total = np.sqrt(dark + disc_and_bulge.stellar_circular_velocity(SUN_RADIUS) ** 2)
    np.testing.assert_allclose(total, wanted, rtol=1e-10)


def test_heavier_halos_are_less_concentrated():
    c200 = potentials.concentration(MASSES)
    assert (np.diff(c200) < 0).all()


def test_halos_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match=r"1e\+10 .* reaches 235.0 km/s"):
        potentials.concentration(np.array([1e10]))
    with pytest.raises(
        ValueError, match=r"LMC mass 1.7e\+10 Msun must be above 1.7e\+10"
    ):
        potentials.lmc_halo(np.array([1e11, 1.7e10]))
