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


# in units of today's
PAST = {"Vmax@Mpeak": 1.25, "Vacc": 1.5, "Vpeak": 1.75, "First_Acc_Vmax": 2.0}


@pytest.mark.parametrize(
    ("given", "v_infall", "v_peak"),
    [
        (("Vmax@Mpeak", "Vacc", "Vpeak"), 1.25, 1.75),
        (("Vpeak", "Vacc", "First_Acc_Vmax"), 1.5, 1.75),
        (("First_Acc_Vmax",), 2.0, 0.0),
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
            today = float(fields[names.index("vmax")])
            lines[number] = " ".join([*fields, *(str(PAST[n] * today) for n in given)])
    path.write_text("\n".join([*lines, ""]))
    found = open_catalogue(path, BOX).records(0, [0]).particles
    np.testing.assert_array_equal(found["v_infall"], v_infall * found["vmax"])
    np.testing.assert_array_equal(found["v_peak"], v_peak * found["vmax"])


def test_an_impossible_velocity_of_the_past_is_refused(
    tmp_path, halos, write_hlist, refused
):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(20))
    text = path.read_text()
    head, _, last = text.rstrip("\n").rpartition("\n")
    path.write_text(f"{head}\n{last.rpartition(' ')[0]} -7\n")
    refused("v_infall is -7.0, not between 0 and 10000", path, tmp_path)


def in_header(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("factor", [6.0, 0.1])
@pytest.mark.parametrize("name", ["Vmax@Mpeak", "Vpeak"])
def test_velocities_of_the_past_that_are_not_near_todays_are_refused(
    tmp_path, halos, write_hlist, refused, name, factor
):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(90))
    column = HLIST_NAMES.index(name)
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("#"):
            fields = line.split()
            fields[column] = str(factor * float(fields[column]))
            lines[number] = " ".join(fields)
    path.write_text("\n".join([*lines, ""]))
    refused("of its .* halos have a .* velocity .* of today's", path, tmp_path)


@pytest.mark.parametrize("name", ["Mvir", "x", "Vpeak"])
def test_a_column_that_is_named_twice_is_refused(
    tmp_path, halos, write_hlist, refused, name
):
    names = ["Jx" if one == "Jy" else one for one in HLIST_NAMES]
    names[names.index("Jz")] = name
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(9), names)
    refused("has several columns (?i:" + name + "): give each a name", path, tmp_path)


@pytest.mark.parametrize("after", ["[{}]", "({}),", ","])
def test_names_are_read_with_their_numbers_and_commas(
    tmp_path, halos, write_hlist, after
):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(9))
    _, _, rest = path.read_text().partition("\n")
    head = " ".join(name + after.format(i) for i, name in enumerate(HLIST_NAMES))
    path.write_text(f"#{head}\n{rest}")
    assert len(open_catalogue(path, BOX).records(0, [0]).particles["id"]) > 0


def test_two_lists_in_one_file_are_refused(tmp_path, halos, write_out, refused):
    text = write_out(tmp_path / "out_0.list", halos(9)).read_text()
    early = write_out(tmp_path / "out_1.list", halos(9), scale=0.5).read_text()
    path = tmp_path / "out_2.list"
    path.write_text(text + early)
    refused(
        "line 25 begins a list of the scale factor 0.5: .*; split it", path, tmp_path
    )
    # the same header again, as of parts that were joined, says nothing new
    path.write_text(text)
    open_catalogue(path, BOX).describe()


def test_identities_with_exponents_and_byte_order_marks_are_refused_by_name(
    tmp_path, halos, write_hlist, refused
):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(9))
    text = path.read_text()
    marked = tmp_path / "hlist_0.99999.list"
    marked.write_bytes(b"\xef\xbb\xbf" + text.encode())
    refused("begins with a byte-order mark: save it without one", marked, tmp_path)
    for order in ("le", "be"):
        marked.write_bytes(f"\ufeff{text}".encode(f"utf-16-{order}"))
        refused("is in UTF-16: convert it, `iconv -f UTF-16", marked, tmp_path)
    lines = text.splitlines()
    fields = lines[-1].split()
    fields[1] = "1.000000e+16"
    path.write_text("\n".join([*lines[:-1], " ".join(fields), ""]))
    refused("write identities as whole numbers", path, tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Units: Velocities in m / s", "velocities are in m/s"),
        (
            "Units: Positions in Mpc / h (physical)",
            r"positions are in Mpc/h\(physical\)",
        ),
        ("Units: Masses in log10(Msun/h)", r"masses are in log10\(Msun/h\)"),
        ("Units: Masses in M_sun", "masses are in Msun"),
        ("Units: Masses in 10^10 Msun h^-1", "masses are in 10\\^10Msun/h"),
        ("Box = 250", "250"),
    ],
)
def test_what_a_header_says_in_other_words_is_held_against_the_file(
    tmp_path, halos, write_hlist, refused, line, said
):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(9))
    in_header(path, "#Full box size = 64.000000 Mpc/h", f"#{line}")
    in_header(path, "#Mvir: Halo mass (Msun/h).\n", "")
    refused(said, path, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "Units: Masses in h^-1 Msun",
        "Units: Masses in Msun h^-1",
        "Units: Masses in M_sun/h",
        "Units: Velocities in km / s (physical, peculiar)",
        "Units: Velocities in km/s",
        "Units: Positions in comoving Mpc/h",
        "Box = 64.0 Mpc/h",
    ],
)
def test_usual_units_in_other_words_are_read(tmp_path, halos, write_hlist, line):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(9))
    in_header(path, "#Mvir: Halo mass (Msun/h).", f"#{line}")
    open_catalogue(path, BOX).describe()


def test_a_hubble_parameter_may_begin_with_its_point(tmp_path, halos, write_hlist):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(9))
    text = path.read_text()
    found = text.partition("h0 = ")[2].partition("\n")[0]
    in_header(path, f"h0 = {found}", "h = .7")
    assert open_catalogue(path, BOX).universe.hubble == 0.7


def with_scales(path, scales):
    """Writes the scale factors of the rows anew, row by row."""
    lines = path.read_text().splitlines()
    rows = [i for i, line in enumerate(lines) if not line.startswith("#")]
    for i, scale in zip(rows, scales, strict=True):
        lines[i] = f"{scale} {lines[i].partition(' ')[2]}"
    path.write_text("\n".join([*lines, ""]))
    return rows


@pytest.mark.parametrize("other", [0.9, 0.5, 0.996, 1.01])
@pytest.mark.parametrize("packed", [False, True])
def test_rows_of_another_snapshot_are_refused_by_their_line(
    tmp_path, halos, write_hlist, pack, refused, other, packed
):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(30))
    rows = with_scales(path, [1.0] * 17 + [other] * (len(halos(30)) - 17))
    line = rows[17] + 1
    said = f"line {line}: scale is {other}, not 1: lists of two snapshots are in one"
    refused(said, pack(path) if packed else path, tmp_path)


def test_two_hlists_in_one_file_are_refused_though_both_have_a_header(
    tmp_path, halos, write_hlist, refused
):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(12))
    early = write_hlist(tmp_path / "hlist_0.80000.list", halos(12))
    with_scales(early, [0.8] * len(halos(12)))
    path.write_text(path.read_text() + early.read_text())
    refused("scale is 0.8, not 1: .*; split it", path, tmp_path)


@pytest.mark.parametrize("scale", [0.0, 1.0002, 100.0])
def test_rounded_scales_and_what_is_none_are_read(tmp_path, halos, write_hlist, scale):
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(9))
    with_scales(path, [scale] * len(halos(9)))
    assert len(open_catalogue(path, BOX).records(0, [0]).particles["id"]) > 0


def test_an_hlist_without_scales_is_read(tmp_path, halos, write_hlist):
    names = ["unknown" if name == "scale" else name for name in HLIST_NAMES]
    path = write_hlist(tmp_path / "hlist_1.00000.list", halos(9), names)
    assert len(open_catalogue(path, BOX).records(0, [0]).particles["id"]) > 0
