"""Laws of Rockstar's halo lists: what they lack is said, and what they have is read."""

from dataclasses import replace

import numpy as np
import pytest

from halomass.catalogues.catalogue import open_catalogue
from halomass.catalogues.chunks import NOT_SAID

BOX, H = 64.0, 0.678


def test_halos_are_those_of_an_hlist_without_a_past(
    tmp_path, halos, write, write_out, read, same
):
    listed = [replace(h, mp=h.m) for h in halos(900)]
    hlist = read(open_catalogue(write("hlist", tmp_path, listed), BOX))
    path = write("rockstar", tmp_path, listed)
    found = read(open_catalogue(path))
    assert set(found["upid"]) == {NOT_SAID}
    same({**found, "upid": hlist["upid"]}, hlist)
    names = path.read_text().split("\n", 1)[0][1:].split()
    parents = write_out(tmp_path / "out_7.parents.list", listed, [*names, "PID"])
    same(read(open_catalogue(parents)), hlist)


def test_a_list_says_of_what_it_is(tmp_path, halos, write_out):
    path = write_out(tmp_path / "out_7.list", halos(90), h=0.7, scale=0.5, box=128.0)
    told = open_catalogue(path)
    assert (told.kind, told.scale, told.box) == ("rockstar", 0.5, 128.0)
    assert told.universe.hubble == 0.7
    assert "has no peak masses: those of today stand for them" in told.account


@pytest.mark.parametrize("name", ["Mvir", "Vmax", "DescID", "VX"])
def test_a_missing_column_is_named(name, tmp_path, halos, write_out, refused):
    path = write_out(tmp_path / "out_7.list", halos(9))
    names = path.read_text().split("\n", 1)[0][1:].split()
    write_out(path, halos(9), [one for one in names if one != name])
    refused(f"out_7.list has no column {name}: ", path, tmp_path)


def test_every_halo_twice_is_refused(tmp_path, halos, write_out, refused):
    listed = halos(500)
    again = [replace(h, id=h.id + 10**9) for h in listed]
    path = write_out(tmp_path / "out_7.list", [*listed, *listed])
    refused("halos are there more than once, such as", path, tmp_path)
    write_out(path, [*listed, *again])
    refused("more than once, with other identities", path, tmp_path)
    moved = [replace(h, pos=tuple(np.add(h.pos, [1e-4, 0, 0, 1, 0, 0]))) for h in again]
    write_out(path, [*listed, *moved])
    refused("lie within 20 kpc/h of another one", path, tmp_path)


def test_a_missing_half_is_refused(tmp_path, halos, write_out, refused):
    listed = halos(3000)
    for axis in range(3):
        kept = [h for h in listed if h.pos[axis] > BOX / 2]
        path = write_out(tmp_path / "out_7.list", kept)
        refused("a part of the box is missing; its octants", path, tmp_path)
