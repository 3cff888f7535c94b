"""The engine that uses agama: without it, against solutions made with it, and against our own.

All but the first tests need agama itself and are skipped where it is not installed.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from astropy.units import Quantity
from scipy import stats

from mwlmc.model import (
    agama_engine,
    disc_and_bulge,
    distribution,
    orbits,
    potentials,
    stellar_halo,
    trajectories,
)
from mwlmc.model.agama_paths import STEPS
from mwlmc.model.constants import CIRCULAR_VELOCITY, GYR, SUN_RADIUS, G
from mwlmc.model.vectors import length

EXTRACT = Path(__file__).parents[1] / "reference"
HERE = ("set00", "set04", "set05")
ALL = tuple(f"set{i:02d}" for i in range(8))
OPTIONS = {"equilibrium": "halo", "circular_velocity": CIRCULAR_VELOCITY}


def _parameters(*names):
    documents = [json.loads((EXTRACT / f"{name}.json").read_text()) for name in names]
    drawn = [document["parameters"] for document in documents]
    return {name: np.array([one[name] for one in drawn]) for name in drawn[0]}


# --- without agama ---------------------------------------------------------------------------


def test_absence_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "agama", None)
    named = _parameters("set00")
    assert not agama_engine.available()
    with pytest.raises(ImportError, match=r"pip install .*\[agama\].* embedded engine"):
        agama_engine.simulate(named, 10, [1], **OPTIONS)
    with pytest.raises(ImportError, match="embedded engine"):
        agama_engine.evolve(torch.ones(3, 1), torch.ones(3, 1), named)


def test_an_old_agama_is_refused(monkeypatch):
    old = SimpleNamespace(__version__="1.0.158 compiled on May 10 2026")
    monkeypatch.setitem(sys.modules, "agama", old)
    assert not agama_engine.available()
    with pytest.raises(
        ImportError, match=r"1\.0\.158 is older than 1\.0\.159: install"
    ):
        agama_engine.agama_potentials(1e12, 1e11)


class Sampler:
    """A model whose stars cannot be drawn with some seeds, as agama's sometimes cannot."""

    def __init__(self, fails):
        self.fails = fails
        self.seeds = []

    def sample(self, count, method):
        if self.seeds[-1] in self.fails:
            raise RuntimeError("sampleNdim: refinement procedure did not converge")
        return np.full((count, 6), self.seeds[-1]), method


@pytest.fixture
def sampler(monkeypatch):
    model = Sampler({7, 8, 2**31 - 1})
    fake = SimpleNamespace(
        __version__="1.0.159",
        setRandomSeed=model.seeds.append,
        setUnits=lambda **_: None,
    )
    monkeypatch.setitem(sys.modules, "agama", fake)
    return model


@pytest.mark.parametrize(
    ("seed", "tried"), [(6, [6]), (7, [7, 8, 9]), (2**31 - 1, [2**31 - 1, 0])]
)
def test_stars_that_cannot_be_drawn_are_tried_with_the_next_seed(sampler, seed, tried):
    stars = agama_engine._drawn_from(sampler, 3, seed)
    assert sampler.seeds == tried
    assert (stars == tried[-1]).all()
    assert stars.shape == (3, 6)


def test_stars_that_no_seed_draws_are_told(sampler):
    sampler.fails = range(100)
    with pytest.raises(
        ArithmeticError, match=r"5 seeds from 20 on \(sampleNdim.*leave"
    ):
        agama_engine._drawn_from(sampler, 3, 20)


# --- with agama ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def agama():
    reason = "agama is not installed: pip install -e '.[agama]' adds it"
    module = pytest.importorskip("agama", reason=reason)
    assert agama_engine.available()
    return module


@pytest.fixture(
    scope="module",
    params=[("extract", name) for name in HERE] + [("all", name) for name in ALL],
    ids="-".join,
)
def reference(request, agama):
    """Parameters, the document and the arrays of one reference solution."""
    kind, name = request.param
    folder = EXTRACT
    if kind == "all":
        folder = request.getfixturevalue("shared") / "reference" / "agama"
        if not folder.is_dir():
            pytest.skip("the eight full reference solutions are not at hand")
    document = json.loads((folder / f"{name}.json").read_text())
    named = {key: np.array([value]) for key, value in document["parameters"].items()}
    with np.load(folder / f"{name}.npz") as arrays:
        return SimpleNamespace(named=named, document=document, arrays=dict(arrays))


@pytest.fixture(scope="module")
def halo(agama):
    """Two simulations of 1,500 stars."""
    return agama_engine.simulate(
        _parameters("set00", "set05"), 1500, [11, 12], **OPTIONS
    )


@pytest.fixture(scope="module")
def embedded(halo):
    """The galaxies and paths of the same two simulations by the embedded engine."""
    named = _parameters("set00", "set05")
    mass = named["m200_mw"]
    galaxies = trajectories.Galaxies(
        potentials.milky_way_halo(mass, potentials.concentration(mass)),
        potentials.lmc_halo(named["m_lmc"]),
        torch.as_tensor(10.0 ** named["log10_lambda_df"])[:, None],
    )
    today = halo.trajectory.lmc[-1]
    return galaxies, trajectories.rewind(today[:3], today[3:], galaxies)


def _relative(got, wanted):
    return (
        np.linalg.norm(got - wanted, axis=-1) / np.linalg.norm(wanted, axis=-1)
    ).max()


# --- units -----------------------------------------------------------------------------------


def test_the_unit_of_time_is_kpc_per_km_per_s(agama):
    agama_engine.agama_potentials(1e12, 1e11)
    # a plain number of Myr, or a quantity of astropy where that is imported
    time = Quantity(agama.getUnits()["time"], "Myr").value
    assert time == pytest.approx(1000.0 / GYR, rel=1e-6)
    assert pytest.approx(G, rel=1e-8) == agama.G


def test_a_circular_orbit_has_its_period(agama):
    """In 2.2 Gyr the Sun's orbit turns 10.14 times; were time called Gyr, it would be 9.92."""
    named = _parameters("set00") | {"m_lmc": np.array([1.75e10])}
    radius, speed = SUN_RADIUS, CIRCULAR_VELOCITY
    start = torch.tensor([[radius, 0.0, 0.0, 0.0, speed, 0.0]]).T
    x, v = agama_engine.evolve(start[:3], start[3:], named)
    turned = (torch.atan2(x[1], x[0]) / (2.0 * np.pi)).item() % 1.0
    turns = trajectories.LOOKBACK * speed / radius / (2.0 * np.pi)
    assert turns == pytest.approx(10.14, abs=0.01)
    assert turned == pytest.approx(turns % 1.0, abs=0.02)
    assert x.norm().item() == pytest.approx(radius, rel=0.01)
    assert v.norm().item() == pytest.approx(speed, rel=0.01)


# --- against reference solutions -------------------------------------------------------------


def test_galaxies_of_the_reference(reference):
    derived, arrays = reference.document["derived"], reference.arrays
    drawn = (reference.named["m200_mw"].item(), reference.named["m_lmc"].item())
    galaxies = agama_engine.agama_potentials(*drawn)
    assert galaxies.c200 == pytest.approx(derived["c200"], rel=1e-6)
    assert galaxies.a_lmc == pytest.approx(derived["a_lmc"], rel=1e-9)
    points = arrays["force_points"]
    force = arrays["force_bulge"] + arrays["force_disc"] + arrays["force_halo"]
    assert _relative(galaxies.milky_way.force(points), force) < 1e-6
    assert _relative(galaxies.halo.force(points), arrays["force_halo"]) < 1e-6
    assert _relative(galaxies.lmc.force(points), arrays["force_lmc"]) < 1e-6
    np.testing.assert_allclose(
        galaxies.milky_way.density(points), arrays["density_mw"], rtol=1e-6
    )


def test_paths_of_the_reference(reference):
    trajectory = agama_engine.simulate(reference.named, 2, [1], **OPTIONS).trajectory
    wanted = reference.arrays["trajectory"]
    rows = np.abs(trajectory.times.numpy() / GYR - wanted[:, :1]).argmin(1)
    np.testing.assert_allclose(trajectory.times[rows] / GYR, wanted[:, 0], atol=1e-12)
    path = torch.cat([trajectory.milky_way, trajectory.lmc], dim=1)[rows, :, 0].numpy()
    off = np.linalg.norm((path - wanted[:, 1:]).reshape(-1, 4, 3), axis=2)
    assert off[:, [0, 2]].max() < 1e-3  # [kpc]
    assert off[:, [1, 3]].max() < 2e-3  # [km/s]
    pull = trajectory.milky_way_acceleration[rows, :, 0].numpy()
    assert _relative(pull, reference.arrays["mw_acceleration"]) < 1e-5
    assert not trajectory.runaway.any()


@pytest.mark.parametrize(
    ("accuracy", "median", "most"),
    [(agama_engine.ACCURACY, 2e-3, 0.15), (1e-8, 4e-4, 5e-3)],
    ids=["default", "best"],
)
def test_stars_of_the_reference(reference, accuracy, median, most):
    """Of stars beyond 30 kpc today, 99 % end within `most` [kpc] of where they should."""
    if "initial" not in reference.arrays:
        pytest.skip("this set of the extract has no stars")
    start = torch.as_tensor(reference.arrays["initial"][:1000].T.copy())
    x, v = agama_engine.evolve(start[:3], start[3:], reference.named, accuracy=accuracy)
    wanted = reference.arrays["final"][:1000].T
    assert x.dtype == v.dtype == torch.float32
    beyond = np.linalg.norm(wanted[:3], axis=0) > 30.0
    off = np.linalg.norm(x.numpy() - wanted[:3], axis=0)[beyond]
    assert np.median(off) < median
    assert np.percentile(off, 99) < most
    # orbits there take some kpc for a change of 10 km/s
    assert (
        np.median(np.linalg.norm(v.numpy() - wanted[3:], axis=0)[beyond]) < 5.0 * median
    )


# --- against the embedded engine -------------------------------------------------------------


def test_forces_of_both_engines_agree(embedded):
    halo, lmc = embedded[0].milky_way, embedded[0].lmc
    points = (
        np.random.default_rng(1).normal(size=(500, 3))
        * np.geomspace(2.0, 200.0, 500)[:, None]
    )
    x = torch.as_tensor(points.T.copy())[:, None].expand(3, 2, -1)
    radius = length(x)
    plane, across = disc_and_bulge.stellar_table().pulls(x)
    pull = halo.pull(radius) + torch.stack([plane, plane, across])
    named = _parameters("set00", "set05")
    for b in range(2):
        galaxies = agama_engine.agama_potentials(named["m200_mw"][b], named["m_lmc"][b])
        ours = -(pull * x)[:, b].T.numpy()
        assert _relative(ours, galaxies.milky_way.force(points)) < 5e-4
        assert (
            _relative(
                -(lmc.pull(radius) * x)[:, b].T.numpy(), galaxies.lmc.force(points)
            )
            < 1e-8
        )


def test_paths_of_both_engines_agree(halo, embedded):
    ours, theirs = embedded[1].relative(), halo.trajectory.relative()
    for row in range(0, len(ours), 55):  # times that both have
        time = embedded[1].times[row]
        same = int((halo.trajectory.times - time).abs().argmin())
        assert abs(halo.trajectory.times[same] - time) < 1e-12
        off = (ours[row] - theirs[same]).reshape(2, 3, 2).norm(dim=1)
        assert off[0].max() < 0.03  # [kpc]
        assert off[1].max() < 0.1  # [km/s]


@pytest.mark.slow  # the embedded engine's step is compiled
def test_the_same_stars_end_at_the_same_places(halo, embedded):
    galaxies, paths = embedded
    potential = orbits.moving_potential(
        galaxies.milky_way, disc_and_bulge.stellar_table(), galaxies.lmc, paths
    )
    start = halo.initial_position, halo.initial_velocity
    x, v, moved = stellar_halo.evolve(*start, potential, inner_edge=30.0)
    assert x.shape == halo.position.shape
    assert x.dtype == halo.position.dtype
    beyond = moved & (halo.position.norm(dim=0) > 30.0)
    assert (x - halo.position).norm(dim=0)[beyond].median() < 0.05  # [kpc]
    assert (v - halo.velocity).norm(dim=0)[beyond].median() < 0.2  # [km/s]
    # those that the embedded engine leaves out do not end beyond the edge
    assert halo.position.norm(dim=0)[~moved].max() < 30.0


@pytest.mark.parametrize("equilibrium", ["halo", "total"])
@pytest.mark.parametrize("name", ["set00", "set05"])
def test_both_engines_draw_from_one_distribution(agama, equilibrium, name):
    named = _parameters(name)
    options = OPTIONS | {"equilibrium": equilibrium}
    theirs = agama_engine.simulate(named, 4000, [3], **options)
    galaxy = potentials.milky_way_halo(named["m200_mw"], theirs.c200)
    f = distribution.distribution_function(
        distribution.spherical_potential(
            float(galaxy.amplitude), float(galaxy.scale), equilibrium
        ),
        named["beta0"].item(),
        named["r_dehnen"].item(),
    )
    ours = f.sample(40_000, np.random.default_rng(4))
    stars = theirs.initial_position[:, 0].numpy(), theirs.initial_velocity[:, 0].numpy()
    for got, wanted in zip(_spherical(*stars), _spherical(*ours), strict=True):
        assert stats.ks_2samp(got, wanted).pvalue > 1e-3
    assert theirs.clipped[0] == pytest.approx(f.clipped)


def _spherical(position, velocity):
    """Radius, and outward and sideways speeds at radii where they hardly depend on it."""
    radius = np.linalg.norm(position, axis=0)
    outward = (position * velocity).sum(0) / radius
    sideways = np.sqrt(np.maximum((velocity**2).sum(0) - outward**2, 0.0))
    shell = (radius > 10.0) & (radius < 40.0)
    return radius, outward[shell], sideways[shell]


# --- laws of the engine ----------------------------------------------------------------------


def test_a_simulation_depends_on_its_own_seed_alone(halo):
    named = _parameters("set05")
    again = agama_engine.simulate(named, 1500, [12], **OPTIONS)
    for name in ("position", "velocity", "initial_position", "initial_velocity"):
        assert torch.equal(getattr(again, name)[:, 0], getattr(halo, name)[:, 1])
    other = agama_engine.simulate(named, 1500, [13], **OPTIONS)
    assert not torch.isin(other.initial_position, again.initial_position).any()


def test_the_halo_is_its_initial_stars_evolved(halo):
    named = _parameters("set00")
    x, v = agama_engine.evolve(
        halo.initial_position[:, 0], halo.initial_velocity[:, 0], named
    )
    assert torch.equal(x, halo.position[:, 0])
    assert torch.equal(v, halo.velocity[:, 0])


def test_shapes_of_a_halo(halo):
    for name in ("position", "velocity", "initial_position", "initial_velocity"):
        assert getattr(halo, name).shape == (3, 2, 1500)
        assert getattr(halo, name).isfinite().all()
    assert halo.c200.shape == halo.a_lmc.shape == halo.clipped.shape == (2,)
    path = halo.trajectory
    assert path.milky_way.shape == path.lmc.shape == (STEPS + 1, 6, 2)
    assert path.milky_way_acceleration.shape == (STEPS + 1, 3, 2)
    assert (path.milky_way[-1] == 0.0).all()  # the Milky Way rests at the origin today


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": [0]}, r"seeds \[0\] must be from 1"),
        ({"seeds": [2**31]}, "must be from 1"),
        ({"seeds": [1, 2]}, "one seed to each simulation"),
        ({"stars": 0}, "a star or more"),
        ({"equilibrium": "disc"}, "choose 'halo' or 'total'"),
        ({"circular_velocity": 2000.0}, "change circular_velocity"),
    ],
)
def test_what_cannot_be_is_refused(agama, change, message):
    arguments = (
        {"named": _parameters("set00"), "stars": 10, "seeds": [1]} | OPTIONS | change
    )
    with pytest.raises(ValueError, match=message):
        agama_engine.simulate(**arguments)


def test_only_one_simulation_is_evolved_at_a_time(agama):
    with pytest.raises(ValueError, match="one simulation to evolve"):
        agama_engine.evolve(
            torch.ones(3, 1), torch.ones(3, 1), _parameters("set00", "set05")
        )
