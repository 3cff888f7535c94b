"""Laws of the mock survey: every giant is counted once, and errors are what they say."""

import numpy as np
import pytest

from mwlmc.observed.mock_survey import (
    expected_counts,
    forecast_errors,
    mock_data_vector,
)
from mwlmc.observed.options import GIANTS
from mwlmc.sky.binning import (
    DESI_FOOTPRINT,
    QUADRANTS,
    Profile,
    SkyBinning,
    equal_ranges,
)
from mwlmc.sky.patches import (
    ALL_SKY,
    Patch,
    Window,
)


@pytest.mark.slow
def test_forecasts_shrink_with_the_number_of_stars_and_scatter_as_they_say():
    binning = QUADRANTS
    errors = forecast_errors(binning)
    assert errors.shape == (len(binning.names),)
    first = errors[6]
    assert first == pytest.approx(95 / np.sqrt(expected_counts(binning)[0]))
    more = forecast_errors(binning, stars=4 * GIANTS)
    np.testing.assert_allclose(more[6:10] * 2, errors[6:10])
    truth = np.linspace(-40, 40, len(binning.names))
    exact = mock_data_vector(binning, truth)
    np.testing.assert_array_equal(exact.value, truth)
    drawn = np.array(
        [mock_data_vector(binning, truth, seed=s).value for s in range(400)]
    )
    np.testing.assert_allclose(drawn.std(axis=0), errors, rtol=0.2)
    np.testing.assert_allclose((drawn.mean(axis=0) - truth) / errors, 0, atol=0.2)
    with pytest.raises(ValueError, match="32 summaries"):
        mock_data_vector(binning, truth[:5])
    with pytest.raises(ValueError, match="no finite value"):
        mock_data_vector(binning, truth * np.nan)


def test_forecast_dispersions_pay_for_the_errors_of_motions():
    # measured dispersions of many mock bins, with the known error taken out
    binning = QUADRANTS.with_moments(("mean", "dispersion"))
    index = binning.names.index("v_tb_dispersion_all_95_116.7")
    expected = forecast_errors(binning)[index]
    cell = next(b for b in binning.bins if b.quantity == "v_tb" and b.lower == 95.0)
    count = round(float(expected_counts(binning)[binning.bins.index(cell)]))
    motion = 4.74047 * 0.1 * (cell.lower + cell.upper) / 2
    random = np.random.default_rng(1)
    seen = random.normal(0, np.hypot(95.0, motion), (20_000, count)).std(axis=1)
    own = np.sqrt(np.maximum(seen**2 - motion**2, 0))
    assert own.std() == pytest.approx(expected, rel=0.1)


def test_a_forecast_has_no_stars_to_draw(desi):
    drawn = DESI_FOOTPRINT.survey_like(desi.sample)
    with pytest.raises(ValueError, match="no observed stars"):
        mock_data_vector(drawn, np.zeros(len(drawn.names)))


def test_giants_are_counted_once():
    whole = SkyBinning(
        "whole", (Profile(ALL_SKY, "v_gsr", equal_ranges(30.0, 100.0, 7)),)
    )
    assert expected_counts(whole).sum() == pytest.approx(GIANTS)
    by_quadrant = expected_counts(QUADRANTS.select(("v_gsr",))).sum()
    across = expected_counts(QUADRANTS.select(("v_tb",))).sum()
    assert by_quadrant == pytest.approx(across)
    assert 60 < across - GIANTS < 140
    elsewhere = SkyBinning(
        "elsewhere", (Profile(Patch("x", (Window(),)), "v_gsr", ((30.0, 40.0),)),)
    )
    with pytest.raises(ValueError, match="no share"):
        expected_counts(elsewhere)
