"""Laws of the mass that a model without an LMC finds: pairs, shifts, and what it may see."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mwlmc.observed.mock_survey import mock_data_vector
from mwlmc.sky.binning import QUADRANTS
from mwlmc.study import lmc_less
from mwlmc.study.data_rows import DataRow
from orrery.parameters import generator

BOTH = QUADRANTS.with_moments(("mean", "dispersion"))
TRUTH = 11.5


@pytest.fixture(scope="module")
def row():
    x = 100.0 + generator(3).normal(size=(40, len(BOTH.names)))
    seen = replace(mock_data_vector(BOTH, x.mean(0)), simulated=x)
    return DataRow("Giants", "giants", "", BOTH, seen)


def test_dispersions_alone_are_left_with_their_errors(row):
    found = lmc_less.dispersions_alone(row)
    seen, whole = found.observation, row.observation
    assert found.key == "giants.without_lmc"
    assert seen.names == tuple(n for n in whole.names if "_dispersion_" in n)
    assert seen.definition == found.binning.fingerprint
    assert not found.binning.lmc
    known = dict(zip(whole.names, whole.value, strict=True))
    errors = dict(zip(whole.names, np.diag(whole.covariance), strict=True))
    for i, name in enumerate(seen.names):
        assert seen.value[i] == known[name]
        assert seen.covariance[i, i] == errors[name]
        np.testing.assert_array_equal(
            seen.simulated[:, i], whole.simulated[:, whole.names.index(name)]
        )


def test_a_profile_of_means_alone_is_left_out(row):
    some = BOTH.with_moments(("mean",), ("v_tb",))
    seen = replace(mock_data_vector(some, np.ones(len(some.names))))
    found = lmc_less.dispersions_alone(replace(row, binning=some, observation=seen))
    assert {b.quantity for b in found.binning.bins} == {"v_gsr"}


class _Reads:
    """A posterior whose mass is the mean of some entries, in dex above the truth per km/s."""

    def __init__(self, per_km_s, offset):
        self.per_km_s = per_km_s
        self.offset = offset

    def sample_each(self, x, count, seed):
        middle = TRUTH + self.offset + self.per_km_s * (x.mean(axis=1) - 100.0)
        noise = 0.001 * generator(seed).normal(size=(count, len(x)))
        return np.stack([np.zeros((count, len(x))), middle + noise], axis=-1)


def test_mock_shifts_are_of_the_same_mocks_with_the_same_errors(row):
    alone = lmc_less.dispersions_alone(row)
    right = SimpleNamespace(posterior=_Reads(0.0, 0.0), observation=row.observation)
    wrong = SimpleNamespace(
        posterior=_Reads(0.002, np.log10(1.05)), observation=alone.observation
    )
    found = lmc_less.mock_shifts((right, wrong), (1, 1), TRUTH, 50, seed=4)
    against_truth = found["without an LMC, against the truth"]
    assert against_truth.number == 40
    assert abs(against_truth.mean - 0.05) < 4 * against_truth.error
    assert abs(found["with an LMC, against the truth"].mean) < 0.01
    # the errors that the second sees are the first's own
    drawn = row.observation.realisations(4)
    kept = [row.observation.names.index(n) for n in alone.observation.names]
    expected = 1.05 * 10 ** (0.002 * (drawn[:, kept].mean(axis=1) - 100.0)) - 1
    assert against_truth.mean == pytest.approx(expected.mean(), abs=2e-3)


def test_one_observation_has_a_shift_without_an_error():
    right, wrong = (
        SimpleNamespace(draws=np.full((9, 2), mass)) for mass in (11.5, 11.6)
    )
    (found,) = lmc_less.observed_shift((right, wrong), (0, 1)).values()
    assert found.mean == pytest.approx(10**0.1 - 1)
    assert np.isnan(found.error)
    assert found.number == 1


def test_errors_are_those_of_a_mean():
    masses = 11.5 + 0.02 * generator(8).normal(size=900)
    found = lmc_less.mass_shift(masses, np.full(900, 11.5))
    assert abs(found.mean) < 4 * found.error
    assert found.error == pytest.approx(0.02 * np.log(10) / 30, rel=0.1)
    table = lmc_less.mass_shift_table([("a", "b", found)])["Without an LMC"]
    assert table["significance"][0] == pytest.approx(found.mean / found.error)


def test_masses_that_scatter_alike_are_shifted_by_nothing_whichever_is_the_other():
    one, other = 11.5 + 0.08 * generator(8).normal(size=(2, 900))
    found, back = lmc_less.mass_shift(one, other), lmc_less.mass_shift(other, one)
    assert (1 + found.mean) * (1 + back.mean) == pytest.approx(1.0)
    assert abs(found.mean) < 2 * found.error
    assert abs(back.mean) < 2 * back.error
