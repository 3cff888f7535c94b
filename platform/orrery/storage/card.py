"""The card: the README of a dataset, and the sentence with which a page names it."""

import json
from collections.abc import Iterator

from orrery.identity import ABOUT, JSON
from orrery.records import Column
from orrery.storage.dataset import LABELS, SPLIT, Dataset, counters, read_metadata
from orrery.storage.manifest import ManifestRow, mean, read_manifest, total
from orrery.storage.store import Location
from orrery.storage.work_log import Session, combined, processors, sessions
from orrery.terminal import duration

CARD = "README.md"


def card(
    name: str, metadata: JSON, rows: tuple[ManifestRow, ...], work: tuple[Session, ...]
) -> str:
    """Returns the dataset's card, the README that lies in its folder.

    Its section `Work` is the only one that differs when the same dataset is made again.

    Arguments:
        name: The folder's name.
        metadata: What `identify` returned.
        rows: The manifest's rows of all shards.
        work: The sessions in which they were made.
    """
    # Sorted, so that the card has the same bytes whenever the dataset is made again.
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
        about=_about(metadata),
        counts="\n".join(_count_lines(metadata, rows)),
        work="\n".join(_work_lines(work)),
        processors="\n".join(_processor_lines(work)),
        splits=_splits(metadata),
    )


def current_card(folder: Location) -> str:
    """Returns the card of the dataset in a folder, from its documents as they are now.

    Raises:
        ValueError: If it is unfinished, or a document is damaged.
    """
    _, rows = read_manifest(folder)
    return card(folder.name, read_metadata(folder), (*rows,), sessions(folder))


def _splits(metadata: JSON) -> str:
    chosen = any(column["name"] == SPLIT for column in metadata["columns"]["scalars"])
    return SPLITS_BY_COLUMN if chosen else SPLITS_BY_NUMBER


def _about(metadata: JSON) -> str:
    """Returns what the simulator says of itself, as sentences."""
    # in the order in which the document keeps them
    words = [word for _, word in sorted(metadata[ABOUT]["simulator"].items())]
    return "".join(f"{word[:1].upper()}{word[1:]}. " for word in words)


def _column_lines(metadata: JSON, rows: tuple[ManifestRow, ...]) -> Iterator[str]:
    for column in _columns(metadata, "scalars"):
        # The mean of simulations' numbers or splits would only look like a result.
        average = "" if column.name in LABELS else f"{mean(column.name, rows):.6g}"
        yield _column_line(column, column.dtype, average)
    for column in _columns(metadata, "particles"):
        yield _column_line(column, f"list of {column.dtype}", "")


def _columns(metadata: JSON, kind: str) -> list[Column]:
    meanings = metadata[ABOUT]["columns"]
    found = metadata["columns"][kind]
    return [Column(**entry, description=meanings[entry["name"]]) for entry in found]


def _column_line(column: Column, kind: str, average: str) -> str:
    return f"| `{column.name}` | {column.unit} | {kind} | {average} | {column.description} |"


def _count_lines(metadata: JSON, rows: tuple[ManifestRow, ...]) -> Iterator[str]:
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
        everything = combined(work)
        yield f"| all | {_work_cells(everything)} | | {everything.deaths} | | |"


def _processor_lines(work: tuple[Session, ...]) -> Iterator[str]:
    kinds = processors(work)
    if kinds:
        yield ""
        yield "Made by:"
        yield ""
        yield from (f"- {kind}: {count} simulations" for kind, count in kinds.items())
    if len(kinds) > 1:
        yield ""
        yield MIXED_PROCESSORS


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


def _work_sentence(folder: Location) -> str:
    parts = sessions(folder)
    # Copied datasets may have lost their log: nothing is claimed then.
    if not parts:
        return ""
    work = combined(parts)
    fewest = min(part.actors for part in parts)
    # Calls may have had different numbers of actors; the rate is that of all together.
    upto = "" if fewest == work.actors else "up to "
    where = f"{upto}{work.actors} actor{'' if work.actors == 1 else 's'}"
    place = f"on {where}" if work.actors else "in one process"
    return (
        f" Made in {duration(work.seconds)} of work {place}, {work.rate:.3g} a second."
    )


MIXED_PROCESSORS = """\
**Mixed:** processors of another kind, or other builds, round the last bits differently. What a
simulation means does not change, but these shards are not byte for byte those of one kind."""
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
{about}Root seed {seed}; simulation i depends on this seed and on i alone.
Fingerprint `{fingerprint}` of all that decides the bytes:

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
{processors}

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
