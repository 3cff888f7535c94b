"""Laws of the Sun's motion: a halo's stars hold it once, and wrong columns do not."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table

from mwlmc.observed.solar_motion import are_distances, motion_doubts, place_odds
from mwlmc.observed.star_reading import read_stars
from mwlmc.sky import frames


@pytest.fixture(scope="module")
def stars(observed_stars):
    random = np.random.default_rng(31)
    position = random.normal(size=(900, 3))
    distance = random.uniform(22, 70, (900, 1))
    position *= distance / np.linalg.norm(position, axis=1)[:, None]
    # the halo turns by 25 km/s, and the disc falls towards the LMC by 30 km/s
    velocity = random.normal([0, 0, -30], 105, (900, 3))
    velocity[:, :2] += 25 * position[:, 1::-1] * [1, -1] / distance
    return observed_stars(position, velocity)


def test_a_halo_that_turns_and_is_pulled_is_not_doubted(stars):
    assert [*motion_doubts(stars)] == []


@pytest.mark.parametrize("factor", [0.85, 1.2])
def test_distances_that_are_some_percent_off_are_not_doubted(stars, factor):
    assert [*motion_doubts(replace(stars, distance=factor * stars.distance))] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda s: s.v_los + frames.solar_velocity(s.l, s.b)[0],
            "are they corrected for it",
        ),
        (lambda s: -s.v_los, "is their sign turned round"),
        (lambda s: 2.1 * s.v_los, "in another unit"),
        (lambda s: s.v_los[::-1], "in another order"),
    ],
)
def test_velocities_along_the_line_of_sight_without_it_are_doubted(stars, change, said):
    (doubt,) = motion_doubts(replace(stars, v_los=change(stars)))
    assert doubt.startswith("line-of-sight velocities hold the Sun's motion")
    assert said in doubt


@pytest.mark.parametrize(
    "columns",
    [
        lambda s: {"distance": 5 * np.log10(s.distance) + 10},
        lambda s: {"distance": 1.9 * s.distance},
        lambda s: {"pm_l": s.pm_b, "pm_b": s.pm_l},
        lambda s: {"pm_b": -s.pm_b},
        lambda s: {"pm_l": s.pm_l[::-1]},
    ],
)
def test_proper_motions_times_distances_without_it_are_doubted(stars, columns):
    (doubt,) = motion_doubts(replace(stars, **columns(stars)))
    assert doubt.startswith("proper motions times distances hold the Sun's motion")
    assert "moduli" in doubt


def test_stars_of_one_galaxy_few_stars_and_the_disc_tell_nothing(stars):
    still = replace(
        stars, v_los=stars.v_los + frames.solar_velocity(stars.l, stars.b)[0]
    )
    assert [*motion_doubts(still)] != []
    few = np.arange(900) < 80
    assert [*motion_doubts(still.keep(few, "few"))] == []
    near = replace(still, distance=0.1 * still.distance, pm_l=10 * still.pm_l)
    assert [*motion_doubts(replace(near, pm_b=10 * near.pm_b))] == []
    random = np.random.default_rng(3)
    there = replace(
        still, l=4.1 + random.normal(0, 0.02, 900), b=-0.7 + random.normal(0, 0.02, 900)
    )
    blank = np.full(900, np.nan)
    assert [*motion_doubts(replace(there, pm_l=blank, pm_b=blank))] == []


def test_own_places_are_the_likelier_and_odds_turn_round(stars):
    own = stars.l, stars.b
    other = stars.l[::-1], stars.b[::-1]
    odds = place_odds(stars.v_los, own, other)
    assert odds > 10
    assert place_odds(stars.v_los, other, own) == pytest.approx(-odds)
    assert place_odds(np.full(900, np.nan), own, other) == 0.0


def test_proper_motions_tell_distances_from_moduli(stars):
    moduli = 5 * np.log10(stars.distance) + 10
    assert are_distances(stars)
    assert not are_distances(replace(stars, distance=moduli))
    unknown = np.full(len(stars), np.nan)
    assert not are_distances(replace(stars, pm_l=unknown, pm_b=unknown))


def test_distances_that_moduli_could_be_are_silent_where_motions_show_them(
    observed_stars, tmp_path
):
    random = np.random.default_rng(44)
    position = random.normal(size=(900, 3))
    distance = random.uniform(20, 28, (900, 1))
    position *= distance / np.linalg.norm(position, axis=1)[:, None]
    seen = observed_stars(position, random.normal(0, 105, (900, 3)))
    kept = (seen.distance > 10.5) & (seen.distance < 20.5)
    columns = {
        "l_deg": np.degrees(seen.l),
        "b_deg": np.degrees(seen.b),
        "distance_kpc": seen.distance,
        "distance_err_kpc": 0.02 * seen.distance,
        "vlos_kms": seen.v_los,
        "pml_cosb_masyr": seen.pm_l,
        "pmb_masyr": seen.pm_b,
    }
    table = Table({name: values[kept] for name, values in columns.items()})
    table.write(tmp_path / "near.ecsv")
    assert len(table) > 100
    told = " ".join(read_stars(tmp_path / "near.ecsv").checks.get("warnings", ()))
    assert "moduli" not in told
    table.remove_columns(["pml_cosb_masyr", "pmb_masyr"])
    table.write(tmp_path / "alone.ecsv")
    told = " ".join(read_stars(tmp_path / "alone.ecsv").checks["warnings"])
    assert "are these distance moduli?" in told
