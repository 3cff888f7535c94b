"""Words in a column of numbers: a number, with whatever dash for its minus, or none."""

import re

# Hyphens, dashes and minus signs, as word processors and journals set them.
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
# Words that stand where there is no number.
_NO_NUMBER = {"", "...", "nan", "null", "none", "n/a", "na", "masked"}

SENTINELS = (
    99.0,
    999.0,
    9999.0,
    99999.0,
    999999.0,
    99.9,
    99.99,
    999.9,
    999.99,
    9999.9,
    9.999,
    99.999,
    999.999,
    9999.99,
    1e20,
)
"""Numbers that stand for no value, with either sign."""


def plain_word(word: object) -> str:
    """Returns a cell's text without blanks around it, and with a plain minus.

    Example:
        >>> plain_word(" \u201312.5 "), plain_word("12:30:00")
        ('-12.5', '12:30:00')
    """
    return _DASHES.sub("-", str(word).strip())


def is_no_number(word: str) -> bool:
    """Returns whether a plain word stands where there is no number.

    Example:
        >>> [is_no_number(word) for word in ("", "---", "NaN", "-12", "about 3")]
        [True, True, True, False, False]
    """
    return word.lower() in _NO_NUMBER or not word.strip("-")


def as_number(word: str) -> float | None:
    """Returns the number that a plain word is, NaN if it stands for none; None if it is no number.

    Example:
        >>> as_number("-1e3"), as_number("--"), as_number("12,5")
        (-1000.0, nan, None)
    """
    if is_no_number(word):
        return float("nan")
    try:
        return float(word)
    except ValueError:
        return None
