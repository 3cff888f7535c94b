"""Laws of a column `vmax`: one number is the host's, as in the metadata; many are neighbours'."""

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed import survival
from halomass.observed.column_reports import neighbour_report
from halomass.observed.neighbour_tables import read_neighbours
from halomass.observed.plain_table import PlainTable

N = 40
FAR = {"distance_larger": 900.0, "distance_cluster": 12_000.0}
MASSES = ("m_peak", "v_peak", "v_infall", "m", "m_star", "m_peak and m")


def without_vmax(halos, masses):
    """Returns the columns of neighbours whose masses are called otherwise."""
    rest = {name: values for name, values in halos.items() if name != "m_peak"}
    speed = survival.median_v_peak(np.log10(halos["m_peak"]))
    known = {"m_peak": halos["m_peak"], "v_peak": speed, "v_infall": speed / 1.1}
    known |= {"m": halos["m_peak"] / 2, "m_star": halos["m_peak"] / 1e3}
    return rest | {name: known[name] for name in masses.split(" and ")}


def one_vmax(heaviest, where):
    """Returns a column with the host's number, and NaN where a form leaves it out."""
    rows = np.arange(N)
    filled = {
        "that row alone": rows == heaviest,
        "some rows": (rows == heaviest) | (rows % 9 == 0),
        "most rows": (rows % 4 != 0) & (rows != heaviest),
        "all rows": rows >= 0,
    }
    return np.where(filled[where], 62.0, np.nan)


@pytest.mark.parametrize("masses", MASSES)
@pytest.mark.parametrize(
    "where", ["that row alone", "some rows", "most rows", "all rows"]
)
@pytest.mark.parametrize("ending", ["ecsv", "csv"])
def test_one_number_is_as_in_the_metadata(
    halos, tmp_path, saved, masses, where, ending
):
    columns = without_vmax(halos, masses)
    expected = read_neighbours(saved(tmp_path, columns, {"vmax": 62.0}), **FAR)
    heaviest = int(np.argmax(halos["m_peak"]))
    filled = columns | {"vmax": one_vmax(heaviest, where)}
    path = saved(tmp_path, filled, ending=ending)
    found = read_neighbours(path, **FAR)
    assert found.environment == expected.environment
    assert (found.names, found.warnings) == (expected.names, expected.warnings)
    selections = (found.provenance["selection"], expected.provenance["selection"])
    assert selections[0] == selections[1]
    assert neighbour_report(path).refusal == ""


def test_peak_masses_alone_are_still_warned_of(halos, tmp_path, saved):
    path = saved(tmp_path, halos | {"vmax": np.full(N, 44.0)})
    assert read_neighbours(path, **FAR).warnings == (survival.PEAK_ALONE,)


def test_own_velocities_cut_though_few_lack_them(halos, tmp_path, saved):
    speed = survival.median_v_peak(np.log10(halos["m_peak"]))
    own = np.where(np.arange(N) % 10 == 3, np.nan, 0.9 * speed)
    found = read_neighbours(saved(tmp_path, halos | {"vmax": own}), vmax=50.0, **FAR)
    assert found.provenance["selection"]["criterion"] == "peak_mass"
    assert found.provenance["selection"]["missing"] == 4


def test_a_number_of_another_satellite_is_refused(halos, tmp_path, saved):
    order = np.argsort(-halos["m_peak"])
    vmax = np.where(np.arange(N) == order[3], 33.0, np.nan)
    path = saved(tmp_path, halos | {"vmax": vmax})
    wanted = rf"for 'row {order[3] + 1}', and not for 'row {order[0] + 1}', the most"
    with pytest.raises(ValueError, match=wanted):
        read_neighbours(path, **FAR)
    assert read_neighbours(path, vmax=70.0, **FAR).environment.vmax == 70.0


def test_who_lacks_another_value_is_not_said_to_lack_the_hosts(halos, tmp_path, saved):
    heaviest = int(np.argmax(halos["m_peak"]))
    lacking = (heaviest + 1) % N
    masses = np.where(np.arange(N) == lacking, np.nan, halos["m_peak"])
    columns = halos | {"m_peak": masses, "vmax": one_vmax(heaviest, "that row alone")}
    gaps = read_neighbours(saved(tmp_path, columns), **FAR).provenance["left_out"]
    assert gaps == {f"row {lacking + 1}": "m_peak = nan"}


@pytest.mark.parametrize(
    ("vmax", "of_host"),
    [
        (np.full(9, 40.0), True),
        (np.append(np.full(9, np.nan), [50.0]), True),
        (np.append(np.full(8, np.nan), [50.0, 30.0]), True),
        (np.append(np.full(7, np.nan), [50.0, 30.0, 20.0]), False),
        (np.append(np.full(9, 40.0), 41.0), False),
        (np.linspace(20.0, 60.0, 10), False),
    ],
)
def test_whose_number_it_is(vmax, of_host):
    assert PlainTable.of(Table({"vmax": vmax}), "a.csv").vmax_is_of_host == of_host
