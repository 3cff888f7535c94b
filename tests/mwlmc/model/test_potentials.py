"""Laws of gravity: pulls are those of the enclosed mass, and of the densities that they claim."""

import numpy as np
import pytest
import torch
from scipy import integrate

from mwlmc.model import potentials
from mwlmc.model.potentials import BULGE_MASS, DISC_MASS, G

MASSES = np.array([0.3e12, 0.8e12, 1.5e12, 3e12])  # [Msun]
RADII = torch.tensor([[0.5, 3.0, 8.3, 25.0, 80.0, 300.0]], dtype=torch.float64)  # [kpc]


def _nfw():
    return potentials.milky_way_halo(np.array([1.5e12]), np.array([11.75]))


def _lmc():
    return potentials.lmc_halo(np.array([1.5e11]))


# --- dark halos -----------------------------------------------------------------------------


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
    radius = potentials.virial_radius(MASSES)
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
    radius = torch.full((4, 1), potentials.SUN_RADIUS, dtype=torch.float64)
    dark = (halo.pull(radius)[:, 0] * potentials.SUN_RADIUS**2).numpy()
    total = np.sqrt(
        dark + potentials.stellar_circular_velocity(potentials.SUN_RADIUS) ** 2
    )
    np.testing.assert_allclose(total, wanted, rtol=1e-10)


def test_heavier_haloes_are_less_concentrated():
    c200 = potentials.concentration(MASSES)
    assert (np.diff(c200) < 0).all()


def test_haloes_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match=r"1e\+10 .* reaches 235.0 km/s"):
        potentials.concentration(np.array([1e10]))
    with pytest.raises(
        ValueError, match=r"LMC mass 1.7e\+10 Msun must be above 1.7e\+10"
    ):
        potentials.lmc_halo(np.array([1e11, 1.7e10]))


# --- disc and bulge --------------------------------------------------------------------------


def _exact_disc(radius, height):
    # the heights are also the nodes of the vertical quadrature, so they have to be many
    dense = np.union1d(np.geomspace(1e-3, 300.0, 400), height)
    pulls = np.stack(potentials.disc_pulls(radius, dense))
    return pulls[:, :, np.searchsorted(dense, height)]


def _disc_force(radius, height, nodes=100, reach=120.0):
    """The force [(km/s)^2/kpc] on a point by integrating the density over directions and distance.

    In spherical coordinates around the point the inverse square cancels the volume's
    square.
    """
    cosine, cosine_weight = np.polynomial.legendre.leggauss(nodes)
    t, t_weight = np.polynomial.legendre.leggauss(400)
    t = 0.5 * (t + 1.0)
    distance, weight = reach * t**3, 1.5 * reach * t_weight * t**2
    azimuth = np.linspace(0.0, 2 * np.pi, nodes, endpoint=False)
    force = np.zeros(2)
    for c, w in zip(cosine, cosine_weight, strict=True):
        s = np.sqrt(1.0 - c * c)
        x = radius + distance[:, None] * s * np.cos(azimuth)
        y = distance[:, None] * s * np.sin(azimuth)
        density = potentials.disc_density(
            np.hypot(x, y), (height + distance * c)[:, None]
        )
        column = weight @ density * w * 2 * np.pi / nodes
        force += G * np.array(
            [(column * s * np.cos(azimuth)).sum(), (column * c).sum()]
        )
    return force


@pytest.mark.parametrize(
    "place", [(0.5, 0.3), (2.0, 1.0), (8.0, 0.1), (8.3, 2.0), (4.0, 12.0)]
)
def test_disc_pulls_are_the_integral_of_its_density(place):
    radius, height = place
    plane, across = _exact_disc(np.array([radius]), np.array([height]))[:, 0, 0]
    wanted = _disc_force(radius, height)
    np.testing.assert_allclose([-plane * radius, -across * height], wanted, rtol=1e-4)


def test_disc_is_a_point_mass_far_away_and_joins_its_multipoles():
    angle = np.array([0.02, 0.3, 0.8, 1.2, 1.55])
    for radius, allowed in ((59.9, 1e-3), (90.0, 1e-4), (130.0, 1e-5)):
        r, z = radius * np.cos(angle), radius * np.sin(angle)
        dense = np.union1d(np.geomspace(1e-3, 300.0, 400), z)
        near = np.stack(potentials._hankel_pulls(r, dense))
        near = near[:, np.arange(5), np.searchsorted(dense, z)]
        far = np.stack(potentials._multipole_pulls(r, z))
        np.testing.assert_allclose(near, far, rtol=allowed)
    point = G * DISC_MASS / 1000.0**3
    np.testing.assert_allclose(
        potentials._multipole_pulls(600.0, 800.0), point, rtol=1e-4
    )


def test_table_interpolates_the_exact_force():
    random = np.random.default_rng(1)
    radius, height = np.sort(10 ** random.uniform(-1, 2.5, (2, 60)))
    exact = _exact_disc(radius, height)
    azimuth = random.uniform(0, 2 * np.pi, 60)
    r, z = (
        torch.as_tensor(radius)[:, None],
        torch.as_tensor(height)[None, :].expand(60, 60),
    )
    x = r * torch.as_tensor(np.cos(azimuth)) + 0 * z
    y = r * torch.as_tensor(np.sin(azimuth)) + 0 * z
    table = np.stack(potentials.stellar_table("disc").pulls(torch.stack([x, y, z])))
    arms = np.stack([radius[:, None] + 0 * height, height + 0 * radius[:, None]])
    off = np.linalg.norm((table - exact) * arms, axis=0) / np.linalg.norm(
        exact * arms, axis=0
    )
    distance = np.hypot(*arms)
    assert off[distance > 5.0].max() < 2e-4
    assert off.max() < 5e-4


def test_bulge_table_is_the_pull_of_the_mass_inside():
    radius = np.geomspace(0.3, 300.0, 50)
    points = torch.as_tensor(np.outer([0.36, 0.48, 0.8], radius))[:, None]
    plane, across = potentials.stellar_table("bulge").pulls(points)
    wanted = G * potentials.bulge_enclosed_mass(radius) / radius**3
    np.testing.assert_allclose(plane[0], wanted, rtol=1e-3)
    torch.testing.assert_close(plane, across)
    far = radius > 5.0
    np.testing.assert_allclose(plane[0, far], wanted[far], rtol=1e-4)


def test_bulge_masses_interpolated_are_the_integrals():
    radius = np.geomspace(1.5e-4, 1e5, 3001)  # the cut-off is inside
    found = potentials._interpolated_bulge_mass(radius)
    np.testing.assert_allclose(found, potentials.bulge_enclosed_mass(radius), rtol=2e-8)


def test_total_is_disc_and_bulge_and_unknown_components_are_refused():
    points = torch.randn(3, 1, 50, dtype=torch.float64) * 10
    parts = [
        torch.stack(potentials.stellar_table(c).pulls(points))
        for c in ("disc", "bulge")
    ]
    total = torch.stack(potentials.stellar_table().pulls(points))
    torch.testing.assert_close(total, parts[0] + parts[1])
    with pytest.raises(ValueError, match=r"no stellar component 'halo': choose one of"):
        potentials.stellar_table("halo")


def test_stellar_pulls_know_neither_azimuth_nor_side():
    points = torch.randn(3, 2, 40, dtype=torch.float64) * 10
    mirrored = points * torch.tensor([1.0, 1.0, -1.0])[:, None, None]
    turned = torch.stack([-points[1], points[0], points[2]])
    pulls = torch.stack(potentials.stellar_table().pulls(points))
    for other in (mirrored, turned):
        torch.testing.assert_close(
            torch.stack(potentials.stellar_table().pulls(other)), pulls
        )


def test_table_in_single_precision_is_the_table():
    points = torch.randn(3, 1, 500, dtype=torch.float64) * 30
    double = torch.stack(potentials.stellar_table().pulls(points))
    single = potentials.stellar_table("total", torch.float32).pulls(points.float())
    torch.testing.assert_close(
        torch.stack(single).double(), double, rtol=1e-5, atol=0.0
    )


def test_stellar_masses_are_those_of_the_densities():
    mass = BULGE_MASS + DISC_MASS
    assert mass == 6.2e10
    assert potentials.stellar_mass_within(500.0) == pytest.approx(mass, rel=1e-12)
    assert float(potentials.bulge_enclosed_mass(np.array(100.0))) == pytest.approx(
        BULGE_MASS
    )
    shells = np.diff(
        [potentials.stellar_mass_within(r) for r in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)]
    )
    assert (shells > 0).all()

    def shell(radius):
        return 4 * np.pi * radius**2 * float(potentials.bulge_density(np.array(radius)))

    inside, _ = integrate.quad(shell, 0.0, 1.0, epsrel=1e-10)
    assert inside == pytest.approx(
        float(potentials.bulge_enclosed_mass(np.array(1.0))), rel=1e-8
    )


def test_disc_mass_in_a_sphere_is_the_integral_of_its_density():
    nodes, weights = np.polynomial.legendre.leggauss(300)
    edge = 8.0
    t = 0.5 * (nodes + 1.0)
    radius, cosine = edge * t, t**3  # the thin disc is near a cosine of zero
    r = np.outer(radius, np.sqrt(1.0 - cosine**2))
    density = potentials.disc_density(r, np.outer(radius, cosine))
    shells = 4 * np.pi * radius**2 * (density @ (1.5 * weights * t**2))
    mass = 0.5 * edge * weights @ shells
    bulge = float(potentials.bulge_enclosed_mass(np.array(edge)))
    assert potentials.stellar_mass_within(edge) - bulge == pytest.approx(mass, rel=1e-5)


def test_units():
    assert (
        pytest.approx(127.05, rel=1e-4) == potentials.CRITICAL_DENSITY
    )  # [Msun/kpc^3]
    assert (
        pytest.approx(0.97779, rel=1e-5) == 1.0 / potentials.GYR
    )  # a kpc/(km/s) in Gyr
