"""Laws of proper motions: they hold the Sun's motion once, whatever the satellites do."""

import numpy as np
import pytest
from astropy.table import Table

from halomass.observed.across_sky import AcrossSky
from halomass.observed.milky_way import read_satellites

SUN = np.array([120.0, -190.0, 105.0])
TITLES = {"pm_ra": "pmra_masyr", "pm_dec": "pmdec_masyr"}


def satellites(random, count, turning=0.0):
    """Returns satellites, some of which turn together with 200 km/s."""
    place = random.normal(size=(count, 3))
    place *= (20 * 10 ** random.uniform(0, 1, count) / np.linalg.norm(place, axis=1))[
        :, None
    ]
    velocity = random.normal(0, 130, (count, 3))
    pole = random.normal(size=3)
    pole /= np.linalg.norm(pole)
    turned = np.cross(pole, place)
    turned *= 200 / np.linalg.norm(turned, axis=1)[:, None]
    along = random.random(count) < turning
    velocity[along] = 0.5 * velocity[along] + turned[along]
    distance = np.linalg.norm(place, axis=1)
    ra, dec = np.arctan2(place[:, 1], place[:, 0]), np.arcsin(place[:, 2] / distance)
    zero = np.zeros(count)
    east = np.stack([-np.sin(ra), np.cos(ra), zero], axis=1)
    north = [-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)]
    seen = (velocity - SUN) / (4.74047 * distance[:, None])
    return {
        "ra": np.degrees(ra),
        "dec": np.degrees(dec),
        "distance": distance,
        "pm_ra": (seen * east).sum(axis=1) + random.normal(0, 0.05, count),
        "pm_dec": (seen * np.stack(north, axis=1)).sum(axis=1)
        + random.normal(0, 0.05, count),
    }


def seen(values):
    return AcrossSky.of(values, SUN, np.full(len(values["ra"]), True))


@pytest.mark.parametrize("turning", [0.0, 0.4])
@pytest.mark.parametrize("count", [12, 30, 44, 100])
def test_satellites_are_taken_for_what_they_are(count, turning):
    random = np.random.default_rng(count)
    doubted = 0
    for _ in range(300):
        found = seen(satellites(random, count, turning))
        found.check(TITLES, "a.csv")
        doubted += bool(found.doubts(TITLES))
    assert doubted <= 2


@pytest.mark.parametrize("name", ["pm_ra", "pm_dec"])
def test_a_turned_proper_motion_is_refused(name):
    values = satellites(np.random.default_rng(5), 120)
    values[name] = -values[name]
    with pytest.raises(ValueError, match=rf"a.csv: {TITLES[name]} holds .* sign"):
        seen(values).check(TITLES, "a.csv")


def test_swapped_and_small_ones_are_warned_of():
    values = satellites(np.random.default_rng(6), 60)
    swapped = values | {"pm_ra": values["pm_dec"], "pm_dec": values["pm_ra"]}
    small = values | {"pm_ra": values["pm_ra"] / 1000}
    assert seen(swapped).doubts(TITLES)
    assert [text.split()[0] for text in seen(small).doubts(TITLES)] == ["pmra_masyr"]


def test_a_table_of_turned_proper_motions_is_refused_by_its_reader(tmp_path):
    values = satellites(np.random.default_rng(7), 60)
    table = Table(
        {"name": [f"Satellite {i}" for i in range(60)], "M_V": -5 - np.arange(60) / 10}
    )
    for name, title in (
        ("ra", "ra_deg"),
        ("dec", "dec_deg"),
        ("distance", "dist_kpc"),
        ("pm_ra", "pmra_masyr"),
        ("pm_dec", "pmdec_masyr"),
    ):
        table[title] = values[name]
    table["vlos_kms"] = np.random.default_rng(8).normal(0, 90, 60)
    table["pmra_masyr"] = -table["pmra_masyr"]
    table.write(tmp_path / "satellites.csv")
    with pytest.raises(ValueError, match=r"satellites.csv: pmra_masyr holds the Sun's"):
        read_satellites(tmp_path / "satellites.csv")
