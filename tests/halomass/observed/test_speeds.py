"""Laws of speeds: nothing bound is ten times as fast as the others, whatever the host's mass."""

import numpy as np
import pytest

from halomass.observed.errors import Orbits
from halomass.observed.neighbour_tables import read_neighbours
from halomass.observed.speeds import Speeds

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}


def _orbits(speeds):
    speeds = np.asarray(speeds, dtype=float)
    return Orbits(np.full(speeds.shape, 90.0), 0.6 * speeds, 0.8 * speeds)


@pytest.mark.parametrize("scale", [0.2, 1.0, 6.0])
def test_what_is_absurd_goes_by_the_others(scale):
    speeds = scale * np.array([120.0, 180.0, 200.0, 240.0, 390.0, 1300.0, 2600.0])
    speeds = np.append(speeds, np.nan)
    found = Speeds.of(_orbits(speeds), np.full(8, True))
    assert np.flatnonzero(found.absurd).tolist() == [6]
    counted = np.isfinite(speeds) & ~found.absurd
    (doubt,) = found.doubts(counted, "abcdefgh")
    assert doubt.startswith(f"f moves with {1300 * scale:.0f} km/s, 5 times as fast")


def test_few_say_nothing_of_each_other():
    found = Speeds.of(_orbits([1.0, 2.0, 900.0]), np.full(3, True))
    assert not found.absurd.any()
    assert not found.doubts(np.full(3, True), "abc")


def test_an_absurd_velocity_is_a_gap_and_a_high_one_is_told(halos, tmp_path, saved):
    columns = {name: values.copy() for name, values in halos.items()}
    columns["vx"][6] = 3100.0
    columns["vz"][11] = -1370.0
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert "row 7" not in table.names
    assert "row 12" in table.names
    gap = table.provenance["left_out"]["row 7"]
    assert gap.startswith("moves with 31")
    assert table.warnings[-1].startswith("row 12 moves with 13")
    assert table.warnings[-1].endswith("look up its velocity")
    assert not any("moves" in w for w in _warnings(halos, tmp_path, saved))


def _warnings(halos, folder, saved):
    return read_neighbours(saved(folder, halos), **AROUND).warnings


def test_speeds_of_nothing_are_another_unit(halos, tmp_path, saved):
    slow = {n: v / 1000 if n in ("vx", "vy", "vz") else v for n, v in halos.items()}
    with pytest.raises(ValueError, match=r"ecsv: half of its .* another unit\?"):
        read_neighbours(saved(tmp_path, slow), **AROUND)
