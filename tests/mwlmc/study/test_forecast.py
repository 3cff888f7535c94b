"""Forecasts: what a survey would measure if a published row were the truth."""

import numpy as np
import pytest

from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.mock_survey import forecast_errors
from mwlmc.simulator import Simulator
from mwlmc.sky.binning import DESI_FOOTPRINT, QUADRANTS
from mwlmc.study import forecast
from mwlmc.study.literature import TABLE2
from mwlmc.study.options import Table2

ROW = next(row for row in TABLE2 if "quadrants" in row)


@pytest.fixture(scope="module")
def mock():
    return forecast.forecast(ROW, QUADRANTS, seed=3, simulator=Simulator(stars=3000))


@pytest.mark.slow
def test_a_forecast_is_the_mean_of_simulations_which_it_keeps(mock):
    assert mock.simulated.shape == (forecast.SIMULATIONS, len(QUADRANTS.names))
    assert mock.value == pytest.approx(mock.simulated.mean(0))
    # the same galaxy, whose LMC is where it is seen, with other stars
    lmc, stars = mock.simulated[:, :6], mock.simulated[:, 6:]
    assert np.ptp(lmc, axis=0) == pytest.approx(0.0, abs=1e-3)
    assert (stars.std(0) > 0).all()


@pytest.mark.slow
def test_surveys_of_the_truth_scatter_as_their_errors_say(mock):
    drawn = mock.realisations(1) - mock.simulated
    chi2 = (drawn / forecast_errors(QUADRANTS)) ** 2
    entries = chi2.size
    assert chi2.sum() == pytest.approx(entries, abs=4 * np.sqrt(2 * entries))


def test_forecasts_that_nobody_wants_are_not_simulated():
    options = Table2()
    stars = load_binned(options.stars, DESI_FOOTPRINT, options.selection)
    wanted = ["DESI, with v_tb"]
    nothing = object()  # which simulates nothing
    found = forecast.rows(stars, options.measurement, 1, nothing, wanted)
    assert [*found] == wanted
    with pytest.raises(AttributeError):
        forecast.rows(stars, options.measurement, 1, nothing, [*wanted, ROW])
