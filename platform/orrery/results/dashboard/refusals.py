"""What a server did not take of a copy that wandb has marked as sent.

wandb marks a copy as sent when it has come to its end, whether or not its server took what
it was given; what was refused stands in wandb's own log alone. So a mark counts once that
log was read, which is recorded beside it: whoever was to read it may have been killed.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from orrery.results.dashboard.copies import is_sent, marker, record_sent

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
_LAST = "sender: closed"  # after all that may be refused of a copy, and before its mark

_Line = dict[str, Any]


def sync_logs(copies: Sequence[Path]) -> frozenset[Path]:
    """Returns the logs that wandb has kept of sending copies.

    Arguments:
        copies: What is sent at once: wandb keeps its log beside the first.
    """
    if not copies:
        return frozenset()
    return _logs(copies[0].parents[1])


def _logs(place: Path) -> frozenset[Path]:
    return frozenset((place / "logs").glob("debug-sync.*.log"))


def check_marks(copies: Sequence[Path], before: frozenset[Path]) -> dict[Path, str]:
    """Returns why copies do not count as sent although wandb may say so.

    Of the others that are marked it is recorded that this was checked.

    Arguments:
        copies: What was sent at once.
        before: The logs that there were before.
    """
    logs = sync_logs(copies) - before
    lines = [line for log in sorted(logs) for line in _lines(log)]
    reasons: dict[Path, str] = {}
    for copy in copies:
        about = _about(copy, lines)
        was_deleted = any(_WAS_DELETED in _said(line) for line in about)
        loss = DELETED if was_deleted and not marker(copy).exists() else _loss(about)
        with suppress(OSError):  # of a run that ends, whatever its folder does
            if about and not loss and marker(copy).exists() and not is_sent(copy):
                record_sent(copy)
        if loss:
            reasons[copy] = loss
        elif marker(copy).exists() and not is_sent(copy):
            reasons[copy] = _unknown(about)
    return reasons


def _unknown(about: list[_Line]) -> str:
    if about:
        return "it could not be recorded that everything was taken"
    return "wandb has kept no log of sending it"


def check_earlier_marks(places: Iterable[Path]) -> None:
    """Records of copies that they were sent, as far as the logs of earlier sendings tell.

    Of these whoever was to check the marks was killed, or came to no end. What is not
    known to have been taken is sent again, which replaces what was taken of it.

    Arguments:
        places: The folders `wandb` of runs and sweeps.
    """
    folders = list(places)
    found = [copy for folder in folders for copy in folder.glob("*/*.wandb")]
    copies = [copy for copy in found if marker(copy).exists() and not is_sent(copy)]
    if not copies:
        return
    logs = {log for folder in folders for log in _logs(folder)}
    # by their names, which are their times
    latest = sorted(logs, key=lambda log: log.name, reverse=True)
    sendings = [list(_lines(log)) for log in latest]
    for copy in copies:
        about = next(filter(None, (_about(copy, lines) for lines in sendings)), [])
        has_ended = bool(about) and _text(about[-1], "msg") == _LAST
        if has_ended and not _loss(about):
            with suppress(OSError):  # it is sent again
                record_sent(copy)


def _about(copy: Path, lines: list[_Line]) -> list[_Line]:
    """Returns the lines that tell of a copy, wherever its run was when they were written."""
    # one that is made again has another folder, and the same name
    name = copy.parts[-2:]
    return [line for line in lines if Path(_text(line, "sync_path")).parts[-2:] == name]


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
