"""Names and units of columns: each name once, each unit one that can be read.

They are checked where a column, a parameter or an entry is made: a misspelled unit would
otherwise be found by whoever opens the file, and a name that is there twice by nobody.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

_KEPT = 256  # units that are read once: a science has a few dozen
# Of the sciences' own parameters, which are made before a command's options are explained:
# they are not read again there, because astropy takes longer than all else.
_READABLE = ("", "km / s", "kpc", "deg", "mas / yr", "solMass", "dex(solMass)")


def check_unit(name: str, unit: str) -> None:
    """Returns if a unit can be read.

    Arguments:
        name: What has it, for the message.
        unit: The unit in astropy's generic format; empty when dimensionless.

    Raises:
        ValueError: If it is no text, or no unit.

    Example:
        >>> check_unit("v_z", "km / s")
        >>> check_unit("v_z", "furlongs")
        Traceback (most recent call last):
        ...
        ValueError: 'v_z' has the unit 'furlongs', which astropy cannot read: write it as \
in 'km / s', and '' for a number without a unit
    """
    if isinstance(unit, str) and unit in _READABLE:
        return
    if not isinstance(unit, str) or _read(unit) is None:
        raise ValueError(
            f"{name!r} has the unit {unit!r}, which astropy cannot read: write it as in "
            "'km / s', and '' for a number without a unit"
        )


def same_unit(one: str, other: str) -> bool:
    """Returns whether two texts are the same unit, so that numbers in them mean the same.

    Arguments:
        one: A unit in astropy's generic format.
        other: Another; units that cannot be read are the same where their texts are.

    Example:
        >>> same_unit("km / s", "km s-1"), same_unit("N / m", "kN / m")
        (True, False)
    """
    if one == other:
        return True
    first, second = _read(one), _read(other)
    return first is not None and second is not None and bool(first == second)


def check_names(what: str, names: Sequence[str]) -> None:
    """Returns if no name is there twice.

    Arguments:
        what: What has them, for the message.
        names: Its names.

    Raises:
        ValueError: If one is there twice.

    Example:
        >>> check_names("the schema", ["x", "y", "x"])
        Traceback (most recent call last):
        ...
        ValueError: the schema has two columns 'x': give each a name of its own
    """
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ValueError(
            f"{what} has two columns {twice[0]!r}: give each a name of its own"
        )


def check_entries(what: str, names: Sequence[str], units: Sequence[str]) -> None:
    """Returns if names and units are as many, no name is there twice, and each unit is one.

    Arguments:
        what: What has them, for the message.
        names: The S names.
        units: The S units.

    Raises:
        ValueError: If they are not.

    Example:
        >>> check_entries("the vector", ("x", "y"), ("kpc",))
        Traceback (most recent call last):
        ...
        ValueError: the vector has 2 names and 1 units: give one unit for each name
    """
    if len(names) != len(units):
        raise ValueError(
            f"{what} has {len(names)} names and {len(units)} units: give one unit for "
            "each name"
        )
    check_names(what, names)
    for name, unit in zip(names, units, strict=True):
        check_unit(name, unit)


@lru_cache(_KEPT)
def _read(unit: str) -> Any:
    """Returns astropy's unit of a text; None if it is none."""
    from astropy.units import Unit  # half a second, only for who has units

    try:
        return Unit(unit.strip(), format="generic")
    except (ValueError, TypeError):
        return None
