"""Laws of halo structure, history and galaxies."""

import numpy as np
import pytest
from colossus.halo import profile_nfw

from halomass.cosmology import HUBBLE_PARAMETER, G, colossus, virial_density
from halomass.mock import history, stellar_mass, structure, tides
from halomass.mock.structure import NFWHosts


def test_an_nfw_halo_has_its_virial_mass_within_its_virial_radius():
    hosts = NFWHosts(np.array([11.0, 12.0, 14.0]), np.array([12.0, 9.0, 5.0]))
    within = hosts.scale_mass * structure.enclosed_mass(
        hosts.radius / hosts.scale_radius
    )
    np.testing.assert_allclose(within, hosts.mass)
    density = hosts.mass / (4 / 3 * np.pi * hosts.radius**3)
    np.testing.assert_allclose(density, virial_density(1.0))


def test_structure_agrees_with_colossus():
    colossus()
    mass, concentration = 1e12, 10.0
    theirs = profile_nfw.NFWProfile(
        M=mass * HUBBLE_PARAMETER, c=concentration, z=0.0, mdef="vir"
    )
    hosts = NFWHosts(np.array([12.0]), np.array([concentration]))
    assert 0.465 * hosts.scale_velocity[0] == pytest.approx(theirs.Vmax()[0], rel=3e-3)
    assert hosts.radius[0] == pytest.approx(
        theirs.RDelta(0.0, "vir") / HUBBLE_PARAMETER, rel=3e-3
    )
    assert hosts.velocity[0] == pytest.approx(np.sqrt(G * mass / hosts.radius[0]))


def test_concentration_falls_with_mass():
    assert (
        np.diff(structure.median_log_concentration(np.linspace(10, 15, 50))) < 0
    ).all()


def test_cosmic_time_agrees_with_colossus():
    redshift = np.array([0.0, 0.5, 2.0, 8.0])
    age = history.cosmic_time(redshift) * 0.97779  # Gyr
    np.testing.assert_allclose(age, colossus().age(redshift), rtol=3e-3)


def test_a_host_has_all_its_mass_and_its_radius_today():
    concentration = np.array([5.0, 10.0])
    today = history.infall_redshift(np.ones(2), concentration)
    np.testing.assert_allclose(today, 0.0, atol=1e-12)
    np.testing.assert_allclose(
        history.past_radius(np.ones(2), concentration, today), concentration
    )


def test_concentrated_hosts_formed_early():
    share = np.full(2, 0.5)
    late, early = history.infall_redshift(share, np.array([5.0, 15.0]))
    assert early > late > 0


def test_halos_were_rarer_in_the_past():
    mass, redshift = np.full(3, 12.0), np.array([0.0, 1.0, 4.0])
    assert (np.diff(history.peak_height(mass, redshift)) > 0).all()


def test_mass_loss_solves_its_equation():
    """The closed form against small steps of dm/dt = -A (m/t) (m/M)^0.07."""
    ratio, rate, mass = 1e-3, 1.18, 1e-3
    steps = 20_000
    for _ in range(steps):
        mass -= rate * mass * mass**tides.LOSS_POWER * 3.0 / steps
    closed = tides.bound_fraction(np.array([3.0]), np.array([ratio]), np.array([rate]))
    assert closed[0] == pytest.approx(mass / ratio, rel=1e-3)


def test_circular_velocity_falls_with_bound_mass():
    share = tides.velocity_fraction(np.array([1.0, 0.3, 0.1, 0.01]))
    assert share[0] == pytest.approx(1.0)
    assert (np.diff(share) < 0).all()


@pytest.mark.parametrize(
    ("log_m_peak", "log_m_star"),
    [(8.0, 2.68), (9.0, 4.64), (10.0, 6.60), (11.0, 8.56), (12.0, 10.35)],
)
def test_stellar_masses_are_the_published_ones(log_m_peak, log_m_star):
    median = stellar_mass.median_log_stellar_mass(np.array(log_m_peak))
    assert median == pytest.approx(log_m_star, abs=0.006)


def test_stellar_masses_scatter_more_in_dwarfs():
    random = np.random.default_rng(1)
    for mass, scatter in ((8.5, 0.4), (11.0, 0.2)):
        drawn = stellar_mass.draw_log_stellar_mass(np.full(20_000, mass), random)
        assert drawn.std() == pytest.approx(scatter, rel=0.02)
        assert np.median(drawn) == pytest.approx(
            stellar_mass.median_log_stellar_mass(np.array(mass)), abs=0.02
        )
