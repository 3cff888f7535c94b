"""Files are written here byte by byte and line by line, never with the module's own layout."""

import hashlib
import tracemalloc
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from astropy import units

from halomass.catalogues import catalogue
from halomass.catalogues.catalogue import Catalogue, open_catalogue
from halomass.catalogues.chunks import HALOS
from halomass.catalogues.packing import file_bytes
from orrery.storage.card import CARD
from orrery.storage.work_log import WORK

BOX, H = 64.0, 0.678


KINDS = pytest.mark.parametrize("kind", ["binary", "ascii", "hlist"])


@KINDS
def test_halos_are_those_that_were_written(kind, tmp_path, halos, write, read):
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


def test_three_readers_give_the_same_halos(tmp_path, halos, write, read, same):
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


def test_a_larger_limit_keeps_fewer_halos(tmp_path, halos, write, read, same):
    path = write("binary", tmp_path, halos(500))
    everything = read(open_catalogue(path, BOX))
    massive = read(open_catalogue(path, BOX, log_m_peak=11.0))
    chosen = everything["log_m_peak"] > 11
    same(massive, {name: values[chosen] for name, values in everything.items()})


@pytest.mark.slow
@KINDS
def test_chunks_change_nothing(kind, tmp_path, halos, write, read, same):
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


def test_positions_over_the_edge_are_wrapped(tmp_path, halos, write, read):
    listed = [replace(halos(1)[0], flags=0, mp=1e12, pos=(x, 1.0, 2.0, 0, 0, 0))
              for x in (-0.25, 0.0, -1e-30, 63.75, 64.0, 64.5)]  # fmt: skip
    found = read(open_catalogue(write("binary", tmp_path, listed), BOX))
    np.testing.assert_array_equal(found["x"], [63.75, 0, 0, 63.75, 0, 0.5])


def test_a_chunk_beyond_the_last_is_empty(tmp_path, halos, write):
    reader = open_catalogue(write("ascii", tmp_path, halos(50)), BOX)
    records = reader.records(0, range(3))
    assert reader.chunks == 1
    assert list(records.scalars["rows"]) == [50, 0, 0]
    assert len(set(records.offsets[1:])) == 1


def test_units_are_those_of_the_columns(tmp_path):
    column = next(c for c in HALOS.particles if c.name == "x")
    assert units.Unit(column.unit).to(units.Mpc) == pytest.approx(1 / H)


@pytest.mark.slow
def test_a_catalogue_knows_what_it_is(tmp_path, halos, write_binary):
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


@pytest.mark.slow
@KINDS
def test_the_checksum_is_that_of_the_whole_file(kind, tmp_path, halos, write):
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


def test_where_a_file_lies_does_not_matter(tmp_path, halos, write):
    (tmp_path / "other").mkdir()
    told = [open_catalogue(write("hlist", folder, halos(100)), BOX).describe()
            for folder in (tmp_path, tmp_path / "other")]  # fmt: skip
    assert told[0] == told[1]


def traced_peak(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def many(halos):
    """As many halos as the largest file has: each takes its first ones."""
    return halos(164_000, seed=6)


@pytest.fixture(scope="module")
def written(many, write, pack, tmp_path_factory):
    """Returns a file of the first halos of a kind, written once; packed is one that is there."""
    folder = tmp_path_factory.mktemp("many")

    @cache
    def make(kind, count):
        if kind.endswith(".gz"):
            return pack(make(kind.removesuffix(".gz"), count))
        return write(kind, folder, many[:count])

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    ["binary", "ascii", pytest.param("hlist", marks=pytest.mark.slow), "ascii.gz"],
)
def test_a_file_ten_times_the_limit_stays_within_it(
    kind, tmp_path, many, write, written, fill
):
    counts = {"binary": 164_000, "ascii": 108_000, "hlist": 92_000, "ascii.gz": 108_000}
    path = written(kind, counts[kind])
    reader = open_catalogue(path, BOX, memory=2.0)
    small = write(kind, tmp_path, many[:2000])
    fill(open_catalogue(small, BOX), tmp_path / "warm")
    made = []
    peak = traced_peak(lambda: made.append(fill(reader, tmp_path / "sets")))
    assert file_bytes(path).size > 10 * 2e6
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
@pytest.mark.usefixtures("connected")
def test_actors_give_the_same_bytes(tmp_path, halos, write, fill):
    reader = open_catalogue(
        write("ascii", tmp_path, halos(20_000, seed=7)), BOX, memory=2.0
    )
    assert reader.chunks > 4
    made = [fill(reader, tmp_path / f"{n}", actors=n) for n in (0, 1, 2)]
    assert (
        contents(made[0].folder) == contents(made[1].folder) == contents(made[2].folder)
    )


def test_a_missing_file_is_named(tmp_path, refused):
    refused(
        r"no file .*nowhere_1\.0\.bin",
        tmp_path / "nowhere_1.0.bin",
        tmp_path,
        FileNotFoundError,
    )


@KINDS
def test_an_empty_file_is_refused(kind, tmp_path, halos, write, refused):
    path = write(kind, tmp_path, halos(3))
    path.write_bytes(b"")
    refused(f"{path.name} is empty", path, tmp_path)


@KINDS
def test_a_position_outside_of_the_box_is_refused(
    kind, tmp_path, halos, write, refused
):
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
def test_a_box_that_is_not_filled_is_refused(kind, tmp_path, halos, write, refused):
    path = write(kind, tmp_path, halos(4000))
    choices = foreign(kind, path, 160)
    refused(
        r"reach only to 6[34]\.?\d* Mpc/h .*in a box of 160", path, tmp_path, **choices
    )


@KINDS
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["m", "mp", "pos"])
def test_what_is_not_finite_is_refused(
    kind, wrong, name, tmp_path, halos, write, refused
):
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


@KINDS
@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("vx", -99999.0, "faster than any halo"),
        ("v", -1.0, "not between 0 and 10000"),
        ("m", 1e34, r"not between 0 and 1e\+17"),
        ("mp", -999.0, r"not between 0 and 1e\+17"),
        ("mp", 0.0, "like no halo's"),
        ("mp", 3e-25, "like no halo's"),
        ("m", 0.0, "though its peak mass is above the limit"),
        ("m", 0.01, "though its peak mass is above the limit"),
        ("v", 0.0, "though its peak mass is above the limit"),
    ],
)
def test_what_no_halo_has_is_refused(
    kind, column, value, reason, tmp_path, halos, write, refused
):
    listed = halos(60)
    before = listed[50]
    place = (*before.pos[:3], value, *before.pos[4:])
    change = {"pos": place} if column == "vx" else {column: value}
    listed[50] = replace(before, flags=0, **change)
    path = write(kind, tmp_path, listed)
    refused(rf"(row 50|line \d+): {column} is .*, {reason}", path, tmp_path)


@pytest.mark.parametrize("mass", [0.0, 2e-30, 0.4])
def test_a_halo_without_masses_is_none_if_it_has_a_velocity(
    mass, tmp_path, halos, write_binary, refused
):
    """Without either it may fill a place, and is left out like other small ones."""
    for velocity, is_refused in ((71.5, True), (0.0, False)):
        listed = halos(60)
        listed[20] = replace(listed[20], flags=0, m=mass, mp=mass, v=velocity)
        path = write_binary(tmp_path / "sfr_catalog_1.000000.bin", listed)
        if is_refused:
            refused("row 20: mp is .*, like no halo's", path, tmp_path)
        else:
            assert open_catalogue(path, BOX, part_of_box=True).describe()


@pytest.mark.slow
def test_halos_that_are_there_twice_are_refused(tmp_path, halos, write, refused):
    """In whatever chunks they are, and under whatever identity."""
    listed = [replace(h, flags=0) for h in halos(12_000, seed=8)]
    again = [*listed, listed[9000], replace(listed[9000], upid=-1)]
    path = write("binary", tmp_path, again)
    message = (
        rf"1 of its \d+ halos are there more than once.* id {listed[9000].id}, 3 times"
    )
    refused(message, path, tmp_path, memory=2.0)
    renamed = replace(listed[9000], id=17)
    path = write("binary", tmp_path, [*listed, renamed])
    message = rf"1 of .*other identities: those with id 17 and {listed[9000].id}"
    refused(message, path, tmp_path, memory=2.0)


def test_a_part_of_a_box_must_be_said_to_be_one(tmp_path, halos, write, fill, refused):
    kept = [h for h in halos(4000, seed=9) if h.pos[1] > 16]
    path = write("binary", tmp_path, kept)
    with pytest.raises(
        ValueError, match=r"no host with y from 0 to 4 Mpc/h: a part of"
    ):
        open_catalogue(path, BOX).describe()
    part = open_catalogue(path, BOX, part_of_box=True)
    assert len(fill(part, tmp_path / "sets").shards) == 1


def test_a_mass_of_nothing_is_refused(tmp_path, halos, write, refused):
    listed = halos(10)
    listed[3] = replace(listed[3], flags=0, mp=1e11, m=0.0)
    refused("row 3: m is 0.0, though", write("binary", tmp_path, listed), tmp_path)


@KINDS
def test_a_file_without_massive_halos_is_refused(kind, tmp_path, halos, write, refused):
    path = write(kind, tmp_path, [replace(h, mp=1e6, m=1e6) for h in halos(10)])
    refused(r"none of its 10 halos has a peak mass above 10\^8 Msun", path, tmp_path)


def test_a_header_alone_is_refused(tmp_path, write, refused):
    refused("none of its 0 halos", write("ascii", tmp_path, []), tmp_path)


def test_file_names_without_scale_or_kind_are_refused(
    tmp_path, halos, write_binary, refused
):
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
def test_choices_out_of_range_are_named(
    choice, message, tmp_path, halos, write, refused
):
    refused(message, write("binary", tmp_path, halos(10)), tmp_path, **choice)


def test_a_file_is_read_once_for_its_checksum(tmp_path, monkeypatch, halos, write):
    reader = open_catalogue(write("binary", tmp_path, halos(100)), BOX)
    first = reader.describe()
    monkeypatch.setattr(Catalogue, "halos", None)
    assert reader.describe() == first
    assert catalogue._survey.cache_info().hits > 0
