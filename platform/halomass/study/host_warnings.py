"""Names for the numbers in what a user must know of a host: a reader looks them up."""

import re
from collections.abc import Iterator

from halomass.observed.host_neighbours import Neighbours
from orrery.sentences import Sentence

# a hyphen between two numbers is no sign, and what touches letters is a name
_NUMBER = re.compile(
    r"(?:(?<![\w.)+\-])[+\-])?(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)"
)


def warning_numbers(host: Neighbours) -> dict[str, float | str]:
    """Returns the numbers in a host's warnings, and who has them, by name in their order.

    A number has the place of its warning and its own: `host.warnings.1.number.2`. So have
    neighbours whose names have numbers in them: `host.warnings.1.neighbour.1`.

    Example:
        >>> from halomass.observed.host_neighbours import HostEnvironment, Orbits
        >>> import numpy as np
        >>> one = np.array([80.0])
        >>> warnings = {"warnings": ["Leo 4 moves with 1153 km/s"]}
        >>> around = HostEnvironment(91.7, 761.0, 17_000.0)
        >>> orbits = Orbits(one, one, one)
        >>> warning_numbers(Neighbours("A host", ("Leo 4",), orbits, one, around, warnings))
        {'host.warnings.1.neighbour.1': 'Leo 4', 'host.warnings.1.number.1': 1153}
    """
    return {key: value for one in _by_warning(host) for key, value in one.items()}


def warning_sentences(host: Neighbours) -> list[Sentence]:
    """Returns a host's warnings, each with the names of its numbers."""
    return [
        Sentence(f"{host.name}: {warning}.", ("host.name", *numbers))
        for warning, numbers in zip(host.warnings, _by_warning(host), strict=True)
    ]


def _by_warning(host: Neighbours) -> Iterator[dict[str, float | str]]:
    known = {*host.names, *host.provenance.get("left_out", {})}
    # of two names the longer first: one may begin as the other
    names = sorted((n for n in known if _NUMBER.search(n)), key=len, reverse=True)
    for place, warning in enumerate(host.warnings, 1):
        key = f"host.warnings.{place}"
        quoted = [name for name in names if name in warning]
        numbers = _numbers(warning, quoted)
        yield {
            **{f"{key}.neighbour.{i}": name for i, name in enumerate(quoted, 1)},
            **{f"{key}.number.{i}": value for i, value in enumerate(numbers, 1)},
        }


def _numbers(warning: str, names: list[str]) -> list[float]:
    for name in names:
        warning = warning.replace(name, "\0" * len(name))
    return [
        int(text) if text.isdecimal() else float(text)
        for text in _NUMBER.findall(warning)
    ]
