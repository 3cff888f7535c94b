"""A host with known neighbours, and universes of hosts, for the tests of the study."""

from dataclasses import dataclass

import numpy as np
import pytest

from halomass.observed.errors import Orbits
from halomass.observed.host_neighbours import (
    HostEnvironment,
    Neighbours,
)
from halomass.study.domain_shift import HostDomain, cross_evaluate
from orrery.inference.ensembles import EvaluatedEnsemble

EDGES = np.array([10.5, 12.5, 14.5])
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


@dataclass(frozen=True)
class _Networks:
    """Predicts the first feature, with a bias of its own."""

    bias: float

    def mean(self, x):
        return x[:, :1] + self.bias


def make_universe(seed, bias, count=2000):
    """A universe whose hosts look by `bias` too heavy, and networks that know that."""
    random = np.random.default_rng(seed)
    truth = random.uniform(10.5, 14.0, count)
    x = truth[:, None] + bias + random.normal(0, 0.15, (count, 1))
    networks = _Networks(-bias)
    members = networks.mean(x)[:, 0][None]
    one = EvaluatedEnsemble(f"seed {seed}", networks, truth, members, EDGES, 0.15)
    return HostDomain(one, x)


@pytest.fixture(scope="session")
def universe():
    return make_universe


@pytest.fixture
def domains():
    return {"plain": make_universe(1, 0.0), "heavier": make_universe(2, 0.1)}


@pytest.fixture
def crossed(domains):
    return cross_evaluate(domains)
