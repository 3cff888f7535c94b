import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from halomass import systems
from halomass.catalogues import universe_machine
from halomass.catalogues.catalogue import open_catalogue
from halomass.catalogues.chunks import HALOS
from halomass.hosts import catalogue_systems, neighbours
from halomass.hosts.catalogue_systems import CatalogueSystems, Snapshot
from halomass.hosts.neighbours import Halos, Neighbourhood
from halomass.hosts.selection import (
    FinalPositions,
    HostSelection,
    assign_split,
    final_positions,
    find_hosts,
)
from halomass.mock import stellar_mass
from orrery.execution import cluster
from orrery.execution.simulation import generate
from orrery.parameters import generator
from orrery.records import Records
from orrery.storage.dataset import Dataset

BOX = 20.0  # [Mpc/h]
HOSTS, SATELLITES, CLUSTERS = 80, 12, 3
SCALES = (0.85, 0.9, 0.95, 1.0)

IDENTITIES = ("id", "descid", "upid")
SIZES = ("log_m_vir", "log_m_peak", "log_m_star", "vmax")


def universe(scale=1.0, drift=0.0, stars=True, number=0):
    """Returns clusters, then hosts, each followed by its satellites; hosts drift along x."""
    random, step = generator(3), generator(4, number)
    main = CLUSTERS + HOSTS
    centre = random.uniform(0, BOX, (main, 3))
    centre[:, 0] += drift * random.normal(0, BOX, main)
    offset = random.normal(size=(main, SATELLITES, 3))
    offset *= (
        0.1
        * random.uniform(0.1, 1, (main, SATELLITES, 1))
        / np.linalg.norm(offset, axis=2, keepdims=True)
    )
    position = np.concatenate([centre[:, None], centre[:, None] + offset], axis=1) % BOX
    log_m = np.concatenate([[14.5, 14.3, 14.1], random.uniform(11, 13, HOSTS)])
    log_m = np.concatenate(
        [log_m[:, None], random.uniform(8.5, 10.5, (main, SATELLITES))], axis=1
    ).astype(np.float32)
    identity = (100_000 * (number + 1) + step.permutation(log_m.size)).reshape(
        log_m.shape
    )
    upid = np.where(np.arange(1 + SATELLITES) > 0, identity[:, :1], -1)
    return Halos(
        id=identity.ravel(),
        descid=np.full(log_m.size, -1),
        upid=upid.ravel(),
        position=position.reshape(-1, 3),
        velocity=random.normal(0, 100, (log_m.size, 3)).astype(np.float32),
        log_m_vir=log_m.ravel(),
        log_m_peak=log_m.ravel() + np.float32(0.1),
        log_m_star=random.normal(6, 1, log_m.size).astype(np.float32) * stars,
        vmax=random.uniform(5, 200, log_m.size).astype(np.float32),
        box=BOX,
        scale=scale,
    )


def history():
    """Returns four snapshots whose hosts cross the walls between slabs, and each halo's last halo.

    One halo in ten falls into the one before it, and one in thirty is lost.
    """
    drifts = (0.06, 0.04, 0.02, 0.0)
    parts = [
        universe(scale, drift, number=i)
        for i, (scale, drift) in enumerate(zip(SCALES, drifts, strict=True))
    ]
    last = {int(identity): int(identity) for part in parts for identity in part.id}
    for now in reversed(range(len(parts) - 1)):
        random, heir = generator(6, now), parts[now + 1].id.copy()
        merges = np.flatnonzero(random.random(len(heir) - 1) < 0.1) + 1
        heir[merges] = parts[now + 1].id[merges - 1]
        heir[random.random(len(heir)) < 1 / 30] = 5
        parts[now] = dataclasses.replace(parts[now], descid=heir)
        for identity, descendant in zip(parts[now].id, heir, strict=True):
            last[int(identity)] = last.get(int(descendant), int(identity))
    return parts, last


def columns(halos):
    names = (*IDENTITIES, *SIZES)
    place = dict(zip("xyz", halos.position.T, strict=True))
    motion = dict(zip(("vx", "vy", "vz"), halos.velocity.T, strict=True))
    return {name: getattr(halos, name) for name in names} | place | motion


def written(halos, folder, shards=2):
    """Returns a snapshot whose halos lie in Arrow files, three records in each."""
    paths = []
    for number, rows in enumerate(np.array_split(np.arange(len(halos)), shards)):
        offsets = np.array([0, len(rows) // 3, len(rows), len(rows)], np.int32)
        parts = {name: values[rows] for name, values in columns(halos).items()}
        counts = dict.fromkeys(("index", "rows", "kept"), np.arange(3))
        table = Records(counts, parts, offsets).table(HALOS, {})
        paths.append(str(folder / f"{halos.scale:.2f}-{number}.arrow"))
        with (
            pa.OSFile(paths[-1], "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)
    return Snapshot(tuple(paths), f"halos at {halos.scale:.2f}", halos.box, halos.scale)


@pytest.fixture
def catalogue(tmp_path):
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


def around(halos, chosen):
    return Neighbourhood(halos, chosen.radius, chosen.log_m_peak)


def test_hosts_are_those_of_a_search_through_all():
    halos, chosen = universe(), HostSelection(minimum=12)
    found = find_hosts(around(halos, chosen), chosen)
    separation = halos.position[None] - halos.position[:, None]
    separation -= BOX * np.round(separation / BOX)
    distance = np.linalg.norm(separation, axis=2) * halos.kpc
    larger = np.where(
        halos.log_m_vir[None] > halos.log_m_vir[:, None], distance, np.inf
    ).min(1)
    cluster = np.where((halos.log_m_vir > 14) & (distance > 0), distance, np.inf).min(1)
    rich = ((distance < 250) & (distance > 0) & (halos.log_m_peak > 8)).sum(1) >= 12
    good = (halos.upid == -1) & rich & (larger > 500) & np.isfinite(larger)
    assert CLUSTERS < good.sum() < CLUSTERS + HOSTS - 1, "some hosts are not isolated"
    assert_array_equal(found.row, np.flatnonzero(good))
    assert_allclose(found.distance_larger, larger[good])
    assert_allclose(found.distance_cluster, cluster[good])


def test_satellites_are_no_hosts_but_are_neighbours():
    halos, chosen = universe(), HostSelection()
    satellites = dataclasses.replace(halos, upid=np.where(halos.upid == -1, 1, -1))
    assert not np.isin(
        find_hosts(around(satellites, chosen), chosen).row % 13, [0]
    ).any()
    place = around(halos, chosen)
    assert (place.count(np.flatnonzero(halos.upid == -1)) >= SATELLITES).all()


def test_isolation_is_physical():
    # two equal pairs of a host and a larger halo, 600 comoving kpc apart
    halos, chosen = universe(), HostSelection(minimum=1)
    place = halos.position.copy()
    first, second = 13 * CLUSTERS, 13 * (CLUSTERS + 1)
    place[second : second + 13] += place[first] + [0.4068, 0, 0] - place[second]
    now = dataclasses.replace(halos, position=place % BOX)
    smaller = first if halos.log_m_vir[first] < halos.log_m_vir[second] else second
    then = dataclasses.replace(now, scale=0.8)  # 480 kpc
    for snapshot, expected in ((now, True), (then, False)):
        assert (smaller in find_hosts(around(snapshot, chosen), chosen).row) == expected


def test_the_largest_halo_and_the_only_cluster_are_no_hosts():
    halos, chosen = universe(), HostSelection(minimum=1)
    assert 0 not in find_hosts(around(halos, chosen), chosen).row
    one = dataclasses.replace(chosen, log_m_cluster=14.4)
    assert np.isfinite(find_hosts(around(halos, one), one).distance_cluster).all()


def test_hosts_without_any_cluster_are_refused():
    halos, chosen = universe(), HostSelection(log_m_cluster=15.0)
    with pytest.raises(ValueError, match=r"the largest has 14\.50"):
        find_hosts(around(halos, chosen), chosen)


def test_no_hosts_need_no_cluster():
    halos, chosen = universe(), HostSelection(minimum=500, log_m_cluster=15.0)
    found = find_hosts(around(halos, chosen), chosen)
    assert (
        len(found.row) == len(found.distance_larger) == len(found.distance_cluster) == 0
    )


def test_no_halo_is_a_neighbour_of_two_hosts():
    halos, chosen = universe(), HostSelection(minimum=1)
    halos = dataclasses.replace(halos, position=halos.position / 4, box=BOX / 4)
    place = around(halos, chosen)
    crowd = np.flatnonzero(halos.upid == -1)
    assert np.bincount(place.pairs(crowd, halos.log_m_star).neighbour).max() > 1
    hosts = find_hosts(place, chosen).row
    assert len(hosts) > 5
    assert np.bincount(place.pairs(hosts, halos.log_m_star).neighbour).max() == 1


def test_sides_are_slabs():
    x = np.array([0.0, 0.649999, 0.65, 0.749999, 0.75, 0.999])
    assert_array_equal(assign_split(x, HostSelection()), [0, 0, 1, 1, 2, 2])
    assert assign_split(x, HostSelection()).dtype == np.int8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minimum": 0}, "at least 1 neighbour"),
        ({"radius": -1.0}, "positive radius"),
        ({"isolation": 800.0}, r"isolation 800.0 kpc .* below 761"),
        ({"validation_from": 0.8}, "must rise between 0 and 1"),
        ({"test_from": 1.0}, "must rise between 0 and 1"),
    ],
)
def test_impossible_selections_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        HostSelection(**change)


def test_fates_follow_descendants_to_the_last_snapshot():
    parts, last = history()
    place = {
        int(i): x
        for part in parts
        for i, x in zip(part.id, final_positions(part).x, strict=True)
    }
    later = None
    for part in reversed(parts):
        later = final_positions(part, later)
        assert_array_equal(
            later.x, [place[last[int(identity)]] for identity in part.id]
        )


def test_fates_need_snapshots_that_follow_one_another():
    parts, _ = history()
    with pytest.raises(ValueError, match="give snapshots that follow one another"):
        final_positions(parts[0], final_positions(parts[2]))
    nobody = FinalPositions(np.empty(0, np.int64), np.empty(0))
    childless = dataclasses.replace(parts[0], descid=np.full(len(parts[0]), -1))
    for part, later in (
        (parts[0], nobody),
        (childless, nobody),
        (childless, final_positions(parts[1])),
    ):
        with pytest.raises(ValueError, match=r"only 0% .* scale factor 0.85"):
            final_positions(part, later)


def test_no_host_of_one_side_is_on_another_in_any_snapshot(tmp_path):
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


def spread(trees, split):
    """Returns the largest number of splits in which halos of one tree are."""
    return max(len(set(split[trees == tree])) for tree in np.unique(trees))


def test_the_order_of_snapshots_given_does_not_matter(tmp_path):
    parts, _ = history()
    snapshots = tuple(written(part, tmp_path) for part in parts)
    one, other = CatalogueSystems(snapshots), CatalogueSystems(snapshots[::-1])
    assert one.describe() == other.describe()
    scale = one.records(1, range(one.count)).scalars["scale"]
    assert_array_equal(scale, other.records(1, range(one.count)).scalars["scale"])
    assert (np.diff(scale) <= 0).all()


def test_records_are_hosts_with_their_neighbours(catalogue):
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


def test_a_record_does_not_depend_on_the_others(tmp_path):
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


def test_halos_without_stars_are_given_some(tmp_path):
    halos = universe(stars=False)
    made = CatalogueSystems((written(halos, tmp_path),))
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


def test_a_catalogue_without_hosts_is_refused(tmp_path):
    made = CatalogueSystems(
        (written(universe(), tmp_path),), HostSelection(minimum=1000)
    )
    with pytest.raises(ValueError, match=r"no halo is a host by .*minimum=1000"):
        _ = made.count


def test_snapshots_must_fit_together(tmp_path):
    snapshot = written(universe(), tmp_path)
    wrong = [
        (),
        (snapshot, snapshot),
        (snapshot, dataclasses.replace(snapshot, box=64.0, scale=0.5)),
    ]
    for snapshots in wrong:
        with pytest.raises(ValueError, match="all of one box, each scale factor once"):
            CatalogueSystems(snapshots)


def test_foreign_and_torn_files_are_refused(tmp_path):
    snapshot = written(universe(), tmp_path)
    path = tmp_path / "torn.arrow"
    path.write_bytes((tmp_path / "1.00-0.arrow").read_bytes()[:5000])
    for wrong in (str(path), str(tmp_path / "missing.arrow")):
        made = CatalogueSystems((dataclasses.replace(snapshot, shards=(wrong,)),))
        with pytest.raises(
            ValueError, match=r"arrow cannot be read .* make the halo dataset again"
        ):
            _ = made.count


def test_the_description_says_what_decides(tmp_path):
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


def test_systems_of_a_file_are_those_of_its_halos(tmp_path):
    halos = universe()
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
def test_bytes_do_not_depend_on_the_number_of_actors(tmp_path):
    parts, _ = history()
    made = CatalogueSystems(tuple(written(part, tmp_path) for part in parts))
    folders = {}
    with cluster.connect():
        for actors in (1, 2):
            place = tmp_path / str(actors)
            folders[actors] = generate(
                made, made.count, 1, place, actors=actors, shard_size=16
            ).folder
    one, two = ((folders[n] / "manifest.json").read_bytes() for n in (1, 2))
    assert one == two
    for path in sorted((folders[1] / "shards").iterdir()):
        assert path.read_bytes() == (folders[2] / "shards" / path.name).read_bytes()
