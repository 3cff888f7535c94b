"""A host with known neighbours, for the tests of the study."""

import numpy as np
import pytest

from halomass.observed.errors import Orbits
from halomass.observed.host_neighbours import (
    HostEnvironment,
    Neighbours,
)

AROUND = HostEnvironment(80.0, 900.0, 12_000.0)


def make_host(count=40, seed=1, log_m_star=None, name="host", **provenance):
    random = np.random.default_rng(seed)
    orbits = Orbits(
        random.uniform(20, 200, count),
        random.normal(0, 90, count),
        random.uniform(20, 200, count),
    )
    stars = (
        np.linspace(9, 4, count) if log_m_star is None else np.full(count, log_m_star)
    )
    names = tuple(f"n{i}" for i in range(count))
    return Neighbours(name, names, orbits, stars, AROUND, provenance)


@pytest.fixture(scope="session")
def host():
    return make_host
