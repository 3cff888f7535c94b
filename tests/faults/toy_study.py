"""A study in small: simulates, summarises, trains a mixture, and records what it found.

python tests/faults/toy_study.py FOLDER --actors 2

What the tests of faults kill, starve and crowd. All its stages are those of the real
ones; only the model is a sum of normal numbers.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from orrery import runs
from orrery.execution import cluster, simulation, summaries
from orrery.identity import PLACE
from orrery.parameters import Parameter, generator
from orrery.records import Column, Observation, Records, Schema

VERSION = 1  # of `moments`
NAMESPACE = ""  # summaries were kept before names had modules
MASS = Parameter("mass", "dex(solMass)", "$m$", lower=10.0, upper=15.0)
ENTRIES = summaries.Entries(("mean", "width"), ("km / s", "km / s"))
STARS = 20
SHARD_SIZE = 8


@dataclass(frozen=True)
class Toy:
    """Options of the toy.

    Arguments:
        simulations: How many.
        seed: Decides everything.
        epochs: Of each member.
        members: Of the mixture; without any nothing is trained.
        actors: That simulate; 0 is this process.
        workers: That train; 0 is this process.
        pause: Of each shard and epoch [s].
        memory: What the simulation of a shard holds [MB].
        folder: Of datasets and runs.
        without_ray: As where Ray is not installed.
    """

    simulations: int = 96
    seed: int = 1
    epochs: int = 20
    members: int = 2
    actors: int = field(default=0, metadata=PLACE)
    workers: int = field(default=0, metadata=PLACE)
    pause: float = field(default=0.0, metadata=PLACE)
    memory: int = field(default=0, metadata=PLACE)
    folder: Path = field(default=Path("toy"), metadata=PLACE)
    without_ray: bool = field(default=False, metadata=PLACE)


@dataclass(frozen=True)
class Velocities:
    """Simulates the velocities of some stars.

    Arguments:
        pause: Before each shard [s].
        memory: That a shard holds [MB].
    """

    pause: float = 0.0
    memory: int = 0

    schema = Schema(
        (
            Column("index", "", "number", "int64"),
            Column("mass", "dex(solMass)", "the mass"),
        ),
        (Column("v", "km / s", "velocity"),),
    )

    def describe(self):
        return {"what": "velocities"}

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        held = np.ones(self.memory * 2**17)
        time.sleep(self.pause)
        del held
        randoms = [generator(seed, index) for index in indices]
        mass = np.array([random.uniform(10.0, 15.0) for random in randoms])
        drawn = zip(randoms, mass, strict=True)
        v = np.concatenate([m * random.normal(size=STARS) for random, m in drawn])
        offsets = STARS * np.arange(len(indices) + 1, dtype=np.int32)
        return Records({"index": np.array(indices), "mass": mass}, {"v": v}, offsets)


def moments(records, binning):
    v = records.particles["v"].reshape(len(records), STARS)
    return np.stack([v.mean(axis=1), v.std(axis=1)], axis=1)


def study(options: Toy) -> None:
    """Does all stages and records the posterior's draws."""
    if options.without_ray:
        sys.modules["ray"] = None
    with cluster.connect() if options.actors else nullcontext():
        _study(options)


def _study(options: Toy) -> None:
    from orrery.results.recording import record

    with record("toy", options, options.folder / "runs") as recording:
        made = simulation.generate(
            Velocities(options.pause, options.memory),
            options.simulations,
            options.seed,
            options.folder / "datasets",
            name="toy",
            actors=options.actors,
            shard_size=SHARD_SIZE,
        )
        pairs = summaries.compute(moments, made, ENTRIES, (MASS,))
        recording.metrics({"width.mean": float(pairs.train.x[:, 1].mean())})
        if options.members:
            _infer(options, pairs, recording)


def _infer(options, pairs, recording):
    # torch, sbi and Lightning take seconds: not where nothing is trained
    from orrery.inference.options import Inference
    from orrery.inference.posteriors import infer
    from orrery.learning.options import Flow, Training
    from orrery.results.sections import DrawsSection

    inference = Inference(
        flow=Flow(transforms=2, hidden=(8,)),
        training=Training(
            batch_size=16, max_epochs=options.epochs, workers=options.workers
        ),
        members=options.members,
        draws=100,
        calibration_draws=20,
    )

    def on_epoch(member, epoch, losses):
        recording.epoch(f"member.{member}", epoch, losses)
        time.sleep(options.pause)

    observed = Observation(
        "here", pairs.names, pairs.units, np.array([0.0, 12.0]),
        np.eye(2), pairs.definition, {},
    )  # fmt: skip
    found = infer(
        "the toy", pairs, (MASS,), observed, inference, options.seed,
        recording.run.shared / "posteriors", on_epoch,
    )  # fmt: skip
    recording.add(
        DrawsSection("draws", "Draws", ("mass",), ("dex(solMass)",), found.draws)
    )
    recording.metrics({"mass.median": float(np.median(found.draws))})


if __name__ == "__main__":
    runs.main(study, Toy)
