"""Laws of stars that are there twice: other epochs and methods too, but no star of a crowd."""

import numpy as np
import pytest
from astropy.table import Table, vstack

from mwlmc.observed.star_reading import read_stars

COUNT = 300
ARCSEC = 1 / 3600


def _halo(count=COUNT, motions=True):
    random = np.random.default_rng(61)
    columns = {
        "ra_deg": random.uniform(0, 360, count),
        "dec_deg": np.degrees(np.arcsin(random.uniform(-1, 1, count))),
        "distance_kpc": random.uniform(11, 60, count).round(3),
        "vlos_kms": random.normal(0, 130, count).round(2),
        "vlos_err_kms": np.full(count, 2.0),
    }
    for name in ("pmra", "pmdec") if motions else ():
        columns[f"{name}_masyr"] = random.normal(0, 1.5, count).round(4)
        columns[f"{name}_err_masyr"] = random.uniform(0.05, 0.1, count)
    return Table(columns)


def _crowd(count=400, width=0.02, distance=14.5, decimals=2):
    """Returns stars of a cluster, all at one distance, with close velocities and motions."""
    random = np.random.default_rng(62)
    columns = {
        "ra_deg": 98.0 + random.normal(0, width, count),
        "dec_deg": 33.0 + random.normal(0, width, count),
        "distance_kpc": np.full(count, distance),
        "vlos_kms": random.normal(-40, 5, count).round(1),
        "vlos_err_kms": np.full(count, 0.1),
    }
    for name in ("pmra", "pmdec"):
        columns[f"{name}_masyr"] = random.normal(-2, 0.2, count).round(decimals)
        columns[f"{name}_err_masyr"] = np.full(count, 0.1)
    return Table(columns)


def _left(table, folder):
    path = folder / "stars.csv"
    table.write(path, overwrite=True)
    stars = read_stars(path)
    rules = [one["rule"] for one in stars.checks.get("duplicates", ())]
    return len(stars), " & ".join(rules)


@pytest.mark.parametrize(
    ("motions", "speed", "factor", "shift", "rule"),
    [
        (True, 35.0, 1.0, 0.0, "proper motions, to the last digit"),
        (True, 35.0, 1.3, 0.4, "proper motions, to the last digit"),
        (True, 0.0, 1.7, 0.0, "proper motions, to the last digit"),
        (False, 42.0, 1.0, 0.0, "place and distance, to the last digit"),
        (False, 0.0, 1.7, 0.3, "place and velocity, to the last digit"),
    ],
)
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_another_epoch_or_method_is_the_same_star(
    tmp_path, motions, speed, factor, shift, rule, share
):
    table = _halo(motions=motions)
    again = table[: int(share * COUNT)].copy()
    again["vlos_kms"] += speed
    again["distance_kpc"] *= factor
    again["dec_deg"] += shift * ARCSEC
    assert _left(table, tmp_path) == (COUNT, "")
    left, said = _left(vstack([table, again]), tmp_path)
    assert left == COUNT
    assert rule in said


def test_where_stars_are_few_two_at_a_place_that_move_alike_are_one(tmp_path):
    table = _halo()
    random = np.random.default_rng(63)
    again = table.copy()
    again["vlos_kms"] += 28.0
    again["distance_kpc"] *= 0.8
    again["ra_deg"] += 0.3 * ARCSEC
    for name in ("pmra", "pmdec"):
        error = again[f"{name}_err_masyr"]
        again[f"{name}_masyr"] += random.normal(0, 1, COUNT) * error
    left, said = _left(vstack([table, again]), tmp_path)
    # three errors are exceeded by few
    assert left < COUNT + 20
    assert "where stars are few" in said
    # others move otherwise, or are at places that were rounded
    again["pmra_masyr"] += 2.0
    assert _left(vstack([table, again]), tmp_path) == (2 * COUNT, "")


@pytest.mark.parametrize("decimals", [1, 2, 3])
@pytest.mark.parametrize("count", [40, 400])
def test_stars_of_a_crowd_are_all_there(tmp_path, count, decimals):
    crowd = _crowd(count, decimals=decimals)
    assert _left(crowd, tmp_path) == (count, "")
    assert _left(vstack([_halo(), crowd]), tmp_path) == (COUNT + count, "")


def test_stars_of_a_galaxy_share_its_distance_and_not_their_velocity(tmp_path):
    galaxy = _crowd(500, width=0.5, distance=76.0)
    galaxy.remove_columns([name for name in galaxy.colnames if name.startswith("pm")])
    assert _left(galaxy, tmp_path) == (500, "")
    # a whole row again is one
    again = vstack([galaxy, galaxy[40:60]])
    assert _left(again, tmp_path)[0] == 500


def test_places_rounded_to_more_than_an_arcsecond_are_no_place(tmp_path):
    table = _halo(12)
    table["ra_deg"] = 210.0 + np.arange(12).round(2)
    table["dec_deg"] = 5.25
    for name in ("pmra", "pmdec"):
        table[f"{name}_err_masyr"] = 2.0
    pair = table[3:4].copy()
    pair["vlos_kms"] += 90.0
    pair["distance_kpc"] += 4.0
    pair["pmra_masyr"] += 0.3
    assert _left(vstack([table, pair]), tmp_path) == (13, "")
    # with all digits they are
    for column in ("ra_deg", "dec_deg"):
        table[column] += 0.0012345
        pair[column] += 0.0012345
    assert _left(vstack([table, pair]), tmp_path)[0] == 12


@pytest.mark.parametrize("share", [0.1, 1.0])
@pytest.mark.parametrize("moved", [0.0, 0.03])
def test_two_releases_call_a_star_differently(tmp_path, share, moved):
    """No survey tells two stars apart that are nearer than its resolution."""
    random = np.random.default_rng(64)
    table = _halo()
    again = table[: int(share * COUNT)].copy()
    again["dec_deg"] += moved * ARCSEC
    again["vlos_kms"] += random.normal(0, 2.0, len(again)).round(2)
    again["distance_kpc"] *= 1.3
    table["source_id"] = 10**15 + np.arange(COUNT)
    again["source_id"] = 10**17 + np.arange(len(again))
    assert _left(table, tmp_path) == (COUNT, "")
    assert _left(vstack([table, again]), tmp_path)[0] == COUNT


@pytest.mark.parametrize(("count", "decimals"), [(400, 8), (3000, 8), (400, 3)])
def test_stars_of_a_crowd_with_names_are_all_there(tmp_path, count, decimals):
    table = _crowd(count)
    for name in ("ra_deg", "dec_deg"):
        table[name] = table[name].round(decimals)
    table["source_id"] = 10**15 + np.arange(count)
    assert _left(table, tmp_path)[0] >= count - 1
