"""Laws of the comparison with live simulations: what is rigid is found to be so."""

import numpy as np
import pytest
import torch

from mwlmc.model import potentials, total_masses
from mwlmc.model.constants import GYR
from mwlmc.model.trajectories import Galaxies, rewind
from mwlmc.parameters import INFERRED
from mwlmc.study import rigid_limit, validation
from mwlmc.study.live_orbits import (
    COLUMNS,
    GALAXIES,
    LiveOrbits,
    read_live_orbits,
)
from orrery.results.recording import record

FRICTION = -0.3
# those of the rigid model's Milky Way within 50 kpc
MILKY_WAY = (1.57e12, 40.85)
BOOST = np.array([3.0, -2.0, 1.0, 30.0, -20.0, 10.0])  # of the inertial frame


@pytest.fixture(scope="module")
def rigid():
    """Both centres of a rigid rewind, as lines of `[T, 7]`, in a frame of its own."""
    mass, scale = MILKY_WAY
    within = np.array([mass * (50.0 / (50.0 + scale)) ** 2])
    m200 = total_masses.milky_way_m200(within)
    galaxies = Galaxies(
        potentials.milky_way_halo(m200, potentials.concentration(m200)),
        potentials.lmc_halo(np.array([1.5e11])),
        torch.tensor([[10.0**FRICTION]], dtype=torch.float64),
    )
    position = torch.tensor([[-0.6], [-41.3], [-27.1]], dtype=torch.float64)
    velocity = torch.tensor([[-63.9], [-213.8], [206.6]], dtype=torch.float64)
    paths = rewind(position, velocity, galaxies)
    times = paths.times.numpy() / GYR
    times[-1] = 0.0
    centres = (paths.milky_way, paths.lmc)
    return [np.column_stack([times, c[:, :, 0].numpy() + BOOST]) for c in centres]


@pytest.fixture
def write(tmp_path):
    """Writes a simulation, and what is known of its galaxies; returns the folder."""

    def written(milky_way, lmc, name="toy", galaxies=(1.5e11, *MILKY_WAY)):
        np.savetxt(tmp_path / f"{name}_orbit_mw.txt", milky_way)
        np.savetxt(tmp_path / f"{name}_orbit_lmc.txt", lmc)
        if galaxies:
            line = ",".join(map(str, (name, *galaxies)))
            (tmp_path / GALAXIES).write_text(f"{','.join(COLUMNS)}\n{line}\n")
        return tmp_path

    return written


@pytest.mark.slow
def test_a_rigid_simulation_is_found_with_its_friction(rigid, write):
    """Whatever the inertial frame is, and wherever the files begin."""
    for first in (0, 55):
        (orbits,) = read_live_orbits(write(*(orbit[first:] for orbit in rigid)))
        found = validation.beside_live(orbits)
        assert found.began == pytest.approx(orbits.times[0])
        assert found.best_friction == pytest.approx(FRICTION, abs=1e-9)
        assert found.is_bracketed
        best = found.at(FRICTION)
        assert found.ratios[best] == pytest.approx(1.0, abs=1e-3)
        assert found.distances[best] < 0.1
        # the halo's mass within 50 kpc is interpolated; another friction is far from it
        assert found.distances[found.at(0.3)] > 5.0


@pytest.mark.slow
def test_twice_the_change_is_half_the_ratio(rigid, write):
    milky_way, lmc = rigid
    last = milky_way[-1]
    faster = np.array(milky_way)
    faster[:, 4:] = last[4:] + 2.0 * (milky_way[:, 4:] - last[4:])
    (orbits,) = read_live_orbits(write(faster, lmc))
    found = validation.beside_live(orbits)
    assert found.ratios[found.at(FRICTION)] == pytest.approx(0.5, abs=1e-3)


def test_the_lightest_lmc_is_first_and_names_tell_published_masses(rigid, write):
    for name in ("GC21M4b0", "GC21M1b1"):
        folder = write(*rigid, name=name, galaxies=None)
    found = read_live_orbits(folder)
    assert [orbits.name for orbits in found] == ["GC21M1b1", "GC21M4b0"]
    assert [orbits.lmc_mass for orbits in found] == [0.8e11, 2.5e11]


def test_a_frame_about_the_milky_way_is_refused(rigid, write):
    """Also one whose centre wobbles by rounding, or is boosted; an inertial one is taken."""
    milky_way, lmc = rigid
    wobble = np.random.default_rng(1).normal(0.0, 0.5, milky_way[:, 1:].shape)
    for moving in (0.0 * wobble, wobble, wobble + BOOST):
        still, about = np.array(milky_way), np.array(lmc)
        still[:, 1:] = moving
        about[:, 1:] += moving - milky_way[:, 1:]
        with pytest.raises(ValueError, match="in an inertial frame, such as"):
            read_live_orbits(write(still, about))
    assert read_live_orbits(write(milky_way, lmc))


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_frame_that_falls_with_the_lmc_is_refused(share, rigid, write):
    """About the LMC's centre, or in the middle of both."""
    milky_way, lmc = (np.array(orbit) for orbit in rigid)
    centre = milky_way[:, 1:] + share * (lmc[:, 1:] - milky_way[:, 1:])
    for orbit in (milky_way, lmc):
        orbit[:, 1:] -= centre
    with pytest.raises(ValueError, match="not about the LMC's centre"):
        read_live_orbits(write(milky_way, lmc))


def test_a_light_lmc_pulls_little_and_is_taken(rigid, write):
    """A tenth of the mass changes the Milky Way's velocity by a tenth."""
    milky_way, lmc = (np.array(orbit) for orbit in rigid)
    pulled = milky_way[:, 1:] - milky_way[-1, 1:]
    milky_way[:, 1:] -= 0.9 * pulled
    lmc[:, 1:] -= 0.9 * pulled
    assert read_live_orbits(write(milky_way, lmc, galaxies=(1.5e10, *MILKY_WAY)))


@pytest.mark.parametrize("mass", [6e12, 3e11])
def test_a_milky_way_that_no_rigid_one_is_like_is_refused(mass, rigid, write):
    """The nearest rigid halo would be compared in its place."""
    folder = write(*rigid, galaxies=(1.5e11, mass, 30.0 if mass < 1e12 else 60.0))
    (live,) = read_live_orbits(folder)
    with pytest.raises(ValueError, match=r"galaxies\.csv, toy: .* within 50 kpc"):
        validation.beside_live(live)


def _damaged(kind, milky_way, lmc):
    milky_way = np.array(milky_way)
    if kind == "columns":
        return milky_way[:, :6], lmc
    if kind == "lines":
        return milky_way[-1:], lmc
    if kind == "times":
        return milky_way[1:], lmc
    if kind == "order":
        return milky_way[::-1], lmc
    if kind == "today":
        milky_way[:, 0] -= 0.1
        return milky_way, lmc
    if kind == "short":
        return milky_way[-40:], lmc[-40:]
    milky_way[3, 5] = {"nan": np.nan, "metres": 2e5}[kind]
    return milky_way, lmc


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("columns", "has the shape"),
        ("lines", "has the shape"),
        ("times", "not of the same times"),
        ("order", "ascend to 0"),
        ("today", "ascend to 0"),
        ("short", "or more"),
        ("nan", "not finite"),
        ("metres", "is it in Gyr, kpc and km/s"),
    ],
)
def test_an_orbit_that_is_none_is_refused_by_its_name(kind, message, rigid, write):
    folder = write(*_damaged(kind, *rigid))
    with pytest.raises(ValueError, match=message) as refusal:
        read_live_orbits(folder)
    assert "toy_orbit_" in str(refusal.value)


def test_a_folder_that_tells_too_little_is_refused(rigid, write, tmp_path):
    with pytest.raises(ValueError, match="has no orbits"):
        read_live_orbits(tmp_path)
    folder = write(*rigid, galaxies=None)
    with pytest.raises(ValueError, match=r"not known.*galaxies\.csv"):
        read_live_orbits(folder)
    for wrong, message in (
        ("name,lmc_mass\ntoy,1e11\n", "has the columns"),
        (f"{','.join(COLUMNS)}\ntoy,heavy,1e12,40\n", "toy"),
        (f"{','.join(COLUMNS)}\ntoy,-1e11,1e12,40\n", "above zero"),
    ):
        (folder / GALAXIES).write_text(wrong)
        with pytest.raises(ValueError, match=message):
            read_live_orbits(folder)
    (folder / GALAXIES).unlink()
    write(*rigid)
    (folder / "toy_orbit_lmc.txt").unlink()
    with pytest.raises(FileNotFoundError, match="toy_orbit_lmc"):
        read_live_orbits(folder)
    (folder / "toy_orbit_lmc.txt").write_bytes(b"\xff\xfe damaged")
    with pytest.raises(ValueError, match="no table of numbers"):
        read_live_orbits(folder)


@pytest.mark.parametrize(
    "best", [(-0.5, 0.0), (-0.5, 0.0, 1.0), (1.0, 1.0), (0.5, -1.0)]
)
def test_a_mean_friction_says_of_how_many_it_is(best):
    """Those at an end of the prior may be anything beyond it."""
    frictions = np.linspace(-1.0, 1.0, 5)
    still, times = np.zeros((2, 6)), np.array([-1.0, 0.0])
    found = [
        validation.RigidAndLive(
            LiveOrbits(f"toy {k}", 1e11, 4e11, times, still, still),
            began=-1.0,
            live_change=np.ones(3),
            frictions=frictions,
            rigid_changes=np.ones((3, 5)),
            distances=np.abs(frictions - one),
        )
        for k, one in enumerate(best)
    ]
    numbers = validation._friction_numbers(found)
    headline = validation._headline(found, numbers)
    inside = [one for one in best if abs(one) < 1.0]
    if inside:
        assert numbers["nbody.friction.mean"] == np.mean(inside)
    words = f"is known of {len(inside)} of {len(best)} live simulations"
    assert (words in headline.text) == (len(inside) < len(best))
    assert set(headline.shows) >= numbers.keys() - {"nbody.friction.mean"}


@pytest.mark.slow
def test_the_rigid_model_follows_published_live_simulations(shared):
    """A first look of another's gave 0.99, 1.02, 1.03 and 1.18, and 10^-0.1 of friction."""
    found = [
        validation.beside_live(one)
        for one in read_live_orbits(shared / "reference/nbody/gc21")
    ]
    ratios = [one.ratios[one.at(0.0)] for one in found]
    np.testing.assert_allclose(ratios, [0.99, 1.02, 1.03, 1.18], atol=0.03)
    assert np.mean([one.best_friction for one in found]) == pytest.approx(-0.1, abs=0.1)
    # what pages say of posteriors that reach the heaviest of these
    assert found[-1].orbits.lmc_mass == rigid_limit.HEAVY_LMC
    assert ratios[-1] == pytest.approx(rigid_limit.OVERSTATED, abs=0.005)


def test_a_posterior_that_reaches_heavy_lmcs_says_so(tmp_path):
    """The share is that of total masses, of which draws have what lies within 50 kpc."""
    totals = np.linspace(1e11, 3e11, 401)
    draws = np.zeros((401, len(INFERRED)))
    draws[:, 0] = 11.6
    draws[:, 1] = np.log10(total_masses.lmc_within(totals))
    assert rigid_limit.heavy_share(draws) == pytest.approx(0.25, abs=0.005)
    light = draws[totals < rigid_limit.HEAVY_LMC]
    for some, said in ((draws, ["rigid_limit.desi.v_gsr"]), (light, [])):
        options = validation.Validation(tmp_path / "a file")
        options.nbody.write_text("of orbits")
        with record("toy", options, tmp_path / f"runs-{len(some)}") as recording:
            rigid_limit.record_rigid_limit(recording, "desi.v_gsr", "DESI", some)
        assert [part["key"] for part in recording.result.sections] == said
