"""Angles as catalogues write them: degrees, hours, and sexagesimal."""

import re
from collections.abc import Sequence

import numpy as np
from astropy import units

from orrery.parameters import FloatArray
from orrery.tables.number_words import SENTINELS, as_number, is_no_number, plain_word

# Of two parts, the second may have decimals.
_PARTS = re.compile(
    r"^([+\-]?)\s*(\d+)\s*[:\sdh\u00b0]\s*"
    r"(?:(\d+)\s*[:\sm'\u2032]\s*(\d+(?:\.\d*)?)\s*[s\"\u2033]?"
    r"|(\d+(?:\.\d*)?)\s*[m'\u2032]?)$"
)
HOURS = units.hourangle
_A_DAY = 24.0  # [h]
_FEWEST = 3  # rows that can say anything
_BY_CHANCE = 1e-3  # that right ascensions all over the circle are below 24 degrees
_WIDE = 40.0  # [deg] of declination, which no field of a telescope has
_MANY = 30  # rows that fill what they lie in
_FILLED = 0.95  # of the 24 hours: no field of degrees just ends there
_FIELD = 3.3  # [deg] the widest field of a telescope: the next larger ones are surveys'


def sexagesimal(words: Sequence[str]) -> FloatArray | None:
    """Returns angles written in two or three parts `[N]`, in the unit of the first.

    None if most are written otherwise; NaN where a word stands for no angle, and the
    number where it is one by which surveys say so.

    Arguments:
        words: Such as `12:34:56.7`, `-12d34m56s`, `12 34 56` or `12:34.9`.

    Raises:
        ValueError: If most are angles, and one is neither that nor stands for none.

    Example:
        >>> sexagesimal(["01:30:00", "-00 30.0", "--"])
        array([ 1.5, -0.5,  nan])
        >>> sexagesimal(["1.5"])
    """
    plain = [plain_word(word) for word in words]
    written = sum(not is_no_number(word) for word in plain)
    if (
        2 * sum(_PARTS.match(word) is not None for word in plain) <= written
        or not written
    ):
        return None
    found = np.full(len(plain), np.nan)
    for row, word in enumerate(plain):
        angle = _angle(word)
        if angle is None:
            raise ValueError(
                f"row {row + 1} has {words[row][:40]!r}, which is no angle such as 12:34:56.7, "
                "as the others are: mend it, or leave it empty"
            )
        found[row] = angle
    return found


def _angle(word: str) -> float | None:
    """Returns the angle that a plain word is, NaN or a sentinel if it is none; None if unknown."""
    match = _PARTS.match(word)
    if match is None:
        number = as_number(word)
        is_none = number is not None and (np.isnan(number) or abs(number) in SENTINELS)
        return number if is_none else None
    sign, whole, minutes, seconds, last = match.groups()
    parts = [float(part) for part in (minutes or last, seconds or 0)]
    # rounding makes seconds of 60; a minute of 75 is damage, not an angle
    if max(parts) > 60:
        return np.nan if set(word) <= set("+-9:. ") else None
    angle = float(whole) + parts[0] / 60 + parts[1] / 3600
    return -angle if sign == "-" else angle


def are_marked_hours(words: Sequence[str]) -> bool:
    """Returns whether most angles say themselves that they are hours, by an h.

    Example:
        >>> are_marked_hours(["12h34m56.7s"]), are_marked_hours(["12:34:56.7"])
        (True, False)
    """
    return 2 * sum("h" in word for word in words) > len(words)


def unit_of_parts(
    words: Sequence[str], angles: FloatArray, degrees: bool
) -> units.UnitBase:
    """Returns the unit of right ascensions in parts: hours, unless degrees are said.

    Arguments:
        words: As they are written.
        angles: The same as numbers `[N]`; NaN where there are none.
        degrees: Whether the table says degrees; marks such as an h say more.

    Raises:
        ValueError: If hours go beyond 24; the message ends where a remedy for degrees begins.

    Example:
        >>> unit_of_parts(["12:30:00"], np.array([12.5]), degrees=False)
        Unit("hourangle")
    """
    if are_marked_degrees(words) or (degrees and not are_marked_hours(words)):
        return units.deg
    beyond = (np.abs(angles) > _A_DAY) & ~np.isin(np.abs(angles), SENTINELS)
    if beyond.any():
        row = int(beyond.argmax())
        raise ValueError(
            f"row {row + 1} has {words[row][:40]!r}, more than {_A_DAY:g} hours: mend it, or if "
            "the column is in degrees"
        )
    return HOURS


def are_marked_degrees(words: Sequence[str]) -> bool:
    """Returns whether most angles say themselves that they are degrees.

    Example:
        >>> are_marked_degrees(["185d34m56s"]), are_marked_degrees(["12:34:56.7"])
        (True, False)
    """
    return 2 * sum("d" in word or "\u00b0" in word for word in words) > len(words)


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
