"""Records of what lies between a simulator and training: datasets, summaries, observations."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from astropy.table import Table

from orrery import data_vector
from orrery.execution import cluster
from orrery.execution.simulation import generate
from orrery.execution.summaries import Entries, compute
from orrery.pairs import Pairs, Splits, convolve, pooled
from orrery.parameters import FloatArray, Parameter, generator
from orrery.records import Column, Observation, Records, Schema
from orrery.storage import dataset, manifest
from orrery.storage.dataset import SPLIT, Dataset

from .quantities import Record, quantity

VERSION = 1  # of `seen`

SEED = 7
LARGE = 1e8  # next to which only double precision keeps a fraction
MASS = Parameter("mass", "dex(solMass)", "$m$")
ENTRIES = Entries(("twice", "stars", "furthest"), ("dex(solMass)", "", "kpc"))


@dataclass(frozen=True)
class Stars:
    """Simulation i has i mod 4 stars; every seventh one has no mass."""

    by_column: bool = False

    @property
    def schema(self) -> Schema:
        scalars = [
            Column("index", "", "number", "int64"),
            Column("mass", "dex(solMass)", "mass"),
            Column("tries", "", "draws that were discarded", "int32"),
        ]
        if self.by_column:
            scalars.append(Column(SPLIT, "", "where it belongs", "int8"))
        return Schema(tuple(scalars), (Column("r", "kpc", "distance", "float16"),))

    def describe(self) -> dict[str, Any]:
        return {"by_column": self.by_column}

    def records(self, seed: int, indices: Sequence[int]) -> Records:
        randoms = [generator(seed, i) for i in indices]
        mass = np.array([LARGE + random.normal() for random in randoms])
        number = np.array(indices)
        r = [
            100 * random.random(i % 4)
            for i, random in zip(indices, randoms, strict=True)
        ]
        mass[number % 7 == 3] = np.nan
        scalars = {
            "index": number,
            "mass": mass,
            "tries": number % 3,
            SPLIT: number % 5 % 3,
        }
        offsets = np.cumsum([0, *map(len, r)]).astype(np.int32)
        return Records(scalars, {"r": np.concatenate(r)}, offsets)


def seen(records: Records, binning: Entries) -> FloatArray:
    """Returns twice the mass, the number of stars, and how far the furthest one is."""
    stars = np.split(records.particles["r"].astype(np.float64), records.offsets[1:-1])
    furthest = [max(r, default=0.0) for r in stars]
    count = np.diff(records.offsets)
    return np.stack([2 * records.scalars["mass"], count, furthest], axis=1)


def datasets() -> Record:
    """Returns the records of a small dataset, what its manifest sums up, and the splits."""
    with TemporaryDirectory() as folder:
        made = _generate(Stars(), Path(folder), 20)
        grown = _generate(Stars(), Path(folder), 27)
        shards = [grown.records(shard) for shard in grown.shards]
        names = dataset.counters(made.metadata)
        mass, r = _columns(shards)
        places = [dataset.SPLITS.index(dataset.split(i)) for i in range(30)]
        return {
            "counts": quantity([len(one.records(2)) for one in (made, grown)]),
            "shards": quantity([list(vars(row).values())[2:5] for row in grown.rows]),
            "mass": quantity(mass),
            "r": quantity(r),
            "offsets": quantity([records.offsets[-1] for records in shards]),
            "tries": quantity([manifest.total(name, grown.rows) for name in names]),
            "missing": quantity([row.missing.get("mass", 0) for row in grown.rows]),
            "mean": quantity(manifest.mean("mass", grown.rows) - LARGE),
            "splits": quantity(places),
        }


def _columns(shards: list[Records]) -> tuple[FloatArray, FloatArray]:
    mass = np.concatenate([records.scalars["mass"] for records in shards]) - LARGE
    r = np.concatenate([records.particles["r"] for records in shards])
    return mass, r.astype(np.float64)


def _generate(simulator: Stars, folder: Path, count: int) -> Dataset:
    return generate(simulator, count, SEED, folder, actors=0, shard_size=8)


def summaries() -> Record:
    """Returns pairs as they are trained on, in their order and their precision."""
    record: Record = {}
    # without a cluster, whoever connected this process to one
    with TemporaryDirectory() as folder, patch.dict(sys.modules, {"ray": None}):
        for name, by_column in (("number", False), ("column", True)):
            made = _generate(Stars(by_column), Path(folder), 61)
            found = compute(seen, made, ENTRIES, (MASS,))
            record |= _described(name, found)
            both = pooled([found, replace(found, test=found.train)])
            record[f"{name}.pooled"] = quantity(
                [len(both.train), len(both.validation), len(both.test)]
            )
            alien = replace(found, dataset="other")
            record[f"{name}.refused"] = quantity(_is_alien([found, alien]))
    noisy = convolve(
        Pairs(np.zeros((2, 1)), np.array([[1.0, 2.0], [3.0, 4.0]])),
        np.array([[2.0, 0.5], [0.5, 1.0]]),
        generator(SEED, 1),
    )
    with cluster.one_thread():
        threads = torch.get_num_threads()
    return {**record, "noisy": quantity(noisy.x), "threads": quantity(threads)}


def _is_alien(parts: list[Splits]) -> bool:
    try:
        pooled(parts)
    except ValueError:
        return True
    return False


def _described(name: str, found: Splits) -> Record:
    parts = (found.train, found.validation, found.test)
    theta = np.concatenate([part.theta[:, 0] for part in parts])
    x = np.concatenate([part.x for part in parts])
    return {
        f"{name}.counts": quantity([*map(len, parts), found.dropped]),
        f"{name}.theta": quantity(theta - LARGE),
        f"{name}.twice": quantity(x[:, 0] - 2 * LARGE),
        f"{name}.x": quantity(x[:, 1:]),
    }


def observations() -> Record:
    """Returns observations from tables in several units, in other orders, and what is refused."""
    plain = Table(
        {
            "summary": ["v", "r", "n"],
            "unit": ["km / s", "kpc", ""],
            "value": [10.0, 50.0, 3.0],
            "error": [2.0, 5.0, 0.0],
        },
        meta={"definition": "0f"},
    )
    alone = data_vector.from_table(plain)
    plain.meta["covariance"] = [[4.0, 1.0, 0.0], [1.0, 25.0, 0.0], [0.0, 0.0, 0.0]]
    together = data_vector.from_table(plain)
    turned = data_vector.conform_to(
        together, "0f", ("n", "r", "v"), ("", "pc", "m / s"), learner="flow"
    )
    again = data_vector.from_table(data_vector.to_table(turned))
    found = {"alone": alone, "together": together, "turned": turned, "again": again}
    return {
        **{name: quantity(_numbers(one)) for name, one in found.items()},
        "percent": quantity(_numbers(data_vector.from_table(_of_one_unit()))),
        "refused": quantity([_is_refused(plain, wrong) for wrong in _WRONG]),
    }


# Errors that rounding may change by less than a millionth, and units of logarithms.
_WRONG: tuple[dict[str, Any], ...] = (
    {"error": [2.0 * (1 + 0.995e-6), 5.0, 0.0]},
    {"error": [2.0 * (1 + 1.005e-6), 5.0, 0.0]},
    {"unit": ["dex(km / s)", "kpc", ""]},
    {"unit": ["kpc", "kpc", ""]},
)


def _of_one_unit() -> Table:
    """Returns a table whose values and errors have units of their own."""
    table = Table({"name": ["a", "b"], "value": [1.0, 2.0], "error": [30.0, 40.0]})
    table["value"].unit = "km / s"
    table["error"].unit = "m / s"
    table.meta["definition"] = "0f"
    return table


def _numbers(one: Observation) -> FloatArray:
    return np.vstack([one.value, one.covariance])


def _is_refused(table: Table, changed: dict[str, Any]) -> bool:
    other = table.copy()
    for name, values in changed.items():
        other[name] = values
    try:
        data_vector.conform_to(
            other, "0f", ("v", "r", "n"), ("m / s", "kpc", ""), learner="flow"
        )
    except ValueError:
        return True
    return False
