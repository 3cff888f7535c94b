"""Laws of the prior: bounds, shapes, and two proposals for where the LMC is."""

import json

import numpy as np
import pytest
from scipy import stats

from mwlmc import parameters
from orrery.parameters import generator

PROPOSALS = ("table1", "observed")


@pytest.fixture(params=PROPOSALS)
def prior(request):
    return parameters.prior(request.param)


@pytest.fixture
def drawn(prior):
    return parameters.columns(prior.draw(generator(1), 20_000), prior.names)


def test_there_are_eleven_parameters_and_six_inferred(prior):
    assert len(prior.names) == 11
    names = tuple(parameter.name for parameter in parameters.INFERRED)
    assert names == (
        "log10_m_mw_halo_50",
        "log10_m_lmc_50",
        "v_x",
        "v_y",
        "v_z",
        "log10_lambda_df",
    )
    assert (parameters.INFERRED[-1].lower, parameters.INFERRED[-1].upper) == (-3.0, 1.0)


def test_draws_are_within_their_bounds(prior, drawn):
    for parameter in prior.parameters:
        values = drawn[parameter.name]
        assert parameter.lower <= values.min() < values.max() <= parameter.upper
    assert (
        drawn["m_lmc"].min() > 1.7e10
    )  # a Hernquist LMC with 1.7e10 Msun inside 8.7 kpc exists


def test_galaxies_follow_table_1_in_both_proposals(drawn):
    for name, mean, sigma, lower in (
        ("m200_mw", 15e11, 5e11, 2e11),
        ("m_lmc", 15e10, 10e10, 1.75e10),
    ):
        law = stats.truncnorm((lower - mean) / sigma, np.inf, mean, sigma)
        assert stats.kstest(drawn[name], law.cdf).pvalue > 0.01
    for name, lower, upper in (
        ("log10_lambda_df", -3, 1),
        ("beta0", 0.0, 0.9),
        ("r_dehnen", 10, 15),
    ):
        law = stats.uniform(lower, upper - lower)
        assert stats.kstest(drawn[name], law.cdf).pvalue > 0.01


def test_parameters_are_independent(prior, drawn):
    ranks = stats.spearmanr(
        np.stack([drawn[name] for name in prior.names], axis=1)
    ).statistic
    assert np.abs(ranks - np.eye(11)).max() < 5 / np.sqrt(20_000)


def test_observed_proposal_is_narrow_against_table_1_and_wide_against_errors():
    # errors of the LMC's sky coordinates [deg, deg, kpc, km/s, mas/yr, mas/yr]
    errors = {"ra_lmc": 0.5, "dec_lmc": 0.25, "d_lmc": 0.5, "vlos_lmc": 3.4}
    errors |= {"pmra_lmc": 0.02, "pmdec_lmc": 0.05}
    wide, narrow = (
        parameters.prior(p).draw(generator(2), 20_000).std(axis=0) for p in PROPOSALS
    )
    names = parameters.prior("observed").names
    for name, error in errors.items():
        i = names.index(name)
        assert 1.5 * error < narrow[i] < wide[i]


def test_observed_proposal_covers_the_lmc():
    prior = parameters.prior("observed")
    drawn = parameters.columns(prior.draw(generator(3), 20_000), prior.names)
    seen = {"ra_lmc": 80.5, "dec_lmc": -69.5, "d_lmc": 49.6, "vlos_lmc": 262.2}
    seen |= {"pmra_lmc": 1.9, "pmdec_lmc": 0.33}
    for name, value in seen.items():
        assert 0.1 < np.mean(drawn[name] < value) < 0.9


def test_description_is_json(prior):
    described = json.loads(json.dumps(prior.describe(), allow_nan=False))
    assert set(described) == set(prior.names)


def test_a_wide_prior_knows_nothing_of_the_lmcs_mass():
    prior = parameters.prior("observed", "wide")
    paper = parameters.prior("observed")
    drawn, usual = (p.draw(generator(5), 20_000) for p in (prior, paper))
    mass = prior.names.index("m_lmc")
    law = stats.uniform(1.75e10, 5e11 - 1.75e10)
    assert stats.kstest(drawn[:, mass], law.cdf).pvalue > 0.01
    np.testing.assert_array_equal(np.delete(drawn, mass, 1), np.delete(usual, mass, 1))


def test_unknown_proposals_and_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"no LMC proposal 'table2': choose one of"):
        parameters.prior("table2")
    with pytest.raises(ValueError, match=r"no LMC mass prior 'flat': choose one of"):
        parameters.prior("observed", "flat")
    with pytest.raises(
        ValueError, match=r"theta has shape \(3, 2\), but there are 1 names"
    ):
        parameters.columns(np.zeros((3, 2)), ("a",))
