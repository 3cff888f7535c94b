"""Angles as catalogues write them: degrees, hours, and sexagesimal."""

import re
from collections.abc import Sequence

import numpy as np
from astropy import units

from orrery.parameters import FloatArray

_PARTS = re.compile(
    r"^\s*([+\-\u2212]?)\s*(\d+)\s*[:\sdh\u00b0]\s*(\d+)\s*[:\sm'\u2032]\s*"
    r"(\d+(?:\.\d*)?)\s*[s\"\u2033]?\s*$"
)
_FEWEST = 3  # rows that can say anything
_BY_CHANCE = 1e-3  # that right ascensions all over the circle are below 24 degrees
_WIDE = 40.0  # [deg] of declination, which no field of a telescope has
_MANY = 30  # rows that fill what they lie in
_FILLED = 0.95  # of the 24 hours: no field of degrees just ends there
_FIELD = 3.3  # [deg] the widest field of a telescope: the next larger ones are surveys'


def sexagesimal(words: Sequence[str]) -> FloatArray | None:
    """Returns angles written in three parts `[N]`, in the unit of the first; None if they are not.

    Words that are no angle are NaN, as long as most are one.

    Arguments:
        words: Such as `12:34:56.7`, `-12d34m56s` or `12 34 56`.

    Example:
        >>> sexagesimal(["01:30:00", "-00 30 00"])
        array([ 1.5, -0.5])
        >>> sexagesimal(["1.5"])
    """
    matches = [_PARTS.match(word) for word in words]
    if 2 * sum(match is not None for match in matches) <= len(matches):
        return None
    return np.array([np.nan if m is None else _angle(m) for m in matches])


def _angle(match: "re.Match[str]") -> float:
    whole, minutes, seconds = (float(part) for part in match.groups()[1:])
    # a minute of 75 is damage, not an angle
    if minutes >= 60 or seconds >= 60:
        return np.nan
    angle = whole + minutes / 60 + seconds / 3600
    return -angle if match[1] in ("-", "\u2212") else angle


def are_marked_hours(words: Sequence[str]) -> bool:
    """Returns whether most angles say themselves that they are hours, by an h.

    Example:
        >>> are_marked_hours(["12h34m56.7s"]), are_marked_hours(["12:34:56.7"])
        (True, False)
    """
    return 2 * sum("h" in word for word in words) > len(words)


def in_hours(unit: object) -> bool:
    """Returns whether a unit is hours of right ascension, as catalogues write them.

    Example:
        >>> in_hours(units.hourangle), in_hours("h:m:s"), in_hours(units.deg)
        (True, True, False)
    """
    return str(unit).strip('"') in ("h", "hr", "hour", "hourangle", "h:m:s", "hms")


def looks_like_hours(ra: FloatArray, dec: FloatArray) -> bool:
    """Returns whether right ascensions [deg] `[N]` are hours, going by where declinations are.

    Example:
        >>> looks_like_hours(np.array([0.7, 10.1, 17.3]), np.array([-33.0, 12.0, 58.0]))
        True
        >>> looks_like_hours(np.array([0.7, 10.1, 260.0]), np.array([-33.0, 12.0, 58.0]))
        False
    """
    known = np.isfinite(ra) & np.isfinite(dec)
    if known.sum() < _FEWEST or not ((ra[known] >= 0) & (ra[known] < 24)).all():
        return False
    if known.sum() >= _MANY and np.ptp(ra[known]) > 24 * _FILLED:
        return True
    chance = (24 / 360) ** float(known.sum())
    return bool(chance < _BY_CHANCE and np.ptp(dec[known]) > _WIDE)


def looks_like_radians(longitude: FloatArray, latitude: FloatArray) -> bool:
    """Returns whether positions on the sky [deg] `[N]` are radians, going by where they are.

    As degrees they would all lie in one patch of 6 times 3 degrees, though more widely
    than in a field of a telescope.

    Example:
        >>> looks_like_radians(np.array([0.2, 2.9, 5.8]), np.array([-1.1, 0.3, 0.9]))
        True
        >>> looks_like_radians(np.array([0.2, 0.9, 1.8]), np.array([-1.1, 0.3, 0.9]))
        False
    """
    known = np.isfinite(longitude) & np.isfinite(latitude)
    if known.sum() < _FEWEST:
        return False
    around = longitude[known]
    inside = (np.abs(latitude[known]) <= np.pi / 2) & (np.abs(around) <= 2 * np.pi)
    return bool(inside.all() and np.ptp(around) > _FIELD)


HOURS = units.hourangle
