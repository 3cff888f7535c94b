"""What modules say, kept by their text: copies of the code differ in one module or two."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

# The modules here that read code: what others have read is worth nothing.
_READERS = ("memory", "numbers", "places", "syntax", "values")
_KEPT: list["Memory"] = []  # those in use: none where nobody asks for it
_FOUND: list[dict[Any, Any]] = []  # what functions have found while nothing changes


class Memory:
    """What was found by kind and by what it was found in, for all who share a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries = json.loads(file.read_text()) if file.exists() else {}
        self._known = len(self._entries)
        texts = (
            Path(__file__).with_name(f"{name}.py").read_text() for name in _READERS
        )
        self._salt = hashlib.sha256("".join(texts).encode())

    def recall(self, kind: str, content: str, find: Callable[[], Any]) -> Any:
        """Returns what was found in the same content, or finds it."""
        digest = self._salt.copy()
        digest.update("\0".join(("", kind, content)).encode())
        key = digest.hexdigest()[:32]
        if key not in self._entries:
            self._entries[key] = find()
        return self._entries[key]

    def write(self) -> None:
        """Keeps what was found for the next."""
        if len(self._entries) > self._known:
            self._file.write_text(json.dumps(self._entries))


@contextmanager
def kept_in(file: Path | str) -> Iterator[None]:
    """Keeps what is found meanwhile in a file, and looks there before it is found again."""
    memory = Memory(Path(file))
    _KEPT.append(memory)
    try:
        yield
    finally:
        _KEPT.pop()
        memory.write()


def recall(kind: str, content: str, find: Callable[[], Any]) -> Any:
    """Returns what is known of a content, if anything is kept; otherwise finds it.

    Arguments:
        kind: What is looked for.
        content: All that decides it.
        find: Returns it, as JSON has it.
    """
    if not _KEPT:
        return find()
    return _KEPT[-1].recall(kind, content, find)


@contextmanager
def unchanging() -> Iterator[None]:
    """Reads each module once meanwhile: for who is done before the next one changes it.

    Components share most modules, and each asks for all of its own.
    """
    if _FOUND:  # somebody who has called this one says so already
        yield
        return
    _FOUND.append({})
    try:
        yield
    finally:
        _FOUND.clear()


def once(read: Callable[..., Any]) -> Callable[..., Any]:
    """Keeps what a function finds, as long as nothing changes."""

    @wraps(read)
    def kept(*given: Any) -> Any:
        if not _FOUND:
            return read(*given)
        if (read, given) not in _FOUND[0]:
            _FOUND[0][read, given] = read(*given)
        return _FOUND[0][read, given]

    return kept
