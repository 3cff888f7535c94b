"""Laws of the halo stars' outer slope: a twelfth parameter, and else the same galaxies."""

from dataclasses import replace

import numpy as np
import pytest

from mwlmc import parameters
from mwlmc.simulator import Simulator
from mwlmc.study.dispersions import truth
from mwlmc.study.options import SimulationCampaign
from mwlmc.study.shell_options import Dispersions
from orrery.parameters import generator

USUAL = Simulator(stars=4000)
FREE = replace(USUAL, tracer="double-power-law")
NUMBERS = [0, 1, 2, 3]


def test_its_prior_adds_the_slope_alone():
    prior = parameters.prior("observed", tracer="double-power-law")
    usual = parameters.prior("observed")
    assert prior.names == (*usual.names, "outer_slope")
    slope = prior.draw(generator(5), 20_000)[:, -1]
    assert 4.0 <= slope.min() < 4.01
    assert 5.99 < slope.max() <= 6.0
    with pytest.raises(ValueError, match="no tracer 'plummer': choose one of"):
        parameters.prior("observed", tracer="plummer")


@pytest.mark.slow
def test_the_same_number_is_the_same_galaxy_with_other_stars():
    free, usual = (one.records(11, NUMBERS).scalars for one in (FREE, USUAL))
    for name in (*USUAL.prior.names, "c200", "log10_m_mw_halo_50"):
        np.testing.assert_array_equal(free[name], usual[name])
    assert (free["outer_slope"] > 4.0).all()
    assert not (free["v_z"] == usual["v_z"]).any()


@pytest.mark.slow
def test_stars_of_a_steeper_halo_are_fewer_and_slower_far_out():
    theta = FREE.prior.draw(generator(3), 1)
    counts, dispersions = [], []
    for slope in (4.0, 6.0):
        theta[:, -1] = slope
        found = FREE.simulate(
            np.repeat(theta, 4, 0), [generator(7, i) for i in range(4)]
        )
        radial = _radial_velocities(found.particles, 50.0, 80.0)
        counts.append(len(radial))
        dispersions.append(radial.std())
    assert counts[1] < 0.6 * counts[0]
    error = np.sqrt(0.5 / counts[0] + 0.5 / counts[1])
    assert np.log(dispersions[0] / dispersions[1]) > 4 * error


def _radial_velocities(stars, nearest, furthest):
    position, velocity = (
        np.array([stars[name] for name in names], float)
        for names in (("x", "y", "z"), ("vx", "vy", "vz"))
    )
    distance = np.linalg.norm(position, axis=0)
    chosen = (distance > nearest) & (distance < furthest)
    return ((position * velocity).sum(0) / distance)[chosen]


def test_datasets_of_a_dehnen_tracer_are_those_of_before_there_was_a_choice():
    described = USUAL.describe()
    assert "tracer" not in described["options"]
    assert "outer_slope" not in described["prior"]
    assert FREE.describe()["options"]["tracer"] == "double-power-law"
    assert "outer_slope" in FREE.describe()["prior"]


def test_the_published_galaxy_has_dehnens_slope():
    assert truth(FREE)[-1] == 4.0
    assert len(truth(USUAL)) == len(truth(FREE)) - 1


def test_the_slope_is_inferred_where_it_varies():
    campaign = SimulationCampaign(tracer="double-power-law")
    wanted = ("log10_m_mw_halo_50", "outer_slope")
    assert Dispersions(infer=wanted, campaign=campaign).inferred.names[:2] == wanted
    with pytest.raises(ValueError, match="infer outer_slope: it does not vary"):
        Dispersions(infer=wanted)


def test_agama_is_not_asked_for_it():
    with pytest.raises(ValueError, match="no tracer 'double-power-law': choose dehnen"):
        replace(FREE, engine="agama")
