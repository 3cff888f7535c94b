"""Stable keys: what files, numbers and curves are found by, whatever they are called."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orrery.identity import JSON, describe

_KEY = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")


def is_key(text: str) -> bool:
    """Returns whether a text can be a key: it names files, and nobody would read it aloud.

    Example:
        >>> is_key("desi.v_gsr"), is_key("DESI, without v_tb")
        (True, False)
    """
    return bool(_KEY.fullmatch(text))


def check_key(key: str) -> None:
    """Returns if a text can be a key.

    Raises:
        ValueError: If it cannot.
    """
    if not is_key(key):
        raise ValueError(
            f"the key {key!r} names files and numbers: use lower case, digits and "
            "underscores, with dots between them"
        )


def new_section(known: Sequence[JSON], key: str) -> None:
    """Returns if a part may have a key.

    Arguments:
        known: The parts that are there.
        key: The key.

    Raises:
        ValueError: If it is no key, or one of theirs.
    """
    check_key(key)
    if any(key == section["key"] for section in known):
        raise ValueError(
            f"the run has two parts with the key {key!r}: their files would be the "
            "same; give them different keys"
        )


def new_entries(known: Sequence[JSON], kind: str, entry: JSON) -> list[JSON]:
    """Returns an entry that is not there yet; nothing where the very same is.

    Arguments:
        known: Those that are there.
        kind: What they are, in the plural.
        entry: With its `key`.

    Raises:
        ValueError: If its key is none, or is there with something else.

    Example:
        >>> one = {"key": "calibration.toy", "passed": True}
        >>> new_entries([], "verdicts", one) == [one], new_entries([one], "verdicts", one)
        (True, [])
    """
    check_key(entry["key"])
    same = [one for one in known if one["key"] == entry["key"]]
    if same and same != [entry]:
        raise ValueError(
            f"the run has {entry['key']!r} among its {kind} already, with something "
            "else: give the two different keys"
        )
    return [] if same else [entry]


def new_numbers(known: JSON, numbers: Mapping[str, Any]) -> JSON:
    """Returns numbers as a document holds them, none of which contradicts it.

    Arguments:
        known: Those that are there, by key.
        numbers: The others, by key; text where one is not finite.

    Raises:
        ValueError: If a key is none, or is there with another value.

    Example:
        >>> new_numbers({"rmse": 0.2}, {"rmse": np.float64(0.2), "bias": -np.inf})
        {'rmse': 0.2, 'bias': '-inf'}
    """
    plain = {name: plain_number(value) for name, value in numbers.items()}
    for name, value in plain.items():
        check_key(name)
        # a part that is told twice says the same: only another value is a loss
        if known.get(name, value) != value:
            raise ValueError(
                f"the run has the metric {name!r} already, {known[name]}, which "
                f"{value} would overwrite: give the two different keys"
            )
    return plain


def plain_number(value: Any) -> Any:
    """Returns a number as JSON has it; text for one that is not finite."""
    return describe(value.item() if isinstance(value, np.generic) else value)
