"""Views as files: a JSON document of what a figure shows, and its arrays in one Parquet file.

The Parquet file has one row; each column is one array, named by its place in the
document, with its shape in the column's metadata. Places are made of keys: what a legend
calls a curve may be reworded, and its column stays.
"""

import dataclasses
import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from orrery.judging.diagnostics import Coverage, Ranks
from orrery.judging.regression import BinnedErrors
from orrery.parameters import Parameter
from orrery.records import Observation
from orrery.results import panels, views
from orrery.results.keys import is_key
from orrery.tables.arrow_bounds import check_parquet

# What comes of a file that others have written.
_MALFORMED = (KeyError, TypeError, IndexError, AttributeError, OverflowError, OSError)

Arrays = dict[str, NDArray[Any]]

# Only these are ever made from a document: a file never decides what is called.
KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *views.View.__args__,
        *(panels.Panel, panels.Constraint, panels.Band, panels.LossCurve),
        *(panels.SkyRegion, panels.Track, panels.SkyPanel, panels.RadialCounts),
        *(BinnedErrors, Coverage, Observation, Parameter, Ranks),
    )
}


def encode_view(view: Any) -> tuple[Any, Arrays]:
    """Returns a view as plain JSON that names its arrays, and these arrays by name.

    Raises:
        ValueError: If it holds something that has no such form, or a curve's key is a
            label.

    Example:
        >>> from orrery.results.views import Relation
        >>> import numpy as np
        >>> document, arrays = encode_view(Relation(np.arange(2.0), np.ones(2), ("x", "y")))
        >>> document["x"], arrays["x"].tolist()
        ({'$array': 'x'}, [0.0, 1.0])
    """
    arrays: Arrays = {}
    for name, value in vars(view).items():
        if isinstance(value, Mapping):
            _check_keys(name, value)
    return _plain(view, "", arrays), arrays


def _check_keys(field: str, values: Mapping[str, Any]) -> None:
    wrong = [key for key in values if not is_key(key)]
    if wrong:
        raise ValueError(
            f"{wrong[0]!r} in {field} of a figure is a label, and would change when it is "
            "reworded: give a key of lower case, digits, underscores and dots, and the "
            "label in the view's legend"
        )


def decode_view(document: Any, arrays: Arrays) -> Any:
    """Returns the view that `encode_view` was given; its sequences are tuples.

    Raises:
        ValueError: If the document names an unknown kind or an array that is missing.
    """
    if isinstance(document, list):
        return tuple(decode_view(item, arrays) for item in document)
    if not isinstance(document, dict):
        return document
    if "$array" in document:
        return _array(document["$array"], arrays)
    if "$float" in document:
        return float(document["$float"])
    items = {name: decode_view(item, arrays) for name, item in document.items()}
    if "$kind" not in items:
        return items
    return _make(items.pop("$kind"), items)


def _array(name: str, arrays: Arrays) -> NDArray[Any]:
    if name not in arrays:
        raise ValueError(f"the file of arrays has no {name!r}: it is of another figure")
    return arrays[name]


def _make(kind: str, items: dict[str, Any]) -> Any:
    if kind not in KINDS:
        raise ValueError(
            f"{kind!r} is no kind of figure that this version knows: {sorted(KINDS)}"
        )
    return KINDS[kind](**items)


def _plain(value: Any, place: str, arrays: Arrays) -> Any:
    if dataclasses.is_dataclass(value) and type(value).__name__ in KINDS:
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {"$kind": type(value).__name__, **_items(fields, place, arrays)}
    if isinstance(value, Mapping):
        return _items(value, place, arrays)
    if isinstance(value, list | tuple):
        return [_plain(v, _below(place, i), arrays) for i, v in enumerate(value)]
    if isinstance(value, np.ndarray):
        arrays[place] = value
        return {"$array": place}
    return _scalar(value, place)


def _items(values: Mapping[str, Any], place: str, arrays: Arrays) -> dict[str, Any]:
    return {name: _plain(v, _below(place, name), arrays) for name, v in values.items()}


def _below(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)


def _scalar(value: Any, place: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}  # JSON has no infinity
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(
        f"{place} of a figure is a {type(value).__name__}, which has no plain form: "
        "give numbers, text, arrays and the types of `views`"
    )


def to_parquet(arrays: Arrays) -> bytes:
    """Returns arrays as the bytes of a Parquet file with one row, a column for each."""
    fields = [
        pa.field(
            name, pa.list_(pa.from_numpy_dtype(array.dtype)), metadata=_shape(array)
        )
        for name, array in arrays.items()
    ]
    columns = [
        pa.array([array.ravel()], type=field.type)
        for array, field in zip(arrays.values(), fields, strict=True)
    ]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=pa.schema(fields)), sink)
    return sink.getvalue()


def _shape(array: NDArray[Any]) -> dict[str, str]:
    return {"shape": ",".join(map(str, array.shape))}


def from_parquet(content: bytes) -> Arrays:
    """Returns the arrays of a Parquet file that `to_parquet` wrote.

    Raises:
        ValueError: If it is no such file.
    """
    try:
        check_parquet("the file of arrays", content, "draw the figure again")
        # small files: threads would take longer to start than to read
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        return {field.name: _column(table, field) for field in table.schema}
    except (pa.ArrowException, *_MALFORMED) as error:
        raise ValueError(f"these are not the arrays of a figure ({error})") from error


def _column(table: pa.Table, field: pa.Field) -> NDArray[Any]:
    text = field.metadata[b"shape"].decode()
    shape = [int(size) for size in text.split(",") if size]
    values = table[field.name].combine_chunks().flatten()
    return values.to_numpy(zero_copy_only=False).reshape(shape)
