"""Recovery: the rows of a dataset whose manifest is lost, from the shards themselves.

A shard knows its dataset and its simulations. Whether it is sound only a checksum can
tell: those that are left of the manifest, of the journal and of `shards.sha256` prove
the shards that have them. Where none is left, shards are taken that can be read to the
last offset.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orrery.identity import JSON
from orrery.storage.completeness import shard_numbers
from orrery.storage.contents import content_of
from orrery.storage.documents import digest_of
from orrery.storage.journal import journal_text
from orrery.storage.manifest import (
    CHECKSUM_LIST,
    MANIFEST,
    ManifestRow,
    shard_file,
)
from orrery.storage.shards import metadata_of, row_of
from orrery.storage.store import Location

_READERS = 4  # threads, each of which holds a whole shard
_DIGITS = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Recovered:
    """What the shards of a folder say.

    Arguments:
        rows: The rows of those that are sound, by shard.
        refused: Why others are not, by their path inside of the folder.
        proven: Whether a checksum proved them.

    Example:
        >>> Recovered({}, {"shards/shard-00000.arrow": "is no shard"}, proven=True).rows
        {}
    """

    rows: dict[int, ManifestRow]
    refused: dict[str, str]
    proven: bool


def recover(folder: Location, fingerprint: str) -> Recovered:
    """Returns the rows of the sound shards in a folder, without asking its manifest.

    All shards are read, those in a bucket too.

    Arguments:
        folder: The dataset's folder.
        fingerprint: Of the dataset.
    """
    known = _known_checksums(folder)

    def look(shard: int) -> ManifestRow | str:
        content = content_of(folder / shard_file(shard))
        if known and digest_of(content) not in known:
            return "has a checksum that nothing lists"
        try:
            return row_of(content, shard, fingerprint)
        except ValueError as error:
            return str(error)

    numbers = shard_numbers(folder)
    with ThreadPoolExecutor(_READERS) as threads:
        found = dict(zip(numbers, threads.map(look, numbers), strict=True))
    rows = {shard: row for shard, row in found.items() if not isinstance(row, str)}
    refused = {
        shard_file(n): reason for n, reason in found.items() if isinstance(reason, str)
    }
    return Recovered(rows, refused, proven=bool(known))


def recover_metadata(folder: Location) -> JSON:
    """Returns what the first readable shard says of its dataset: `dataset.json` without words.

    Raises:
        ValueError: If there is none.
    """
    for shard in shard_numbers(folder):
        try:
            return metadata_of(content_of(folder / shard_file(shard)))
        except ValueError:
            continue
    raise ValueError(
        f"{folder} has no shard that can be read: run its generation again"
    )


def _known_checksums(folder: Location) -> set[str]:
    """Returns all checksums that are left, of whatever: none fits a shard by accident."""
    places = [folder / name for name in (MANIFEST, CHECKSUM_LIST)]
    texts = [
        content_of(place).decode(errors="replace") for place in places if place.exists()
    ]
    return {
        digits
        for text in [*texts, journal_text(folder)]
        for digits in _DIGITS.findall(text)
    }
