"""Files of options: which file is meant, and what it says, before anybody knows its options.

A run's `run.json` is one, and so is whatever a user has written. Each way in which it can
be none ends with a sentence that names the file, the place in it, and what to give.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from orrery.identity import JSON
from orrery.option_types import shortened
from orrery.storage.documents import WrongChecksumError, checked
from orrery.storage.run import DOCUMENT, attempts, only_run

LARGEST = 256  # [MB] documents of runs have some
_MOST_DIGITS = 400  # far more than an option has
_REMEDY = "give the run.json of a run of this experiment, or the folder of its attempts"


def find_options(place: Path) -> Path:
    """Returns the file with the options in a place.

    Arguments:
        place: A file; the folder of an attempt; or that of all attempts with the same
            options, of which the newest finished one counts, or else the newest.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is neither a file nor a folder, or is too large.
    """
    path = _document(place) if place.is_dir() else place
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}: {_REMEDY}")
    if not path.is_file():
        raise ValueError(f"{path} is no file: {_REMEDY}")
    size = path.stat().st_size / 1e6
    if size > LARGEST:
        raise ValueError(
            f"{path} has {size:.0f} MB, more than options ever have ({LARGEST} MB): "
            f"{_REMEDY}"
        )
    return path


def _document(folder: Path) -> Path:
    """Returns the document that a folder of a run, or of one of its attempts, answers with."""
    if (folder / DOCUMENT).exists():
        return folder / DOCUMENT
    written = [path / DOCUMENT for path in attempts(folder)]
    written = [path for path in written if path.is_file()]
    if written:
        finished = [path for path in written if _is_finished(path)]
        return (finished or written)[-1]
    return _document(only_run(folder, _REMEDY))


def _is_finished(path: Path) -> bool:
    try:
        return bool(read_options(path, whole=True)["status"] == "finished")
    except (ValueError, KeyError, OSError):
        return False


def read_options(path: Path, whole: bool = False) -> JSON:
    """Returns the options in a file, with their values as JSON has them.

    Arguments:
        path: A `run.json`, or a file that holds nothing but options.
        whole: Whether to return all of a `run.json`.

    Raises:
        ValueError: If it holds none; it says where in the file, and what to give.
        OSError: If it cannot be read.
    """
    document = _json(path)
    if not isinstance(document, dict):
        raise ValueError(f"{path} holds {shortened(document)}, not options: {_REMEDY}")
    if whole:
        return document
    options = document.get("options", document)
    if not isinstance(options, dict):
        raise ValueError(f"{path}: options is {shortened(options)}: {_REMEDY}")
    return options


def _json(path: Path) -> Any:
    try:
        content = checked(path.read_bytes())
        return json.loads(content.decode("utf-8"), parse_int=_whole_number)
    except WrongChecksumError as error:
        raise ValueError(
            f"{path} is damaged ({error}); if it was edited, remove its entry "
            f"`checksum`, else {_REMEDY}"
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not text in UTF-8 from byte {error.start} on: {_REMEDY}"
        ) from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {error.lineno}, column {error.colno}, is no JSON "
            f"({error.msg}): {_REMEDY}"
        ) from error
    except RecursionError as error:
        raise ValueError(
            f"{path} is nested deeper than options are: {_REMEDY}"
        ) from error


def _whole_number(digits: str) -> int | Decimal:
    # Python makes no integer of thousands of digits: this way it reaches whoever checks
    # options, who says which one it is.
    return int(digits) if len(digits) < _MOST_DIGITS else Decimal(digits)
