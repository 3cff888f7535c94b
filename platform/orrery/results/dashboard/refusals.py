"""What a server did not take of a copy that wandb has marked as sent.

wandb marks a copy as sent when it has come to its end, whether or not its server took what
it was given; what was refused stands in wandb's own log alone.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from orrery.results.dashboard.copies import marker

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


def sync_logs(copies: Sequence[Path]) -> frozenset[Path]:
    """Returns the logs that wandb has kept of sending copies.

    Arguments:
        copies: What is sent at once: wandb keeps its log beside the first.
    """
    if not copies:
        return frozenset()
    return frozenset((copies[0].parents[1] / "logs").glob("debug-sync.*.log"))


def take_back_marks(copies: Sequence[Path], before: frozenset[Path]) -> dict[Path, str]:
    """Returns why copies do not count as sent although wandb may say so.

    The marks of these are taken away, so that they are sent again.

    Arguments:
        copies: What was sent at once.
        before: The logs that there were before.
    """
    logs = sync_logs(copies) - before
    lines = [line for log in sorted(logs) for line in _lines(log)]
    reasons: dict[Path, str] = {}
    for copy in copies:
        reason = _reason(copy, lines)
        if reason:
            with suppress(OSError):  # of a run that ends, whatever its folder does
                marker(copy).unlink()
            reasons[copy] = reason
    return reasons


def _reason(copy: Path, lines: list[dict[str, Any]]) -> str:
    """Returns why a copy does not count as sent; nothing if everything was taken."""
    about = [line for line in lines if Path(_text(line, "sync_path")).name == copy.name]
    if not about:
        return "wandb has kept no log of sending it" if marker(copy).exists() else ""
    for line in about:
        if _is_loss(line):
            said = [_text(line, name) for name in ("msg", "error", "path")]
            words = f"not everything was taken: {' '.join(said)}"
            return " ".join(words.split())
    return ""


def _is_loss(line: dict[str, Any]) -> bool:
    level = _text(line, "level")
    message = _text(line, "msg")
    if level.startswith("WARN"):
        return message.startswith(_LOSSES)
    # `ERROR+4` is worse than `ERROR`
    return level.startswith("ERROR") and not message.startswith(_HARMLESS)


def _text(line: dict[str, Any], name: str) -> str:
    return str(line.get(name, ""))


def _lines(log: Path) -> Iterator[dict[str, Any]]:
    """Yields what a log says, line by line; the last of a killed process may be torn."""
    try:
        content = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in content.splitlines():
        with suppress(json.JSONDecodeError):
            yield json.loads(line)
