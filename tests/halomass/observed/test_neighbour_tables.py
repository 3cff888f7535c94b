"""Laws of plain tables: any way to write them down gives the same neighbours; gaps are named."""

import numpy as np
import pytest
from astropy.table import Table

from halomass import cosmology, systems
from halomass.mock import surroundings
from halomass.observed import neighbour_tables, survival
from halomass.observed.host_neighbours import HostEnvironment
from halomass.observed.neighbour_tables import read_neighbours
from orrery.storage import files
from orrery.tables.bundled import bundled_tables

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}


N = 40


@pytest.mark.parametrize(
    ("meta", "extra"),
    [
        ({"vmax": 80.0, "DNL": 900.0, "D14_Mpc": 12.0}, {}),
        ({"environment": AROUND}, {}),
        ({"dnl_kpc": 900.0, "d14_kpc": 12_000.0}, {"vmax": "of the largest"}),
        ({}, {"vmax": "of the largest", "DNL": 900.0, "D14": 12_000.0}),
    ],
    ids=["metadata", "nested", "both", "columns"],
)
def test_the_environment_is_found(halos, tmp_path, meta, extra, saved):
    columns = dict(halos)
    for name, value in extra.items():
        columns[name] = np.full(N, 30.0 if name == "vmax" else value)
    if "vmax" in extra:
        columns["vmax"][np.argmax(halos["m_peak"])] = 80.0
    table = read_neighbours(saved(tmp_path, columns, meta))
    assert table.environment == HostEnvironment(**AROUND)


@pytest.mark.parametrize(("name", "value"), [("vmax", -80.0), ("distance_larger", 0.0)])
def test_an_environment_that_is_none_is_named_with_its_file(
    halos, tmp_path, name, value, saved
):
    path = saved(tmp_path, halos, AROUND | {name: value})
    with pytest.raises(
        ValueError, match=rf"^{path.name}: {name} is {value} in the metadata: give"
    ):
        read_neighbours(path)


def test_options_come_before_the_table(halos, tmp_path, saved):
    path = saved(tmp_path, halos, AROUND)
    assert read_neighbours(path, vmax=55.0).environment.vmax == 55.0


def test_a_distant_giant_is_no_satellite(halos, tmp_path, saved):
    columns = {name: np.append(column, 1000.0) for name, column in halos.items()}
    columns["m_peak"][-1] = 1e13
    columns["vmax"] = survival.median_v_peak(np.log10(columns["m_peak"]))
    table = read_neighbours(saved(tmp_path, columns, {"dnl": 900.0, "d14": 12_000.0}))
    assert len(table) == N
    assert table.environment.vmax == columns["vmax"][:N].max()


def test_expansion_is_added_when_asked(halos, tmp_path, saved):
    path = saved(tmp_path, halos)
    one, two = (read_neighbours(path, peculiar=p, **AROUND) for p in (False, True))
    np.testing.assert_allclose(two.orbits.v_r - one.orbits.v_r, 0.0678 * one.orbits.r)
    assert cosmology.hubble() == pytest.approx(0.0678)
    np.testing.assert_array_equal(one.orbits.v_t, two.orbits.v_t)
    assert neighbour_tables.EXPANSION_ADDED not in two.warnings
    assert ["expansion" in table.summary for table in (one, two)] == [False, True]


def test_expansion_is_never_added_twice(halos, tmp_path, saved):
    once = read_neighbours(saved(tmp_path, halos), peculiar=True, **AROUND)
    for written in (tmp_path / "once.ecsv", tmp_path / "again.ecsv"):
        neighbour_tables.write_neighbours(once, written)
        once = read_neighbours(written)
        assert once.provenance["expansion_added"] is True
        with pytest.raises(ValueError, match=r"\(expansion_added\): leave --peculiar"):
            read_neighbours(written, peculiar=True)


def test_measured_velocities_have_the_expansion(halos, tmp_path, saved):
    ours = bundled_tables()["milky_way_satellites.ecsv"]
    with pytest.raises(ValueError, match=r"already.*\(frame\): leave --peculiar out"):
        read_neighbours(ours, peculiar=True)
    observed = dict(halos)
    observed["m_star"] = observed.pop("m_peak") / 1e3
    path = saved(tmp_path, observed)
    assert (
        neighbour_tables.EXPANSION_ADDED not in read_neighbours(path, **AROUND).warnings
    )
    table = read_neighbours(path, peculiar=True, **AROUND)
    assert neighbour_tables.EXPANSION_ADDED in table.warnings


def test_a_written_table_is_read_again(halos, tmp_path, saved):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    neighbour_tables.write_neighbours(table, tmp_path / "written.ecsv")
    again = read_neighbours(tmp_path / "written.ecsv")
    assert again.names == table.names
    assert again.environment == table.environment
    np.testing.assert_allclose(again.orbits, table.orbits, atol=1e-5)
    np.testing.assert_allclose(again.log_m_star, table.log_m_star, atol=1e-5)


def test_a_missing_environment_is_named(halos, tmp_path, saved):
    with pytest.raises(ValueError, match=r"does not say vmax"):
        read_neighbours(saved(tmp_path, halos))
    with pytest.raises(ValueError, match=r"distance_cluster is -1"):
        read_neighbours(saved(tmp_path, halos), **AROUND | {"distance_cluster": -1.0})


def test_a_write_that_fails_leaves_the_old_file(halos, tmp_path, monkeypatch, saved):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    path = tmp_path / "kept.ecsv"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        neighbour_tables.write_neighbours(table, path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_distances_that_the_table_lacks_are_typical_and_say_so(halos, tmp_path, saved):
    table = read_neighbours(saved(tmp_path, halos, {"dnl": 900.0}), vmax=80.0)
    assert table.environment == HostEnvironment(80.0, 900.0, 17_900.0)
    assert table.provenance["environment_assumed"] == ["distance_cluster"]
    assert "The table does not say distance_cluster: typical" in table.summary
    neighbour_tables.write_neighbours(table, tmp_path / "written.ecsv")
    again = read_neighbours(tmp_path / "written.ecsv")
    assert again.provenance["environment_assumed"] == ["distance_cluster"]
    given = read_neighbours(tmp_path / "written.ecsv", distance_cluster=9000.0)
    assert "environment_assumed" not in given.provenance
    assert "does not say" not in given.summary


def test_typical_distances_are_those_of_hosts_of_the_mock():
    exponential = np.random.default_rng(0).standard_exponential((2, 1000))
    around = surroundings.nearest_larger_halos(
        np.full(1000, 12.2), systems.ISOLATION, exponential
    )
    for name, value in neighbour_tables.TYPICAL_ENVIRONMENT.items():
        assert 0.4 < np.mean(getattr(around, name) < value) < 0.6


def test_observed_satellites_are_taken_as_they_are():
    ours = bundled_tables()["milky_way_satellites.ecsv"]
    table, plain = read_neighbours(ours), Table.read(ours)
    assert len(table) == len(plain)
    assert table.provenance["selection"] == plain.meta["provenance"]["selection"]
    assert table.environment == HostEnvironment(91.7, 761.0, 17_000.0)
    assert table.warnings == ()
    assert not {"environment_assumed", "warnings"} & table.provenance.keys()
