"""Documents: JSON that carries its own checksum, written and read here alone.

A document begins with a member `checksum`, the sha256 of its text without this member.
So no bit of it can change unseen: neither of what it says, nor of how that is written,
nor of the checksum. Lines of a log are documents too, each of its own.

One that was written before documents carried checksums is read as it is, and that is
said once; whatever writes it next gives it one. Whoever edits one by hand removes the
member.
"""

import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, overload

import numpy as np

from orrery.failures import LONGEST_NAME
from orrery.identity import JSON, canonical
from orrery.option_types import shortened
from orrery.parameters import FloatArray
from orrery.storage.contents import content_of
from orrery.storage.files import write_atomically
from orrery.storage.store import Location
from orrery.terminal import say

CHECKSUM = "checksum"
# As `_with_checksum` writes it, on a line of its own or within the only line.
_MEMBER = re.compile(rb'\{(?:\n  "checksum": |"checksum":)"([0-9a-f]{64})",')
_DIGITS = re.compile(rb'"[0-9a-f]{64}",')
_HEAD = 90  # bytes in which the member ends
_LINED = 2  # levels of a document whose members have a line each
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False)
_LONGEST_PATH = 1000  # characters of a name in a folder, of folders in it too
LARGEST_CORRECTED = 2**17  # bytes of a document: to try all bits takes half a minute
_TRAILER = b"\norrery sha256 "
_TRAILER_LENGTH = len(_TRAILER) + 64
_known_old: set[str] = (
    set()
)  # names of files of which this process has said that they are old


class WrongChecksumError(ValueError):
    """A text that is not what its checksum was computed of.

    Example:
        >>> isinstance(WrongChecksumError("its checksum cannot be read"), ValueError)
        True
    """


class DamagedDocumentError(ValueError):
    """A document that is not what was written; the message names it, and the remedy.

    Example:
        >>> isinstance(DamagedDocumentError("run.json is damaged"), ValueError)
        True
    """


def write_document(path: Location, document: JSON) -> None:
    """Writes a document with its checksum, sorted and indented, complete or not at all.

    Raises:
        ValueError: If it has a number that is not finite.
        OSError: If it cannot be written.
    """
    write_atomically(path, with_checksum(_laid_out(document, _LINED, "\n") + "\n"))


def _laid_out(value: Any, levels: int, begin: str) -> str:
    """Returns JSON text in which members of so many levels have a line each.

    What lies deeper shares their lines: that is written by compiled code alone, and a
    growing document is written again and again.

    Arguments:
        value: The document, or a part of it.
        levels: The levels of members with a line of their own.
        begin: A line's end and the indent of its successor.
    """
    if levels == 0 or not value:
        return _ENCODER.encode(value)
    deeper = begin + "  "
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        members = [
            f"{_ENCODER.encode(name)}: {_laid_out(member, levels - 1, deeper)}"
            for name, member in sorted(value.items())
        ]
        return "{" + deeper + f",{deeper}".join(members) + begin + "}"
    if isinstance(value, list) and any(isinstance(member, dict) for member in value):
        members = [_laid_out(member, levels - 1, deeper) for member in value]
        return "[" + deeper + f",{deeper}".join(members) + begin + "]"
    return _ENCODER.encode(value)


def written_out(text: str) -> str:
    r"""Returns text that can be written: names of files may hold bytes that are no text.

    Example:
        >>> written_out("no stars in " + b"h3\xff.csv".decode("utf-8", "surrogateescape"))
        'no stars in h3\\udcff.csv'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def with_checksum(text: str) -> str:
    """Returns the text of a JSON object, of one member at least, with its checksum.

    Example:
        >>> with_checksum('{"a":1}')[:30]
        '{"checksum":"015abd7f5cc57a2dd'
    """
    digest = hashlib.sha256(text.encode()).hexdigest()
    if text.startswith("{\n"):
        return f'{{\n  "{CHECKSUM}": "{digest}",{text[1:]}'
    return f'{{"{CHECKSUM}":"{digest}",{text[1:]}'


def line_of(document: JSON) -> str:
    """Returns a line of a log: a document in its shortest form, with its checksum."""
    return with_checksum(canonical(document)) + "\n"


def read_document(path: Location, remedy: str) -> JSON:
    """Returns a document without its checksum, which is that of its content.

    Arguments:
        path: The document.
        remedy: What helps where it is damaged, the end of a sentence.

    Raises:
        FileNotFoundError: If there is none.
        DamagedDocumentError: If it is damaged; it names the document and the remedy.
        OSError: If it cannot be read.
    """
    content = content_of(path)
    try:
        document = parsed(content)
    except ValueError as error:
        raise DamagedDocumentError(f"{path} is damaged ({error}): {remedy}") from error
    if not has_checksum(content):
        _tell_old(path)
    return document


def parsed(content: bytes) -> JSON:
    """Returns the document in a text, without its checksum.

    Raises:
        ValueError: If the text has another checksum, or is no JSON object.
    """
    try:
        document = json.loads(
            checked(content).decode("utf-8"), parse_constant=_refuse_constant
        )
    except RecursionError as error:
        raise ValueError("it is nested deeper than a document is") from error
    if not isinstance(document, dict):
        raise ValueError(f"it holds {type(document).__name__}, not an object")
    return document


def read_numbers(value: Any, shape: tuple[int, ...]) -> FloatArray:
    """Returns the array of finite numbers that a document holds; nothing else becomes one.

    Arguments:
        value: What the document has in its place: lists, or a number.
        shape: The shape that it must have.

    Raises:
        ValueError: If it has another shape, or holds something else: numpy would read
            texts and truth values as numbers, too.

    Example:
        >>> read_numbers([1, 2.5], shape=(2,))
        array([1. , 2.5])
        >>> read_numbers(["1", 2.5], shape=(2,))
        Traceback (most recent call last):
        ValueError: ['1', 2.5] is no array of finite numbers with shape (2,)
    """
    try:
        found = np.array(value)
    except ValueError:  # lists of several lengths
        found = np.array(None)
    wanted = found.dtype.kind in "iuf" and found.shape == shape
    if not wanted or not np.isfinite(found).all():
        raise ValueError(
            f"{shortened(value)} is no array of finite numbers with shape {shape}"
        )
    return found.astype(np.float64)


def has_checksum(content: bytes) -> bool:
    """Returns whether a document carries a checksum, right or wrong."""
    head = content[:_HEAD]
    # A damaged one still is one: else a flipped bit could make a document an old one.
    return CHECKSUM.encode() in head or bool(_DIGITS.search(head))


def checked(content: bytes) -> bytes:
    """Returns the text of a document without its checksum, which is right.

    Raises:
        WrongChecksumError: If it is not.
    """
    if not has_checksum(content):
        return content
    found = _MEMBER.match(content)
    if found is None:
        raise WrongChecksumError("its checksum cannot be read")
    rest = b"{" + content[found.end() :]
    if hashlib.sha256(rest).hexdigest().encode() != found[1]:
        raise WrongChecksumError("its checksum is not that of its content")
    return rest


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no number of a JSON document")


def _tell_old(path: Location) -> None:
    if path.name in _known_old:
        return
    _known_old.add(path.name)
    say(
        f"{path} has no checksum, as documents had none before: damage in it would not "
        "be seen; `orrery dataset repair` or `orrery verify --repair` "
        "gives it one"
    )


@overload
def own_file(folder: Path, name: Any) -> Path: ...
@overload
def own_file(folder: Location, name: Any) -> Location: ...
def own_file(folder: Location, name: Any) -> Location:
    """Returns the file that a document in a folder names, which is inside of the folder.

    The one check of all documents: a file decides what is read, but not where.

    Arguments:
        folder: The document's folder.
        name: What the document says, a path inside of the folder.

    Raises:
        ValueError: If it is anything else, such as `../weights.pt`, or a link that leads
            out of the folder.

    Example:
        >>> own_file(Path("stars-01"), "shards/shard-00000.arrow").name
        'shard-00000.arrow'
    """
    parts = PurePosixPath(name).parts if isinstance(name, str) else ()
    # A backslash and a colon are separators elsewhere, and in no name that we give.
    stays = parts and not {"..", "/", "//"} & {*parts} and not set(name) & set("\\:\0")
    stays = (
        stays and max(map(len, parts)) <= LONGEST_NAME and len(name) <= _LONGEST_PATH
    )
    if not stays:
        raise ValueError(
            f"it names {shortened(name)}, which is no file inside of {folder}"
        )
    if isinstance(folder, Path) and not is_inside(folder / name, folder):
        raise ValueError(
            f"it names {shortened(name)}, a link that leads out of {folder}: put the file there"
        )
    return folder / name


def is_inside(file: Path, folder: Path) -> bool:
    """Returns whether a path, with all links in it followed, ends inside of a folder.

    Arguments:
        file: The path; links in a ring end nowhere.
        folder: The folder.
    """
    try:
        return file.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a name that is too long, links in a ring
        return False


def corrected(content: bytes) -> bytes | None:
    """Returns a document with the one bit set right that is wrong; its checksum proves it.

    None where more than a bit is wrong, or it is too long to try all bits of it.
    """
    if len(content) > LARGEST_CORRECTED:
        return None
    found = _MEMBER.match(content)
    if found is None or len(content) <= _HEAD:
        return _corrected_head(content)
    end = found.end()
    body = _with_digest(b"{" + content[end:], found[1].decode())
    # Else it is the checksum that is wrong.
    return content[:end] + body[1:] if body else _corrected_head(content)


def _with_digest(content: bytes, digest: str) -> bytes | None:
    """Returns the content with a checksum that differs from this one in one bit."""
    before = hashlib.sha256()
    for place, byte in enumerate(content):
        rest = content[place + 1 :]
        for bit in range(8):
            trial = before.copy()
            trial.update(bytes([byte ^ 1 << bit]))
            trial.update(rest)
            if trial.hexdigest() == digest:
                return content[:place] + bytes([byte ^ 1 << bit]) + rest
        before.update(bytes([byte]))
    return None


def _corrected_head(content: bytes) -> bytes | None:
    """Returns a document in which a bit of the member `checksum` is set right."""
    for place in range(min(_HEAD, len(content))):
        for bit in range(8):
            byte = bytes([content[place] ^ 1 << bit])
            trial = content[:place] + byte + content[place + 1 :]
            with suppress(WrongChecksumError):
                if _MEMBER.match(trial) and checked(trial):
                    return trial
    return None


def with_trailer(content: bytes, owner: str = "") -> bytes:
    """Returns the content of a file that is no text, and behind it its checksum.

    Arguments:
        content: The content.
        owner: Whose it is; no other has the same checksum.
    """
    return content + _TRAILER + digest_of(content + owner.encode()).encode()


def without_trailer(content: bytes, owner: str = "") -> bytes:
    """Returns what `with_trailer` was given.

    Raises:
        WrongChecksumError: If it has another checksum, or is another owner's.
    """
    body = content[:-_TRAILER_LENGTH]
    if (
        content[-_TRAILER_LENGTH:]
        != _TRAILER + digest_of(body + owner.encode()).encode()
    ):
        raise WrongChecksumError("its checksum differs")
    return body


def begins_with_checksum(content: bytes) -> bool:
    """Returns whether a file begins as a document does that `write_document` wrote."""
    return _MEMBER.match(content) is not None


def ends_with_checksum(content: bytes) -> bool:
    """Returns whether a file ends as those of `with_trailer` do; a bit of that may be wrong."""
    mark, digits = content[-_TRAILER_LENGTH:-64], content[-64:]
    return mark == _TRAILER or re.fullmatch(rb"[0-9a-f]{64}", digits) is not None


def digest_of(content: bytes) -> str:
    """Returns the sha256 of bytes as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
