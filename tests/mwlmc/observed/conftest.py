"""The committed tables, read once for all tests of a session, and stars of a halo."""

import numpy as np
import pytest

from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.star_tables import StarTable
from mwlmc.sky import frames, moment_errors
from mwlmc.sky.moments import unclipped
from orrery.tables.bundled import bundled_tables

OBSERVED = bundled_tables()["desi_dr1_bhb.ecsv"].parent


@pytest.fixture(scope="session")
def desi():
    return read_binned(OBSERVED / "desi_dr1_bhb.ecsv")


@pytest.fixture(scope="session")
def giants():
    return read_binned(OBSERVED / "sdss_kgiants.ecsv")


@pytest.fixture(scope="session")
def halo():
    """Positions [kpc] and velocities [km/s] `[4000, 3]` of stars at 30 to 160 kpc."""
    random = np.random.default_rng(15)
    position = random.normal(size=(4000, 3))
    distance = random.uniform(30, 160, (4000, 1))
    position *= distance / np.linalg.norm(position, axis=1)[:, None]
    return position, random.normal([0, 0, 30], 100, (4000, 3))


@pytest.fixture(scope="session")
def observed_stars():
    """Returns the table of stars that an observer without errors makes."""

    def observe(position, velocity):
        sky = frames.galactocentric_to_sky(position, velocity)
        longitude, latitude = frames.equatorial_to_galactic(sky.ra, sky.dec)
        pm_l, pm_b = frames.rotate_proper_motion(
            sky.ra, sky.dec, sky.pm_ra_cosdec, sky.pm_dec
        )
        none = np.zeros(len(position))
        return StarTable(
            l=longitude,
            b=latitude,
            distance=sky.distance,
            v_los=sky.v_los,
            pm_l=pm_l,
            pm_b=pm_b,
            distance_error=none,
            v_los_error=none,
            pm_l_error=none,
            pm_b_error=none,
            pm_corr=none,
        )

    return observe


@pytest.fixture
def clipped_once(monkeypatch):
    """As committed tables have errors, with which what is published was found."""

    def bootstrap(sample, clip, random, resamples):
        left = sample[unclipped(sample, np.zeros(len(sample), int), 1, clip)]
        drawn = left[random.integers(len(left), size=(resamples, len(left)))]
        return drawn.mean(axis=1).std(), drawn.std(axis=1).std()

    monkeypatch.setattr(moment_errors, "_bootstrap", bootstrap)
