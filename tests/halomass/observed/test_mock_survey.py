"""Laws of mock surveys: one limit for each host, and nobody without stars is found."""

import numpy as np
import pytest

from halomass.observed.features import Features, NeighbourSet
from halomass.observed.mock_survey import Detectability, observe_neighbours

HOSTS = 300


def test_one_limit_for_all_neighbours_of_a_host(records):
    """Corrected for distance, the faintest neighbour seen is brighter than the brightest unseen."""
    wide = NeighbourSet(largest=200, errors=False)
    seen = observe_neighbours(records, wide, wide.places)
    survey = Detectability()
    for i in range(HOSTS):
        here = slice(records.offsets[i], records.offsets[i + 1])
        excess = records.particles["log_m_star"][here] - survey.limit(
            records.particles["r"][here].astype(float), 0.0
        )
        found = set(np.float32(seen.orbits.r[i, : seen.count[i]]))
        expected = records.particles["r"][here][np.argsort(-excess)[: seen.count[i]]]
        assert found == set(expected)


@pytest.mark.slow
def test_limits_scatter_by_one_dex_between_hosts(made):
    """With neighbours on a ladder of stellar masses, the number found tells each host's limit."""
    steps, hosts = np.arange(0.05, 8, 0.05), 4000
    ladder = made(np.full(hosts, len(steps)))
    ladder.particles["r"][:] = 100.0
    ladder.particles["log_m_star"][:] = np.tile(steps, hosts)
    seen = observe_neighbours(ladder, Features(), 1)
    limit = 8 - 0.05 * (seen.count + 0.5)
    inside = limit[(limit > 0.1) & (limit < 7.9)]
    assert np.median(inside) == pytest.approx(2.3 + 0.65, abs=0.06)
    low, high = np.quantile(limit, [0.16, 0.84])
    assert (high - low) / 2 == pytest.approx(1.0, abs=0.06)


def test_halos_without_stars_are_never_detected(made):
    records = made([5])
    records.particles["log_m_star"][:] = [0.0, -np.inf, np.nan, 5.0, 4.0]
    for detectability in (True, False):
        survey = Detectability(intercept=-10.0)
        binning = Features(neighbours=2, detectability=detectability, survey=survey)
        assert observe_neighbours(records, binning, 2).count.tolist() == [2]
