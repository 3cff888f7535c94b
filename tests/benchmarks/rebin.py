"""How fast simulations on the disk are read back and binned anew. The aim: 400/s on two cores.

    python tests/benchmarks/rebin.py                                   # makes its own simulations
    python tests/benchmarks/rebin.py --dataset datasets/mwlmc-... --simulations 2048
    python tests/benchmarks/rebin.py --observed sdss_kgiants.ecsv

The last line is one JSON object. `seconds` is that of `summaries.compute` without kept
results, on all CPUs and with the start of Ray's workers. Reading (with checksums) and
moments are timed again alone, one after the other in one process, once by the clock and
once in CPU time, which a busy machine changes least. Without a dataset, stars are drawn
that have the number, distances and speeds of simulated ones but no physics: about 105
kB for each simulation in a temporary folder. What was just written is still in memory:
the disk itself is not measured.

`slowest` is about trials of binnings: a trial bins in one process, so that on a busy
machine its CPU time tells most. Of each planned survey it has the binning that takes
longest, and how many simulations a second of CPU then bins, `summaries.compute` whole.
"""

import functools
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from mwlmc import simulator
from mwlmc.observed.binned_table import read_binned
from mwlmc.observed.planned_survey import (
    PatchChoice,
    PlannedSurvey,
    SurveyBinning,
    giants,
    survey_like,
)
from mwlmc.parameters import INFERRED
from mwlmc.sky import kinematics
from mwlmc.sky.binning import QUADRANTS, SkyBinning
from mwlmc.study.options import DESI_BINNED
from orrery import runs, terminal
from orrery.execution import cluster, summaries
from orrery.execution.simulation import generate
from orrery.identity import JSON
from orrery.parameters import FloatArray, generator
from orrery.records import Records, Schema
from orrery.storage.dataset import Dataset

SIMULATIONS = 4096  # of its own
PLANNED = 512  # simulations that are binned as each planned survey has its stars


@dataclass(frozen=True)
class Synthetic:
    """Draws stars with dN/dr ~ r^-1.6 between 30 and 500 kpc, as simulations have them today.

    Arguments:
        stars: The number of stars of a simulation.
        speed: Their velocity dispersion along each axis [km/s].
    """

    stars: int = 8600
    speed: float = 100.0

    @property
    def schema(self) -> Schema:
        """The columns of the real simulator."""
        return simulator.Simulator().schema

    @property
    def gpus(self) -> float:
        """None is needed."""
        return 0.0

    def describe(self) -> JSON:
        """Returns all that decides the records."""
        return {"what": "synthetic stars", "stars": self.stars, "speed": self.speed}

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        """Returns stars without physics, and positive deviates for all scalars."""
        randoms = [generator(seed, index) for index in indices]
        scalars: dict[str, Any] = {
            column.name: np.array([random.exponential() for random in randoms]).astype(
                column.dtype
            )
            for column in self.schema.scalars
        }
        state = np.concatenate([self._state(random) for random in randoms], axis=1)
        names = [column.name for column in self.schema.particles]
        offsets = np.arange(len(randoms) + 1, dtype=np.int32) * self.stars
        return Records(
            {**scalars, "index": np.array(indices)},
            dict(zip(names, state.astype(np.float16), strict=True)),
            offsets,
        )

    def _state(self, random: np.random.Generator) -> FloatArray:
        """Returns positions [kpc] and velocities [km/s], together `[6, N]`."""
        share = random.uniform(size=self.stars)
        nearest, furthest = 30.0**-0.6, 500.0**-0.6
        radius = (nearest + share * (furthest - nearest)) ** (-1 / 0.6)
        position, velocity = random.normal(size=(2, 3, self.stars))
        position *= radius / np.sqrt((position**2).sum(axis=0))
        return np.concatenate([position, self.speed * velocity])


@dataclass(frozen=True)
class Rebinning:
    """Times reading and binning of simulations."""

    dataset: Path | None = None
    """The folder of a dataset; made in a temporary folder when missing."""
    simulations: int | None = None
    """How many simulations; all of a given dataset, else 4096."""
    observed: Path | None = None
    """A binned table of quadrants: stars are drawn as it has its own; all count when missing."""

    @property
    def binning(self) -> SkyBinning:
        """How stars are binned."""
        if self.observed is None:
            return QUADRANTS
        table = read_binned(self.observed)
        return QUADRANTS.supported(table.counts(QUADRANTS)).survey_like(table.sample)


def main(options: Rebinning) -> None:
    """Prints what was measured."""
    with cluster.connect() as cpus, tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        stars = (
            generate(Synthetic(), options.simulations or SIMULATIONS, 1, place)
            if options.dataset is None
            else Dataset.open(options.dataset, options.simulations)
        )
        terminal.say(f"{len(stars)} simulations in {stars.folder}")
        processes = min(cpus, len(stars.shards))
        measured = measure(stars, options.binning, processes, place / "summaries")
        some = Dataset.open(stars.folder, min(len(stars), PLANNED))
        slowest = {
            kind: slowest_trial(some, survey, place / kind)
            for kind, survey in planned_surveys().items()
        }
    print(json.dumps({**measured, "slowest": slowest}))


def planned_surveys() -> dict[str, PlannedSurvey]:
    """Returns the surveys whose binnings `experiments/binnings.py` compares."""
    return {"desi": survey_like(read_binned(DESI_BINNED)), "h3": giants()}


def slowest_trial(stars: Dataset, survey: PlannedSurvey, folder: Path) -> JSON:
    """Returns the pieces of sky whose binning takes longest, and simulations per CPU second."""
    rates = {}
    for patches in get_args(PatchChoice):
        binning = survey.binning(SurveyBinning(patches, moments="mean+dispersion"))
        with cluster.alone():
            _, seconds = timed(
                functools.partial(
                    summaries.compute,
                    kinematics.velocity_moments,
                    stars,
                    binning,
                    INFERRED,
                    folder,
                )
            )
        rates[patches] = len(stars) / seconds
    slowest = min(rates, key=rates.__getitem__)
    return {
        "patches": slowest,
        "simulations_per_cpu_second": round(rates[slowest], 1),
    }


def measure(stars: Dataset, binning: SkyBinning, processes: int, folder: Path) -> JSON:
    """Returns rates, times [s] and sizes of binning a dataset, results going to an empty folder."""
    seconds, _ = timed(
        lambda: summaries.compute(
            kinematics.velocity_moments, stars, binning, INFERRED, folder=folder
        )
    )
    reading, moments = (
        timed(lambda: read(stars)),
        timed(lambda: bin_anew(stars, binning)),
    )
    held = sum(row.count for row in stars.rows)
    return {
        "simulations": len(stars),
        "simulations_per_second": round(len(stars) / seconds, 1),
        "seconds": round(seconds, 3),
        "processes": processes,
        "bytes_per_simulation": round(sum(row.bytes for row in stars.rows) / held),
        "stars_per_simulation": round(sum(row.particles for row in stars.rows) / held),
        "seconds_reading_alone": round(reading[0], 3),
        "cpu_seconds_reading_alone": round(reading[1], 3),
        "seconds_moments_alone": round(moments[0], 3),
        "cpu_seconds_moments_alone": round(moments[1], 3),
    }


def timed(action: Callable[[], Any]) -> tuple[float, float]:
    """Returns the wall time and this process's CPU time of an action [s]."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def read(stars: Dataset) -> None:
    """Compares checksums and maps all shards."""
    for shard in stars.shards:
        stars.verify_shard(shard)
        stars.records(shard)


def bin_anew(stars: Dataset, binning: SkyBinning) -> None:
    """Summarises all shards and keeps nothing."""
    for shard in stars.shards:
        kinematics.velocity_moments(stars.records(shard), binning)


if __name__ == "__main__":
    runs.main(main, Rebinning)
