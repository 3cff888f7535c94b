"""Laws of stars that are together: satellites are named, and a halo's own stars never are."""

import numpy as np
import pytest
from astropy.table import Table

from mwlmc.observed.binned_table import load_binned
from mwlmc.observed.options import StarSelection
from mwlmc.observed.satellite_members import note_satellites
from mwlmc.sky import frames
from mwlmc.sky.binning import QUADRANTS

# l, b [deg], distance [kpc], v_gsr, its dispersion [km/s], and the size on the sky [deg]
SATELLITES = {
    "LMC": (280.5, -32.9, 50.0, 65.0, 30.0, 3.0),
    "Draco": (86.4, 34.7, 76.0, -90.0, 9.0, 0.2),
    "around l = 0": (0.0, -60.0, 80.0, 60.0, 9.0, 0.2),
    "at the pole": (0.0, 90.0, 90.0, -40.0, 9.0, 0.2),
}


def _satellite(name, count=60):
    random = np.random.default_rng(5)
    l, b, distance, v_gsr, dispersion, size = SATELLITES[name]  # noqa: E741
    centre = frames.direction(*np.radians([l, b]))
    towards = centre + np.radians(size) * random.normal(size=(count, 3))
    towards /= np.linalg.norm(towards, axis=1)[:, None]
    place = distance * random.normal(1.0, 0.08, (count, 1)) * towards
    axes = frames.GALACTIC_TO_GALACTOCENTRIC.T
    velocity = random.normal(v_gsr, dispersion, (count, 1)) * towards @ axes
    return place @ axes + frames.SUN_POSITION, velocity


def _warnings(stars):
    return note_satellites(stars, stars.rest_frame().v_gsr).checks.get("warnings", [])


def _halo(halo, count=1500):
    return [one[:count] for one in halo]


def test_stars_of_a_smooth_halo_are_of_no_satellite(observed_stars, halo):
    assert _warnings(observed_stars(*_halo(halo))) == []


@pytest.mark.slow
def test_many_stars_of_a_halo_in_one_field_are_of_no_satellite(observed_stars, halo):
    position, velocity = _halo(halo, 400)
    distance = np.linalg.norm(position, axis=1)[:, None]
    towards = [0.6, 0.0, 0.8] + 0.01 * np.random.default_rng(2).normal(size=(400, 3))
    assert _warnings(observed_stars(distance * towards, velocity)) == []


@pytest.mark.parametrize("name", SATELLITES)
def test_a_satellite_is_named_with_its_place_and_distance(observed_stars, halo, name):
    both = zip(_halo(halo), _satellite(name), strict=True)
    (said,) = _warnings(observed_stars(*map(np.concatenate, both)))
    velocity = float(said.split(" km/s of ")[1].split(",")[0])
    assert velocity == pytest.approx(SATELLITES[name][3], abs=30.0)
    distance = float(said.split(" kpc away")[0].rsplit(maxsplit=1)[-1])
    assert distance == pytest.approx(SATELLITES[name][2], rel=0.05)
    members = int(said.split()[0])
    assert 30 <= members <= 63


@pytest.mark.slow
def test_each_of_several_satellites_is_named(observed_stars, halo):
    parts = [_halo(halo), _satellite("Draco"), _satellite("LMC")]
    stars = observed_stars(*map(np.concatenate, zip(*parts, strict=True)))
    assert len(_warnings(stars)) == 2


@pytest.mark.slow
def test_a_binned_table_says_of_which_satellite_its_stars_are(
    observed_stars, halo, tmp_path
):
    both = zip(_halo(halo), _satellite("Draco"), strict=True)
    stars = observed_stars(*map(np.concatenate, both))
    columns = {
        "l_deg": np.degrees(stars.l),
        "b_deg": np.degrees(stars.b),
        "distance_kpc": stars.distance,
        "vlos_kms": stars.v_los,
    }
    path = tmp_path / "stars.csv"
    Table(columns).write(path)
    binning = QUADRANTS.select(("v_gsr",))
    selection = StarSelection(inner=30.0, outer=160.0)
    table = load_binned(path, binning, selection)
    said = table.provenance["checks"]["warnings"]
    assert any("simulated halos have none" in one for one in said)
