"""Hosts for the tests of observed neighbours: a table of subhalos, and systems."""

import numpy as np
import pytest
from astropy.table import Table

from orrery.records import Records

N = 40
HOSTS = 300


def write_table(folder, columns, meta=None, ending="ecsv"):
    path = folder / f"host.{ending}"
    table = Table(columns, meta=meta or {})
    formats = {"ecsv": "ascii.ecsv", "csv": "ascii.csv", "fits": "fits", "txt": "ascii"}
    table.write(path, format=formats[ending], overwrite=True)
    return path


@pytest.fixture(scope="session")
def saved():
    return write_table


@pytest.fixture(scope="module")
def halos():
    """Columns of subhalos within 200 kpc of their host."""
    random = np.random.default_rng(4)
    direction = random.normal(size=(3, N))
    position = (
        direction / np.linalg.norm(direction, axis=0) * random.uniform(10, 200, N)
    )
    velocity = random.normal(0, 120, (3, N))
    columns = dict(zip(("x", "y", "z"), position, strict=True))
    columns |= dict(zip(("vx", "vy", "vz"), velocity, strict=True))
    return {"m_peak": 10 ** random.uniform(8, 11, N), **columns}


def make_systems(counts, seed=0):
    """Returns systems with the given numbers of neighbours."""
    random, hosts, total = np.random.default_rng(seed), len(counts), int(sum(counts))
    scalars = {
        "index": np.arange(hosts),
        "distance_larger": random.uniform(500, 3000, hosts),
        "distance_cluster": random.uniform(5e3, 3e4, hosts),
    }
    particles = {
        "r": random.uniform(5, 250, total),
        # none so slow that its logarithm is cut off
        "v_r": random.choice([-1, 1], total) * random.uniform(1, 200, total),
        "v_t": random.uniform(1, 300, total),
        "log_m_star": 2.0 + random.exponential(1.2, total),
        "vmax": random.uniform(5, 80, total),
    }
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return Records(
        scalars, {k: v.astype(np.float32) for k, v in particles.items()}, offsets
    )


@pytest.fixture(scope="session")
def made():
    return make_systems


@pytest.fixture(scope="module")
def records():
    return make_systems(np.random.default_rng(2).poisson(60, HOSTS))
