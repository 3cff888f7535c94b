"""Laws of positions: those in radians or hours are refused or told, small fields are not."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

from mwlmc.observed.star_reading import read_stars
from mwlmc.sky import frames

COUNT = 400
EQUATORIAL, GALACTIC = ("ra_deg", "dec_deg"), ("l_deg", "b_deg")


def _stars(ra, dec, still=False):
    """Stars of a halo at given places; those that stand still do not show the Sun's motion."""
    random = np.random.default_rng(17)
    count = len(ra)
    sky = SkyCoord(ra, dec, unit="deg").galactic
    v_los = random.normal(0, 105, count)
    if not still:
        v_los -= frames.solar_velocity(sky.l.rad, sky.b.rad)[0]
    return {
        "ra_deg": np.asarray(ra, float),
        "dec_deg": np.asarray(dec, float),
        "l_deg": sky.l.deg,
        "b_deg": sky.b.deg,
        "distance_kpc": random.uniform(18, 74, count),
        "vlos_kms": v_los,
    }


def _survey(lowest=125.0, highest=246.0, count=COUNT):
    random = np.random.default_rng(23)
    sine = random.uniform(np.sin(np.radians(-9)), np.sin(np.radians(76)), count)
    return random.uniform(lowest, highest, count), np.degrees(np.arcsin(sine))


def _doubts(columns, folder, others=GALACTIC):
    columns = {title: v for title, v in columns.items() if title not in others}
    Table(columns).write(folder / "stars.csv", overwrite=True)
    notes = read_stars(folder / "stars.csv").checks["warnings"]
    return [note for note in notes if "these look like" in note]


@pytest.mark.parametrize("still", [False, True])
def test_degrees_all_over_the_sky_are_silent(tmp_path, still):
    assert _doubts(_stars(*_survey(), still), tmp_path) == []
    assert _doubts(_stars(*_survey(), still), tmp_path, EQUATORIAL) == []


@pytest.mark.parametrize(
    ("titles", "others", "said"),
    [
        (("ra_deg", "dec_deg"), GALACTIC, "call the columns ra_rad and dec_rad"),
        (("dec_deg",), GALACTIC, "call the column dec_rad"),
        (("ra_deg",), GALACTIC, "call the column ra_rad"),
        (("l_deg", "b_deg"), EQUATORIAL, "call the columns l_rad and b_rad"),
        (("b_deg",), EQUATORIAL, "call the column b_rad"),
    ],
)
def test_radians_that_are_called_degrees_are_refused_where_velocities_show_it(
    tmp_path, titles, others, said
):
    columns = _stars(*_survey())
    columns |= {title: np.radians(columns[title]) for title in titles}
    with pytest.raises(ValueError, match=rf"stars.csv: .* look like radians.*{said}$"):
        _doubts(columns, tmp_path, others)


@pytest.mark.parametrize("titles", [("ra_deg", "dec_deg"), ("dec_deg",), ("ra_deg",)])
def test_radians_are_told_where_velocities_show_nothing(tmp_path, titles):
    columns = _stars(*_survey(), still=True)
    columns |= {title: np.radians(columns[title]) for title in titles}
    (doubt,) = _doubts(columns, tmp_path)
    called = " and ".join(title.replace("deg", "rad") for title in titles)
    assert doubt.endswith(called)


@pytest.mark.parametrize("title", ["ra", "dec"])
def test_radians_that_nothing_calls_degrees_are_refused(tmp_path, title):
    columns = _stars(*_survey(), still=title == "ra")
    columns[title] = np.radians(columns.pop(f"{title}_deg"))
    with pytest.raises(ValueError, match=rf"look like radians.*column {title}_rad"):
        _doubts(columns, tmp_path)


@pytest.mark.parametrize("still", [False, True])
@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        ((2.1, 4.3), (-1.1, 0.9)),  # a field of a telescope near the equinox
        ((310, 419), (-1.26, 1.26)),  # Stripe 82
        ((2, 19), (-33, 2)),  # a quarter of a southern survey
    ],
)
def test_small_fields_and_strips_are_silent(tmp_path, ra, dec, still):
    random = np.random.default_rng(5)
    count = 60 if ra[1] < 10 else 500
    places = random.uniform(*ra, count) % 360, random.uniform(*dec, count)
    assert _doubts(_stars(*places, still), tmp_path) == []


def test_a_strip_that_no_survey_has_is_told_unless_velocities_are_of_it(tmp_path):
    random = np.random.default_rng(6)
    places = random.uniform(90, 260, 500), random.uniform(-0.4, 1.5, 500)
    assert _doubts(_stars(*places), tmp_path) == []
    (doubt,) = _doubts(_stars(*places, still=True), tmp_path)
    assert doubt.endswith("if they are, call the column dec_rad")


@pytest.mark.parametrize("title", ["ra_deg", "ra"])
def test_hours_are_refused_whatever_they_are_called_where_velocities_show_it(
    tmp_path, title
):
    # of a part of the sky, where they do not fill the 24 hours
    columns = _stars(*_survey(40.0, 190.0))
    columns[title] = columns.pop("ra_deg") / 15
    with pytest.raises(ValueError, match=r"look like hours.*call the column ra_hours"):
        _doubts(columns, tmp_path)


def test_right_ascensions_with_an_h_are_hours_whatever_the_title_says(tmp_path):
    columns = _stars(*_survey(), still=True)
    Table(columns).write(tmp_path / "plain.csv")
    sky = SkyCoord(columns["ra_deg"], columns["dec_deg"], unit="deg")
    columns["ra_deg"] = sky.ra.to_string(unit="hourangle", sep="hms", precision=7)
    assert _doubts(columns, tmp_path) == []
    np.testing.assert_allclose(
        read_stars(tmp_path / "stars.csv").l,
        read_stars(tmp_path / "plain.csv").l,
        atol=1e-8,
    )


@pytest.mark.parametrize("title", ["ra", "ra_deg"])
def test_degrees_that_fill_24_are_silent_where_velocities_are_of_there(tmp_path, title):
    random = np.random.default_rng(12)
    columns = _stars(random.uniform(0, 20, 300), random.uniform(-31, 33, 300))
    columns[title] = columns.pop("ra_deg")
    assert _doubts(columns, tmp_path) == []


@pytest.mark.parametrize("still", [False, True])
def test_hours_that_nothing_calls_degrees_are_refused(tmp_path, still):
    random = np.random.default_rng(13)
    columns = _stars(random.uniform(0, 360, 300), random.uniform(-31, 33, 300), still)
    columns["ra"] = columns.pop("ra_deg") / 15
    with pytest.raises(ValueError, match=r"look like hours.*call the column ra_hours"):
        _doubts(columns, tmp_path)


@pytest.mark.parametrize("count", [150, 1500])
@pytest.mark.parametrize("title", ["ra", "ra_deg"])
def test_a_field_on_the_equator_is_silent_where_velocities_are_of_there(
    tmp_path, title, count
):
    random = np.random.default_rng(14)
    ra = random.uniform(0.5, 5.9, count)
    columns = _stars(ra, random.uniform(-1.4, 1.4, count))
    columns[title] = columns.pop("ra_deg")
    assert _doubts(columns, tmp_path) == []


@pytest.mark.parametrize("still", [False, True])
def test_radians_of_the_whole_sky_are_no_field_on_the_equator(tmp_path, still):
    random = np.random.default_rng(15)
    dec = np.degrees(np.arcsin(random.uniform(-1, 1, 400)))
    columns = _stars(random.uniform(0, 360, 400), dec, still)
    columns["ra"] = np.radians(columns.pop("ra_deg"))
    columns["dec"] = np.radians(columns.pop("dec_deg"))
    with pytest.raises(ValueError, match=r"look like radians.*ra_rad and dec_rad"):
        _doubts(columns, tmp_path)
