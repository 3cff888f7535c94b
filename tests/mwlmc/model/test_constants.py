"""The constants are what other tables of constants say."""

import pytest

from mwlmc.model.constants import (
    CRITICAL_DENSITY,
    GYR,
)


def test_units():
    assert pytest.approx(127.05, rel=1e-4) == CRITICAL_DENSITY  # [Msun/kpc^3]
    assert pytest.approx(0.97779, rel=1e-5) == 1.0 / GYR  # a kpc/(km/s) in Gyr
