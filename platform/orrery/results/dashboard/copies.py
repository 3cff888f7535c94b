"""What is known of a copy: a note beside it says whether it is whole.

A copy that is not, because its process was killed, wandb failed or its file was damaged, is
made again from the document or the trial that it is of, before it is sent.
"""

import hashlib
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orrery.storage.documents import read_document, write_document

COPY = "copy.json"


@dataclass(frozen=True)
class Copy:
    """What is known of the copy of a run or a trial.

    Arguments:
        identity: Of the W&B run.
        file: Its file, below the folder `wandb`.
        closed: Whether it came to its end.
        lost: What it lacks, because a call failed.
        source: The fingerprint of what it is of, if that may come to change.
        size: Of its file when it came to its end [bytes]; None if that is not known.
        sha256: The checksum of that content, 64 hexadecimal digits.

    Example:
        >>> Copy("0123-001-ab", "run-0123.wandb", True, ("answers",)).whole
        False
    """

    identity: str
    file: str
    closed: bool = False
    lost: tuple[str, ...] = ()
    source: str = ""
    size: int | None = None
    sha256: str = ""

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
                found["identity"],
                found["file"],
                found["closed"],
                tuple(found["lost"]),
                found.get("source", ""),
                found.get("size"),
                found.get("sha256", ""),
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
            "size": self.size,
            "sha256": self.sha256,
        }
        write_document(folder / "wandb" / note, document)

    def path(self, folder: Path) -> Path:
        """Returns its file in the folder of a run or sweep."""
        return folder / "wandb" / self.file

    def sealed(self, folder: Path) -> "Copy":
        """Returns it with the size and checksum of its file, which is written no more.

        Arguments:
            folder: The folder of a run or sweep.

        Raises:
            OSError: If the file cannot be read.
        """
        size, sha256 = _content(self.path(folder))
        return replace(self, size=size, sha256=sha256)

    def is_intact(self, folder: Path) -> bool:
        """Returns whether its file holds what it held when it came to its end.

        Of a copy with no checksum, an older one, it is enough that there is a file.

        Arguments:
            folder: The folder of a run or sweep.
        """
        path = self.path(folder)
        if not path.exists() or self.size is None:
            return path.exists()
        try:
            return _content(path) == (self.size, self.sha256)
        except OSError:
            return False


def marker(file: Path) -> Path:
    """Returns the file by which wandb marks a copy as sent."""
    return file.with_suffix(".wandb.synced")


def is_sent(file: Path) -> bool:
    """Returns whether a copy is marked as sent."""
    return marker(file).exists()


def _content(path: Path) -> tuple[int, str]:
    """Returns the size and the checksum of a file."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), sha256


def whole_copy(
    folder: Path,
    make: Callable[[str | None], Copy],
    note: str = COPY,
    source: str = "",
) -> Copy:
    """Returns a copy, made again unless it is whole and its file intact.

    One that was sent is not looked at again.

    Arguments:
        folder: Of the run or sweep.
        make: Makes it, with the identity of the one before, if there was one: what was
            sent of that is then replaced.
        note: The name of the file that tells of it.
        source: The fingerprint of what it has to be of, if that may come to change.

    Raises:
        Exception: Whatever wandb raises.
    """
    copy = Copy.read(folder, note)
    known = copy and copy.whole and copy.source == source
    if copy and known and _can_be_kept(copy, folder):
        return copy
    made = make(copy.identity if copy else None)
    if copy and copy.file != made.file:
        shutil.rmtree(copy.path(folder).parent, ignore_errors=True)
    return made


def _can_be_kept(copy: Copy, folder: Path) -> bool:
    path = copy.path(folder)
    return path.exists() and (is_sent(path) or copy.is_intact(folder))


def later(folders: Sequence[Path]) -> str:
    """Returns the command that makes and sends the copies of what is in folders.

    Example:
        >>> later([Path("runs/my halo")])
        "`python -m orrery sync 'runs/my halo'`"
    """
    words = ["python", "-m", "orrery", "sync", *map(str, folders)]
    return f"`{shlex.join(words)}`"
