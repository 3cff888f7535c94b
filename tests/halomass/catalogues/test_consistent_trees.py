"""Laws of hlists: columns are found in the header, and so is another simulation."""

import numpy as np
import pytest

from halomass.catalogues.catalogue import open_catalogue

BOX = 64.0


HLIST = (
    "scale id desc_scale desc_id num_prog pid upid desc_pid phantom sam_mvir mvir rvir rs vrms "
    "mmp? scale_of_last_MM vmax x y z vx vy vz Jx Jy Jz Spin Rs_Klypin Mvir_all M200b A[x] "
    "b_to_a(500c) A[x](500c) Macc Mpeak Vacc Vpeak Vmax@Mpeak"
)


HLIST_NAMES = HLIST.split()


@pytest.mark.parametrize("name", ["Mpeak", "mvir", "upid", "vx"])
def test_a_missing_column_of_an_hlist_is_named(
    name, tmp_path, halos, write_hlist, refused
):
    names = [n for n in HLIST_NAMES if n != name]
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(20), names)
    refused(f"hlist_1.00000.list has no column {name}: ", path, tmp_path)


def test_an_hlist_without_names_is_refused(tmp_path, halos, write, refused):
    path = write("hlist", tmp_path, halos(20))
    path.write_text(path.read_text().partition("\n")[2])
    refused(r"no header with the names of its columns", path, tmp_path)


def test_an_hlist_of_another_simulation_is_refused(
    tmp_path, halos, write_hlist, refused
):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(20), box=250.0)
    refused(r"its header says a box of \[Mpc/h\] 250\.0+, not 64", path, tmp_path)
    write_hlist(path, halos(20), h0=0.6777)
    assert open_catalogue(path, BOX).chunks == 1


PAST = {"Vmax@Mpeak": 61.0, "Vacc": 62.0, "Vpeak": 63.0, "First_Acc_Vmax": 64.0}


@pytest.mark.parametrize(
    ("given", "v_infall", "v_peak"),
    [
        (("Vmax@Mpeak", "Vacc", "Vpeak"), 61.0, 63.0),
        (("Vpeak", "Vacc", "First_Acc_Vmax"), 62.0, 63.0),
        (("First_Acc_Vmax",), 64.0, 0.0),
        ((), 0.0, 0.0),
    ],
)
def test_velocities_of_the_past_are_read_where_an_hlist_has_them(
    tmp_path, halos, write_hlist, given, v_infall, v_peak
):
    names = [n for n in HLIST_NAMES if n not in PAST] + [*given]
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(20), names)
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("#"):
            fields = line.split()[: len(names) - len(given)]
            lines[number] = " ".join([*fields, *(str(PAST[n]) for n in given)])
    path.write_text("\n".join([*lines, ""]))
    found = open_catalogue(path, BOX).records(0, [0]).particles
    np.testing.assert_array_equal(found["v_infall"], np.float32(v_infall))
    np.testing.assert_array_equal(found["v_peak"], np.float32(v_peak))


def test_an_impossible_velocity_of_the_past_is_refused(
    tmp_path, halos, write_hlist, refused
):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(20))
    text = path.read_text()
    head, _, last = text.rstrip("\n").rpartition("\n")
    path.write_text(f"{head}\n{last.rpartition(' ')[0]} -7\n")
    refused("v_infall is -7.0, not between 0 and 10000", path, tmp_path)
