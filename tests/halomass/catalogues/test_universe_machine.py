"""Laws of the UniverseMachine: foreign, torn and byte-swapped files are recognised."""

from dataclasses import replace

import numpy as np
import pytest

from halomass.catalogues.catalogue import open_catalogue

BOX, H = 64.0, 0.678


TEXT_HEADER = (
    "#ID DescID UPID Flags Uparent_Dist X Y Z VX VY VZ M V MP VMP R Rank1 Rank2 RA RARank SM ICL "
    "SFR Obs_SM Obs_SFR SSFR SM/HM Obs_UV\n"
    "#ID: Unique halo ID\n"
    "#X Y Z: halo position (comoving Mpc/h)\n"
    "#M: Halo mass (Bryan & Norman 1998 virial mass, Msun)\n"
)


def test_text_without_a_header_has_the_released_order(
    tmp_path, halos, write_text, write, read, same
):
    listed = halos(300, seed=5)
    expected = read(open_catalogue(write("ascii", tmp_path, listed), BOX))
    same(
        read(open_catalogue(write_text(tmp_path / "b_1.0.txt", listed, ""), BOX)),
        expected,
    )


@pytest.mark.parametrize("over", [1, 64, 127])
def test_half_a_struct_is_refused(over, tmp_path, halos, write, refused):
    path = write("binary", tmp_path, halos(10))
    path.write_bytes(path.read_bytes()[: 9 * 128 + over])
    refused(
        f"{9 * 128 + over} bytes, {over} more than whole structs.*fetch it again",
        path,
        tmp_path,
    )


def test_swapped_bytes_are_recognised(tmp_path, halos, write_binary, refused):
    path = write_binary(tmp_path / "sfr_catalog_1.000000.bin", halos(200), ">")
    refused("is big-endian.*write it again in little-endian", path, tmp_path)


@pytest.mark.parametrize("flags", [0, 1])
def test_swapped_bytes_are_recognised_by_one_halo(
    flags, tmp_path, halos, write_binary, refused
):
    listed = [replace(halos(1)[0], flags=flags)]
    path = write_binary(tmp_path / "sfr_catalog_1.000000.bin", listed, ">")
    refused("is big-endian", path, tmp_path)


def test_other_bytes_are_no_catalogue(tmp_path, halos, write, refused):
    path = tmp_path / "sfr_catalog_1.000000.bin"
    text = write("hlist", tmp_path, halos(200)).read_bytes()
    for content in (text[: 128 * 50], bytes(128 * 50)):
        path.write_bytes(content)
        refused("is no UniverseMachine catalogue: the flags and masses", path, tmp_path)


@pytest.mark.parametrize("count", [3, 200, 1200])
@pytest.mark.parametrize("order", ["<", ">"])
def test_logarithms_of_masses_are_not_taken_for_swapped_bytes(
    count, order, tmp_path, halos, write_binary, refused
):
    listed = [
        replace(halo, m=np.log10(halo.m), mp=np.log10(halo.mp)) for halo in halos(count)
    ]
    path = write_binary(tmp_path / "sfr_catalog_1.000000.bin", listed, order)
    refused("masses are in Msun, not their logarithms", path, tmp_path)


def test_missing_columns_of_a_text_are_named(tmp_path, halos, write_text, refused):
    header = TEXT_HEADER.replace(" UPID", " Pid").replace(" SM ", " Stars ")
    path = write_text(tmp_path / "sfr_catalog_1.000000.txt", halos(20), header)
    refused("has no column upid, sm: ", path, tmp_path)
