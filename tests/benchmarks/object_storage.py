"""A dataset in a bucket: made by four processes of which one is killed, read with nothing kept.

    python tests/benchmarks/object_storage.py
    python tests/benchmarks/object_storage.py --simulations 4096

The bucket is of an S3 server, moto's, in a process of its own on this machine. Stars
are drawn that have the number and speeds of simulated ones but no physics, about 105
kB for each simulation: once into a folder by this process, once into the bucket by four
actors, one of which is killed as soon as some shards are there. Then all are binned
anew by as many processes as there are CPUs, which have started before, with an empty
cache and once more with all copies. The aim: 200 simulations a second with an empty one.

The last line is one JSON object: whether shards and manifest have the same bytes
(`equal`), how many actors died, simulations a second written to folder and bucket and
binned anew from the bucket (`cold`, `warm`) and from the folder, fetched bytes a second
by one process (`fetch_mb_per_second`), and milliseconds of a small conditional put.
Server, actors and readers share this machine's CPUs.
"""

import json
import logging
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

from rebin import Synthetic

from mwlmc.parameters import INFERRED
from mwlmc.sky.binning import QUADRANTS
from mwlmc.sky.kinematics import velocity_moments
from orrery import runs
from orrery.execution import cluster, summaries
from orrery.execution.local_session import parent_folder
from orrery.execution.simulation import generate
from orrery.identity import JSON
from orrery.records import Records
from orrery.storage.dataset import Dataset
from orrery.storage.store import Address, locate
from orrery.storage.work_log import combined, sessions
from orrery.terminal import say

ACTORS = 4
KILLED_AFTER = 4  # shards in the bucket
PUTS = 50
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_REGION": "us-east-1",
}


@dataclass(frozen=True)
class Options:
    """Measures a dataset in a bucket."""

    simulations: int = 2048
    """How many simulations."""
    shard_size: int = 64
    """How many simulations in a shard."""


@dataclass(frozen=True)
class Announced(Synthetic):
    """Stars without physics, by processes that say who they are.

    Arguments:
        folder: Where each process leaves a file named by its number.
    """

    folder: str = ""

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        """Returns the stars."""
        Path(self.folder, str(os.getpid())).touch()
        return super().records(seed, indices)


def main(options: Options) -> None:
    """Prints what was measured."""
    with tempfile.TemporaryDirectory(prefix="bucket-") as temporary, served():
        place = Path(temporary)
        os.environ["ORRERY_CACHE"] = str(place / "cache")
        measured = measure(options, place, locate("s3://stars/datasets"))
    print(json.dumps({"simulations": options.simulations, **measured}))


@contextmanager
def served() -> Iterator[None]:
    """Returns a context with an S3 server and a bucket `stars`."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    os.environ.update(CREDENTIALS, AWS_ENDPOINT_URL=ours.recv())
    try:
        yield
    finally:
        process.kill()
        process.join()


def serve(answer: Connection) -> None:
    """Serves until it is killed."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ.update(CREDENTIALS)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=address, region_name="us-east-1").create_bucket(
        Bucket="stars"
    )
    answer.send(address)
    threading.Event().wait()


def measure(options: Options, place: Path, bucket: Address) -> JSON:
    """Returns what making and reading the dataset took."""
    count = options.simulations
    local, seconds_local = timed(
        lambda: generate(
            Synthetic(), count, 1, place, actors=0, shard_size=options.shard_size
        )
    )
    there, seconds_there = timed(lambda: made_by_four(options, place, bucket))
    work = combined(sessions(there.folder))
    return {
        "equal": same_bytes(local, there),
        "shards": len(there.rows),
        "actors": ACTORS,
        "deaths": work.deaths,
        "made_per_second_folder": round(count / seconds_local, 1),
        "made_per_second_bucket": round(work.rate, 1),
        "seconds_bucket_with_ray": round(seconds_there, 1),
        **binned(place, local, there),
        **fetched(there),
        "put_if_ms": round(small_puts(bucket), 2),
    }


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    """Returns what an action returns, and its wall time [s]."""
    began = time.perf_counter()
    found = action()
    return found, time.perf_counter() - began


def made_by_four(options: Options, place: Path, bucket: Address) -> Dataset:
    """Returns the dataset that four actors make in a bucket, one of which is killed."""
    import ray

    announced = place / "announced"
    announced.mkdir()
    killer = threading.Thread(target=kill_one, args=(announced, bucket), daemon=True)
    # Paths of sockets must be short.
    folder = tempfile.mkdtemp(prefix="ray-", dir=parent_folder())
    ray.init(
        address="local",
        num_cpus=ACTORS,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=folder,
    )
    killer.start()
    try:
        return generate(
            Announced(folder=str(announced)),
            options.simulations,
            1,
            bucket,
            actors=ACTORS,
            shard_size=options.shard_size,
        )
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def kill_one(announced: Path, bucket: Address) -> None:
    """Kills an actor once some shards are in the bucket."""
    while len([name for name in bucket.sizes() if "/shards/" in name]) < KILLED_AFTER:
        time.sleep(0.02)
    process = int(sorted(path.name for path in announced.iterdir())[0])
    os.kill(process, signal.SIGKILL)
    say(f"killed process {process}")


def same_bytes(local: Dataset, there: Dataset) -> bool:
    """Returns whether shards and documents have the same bytes, read from the bucket itself."""
    names = ["manifest.json", "dataset.json", *(row.file for row in local.rows)]
    shards = {name for name in there.folder.sizes() if name.startswith("shards/")}
    return shards == {row.file for row in local.rows} and all(
        (local.folder / name).read_bytes() == (there.folder / name).read_bytes()
        for name in names
    )


def binned(place: Path, local: Dataset, there: Dataset) -> JSON:
    """Returns simulations binned anew a second, with and without copies of their shards."""
    shutil.rmtree(place / "cache", ignore_errors=True)
    rates = {}
    with cluster.connect() as cpus:
        bin_anew(local, place / "summaries" / "start")
        for name, dataset in (("cold", there), ("warm", there), ("folder", local)):
            seconds = bin_anew(dataset, place / "summaries" / name)
            rates[f"binned_per_second_{name}"] = round(len(dataset) / seconds, 1)
    return {"processes": cpus, **rates}


def bin_anew(dataset: Dataset, folder: Path) -> float:
    """Returns how long binning a dataset takes [s]."""
    _, seconds = timed(
        lambda: summaries.compute(
            velocity_moments, dataset, QUADRANTS, INFERRED, folder=folder
        )
    )
    return seconds


def fetched(there: Dataset) -> JSON:
    """Returns how fast one process fetches and verifies shards."""
    shutil.rmtree(os.environ["ORRERY_CACHE"])
    _, seconds = timed(lambda: [there.verify_shard(shard) for shard in there.shards])
    size = sum(row.bytes for row in there.rows)
    return {"fetch_mb_per_second": round(size / 1e6 / seconds, 1)}


def small_puts(bucket: Address) -> float:
    """Returns how long a conditional put of a few bytes takes [ms]."""
    place = bucket / "probe"

    def put() -> None:
        version = None
        for number in range(PUTS):
            version = place.put_if(str(number).encode(), version)

    _, seconds = timed(put)
    return 1e3 * seconds / PUTS


if __name__ == "__main__":
    runs.main(main, Options)
