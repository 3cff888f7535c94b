"""Laws of angles: three parts are one number, and hours are told from degrees."""

import astropy.coordinates as coord
import numpy as np
import pytest
from astropy import units

from orrery.tables.angles import (
    looks_like_hours,
    looks_like_radians,
    sexagesimal,
    unit_of_parts,
)

WORDS = ("00:42:44.3", "23:59:59.999", "10:00:00")


@pytest.mark.parametrize("form", ["{}:{}:{}", "{} {} {}", "{}h{}m{}s", "{}d {}' {}\""])
@pytest.mark.parametrize("sign", ["", "-", "+"])
def test_three_parts_are_one_number(form, sign):
    expected = coord.Angle([sign + word for word in WORDS], units.deg).deg
    words = [sign + form.format(*word.split(":")) for word in WORDS]
    np.testing.assert_allclose(sexagesimal(words), expected, rtol=1e-12)


def test_what_stands_for_no_angle_is_none():
    assert sexagesimal(["12.5", "--", "x"]) is None
    found = sexagesimal(["12:30:00", "", "nan", "--", "99:99:99.9", "1:0:0"])
    assert np.isnan(found).tolist() == [False, True, True, True, True, False]
    assert sexagesimal(["12:30:00", "-9999", "1:0:0"])[1] == -9999


@pytest.mark.parametrize(
    "word", ["12:75:00", "12:00:61", "-7.25", "12:00:0O", "unknown", "1:2:3:4"]
)
def test_what_is_no_angle_among_angles_is_named(word):
    with pytest.raises(ValueError, match=f"row 3 has '{word}'.*mend it"):
        sexagesimal(["12:30:00", "1:0:0", word, "2:0:0", "3:0:0"])


@pytest.mark.parametrize("dash", "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d")
def test_every_dash_is_a_minus(dash):
    found = sexagesimal([f"{dash}33:15:00", f"{dash}00:30:00", "+07:45:00"])
    np.testing.assert_allclose(found, [-33.25, -0.5, 7.75])


@pytest.mark.parametrize("form", ["{}:{}", "{} {}", "{}h{}m", "{}\u00b0 {}\u2032"])
def test_minutes_may_have_decimals_and_seconds_be_rounded_to_60(form):
    words = [form.format("-07", "12.75"), form.format("00", "30")]
    np.testing.assert_allclose(sexagesimal(words), [-7.2125, 0.5])
    np.testing.assert_allclose(sexagesimal(["03:59:60.0", "03:07:00"])[0], 4.0)


def test_parts_of_right_ascensions_are_hours_unless_degrees_are_said():
    words = ["211:30:00", "17:30:00"]
    angles = sexagesimal(words)
    assert unit_of_parts(words, angles, degrees=True) == units.deg
    with pytest.raises(ValueError, match="row 1 has '211:30:00', more than 24 hours"):
        unit_of_parts(words, angles, degrees=False)
    marked = [word.replace(":", "d", 1) for word in words]
    assert unit_of_parts(marked, angles, degrees=False) == units.deg
    words = ["17h30m00s"]
    assert unit_of_parts(words, np.array([17.5]), degrees=True) == units.hourangle


def test_hours_show_by_declinations_everywhere():
    dec = np.array([-60.0, 5.0, 40.0, 71.0])
    assert looks_like_hours(np.array([0.3, 5.0, 12.0, 23.0]), dec)
    assert not looks_like_hours(np.array([0.3, 5.0, 12.0, 230.0]), dec)
    # one field of a telescope, or two stars, may be there
    assert not looks_like_hours(np.array([0.3, 5.0, 12.0, 23.0]), dec / 10)
    assert not looks_like_hours(np.array([3.0, 12.0]), dec[[0, 3]])


def test_hours_show_in_a_band_of_the_sky_because_they_fill_all_24():
    random = np.random.default_rng(8)
    dec = random.uniform(-12, 12, 300)
    assert looks_like_hours(random.uniform(0, 24, 300), dec)
    assert not looks_like_hours(random.uniform(4, 21, 300), dec)
    assert not looks_like_hours(random.uniform(0, 24, 12), dec[:12])


def test_radians_show_by_the_patch_in_which_everything_is():
    random = np.random.default_rng(9)
    longitude = random.uniform(0, 2 * np.pi, 40)
    latitude = np.arcsin(random.uniform(-0.2, 1, 40))
    assert looks_like_radians(longitude, latitude)
    assert looks_like_radians(longitude - np.pi, latitude)
    assert not looks_like_radians(np.degrees(longitude), np.degrees(latitude))
    # a telescope's field
    assert not looks_like_radians(longitude / 2, latitude)
    assert not looks_like_radians(longitude[:2], latitude[:2])
