"""Laws of the mock's statistics: weighted to a real box they shift with resolution as published."""

import pytest

from halomass.mock.mock_universe import MockUniverse
from halomass.mock.options import CATALOGUES
from halomass.study import mock_statistics


@pytest.mark.slow
def test_both_resolutions_shift_the_typical_host_as_published():
    medians = {}
    for name in CATALOGUES:
        universe = MockUniverse(name)
        drawn = universe.records(2, range(512))
        weight = mock_statistics.mass_function_weights(universe, drawn)
        for needed in (10, 25):
            enough = mock_statistics.detected_counts(drawn, 0) >= needed
            medians[name, needed] = mock_statistics.weighted_median(
                drawn.scalars["log_m_vir"][enough], weight[enough]
            )
    for model in ("UM", "UM-SAGA"):
        for needed in (10, 25):
            assert (
                medians[f"VSMDPL/{model}", needed]
                > medians[f"ESMDPL/{model}", needed] + 0.3
            )
    for name in CATALOGUES:
        assert medians[name, 25] > medians[name, 10]
