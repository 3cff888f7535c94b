"""Laws of formats: one universe, however it is written, has the same hosts and features."""

import gzip
import struct

import numpy as np
import pytest

from halomass.catalogues.catalogue import open_catalogue
from halomass.hosts.catalogue_systems import CatalogueSystems
from halomass.hosts.options import HostSelection
from halomass.observed.features import Features, features
from halomass.universe import Universe
from orrery.execution.simulation import generate

BOX, SCALE = 40.0, 0.8
HOSTS, SATELLITES = 240, 16
UNIVERSES = {0.678: Universe(), 0.7: Universe(0.7, 0.27)}


def listed(universe, seed=0):
    """Returns halos of a box: masses and radii as lists have them, in Msun/h and kpc/h."""
    random = np.random.default_rng(seed)
    log_m = random.uniform(8.6, 10.2, (HOSTS, 1 + SATELLITES))
    log_m[:, 0] = random.uniform(11.0, 13.2, HOSTS)
    log_m[:3, 0] = (14.6, 14.4, 14.2)
    offset = random.normal(size=(HOSTS, 1 + SATELLITES, 3))
    reach = 0.22 * universe.hubble / SCALE  # [comoving Mpc/h] of 220 kpc
    reach = reach * random.uniform(0.1, 1, (HOSTS, 1 + SATELLITES, 1))
    offset *= reach / np.linalg.norm(offset, axis=2, keepdims=True)
    offset[:, 0] = 0
    # some satellites of clusters are hosts of their own, far out
    place = random.uniform(0, BOX, (HOSTS, 1, 3))
    place[3:9] = place[0] + random.normal(0, 0.4, (6, 1, 3))
    velocity = random.normal(0, 150, offset.shape) + random.normal(
        0, 300, (HOSTS, 1, 3)
    )
    ids = 70_000 + np.arange(log_m.size).reshape(log_m.shape)
    m = log_m.ravel() + np.log10(universe.hubble)
    halos = {
        "id": ids.ravel(),
        "upid": np.full(ids.size, -1),
        "place": np.mod(place + offset, BOX).reshape(-1, 3).round(5),
        "velocity": velocity.reshape(-1, 3).round(2),
        "m": 10**m,
        "v": (25 * 10 ** ((m - 9) / 3)).round(2),
        "r": universe.virial_radius(log_m.ravel(), SCALE) * universe.hubble / SCALE,
    }
    within_largest(halos)
    return halos


def within_largest(halos):
    """Has halos in larger ones, within their virial radii, as Rockstar finds them."""
    for row in np.argsort(halos["m"]):
        apart = halos["place"] - halos["place"][row]
        apart -= BOX * np.round(apart / BOX)
        inside = np.linalg.norm(apart, axis=1) < halos["r"][row] / 1e3
        inside &= halos["m"] < halos["m"][row]
        halos["upid"][inside] = halos["id"][row]
    # what the largest halo around one is in, holds that one too
    above = dict(zip(halos["id"].tolist(), halos["upid"].tolist(), strict=True))
    for row, up in enumerate(halos["upid"].tolist()):
        top = up
        while above.get(top, -1) != -1:
            top = above[top]
        halos["upid"][row] = top


def write_binary(path, halos, hubble):
    rows = zip(
        halos["place"],
        halos["velocity"],
        halos["m"],
        halos["v"],
        halos["r"],
        strict=True,
    )
    content = b"".join(
        struct.pack("<qqqi25f", i, i, up, 0, 0.0, *x, *w, 0, 0, m, m, v, r, *(0,) * 12)
        for i, up, (x, w, m, v, r) in zip(halos["id"], halos["upid"], rows, strict=True)
    )  # fmt: skip
    path.write_bytes(content)


def write_lines(path, halos, header, columns):
    """Writes columns by their names in the file; the others, which nobody reads, are 0."""
    zeros = np.zeros(len(halos["id"]), int)
    there = [columns.get(name.lower(), zeros).tolist() for name in header[0].split()]
    lines = (
        " ".join(f"{v:.5e}" if isinstance(v, float) else str(v) for v in row)
        for row in zip(*there, strict=True)
    )
    text = "\n".join([*(f"#{line}" for line in header), *lines, ""]).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


def columns_of(halos, mass):
    place = dict(zip("xyz", map(texts, halos["place"].T), strict=True))
    motion = dict(zip(("vx", "vy", "vz"), map(texts, halos["velocity"].T), strict=True))
    return {"id": halos["id"], "upid": halos["upid"], **place, **motion, **mass}


def texts(values):
    # digits after the point, as catalogues have them
    return np.array([f"{value:.5f}" for value in values])


def write_text(path, halos, hubble):
    mass = halos["m"] / hubble
    sizes = {"m": mass, "mp": mass, "v": halos["v"], "r": halos["r"]}
    names = "ID DescID UPID Flags X Y Z VX VY VZ M V MP VMP R SM"
    write_lines(path, halos, [names, "M: Halo mass (Msun)"], columns_of(halos, sizes))


def write_hlist(path, halos, hubble):
    sizes = {"mvir": halos["m"], "mpeak": halos["m"], "vmax": halos["v"]}
    sizes |= {"rvir": halos["r"], "vmax@mpeak": halos["v"], "vpeak": halos["v"]}
    sizes |= {"scale": np.full(len(halos["id"]), SCALE)}
    names = (
        "scale id desc_id pid upid mvir rvir vmax x y z vx vy vz Mpeak Vpeak Vmax@Mpeak"
    )
    matter = UNIVERSES[hubble].omega_matter
    said = f"Omega_M = {matter:f}; Omega_L = {1 - matter:f}; h0 = {hubble:f}"
    header = [
        names,
        said,
        f"Full box size = {BOX:f} Mpc/h",
        "Mvir: Halo mass (Msun/h).",
    ]
    write_lines(path, halos, header, columns_of(halos, sizes))


def write_out(path, halos, hubble):
    sizes = {"mvir": halos["m"], "vmax": halos["v"], "rvir": halos["r"]}
    names = "ID DescID Mvir Vmax Vrms Rvir Rs Np X Y Z VX VY VZ JX JY JZ"
    matter = UNIVERSES[hubble].omega_matter
    said = f"Om = {matter:f}; Ol = {1 - matter:f}; h = {hubble:f}"
    header = [names, f"a = {SCALE:f}", said, f"Box size: {BOX:f} Mpc/h"]
    write_lines(
        path, halos, [*header, "Units: Masses in Msun / h"], columns_of(halos, sizes)
    )


FORMATS = {
    "sfr_catalog_0.800000.bin": write_binary,
    "sfr_catalog_0.800000.txt": write_text,
    "hlist_0.80000.list": write_hlist,
    "hlist_0.80000.list.gz": write_hlist,
    "out_71.list": write_out,
}
# nobody says it in the others
SILENT = ("sfr_catalog_0.800000.bin", "sfr_catalog_0.800000.txt")


def records_of(path, folder, **choices):
    reader = open_catalogue(path, **choices)
    halos = generate(
        reader, reader.chunks, 0, folder, name="halos", shard_size=1, actors=0
    )
    systems = CatalogueSystems.of([halos], HostSelection(minimum=12))
    return systems.records(4, range(systems.count))


@pytest.fixture(scope="module", params=[0.678, 0.7])
def written(request, tmp_path_factory):
    """Returns the records of the same halos, by the name of their file, and h."""
    folder = tmp_path_factory.mktemp("formats")
    hubble = request.param
    halos = listed(UNIVERSES[hubble])
    found = {}
    for name, write in FORMATS.items():
        write(folder / name, halos, hubble)
        given = {"universe": UNIVERSES[hubble], "box": BOX} if name in SILENT else {}
        found[name] = records_of(folder / name, folder / "sets", **given)
    return hubble, halos, found


@pytest.mark.slow
def test_all_files_have_the_same_hosts(written):
    _, halos, found = written
    first, *others = found.values()
    assert len(first) > 100
    central = halos["id"][halos["upid"] == -1]
    assert {*first.scalars["id"].tolist()} < {*central.tolist()}
    for other in others:
        np.testing.assert_array_equal(
            np.sort(other.scalars["id"]), np.sort(first.scalars["id"])
        )


@pytest.mark.slow
def test_all_files_have_the_same_features(written):
    _, _, found = written
    seen = {}
    for name, records in found.items():
        order = np.argsort(records.scalars["id"])
        seen[name] = features(records, Features(neighbours=12, seed=3))[order]
    first = seen.pop("sfr_catalog_0.800000.bin")
    # a host whose neighbours are too faint to be seen has none
    there = np.isfinite(first)
    assert there.mean() > 0.8
    for name, other in seen.items():
        np.testing.assert_array_equal(np.isfinite(other), there)
        # structs are in single precision: 3 pc in 40 Mpc/h, which turn a velocity a little
        difference = np.abs(10 ** other[there] - 10 ** first[there])
        assert (difference < 2e-4 * 10 ** first[there] + 0.1).all(), name


def test_h_decides_distances_and_the_flow_between_them(written):
    """By brute force: physical kpc are 1000 a/h Mpc/h, and expansion belongs to velocities."""
    hubble, halos, found = written
    matter = UNIVERSES[hubble].omega_matter
    expansion = 0.1 * hubble * np.sqrt(matter / SCALE**3 + 1 - matter)
    kpc = 1000 * SCALE / hubble
    for records in found.values():
        row = int(np.flatnonzero(halos["id"] == records.scalars["id"][5])[0])
        apart = halos["place"] - halos["place"][row]
        apart = kpc * (apart - BOX * np.round(apart / BOX))
        r = np.linalg.norm(apart, axis=1)
        near = np.flatnonzero((r > 0) & (r < 250))
        velocity = halos["velocity"][near] - halos["velocity"][row]
        v_r = np.sum(velocity * apart[near], axis=1) / r[near] + expansion * r[near]
        mine = slice(*records.offsets[5:7])
        order = np.argsort(records.particles["r"][mine])
        expected = np.argsort(r[near])
        np.testing.assert_allclose(
            records.particles["r"][mine][order], r[near][expected], atol=0.01
        )
        np.testing.assert_allclose(
            records.particles["v_r"][mine][order], v_r[expected], atol=0.05
        )
        assert records.scalars["log_m_vir"][5] == pytest.approx(
            np.log10(halos["m"][row] / hubble), abs=1e-5
        )
