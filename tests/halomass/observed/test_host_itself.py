"""Laws of the host: it is no neighbour of itself, and no neighbour is two."""

import numpy as np
import pytest

from halomass.observed.neighbour_tables import read_neighbours

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
