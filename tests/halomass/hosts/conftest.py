"""A small universe for the tests of hosts: clusters, hosts and satellites, in four snapshots."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from halomass.catalogues.chunks import HALOS
from halomass.hosts.neighbours import Halos, Neighbourhood
from halomass.hosts.snapshots import Snapshot
from orrery.parameters import generator
from orrery.records import Records

BOX = 20.0  # [Mpc/h]


HOSTS, SATELLITES, CLUSTERS = 80, 12, 3


SCALES = (0.85, 0.9, 0.95, 1.0)


IDENTITIES = ("id", "descid", "upid")


SIZES = ("log_m_vir", "log_m_peak", "log_m_star", "vmax")


def make_universe(scale=1.0, drift=0.0, stars=True, number=0):
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


def make_history():
    """Returns four snapshots whose hosts cross the walls between slabs, and each halo's last halo.

    One halo in ten falls into the one before it, and one in thirty is lost.
    """
    drifts = (0.06, 0.04, 0.02, 0.0)
    parts = [
        make_universe(scale, drift, number=i)
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


def columns_of(halos):
    names = (*IDENTITIES, *SIZES)
    unknown = np.zeros(len(halos), np.float32)
    past = {
        name: unknown if getattr(halos, name) is None else getattr(halos, name)
        for name in ("v_infall", "v_peak")
    }
    place = dict(zip("xyz", halos.position.T, strict=True))
    motion = dict(zip(("vx", "vy", "vz"), halos.velocity.T, strict=True))
    return {name: getattr(halos, name) for name in names} | past | place | motion


def write_snapshot(halos, folder, shards=2):
    """Returns a snapshot whose halos lie in Arrow files, three records in each."""
    paths = []
    for number, rows in enumerate(np.array_split(np.arange(len(halos)), shards)):
        offsets = np.array([0, len(rows) // 3, len(rows), len(rows)], np.int32)
        parts = {name: values[rows] for name, values in columns_of(halos).items()}
        counts = dict.fromkeys(("index", "rows", "kept"), np.arange(3))
        table = Records(counts, parts, offsets).table(HALOS, {})
        paths.append(str(folder / f"{halos.scale:.2f}-{number}.arrow"))
        with (
            pa.OSFile(paths[-1], "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)
    return Snapshot(tuple(paths), f"halos at {halos.scale:.2f}", halos.box, halos.scale)


def neighbourhood_of(halos, chosen):
    return Neighbourhood(halos, chosen.radius, chosen.log_m_peak, chosen.threshold)


@pytest.fixture(scope="session")
def universe():
    return make_universe


@pytest.fixture(scope="session")
def history():
    return make_history


@pytest.fixture(scope="session")
def columns():
    return columns_of


@pytest.fixture(scope="session")
def written():
    return write_snapshot


@pytest.fixture(scope="session")
def around():
    return neighbourhood_of
