"""Laws of errors: those of so many stars pass, absurd ones are named with their bin."""

import numpy as np
import pytest
from astropy.table import Table

from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.plausibility import check_errors
from mwlmc.sky.moment_errors import FEW_STARS, MomentErrors
from mwlmc.sky.moments import VelocityMoments
from mwlmc.sky.selection_function import Bin
from orrery.tables.bundled import bundled_tables

OBSERVED = bundled_tables()["desi_dr1_bhb.ecsv"].parent
COUNT = np.array([400, 90, 30, FEW_STARS - 5, 200, 12])
DISPERSION = np.array([100.0, 80.0, 120.0, 3.0, 70.0, 900.0])
BINS = tuple(
    Bin("all", "v_gsr" if k < 4 else "v_tb", 30.0 + k, 31.0 + k) for k in range(6)
)


def _check(count=COUNT, dispersion=DISPERSION, factor=1.0):
    typical = np.where(np.arange(6) == 3, 100.0, dispersion)
    mean = typical / np.sqrt(COUNT) * factor
    moments = VelocityMoments(count, count, np.zeros(6), dispersion)
    check_errors(BINS, moments, MomentErrors(mean, mean), "t.ecsv")


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5])
def test_errors_of_so_many_stars_pass(factor):
    _check(factor=np.full(6, factor))


@pytest.mark.parametrize("k", range(6))
@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_an_error_that_is_ten_times_off_is_named(k, factor):
    factors = np.ones(6)
    factors[k] = factor
    with pytest.raises(ValueError, match=f"t.ecsv: {BINS[k]} has an error of the mean"):
        _check(factor=factors)


def test_a_dispersion_that_no_galaxy_has_is_named_and_a_cold_stream_is_not():
    hot, cold, all_hot = (DISPERSION.copy() for _ in range(3))
    hot[1], cold[1] = 600.0, 5.0
    all_hot[:3] = 700.0
    _check(dispersion=cold)
    for dispersion in (hot, all_hot):
        with pytest.raises(
            ValueError, match=r"has a dispersion above \d+ km/s, [67]00"
        ):
            _check(dispersion=dispersion)


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("mean_error", 0, 67.0, "an error of the mean"),
        ("dispersion_error", 3, -1.0, "column dispersion_error is -1 in row 3"),
        ("mean", 1, 1e34, r"column mean is 1e\+34 in row 1"),
        ("count", 2, 0, "column count is 0 in row 2"),
        ("count_clipped", 2, 10**6, "count_clipped > count in row 2"),
        ("mean_sin_b", 0, 1.5, "column mean_sin_b is 1.5"),
        ("r_lo", 0, 400.0, "r_lo >= r_hi in row 0"),
    ],
)
def test_binned_tables_with_numbers_that_cannot_be_are_refused(
    column, row, value, message, tmp_path
):
    table = Table.read(OBSERVED / "desi_dr1_bhb.ecsv", format="ascii.ecsv")
    table[column][row] = value
    table.write(tmp_path / "t.ecsv", format="ascii.ecsv")
    with pytest.raises(ValueError, match=message):
        read_binned(tmp_path / "t.ecsv")


def test_a_bin_that_is_there_twice_is_refused(tmp_path):
    table = Table.read(OBSERVED / "desi_dr1_bhb.ecsv", format="ascii.ecsv")
    for name in ("r_lo", "r_hi"):
        table[name][1] = table[name][0]
    table.write(tmp_path / "t.ecsv", format="ascii.ecsv")
    with pytest.raises(ValueError, match=r"the bin .* is there twice"):
        read_binned(tmp_path / "t.ecsv")


def test_damaged_binned_tables_raise_only_what_is_documented(tmp_path):
    whole = (OBSERVED / "sdss_kgiants.ecsv").read_bytes()
    random = np.random.default_rng(3)
    for _ in range(15):
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] ^= 1 << random.integers(8)
        (tmp_path / "t.ecsv").write_bytes(damaged)
        try:
            read_binned(tmp_path / "t.ecsv")
        except ValueError as error:
            message = str(error)
        else:
            message = "t.ecsv"
        assert "t.ecsv" in message
