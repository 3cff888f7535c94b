"""All readers of files, with a small sound file for each.

A reader may raise what it documents, ValueError and OSError, with a message that names the
file or its folder. Anything else is a fault of ours.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from kept_files import (
    read_arrays,
    read_checkpoint,
    read_copy,
    read_out,
    read_summaries,
    write_arrays,
    write_checkpoint,
    write_copy,
    write_out,
    write_summaries,
)
from table_files import (
    plain_stars,
    read_binned,
    read_catalogue,
    read_neighbours,
    read_orbits,
    read_satellites,
    read_stars,
    read_vector,
    write_binned,
    write_desi,
    write_hlist,
    write_neighbours,
    write_orbits,
    write_packed,
    write_satellites,
    write_sfr_text,
    write_stars,
    write_structs,
    write_vector,
)

from orrery.identity import PLACE

DOCUMENTED = (ValueError, OSError)


@dataclass(frozen=True)
class Reader:
    """A reader of one kind of file.

    Arguments:
        name: What it reads.
        file: The file's name, below a folder of its own.
        write: Writes the sound file, and what belongs to it, into a folder.
        read: Reads the file at a path.
        json: Whether the file is a document of JSON.
        documented: What else than ValueError and OSError it says that it raises.
        names: Whether its messages must name the file or a folder of it.
    """

    name: str
    file: str
    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    json: bool = False
    documented: tuple[type[Exception], ...] = ()
    names: bool = True

    def problem(self, path):
        """Returns what is wrong with how it ends with a file; None if nothing is."""
        try:
            self.read(path)
        except (*DOCUMENTED, *self.documented) as error:
            known = {path.name, str(path.parent), path.parent.name}
            text = f"{error} {getattr(error, 'filename', '')}"
            if self.names and not any(one in text for one in known):
                return f"names no file: {type(error).__name__}: {error}"[:300]
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:300]
        return None


# --- datasets --------------------------------------------------------------------------


def write_dataset(folder):
    from orrery.execution.simulation import generate
    from orrery.parameters import generator
    from orrery.records import Column, Records, Schema

    class Velocities:
        schema = Schema(
            (Column("index", "", "number", "int64"), Column("mass", "", "mass")),
            (Column("v", "km / s", "velocity"),),
        )

        def describe(self):
            return {"what": "velocities"}

        def records(self, seed, indices):
            draws = np.array([generator(seed, i).normal(size=3) for i in indices])
            scalars = {"index": np.array(indices), "mass": draws[:, 0]}
            ends = 3 * np.arange(len(indices) + 1, dtype=np.int32)
            return Records(scalars, {"v": draws.ravel()}, ends)

    made = generate(Velocities(), 16, 1, folder, name="made", actors=0, shard_size=8)
    for path in made.folder.iterdir():
        path.rename(folder / path.name)
    made.folder.rmdir()


def read_dataset(path):
    from orrery.storage.dataset import Dataset

    folder = path.parent.parent if path.suffix == ".arrow" else path.parent
    found = Dataset.open(folder)
    found.verify(full=True)
    return [found.records(shard) for shard in found.shards]


def read_shard(path):
    """Reads a shard whose damage the manifest does not tell of, by its checksum neither."""
    import dataclasses

    from orrery.storage.dataset import Dataset
    from orrery.storage.documents import digest_of

    folder = path.parent.parent
    found = Dataset.open(folder.parent / "sound")
    size = path.stat().st_size
    sha256 = digest_of(path.read_bytes())
    rows = tuple(
        dataclasses.replace(row, bytes=size, sha256=sha256) for row in found.rows
    )
    dataset = Dataset(folder, found.count, found.metadata, rows)
    records = dataset.records(0)
    return {name: np.asarray(column) for name, column in records.particles.items()}


def write_shard(folder):
    sound = folder.parent / "sound"
    if not sound.exists():
        sound.mkdir()
        write_dataset(sound)
    write_dataset(folder)


def write_journal(folder):
    from orrery.storage.dataset import Dataset
    from orrery.storage.journal import begin_journal

    write_dataset(folder)
    begin_journal(folder, Dataset.open(folder).rows)


def read_journal(path):
    from orrery.storage.journal import read_journal as read

    return read(path.parent)


def read_work(path):
    from orrery.storage.work_log import processors, sessions

    return processors(sessions(path.parent))


# --- what was learned ------------------------------------------------------------------


def _plan():
    from orrery.learning.flow_training import FlowPlan
    from orrery.learning.options import Flow, Training

    options = Training(batch_size=8, max_epochs=1)
    return FlowPlan(
        _splits(), (_mass(),), np.eye(2), Flow(transforms=1, hidden=(4,)), options, 1
    )


def _mass():
    from orrery.parameters import Parameter

    return Parameter("mass", "dex(solMass)", "$m$", lower=10.0, upper=15.0)


def _splits():
    from orrery.pairs import Pairs, Splits

    random = np.random.default_rng(5)

    def pairs(count):
        theta = random.uniform(10, 15, (count, 1))
        return Pairs(theta, theta + random.normal(size=(count, 2)))

    return Splits(
        pairs(32), pairs(8), pairs(8), parameters=("mass",), names=("a", "b"),
        units=("", ""), definition="by hand", dataset="toy", dropped=0,
    )  # fmt: skip


def write_posterior(folder):
    from orrery.learning.posterior import fit_plan

    fit_plan(_plan(), folder)


def read_posterior(path):
    from orrery.learning.posterior import load

    return load(path.parent).describe()


def write_mixture(folder):
    from orrery.learning.mixture import fit_members

    fit_members(_plan(), 2, folder)


def read_mixture(path):
    from orrery.learning.mixture import load

    return repr(load(path.parent))


def write_ensemble(folder):
    from orrery.learning.ensemble import fit
    from orrery.learning.options import Learning, Networks

    fit(
        _splits(), (_mass(),), Networks(members=2, hidden=(4,)),
        Learning(batch_size=8, max_epochs=1), 1, folder,
    )  # fmt: skip


def read_ensemble(path):
    from orrery.learning.ensemble import load

    return repr(load(path.parent))


# --- runs ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    hidden: tuple[int, ...] = (4, 4)


@dataclass(frozen=True)
class Choices:
    seed: int = 1
    name: str = "x"
    inner: Inner = field(default_factory=Inner)
    folder: Path = field(default=Path("here"), metadata=PLACE)


def write_options(folder):
    from orrery.identity import describe

    (folder / "options.json").write_text(json.dumps(describe(Choices())))


def read_options(path):
    from orrery.command_line import read

    return read(Choices, path)


def write_run(folder):
    from orrery.results.recording import record
    from orrery.results.sections import Text

    with record("toy", Choices(), folder) as recording:
        recording.metrics({"mass.median": 12.0})
        recording.add(Text("host", "Host", "The Milky Way."))
    made = recording.run.folder / "run.json"
    made.rename(folder / "run.json")


def read_run(path):
    from orrery.results.result import Result

    found = Result.open(path)
    return found.status, found.metrics, found.sections


def write_trial(folder):
    from orrery.sweeps.trial import Trial
    from orrery.sweeps.trial import write_trial as write

    (folder / "trials").mkdir()
    trial = Trial(
        number=3, point={"rate": 0.5, "kind": "a"}, state="finished",
        curve=({"loss": 1.0},), objectives={"loss": 0.5}, seconds=1.5, reason="",
        identity={"sweep": "0f"},
    )  # fmt: skip
    write(folder, trial)


def read_trial(path):
    from orrery.sweeps.trial import read_trial as read

    return read(path)


READERS = (
    Reader("stars.csv", "stars.csv", write_stars("ascii.csv", "stars.csv", plain_stars),
           read_stars),
    Reader("stars.ecsv", "stars.ecsv", write_stars("ascii.ecsv", "stars.ecsv"), read_stars),
    Reader("stars.fits", "stars.fits", write_stars("fits", "stars.fits"), read_stars),
    Reader("stars.vot", "stars.vot", write_stars("votable", "stars.vot"), read_stars),
    Reader("stars.parquet", "stars.parquet", write_stars("parquet", "stars.parquet"),
           read_stars),
    Reader("stars.hdf5", "stars.hdf5",
           write_stars("hdf5", "stars.hdf5", path="s", serialize_meta=True), read_stars),
    Reader("satellites", "satellites.csv", write_satellites, read_satellites),
    Reader("orbits", "toy_orbit_lmc.txt", write_orbits, read_orbits),
    Reader("galaxies", "galaxies.csv", write_orbits, read_orbits),
    Reader("sfr-text", "sfr_catalog_1.000000.txt", write_sfr_text, read_catalogue),
    Reader("packed", "sfr_catalog_1.000000.txt.gz", write_packed, read_catalogue),
    Reader("desi.fits", "MWS_BHB.fits", write_desi, read_stars),
    Reader("neighbours.ecsv", "neighbours.ecsv",
           write_neighbours("ascii.ecsv", "neighbours.ecsv"), read_neighbours),
    Reader("neighbours.csv", "neighbours.csv",
           write_neighbours("ascii.csv", "neighbours.csv"), read_neighbours),
    Reader("hlist", "hlist_1.00000.list", write_hlist, read_catalogue),
    Reader("universe-machine", "sfr_catalog_1.000000.bin", write_structs, read_catalogue),
    Reader("rockstar", "out_12.list", write_out, read_out),
    Reader("binned", "binned.ecsv", write_binned, read_binned),
    Reader("data-vector", "vector.ecsv", write_vector, read_vector, names=False),
    Reader("shard", "shards/shard-00000.arrow", write_shard, read_shard),
    Reader("manifest", "manifest.json", write_dataset, read_dataset, json=True),
    Reader("dataset", "dataset.json", write_dataset, read_dataset, json=True),
    Reader("journal", "manifest.jsonl", write_journal, read_journal),
    Reader("work-log", "work.jsonl", write_dataset, read_work),
    Reader("summaries", "summaries.parquet", write_summaries, read_summaries, names=False),
    Reader("arrays", "coverage.parquet", write_arrays, read_arrays, names=False),
    Reader("checkpoint", ".training-0f/last.ckpt", write_checkpoint, read_checkpoint),
    Reader("copy", "run-0f.wandb", write_copy, read_copy, documented=(DecodeError,),
           names=False),
    Reader("posterior", "posterior.json", write_posterior, read_posterior, json=True),
    Reader("ensemble", "ensemble.json", write_ensemble, read_ensemble, json=True),
    Reader("mixture", "mixture.json", write_mixture, read_mixture, json=True),
    Reader("options", "options.json", write_options, read_options, json=True),
    Reader("run", "run.json", write_run, read_run, json=True),
    Reader("trial", "trials/trial-00003.json", write_trial, read_trial, json=True),
)  # fmt: skip
