"""Laws of campaigns: what is looked up where, what decides the hosts, and what is refused."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from halomass import cosmology
from halomass.catalogues.universe_machine import STRUCT
from halomass.hosts.catalogue_systems import CatalogueSystems
from halomass.hosts.options import HostSelection
from halomass.mock import stellar_mass
from halomass.mock.mock_universe import MockUniverse
from halomass.mock.options import CATALOGUES
from halomass.study import literature, options
from halomass.study.options import HaloMass, HostCampaign, TargetHost
from halomass.systems import SCHEMA
from halomass.universe import Universe
from orrery.execution.simulation import generate
from orrery.tables.bundled import bundled_tables

BOX = 20.0  # [Mpc/h]
SATELLITES = 12


@pytest.fixture
def snapshots(tmp_path):
    """Two files with the same halos: a cluster far away, and 20 hosts with their satellites."""
    random = np.random.default_rng(2)
    main = 21
    centre = (
        np.stack([np.arange(main) % 7, np.arange(main) // 7, np.zeros(main)], axis=1)
        * 2.5
        + 1
    )
    # no two halos of a simulation have the same place on an axis
    centre += np.random.default_rng(3).uniform(-0.01, 0.01, centre.shape)
    offset = random.uniform(-0.08, 0.08, (main, SATELLITES, 3))
    place = np.concatenate([centre[:, None], centre[:, None] + offset], axis=1)
    log_m = np.full((main, 1 + SATELLITES), 9.0)
    log_m[:, 0] = np.linspace(14.5, 11.5, main)
    rows = np.zeros(log_m.size, STRUCT)
    rows["id"] = np.arange(len(rows))
    rows["upid"] = np.where(
        np.arange(1 + SATELLITES) > 0, rows["id"].reshape(log_m.shape)[:, :1], -1
    ).ravel()
    for axis, values in zip("xyz", place.reshape(-1, 3).T, strict=True):
        rows[axis] = values
    for name in ("vx", "vy", "vz"):
        rows[name] = random.normal(0, 150, len(rows))
    rows["m"] = rows["mp"] = 0.678 * 10 ** log_m.ravel()
    rows["sm"], rows["v"] = 1e6, np.linspace(29.0, 31.0, len(rows))
    # hosts have the stars of their masses
    hosts = rows["upid"] == -1
    rows["sm"][hosts] = 10 ** stellar_mass.median_log_stellar_mass(log_m[:, 0])
    paths = tuple(
        tmp_path / f"sfr_catalog_{scale}.bin" for scale in ("1.000000", "0.900000")
    )
    for path in paths:
        rows["descid"] = rows["id"]
        rows.tofile(path)
    return paths


def read(chosen, folder):
    return [
        generate(one, one.chunks, 1, folder, name="halos", shard_size=1, actors=0)
        for one in chosen.readers
    ]


def test_without_catalogues_there_is_a_mock_universe():
    chosen = HostCampaign(hosts=300)
    assert chosen.readers == ()
    assert chosen.hosts_of([]) == (MockUniverse(), 300)
    assert chosen.name == literature.PREFERRED == chosen.universe.catalogue
    assert chosen.name in literature.VARIANTS


def test_the_mock_universe_says_that_it_is_one():
    chosen = HostCampaign()
    assert "MOCK" in chosen.summary
    assert "not from a simulation" in chosen.summary
    assert "MOCK" in chosen.universe.describe()["about"]["model"]
    assert (
        "MOCK"
        not in HostCampaign(catalogue=(Path("sfr_catalog_1.000000.bin"),)).summary
    )


def test_variants_differ_from_the_main_hosts_in_one_thing_each():
    chosen = HostCampaign()
    unlike = {
        "equilibrium velocities": {"velocities"},
        "steeper tides": {"steeper_tides"},
    }
    assert chosen.variants.keys() == {*CATALOGUES, *unlike} - {chosen.name}
    for name, other in chosen.variants.items():
        different = {
            f.name
            for f in fields(MockUniverse)
            if getattr(other, f.name) != getattr(chosen.universe, f.name)
        }
        assert different == unlike.get(name, {"catalogue"})
        assert other.catalogue in (name, chosen.name)
    descriptions = [
        str(one.describe()) for one in (chosen.universe, *chosen.variants.values())
    ]
    assert len(set(descriptions)) == 6


def test_catalogues_take_the_place_of_the_mock_universe(snapshots, tmp_path):
    chosen = HostCampaign(catalogue=snapshots, box=BOX, hosts=700)
    assert [reader.box for reader in chosen.readers] == [BOX, BOX]
    assert chosen.variants == {}
    assert chosen.name == f"{snapshots[0].name}, {snapshots[1].name}"
    assert chosen.name not in literature.VARIANTS, "nothing is published of these hosts"
    made, count = chosen.hosts_of(read(chosen, tmp_path))
    assert isinstance(made, CatalogueSystems)
    later, earlier = (cut["not_tested"] for cut in made.cuts)
    assert (later, earlier) == (0, 3)  # of three beyond 0.75 of the box
    assert count == made.count == 2 * 20 - earlier, (
        "all hosts of both snapshots, those of tests once, whatever --hosts says"
    )


def test_what_files_do_not_say_is_given(snapshots):
    paths = tuple(
        path.rename(path.with_name(f"{i}.halos")) for i, path in enumerate(snapshots)
    )
    given = {"kind": "binary", "scale": (1.0, 0.9), "cosmology": (0.7, 0.27)}
    readers = HostCampaign(catalogue=paths, box=BOX, **given).readers
    assert [reader.scale for reader in readers] == [1.0, 0.9]
    assert {reader.universe for reader in readers} == {Universe(0.7, 0.27)}
    with pytest.raises(
        ValueError, match=r"0\.halos does not end with .*say --campaign.kind"
    ):
        _ = HostCampaign(catalogue=paths, box=BOX).readers
    with pytest.raises(ValueError, match=r"0\.halos has no scale factor.*give --scale"):
        _ = HostCampaign(catalogue=paths, box=BOX, kind="binary").readers


def test_the_cosmology_of_catalogues_reaches_their_hosts(snapshots, tmp_path):
    chosen = HostCampaign(catalogue=snapshots, box=BOX, cosmology=(0.7, 0.27))
    made, _ = chosen.hosts_of(read(chosen, tmp_path))
    assert {one.universe for one in made.snapshots} == {Universe(0.7, 0.27)}
    usual, _ = HostCampaign(catalogue=snapshots, box=BOX).hosts_of(
        read(HostCampaign(catalogue=snapshots, box=BOX), tmp_path)
    )
    masses = [
        np.sort(one.records(1, range(one.count)).scalars["log_m_vir"])
        for one in (made, usual)
    ]
    np.testing.assert_allclose(masses[0] - masses[1], np.log10(0.678 / 0.7), atol=1e-5)


def test_both_sources_make_the_same_columns(snapshots, tmp_path):
    real = HostCampaign(catalogue=snapshots[:1], box=BOX)
    for chosen in (real, HostCampaign(hosts=200)):
        made, _ = chosen.hosts_of(read(chosen, tmp_path))
        assert made.schema == SCHEMA
        assert len(made.records(chosen.seed, range(2))) == 2


def test_the_order_of_snapshots_does_not_matter(snapshots, tmp_path):
    for order in (snapshots, snapshots[::-1]):
        chosen = HostCampaign(catalogue=order, box=BOX)
        made, _ = chosen.hosts_of(read(chosen, tmp_path))
        assert [one.scale for one in made.latest_first] == [1.0, 0.9]


def test_the_milky_way_is_known_by_any_path():
    assert TargetHost().is_milky_way
    assert TargetHost(bundled_tables()[options.SATELLITES.name]).is_milky_way
    assert not TargetHost(Path("my_host.ecsv")).is_milky_way


def test_expansion_is_added_where_velocities_lack_it(tmp_path):
    path = tmp_path / "host.csv"
    path.write_text("r_kpc,v_r,v_t,m,vmax\n50,-10,80,1e10,60\n200,20,90,1e9,30\n")
    whole, lacking = (TargetHost(path, peculiar).read() for peculiar in (False, True))
    np.testing.assert_allclose(
        lacking.orbits.v_r - whole.orbits.v_r, cosmology.hubble() * whole.orbits.r
    )


def test_places_decide_nothing():
    places = {f.name for f in fields(HostCampaign) if f.metadata.get("place")}
    assert places == {"datasets", "reports"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hosts": 199}, "199 hosts.*at least 200"),
        ({"acceptance_hosts": 99}, "acceptance_hosts = 99: give 100"),
        ({"seed": -1}, "seed -1.*from 0 on"),
        ({"box": 0.0}, r"box 0\.0 Mpc/h.*positive side"),
        ({"box": float("nan")}, "box nan"),
        ({"scale": (1.0,)}, "1 scale factors for 0 catalogues: give one for each"),
    ],
    ids=str,
)
def test_impossible_campaigns_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(HostCampaign(), **change)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"box": 100.0}, "--box 100.0"),
        ({"kind": "hlist"}, "--campaign.kind hlist"),
        ({"cosmology": (0.7, 0.3)}, r"--cosmology \(0.7, 0.3\)"),
        ({"part_of_box": True}, "--part-of-box:"),
        ({"selection": HostSelection(minimum=25)}, "--minimum 25"),
        ({"selection": HostSelection(threshold=0.6)}, "--campaign.threshold 0.6"),
    ],
    ids=str,
)
def test_what_says_something_of_catalogues_needs_one(given, words):
    with pytest.raises(ValueError, match=f"{words}.*give --catalogue"):
        HostCampaign(**given)
    assert HostCampaign(catalogue=(Path("a.bin"),), **given).variants == {}


@pytest.mark.parametrize(
    ("changed", "words", "host"),
    [
        ({"radius": 120.0}, "--radius 120.0.*radius 250", Path("my_host.ecsv")),
        ({"log_m_peak": 9.0}, "--log-m-peak 9.0", Path("my_host.ecsv")),
        ({"log_m_cluster": 13.5}, "--log-m-cluster 13.5", options.SATELLITES),
    ],
    ids=str,
)
def test_hosts_of_the_training_are_seen_as_the_host_is(changed, words, host):
    catalogue = (Path("sfr_catalog_1.000000.bin"),)
    campaign = HostCampaign(catalogue=catalogue, selection=HostSelection(**changed))
    with pytest.raises(ValueError, match=rf"{words}.*leave this out"):
        HaloMass(TargetHost(host), campaign)
    more = replace(campaign, selection=HostSelection(minimum=25, threshold=0.6))
    assert HaloMass(TargetHost(host), more).campaign.selection.minimum == 25


def test_halos_below_the_usual_peak_mass_are_read_where_they_are_asked_for(snapshots):
    for asked, read_from in ((7.0, 7.0), (8.0, 8.0), (9.0, 8.0)):
        chosen = HostCampaign(
            catalogue=snapshots, box=BOX, selection=HostSelection(log_m_peak=asked)
        )
        assert {reader.log_m_peak for reader in chosen.readers} == {read_from}


def test_more_of_a_hosts_neighbours_may_lack_a_value_where_that_is_said(tmp_path):
    random = np.random.default_rng(3)
    columns = {
        "log_m_star": random.uniform(5, 9, 12),
        "r": random.uniform(20, 240, 12),
        "v_r": random.normal(0, 90, 12),
        "v_t": random.uniform(10, 200, 12),
    }
    columns["v_r"][:4] = -9999.0
    path = tmp_path / "host.ecsv"
    Table(columns, meta={"name": "A host", "vmax": 80.0}).write(path)
    with pytest.raises(ValueError, match=r"4 of 12 .* more than 20 %.*--most-missing"):
        TargetHost(path).read()
    assert len(TargetHost(path, most_missing=0.4).read()) == 8
