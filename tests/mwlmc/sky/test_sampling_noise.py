"""The errors that simulated moments have of themselves are their scatter among simulations."""

from dataclasses import replace

import numpy as np
import pytest

from mwlmc.sky.binning import DESI_FOOTPRINT, LMC_NAMES
from mwlmc.sky.kinematics import velocity_moments
from mwlmc.sky.sampling_noise import sampling_errors
from orrery.parameters import generator
from orrery.records import Records

SIMULATIONS = 400
STARS = 1500
SPREAD = 90.0  # [km/s]


def radial(random, size):
    """Returns velocities of which a few are fast, as those across radial orbits are."""
    return random.laplace(0.0, SPREAD / np.sqrt(2.0), size)


def simulated(seed=1, stars=STARS, count=SIMULATIONS, velocities=None):
    """Returns simulations of one and the same halo, whose stars alone are others."""
    random = generator(seed)
    direction = random.normal(size=(count * stars, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    position = direction * random.uniform(30.0, 100.0, size=(count * stars, 1))
    size = (count * stars, 3)
    velocity = (
        velocities(random, size) if velocities else random.normal(0, SPREAD, size)
    )
    names = ("x", "y", "z", "vx", "vy", "vz")
    columns = np.concatenate([position, velocity], axis=1).T
    return Records(
        dict.fromkeys(LMC_NAMES, np.zeros(count)),
        dict(zip(names, columns, strict=True)),
        np.arange(count + 1, dtype=np.int32) * stars,
    )


@pytest.mark.slow
@pytest.mark.parametrize("velocities", [None, radial])
@pytest.mark.parametrize("kinds", [("mean",), ("mean", "dispersion")])
def test_they_are_the_scatter_of_simulations_that_differ_in_their_stars_alone(
    kinds, velocities
):
    binning = DESI_FOOTPRINT.with_moments(kinds, ("v_gsr", "v_tb"))
    records = simulated(velocities=velocities)
    found = sampling_errors(records, binning)
    scatter = velocity_moments(records, binning).std(axis=0)
    assert found[:6].tolist() == [0.0] * 6
    # a scatter of 400 numbers is known to 3.5 %
    assert found[6:] == pytest.approx(scatter[6:], rel=0.15)
    assert (found[6:] / scatter[6:]).mean() == pytest.approx(1.0, abs=0.04)


def test_four_times_the_stars_have_half_the_errors():
    few, many = (
        sampling_errors(simulated(stars=stars, count=100), DESI_FOOTPRINT)[6:]
        for stars in (1000, 4000)
    )
    assert (few / many).mean() == pytest.approx(2.0, rel=0.05)


def test_without_the_lmc_among_the_data_there_are_the_stars_entries_alone():
    records = simulated(count=8)
    whole = sampling_errors(records, DESI_FOOTPRINT)
    alone = sampling_errors(records, replace(DESI_FOOTPRINT, lmc=False))
    assert np.array_equal(alone, whole[6:])


def test_bins_that_no_simulation_fills_are_refused():
    records = simulated(count=4)
    near = {**records.particles, **{n: records.particles[n] / 10 for n in "xyz"}}
    with pytest.raises(ValueError, match="in none of 4 simulations: use wider bins"):
        sampling_errors(replace(records, particles=near), DESI_FOOTPRINT)
