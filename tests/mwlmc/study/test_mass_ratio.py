"""Laws of both galaxies' masses: what is compared is the halo's, and the LMC's share of it."""

import numpy as np
import pytest

from mwlmc.model import disc_and_bulge, total_masses
from mwlmc.parameters import INFERRED, prior
from mwlmc.study import literature, mass_ratio, quantities
from mwlmc.study.literature import HALO_MASS, TABLE1, TABLE2, TOTAL_MASS
from orrery.parameters import generator

ROWS = {"stars": "DESI, with v_tb"}


@pytest.fixture(scope="module")
def drawn():
    """Draws of the inferred parameters from Table 1, whose reflex motion is of no account."""
    model = prior("observed")
    theta = dict(zip(model.names, model.draw(generator(3), 20_000).T, strict=True))
    draws = np.zeros((20_000, len(INFERRED)))
    draws[:, 0] = np.log10(total_masses.milky_way_halo_within(theta["m200_mw"]))
    draws[:, 1] = np.log10(total_masses.lmc_within(theta["m_lmc"]))
    return theta, draws


def test_table_1_prints_the_mass_of_the_halo_alone(drawn):
    """The paper's prior is that of our halo; with disc and bulge it would be another."""
    masses = quantities.quantities(drawn[1])
    mean, sigma = TABLE1[HALO_MASS]
    # within one unit of the last printed digit
    assert masses[HALO_MASS].mean() == pytest.approx(mean, abs=0.1)
    assert masses[HALO_MASS].std() == pytest.approx(sigma, abs=0.1)
    assert masses[TOTAL_MASS].mean() > mean + 0.5


def test_the_total_has_disc_and_bulge_too(drawn):
    masses = quantities.quantities(drawn[1])
    stars = disc_and_bulge.stellar_mass_within(50.0) / 1e11
    np.testing.assert_allclose(masses[TOTAL_MASS] - masses[HALO_MASS], stars)
    answers = quantities.answers("desi.v_gsr", "DESI", drawn[1], drawn[1])
    median = {answer.key: answer.median for answer in answers}
    both = [median[f"posterior.desi.v_gsr.m_mw_{k}_50"] for k in ("total", "halo")]
    assert both[0] - both[1] == pytest.approx(stars)
    assert all(one.prior == (one.lower, one.upper) for one in answers)


def test_total_masses_are_those_that_were_drawn(drawn):
    theta, draws = drawn
    halo = total_masses.milky_way_m200(10 ** draws[:, 0])
    np.testing.assert_allclose(halo, theta["m200_mw"], rtol=1e-4)
    lmc = total_masses.lmc_total(10 ** draws[:, 1])
    np.testing.assert_allclose(lmc, theta["m_lmc"], rtol=1e-4)
    ratio = mass_ratio.mass_ratio(draws, 235.0)
    np.testing.assert_allclose(ratio, theta["m_lmc"] / theta["m200_mw"], rtol=2e-4)


def test_the_published_ratio_is_near_what_the_paper_says_of_it():
    ratios = [mass_ratio.published_ratio(row, 235.0) for row in TABLE2.values()]
    low, high = literature.LEAST_MASS_RATIO
    assert low < np.median(ratios) < high
    assert 0.08 < min(ratios) < max(ratios) < 0.19


@pytest.mark.parametrize("velocity", [222.0, 235.0])
def test_a_faster_sun_means_a_lighter_halo_of_the_same_mass_within(velocity):
    within = np.array([4e11])
    m200 = total_masses.milky_way_m200(within, velocity)
    again = total_masses.milky_way_halo_within(m200, velocity)
    np.testing.assert_allclose(again, within, rtol=1e-4)
    assert total_masses.milky_way_m200(within, velocity + 5.0) < m200


def test_a_flow_that_has_learned_nothing_gives_finite_ratios():
    wild = np.zeros((3, len(INFERRED)))
    wild[:, :2] = [[-5.0, 400.0], [400.0, -5.0], [0.0, 0.0]]
    assert np.isfinite(mass_ratio.mass_ratio(wild, 235.0)).all()


def test_the_table_has_each_row_the_prior_and_the_paper(drawn):
    draws = drawn[1]
    tables = mass_ratio.mass_ratio_table({"stars": draws[:500]}, ROWS, draws, 235.0)
    (table,) = tables.values()
    assert list(table["data"])[:2] == ["stars", "prior"]
    assert list(table[2])[2:4] == list(literature.LEAST_MASS_RATIO)
    wanted = mass_ratio.published_ratio(TABLE2[ROWS["stars"]], 235.0)
    assert table["published"][0] == wanted
    assert (table["lower"][:2] < table["median"][:2]).all()
    assert (table["median"][:2] < table["upper"][:2]).all()
