"""Laws of equilibria: a halo without the LMC stays as it was, and with it moves."""

import numpy as np
import pytest
import torch

from mwlmc import parameters
from mwlmc.model import disc_and_bulge, orbits, potentials, reflex
from mwlmc.model.disc_and_bulge import StellarTable
from mwlmc.model.orbits import MovingPotential
from mwlmc.model.potentials import NFW, Hernquist
from mwlmc.model.stellar_halo import REACH, STEP_SHARES, evolve, reaches
from mwlmc.model.vectors import length, square
from mwlmc.simulator import Simulator

NODES = orbits._PATH_NODES


def _resting(disc=True, count=2):
    """The Milky Way alone: an LMC without mass, far away."""
    mass, table = (
        np.full(count, 1.5e12),
        disc_and_bulge.stellar_table(dtype=torch.float32),
    )
    halo = potentials.milky_way_halo(mass, potentials.concentration(mass))
    if not disc:
        table = StellarTable(
            torch.zeros_like(table.plane), torch.zeros_like(table.across)
        )
    column = torch.ones(count, 1)
    return MovingPotential(
        NFW(halo.amplitude.float(), halo.scale.float()),
        table,
        Hernquist(0.0 * column, column),
        torch.full((3, count * NODES), 1e4),
    )


@pytest.mark.slow
def test_stars_that_cannot_reach_an_edge_stay_inside_it(draw_stars_of):
    """At whatever time they are looked at, in the Milky Way at rest."""
    potential = _resting()
    x, v = draw_stars_of(potential.milky_way, 1500, 0.3)
    inside = ~reaches(x, v, potential.milky_way, 30.0)
    assert inside.any()
    for _ in range(3):
        x, v, _ = evolve(x, v, potential, 0.0, STEP_SHARES["orbit"])
        # the disc is sorted as if it were round
        assert length(x)[inside].max() < 1.05 * REACH * 30.0


@pytest.fixture(scope="module", params=STEP_SHARES)
def undisturbed(draw_stars_of, request):
    """A halo without an LMC, 2.2 Gyr ago and today, as numpy arrays `[3, N]`."""
    potential = _resting(disc=False)
    x, v = draw_stars_of(potential.milky_way, 20_000, 0.3)
    today = evolve(x, v, potential, 0.0, STEP_SHARES[request.param])[:2]
    return tuple(part.reshape(3, -1).double().numpy() for part in (x, v, *today))


EDGES = np.array([5.0, 10.0, 20.0, 30.0, 50.0, 80.0, 120.0, 200.0])  # [kpc]


@pytest.mark.slow
def test_halo_without_lmc_keeps_its_density(undisturbed):
    before, _, today, _ = undisturbed
    counts = [
        np.histogram(np.linalg.norm(x, axis=0), EDGES)[0] for x in (before, today)
    ]
    change = np.abs(counts[1] - counts[0])
    assert (change < 4.0 * np.sqrt(counts[0] + counts[1])).all()


@pytest.mark.slow
def test_halo_without_lmc_keeps_its_dispersions(undisturbed):
    profiles = []
    for x, v in (undisturbed[:2], undisturbed[2:]):
        radius = np.linalg.norm(x, axis=0)
        outward = (x * v).sum(0) / radius
        sideways = (v**2).sum(0) - outward**2
        shell = np.digitize(radius, EDGES)
        number = np.bincount(shell)
        profiles.append(
            [np.bincount(shell, w) / number for w in (outward**2, sideways)]
        )
    error = np.sqrt(2.0 * 2.0 / number)  # of a variance, relative, twice
    for before, today in zip(*profiles, strict=True):
        assert (np.abs(today / before - 1.0) < 4.0 * error)[1:-1].all()


def test_halo_without_lmc_is_not_heated(undisturbed):
    """Steps too long would give plunging stars energy, and so put more of them in the survey."""
    halo = potentials.milky_way_halo(
        np.array([1.5e12]), potentials.concentration(np.array([1.5e12]))
    )
    energy = []
    for x, v in (undisturbed[:2], undisturbed[2:]):
        place = torch.as_tensor(x)[:, None]
        energy.append(0.5 * square(v) + halo.potential(length(place))[0].numpy())
    change = energy[1] / energy[0] - 1.0
    assert abs(change.mean()) < 5e-5
    assert np.median(np.abs(change)) < 5e-5


def test_halo_without_lmc_has_no_dipole(undisturbed):
    _, _, today, _ = undisturbed
    radius = np.linalg.norm(today, axis=0)
    towards = (today / radius)[:, radius > 30.0]
    assert np.abs(towards.mean(1)).max() < 4.0 / np.sqrt(3.0 * towards.shape[1])


def test_halo_without_lmc_does_not_move(undisturbed):
    _, _, today, velocity = undisturbed
    chosen = reflex.shell(today.T)
    found = reflex.fit_error_free(today.T[chosen], velocity.T[chosen])
    # three components, each of them fitted together with a mean motion
    error = found.sigma_los / np.sqrt(chosen.sum())
    assert found.v_travel < 8.0 * error
    assert (
        max(abs(found.mean_v_r), abs(found.mean_v_phi), abs(found.mean_v_theta))
        < 4.0 * error
    )


def test_halo_with_lmc_moves():
    """The disc is drawn towards the LMC's past path, so that the outer halo seems to move away."""
    simulator = Simulator(stars=16_000)
    past = simulator.rewind(_observed())
    stars = simulator.evolved(
        past, simulator.initial_stars(past, [np.random.default_rng(4)])
    )
    found = simulator.reflex_motion(stars)
    travel = np.linalg.norm([found[name][0] for name in ("v_x", "v_y", "v_z")])
    assert 15.0 < travel < 40.0
    assert found["v_z"][0] < -10.0


def _observed():
    """Parameters `[1, P]`: an LMC of 1.5e11 Msun at its observed place."""
    named = {"m200_mw": 1.5e12, "m_lmc": 1.5e11, "log10_lambda_df": 0.0}
    named |= {"beta0": 0.3, "r_dehnen": 12.0, "ra_lmc": 78.77, "dec_lmc": -69.01}
    named |= {"d_lmc": 49.6, "vlos_lmc": 262.2, "pmra_lmc": 1.85, "pmdec_lmc": 0.234}
    return np.array([[named[name] for name in parameters.prior("observed").names]])
