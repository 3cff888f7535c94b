"""The files of a sweep's trials: one JSON document for each, written by the sweep.

This is the only reader of them here, so that their format is known in one place.
"""

import json
from pathlib import Path
from typing import Any

from orrery.identity import JSON

FOLDER = "trials"  # of a sweep
# What a trial says in any case, and of which type.
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "number": int,
    "point": dict,
    "state": str,
    "curve": list,
    "objectives": dict,
    "seconds": (int, float),
    "reason": str,
}


def trial_files(root: Path) -> list[Path]:
    """Returns the files of all trials below a folder, by sweep and name.

    Arguments:
        root: The folder of all runs, of one experiment, or of one sweep.
    """
    # As deep as attempts of runs lie, and no deeper: a walk would trip over trainings.
    patterns = (f"{above}{FOLDER}/*.json" for above in ("", "*/", "*/*/", "*/*/*/"))
    found = [path for pattern in patterns for path in root.glob(pattern)]
    return sorted(path for path in found if not path.name.startswith("."))


def read_trial(path: Path) -> JSON:
    """Returns the document of a trial; its reason is text where there was none.

    Raises:
        ValueError: If it is damaged.
        OSError: If it cannot be read.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        document = {**document, "reason": document.get("reason") or ""}
        for name, kind in _FIELDS.items():
            if not isinstance(document[name], kind):
                raise TypeError(f"{name} is {document[name]!r}")
        return document
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path} is no document of a trial, or damaged ({error!r}): the sweep's "
            "command runs it again"
        ) from error
