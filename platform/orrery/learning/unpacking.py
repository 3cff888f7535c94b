"""What torch has written, unpacked within bounds.

A right checksum says who wrote a file, and not that it was well meant. Torch compresses
nothing, so that what becomes larger than its file was not written by it.
"""

import io
import pickle  # nosec B403  # for the name of its error alone
import zipfile
from typing import Any

import torch

# What torch raises of a file that it cannot read.
_UNREADABLE = (
    *(RuntimeError, ValueError, pickle.UnpicklingError, EOFError, KeyError, IndexError),
    *(TypeError, AttributeError, AssertionError, OverflowError),
)


def unpacked(content: bytes, name: str, remedy: str) -> Any:
    """Returns what torch wrote: numbers, words and tensors, and nothing that is called.

    Arguments:
        content: What it wrote.
        name: Of its file, for messages.
        remedy: What to do if it is damaged.

    Raises:
        ValueError: If it is not as torch writes it, or becomes larger than it is.

    Example:
        >>> buffer = io.BytesIO()
        >>> torch.save({"rate": torch.ones(2)}, buffer)
        >>> unpacked(buffer.getvalue(), "last.ckpt", "train again")
        {'rate': tensor([1., 1.])}
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            size = sum(part.file_size for part in parts.infolist())
    except (zipfile.BadZipFile, RuntimeError, ValueError) as error:
        raise ValueError(f"{name} is damaged ({error}): {remedy}") from error
    if size > len(content):
        raise ValueError(
            f"{name}: its parts would take {size} bytes, more than the {len(content)} that it "
            f"has: {remedy}"
        )
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        said = " ".join(str(error).split())[:200]
        raise ValueError(f"{name} is damaged ({said}): {remedy}") from error
