"""Noise is counted once: training adds what a survey errs by more than simulations do."""

import numpy as np

from mwlmc.model.lmc import LMCErrors
from mwlmc.observed.data_vectors import data_vector
from mwlmc.observed.options import Measurement
from mwlmc.sky.binning import DESI_FOOTPRINT, LMC_NAMES
from mwlmc.sky.kinematics import velocity_moments
from mwlmc.study.simulation_noise import with_simulation_error
from orrery.pairs import Pairs, convolve
from orrery.parameters import generator
from orrery.records import Records

BINNING = Measurement().binning(DESI_FOOTPRINT)
SPREAD, STARS, EACH = 90.0, 800, 64  # [km/s], of a simulation, of a shard


def shard(number):
    """Returns simulations of one and the same halo, whose stars alone are others."""
    random = generator(7, number)
    direction = random.normal(size=(EACH * STARS, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    position = direction * random.uniform(30.0, 100.0, size=(EACH * STARS, 1))
    columns = np.hstack([position, SPREAD * random.normal(size=(EACH * STARS, 3))]).T
    return Records(
        dict.fromkeys(LMC_NAMES, np.zeros(EACH)),
        dict(zip(("x", "y", "z", "vx", "vy", "vz"), columns, strict=True)),
        np.arange(EACH + 1, dtype=np.int32) * STARS,
    )


class Halos:
    """A dataset of six shards, of which few are read."""

    shards = range(6)

    def __init__(self):
        self.read = []

    def in_turn(self, shards):
        return iter(shards)

    def records(self, number):
        self.read.append(number)
        return shard(number)


def observed(error):
    entries = len(BINNING.names) - len(LMC_NAMES)
    return data_vector(
        "stars", BINNING, np.zeros(entries), np.full(entries, error), LMCErrors(), {}
    )


def test_simulations_with_what_is_added_scatter_as_the_survey_does():
    halos = Halos()
    known = with_simulation_error(observed(40.0), BINNING, halos)
    assert halos.read == [0, 1, 2, 3]
    x = np.concatenate([velocity_moments(shard(n), BINNING) for n in halos.shards])
    noisy = convolve(
        Pairs(np.zeros((len(x), 0)), x), known.added_covariance, generator(3)
    )
    scatter = noisy.x.std(axis=0)[6:]
    # without taking theirs out it would be larger by a fifth and more
    assert (np.hypot(x.std(axis=0)[6:], 40.0) > 44.0).any()
    np.testing.assert_allclose(scatter.mean(), 40.0, rtol=0.03)


def test_the_lmc_keeps_all_of_its_errors():
    known = with_simulation_error(observed(40.0), BINNING, Halos())
    before = observed(40.0).covariance
    assert np.array_equal(known.covariance, before)
    assert np.array_equal(known.added_covariance[:6, :6], before[:6, :6])


def test_nothing_is_added_where_simulations_err_by_more():
    known = with_simulation_error(observed(0.5), BINNING, Halos())
    assert not known.added_covariance[6:, 6:].any()
