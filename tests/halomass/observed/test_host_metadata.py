"""Laws of metadata: numbers in them are held to what columns are held to."""

import re

import numpy as np
import pytest
from astropy import units

from halomass.observed.host_metadata import stated_number
from halomass.observed.neighbour_columns import ENVIRONMENT_COLUMNS
from halomass.observed.neighbour_tables import read_neighbours, write_neighbours

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
DESCRIBED = {d.quantity: d for d in ENVIRONMENT_COLUMNS}


@pytest.mark.parametrize("name", ["vmax", "distance_larger", "distance_cluster"])
@pytest.mark.parametrize(
    "value", [-999.0, 999.0, 9999.0, 99_999.0, 1e20, "-9999", 0.08]
)
@pytest.mark.parametrize("nested", [True, False])
def test_a_number_that_is_none_or_in_another_unit_is_refused(
    halos, tmp_path, saved, name, value, nested
):
    said = {**AROUND, name: value}
    path = saved(tmp_path, halos, {"environment": said} if nested else said)
    with pytest.raises(
        ValueError, match=rf"^{path.name}: {name} is .* give a .*number"
    ):
        read_neighbours(path)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("vmax", 1.9, "3 to 1000 km / s"),
        ("vmax", 80_000.0, "3 to 1000 km / s"),
        ("distance_larger", 2.6, "distance_larger_mpc"),
        ("distance_cluster", 17.0, "distance_cluster_mpc"),
    ],
)
def test_other_units_and_logarithms_are_refused_wherever_they_are_given(
    halos, tmp_path, saved, name, value, remedy
):
    path = saved(tmp_path, halos, {**AROUND, name: value})
    with pytest.raises(ValueError, match=rf"host.ecsv: {name} is {value}.*{remedy}"):
        read_neighbours(path)
    path = saved(tmp_path, halos)
    with pytest.raises(ValueError, match=rf"host.ecsv: .*{name} is {value}.*{remedy}"):
        read_neighbours(path, **{**AROUND, name: value})
    if name == "vmax":
        return  # a column of these is that of all neighbours
    others = {k: v for k, v in AROUND.items() if k != name}
    columns = halos | {name: np.full(len(halos["x"]), value)}
    with pytest.raises(ValueError, match=rf"host.ecsv: {name} of 'row \d+' is {value}"):
        read_neighbours(saved(tmp_path, columns), **others)


@pytest.mark.parametrize(
    "meta",
    [
        {**AROUND, "vmax": 80.0 * units.km / units.s},
        {**AROUND, "vmax": 80_000.0 * units.m / units.s},
        {**AROUND, "vmax": "80 km/s"},
        {**AROUND, "vmax": np.float32(80.0)},
        {"VMAX_KMS": 80, "DNL [Mpc]": 0.9, "d14_mpc": "12"},
        {"vmax": 80.0, "dnl": 0.9 * units.Mpc, "distance_cluster": "12 Mpc"},
        {**AROUND, "Vmax": 80},
    ],
)
def test_units_may_stand_in_the_value_or_in_the_key(meta):
    found = [stated_number(meta, DESCRIBED[name], "host.ecsv") for name in AROUND]
    assert found == pytest.approx([*AROUND.values()])


def test_quantities_are_read_from_a_file(halos, tmp_path, saved):
    meta = {
        **AROUND,
        "vmax": 80.0 * units.km / units.s,
        "distance_larger": 0.9 * units.Mpc,
    }
    found = read_neighbours(saved(tmp_path, halos, meta)).environment
    assert vars(found) == pytest.approx(AROUND)


def test_two_keys_that_differ_are_refused(halos, tmp_path, saved):
    path = saved(tmp_path, halos, {**AROUND, "VMAX": 70.0})
    with pytest.raises(ValueError, match=r"say vmax = 80.0 and VMAX = 70.0: keep"):
        read_neighbours(path)


def test_two_nines_may_be_measured_and_are_warned_of(halos, tmp_path, saved):
    table = read_neighbours(saved(tmp_path, halos, {**AROUND, "vmax": 99}))
    assert table.environment.vmax == 99.0
    assert "vmax is 99: such numbers often stand for no value" in table.warnings[-1]


def test_what_was_given_is_read_again_from_what_was_written(halos, tmp_path, saved):
    given = {**AROUND, "distance_larger": 999.0}
    table = read_neighbours(saved(tmp_path, halos), **given)
    write_neighbours(table, tmp_path / "written.ecsv")
    again = read_neighbours(tmp_path / "written.ecsv")
    assert again.environment == table.environment


@pytest.mark.parametrize("vmax", [9.0, 42.0, 91.7, 250.0, 700.0])
@pytest.mark.parametrize("larger", [60.0, 600.0, 761.0, 40_000.0])
def test_hosts_of_all_sizes_are_read(vmax, larger):
    meta = {"vmax": vmax, "dnl": larger, "d14": 20 * larger}
    found = [stated_number(meta, DESCRIBED[name], "host.ecsv") for name in AROUND]
    assert found == [vmax, larger, 20 * larger]


@pytest.mark.parametrize(
    ("said", "larger", "cluster"),
    [
        ({}, 2600.0, 17_900.0),
        ({"distance_cluster": 1000.0}, 1000.0, 1000.0),
        ({"distance_larger": 30_000.0}, 30_000.0, 30_000.0),
        ({"distance_larger": 761.0}, 761.0, 17_900.0),
    ],
    ids=str,
)
def test_the_nearest_larger_halo_is_no_farther_than_the_nearest_cluster(
    halos, tmp_path, saved, said, larger, cluster
):
    table = read_neighbours(saved(tmp_path, halos, {"vmax": 80.0, **said}))
    around = table.environment
    assert (around.distance_larger, around.distance_cluster) == (larger, cluster)
    assumed = [n for n in ("distance_larger", "distance_cluster") if n not in said]
    assert table.provenance["environment_assumed"] == assumed
    assert not any("exchanged" in warning for warning in table.warnings)
    with pytest.raises(ValueError, match=r"distance_cluster is 17.0: give"):
        read_neighbours(saved(tmp_path, halos), vmax=80.0, distance_cluster=17.0)


def test_distances_that_may_be_exchanged_are_warned_of(halos, tmp_path, saved):
    meta = {"vmax": 80.0, "distance_larger": 17_000.0, "distance_cluster": 761.0}
    warnings = read_neighbours(saved(tmp_path, halos, meta)).warnings
    assert (
        "17000 and distance_cluster only 761, but a cluster is larger" in warnings[-1]
    )
    right = read_neighbours(saved(tmp_path, halos, AROUND)).warnings
    assert not any("exchanged" in warning for warning in right)


@pytest.mark.parametrize(
    ("meta", "warning"),
    [
        ({"redshift": 0.5}, "the table says redshift = 0.5: .* a host of another time"),
        ({"Redshift": 2}, "the table says Redshift = 2: "),
        ({"scale_factor": 0.66}, "the table says scale_factor = 0.66: "),
        ({"aexp": 0.4}, "the table says aexp = 0.4: "),
        ({"note": "comoving kpc"}, "says 'comoving kpc': .* look up that they are"),
        ({"comments": ["by me", "m in Msun/h"]}, "says 'm in Msun/h': "),
        ({"note": "kpc h^-1"}, "says 'kpc h.-1': "),
    ],
)
def test_what_numbers_are_not_read_by_is_warned_of(
    halos, tmp_path, saved, meta, warning
):
    read = read_neighbours(saved(tmp_path, halos, {**AROUND, **meta}))
    (told,) = (one for one in read.warnings if "the table says" in one)
    assert re.search(warning, told)


@pytest.mark.parametrize(
    "meta",
    [
        {"redshift": -0.001},
        {"redshift": 0.0},
        {"redshift": "0.5?"},
        {"scale": 1.0},
        {"scale": 12.0},  # of a plot
        {"h": 0.68, "note": "isolated, within 3 Mpc, m in Msun, h = 0.68"},
        {"comments": ["kpc from the host", 3]},
    ],
)
def test_what_says_nothing_against_the_numbers_is_not(halos, tmp_path, saved, meta):
    read = read_neighbours(saved(tmp_path, halos, {**AROUND, **meta}))
    assert not [one for one in read.warnings if "the table says" in one]
