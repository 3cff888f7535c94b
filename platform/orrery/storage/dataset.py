"""A dataset: a folder of records that explains itself.

Records lie in shards, Arrow files that are read by mapping them into memory. Shard i
holds the simulations from i * shard_size on, and its bytes depend on the fingerprint
and on i alone: not on who wrote it, nor on how often the writing was interrupted. A
manifest lists every shard with its checksum. The format is described in
`datasets/README.md`.

Here a dataset is read. `writing` makes one, `work_log` remembers who made the shards,
when and how fast, and `card` describes it all for people.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from orrery.identity import ABOUT, JSON, canonical, fingerprint, without_words
from orrery.option_types import shortened
from orrery.records import Column, Records, Schema
from orrery.storage.completeness import (
    damaged_lists,
    read_whole_manifest,
    what_is_wrong,
)
from orrery.storage.documents import read_document
from orrery.storage.files import is_unaltered
from orrery.storage.manifest import SHARDS, ManifestRow, read_manifest
from orrery.storage.shard_cache import local_copy
from orrery.storage.shards import (
    ALTERED,
    INDEX,
    damaged_files,
    map_shard,
)
from orrery.storage.store import Address, Location, StoreError, locate

Split = Literal["train", "validation", "test"]

# Of the records, their splits and their layout; raised whenever one of them changes.
VERSION = 2
SPLIT = "split"  # the column, if there is one, with a simulation's place in SPLITS
# The column, if there is one, with what a simulation is called elsewhere.
IDENTITY = "id"
# These columns tell simulations apart: their sums and means say nothing.
LABELS = (INDEX, SPLIT, IDENTITY)
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
DATASET_DOCUMENT = "dataset.json"
# Of its document: the fingerprint itself, words, and who began the folder.
BEGUN_BY = "orrery"  # the version of the package
_DECIDE_NOTHING = ("fingerprint", ABOUT, BEGUN_BY)


def split(index: int) -> Split:
    """Returns the split of a simulation: of each ten, one for test, one for validation.

    It depends on the simulation's number alone: a growing dataset moves nothing between
    splits.
    """
    special: dict[int, Split] = {0: "test", 1: "validation"}
    return special.get(index % 10, "train")


def identify(simulator: JSON, schema: Schema, seed: int, shard_size: int) -> JSON:
    """Returns the metadata of a dataset: all that decides the bytes of its shards.

    Beside that stand words for its readers, under `about`: the simulator's, and what
    each column means. They are in no fingerprint and in no shard.

    Arguments:
        simulator: The simulator's description of itself.
        schema: The columns.
        seed: The root seed.
        shard_size: The number of simulations in a shard.

    Raises:
        ValueError: If the description is no plain JSON, or its words are no sentences by name.
    """
    _check_description(simulator)
    columns = {"scalars": schema.scalars, "particles": schema.particles}
    document = {
        "format": VERSION,
        "simulator": without_words(simulator),
        "columns": {kind: _deciding(found) for kind, found in columns.items()},
        "seed": seed,
        "shard_size": shard_size,
    }
    meanings = {c.name: c.description for found in columns.values() for c in found}
    about = {"simulator": simulator.get(ABOUT, {}), "columns": meanings}
    return {**document, "fingerprint": fingerprint(document), ABOUT: about}


def _check_description(simulator: JSON) -> None:
    about = simulator.get(ABOUT, {}) if isinstance(simulator, dict) else None
    words = isinstance(about, dict) and all(isinstance(w, str) for w in about.values())
    if not words:
        raise ValueError(
            f"the simulator describes itself with {shortened(simulator)}: give an object of "
            f"plain JSON, in which {ABOUT!r}, if it is there, has sentences by name"
        )
    try:
        canonical(simulator)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the simulator's description is no plain JSON ({error}): give Python's own "
            "finite numbers, text, lists and objects, such as int(n) for a numpy integer n"
        ) from error


def _deciding(columns: tuple[Column, ...]) -> list[JSON]:
    """Returns of columns what decides their bytes: not what they mean."""
    return [{"name": c.name, "unit": c.unit, "dtype": c.dtype} for c in columns]


@dataclass(frozen=True)
class Dataset:
    """The first `count` simulations of a dataset's folder.

    Arguments:
        folder: The absolute folder, or its address in a bucket.
        count: The number of simulations.
        metadata: What `identify` returned when it was made.
        rows: The manifest's rows of the shards that hold them.

    Example:
        >>> row = ManifestRow(0, "shards/shard-00000.arrow", 0, 8, 0, 4096, "0f", {}, {})
        >>> dataset = Dataset(Path("stars-01"), 5, {"fingerprint": "01"}, rows=(row,))
        >>> dataset.indices(0)
        range(0, 5)
    """

    folder: Location
    count: int
    metadata: JSON
    rows: tuple[ManifestRow, ...]

    @classmethod
    def open(cls, folder: Location | str, count: int | None = None) -> "Dataset":
        """Returns the finished dataset in a folder.

        Arguments:
            folder: The dataset's folder, with its fingerprint in the name.
            count: The number of simulations wanted; all when None.

        Raises:
            ValueError: If it is unfinished, smaller than `count`, or a shard has the
                wrong size or is not in the manifest.
        """
        folder = locate(folder).absolute()
        listed, rows = read_whole_manifest(folder)
        available = sum(row.count for row in rows)
        count = available if count is None else count
        if not 0 < count <= available:
            raise ValueError(
                f"{folder} has {available} simulations, not {count}: "
                "generate the dataset with a larger count"
            )
        metadata = read_metadata(folder)
        _check_listed(folder, metadata, listed, rows)
        shards = math.ceil(count / metadata["shard_size"])
        dataset = cls(folder, count, metadata, tuple(rows[:shards]))
        dataset.verify()
        return dataset

    def __len__(self) -> int:
        return self.count

    @property
    def fingerprint(self) -> str:
        """Identifies what the records are; the same for each count."""
        return self.metadata["fingerprint"]

    @property
    def shards(self) -> range:
        """The numbers of the shards."""
        return range(len(self.rows))

    @property
    def files(self) -> tuple[Path, ...]:
        """The shards' absolute paths; of those in a bucket, copies on this machine."""
        return tuple(self._local(row) for row in self.rows)

    @property
    def checksums(self) -> tuple[str, ...]:
        """The sha256 of each of these files."""
        return tuple(row.sha256 for row in self.rows)

    def _local(self, row: ManifestRow) -> Path:
        place = self.folder / row.file
        return local_copy(place, row.sha256) if isinstance(place, Address) else place

    def indices(self, shard: int) -> range:
        """Returns the numbers of the simulations in a shard."""
        row = self.rows[shard]
        return range(row.first, min(row.first + row.count, self.count))

    def records(self, shard: int) -> Records:
        """Returns the records of a shard, memory-mapped.

        One that lies in a bucket is fetched, unless this machine has a copy.

        Raises:
            ValueError: If the file cannot be read.
        """
        row = self.rows[shard]
        path = self.folder / row.file
        try:
            records = map_shard(self._local(row), row, self.fingerprint)
        except StoreError:
            raise
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise ValueError(
                f"{path} cannot be read ({error}): {_remedy(path)}"
            ) from error
        return _first(records, len(self.indices(shard)))

    def in_turn(self, shards: Sequence[int]) -> Iterator[int]:
        """Yields shards' numbers; of those in a bucket the next is fetched meanwhile.

        Arguments:
            shards: The numbers of the shards that will be read, in this order.

        Raises:
            ValueError: If a fetched shard is damaged; it names the file.
        """
        if isinstance(self.folder, Address):
            yield from self._fetched_ahead(list(shards))
        else:
            yield from shards

    def _fetched_ahead(self, shards: list[int]) -> Iterator[int]:
        # One ahead is enough: to fetch a shard takes less time than to summarise one.
        with ThreadPoolExecutor(max_workers=1) as thread:
            fetching = [thread.submit(self.verify_shard, shard) for shard in shards[:1]]
            for number, shard in enumerate(shards):
                fetching.pop().result()
                coming = shards[number + 1 : number + 2]
                fetching = [thread.submit(self.verify_shard, one) for one in coming]
                yield shard

    def damaged(self, full: bool = False) -> dict[str, str]:
        """Returns what is wrong with each damaged file, by its path inside the folder.

        Arguments:
            full: Compare checksums and what the manifest says too, not only sizes; and
                the documents that say which shards there are.
        """
        found = damaged_files(self.folder, self.rows, self.fingerprint, full)
        return {**found, **_damaged_documents(self.folder)} if full else found

    def verify(self, full: bool = False) -> None:
        """Raises an error if a shard is missing or truncated.

        When `full`, also if one was altered, or a document of them is not what it was:
        what `orrery dataset verify` looks at, except for the card, the work
        log and summaries, on which no record depends.

        Raises:
            ValueError: Names the first damaged file and what to do.
        """
        for file, reason in self.damaged(full).items():
            path = self.folder / file
            raise ValueError(f"{path} {reason}: {_remedy(path)}")

    def verify_shard(self, shard: int) -> None:
        """Raises an error if the checksum of one shard is not the manifest's.

        What this process has compared is not hashed again, unless the file has changed.

        Raises:
            ValueError: Names the file and what to do.
        """
        row = self.rows[shard]
        path = self.folder / row.file
        try:
            altered = not is_unaltered(self._local(row), row.sha256)
        except FileNotFoundError as error:
            raise ValueError(f"{path} is missing: {_remedy(path)}") from error
        except ValueError:  # a bucket's, which was fetched to look
            altered = True
        if altered:
            raise ValueError(f"{path} {ALTERED}: {_remedy(path)}")


def _remedy(path: Location) -> str:
    if path.parent.name != SHARDS:
        return f"run its generation again, or `orrery dataset repair {path.parent}`"
    if isinstance(path, Address):
        return (
            "remove it if it is there, and run the generation of "
            f"{path.parent.parent.name} again, which makes this shard anew"
        )
    return f"run the generation of {path.parent.parent.name} again, which makes this shard anew"


def _first(records: Records, count: int) -> Records:
    # Shards are whole, but a dataset may end in the middle of its last one.
    if count == len(records):
        return records
    offsets = records.offsets[: count + 1]
    scalars = {name: values[:count] for name, values in records.scalars.items()}
    particles = {
        name: values[: offsets[-1]] for name, values in records.particles.items()
    }
    return Records(scalars, particles, offsets)


def read_metadata(folder: Location) -> JSON:
    """Returns what `identify` returned when the dataset in a folder was begun.

    Raises:
        ValueError: If there is no such document, or it cannot be read.
    """
    path = folder / DATASET_DOCUMENT
    remedy = "it can be written again: `orrery dataset repair {folder}`"
    try:
        document = read_document(path, remedy.format(folder=folder))
        # Looked up here, so that a document without them is refused here.
        needed = {key: document[key] for key in ("fingerprint", "shard_size")}
        _check_fingerprint(document)
        return {**document, **needed}
    except StoreError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder} is no dataset ({error}): generate it first"
        ) from error


def damage(folder: Location) -> dict[str, str]:
    """Returns what is wrong with each file of a dataset, by its path inside the folder.

    Of all shards and of the documents that say which there are: see `Dataset.damaged`.

    Arguments:
        folder: The dataset's folder, whatever of it can be read.
    """
    found = _damaged_documents(folder)
    try:
        listed, rows = read_manifest(folder)
    except ValueError:
        return found
    return {**damaged_files(folder, (*rows,), listed, full=True), **found}


def _damaged_documents(folder: Location) -> dict[str, str]:
    """Returns what is wrong with each document that says what shards there are."""
    try:
        return damaged_lists(folder, read_metadata(folder)["fingerprint"])
    except ValueError as error:
        said = what_is_wrong(folder / DATASET_DOCUMENT, error)
        return {DATASET_DOCUMENT: said, **damaged_lists(folder, None)}


def _check_fingerprint(document: JSON) -> None:
    """Raises ValueError if a dataset's fingerprint is not that of what it says."""
    decides = {k: v for k, v in document.items() if k not in _DECIDE_NOTHING}
    found = fingerprint(decides)
    if found != document["fingerprint"]:
        raise ValueError(
            f"{DATASET_DOCUMENT} has the fingerprint {document['fingerprint']}, but what "
            f"it says has {found}"
        )


def _check_listed(
    folder: Location, metadata: JSON, listed: str, rows: list[ManifestRow]
) -> None:
    """Raises ValueError if a manifest is not that of the dataset in its folder."""
    sizes = {row.count for row in rows} | {metadata["shard_size"]}
    if listed != metadata["fingerprint"] or len(sizes) > 1:
        raise ValueError(
            f"{folder} is no finished dataset: its manifest lists shards of {listed} with "
            f"{sorted(sizes)} simulations, its {DATASET_DOCUMENT} says "
            f"{metadata['fingerprint']} and {metadata['shard_size']}: run its generation "
            f"again, or `orrery dataset repair {folder}`"
        )


def counters(metadata: JSON) -> tuple[str, ...]:
    """Returns the names of the columns that count something: the integers that are no labels."""
    return tuple(
        column["name"]
        for column in metadata["columns"]["scalars"]
        if np.issubdtype(np.dtype(column["dtype"]), np.integer)
        and column["name"] not in LABELS
    )
