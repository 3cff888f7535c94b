"""Laws of what nobody measured: one number for all, or another's numbers, is refused."""

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.neighbour_tables import read_neighbours
from halomass.observed.satellite_table import SatelliteTable

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
COUNT = 12


@pytest.fixture
def projected(halos):
    """The neighbours by their distances, radial and tangential velocities."""
    place = np.stack([halos[axis] for axis in "xyz"])
    velocity = np.stack([halos[f"v{axis}"] for axis in "xyz"])
    r = np.linalg.norm(place, axis=0)
    v_r = (velocity * place).sum(axis=0) / r
    v_t = np.sqrt((velocity**2).sum(axis=0) - v_r**2)
    return {"log_m_star": np.linspace(3, 9, len(r)), "r": r, "v_r": v_r, "v_t": v_t}


@pytest.fixture
def seen():
    """Satellites as seen from the Sun."""
    random = np.random.default_rng(11)
    return {
        "name": [f"S{i}" for i in range(COUNT)],
        "ra_deg": random.uniform(0, 360, COUNT),
        "dec_deg": random.uniform(-60, 60, COUNT),
        "dist_kpc": random.uniform(40, 200, COUNT),
        "vlos_kms": random.normal(0, 90, COUNT),
        "pmra_masyr": random.normal(0, 0.3, COUNT),
        "pmdec_masyr": random.normal(0, 0.3, COUNT),
        "M_V": random.uniform(-12, -3, COUNT),
    }


@pytest.mark.parametrize(
    ("name", "number", "called"),
    [
        ("r", 73.0, "distances"),
        ("v_r", 0.0, "radial velocities"),
        ("v_r", -31.0, "radial velocities"),
        ("v_t", 0.0, "tangential velocities"),
        ("v_t", 144.0, "tangential velocities"),
    ],
)
def test_an_orbit_that_is_the_same_for_all_is_refused(
    projected, tmp_path, saved, name, number, called
):
    assert read_neighbours(saved(tmp_path, projected), **AROUND)
    path = saved(tmp_path, projected | {name: np.full(40, number)})
    with pytest.raises(
        ValueError,
        match=rf"ecsv: {name} is {number:g} in all 40 rows.* a table without {called}",
    ):
        read_neighbours(path, **AROUND)


def test_a_velocity_that_others_replace_may_be_left_out(halos, tmp_path, saved):
    path = saved(tmp_path, halos | {"v_r": halos["vx"], "v_t": 0 * halos["x"] + 9.0})
    with pytest.raises(ValueError, match=r"v_t is 9 in all .* or leave the column out"):
        read_neighbours(path, **AROUND)


@pytest.mark.parametrize("name", ["r", "vx", "z"])
def test_what_is_not_used_may_be_the_same_for_all(
    projected, halos, tmp_path, saved, name
):
    columns = halos if name == "r" else projected
    number = 0 * columns["v_r" if name != "r" else "x"] + 0.002
    if name == "r":
        number = np.linalg.norm([halos[axis] for axis in "xyz"], axis=0)
    assert read_neighbours(saved(tmp_path, columns | {name: number}), **AROUND)


@pytest.mark.parametrize(
    ("name", "number"),
    [("log_m_star", 6.2), ("m_star", 2e5), ("m_peak", 3e9), ("log_m", 9.5), ("m", 4e8)],
)
def test_a_mass_that_is_the_same_for_all_is_refused(
    projected, tmp_path, saved, name, number
):
    rest = {n: values for n, values in projected.items() if n != "log_m_star"}
    for columns in (rest, {**rest, "v_peak": np.linspace(12, 60, 40)}):
        path = saved(tmp_path, columns | {name: np.full(40, number)})
        with pytest.raises(ValueError, match=rf"ecsv: {name} is .* in all 40 rows"):
            read_neighbours(path, **AROUND)


@pytest.mark.parametrize(
    "copies", [("vx", "vy"), ("vz", "vy"), ("x", "z"), ("x", "vz")]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_copied_component_is_refused(halos, tmp_path, saved, copies, sign):
    first, second = copies
    path = saved(tmp_path, halos | {second: sign * halos[first]})
    with pytest.raises(ValueError, match=r"are the same in all 40 rows: one is a copy"):
        read_neighbours(path, **AROUND)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("dec_deg", 12.0),
        ("dist_kpc", 88.0),
        ("vlos_kms", 41.0),
        ("pmra_masyr", 0.07),
        ("M_V", -7.0),
        ("log10_Mstar_ML1", 4.4),
    ],
)
def test_a_satellite_column_that_is_the_same_for_all_is_refused(seen, name, number):
    assert not SatelliteTable.of(Table(seen), "a.csv").incomplete.any()
    table = Table(seen | {name: np.full(COUNT, number)})
    with pytest.raises(
        ValueError, match=rf"a.csv: {name} is {number:g} in all 12 rows"
    ):
        SatelliteTable.of(table, "a.csv")


def test_one_distance_modulus_for_all_is_refused(seen):
    del seen["dist_kpc"]
    table = Table(seen | {"distance_modulus": np.full(COUNT, 19.6)})
    with pytest.raises(ValueError, match=r"modulus is 19\.6 in .* without distances"):
        SatelliteTable.of(table, "a.csv")


def test_a_copied_proper_motion_is_refused(seen):
    table = Table(seen | {"pmdec_masyr": seen["pmra_masyr"]})
    with pytest.raises(ValueError, match="pmra_masyr and pmdec_masyr are the same"):
        SatelliteTable.of(table, "a.csv")


def test_a_few_rows_may_meet(projected, tmp_path, saved):
    few = {name: values[:7] for name, values in projected.items()}
    path = saved(tmp_path, few | {"v_r": np.full(7, 55.0)})
    assert len(read_neighbours(path, **AROUND)) == 7
