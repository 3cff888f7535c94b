"""Writing a part of a run: its files, and what the document says of it."""

import pyarrow as pa
import pyarrow.parquet as pq

from orrery.identity import JSON
from orrery.records import Column, Records, Schema
from orrery.results import encoding
from orrery.results.sections import (
    Caution,
    DrawsSection,
    FigureSection,
    Headline,
    Section,
    TableSection,
    Text,
    tabulated,
)
from orrery.storage import files
from orrery.storage.documents import digest_of
from orrery.storage.run import Run
from orrery.tables.sealed_text import sealed


def write_section(section: Section, run: Run) -> JSON:
    """Returns a part as the document holds it, after writing its files.

    Arguments:
        section: The part.
        run: Into whose folder the files go.

    Raises:
        OSError: If a file cannot be written.
    """
    common: JSON = {
        "key": section.key,
        "title": section.title,
        "text": "",
        "shows": [] if isinstance(section, DrawsSection) else list(section.shows),
        "files": [],
    }
    if isinstance(section, Headline):
        return {**common, "kind": "headline", "text": section.text}
    if isinstance(section, Text):
        return {**common, "kind": "text", "text": section.text}
    if isinstance(section, Caution):
        return {**common, "kind": "warning", "text": section.text}
    if isinstance(section, TableSection):
        return {**common, **_table(section, run)}
    if isinstance(section, FigureSection):
        return {**common, **_figure(section, run)}
    return {**common, **_draws(section, run)}


def _table(section: TableSection, run: Run) -> JSON:
    file = f"{section.key}.ecsv"
    sums = _written(run, file, sealed(files.ecsv(section.table)).encode())
    rows = tabulated(section.table)
    return {"kind": "table", "text": section.caption, "files": [file], **sums, **rows}


def _figure(section: FigureSection, run: Run) -> JSON:
    data = f"{section.key}.parquet"
    document, arrays = encoding.encode_view(section.view)
    sums = _written(run, data, encoding.to_parquet(arrays))
    pictures = [f"{section.key}.png", f"{section.key}.pdf"]
    return {
        "kind": "figure",
        "text": section.caption,
        "view": document,
        "data": data,
        "files": [*pictures, data],
        **sums,
    }


def _draws(section: DrawsSection, run: Run) -> JSON:
    file = f"{section.key}.parquet"
    columns = zip(section.names, section.units, strict=True)
    schema = Schema(tuple(Column(name, unit, "draws") for name, unit in columns))
    values = Records(dict(zip(section.names, section.values.T, strict=True)))
    origin = {"experiment": run.experiment, "run": run.fingerprint}
    sink = pa.BufferOutputStream()
    pq.write_table(values.table(schema, origin), sink)
    sums = _written(run, file, sink.getvalue().to_pybytes())
    count = len(section.values)
    text = f"{count} draws of {', '.join(section.names)}."
    return {"kind": "draws", "text": text, "files": [file], "count": count, **sums}


def _written(run: Run, file: str, content: bytes) -> JSON:
    """Writes a file of a part, and returns its checksum as the document holds it."""
    files.write_atomically(run.folder / file, content)
    return {"sha256": {file: digest_of(content)}}
