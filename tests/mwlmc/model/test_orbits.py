"""Laws of an orbit: what it conserves, how it converges, and that one step is like another."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from mwlmc import parameters
from mwlmc.model import (
    disc_and_bulge,
    orbits,
    stellar_halo,
)
from mwlmc.model.constants import G
from mwlmc.model.disc_and_bulge import StellarTable
from mwlmc.model.orbits import MovingPotential, Stepper
from mwlmc.model.potentials import Hernquist
from mwlmc.model.trajectories import LOOKBACK, hermite
from mwlmc.model.vectors import length, square
from mwlmc.simulator import Simulator
from orrery.parameters import generator

pytestmark = pytest.mark.slow

SHARES = stellar_halo.STEP_SHARES
FINE = 0.1  # a share whose errors are a thousandth of those of `survey`
NODES = orbits._PATH_NODES


@pytest.fixture(scope="session")
def resting(make_halo):
    """The Milky Way alone: an LMC without mass, far away."""

    def make(disc=True, count=2):
        table = disc_and_bulge.stellar_table()
        if not disc:
            table = StellarTable(
                torch.zeros_like(table.plane), torch.zeros_like(table.across)
            )
        column = torch.ones(count, 1, dtype=torch.float64)
        away = torch.full((3, count * NODES), 1e4, dtype=torch.float64)
        return MovingPotential(
            make_halo(count), table, Hernquist(0.0 * column, column), away
        )

    return make


def _circular(potential, radii):
    """Stars on circular orbits around the halo, in a plane across the disc."""
    radius = torch.tensor(radii, dtype=torch.float64).expand(
        len(potential.milky_way.scale), -1
    )
    speed = radius * potential.milky_way.pull(radius).sqrt()
    nothing = torch.zeros_like(radius)
    return torch.stack([radius, nothing, nothing]), torch.stack(
        [nothing, nothing, speed]
    )


@pytest.fixture(scope="session")
def equal_steps(integrate, traced_steps):
    """The same after a number of equal steps, whatever the star's time-scales."""

    def make(x, v, potential, count):
        own = traced_steps(x.dtype)

        def begin(x, v, time, *others):
            force, _ = own.begin(x, v, time, *others)
            return force, torch.minimum(torch.full_like(time, LOOKBACK / count), -time)

        return integrate(x, v, potential, 1.0, replace(own, begin=begin))

    return make


def _energy(x, v, potential):
    return 0.5 * square(v) + potential.milky_way.potential(length(x))


def _momentum(x, v):
    return torch.linalg.cross(x, v, dim=0)


@pytest.mark.parametrize(
    ("share", "typical", "plunging"),
    [(SHARES["survey"], 4e-5, 2e-3), (SHARES["orbit"], 4e-6, 1e-4), (FINE, 2e-8, 1e-6)],
    ids=[*SHARES, "fine"],
)
def test_energy_and_momentum_are_kept_in_a_spherical_halo(
    resting, draw_stars, integrate, share, typical, plunging
):
    potential = resting(disc=False)
    x, v = draw_stars(150)
    today = integrate(x, v, potential, share)
    change = (_energy(*today, potential) / _energy(x, v, potential) - 1.0).abs()
    turned = length(_momentum(*today) - _momentum(x, v)) / length(_momentum(x, v))
    for off in (change, turned):
        assert off.median() < typical
        assert torch.quantile(off, 0.99) < plunging


def test_momentum_about_the_axis_is_kept_with_the_disc(draw_stars, integrate, resting):
    x, v = draw_stars(50)
    before = _momentum(x, v)
    now = _momentum(*integrate(x, v, resting(), 2.0 * FINE))
    change = (now - before)[2].abs() / length(before)
    assert change.median() < 2e-7
    assert torch.quantile(change, 0.9) < 1e-6
    assert change.max() < 5e-5
    assert (now[:2] - before[:2]).abs().median() > 1.0


def test_backwards_in_time_the_stars_return(
    potential_among, make_galaxies, equal_steps
):
    """With steps from node to node of the LMC's path, in which it is straight."""
    potential = potential_among(*make_galaxies(count=1))
    path = potential.path.flip(1)
    backwards = MovingPotential(
        potential.milky_way, potential.stars, potential.lmc, path
    )
    x, v = _circular(potential, [90.0, 130.0, 170.0, 250.0])
    v = v * torch.tensor([0.9, 1.1, 1.0, 0.7])
    today = equal_steps(x, v, potential, NODES - 1)
    past = equal_steps(today[0], -today[1], backwards, NODES - 1)
    assert length(past[0] - x).max() < 1e-7
    assert length(past[1] + v).max() < 1e-6


def _on_time(potential, x):
    """Where stars on circular orbits are today."""
    angle = LOOKBACK * potential.milky_way.pull(length(x)).sqrt()
    return torch.stack([angle.cos(), 0.0 * angle, angle.sin()]) * length(x)


@pytest.mark.parametrize(
    ("share", "round_", "late"),
    [(SHARES["survey"], 5e-5, 1e-2), (SHARES["orbit"], 6e-6, 1e-3), (FINE, 4e-8, 5e-6)],
)
def test_circular_orbits_stay_circular_and_keep_time(
    resting, integrate, share, round_, late
):
    potential = resting(disc=False)
    x, v = _circular(potential, [30.0, 60.0, 120.0])
    today, _ = integrate(x, v, potential, share)
    torch.testing.assert_close(length(today), length(x), rtol=round_, atol=0.0)
    torch.testing.assert_close(
        today, _on_time(potential, x), rtol=0.0, atol=late
    )  # [kpc]


def test_the_method_is_of_fifth_order(resting, equal_steps):
    potential = resting(disc=False)
    x, v = _circular(potential, [10.0, 20.0, 30.0, 60.0])
    wanted = _on_time(potential, x)
    coarse, half = (
        length(equal_steps(x, v, potential, steps)[0] - wanted) for steps in (150, 300)
    )
    assert (coarse < 1e-1).all()
    torch.testing.assert_close(
        coarse / half, torch.full_like(half, 32.0), rtol=0.03, atol=0.0
    )


def test_errors_fall_with_the_fifth_power_of_the_share(resting, integrate):
    potential = resting(disc=False)
    x, v = _circular(potential, [30.0, 45.0, 60.0, 90.0, 140.0])
    v = v * torch.tensor([0.6, 0.8, 0.7, 1.0, 0.5])
    exact, _ = integrate(x, v, potential, 0.03)
    coarse, half = (
        length(integrate(x, v, potential, share)[0] - exact) for share in (0.2, 0.1)
    )
    torch.testing.assert_close(
        coarse / half, torch.full_like(half, 32.0), rtol=0.15, atol=0.0
    )


def test_stars_move_as_they_do_in_the_inertial_frame(
    make_galaxies, potential_among, integrate
):
    """An integration in the inertial frame, of high order, with both galaxies on their paths."""
    galaxies, paths = make_galaxies(friction=1.0, count=1)
    potential, table = potential_among(galaxies, paths), disc_and_bulge.stellar_table()
    x, v = _circular(potential, [35.0, 50.0, 80.0, 150.0])

    def where(centre, time):
        return hermite(paths.times, centre[:, :3], centre[:, 3:], time[None])[0][
            :, :, None
        ]

    def motion(time, state):
        now = torch.tensor(time, dtype=torch.float64)
        star = torch.as_tensor(state).reshape(2, 3, 1, -1)
        from_centre = star[0] - where(paths.milky_way, now)
        from_lmc = star[0] - where(paths.lmc, now)
        plane, across = table.pulls(from_centre)
        sphere = galaxies.milky_way.pull(length(from_centre))
        force = (
            -torch.stack([plane, plane, across]) * from_centre - sphere * from_centre
        )
        force = force - galaxies.lmc.pull(length(from_lmc)) * from_lmc
        return torch.stack([star[1], force]).numpy().ravel()

    begin = paths.milky_way[0, :, 0].reshape(2, 3, 1)
    start = torch.stack([x[:, 0], v[:, 0]]) + begin
    done = solve_ivp(
        motion,
        (-LOOKBACK, 0.0),
        start.numpy().ravel(),
        method="DOP853",
        rtol=1e-8,
        atol=1e-7,
    )
    wanted = done.y[:, -1].reshape(2, 3, 4)  # the Milky Way rests at the origin today
    # one of the four meets the LMC
    for share, far, fast in ((SHARES["survey"], 1e-2, 5e-2), (FINE, 1e-3, 5e-3)):
        today, speed = integrate(x, v, potential, share)
        np.testing.assert_allclose(today[:, 0].numpy(), wanted[0], atol=far)
        np.testing.assert_allclose(speed[:, 0].numpy(), wanted[1], atol=fast)


def test_a_star_at_the_centre_of_the_lmc_stays_there(
    make_galaxies, equal_steps, potential_among
):
    """Without friction, the LMC falls as a star does: it is carried along the same path."""
    galaxies, paths = make_galaxies(count=1)
    start = paths.relative()[0]
    beside = torch.tensor([[0.01, 0.03], [0.0, 0.0], [0.0, 0.0]])[:, None]
    x, v = start[:3, :, None] + beside, start[3:, :, None].expand(3, 1, 2)
    # so many that a star which swings through the LMC's cusp is followed
    today, _ = equal_steps(x, v, potential_among(galaxies, paths), 3 * (NODES - 1))
    assert length(today - paths.relative()[-1, :3, :, None]).max() < 0.1  # [kpc]


@pytest.mark.filterwarnings("ignore:Using C implementation to integrate orbits")
def test_orbits_are_those_of_galpy(resting, draw_stars, integrate):
    from galpy.orbit import Orbit
    from galpy.potential import NFWPotential

    potential = resting(disc=False)
    halo = potential.milky_way
    x, v = draw_stars(12, beta=0.0)
    here, pace = 8.0, 220.0  # galpy's own units of length and velocity [kpc, km/s]
    amplitude = G * float(halo.amplitude[0]) / (here * pace**2)
    nfw = NFWPotential(amp=amplitude, a=float(halo.scale[0]) / here)
    place, motion = x[:, 0].numpy() / here, v[:, 0].numpy() / pace
    flat, azimuth = np.hypot(place[0], place[1]), np.arctan2(place[1], place[0])
    cosine, sine = np.cos(azimuth), np.sin(azimuth)
    v_r = motion[0] * cosine + motion[1] * sine
    v_t = motion[1] * cosine - motion[0] * sine
    theirs = Orbit(np.stack([flat, v_r, v_t, place[2], motion[2], azimuth], axis=1))
    times = np.linspace(0.0, LOOKBACK * pace / here, 3)
    theirs.integrate(times, nfw, method="dop853_c")
    wanted = here * np.array(
        [theirs.x(times[-1]), theirs.y(times[-1]), theirs.z(times[-1])]
    )
    for share, typical, largest in (
        (SHARES["orbit"], 5e-3, 0.2),
        (2.0 * FINE, 1e-4, 5e-3),
    ):
        today, _ = integrate(x, v, potential, share)
        off = np.linalg.norm(today[:, 0].numpy() - wanted, axis=0)
        assert np.median(off) < typical  # [kpc]
        assert off.max() < largest


@pytest.fixture(scope="session")
def step_lengths(step_calls):
    """How long the next step of stars `[3, B, N]` is at a time [kpc/(km/s)], `[B, N]`."""

    def make(x, v, potential, share=0.5, time=-LOOKBACK):
        (x, v, then, _, *others), *_ = step_calls(x, v, potential, 100.0)["begin"]
        time, share = torch.full_like(then, time), torch.tensor(share, dtype=then.dtype)
        return Stepper().begin(x, v, time, share, *others)[1]

    return make


def test_the_remaining_time_is_divided_evenly(
    potential_among, make_galaxies, draw_stars, step_lengths
):
    potential = potential_among(*make_galaxies())
    x, v = draw_stars(50)
    for time in (-LOOKBACK, -0.5, -1e-3):
        parts = -time / step_lengths(x, v, potential, time=time)
        assert (parts > 1.0 - 1e-9).all()
        torch.testing.assert_close(parts, parts.round(), rtol=1e-9, atol=0.0)


def test_steps_are_as_long_as_the_share(
    potential_among, make_galaxies, draw_stars, step_lengths
):
    potential = potential_among(*make_galaxies())
    x, v = draw_stars(200)
    # shares so small that dividing the time evenly shortens steps by less than a
    # hundredth
    half, whole = (
        step_lengths(x, v, potential, 1e-3),
        step_lengths(x, v, potential, 2e-3),
    )
    torch.testing.assert_close(
        whole / half, torch.full_like(half, 2.0), rtol=0.01, atol=0.0
    )


def test_steps_are_short_where_forces_change_fast(
    make_galaxies, potential_among, step_lengths
):
    """Near the centre, near the LMC, and for a star that is fast."""
    galaxies, paths = make_galaxies()
    potential = potential_among(galaxies, paths)
    lmc = paths.relative()[0, :3, 0].tolist()
    beyond = [-coordinate for coordinate in lmc]
    x = torch.tensor(
        [[[1.0, 0.0, 0.0], [60.0, 0.0, 0.0], lmc, beyond]], dtype=torch.float64
    )
    x = (x + 0.1).permute(2, 0, 1).expand(3, 2, 4)
    v = torch.zeros_like(x)
    v[1] = 150.0
    central, outer, within, opposite = step_lengths(x, v, potential, 0.01)[0].tolist()
    assert central < 0.1 * outer
    assert within < 0.5 * opposite
    faster = step_lengths(x, 3.0 * v, potential, 0.01)
    assert (faster < step_lengths(x, v, potential, 0.01)).all()


def test_a_star_that_has_arrived_stays(
    potential_among, make_galaxies, draw_stars, integrate, monkeypatch
):
    """Until the last one has: ranks are closed then alone."""
    potential = potential_among(*make_galaxies())
    x, v = draw_stars(60)
    today = integrate(x, v, potential, 0.5)
    monkeypatch.setattr(stellar_halo, "_FULL", 0.0)
    waiting = integrate(x, v, potential, 0.5)
    assert torch.equal(waiting[0], today[0])
    assert torch.equal(waiting[1], today[1])


@pytest.mark.parametrize(
    ("proposal", "typical", "largest"),
    [("observed", 3e-4, 5e-4), ("table1", 3e-4, 1e-3)],
)
def test_the_path_of_the_lmc_is_the_smooth_one(
    potential_among, proposal, typical, largest
):
    """In single precision, over the prior; the wide one has LMCs that were four times as fast."""
    theta = parameters.prior(proposal).draw(generator(3), 100)
    past = Simulator(proposal=proposal).rewind(theta)
    paths = past.trajectories
    potential = potential_among(past.galaxies, paths, torch.float32)
    assert potential.path.is_contiguous()
    times = torch.linspace(-LOOKBACK, 0.0, 5 * (NODES - 1) + 1, dtype=torch.float64)
    found = potential.rows(torch.arange(100)).lmc_position(
        times.float().expand(100, -1)
    )
    relative = paths.relative()
    smooth = hermite(paths.times, relative[:, :3], relative[:, 3:], times).permute(
        1, 2, 0
    )
    off = (
        length(torch.stack(found).double() - smooth)[~paths.runaway].max(1).values
    )  # [kpc]
    assert torch.quantile(off, 0.9) < typical
    assert off.max() < largest


def test_the_path_ends_where_the_lmc_is_today(make_galaxies, potential_among):
    galaxies, paths = make_galaxies()
    field = potential_among(galaxies, paths).rows(torch.tensor([0, 1]))
    ends = torch.tensor([[-LOOKBACK, 0.0]] * 2, dtype=torch.float64)
    found = torch.stack(field.lmc_position(ends))
    relative = paths.relative()[:, :3]
    torch.testing.assert_close(found[:, :, 0], relative[0], rtol=0.0, atol=1e-9)
    torch.testing.assert_close(found[:, :, 1], relative[-1], rtol=0.0, atol=1e-9)


def test_paths_lie_in_memory_alike_for_any_number_of_simulations(
    potential_among, make_galaxies
):
    """To the compiler another layout is another case, and a single simulation would be one."""
    for count in (1, 2, 5):
        assert potential_among(*make_galaxies(count=count)).path.is_contiguous()
