"""What a dashboard shows of a run: series and tables of numbers, from its document.

Names have slashes where keys have dots: a dashboard takes a dot for a level of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from orrery.identity import JSON
from orrery.parameters import FloatArray
from orrery.results.result import Result
from orrery.results.views import CoverageCurves, Predictions, RankCurves, TrainingCurves

MOST_ROWS = 10_000  # of draws that are shown: they are in no order
_NOT_FINITE = ("inf", "-inf", "nan")  # numbers that a document holds as text


@dataclass(frozen=True)
class Series:
    """Curves over the same places.

    Arguments:
        name: What all of them belong to.
        step: What the places are, such as `level`.
        places: With shape `[L]`.
        curves: By name, each with shape `[L]`; NaN where there is nothing.

    Example:
        >>> half = np.array([0.5])
        >>> Series("tarp/desi", "level", half, {"coverage": half}).rows
        [{'tarp/desi/level': 0.5, 'tarp/desi/coverage': 0.5}]
    """

    name: str
    step: str
    places: FloatArray
    curves: Mapping[str, FloatArray]

    @property
    def rows(self) -> list[dict[str, float]]:
        """One row for each place, with the numbers that are there."""
        return [self._row(i) for i in range(len(self.places))]

    def _row(self, i: int) -> dict[str, float]:
        found = {self.step: self.places[i]} | {k: c[i] for k, c in self.curves.items()}
        return {
            f"{self.name}/{name}": float(value)
            for name, value in found.items()
            if np.isfinite(value)
        }


@dataclass(frozen=True)
class Sheet:
    """A table of numbers and text.

    Arguments:
        name: What it is called.
        columns: The columns' names, with their units.
        rows: Row by row; None where there is nothing.

    Example:
        >>> Sheet("errors/25", ("rmse [dex]",), ((0.128,),)).columns
        ('rmse [dex]',)
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def named(key: str) -> str:
    """Returns what a key is called on a dashboard.

    Example:
        >>> named("rmse.25.minimum")
        'rmse/25/minimum'
    """
    return key.replace(".", "/")


# --- tables -----------------------------------------------------------------------------


def sheets(result: Result, section: JSON) -> list[Sheet]:
    """Returns the tables of one part: its rows, or its draws.

    Arguments:
        result: The run.
        section: The part.

    Raises:
        OSError: If its file cannot be read.
        ValueError: If its file is damaged.
    """
    name = named(section["key"])
    if section["kind"] == "table":
        columns = section["columns"]
        head = tuple(_head(column["name"], column["unit"]) for column in columns)
        return [_sheet(name, section["rows"], range(len(head)), head)]
    if section["kind"] == "draws":
        return [_draws(name, result.content(section, section["files"][0]))]
    return []


def _head(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def _numbers(column: list[Any]) -> list[Any]:
    """Returns a column in which numbers that JSON does not have are numbers again."""
    texts = {cell for cell in column if isinstance(cell, str)}
    if texts <= set(_NOT_FINITE):
        return [float(cell) if isinstance(cell, str) else cell for cell in column]
    return column


def _draws(name: str, content: bytes) -> Sheet:
    file = pq.ParquetFile(pa.BufferReader(content))
    table = file.read(use_threads=False).slice(0, MOST_ROWS)
    units = [
        (field.metadata or {}).get(b"unit", b"").decode() for field in table.schema
    ]
    columns = map(_head, table.column_names, units)
    values = [column.to_pylist() for column in table.columns]
    return Sheet(name, tuple(columns), tuple(zip(*values, strict=True)))


def summary_sheets(document: JSON) -> list[Sheet]:
    """Returns a run's answers and verdicts as tables.

    Arguments:
        document: The run's.
    """
    answers = ("key", "data", "quantity", "unit", "lower", "median", "upper")
    verdicts = ("key", "test", "passed", "text")
    return [
        _sheet(name, document[name], columns, columns)
        for name, columns in (("answers", answers), ("verdicts", verdicts))
        if document[name]
    ]


def _sheet(
    name: str, entries: list[Any], columns: Iterable[Any], head: tuple[str, ...]
) -> Sheet:
    """Returns a table of entries, of which columns are places in lists, or keys."""
    cells = [_numbers([entry[column] for entry in entries]) for column in columns]
    return Sheet(name, head, tuple(zip(*cells, strict=True)))


# --- series -----------------------------------------------------------------------------


def section_series(result: Result, section: JSON) -> list[Series]:
    """Returns the curves of one part: coverage, ranks, errors or losses.

    Arguments:
        result: The run.
        section: The part.

    Raises:
        OSError: If its file cannot be read.
        ValueError: If its file is damaged.
    """
    if section["kind"] != "figure" or section["view"]["$kind"] not in _READERS:
        return []
    read = _READERS[section["view"]["$kind"]]
    return list(read(named(section["key"]), result.view(section)))


def _coverages(name: str, view: CoverageCurves) -> Iterator[Series]:
    for key, curve in view.curves.items():
        curves = {"coverage": curve.coverage}
        yield Series(f"{name}/{named(key)}", "level", curve.levels, curves)


def _ranks(name: str, view: RankCurves) -> Iterator[Series]:
    for key, ranks in view.results.items():
        curves = {"lower": ranks.lower, "upper": ranks.upper}
        for parameter, curve in zip(view.parameters, ranks.difference.T, strict=True):
            curves[str(parameter.name)] = curve
        yield Series(f"{name}/{named(key)}", "level", ranks.levels, curves)


def _errors(name: str, view: Predictions) -> Iterator[Series]:
    """Yields the errors of each ensemble, and one curve for each of its networks.

    They are named by the ensemble: figures that share one show the same errors.
    """
    for key, errors in view.errors.items():
        curves = {"rmse": errors.rmse, "rmse_error": errors.rmse_error}
        curves["bias"] = errors.bias
        if key in view.members:
            each = np.atleast_2d(view.members[key].rmse)
            curves |= {f"member_{k:03d}": row for k, row in enumerate(each)}
        yield Series(f"rmse/{named(key)}", "truth", errors.middles, curves)


def _losses(name: str, view: TrainingCurves) -> Iterator[Series]:
    for key, curve in view.curves.items():
        epochs = np.arange(len(curve.train), dtype=np.float64)
        curves = {"train": curve.train, "validation": curve.validation}
        yield Series(f"{name}/{named(key)}", "epoch", epochs, curves)


_READERS: dict[str, Callable[[str, Any], Iterator[Series]]] = {
    "CoverageCurves": _coverages,
    "RankCurves": _ranks,
    "Predictions": _errors,
    "TrainingCurves": _losses,
}
