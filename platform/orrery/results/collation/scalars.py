"""Documents as single values: each with a name, a number, a truth value or text."""

import json
import math
from collections.abc import Mapping
from typing import Any

from orrery.parameters import FloatArray

Scalar = bool | int | float | str | None
# How documents write numbers that JSON lacks.
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Scalar]:
    """Returns a nested document as one level: `training.epochs` and its value.

    Lists stay one value, their JSON text.

    Arguments:
        document: Plain JSON.
        prefix: What names begin with.

    Example:
        >>> flat({"flow": {"kind": "maf", "hidden": [50, 50]}, "seed": 1}, "option.")
        {'option.flow.kind': 'maf', 'option.flow.hidden': '[50, 50]', 'option.seed': 1}
    """
    values: dict[str, Scalar] = {}
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            values |= flat(value, f"{prefix}{name}.")
        else:
            values[text(f"{prefix}{name}")] = scalar(value)
    return values


def scalar(value: Any) -> Scalar:
    """Returns a value of plain JSON as a scalar; numbers that are not finite are no text.

    Example:
        >>> scalar("-inf"), scalar([1, 2]), scalar(True)
        (-inf, '[1, 2]', True)
    """
    if isinstance(value, str):
        return _NOT_FINITE.get(value, text(value))
    if value is None or isinstance(value, bool | int | float):
        return value
    return text(json.dumps(value, ensure_ascii=False))


def text(words: str) -> str:
    """Returns words as text that can be written: a name of a file may hold other bytes."""
    return words.encode("utf-8", "backslashreplace").decode("utf-8")


def exact(number: float) -> float | None:
    """Returns a number to seven digits, None where it is not finite.

    Example:
        >>> exact(20.123456789), exact(float("nan"))
        (20.12346, None)
    """
    return float(f"{number:.7g}") if math.isfinite(number) else None


def rounded(values: FloatArray) -> list[float | None]:
    """Returns numbers `[n]` to four digits, None where one is not finite."""
    return [float(f"{x:.4g}") if math.isfinite(x) else None for x in values.tolist()]


def shares(values: FloatArray) -> list[float | None]:
    """Returns shares `[n]`, which are one at most, to four decimals."""
    plain = (values.round(4) + 0.0).tolist()  # -0.0 would be written with its sign
    return [x if math.isfinite(x) else None for x in plain]
