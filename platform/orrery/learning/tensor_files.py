"""Files of tensors: a finished training and its checkpoints, each with its own checksum.

The checksum stands behind what torch writes, where torch alone passes it over. It is also
of the training that a file belongs to: what another one has left would be read like its
own, and give its weights.
"""

import io
from pathlib import Path
from typing import Any

import torch

from orrery.learning.belongings import TRAIN, UNFINISHED
from orrery.learning.unpacking import unpacked
from orrery.storage.contents import content_of
from orrery.storage.documents import (
    WrongChecksumError,
    with_trailer,
    without_trailer,
)
from orrery.storage.files import write_atomically
from orrery.storage.store import Location
from orrery.terminal import say


def save_tensors(path: Path, content: Any) -> None:
    """Writes what torch can write, with its checksum, complete or not at all.

    Raises:
        OSError: If it cannot be written.
    """
    # Into memory: of a full disk torch tells with an error of its own.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, with_trailer(buffer.getvalue(), owner(path)))


def load_tensors(path: Path) -> Any:
    """Returns what `save_tensors` wrote.

    Raises:
        ValueError: If the file is damaged; it names the file.
        OSError: If it cannot be read.
    """
    return unpacked(_body(path), str(path), TRAIN)


def owner(path: Location) -> str:
    """Returns the training that a file belongs to, and its part there; empty if unknown.

    Wherever the folder of an unfinished training is moved to, it has its name.

    Example:
        >>> owner(Path("posteriors/.training-0f/cohort-1/last.ckpt"))
        '.training-0f/cohort-1'
    """
    parts = str(path).split("/")[:-1]
    begins = [i for i, part in enumerate(parts) if part.startswith(UNFINISHED)]
    return "/".join(parts[begins[-1] :]) if begins else ""


def _body(path: Path) -> bytes:
    """Returns what torch has written into a file, if its checksum is right."""
    try:
        return without_trailer(content_of(path), owner(path))
    except WrongChecksumError as error:
        raise ValueError(f"{path} is damaged ({error}): {TRAIN}") from error


def is_sound(path: Path) -> bool:
    """Returns whether there is a file of tensors that is what was written; says if not.

    Whoever asks makes a damaged one again.
    """
    if not path.exists():
        return False
    try:
        _body(path)
    except ValueError:
        say(f"{path} is damaged (its checksum differs): it is made again")
        return False
    return True
