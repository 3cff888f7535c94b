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
    chance = (24 / 360) ** float(known.sum())
    return bool(chance < _BY_CHANCE and np.ptp(dec[known]) > _WIDE)


HOURS = units.hourangle
