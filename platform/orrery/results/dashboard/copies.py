"""What is known of a copy: a note beside it says whether it is whole.

A copy that is not, because its process was killed or wandb failed, is made again from the
document or the trial that it is of, before it is sent.
"""

import json
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orrery.storage import files

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

    Example:
        >>> Copy("0123-001-ab", "run-0123.wandb", True, ("answers",)).whole
        False
    """

    identity: str
    file: str
    closed: bool = False
    lost: tuple[str, ...] = ()
    source: str = ""

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
            found = json.loads((folder / "wandb" / note).read_text(encoding="utf-8"))
            return cls(
                found["identity"],
                found["file"],
                found["closed"],
                tuple(found["lost"]),
                found.get("source", ""),
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
        }
        files.write_json(folder / "wandb" / note, document)

    def path(self, folder: Path) -> Path:
        """Returns its file in the folder of a run or sweep."""
        return folder / "wandb" / self.file


def whole_copy(
    folder: Path,
    make: Callable[[str | None], Copy],
    note: str = COPY,
    source: str = "",
) -> Copy:
    """Returns a copy, made again unless it is whole.

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
    if copy and known and copy.path(folder).exists():
        return copy
    made = make(copy.identity if copy else None)
    if copy and copy.file != made.file:
        shutil.rmtree(copy.path(folder).parent, ignore_errors=True)
    return made


def later(folders: Sequence[Path]) -> str:
    """Returns the command that makes and sends the copies of what is in folders.

    Example:
        >>> later([Path("runs/my halo")])
        "`python -m orrery sync 'runs/my halo'`"
    """
    words = ["python", "-m", "orrery", "sync", *map(str, folders)]
    return f"`{shlex.join(words)}`"
