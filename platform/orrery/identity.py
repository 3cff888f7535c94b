"""Identity: documents as plain JSON, and the digits that stand for them.

Documents hold options and versions, never code: what decides numbers declares `VERSION`
beside it and raises it whenever they change. So a refactor keeps every dataset,
posterior and ensemble; that a changed number does not hide is tested by `tests/golden`.
"""

import dataclasses
import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any

JSON = dict[str, Any]

# Where a description holds what it says to readers alone: see `without_words`.
ABOUT = "about"

# Metadata of an option that only says where something is kept: it decides no number.
PLACE = {"place": True}

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


def canonical(document: Any) -> str:
    """Returns a document as JSON text that is the same for equal documents.

    Example:
        >>> canonical({"edges": [30, 50.5]}) == canonical({"edges": [30.0, 50.5]})
        True
    """
    plain = _equal_numbers(document)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _equal_numbers(document: Any) -> Any:
    """Returns a document in which equal numbers are written alike: 30.0 as 30, -0.0 as 0."""
    if isinstance(document, dict):
        return {key: _equal_numbers(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_equal_numbers(value) for value in document]
    if isinstance(document, float) and document.is_integer():
        return int(document)
    return document


def fingerprint(document: Any) -> str:
    """Returns 16 hexadecimal digits that identify a JSON document."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()[:16]


def is_fingerprint(name: str) -> bool:
    """Returns whether a name, such as a folder's, is one that `fingerprint` gives.

    Example:
        >>> is_fingerprint(fingerprint({"a": 1})), is_fingerprint("attempt-001")
        (True, False)
    """
    return _FINGERPRINT.fullmatch(name) is not None


def without_words(description: JSON) -> JSON:
    """Returns a description without its entry `about`, which decides nothing.

    Words are for readers: a sentence that is put better makes no other dataset.

    Example:
        >>> without_words({"version": 1, "about": {"model": "a rigid galaxy"}})
        {'version': 1}
    """
    return {key: value for key, value in description.items() if key != ABOUT}


def is_place(field: "dataclasses.Field[Any]") -> bool:
    """Returns whether an option only says where something is kept."""
    return bool(field.metadata.get("place"))


def describe(value: Any, places: bool = True) -> Any:
    """Returns options as plain JSON; a nested dataclass also says its type.

    Arguments:
        value: The options.
        places: Whether to keep fields that only say where something is kept.

    Raises:
        ValueError: If a value has no plain JSON form.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            f.name: describe(getattr(value, f.name), places)
            for f in dataclasses.fields(value)
            if places or not is_place(f)
        }
        return {"type": type(value).__name__, **fields}
    if isinstance(value, dict):
        return {str(key): describe(item, places) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item, places) for item in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    raise ValueError(
        f"option value {value!r} of type {type(value).__name__} has no plain JSON form: "
        "use numbers, text, paths, tuples or frozen dataclasses"
    )
