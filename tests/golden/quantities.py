"""What a record holds: named numbers, each with the tolerance that other processors need."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike, NDArray

ROUNDING = 1.2e-7  # of single precision, in which records are kept


@dataclass(frozen=True)
class Quantity:
    """Numbers of one meaning.

    Arguments:
        values: Of any shape.
        relative: How far they may be off elsewhere, as a fraction of each.
        absolute: How far they may be off elsewhere, in their own unit.
        outliers: Which share of them may be off by more: a few stars' orbits are chaotic.
    """

    values: NDArray[Any]
    relative: float = 1e-6
    absolute: float = 1e-6
    outliers: float = 0.0

    def difference(self, kept: NDArray[Any]) -> str | None:
        """Returns how these numbers differ from those of a kept record; None if they do not."""
        if self.values.shape != kept.shape:
            return f"have shape {self.values.shape} instead of {kept.shape}"
        now = self.values.astype(np.float64)
        allowed = self.absolute + (self.relative + ROUNDING) * np.abs(kept)
        both_nan = np.isnan(now) & np.isnan(kept)
        off = np.abs(now - kept)
        wrong = ~(both_nan | (off <= allowed))  # NaN on one side is a difference
        if wrong.sum() <= self.outliers * wrong.size:
            return None
        worst = np.unravel_index(np.argmax(np.where(wrong, off, -1.0)), off.shape)
        return (
            f"differ in {wrong.sum()} of {wrong.size}: {now[worst]:.9g} instead of "
            f"{kept[worst]:.9g}, where {allowed[worst]:.2g} is allowed"
        )


Record = dict[str, Quantity]


def quantity(values: ArrayLike, **tolerance: float) -> Quantity:
    """Returns numbers with their tolerance: `relative`, `absolute`, `outliers`.

    Without a tolerance they are those of double precision, rounded to single.
    """
    return Quantity(np.asarray(values), **tolerance)


def table_numbers(table: Table) -> NDArray[np.float64]:
    """Returns the columns of a table that hold numbers `[C, N]`."""
    kept = [name for name in table.colnames if table[name].dtype.kind in "fi"]
    return np.stack([np.asarray(table[name], dtype=float) for name in kept])


def differences(now: Record, kept: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Returns what differs between today's record and a kept one, by quantity."""
    found = {name: q.difference(kept[name]) for name, q in now.items() if name in kept}
    missing = {name: "are not there today" for name in kept if name not in now}
    new = {name: "are not in the kept record" for name in now if name not in kept}
    return {name: text for name, text in found.items() if text} | missing | new


def lost(now: Record, kept: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Returns which numbers of a kept record are not in today's, by quantity.

    Others may come, and one may have another name; two that were equal may share it.
    """
    found = {}
    new = [q for name, q in now.items() if name not in kept]
    for name, values in kept.items():
        others = [now[name]] if name in now else new
        texts = [q.difference(values) for q in others]
        if all(texts):
            found[name] = texts[0] if name in now else "are not there today"
    return found


def write(record: Record, path: Path) -> None:
    """Writes a record in single precision, as JSON with one quantity in a line."""
    lines = [f"{json.dumps(name)}: {_text(q.values)}" for name, q in record.items()]
    path.parent.mkdir(exist_ok=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _text(values: NDArray[Any]) -> str:
    if np.issubdtype(values.dtype, np.integer) or values.dtype == bool:
        return _compact(values.astype(np.int64).tolist())
    # the shortest text that gives single precision back: 0.1, not 0.10000000149
    return _compact(_shortest(values.astype(np.float32)))


def _compact(rows: Any) -> str:
    return json.dumps(rows, separators=(",", ":"))


def _shortest(values: NDArray[Any]) -> Any:
    if values.ndim:
        return [_shortest(row) for row in values]
    return float(str(values))


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Returns the numbers of a kept record, by quantity."""
    return {name: np.array(rows) for name, rows in json.loads(path.read_text()).items()}
