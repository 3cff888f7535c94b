"""Fills a dataset with simulations, on one core or on many actors of a cluster.

The heart is a plain function, `make_shard`; actors only call it elsewhere. They write
their shards themselves and return manifest rows: particles never travel. Without actors
this process simulates, and Ray is not even imported.
"""

import socket
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from orrery.execution import cluster
from orrery.execution.counting import ShardCounters
from orrery.execution.processors import describe_processor
from orrery.execution.record_checks import check_records
from orrery.execution.same_code import (
    InstalledCode,
    check_same_code,
    installed_code,
    packages_of,
)
from orrery.identity import JSON, canonical, without_words
from orrery.option_types import whole_number
from orrery.records import Records, Schema
from orrery.storage import dataset, writing
from orrery.storage.dataset import Dataset
from orrery.storage.manifest import ManifestRow
from orrery.storage.shards import write_shard
from orrery.storage.store import Address, Location, locate
from orrery.storage.work_log import processors, sessions
from orrery.storage.writing import Writer
from orrery.terminal import progress, say


class Simulator(Protocol):
    """Simulates: a frozen object that can be sent to an actor.

    It may also have `versions`, a dict of the versions of its code, which `describe`
    holds too: then all machines must have the same ones, else the same description. And
    `rounding`, a word on what decides the last bits here, such as compiled code; and
    `first_use`, what this machine does once before its first records and the user should
    know of, such as compiling: empty where it is done.

    Example:
        >>> import numpy as np
        >>> from orrery.parameters import generator
        >>> from orrery.records import Column
        >>> class Coins:
        ...     schema = Schema(
        ...         scalars=(Column("index", "", "number of the toss", "int64"),),
        ...         particles=(Column("heads", "", "1 or 0, of three coins"),),
        ...     )
        ...     def describe(self):
        ...         return {"coins": 3}
        ...     def records(self, seed, indices):
        ...         tosses = [generator(seed, i).integers(2, size=3) for i in indices]
        ...         heads = {"heads": np.concatenate(tosses)}
        ...         ends = 3 * np.arange(len(indices) + 1, dtype=np.int32)
        ...         return Records({"index": np.array(indices)}, heads, ends)
        >>> simulator: Simulator = Coins()
        >>> simulator.records(seed=1, indices=[0, 1]).particles["heads"].shape
        (6,)
    """

    @property
    def schema(self) -> Schema:
        """The columns of the records."""
        ...

    @property
    def gpus(self) -> float:
        """The share of a GPU that each actor needs, or a whole number; none if it is missing."""
        ...

    def describe(self) -> JSON:
        """Returns all that decides the records, as plain JSON.

        What is said to readers alone may stand under `about`, sentences by name: it
        decides nothing.
        """
        ...

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        """Returns the records of the given simulations.

        Arguments:
            seed: The root seed.
            indices: The simulations' numbers; record i depends on `seed` and on i
                alone.
        """
        ...


def generate(
    simulator: Simulator,
    count: int,
    seed: int,
    folder: Location | str,
    *,
    name: str = "simulations",
    actors: int | None = None,
    shard_size: int = 64,
    counters: Sequence[str] | None = None,
) -> Dataset:
    """Returns the dataset of the first `count` simulations, made as far as it is not there yet.

    It lies in `<folder>/<name>-<fingerprint>`. On several nodes this must be on a file
    system that they share, or in a bucket, such as `s3://surveys/datasets`. Whole shards
    are made, so the folder may hold some more simulations than asked for. Its bytes do
    not depend on the actors, nor on interruptions; only `work.jsonl` and the card's
    section `Work` say what each call took.

    Arguments:
        simulator: What to simulate.
        count: The number of simulations.
        seed: The root seed.
        folder: The folder of all datasets, or its address in a bucket.
        name: The first part of the dataset's name.
        actors: The number of actors, with one CPU and the simulator's share of a GPU
            each; as many as the cluster has room for when None. With 0 this process
            simulates, without Ray.
        shard_size: The number of simulations in a shard.
        counters: The columns reported meanwhile: totals of integers, means of others.
            All integer columns when None.

    Raises:
        ValueError: If an argument is out of range, the simulator refuses something, it
            needs a GPU where the cluster has none, or a machine has other code.
        OSError: If the folder cannot be written, is being written by another process,
            or cannot be seen by the workers of a cluster.
        ChildProcessError: If a shard ended its actor three times, and more often than
            deaths from outside explain. All finished shards are kept.
    """
    count = whole_number("count", count, 1)
    seed = whole_number("seed", seed, 0)
    actors = None if actors is None else whole_number("actors", actors, 0)
    shard_size = whole_number("shard_size", shard_size, 1)
    _check_name(name)
    _check_share(_share(simulator))
    metadata = dataset.identify(
        simulator.describe(), simulator.schema, seed, shard_size
    )
    place = locate(folder).absolute() / f"{name}-{metadata['fingerprint']}"
    # A finished dataset is found without a lock, so that it may lie on a read-only disk.
    found = writing.find_finished(place, metadata, count)
    if found is not None:
        return found
    shown = dataset.counters(metadata) if counters is None else tuple(counters)
    return complete(place, metadata, simulator, count, actors, shown)


def _check_name(name: str) -> None:
    """Raises ValueError unless a dataset of this name lies in the folder of all of them."""
    if not name.strip() or name.startswith(".") or {"/", "\\", "\0"} & set(name):
        raise ValueError(
            f"name {name!r} is that of no folder: give words without slashes, such as "
            "'simulations'"
        )


def complete(
    place: Location,
    metadata: JSON,
    simulator: Simulator,
    count: int,
    actors: int | None,
    shown: tuple[str, ...],
) -> Dataset:
    """Returns the dataset in a folder, whose missing and damaged parts are made.

    Arguments:
        place: The dataset's absolute folder, or its address in a bucket.
        metadata: What `identify` returned.
        simulator: What it describes.
        count: The number of simulations.
        actors: The number of actors: see `generate`.
        shown: The columns reported meanwhile.

    Raises:
        Exception: Those of `generate`.
    """
    with writing.open_writer(place, metadata) as writer:
        _fill(writer, simulator, count, actors, shown)
        made = writer.finish(count)
    _tell_mixed(made)
    return made


def _tell_mixed(made: Dataset) -> None:
    kinds = processors(sessions(made.folder))
    if len(kinds) > 1:
        say(
            f"{len(kinds)} kinds of processor made {made.folder.name}: records may differ in "
            "their last digits from what one kind would make (see Work in its card)"
        )


def _check_share(share: float) -> None:
    # Ray gives an actor part of one GPU, or several whole ones, nothing between.
    if not (0 <= share <= 1 or (share > 1 and share.is_integer())):
        raise ValueError(
            f"the simulator's gpus {share} must be from 0 to 1, or a whole number"
        )


def _share(simulator: Simulator) -> float:
    return float(getattr(simulator, "gpus", 0.0))


def _fill(
    writer: Writer,
    simulator: Simulator,
    count: int,
    actors: int | None,
    shown: tuple[str, ...],
) -> None:
    pending = writer.pending(count)
    size = writer.metadata["shard_size"]
    made = size * len(writer.rows)
    total = made + size * len(pending)
    last, over = divmod(count, size)
    if over and last in pending:
        say(
            f"whole shards of {size} are made: {(last + 1) * size} for the {count} that are "
            f"wanted, of which the first {count} are used"
        )
    # Actors are silent, and this may last longer than all the rest of a small campaign.
    if pending and (first_use := getattr(simulator, "first_use", "")):
        say(first_use)
    with (
        _made_shards(simulator, writer, pending, actors) as rows,
        progress("simulating", total, done=made) as advance,
    ):
        seen = ShardCounters(shown, dataset.counters(writer.metadata))
        for row in writer.rows.values():
            seen.add(row)
        for row, processor in rows:
            writer.enter(row, processor)
            seen.add(row)
            advance(row.count, note=seen.note)


class _MadeShard(NamedTuple):
    """The manifest's row of a shard, and the kind of processor that made it."""

    row: ManifestRow
    processor: str


@contextmanager
def _made_shards(
    simulator: Simulator, writer: Writer, pending: list[int], actors: int | None
) -> Iterator[Iterator[_MadeShard]]:
    code = installed_code(packages_of([simulator]))
    make = _ShardMaker(simulator, writer.metadata, writer.folder, code)
    if actors == 0 or not pending:
        yield map(make, pending)
        return
    with cluster.connect():
        if not cluster.connected():
            yield map(make, pending)
            return
        # Imported here, so that a machine without Ray can simulate without actors.
        from orrery.execution.actors import ActorPool, capacity
        from orrery.execution.nodes import check_seen

        # Who cannot reach a bucket says so itself.
        if not isinstance(writer.folder, Address):
            check_seen(writer.folder)
        share = _share(simulator)

        def room() -> int:
            return actors or capacity(share, cluster.cpus())

        pool = ActorPool(make, share, writer.session, room, piece="shard")
        try:
            pool.start_actors(min(room(), len(pending)))
            yield pool.work(deque(pending))
        finally:
            pool.stop()


def make_shard(
    simulator: Simulator, metadata: JSON, shard: int, folder: Location
) -> ManifestRow:
    """Writes one shard of a dataset and returns its manifest row.

    Arguments:
        simulator: What to simulate.
        metadata: The dataset's metadata, with `seed` and `shard_size`.
        shard: The shard's number.
        folder: The dataset's absolute folder, or its address in a bucket.

    Raises:
        ValueError: If the simulator's records are not what its schema says.
        OSError: If the shard cannot be written.
    """
    indices = range(
        shard * metadata["shard_size"], (shard + 1) * metadata["shard_size"]
    )
    try:
        with cluster.one_thread():
            records = simulator.records(metadata["seed"], indices)
        check_records(records, simulator.schema, indices)
    except Exception as error:
        # On a cluster the traceback alone does not say which simulations failed.
        error.add_note(f"in shard {shard}, simulations {indices[0]} to {indices[-1]}")
        raise
    return write_shard(folder, shard, records, simulator.schema, metadata)


def check_code(simulator: Simulator, metadata: JSON) -> None:
    """Raises ValueError if this machine's code is not that of who began the dataset.

    A simulator travels to an actor without its code: one that is started in the middle
    of a campaign may find edited code, and nobody would see two kinds of shards.

    Arguments:
        simulator: As it arrived here.
        metadata: The dataset's metadata.
    """
    wanted = metadata["simulator"]
    here = getattr(simulator, "versions", None)
    if here is None:
        here = without_words(simulator.describe())
    else:
        wanted = wanted.get("versions", {})
    if canonical(here) != canonical(wanted):
        keys = sorted({*here, *wanted})
        other = [
            f"{key} {here.get(key)!r} instead of {wanted.get(key)!r}"
            for key in keys
            if here.get(key) != wanted.get(key)
        ]
        raise ValueError(
            f"{socket.gethostname()} has other code than the process that began the dataset "
            f"({', '.join(other)}): install the same code on all machines, and generate again"
        )


@dataclass(frozen=True)
class _ShardMaker:
    """Makes the shard of a number: all that an actor has to know."""

    simulator: Simulator
    metadata: JSON
    folder: Location
    code: InstalledCode

    def __call__(self, shard: int) -> _MadeShard:
        row = make_shard(self.checked_simulator, self.metadata, shard, self.folder)
        rounding = getattr(self.simulator, "rounding", "")
        return _MadeShard(row, describe_processor(rounding))

    def check_here(self) -> None:
        """Raises an error if this machine has other code, or does not see the dataset.

        Raises:
            ValueError: If it has other code.
            FileNotFoundError: If it does not see the folder.
        """
        _ = self.checked_simulator
        if not isinstance(self.folder, Address):
            # Only actors ask, where Ray is.
            from orrery.execution.nodes import check_seen_here

            check_seen_here([self.folder / dataset.DATASET_DOCUMENT])

    @cached_property
    def checked_simulator(self) -> Simulator:
        """The simulator, once this process has shown that it has the dataset's code."""
        check_code(self.simulator, self.metadata)
        check_same_code(self.code)
        return self.simulator
