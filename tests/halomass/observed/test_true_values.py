"""Laws of true values: a table that knows halos is a simulation's, whatever ranks it."""

import numpy as np
import pytest

from halomass.observed import survival
from halomass.observed.column_reports import neighbour_report
from halomass.observed.milky_way import read_satellites
from halomass.observed.neighbour_tables import read_neighbours, write_neighbours
from halomass.study.options import TargetHost

META = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}


@pytest.fixture
def known(halos):
    """All columns that a table of a simulation may have beside places and velocities."""
    speed = survival.median_v_peak(np.log10(halos["m_peak"]))
    return halos | {
        "log_m_star": np.linspace(3.0, 9.0, len(speed)),
        "m_star": 10 ** np.linspace(3.0, 9.0, len(speed)),
        "m": halos["m_peak"] / 3,
        "log_m": np.log10(halos["m_peak"] / 3),
        "v_peak": speed,
        "v_infall": speed / 1.1,
        "vmax": speed / 1.3,
    }


def read(known, path, *more):
    """Returns the path of a table with some of the columns, and the host in it."""
    axes = ("x", "y", "z", "vx", "vy", "vz")
    path = path({name: known[name] for name in (*axes, *more)}, META)
    return path, read_neighbours(path)


@pytest.mark.parametrize("stars", ["log_m_star", "m_star"])
@pytest.mark.parametrize(
    "more",
    [("m",), ("log_m",), ("m", "vmax"), ("m_peak",), ("v_peak",), ("v_infall", "vmax")],
)
def test_stars_beside_halos_are_a_simulations(known, tmp_path, saved, stars, more):
    path, host = read(known, lambda *table: saved(tmp_path, *table), stars, *more)
    assert host.of_simulation
    assert host.provenance["mass"] == stars
    assert TargetHost(path).has_true_values(host)
    assert not TargetHost(path, values="observed").has_true_values(host)
    assert any(
        "a simulation's true values" in one for one in neighbour_report(path).found
    )


@pytest.mark.parametrize("more", [("log_m_star",), ("m_star", "vmax")])
def test_stars_alone_are_observed(known, tmp_path, saved, more):
    path, host = read(known, lambda *table: saved(tmp_path, *table), *more)
    assert not host.of_simulation
    assert not any("true values" in line for line in neighbour_report(path).found)


@pytest.mark.parametrize("more", [("m",), ("m_star", "m"), ("m_star",)])
def test_a_table_that_is_written_again_says_it_still(known, tmp_path, saved, more):
    _, host = read(known, lambda *table: saved(tmp_path, *table), *more)
    write_neighbours(host, tmp_path / "again.ecsv")
    again = read_neighbours(tmp_path / "again.ecsv")
    assert again.of_simulation == host.of_simulation == ("m" in more)


def test_the_milky_way_is_observed(shared):
    assert not read_satellites(shared / "data/mw_satellites.csv").of_simulation
