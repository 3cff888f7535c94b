"""Turns records into pairs of parameters theta and summaries x, once for each binning.

The science gives the function that summarises and the binning that says how; this
module goes through a dataset shard by shard, keeps the result in its folder, and
returns the splits.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orrery.execution import cluster
from orrery.execution.summary_names import summary_name, summary_version
from orrery.identity import JSON, canonical, fingerprint
from orrery.named_units import check_entries, same_unit
from orrery.pairs import Pairs, Splits, SummaryOrigin
from orrery.parameters import FloatArray, Parameter, parameter_names
from orrery.records import Records
from orrery.storage.dataset import INDEX, SPLIT, SPLITS, Dataset, Split, split
from orrery.storage.files import ensure_writable, replacing
from orrery.storage.parquet import read_parquet, write_parquet
from orrery.storage.store import Address, Location, locate
from orrery.terminal import progress, say

VERSION = 1  # of how pairs are made of records; raised whenever they change

BATCHES = 16  # of shards for each CPU: many enough to balance and to show progress


class Binning(Protocol):
    """Says how particles become summary entries.

    Example:
        >>> binning: Binning = Entries(names=("x", "y"), units=("kpc", "kpc"))
        >>> binning.names
        ('x', 'y')
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The S entries' names."""
        ...

    @property
    def units(self) -> tuple[str, ...]:
        """The S entries' units."""
        ...

    @property
    def fingerprint(self) -> str:
        """Identifies the summaries' definition."""
        ...

    def describe(self) -> JSON:
        """Returns the definition as plain JSON."""
        ...


@dataclass(frozen=True)
class Entries:
    """The simplest binning: entries that have nothing but a name and a unit.

    Arguments:
        names: The S entries' names.
        units: Their units, in astropy's generic format.

    Raises:
        ValueError: If there are not as many units as names, a name is there twice, or a
            unit cannot be read.

    Example:
        >>> Entries(("x", "y"), ("kpc", "kpc")).describe()
        {'names': ['x', 'y'], 'units': ['kpc', 'kpc']}
    """

    names: tuple[str, ...]
    units: tuple[str, ...]

    def __post_init__(self) -> None:
        check_entries("the binning", self.names, self.units)

    @property
    def fingerprint(self) -> str:
        """Identifies the summaries' definition."""
        return fingerprint(self.describe())

    def describe(self) -> JSON:
        """Returns the definition as plain JSON."""
        return {"names": list(self.names), "units": list(self.units)}


B = TypeVar("B", bound=Binning)
Summarise = Callable[[Records, B], FloatArray]


def compute(
    summarise: Summarise[B],
    dataset: Dataset,
    binning: B,
    parameters: Sequence[Parameter],
    folder: Location | None = None,
) -> Splits:
    """Returns the pairs of a dataset, computed or, where they are already there, read.

    Where Ray runs, its tasks share the shards; otherwise this process does them all.

    Arguments:
        summarise: Returns the summaries `[B, S]` of records and a binning; NaN where
            there are none. A function at the top of a file with `VERSION = 1`: its
            module and name, that version and the binning decide whether a kept result is
            still valid. A function without a name of its own, such as a lambda, is refused.
        dataset: The simulations.
        binning: How particles become summary entries.
        parameters: The P inferred parameters, scalar columns of the dataset in their
            units.
        folder: Where results are kept; `summaries` in the dataset's folder when None.

    Raises:
        ValueError: If a parameter is no column or has another unit, the function has no
            version or no name of its own, a shard is damaged, summaries have the wrong
            shape, or no simulation of a split has finite summaries.
        OSError: If the result cannot be written.
    """
    _check_parameters(dataset, parameters)
    definition = _definition(summarise, dataset, binning, parameters)
    identity = fingerprint(definition)
    place = dataset.folder / "summaries" if folder is None else locate(folder)
    path = place.absolute() / f"{identity}.parquet"
    table = _kept(path, definition)
    if table is None:
        # Before hours of work, not after them.
        ensure_writable(path.parent)
        table = _table(summarise, dataset, binning, parameters, definition)
        with replacing(path) as temporary:
            write_parquet(temporary, table)
    origin = SummaryOrigin(
        fingerprint=identity,
        function=definition["summarise"],
        version=definition["version"],
        definition=definition["definition"],
        dataset=definition["dataset"],
    )
    return _splits(table, dataset, binning, parameters, origin)


def _check_parameters(dataset: Dataset, parameters: Sequence[Parameter]) -> None:
    scalars = dataset.metadata["columns"]["scalars"]
    units = {column["name"]: column["unit"] for column in scalars}
    for one in parameters:
        if one.name not in units:
            raise ValueError(
                f"parameter {one.name!r} is no column of the dataset; it has {[*units]}"
            )
        if not same_unit(units[one.name], one.unit):
            raise ValueError(
                f"parameter {one.name!r} is in {one.unit!r}, but the dataset's column in "
                f"{units[one.name]!r}: give the parameter the column's unit"
            )


def _definition(
    summarise: Summarise[B],
    dataset: Dataset,
    binning: B,
    parameters: Sequence[Parameter],
) -> JSON:
    return {
        "dataset": dataset.fingerprint,
        "count": len(dataset),
        "summarise": summary_name(summarise),
        "version": summary_version(summarise),
        "pairs": VERSION,
        "definition": binning.fingerprint,
        "binning": binning.describe(),
        "parameters": [{"name": p.name, "unit": p.unit} for p in parameters],
    }


def _kept(path: Location, definition: JSON) -> pa.Table | None:
    if not path.exists():
        return None
    try:
        table = read_parquet(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        say(f"{path} cannot be read ({error}): the summaries are computed again")
        return None
    # Through JSON, where tuples are lists: what was read is compared with what would be.
    wanted = json.loads(canonical(definition))
    same = json.loads(table.schema.metadata[b"orrery"]) == wanted
    return table if same and len(table) == definition["count"] else None


def _table(
    summarise: Summarise[B],
    dataset: Dataset,
    binning: B,
    parameters: Sequence[Parameter],
    definition: JSON,
) -> pa.Table:
    wanted = parameter_names(parameters)
    parts = list(_parts(summarise, dataset, binning, wanted))
    labels, theta, x = (np.concatenate(part) for part in zip(*parts, strict=True))
    columns = [*map(pa.array, labels.T), *map(pa.array, theta.T), *map(pa.array, x.T)]
    entries = zip(binning.names, binning.units, strict=True)
    fields = [
        *(pa.field(name, pa.int64(), nullable=False) for name in _labels(dataset)),
        *(_field(f"theta.{p.name}", p.unit) for p in parameters),
        *(_field(f"x.{name}", unit) for name, unit in entries),
    ]
    schema = pa.schema(fields, metadata={"orrery": canonical(definition)})
    return pa.Table.from_arrays(columns, schema=schema)


def _field(name: str, unit: str) -> pa.Field:
    return pa.field(name, pa.float64(), nullable=False, metadata={"unit": unit})


# labels [B, L], theta [B, P], x [B, S] of the simulations of some shards
LabelledRows = tuple[NDArray[np.int64], FloatArray, FloatArray]


def _parts(
    summarise: Summarise[B], dataset: Dataset, binning: B, parameters: tuple[str, ...]
) -> Iterator[LabelledRows]:
    arguments = (summarise, dataset, binning, parameters)
    results = cluster.map_batches(_summarise_batch, _batches(dataset), arguments)
    with progress("summarising", len(dataset)) as advance:
        for part in results:
            advance(len(part[0]))
            yield part


def _batches(dataset: Dataset) -> list[range]:
    cpus = cluster.cpus() if cluster.connected() else 1
    size = math.ceil(len(dataset.shards) / (BATCHES * cpus))
    return [dataset.shards[i : i + size] for i in range(0, len(dataset.shards), size)]


def _summarise_batch(
    shards: range,
    summarise: Summarise[B],
    dataset: Dataset,
    binning: B,
    parameters: tuple[str, ...],
) -> LabelledRows:
    if cluster.connected() and not isinstance(dataset.folder, Address):
        from orrery.execution.nodes import check_seen_here  # where Ray is

        check_seen_here([dataset.folder / dataset.rows[shard].file for shard in shards])
    parts = [
        _summarise_shard(shard, summarise, dataset, binning, parameters)
        for shard in dataset.in_turn(shards)
    ]
    labels, theta, x = (np.concatenate(part) for part in zip(*parts, strict=True))
    return labels, theta, x


def _labels(dataset: Dataset) -> tuple[str, ...]:
    """Returns the columns that say which simulation a row is, and its split if the data say."""
    columns = [column["name"] for column in dataset.metadata["columns"]["scalars"]]
    return (INDEX, SPLIT) if SPLIT in columns else (INDEX,)


def _labelled(records: Records, dataset: Dataset, shard: int) -> NDArray[np.int64]:
    """Returns the labels `[B, L]` of a shard's simulations."""
    index = np.array(dataset.indices(shard))
    if _labels(dataset) == (INDEX,):
        return index[:, np.newaxis]
    place = np.asarray(records.scalars[SPLIT])
    wrong = (place < 0) | (place >= len(SPLITS))
    if wrong.any():
        raise ValueError(
            f"simulation {index[wrong][0]} has split {place[wrong][0]}: make it 0 for training, "
            "1 for validation or 2 for test"
        )
    return np.stack([index, place], axis=1)


def _summarise_shard(
    shard: int,
    summarise: Summarise[B],
    dataset: Dataset,
    binning: B,
    parameters: tuple[str, ...],
) -> LabelledRows:
    # A flipped bit in a mapped file would otherwise become a summary like any other.
    dataset.verify_shard(shard)
    records = dataset.records(shard)
    columns = [records.scalars[name] for name in parameters]
    theta = np.stack(columns, axis=1).astype(np.float64)
    x = np.asarray(summarise(records, binning), dtype=np.float64)
    if x.shape != (len(records), len(binning.names)):
        raise ValueError(
            f"summaries of {len(records)} simulations have shape {x.shape}, "
            f"but the binning has {len(binning.names)} names"
        )
    return _labelled(records, dataset, shard), theta, x


def _splits(
    table: pa.Table,
    dataset: Dataset,
    binning: Binning,
    parameters: Sequence[Parameter],
    origin: SummaryOrigin,
) -> Splits:
    theta = _matrix(table, "theta.")
    x = _matrix(table, "x.")
    good = _finite(table, theta, x)
    where = _places(table)

    def pairs(name: Split) -> Pairs:
        chosen = good & np.array([place == name for place in where])
        if not chosen.any():
            raise ValueError(
                f"the {name} split is empty: none of {len(where)} simulations is in it and has "
                "finite summaries; simulate more, or, where a column decides the splits, give data "
                "on that side"
            )
        return Pairs(theta[chosen], x[chosen])

    return Splits(
        train=pairs("train"),
        validation=pairs("validation"),
        test=pairs("test"),
        parameters=parameter_names(parameters),
        parameter_units=tuple(p.unit for p in parameters),
        names=tuple(binning.names),
        units=tuple(binning.units),
        definition=binning.fingerprint,
        dataset=dataset.fingerprint,
        dropped=int((~good).sum()),
        layout=getattr(binning, "layout", None),
        origins=(origin,),
    )


def _places(table: pa.Table) -> list[Split]:
    """Returns the split of each simulation: what the dataset says, or else by its number."""
    if SPLIT in table.column_names:
        return [SPLITS[place] for place in table[SPLIT].to_pylist()]
    return [split(index) for index in table[INDEX].to_pylist()]


def _matrix(table: pa.Table, prefix: str) -> FloatArray:
    columns = [name for name in table.column_names if name.startswith(prefix)]
    return np.stack([table[name].to_numpy() for name in columns], axis=1)


def _emptiest(table: pa.Table) -> str:
    missing = {
        name: int((~np.isfinite(table[name].to_numpy())).sum())
        for name in table.column_names
    }
    worst = max(missing, key=lambda name: missing[name])
    _, _, name = worst.partition(".")
    return f"{name!r} is not finite in {missing[worst]} of {len(table)}"


def _finite(table: pa.Table, theta: FloatArray, x: FloatArray) -> NDArray[np.bool_]:
    # A bin without stars has no mean, and a network cannot leave an input out.
    good: NDArray[np.bool_] = np.all(np.isfinite(np.hstack([theta, x])), axis=1)
    if not good.any():
        raise ValueError(
            f"no simulation has finite summaries: {_emptiest(table)} (fewer than two stars in a "
            "bin, or too few neighbours); ask for wider bins or fewer neighbours, or leave it out"
        )
    if not good.all():
        dropped = (~good).sum()
        say(
            f"{dropped} of {len(good)} simulations are dropped, because a network can leave no "
            "number out and each of them lacks one, as where a bin has fewer than two stars or a "
            f"host too few neighbours: {_emptiest(table)}"
        )
    return good
