"""Simulations per second, end to end, and where the time goes.

    python tests/benchmarks/simulate.py --simulations 512

The last line is one JSON object:

- `simulations_per_second`: of a campaign from nothing to summaries: parameters drawn, galaxies
  rewound, stars sampled, integrated, summarised, reflex motion fitted, written, by as many Ray
  actors as there are CPUs, Ray's own start and the kernels' loading included; `steady_per_second`
  leaves these out: it counts from the first finished shard;
- `stages`: seconds for each simulation in this process, on one thread;
- `evaluations`: of the force for each simulation; `carried`: its stars that are integrated;
- `peak_memory_mb`: the largest resident memory of an actor;
- `bytes_per_simulation`: of the dataset on disk;
- `first_simulation_seconds`: of a new process that imports, compiles and simulates one simulation,
  `cold` with an empty kernel cache and `warm` with a filled one (with --cold-start);
- `agama_seconds`: for each simulation on one thread, and `times_agama`: the ratio to a simulation
  on one thread here (with --against agama).
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest import mock

from mwlmc.sky.binning import QUADRANTS

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import numpy as np
import torch
from counting import counted_stepper

from mwlmc import parameters
from mwlmc.model import agama_engine, stellar_halo
from mwlmc.model.options import Accuracy
from mwlmc.simulator import Simulator, StarParticles
from mwlmc.sky import kinematics
from orrery import runs
from orrery.execution import cluster, simulation, summaries
from orrery.parameters import generator
from orrery.records import Records
from orrery.storage import dataset, manifest, shards, writing

_FIRST = (
    "import torch; torch.set_num_threads(1); from mwlmc.simulator import Simulator; "
    "Simulator().records(1, [0])"
)


@dataclass(frozen=True)
class Options:
    """Measures simulations per second, end to end, and where the time goes."""

    simulations: int = 512
    """How many simulations the campaign makes."""
    accuracy: Accuracy = "survey"
    """How finely orbits are followed."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where stars are carried."""
    actors: int | None = None
    """Actors of the campaign; as many as there are CPUs when None."""
    batch: int = 64
    """Simulations of the measurement by stages."""
    cold_start: bool = False
    """Whether to time the first simulation of a new process, with and without compiled kernels."""
    against: Literal["agama"] | None = None
    """Also time agama, where it is installed, on two of the simulations."""


def main(options: Options) -> None:
    torch.set_num_threads(1)
    simulator = Simulator(accuracy=options.accuracy, device=options.device)
    result: dict[str, Any] = {
        "accuracy": options.accuracy,
        "device": _device(options.device),
    }
    if options.cold_start:
        result["first_simulation_seconds"] = _first_simulation()
    simulator.records(0, range(2))  # compiles, where that was not done before
    result |= _stages(simulator, options.batch)
    result |= _campaign(simulator, options)
    if options.against == "agama":
        result |= _agama(sum(result["stages"].values()))
    print(json.dumps(result))


def _device(kind: str) -> str:
    return torch.cuda.get_device_name() if kind == "cuda" else f"{os.cpu_count()} CPUs"


def _first_simulation() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as empty:
        # torch's compiler can keep things in the temporary folder too: precompiled
        # headers, say
        environment = {**os.environ, "XDG_CACHE_HOME": empty, "TMPDIR": empty}
        environment.pop("TORCHINDUCTOR_CACHE_DIR", None)
        return {name: _seconds(environment) for name in ("cold", "warm")}


def _seconds(environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", _FIRST], env=environment, check=True)
    return round(time.perf_counter() - began, 2)


class _Clock:
    """Seconds of the stages."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.stages[stage] = self.stages.get(stage, 0.0) + now - self.last
        self.last = now


def _stages(simulator: Simulator, count: int) -> dict[str, Any]:
    """Returns each stage's seconds for a simulation, and the integration's work."""
    streams = [generator(1, index, 1) for index in range(count)]
    clock = _Clock()
    theta, _, past = simulator.past(1, range(count))
    clock.lap("draw and rewind")
    stars = simulator.initial_stars(past, streams)
    clock.lap("sample")
    steps, counted = counted_stepper()
    with mock.patch.object(stellar_halo, "stepper", return_value=steps):
        clock.last = time.perf_counter()
        today = simulator.evolved(past, stars)
        clock.lap("integrate")
    simulator.reflex_motion(today)
    clock.lap("reflex")
    kept = simulator.particles(today)
    clock.lap("select")
    records = _whole(simulator, theta, today, kept, past.named)
    clock.last = time.perf_counter()
    kinematics.velocity_moments(records, QUADRANTS)
    clock.lap("summarise")
    with tempfile.TemporaryDirectory() as folder:
        _write(records, simulator, Path(folder), count, clock)
    return {
        "stages": {stage: round(s / count, 5) for stage, s in clock.stages.items()},
        "evaluations": round(counted.evaluations / count),
        "integrated": round(float(today.integrated.mean())),
    }


def _whole(
    simulator: Simulator,
    theta: Any,
    today: StarParticles,
    kept: Any,
    named: dict[str, Any],
) -> Records:
    """Returns records with every column of the schema; those that cost nothing are zeros."""
    count = len(theta)
    scalars = {c.name: np.zeros(count, c.dtype) for c in simulator.schema.scalars}
    scalars |= {**named, "index": np.arange(count)}
    return Records(scalars, *kept)


def _write(
    records: Records, simulator: Simulator, folder: Path, count: int, clock: _Clock
) -> None:
    metadata = dataset.identify(simulator.describe(), simulator.schema, 1, count)
    (folder / manifest.SHARDS).mkdir()
    clock.last = time.perf_counter()
    shards.write_shard(folder, 0, records, simulator.schema, metadata)
    clock.lap("write")


def _campaign(simulator: Simulator, options: Options) -> dict[str, Any]:
    """Returns the rate, memory and size of a campaign through Ray."""
    with tempfile.TemporaryDirectory() as folder:
        began, finished = time.perf_counter(), []
        entered = writing.Writer.enter

        def enter(writer: Any, row: Any, processor: str) -> None:
            entered(writer, row, processor)
            finished.append((time.perf_counter(), row.count))

        writing.Writer.enter = enter  # type: ignore[method-assign]
        with cluster.connect() as cpus, _Memory() as memory:
            made = simulation.generate(
                simulator, options.simulations, 1, Path(folder), actors=options.actors
            )
            summarised = time.perf_counter()
            summaries.compute(
                kinematics.velocity_moments, made, QUADRANTS, parameters.INFERRED
            )
        ended = time.perf_counter()
        size = sum(row.bytes for row in made.rows)
    total = sum(count for _, count in finished)
    later = sum(count for _, count in finished[1:])
    # null with too few shards to tell
    steady = round(later / (finished[-1][0] - finished[0][0]), 2) if later else None
    return {
        "simulations": total,
        "actors": options.actors or cpus,
        "simulations_per_second": round(total / (ended - began), 2),
        "steady_per_second": steady,
        "summarise_seconds": round(ended - summarised, 2),
        "peak_memory_mb": round(memory.peak / 1024),
        "bytes_per_simulation": round(size / total),
    }


class _Memory:
    """The largest resident memory [kB] of a Ray actor while it is open, looked up each second."""

    peak = 0

    def __enter__(self) -> "_Memory":
        self.ended = threading.Event()
        self.watch = threading.Thread(target=self._watch, daemon=True)
        self.watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.watch.join()

    def _watch(self) -> None:
        while not self.ended.wait(1.0):
            for process in Path("/proc").glob("[0-9]*"):
                self.peak = max(self.peak, _resident(process))


def _resident(process: Path) -> int:
    try:
        if not (process / "cmdline").read_bytes().startswith(b"ray::_Actor"):
            return 0
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return 0  # it has ended
    return max(
        (int(line.split()[1]) for line in lines if line.startswith("VmHWM")), default=0
    )


def _agama(seconds: float) -> dict[str, Any]:
    """Returns agama's seconds for a simulation on one thread, and the ratio to ours."""
    if not agama_engine.available():
        return {"agama_seconds": None, "times_agama": None}
    simulator = Simulator(engine="agama")
    _, _, past = simulator.past(1, range(2))
    began = time.perf_counter()
    simulator.stars_today(past, [generator(1, index, 1) for index in range(2)])
    each = (time.perf_counter() - began) / 2
    return {"agama_seconds": round(each, 2), "times_agama": round(each / seconds, 1)}


if __name__ == "__main__":
    runs.main(main, Options)
