"""Catalogues of a few halos, written byte by byte and never with the layout of the readers."""

import gzip
import struct
from dataclasses import dataclass

import numpy as np
import pytest

from halomass.catalogues.catalogue import open_catalogue
from halomass.catalogues.chunks import HALOS
from orrery.execution.simulation import generate

BOX, H = 64.0, 0.678


TEXT_HEADER = (
    "#ID DescID UPID Flags Uparent_Dist X Y Z VX VY VZ M V MP VMP R Rank1 Rank2 RA RARank SM ICL "
    "SFR Obs_SM Obs_SFR SSFR SM/HM Obs_UV\n"
    "#ID: Unique halo ID\n"
    "#X Y Z: halo position (comoving Mpc/h)\n"
    "#M: Halo mass (Bryan & Norman 1998 virial mass, Msun)\n"
)


HLIST = (
    "scale id desc_scale desc_id num_prog pid upid desc_pid phantom sam_mvir mvir rvir rs vrms "
    "mmp? scale_of_last_MM vmax x y z vx vy vz Jx Jy Jz Spin Rs_Klypin Mvir_all M200b A[x] "
    "b_to_a(500c) A[x](500c) Macc Mpeak Vacc Vpeak Vmax@Mpeak"
)


HLIST_NAMES = HLIST.split()


@dataclass(frozen=True)
class Halo:
    """A halo as the binary form has it: masses in Msun/h, stars in Msun."""

    id: int
    descid: int
    upid: int
    flags: int
    pos: tuple[float, ...]
    mp: float
    m: float
    v: float
    sm: float


def hlist_row(halo):
    names = ("x", "y", "z", "vx", "vy", "vz")
    ids = {"id": halo.id, "desc_id": halo.descid, "upid": halo.upid}
    masses = {"mvir": halo.m, "mpeak": halo.mp, "vmax": halo.v, "scale": 1.0}
    past = {"vacc": 1.25 * halo.v, "vpeak": 1.5 * halo.v, "vmax@mpeak": 1.25 * halo.v}
    places = dict(zip(names, map(float, halo.pos), strict=True))
    return {**ids, **masses, **past, **places}


def make_halos(count, seed=0):
    """Halos whose positions and velocities have few digits, so that text keeps them exactly."""
    random = np.random.default_rng(seed)
    positions = random.integers(0, 64 * 1024, (count, 3)) / 1024
    velocities = random.integers(-800, 800, (count, 3)) / 2
    peak = np.float32(10 ** random.uniform(7.5, 14, count)).astype(float)
    # of each three the largest is the host of the others
    peak = peak[np.lexsort((-peak, np.arange(count) // 3))]
    mass = np.float32(peak * random.uniform(0.1, 1, count)).astype(float)
    stars = np.float32(np.where(random.random(count) < 0.2, 0, peak / 100)).astype(
        float
    )
    flags = np.where(
        random.random(count) < 0.1, 16 + 4, random.choice([0, 1, 32], count)
    )
    # subhalos lie in their hosts, and move as they do
    first = np.arange(count) - np.arange(count) % 3
    virial = 146 * np.cbrt(mass / 1e12)  # [km/s]
    reach = 0.2 * np.cbrt(mass[first, None] / 1e12)  # [Mpc/h] of a virial radius
    within = np.round(1024 * reach * random.uniform(-0.9, 0.9, (count, 3))) / 1024
    among = np.round(2 * virial[first, None] * random.normal(0, 0.7, (count, 3))) / 2
    lies_in = (np.arange(count) % 3 > 0)[:, None]
    positions = np.where(lies_in, (positions[first] + within) % 64, positions)
    velocities = np.where(lies_in, velocities[first] + among, velocities)
    turns = np.maximum(np.round(2.4 * virial) / 2, 0.5)
    places = np.concatenate([positions, velocities], axis=1)
    columns = (flags, places, peak, mass, turns, stars)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        Halo(
            10**16 + 3 * i,  # a float holds every other of them
            -1, 10**16 + 3 * (i - i % 3) if i % 3 else -1,
            flag, tuple(place), mp, m, v, sm,
        )
        for i, (flag, place, mp, m, v, sm) in enumerate(rows)
    ]  # fmt: skip


def make_write_binary(path, listed, order="<"):
    floats = [
        (
            0.1,
            *h.pos,
            9,
            8,
            h.mp,
            h.m,
            h.v,
            7,
            *(1, 2, 3, 4, 5),
            h.sm,
            1,
            2,
            3,
            4,
            -19.0,
            0.0,
        )
        for h in listed
    ]
    path.write_bytes(
        b"".join(
            struct.pack(f"{order}qqqi25f", h.id, h.descid, h.upid, h.flags, *values)
            for h, values in zip(listed, floats, strict=True)
        )
    )
    return path


def make_write_text(path, listed, header=TEXT_HEADER):
    lines = (
        f"{h.id} {h.descid} {h.upid} {h.flags} 0.100000 {' '.join(map(repr, map(float, h.pos)))} "
        f"{h.m / H!r} {h.v!r} {h.mp / H!r} 9.0 7.0 1 2 3 4 {h.sm!r} 1e3 2e-3 3 4 5 6e-3 -19.0\n"
        for h in listed
    )
    path.write_text(header + "".join(lines))
    return path


def make_write_hlist(path, listed, names=HLIST_NAMES, box=BOX, h0=H):
    header = " ".join(f"{name}({i})" for i, name in enumerate(names))
    titles = [name.lower() for name in names]
    rows = map(hlist_row, listed)
    lines = (" ".join(str(row.get(title, "0.5")) for title in titles) for row in rows)
    rest = f"#Omega_M = 0.307000; Omega_L = 0.693000; h0 = {h0:f}\n"
    rest += f"#Full box size = {box:f} Mpc/h\n#Mvir: Halo mass (Msun/h).\n"
    path.write_text(f"#{header}\n{rest}" + "".join(f"{line}\n" for line in lines))
    return path


OUT = (
    "ID DescID Mvir Vmax Vrms Rvir Rs Np X Y Z VX VY VZ JX JY JZ Spin rs_klypin Mvir_all M200b "
    "M200c M500c M2500c Xoff Voff spin_bullock b_to_a c_to_a A[x] A[y] A[z] b_to_a(500c) "
    "c_to_a(500c) A[x](500c) A[y](500c) A[z](500c) T/|U| M_pe_Behroozi M_pe_Diemer "
    "Halfmass_Radius"
)


OUT_NAMES = OUT.split()


def make_write_out(path, listed, names=OUT_NAMES, box=BOX, h=H, scale=1.0):
    """Writes halos as Rockstar does; with a column PID, as its `find_parents` does."""
    header = (
        f"#{' '.join(names)}\n#a = {scale:f}\n#Om = 0.307000; Ol = 0.693000; h = {h:f}\n"
        "#FOF linking length: 0.280000\n#Unbound Threshold: 0.500000; FOF Refinement Threshold: "
        "0.700000\n#Particle mass: 1.55000e+08 Msun/h\n"
        f"#Box size: {box:f} Mpc/h\n#Force resolution assumed: 0.001 Mpc/h\n"
        "#Units: Masses in Msun / h\n#Units: Positions in Mpc / h (comoving)\n"
        "#Units: Velocities in km / s (physical, peculiar)\n"
        "#Units: Halo Distances, Lengths, and Radii in kpc / h (comoving)\n"
        "#Units: Angular Momenta in (Msun/h) * (Mpc/h) * km/s (physical)\n"
        "#Rockstar Version: 0.99.9-RC3+\n"
    )
    rows = [
        hlist_row(halo) | {"descid": halo.descid, "pid": halo.upid} for halo in listed
    ]
    titles = [name.lower() for name in names]
    lines = (" ".join(str(row.get(title, "0.5")) for title in titles) for row in rows)
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return path


def make_pack(path):
    """Returns a file as gzip packs it, beside it."""
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 6))
    return packed


def make_write(kind, folder, listed):
    if kind.endswith(".gz"):
        return make_pack(make_write(kind.removesuffix(".gz"), folder, listed))
    writers = {
        "rockstar": ("out_7.list", make_write_out),
        "binary": ("sfr_catalog_1.000000.bin", make_write_binary),
        "ascii": ("sfr_catalog_1.000000.txt", make_write_text),
        "hlist": ("hlist_1.00000.list", make_write_hlist),
    }
    name, writer = writers[kind]
    return writer(folder / name, listed)


def make_read(reader, size=1):
    """Returns the halos of all chunks, one after the other."""
    parts = [
        reader.records(0, range(first, first + size))
        for first in range(0, reader.chunks, size)
    ]
    return {
        column.name: np.concatenate([part.particles[column.name] for part in parts])
        for column in HALOS.particles
    }


def make_same(ours, theirs):
    assert set(ours) == set(theirs)
    # only hlists need to say who survived: the other forms have dropped remnants
    for name in set(ours) - {"v_infall", "v_peak"}:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


def make_fill(reader, folder, **choices):
    choices = {"actors": 0, "shard_size": 1, **choices}
    return generate(reader, reader.chunks, 0, folder, name="halos", **choices)


def make_refused(message, path, folder, error=ValueError, **choices):
    """Asserts that a dataset of a file is refused, and that nothing was written."""
    with pytest.raises(error, match=message):
        make_fill(open_catalogue(path, **{"box": BOX, **choices}), folder / "sets")
    assert not (folder / "sets").exists()


@pytest.fixture(scope="session")
def halos():
    return make_halos


@pytest.fixture(scope="session")
def write_binary():
    return make_write_binary


@pytest.fixture(scope="session")
def write_text():
    return make_write_text


@pytest.fixture(scope="session")
def write_hlist():
    return make_write_hlist


@pytest.fixture(scope="session")
def write_out():
    return make_write_out


@pytest.fixture(scope="session")
def pack():
    return make_pack


@pytest.fixture(scope="session")
def write():
    return make_write


@pytest.fixture(scope="session")
def read():
    return make_read


@pytest.fixture(scope="session")
def same():
    return make_same


@pytest.fixture(scope="session")
def fill():
    return make_fill


@pytest.fixture(scope="session")
def refused():
    return make_refused
