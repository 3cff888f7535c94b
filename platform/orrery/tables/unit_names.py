"""Units as people write them, in titles and in files: `kms`, `KM/S`, `km s$^{-1}$`, `mas/y`."""

import re
from collections.abc import Iterator, Mapping

from astropy import units

from orrery.tables.titles import UNIT_ENDINGS

# What astropy does not know, in small letters, by what it does.
_WORDS: Mapping[str, str] = {
    "kms": "km s",
    "kmsec": "km s",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "masyr": "mas yr",
    "masy": "mas yr",
    "y": "yr",
    "years": "yr",
    "julian": "",
    "per": "/",
    "milliarcsec": "mas",
    "degs": "deg",
    "degrees": "deg",
    "kilopc": "kpc",
    "kiloparsecs": "kpc",
    "parsecs": "pc",
    "ly": "lyr",
}
_TYPESETTING = re.compile(r"[${}^*\\]|mathrm|\\rm\b")


def understood_unit(given: object, wanted: units.UnitBase) -> units.UnitBase | None:
    """Returns the unit that a spelling stands for in a column of a quantity; None if for none.

    Arguments:
        given: A unit, or how a file or a title spells it.
        wanted: One that such numbers may be converted to: `PC` are parsecs where lengths
            are wanted, not petacoulombs.

    Example:
        >>> speed = units.km / units.s
        >>> understood_unit("KM/S", speed), understood_unit("km s$^{-1}$", speed)
        (Unit("km / s"), Unit("km / s"))
        >>> understood_unit("furlongs", units.kpc)
    """
    for reading in _readings(given):
        if reading.is_equivalent(wanted):
            return reading
    return None


def _readings(given: object) -> Iterator[units.UnitBase]:
    spelling = str(given).strip()
    small = _TYPESETTING.sub("", spelling.lower())
    ending = UNIT_ENDINGS.get(re.sub(r"[\s.]+", "", small))
    words = re.sub("[a-z]+", lambda word: _WORDS.get(word[0], word[0]), small)
    for one in (given, spelling, ending, words):
        # a number is no unit, though astropy takes it for one
        if one is None or (isinstance(one, str) and not re.search(r"[^\W\d]", one)):
            continue
        found = units.Unit(one, parse_strict="silent")
        if not isinstance(found, units.UnrecognizedUnit):
            yield found
