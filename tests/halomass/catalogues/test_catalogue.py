"""Files are written here byte by byte and line by line, never with the module's own layout."""

import hashlib
import struct
import tracemalloc
from dataclasses import dataclass, replace

import numpy as np
import pytest
from astropy import units

from halomass.catalogues import catalogue
from halomass.catalogues.catalogue import Catalogue, open_catalogue
from halomass.catalogues.chunks import HALOS
from orrery.execution.simulation import generate
from orrery.storage.card import CARD
from orrery.storage.work_log import WORK

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


def halos(count, seed=0):
    """Halos whose positions and velocities have few digits, so that text keeps them exactly."""
    random = np.random.default_rng(seed)
    positions = random.integers(0, 64 * 1024, (count, 3)) / 1024
    velocities = random.integers(-800, 800, (count, 3)) / 2
    peak = np.float32(10 ** random.uniform(7.5, 14, count)).astype(float)
    mass = np.float32(peak * random.uniform(0.1, 1, count)).astype(float)
    stars = np.float32(np.where(random.random(count) < 0.2, 0, peak / 100)).astype(
        float
    )
    flags = np.where(
        random.random(count) < 0.1, 16 + 4, random.choice([0, 1, 32], count)
    )
    return [
        Halo(
            10**16 + 3 * i,  # a float holds every other of them
            -1, 10**15 + i if i % 3 else -1, int(flags[i]),
            (*positions[i].tolist(), *velocities[i].tolist()), float(peak[i]), float(mass[i]),
            float(i % 500) + 0.5, float(stars[i]),
        )
        for i in range(count)
    ]  # fmt: skip


def write_binary(path, listed, order="<"):
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


def write_text(path, listed, header=TEXT_HEADER):
    lines = (
        f"{h.id} {h.descid} {h.upid} {h.flags} 0.100000 {' '.join(map(repr, map(float, h.pos)))} "
        f"{h.m / H!r} {h.v!r} {h.mp / H!r} 9.0 7.0 1 2 3 4 {h.sm!r} 1e3 2e-3 3 4 5 6e-3 -19.0\n"
        for h in listed
    )
    path.write_text(header + "".join(lines))
    return path


def write_hlist(path, listed, names=HLIST_NAMES, box=BOX, h0=H):
    header = " ".join(f"{name}({i})" for i, name in enumerate(names))
    lines = (
        " ".join(str(hlist_row(h).get(name.lower(), "0.5")) for name in names)
        for h in listed
    )
    rest = f"#Omega_M = 0.307000; Omega_L = 0.693000; h0 = {h0:f}\n"
    rest += f"#Full box size = {box:f} Mpc/h\n#Mvir: Halo mass (Msun/h).\n"
    path.write_text(f"#{header}\n{rest}" + "".join(f"{line}\n" for line in lines))
    return path


def hlist_row(halo):
    names = ("x", "y", "z", "vx", "vy", "vz")
    ids = {"id": halo.id, "desc_id": halo.descid, "upid": halo.upid}
    masses = {"mvir": halo.m, "mpeak": halo.mp, "vmax": halo.v}
    return {**ids, **masses, **dict(zip(names, map(float, halo.pos), strict=True))}


def write(kind, folder, listed):
    writers = {
        "binary": ("sfr_catalog_1.000000.bin", write_binary),
        "ascii": ("sfr_catalog_1.000000.txt", write_text),
        "hlist": ("hlist_1.00000.list", write_hlist),
    }
    name, writer = writers[kind]
    return writer(folder / name, listed)


def read(reader, size=1):
    """Returns the halos of all chunks, one after the other."""
    parts = [
        reader.records(0, range(first, first + size))
        for first in range(0, reader.chunks, size)
    ]
    return {
        column.name: np.concatenate([part.particles[column.name] for part in parts])
        for column in HALOS.particles
    }


def same(ours, theirs):
    assert set(ours) == set(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


KINDS = pytest.mark.parametrize("kind", ["binary", "ascii", "hlist"])


@KINDS
def test_halos_are_those_that_were_written(kind, tmp_path):
    listed = halos(500)
    ignored = kind != "hlist"
    kept = [h for h in listed if h.mp / H > 1e8 and not (ignored and h.flags & 16)]
    found = read(open_catalogue(write(kind, tmp_path, listed), BOX))
    for name in ("id", "descid", "upid"):
        np.testing.assert_array_equal(
            found[name], [getattr(h, name) for h in kept], name
        )
    for i, name in enumerate(("x", "y", "z", "vx", "vy", "vz")):
        np.testing.assert_array_equal(found[name], [h.pos[i] for h in kept], name)
    np.testing.assert_array_equal(found["vmax"], [h.v for h in kept])
    stars = [h.sm if ignored and h.sm > 0 else 1.0 for h in kept]
    for name, masses in (
        ("log_m_vir", [h.m / H for h in kept]),
        ("log_m_peak", [h.mp / H for h in kept]),
        ("log_m_star", stars),
    ):
        np.testing.assert_allclose(
            found[name], np.log10(masses), rtol=2e-7, err_msg=name
        )
    assert {name: str(values.dtype) for name, values in found.items()} == {
        column.name: column.dtype for column in HALOS.particles
    }


def test_three_readers_give_the_same_halos(tmp_path):
    listed = [replace(h, flags=0, sm=0.0) for h in halos(2000, seed=1)]
    binary, text, hlist = (
        read(open_catalogue(write(kind, tmp_path, listed), BOX))
        for kind in ("binary", "ascii", "hlist")
    )
    same(binary, hlist)
    for name in set(binary) - {"log_m_vir", "log_m_peak"}:
        np.testing.assert_array_equal(binary[name], text[name], name)
    for name in (
        "log_m_vir",
        "log_m_peak",
    ):  # the text was divided by h before it was written
        np.testing.assert_allclose(binary[name], text[name], rtol=2e-7)


def test_a_larger_limit_keeps_fewer_halos(tmp_path):
    path = write("binary", tmp_path, halos(500))
    everything = read(open_catalogue(path, BOX))
    massive = read(open_catalogue(path, BOX, log_m_peak=11.0))
    chosen = everything["log_m_peak"] > 11
    same(massive, {name: values[chosen] for name, values in everything.items()})


@KINDS
def test_chunks_change_nothing(kind, tmp_path):
    path = write(kind, tmp_path, halos(12_000, seed=2))
    whole = open_catalogue(path, BOX, memory=1000.0)
    small = [open_catalogue(path, BOX, memory=memory) for memory in (2.0, 2.7, 5.3)]
    assert whole.chunks == 1
    assert all(reader.chunks > 1 for reader in small)
    for reader in small:
        same(read(reader), read(whole))
        rows = [reader.records(0, [i]).scalars["rows"][0] for i in range(reader.chunks)]
        assert sum(rows) == 12_000
    same(read(small[0], size=3), read(whole))


def test_lines_of_any_length_fall_into_one_chunk(tmp_path):
    listed = halos(3000, seed=3)
    path = write("ascii", tmp_path, listed)
    lines = path.read_text().splitlines(keepends=True)
    padded = [line.replace(" ", " " * (1 + i % 40)) for i, line in enumerate(lines)]
    path.write_text("".join(padded).replace("\n", "\r\n"))
    uneven = read(open_catalogue(path, BOX, memory=2.0))
    same(uneven, read(open_catalogue(write_text(tmp_path / "a_1.0.txt", listed), BOX)))


def test_lines_that_begin_where_a_chunk_does_are_read_once(tmp_path):
    listed = halos(1500, seed=3)
    path = write_text(tmp_path / "sfr_catalog_1.000000.txt", listed, "")
    expected = read(open_catalogue(path, BOX))
    path.write_text("".join(f"{line:<499}\n" for line in path.read_text().splitlines()))
    reader = open_catalogue(path, BOX, memory=2.0)
    assert reader.describe()["chunk_bytes"] % 500 == 0
    assert [reader.records(0, [i]).scalars["rows"][0] for i in range(4)] == [
        400,
        400,
        400,
        300,
    ]
    same(read(reader), expected)


def test_columns_are_found_by_name(tmp_path):
    listed = halos(300, seed=4)
    expected = read(open_catalogue(write("hlist", tmp_path, listed), BOX))
    for names in (
        [*HLIST_NAMES[:3], "Tidal_Force", "Tidal_ID", *HLIST_NAMES[3:]],
        HLIST_NAMES[::-1],
        [name.replace("mvir", "Mvir") for name in HLIST_NAMES],
    ):
        same(
            read(
                open_catalogue(write_hlist(tmp_path / "b_1.0.list", listed, names), BOX)
            ),
            expected,
        )
    text = write("ascii", tmp_path, listed)
    expected = read(open_catalogue(text, BOX))
    lines = [
        line.split()
        for line in text.read_text().splitlines()
        if not line.startswith("#ID:")
    ]
    moved = [" ".join([*line[:20], "A_UV" if line[0] == "#ID" else "0.3", *line[20:]])
             for line in lines if line[0] not in ("#X", "#M:")]  # fmt: skip
    other = tmp_path / "sfr_catalog_0.500000.txt"
    other.write_text("\n".join([*moved, ""]))
    same(read(open_catalogue(other, BOX)), expected)


def test_text_without_a_header_has_the_released_order(tmp_path):
    listed = halos(300, seed=5)
    expected = read(open_catalogue(write("ascii", tmp_path, listed), BOX))
    same(
        read(open_catalogue(write_text(tmp_path / "b_1.0.txt", listed, ""), BOX)),
        expected,
    )


def test_positions_over_the_edge_are_wrapped(tmp_path):
    listed = [replace(halos(1)[0], flags=0, mp=1e12, pos=(x, 1.0, 2.0, 0, 0, 0))
              for x in (-0.25, 0.0, -1e-30, 63.75, 64.0, 64.5)]  # fmt: skip
    found = read(open_catalogue(write("binary", tmp_path, listed), BOX))
    np.testing.assert_array_equal(found["x"], [63.75, 0, 0, 63.75, 0, 0.5])


def test_a_chunk_beyond_the_last_is_empty(tmp_path):
    reader = open_catalogue(write("ascii", tmp_path, halos(50)), BOX)
    records = reader.records(0, range(3))
    assert reader.chunks == 1
    assert list(records.scalars["rows"]) == [50, 0, 0]
    assert len(set(records.offsets[1:])) == 1


def test_units_are_those_of_the_columns(tmp_path):
    column = next(c for c in HALOS.particles if c.name == "x")
    assert units.Unit(column.unit).to(units.Mpc) == pytest.approx(1 / H)


# --- what is known of a file ------------------------------------------------------------------


def test_a_catalogue_knows_what_it_is(tmp_path):
    path = write_binary(tmp_path / "sfr_catalog_0.744123.bin", halos(30_000))
    reader = open_catalogue(path, BOX, memory=2.0)
    told = reader.describe()
    assert (told["kind"], told["scale"], told["box"]) == ("binary", 0.744123, BOX)
    assert (told["file"], told["bytes"]) == (path.name, 30_000 * 128)
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert told["columns"]["sm"] == 100
    assert (
        open_catalogue(path, BOX, memory=3.0).describe()["chunk_bytes"]
        > told["chunk_bytes"]
    )


@KINDS
def test_the_checksum_is_that_of_the_whole_file(kind, tmp_path):
    path = write(kind, tmp_path, halos(8000))
    reader = open_catalogue(path, BOX, memory=2.0)
    assert reader.chunks > 1
    before = reader.describe()["sha256"]
    assert before == hashlib.sha256(path.read_bytes()).hexdigest()
    write(kind, tmp_path, halos(8000, seed=1))
    assert (
        reader.describe()["sha256"]
        == hashlib.sha256(path.read_bytes()).hexdigest()
        != before
    )


def test_where_a_file_lies_does_not_matter(tmp_path):
    (tmp_path / "other").mkdir()
    told = [open_catalogue(write("hlist", folder, halos(100)), BOX).describe()
            for folder in (tmp_path, tmp_path / "other")]  # fmt: skip
    assert told[0] == told[1]


# --- memory, processes -------------------------------------------------------------------------


def traced_peak(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def fill(reader, folder, **choices):
    choices = {"actors": 0, "shard_size": 1, **choices}
    return generate(reader, reader.chunks, 0, folder, name="halos", **choices)


@KINDS
def test_a_file_ten_times_the_limit_stays_within_it(kind, tmp_path):
    listed = halos(2000, seed=6)
    path = write(kind, tmp_path, listed)
    small = path.read_bytes()
    with path.open("ab") as file:
        while file.tell() < 21e6:
            file.write(small)
    reader = open_catalogue(path, BOX, memory=2.0)
    fill(open_catalogue(write(kind, tmp_path / "..", listed), BOX), tmp_path / "warm")
    made = []
    peak = traced_peak(lambda: made.append(fill(reader, tmp_path / "sets")))
    assert path.stat().st_size > 10 * 2e6
    assert peak < 2e6
    kept = [made[0].records(shard).scalars["kept"][0] for shard in made[0].shards]
    assert sum(kept) > 1e4


def contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if path.name not in (WORK, CARD)
    }


@pytest.mark.slow
def test_actors_give_the_same_bytes(tmp_path):
    reader = open_catalogue(
        write("ascii", tmp_path, halos(20_000, seed=7)), BOX, memory=2.0
    )
    assert reader.chunks > 4
    made = [fill(reader, tmp_path / f"{n}", actors=n) for n in (0, 1, 2)]
    assert (
        contents(made[0].folder) == contents(made[1].folder) == contents(made[2].folder)
    )


# --- what is refused ---------------------------------------------------------------------------


def refused(message, path, folder, error=ValueError, **choices):
    """Asserts that a dataset of a file is refused, and that nothing was written."""
    with pytest.raises(error, match=message):
        fill(open_catalogue(path, **{"box": BOX, **choices}), folder / "sets")
    assert not (folder / "sets").exists()


def test_a_missing_file_is_named(tmp_path):
    refused(
        r"no file .*nowhere_1\.0\.bin",
        tmp_path / "nowhere_1.0.bin",
        tmp_path,
        FileNotFoundError,
    )


@KINDS
def test_an_empty_file_is_refused(kind, tmp_path):
    path = write(kind, tmp_path, halos(3))
    path.write_bytes(b"")
    refused(f"{path.name} is empty", path, tmp_path)


@pytest.mark.parametrize("over", [1, 64, 127])
def test_half_a_struct_is_refused(over, tmp_path):
    path = write("binary", tmp_path, halos(10))
    path.write_bytes(path.read_bytes()[: 9 * 128 + over])
    refused(
        f"{9 * 128 + over} bytes, {over} more than whole structs.*fetch it again",
        path,
        tmp_path,
    )


def test_swapped_bytes_are_recognised(tmp_path):
    path = write_binary(tmp_path / "sfr_catalog_1.000000.bin", halos(200), ">")
    refused("is big-endian.*write it again in little-endian", path, tmp_path)


@pytest.mark.parametrize("flags", [0, 1])
def test_swapped_bytes_are_recognised_by_one_halo(flags, tmp_path):
    listed = [replace(halos(1)[0], flags=flags)]
    path = write_binary(tmp_path / "sfr_catalog_1.000000.bin", listed, ">")
    refused("is big-endian", path, tmp_path)


def test_other_bytes_are_no_catalogue(tmp_path):
    path = tmp_path / "sfr_catalog_1.000000.bin"
    text = write("hlist", tmp_path, halos(200)).read_bytes()
    for content in (text[: 128 * 50], bytes(128 * 50)):
        path.write_bytes(content)
        refused("is no UniverseMachine catalogue: the flags and masses", path, tmp_path)


def test_structs_are_no_text(tmp_path):
    path = write_binary(tmp_path / "sfr_catalog_1.000000.txt", halos(4000))
    refused("ends in the middle of a line", path, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\0") + b"\n")
    refused(
        "no end of a line within 65536 bytes.*choose another kind",
        path,
        tmp_path,
        memory=2.0,
    )


@pytest.mark.parametrize("kind", ["ascii", "hlist"])
def test_half_a_line_is_refused(kind, tmp_path):
    path = write(kind, tmp_path, halos(40))
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    refused("ends in the middle of a line", path, tmp_path)
    path.write_bytes(whole[:-30] + b"\n")
    number = whole.count(b"\n")
    refused(f"line {number} has .* fields instead of", path, tmp_path)


@pytest.mark.parametrize("kind", ["ascii", "hlist"])
@pytest.mark.parametrize("damage", ["few", "many", "word", "hole"])
def test_a_damaged_line_is_named_wherever_it_is(kind, damage, tmp_path):
    path = write(kind, tmp_path, halos(6000))
    lines = path.read_text().splitlines()
    words = lines[5000].split()
    lines[5000] = {
        "few": " ".join(words[:-1]),
        "many": " ".join([*words, "3"]),
        "word": " ".join(["x" if i == 5 or word == words[-5] else word
                          for i, word in enumerate(words)]),
        "hole": lines[5000].replace(" ", "\0 "),
    }[damage]  # fmt: skip
    lines[5000] = lines[5000] if damage != "word" else " ".join(["abc"] * len(words))
    path.write_text("\n".join([*lines, ""]))
    reason = {"few": "fields instead of", "many": "fields instead of"}.get(
        damage, "cannot be read"
    )
    refused(f"line 5001 .*{reason}", path, tmp_path, memory=2.0)


@pytest.mark.parametrize("name", ["Mpeak", "mvir", "upid", "vx"])
def test_a_missing_column_of_an_hlist_is_named(name, tmp_path):
    names = [n for n in HLIST_NAMES if n != name]
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(20), names)
    refused(f"hlist_1.00000.list has no column {name}: ", path, tmp_path)


def test_missing_columns_of_a_text_are_named(tmp_path):
    header = TEXT_HEADER.replace(" UPID", " Pid").replace(" SM ", " Stars ")
    path = write_text(tmp_path / "sfr_catalog_1.000000.txt", halos(20), header)
    refused("has no column upid, sm: ", path, tmp_path)


def test_an_hlist_without_names_is_refused(tmp_path):
    path = write("hlist", tmp_path, halos(20))
    path.write_text(path.read_text().partition("\n")[2])
    refused(r"no header with the names of its columns", path, tmp_path)


@KINDS
def test_a_position_outside_of_the_box_is_refused(kind, tmp_path):
    path = write(kind, tmp_path, halos(500))
    refused(
        r"x is 54\.4\d+, outside of the box of 25 Mpc/h",
        path,
        tmp_path,
        **foreign(kind, path, 25),
    )


def foreign(kind, path, box):
    """Returns the choices with which a file is taken for one of another box."""
    if kind == "hlist":
        path.write_text(path.read_text().replace("box size = 64", f"box size = {box}"))
    return {"box": float(box)}


@KINDS
def test_a_box_that_is_not_filled_is_refused(kind, tmp_path):
    path = write(kind, tmp_path, halos(4000))
    choices = foreign(kind, path, 160)
    refused(
        r"reach only to 6[34]\.?\d* Mpc/h .*in a box of 160", path, tmp_path, **choices
    )


def test_an_hlist_of_another_simulation_is_refused(tmp_path):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(20), box=250.0)
    refused(r"its header says a box of \[Mpc/h\] 250\.0+, not 64", path, tmp_path)
    write_hlist(path, halos(20), h0=0.7)
    refused(r"its header says h = 0\.70+, not 0\.678", path, tmp_path)
    write_hlist(path, halos(20), h0=0.6777)
    assert open_catalogue(path, BOX).chunks == 1


@KINDS
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["m", "mp", "pos"])
def test_what_is_not_finite_is_refused(kind, wrong, name, tmp_path):
    listed = halos(4200)
    value = (wrong, *listed[4100].pos[1:]) if name == "pos" else wrong
    listed[4100] = replace(listed[4100], flags=0, **{name: value})
    path = write(kind, tmp_path, listed)
    before = path.read_bytes().count(b"#") if kind != "binary" else 0
    place = "row 4100" if kind == "binary" else f"line {before + 4101}"
    column = "x" if name == "pos" else name
    refused(f"{place}: {column} is {wrong}, not finite", path, tmp_path, memory=2.0)
    if kind != "hlist":  # halos that do not count may hold anything
        listed[4100] = replace(listed[4100], flags=16)
        assert open_catalogue(write(kind, tmp_path, listed), BOX).describe()


def test_a_mass_of_nothing_is_refused(tmp_path):
    listed = halos(10)
    listed[3] = replace(listed[3], flags=0, mp=1e11, m=0.0)
    refused("row 3: m is 0.0, though", write("binary", tmp_path, listed), tmp_path)


@KINDS
def test_a_file_without_massive_halos_is_refused(kind, tmp_path):
    path = write(kind, tmp_path, [replace(h, mp=1e6, m=1e6) for h in halos(10)])
    refused(r"none of its 10 halos has a peak mass above 10\^8 Msun", path, tmp_path)


def test_a_header_alone_is_refused(tmp_path):
    refused("none of its 0 halos", write("ascii", tmp_path, []), tmp_path)


def test_file_names_without_scale_or_kind_are_refused(tmp_path):
    path = write_binary(tmp_path / "halos_1.0.dat", halos(10))
    refused(r"does not end with \.bin, \.txt, \.list", path, tmp_path)
    assert open_catalogue(path, BOX, kind="binary").scale == 1.0
    path = write_binary(tmp_path / "halos.bin", halos(10))
    refused("has no scale factor", path, tmp_path)
    assert open_catalogue(path, BOX, scale=0.5).scale == 0.5


@pytest.mark.parametrize(
    ("choice", "message"),
    [({"box": 0.0}, "box .* 0.0"), ({"box": np.nan}, "box .* nan"), ({"scale": 1.5}, "scale 1.5"),
     ({"memory": 1.0}, "memory .* 1.0 must lie between 2 and"), ({"kind": "fits"}, "kind 'fits'"),
     ({"log_m_peak": np.nan}, "log_m_peak nan")],
)  # fmt: skip
def test_choices_out_of_range_are_named(choice, message, tmp_path):
    refused(message, write("binary", tmp_path, halos(10)), tmp_path, **choice)


def test_a_file_is_read_once_for_its_checksum(tmp_path, monkeypatch):
    reader = open_catalogue(write("binary", tmp_path, halos(100)), BOX)
    first = reader.describe()
    monkeypatch.setattr(Catalogue, "halos", None)
    assert reader.describe() == first
    assert catalogue._survey.cache_info().hits > 0
