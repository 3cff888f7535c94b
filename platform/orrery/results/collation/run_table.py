"""All entries as one table: a row for each, a column for whatever any of them says.

Columns are those that each entry has, then `option.`, `objective.`, `verdict.`, `metric.` and
`identity.` with the names that documents give them. A column has one type: integers,
numbers, truth values or text; where entries differ in it, text.
"""

from collections.abc import Sequence
from dataclasses import asdict

import pyarrow as pa
import pyarrow.parquet as pq

from orrery.results.collation.entries import Entry
from orrery.results.collation.scalars import Scalar, text

TABLE = "collated.parquet"
FIRST = ("place", "kind", "experiment", "run", "attempt", "trial", "status", "began")
THEN = ("seconds", "host", "reason", "problems")
# Beside the columns of values, what has several values for one entry.
_ANSWER = pa.struct(
    [
        *((name, pa.string()) for name in ("key", "data", "quantity", "unit")),
        *(
            (name, pa.float64())
            for name in ("median", "lower", "upper", "predicted_mean")
        ),
        ("prior", pa.list_(pa.float64())),
    ]
)
_ANCESTOR = pa.struct(
    [
        *((name, pa.string()) for name in ("kind", "key", "fingerprint")),
        ("parents", pa.list_(pa.string())),
    ]
)
_LARGEST = 2**63  # beyond all integers of the file


def scalar_columns(entries: Sequence[Entry]) -> dict[str, list[Scalar]]:
    """Returns the columns of single values, each with a value or None for every entry.

    Arguments:
        entries: The rows, in their order.

    Example:
        >>> one = Entry("a", "run", "finished", {"seconds": 3.5})
        >>> scalar_columns([one, Entry("b", "run", "damaged", {})])["seconds"]
        [3.5, None]
    """
    rows = [_row(entry) for entry in entries]
    named = dict.fromkeys(name for row in rows for name in row)
    others = sorted(named.keys() - {*FIRST, *THEN})
    groups = ("option.", "objective.", "verdict.", "metric.", "identity.")
    sorted_names = [n for group in groups for n in others if n.startswith(group)]
    return {
        name: [row.get(name) for row in rows] for name in (*FIRST, *THEN, *sorted_names)
    }


def _row(entry: Entry) -> dict[str, Scalar]:
    own: dict[str, Scalar] = {
        "place": entry.place,
        "kind": entry.kind,
        "status": entry.status,
        "problems": "\n".join(entry.problems),
    }
    return entry.values | own


def parquet(entries: Sequence[Entry]) -> bytes:
    """Returns the table as the bytes of a Parquet file, the same for the same entries."""
    found: dict[str, pa.Array] = {
        name: _typed(values) for name, values in scalar_columns(entries).items()
    }
    answers = [list(entry.answers) for entry in entries]
    found["answers"] = pa.array(answers, pa.list_(_ANSWER))
    lineage = [[asdict(one) for one in entry.lineage] for entry in entries]
    found["lineage"] = pa.array(lineage, pa.list_(_ANCESTOR))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(found), sink)
    return sink.getvalue().to_pybytes()


def _typed(values: Sequence[Scalar]) -> pa.Array:
    """Returns a column in the narrowest type that holds all its values."""
    kinds = {type(value) for value in values if value is not None}
    integers = [value for value in values if type(value) is int]
    fits = all(-_LARGEST <= value < _LARGEST for value in integers)
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int} and fits:
        return pa.array(values, pa.int64())
    if kinds and kinds <= {int, float} and fits:
        numbers = [None if value is None else float(value) for value in values]
        return pa.array(numbers, pa.float64())
    words = [None if value is None else text(str(value)) for value in values]
    return pa.array(words, pa.string())
