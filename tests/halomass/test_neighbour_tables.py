"""Laws of plain tables: any way to write them down gives the same neighbours; gaps are named."""

from dataclasses import replace

import numpy as np
import pytest
from astropy import units
from astropy.table import Table

from halomass import cosmology, neighbour_tables, stellar_mass
from halomass.features import Features, NeighbourSet, features
from halomass.neighbour_tables import Environment, Neighbours, neighbours_table, observation

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
N = 40


@pytest.fixture(scope="module")
def halos():
    """Columns of subhalos within 200 kpc of their host."""
    random = np.random.default_rng(4)
    direction = random.normal(size=(3, N))
    position = direction / np.linalg.norm(direction, axis=0) * random.uniform(10, 200, N)
    velocity = random.normal(0, 120, (3, N))
    columns = dict(zip(("x", "y", "z"), position, strict=True))
    columns |= dict(zip(("vx", "vy", "vz"), velocity, strict=True))
    return {"m_peak": 10 ** random.uniform(8, 11, N), **columns}


def saved(folder, columns, meta=None, ending="ecsv"):
    path = folder / f"host.{ending}"
    table = Table(columns, meta=meta or {})
    formats = {"ecsv": "ascii.ecsv", "csv": "ascii.csv", "fits": "fits", "txt": "ascii"}
    table.write(path, format=formats[ending], overwrite=True)
    return path


def test_positions_and_velocities_become_orbits(halos, tmp_path):
    table = neighbours_table(saved(tmp_path, halos), **AROUND)
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


def test_a_turned_host_has_the_same_features(halos, tmp_path):
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = dict(halos)
    for names in (("x", "y", "z"), ("vx", "vy", "vz")):
        turned |= dict(zip(names, turn @ np.stack([halos[n] for n in names]), strict=True))
    values = [
        observation(neighbours_table(saved(tmp_path, c), **AROUND), Features()).value
        for c in (halos, turned)
    ]
    np.testing.assert_allclose(*values, atol=1e-9)


@pytest.mark.parametrize("ending", ["ecsv", "csv", "fits", "txt"])
def test_all_formats_say_the_same(halos, tmp_path, ending):
    one = neighbours_table(saved(tmp_path, halos), **AROUND)
    two = neighbours_table(saved(tmp_path, halos, ending=ending), **AROUND)
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
        "metres": {"M": halos["m_peak"] * units.Msun, **{n: halos[n] for n in "xyz"}, **metres},
        "spherical": {"mvir": halos["m_peak"], "r": r, "v_r": v_r, "v_t": v_t},
        "stars": {
            "log_m_star": stellar_mass.median_log_stellar_mass(log),
            **{n: halos[n] for n in (*"xyz", "vx", "vy", "vz")},
        },
    }


@pytest.mark.parametrize("words", ["log mass", "megaparsec", "metres", "spherical", "stars"])
def test_other_words_say_the_same(halos, tmp_path, words):
    columns = in_other_words(halos)[words]
    if words == "log mass":
        columns = {name: column for name, column in columns.items() if name != "m_peak"}
    one = neighbours_table(saved(tmp_path, halos), **AROUND)
    two = neighbours_table(saved(tmp_path, columns), **AROUND)
    np.testing.assert_allclose(one.orbits, two.orbits, rtol=1e-6)
    np.testing.assert_allclose(one.log_m_star, two.log_m_star)


@pytest.mark.parametrize(
    ("meta", "extra"),
    [
        ({"vmax": 80.0, "DNL": 900.0, "D14_Mpc": 12.0}, {}),
        ({"environment": AROUND}, {}),
        ({"dnl_kpc": 900.0, "d14_kpc": 12_000.0}, {"vmax": "of the largest"}),
        ({}, {"vmax": "of the largest", "DNL": 900.0, "D14": 12_000.0}),
    ],
    ids=["metadata", "nested", "both", "columns"],
)
def test_the_environment_is_found(halos, tmp_path, meta, extra):
    columns = dict(halos)
    for name, value in extra.items():
        columns[name] = np.full(N, 30.0 if name == "vmax" else value)
    if "vmax" in extra:
        columns["vmax"][np.argmax(halos["m_peak"])] = 80.0
    table = neighbours_table(saved(tmp_path, columns, meta))
    assert table.environment == Environment(**AROUND)


def test_options_come_before_the_table(halos, tmp_path):
    path = saved(tmp_path, halos, AROUND)
    assert neighbours_table(path, vmax=55.0).environment.vmax == 55.0


def test_a_distant_giant_is_no_satellite(halos, tmp_path):
    columns = {name: np.append(column, 1000.0) for name, column in halos.items()}
    columns["m_peak"][-1], columns["vmax"] = 1e13, np.append(np.full(N, 40.0), 400.0)
    table = neighbours_table(saved(tmp_path, columns, {"dnl": 900.0, "d14": 12_000.0}))
    assert len(table) == N
    assert table.environment.vmax == 40.0


def test_expansion_is_added_when_asked(halos, tmp_path):
    path = saved(tmp_path, halos)
    one, two = (neighbours_table(path, peculiar=p, **AROUND) for p in (False, True))
    np.testing.assert_allclose(two.orbits.v_r - one.orbits.v_r, 0.0678 * one.orbits.r)
    assert cosmology.hubble() == pytest.approx(0.0678)
    np.testing.assert_array_equal(one.orbits.v_t, two.orbits.v_t)


def test_a_written_table_is_read_again(halos, tmp_path):
    table = neighbours_table(saved(tmp_path, halos), **AROUND)
    neighbour_tables.write(table, tmp_path / "written.ecsv")
    again = neighbours_table(tmp_path / "written.ecsv")
    assert again.names == table.names
    assert again.environment == table.environment
    np.testing.assert_allclose(again.orbits, table.orbits, atol=1e-5)
    np.testing.assert_allclose(again.log_m_star, table.log_m_star, atol=1e-5)


def test_looked_at_without_errors_a_host_gives_its_own_features(halos, tmp_path):
    table = neighbours_table(saved(tmp_path, halos), **AROUND)
    for binning in (
        Features(errors=False, detectability=False),
        NeighbourSet(errors=False, detectability=False),
    ):
        x = features(neighbour_tables.as_records(table, 3), binning)
        np.testing.assert_allclose(x, np.tile(observation(table, binning).value, (3, 1)))


def test_each_look_has_its_own_errors(halos, tmp_path):
    table = neighbours_table(saved(tmp_path, halos), **AROUND)
    binning = Features(neighbours=10, detectability=False)
    x = features(neighbour_tables.as_records(table, 200), binning)
    assert np.isfinite(x).all()
    assert (x.std(axis=0) > 0).all()
    truth = observation(table, binning).value
    np.testing.assert_allclose(np.median(x[:, :10], axis=0), truth[:10], atol=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"m_peak": None}, r"no column with masses"),
        ({"x": None}, r"positions relative to the host"),
        ({"vy": None}, r"no column vy or v_y"),
        ({"m_peak": "log"}, r"no mass in Msun"),
        ({"m_peak": "nan"}, r"m_peak of 'row 3' is nan"),
        ({"vx": "nan"}, r"v_r of 'row 3' is nan"),
        ({"x": "text"}, r"column x must hold numbers in kpc"),
        ({"x": "seconds"}, r"column x must hold numbers in kpc"),
        ({"v_x": "double"}, r"both vx and v_x say vx"),
        ({"x": "host"}, r"r of 'row 3' is 0\.0.*no neighbour of itself"),
        ({"x": "parsec"}, r"none of 40 neighbours is within 250 kpc"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(halos, tmp_path, change, message):
    columns = {name: column.copy() for name, column in halos.items()}
    ((name, how),) = change.items()
    if how is None:
        columns.pop(name)
    elif how == "log":
        columns[name] = np.log10(columns[name])
    elif how == "nan":
        columns[name][2] = np.nan
    elif how == "text":
        columns[name] = ["far"] * N
    elif how == "seconds":
        columns[name] = columns[name] * units.s
    elif how == "double":
        columns[name] = columns["vx"]
    elif how == "host":
        for axis in "xyz":
            columns[axis][2] = 0.0
    else:
        columns["x"] = columns["x"] + 1e5
    with pytest.raises(ValueError, match=message):
        neighbours_table(saved(tmp_path, columns), **AROUND)


def test_a_missing_environment_is_named(halos, tmp_path):
    with pytest.raises(ValueError, match=r"does not say distance_larger, distance_cluster"):
        neighbours_table(saved(tmp_path, halos), vmax=80.0)
    with pytest.raises(ValueError, match=r"distance_cluster is -1"):
        neighbours_table(saved(tmp_path, halos), **AROUND | {"distance_cluster": -1.0})


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        neighbours_table(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="ends in"):
        neighbours_table(tmp_path / "host.xlsx")
    with pytest.raises(ValueError, match="no rows"):
        neighbours_table(saved(tmp_path, {"m": [], "r": []}))


def test_a_write_that_fails_leaves_the_old_file(halos, tmp_path, monkeypatch):
    table = neighbours_table(saved(tmp_path, halos), **AROUND)
    path = tmp_path / "kept.ecsv"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(neighbour_tables.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        neighbour_tables.write(table, path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_neighbours_are_ranked_by_stars(halos, tmp_path):
    table = neighbours_table(saved(tmp_path, halos), **AROUND)
    assert (np.diff(table.log_m_star) <= 0).all()
    backwards = table.keep(np.arange(N)[::-1])
    np.testing.assert_array_equal(
        observation(backwards, Features()).value, observation(table, Features()).value
    )


def test_tangential_velocities_are_lengths(halos, tmp_path):
    table = neighbours_table(saved(tmp_path, halos), **AROUND)
    with pytest.raises(ValueError, match="v_t of"):
        replace(table, orbits=table.orbits._replace(v_t=-table.orbits.v_t))
    assert isinstance(table, Neighbours)
