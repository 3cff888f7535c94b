"""Simulators that this installation knows: who can make a dataset's shards again.

A package names its simulators as entry points, frozen dataclasses whose fields are the
`options` of their description. A document decides none of that: it is only compared
with what such a simulator says of itself.
"""

import dataclasses
import itertools
from importlib.metadata import entry_points
from typing import Any

from orrery.execution.simulation import Simulator
from orrery.identity import JSON, canonical, without_words

GROUP = "orrery.simulators"


def known_simulator(description: JSON) -> Simulator | None:
    """Returns the installed simulator with this very description; None if none has it.

    Arguments:
        description: What a simulator says of itself, with or without words.
    """
    options = _options(description)
    if not isinstance(options, dict):
        return None
    for entry in entry_points(group=GROUP):
        kind = entry.load()
        defaults = {one.name: one.default for one in dataclasses.fields(kind)}
        # another science's; those that a description leaves out have their defaults
        if not {*options} <= {*defaults}:
            continue
        given = {key: _as_field(value, defaults[key]) for key, value in options.items()}
        try:
            simulator: Simulator = kind(**given)
        except (TypeError, ValueError):
            continue
        if _decides(simulator.describe()) == _decides(description):
            return simulator
    return None


def _options(description: JSON) -> Any:
    return description.get("options")


def _as_field(value: Any, default: Any) -> Any:
    """Returns a value of JSON as its dataclass has it; fingerprints write 1.0 as 1."""
    if isinstance(default, float) and isinstance(value, int):
        return float(value)
    if not isinstance(value, list):
        return value
    like = default if isinstance(default, tuple) else ()
    return tuple(itertools.starmap(_as_field, itertools.zip_longest(value, like)))


def _decides(description: JSON) -> str:
    return canonical(without_words(description))
