"""What is known of a copy: a note beside it says whether it is whole.

A copy that is not, because its process was killed, wandb failed, or a file that belongs to
it is gone, damaged or not where the copy says, as after a move, is made again from the
document or the trial that it is of, before it is sent.
"""

import shlex
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orrery.results.dashboard.parts import Part, parts
from orrery.storage.documents import read_document, write_document
from orrery.terminal import say

COPY = "copy.json"
_DIGITS = 6  # of what tells copies with the same name apart


@dataclass(frozen=True)
class Copy:
    """What is known of the copy of a run or a trial.

    Arguments:
        identity: Of the W&B run.
        file: Its file, below the folder `wandb`.
        closed: Whether it came to its end.
        lost: What it lacks, because a call failed: it is made again.
        gone: What it lacks, because that is gone or damaged itself, and why.
        source: The fingerprint of what it is of: a note may have been put beside another
            run or trial, or that may have been computed again.
        parts: Its file and those that it names, as they were when it came to its end;
            none if that is not known.

    Example:
        >>> Copy("0123-001-ab", "run-0123.wandb", True, ("answers",)).whole
        False
    """

    identity: str
    file: str
    closed: bool = False
    lost: tuple[str, ...] = ()
    source: str = ""
    parts: tuple[Part, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it holds everything that there was to be copied."""
        return self.closed and not self.lost

    @classmethod
    def read(cls, folder: Path, note: str = COPY) -> "Copy | None":
        """Returns what is known of a copy in the folder of a run or sweep.

        Arguments:
            folder: The folder.
            note: The name of the file that tells it.

        Returns:
            None if there is none.
        """
        try:
            found = read_document(folder / "wandb" / note, "it is sent anew")
            return cls(
                _word(found["identity"]),
                _below(found["file"]),
                found["closed"],
                tuple(found["lost"]),
                found.get("source", ""),
                tuple(Part(**part) for part in found.get("parts", [])),
                tuple(found.get("gone", [])),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None  # as if it were not there: it can be made again

    def write(self, folder: Path, note: str = COPY) -> None:
        """Writes it into the folder of a run or sweep.

        Arguments:
            folder: The folder.
            note: The name of the file that tells it.

        Raises:
            OSError: If it cannot be written.
        """
        document = {
            "identity": self.identity,
            "file": self.file,
            "closed": self.closed,
            "lost": list(self.lost),
            "source": self.source,
            "parts": [part.document for part in self.parts],
            "gone": list(self.gone),
        }
        write_document(folder / "wandb" / note, document)

    def remove(self, folder: Path, note: str = COPY) -> None:
        """Removes the copy and what tells of it: the next one has another identity.

        Arguments:
            folder: Of the run or sweep.
            note: The name of the file that tells of it.

        Raises:
            OSError: If that cannot be removed.
        """
        (folder / "wandb" / note).unlink(missing_ok=True)
        shutil.rmtree(self.path(folder).parent, ignore_errors=True)

    def path(self, folder: Path) -> Path:
        """Returns its file in the folder of a run or sweep."""
        return folder / "wandb" / self.file

    def sealed(self, folder: Path) -> "Copy":
        """Returns it with what belongs to it, which is written no more.

        Arguments:
            folder: The folder of a run or sweep.

        Raises:
            OSError: If its file cannot be read.
            google.protobuf.message.DecodeError: If that is damaged.
        """
        return replace(self, parts=parts(self.path(folder)))

    def is_intact(self, folder: Path) -> bool:
        """Returns whether all that belongs to it is what it was when it came to its end.

        Arguments:
            folder: The folder of a run or sweep.
        """
        place = self.path(folder).parent
        return bool(self.parts) and all(part.is_intact(place) for part in self.parts)


def _word(text: Any) -> str:
    """Returns a text that is one and says something.

    Raises:
        ValueError: If it is none.
    """
    if not isinstance(text, str) or not text:
        raise ValueError(f"{text!r} is no name")
    return text


def _below(text: Any) -> str:
    """Returns the path of a copy, which lies in a folder of its own below `wandb`.

    Raises:
        ValueError: If it would lie elsewhere, where whatever else is would be removed with it.
    """
    path = Path(_word(text))
    if len(path.parts) != 2 or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{text!r} is no path of a copy")
    return str(text)


def marker(file: Path) -> Path:
    """Returns the file by which wandb marks a copy as sent."""
    return file.with_suffix(".wandb.synced")


def is_sent(file: Path) -> bool:
    """Returns whether a copy was sent and it was seen that everything was taken.

    wandb's mark alone says no more than that its sending has ended.
    """
    return marker(file).exists() and _record(file).exists()


def record_sent(file: Path) -> None:
    """Records that everything of a copy that wandb has marked was taken.

    Raises:
        OSError: If it cannot be written.
    """
    write_document(_record(file), {"copy": file.name})


def forget_mark(file: Path) -> None:
    """Takes away what says that a copy was sent; wandb skips those with a mark.

    Raises:
        OSError: If it cannot be removed.
    """
    # first: a mark without a record says nothing, whenever this is killed
    _record(file).unlink(missing_ok=True)
    marker(file).unlink(missing_ok=True)


def _record(file: Path) -> Path:
    return file.with_suffix(".wandb.checked")


@dataclass(frozen=True)
class Origin:
    """What a copy is of.

    Arguments:
        name: The run or trial, with which the identities of its copies begin.
        source: The fingerprint of it.
        note: The name of the file that tells of its copy.

    Example:
        >>> Origin("0123-001", "abcdef0123456789").identity
        '0123-001-abcdef'
    """

    name: str
    source: str
    note: str = COPY

    @property
    def identity(self) -> str:
        """What W&B knows its copy by: the same whenever it is copied, and no other's."""
        return f"{self.name}-{self.source[:_DIGITS]}"

    @property
    def fresh_identity(self) -> str:
        """What W&B never knew a copy by: one that it has deleted it takes no more."""
        return f"{self.name}-{uuid.uuid4().hex[:_DIGITS]}"

    def owns(self, copy: Copy) -> bool:
        """Returns whether a copy is of it; of those of earlier versions that is not known."""
        return copy.source == self.source or (not copy.source and self.note == COPY)


def whole_copy(
    folder: Path,
    make: Callable[[str], Copy],
    origin: Origin,
    gone: Callable[[], tuple[str, ...]] = tuple,
) -> Copy:
    """Returns a copy, made again unless it is whole and all that belongs to it intact.

    One that was sent is not looked at again. A note of another's copy is told, and left
    out of account: with its identity two would become one on the server.

    Arguments:
        folder: Of the run or sweep.
        make: Makes it, with an identity: that of the one before, if there was one, so that
            what was sent of that is replaced.
        origin: What it has to be of.
        gone: Returns what is gone now; asked of a copy that is without something.

    Raises:
        Exception: Whatever wandb raises.
    """
    found = Copy.read(folder, origin.note)
    if found and not origin.owns(found):
        say(
            f"warning: {folder / 'wandb' / origin.note} tells of the copy of another run "
            f"or trial, {found.identity}: {origin.name} gets a copy of its own"
        )
    copy = found if found and origin.owns(found) else None
    # what has come back, as from a backup, is sent, too
    same = copy and (not copy.gone or copy.gone == gone())
    if copy and copy.whole and same and can_be_kept(copy, folder):
        return copy
    made = make(copy.identity if copy else origin.identity)
    # of the same run or trial, if not of the same computation
    stale = found if found and found.identity.startswith(origin.name) else copy
    if stale and stale.file != made.file:
        shutil.rmtree(stale.path(folder).parent, ignore_errors=True)
    return made


def can_be_kept(copy: Copy, folder: Path) -> bool:
    """Returns whether a copy was sent, or all that belongs to it is there and intact.

    Arguments:
        copy: The copy.
        folder: Of the run or sweep.
    """
    path = copy.path(folder)
    return path.exists() and (is_sent(path) or copy.is_intact(folder))


def later(folders: Sequence[Path]) -> str:
    """Returns the command that makes and sends the copies of what is in folders.

    Example:
        >>> later([Path("runs/my halo")])
        "`orrery sync 'runs/my halo'`"
    """
    words = ["orrery", "sync", *map(str, folders)]
    return f"`{shlex.join(words)}`"
