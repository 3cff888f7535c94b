"""The types of options: what a field's annotation promises is what its value must be.

Python checks no annotation, and `true` would be counted as 1, a text read as a number.
Then two runs that mean the same would differ, or one would mean something else.
"""

import dataclasses
import math
import operator
import reprlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def check_types(options: Any, above: str = "") -> None:
    """Raises ValueError if a field holds what its annotation does not allow.

    Numbers must be finite, and truth values are none. A whole number may stand where a
    float is wanted, not the other way round.

    Arguments:
        options: A dataclass; those in its fields are checked too.
        above: What the field that holds it is called.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Choices:
        ...     draws: int = 100
        ...     edges: tuple[float, ...] = (30, 50.0)
        >>> check_types(Choices())
        >>> check_types(Choices(draws=True))
        Traceback (most recent call last):
        ...
        ValueError: draws is True: give a whole number, such as 3, of at most 18 digits
    """
    hints = get_type_hints(type(options))
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        place = f"{above}.{field.name}" if above else field.name
        if dataclasses.is_dataclass(value):
            check_types(value, place)
        else:
            check_value(place, value, hints[field.name])


def check_value(place: str, value: Any, kind: Any) -> None:
    """Raises ValueError if a value is not of a kind.

    Arguments:
        place: What the value is called.
        value: The value, or what a JSON document has in its place.
        kind: A type, or another annotation of an option.
    """
    if not _fits(value, kind):
        raise ValueError(f"{place} is {shortened(value)}: give {_in_words(kind)}")


def check_once(place: str, names: Sequence[str]) -> None:
    """Raises ValueError if something is named more than once.

    It would be computed once, under the identity of something else.

    Arguments:
        place: What the names are of.
        names: The names.

    Example:
        >>> check_once("surveys", ("desi", "desi"))
        Traceback (most recent call last):
        ...
        ValueError: surveys ('desi', 'desi'): name each once
    """
    if len(set(names)) < len(names):
        raise ValueError(f"{place} {names}: name each once")


def check_unused(options: Any, names: Sequence[str], why: str) -> None:
    """Raises ValueError if an option that nothing would read is not its default.

    Whoever gives it expects that it counts, and the run would bear it in its identity.

    Arguments:
        options: A dataclass.
        names: Its fields that are not read.
        why: Why not.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Choices:
        ...     edges: tuple[float, ...] = (30.0, 50.0)
        >>> check_unused(Choices(), ("edges",), "nothing is binned")
        >>> check_unused(Choices((40.0, 50.0)), ("edges",), "nothing is binned")
        Traceback (most recent call last):
        ...
        ValueError: edges (40.0, 50.0) would be ignored: nothing is binned; leave it out
    """
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.name in names and value != _default(field):
            raise ValueError(
                f"{field.name} {shortened(value)} would be ignored: {why}; leave it out"
            )


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def whole_number(place: str, value: Any, smallest: int) -> int:
    """Returns a count or a seed as Python's integer, of whatever type of integer it is.

    Arguments:
        place: What it is called.
        value: The number; numpy's integers are numbers, 2.5 and 2.0 are none.
        smallest: The smallest that may be.

    Raises:
        ValueError: If it is no whole number, smaller, or of more than 63 bits, which
            libraries do not take.

    Example:
        >>> import numpy as np
        >>> whole_number("count", np.int32(3), smallest=1)
        3
        >>> whole_number("count", 2.5, smallest=1)
        Traceback (most recent call last):
        ...
        ValueError: count 2.5 is no whole number: give one of 1 or more
    """
    try:
        found = operator.index(value)
    except TypeError:
        raise ValueError(
            f"{place} {shortened(value)} is no whole number: give one of {smallest} or more"
        ) from None
    if found < smallest:
        raise ValueError(f"{place} {found} must be {smallest} or larger")
    if found.bit_length() > 63:
        raise ValueError(f"{place} {shortened(found)} must be smaller than 2^63")
    return found


def shortened(value: Any) -> str:
    """Returns a value as Python writes it, but never more than a line of it.

    Example:
        >>> shortened([30.0, 80.0]), shortened(10**60)
        ('[30.0, 80.0]', '100000000000000000...0000000000000000000')
    """
    return _SHORT.repr(value)


def _fits(value: Any, kind: Any) -> bool:
    """Returns whether a value is of a kind; of kinds that are not known here, all are."""
    entries = get_args(kind)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, entry) for entry in entries)
    if origin is Literal:
        return any(type(value) is type(entry) and value == entry for entry in entries)
    if origin is tuple:
        return isinstance(value, tuple | list) and _all_fit(value, entries)
    return _KINDS[kind][0](value) if kind in _KINDS else True


def _all_fit(values: Any, kinds: tuple[Any, ...]) -> bool:
    if kinds[-1:] == (Ellipsis,):
        return all(_fits(value, kinds[0]) for value in values)
    return len(values) == len(kinds) and all(map(_fits, values, kinds))


def _in_words(kind: Any) -> str:
    entries = get_args(kind)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return " or ".join(map(_in_words, entries))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, entries))
    if origin is tuple:
        if entries[1:] == (Ellipsis,):
            return f"a list, each entry {_in_words(entries[0])}"
        return f"a list of {len(entries)}: {', '.join(map(_in_words, entries))}"
    return _KINDS[kind][1] if kind in _KINDS else f"a {kind.__name__}"


def _is_number(value: Any) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _is_whole(value: Any) -> bool:
    # bool is a subclass of int
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return is_int and abs(value) < _LARGEST


_LARGEST = 10**18  # what takes such numbers, arrays and seeds, has 64 bits
_SHORT = reprlib.Repr()
_SHORT.maxother = 80
_SHORT.maxstring = 80


# How each kind is known, and what is asked for instead.
_KINDS: dict[Any, tuple[Callable[[Any], bool], str]] = {
    bool: (lambda value: isinstance(value, bool), "true or false"),
    int: (_is_whole, "a whole number, such as 3, of at most 18 digits"),
    float: (_is_number, "a finite number, such as 0.5"),
    str: (lambda value: isinstance(value, str), "a text"),
    Path: (lambda value: isinstance(value, str | Path), "a path"),
    NoneType: (lambda value: value is None, "nothing (null)"),
}
