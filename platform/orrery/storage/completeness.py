"""Completeness: whether a manifest lists all shards that its dataset has.

A manifest without its last rows is a smaller dataset's, with a right checksum. What tells
is beside it: the list of checksums, and the shards themselves. Where a journal lies,
neither does: the dataset is being made larger, and its manifest comes last.
"""

import re
from collections.abc import Iterator
from itertools import count, takewhile

from orrery.storage.contents import content_of
from orrery.storage.documents import has_checksum
from orrery.storage.journal import has_journal
from orrery.storage.manifest import (
    CHECKSUM_LIST,
    MANIFEST,
    SHARDS,
    ManifestRow,
    checksums_text,
    read_manifest,
    shard_file,
)
from orrery.storage.store import Address, Location

_NAME = re.compile(r"shard-(\d{5,})\.arrow")
_LINE = re.compile(r"[0-9a-f]{64}  (\S+)")


def read_whole_manifest(folder: Location) -> tuple[str, list[ManifestRow]]:
    """Returns the fingerprint and the rows of a manifest that lists all shards.

    Raises:
        ValueError: If there is no manifest, it is damaged, or lacks shards that the list
            of checksums has.
        StoreError: If it lies in a bucket that cannot be used from here.
    """
    found = read_manifest(folder)
    if not _listed_elsewhere(folder, found[1]) or has_journal(folder):
        return found
    # Who has just made it larger wrote the list first: now the manifest is there, too.
    fingerprint, rows = read_manifest(folder)
    lost = _listed_elsewhere(folder, rows)
    if lost:
        raise ValueError(
            f"{folder} is no finished dataset (its manifest lacks {lost[0]}, which "
            f"{CHECKSUM_LIST} lists): run its generation again, or `orrery "
            f"dataset repair {folder}`"
        )
    return fingerprint, rows


def lost_shards(folder: Location, rows: list[ManifestRow]) -> dict[int, str]:
    """Returns the shards that a manifest lacks, by number, and where they are known.

    Arguments:
        folder: The dataset's folder.
        rows: All rows of its manifest.
    """
    there = {*shard_numbers(folder)}
    # One behind a gap was left by a larger campaign that was given up.
    follow = takewhile(there.__contains__, count(len(rows)))
    listed = range(len(rows), len(rows) + len(_listed_elsewhere(folder, rows)))
    found = {
        **dict.fromkeys(follow, "which lies there"),
        **dict.fromkeys(listed, f"which {CHECKSUM_LIST} lists"),
    }
    return {} if found and has_journal(folder) else found


def _listed_elsewhere(folder: Location, rows: list[ManifestRow]) -> list[str]:
    """Returns the shards that the list of checksums has beyond those of a manifest.

    A list that is damaged says nothing: it decides no answer.
    """
    try:
        text = content_of(folder / CHECKSUM_LIST).decode(errors="replace")
    except FileNotFoundError:
        return []
    own = checksums_text(rows)
    lines = text.removeprefix(own).splitlines()
    files = [shard_file(len(rows) + number) for number in range(len(lines))]
    found = [_LINE.fullmatch(line) for line in lines]
    follows = [match[1] for match in found if match] == files
    return files if text.startswith(own) and follows else []


def damaged_lists(folder: Location, fingerprint: str | None) -> dict[str, str]:
    """Returns what is wrong with a dataset's manifest and with its list of checksums.

    Arguments:
        folder: The dataset's folder.
        fingerprint: Of the dataset; None if that cannot be read.
    """
    try:
        listed, rows = read_manifest(folder)
    except ValueError as error:
        return {MANIFEST: what_is_wrong(folder / MANIFEST, error)}
    lost = lost_shards(folder, rows)
    if lost:
        number = min(lost)
        return {MANIFEST: f"lacks {shard_file(number)}, {lost[number]}"}
    found = {}
    if fingerprint not in (None, listed):
        found[MANIFEST] = f"is that of the dataset {listed}"
    place = folder / CHECKSUM_LIST
    if not place.exists():
        # Manifests of before had no checksum, and no list beside them.
        if has_checksum(content_of(folder / MANIFEST)):
            found[CHECKSUM_LIST] = "is missing"
    elif content_of(place) != checksums_text(rows).encode():
        found[CHECKSUM_LIST] = "is not what belongs to the manifest"
    return found


def what_is_wrong(document: Location, error: ValueError) -> str:
    """Returns what is wrong with a document that could not be read.

    Arguments:
        document: The document.
        error: What its reader raised.
    """
    if not document.exists():
        return "is missing"
    return f"is damaged ({error.__cause__ or error})"


def shard_numbers(folder: Location) -> list[int]:
    """Returns the numbers of all shards that lie in a folder, whatever is in them."""
    named = [_NAME.fullmatch(name) for name in _names(folder / SHARDS)]
    return sorted(int(found[1]) for found in named if found)


def _names(shards: Location) -> Iterator[str]:
    if isinstance(shards, Address):
        yield from shards.sizes()
    else:
        yield from (path.name for path in shards.glob("*.arrow"))
