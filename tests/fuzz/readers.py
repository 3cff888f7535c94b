"""All readers of files, with a small sound file for each.

A reader may raise what it documents, ValueError and OSError, with a message that names the
file or its folder. Anything else is a fault of ours.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.table import Table

from orrery.identity import PLACE

DOCUMENTED = (ValueError, OSError)
ROWS = 12


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


# --- tables ----------------------------------------------------------------------------


def stars():
    random = np.random.default_rng(1)
    return Table(
        {
            "ra": random.uniform(130, 250, ROWS) * units.deg,
            "dec": random.uniform(0, 60, ROWS) * units.deg,
            "distance": random.uniform(32, 98, ROWS) * units.kpc,
            "v_los": random.normal(0, 100, ROWS) * units.km / units.s,
            "v_los_error": random.uniform(1, 9, ROWS) * units.km / units.s,
        }
    )


def plain_stars():
    table = stars()
    for name, ending in (("ra", "deg"), ("dec", "deg"), ("distance", "kpc")):
        table.rename_column(name, f"{name}_{ending}")
    table.rename_column("v_los", "vlos_kms")
    table.remove_column("v_los_error")
    return table


def write_stars(form, name, make=stars):
    def write(folder):
        make().write(folder / name, format=form)

    return write


def write_desi(folder):
    one = stars()
    tables = {
        "RVTAB": {"VRAD": one["v_los"].value, "VRAD_ERR": one["v_los_error"].value,
                  "PRIMARY": np.ones(ROWS, bool)},
        "FIBERMAP": {"DIST": one["distance"].value, "DISTERR": np.ones(ROWS)},
        "GAIA": {"RA": one["ra"].value, "DEC": one["dec"].value, "PMRA": np.ones(ROWS),
                 "PMRA_ERROR": np.ones(ROWS), "PMDEC": np.ones(ROWS),
                 "PMDEC_ERROR": np.ones(ROWS), "PMRA_PMDEC_CORR": np.zeros(ROWS)},
    }  # fmt: skip
    hdus = [fits.table_to_hdu(Table(columns)) for columns in tables.values()]
    for hdu, name in zip(hdus, tables, strict=True):
        hdu.name = name
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(folder / "MWS_BHB.fits")


def read_stars(path):
    from mwlmc.observed.star_reading import read_stars as read

    return read(path)


def neighbours():
    random = np.random.default_rng(2)
    columns = {"log_m_star": random.uniform(5, 9, ROWS), "r": random.uniform(20, 240, ROWS),
               "v_r": random.normal(0, 90, ROWS), "v_t": random.uniform(10, 200, ROWS)}  # fmt: skip
    return Table(columns, meta={"name": "a host", "vmax": 80.0})


def write_neighbours(form, name):
    def write(folder):
        table = neighbours()
        if form == "ascii.csv":
            table["vmax"] = table.meta.pop("vmax")
        table.write(folder / name, format=form)

    return write


def read_neighbours(path):
    from halomass.observed.neighbour_tables import read_neighbours as read

    return read(path)


def write_hlist(folder):
    words = (
        "scale id desc_scale desc_id num_prog pid upid desc_pid phantom sam_mvir mvir "
    )
    words += (
        "rvir rs vrms mmp? scale_of_last_MM vmax x y z vx vy vz Macc Mpeak Vacc Vpeak"
    )
    names = words.split(" ")
    random = np.random.default_rng(3)
    header = "#" + " ".join(f"{name}({i})" for i, name in enumerate(names))
    about = "#Omega_M = 0.307000; Omega_L = 0.693000; h0 = 0.678000\n"
    about += "#Full box size = 64.000000 Mpc/h\n"
    whole = {"id", "desc_id", "pid", "upid", "desc_pid"}
    masses = {"mvir", "sam_mvir", "Macc", "Mpeak"}
    lines = []
    for row in range(ROWS):
        values = random.uniform(0, 64, len(names))
        words = [
            str(row if name == "id" else -1) if name in whole
            else f"{10 ** random.uniform(9, 13):.4e}" if name in masses
            else f"{value:.3f}"
            for name, value in zip(names, values, strict=True)
        ]  # fmt: skip
        lines.append(" ".join(words) + "\n")
    (folder / "hlist_1.00000.list").write_text(f"{header}\n{about}{''.join(lines)}")


def write_structs(folder):
    random = np.random.default_rng(4)
    content = b"".join(
        struct.pack(
            "<qqqi25f", row, -1, -1, 0, 0.1, *random.uniform(0, 64, 3),
            *random.normal(0, 99, 3), 9, 8, *(10 ** random.uniform(9, 13, 2)),
            *random.uniform(1, 9, 14),
        )[:128]
        for row in range(ROWS)
    )  # fmt: skip
    (folder / "sfr_catalog_1.000000.bin").write_bytes(content)


def read_catalogue(path):
    from halomass.catalogues.catalogue import open_catalogue

    found = open_catalogue(path, box=64.0, part_of_box=True, memory=64.0)
    return [found.records(0, [chunk]) for chunk in range(found.chunks)]


def write_binned(folder):
    from mwlmc.observed.binned_table import load_binned

    # the released table, cut to the rows that a small file can have
    from mwlmc.observed.binned_table import write_binned as write

    write(load_binned("desi"), folder / "binned.ecsv")


def read_binned(path):
    from mwlmc.observed.binned_table import read_binned as read

    return read(path)


def observation():
    from orrery.records import Observation

    errors = np.array([[4.0, 1.0], [1.0, 9.0]])
    return Observation(
        "DESI", ("v_r", "s_r"), ("km / s",) * 2, np.ones(2), errors, "0f", {}
    )


def write_vector(folder):
    from orrery.data_vector import to_table

    to_table(observation()).write(folder / "vector.ecsv", format="ascii.ecsv")


def read_vector(path):
    from orrery.data_vector import from_table

    try:
        table = Table.read(path, format="ascii.ecsv")
    except Exception:
        return None  # the user's own call: what astropy says of it is astropy's
    return from_table(table)


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
    """Reads a shard whose damage the manifest does not tell of."""
    import dataclasses

    from orrery.storage.dataset import Dataset

    folder = path.parent.parent
    found = Dataset.open(folder.parent / "sound")
    size = path.stat().st_size
    rows = tuple(dataclasses.replace(row, bytes=size) for row in found.rows)
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
    from orrery.learning.flow import Flow
    from orrery.learning.flow_training import FlowPlan
    from orrery.learning.training import Training

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
    from orrery.learning.members import Learning
    from orrery.learning.networks import Networks

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
    Reader("desi.fits", "MWS_BHB.fits", write_desi, read_stars),
    Reader("neighbours.ecsv", "neighbours.ecsv",
           write_neighbours("ascii.ecsv", "neighbours.ecsv"), read_neighbours),
    Reader("neighbours.csv", "neighbours.csv",
           write_neighbours("ascii.csv", "neighbours.csv"), read_neighbours),
    Reader("hlist", "hlist_1.00000.list", write_hlist, read_catalogue),
    Reader("universe-machine", "sfr_catalog_1.000000.bin", write_structs, read_catalogue),
    Reader("data-vector", "vector.ecsv", write_vector, read_vector, names=False),
    Reader("shard", "shards/shard-00000.arrow", write_shard, read_shard),
    Reader("manifest", "manifest.json", write_dataset, read_dataset, json=True),
    Reader("dataset", "dataset.json", write_dataset, read_dataset, json=True),
    Reader("journal", "manifest.jsonl", write_journal, read_journal),
    Reader("work-log", "work.jsonl", write_dataset, read_work),
    Reader("posterior", "posterior.json", write_posterior, read_posterior, json=True),
    Reader("ensemble", "ensemble.json", write_ensemble, read_ensemble, json=True),
    Reader("mixture", "mixture.json", write_mixture, read_mixture, json=True),
    Reader("options", "options.json", write_options, read_options, json=True),
    Reader("run", "run.json", write_run, read_run, json=True),
    Reader("trial", "trials/trial-00003.json", write_trial, read_trial, json=True),
)  # fmt: skip
