"""Laws of one quantity in two columns: they agree, or the table is refused, or warned of."""

import numpy as np
import pytest

from halomass.observed import survival
from halomass.observed.neighbour_tables import read_neighbours

FAR = {"distance_larger": 900.0, "distance_cluster": 12_000.0}
AROUND = {"vmax": 80.0, **FAR}
N = 40


@pytest.fixture
def with_r(halos):
    return halos | {"r": np.linalg.norm([halos[axis] for axis in "xyz"], axis=0)}


@pytest.mark.parametrize("factor", [0.7, 0.9, 1.1, 1.43, 1e-3])
def test_places_in_another_unit_than_distances_are_refused(
    with_r, tmp_path, saved, factor
):
    path = saved(tmp_path, with_r | {"r": factor * with_r["r"]})
    with pytest.raises(
        ValueError, match=r"host.ecsv: r and the length of x, y, z differ"
    ):
        read_neighbours(path, **AROUND)


def test_distances_of_other_rows_are_refused(with_r, tmp_path, saved):
    path = saved(tmp_path, with_r | {"r": np.roll(with_r["r"], 1)})
    with pytest.raises(
        ValueError, match=r"r and the length of x, y, z differ in \d+ of"
    ):
        read_neighbours(path, **AROUND)


@pytest.mark.parametrize("wrong", [0, 7])
def test_rounded_distances_and_a_few_other_ones_are_read(
    with_r, tmp_path, saved, wrong
):
    said = with_r["r"].round()
    said[:wrong] *= 2
    said[-1] = np.nan
    assert len(read_neighbours(saved(tmp_path, with_r | {"r": said}), **AROUND)) == N


@pytest.mark.parametrize("what", ["m_star", "m_peak", "m"])
@pytest.mark.parametrize("change", ["reversed", "Msun/h", "1e10 Msun"])
def test_masses_that_contradict_their_logarithms_are_refused(
    halos, tmp_path, saved, what, change
):
    masses = halos["m_peak"]
    rest = {name: values for name, values in halos.items() if name != "m_peak"}
    logs = {f"log_{what}": np.log10(masses).round(1)}
    agreeing = rest | logs | {what: masses}
    assert read_neighbours(saved(tmp_path, agreeing), **AROUND)
    other = {
        "reversed": masses[::-1],
        "Msun/h": masses * 0.678,
        "1e10 Msun": masses * 1e3,
    }
    path = saved(tmp_path, agreeing | {what: other[change]})
    with pytest.raises(
        ValueError, match=rf"log_{what} and {what} differ in \d+ of 40 rows"
    ):
        read_neighbours(path, **AROUND)


@pytest.mark.parametrize(("times", "told"), [(1.0, False), (1.03, False), (4.0, True)])
def test_a_vmax_of_the_metadata_that_is_not_the_columns_is_told_of(
    halos, tmp_path, saved, times, told
):
    own = survival.median_v_peak(np.log10(halos["m_peak"]))
    heaviest = int(np.argmax(halos["m_peak"]))
    stated = round(float(own[heaviest]) * times, 2)
    path = saved(tmp_path, halos | {"vmax": own}, {"vmax": stated})
    table = read_neighbours(path, **FAR)
    assert table.environment.vmax == stated
    said = [one for one in table.warnings if "which counts" in one]
    wanted = (
        f"vmax is {stated:g} in the metadata, which counts, and {own[heaviest]:g} in"
    )
    assert [one.startswith(wanted) for one in said] == [True] * told
    # who gives it as an option has chosen
    given = read_neighbours(path, vmax=50.0, **FAR)
    assert not any("which counts" in one for one in given.warnings)


def test_a_distance_of_the_metadata_that_is_not_the_columns_is_told_of(
    halos, tmp_path, saved
):
    columns = halos | {"distance_larger": np.full(N, 1500.0)}
    table = read_neighbours(saved(tmp_path, columns, AROUND))
    assert table.environment.distance_larger == 900.0
    (said,) = (one for one in table.warnings if "which counts" in one)
    assert "900 in the metadata" in said
    assert "1500 in column distance_larger" in said
