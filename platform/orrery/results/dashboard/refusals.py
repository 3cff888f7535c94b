"""What a server did not take of a copy that wandb has marked as sent.

wandb marks a copy as sent when it has come to its end, whether or not its server took what
it was given; what was refused stands in wandb's own log alone. So a mark counts once that
log was read and the server has said what it has, which is recorded beside it: whoever was
to do that may have been killed. A mark alone says nothing, and the copy is sent again,
which replaces what was taken of it.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from orrery.results.dashboard.copies import marker, record_sent

# Errors with no loss of their own: each failed request is told a second time, by what had
# asked for it; and a server need not know what it is asked about its own features.
_HARMLESS = ("api: HTTP error", "featurechecker:")
# Warnings with a loss: files that are not there or have no place to go, lines that are too
# long, a copy without its end. Others tell of something that is tried again.
_LOSSES = (
    "runfiles: upload: file does not exist",
    "runfiles: CreateRunFiles has empty UploadUrl",
    "sender: tried to sendFiles",
    "filestream: run",
    "runsync: no exit record",
)
# What the server says of a run that was deleted there, for ever; wandb asks again for ever.
_WAS_DELETED = "previously created and deleted"
DELETED = "it was deleted on the server, which takes no run of that identity any more"
_UNKNOWN = "wandb has kept no log of sending it"

_Line = dict[str, Any]
_Name = tuple[str, ...]


def sync_logs(copies: Sequence[Path]) -> frozenset[Path]:
    """Returns the logs that wandb has kept of sending copies.

    Arguments:
        copies: What is sent at once: wandb keeps its log beside the first.
    """
    if not copies:
        return frozenset()
    return frozenset((copies[0].parents[1] / "logs").glob("debug-sync.*.log"))


def check_marks(
    copies: Sequence[Path], before: frozenset[Path], lacking: Callable[[Path], str]
) -> dict[Path, str]:
    """Returns why copies do not count as sent although wandb may say so.

    Of the others that are marked it is recorded that this was checked.

    Arguments:
        copies: What was sent at once.
        before: The logs that there were before.
        lacking: Returns what the server says that it has not of one; nothing if it has
            everything.
    """
    lines = _by_copy(sync_logs(copies) - before)
    reasons: dict[Path, str] = {}
    for copy in copies:
        about = lines[_short(copy)]
        is_marked = marker(copy).exists()
        was_deleted = any(_WAS_DELETED in _said(line) for line in about)
        why = DELETED if was_deleted and not is_marked else _loss(about)
        if is_marked and not why:
            why = _unrecorded(copy, lacking) if about else _UNKNOWN
        if why:
            reasons[copy] = why
    return reasons


def _unrecorded(copy: Path, lacking: Callable[[Path], str]) -> str:
    """Returns why a copy does not count as sent; nothing once it is recorded that it does."""
    if why := lacking(copy):
        return why
    try:
        record_sent(copy)
    except OSError as problem:  # of a run that ends, whatever its folder does
        return f"it could not be recorded that everything was taken ({problem})"
    return ""


def _by_copy(logs: Iterable[Path]) -> dict[_Name, list[_Line]]:
    """Returns the lines that tell of each copy, wherever its run was when they were written."""
    found: dict[_Name, list[_Line]] = defaultdict(list)
    for log in sorted(logs):
        for line in _lines(log):
            found[_short(Path(_text(line, "sync_path")))].append(line)
    return found


def _short(copy: Path) -> _Name:
    # one that is made again has another folder, and the same name
    return copy.parts[-2:]


def _loss(about: list[_Line]) -> str:
    """Returns the first thing that was not taken; nothing if everything was."""
    for line in about:
        if _is_loss(line):
            return " ".join(f"not everything was taken: {_said(line)}".split())
    return ""


def _said(line: _Line) -> str:
    return " ".join(_text(line, name) for name in ("msg", "error", "path", "body"))


def _is_loss(line: _Line) -> bool:
    level = _text(line, "level")
    message = _text(line, "msg")
    if level.startswith("WARN"):
        return message.startswith(_LOSSES)
    # `ERROR+4` is worse than `ERROR`
    return level.startswith("ERROR") and not message.startswith(_HARMLESS)


def _text(line: _Line, name: str) -> str:
    return str(line.get(name, ""))


def _lines(log: Path) -> Iterator[_Line]:
    """Yields what a log says, line by line; the last of a killed process may be torn."""
    try:
        content = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in content.splitlines():
        with suppress(json.JSONDecodeError):
            yield json.loads(line)
