"""A dataset: a folder of records that explains itself.

Records lie in shards, Arrow files that are read by mapping them into memory. Shard i
holds the simulations from i * shard_size on, and its bytes depend on the fingerprint
and on i alone: not on who wrote it, nor on how often the writing was interrupted. A
manifest lists every shard with its checksum. The format is described in
`datasets/README.md`.

Only the record of work, and the card's section that shows it, tell who made the shards,
when and how fast: all other files have the same bytes whenever the same dataset is
made.
"""

import dataclasses
import hashlib
import json
import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orrery.identity import JSON, canonical, fingerprint
from orrery.records import Column, Records, Schema
from orrery.storage.files import (
    TEMPORARY,
    append,
    ensure_writable,
    locked,
    replacing,
    write_atomically,
    write_json,
)
from orrery.terminal import duration, say
from orrery.versions import version

Split = Literal["train", "validation", "test"]

FORMAT = 1
INDEX = "index"  # the column with the simulation's number
SPLIT = "split"  # the column, if there is one, with a simulation's place in SPLITS
IDENTITY = (
    "id"  # the column, if there is one, with what a simulation is called elsewhere
)
LABELS = (
    INDEX,
    SPLIT,
    IDENTITY,
)  # they tell simulations apart: sums and means say nothing
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
SHARDS = "shards"
DOCUMENT, MANIFEST, JOURNAL = "dataset.json", "manifest.json", "manifest.jsonl"
CARD, WORK = "README.md", "work.jsonl"
# [s] until a file written on another node must be visible on a shared file system
VISIBILITY_TIMEOUT = 60


def split(index: int) -> Split:
    """Returns the split of a simulation: of each ten, one for test, one for validation.

    It depends on the simulation's number alone: a growing dataset moves nothing between
    splits.
    """
    special: dict[int, Split] = {0: "test", 1: "validation"}
    return special.get(index % 10, "train")


@dataclass(frozen=True)
class Row:
    """What the manifest says of one shard.

    Arguments:
        shard: The shard's number.
        file: The path inside the dataset's folder.
        first: The number of the first simulation.
        count: The number of simulations.
        particles: The number of particles of all simulations.
        bytes: The file's size.
        sha256: The file's checksum.
        sums: For each scalar column the sum of its finite values.
        missing: For each scalar column that has some, the number of values that are not
            finite.
    """

    shard: int
    file: str
    first: int
    count: int
    particles: int
    bytes: int
    sha256: str
    sums: dict[str, float]
    missing: dict[str, int]


def identify(simulator: JSON, schema: Schema, seed: int, shard_size: int) -> JSON:
    """Returns the metadata of a dataset: all that decides the bytes of its shards.

    Arguments:
        simulator: The simulator's description of itself.
        schema: The columns.
        seed: The root seed.
        shard_size: The number of simulations in a shard.
    """
    columns = {
        kind: [dataclasses.asdict(column) for column in getattr(schema, kind)]
        for kind in ("scalars", "particles")
    }
    document = {
        "format": FORMAT,
        "simulator": simulator,
        "columns": columns,
        "seed": seed,
        "shard_size": shard_size,
    }
    return {**document, "fingerprint": fingerprint(document)}


@dataclass(frozen=True)
class Dataset:
    """The first `count` simulations of a dataset's folder.

    Arguments:
        folder: The absolute folder.
        count: The number of simulations.
        metadata: What `identify` returned when it was made.
        rows: The manifest's rows of the shards that hold them.
    """

    folder: Path
    count: int
    metadata: JSON
    rows: tuple[Row, ...]

    @classmethod
    def open(cls, folder: Path, count: int | None = None) -> "Dataset":
        """Returns the finished dataset in a folder.

        Arguments:
            folder: The dataset's folder, with its fingerprint in the name.
            count: The number of simulations wanted; all when None.

        Raises:
            ValueError: If it is unfinished, smaller than `count`, or a shard has the
                wrong size.
        """
        folder = Path(folder).absolute()
        rows = _manifest(folder)
        available = sum(row.count for row in rows)
        count = available if count is None else count
        if not 0 < count <= available:
            raise ValueError(
                f"{folder} has {available} simulations, not {count}: "
                "generate the dataset with a larger count"
            )
        size = _document(folder)["shard_size"]
        dataset = cls(
            folder, count, _document(folder), tuple(rows[: math.ceil(count / size)])
        )
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
        """The shards' absolute paths."""
        return tuple(self.folder / row.file for row in self.rows)

    def indices(self, shard: int) -> range:
        """Returns the numbers of the simulations in a shard."""
        row = self.rows[shard]
        return range(row.first, min(row.first + row.count, self.count))

    def records(self, shard: int) -> Records:
        """Returns the records of a shard, memory-mapped.

        Raises:
            ValueError: If the file cannot be read.
        """
        path = self.folder / self.rows[shard].file
        try:
            with pa.memory_map(str(path)) as source:
                records = Records.from_table(pa.ipc.open_file(source).read_all())
        except (pa.ArrowInvalid, OSError) as error:
            raise ValueError(
                f"{path} cannot be read ({error}): {_remedy(path)}"
            ) from error
        return _first(records, len(self.indices(shard)))

    def damaged(self, full: bool = False) -> dict[str, str]:
        """Returns what is wrong with each damaged file, by its path inside the folder.

        Arguments:
            full: Compare checksums too, not only sizes.
        """
        return _damaged(self.folder, self.rows, full)

    def verify(self, full: bool = False) -> None:
        """Raises an error if a shard is missing, truncated or, when `full`, altered.

        Raises:
            ValueError: Names the first damaged file and what to do.
        """
        for file, reason in self.damaged(full).items():
            path = self.folder / file
            raise ValueError(f"{path} {reason}: {_remedy(path)}")

    def verify_shard(self, shard: int) -> None:
        """Raises an error if the checksum of one shard is not the manifest's.

        Raises:
            ValueError: Names the file and what to do.
        """
        dataclasses.replace(self, rows=self.rows[shard : shard + 1]).verify(full=True)


def _remedy(path: Path) -> str:
    return f"run the generation of {path.parent.parent.name} again, which makes this shard anew"


def _first(records: Records, count: int) -> Records:
    if count == len(records):
        return records
    offsets = records.offsets[: count + 1]
    scalars = {name: values[:count] for name, values in records.scalars.items()}
    particles = {
        name: values[: offsets[-1]] for name, values in records.particles.items()
    }
    return Records(scalars, particles, offsets)


def _damaged(folder: Path, rows: tuple[Row, ...], full: bool) -> dict[str, str]:
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        reasons = list(threads.map(partial(_damage, folder, full), rows))
    return {
        row.file: reason for row, reason in zip(rows, reasons, strict=True) if reason
    }


def _damage(folder: Path, full: bool, row: Row) -> str | None:
    path = folder / row.file
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != row.bytes:
        return f"has {size} bytes instead of {row.bytes}"
    return (
        "was altered: its sha256 differs"
        if full and _checksum(path) != row.sha256
        else None
    )


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _document(folder: Path) -> JSON:
    path = folder / DOCUMENT
    try:
        document = json.loads(path.read_text())
        return {
            **document,
            **{key: document[key] for key in ("fingerprint", "shard_size")},
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder} is no dataset ({error}): generate it first"
        ) from error


def _manifest(folder: Path) -> list[Row]:
    path = folder / MANIFEST
    try:
        return [Row(**row) for row in json.loads(path.read_text())["shards"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder} is no finished dataset ({error}): run its generation again, "
            "which continues where it stopped"
        ) from error


def write_shard(
    folder: Path, shard: int, records: Records, schema: Schema, metadata: JSON
) -> Row:
    """Writes the records of one shard and returns its manifest row.

    Arguments:
        folder: The dataset's absolute folder.
        shard: The shard's number.
        records: The shard's `shard_size` simulations.
        schema: Their columns.
        metadata: What `identify` returned.

    Raises:
        OSError: If the file cannot be written; nothing is left behind.
    """
    file = f"{SHARDS}/shard-{shard:05d}.arrow"
    with replacing(folder / file) as temporary:
        _write_arrow(temporary, records.table(schema, metadata))
        size, checksum = temporary.stat().st_size, _checksum(temporary)
    values = {
        c.name: records.scalars[c.name] for c in schema.scalars if c.name != INDEX
    }
    missing = {name: int((~np.isfinite(value)).sum()) for name, value in values.items()}
    return Row(
        shard=shard,
        file=file,
        first=shard * metadata["shard_size"],
        count=len(records),
        particles=int(records.offsets[-1]),
        bytes=size,
        sha256=checksum,
        sums={name: _sum(value) for name, value in values.items()},
        missing={name: count for name, count in missing.items() if count},
    )


def _write_arrow(path: Path, table: pa.Table) -> None:
    # One batch: its columns can then be mapped as they are, without putting pieces
    # together.
    (batch,) = table.combine_chunks().to_batches()
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_batch(batch)


def _sum(values: NDArray[Any]) -> float:
    # fsum is rounded once, so that the manifest is the same on every processor.
    total = math.fsum(values[np.isfinite(values)].tolist())
    return int(total) if np.issubdtype(values.dtype, np.integer) else total


@dataclass
class Session:
    """What one call that made shards did, and what it took. It grows while the work goes on.

    Arguments:
        began: When, as ISO 8601 in UTC.
        simulations: The number of simulations made.
        seconds: The wall time [s].
        actors: The most actors that were at work; 0 where the calling process
            simulated.
        deaths: The number of actors that died.
        cpus: The CPU threads of all machines.
        nodes: The number of machines.
    """

    began: str
    simulations: int = 0
    seconds: float = 0.0
    actors: int = 0
    deaths: int = 0
    cpus: int = 1
    nodes: int = 1

    @property
    def rate(self) -> float:
        """Simulations per second."""
        return self.simulations / max(self.seconds, 1e-9)


def sessions(folder: Path) -> tuple[Session, ...]:
    """Returns the sessions of work on a dataset's folder, oldest first; lines that are none go."""
    path, found = folder / WORK, []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
        with suppress(ValueError, TypeError):
            found.append(Session(**json.loads(line)))
    return tuple(found)


def together(parts: tuple[Session, ...]) -> Session:
    """Returns one or more sessions as one: sums, and the largest numbers of what was used."""
    return Session(
        began=min(part.began for part in parts),
        simulations=sum(part.simulations for part in parts),
        seconds=math.fsum(part.seconds for part in parts),
        actors=max(part.actors for part in parts),
        deaths=sum(part.deaths for part in parts),
        cpus=max(part.cpus for part in parts),
        nodes=max(part.nodes for part in parts),
    )


class Writer:
    """A dataset that is being written: its rows so far, each durable once entered.

    Its `session` is the work that begins with it; a kill costs no more of it than one
    shard's.

    Arguments:
        folder: The dataset's absolute folder.
        metadata: What `identify` returned.
        rows: The rows of the shards that are there and sound.
        listed: The number of shards that an earlier run reached.
    """

    def __init__(
        self, folder: Path, metadata: JSON, rows: dict[int, Row], listed: int
    ) -> None:
        self.folder, self.metadata, self.rows, self.listed = (
            folder,
            metadata,
            rows,
            listed,
        )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.earlier, self.session = (
            sessions(folder),
            Session(now, cpus=os.cpu_count() or 1),
        )
        self.began = time.monotonic()

    def pending(self, count: int) -> list[int]:
        """Returns the numbers of the shards still to be made for `count` simulations."""
        needed = math.ceil(count / self.metadata["shard_size"])
        # Damaged shards beyond them are mended too: the manifest never has holes.
        return sorted(set(range(max(needed, self.listed))) - set(self.rows))

    def enter(self, row: Row) -> None:
        """Enters a written shard in the journal.

        Raises:
            OSError: If the shard cannot be seen from here, or the journal not be
                written.
        """
        _await(self.folder / row.file, row.bytes)
        append(self.folder / JOURNAL, _line(row))
        self.rows[row.shard] = row
        self.session.simulations += row.count
        self.record()

    def record(self) -> None:
        """Keeps the session's work so far; one in which nothing happened is not worth a line.

        Raises:
            OSError: If the record cannot be written; the old one stays.
        """
        if self.session.simulations or self.session.deaths:
            self.session.seconds = round(time.monotonic() - self.began, 3)
            lines = [
                canonical(dataclasses.asdict(s)) for s in (*self.earlier, self.session)
            ]
            write_atomically(self.folder / WORK, "\n".join([*lines, ""]))

    def finish(self, count: int) -> Dataset:
        """Returns the finished dataset of `count` simulations, with its manifest and card."""
        self.record()
        rows = tuple(self.rows[shard] for shard in sorted(self.rows))
        text = card(self.folder.name, self.metadata, rows, sessions(self.folder))
        write_atomically(self.folder / CARD, text)
        lines = ",\n".join(canonical(dataclasses.asdict(row)) for row in rows)
        identity = self.metadata["fingerprint"]
        text = f'{{"fingerprint":"{identity}","shards":[\n{lines}\n]}}\n'
        write_atomically(self.folder / MANIFEST, text)
        (self.folder / JOURNAL).unlink(missing_ok=True)
        _remove_leftovers(self.folder)
        return Dataset.open(self.folder, count)


def finished(folder: Path, metadata: JSON, count: int) -> Dataset | None:
    """Returns the dataset if it is there, complete and unaltered, without writing anything."""
    try:
        dataset = Dataset.open(folder, count)
    except ValueError:
        return None
    same = dataset.fingerprint == metadata["fingerprint"]
    sound = not (dataset.folder / JOURNAL).exists() and not dataset.damaged(full=True)
    return dataset if same and sound else None


@contextmanager
def writing(folder: Path, metadata: JSON) -> Iterator[Writer]:
    """Returns the writer of a dataset, which no other process can write meanwhile.

    Sound shards of an earlier run are found again; damaged ones are reported and
    forgotten.

    Arguments:
        folder: The dataset's folder; made if need be.
        metadata: What `identify` returned.

    Raises:
        OSError: If the folder cannot be written, or another process is writing it.
    """
    folder = ensure_writable(folder)
    ensure_writable(folder / SHARDS)
    with locked(folder):
        _remove_leftovers(folder)
        if not _describes(folder, metadata):
            write_json(folder / DOCUMENT, {**metadata, "orrery": version("orrery")})
        listed = _listed(folder)
        rows = _sound(folder, listed)
        write_atomically(folder / JOURNAL, "".join(_line(row) for row in rows.values()))
        writer = Writer(folder, metadata, rows, max(listed, default=-1) + 1)
        try:
            yield writer
        except BaseException:
            with suppress(OSError):  # what ended the work is the better message
                writer.record()
            raise


def _describes(folder: Path, metadata: JSON) -> bool:
    try:
        document = _document(folder)
    except ValueError:
        return False
    return canonical({**document, **metadata}) == canonical(document)


def _listed(folder: Path) -> dict[int, Row]:
    try:
        rows = {row.shard: row for row in _manifest(folder)}
    except ValueError:
        rows = {}
    return rows | _journal(folder)


def _sound(folder: Path, rows: dict[int, Row]) -> dict[int, Row]:
    damaged = _damaged(folder, tuple(rows.values()), full=True)
    for file, reason in damaged.items():
        say(f"{file} {reason}: it is made anew")
    if damaged:
        say(f"{len(damaged)} of {len(rows)} shards were damaged")
    return {shard: row for shard, row in rows.items() if row.file not in damaged}


def _journal(folder: Path) -> dict[int, Row]:
    path, rows = folder / JOURNAL, {}
    for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
        try:
            row = Row(**json.loads(line))
        except (ValueError, TypeError):
            continue  # the last line of a run that was killed while writing it
        rows[row.shard] = row
    return rows


def _line(row: Row) -> str:
    return canonical(dataclasses.asdict(row)) + "\n"


def _await(path: Path, size: int) -> None:
    deadline = time.monotonic() + VISIBILITY_TIMEOUT
    while not path.is_file() or path.stat().st_size != size:
        if time.monotonic() > deadline:
            raise FileNotFoundError(
                f"{path} was written by an actor but cannot be seen here: "
                "choose a folder on a file system that all nodes share"
            )
        time.sleep(1.0)


def _remove_leftovers(folder: Path) -> None:
    for parent in (folder, folder / SHARDS):
        for leftover in parent.glob(f".*{TEMPORARY}"):
            leftover.unlink(missing_ok=True)


def card(
    name: str, metadata: JSON, rows: tuple[Row, ...], work: tuple[Session, ...]
) -> str:
    """Returns the dataset's card, the README that lies in its folder.

    Its section `Work` is the only one that differs when the same dataset is made again.

    Arguments:
        name: The folder's name.
        metadata: What `identify` returned.
        rows: The manifest's rows of all shards.
        work: The sessions in which they were made.
    """
    simulator = json.dumps(
        metadata["simulator"], indent=2, sort_keys=True, ensure_ascii=False
    )
    return CARD_TEMPLATE.format(
        name=name,
        count=sum(row.count for row in rows),
        shards=len(rows),
        shard_size=metadata["shard_size"],
        columns="\n".join(_column_lines(metadata, rows)),
        seed=metadata["seed"],
        fingerprint=metadata["fingerprint"],
        simulator=simulator,
        counts="\n".join(_count_lines(metadata, rows)),
        work="\n".join(_work_lines(work)),
        splits=_splits(metadata),
    )


def _splits(metadata: JSON) -> str:
    chosen = any(column["name"] == SPLIT for column in metadata["columns"]["scalars"])
    return SPLITS_BY_COLUMN if chosen else SPLITS_BY_NUMBER


def _column_lines(metadata: JSON, rows: tuple[Row, ...]) -> Iterator[str]:
    for column in (Column(**c) for c in metadata["columns"]["scalars"]):
        average = "" if column.name in LABELS else f"{mean(column.name, rows):.6g}"
        yield _column_line(column, column.dtype, average)
    for column in (Column(**c) for c in metadata["columns"]["particles"]):
        yield _column_line(column, f"list of {column.dtype}", "")


def _column_line(column: Column, kind: str, average: str) -> str:
    return f"| `{column.name}` | {column.unit} | {kind} | {average} | {column.description} |"


def total(name: str, rows: tuple[Row, ...]) -> float:
    """Returns the sum of a scalar column's finite values."""
    return sum(row.sums[name] for row in rows)


def mean(name: str, rows: tuple[Row, ...]) -> float:
    """Returns the mean of a scalar column's finite values; NaN where there are none."""
    values = sum(row.count - row.missing.get(name, 0) for row in rows)
    return math.fsum(row.sums[name] for row in rows) / values if values else math.nan


def _count_lines(metadata: JSON, rows: tuple[Row, ...]) -> Iterator[str]:
    yield f"| simulations | {sum(row.count for row in rows)} |"
    yield f"| shards | {len(rows)} |"
    yield f"| bytes | {sum(row.bytes for row in rows)} |"
    yield f"| particles | {sum(row.particles for row in rows)} |"
    for name in counters(metadata):
        yield f"| `{name}`, all together | {total(name, rows)} |"
    for name in [column["name"] for column in metadata["columns"]["scalars"]]:
        missing = sum(row.missing.get(name, 0) for row in rows)
        if missing:
            yield f"| `{name}`, not finite | {missing} |"


def _work_lines(work: tuple[Session, ...]) -> Iterator[str]:
    for part in work:
        used = f"{part.actors} | {part.deaths} | {part.cpus} | {part.nodes}"
        yield f"| {part.began} | {_work_cells(part)} | {used} |"
    if work:
        everything = together(work)
        yield f"| all | {_work_cells(everything)} | | {everything.deaths} | | |"


def _work_cells(part: Session) -> str:
    return f"{part.simulations} | {duration(part.seconds)} | {part.rate:.3g}"


def summary(dataset: Dataset) -> str:
    """Returns one paragraph on a dataset: how many simulations, where, their counts and work."""
    return (
        f"{len(dataset)} simulations, seed {dataset.metadata['seed']}, in {dataset.folder.name}."
        f"{_totals_sentence(dataset)}{_work_sentence(dataset.folder)}"
    )


def _totals_sentence(dataset: Dataset) -> str:
    totals = ", ".join(
        f"{name} {total(name, dataset.rows):.0f}" for name in counters(dataset.metadata)
    )
    return f" Totals of the {len(dataset.rows)} shards: {totals}." if totals else ""


def _work_sentence(folder: Path) -> str:
    parts = sessions(folder)
    if not parts:
        return ""
    work, fewest = together(parts), min(part.actors for part in parts)
    upto = "" if fewest == work.actors else "up to "
    where = f"{upto}{work.actors} actor{'' if work.actors == 1 else 's'}"
    place = f"on {where}" if work.actors else "in one process"
    return (
        f" Made in {duration(work.seconds)} of work {place}, {work.rate:.3g} a second."
    )


def counters(metadata: JSON) -> tuple[str, ...]:
    """Returns the names of the columns that count something: the integers that are no labels."""
    return tuple(
        column["name"]
        for column in metadata["columns"]["scalars"]
        if np.issubdtype(np.dtype(column["dtype"]), np.integer)
        and column["name"] not in LABELS
    )


SPLITS_BY_NUMBER = """\
Simulation i belongs to `test` if i mod 10 is 0, to `validation` if it is 1, and to `train`
otherwise. More simulations never move one from a split to another."""

SPLITS_BY_COLUMN = """\
The column `split` decides: 0 is `train`, 1 is `validation`, 2 is `test`. More simulations never
move one from a split to another."""

CARD_TEMPLATE = """# {name}

## What
{count} simulations in {shards} Arrow files (`shards/`), {shard_size} in each. One row is one
simulation; the particles of a simulation are lists of equal length.

## Columns
| column | unit | type | mean | meaning |
|---|---|---|---|---|
{columns}

## How it was made
Root seed {seed}; simulation i depends on this seed and on i alone. Fingerprint `{fingerprint}` of
all that decides the bytes:

```json
{simulator}
```

## Counts
| | |
|---|---|
{counts}

## Work
Each call that made shards; died are actors that were replaced. With 0 actors the calling process
simulated. The wall time of a call that was killed ends with its last shard.

| began | simulations | wall time | simulations/s | actors | died | CPU threads | machines |
|---|---|---|---|---|---|---|---|
{work}

## Splits
{splits}

## How to read
```python
from pathlib import Path
from orrery.storage.dataset import Dataset

dataset = Dataset.open(Path("{name}"))
records = dataset.records(0)  # the first shard: records.scalars, records.particles
```
Or without this package, by `pyarrow.ipc.open_file(pyarrow.memory_map(file))`. Checksums are in
`manifest.json`; `dataset.verify(full=True)` compares them.
"""
