"""Laws of plain tables: any way to write them down gives the same neighbours; gaps are named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.table import Table

from halomass import cosmology, systems
from halomass.mock import stellar_mass, surroundings
from halomass.mock.mock_universe import MockUniverse
from halomass.observed import host_neighbours, neighbour_tables, survival
from halomass.observed.features import Features, NeighbourSet, features
from halomass.observed.host_neighbours import HostEnvironment, Neighbours, observation
from halomass.observed.neighbour_tables import read_neighbours
from orrery.storage import files

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
N = 40


@pytest.fixture(scope="module")
def halos():
    """Columns of subhalos within 200 kpc of their host."""
    random = np.random.default_rng(4)
    direction = random.normal(size=(3, N))
    position = (
        direction / np.linalg.norm(direction, axis=0) * random.uniform(10, 200, N)
    )
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


def test_a_turned_host_has_the_same_features(halos, tmp_path):
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
def test_all_formats_say_the_same(halos, tmp_path, ending):
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
def test_other_words_say_the_same(halos, tmp_path, words):
    columns = in_other_words(halos)[words]
    if words == "log mass":
        columns = {name: column for name, column in columns.items() if name != "m_peak"}
    one = read_neighbours(saved(tmp_path, halos), **AROUND)
    two = read_neighbours(saved(tmp_path, columns), **AROUND)
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
    table = read_neighbours(saved(tmp_path, columns, meta))
    assert table.environment == HostEnvironment(**AROUND)


def test_options_come_before_the_table(halos, tmp_path):
    path = saved(tmp_path, halos, AROUND)
    assert read_neighbours(path, vmax=55.0).environment.vmax == 55.0


def test_a_distant_giant_is_no_satellite(halos, tmp_path):
    columns = {name: np.append(column, 1000.0) for name, column in halos.items()}
    columns["m_peak"][-1] = 1e13
    columns["vmax"] = survival.median_v_peak(np.log10(columns["m_peak"]))
    table = read_neighbours(saved(tmp_path, columns, {"dnl": 900.0, "d14": 12_000.0}))
    assert len(table) == N
    assert table.environment.vmax == columns["vmax"][:N].max()


def test_expansion_is_added_when_asked(halos, tmp_path):
    path = saved(tmp_path, halos)
    one, two = (read_neighbours(path, peculiar=p, **AROUND) for p in (False, True))
    np.testing.assert_allclose(two.orbits.v_r - one.orbits.v_r, 0.0678 * one.orbits.r)
    assert cosmology.hubble() == pytest.approx(0.0678)
    np.testing.assert_array_equal(one.orbits.v_t, two.orbits.v_t)


def test_a_written_table_is_read_again(halos, tmp_path):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    neighbour_tables.write_neighbours(table, tmp_path / "written.ecsv")
    again = read_neighbours(tmp_path / "written.ecsv")
    assert again.names == table.names
    assert again.environment == table.environment
    np.testing.assert_allclose(again.orbits, table.orbits, atol=1e-5)
    np.testing.assert_allclose(again.log_m_star, table.log_m_star, atol=1e-5)


def test_looked_at_without_errors_a_host_gives_its_own_features(halos, tmp_path):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    for binning in (
        Features(errors=False, detectability=False),
        NeighbourSet(errors=False, detectability=False),
    ):
        x = features(host_neighbours.as_records(table, 3), binning)
        np.testing.assert_allclose(
            x, np.tile(observation(table, binning).value, (3, 1))
        )


def test_each_look_has_its_own_errors(halos, tmp_path):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    binning = Features(neighbours=10, detectability=False)
    x = features(host_neighbours.as_records(table, 200), binning)
    assert np.isfinite(x).all()
    assert (x.std(axis=0) > 0).all()
    truth = observation(table, binning).value
    np.testing.assert_allclose(np.median(x[:, :10], axis=0), truth[:10], atol=0.02)


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
        ({"x[parrots]": "unit"}, r"column x\[parrots\] must hold numbers in kpc"),
        ({"x": None}, r"positions relative to the host"),
        ({"vy": None}, r"no column vy or v_y"),
        ({"m_peak": "log"}, r"no mass in Msun"),
        ({"m_peak": "nan"}, r"m_peak of 'row 3' is nan"),
        ({"vx": "nan"}, r"v_r of 'row 3' is nan"),
        ({"x": "text"}, r"column x must hold numbers in kpc"),
        ({"x": "seconds"}, r"column x must hold numbers in kpc"),
        ({"v_x": "double"}, r"both vx and v_x say vx"),
        ({"x": "host"}, r"r of 'row 3' is 0\.0.*no neighbour of itself"),
        ({"x": "far"}, r"none of 40 neighbours is within 250 kpc"),
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


def test_a_missing_environment_is_named(halos, tmp_path):
    with pytest.raises(ValueError, match=r"does not say vmax"):
        read_neighbours(saved(tmp_path, halos))
    with pytest.raises(ValueError, match=r"distance_cluster is -1"):
        read_neighbours(saved(tmp_path, halos), **AROUND | {"distance_cluster": -1.0})


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        read_neighbours(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="ends in"):
        read_neighbours(tmp_path / "host.xlsx")
    with pytest.raises(ValueError, match="no rows"):
        read_neighbours(saved(tmp_path, {"m": [], "r": []}))


def test_a_write_that_fails_leaves_the_old_file(halos, tmp_path, monkeypatch):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    path = tmp_path / "kept.ecsv"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        neighbour_tables.write_neighbours(table, path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_neighbours_are_ranked_by_stars(halos, tmp_path):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    assert (np.diff(table.log_m_star) <= 0).all()
    backwards = table.keep(np.arange(N)[::-1])
    np.testing.assert_array_equal(
        observation(backwards, Features()).value, observation(table, Features()).value
    )


def test_tangential_velocities_are_lengths(halos, tmp_path):
    table = read_neighbours(saved(tmp_path, halos), **AROUND)
    with pytest.raises(ValueError, match="v_t of"):
        replace(table, orbits=table.orbits._replace(v_t=-table.orbits.v_t))
    assert isinstance(table, Neighbours)


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
    halos, tmp_path, ending, above, sign
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
def test_present_masses_have_many_names(halos, tmp_path, title):
    columns = {
        title if name == "m_peak" else name: column for name, column in halos.items()
    }
    one = read_neighbours(saved(tmp_path, columns), **AROUND)
    two = read_neighbours(saved(tmp_path, halos), **AROUND)
    np.testing.assert_allclose(one.log_m_star, two.log_m_star)
    assert one.warnings == ()


# --- tides ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stripped(halos):
    """Subhalos with what is left of their mass, and with velocities of which nothing is said."""
    random = np.random.default_rng(9)
    v_peak = survival.median_v_peak(np.log10(halos["m_peak"])) * 10 ** random.normal(
        0, 0.05, N
    )
    return {
        **halos,
        "v_peak": v_peak,
        "vmax": v_peak * random.uniform(0.4, 1.0, N),
        "m": halos["m_peak"] * 10 ** random.uniform(-2, 0, N),
    }


def ratios(c):
    bound = c["m"] / c["m_peak"]
    usual = 10 ** (1.679 + 0.293 * (np.log10(c["m_peak"]) - 10))
    return {
        "v_peak": c["vmax"] / c["v_peak"],
        "m_peak": c["vmax"] / usual,
        "m": 2**0.4 * bound**0.3 / (1 + bound) ** 0.4,
    }


BY = {
    "v_peak": ("v_peak", "vmax", "m_peak", "m"),
    "m_peak": ("vmax", "m_peak", "m"),
    "m": ("m_peak", "m"),
}


def chosen(columns, *more):
    return {n: columns[n] for n in ("x", "y", "z", "vx", "vy", "vz", *more)}


@pytest.mark.parametrize("threshold", [0.63, 0.70])
@pytest.mark.parametrize("best", BY)
def test_stripped_subhalos_are_left_out_by_the_best_columns(
    stripped, tmp_path, best, threshold
):
    path = saved(tmp_path, chosen(stripped, *BY[best]))
    table = read_neighbours(path, **AROUND, threshold=threshold)
    alive = ratios(stripped)[best] > threshold
    order = np.argsort(-np.where(alive, stripped["m_peak"], 0))[: alive.sum()]
    assert 0 < alive.sum() < N
    assert table.names == tuple(f"row {i + 1}" for i in order)
    median = stellar_mass.median_log_stellar_mass(np.log10(stripped["m_peak"][order]))
    np.testing.assert_allclose(table.log_m_star, median)
    selection = table.provenance["selection"]
    assert (selection["stripped"], selection["kept"]) == (N - alive.sum(), alive.sum())
    assert f"{N} rows" in table.summary
    assert f"{N - alive.sum()} dropped as stripped by tides" in table.summary
    assert f"not above {threshold:g}" in table.summary
    assert table.warnings == ()


def test_the_cut_is_that_of_the_mock_universe(stripped, tmp_path):
    path = saved(tmp_path, stripped)
    one, two = (
        read_neighbours(path, **AROUND),
        read_neighbours(path, **AROUND, threshold=0.7),
    )
    assert one.names == two.names
    assert MockUniverse().limits.threshold == survival.THRESHOLD


def test_without_a_threshold_all_survive(stripped, tmp_path):
    assert len(read_neighbours(saved(tmp_path, stripped), **AROUND, threshold=0.0)) == N
    with pytest.raises(ValueError, match="threshold 1"):
        read_neighbours(saved(tmp_path, stripped), **AROUND, threshold=1.0)


def test_peak_velocities_stand_for_peak_masses(stripped, tmp_path):
    columns = chosen(stripped, "vmax", "m") | {"PeakVmax[km/s]": stripped["v_peak"]}
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    rows = [int(name.split()[1]) - 1 for name in table.names]
    masses = 10 + (np.log10(stripped["v_peak"][rows]) - 1.679) / 0.293
    np.testing.assert_allclose(
        table.log_m_star, stellar_mass.median_log_stellar_mass(masses)
    )
    assert table.environment.vmax == AROUND["vmax"]
    np.testing.assert_allclose(
        survival.median_v_peak(survival.log_m_peak_of(stripped["v_peak"])),
        stripped["v_peak"],
    )


def test_stars_rank_those_that_survive(stripped, tmp_path):
    stars = np.random.default_rng(0).uniform(3, 9, N)
    table = read_neighbours(
        saved(tmp_path, {**stripped, "log_m_star": stars}), **AROUND
    )
    alive = ratios(stripped)["v_peak"] > survival.THRESHOLD
    np.testing.assert_allclose(table.log_m_star, np.sort(stars[alive])[::-1])


def test_peak_masses_alone_are_warned_of(stripped, tmp_path):
    for alone in ("m_peak", "v_peak"):
        table = read_neighbours(saved(tmp_path, chosen(stripped, alone)), **AROUND)
        assert len(table) == N - table.provenance["selection"]["light"] >= N - 1
        assert "give vmax too, or present masses" in table.summary
        (warning,) = table.warnings
        assert warning.startswith("peak masses alone")
        neighbour_tables.write_neighbours(table, tmp_path / "written.ecsv")
        assert read_neighbours(tmp_path / "written.ecsv").warnings == (warning,)


@pytest.mark.parametrize("more", [("m",), ("m", "vmax"), ("m", "v_peak")])
def test_present_masses_rank_where_peaks_are_unknown_or_cannot_be_cut(
    stripped, tmp_path, more
):
    table = read_neighbours(saved(tmp_path, chosen(stripped, *more)), **AROUND)
    order = np.argsort(-stripped["m"])
    assert table.names == tuple(f"row {i + 1}" for i in order)
    assert table.warnings == ()
    assert "stripped" not in table.provenance["selection"]


def test_neighbours_of_small_peak_mass_are_left_out_as_in_catalogues(
    stripped, tmp_path
):
    columns = stripped | {"m_peak": stripped["m_peak"] / 30, "m": stripped["m"] / 30}
    small = columns["m_peak"] <= 1e8
    for names in (("m_peak",), ("m_peak", "m")):
        table = read_neighbours(
            saved(tmp_path, chosen(columns, *names)), **AROUND, threshold=0.0
        )
        assert len(table) == N - small.sum()
        assert table.provenance["selection"]["light"] == small.sum() > 0
    alone = read_neighbours(saved(tmp_path, chosen(columns, "m")), **AROUND)
    assert len(alone) == N, "a present mass is no peak mass"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("vmax", np.nan, "vmax of 'row 3' is nan: give a speed above 0"),
        ("v_peak", 0.0, "v_peak of 'row 3' is 0: give a speed above 0"),
    ],
)
def test_speeds_that_are_none_are_named(stripped, tmp_path, name, value, message):
    columns = stripped | {name: np.where(np.arange(N) == 2, value, stripped[name])}
    with pytest.raises(ValueError, match=message):
        read_neighbours(saved(tmp_path, columns), **AROUND)


def test_a_table_of_which_nothing_is_left_is_refused(stripped, tmp_path):
    columns = stripped | {"vmax": stripped["vmax"] / 1000}
    with pytest.raises(ValueError, match=r"none of 40 subhalos .*check the units"):
        read_neighbours(saved(tmp_path, columns), **AROUND)


def test_the_largest_satellite_is_one_that_survives(stripped, tmp_path):
    path = saved(tmp_path, stripped, {"dnl": 900.0, "d14": 12_000.0})
    alive = ratios(stripped)["v_peak"] > survival.THRESHOLD
    largest = np.argmax(np.where(alive, stripped["m_peak"], 0))
    assert read_neighbours(path).environment.vmax == stripped["vmax"][largest]


# --- what is not said of the environment ----------------------------------------------------


def test_distances_that_nothing_says_are_typical_and_told(halos, tmp_path):
    table = read_neighbours(saved(tmp_path, halos, {"dnl": 900.0}), vmax=80.0)
    assert table.environment == HostEnvironment(80.0, 900.0, 17_900.0)
    assert table.provenance["environment_assumed"] == ["distance_cluster"]
    assert "The table does not say distance_cluster: typical" in table.summary
    neighbour_tables.write_neighbours(table, tmp_path / "written.ecsv")
    again = read_neighbours(tmp_path / "written.ecsv")
    assert again.provenance["environment_assumed"] == ["distance_cluster"]
    given = read_neighbours(tmp_path / "written.ecsv", distance_cluster=9000.0)
    assert "environment_assumed" not in given.provenance
    assert "does not say" not in given.summary


def test_typical_distances_are_those_of_hosts_of_the_mock():
    exponential = np.random.default_rng(0).standard_exponential((2, 1000))
    around = surroundings.nearest_larger_halos(
        np.full(1000, 12.2), systems.ISOLATION, exponential
    )
    for name, value in neighbour_tables.TYPICAL_ENVIRONMENT.items():
        assert 0.4 < np.mean(getattr(around, name) < value) < 0.6


def test_observed_satellites_are_taken_as_they_are():
    ours = Path(__file__).parents[3] / "datasets/observed/milky_way_satellites.ecsv"
    table, plain = read_neighbours(ours), Table.read(ours)
    assert len(table) == len(plain)
    assert table.provenance["selection"] == plain.meta["provenance"]["selection"]
    assert table.environment == HostEnvironment(91.7, 761.0, 17_000.0)
    assert table.warnings == ()
    assert not {"environment_assumed", "warnings"} & table.provenance.keys()
