"""Fills a dataset with simulations, on one core or on many actors of a cluster.

The heart is a plain function, `make_shard`; actors only call it elsewhere. They write
their shards themselves and return manifest rows: particles never travel. Actors may
die: what they had in hand goes to a new one.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import ray
from ray.exceptions import RayError, RayTaskError

from orrery.execution import cluster
from orrery.identity import JSON
from orrery.records import Records, Schema
from orrery.storage import dataset, manifest, writing
from orrery.storage.dataset import Dataset
from orrery.storage.manifest import ManifestRow
from orrery.storage.writing import Writer
from orrery.terminal import progress, say

IN_FLIGHT = 2  # tasks of an actor: one in work, one waiting, so that it never idles
ATTEMPTS = 3  # actors that may die over the same shard
READY = -1  # the task that shows that an actor has started
STARTUP_TIMEOUT = 60.0  # [s] without any result until the user is told why


class Simulator(Protocol):
    """Simulates: a frozen object that can be sent to an actor."""

    @property
    def schema(self) -> Schema:
        """The columns of the records."""
        ...

    @property
    def gpus(self) -> float:
        """The share of a GPU that each actor needs, or a whole number; none if it is missing."""
        ...

    def describe(self) -> JSON:
        """Returns all that decides the records, as plain JSON."""
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
    folder: Path,
    *,
    name: str = "simulations",
    actors: int | None = None,
    shard_size: int = 64,
    counters: Sequence[str] | None = None,
) -> Dataset:
    """Returns the dataset of the first `count` simulations, made as far as it is not there yet.

    It lies in `<folder>/<name>-<fingerprint>`. On several nodes this must be on a file
    system that they share. Whole shards are made, so the folder may hold some more
    simulations than asked for. Its bytes do not depend on the actors, nor on
    interruptions; only `work.jsonl` and the card's section `Work` tell what each call
    took.

    Arguments:
        simulator: What to simulate.
        count: The number of simulations.
        seed: The root seed.
        folder: The folder of all datasets.
        name: The first part of the dataset's name.
        actors: The number of actors, with one CPU and the simulator's share of a GPU
            each; as many as the cluster has room for when None. With 0 this process
            simulates, without Ray.
        shard_size: The number of simulations in a shard.
        counters: The columns reported meanwhile: totals of integers, means of others.
            All integer columns when None.

    Raises:
        ValueError: If an argument is out of range, the simulator refuses something, or
            it needs a GPU where the cluster has none.
        OSError: If the folder cannot be written, or is being written by another
            process.
        ChildProcessError: If a shard ended its actor three times. All finished shards
            are kept.
    """
    _check_arguments(count, seed, actors, shard_size, _share(simulator))
    metadata = dataset.identify(
        simulator.describe(), simulator.schema, seed, shard_size
    )
    place = Path(folder).absolute() / f"{name}-{metadata['fingerprint']}"
    found = writing.find_finished(place, metadata, count)
    if found is not None:
        return found
    with writing.open_writer(place, metadata) as writer:
        shown = dataset.counters(metadata) if counters is None else tuple(counters)
        _fill(writer, simulator, writer.pending(count), actors, shown)
        return writer.finish(count)


def _check_arguments(
    count: int, seed: int, actors: int | None, shard_size: int, share: float
) -> None:
    for name, value, smallest in (
        ("count", count, 1),
        ("seed", seed, 0),
        ("actors", actors or 0, 0),
        ("shard_size", shard_size, 1),
    ):
        if value < smallest:
            raise ValueError(f"{name} {value} must be {smallest} or larger")
    if not (0 <= share <= 1 or (share > 1 and share.is_integer())):
        raise ValueError(
            f"the simulator's gpus {share} must be from 0 to 1, or a whole number"
        )


def _share(simulator: Simulator) -> float:
    return float(getattr(simulator, "gpus", 0.0))


def _fill(
    writer: Writer,
    simulator: Simulator,
    pending: list[int],
    actors: int | None,
    shown: tuple[str, ...],
) -> None:
    size = writer.metadata["shard_size"]
    made, total = size * len(writer.rows), size * (len(writer.rows) + len(pending))
    with (
        _rows(simulator, writer, pending, actors) as rows,
        progress("simulating", total, done=made) as advance,
    ):
        for row in rows:
            writer.enter(row)
            advance(row.count, note=_note(writer, shown))


@contextmanager
def _rows(
    simulator: Simulator, writer: Writer, pending: list[int], actors: int | None
) -> Iterator[Iterator[ManifestRow]]:
    if actors == 0 or not pending:
        yield (
            make_shard(simulator, writer.metadata, s, writer.folder) for s in pending
        )
        return
    with cluster.connect() as cpus:
        pool = _ActorPool(simulator, writer)
        try:
            pool.start_actors(
                min(actors or _room(_share(simulator), cpus), len(pending))
            )
            yield pool.work(deque(pending))
        finally:
            pool.stop()


def _room(share: float, cpus: int) -> int:
    """Returns how many actors have a CPU and their share of a GPU at the same time."""
    if not share:
        return max(cpus, 1)
    gpus = int(ray.cluster_resources().get("GPU", 0))
    # A share never spans two GPUs.
    room = gpus // int(share) if share >= 1 else gpus * int(1 / share + 1e-9)
    if not room:
        raise ValueError(
            f"the simulator needs {share:g} GPU for each actor and the cluster has {gpus}: choose "
            "a simulator without, or say how many actors if the cluster grows on demand"
        )
    return max(min(room, cpus), 1)


def _note(writer: Writer, shown: tuple[str, ...]) -> str:
    rows, integers = tuple(writer.rows.values()), dataset.counters(writer.metadata)
    return ", ".join(
        f"{name} {manifest.total(name, rows)}"
        if name in integers
        else f"mean {name} {manifest.mean(name, rows):.3g}"
        for name in shown
    )


def make_shard(
    simulator: Simulator, metadata: JSON, shard: int, folder: Path
) -> ManifestRow:
    """Writes one shard of a dataset and returns its manifest row.

    Arguments:
        simulator: What to simulate.
        metadata: The dataset's metadata, with `seed` and `shard_size`.
        shard: The shard's number.
        folder: The dataset's absolute folder.

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
        _check_records(records, simulator.schema, indices)
    except Exception as error:
        error.add_note(f"in shard {shard}, simulations {indices[0]} to {indices[-1]}")
        raise
    return writing.write_shard(folder, shard, records, simulator.schema, metadata)


def _check_records(records: Records, schema: Schema, indices: range) -> None:
    for columns, values in (
        (schema.scalars, records.scalars),
        (schema.particles, records.particles),
    ):
        missing = [c.name for c in columns if c.name not in values]
        if missing:
            raise ValueError(
                f"the simulator returned no column {missing[0]!r} of its schema"
            )
    if len(records) != len(indices):
        raise ValueError(
            f"the simulator returned {len(records)} records, not {len(indices)}"
        )
    index = records.scalars.get(dataset.INDEX)
    if index is not None and not np.array_equal(index, indices):
        raise ValueError(f"the simulator's column 'index' is {index}, not {indices}")


class _Actor:
    """Makes shards in a process of its own."""

    def __init__(self, simulator: Simulator, metadata: JSON, folder: Path) -> None:
        self.simulator, self.metadata, self.folder = simulator, metadata, folder

    def ready(self) -> None:
        """Answers when the actor has started."""

    def make(self, shard: int) -> ManifestRow:
        return make_shard(self.simulator, self.metadata, shard, self.folder)


class _ActorPool:
    """Actors with what they have in hand; who dies is replaced.

    An actor gets work only after it has answered: one that finds no free CPU never
    holds a shard.
    """

    def __init__(self, simulator: Simulator, writer: Writer) -> None:
        share, self.session = _share(simulator), writer.session
        self.kind: Any = ray.remote(num_cpus=1, num_gpus=share, max_restarts=0)(_Actor)
        self.needs = f"a free CPU and {share:g} GPU" if share else "a free CPU"
        self.contract = (ray.put(simulator), writer.metadata, writer.folder)
        self.actors: list[Any] = []
        self.started: set[Any] = set()
        self.tasks: dict[
            ray.ObjectRef[Any], tuple[Any, int]
        ] = {}  # in the order of submission
        self.deaths: Counter[int] = Counter()

    def start_actors(self, count: int = 1) -> None:
        for _ in range(count):
            actor = self.kind.remote(*self.contract)
            self.actors.append(actor)
            self.tasks[actor.ready.remote()] = (actor, READY)

    def stop(self) -> None:
        for actor in self.actors:
            ray.kill(actor)

    def work(self, pending: deque[int]) -> Iterator[ManifestRow]:
        while pending or any(shard != READY for _, shard in self.tasks.values()):
            self._assign(pending)
            ready, _ = ray.wait(list(self.tasks), timeout=STARTUP_TIMEOUT)
            if not ready and not self.started:
                say(f"no actor has started yet: each needs {self.needs} of the cluster")
            for task in ready:
                yield from self._collect(task, pending)

    def _assign(self, pending: deque[int]) -> None:
        load = Counter(actor for actor, _ in self.tasks.values())
        for depth in range(IN_FLIGHT):
            for actor in self.started:
                if pending and load[actor] <= depth:
                    shard = pending.popleft()
                    self.tasks[actor.make.remote(shard)] = (actor, shard)
                    load[actor] += 1

    def _collect(
        self, task: "ray.ObjectRef[Any]", pending: deque[int]
    ) -> Iterator[ManifestRow]:
        actor, shard = self.tasks[task]
        try:
            row = ray.get(task)
        except RayTaskError as error:
            raise error.cause from error
        except RayError as error:
            self._on_failure(actor, error)
            pending.extendleft([shard] if shard != READY else [])
        else:
            yield from self._on_ready(actor) if shard == READY else [row]
        del self.tasks[task]

    def _on_ready(self, actor: Any) -> list[ManifestRow]:
        self.started.add(actor)
        del self.deaths[READY]  # starting works: only failures in a row are hopeless
        session = self.session
        session.actors = max(session.actors, len(self.started))
        session.cpus = int(ray.cluster_resources().get("CPU", 0))
        session.nodes = sum(node["Alive"] for node in ray.nodes())
        return []

    def _on_failure(self, actor: Any, error: RayError) -> None:
        if actor not in self.actors:
            return  # another of its tasks brought the news
        # Tasks run in the order of submission: it died over the oldest.
        shard = next(shard for other, shard in self.tasks.values() if other == actor)
        self.deaths[shard] += 1
        self.session.deaths += 1
        what = f"shard {shard}" if shard != READY else "its start"
        # Ray ends with the cause of a failed start, and begins with the kind of any
        # other death.
        reason = str(error).strip().splitlines()[-1 if shard == READY else 0]
        if self.deaths[shard] == ATTEMPTS:
            raise ChildProcessError(
                f"{ATTEMPTS} actors died over {what} ({reason}); finished shards are kept: "
                "look for a crash or, with fewer actors, leave more memory for each"
            )
        say(f"an actor died over {what} and is replaced ({reason})")
        ray.kill(actor)  # it may only have been out of reach
        self.actors.remove(actor)
        self.started.discard(actor)
        self.start_actors()
