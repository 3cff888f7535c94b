"""Laws of several draws of a survey's stars: training sees all of them, tests the first."""

import numpy as np
import pytest

from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.options import Measurement
from mwlmc.parameters import INFERRED
from mwlmc.simulator import Simulator
from mwlmc.sky.binning import DESI_FOOTPRINT
from mwlmc.study.survey_draws import survey_drawn, survey_pairs
from orrery.execution import simulation

TABLE = "desi_dr1_bhb.ecsv"  # bundled with the package
RADIAL = DESI_FOOTPRINT.select(("v_gsr",))


@pytest.fixture(scope="module")
def drawn():
    """DESI's stars in one bin of each field, whose many stars every simulation has."""
    table = read_binned(TABLE)
    counts = [
        n if b.lower == 30.0 else 0
        for b, n in zip(RADIAL.bins, table.counts(RADIAL), strict=True)
    ]
    binning = RADIAL.supported(counts)
    return Measurement(sampling="survey-like").drawn(binning, table.sample, seed=3)


def test_each_draw_has_a_seed_of_its_own_and_the_first_one_stays(drawn):
    draws = survey_drawn(drawn, 4)
    assert draws[0] is drawn
    assert len({one.sample.seed for one in draws}) == 4
    assert {one.sample.stars for one in draws} == {drawn.sample.stars}
    assert survey_drawn(drawn, 6)[:4] == draws
    assert survey_drawn(RADIAL, 4) == [RADIAL]


@pytest.mark.slow
def test_training_sees_every_draw_and_tests_are_of_the_first(drawn, tmp_path):
    halos = simulation.generate(
        Simulator(stars=500), 24, 1, tmp_path, name="mwlmc", actors=0
    )
    one, three = (survey_pairs(halos, drawn, INFERRED, draws) for draws in (1, 3))
    assert len(three.train) == 3 * len(one.train)
    assert len(three.validation) == 3 * len(one.validation)
    np.testing.assert_array_equal(three.test.x, one.test.x)
    again = three.train.x.reshape(3, len(one.train), -1)
    np.testing.assert_array_equal(again[0], one.train.x)
    # the LMC's numbers are the simulation's, the stars' are drawn anew
    assert (again[1:, :, :6] == again[0, :, :6]).all()
    assert (again[1:, :, 6:] != again[0, :, 6:]).all()
    assert three.definition == one.definition
    assert len(three.origins) == 3
