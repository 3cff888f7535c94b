"""Laws of vectors: their components are alike in size, and agree with what is beside them."""

import numpy as np
import pytest

from halomass import cosmology
from halomass.observed.neighbour_tables import read_neighbours

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
AXES = ("x", "y", "z", "vx", "vy", "vz")


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("times", [1e-3, 0.0])
def test_a_component_in_another_unit_or_of_zeros_is_refused(
    halos, tmp_path, saved, axis, times
):
    path = saved(tmp_path, halos | {axis: times * np.abs(halos[axis])})
    with pytest.raises(
        ValueError, match=rf"^host.ecsv: {axis} (scatters by|is 0 in all)"
    ):
        read_neighbours(path, **AROUND)


@pytest.mark.parametrize("axis", AXES)
def test_a_component_that_is_one_number_is_refused(halos, tmp_path, saved, axis):
    path = saved(tmp_path, halos | {axis: np.full(len(halos[axis]), 51.3)})
    with pytest.raises(ValueError, match=rf"host.ecsv: {axis} is 51.3 in all 40 rows"):
        read_neighbours(path, **AROUND)


@pytest.mark.parametrize("times", [0.2, 0.05])
def test_planes_of_satellites_are_read(halos, tmp_path, saved, times):
    thin = halos | {"z": times * halos["z"], "vz": times * halos["vz"]}
    assert len(read_neighbours(saved(tmp_path, thin), **AROUND)) == len(halos["z"])


def projections(halos):
    place = np.stack([halos[axis] for axis in "xyz"])
    velocity = np.stack([halos[f"v{axis}"] for axis in "xyz"])
    r = np.linalg.norm(place, axis=0)
    v_r = (velocity * place).sum(axis=0) / r
    v_t = np.sqrt((velocity**2).sum(axis=0) - v_r**2)
    return r, v_r, v_t


@pytest.mark.parametrize("decimals", [3, 0, -1])
@pytest.mark.parametrize("expansion", [False, True])
def test_projections_that_agree_are_read(halos, tmp_path, saved, decimals, expansion):
    r, v_r, v_t = projections(halos)
    v_r = v_r + expansion * cosmology.hubble() * r
    said = {"v_r": v_r.round(decimals) + 0.1, "v_t": v_t.round(decimals)}
    assert read_neighbours(saved(tmp_path, halos | said), **AROUND)


@pytest.mark.parametrize("wrong", ["v_r", "v_t"])
def test_projections_that_contradict_the_vectors_are_refused(
    halos, tmp_path, saved, wrong
):
    _, v_r, v_t = projections(halos)
    said = {"v_r": v_r, "v_t": v_t}
    said[wrong] = np.roll(said[wrong], 1)
    path = saved(tmp_path, halos | said)
    with pytest.raises(ValueError, match=r"host.ecsv: v_r and v_t differ from"):
        read_neighbours(path, **AROUND)
