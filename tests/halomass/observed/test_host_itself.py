"""Laws of the host: it is no neighbour of itself, and no neighbour is two."""

import numpy as np
import pytest

from halomass.observed.neighbour_tables import read_neighbours
from orrery.tables.bundled import bundled_tables

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}


def added(halos, **row):
    return {name: np.append(values, row[name]) for name, values in halos.items()}


def still(x, vx, m_peak=1e12):
    return {
        "m_peak": m_peak,
        "x": x,
        "y": 0.001,
        "z": 0.0,
        "vx": vx,
        "vy": 0.5,
        "vz": 0.1,
    }


@pytest.mark.parametrize(
    "row", [still(0.005, 1.1), still(0.02, 90.0, 1e9), still(1.0, 21.0)]
)
def test_the_host_among_its_neighbours_is_refused(halos, tmp_path, saved, row):
    path = saved(tmp_path, added(halos, **row))
    with pytest.raises(ValueError, match=r"'row 41' is .* no neighbour of itself"):
        read_neighbours(path, **AROUND)


def test_a_fast_neighbour_that_sank_is_kept(halos, tmp_path, saved):
    path = saved(tmp_path, added(halos, **still(1.5, 300.0, 1e9)))
    assert len(read_neighbours(path, **AROUND)) == 41


def test_two_rows_that_may_be_one_are_warned_of(halos, tmp_path, saved):
    row = {name: values[5] for name, values in halos.items()}
    near = row | {"x": row["x"] + 1.0, "vx": row["vx"] + 3.0}
    table = read_neighbours(saved(tmp_path, added(halos, **near)), **AROUND)
    assert any("row 6 and row 41 are within" in text for text in table.warnings)
    assert not any(
        "are within" in text
        for text in read_neighbours(saved(tmp_path, halos), **AROUND).warnings
    )


def projected(halos):
    """Returns neighbours by distances and velocities, as `write_neighbours` writes them."""
    place = np.stack([halos[axis] for axis in "xyz"])
    velocity = np.stack([halos[f"v{axis}"] for axis in "xyz"])
    r = np.linalg.norm(place, axis=0)
    v_r = (velocity * place).sum(axis=0) / r
    v_t = np.sqrt((velocity**2).sum(axis=0) - v_r**2)
    stars = np.random.default_rng(2).uniform(2.5, 8.5, len(r)).round(2)
    return {"log_m_star": stars, "r": r, "v_r": v_r, "v_t": v_t}


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        ({"r": 1.1}, True),
        ({"v_r": -4.0, "v_t": 3.0, "r": 0.7, "log_m_star": 0.2}, True),
        ({"r": 4.0}, False),
        ({"v_r": 11.0}, False),
        ({"r": 0.5, "log_m_star": 1.0}, False),
    ],
)
def test_two_rows_without_directions_may_be_one(halos, tmp_path, saved, moved, told):
    columns = projected(halos)
    again = {
        name: values[11] + moved.get(name, 0.0) for name, values in columns.items()
    }
    table = read_neighbours(saved(tmp_path, added(columns, **again)), **AROUND)
    said = [text for text in table.warnings if "row 12 and row 41 are within" in text]
    assert len(said) == told
    assert len(table.warnings) == told


@pytest.mark.slow
def test_many_rows_without_directions_meet_by_chance(tmp_path, saved):
    random = np.random.default_rng(6)
    count = 3000
    columns = {"log_m_star": random.normal(5.0, 0.5, count)}
    columns |= {"r": random.uniform(20, 250, count), "v_r": random.normal(0, 90, count)}
    columns |= {"v_t": np.abs(random.normal(0, 120, count))}
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert not any("leave one of them out" in text for text in table.warnings)


def test_no_two_of_the_milky_ways_satellites_may_be_one():
    kept = bundled_tables()["milky_way_satellites.ecsv"]
    assert not any("leave one" in text for text in read_neighbours(kept).warnings)
