"""Laws of errors of velocities: too large ones are told, and no other column is one."""

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.column_reports import neighbour_report
from halomass.observed.neighbour_tables import read_neighbours
from halomass.observed.velocity_errors import LARGEST_LEARNED, too_large

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
AXES = ("vx", "vy", "vz")
ALL = range(40)


def warned(columns, stars=None):
    stars = np.linspace(4.0, 9.0, 40) if stars is None else stars
    return too_large(Table(columns), stars, ALL)


@pytest.mark.parametrize("title", ["{}_error", "e_{}", "{}_err_kms"])
def test_a_host_seen_from_outside_is_told_of(halos, saved, tmp_path, title):
    # along the line of sight velocities are known well
    errors = dict(
        zip(AXES, (LARGEST_LEARNED + 5, LARGEST_LEARNED + 5, 1.0), strict=True)
    )
    columns = {title.format(axis): np.full(40, errors[axis]) for axis in AXES}
    said = read_neighbours(saved(tmp_path, {**halos, **columns}), **AROUND).warnings
    (warning,) = [one for one in said if "have errors of" in one]
    assert f"errors of {LARGEST_LEARNED + 5:.0f} km/s in each component" in warning
    plain = read_neighbours(saved(tmp_path, halos), **AROUND).warnings
    assert {*said} - {*plain} == {warning}


def test_it_is_said_what_errors_are_for(halos, saved, tmp_path):
    errors = {"v_t_err": np.full(40, 20.0), "e_vx": np.full(40, 20.0)}
    around = {"meta": {"vmax": 80.0}}
    lines = neighbour_report(saved(tmp_path, {**halos, **errors}, **around)).lines
    for title in errors:
        (line,) = [line for line in lines if line.strip().startswith(f"{title}:")]
        assert line.endswith("only tells whether networks have learned as large ones)")
    twice = {"vx_err": np.full(40, 200.0), "e_vx": np.full(40, 1.0)}
    report = neighbour_report(saved(tmp_path, {**halos, **twice}, **around))
    assert not report.refusal
    assert "  e_vx: not understood" in report.lines


def test_errors_as_the_satellites_of_the_milky_way_have_them_are_none():
    assert not warned({f"{axis}_err": np.full(40, 40.0) for axis in AXES})
    both = {"v_r_err": np.full(40, 5.0), "v_t_err": np.full(40, LARGEST_LEARNED - 1)}
    assert not warned(both)
    assert warned(both | {"v_t_err": np.full(40, LARGEST_LEARNED + 1)})


def test_both_sides_are_one_error():
    sides = {"v_t_err_low": np.full(40, 60.0), "v_t_err_high": np.full(40, 120.0)}
    (warning,) = warned(sides)
    assert "errors of 90 km/s" in warning


def test_those_with_the_most_stars_count_and_gaps_say_nothing():
    errors = np.full(40, 200.0)
    errors[:25] = 20.0
    assert not warned({"v_t_err": errors}, stars=-np.arange(40.0))
    assert warned({"v_t_err": errors}, stars=np.arange(40.0))
    assert not warned({"v_t_err": np.full(40, np.nan)})


def test_what_is_no_error_of_a_velocity_says_nothing():
    for name in ("vx", "v_t", "sigma", "r_err", "vmax_err"):
        assert not warned({name: np.full(40, 200.0)})
    twice = {"vx_err": np.full(40, 200.0), "e_vx": np.full(40, 1.0)}
    assert not warned(twice)
