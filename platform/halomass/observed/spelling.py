"""Names of galaxies that differ in their spelling alone: Leo IV, LEO_IV, Leo 4."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

_ROMAN = re.compile(r"(?=.)(x{0,3})(ix|iv|v?i{0,3})")
_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10}
_FEWEST_LETTERS = 3  # of a name before a numeral that nothing divides from it
_NOBODY = ("", "--", "-", "nan", "none", "null", "masked")  # astropy writes `--`


def row_names(names: Iterable[object]) -> tuple[str, ...]:
    """Returns what rows are called; those that have no name by their number.

    Example:
        >>> row_names(["Leo IV ", "--", "-1"])
        ('Leo IV', 'row 2', 'row 3')
    """
    return tuple(
        f"row {i + 1}" if _is_nobody(name) else str(name).strip()
        for i, name in enumerate(names)
    )


def _is_nobody(name: object) -> bool:
    word = str(name).strip().lower()
    return word in _NOBODY or (word.startswith("-") and word[1:].isdigit())


def same_names(names: Sequence[str]) -> tuple[int, int] | None:
    """Returns the places of the first two names that are one; None if all differ.

    Example:
        >>> same_names(["Leo 4", "Leo V", "LEO_IV"]), same_names(["Leo 4", "Leo V"])
        ((0, 2), None)
    """
    known: dict[tuple[str, ...], int] = {}
    for place, name in enumerate(names):
        earlier = known.setdefault(_key(name), place)
        if earlier != place:
            return earlier, place
    for place, name in enumerate(names):
        for key in _undivided(name):
            if known.get(key, place) != place:
                first, second = sorted((known[key], place))
                return first, second
    return None


def _key(name: str) -> tuple[str, ...]:
    """Returns a name's letters and numbers: words in one piece, numerals as plain digits."""
    if _is_number(name):
        return (name.strip(),)
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(c for c in plain if not unicodedata.combining(c)).strip()
    # LeoIV: the capital tells where the numeral begins
    plain = re.sub(r"(?<=[a-z])(?=[IVX]+$)", " ", plain)
    parts = re.findall(r"[^\W\d_]+|\d+", plain.lower())
    # NGC 0147 is NGC 147
    parts = [str(int(part)) if part.isdecimal() else part for part in parts]
    if len(parts) > 1:
        parts[-1] = _digits(parts[-1]) or parts[-1]
    # Ursa Major and UrsaMajor; but 1-2 is not 12
    joined: list[str] = []
    for part in parts:
        if joined and joined[-1].isalpha() and part.isalpha():
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined) or (name,)


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _digits(word: str) -> str | None:
    """Returns the value of a Roman numeral below 40; None if it is none."""
    match = _ROMAN.fullmatch(word)
    if match is None:
        return None
    values = [_ROMAN_DIGITS[letter] for letter in word]
    following = [*values[1:], 0]
    return str(
        sum(-v if v < after else v for v, after in zip(values, following, strict=True))
    )


def _undivided(name: str) -> list[tuple[str, ...]]:
    """Returns what a single word may say if a numeral ends it: LEOIV is leo 4."""
    key = _key(name)
    if len(key) != 1 or not key[0].isalpha():
        return []
    word = key[0]
    splits = range(_FEWEST_LETTERS, len(word))
    return [(word[:i], number) for i in splits if (number := _digits(word[i:]))]
