"""What becomes of copies: those that wait to be sent, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orrery.results.dashboard.copies import COPY, Copy, is_sent

_Outcome = Literal[
    "sent",
    "sent before",
    "sent in part",
    "being sent",
    "unfinished",
    "still running",
    "no copy",
    "kept",
]


@dataclass(frozen=True)
class Delivery:
    """What became of a copy.

    Arguments:
        place: The run's folder, or a trial's file.
        outcome: Whether it was sent, and if not, whether it is kept.
        about: Why it was not sent, or where it can be seen.

    Example:
        >>> Delivery(Path("runs/x"), "kept", "no network").is_done
        False
    """

    place: Path
    outcome: _Outcome
    about: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to send."""
        return self.outcome in ("sent", "sent before", "unfinished")


@dataclass(frozen=True)
class Waiting:
    """A copy that is to be sent, unless it was.

    Arguments:
        place: The run's folder, or the trial's file.
        folder: Of the run or sweep.
        copy: What is known of it.
        again: Makes it again with another identity; None if that cannot be done.
        note: The name of the file that tells of it.
        flaw: What is wrong with what it is of, which it does not show.

    Example:
        >>> Waiting(Path("runs/x"), Path("runs/x"), Copy("a", "a/a.wandb")).file
        PosixPath('runs/x/wandb/a/a.wandb')
    """

    place: Path
    folder: Path
    copy: Copy
    again: Callable[[], "Found"] | None = None
    note: str = COPY
    flaw: str = ""

    @property
    def file(self) -> Path:
        """The copy."""
        return self.copy.path(self.folder)

    def outcome(self, before: bool, reason: str = "") -> Delivery:
        """Returns what became of it.

        Arguments:
            before: Whether that was so before.
            reason: Why it was not sent.
        """
        if not is_sent(self.file):
            return Delivery(self.place, "kept", reason)
        without = f"without {', '.join(self.copy.gone)}" if self.copy.gone else ""
        if flaw := "; ".join(filter(None, (self.flaw, without))):
            return Delivery(self.place, "sent in part", flaw)
        return Delivery(self.place, "sent before" if before else "sent")


Found = Waiting | Delivery


def unless_sent(waiting: Waiting) -> Found:
    """Returns what became of a copy that was sent before; others wait."""
    return waiting.outcome(before=True) if is_sent(waiting.file) else waiting
