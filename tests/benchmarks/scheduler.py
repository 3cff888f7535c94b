"""What a campaign costs beside its simulations: 128,000 of them that do nothing.

    python tests/benchmarks/scheduler.py
    python tests/benchmarks/scheduler.py --simulations 12800 --shard-size 16

Scheduler, journal, work log and manifest do all that they do for real simulations, and
the files are synced to the disk of `--folder`. The last line is one JSON object. `alone`
is this process without Ray, `actors` as many actors as there are CPUs, and `cluster` the
same with as many tasks in flight as `--cpus` actors would have, which is what scheduler
and Ray look through for each shard. Of each:

- `ms_per_shard` by the clock, actors and all; `cpu_ms_per_shard` of the driver alone;
- `fsyncs_per_shard` of the driver; how many of them its main thread makes,
  `main_fsyncs_per_shard`, and `waited_ms_per_shard` of that thread for the disk;
- `most_shards_per_second`: beyond it the driver would have no time left, since for each
  shard it computes, all threads together, and its main thread waits for the disk;
- `bytes_per_shard` of a shard's file, `manifest_bytes_per_shard` of its row;
- `peak_memory_mb` of the driver, and `memory_growth`, its resident memory at the end over
  that after a fifth of the shards.

`fsync_ms` is the median of fsyncs of 4 kB, before and after. Times are those of
this machine and of its disk, and of whatever else these do.
"""

import json
import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import numpy as np

from orrery import runs, terminal
from orrery.execution import actors, cluster, simulation
from orrery.identity import JSON
from orrery.records import Column, Records, Schema
from orrery.storage import manifest, writing

PROBES = 100  # fsyncs that are timed
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Options:
    """Measures what a campaign costs beside its simulations."""

    simulations: int = 128_000
    """How many simulations that do nothing."""
    shard_size: int = 64
    """How many of them are in a shard."""
    cpus: int = 512
    """Of the cluster whose number of tasks in flight is imitated."""
    folder: Path | None = None
    """On the disk that is measured; a temporary folder when missing."""


class Nothing:
    """A simulator whose records are their numbers, and a counter as others have."""

    schema = Schema(
        (
            Column("index", "", "number", "int64"),
            Column("refused", "", "draws that were discarded", "int32"),
        )
    )

    def describe(self) -> JSON:
        """Returns its name."""
        return {"what": "nothing"}

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        """Returns the numbers, and that nothing was refused."""
        numbers = np.array(indices)
        return Records({"index": numbers, "refused": np.zeros_like(numbers)})


class Watch:
    """What the driver spends while a campaign runs: CPU, memory, and waits for the disk."""

    def __init__(self, shards: int) -> None:
        self.shards = shards
        self.fsyncs = 0
        self.main_fsyncs = 0
        self.waited = 0.0  # [s] of the main thread
        self.entering = False
        self.resident: dict[int, int] = {}
        self.wall = time.perf_counter()
        self.cpu = time.process_time()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Returns a context in which it looks."""
        enter = writing.Writer.enter
        fsync = os.fsync

        def entered(writer: Any, row: Any, processor: str) -> None:
            self.entering = True
            with self.waiting():
                enter(writer, row, processor)
            self.entering = False
            self.resident[len(writer.rows)] = resident()

        def synced(descriptor: int) -> None:
            self.fsyncs += 1
            if threading.current_thread() is not threading.main_thread():
                fsync(descriptor)
                return
            self.main_fsyncs += 1
            if self.entering:
                fsync(descriptor)
                return
            with self.waiting():
                fsync(descriptor)

        with (
            mock.patch.object(writing.Writer, "enter", entered),
            mock.patch.object(os, "fsync", synced),
        ):
            yield

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Returns a context in which the main thread either computes or waits for the disk."""
        wall = time.perf_counter()
        cpu = time.thread_time()
        yield
        self.waited += time.perf_counter() - wall - time.thread_time() + cpu

    def spent(self) -> JSON:
        """Returns what was spent for each shard."""
        wall = (time.perf_counter() - self.wall) / self.shards
        cpu = (time.process_time() - self.cpu) / self.shards
        waited = self.waited / self.shards
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        growth = self.resident[self.shards] / self.resident[self.shards // 5]
        return {
            "ms_per_shard": round(1e3 * wall, 2),
            "cpu_ms_per_shard": round(1e3 * cpu, 2),
            "fsyncs_per_shard": round(self.fsyncs / self.shards, 2),
            "main_fsyncs_per_shard": round(self.main_fsyncs / self.shards, 2),
            "waited_ms_per_shard": round(1e3 * waited, 2),
            "most_shards_per_second": round(1 / (cpu + waited)),
            "peak_memory_mb": round(peak / 1024),
            "memory_growth": round(growth, 3),
        }


def resident() -> int:
    """Returns the resident memory of this process [bytes]."""
    return PAGE * int(Path("/proc/self/statm").read_text().split()[1])


def fsync_seconds(folder: Path) -> list[float]:
    """Returns the times of fsyncs of 4 kB on a folder's disk [s]."""
    times = []
    with (folder / "probe").open("wb") as file:
        for _ in range(PROBES):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return times


def campaign(options: Options, place: Path, wanted: int | None) -> JSON:
    """Returns what a campaign cost.

    Arguments:
        options: The campaign's size.
        place: A folder of its own on the disk.
        wanted: The number of actors; as many as there are CPUs when None.
    """
    place.mkdir()
    probes = fsync_seconds(place)
    watch = Watch(-(-options.simulations // options.shard_size))
    with watch.open():
        made = simulation.generate(
            Nothing(),
            options.simulations,
            1,
            place,
            actors=wanted,
            shard_size=options.shard_size,
        )
    spent = watch.spent()
    fsync = statistics.median(probes + fsync_seconds(place))
    shards = len(made.rows)
    size = (made.folder / manifest.MANIFEST).stat().st_size
    return {
        "fsync_ms": round(1e3 * fsync, 2),
        **spent,
        "bytes_per_shard": round(sum(row.bytes for row in made.rows) / shards),
        "manifest_bytes_per_shard": round(size / shards),
    }


def main(options: Options) -> None:
    """Prints what was measured."""
    result = {"simulations": options.simulations, "shard_size": options.shard_size}
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        result["alone"] = campaign(options, Path(temporary, "alone"), 0)
        with cluster.connect() as cpus:
            simulation.generate(Nothing(), 1, 1, Path(temporary), name="warm")
            result["actors"] = campaign(options, Path(temporary, "actors"), None)
            terminal.say(f"as many tasks as {options.cpus} actors have")
            in_flight = actors.IN_FLIGHT * options.cpus // cpus
            with mock.patch.object(actors, "IN_FLIGHT", in_flight):
                result["cluster"] = campaign(options, Path(temporary, "cluster"), None)
    print(json.dumps({**result, "cpus": options.cpus, "machine_cpus": os.cpu_count()}))


if __name__ == "__main__":
    runs.main(main, Options)
