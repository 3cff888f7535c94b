"""Laws of numbers that several rows share: none of these is measured, unless all are rounded so."""

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.milky_way import read_satellites
from halomass.observed.neighbour_tables import read_neighbours

AROUND = {"vmax": 80.0, "distance_larger": 900.0, "distance_cluster": 12_000.0}
ROWS = [3, 7, 12, 20, 30]
DECIMALS = {"x": 3, "y": 3, "z": 3, "vx": 2, "vy": 2, "vz": 2}


def rounded(halos, lost=0):
    return {
        name: values.round(DECIMALS[name] - lost) if name in DECIMALS else values
        for name, values in halos.items()
    }


def satellites(decimals, seed=3, count=44):
    random = np.random.default_rng(seed)
    columns = {
        "ra_deg": random.uniform(0, 360, count),
        "dec_deg": np.degrees(np.arcsin(random.uniform(-1, 1, count))),
        "dist_kpc": 20 * 10 ** random.uniform(0, 1, count),
        "vlos_kms": random.normal(0, 130, count),
        "pmra_masyr": random.normal(0, 0.5, count),
        "pmdec_masyr": random.normal(-0.3, 0.5, count),
        "M_V": random.uniform(-13, -2, count),
    }
    names = [f"Satellite {i}" for i in range(1, count + 1)]
    return {"name": names} | {
        name: values.round(decimals[name]) for name, values in columns.items()
    }


USUAL = {"ra_deg": 4, "dec_deg": 4, "dist_kpc": 2, "vlos_kms": 1}
USUAL |= {"pmra_masyr": 3, "pmdec_masyr": 3, "M_V": 2}
COARSE = {"ra_deg": 1, "dec_deg": 1, "dist_kpc": 0, "vlos_kms": 0}
COARSE |= {"pmra_masyr": 2, "pmdec_masyr": 2, "M_V": 1}


@pytest.mark.parametrize("value", [-1.0, 0.0, 50.0, 100.0, 7.77])
@pytest.mark.parametrize("column", ["x", "z", "vx", "vy"])
def test_neighbours_that_share_a_number_lack_it(halos, tmp_path, saved, column, value):
    columns = rounded(halos)
    columns[column][ROWS] = value
    table = read_neighbours(saved(tmp_path, columns), **AROUND)
    assert {f"row {row + 1}" for row in ROWS} == set(table.provenance["left_out"])
    [count] = table.provenance["missing"]
    assert (count["column"], count["rows"]) == (column, len(ROWS))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("vlos_kms", 0.0),
        ("vlos_kms", 50.0),
        ("vlos_kms", -100.0),
        ("pmra_masyr", -1.0),
        ("pmdec_masyr", 0.5),
        ("dist_kpc", 100.0),
        ("ra_deg", 50.0),
        ("dec_deg", 0.0),
    ],
)
def test_satellites_that_share_a_number_lack_it(tmp_path, column, value):
    columns = satellites(USUAL)
    columns[column][ROWS] = value
    path = tmp_path / "satellites.csv"
    Table(columns).write(path)
    found = read_satellites(path)
    assert set(found.provenance["left_out"]) == {columns["name"][row] for row in ROWS}
    [count] = found.provenance["missing"]
    assert (count["column"], count["rows"]) == (column, len(ROWS))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("decimals", [USUAL, COARSE])
def test_rounded_satellites_are_all_kept(tmp_path, seed, decimals):
    path = tmp_path / "satellites.csv"
    Table(satellites(decimals, seed, count=90)).write(path)
    assert "missing" not in read_satellites(path).provenance


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_rounded_neighbours_are_all_kept(halos, tmp_path, saved, lost):
    table = read_neighbours(saved(tmp_path, rounded(halos, lost)), **AROUND)
    assert "missing" not in table.provenance
