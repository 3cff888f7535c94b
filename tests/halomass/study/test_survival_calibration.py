"""Laws of the calibration: the number that thresholds are divided by is the one it gives."""

import numpy as np
import pytest

from halomass.hosts.options import THRESHOLD
from halomass.mock.mock_universe import MockUniverse
from halomass.mock.populations import PEAK_OVER_INFALL
from halomass.study import survival_calibration, zoom_hosts
from halomass.study.survival_calibration import (
    CutUniverse,
    LinearMass,
    calibration_text,
    threshold_calibration,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def table():
    return threshold_calibration(hosts=300, seed=2)


def test_the_number_in_use_is_what_the_masses_say(table):
    assert table.meta["by_mass"] == pytest.approx(PEAK_OVER_INFALL, abs=0.03)
    lower, upper = table.meta["by_mass_lower"], table.meta["by_mass_upper"]
    assert lower < PEAK_OVER_INFALL < upper
    assert 1 < table.meta["by_radii"] < lower


def test_the_stricter_the_cut_the_farther_out_and_the_heavier(table):
    for name in ("r16", "r50", "r84", "moved"):
        assert (np.diff(table[name]) > -0.01).all()
        assert table[name][-1] > table[name][0]
    assert table["threshold"][0] == THRESHOLD
    assert table["moved"][0] == 0


def test_the_text_tells_both(table):
    text = calibration_text(table)
    assert f"{table.meta['by_mass']:.3f}, from" in text
    assert f"by radii {table.meta['by_radii']:.3f}" in text
    assert zoom_hosts.ZOOM_HOSTS in text


def test_a_universe_cut_as_usual_is_the_usual_one():
    usual = MockUniverse().records(4, [0, 1])
    cut = CutUniverse().records(4, [0, 1])
    np.testing.assert_array_equal(usual.particles["r"], cut.particles["r"])
    strict = CutUniverse(threshold=0.9).records(4, [0, 1])
    assert len(strict.particles["r"]) < len(usual.particles["r"])


def test_masses_that_are_linear_are_found_whatever_the_units():
    random = np.random.default_rng(1)
    x = random.normal(size=(200, 3)) * [1.0, 100.0, 0.01] + 5
    y = 12 + x @ [0.2, -0.003, 4.0]
    np.testing.assert_allclose(LinearMass.of(x, y, ridge=0.0).predict(x), y)


def test_few_hosts_are_refused():
    with pytest.raises(ValueError, match="hosts = 49: give 50 or more"):
        survival_calibration.threshold_calibration(hosts=49)
