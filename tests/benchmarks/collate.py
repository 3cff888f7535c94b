"""How fast runs become one table and one page. The aim: 1,000 runs in under 30 s.

    python tests/benchmarks/collate.py
    python tests/benchmarks/collate.py --runs 100
    python tests/benchmarks/collate.py --folder runs

The last line is one JSON object. `seconds` is that of `collate` alone, once by the clock
and once in CPU time; reading and parsing the documents, `run.json`, is timed alone, and
`ratio` is how many times as long `collate` takes in CPU time. Without a folder, synthetic
runs of two posteriors each are written first, with documents of 17 kB and arrays of all
kinds. What was just written is still in memory: the disk itself is not measured.
"""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthetic_runs import write_runs

from orrery import runs, terminal
from orrery.identity import JSON
from orrery.results.collation.collate import collate
from orrery.storage.documents import read_document
from orrery.storage.run import documents

REMEDY = "make the runs anew"


@dataclass(frozen=True)
class Collating:
    """Times `orrery collate`."""

    runs: int = 1000
    """How many synthetic runs are written."""
    folder: Path | None = None
    """A folder of runs; synthetic ones are made in a temporary folder when missing."""


def main(options: Collating) -> None:
    """Prints what was measured."""
    with tempfile.TemporaryDirectory() as temporary:
        place = options.folder or Path(temporary) / "runs"
        if options.folder is None:
            terminal.say(f"writing {options.runs} synthetic runs")
            write_runs(options.runs, place)
        print(json.dumps(measure(place, Path(temporary) / "collated")))


def measure(place: Path, into: Path) -> JSON:
    """Returns times [s] and sizes of collating a folder of runs."""
    paths = documents(place)
    reading = timed(lambda: [read_document(path, REMEDY) for path in paths])
    collating = timed(lambda: collate(place, into))
    return {
        "runs": len(paths),
        "seconds": round(collating[0], 3),
        "cpu_seconds": round(collating[1], 3),
        "cpu_seconds_reading_documents_alone": round(reading[1], 3),
        "ratio": round(collating[1] / reading[1], 1),
        "bytes_of_documents": sum(path.stat().st_size for path in paths),
        "bytes_of_table": (into / "collated.parquet").stat().st_size,
        "bytes_of_page": (into / "index.html").stat().st_size,
    }


def timed(action: Callable[[], Any]) -> tuple[float, float]:
    """Returns the wall time and this process's CPU time of an action [s]."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    runs.main(main, Collating)
