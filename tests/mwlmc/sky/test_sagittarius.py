"""Laws of the Sagittarius stream: where it begins, and who belongs to it."""

import numpy as np

from mwlmc.sky.sagittarius import TRAILING, in_sagittarius_stream, stream_coordinates


def test_sagittarius_dwarf_is_the_origin_of_its_stream():
    longitude, latitude = stream_coordinates(np.radians([283.83]), np.radians([-30.55]))
    assert abs((longitude[0] + 180) % 360 - 180) < 3
    assert abs(latitude[0]) < 3


def test_stars_on_an_arm_are_members_and_others_are_not():
    ra, dec = np.random.default_rng(5).uniform([[0], [-1.4]], [[6.28], [1.4]], (2, 500))
    longitude, latitude = stream_coordinates(ra, dec)
    arm = TRAILING
    on = (longitude > arm.start) & (longitude < arm.end) & (np.abs(latitude) < 12)
    mean, depth = arm.at(longitude[on])
    assert on.sum() > 20
    assert in_sagittarius_stream(ra[on], dec[on], mean + 2.9 * depth).all()
    assert not in_sagittarius_stream(ra[on], dec[on], np.full(on.sum(), 300.0)).any()
    far = np.abs(latitude) > 12
    assert not in_sagittarius_stream(ra[far], dec[far], arm.at(longitude[far])[0]).any()
