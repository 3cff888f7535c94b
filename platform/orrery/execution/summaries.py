"""Turns records into pairs of parameters theta and summaries x, once for each binning.

The science gives the function that summarises and the binning that says how; this
module goes through a dataset shard by shard, keeps the result beside it, and hands out
the splits.
"""

import dataclasses
import inspect
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray
from numpy.typing import NDArray
from ray.exceptions import RayTaskError

from orrery.execution import cluster
from orrery.identity import JSON, canonical, fingerprint
from orrery.parameters import FloatArray, Parameter, names
from orrery.records import Records
from orrery.storage.dataset import INDEX, SPLIT, SPLITS, Dataset, Split, split
from orrery.storage.files import ensure_writable, replacing
from orrery.terminal import progress, say

BATCHES = 16  # of shards for each CPU: many enough to balance and to show progress


class Binning(Protocol):
    """Says how particles become summary entries."""

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


B = TypeVar("B", bound=Binning)
Summarise = Callable[[Records, B], FloatArray]


@dataclass(frozen=True)
class Pairs:
    """Parameters and summaries of N simulations.

    Arguments:
        theta: The parameters, with shape `[N, P]`.
        x: The summaries, with shape `[N, S]`.
    """

    theta: FloatArray
    x: FloatArray

    def __post_init__(self) -> None:
        if self.theta.ndim != 2 or self.x.ndim != 2 or len(self.theta) != len(self.x):
            raise ValueError(
                f"theta of shape {self.theta.shape} and x of shape {self.x.shape} must be "
                "[N, P] and [N, S]"
            )

    def __len__(self) -> int:
        return len(self.theta)


@dataclass(frozen=True)
class Splits:
    """The pairs of a dataset, and what they are.

    Arguments:
        train: Pairs for training.
        validation: Pairs for early stopping.
        test: Pairs that training never sees.
        parameters: The P parameters' names.
        names: The S summaries' names.
        units: The S summaries' units.
        definition: Fingerprint of the summaries' definition.
        dataset: Fingerprint of the dataset.
        dropped: The number of simulations left out because a number was not finite.
        layout: If a row of summaries holds a set, the numbers of its places, of each
            entry (with a flag, last, which says whether it is there) and of what
            follows the set; None if not.
    """

    train: Pairs
    validation: Pairs
    test: Pairs
    parameters: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    definition: str
    dataset: str
    dropped: int
    layout: tuple[int, int, int] | None = None

    def check_parameters(self, parameters: Sequence[Parameter]) -> None:
        """Raises ValueError if the pairs are not of these parameters in this order."""
        if names(parameters) != self.parameters:
            raise ValueError(
                f"the pairs have the parameters {self.parameters}, not {names(parameters)}: "
                "compute the summaries with the same parameters"
            )


def compute(
    summarise: Summarise[B],
    dataset: Dataset,
    binning: B,
    parameters: Sequence[Parameter],
    folder: Path | None = None,
) -> Splits:
    """Returns the pairs of a dataset, computed or, where they are already there, read.

    Where Ray runs, its tasks share the shards; otherwise this process does them all.

    Arguments:
        summarise: Returns the summaries `[B, S]` of records and a binning; NaN where
            there are none. A function with `VERSION = 1` beside it: its name, that
            version and the binning decide whether a kept result is still valid.
        dataset: The simulations.
        binning: How particles become summary entries.
        parameters: The P inferred parameters, scalar columns of the dataset.
        folder: Where results are kept; `summaries` in the dataset's folder when None.

    Raises:
        ValueError: If a parameter is no column, the function has no version, a shard is
            damaged, summaries have the wrong shape, or no simulation of a split has
            finite summaries.
        OSError: If the result cannot be written.
    """
    _check_parameters(dataset, parameters)
    definition = _definition(summarise, dataset, binning, parameters)
    identity = fingerprint(definition)
    place = (
        dataset.folder / "summaries" if folder is None else Path(folder)
    ).absolute()
    path = place / f"{identity}.parquet"
    table = _kept(path, definition)
    if table is None:
        ensure_writable(place)
        table = _table(summarise, dataset, binning, parameters, definition)
        with replacing(path) as temporary:
            pq.write_table(table, temporary, write_page_checksum=True)
    return _splits(table, dataset, binning, parameters)


def pooled(parts: Sequence[Splits]) -> Splits:
    """Returns several summaries of one dataset as one: all pairs for training, the first's tests.

    For summaries that hold random errors, which each part drew anew: a network that
    sees a simulation with many errors learns less of each.

    Arguments:
        parts: Of the same simulations; their definitions differ in a seed at most, and
            the first one's is kept.

    Raises:
        ValueError: If they are of other simulations, parameters or summaries.
    """
    first = parts[0]
    for part in parts[1:]:
        for what in ("dataset", "parameters", "names", "units"):
            if getattr(part, what) != getattr(first, what):
                raise ValueError(
                    f"summaries of {what} {getattr(part, what)} cannot join those of "
                    f"{getattr(first, what)}: let them differ in their seed alone"
                )
    return dataclasses.replace(
        first,
        train=_joined([part.train for part in parts]),
        validation=_joined([part.validation for part in parts]),
    )


def _joined(parts: Sequence[Pairs]) -> Pairs:
    return Pairs(
        np.concatenate([part.theta for part in parts]),
        np.concatenate([part.x for part in parts]),
    )


def _check_parameters(dataset: Dataset, parameters: Sequence[Parameter]) -> None:
    columns = [column["name"] for column in dataset.metadata["columns"]["scalars"]]
    for name in names(parameters):
        if name not in columns:
            raise ValueError(
                f"parameter {name!r} is no column of the dataset; it has {columns}"
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
        "summarise": _name(summarise),
        "version": version(summarise),
        "definition": binning.fingerprint,
        "binning": binning.describe(),
        "parameters": [{"name": p.name, "unit": p.unit} for p in parameters],
    }


def version(summarise: Callable[..., Any]) -> int:
    """Returns the version of a function that summarises: `VERSION` of its module.

    Functions of a script or of a notebook have one too: a global variable there.

    Raises:
        ValueError: If there is none, or it is no positive integer.
    """
    # a decorator's module says nothing of the decorated function's numbers
    scope = getattr(inspect.unwrap(summarise), "__globals__", {})
    found = scope.get("VERSION")
    if type(found) is not int or found < 1:
        raise ValueError(
            f"{_name(summarise)} has VERSION {found!r} beside it, not a positive integer, so that "
            "kept summaries could be another version's: write VERSION = 1 in the file or notebook "
            "that defines it, and raise it whenever its numbers change"
        )
    return found


def _name(summarise: Callable[..., Any]) -> str:
    return getattr(summarise, "__qualname__", repr(summarise))


def _kept(path: Path, definition: JSON) -> pa.Table | None:
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except (pa.ArrowInvalid, OSError) as error:
        say(f"{path} cannot be read ({error}): the summaries are computed again")
        return None
    same = json.loads(table.schema.metadata[b"orrery"]) == json.loads(
        canonical(definition)
    )
    return table if same and len(table) == definition["count"] else None


def _table(
    summarise: Summarise[B],
    dataset: Dataset,
    binning: B,
    parameters: Sequence[Parameter],
    definition: JSON,
) -> pa.Table:
    wanted = names(parameters)
    parts = list(_parts(summarise, dataset, binning, wanted))
    labels, theta, x = (np.concatenate(part) for part in zip(*parts, strict=True))
    columns = [*map(pa.array, labels.T), *map(pa.array, theta.T), *map(pa.array, x.T)]
    fields = [
        *(pa.field(name, pa.int64(), nullable=False) for name in _labels(dataset)),
        *(_field(f"theta.{p.name}", p.unit) for p in parameters),
        *(
            _field(f"x.{n}", u)
            for n, u in zip(binning.names, binning.units, strict=True)
        ),
    ]
    schema = pa.schema(fields, metadata={"orrery": canonical(definition)})
    return pa.Table.from_arrays(columns, schema=schema)


def _field(name: str, unit: str) -> pa.Field:
    return pa.field(name, pa.float64(), nullable=False, metadata={"unit": unit})


# labels [B, L], theta [B, P], x [B, S]
Part = tuple[NDArray[np.int64], FloatArray, FloatArray]


def _parts(
    summarise: Summarise[B], dataset: Dataset, binning: B, parameters: tuple[str, ...]
) -> Iterator[Part]:
    arguments = (summarise, dataset, binning, parameters)
    batches = _batches(dataset)
    with progress("summarising", len(dataset)) as advance:
        results = (
            _shared(batches, arguments)
            if ray.is_initialized()
            else (_summarise_batch(batch, *arguments) for batch in batches)
        )
        for part in results:
            advance(len(part[0]))
            yield part


def _batches(dataset: Dataset) -> list[range]:
    cpus = cluster.cpus() if ray.is_initialized() else 1
    size = math.ceil(len(dataset.shards) / (BATCHES * cpus))
    return [dataset.shards[i : i + size] for i in range(0, len(dataset.shards), size)]


def _shared(batches: list[range], arguments: tuple[Any, ...]) -> Iterator[Part]:
    shared = [ray.put(argument) for argument in arguments]
    task: Any = ray.remote(_summarise_batch)
    results = [task.remote(batch, *shared) for batch in batches]
    for result in results:
        try:
            yield ray.get(result)
        except RayTaskError as error:
            raise error.cause from error


def _summarise_batch(
    shards: range,
    summarise: Summarise[B],
    dataset: Dataset,
    binning: B,
    parameters: tuple[str, ...],
) -> Part:
    parts = [
        _summarise_shard(shard, summarise, dataset, binning, parameters)
        for shard in shards
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
) -> Part:
    dataset.verify_shard(shard)
    records = dataset.records(shard)
    theta = np.stack([records.scalars[name] for name in parameters], axis=1).astype(
        np.float64
    )
    x = np.asarray(summarise(records, binning), dtype=np.float64)
    if x.shape != (len(records), len(binning.names)):
        raise ValueError(
            f"summaries of {len(records)} simulations have shape {x.shape}, "
            f"but the binning has {len(binning.names)} names"
        )
    return _labelled(records, dataset, shard), theta, x


def _splits(
    table: pa.Table, dataset: Dataset, binning: Binning, parameters: Sequence[Parameter]
) -> Splits:
    theta, x = _matrix(table, "theta."), _matrix(table, "x.")
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
        parameters=names(parameters),
        names=tuple(binning.names),
        units=tuple(binning.units),
        definition=binning.fingerprint,
        dataset=dataset.fingerprint,
        dropped=int((~good).sum()),
        layout=getattr(binning, "layout", None),
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
    good: NDArray[np.bool_] = np.all(np.isfinite(np.hstack([theta, x])), axis=1)
    if not good.any():
        raise ValueError(
            f"no simulation has finite summaries: {_emptiest(table)} (an empty bin, or too few "
            "neighbours); ask for wider bins or fewer neighbours, or leave it out"
        )
    if not good.all():
        say(
            f"{(~good).sum()} of {len(good)} simulations are dropped: {_emptiest(table)}"
        )
    return good


def convolve(
    pairs: Pairs, covariance: FloatArray, random: np.random.Generator
) -> Pairs:
    """Returns the pairs with measurement noise added to their summaries.

    Arguments:
        pairs: N pairs without noise.
        covariance: The measurement covariance, with shape `[S, S]`.
        random: Draws the noise, independently for each pair.

    Raises:
        ValueError: If the covariance has another shape or is not positive
            semi-definite.
    """
    size = pairs.x.shape[1]
    if covariance.shape != (size, size):
        raise ValueError(
            f"covariance of shape {covariance.shape} does not fit {size} summaries: "
            "use the same binning for the observation and the simulations"
        )
    # A decomposition that allows entries measured without error.
    noise = random.multivariate_normal(
        np.zeros(size), covariance, len(pairs), check_valid="raise", method="eigh"
    )
    return dataclasses.replace(pairs, x=pairs.x + noise)
