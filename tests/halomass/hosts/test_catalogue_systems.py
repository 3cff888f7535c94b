"""Laws of systems of catalogues: a record is a host, whatever else is read with it."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from halomass import systems
from halomass.catalogues import universe_machine
from halomass.catalogues.catalogue import open_catalogue
from halomass.hosts import catalogue_systems, neighbours
from halomass.hosts.catalogue_systems import CatalogueSystems
from halomass.hosts.options import HostSelection
from halomass.hosts.selection import assign_split, final_positions, find_hosts
from halomass.hosts.snapshots import Snapshot
from halomass.mock import stellar_mass
from orrery.execution.simulation import generate
from orrery.storage.dataset import Dataset

BOX = 20.0  # [Mpc/h]


SCALES = (0.85, 0.9, 0.95, 1.0)


IDENTITIES = ("id", "descid", "upid")


@pytest.fixture
def catalogue(tmp_path, universe, written):
    return CatalogueSystems((written(universe(), tmp_path),))


@pytest.fixture(autouse=True)
def _forget():
    for kept in (
        catalogue_systems._around,
        catalogue_systems._hosts,
        catalogue_systems._order,
        catalogue_systems._stars,
    ):
        kept.cache_clear()


def record(records, number):
    begin, end = records.offsets[number : number + 2]
    return {name: values[begin:end] for name, values in records.particles.items()}


def test_no_host_of_one_split_is_in_another_in_any_snapshot(tmp_path, history, written):
    parts, last = history()
    made = CatalogueSystems(
        tuple(written(part, tmp_path) for part in parts), HostSelection(minimum=5)
    )
    records = made.records(1, range(made.count)).scalars
    trees = np.array([last[int(identity)] for identity in records["id"]])
    here = {
        int(i): x
        for part in parts
        for i, x in zip(part.id, final_positions(part).x, strict=True)
    }
    now = assign_split(
        np.array([here[int(identity)] for identity in records["id"]]), made.selection
    )
    assert set(records["split"]) == {0, 1, 2}
    assert (np.unique(records["scale"]) == SCALES).all()
    assert spread(trees, records["split"]) == 1
    assert spread(trees, now) > 1, (
        "hosts must cross the walls, or the test says nothing"
    )
    assert (trees[records["split"] == 0][:, None] != trees[records["split"] == 2]).all()


def test_tests_are_the_hosts_of_the_latest_snapshot_alone(tmp_path, history, written):
    parts, last = history()
    chosen = HostSelection(minimum=5)
    snapshots = [written(part, tmp_path) for part in parts]
    made = CatalogueSystems(tuple(snapshots), chosen)
    found = made.records(1, range(made.count)).scalars
    alone = [CatalogueSystems((one,), chosen) for one in snapshots]
    every = [one.records(1, range(one.count)).scalars for one in alone]
    today = every[-1]["id"][every[-1]["split"] == systems.TEST]
    assert set(found["id"][found["split"] == systems.TEST]) == set(today)
    # who is no host any more would be a test chosen by what decides who is one
    ended = {last[int(i)] for one in every[:-1] for i in one["id"]} - set(
        every[-1]["id"]
    )
    assert len(ended) > 5 < len(today)
    left_out = sum(one.count for one in alone) - made.count
    assert sum(cut["not_tested"] for cut in made.cuts) == left_out > 5
    assert made.cuts[0]["not_tested"] == 0
    for scale in SCALES:  # networks learn from each state of the others
        learned = (found["scale"] == scale) & (found["split"] == systems.TRAIN)
        assert learned.sum() > 5


def spread(trees, split):
    """Returns the largest number of splits in which halos of one tree are."""
    return max(len(set(split[trees == tree])) for tree in np.unique(trees))


def test_the_order_of_snapshots_given_does_not_matter(tmp_path, history, written):
    parts, _ = history()
    snapshots = tuple(written(part, tmp_path) for part in parts)
    one, other = CatalogueSystems(snapshots), CatalogueSystems(snapshots[::-1])
    assert one.describe() == other.describe()
    scale = one.records(1, range(one.count)).scalars["scale"]
    assert_array_equal(scale, other.records(1, range(one.count)).scalars["scale"])
    assert (np.diff(scale) <= 0).all()


def test_records_are_hosts_with_their_neighbours(catalogue, universe, around):
    halos, chosen = universe(), catalogue.selection
    hosts, place = find_hosts(around(halos, chosen), chosen), around(halos, chosen)
    assert catalogue.count == len(hosts.row)
    records = catalogue.records(7, range(catalogue.count))
    assert_array_equal(np.sort(records.scalars["id"]), np.sort(halos.id[hosts.row]))
    for number in range(catalogue.count):
        row = np.flatnonzero(halos.id == records.scalars["id"][number])
        pairs, mine = place.pairs(row, halos.log_m_star), record(records, number)
        r, v_r, v_t = neighbours.motions(halos, row[pairs.host], pairs.neighbour)
        assert len(r) >= chosen.minimum
        for name, values in (("r", r), ("v_r", v_r), ("v_t", v_t)):
            assert_array_equal(mine[name], values.astype(np.float32))
        for name in ("log_m_star", "log_m_peak", "vmax"):
            assert_array_equal(mine[name], getattr(halos, name)[pairs.neighbour])
        (which,) = np.flatnonzero(hosts.row == row)
        assert (
            records.scalars["distance_larger"][number] == hosts.distance_larger[which]
        )
        assert (
            records.scalars["distance_cluster"][number] == hosts.distance_cluster[which]
        )
        assert records.scalars["log_m_vir"][number] == halos.log_m_vir[row]
        assert records.scalars["x"][number] == halos.position[row, 0] / BOX


def test_records_fill_the_schema(catalogue):
    assert catalogue.schema == systems.SCHEMA
    records = catalogue.records(7, range(4))
    table = records.table(catalogue.schema, {})
    assert table.num_rows == 4
    assert table["r"].null_count == 0
    assert all(
        records.particles[c.name].dtype == c.dtype for c in systems.SCHEMA.particles
    )
    assert all(
        np.isfinite(records.scalars[c.name]).all() for c in systems.SCHEMA.scalars
    )


def test_a_record_does_not_depend_on_the_others(tmp_path, history, written):
    parts, _ = history()
    made = CatalogueSystems(tuple(written(part, tmp_path) for part in parts))
    together, mixed = (
        made.records(7, range(made.count)),
        [made.count - 1, 3, made.count // 2, 0],
    )
    alone = made.records(7, mixed)
    for position, number in enumerate(mixed):
        for name, values in record(alone, position).items():
            assert_array_equal(values, record(together, number)[name])
        for name, values in alone.scalars.items():
            assert values[position] == together.scalars[name][number]


def test_the_first_hosts_are_a_fair_sample(catalogue):
    first = catalogue.records(7, range(40)).scalars["x"]
    assert set(assign_split(first, catalogue.selection)) == {0, 1, 2}
    other = catalogue.records(8, range(40)).scalars["x"]
    assert not np.array_equal(first, other)


def test_records_beyond_the_last_host_are_empty(catalogue):
    beyond = range(catalogue.count - 1, catalogue.count + 3)
    records = catalogue.records(7, beyond)
    assert_array_equal(records.scalars["index"], beyond)
    assert_array_equal(np.diff(records.offsets)[1:], 0)
    assert_array_equal(
        np.isnan(records.scalars["log_m_vir"]), [False, True, True, True]
    )
    assert_array_equal(records.scalars["split"][1:], systems.TEST)
    alone = catalogue.records(7, beyond[1:])
    assert alone.table(catalogue.schema, {}).num_rows == 3


def test_halos_without_stars_are_given_some(tmp_path, universe, written):
    halos = universe(stars=False)
    everybody = HostSelection(threshold=0.0)  # their velocities say nothing
    made = CatalogueSystems((written(halos, tmp_path),), everybody)
    records = made.records(7, range(made.count))
    stars, peak = records.particles["log_m_star"], records.particles["log_m_peak"]
    median = stellar_mass.median_log_stellar_mass(peak)
    assert 0.1 < np.std(stars - median) < 0.5
    for number in range(made.count):
        assert (np.diff(record(records, number)["log_m_star"]) <= 0).all()
    number = int(np.flatnonzero(records.scalars["id"] == halos.id[26])[0])
    again = made.records(7, [number])
    assert_array_equal(
        again.particles["log_m_star"], record(records, number)["log_m_star"]
    )
    other = made.records(8, range(made.count)).particles["log_m_star"]
    assert not np.isin(stars, other).any()


def test_a_catalogue_without_hosts_is_refused(tmp_path, universe, written):
    made = CatalogueSystems(
        (written(universe(), tmp_path),), HostSelection(minimum=1000)
    )
    with pytest.raises(ValueError, match=r"no halo is a host by .*minimum=1000"):
        _ = made.count


def test_snapshots_must_fit_together(tmp_path, universe, written):
    snapshot = written(universe(), tmp_path)
    wrong = [
        (),
        (snapshot, snapshot),
        (snapshot, dataclasses.replace(snapshot, box=64.0, scale=0.5)),
    ]
    for snapshots in wrong:
        with pytest.raises(ValueError, match="all of one box, each scale factor once"):
            CatalogueSystems(snapshots)


def test_foreign_and_torn_files_are_refused(tmp_path, universe, written):
    snapshot = written(universe(), tmp_path)
    path = tmp_path / "torn.arrow"
    path.write_bytes((tmp_path / "1.00-0.arrow").read_bytes()[:5000])
    for wrong in (str(path), str(tmp_path / "missing.arrow")):
        made = CatalogueSystems((dataclasses.replace(snapshot, shards=(wrong,)),))
        with pytest.raises(
            ValueError, match=r"arrow cannot be read .* make the halo dataset again"
        ):
            _ = made.count


def test_the_description_says_what_decides(tmp_path, universe, written):
    snapshot = written(universe(), tmp_path)
    base = CatalogueSystems((snapshot,))
    elsewhere = CatalogueSystems(
        (dataclasses.replace(snapshot, shards=("elsewhere",)),)
    )
    assert base.describe() == elsewhere.describe()
    for other in (
        CatalogueSystems((snapshot,), HostSelection(minimum=25)),
        CatalogueSystems((dataclasses.replace(snapshot, fingerprint="another"),)),
    ):
        assert other.describe() != base.describe()


def test_a_dataset_is_filled_and_read_back(catalogue, tmp_path):
    made = generate(catalogue, catalogue.count, 1, tmp_path, name="systems", actors=0)
    read = [
        Dataset.open(made.folder, catalogue.count).records(shard)
        for shard in made.shards
    ]
    assert sum(map(len, read)) == catalogue.count
    assert np.isfinite(
        np.concatenate([part.scalars["log_m_vir"] for part in read])
    ).all()


def test_systems_of_a_file_are_those_of_its_halos(tmp_path, universe, columns, written):
    halos = universe()
    # in files circular velocities and stars are held against masses
    stars = 9.5 + 1.5 * (halos.log_m_peak - 12) + 0.1 * (halos.log_m_star - 6)
    halos = dataclasses.replace(
        halos,
        vmax=150 * 10 ** ((halos.log_m_vir - 12) / 3),
        log_m_star=np.where(halos.log_m_star > 0, np.maximum(stars, 0.1), 0),
    )
    rows = np.zeros(len(halos), universe_machine.STRUCT)
    for name in (*IDENTITIES, *"xyz", "vx", "vy", "vz"):
        rows[name] = columns(halos)[name]
    for name, log_m, unit in (
        ("m", halos.log_m_vir, 0.678),
        ("mp", halos.log_m_peak, 0.678),
        ("sm", halos.log_m_star, 1.0),
    ):
        rows[name] = 10.0**log_m * unit
    rows["v"] = halos.vmax
    rows.tofile(tmp_path / "sfr_catalog_1.000000.bin")
    read = open_catalogue(tmp_path / "sfr_catalog_1.000000.bin", BOX)
    data = generate(
        read, read.chunks, 0, tmp_path, name="halos", actors=0, shard_size=1
    )
    shards = tuple(str(data.folder / row.file) for row in data.rows)
    snapshot = Snapshot(shards, data.fingerprint, read.box, read.scale)
    of_file, of_halos = (
        CatalogueSystems((snapshot,)),
        CatalogueSystems((written(halos, tmp_path),)),
    )
    assert of_file.count == of_halos.count
    one, other = (made.records(1, range(made.count)) for made in (of_file, of_halos))
    for name, values in {**one.scalars, **one.particles}.items():
        expected = {**other.scalars, **other.particles}[name]
        # the file has places in single precision, 0.001 kpc
        assert_allclose(values, expected, rtol=1e-4, atol=2e-2, err_msg=name)


@pytest.mark.slow
@pytest.mark.usefixtures("connected")
def test_bytes_do_not_depend_on_the_number_of_actors(tmp_path, history, written):
    parts, _ = history()
    made = CatalogueSystems(tuple(written(part, tmp_path) for part in parts))
    folders = {}
    for actors in (1, 2):
        place = tmp_path / str(actors)
        folders[actors] = generate(
            made, made.count, 1, place, actors=actors, shard_size=16
        ).folder
    one, two = ((folders[n] / "manifest.json").read_bytes() for n in (1, 2))
    assert one == two
    for path in sorted((folders[1] / "shards").iterdir()):
        assert path.read_bytes() == (folders[2] / "shards" / path.name).read_bytes()
