"""Laws of a Milky Way without an LMC: nothing moves it, and else it is the same galaxy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mwlmc import parameters
from mwlmc.model import potentials
from mwlmc.simulator import Simulator
from orrery.parameters import generator

USUAL = Simulator(stars=4000)
ALONE = replace(USUAL, lmc_mass="none")
NUMBERS = [0, 1, 2, 3]


@pytest.fixture(scope="module")
def both():
    return [one.records(11, NUMBERS) for one in (ALONE, USUAL)]


@pytest.mark.slow
def test_its_parameters_are_those_of_the_galaxy_with_an_lmc(both):
    alone, usual = (one.scalars for one in both)
    same = [name for name in USUAL.prior.names if name != "m_lmc"]
    for name in (*same, "c200", "log10_m_mw_halo_50", "df_clipped_share"):
        np.testing.assert_array_equal(alone[name], usual[name])
    assert (alone["m_lmc"] == 0).all()
    assert (alone["log10_m_lmc_50"] == -np.inf).all()
    assert not alone["runaways"].any()


@pytest.mark.slow
def test_it_stays_where_it_is_and_its_stars_start_the_same():
    _, _, past = ALONE.past(11, NUMBERS)
    assert not past.trajectories.milky_way.any()
    assert not past.trajectories.milky_way_acceleration.any()
    _, _, usual = USUAL.past(11, NUMBERS)
    first, second = (
        one.initial_stars(each, [generator(11, i, 1) for i in NUMBERS])
        for one, each in ((ALONE, past), (USUAL, usual))
    )
    assert torch.equal(first.position, second.position)
    assert torch.equal(first.velocity, second.velocity)


@pytest.mark.slow
def test_its_disc_does_not_move_against_the_outer_stars(both):
    alone, usual = (one.scalars for one in both)
    for name in ("v_x", "v_y", "v_z"):
        # some 600 stars that scatter by 100 km/s, in each of four galaxies
        assert abs(alone[name].mean()) < 4 * 100 / np.sqrt(600 * 4)
    assert usual["v_z"].mean() < alone["v_z"].mean() - 10.0


def test_a_halo_without_mass_pulls_nothing():
    halo = potentials.lmc_halo(np.array([0.0, 1.5e11]))
    pull = halo.pull(torch.full((2, 1), 30.0, dtype=torch.float64))[:, 0]
    assert pull[0] == 0
    one = potentials.lmc_halo(np.array([1.5e11]))
    assert pull[1] == one.pull(torch.full((1, 1), 30.0, dtype=torch.float64))[0, 0]


def test_its_prior_differs_in_the_mass_alone():
    prior = parameters.prior("observed", "none")
    usual = parameters.prior("observed")
    place = prior.names.index("m_lmc")
    assert prior.distributions[place] == parameters.Constant(0.0)
    assert prior.parameters[place].lower == 0.0
    drawn, others = (p.draw(generator(5), 100) for p in (prior, usual))
    np.testing.assert_array_equal(
        np.delete(drawn, place, 1), np.delete(others, place, 1)
    )


def test_agama_is_not_asked_for_it():
    with pytest.raises(
        ValueError, match="no Milky Way without an LMC: choose the engine"
    ):
        Simulator(lmc_mass="none", engine="agama")
