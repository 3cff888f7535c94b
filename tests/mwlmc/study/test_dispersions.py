"""Laws of the dispersions' study: its truth is the published one, its bins have enough stars."""

from dataclasses import replace

import numpy as np
import pytest

from mwlmc.model import total_masses
from mwlmc.simulator import Simulator
from mwlmc.study import dispersions as study
from mwlmc.study.follow_up import FOLLOW_UP
from mwlmc.study.literature import HALO_MASS
from mwlmc.study.shell_options import Dispersions
from orrery.parameters import parameter_names

REAL = Dispersions(data=("sdss+desi", "sdss", "desi"))


@pytest.fixture(scope="module")
def rows():
    tables = study._surveys(REAL)
    return {name: study._row(name, tables, REAL) for name in REAL.data}


def test_the_forecasts_galaxy_has_the_published_masses_and_anisotropy():
    simulator = Simulator()
    theta = dict(zip(simulator.prior.names, study.truth(simulator), strict=True))
    halo = total_masses.milky_way_halo_within(np.array([theta["m200_mw"]]))
    lmc = total_masses.lmc_within(np.array([theta["m_lmc"]]))
    assert halo[0] / 1e11 == pytest.approx(FOLLOW_UP[HALO_MASS].median, rel=1e-3)
    assert lmc[0] / 1e10 == pytest.approx(FOLLOW_UP["M_LMC(<50 kpc)"].median, rel=1e-3)
    assert theta["beta0"] == FOLLOW_UP["beta0"].median


def test_both_surveys_are_one_data_vector(rows):
    both, sdss, desi = (rows[name] for name in REAL.data)
    assert both.key == "sdss_desi"
    assert both.binning.bins == sdss.binning.bins + desi.binning.bins
    np.testing.assert_array_equal(
        both.observation.value[6:],
        np.concatenate([sdss.observation.value[6:], desi.observation.value[6:]]),
    )
    assert both.binning.profiles[-1].moments == ("mean", "dispersion")


def test_bins_with_few_stars_are_left_out(rows):
    for row in rows.values():
        counts = [sum(one.counts) for one in row.binning.sample.stars]
        assert min(counts) >= REAL.fewest_stars
    fewer = replace(REAL, fewest_stars=2)
    more = study._row("sdss", study._surveys(fewer), fewer)
    assert len(more.binning.bins) > len(rows["sdss"].binning.bins)


def test_anything_of_the_records_can_be_inferred():
    some = Dispersions(infer=("beta0", "r_dehnen", "m_lmc"), without_lmc=0)
    assert parameter_names(some.inferred.parameters)[:3] == some.infer
    assert len(some.inferred.names) == 6
