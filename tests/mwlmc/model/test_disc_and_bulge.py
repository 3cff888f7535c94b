"""Laws of disc and bulge: the table interpolates exact forces, which are those of the densities."""

import numpy as np
import pytest
import torch
from scipy import integrate

from mwlmc.model import disc_and_bulge
from mwlmc.model.constants import (
    BULGE_MASS,
    DISC_MASS,
    G,
)


def _exact_disc(radius, height):
    # the heights are also the nodes of the vertical quadrature, so they have to be many
    dense = np.union1d(np.geomspace(1e-3, 300.0, 400), height)
    pulls = np.stack(disc_and_bulge.disc_pulls(radius, dense))
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
        density = disc_and_bulge.disc_density(
            np.hypot(x, y), (height + distance * c)[:, None]
        )
        column = weight @ density * w * 2 * np.pi / nodes
        force += G * np.array(
            [(column * s * np.cos(azimuth)).sum(), (column * c).sum()]
        )
    return force


@pytest.mark.slow
@pytest.mark.parametrize(
    "place", [(0.5, 0.3), (2.0, 1.0), (8.0, 0.1), (8.3, 2.0), (4.0, 12.0)]
)
def test_disc_pulls_are_the_integral_of_its_density(place):
    radius, height = place
    plane, across = _exact_disc(np.array([radius]), np.array([height]))[:, 0, 0]
    wanted = _disc_force(radius, height)
    np.testing.assert_allclose([-plane * radius, -across * height], wanted, rtol=1e-4)


@pytest.mark.slow
def test_disc_is_a_point_mass_far_away_and_joins_its_multipoles():
    angle = np.array([0.02, 0.3, 0.8, 1.2, 1.55])
    for radius, allowed in ((59.9, 1e-3), (90.0, 1e-4), (130.0, 1e-5)):
        r, z = radius * np.cos(angle), radius * np.sin(angle)
        dense = np.union1d(np.geomspace(1e-3, 300.0, 400), z)
        near = np.stack(disc_and_bulge._hankel_pulls(r, dense))
        near = near[:, np.arange(5), np.searchsorted(dense, z)]
        far = np.stack(disc_and_bulge._multipole_pulls(r, z))
        np.testing.assert_allclose(near, far, rtol=allowed)
    point = G * DISC_MASS / 1000.0**3
    np.testing.assert_allclose(
        disc_and_bulge._multipole_pulls(600.0, 800.0), point, rtol=1e-4
    )


@pytest.mark.slow
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
    table = np.stack(disc_and_bulge.stellar_table("disc").pulls(torch.stack([x, y, z])))
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
    plane, across = disc_and_bulge.stellar_table("bulge").pulls(points)
    wanted = G * disc_and_bulge.bulge_enclosed_mass(radius) / radius**3
    np.testing.assert_allclose(plane[0], wanted, rtol=1e-3)
    torch.testing.assert_close(plane, across)
    far = radius > 5.0
    np.testing.assert_allclose(plane[0, far], wanted[far], rtol=1e-4)


def test_bulge_masses_interpolated_are_the_integrals():
    radius = np.geomspace(1.5e-4, 1e5, 3001)  # the cut-off is inside
    found = disc_and_bulge._interpolated_bulge_mass(radius)
    np.testing.assert_allclose(
        found, disc_and_bulge.bulge_enclosed_mass(radius), rtol=2e-8
    )


def test_total_is_disc_and_bulge_and_unknown_components_are_refused():
    points = torch.randn(3, 1, 50, dtype=torch.float64) * 10
    parts = [
        torch.stack(disc_and_bulge.stellar_table(c).pulls(points))
        for c in ("disc", "bulge")
    ]
    total = torch.stack(disc_and_bulge.stellar_table().pulls(points))
    torch.testing.assert_close(total, parts[0] + parts[1])
    with pytest.raises(ValueError, match=r"no stellar component 'halo': choose one of"):
        disc_and_bulge.stellar_table("halo")


def test_stellar_pulls_know_neither_azimuth_nor_side():
    points = torch.randn(3, 2, 40, dtype=torch.float64) * 10
    mirrored = points * torch.tensor([1.0, 1.0, -1.0])[:, None, None]
    turned = torch.stack([-points[1], points[0], points[2]])
    pulls = torch.stack(disc_and_bulge.stellar_table().pulls(points))
    for other in (mirrored, turned):
        torch.testing.assert_close(
            torch.stack(disc_and_bulge.stellar_table().pulls(other)), pulls
        )


def test_table_in_single_precision_is_the_table():
    points = torch.randn(3, 1, 500, dtype=torch.float64) * 30
    double = torch.stack(disc_and_bulge.stellar_table().pulls(points))
    single = disc_and_bulge.stellar_table("total", torch.float32).pulls(points.float())
    torch.testing.assert_close(
        torch.stack(single).double(), double, rtol=1e-5, atol=0.0
    )


def test_stellar_masses_are_those_of_the_densities():
    mass = BULGE_MASS + DISC_MASS
    assert mass == 6.2e10
    assert disc_and_bulge.stellar_mass_within(500.0) == pytest.approx(mass, rel=1e-12)
    assert float(disc_and_bulge.bulge_enclosed_mass(np.array(100.0))) == pytest.approx(
        BULGE_MASS
    )
    shells = np.diff(
        [
            disc_and_bulge.stellar_mass_within(r)
            for r in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
        ]
    )
    assert (shells > 0).all()

    def shell(radius):
        return (
            4
            * np.pi
            * radius**2
            * float(disc_and_bulge.bulge_density(np.array(radius)))
        )

    inside, _ = integrate.quad(shell, 0.0, 1.0, epsrel=1e-10)
    assert inside == pytest.approx(
        float(disc_and_bulge.bulge_enclosed_mass(np.array(1.0))), rel=1e-8
    )


def test_disc_mass_in_a_sphere_is_the_integral_of_its_density():
    nodes, weights = np.polynomial.legendre.leggauss(300)
    edge = 8.0
    t = 0.5 * (nodes + 1.0)
    radius, cosine = edge * t, t**3  # the thin disc is near a cosine of zero
    r = np.outer(radius, np.sqrt(1.0 - cosine**2))
    density = disc_and_bulge.disc_density(r, np.outer(radius, cosine))
    shells = 4 * np.pi * radius**2 * (density @ (1.5 * weights * t**2))
    mass = 0.5 * edge * weights @ shells
    bulge = float(disc_and_bulge.bulge_enclosed_mass(np.array(edge)))
    assert disc_and_bulge.stellar_mass_within(edge) - bulge == pytest.approx(
        mass, rel=1e-5
    )
