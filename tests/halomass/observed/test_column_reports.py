"""How columns of satellites and neighbours are understood: all are named, and as readers do."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.column_reports import (
    is_neighbour_table,
    is_satellite_table,
    neighbour_report,
    satellite_report,
)
from halomass.observed.milky_way import read_satellites
from halomass.observed.neighbour_counts import NEIGHBOUR_COUNTS, neighbour_need
from halomass.observed.neighbour_tables import read_neighbours
from orrery.tables.bundled import find_table

COUNT = 12
NAMED = {"name": [f"S{i}" for i in range(COUNT)]}
RANDOM = np.random.default_rng(3)
SKY = {
    "ra_deg": RANDOM.uniform(0, 360, COUNT).round(4),
    "dec_deg": RANDOM.uniform(-80, 80, COUNT).round(4),
}
SEEN = {
    **SKY,
    "dist_kpc": RANDOM.uniform(30, 200, COUNT).round(2),
    "vlos_kms": RANDOM.normal(0, 120, COUNT).round(2),
    "pmra_masyr": RANDOM.normal(0, 0.2, COUNT).round(4),
    "pmdec_masyr": RANDOM.normal(0, 0.2, COUNT).round(4),
}
MODULI = 5 * np.log10(SEEN["dist_kpc"]) + 10
MAGNITUDES = RANDOM.uniform(-12, -2, COUNT).round(2)
PLACES = {a: RANDOM.normal(0, 60, COUNT).round(3) for a in ("x", "y", "z")}
VELOCITIES = {a: RANDOM.normal(0, 100, COUNT).round(3) for a in ("vx", "vy", "vz")}
RELATIVE = {**PLACES, **VELOCITIES}
_PLACE, _VELOCITY = (np.stack([*one.values()]) for one in (PLACES, VELOCITIES))
_R = np.linalg.norm(_PLACE, axis=0)
_V_R = (_PLACE * _VELOCITY).sum(axis=0) / _R
PROJECTED = {
    "r": _R,
    "v_r": _V_R,
    "v_t": np.sqrt((_VELOCITY**2).sum(axis=0) - _V_R**2),
}
RADIAL = {
    "r": RANDOM.uniform(20, 200, COUNT).round(2),
    "v_r": RANDOM.normal(0, 100, COUNT).round(3),
    "v_t": RANDOM.uniform(20, 200, COUNT).round(3),
}
M_STAR = {"m_star": 10 ** RANDOM.uniform(4, 9, COUNT)}
M_PEAK = {"m_peak": 10 ** RANDOM.uniform(9, 11, COUNT)}
VMAX = {"vmax": RANDOM.uniform(20, 90, COUNT).round(2)}


@pytest.fixture
def written(tmp_path):
    def write(columns, **meta):
        path = tmp_path / "host.ecsv"
        Table(columns, meta=meta).write(path, format="ascii.ecsv", overwrite=True)
        return path

    return write


# --- which kind a table is --------------------------------------------------------------

STARS = {
    "as Gaia's": {"source_id": range(COUNT), **SEEN},
    "red giants, with magnitudes": {**NAMED, **SEEN, "M_V": [-2.9] * COUNT},
    "with apparent ones": {**NAMED, **SEEN, "V0_mag": MODULI - 2.5},
    "at distances in pc": {**SKY, "dist_pc": [4e4] * COUNT, "V0": [16.5] * COUNT},
    "with masses of stars": {**SEEN, "mass": [0.8] * COUNT, "m_star": [0.8] * COUNT},
    "in Galactic coordinates": {"l": [1.0], "b": [2.0], "d_kpc": [9.0], "v_r": [1.0]},
    "with Galactocentric orbits": {**SEEN, **RELATIVE, **M_STAR},
    "orbits without line-of-sight": {**SKY, **RELATIVE, "mass": [0.8] * COUNT},
    "a magnitude called r": {**SEEN, "r": [17.0] * COUNT, "v_r": [9.0] * COUNT},
    "places by names of surveys": {
        "plug_ra": SKY["ra_deg"],
        "plug_dec": SKY["dec_deg"],
        "pmra": SEEN["pmra_masyr"],
        **RELATIVE,
        "mass": [0.8] * COUNT,
    },
    "masses alone": {"plug_ra": SKY["ra_deg"], "mass": [0.8] * COUNT},
    "words for magnitudes": {**SEEN, "M_V": ["--"] * COUNT},
}
SATELLITES = {
    "by stellar masses": {
        **NAMED,
        **SEEN,
        "log10_Mstar_ML1": (4.83 - MAGNITUDES) / 2.5,
    },
    "by magnitudes": {**NAMED, **SEEN, "M_V": MAGNITUDES},
    "without a velocity": {
        **NAMED,
        **SKY,
        "dist_kpc": [80.0] * COUNT,
        "M_V": MAGNITUDES,
    },
    "by apparent magnitudes": {**NAMED, **SEEN, "V0_mag": [12.0] * COUNT},
    "with places about the centre": {**NAMED, **SEEN, **PLACES, "M_V": MAGNITUDES},
}
NEIGHBOURS = {
    "in three axes": {**NAMED, **RELATIVE, **M_STAR},
    "by radial and tangential": {**NAMED, **RADIAL, **M_STAR},
    "without masses": RELATIVE,
    "without velocities": {**PLACES, **M_PEAK},
    "masses alone": M_PEAK,
    "with places on the sky too": {**SKY, **RELATIVE, **M_STAR},
}


@pytest.mark.parametrize("columns", STARS.values(), ids=STARS)
def test_stars_are_neither(columns):
    table = Table(columns)
    if columns is STARS["with Galactocentric orbits"]:
        del table["m_star"]  # of stars nobody gives such
    assert not is_satellite_table(table)
    assert not is_neighbour_table(table)


@pytest.mark.parametrize("columns", SATELLITES.values(), ids=SATELLITES)
def test_satellites_are_seen_on_the_sky_and_brighter_than_stars(columns):
    assert is_satellite_table(Table(columns))
    assert not is_neighbour_table(Table(columns))


@pytest.mark.parametrize("columns", NEIGHBOURS.values(), ids=NEIGHBOURS)
def test_neighbours_are_relative_to_their_host(columns):
    assert is_neighbour_table(Table(columns))
    assert not is_satellite_table(Table(columns))


@pytest.mark.parametrize("none", [99.0, -99.0, -999.0])
def test_numbers_for_no_magnitude_make_no_galaxies_of_stars(none):
    stars = {**SEEN, "M_V": [none, none, *[0.6] * (COUNT - 2)]}
    assert not is_satellite_table(Table(stars))


# --- satellites -------------------------------------------------------------------------


def test_each_column_of_satellites_is_named(written):
    more = {"M_V": MAGNITUDES, "V0_mag": MAGNITUDES + 19, "vlos_err": [1.0] * COUNT}
    path = written(
        {**NAMED, **SEEN, **more, "source": ["a paper"] * COUNT, "shape": MODULI}
    )
    head, *lines, last = satellite_report(path).lines
    assert head == "host.ecsv: satellites as seen from the Sun, 12 rows"
    told = {line.split(":")[0].strip(): line for line in lines}
    assert {*NAMED, *SEEN, *more, "source", "shape"} <= set(told)
    assert "[mas / yr, says its title] (proper motion along right" in told["pmra_masyr"]
    assert "not used, because M_V is there" in told["V0_mag"]
    assert "not used, because nobody says its unit" in told["vlos_err"]
    assert "kept as references" in told["source"]
    assert told["shape"].endswith("not understood")
    assert lines[-1] == f"{len(read_satellites(path))} of 12 rows can be used"
    assert last == neighbour_need(12)


def test_warnings_of_satellites_are_the_readers(written):
    columns = {**NAMED, **SEEN, "M_V": MAGNITUDES}
    columns["vlos_kms"] = [-999.0, 99.0, *SEEN["vlos_kms"][2:]]
    columns["dist_kpc"] = [*SEEN["dist_kpc"][:-1], 800.0]
    path = written(columns)
    report = satellite_report(path)
    lines = report.found
    warnings = read_satellites(path).warnings
    assert len(warnings) > 0
    assert [f"warning: {one}" for one in warnings] == [
        line for line in lines if line.startswith("warning: ")
    ]
    assert any("no v_los" in line for line in lines)
    assert lines[-1] == "9 of 12 rows can be used; beyond 250 kpc: 1"
    assert report.refusal.startswith("host.ecsv has too few neighbours")


def test_a_refusal_of_satellites_is_the_readers(written):
    path = written({**NAMED, **SEEN})
    with pytest.raises(ValueError, match="M_V") as refused:
        read_satellites(path)
    assert satellite_report(path).lines[-1] == f"cannot be used: {refused.value}"


# --- neighbours -------------------------------------------------------------------------


def _told(path):
    lines = neighbour_report(path).lines
    return {line.split(":")[0].strip(): line for line in lines[1:]}, lines


def test_each_column_of_neighbours_is_named(written):
    path = written({**NAMED, **RELATIVE, **M_STAR, "colour": MODULI}, vmax=91.7)
    told, lines = _told(path)
    assert {*NAMED, *RELATIVE, *M_STAR, "colour"} <= set(told)
    assert "[kpc, says nobody: assumed]" in told["x"]
    assert told["colour"].endswith("not understood")
    assert "not used" not in "".join(lines)
    usable = f"{len(read_neighbours(path))} of 12 rows can be used"
    assert lines[-2:] == [usable, neighbour_need(12)]


@pytest.mark.parametrize(
    ("columns", "meta", "title", "why"),
    [
        (RELATIVE | PROJECTED | M_STAR, {"vmax": 80}, "r", "because x, y, z are there"),
        (RADIAL | VELOCITIES | M_STAR, {"vmax": 80}, "vx", "because v_r and v_t are"),
        (RADIAL | {"x": [1.5] * COUNT} | M_STAR, {"vmax": 80}, "x", "not all three"),
        (
            RELATIVE | {"v_r": RADIAL["v_r"]} | M_STAR,
            {"vmax": 80},
            "v_r",
            "the other of",
        ),
        (
            RELATIVE | M_STAR | {"log_m_star": np.log10(M_STAR["m_star"])},
            {"vmax": 80},
            "m_star",
            "because log_m_star is there",
        ),
        (RELATIVE | M_STAR | VMAX, {"vmax": 80}, "vmax", "the table's metadata say it"),
        (
            RELATIVE | M_STAR | {"m": 3 * M_PEAK["m_peak"]},
            {"vmax": 80},
            "m",
            "because neighbours are ranked by m_star",
        ),
    ],
)
def test_what_is_not_used_is_said_with_the_reason(written, columns, meta, title, why):
    path = written(columns, **meta)
    told, _ = _told(path)
    assert f"not used, {why}" in told[title] or why in told[title]
    assert "not used" in told[title]


@pytest.mark.parametrize(
    ("more", "needed"),
    [
        (M_PEAK, ("m_peak",)),
        (M_PEAK | VMAX, ("m_peak", "vmax")),
        (
            M_STAR | VMAX | {"v_peak": 1.2 * VMAX["vmax"] + RADIAL["r"] / 20},
            ("vmax", "v_peak"),
        ),
        (M_STAR | M_PEAK, ("m_star", "m_peak")),
        (M_PEAK | {"m": 0.4 * M_PEAK["m_peak"]}, ("m_peak", "m")),
    ],
)
def test_what_changes_the_neighbours_is_not_called_useless(written, more, needed):
    path = written(RELATIVE | more, vmax=80.0)
    told, _ = _told(path)
    for title in needed:
        assert "not used" not in told[title]
        # and indeed the reader cannot do without it, or finds others
        rest = {name: values for name, values in more.items() if name != title}
        try:
            without = read_neighbours(written(RELATIVE | rest, vmax=80.0))
        except ValueError:
            continue
        found = read_neighbours(written(RELATIVE | more, vmax=80.0))
        assert found.provenance != without.provenance


def test_warnings_of_neighbours_are_the_readers(written):
    velocities = {**VELOCITIES, "vy": [99.0, *VELOCITIES["vy"][1:]]}
    velocities["vz"] = [*VELOCITIES["vz"][:-1], -9999.0]
    path = written({**NAMED, **PLACES, **velocities, **M_STAR}, vmax=80.0)
    _, lines = _told(path)
    warnings = read_neighbours(path).warnings
    assert len(warnings) > 0
    assert [f"warning: {one}" for one in warnings] == [
        line for line in lines if line.startswith("warning: ")
    ]
    assert any(line.startswith("vz: 1 rows have no vz") for line in lines)


@pytest.mark.parametrize(
    "columns", [RELATIVE | M_STAR, PLACES | M_PEAK, RELATIVE, {**M_PEAK}]
)
def test_a_refusal_of_neighbours_is_the_readers(written, columns):
    path = written(columns)
    with pytest.raises(ValueError, match=r"host\.ecsv") as refused:
        read_neighbours(path)
    lines = neighbour_report(path).lines
    assert lines[-1] == f"cannot be used: {refused.value}"
    assert len(lines) == len(columns) + 2


def test_a_simulation_is_known_by_its_halos(written):
    path = written(RELATIVE | M_PEAK, vmax=80.0)
    assert any("a simulation's true values" in line for line in _told(path)[1])


def test_the_bundled_table_is_one_of_neighbours():
    path = find_table(Path("milky_way_satellites.ecsv"))
    assert is_neighbour_table(Table.read(path))
    lines = neighbour_report(path).lines
    assert lines[-2:] == ["44 of 44 rows can be used", neighbour_need(44)]
    assert "not used" not in "".join(lines)


# --- how many neighbours are needed -----------------------------------------------------

SATELLITES = {**NAMED, **SEEN, "M_V": MAGNITUDES}
NEIGHBOURS = {**NAMED, **RELATIVE, **M_STAR}


@pytest.mark.parametrize(
    ("report", "columns"),
    [(satellite_report, SATELLITES), (neighbour_report, NEIGHBOURS)],
)
@pytest.mark.parametrize("count", [4, min(NEIGHBOUR_COUNTS) - 1])
def test_a_host_of_too_few_neighbours_is_refused(written, report, columns, count):
    few = {title: values[:count] for title, values in columns.items()}
    told = report(written(few, vmax=80.0))
    assert told.found[-1] == f"{count} of {count} rows can be used"
    assert told.refusal.startswith("host.ecsv has too few neighbours within 250 kpc")
    assert f"{count} of use where the ensembles need 10 or 25" in told.refusal
    assert "list fainter ones too" in told.refusal
    assert told.status == 1


@pytest.mark.parametrize(
    ("report", "columns"),
    [(satellite_report, SATELLITES), (neighbour_report, NEIGHBOURS)],
)
@pytest.mark.parametrize("count", [min(NEIGHBOUR_COUNTS), COUNT])
def test_a_host_of_enough_neighbours_is_told_for_which_ensembles(
    written, report, columns, count
):
    some = {title: values[:count] for title, values in columns.items()}
    told = report(written(some, vmax=80.0))
    assert told.status == 0
    assert told.lines[-1].startswith(
        "enough for the ensembles of 10 neighbours, not of 25"
    )
