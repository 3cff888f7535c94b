"""Laws of plain tables: any way to write them down gives the same neighbours; gaps are named."""

import numpy as np
import pytest
from astropy import units

from halomass.mock import stellar_mass
from halomass.observed.features import Features
from halomass.observed.host_neighbours import observation
from halomass.observed.neighbour_tables import read_neighbours

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}


N = 40


def test_positions_and_velocities_become_orbits(halos, tmp_path, saved):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    order = np.argsort(-halos["m_peak"])
    position, velocity = (
        np.stack([halos[n] for n in names]) for names in ("xyz", ("vx", "vy", "vz"))
    )
    r = np.linalg.norm(position, axis=0)
    np.testing.assert_allclose(table.orbits.r, r[order])
    outward = (position * velocity).sum(axis=0) / r
    np.testing.assert_allclose(table.orbits.v_r, outward[order])
    moment = np.linalg.norm(np.cross(position.T, velocity.T), axis=1)
    np.testing.assert_allclose(table.orbits.v_t, (moment / r)[order])


def test_a_turned_host_has_the_same_features(halos, tmp_path, saved):
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = dict(halos)
    for names in (("x", "y", "z"), ("vx", "vy", "vz")):
        turned |= dict(
            zip(names, turn @ np.stack([halos[n] for n in names]), strict=True)
        )
    values = [
        observation(read_neighbours(saved(tmp_path, c), **AROUND), Features()).value
        for c in (halos, turned)
    ]
    np.testing.assert_allclose(*values, atol=1e-9)


@pytest.mark.parametrize("ending", ["ecsv", "csv", "fits", "txt"])
def test_all_formats_say_the_same(halos, tmp_path, ending, saved):
    one = read_neighbours(saved(tmp_path, halos), **AROUND)
    two = read_neighbours(saved(tmp_path, halos, ending=ending), **AROUND)
    np.testing.assert_allclose(one.orbits, two.orbits)
    np.testing.assert_allclose(one.log_m_star, two.log_m_star)


def in_other_words(halos):
    log = np.log10(halos["m_peak"])
    megaparsec = {f"{n}_Mpc": halos[n] / 1000 for n in "xyz"}
    metres = {n: halos[n] * 1000 * units.m / units.s for n in ("vx", "vy", "vz")}
    position, velocity = (
        np.stack([halos[n] for n in names]) for names in ("xyz", ("vx", "vy", "vz"))
    )
    r = np.linalg.norm(position, axis=0)
    v_r = (position * velocity).sum(axis=0) / r
    v_t = np.sqrt((velocity**2).sum(axis=0) - v_r**2)
    plain = {n: halos[n] for n in ("vx", "vy", "vz")}
    return {
        "log mass": {**halos, "log_m_peak": log} | {"m_peak": log},
        "megaparsec": {"Mpeak": halos["m_peak"], **megaparsec, **plain},
        "metres": {
            "M": halos["m_peak"] * units.Msun,
            **{n: halos[n] for n in "xyz"},
            **metres,
        },
        "spherical": {"mvir": halos["m_peak"], "r": r, "v_r": v_r, "v_t": v_t},
        "stars": {
            "log_m_star": stellar_mass.median_log_stellar_mass(log),
            **{n: halos[n] for n in (*"xyz", "vx", "vy", "vz")},
        },
    }


@pytest.mark.parametrize(
    "words", ["log mass", "megaparsec", "metres", "spherical", "stars"]
)
def test_other_names_and_units_give_the_same(halos, tmp_path, words, saved):
    columns = in_other_words(halos)[words]
    if words == "log mass":
        columns = {name: column for name, column in columns.items() if name != "m_peak"}
    one = read_neighbours(saved(tmp_path, halos), **AROUND)
    two = read_neighbours(saved(tmp_path, columns), **AROUND)
    np.testing.assert_allclose(one.orbits, two.orbits, rtol=1e-6)
    np.testing.assert_allclose(one.log_m_star, two.log_m_star)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"m_peak": None}, r"no column with masses"),
        (
            {"x": "near"},
            r"all distances .* below 10 kpc.*are these Mpc\? name the unit",
        ),
        (
            {"x": "distance"},
            r"r does not say where vx, vy, vz point to; add x, y, z .*v_r and v_t",
        ),
        ({"x[parrots]": "unit"}, r"host.ecsv: column 'x\[parrots\]' .* numbers in kpc"),
        ({"x": None}, r"positions relative to the host"),
        ({"vy": None}, r"no column vy or v_y"),
        ({"m_peak": "log"}, r"no mass in Msun"),
        ({"x": "text"}, r"host.ecsv: column 'x' .* numbers in kpc: row 1 has 'far'"),
        ({"x": "seconds"}, r"host.ecsv: column 'x' .* numbers in kpc"),
        ({"v_x": "double"}, r"\['vx', 'v_x'\] all give vx: keep one"),
        ({"x": "host"}, r"r of 'row 3' is 0\.0.*no neighbour of itself"),
        ({"x": "far"}, r"host.ecsv: none of 40 neighbours is within 250 kpc"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(halos, tmp_path, change, message, saved):
    columns = {name: column.copy() for name, column in halos.items()}
    ((name, how),) = change.items()
    if how is None:
        columns.pop(name)
    elif how == "log":
        columns[name] = np.log10(columns[name])
    elif how == "text":
        columns[name] = ["far"] * N
    elif how == "seconds":
        columns[name] = columns[name] * units.s
    elif how == "double":
        columns[name] = columns["vx"]
    elif how == "near":
        for axis in "xyz":
            columns[axis] = columns[axis] / 1000
    elif how == "distance":
        columns["r"] = np.linalg.norm([columns.pop(axis) for axis in "xyz"], axis=0)
    elif how == "unit":
        columns[name] = columns.pop("x")
    elif how == "host":
        for axis in "xyz":
            columns[axis][2] = 0.0
    else:
        columns["x"] = columns["x"] + 1e5
    with pytest.raises(ValueError, match=message):
        read_neighbours(saved(tmp_path, columns), **AROUND)


def test_other_files_are_refused(tmp_path, saved):
    with pytest.raises(FileNotFoundError, match="no file"):
        read_neighbours(tmp_path / "none.csv")
    (tmp_path / "host.xlsx").write_bytes(b"a")
    with pytest.raises(ValueError, match=r"host.xlsx: cannot read '.xlsx' files, only"):
        read_neighbours(tmp_path / "host.xlsx")
    with pytest.raises(ValueError, match="no rows"):
        read_neighbours(saved(tmp_path, {"m": [], "r": []}))


TITLES = {
    "m_peak": "Mpeak[Msun]",
    "x": "x [Mpc]",
    "y": "y_kpc",
    "z": "Z(kpc)",
    "vx": "Vx[km/s]",
}


@pytest.mark.parametrize("ending", ["csv", "txt", "dat"])
@pytest.mark.parametrize("above", ["", "# made by hand, in two words\n"])
@pytest.mark.parametrize("sign", ["", "#", "  # "])
def test_units_in_titles_and_titles_in_comments_are_read(
    halos, tmp_path, ending, above, sign, saved
):
    columns = {TITLES.get(name, name): column for name, column in halos.items()}
    columns["x [Mpc]"] = columns["x [Mpc]"] / 1000
    comma = "," if ending == "csv" else " "
    if comma == " " and not sign:  # without a comment's help, titles are words
        columns = {title.replace(" ", ""): column for title, column in columns.items()}
    rows = (
        comma.join(map(repr, row))
        for row in np.stack([*columns.values()], axis=1).tolist()
    )
    path = tmp_path / f"host.{ending}"
    path.write_text("\n".join((f"{above}{sign}{comma.join(columns)}", *rows)) + "\n")
    one, two = (
        read_neighbours(saved(tmp_path, halos), **AROUND),
        read_neighbours(path, **AROUND),
    )
    np.testing.assert_allclose(two.orbits, one.orbits)
    np.testing.assert_allclose(two.log_m_star, one.log_m_star)


@pytest.mark.parametrize("above", ["", "# x y z\n"])
def test_numbers_without_titles_are_refused(tmp_path, above):
    path = tmp_path / "host.txt"
    path.write_text(f"{above}1 2 3 4\n5 6 7 8\n")
    with pytest.raises(ValueError, match="titles for 4 columns"):
        read_neighbours(path)


@pytest.mark.parametrize(
    "title", ["Mtidal", "m_tidal", "mvir", "m_vir", "M", "M[Msun]"]
)
def test_present_masses_have_many_names(halos, tmp_path, title, saved):
    columns = {
        title if name == "m_peak" else name: column for name, column in halos.items()
    }
    one = read_neighbours(saved(tmp_path, columns), **AROUND)
    two = read_neighbours(saved(tmp_path, halos), **AROUND)
    np.testing.assert_allclose(one.log_m_star, two.log_m_star)
    assert one.warnings == ()


def test_places_in_a_box_are_not_relative_to_the_host(halos, tmp_path, saved):
    columns = halos | {n: 31.5 + halos[n] / 1000 for n in "xyz"}  # Mpc that nobody says
    with pytest.raises(ValueError, match=r"host.ecsv: .* on one side of the host: are"):
        read_neighbours(saved(tmp_path, columns), **AROUND)


def test_velocities_in_a_box_are_doubted(halos, tmp_path, saved):
    still = read_neighbours(saved(tmp_path, halos), **AROUND)
    moving = saved(tmp_path, halos | {"vx": halos["vx"] + 450.0})
    found = read_neighbours(moving, **AROUND).provenance["warnings"]
    (warning,) = set(found) - set(still.provenance["warnings"])
    assert "are vx, vy, vz relative to the host?" in warning


def test_logarithms_of_stellar_masses_need_their_name(halos, tmp_path, saved):
    logarithms = np.linspace(3.1, 9.4, len(halos["x"]))
    columns = {n: v for n, v in halos.items() if n != "m_peak"}
    with pytest.raises(ValueError, match=r"m_star of .* no mass in Msun; convert"):
        read_neighbours(saved(tmp_path, columns | {"m_star": logarithms}), **AROUND)
    named = saved(tmp_path, columns | {"log_m_star": logarithms})
    assert len(read_neighbours(named, **AROUND).names)
