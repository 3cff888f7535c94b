"""Findings: what a verification says of a file, and of the files that a document names."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from orrery.identity import JSON
from orrery.storage.contents import content_of
from orrery.storage.documents import (
    digest_of,
    has_checksum,
    is_inside,
    own_file,
    parsed,
)
from orrery.storage.store import Location
from orrery.storage.walking import below

# How the names of our files end. A folder or a broken link of such a name hides a file.
_FILES = {
    *(".arrow", ".ckpt", ".ecsv", ".html", ".json", ".jsonl", ".md", ".parquet"),
    *(".pdf", ".png", ".pt", ".sha256"),
}
CLEAR = "remove it, then verify again, which says what makes the file anew"
BRING = "put what it leads to in its place"
UNCHECKED = "has no checksum, as files had none before: damage would not be seen"


@dataclass(frozen=True)
class Finding:
    """A file that is not what was written, or of which that cannot be told.

    Arguments:
        file: Its path inside of the folder that was verified.
        reason: What is wrong with it.
        remedy: What helps.
        is_damage: Whether something is wrong; else it is older than what would tell.

    Example:
        >>> print(Finding("shards/shard-00001.arrow", "is missing", "make it again"))
        shards/shard-00001.arrow is missing: make it again
    """

    file: str
    reason: str
    remedy: str
    is_damage: bool = True

    def __str__(self) -> str:
        return f"{self.file} {self.reason}: {self.remedy}"

    def below(self, folder: str) -> "Finding":
        """Returns the finding as seen from a folder above its own.

        Arguments:
            folder: The path of its own folder; `.` for the same.

        Example:
            >>> Finding("manifest.json", "is missing", "make it again").below("stars").file
            'stars/manifest.json'
        """
        return self if folder == "." else replace(self, file=f"{folder}/{self.file}")


def unchecked(folder: Location, name: str, remedy: str) -> Iterator[Finding]:
    """Yields that a document has no checksum, if it has none.

    Arguments:
        folder: The document's folder.
        name: Its name.
        remedy: What gives it one.
    """
    if not has_checksum(content_of(folder / name)):
        yield Finding(name, UNCHECKED, remedy, is_damage=False)


def named_file(
    folder: Location, document: str, file: object, digest: object, remedy: str
) -> Iterator[Finding]:
    """Yields what is wrong with a file that a document names, with its checksum.

    Arguments:
        folder: The folder of both.
        document: The document's name.
        file: What it says where the file is.
        digest: What it says is the file's sha256.
        remedy: What makes the file again.
    """
    try:
        path = own_file(folder, file)
    except ValueError as error:
        yield Finding(document, f"is damaged ({error})", remedy)
        return
    if not path.exists():
        yield Finding(str(file), f"is missing, which {document} names", remedy)
    elif isinstance(path, Path) and not path.is_file():
        remedy = BRING if path.is_symlink() else CLEAR
        yield Finding(str(file), _what_it_is(path), remedy)
    elif digest_of(content_of(path)) != digest:
        yield Finding(str(file), f"is damaged (not what {document} names)", remedy)


def sound_document(place: Location) -> JSON | None:
    """Returns a document that is there; None if it is damaged.

    For who compares what documents say: that one is damaged is told where its bytes are
    looked at.

    Arguments:
        place: The document.
    """
    try:
        return parsed(content_of(place))
    except ValueError:
        return None


def misplaced(folder: Path) -> Iterator[Finding]:
    """Yields what lies where a file belongs and is none, in order of its path.

    Nothing that it hides can be looked at, and who tries to read a pipe waits forever.

    Arguments:
        folder: The folder, with all that is below it.
    """
    for place in sorted(below(folder)):
        is_ours = place.suffix in _FILES and not place.name.startswith(".")
        if is_ours and not place.is_file():
            name = place.relative_to(folder).as_posix()
            # A link's disk may come back: it is not ours to remove.
            remedy = BRING if place.is_symlink() else CLEAR
            yield Finding(name, _what_it_is(place), remedy)


def linked_away(folder: Path, inner: str) -> Iterator[Finding]:
    """Yields an inner folder, or what lies in it, that is a link out of its folder.

    Nobody reads what is elsewhere as if it were here, where it may change unseen.

    Arguments:
        folder: The folder.
        inner: The name of the one in it.
    """
    for place in (folder / inner, *sorted((folder / inner).glob("*"))):
        if place.is_symlink() and not is_inside(place, folder):
            name = place.relative_to(folder).as_posix()
            yield Finding(name, "is a link that leads out of the folder", BRING)


def _what_it_is(place: Path) -> str:
    if place.is_symlink():
        return "is a link to no file"
    return "is a folder" if place.is_dir() else "is no file that can be read"
