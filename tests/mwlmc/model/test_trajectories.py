"""Laws of two rigid galaxies: what their relative motion conserves, and how friction ends that."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mwlmc import parameters
from mwlmc.model import disc_and_bulge, potentials, trajectories
from mwlmc.model.centres import equations_of_motion
from mwlmc.model.constants import GYR, G
from mwlmc.model.disc_and_bulge import StellarTable
from mwlmc.model.lmc import lmc_today
from mwlmc.model.potentials import Hernquist
from mwlmc.model.trajectories import Galaxies, hermite, rewind
from orrery.parameters import generator

LMC_TODAY = np.array([[-0.6], [-41.3], [-27.1]]), np.array([[-63.9], [-213.8], [206.6]])


def _galaxies(friction=0.0, lmc_mass=1.5e11, count=1):
    mass = np.full(count, 1.5e12)
    return Galaxies(
        potentials.milky_way_halo(mass, potentials.concentration(mass)),
        potentials.lmc_halo(np.full(count, lmc_mass)),
        torch.full((count, 1), friction, dtype=torch.float64),
    )


def _today(galaxies):
    count = len(galaxies.friction)
    return tuple(torch.as_tensor(part).expand(3, count) for part in LMC_TODAY)


def _derivative(state, galaxies):
    friction, stars = galaxies.friction[:, 0].numpy(), disc_and_bulge.stellar_table()
    two = galaxies.milky_way, galaxies.lmc
    return torch.as_tensor(equations_of_motion(*two, friction, stars)(state.numpy()))


def _drawn(proposal, count, seed=3):
    prior = parameters.prior(proposal)
    named = parameters.columns(prior.draw(generator(seed), count), prior.names)
    mass = named["m200_mw"]
    galaxies = Galaxies(
        potentials.milky_way_halo(mass, potentials.concentration(mass)),
        potentials.lmc_halo(named["m_lmc"]),
        torch.as_tensor(10.0 ** named["log10_lambda_df"])[:, None],
    )
    position, velocity = lmc_today(named)
    return galaxies, torch.as_tensor(position.T), torch.as_tensor(velocity.T)


@pytest.fixture
def no_disc(monkeypatch):
    """Leaves the Milky Way its halo alone, whose potential is known in closed form."""
    nothing = torch.zeros_like(disc_and_bulge.stellar_table().plane)
    monkeypatch.setattr(
        trajectories, "stellar_table", lambda: StellarTable(nothing, nothing)
    )


def _energy(paths, galaxies):
    """The energy of the relative motion [(km/s)^2], `[T, B]`.

    The relative acceleration is the sum of two pulls that depend on the separation
    alone: rigid galaxies break Newton's third law, but not this energy.
    """
    relative = paths.relative()
    radius = relative[:, :3].norm(dim=1).T
    lmc = -G * galaxies.lmc.mass / (radius + galaxies.lmc.scale)
    potential = galaxies.milky_way.potential(radius) + lmc
    return 0.5 * relative[:, 3:].square().sum(1) + potential.T


def _momentum(paths):
    relative = paths.relative()
    return torch.linalg.cross(relative[:, :3], relative[:, 3:], dim=1)


def test_without_friction_the_relative_motion_keeps_energy_and_angular_momentum(
    no_disc,
):
    galaxies = _galaxies()
    paths = rewind(*_today(galaxies), galaxies)
    energy, momentum = _energy(paths, galaxies), _momentum(paths)
    torch.testing.assert_close(
        energy, energy[-1:].expand_as(energy), rtol=1e-7, atol=0.0
    )
    torch.testing.assert_close(
        momentum, momentum[-1:].expand_as(momentum), rtol=1e-7, atol=1e-3
    )


def test_with_the_disc_only_the_momentum_about_its_axis_is_kept():
    galaxies = _galaxies()
    momentum = _momentum(rewind(*_today(galaxies), galaxies, steps=150))
    axis = momentum[:, 2]
    torch.testing.assert_close(axis, axis[-1:].expand_as(axis), rtol=1e-7, atol=1e-3)
    assert (momentum[0] - momentum[-1]).abs().max() > 1.0


def test_friction_takes_energy_at_all_times(no_disc):
    weak, strong = _galaxies(friction=0.3), _galaxies(friction=3.0)
    lost = []
    for galaxies in (weak, strong):
        energy = _energy(rewind(*_today(galaxies), galaxies, steps=110), galaxies)[:, 0]
        assert (energy.diff() < 0).all()
        lost.append(float(energy[0] - energy[-1]))
    assert lost[1] > 3.0 * lost[0]


def test_friction_is_against_the_relative_motion():
    with_friction, without = _galaxies(friction=1.0), _galaxies()
    state = torch.cat([torch.zeros(6, 1), *map(torch.as_tensor, LMC_TODAY)]).double()
    state[3] = 30.0  # the Milky Way moves too
    change = _derivative(state, with_friction) - _derivative(state, without)
    assert (change[:9] == 0.0).all()
    relative, drag = state[9:, 0] - state[3:6, 0], change[9:, 0]
    assert float(drag @ relative / drag.norm() / relative.norm()) == pytest.approx(-1.0)


def test_the_centres_feel_the_forces_that_stars_feel():
    """Whose formulas are written twice: for numpy, and as torch compiles them."""
    galaxies, x, v = _drawn("table1", 500)
    state = torch.cat([torch.zeros_like(x), torch.zeros_like(v), x, v])
    change = _derivative(state, replace(galaxies, friction=0.0 * galaxies.friction))
    place, radius = x[:, :, None], x.norm(dim=0)[:, None]
    plane, across = disc_and_bulge.stellar_table().pulls(place)
    halo = galaxies.milky_way.pull(radius)
    pulls = torch.cat([halo + plane, halo + plane, halo + across], dim=1).T
    torch.testing.assert_close(change[9:], -pulls * x, rtol=1e-12, atol=0.0)
    pull = galaxies.lmc.pull(radius)[:, 0]
    torch.testing.assert_close(change[3:6], pull * x, rtol=1e-12, atol=0.0)
    assert torch.equal(change[:3], state[3:6])
    assert torch.equal(change[6:9], state[9:])


def test_friction_grows_with_the_density_of_halo_disc_and_bulge():
    galaxies, x, v = _drawn("table1", 500)
    state = torch.cat([torch.zeros_like(x), torch.zeros_like(v), x, v])
    without = replace(galaxies, friction=0.0 * galaxies.friction)
    drag = (_derivative(state, galaxies) - _derivative(state, without))[9:]
    radius, speed, place = x.norm(dim=0), v.norm(dim=0), x.numpy()
    disc = disc_and_bulge.disc_density(np.hypot(place[0], place[1]), place[2])
    stars = torch.as_tensor(disc + disc_and_bulge.bulge_density(radius.numpy()))
    density = galaxies.milky_way.density(radius[:, None])[:, 0] + stars
    y = speed / (np.sqrt(2.0) * 120.0)
    slower = torch.erf(y) - 2.0 * y / np.sqrt(np.pi) * torch.exp(-y * y)
    coulomb = torch.log(100.0 / (1.6 * galaxies.lmc.scale))
    strength = (galaxies.friction * galaxies.lmc.mass * coulomb)[:, 0]
    law = 4.0 * np.pi * G**2 * strength * density * slower / speed**3
    torch.testing.assert_close(drag, -v * law, rtol=1e-9, atol=1e-12)


def test_a_light_lmc_leaves_the_milky_way_at_rest():
    heavy = _galaxies()
    lmc = Hernquist(heavy.lmc.mass * 1e-9, heavy.lmc.scale)
    light = Galaxies(heavy.milky_way, lmc, heavy.friction)
    assert rewind(*_today(heavy), light, steps=60).milky_way[:, :3].abs().max() < 1e-6
    assert rewind(*_today(heavy), heavy, steps=60).milky_way[0, :3].norm() > 1.0


def test_rewound_and_reversed_the_lmc_comes_back():
    galaxies = _galaxies()
    start = _today(galaxies)
    past = rewind(*start, galaxies).relative()[0]
    # without friction, running backwards from reversed velocities is running forwards
    again = rewind(past[:3], -past[3:], galaxies).relative()[0]
    torch.testing.assert_close(again[:3], start[0], rtol=0.0, atol=1e-4)
    torch.testing.assert_close(-again[3:], start[1], rtol=0.0, atol=1e-3)


def test_today_is_the_last_time():
    galaxies = _galaxies(friction=1.0)
    paths = rewind(*_today(galaxies), galaxies, steps=40)
    assert len(paths.times) == 41
    assert float(paths.times[-1]) == 0.0
    assert float(paths.times[0]) / GYR == pytest.approx(-2.2)
    torch.testing.assert_close(paths.relative()[-1], torch.cat(_today(galaxies)))
    assert (paths.milky_way[-1] == 0.0).all()


def test_accelerations_are_those_of_the_path():
    galaxies = _galaxies(friction=1.0)
    paths = rewind(*_today(galaxies), galaxies)
    step = paths.times[1] - paths.times[0]
    velocity = paths.milky_way[:, 3:]
    slope = (velocity[2:] - velocity[:-2]) / (2 * step)
    # central differences, so that the error is of second order in a step of 8 Myr
    torch.testing.assert_close(
        slope, paths.milky_way_acceleration[1:-1], rtol=0.0, atol=2.0
    )


@pytest.mark.slow
def test_time_steps_have_converged():
    galaxies, *today = _drawn("observed", 12)
    default, fine = rewind(*today, galaxies), rewind(*today, galaxies, steps=825)
    for path, finer in ((default.lmc, fine.lmc), (default.milky_way, fine.milky_way)):
        assert (path[:, :3] - finer[::3, :3]).norm(dim=1).max() < 5e-4  # [kpc]


@pytest.mark.slow
def test_rewind_is_of_fourth_order(no_disc):
    galaxies = _galaxies(friction=1.0)
    steps = (60, 120, 480)
    coarse, half, exact = (
        rewind(*_today(galaxies), galaxies, steps=n).lmc[0] for n in steps
    )
    ratio = (coarse - exact)[:3].norm() / (half - exact)[:3].norm()
    assert 10.0 < float(ratio) < 26.0


def test_simulations_do_not_know_each_other():
    galaxies, *today = _drawn("table1", 5)
    together = rewind(*today, galaxies, steps=60)
    part = slice(2, 3)
    alone = Galaxies(
        potentials.NFW(
            galaxies.milky_way.amplitude[part], galaxies.milky_way.scale[part]
        ),
        Hernquist(galaxies.lmc.mass[part], galaxies.lmc.scale[part]),
        galaxies.friction[part],
    )
    single = rewind(today[0][:, part], today[1][:, part], alone, steps=60)
    torch.testing.assert_close(
        single.lmc, together.lmc[..., part], rtol=1e-10, atol=1e-10
    )


def test_runaways_are_marked():
    galaxies = _galaxies(friction=1.0, count=3)
    friction = torch.tensor([[1.0], [1e4], [torch.nan]], dtype=torch.float64)
    wild = Galaxies(galaxies.milky_way, galaxies.lmc, friction)
    assert rewind(*_today(wild), wild).runaway.tolist() == [False, True, True]


def test_hermite_is_exact_for_cubics_and_at_the_nodes():
    times = torch.linspace(-2.0, 0.0, 6, dtype=torch.float64)
    coefficients = torch.randn(4, 3, 2, dtype=torch.float64)

    def position(t):
        return sum(c * t[:, None, None] ** k for k, c in enumerate(coefficients))

    def velocity(t):
        powers = [k * t[:, None, None] ** max(k - 1, 0) for k in range(4)]
        return sum(c * p for c, p in zip(coefficients, powers, strict=True))

    wanted = torch.cat([times, torch.linspace(-2.0, 0.0, 37, dtype=torch.float64)])
    found = hermite(times, position(times), velocity(times), wanted)
    torch.testing.assert_close(found, position(wanted))


@pytest.mark.slow
def test_the_paths_can_be_interpolated():
    galaxies = _galaxies(friction=1.0)
    coarse = rewind(*_today(galaxies), galaxies)
    fine = rewind(*_today(galaxies), galaxies, steps=550)
    found = hermite(coarse.times, coarse.lmc[:, :3], coarse.lmc[:, 3:], fine.times)
    assert (found - fine.lmc[:, :3]).norm(dim=1).max() < 1e-3  # [kpc]
