"""The universe of a catalogue that says nothing of it is that of the mock universe."""

import numpy as np
import pytest

from halomass import cosmology
from halomass.universe import MULTIDARK

MASSES = np.array([8.0, 11.5, 14.2])


@pytest.mark.parametrize("scale", [0.1, 0.5, 1.0])
def test_catalogues_and_mock_are_of_one_universe(scale):
    assert MULTIDARK.hubble_rate(scale) == pytest.approx(cosmology.hubble(scale))
    density = cosmology.virial_density(scale)
    assert MULTIDARK.virial_density(scale) == pytest.approx(density)
    radius = cosmology.virial_radius(MASSES, scale)
    np.testing.assert_allclose(MULTIDARK.virial_radius(MASSES, scale), radius)
