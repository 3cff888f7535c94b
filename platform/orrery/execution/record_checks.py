"""Checks of what a simulator returns: before a shard is written, by the columns' names."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orrery.records import REAL, Column, Records, Schema
from orrery.storage.dataset import INDEX, SPLIT, SPLITS

# Of a column's largest number: by how much a type may change one of its numbers. The
# coarsest one, half precision, rounds to a two-thousandth where it can hold them.
_ROUNDED = 0.01


def check_records(records: Records, schema: Schema, indices: range) -> None:
    """Returns if records are those of the simulations that were asked for.

    Arguments:
        records: What a simulator returned.
        schema: Its schema.
        indices: The simulations' numbers.

    Raises:
        ValueError: If a column is missing or no array of real numbers, one for each
            simulation or particle, if its type in the schema cannot hold them, or if
            there are others than asked for.

    Example:
        >>> from orrery.records import Column
        >>> check_records(Records({"k": [1, 2]}), Schema((Column("k", "", ""),)), range(2))
        Traceback (most recent call last):
        ...
        ValueError: the simulator returned its column 'k' as list: give an array of real numbers
    """
    kinds = (
        (schema.scalars, records.scalars),
        (schema.particles, records.particles),
    )
    for columns, values in kinds:
        for column in columns:
            _check_column(values, column.name)
    size = len(indices)
    if len(records) != size:
        raise ValueError(f"the simulator returned {len(records)} records, not {size}")
    for column in schema.scalars:
        _check_shape(records.scalars, column.name, size)
    if schema.particles:
        _check_offsets(records.offsets, size)
    for column in schema.particles:
        _check_shape(records.particles, column.name, int(records.offsets[-1]))
    for columns, values in kinds:
        for column in columns:
            _check_held(values[column.name], column)
    # Records in another order would be given other simulations' random numbers.
    index = records.scalars.get(INDEX)
    if index is not None and not np.array_equal(index, indices):
        raise ValueError(
            f"the simulator's column 'index' is {index}, not {indices}: make it the simulations' "
            "numbers, or give a parameter of this name another one"
        )
    if SPLIT in [column.name for column in schema.scalars]:
        _check_split(records.scalars[SPLIT])


def _check_split(places: NDArray[Any]) -> None:
    wrong = places[~np.isin(places, range(len(SPLITS)))]
    if wrong.size:
        raise ValueError(
            f"the simulator's column {SPLIT!r} has {wrong[0]:g}, but says what is learned from: "
            "make it 0 for training, 1 for validation or 2 for test, or give a parameter of this "
            "name another one"
        )


def _check_column(columns: Mapping[str, Any], name: str) -> None:
    if name not in columns:
        raise ValueError(f"the simulator returned no column {name!r} of its schema")
    values = columns[name]
    if not isinstance(values, np.ndarray) or values.dtype.kind not in REAL:
        kind = getattr(values, "dtype", type(values).__name__)
        raise ValueError(
            f"the simulator returned its column {name!r} as {kind}: give an array of real "
            "numbers"
        )


def _check_shape(columns: Mapping[str, Any], name: str, size: int) -> None:
    shape = columns[name].shape
    if shape != (size,):
        raise ValueError(
            f"the simulator returned its column {name!r} with shape {shape}: give {size} "
            "numbers in one dimension"
        )


def _check_held(values: NDArray[Any], column: Column) -> None:
    """Raises ValueError if numbers are others in the type that a column is kept in."""
    if values.dtype == column.dtype:
        return
    with np.errstate(invalid="ignore", over="ignore"):
        held = values.astype(column.dtype)
    if held.dtype.kind == "f":
        finite = np.isfinite(values)
        change = np.abs(held[finite].astype(np.float64) - values[finite])
        wrong = change > _ROUNDED * np.abs(values[finite]).max(initial=0.0)
        lost = values[finite][wrong]
    else:
        lost = values[held != values]
    if len(lost):
        raise ValueError(
            f"the simulator returned {lost[0]} in its column {column.name!r}, which "
            f"{column.dtype} cannot hold: give the column another dtype in the schema, such "
            "as float64"
        )


def _check_offsets(offsets: Any, size: int) -> None:
    steps = np.diff(offsets) if np.ndim(offsets) == 1 else np.array([-1])
    if len(steps) != size or (steps < 0).any() or offsets[0] != 0:
        raise ValueError(
            f"the simulator returned offsets of shape {np.shape(offsets)} for {size} records: "
            f"give {size + 1} that ascend, from 0 to the number of all particles"
        )
