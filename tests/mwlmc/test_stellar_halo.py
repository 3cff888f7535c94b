"""Laws of stars in a moving potential: what is conserved, what converges, and what stays still."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from mwlmc import distribution, potentials, reflex, stellar_halo, trajectories
from mwlmc.potentials import G, Hernquist, StellarTable, length
from mwlmc.stellar_halo import STEP_CLASSES, MovingPotential, StepClass
from mwlmc.trajectories import LOOKBACK, Galaxies, Trajectories

# torch's compiler imports a module of its own that is deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit.script_method` is deprecated:DeprecationWarning"
)


def _halo(count=2):
    mass = np.full(count, 1.5e12)
    return potentials.milky_way_halo(mass, potentials.concentration(mass))


def _resting(disc=True, count=2):
    """The Milky Way alone: an LMC without mass, far away."""
    zeros = torch.zeros(23, 6, count, dtype=torch.float64)
    away = zeros.clone()
    away[:, 0] = 1e4
    times = torch.linspace(-LOOKBACK, 0.0, 23, dtype=torch.float64)
    path = Trajectories(times, zeros, away, zeros[:, :3], torch.zeros(count, dtype=torch.bool))
    table = potentials.stellar_table()
    if not disc:
        table = StellarTable(torch.zeros_like(table.plane), torch.zeros_like(table.across))
    column = torch.ones(count, 1, dtype=torch.float64)
    return MovingPotential(_halo(count), table, Hernquist(0.0 * column, column), path)


def _moving(friction=0.0, count=2):
    """Both galaxies, with an LMC at its observed place today."""
    mass = torch.full((count, 1), friction, dtype=torch.float64)
    galaxies = Galaxies(_halo(count), potentials.lmc_halo(np.full(count, 1.5e11)), mass)
    today = torch.tensor([[-0.6, -41.3, -27.1], [-63.9, -213.8, 206.6]], dtype=torch.float64)
    start = today[:, :, None].expand(2, 3, count)
    paths = trajectories.rewind(start[0], start[1], galaxies)
    return MovingPotential(galaxies.milky_way, potentials.stellar_table(), galaxies.lmc, paths)


def _stars(count, beta=0.3, simulations=2, seed=4):
    """Stars in equilibrium with the halo, twice `[3, B, N]`, in double precision."""
    halo = _halo(1)
    spherical = distribution.spherical_potential(float(halo.amplitude), float(halo.scale), "halo")
    function = distribution.distribution_function(spherical, beta, 12.0)
    parts = function.sample(simulations * count, np.random.default_rng(seed))
    return tuple(torch.as_tensor(part.reshape(3, simulations, count)) for part in parts)


def _in_double(potential):
    return potential.take(slice(None), torch.float64)


@pytest.fixture
def plain(monkeypatch):
    """Steps in Python, in double precision: slow, without rounding and without compilation."""
    monkeypatch.setattr(stellar_halo, "_compiled_step", lambda: stellar_halo._step)


# --- conserved quantities --------------------------------------------------------------------


def test_energy_and_momentum_are_kept_in_a_spherical_halo(plain):
    potential = _in_double(_resting(disc=False))
    x, v = _stars(200)
    far = length(x) > 20.0
    moved, after = stellar_halo.integrate(x, v, potential, 550)

    def energy(position, velocity):
        potential_energy = potential.milky_way.potential(length(position))
        return 0.5 * velocity.square().sum(0) + potential_energy

    change = energy(moved, after) / energy(x, v) - 1.0
    assert change[far].abs().median() < 1e-5
    momenta = [torch.linalg.cross(*pair, dim=0) for pair in ((x, v), (moved, after))]
    torch.testing.assert_close(momenta[1], momenta[0], rtol=1e-9, atol=1e-6)


def test_momentum_about_the_axis_is_kept_with_the_disc(plain):
    x, v = _stars(200)
    moved, after = stellar_halo.integrate(x, v, _in_double(_resting()), 300)
    before = torch.linalg.cross(x, v, dim=0)
    now = torch.linalg.cross(moved, after, dim=0)
    torch.testing.assert_close(now[2], before[2], rtol=1e-9, atol=1e-6)
    assert (now[:2] - before[:2]).abs().median() > 1.0


def test_backwards_in_time_the_stars_return(plain):
    potential = _in_double(_moving())
    path = potential.trajectories
    sign = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])[:, None].double()
    reversed_path = Trajectories(
        path.times,
        path.milky_way.flip(0) * sign,
        path.lmc.flip(0) * sign,
        path.milky_way_acceleration.flip(0),
        path.runaway,
    )
    backwards = MovingPotential(potential.milky_way, potential.stars, potential.lmc, reversed_path)
    x, v = _stars(100)
    today = stellar_halo.integrate(x, v, potential, 200)
    past = stellar_halo.integrate(today[0], -today[1], backwards, 200)
    # where orbits plunge through the centre, rounding grows
    calm = stellar_halo.sort_orbits(x, v, potential, 30.0) == 2
    assert length(past[0] - x)[calm].max() < 1e-7
    assert length(past[1] + v)[calm].max() < 1e-6


# --- accuracy --------------------------------------------------------------------------------


def _circular(potential, radii):
    """Stars on circular orbits, in planes across the sky."""
    radius = torch.as_tensor(radii, dtype=torch.float64).expand(2, -1)
    speed = radius * potential.milky_way.pull(radius).sqrt()
    nothing = torch.zeros_like(radius)
    return torch.stack([radius, nothing, nothing]), torch.stack([nothing, nothing, speed])


def test_circular_orbits_stay_circular_and_keep_time(plain):
    potential = _in_double(_resting(disc=False))
    x, v = _circular(potential, [30.0, 60.0, 120.0])
    moved, _ = stellar_halo.integrate(x, v, potential, 1100)
    torch.testing.assert_close(length(moved), length(x), rtol=1e-4, atol=0.0)
    angle = LOOKBACK * potential.milky_way.pull(length(x)).sqrt()
    wanted = torch.stack([angle.cos(), 0.0 * angle, angle.sin()]) * length(x)
    torch.testing.assert_close(moved, wanted, rtol=0.0, atol=1e-2)  # [kpc]


def test_leapfrog_is_of_second_order(plain):
    potential = _in_double(_moving(friction=1.0))
    x, v = _circular(potential, [40.0, 60.0, 90.0, 150.0])
    coarse, half, exact = (
        stellar_halo.integrate(x, v, potential, steps)[0] for steps in (275, 550, 2200)
    )
    ratio = length(coarse - exact) / length(half - exact)
    # 4, and 16/15 of it because the finest still errs
    assert ratio.median() == pytest.approx(4.2, abs=0.3)


def test_stars_move_as_they_do_in_the_inertial_frame(plain):
    """An integration in the inertial frame, of high order, with both galaxies on their paths."""
    potential = _in_double(_moving(friction=1.0))
    path = potential.trajectories
    x, v = _circular(potential, [35.0, 50.0, 80.0, 150.0])
    today, speed = stellar_halo.integrate(x, v, potential, 2200)

    def where(centre, time):
        found = trajectories.hermite(path.times, centre[:, :3], centre[:, 3:], time[None])
        return found[0, :, :1, None]

    def pull(time, state):
        now = torch.tensor(time, dtype=torch.float64)
        star = torch.as_tensor(state).reshape(2, 3, 1, -1)
        one = potential.take(slice(0, 1), torch.float64)
        from_centre = star[0] - where(path.milky_way, now)
        from_lmc = star[0] - where(path.lmc, now)
        plane, across = one.stars.pulls(from_centre)
        sphere = one.milky_way.pull(length(from_centre))
        force = -torch.stack([plane, plane, across]) * from_centre - sphere * from_centre
        force = force - one.lmc.pull(length(from_lmc)) * from_lmc
        return torch.stack([star[1], force]).numpy().ravel()

    begin = path.milky_way[0, :, 0].reshape(2, 3, 1)
    start = torch.stack([x[:, 0], v[:, 0]]) + begin
    done = solve_ivp(
        pull, (-LOOKBACK, 0.0), start.numpy().ravel(), method="DOP853", rtol=1e-8, atol=1e-7
    )
    wanted = done.y[:, -1].reshape(2, 3, 4)  # the Milky Way rests at the origin today
    np.testing.assert_allclose(today[:, 0].numpy(), wanted[0], atol=5e-3)
    np.testing.assert_allclose(speed[:, 0].numpy(), wanted[1], atol=2e-2)


def test_a_star_at_the_centre_of_the_lmc_stays_there(plain):
    """Without friction, the LMC falls as a star does: it is carried along the same path."""
    potential = _in_double(_moving())
    start = potential.trajectories.relative()[0]
    beside = torch.tensor([0.01, 0.0, 0.0])[:, None, None]
    x, v = start[:3, :, None] + beside, start[3:, :, None]
    today, _ = stellar_halo.integrate(x, v, potential, 1100)
    lmc = potential.trajectories.relative()[-1, :3, :, None]
    assert length(today - lmc).max() < 0.2  # [kpc]


@pytest.mark.filterwarnings("ignore:Using C implementation to integrate orbits")
def test_orbits_are_those_of_galpy(plain):
    from galpy.orbit import Orbit
    from galpy.potential import NFWPotential

    potential = _in_double(_resting(disc=False))
    halo = potential.milky_way
    x, v = _stars(12, beta=0.0)
    today, _ = stellar_halo.integrate(x, v, potential, 2200)
    here, pace = 8.0, 220.0  # galpy's own units of length and velocity [kpc, km/s]
    amplitude = G * float(halo.amplitude[0]) / (here * pace**2)
    nfw = NFWPotential(amp=amplitude, a=float(halo.scale[0]) / here)
    place, motion = x[:, 0].numpy() / here, v[:, 0].numpy() / pace
    flat, azimuth = np.hypot(place[0], place[1]), np.arctan2(place[1], place[0])
    cosine, sine = np.cos(azimuth), np.sin(azimuth)
    v_r = motion[0] * cosine + motion[1] * sine
    v_t = motion[1] * cosine - motion[0] * sine
    orbits = Orbit(np.stack([flat, v_r, v_t, place[2], motion[2], azimuth], axis=1))
    times = np.linspace(0.0, LOOKBACK * pace / here, 3)
    orbits.integrate(times, nfw, method="dop853_c")
    wanted = here * np.array([orbits.x(times[-1]), orbits.y(times[-1]), orbits.z(times[-1])])
    off = np.linalg.norm(today[:, 0].numpy() - wanted, axis=0)
    assert np.median(off) < 0.005  # [kpc]
    assert off.max() < 0.2


# --- the compiled step, step classes ---------------------------------------------------------


@pytest.fixture(scope="module")
def sample():
    """Stars in the moving potential, in single precision."""
    x, v = _stars(2000)
    return x.float(), v.float(), _moving(friction=1.0).take(slice(None))


def test_compiled_steps_are_the_steps(sample):
    x, v, potential = sample
    wanted = x, v
    lmc, frame = stellar_halo._path(potential, 20, torch.float32)
    galaxies = (potential.milky_way, potential.stars, potential.lmc)
    step = torch.tensor(LOOKBACK / 20, dtype=torch.float32)
    for k in range(3):
        now = lmc[k], frame[k]
        found = stellar_halo._compiled_step()(*wanted, galaxies, now, step, step)
        wanted = stellar_halo._step(*wanted, galaxies, now, step, step)
        for got, exact in zip(found, wanted, strict=True):
            torch.testing.assert_close(got, exact, rtol=2e-5, atol=2e-4)


def test_step_classes_end_where_fine_steps_do(sample):
    x, v, potential = sample
    today, _, carried = stellar_halo.carry(x, v, potential, inner_edge=30.0)
    fine = tuple(StepClass(c.radius, 4 * c.steps) for c in STEP_CLASSES)
    wanted, _, _ = stellar_halo.carry(x, v, potential, inner_edge=30.0, classes=fine)
    beyond = carried & (length(wanted) > 30.0)
    off = length(today - wanted)[beyond]
    assert off.median() < 0.05  # [kpc]
    assert torch.quantile(off, 0.9) < 0.5


def test_stars_that_stay_inside_are_left_as_they_were(sample):
    x, v, potential = sample
    today, after, carried = stellar_halo.carry(x, v, potential, inner_edge=30.0)
    assert 0.2 < float((~carried).float().mean()) < 0.6
    assert (today[:, ~carried] == x[:, ~carried]).all()
    assert (after[:, ~carried] == v[:, ~carried]).all()
    assert (today[:, carried] != x[:, carried]).any(dim=0).all()
    # Carried nevertheless, they do not come out. With the steps of those that are carried a few
    # would: plunging stars are scattered by long steps.
    nevertheless, _ = stellar_halo.integrate(x, v, potential, 4400)
    assert length(nevertheless)[~carried].max() < 30.0


def test_stars_move_independently(sample):
    x, v, potential = sample
    order = torch.randperm(x.shape[2], generator=torch.Generator().manual_seed(0))
    together, _, _ = stellar_halo.carry(x, v, potential, inner_edge=30.0)
    shuffled, _, _ = stellar_halo.carry(x[:, :, order], v[:, :, order], potential, inner_edge=30.0)
    off = length(shuffled - together[:, :, order])
    assert off.median() == 0.0
    assert torch.quantile(off, 0.99) < 1e-3


def test_step_classes_bound_the_orbits():
    """A star of a class stays outside the class's radius, at whatever time it is looked at."""
    potential = _resting().take(slice(None))
    x, v = (part.float() for part in _stars(2000))
    chosen = stellar_halo.sort_orbits(x, v, potential, 30.0)
    assert set(chosen.unique().tolist()) == {-1, 0, 1, 2}
    for _ in range(3):
        x, v = stellar_halo.integrate(x, v, potential, 2200)
        radius = length(x)
        for number, step_class in enumerate(STEP_CLASSES[1:], start=1):
            # the disc is sorted as if it were round
            assert radius[chosen == number].min() > 0.95 * step_class.radius
        assert radius[chosen == -1].max() < 30.0


# --- equilibrium -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def undisturbed():
    """A halo without an LMC, 2.2 Gyr ago and today, as numpy arrays `[3, N]`."""
    x, v = (part.float() for part in _stars(20_000, beta=0.3))
    today = stellar_halo.integrate(x, v, _resting(disc=False).take(slice(None)), 550)
    return tuple(part.reshape(3, -1).double().numpy() for part in (x, v, *today))


EDGES = np.array([5.0, 10.0, 20.0, 30.0, 50.0, 80.0, 120.0, 200.0])  # [kpc]


def test_halo_without_lmc_keeps_its_density(undisturbed):
    before, _, today, _ = undisturbed
    counts = [np.histogram(np.linalg.norm(x, axis=0), EDGES)[0] for x in (before, today)]
    change = np.abs(counts[1] - counts[0])
    assert (change < 4.0 * np.sqrt(counts[0] + counts[1])).all()


def test_halo_without_lmc_keeps_its_dispersions(undisturbed):
    profiles = []
    for x, v in (undisturbed[:2], undisturbed[2:]):
        radius = np.linalg.norm(x, axis=0)
        outward = (x * v).sum(0) / radius
        sideways = (v**2).sum(0) - outward**2
        shell = np.digitize(radius, EDGES)
        number = np.bincount(shell)
        profiles.append([np.bincount(shell, w) / number for w in (outward**2, sideways)])
    error = np.sqrt(2.0 * 2.0 / number)  # of a variance, relative, twice
    for before, today in zip(*profiles, strict=True):
        assert (np.abs(today / before - 1.0) < 4.0 * error)[1:-1].all()


def test_halo_without_lmc_does_not_move(undisturbed):
    _, _, today, velocity = undisturbed
    chosen = reflex.shell(today.T)
    found = reflex.fit_error_free(today.T[chosen], velocity.T[chosen])
    # three components, each of them fitted together with a mean motion
    error = found.sigma_los / np.sqrt(chosen.sum())
    assert found.v_travel < 8.0 * error
    assert max(abs(found.mean_v_r), abs(found.mean_v_phi), abs(found.mean_v_theta)) < 4.0 * error


def test_halo_with_lmc_moves():
    """The disc is drawn towards the LMC's past path, so that the outer halo seems to move away."""
    x, v = (part.float() for part in _stars(8000))
    today, after, _ = stellar_halo.carry(x, v, _moving(1.0).take(slice(None)), inner_edge=30.0)
    position, velocity = (part.reshape(3, -1).T.double().numpy() for part in (today, after))
    chosen = reflex.shell(position)
    found = reflex.fit_error_free(position[chosen], velocity[chosen])
    assert 15.0 < found.v_travel < 40.0
    assert found.v_z < -10.0
