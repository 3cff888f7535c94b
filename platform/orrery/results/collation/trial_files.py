"""The files of a sweep's trials: one JSON document for each, written by the sweep.

This is the only reader of them here, so that their format is known in one place.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from orrery.identity import JSON
from orrery.storage.files import is_locked
from orrery.sweeps.trial import SWEEP, TRIALS

GONE = "its sweep ended; the same command goes on with it"
# What a trial says in any case, and of which type.
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "number": int,
    "point": dict,
    "state": str,
    "curve": list,
    "objectives": dict,
    "seconds": (int, float),
    "reason": str,
    "identity": dict,
}


def trial_files(root: Path) -> list[Path]:
    """Returns the files of all trials below a folder, by sweep and name.

    Arguments:
        root: The folder of all runs, of one experiment, or of one sweep.
    """
    # As deep as attempts of runs lie, and no deeper: a walk would trip over trainings.
    patterns = (f"{above}{TRIALS}/*.json" for above in ("", "*/", "*/*/", "*/*/*/"))
    found = [path for pattern in patterns for path in root.glob(pattern)]
    return sorted(path for path in found if not path.name.startswith("."))


def trial_document(path: Path) -> JSON:
    """Returns the document of a trial; its reason is text where there was none.

    A trial that was running when its sweep was killed is interrupted.

    Raises:
        ValueError: If it is damaged.
        OSError: If it cannot be read.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        document = {"identity": {}, **document, "reason": document.get("reason") or ""}
        for name, kind in _FIELDS.items():
            if not isinstance(document[name], kind):
                raise TypeError(f"{name} is {document[name]!r}")
        return _settled(document, path.parents[1])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path} is no document of a trial, or damaged ({error!r}): the sweep's "
            "command runs it again"
        ) from error


def _settled(trial: JSON, sweep: Path) -> JSON:
    """Returns a trial, interrupted if it says running but nobody computes its sweep."""
    if trial["state"] != "running" or is_locked(sweep):
        return trial
    return {**trial, "state": "interrupted", "reason": GONE}


def sweep_goals(sweep: Path) -> dict[str, str]:
    """Returns whether `larger` or `smaller` is better for each objective of a sweep.

    Arguments:
        sweep: Its folder.
    """
    # without it the names of objectives must do
    with suppress(OSError, ValueError, TypeError, LookupError, RecursionError):
        goals = json.loads((sweep / SWEEP).read_text(encoding="utf-8"))["goals"]
        return {str(goal["name"]): str(goal["better"]) for goal in goals}
    return {}
