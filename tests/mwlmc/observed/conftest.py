"""The committed tables, read once for all tests of a session."""

from pathlib import Path

import pytest

from mwlmc.observed.binned_table import read_binned

OBSERVED = Path(__file__).resolve().parents[3] / "datasets" / "observed"


@pytest.fixture(scope="session")
def desi():
    return read_binned(OBSERVED / "desi_dr1_bhb.ecsv")


@pytest.fixture(scope="session")
def giants():
    return read_binned(OBSERVED / "sdss_kgiants.ecsv")
